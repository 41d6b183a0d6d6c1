/** The control commands of ovsdb-server(1), "RUNTIME MANAGEMENT COMMANDS". */
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import type { OvsdbServer } from './server.js';

interface ControlCommand {
  readonly name: string;
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  readonly run: (server: OvsdbServer, args: string[]) => string | Promise<string>;
}

const COMMANDS: readonly ControlCommand[] = [
  { name: 'ovsdb-server/compact', usage: '', min: 0, max: 1, run: compact },
  { name: 'ovsdb-server/reconnect', usage: '', min: 0, max: 0, run: reconnect },
  { name: 'ovsdb-server/list-dbs', usage: '', min: 0, max: 0, run: (server) => lines(server.sortedNames()) },
  { name: 'ovsdb-server/add-db', usage: 'DB', min: 1, max: 1, run: addDb },
  { name: 'ovsdb-server/remove-db', usage: 'DB', min: 1, max: 1, run: removeDb },
  {
    name: 'ovsdb-server/list-remotes',
    usage: '',
    min: 0,
    max: 0,
    run: (server) => lines(server.remotes.list()),
  },
  { name: 'ovsdb-server/add-remote', usage: 'REMOTE', min: 1, max: 1, run: addRemote },
  { name: 'ovsdb-server/remove-remote', usage: 'REMOTE', min: 1, max: 1, run: removeRemote },
  { name: 'ovsdb-server/get-db-storage-status', usage: 'DB', min: 1, max: 1, run: storageStatus },
  { name: 'ovsdb-server/sync-status', usage: '', min: 0, max: 0, run: () => 'state: active\n' },
  { name: 'memory/show', usage: '', min: 0, max: 0, run: memoryShow },
];

/** Registers the commands. */
export function registerControlCommands(unixctl: UnixctlServer, server: OvsdbServer): void {
  for (const { name, usage, min, max, run } of COMMANDS) {
    unixctl.register(name, usage, min, max, (args) => run(server, args));
  }
}

function lines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('');
}

function compact(server: OvsdbServer, args: string[]): string {
  const [name] = args;
  if (name !== undefined && server.database(name) === undefined) throw new Error('no database by that name');
  const failures: string[] = [];
  for (const candidate of name === undefined ? server.databaseNames() : [name]) {
    try {
      server.database(candidate)!.file?.compact();
    } catch (error) {
      failures.push(`${candidate}: ${(error as Error).message}`);
    }
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return '';
}

function reconnect(server: OvsdbServer): string {
  for (const remote of server.remotes.remotes.values()) remote.reconnect('user request to reconnect');
  return '';
}

function addDb(server: OvsdbServer, args: string[]): string {
  server.addDatabase(args[0]!);
  return '';
}

function removeDb(server: OvsdbServer, args: string[]): string {
  if (server.database(args[0]!) === undefined) throw new Error('Failed to find the database.');
  if (!server.removeDatabase(args[0]!)) throw new Error('Cannot remove reserved database.');
  return '';
}

async function addRemote(server: OvsdbServer, args: string[]): Promise<string> {
  await server.remotes.add(args[0]!);
  return '';
}

async function removeRemote(server: OvsdbServer, args: string[]): Promise<string> {
  if (!(await server.remotes.remove(args[0]!))) throw new Error('no such remote');
  return '';
}

function storageStatus(server: OvsdbServer, args: string[]): string {
  if (server.database(args[0]!) === undefined) throw new Error('no such database');
  return 'status: ok\n';
}

function memoryShow(server: OvsdbServer): string {
  let atoms = 0;
  let cells = 0;
  let pending = 0;
  for (const name of server.databaseNames()) {
    const hosted = server.database(name)!;
    const usage = hosted.database.usage();
    atoms += usage.atoms;
    cells += usage.cells;
    pending += hosted.pendingCount;
  }
  let monitors = 0;
  let backlog = 0;
  for (const session of server.sessions) {
    monitors += session.monitorCount;
    backlog += session.rpc.backlog;
  }
  const counts = [`atoms:${atoms}`, `cells:${cells}`, `monitors:${monitors}`];
  if (backlog > 0) counts.splice(1, 0, `backlog:${backlog}`);
  if (server.sessions.size > 0) counts.push(`sessions:${server.sessions.size}`);
  if (pending > 0) counts.push(`triggers:${pending}`);
  return `${counts.join(' ')}\n`;
}
