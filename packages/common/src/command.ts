/** Typed command tables: the commands of a tool or of a control socket are rows; checks and usage derive from them. */
import { FatalError } from './errors.js';

/** One command of a tool. */
export interface CommandSpec<Context, Result = void> {
  readonly name: string;
  /** Arguments as the usage shows them: `BRIDGE PORT`, `[SWITCH]`. */
  readonly usage: string;
  readonly min: number;
  /** Infinity: as many as one likes. */
  readonly max: number;
  readonly run: (context: Context, args: readonly string[]) => Result;
}

/**
 * Finds the command and checks the number of its arguments, in the words of the peer's tools
 * (`unknown command 'x'; use --help for help`, `'x' command requires at least 1 arguments`).
 *
 * @param words the command's name and its arguments.
 * @throws FatalError status 1.
 */
export function findCommand<C, R>(
  table: readonly CommandSpec<C, R>[],
  words: readonly string[],
): { spec: CommandSpec<C, R>; args: readonly string[] } {
  const [name, ...args] = words;
  if (name === undefined) throw new FatalError('missing command name; use --help for help', 1, 'usage');
  const spec = table.find((row) => row.name === name);
  if (!spec) throw new FatalError(`unknown command '${name}'; use --help for help`, 1, 'usage');
  if (args.length < spec.min) {
    throw new FatalError(`'${name}' command requires at least ${spec.min} arguments`, 1, 'usage');
  }
  if (args.length > spec.max) {
    throw new FatalError(`'${name}' command takes at most ${spec.max} arguments`, 1, 'usage');
  }
  return { spec, args };
}
