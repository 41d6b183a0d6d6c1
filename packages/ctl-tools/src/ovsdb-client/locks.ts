/** `ovsdb-client lock|steal|unlock`: asks for a lock and tells what becomes of it, until the connection ends. */
import type { UnixctlServer } from '@ovs-node/common/unixctl';
import { canonicalJson, type Json } from 'ovsdb-client/data/json';
import type { ClientContext, Following } from './types.js';

/** The command for one of the lock methods of RFC 7047 section 4.1.8. */
export const lockCommand =
  (method: 'lock' | 'steal' | 'unlock') =>
  async ({ connection, args, print }: ClientContext): Promise<Following> => {
    connection.session.onNotification((name, params) => {
      if (name === 'locked' || name === 'stolen') print(`${name}\n${canonicalJson(params as Json)}\n`);
    });
    print(`${canonicalJson(await connection.request(method, [args[0] as string]))}\n`);
    return { over: connection.lost() };
  };

/** The commands by which a process in the background takes more locks on the same connection; it prints the replies. */
export function registerLockCommands(unixctl: UnixctlServer, { connection, print }: ClientContext): void {
  for (const method of ['lock', 'steal', 'unlock'] as const) {
    unixctl.register(method, 'LOCK', 1, 1, async ([name]) => {
      print(`${canonicalJson(await connection.request(method, [name as string]))}\n`);
      return '';
    });
  }
}
