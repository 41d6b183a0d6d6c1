/** The control commands of ovsdb-server(1), "RUNTIME MANAGEMENT COMMANDS", one row each. */
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { type ControlCommand, compact, lines } from './control-databases.js';
import { BACKUP_COMMANDS } from './control-backup.js';
import { logList, logSet } from './control-log.js';
import type { OvsdbServer } from './server.js';

const COMMANDS: readonly ControlCommand[] = [
  { name: 'ovsdb-server/compact', usage: '', min: 0, max: 1, run: compact },
  { name: 'ovsdb-server/memory-trim-on-compaction', usage: 'on|off', min: 1, max: 1, run: memoryTrim },
  { name: 'ovsdb-server/reconnect', usage: '', min: 0, max: 0, run: reconnect },
  {
    name: 'ovsdb-server/list-dbs',
    usage: '',
    min: 0,
    max: 0,
    run: (server) => lines(server.databaseNames()),
  },
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
  { name: 'ovsdb-server/disable-monitor-cond', usage: '', min: 0, max: 0, run: disableMonitorCond },
  { name: 'ovsdb-server/perf-counters-show', usage: '', min: 0, max: 0, run: () => NO_PERF_COUNTERS },
  { name: 'ovsdb-server/perf-counters-clear', usage: '', min: 0, max: 0, run: () => '' },
  { name: 'ovsdb-server/tlog-set', usage: 'DB:TABLE on|off', min: 2, max: 2, run: logSet },
  { name: 'ovsdb-server/tlog-list', usage: '', min: 0, max: 0, run: logList },
  ...BACKUP_COMMANDS,
];

/** What the peer says where the kernel grants it no counters; a Node process never has them. */
const NO_PERF_COUNTERS = 'performance counter is not supported on this platform\n';

/** Registers the commands. */
export function registerControlCommands(unixctl: UnixctlServer, server: OvsdbServer): void {
  for (const { name, usage, min, max, run } of COMMANDS) {
    unixctl.register(name, usage, min, max, (args) => run(server, args));
  }
}

/** Memory of a Node process goes back to the system by itself: the switch is taken and changes nothing. */
function memoryTrim(_server: OvsdbServer, [value]: string[]): string {
  if (value !== 'on' && value !== 'off') throw new Error('invalid argument');
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
  if (!server.hasDatabase(args[0]!)) throw new Error('Failed to find the database.');
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
  if (!server.hasDatabase(args[0]!)) throw new Error('Failed to find the database.');
  return 'status: ok\n';
}

function disableMonitorCond(server: OvsdbServer): string {
  server.monitorCond = false;
  reconnect(server);
  return '';
}
