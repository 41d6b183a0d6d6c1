/**
 * ovs-vsctl: runs commands against the database in one transaction, and waits until ovs-vswitchd has done what they
 * say.
 *
 *     parse all ─► connect, replicate what the commands need ─► run all ─► commit ─► print ─► wait for cur_cfg
 *                                        ▲                        │ not yet (wait-until), or the database moved on
 *                                        └── wait for a change ◄──┘
 */
import { defaultDbRemote, dirs } from '@ovs-node/common/dirs';
import { EarlyExit, FatalError, errorMessage, strerror } from '@ovs-node/common/errors';
import { type CommandLine, type OptionSpec, parseCommandLine } from '@ovs-node/common/getopt';
import { sslOptions } from '@ovs-node/common/stream-options';
import { runTool, parseTimeout, startTimeout } from '@ovs-node/common/tool';
import { setLevels, vlog } from '@ovs-node/common/vlog';
import { vlogOptions } from '@ovs-node/common/vlog-options';
import { OvsdbError } from 'ovsdb-client/data/error';
import { Replica, type TableSelection } from 'ovsdb-client/replica/replica';
import { Transaction, changedSince } from 'ovsdb-client/transaction';
import { vswitchSchema } from 'ovsdb-client/vswitch/schema';
import {
  type CommandCall,
  type CommandOutput,
  type CtlCommand,
  commandOptionSpecs,
  parseCommands,
  type LateOutput,
  type LocalOption,
} from '../lib/ctl-command.js';
import { databaseCommands, TryAgain } from '../lib/db-commands.js';
import { log } from '../lib/db-context.js';
import { type TableStyle, formatTable, tableGap, tableOptions } from '../lib/table.js';
import { commandsText, invoker, optionsText, quoteWords } from '../lib/command-line.js';
import { AUTO_ATTACH_COMMANDS } from './auto-attach-commands.js';
import { BRIDGE_COMMANDS } from './bridge-commands.js';
import { VsctlContext } from './context.js';
import { CONTROL_COMMANDS } from './control-commands.js';
import { helpText } from './help.js';
import { PORT_COMMANDS } from './port-commands.js';
import { RECORD_NAMES } from './records.js';
import { SHOW_TABLES, show } from './show.js';
import { ZONE_COMMANDS } from './zone-commands.js';

interface Settings {
  remote: string;
  wait: boolean;
  retry: boolean;
  dryRun: boolean;
  oneline: boolean;
  timeout: number | undefined;
  readonly style: TableStyle;
}

/** What nearly every command looks at. */
const BASE_TABLES: TableSelection = {
  Open_vSwitch: ['bridges', 'next_cfg', 'cur_cfg', 'manager_options', 'ssl'],
  Bridge: ['name', 'ports', 'controller', 'fail_mode', 'external_ids'],
  Port: ['name', 'fake_bridge', 'tag', 'interfaces', 'external_ids'],
  Interface: ['name', 'ofport', 'error'],
  Controller: ['target', 'inactivity_probe'],
  Manager: ['target', 'inactivity_probe'],
  SSL: '*',
};

/** Every command, in the order of the manual. */
export const COMMANDS: readonly CtlCommand<VsctlContext>[] = [
  { name: 'init', usage: '', min: 0, max: 0, run: () => undefined },
  { name: 'show', isChange: false, usage: '', min: 0, max: 0, tables: () => SHOW_TABLES, run: show },
  ...BRIDGE_COMMANDS,
  ...PORT_COMMANDS,
  ...ZONE_COMMANDS,
  ...CONTROL_COMMANDS,
  ...AUTO_ATTACH_COMMANDS,
  ...(databaseCommands(vswitchSchema(), RECORD_NAMES) as unknown as readonly CtlCommand<VsctlContext>[]),
];

/** Runs the program. */
export function vsctl(): Promise<void> {
  return runTool('ovs-vsctl', main, { lostOutput: 'always passed over' });
}

function optionTable(settings: Settings): OptionSpec[] {
  return [
    { name: 'db', arg: 'required', apply: (value) => (settings.remote = value as string) },
    { name: 'no-syslog', apply: () => setLevels('vsctl', 'syslog', 'warn') },
    { name: 'no-wait', apply: () => (settings.wait = false) },
    { name: 'dry-run', apply: () => (settings.dryRun = true) },
    { name: 'oneline', apply: () => (settings.oneline = true) },
    {
      name: 'timeout',
      short: 't',
      arg: 'required',
      apply: (value) => {
        try {
          settings.timeout = parseTimeout(value as string);
        } catch (thrown) {
          fail(thrown);
        }
      },
    },
    { name: 'retry', apply: () => (settings.retry = true) },
    // What a shell's completion asks.
    {
      name: 'commands',
      apply: () => {
        throw new EarlyExit(commandsText(COMMANDS));
      },
    },
    {
      name: 'options',
      apply: () => {
        throw new EarlyExit(optionsText(vsctlOptions()));
      },
    },
    // Of clustered databases: there is one server, which leads.
    ...['leader-only', 'no-leader-only', 'shuffle-remotes', 'no-shuffle-remotes'].map((name) => ({
      name,
      apply: () => undefined,
    })),
    ...tableOptions(settings.style),
    ...vlogOptions,
    ...sslOptions,
  ];
}

/** The options of the command line, for completion. */
export function vsctlOptions(): OptionSpec[] {
  return [...optionTable(defaultSettings()), { name: 'help', short: 'h' }, { name: 'version', short: 'V' }];
}

function defaultSettings(): Settings {
  return {
    remote: process.env['OVS_DB'] ?? defaultDbRemote(),
    wait: true,
    retry: false,
    dryRun: false,
    oneline: false,
    timeout: undefined,
    style: { format: 'list', cells: 'string', headings: true, pretty: false },
  };
}

/** Tells the log, too, what is wrong; on the console it is said once. */
function fail(thrown: unknown): never {
  if (thrown instanceof FatalError) {
    setLevels('db_ctl_base', 'console', 'off');
    log.err(thrown.message);
  }
  throw thrown;
}

async function main(args: string[]): Promise<void> {
  setLevels('reconnect', null, 'warn');
  const settings = defaultSettings();
  const global = optionTable(settings);
  const local = commandOptionSpecs(COMMANDS);
  const line = parseCommandLine(
    {
      name: 'ovs-vsctl',
      options: [...global, ...local],
      help: helpText,
      versionLines: ['DB Schema 8.3.1'],
    },
    args,
  );
  await runCommands(line, settings).catch(fail);
}

async function runCommands(line: CommandLine, settings: Settings): Promise<void> {
  const first: LocalOption[] = line.options.map(({ name, value }) => ({ name, value }));
  const calls = parseCommands(COMMANDS, line.operands, first);
  // For whoever looks for the cause of a change in the system's log.
  const isChange = calls.some(({ command }) => command.isChange !== false);
  vlog('vsctl')[isChange ? 'info' : 'dbg'](`Called as ${commandLine()}`);
  startTimeout(settings.timeout);
  const replica = new Replica({
    remote: settings.remote,
    database: 'Open_vSwitch',
    tables: selectionOf(calls),
    retry: settings.retry,
    probeIntervalMs: 0,
  });
  replica.start();
  try {
    await connected(replica, settings);
    await runAll(replica, calls, settings);
  } finally {
    replica.close();
  }
}

/** This program's command line, its name without a folder. */
function commandLine(): string {
  return quoteWords(['ovs-vsctl', ...process.argv.slice(2)]);
}

/** The tables and columns that these commands need, together. */
function selectionOf(calls: readonly CommandCall<VsctlContext>[]): TableSelection {
  const all: Record<string, '*' | Set<string>> = {};
  const add = (selection: TableSelection): void => {
    for (const [table, columns] of Object.entries(selection)) {
      if (columns === '*' || all[table] === '*') all[table] = '*';
      else all[table] = new Set([...(all[table] ?? []), ...columns]);
    }
  };
  add(BASE_TABLES);
  for (const call of calls) add(call.command.tables?.(call.args, call) ?? {});
  return Object.fromEntries(
    Object.entries(all).map(([table, columns]) => [table, columns === '*' ? '*' : [...columns]]),
  );
}

/** Why there is no connection, in the words of the C library where it has some. */
function connectionProblem(error: unknown): string {
  const { code } = error as { code?: string };
  return code === 'EOF' || code === 'EAFNOSUPPORT' ? strerror(code) : errorMessage(error);
}

function connected(replica: Replica, settings: Settings): Promise<void> {
  return replica.ready().catch((error: unknown) => {
    throw new FatalError(`${settings.remote}: database connection failed (${connectionProblem(error)})`);
  });
}

async function runAll(
  replica: Replica,
  calls: readonly CommandCall<VsctlContext>[],
  settings: Settings,
): Promise<void> {
  // A connection that ends in the middle ends the program, unless it was told to go on trying.
  const lost = new Promise<never>((_, reject) => {
    replica.onState((state, error) => {
      if (state !== 'closed' || error === undefined) return;
      reject(new FatalError(`${settings.remote}: database connection failed (${connectionProblem(error)})`));
    });
  });
  lost.catch(() => undefined);
  for (;;) {
    const seen = replica.changeNumber;
    const done = await Promise.race([runOnce(replica, calls, settings), lost]);
    if (done) return;
    await Promise.race([changedSince(replica, seen), lost]);
  }
}

/** Runs all commands in one transaction; false when they have to be run again after a change of the database. */
async function runOnce(
  replica: Replica,
  calls: readonly CommandCall<VsctlContext>[],
  settings: Settings,
): Promise<boolean> {
  const transaction = new Transaction(replica);
  if (settings.dryRun) transaction.setDryRun();
  const by = invoker();
  transaction.comment(`ovs-vsctl${by === undefined ? '' : ` (invoked by ${by})`}: ${commandLine()}`);
  const context = new VsctlContext(replica, transaction);
  if (settings.wait) transaction.increment('Open_vSwitch', context.root, 'next_cfg');
  const outputs: (CommandOutput | LateOutput)[] = [];
  try {
    for (const call of calls) {
      outputs.push(call.command.run(context, call));
      context.changed();
    }
  } catch (error) {
    if (error instanceof TryAgain) return false;
    if (error instanceof OvsdbError) throw new FatalError(error.message);
    throw error;
  }
  context.checkSymbols();
  const outcome = await transaction.commit();
  if (outcome.status === 'try again') return false;
  if (outcome.status === 'error')
    throw new FatalError(`transaction error: ${JSON.stringify(outcome.error.toJson())}`);
  const printer = new Printer(settings);
  for (const output of outputs) printer.print(typeof output === 'function' ? output() : output);
  if (settings.wait && outcome.status === 'success' && outcome.incremented !== undefined) {
    await reconfigured(replica, outcome.incremented);
    reportBrokenInterfaces(replica, context.addedInterfaces);
  }
  return true;
}

/** Prints outputs one after the other; tables of text are set off from each other. */
class Printer {
  readonly #settings: Settings;
  #tables = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  print(output: CommandOutput): void {
    const { oneline, style } = this.#settings;
    if (typeof output === 'object') {
      process.stdout.write((this.#tables++ > 0 ? tableGap(style) : '') + formatTable(output, style));
      return;
    }
    const text = output ?? '';
    if (!oneline) {
      process.stdout.write(text);
      return;
    }
    const body = text.endsWith('\n') ? text.slice(0, -1) : text;
    process.stdout.write(`${body.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`);
  }
}

/** Waits until ovs-vswitchd has applied configuration number `wanted`. */
async function reconfigured(replica: Replica, wanted: number): Promise<void> {
  for (;;) {
    const seen = replica.changeNumber;
    for (const row of replica.rows('Open_vSwitch')) {
      if (Number((row as { cur_cfg?: number }).cur_cfg) >= wanted) return;
    }
    if (replica.state === 'closed')
      throw new FatalError(`${replica.options.remote}: database connection failed (End of file)`);
    await changedSince(replica, seen);
  }
}

function reportBrokenInterfaces(replica: Replica, added: readonly string[]): void {
  let broken = false;
  for (const row of replica.rows('Interface') as Iterable<{
    name: string;
    ofport: number | undefined;
    error: string | undefined;
  }>) {
    if (!added.includes(row.name) || (row.ofport !== undefined && row.ofport >= 0)) continue;
    broken = true;
    const why = row.error === undefined ? '' : `: ${row.error}`;
    process.stderr.write(
      `ovs-vsctl: Error detected while setting up '${row.name}'${why}.  See ovs-vswitchd log for details.\n`,
    );
  }
  if (broken) process.stderr.write(`ovs-vsctl: The default log directory is "${dirs.logdir}".\n`);
}
