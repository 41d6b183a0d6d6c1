/** `ovsdb-client lock|steal|unlock`: asks for a lock and tells what becomes of it, until the connection ends. */
import { FatalError } from '@ovs-node/common/errors';
import { canonicalJson, type Json } from 'ovsdb-client/data/json';
import type { ClientContext } from './client.js';

/** The command for one of the lock methods of RFC 7047 section 4.1.8. */
export const lockCommand =
  (method: 'lock' | 'steal' | 'unlock') =>
  async ({ connection, args, print }: ClientContext): Promise<void> => {
    connection.session.onNotification((name, params) => {
      if (name === 'locked' || name === 'stolen') print(`${name}\n${canonicalJson(params as Json)}\n`);
    });
    print(`${canonicalJson(await connection.request(method, [args[0] as string]))}\n`);
    const reason = await connection.closed();
    throw new FatalError(`${connection.server}: receive failed (${reason.message})`);
  };
