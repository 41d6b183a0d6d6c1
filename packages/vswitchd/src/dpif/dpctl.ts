/**
 * dpctl: the commands of ovs-dpctl(8), which are also `dpctl/…` on vswitchd's control socket. Each is a row of a table
 * (`dpctl-datapaths.ts`, `dpctl-flows.ts`, `dpctl-conntrack.ts`); this file puts the table together and runs its rows,
 * for either of the two.
 */
import type { OvsError } from '@ovs-node/common/errors';
import { type OptionSpec, parseOptions } from '@ovs-node/common/getopt';
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { conntrackCommands } from './dpctl-conntrack.js';
import {
  type DpctlCommand,
  type DpctlContext,
  DpctlError,
  type DpctlOptions,
  whyOf,
} from './dpctl-context.js';
import { datapathCommands } from './dpctl-datapaths.js';
import { flowCommands } from './dpctl-flows.js';
import type { Dpif, DpifProvider } from './provider.js';

/** Every command, in the order of `list-commands`. */
export const DPCTL_COMMANDS: readonly DpctlCommand[] = [
  ...datapathCommands,
  ...flowCommands,
  ...conntrackCommands,
  {
    name: 'list-commands',
    usage: '',
    min: 0,
    max: Infinity,
    run: (context) => {
      const prefix = context.inDaemon ? 'dpctl/' : '';
      context.print('The available commands are:\n');
      for (const { name, usage } of DPCTL_COMMANDS)
        context.print(`  ${`${prefix}${name}`.padEnd(23 + prefix.length)} ${usage}\n`);
    },
  },
];

/** The options that commands take, on either command line. */
export const DPCTL_OPTIONS: readonly OptionSpec[] = [
  { name: 'more', short: 'm' },
  { name: 'statistics', short: 's' },
  { name: 'names' },
  { name: 'no-names' },
  { name: 'clear' },
  { name: 'may-create' },
  { name: 'read-only' },
];

/** `DpctlOptions` from the names of the options that were given. */
export function dpctlOptions(names: readonly string[]): DpctlOptions {
  const has = (name: string): boolean => names.includes(name);
  return {
    more: names.filter((name) => name === 'more').length,
    statistics: has('statistics'),
    names: has('no-names') ? false : has('names') ? true : undefined,
    clear: has('clear'),
    mayCreate: has('may-create'),
    readOnly: has('read-only'),
  };
}

/**
 * Runs a command whose arguments were counted. Resolves to whether it succeeded; errors were told to `context.fail`
 * then. Rejects only for faults of the program.
 */
export async function runDpctl(
  context: DpctlContext,
  command: DpctlCommand,
  args: readonly string[],
): Promise<boolean> {
  let ok = true;
  const opened: Dpif[] = [];
  const counting: DpctlContext = Object.assign(Object.create(context) as DpctlContext, {
    opened,
    fail(message: string) {
      ok = false;
      context.fail(message);
    },
  });
  try {
    if (command.write && context.options.readOnly) {
      throw new DpctlError(`'${command.name}' command does not work in read only mode`);
    }
    await command.run(counting, args);
  } catch (error) {
    if (error instanceof DpctlError) {
      if (error.message !== '') context.fail(error.message);
      return false;
    }
    if (typeof (error as Partial<OvsError>).code !== 'string') throw error;
    context.fail(whyOf(error));
    return false;
  } finally {
    for (const dp of opened) dp.close();
  }
  return ok;
}

/** What vswitchd gives to its `dpctl/…` commands. */
export interface DpctlDaemon {
  readonly program: string;
  readonly types: () => readonly string[];
  provider(type: string): Promise<DpifProvider>;
}

/** Registers every command as `dpctl/NAME`. */
export function registerDpctl(unixctl: UnixctlServer, daemon: DpctlDaemon): void {
  for (const command of DPCTL_COMMANDS) {
    unixctl.register(`dpctl/${command.name}`, command.usage, 0, Infinity, async (words) => {
      const names: string[] = [];
      const args = permutedOptions(words, names);
      if (args.length < command.min) {
        throw new Error(`"dpctl/${command.name}" command requires at least ${command.min} arguments`);
      }
      if (args.length > command.max) {
        throw new Error(`"dpctl/${command.name}" command takes at most ${command.max} arguments`);
      }
      let output = '';
      const context: DpctlContext = {
        program: daemon.program,
        inDaemon: true,
        options: dpctlOptions(names),
        types: daemon.types(),
        provider: (type) => daemon.provider(type),
        print: (text) => (output += text),
        fail: (message) => (output += `${daemon.program}: ${message}\n`),
        readStdin: () => {
          throw new DpctlError('standard input cannot be read here');
        },
      };
      if (!(await runDpctl(context, command, args))) throw new Error(output);
      return output;
    });
  }
}

/** Takes the options out of a control command's words; `names` gets theirs. Throws for an unknown one. */
function permutedOptions(words: readonly string[], names: string[]): readonly string[] {
  for (const word of words) {
    if (word === '--') break;
    const known =
      !/^-./.test(word) ||
      (word.startsWith('--')
        ? DPCTL_OPTIONS.some((o) => `--${o.name}` === word)
        : Array.from(word.slice(1)).every((letter) => DPCTL_OPTIONS.some((o) => o.short === letter)));
    if (!known) throw new Error(`Unrecognized option ${word}`);
  }
  const walk = parseOptions(words, DPCTL_OPTIONS, 'permute');
  for (;;) {
    const step = walk.next();
    if (step.done === true) return step.value;
    names.push(step.value.name);
  }
}
