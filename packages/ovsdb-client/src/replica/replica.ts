/**
 * A live replica of (part of) an OVSDB database: the IDL of Open vSwitch's words.
 *
 *     connect ──► get_schema ──► monitor_cond_since ──► [monitor_cond ──► [monitor]] ──► live
 *        ▲                                                                                │
 *        └───────────────────────── back-off ◄──────────── connection lost ◄──────────────┘
 *
 * After a reconnect the replica asks for what changed since the last transaction it saw; a server that cannot tell
 * sends everything, and the replica then tells its user the difference between the old contents and the new, so that
 * a listener never sees anything but deltas. Contents stay readable while the connection is down.
 *
 * Columns that the server's schema does not have are not monitored; where the user gave the schema that it was
 * written for (`options.schema`), typed rows show them with their defaults, so an older server needs no special care.
 */
import type { Clock } from '@ovs-node/common/clock';
import { KeptSession } from '@ovs-node/common/jsonrpc/kept-session';
import type { JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { vlog } from '@ovs-node/common/vlog';
import { OvsdbError } from '../data/error.js';
import { isJsonObject, type Json, isJsonArray } from '../data/json.js';
import type { DatabaseDelta, Row } from '../data/row.js';
import { ZERO_UUID } from '../data/uuid.js';
import { type DatabaseSchema, schemaEquals, schemaFromJson } from '../schema.js';
import { type CallOptions, limited } from './call.js';
import { type Condition, conditionToJson } from './conditions.js';
import { SESSION_JSON, splitRemotes } from './connect.js';
import { type MonitorMethod, asOvsdbError, difference, subscription } from './reply.js';
import { typedRow } from './typed.js';
import { type ReplicaTables, applyUpdates, applyUpdates2, convertTables, emptyTables } from './updates.js';

const log = vlog('ovsdb_idl');

/** Which columns of which tables to follow; `'*'` for all of a table. */
export type TableSelection = Readonly<Record<string, '*' | readonly string[]>>;

export interface ReplicaOptions<Rows extends RowTypes = RowTypes> {
  /**
   * Where the server is: `unix:FILE`, `tcp:HOST:PORT`, `ssl:HOST:PORT`, or several, comma-separated, tried in turn; or
   * where it connects to: `ptcp:PORT`, `pssl:PORT`, `punix:FILE`.
   */
  readonly remote: string;
  readonly database: string;
  /** Absent: every table. Tables the server does not have are passed over. */
  readonly tables?: TableSelection;
  /** Which rows of tables to follow; all where a table is not named. `setCondition` changes it later. */
  readonly conditions?: { readonly [T in keyof Rows & string]?: Condition<Rows[T]> };
  /** Closes the replica when it is aborted. */
  readonly signal?: AbortSignal;
  /** The schema that the user was written for; columns of it that the server lacks read as their defaults. */
  readonly schema?: DatabaseSchema;
  /** A lock of the server's to ask for (RFC 7047, section 4.1.8); transactions go through only while it is held. */
  readonly lock?: string;
  readonly clock?: Clock;
  /** Gives up at the first failure to connect, for tools; daemons go on trying. */
  readonly retry?: boolean;
  /** Longest wait between two attempts, in ms. */
  readonly maxBackoffMs?: number;
  /** An idle connection is probed by `echo` after this many ms; 0: never. By default 5 s, and never on Unix sockets. */
  readonly probeIntervalMs?: number;
}

/** What a row type must be for typed access: table name to the natural form of its rows. */
export type RowTypes = { readonly [table: string]: object };

/** A change of one row. */
export type RowChange<R> =
  | { readonly kind: 'insert'; readonly uuid: string; readonly old: undefined; readonly new: R }
  | { readonly kind: 'modify'; readonly uuid: string; readonly old: R; readonly new: R }
  | { readonly kind: 'delete'; readonly uuid: string; readonly old: R; readonly new: undefined };

/** `waiting`: another client has it. `none`: none is wanted, or there is no connection. */
export type LockState = 'none' | 'waiting' | 'held';

export type ReplicaState = 'connecting' | 'monitoring' | 'live' | 'closed';

export class Replica<Rows extends RowTypes = RowTypes> {
  readonly options: ReplicaOptions<Rows>;
  /** Grows with every change and with every (re)connection that brought contents. */
  changeNumber = 0;
  #state: ReplicaState = 'connecting';
  #schema: DatabaseSchema | undefined;
  #tables: ReplicaTables = new Map();
  #lastId = ZERO_UUID;
  #held: { method: string; params: unknown[] }[] | undefined;
  #lastError: Error | undefined;
  readonly #link: KeptSession;
  readonly #conditions = new Map<string, Condition>();
  #method: MonitorMethod | undefined;
  readonly #changeListeners = new Set<(delta: DatabaseDelta) => void>();
  #lock: LockState = 'none';
  readonly #lockListeners = new Set<(lock: LockState) => void>();
  readonly #stateListeners = new Set<(state: ReplicaState, error?: Error) => void>();

  constructor(options: ReplicaOptions<Rows>) {
    this.options = options;
    this.#link = new KeptSession({
      remotes: splitRemotes(options.remote),
      ...(options.clock ? { clock: options.clock } : {}),
      ...(options.retry === undefined ? {} : { retry: options.retry }),
      times: {
        ...(options.maxBackoffMs === undefined ? {} : { maxBackoff: options.maxBackoffMs }),
        ...(options.probeIntervalMs === undefined ? {} : { probeInterval: options.probeIntervalMs }),
      },
      session: SESSION_JSON,
      onConnecting: () => this.#setState('connecting'),
      onOpen: (session) => void this.#opened(session),
      onLost: (error, isFinal) => {
        this.#setLock('none');
        this.#setState(isFinal ? 'closed' : 'connecting', error);
      },
    });
    for (const [table, condition] of Object.entries(options.conditions ?? {}))
      this.#conditions.set(table, condition as Condition);
    options.signal?.addEventListener('abort', () => this.#aborted(), { once: true });
    if (options.signal?.aborted === true) this.#aborted();
  }

  get state(): ReplicaState {
    return this.#state;
  }
  /** Whether the lock of the options is ours. */
  get lock(): LockState {
    return this.#lock;
  }
  /** The server's schema, from the first connection on. */
  get schema(): DatabaseSchema | undefined {
    return this.#schema;
  }

  /** Begins to connect; once. */
  start(): void {
    if (this.#state !== 'closed') this.#link.start();
  }

  #aborted(): void {
    this.#setState('closed', this.options.signal?.reason as Error);
    this.close();
  }

  /** Ends everything; the contents stay readable. */
  close(): void {
    this.#setState('closed');
    this.#link.close();
  }

  /**
   * Resolves when the contents are there; rejects when a connection failed and `retry` is false, when closed, and when
   * the options say that it has taken too long.
   */
  ready(options: CallOptions = {}): Promise<void> {
    if (this.#state === 'live') return Promise.resolve();
    if (this.#state === 'closed') return Promise.reject(this.#closedError());
    let off = (): void => undefined;
    const live = new Promise<void>((resolve, reject) => {
      off = this.onState((state, error) => {
        if (state === 'live') resolve();
        else if (state === 'closed') reject(error ?? this.#closedError());
        else return;
        off();
      });
    });
    return limited(live, options, () => off());
  }

  #closedError(): Error {
    return this.#lastError ?? new OvsdbError('canceled', 'replica closed');
  }

  /** Calls `listener` after each change, with the replica already changed. Gives the function that takes it off. */
  onChange(listener: (delta: DatabaseDelta) => void): () => void {
    this.#changeListeners.add(listener);
    return () => this.#changeListeners.delete(listener);
  }

  /** Calls `listener` when the lock comes or goes. Gives the function that takes it off. */
  onLock(listener: (lock: LockState) => void): () => void {
    this.#lockListeners.add(listener);
    return () => this.#lockListeners.delete(listener);
  }

  onState(listener: (state: ReplicaState, error?: Error) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  /** The raw rows of a table; empty when the server has no such table. */
  table(name: string): ReadonlyMap<string, Row> {
    return this.#tables.get(name) ?? NO_ROWS;
  }

  /** The typed rows of a table, in the order in which they came. */
  *rows<T extends keyof Rows & string>(name: T): Generator<Rows[T]> {
    for (const row of this.table(name).values()) yield this.#typed(name, row)!;
  }

  /** One typed row by its UUID. */
  row<T extends keyof Rows & string>(name: T, uuid: string | undefined): Rows[T] | undefined {
    const row = uuid === undefined ? undefined : this.table(name).get(uuid);
    return row === undefined ? undefined : this.#typed(name, row);
  }

  #typed<T extends keyof Rows & string>(name: T, row: Row): Rows[T] | undefined {
    const table = this.#schema?.tables.get(name);
    if (table === undefined) return undefined;
    return typedRow(table, row, this.options.schema?.tables.get(name)) as Rows[T];
  }

  /** Calls `listener` with each row of a table that changes, as typed rows. Gives the function that takes it off. */
  onRow<T extends keyof Rows & string>(name: T, listener: (change: RowChange<Rows[T]>) => void): () => void {
    const typed = (row: Row | undefined): Rows[T] | undefined =>
      row === undefined ? undefined : this.#typed(name, row);
    return this.onChange((delta) => {
      for (const change of delta.get(name)?.rows.values() ?? []) {
        const { kind, uuid } = change;
        listener({ kind, uuid, old: typed(change.old), new: typed(change.new) } as RowChange<Rows[T]>);
      }
    });
  }

  /**
   * Any method of the server. Rejects with `OvsdbError` when it answers with an error, `OvsError` when it is gone. A
   * transaction that is given up is cancelled, as far as it still waits; it may have been carried out.
   */
  async request(method: string, params: Json[], options: CallOptions = {}): Promise<Json> {
    const { session } = this.#link;
    if (session === undefined) throw new OvsdbError('canceled', 'not connected');
    options.signal?.throwIfAborted();
    const { id, result } = session.requestWithId(method, params);
    try {
      return (await limited(result, options, () => {
        if (method === 'transact') session.notify('cancel', [id]);
      })) as Json;
    } catch (error) {
      throw asOvsdbError(error);
    }
  }

  /**
   * Follows other rows of a table from now on. Resolves when the replica holds them, after telling `onChange` of the
   * difference; while there is no connection, when there is one again. Rejects with OvsdbError `not supported` where
   * the server knows no conditions, and where a column or value does not fit.
   */
  async setCondition<T extends keyof Rows & string>(name: T, condition: Condition<Rows[T]>): Promise<void> {
    if (this.#state === 'monitoring') await this.ready();
    const table = this.#schema?.tables.get(name);
    const where = table === undefined ? undefined : conditionToJson(table, condition as Condition);
    this.#conditions.set(name, condition as Condition);
    if (this.#state !== 'live') {
      this.#lastId = ZERO_UUID;
      return this.ready();
    }
    if (this.#method === 'monitor') throw noConditions();
    if (where === undefined) return;
    const id = this.#monitorId;
    try {
      await this.request('monitor_cond_change', [id, id, { [name]: [{ where }] }]);
      // What the change brings may come behind the reply, but not behind the next one.
      await this.request('echo', []);
    } catch (error) {
      // Which rows the server holds for us is not known any more: all come anew.
      this.#lastId = ZERO_UUID;
      throw error;
    }
  }

  get #monitorId(): Json {
    return [MONITOR_ID, this.options.database];
  }

  #setState(state: ReplicaState, error?: Error): void {
    if (this.#state === 'closed') return;
    this.#state = state;
    this.#lastError = error;
    for (const listener of this.#stateListeners) callSafely(() => listener(state, error));
  }

  async #opened(session: JsonRpcSession): Promise<void> {
    // Updates may overtake the reply that starts the monitor: they are kept until it has been applied.
    this.#held = [];
    session.onNotification((method, params) => this.#notified(method, params));
    this.#setState('monitoring');
    try {
      await this.#monitor();
    } catch (error) {
      session.close(error as Error);
      return;
    }
    // A listener may have closed the replica, or the connection is gone again.
    if (this.#link.session !== session) return;
    this.#setState('live');
    await this.#takeLock().catch((error: Error) => session.close(error));
  }

  async #takeLock(): Promise<void> {
    const { lock } = this.options;
    if (lock === undefined) return;
    const reply = await this.request('lock', [lock]);
    // Word that it is ours may have overtaken the reply that it is not.
    if (this.#lock === 'none')
      this.#setLock(isJsonObject(reply) && reply['locked'] === true ? 'held' : 'waiting');
  }

  #setLock(lock: LockState): void {
    if (this.#lock === lock) return;
    this.#lock = lock;
    for (const listener of this.#lockListeners) callSafely(() => listener(lock));
  }

  async #monitor(): Promise<void> {
    const schema = schemaFromJson(await this.request('get_schema', [this.options.database]));
    if (this.#schema !== undefined) this.#adopt(schema);
    const isFirst = this.#schema === undefined;
    const { method, reply } = await this.#subscribe(schema);
    this.#method = method;
    const { found, lastId, contents } = subscription(method, reply);
    let delta: DatabaseDelta;
    if (found) {
      // The server knew our last transaction: the reply holds what came after it.
      delta = applyUpdates2(schema, this.#tables, contents);
    } else {
      const fresh = emptyTables(schema);
      (method === 'monitor' ? applyUpdates : applyUpdates2)(schema, fresh, contents);
      delta = difference(schema, isFirst ? emptyTables(schema) : this.#tables, fresh);
      this.#tables = fresh;
    }
    this.#schema = schema;
    this.#lastId = lastId;
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#tell(delta, true);
    for (const { method: name, params } of held) this.#notified(name, params);
  }

  /** After a reconnect to a server whose schema is another now: what is held takes the new schema's form. */
  #adopt(schema: DatabaseSchema): void {
    const old = this.#schema as DatabaseSchema;
    if (schemaEquals(old, schema)) return;
    this.#tables = convertTables(old, schema, this.#tables);
    this.#schema = schema;
    this.#lastId = ZERO_UUID;
  }

  #monitorRequests(schema: DatabaseSchema, method: MonitorMethod): Record<string, Json> {
    const requests: Record<string, Json> = {};
    for (const table of schema.tables.values()) {
      const wanted = this.options.tables === undefined ? '*' : this.options.tables[table.name];
      if (wanted === undefined) continue;
      const columns =
        wanted === '*'
          ? [...table.columnByName.keys()]
          : wanted.filter((name) => table.columnByName.has(name));
      const condition = this.#conditions.get(table.name);
      if (condition !== undefined && method === 'monitor') throw noConditions();
      const where = condition === undefined ? {} : { where: conditionToJson(table, condition) };
      requests[table.name] = [{ columns, ...where }];
    }
    return requests;
  }

  /** Subscribes by the best method that the server has. */
  async #subscribe(schema: DatabaseSchema): Promise<{ method: MonitorMethod; reply: Json }> {
    const { database } = this.options;
    for (const method of ['monitor_cond_since', 'monitor_cond', 'monitor'] as const) {
      const base: Json[] = [database, this.#monitorId, this.#monitorRequests(schema, method)];
      const known = this.#schema === undefined ? ZERO_UUID : this.#lastId;
      try {
        return {
          method,
          reply: await this.request(method, method === 'monitor_cond_since' ? [...base, known] : base),
        };
      } catch (error) {
        if (!(error instanceof OvsdbError) || error.tag !== 'unknown method' || method === 'monitor')
          throw error;
      }
    }
    throw new OvsdbError('unknown method', 'monitor');
  }

  #notified(method: string, params: unknown[]): void {
    if (method === 'locked' || method === 'stolen') {
      if (params[0] === this.options.lock) this.#setLock(method === 'locked' ? 'held' : 'waiting');
      return;
    }
    if (this.#held !== undefined) {
      this.#held.push({ method, params });
      return;
    }
    const [id, second, third] = params as Json[];
    if (!isJsonArray(id) || id[0] !== MONITOR_ID || this.#schema === undefined) return;
    let delta: DatabaseDelta;
    try {
      if (method === 'update3') {
        if (typeof second !== 'string') throw new OvsdbError('syntax error', 'last-txn-id is not a string');
        delta = applyUpdates2(this.#schema, this.#tables, third ?? null);
        this.#lastId = second;
      } else if (method === 'update2') delta = applyUpdates2(this.#schema, this.#tables, second ?? null);
      else if (method === 'update') delta = applyUpdates(this.#schema, this.#tables, second ?? null);
      else return;
    } catch (error) {
      // What we hold no longer follows the server: begin again with everything.
      log.warn(`${this.options.remote}: bad ${method} (${(error as Error).message}), reconnecting`);
      this.#lastId = ZERO_UUID;
      this.#link.session?.close(error as Error);
      return;
    }
    this.#tell(delta);
  }

  #tell(delta: DatabaseDelta, always = false): void {
    if (delta.size === 0 && !always) return;
    this.changeNumber++;
    for (const listener of this.#changeListeners) callSafely(() => listener(delta));
  }
}

function noConditions(): OvsdbError {
  return new OvsdbError('not supported', 'the server knows no conditions (monitor_cond)');
}

const MONITOR_ID = 'monid';
const NO_ROWS: ReadonlyMap<string, Row> = new Map();

/** A listener's failure is its own: the replica and the other listeners go on. */
function callSafely(listener: () => void): void {
  try {
    listener();
  } catch (error) {
    log.err(`listener failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
