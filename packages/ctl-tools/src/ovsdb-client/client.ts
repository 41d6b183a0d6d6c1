/**
 * ovsdb-client: asks an OVSDB server, from the command line. Commands are rows (commands.ts); which of SERVER,
 * DATABASE and TABLE a command takes is part of its row, since each may be left out when there is only one it can mean.
 *
 * Commands that follow the server (monitor, lock) can go to the background once they have printed what there is.
 */
import { runDaemon } from '@ovs-node/common/daemon';
import { daemonHelp, daemonOptions, defaultDaemonSettings } from '@ovs-node/common/daemon-options';
import { defaultDbRemote } from '@ovs-node/common/dirs';
import { FatalError } from '@ovs-node/common/errors';
import { type OptionSpec, parseCommandLine, parseOptions } from '@ovs-node/common/getopt';
import { sslOptionsWithout, streamHelp } from '@ovs-node/common/stream-options';
import { parseTimeout, runTool, startTimeout } from '@ovs-node/common/tool';
import { vlogHelp, vlogOptions } from '@ovs-node/common/vlog-options';
import { setLevels } from '@ovs-node/common/vlog';
import { type TableStyle, tableOptions } from '../lib/table.js';
import { COMMANDS } from './commands.js';
import { Connection } from './connection.js';
import { registerLockCommands } from './locks.js';
import type { ClientCommand, ClientContext, Following } from './types.js';

const NAME = 'ovsdb-client';

interface Settings {
  readonly style: TableStyle;
  timeout: number | undefined;
  timestamp: boolean;
  force: boolean;
}

function defaultSettings(): Settings {
  const style: TableStyle = { format: 'table', cells: 'string', headings: true, pretty: false };
  return { style, timeout: undefined, timestamp: false, force: false };
}

function ownOptions(settings: Settings): OptionSpec[] {
  return [
    ...tableOptions(settings.style),
    { name: 'timestamp', apply: () => (settings.timestamp = true) },
    { name: 'force', apply: () => (settings.force = true) },
    {
      name: 'timeout',
      short: 't',
      arg: 'required',
      apply: (value) => (settings.timeout = parseTimeout(value as string)),
    },
    // Of clustered databases: there is one server, which leads.
    { name: 'leader-only', apply: () => undefined },
    { name: 'no-leader-only', apply: () => undefined },
  ];
}

const sslOptions = sslOptionsWithout('peer-ca-cert');

/** The options of the command line, for completion. */
export function clientOptions(): OptionSpec[] {
  return [
    ...ownOptions(defaultSettings()),
    ...daemonOptions(defaultDaemonSettings()),
    ...vlogOptions,
    ...sslOptions,
  ];
}

function help(): string {
  const rows = COMMANDS.map(({ name, takes, usage, what, before = '' }) => {
    const place = takes === 'server' ? '[SERVER]' : '[SERVER] [DATABASE]';
    return `  ${[before, name, place, usage].filter((word) => word !== '').join(' ')}\n    ${what}\n`;
  });
  return `${NAME}: Open vSwitch database JSON-RPC client
usage: ${NAME} [OPTIONS] COMMAND [ARG...]

Valid commands are:

${rows.join('\n')}
The default SERVER is ${defaultDbRemote()}.
The default DATABASE is Open_vSwitch.

${streamHelp('SERVER', { active: true, passive: true, bootstrap: true, ssl: true })}
Output formatting options:
  -f, --format=FORMAT         set output formatting to FORMAT
                              ("table", "html", "csv", or "json")
  -d, --data=FORMAT           set table cell output formatting to
                              FORMAT ("string", "bare", or "json")
  --no-headings               omit table heading row
  --pretty                    pretty-print JSON in output
  --bare                      equivalent to "--format=list --data=bare --no-headings"
  --timestamp                 timestamp "monitor" output
  -t, --timeout=SECS          limit the time the command may take${daemonHelp(NAME)}${vlogHelp(NAME)}
Other options:
  -h, --help                  display this help message
  -V, --version               display version information
`;
}

/** Runs the program. */
export function ovsdbClient(args: string[] = process.argv.slice(2)): Promise<void> {
  return wantsDaemon(args) ? runInBackground(args) : runTool(NAME, main, { args, lostOutput: 'told' });
}

/** Does the command line ask for the frame of a daemon? */
function wantsDaemon(args: readonly string[]): boolean {
  const all = [...clientOptions(), { name: 'help', short: 'h' }, { name: 'version', short: 'V' }];
  try {
    const walk = parseOptions(args, all, 'permute');
    for (;;) {
      const step = walk.next();
      if (step.done === true) return false;
      if (step.value.name === 'detach' || step.value.name === 'pidfile') return true;
    }
  } catch {
    return false;
  }
}

async function main(args: string[]): Promise<void> {
  setLevels(null, 'console', 'info');
  const settings = defaultSettings();
  const options = [
    ...ownOptions(settings),
    ...daemonOptions(defaultDaemonSettings()),
    ...vlogOptions,
    ...sslOptions,
  ];
  const { operands } = parseCommandLine({ name: NAME, options, help, order: 'permute' }, args);
  const { following, close } = await begin(settings, operands);
  try {
    if (following !== undefined) throw await following.over;
  } finally {
    close();
  }
}

/** Runs a command as a daemon: it is ready when it has printed what there is, and prints on to the same output. */
function runInBackground(args: string[]): Promise<void> {
  const settings = defaultSettings();
  setLevels(null, 'console', 'info');
  return runDaemon(
    {
      name: NAME,
      options: [...ownOptions(settings), ...sslOptions],
      help,
      logModule: null,
      keepsStdout: true,
      start: async ({ commandLine, unixctl, exit }) => {
        const { context, following, close } = await begin(settings, commandLine.operands);
        if (context !== undefined && following !== undefined) registerLockCommands(unixctl, context);
        let stopped = false;
        const end = (status: number): void => {
          if (!stopped) exit(status);
        };
        if (following === undefined) setImmediate(() => end(0));
        else
          void following.over.then((error) => {
            if (!stopped) process.stderr.write(`${NAME}: ${error.message}\n`);
            end(1);
          });
        return {
          stop: () => {
            stopped = true;
            close();
          },
        };
      },
    },
    args,
  );
}

function print(text: string): void {
  process.stdout.write(text);
}

interface Begun {
  readonly context?: ClientContext;
  readonly following: Following | undefined;
  readonly close: () => void;
}

/** Runs a command up to where it only follows the server. @throws FatalError (rejects) */
async function begin(
  { style, timeout, timestamp, force }: Settings,
  operands: readonly string[],
): Promise<Begun> {
  const [name, ...words] = operands;
  if (name === undefined) throw new FatalError('missing command name; use --help for help');
  const command = COMMANDS.find((each) => each.name === name);
  if (command === undefined) throw new FatalError(`unknown command '${name}'; use --help for help`);
  startTimeout(timeout);
  const server = isServer(words[0]) ? (words.shift() as string) : defaultDbRemote();
  const isWrong = (): boolean => words.length < command.min || words.length > command.max;
  const connectsFirst = command.connects !== false && command.check === undefined;
  if (!connectsFirst) {
    // As to the peer's, a database may be named, and says nothing.
    if (words.length === command.max + 1) words.shift();
    if (isWrong()) throw invalidSyntax(name);
    command.check?.(words);
  }
  const common = { server, args: words, style, timestamp, force, print };
  if (command.connects === false) {
    await command.run(common);
    return { following: undefined, close: () => undefined };
  }
  const connection = await Connection.open(server);
  try {
    const database =
      command.takes === 'server' ? '' : chooseDatabase(await connection.databases(), words, command);
    if (isWrong()) throw invalidSyntax(name);
    const context: ClientContext = { ...common, connection, database };
    const following = (await command.run(context)) ?? undefined;
    return { context, following, close: () => connection.close() };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function invalidSyntax(command: string): FatalError {
  return new FatalError(`invalid syntax for '${command}' (use --help for help)`);
}

/** A word with a colon is a server, if perhaps of a kind that there is not. */
function isServer(word: string | undefined): boolean {
  return word !== undefined && /^[a-z].*:/i.test(word);
}

/** Takes the database's name off `words` when they begin with one; else it is the only one, or Open_vSwitch. */
function chooseDatabase(databases: readonly string[], words: string[], command: ClientCommand): string {
  const first = words[0];
  if (first !== undefined && databases.includes(first) && words.length > command.min) {
    // A table may be called as its database is: with nothing behind it, it is the table.
    const isTable = command.min > 0 && words.length === command.min;
    if (!isTable) return words.shift() as string;
  }
  const real = databases.filter((each) => !each.startsWith('_'));
  if (real.includes('Open_vSwitch')) return 'Open_vSwitch';
  if (real.length === 1) return real[0] as string;
  throw new FatalError(
    real.length === 0
      ? 'no databases on server'
      : 'no default database for this command, please specify a database name',
  );
}
