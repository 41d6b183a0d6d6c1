/**
 * Command lines of several commands in one transaction: `ovs-vsctl [OPTIONS] [--opt] CMD ARGS [-- [--opt] CMD ARGS]…`.
 * Commands are rows of a table; parsing, checks and words derive from it.
 */
import { FatalError } from '@ovs-node/common/errors';
import type { OptionSpec } from '@ovs-node/common/getopt';
import type { TableSelection } from 'ovsdb-client/replica/replica';
import type { Table } from './table.js';

/** An option of one command: `--may-exist`, or with a value `--id=`. */
export interface CommandOption {
  readonly name: string;
  readonly arg?: 'required';
}

/** What a command prints: text as it is, or a table in the style that the user chose. */
export type CommandOutput = string | Table | undefined;

/** Text or a table that is known only after the commit, such as the UUID of a created row. */
export type LateOutput = () => CommandOutput;

export interface CtlCommand<Context> {
  readonly name: string;
  /** Arguments as the usage shows them. */
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  readonly options?: readonly CommandOption[];
  /** False: the command only reads, and its use is not worth a line in the log. */
  readonly isChange?: false;
  /** Tables and columns of the database that the command needs. Absent: those of every command. */
  readonly tables?: (args: readonly string[], call: CommandCall<Context>) => TableSelection;
  /** Adds its changes to the context's transaction. @throws FatalError */
  readonly run: (context: Context, call: CommandCall<Context>) => CommandOutput | LateOutput;
}

/** One command of a command line. */
export interface CommandCall<Context> {
  readonly command: CtlCommand<Context>;
  readonly args: readonly string[];
  /** Options by name; an option without a value has `undefined`. */
  readonly options: ReadonlyMap<string, string | undefined>;
}

/** All options that some command has, for the parser of the words before the first command. */
export function commandOptionSpecs<C>(commands: readonly CtlCommand<C>[]): OptionSpec[] {
  const specs = new Map<string, OptionSpec>();
  for (const option of commands.flatMap((command) => command.options ?? [])) {
    specs.set(option.name, { name: option.name, arg: option.arg ?? 'none' });
  }
  return [...specs.values()];
}

/** The first command's options, met before its name, in the form in which the command line parser gives them. */
export type LocalOption = { readonly name: string; readonly value: string | undefined };

/**
 * Splits `words` at `--` into commands and checks each. `first`: options that stood before the first command's name.
 * @throws FatalError in the peer's words.
 */
export function parseCommands<C>(
  commands: readonly CtlCommand<C>[],
  words: readonly string[],
  first: readonly LocalOption[],
): CommandCall<C>[] {
  const calls: CommandCall<C>[] = [];
  let start = 0;
  let local = first;
  for (let i = 0; i <= words.length; i++) {
    if (i < words.length && words[i] !== '--') continue;
    const part = words.slice(start, i);
    // An empty part between two `--` is nothing, as long as there is a command somewhere.
    if (part.length > 0 || local.length > 0) calls.push(parseOne(commands, part, local));
    local = [];
    start = i + 1;
  }
  if (calls.length === 0) throw new FatalError('missing command name (use --help for help)');
  return calls;
}

function parseOne<C>(
  commands: readonly CtlCommand<C>[],
  words: readonly string[],
  local: readonly LocalOption[],
): CommandCall<C> {
  const options = new Map<string, string | undefined>(local.map(({ name, value }) => [name, value]));
  let i = 0;
  for (; i < words.length && (words[i] as string).startsWith('-'); i++) {
    const word = words[i] as string;
    const equals = word.indexOf('=');
    const name = (equals < 0 ? word : word.slice(0, equals)).replace(/^--/, '');
    if (options.has(name)) throw new FatalError(`'--${name}' option specified multiple times`);
    options.set(name, equals < 0 ? undefined : word.slice(equals + 1));
  }
  const [name, ...args] = words.slice(i);
  if (name === undefined) throw new FatalError('missing command name (use --help for help)');
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new FatalError(`unknown command '${name}'; use --help for help`);
  for (const [option, value] of options) {
    const known = command.options?.find((each) => each.name === option);
    if (known === undefined) throw new FatalError(`'${name}' command has no '--${option}' option`);
    if (known.arg === 'required' && value === undefined) {
      throw new FatalError(`missing argument to '--${option}' option on '${name}' command`);
    }
    if (known.arg === undefined && value !== undefined) {
      throw new FatalError(`'--${option}' option on '${name}' does not accept an argument`);
    }
  }
  if (args.length < command.min)
    throw new FatalError(`'${name}' command requires at least ${command.min} arguments`);
  if (args.length > command.max) {
    const hint = args.some((word) => word.startsWith('-'))
      ? ' (note that options must precede command names and follow a "--" argument)'
      : '';
    throw new FatalError(`'${name}' command takes at most ${command.max} arguments${hint}`);
  }
  return { command, args, options };
}
