/**
 * The backup of an active-backup pair (ovsdb(7), "Active-Backup Database Service Model"): every database that both
 * servers have is kept equal to the active server's, but for excluded tables.
 *
 *     get_server_id ─► list_dbs ─► get_schema ─► monitor ─► update …
 *       (not ourselves)  (in common)   (equal?)    (reset)
 *
 * A lost connection is made again, and all of it begins anew. What cannot be applied, and an active server that is
 * this server, end the replication: the server is active from then on, as the peer's.
 */
import type { Clock } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { vlog } from '@ovs-node/common/vlog';
import { type Json, isJsonArray } from 'ovsdb-client/data/json';
import { SESSION_JSON } from 'ovsdb-client/replica/connect';
import { schemaFromJson } from 'ovsdb-client/schema';
import type { HostedDatabase } from '../database/hosted.js';
import { ActiveConnection } from './active-connection.js';
import { Follower } from './follow.js';
import { type ExcludedTables, formatExcluded } from './excluded-tables.js';

const log = vlog('replication');

/** What replication needs of its server. */
export interface ReplicationHost {
  readonly serverId: string;
  readonly clock: Clock;
  /** Databases in files: those that can be replicated. */
  replicable(): readonly HostedDatabase[];
  /** Replication is over for a reason that trying again does not mend. */
  replicationFailed(): void;
}

export interface ReplicationOptions {
  /** `tcp:HOST:PORT`, `unix:FILE`, `ssl:HOST:PORT`. */
  readonly source: string;
  readonly excluded: ExcludedTables;
  /** Milliseconds of silence before an echo is sent; 0: never. */
  readonly probeMs: number;
}

export class Replication {
  readonly #host: ReplicationHost;
  readonly #options: ReplicationOptions;
  readonly #connection: ActiveConnection;
  /** By the name of the database, which is also the monitor's. */
  readonly #followers = new Map<string, Follower>();
  /** Databases that are being followed, once all monitors have answered. */
  #replicating = false;
  #ended = false;

  constructor(host: ReplicationHost, options: ReplicationOptions) {
    this.#host = host;
    this.#options = options;
    this.#connection = new ActiveConnection([options.source], host.clock, {
      times: { probeInterval: options.probeMs },
      open: (stream, name) => {
        const session = new JsonRpcSession(stream, { name, ...SESSION_JSON });
        session.onNotification((method, params) => this.#notified(method, params as Json[]));
        this.#begin(session).catch((error: unknown) => {
          if (!session.closed) this.#fail(error);
        });
        return session;
      },
      closed: () => {
        this.#replicating = false;
        this.#followers.clear();
      },
    });
  }

  async #begin(session: JsonRpcSession): Promise<void> {
    if ((await session.request('get_server_id', [])) === this.#host.serverId) {
      throw new Error('Self replicating is not allowed');
    }
    const theirs = new Set((await session.request('list_dbs', [])) as string[]);
    const common = this.#host.replicable().filter(({ database }) => theirs.has(database.name));
    const followed: HostedDatabase[] = [];
    for (const hosted of common) {
      const { name, schema } = hosted.database;
      const their = schemaFromJson((await session.request('get_schema', [name])) as Json);
      if (their.version === schema.version) followed.push(hosted);
      else
        log.warn(
          `${name} database is not replicated: its schema version ${schema.version} is not ${their.version}`,
        );
    }
    if (followed.length === 0) throw new Error(`${this.#options.source} has no database of this server`);
    for (const hosted of followed) await this.#follow(session, hosted);
    this.#replicating = true;
  }

  async #follow(session: JsonRpcSession, hosted: HostedDatabase): Promise<void> {
    const { database } = hosted;
    const excluded = this.#options.excluded.get(database.name);
    const tables = [...database.schema.tables.keys()].filter((table) => excluded?.has(table) !== true);
    const requests = Object.fromEntries(tables.map((table): [string, Json] => [table, [{}]]));
    const follower = new Follower(database, 1, (table) => excluded?.has(table.name) !== true);
    this.#followers.set(database.name, follower);
    const initial = await session.request('monitor', [database.name, database.name, requests]);
    log.info('Monitor request received. Resetting the database');
    follower.reset(initial as Json);
  }

  #notified(method: string, params: readonly Json[]): void {
    if (method !== 'update') return;
    const [name, updates] = params;
    const follower = typeof name === 'string' ? this.#followers.get(name) : undefined;
    if (follower === undefined || updates === undefined || isJsonArray(updates)) return;
    try {
      follower.update(updates);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#ended) return;
    log.err(`${this.#options.source}: replication ends: ${errorMessage(error)}`);
    this.close();
    this.#host.replicationFailed();
  }

  /** Changes the probe interval from now on, ms. */
  setProbe(ms: number): void {
    this.#connection.setTimes({ probeInterval: ms });
  }

  /** The text of `sync-status`. */
  status(): string {
    const { source, excluded } = this.#options;
    if (!this.#replicating) return `state: backup\nconnecting: ${source}\n`;
    const names = [...this.#followers.keys()].join(', ');
    const except = formatExcluded(excluded);
    return `state: backup\nreplicating: ${source}\ndatabase: ${names}\n${except === '' ? '' : `exclude: ${except}\n`}`;
  }

  close(): void {
    this.#ended = true;
    this.#connection.close();
  }
}
