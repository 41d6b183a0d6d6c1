/**
 * One client: the methods of RFC 7047 section 4.1 and of ovsdb-server(7), one row each.
 */
import type { Duplex } from 'node:stream';
import { JsonRpcError, JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { peerCommonName } from '@ovs-node/common/stream';
import { isId } from 'ovsdb-client/data/atom';
import { ERROR_TAGS, OvsdbError, syntaxError } from 'ovsdb-client/data/error';
import { type Json, canonicalJson, parseJson, stringifyJson } from 'ovsdb-client/data/json';
import type { DatabaseDelta } from 'ovsdb-client/data/row';
import { ZERO_UUID, parseUuid } from 'ovsdb-client/data/uuid';
import { schemaToJson } from 'ovsdb-client/schema';
import type { HostedDatabase, Requester } from '../database/hosted.js';
import { Monitor } from '../monitor/monitor.js';
import { type MonitorVersion, specFromJson, specKey } from '../monitor/spec.js';
import { composeInitial, composeUpdates } from '../monitor/updates.js';
import type { Identity } from '../transact/access.js';
import type { LockHolder, LockTable } from './locks.js';
import { RawJson, stringifyMessage } from './raw-json.js';

/** What sessions need of their server. */
export interface SessionHost {
  readonly serverId: string;
  readonly locks: LockTable;
  /** No client may change anything. */
  readonly readOnly: boolean;
  /** Whether clients may have monitor_cond and what builds on it. */
  readonly monitorCond: boolean;
  database(name: string): HostedDatabase | undefined;
  /** Is there a database of this name that has only not come yet? */
  hasDatabase(name: string): boolean;
  databaseNames(): readonly string[];
  /** Replaces a database's schema (the `convert` method). Throws `OvsdbError`. */
  convert(hosted: HostedDatabase, schema: Json): void;
}

export interface SessionOptions {
  /** Name of the connection in logs: "unix#3". */
  readonly name: string;
  /** What its remote says of its clients now. */
  readonly settings: () => ClientSettings;
}

/** What a remote allows its clients. */
export interface ClientSettings {
  readonly readOnly: boolean;
  /** "": no role, which is no restriction. */
  readonly role: string;
}

type Method = (session: DatabaseSession, params: readonly Json[], id: unknown) => unknown;

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['transact', (session, params, id) => session.transact(params, id)],
  ['list_dbs', (session) => [...session.host.databaseNames()]],
  ['get_schema', (session, params) => session.getSchema(params)],
  ['monitor', (session, params) => session.monitor(params, 1)],
  ['monitor_cond', (session, params) => session.monitor(params, 2)],
  ['monitor_cond_since', (session, params) => session.monitor(params, 3)],
  ['monitor_cond_change', (session, params) => session.monitorCondChange(params)],
  ['monitor_cancel', (session, params) => session.monitorCancel(params)],
  ['lock', (session, params) => session.lock(params, 'lock')],
  ['steal', (session, params) => session.lock(params, 'steal')],
  ['unlock', (session, params) => session.unlock(params)],
  ['get_server_id', (session) => session.host.serverId],
  ['set_db_change_aware', (session, params) => session.setDbChangeAware(params)],
  ['convert', (session, params) => session.convert(params)],
]);

/** Above this many unsent bytes, monitors keep updates back. */
const BACKLOG_LIMIT = 64 * 1024;
/** Above this many unsent bytes, requests are not read any more. */
const READING_LIMIT = 4 * 1024 * 1024;

/** Sessions that gather what they send: one callback serves all. */
let gathering: DatabaseSession[] = [];

function sendGathered(): void {
  const sessions = gathering;
  gathering = [];
  for (const session of sessions) session.uncork();
}

export class DatabaseSession implements Requester, LockHolder {
  readonly host: SessionHost;
  readonly rpc: JsonRpcSession;
  readonly #settings: () => ClientSettings;
  /** The common name of its certificate. */
  readonly #clientId: string | undefined;
  /** Keeps its connection when databases come and go. */
  dbChangeAware = false;
  readonly #stream: Duplex;
  #corked = false;
  /** By the JSON text of their ids. */
  readonly #monitors = new Map<string, Monitor>();
  readonly #watched = new Map<HostedDatabase, () => void>();
  readonly #locks = new Set<string>();
  /** Transactions that wait, by the JSON text of their request's id. */
  readonly #waiting = new Map<string, { cancel: () => void }>();

  constructor(host: SessionHost, stream: Duplex, options: SessionOptions) {
    this.host = host;
    this.#stream = stream;
    this.#settings = options.settings;
    this.#clientId = peerCommonName(stream);
    this.rpc = new JsonRpcSession(stream, {
      name: options.name,
      parse: parseJson,
      stringify: stringifyMessage,
      pauseAbove: READING_LIMIT,
    });
    this.rpc.onRequest((method, params, id) => this.#request(method, params as Json[], id));
    this.rpc.onNotification((method, params) => {
      if (method === 'cancel') this.#cancel(params as Json[]);
    });
    this.rpc.onClose(() => this.#closed());
    stream.on('drain', () => this.#flush());
  }

  get readOnly(): boolean {
    return this.host.readOnly || this.#settings().readOnly;
  }

  get identity(): Identity | undefined {
    const { role } = this.#settings();
    return role === '' ? undefined : { role, clientId: this.#clientId };
  }

  #request(name: string, params: readonly Json[], id: unknown): unknown {
    this.#gather();
    const method = METHODS.get(name);
    if (method === undefined || (name.startsWith('monitor_cond') && !this.host.monitorCond))
      throw new JsonRpcError('unknown method');
    try {
      return method(this, params, id);
    } catch (error) {
      throw error instanceof OvsdbError ? new JsonRpcError(error.toJson()) : error;
    }
  }

  /** Sends everything of this turn of the event loop in one write: a call per reply costs more than the reply. */
  #gather(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    if (gathering.push(this) === 1) setImmediate(sendGathered);
  }

  /** Sends what was gathered. */
  uncork(): void {
    this.#corked = false;
    this.#stream.uncork();
  }

  #databaseOf(method: string, params: readonly Json[]): HostedDatabase {
    const name = params[0];
    if (typeof name !== 'string') {
      throw syntaxError(params, `${method} request params must begin with <db-name>`);
    }
    const hosted = this.host.database(name);
    if (hosted === undefined && this.host.hasDatabase(name)) {
      throw new OvsdbError(
        ERROR_TAGS.notAvailable,
        `${method} request specifies database ${name} which is not yet available because it has not completed ` +
          'joining its cluster',
      );
    }
    if (hosted === undefined) {
      throw syntaxError(
        params,
        `${method} request specifies unknown database ${name}`,
        ERROR_TAGS.unknownDatabase,
      );
    }
    return hosted;
  }

  transact(params: readonly Json[], id: unknown): unknown {
    const hosted = this.#databaseOf('transact', params);
    const submitted = hosted.submit(params.slice(1), this);
    const { results } = submitted;
    // The client hears of its own change before it gets the reply.
    this.#flush();
    if (!(results instanceof Promise)) return results;
    const key = stringifyJson(id as Json);
    return new Promise((resolve, reject) => {
      this.#waiting.set(key, {
        cancel: () => {
          if (submitted.cancel()) reject(new JsonRpcError(ERROR_TAGS.canceled));
        },
      });
      results.then(resolve, reject).finally(() => this.#waiting.delete(key));
    });
  }

  #cancel(params: readonly Json[]): void {
    const key = stringifyJson(params[0] ?? null);
    this.#waiting.get(key)?.cancel();
    this.#waiting.delete(key);
  }

  getSchema(params: readonly Json[]): Json {
    return schemaToJson(this.#databaseOf('get_schema', params).database.schema);
  }

  monitor(params: readonly Json[], version: MonitorVersion): unknown {
    const method = version === 1 ? 'monitor' : version === 2 ? 'monitor_cond' : 'monitor_cond_since';
    const hosted = this.#databaseOf(method, params);
    const expected = version === 3 ? 4 : 3;
    if (params.length !== expected) throw syntaxError(params, 'invalid parameters');
    const [, id, requests] = params;
    if (version === 3) {
      if (typeof params[3] !== 'string') throw syntaxError(params[3], 'last-txn-id must be string');
      if (parseUuid(params[3]) === undefined)
        throw syntaxError(params[3], 'last-txn-id must be UUID format.');
    }
    const key = stringifyJson(id!);
    if (this.#monitors.has(key)) throw syntaxError(id, 'duplicate monitor ID');
    const { database } = hosted;
    const spec = specFromJson(database, requests, version);
    const shared = specKey(version, requests!);
    const notify = (name: string, args: unknown[]): void => this.rpc.notify(name, args);
    this.#monitors.set(key, new Monitor(database, version, id!, spec, shared, notify));
    this.#watch(hosted);
    if (version !== 3) return RawJson.of(composeInitial(spec, version, database));
    const { history } = database;
    // The zero UUID is what a client says that knows nothing.
    const missed = params[3] === ZERO_UUID ? undefined : history.since(params[3] as string);
    if (missed === undefined)
      return [false, history.lastId, RawJson.of(composeInitial(spec, version, database))];
    return [true, history.lastId, RawJson.of(composeUpdates(spec, version, missed) ?? {})];
  }

  #watch(hosted: HostedDatabase): void {
    if (this.#watched.has(hosted)) return;
    this.#watched.set(
      hosted,
      hosted.database.onCommit((delta) => this.#committed(hosted, delta)),
    );
  }

  #committed(hosted: HostedDatabase, delta: DatabaseDelta): void {
    if (this.#monitors.size > 0) this.#gather();
    const later = this.rpc.backlog > BACKLOG_LIMIT;
    for (const monitor of this.#monitors.values()) {
      if (monitor.database === hosted.database) monitor.commit(delta, later);
    }
  }

  /** Tells what monitors kept back. */
  #flush(): void {
    for (const monitor of this.#monitors.values()) monitor.flush();
  }

  monitorCondChange(params: readonly Json[]): Json {
    if (params.length !== 3) throw syntaxError(params, 'invalid parameters');
    const [oldId, newId, requests] = params;
    const oldKey = stringifyJson(oldId!);
    const monitor = this.#monitors.get(oldKey);
    if (monitor === undefined) throw syntaxError(oldId, 'unknown monitor session');
    const newKey = stringifyJson(newId!);
    if (newKey !== oldKey && this.#monitors.has(newKey)) throw syntaxError(newId, 'duplicate monitor ID');
    monitor.changeConditions(newId!, requests, canonicalJson(requests!));
    this.#monitors.delete(oldKey);
    this.#monitors.set(newKey, monitor);
    return {};
  }

  monitorCancel(params: readonly Json[]): Json {
    if (params.length !== 1) throw new JsonRpcError('invalid parameters');
    if (!this.#monitors.delete(stringifyJson(params[0]!))) throw new JsonRpcError('unknown monitor');
    return {};
  }

  #lockName(params: readonly Json[], method: string): string {
    if (this.readOnly) throw new JsonRpcError('lock and unlock methods not allowed, DB server is read only.');
    const [name] = params;
    if (params.length !== 1 || typeof name !== 'string' || !isId(name)) {
      throw syntaxError(params, `${method} request params must be <id>`);
    }
    return name;
  }

  lock(params: readonly Json[], method: 'lock' | 'steal'): Json {
    const name = this.#lockName(params, method);
    if (this.#locks.has(name)) throw syntaxError(params, `must issue "unlock" before new "${method}"`);
    this.#locks.add(name);
    return { locked: this.host.locks.acquire(name, this, method === 'steal') };
  }

  unlock(params: readonly Json[]): Json {
    const name = this.#lockName(params, 'unlock');
    if (!this.#locks.delete(name)) throw syntaxError(params, 'unlock: "unlock" without "lock" or "steal"');
    this.host.locks.release(name, this);
    return {};
  }

  notifyLock(method: 'locked' | 'stolen', name: string): void {
    this.rpc.notify(method, [name]);
  }

  holdsLock(name: string): boolean {
    return this.host.locks.holds(name, this);
  }

  /** Names of locks it owns, waits for, has lost: for the status of a Manager row. */
  lockStatus(): { held: string[]; waiting: string[] } {
    const held: string[] = [];
    const waiting: string[] = [];
    for (const name of this.#locks) (this.holdsLock(name) ? held : waiting).push(name);
    return { held, waiting };
  }

  setDbChangeAware(params: readonly Json[]): Json {
    if (params.length !== 1 || typeof params[0] !== 'boolean') {
      throw syntaxError(params, 'set_db_change_aware: true or false parameter expected');
    }
    this.dbChangeAware = params[0];
    return {};
  }

  convert(params: readonly Json[]): Json {
    const hosted = this.#databaseOf('convert', params);
    if (params.length !== 2) throw syntaxError(params, 'array expected');
    this.host.convert(hosted, params[1]!);
    return {};
  }

  /** A database is going away: its monitors end. Tells whether there were any. */
  databaseRemoved(hosted: HostedDatabase): boolean {
    const watched = this.#watched.get(hosted);
    if (watched === undefined) return false;
    watched();
    this.#watched.delete(hosted);
    for (const [key, monitor] of this.#monitors) {
      if (monitor.database !== hosted.database) continue;
      this.#monitors.delete(key);
      if (this.dbChangeAware) this.rpc.notify('monitor_canceled', [monitor.id]);
    }
    return true;
  }

  /** Number of monitors, for memory/show. */
  get monitorCount(): number {
    return this.#monitors.size;
  }

  #closed(): void {
    for (const stop of this.#watched.values()) stop();
    this.#watched.clear();
    this.#monitors.clear();
    for (const name of this.#locks) this.host.locks.release(name, this);
    this.#locks.clear();
    for (const waiting of this.#waiting.values()) waiting.cancel();
    this.#waiting.clear();
  }
}
