/** ovs-service: the daemons as services of the system, all of them at once. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { findCommand, type CommandSpec } from '@ovs-node/common/command';
import { dirs } from '@ovs-node/common/dirs';
import { FatalError, strerror } from '@ovs-node/common/errors';
import { parseCommandLine } from '@ovs-node/common/getopt';
import { programCommand } from '@ovs-node/common/program';
import { runTool } from '@ovs-node/common/tool';
import { Systemd } from './systemd.js';
import { SERVICES, type ServiceState, type ServiceSystem } from './table.js';

const NAME = 'ovs-service';
/** What `status` exits with when not all of them run: systemctl's number. */
const NOT_RUNNING = 3;

interface Context {
  readonly system: ServiceSystem;
  readonly root: string;
}

type Row = CommandSpec<Context, Promise<number>> & { readonly help: string };

const COMMANDS = [
  {
    name: 'install',
    usage: '',
    help: 'make the services, and the database where there is none',
    min: 0,
    max: 0,
    run: async ({ system, root }) => {
      const database = path.join(dirs.dbdir, 'conf.db');
      await system.checkInstall();
      const made = createDatabase(root === '' ? database : path.join(root, database));
      say([...made, ...(await system.install(database))]);
      return 0;
    },
  },
  {
    name: 'uninstall',
    usage: '',
    help: 'stop the services and remove them; the database stays',
    min: 0,
    max: 0,
    run: async ({ system }) => {
      say(await system.uninstall());
      return 0;
    },
  },
  {
    name: 'start',
    usage: '',
    help: 'start the services, and wait until they serve',
    min: 0,
    max: 0,
    run: async ({ system }) => {
      await system.start();
      return 0;
    },
  },
  {
    name: 'stop',
    usage: '',
    help: 'stop the services, and wait until they have ended',
    min: 0,
    max: 0,
    run: async ({ system }) => {
      await system.stop();
      return 0;
    },
  },
  {
    name: 'status',
    usage: '',
    help: 'tell how they are; exit status 3 when not all of them run',
    min: 0,
    max: 0,
    run: async ({ system }) => {
      const states = await system.status();
      say(states.map(stateText));
      return states.every(({ state }) => state === 'running') ? 0 : NOT_RUNNING;
    },
  },
] as const satisfies readonly Row[];

const help = (): string => `\
${NAME}: the daemons of Open vSwitch as services of the system
usage: ${NAME} [OPTIONS] COMMAND

Commands, each for ${SERVICES.map(({ name }) => name).join(', ')}:
${COMMANDS.map(({ name, help: text }) => `  ${name.padEnd(23)} ${text}`).join('\n')}

Options:
  --root=DIR              (Linux) write units and database below DIR
  -h, --help              display this help message
  -V, --version           display version information
`;

/** Runs the tool with the process's arguments. */
export function service(): Promise<void> {
  return runTool(NAME, async (args) => {
    let root = '';
    const { operands } = parseCommandLine(
      {
        name: NAME,
        order: 'permute',
        help,
        options: [{ name: 'root', arg: 'required', apply: (value) => void (root = path.resolve(value!)) }],
      },
      args,
    );
    const found = findCommand<Context, Promise<number>>(COMMANDS, operands);
    return found.spec.run({ system: await systemOf(root), root }, found.args);
  });
}

async function systemOf(root: string): Promise<ServiceSystem> {
  switch (process.platform) {
    case 'linux':
      return new Systemd(root);
    case 'win32':
      if (root !== '') throw new FatalError('--root: only for systemd units');
      return new (await import('./windows.js')).WindowsServices();
    default:
      throw new FatalError('neither Windows services nor systemd units here');
  }
}

function say(lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}

function stateText({ name, state, pid, exitCode }: ServiceState): string {
  const more =
    state === 'stopped' ? (exitCode === 0 ? '' : `exit code ${exitCode}`) : pid > 0 ? `pid ${pid}` : '';
  return `${name.padEnd(18)}${state.padEnd(14)}${more}`.trimEnd();
}

/** Makes the database and the row that `ovs-vsctl init` would, unless the file is there. */
function createDatabase(file: string): string[] {
  if (existsSync(file)) return [];
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    if (process.platform === 'win32')
      for (const dir of [dirs.rundir, dirs.logdir]) mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new FatalError(`${path.dirname(file)}: ${strerror(error)}`);
  }
  const row = ['Open_vSwitch', { op: 'insert', table: 'Open_vSwitch', row: {} }];
  for (const args of [
    ['create', file],
    ['transact', file, JSON.stringify(row)],
  ]) {
    const [command, ...before] = programCommand('ovsdb-tool');
    const { status, stderr, error } = spawnSync(command!, [...before, ...args], { encoding: 'utf8' });
    if (error) throw new FatalError(`ovsdb-tool: ${strerror(error)}`);
    if (status !== 0) throw new FatalError(stderr.trim().split('\n', 1)[0]!);
  }
  return [`${file}: created`];
}
