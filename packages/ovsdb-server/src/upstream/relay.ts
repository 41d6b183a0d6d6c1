/**
 * The relay model (ovsdb(7), "Relay Service Model"): a database in memory that follows another server's, serves
 * reading clients and monitors itself, and hands transactions that change anything to its source.
 *
 *     monitor_cond _Server ─► schema of the database ─► monitor_cond_since ─► update3 …
 *
 * The source's `_Server` tells when the schema changes or the database goes; the database is then made anew. After a
 * lost connection the relay asks for what it missed since the last transaction it knows, and goes on serving what it
 * has: it counts as connected for half a minute more.
 */
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { JsonRpcError, JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { vlog } from '@ovs-node/common/vlog';
import { ERROR_TAGS } from 'ovsdb-client/data/error';
import { type Json, parseJson } from 'ovsdb-client/data/json';
import { ZERO_UUID } from 'ovsdb-client/data/uuid';
import { SESSION_JSON } from 'ovsdb-client/replica/connect';
import { type ReplicaTables, applyUpdates2, emptyTables } from 'ovsdb-client/replica/updates';
import { schemaFromJson } from 'ovsdb-client/schema';
import { Database } from '../database/database.js';
import { serverSchema } from '../server-schema.js';
import { ActiveConnection } from './active-connection.js';
import { Follower } from './follow.js';

const log = vlog('relay');

/** A relay stays connected in the eyes of its clients for this long after its source was lost. */
const GRACE_MS = 30_000;
const SERVER = '_Server';

/** What a relay tells its server. */
export interface RelayHost {
  /** There is a (new) database; it holds the source's rows already. */
  relayDatabase(relay: Relay, database: Database): void;
  /** `connected` has changed. */
  relayChanged(relay: Relay): void;
}

interface Forwarded {
  readonly operations: readonly Json[];
  readonly resolve: (results: Json[]) => void;
  readonly reject: (error: unknown) => void;
  /** Its request, once it was sent. */
  sent: boolean;
}

export class Relay {
  readonly name: string;
  readonly #host: RelayHost;
  readonly #clock: Clock;
  readonly #connection: ActiveConnection;
  #database: Database | undefined;
  #follower: Follower | undefined;
  #schemaText: string | undefined;
  #lastId = ZERO_UUID;
  #earlyId: string | undefined;
  #serverRows: ReplicaTables = emptyTables(serverSchema());
  #connected = false;
  #grace: Timer | undefined;
  /** The monitor of the data is answered: transactions may go. */
  #ready = false;
  readonly #forwarded = new Set<Forwarded>();

  constructor(name: string, sources: readonly string[], clock: Clock, host: RelayHost) {
    this.name = name;
    this.#host = host;
    this.#clock = clock;
    this.#connection = new ActiveConnection(sources, clock, {
      open: (stream, address) => {
        const session = new JsonRpcSession(stream, { name: address, ...SESSION_JSON });
        session.onNotification((method, params) => this.#notified(session, method, params as Json[]));
        this.#guard(session, this.#begin(session));
        return session;
      },
      closed: () => this.#lost(),
    });
  }

  /** Are the rows those of the source, or were until a moment ago? */
  get connected(): boolean {
    return this.#connected;
  }

  /** Something went wrong on this connection: another one may do better. */
  #guard(session: JsonRpcSession, work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (session.closed) return;
      log.warn(`${session.name}: ${errorMessage(error)}, reconnecting`);
      session.close(error instanceof Error ? error : new Error(String(error)));
    });
  }

  async #begin(session: JsonRpcSession): Promise<void> {
    await session.request('set_db_change_aware', [true]);
    const columns = ['name', 'model', 'connected', 'leader', 'schema'];
    const rows = await session.request('monitor_cond', [SERVER, SERVER, { Database: [{ columns }] }]);
    this.#serverRows = emptyTables(serverSchema());
    applyUpdates2(serverSchema(), this.#serverRows, rows as Json);
    await this.#synchronize(session);
  }

  /** The schema the source has for the database now. */
  #sourceSchema(): string | undefined {
    const table = serverSchema().tables.get('Database')!;
    const read = (cells: readonly { keys: readonly unknown[] }[], name: string): unknown =>
      cells[table.columnByName.get(name)!.index]!.keys[0];
    for (const { cells } of this.#serverRows.get('Database')!.values()) {
      if (read(cells, 'name') !== this.name || read(cells, 'connected') !== true) continue;
      return read(cells, 'schema') as string | undefined;
    }
    return undefined;
  }

  async #synchronize(session: JsonRpcSession): Promise<void> {
    this.#ready = false;
    const text = this.#sourceSchema();
    if (text === undefined) {
      log.warn(`${session.name}: database ${this.name} is not available`);
      return;
    }
    const isNew = text !== this.#schemaText;
    const database = isNew ? new Database(schemaFromJson(parseJson(text))) : this.#database!;
    if (isNew) this.#follower = new Follower(database, 2);
    const follower = this.#follower!;
    follower.hold();
    const tables = [...database.schema.tables.keys()];
    const requests = Object.fromEntries(tables.map((name): [string, Json] => [name, [{}]]));
    const since = isNew ? ZERO_UUID : this.#lastId;
    // Identifiers of updates that come before the reply is applied are later than the reply's.
    this.#earlyId = undefined;
    const reply = await session.request('monitor_cond_since', [this.name, this.name, requests, since]);
    const [found, lastId, updates] = reply as [boolean, string, Json];
    if (found) follower.resume(updates);
    else follower.reset(updates);
    if (isNew) {
      this.#database = database;
      this.#schemaText = text;
      this.#host.relayDatabase(this, database);
    }
    this.#lastId = this.#earlyId ?? lastId;
    this.#ready = true;
    this.#grace?.cancel();
    this.#setConnected(true);
    for (const each of this.#forwarded) this.#send(each);
  }

  #notified(session: JsonRpcSession, method: string, params: readonly Json[]): void {
    try {
      const [monitor] = params;
      if (method === 'update3' && monitor === this.name) {
        this.#follower?.update(params[2]!);
        if (this.#ready) this.#lastId = params[1] as string;
        else this.#earlyId = params[1] as string;
      } else if (method === 'update2' && monitor === SERVER) {
        applyUpdates2(serverSchema(), this.#serverRows, params[1]!);
        const text = this.#sourceSchema();
        if (this.#ready && text === this.#schemaText) return;
        if (text === undefined) this.#unavailable();
        else this.#guard(session, this.#synchronize(session));
      } else if (method === 'monitor_canceled' && monitor === this.name) this.#ready = false;
    } catch (error) {
      this.#guard(session, Promise.reject(error as Error));
    }
  }

  #unavailable(): void {
    this.#ready = false;
    this.#setConnected(false);
  }

  #lost(): void {
    this.#ready = false;
    // What was sent may or may not have been done: only who asked can tell.
    for (const each of this.#forwarded) {
      if (!each.sent) continue;
      this.#forwarded.delete(each);
      each.reject(new JsonRpcError(ERROR_TAGS.canceled));
    }
    if (!this.#connected) return;
    this.#grace?.cancel();
    this.#grace = this.#clock.setTimer(GRACE_MS, () => this.#setConnected(false), true);
  }

  #setConnected(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    this.#host.relayChanged(this);
  }

  /** Hands a transaction to the source; it waits for a connection. `cancel` rejects it with "canceled". */
  forward(operations: readonly Json[]): { results: Promise<Json[]>; cancel: () => boolean } {
    let forwarded: Forwarded;
    const results = new Promise<Json[]>((resolve, reject) => {
      forwarded = { operations, resolve, reject, sent: false };
    });
    this.#forwarded.add(forwarded!);
    if (this.#ready) this.#send(forwarded!);
    return { results, cancel: () => this.#forwarded.delete(forwarded!) };
  }

  #send(forwarded: Forwarded): void {
    const session = this.#connection.session;
    if (session === undefined || forwarded.sent) return;
    forwarded.sent = true;
    session.request('transact', [this.name, ...forwarded.operations]).then(
      (results) => {
        this.#forwarded.delete(forwarded);
        forwarded.resolve(results as Json[]);
      },
      (error: unknown) => {
        if (!this.#forwarded.delete(forwarded)) return;
        forwarded.reject(error instanceof JsonRpcError ? error : new JsonRpcError(ERROR_TAGS.canceled));
      },
    );
  }

  /** Transactions that wait for their source. */
  get pendingCount(): number {
    return this.#forwarded.size;
  }

  close(): void {
    this.#grace?.cancel();
    this.#connection.close();
    for (const each of this.#forwarded) each.reject(new JsonRpcError(ERROR_TAGS.canceled));
    this.#forwarded.clear();
  }
}

/** The parts of `relay:DB:REMOTE[,REMOTE]…`; undefined for another text. */
export function parseRelay(text: string): { name: string; sources: string[] } | undefined {
  const match = /^relay:([^:]+):(.+)$/.exec(text);
  if (match === null) return undefined;
  return { name: match[1]!, sources: match[2]!.split(',') };
}
