/** Control commands about what databases hold: compaction and counts. */
import { vlog } from '@ovs-node/common/vlog';
import type { OvsdbServer } from './server.js';

const log = vlog('ovsdb_server');

export interface ControlCommand {
  readonly name: string;
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  /** Gives the reply; an `Error` is the error reply. */
  readonly run: (server: OvsdbServer, args: string[]) => string | Promise<string>;
}

/** One item a line. */
export function lines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('');
}

/** Compacts one database or all of them; answers when it is done. */
export async function compact(server: OvsdbServer, args: string[]): Promise<string> {
  const [name] = args;
  if (name !== undefined && server.isReserved(name)) throw new Error('cannot compact built-in databases');
  if (name !== undefined && !server.hasDatabase(name)) throw new Error('no database by that name');
  const failures: string[] = [];
  for (const candidate of name === undefined ? server.databaseNames() : [name]) {
    if (server.isReserved(candidate)) continue;
    log.info(`compacting ${candidate} database by user request`);
    try {
      await server.database(candidate)?.file?.compact();
    } catch (error) {
      failures.push(`${candidate}: ${(error as Error).message}`);
    }
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return '';
}

/** What the server holds, for memory/show and the log. */
export function reportUsage(server: OvsdbServer, add: (name: string, n: number) => void): void {
  for (const name of ['atoms', 'cells', 'monitors', 'n-weak-refs']) add(name, 0);
  for (const name of server.databaseNames()) {
    const hosted = server.database(name);
    if (hosted === undefined) continue;
    const usage = hosted.database.usage();
    add('atoms', usage.atoms);
    add('cells', usage.cells);
    add('n-weak-refs', usage.weakReferences);
    if (hosted.pendingCount > 0) add('triggers', hosted.pendingCount);
  }
  for (const session of server.sessions) {
    add('monitors', session.monitorCount);
    if (session.rpc.backlog > 0) add('backlog', session.rpc.backlog);
  }
  let sessions = server.sessions.size;
  // An active remote is a session whether its connection stands or not.
  for (const remote of server.remotes.remotes.values()) sessions += remote.isIdleActive ? 1 : 0;
  if (sessions > 0) add('sessions', sessions);
}
