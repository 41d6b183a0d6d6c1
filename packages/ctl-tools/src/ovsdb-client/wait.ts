/** `ovsdb-client wait`: until a database is there, connected to its cluster, or gone, as database `_Server` tells. */
import { FatalError } from '@ovs-node/common/errors';
import { Replica } from 'ovsdb-client/replica/replica';
import { changedSince } from 'ovsdb-client/transaction';
import type { ServerContext } from './types.js';

interface DatabaseRow {
  readonly name: string;
  readonly connected: boolean;
}

const STATES: Readonly<Record<string, (row: DatabaseRow | undefined) => boolean>> = {
  added: (row) => row !== undefined,
  connected: (row) => row?.connected === true,
  removed: (row) => row === undefined,
};

export async function waitFor({ server, args }: ServerContext): Promise<void> {
  const [name, state] = args as [string, string];
  const reached = Object.hasOwn(STATES, state) ? STATES[state] : undefined;
  if (reached === undefined) throw new FatalError(`${state}: unknown state`);
  const replica = new Replica<{ Database: DatabaseRow }>({
    remote: server,
    database: '_Server',
    tables: { Database: ['name', 'connected'] },
  });
  replica.start();
  try {
    await replica.ready();
    for (;;) {
      const seen = replica.changeNumber;
      if (reached([...replica.rows('Database')].find((row) => row.name === name))) return;
      await changedSince(replica, seen);
    }
  } finally {
    replica.close();
  }
}
