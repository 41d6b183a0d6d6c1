/**
 * Monitors of one session, and what they still have to tell.
 *
 * A commit is told at once, as text that equal monitors share. While a session has a backlog its monitors only
 * add up deltas (insert then delete is nothing), so a client that does not read costs at most one delta of the
 * database per monitor and delays nobody; the sum is told when the backlog is gone, or before the reply to the
 * client's own transaction.
 */
import type { Json } from 'ovsdb-client/data/json';
import { type DatabaseDelta, addDelta } from 'ovsdb-client/data/row';
import type { Database } from '../database/database.js';
import { RawJson } from '../session/raw-json.js';
import { type MonitorSpec, type MonitorVersion, changedConditions } from './spec.js';
import { composeConditionChange, composeUpdates } from './updates.js';

/** Sends a notification. */
export type Notify = (method: string, params: unknown[]) => void;

const METHODS = { 1: 'update', 2: 'update2', 3: 'update3' } as const;

/** Texts of the updates of one commit by monitor key; lives as long as its delta. */
const cache = new WeakMap<DatabaseDelta, Map<string, RawJson | undefined>>();

export class Monitor {
  readonly database: Database;
  readonly version: MonitorVersion;
  readonly #notify: Notify;
  /** The client's name for the monitor: any JSON value. */
  id: Json;
  #spec: MonitorSpec;
  /** Monitors with the same key have the same updates. */
  #key: string;
  #pending: DatabaseDelta | undefined;

  constructor(
    database: Database,
    version: MonitorVersion,
    id: Json,
    spec: MonitorSpec,
    key: string,
    notify: Notify,
  ) {
    this.database = database;
    this.version = version;
    this.id = id;
    this.#spec = spec;
    this.#key = key;
    this.#notify = notify;
  }

  /** Tells of a commit, or keeps it for later. */
  commit(delta: DatabaseDelta, later: boolean): void {
    if (!later && this.#pending === undefined) {
      this.#tell(this.#updates(delta));
      return;
    }
    this.#pending ??= new Map();
    for (const [name, { table, rows }] of delta) {
      if (!this.#spec.has(name)) continue;
      for (const rowDelta of rows.values()) addDelta(this.#pending, table, rowDelta);
    }
  }

  get hasPending(): boolean {
    return this.#pending !== undefined;
  }

  /** Tells what was kept. */
  flush(): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    const updates = composeUpdates(this.#spec, this.version, pending);
    if (updates !== undefined) this.#tell(updates);
  }

  #updates(delta: DatabaseDelta): RawJson | undefined {
    let texts = cache.get(delta);
    if (texts === undefined) {
      texts = new Map();
      cache.set(delta, texts);
    }
    if (texts.has(this.#key)) return texts.get(this.#key);
    const updates = composeUpdates(this.#spec, this.version, delta);
    const text = updates === undefined ? undefined : RawJson.of(updates);
    texts.set(this.#key, text);
    return text;
  }

  #tell(updates: Json | RawJson | undefined): void {
    if (updates === undefined) return;
    const params: unknown[] =
      this.version === 3 ? [this.id, this.database.history.lastId, updates] : [this.id, updates];
    this.#notify(METHODS[this.version], params);
  }

  /** monitor_cond_change: new conditions, a new id; tells the difference. Throws `OvsdbError`. */
  changeConditions(newId: Json, requests: Json | undefined, keySuffix: string): void {
    const spec = changedConditions(this.database, this.#spec, requests);
    this.flush();
    const updates = composeConditionChange(this.#spec, spec, this.version, this.database);
    this.#spec = spec;
    this.#key = `${this.#key} ${keySuffix}`;
    this.id = newId;
    this.#tell(updates);
  }
}
