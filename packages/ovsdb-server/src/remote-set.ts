/**
 * The remotes in use: those named as they are, and those that a database column names (`db:DB,TABLE,COLUMN`), which
 * follow the database.
 */
import type { Clock, Timer } from '@ovs-node/common/clock';
import type { Row } from 'ovsdb-client/data/row';
import type { HostedDatabase } from './database/hosted.js';
import type { Table } from './database/table.js';
import {
  type DatabaseColumn,
  type DatabaseFinder,
  DatabaseWatch,
  findDatabaseColumn,
  isColumnName,
} from './database-column.js';
import { writeRemoteStatus } from './remote-status.js';
import { type NewSession, Remote, type RemoteOptions, defaultRemoteOptions } from './remotes.js';

/** How often Manager rows are told the state of their connections. */
const STATUS_INTERVAL_MS = 2500;

interface StatusRow {
  readonly hosted: HostedDatabase;
  readonly table: Table;
  readonly uuid: string;
  readonly target: string;
}

export class RemoteSet {
  readonly #finder: DatabaseFinder;
  readonly #clock: Clock;
  readonly #newSession: NewSession;
  /** As given by options and commands. */
  readonly #configured = new Set<string>();
  readonly #remotes = new Map<string, Remote>();
  readonly #watch = new DatabaseWatch(() => this.refresh());
  #closed = false;
  /** Rows whose `is_connected` and `status` are kept. */
  #statusRows: StatusRow[] = [];
  #statusTimer: Timer | undefined;

  constructor(finder: DatabaseFinder, clock: Clock, newSession: NewSession) {
    this.#finder = finder;
    this.#clock = clock;
    this.#newSession = newSession;
  }

  /** Adds a remote. Throws an `Error` with the peer's line when a `db:` name leads nowhere. */
  async add(name: string): Promise<void> {
    if (name.startsWith('db:')) findDatabaseColumn(this.#finder, name);
    this.#configured.add(name);
    await this.#apply();
  }

  /** Removes a remote; false when it is not there. */
  async remove(name: string): Promise<boolean> {
    if (!this.#configured.delete(name)) return false;
    await this.#apply();
    return true;
  }

  /** Names as configured, sorted. */
  list(): readonly string[] {
    return [...this.#configured].toSorted();
  }

  /** Remotes in use. */
  get remotes(): ReadonlyMap<string, Remote> {
    return this.#remotes;
  }

  /** Looks again at what the databases say. */
  refresh(): void {
    if (!this.#closed) void this.#apply();
  }

  /** The remotes there should be now. */
  #wanted(): Map<string, RemoteOptions> {
    const wanted = new Map<string, RemoteOptions>();
    const sources = new Set<HostedDatabase>();
    this.#statusRows = [];
    for (const name of this.#configured) {
      if (!isColumnName(name)) {
        wanted.set(name, defaultRemoteOptions(name));
        continue;
      }
      let source: DatabaseColumn;
      try {
        source = findDatabaseColumn(this.#finder, name);
      } catch {
        // The database was removed: the remote rests until it is back.
        continue;
      }
      sources.add(source.hosted);
      for (const { target, options, row } of databaseTargets(source)) {
        if (!wanted.has(target)) wanted.set(target, options);
        if (row !== undefined)
          this.#statusRows.push({ hosted: source.hosted, table: row.table, uuid: row.uuid, target });
      }
    }
    this.#watch.set(sources);
    return wanted;
  }

  async #apply(): Promise<void> {
    const wanted = this.#wanted();
    const closing: Promise<void>[] = [];
    for (const [name, remote] of this.#remotes) {
      if (wanted.has(name)) continue;
      this.#remotes.delete(name);
      closing.push(remote.close());
    }
    await Promise.all(closing);
    for (const [name, options] of wanted) {
      const present = this.#remotes.get(name);
      if (present !== undefined) {
        present.setOptions(options);
        continue;
      }
      const remote = new Remote(name, options, this.#clock, this.#newSession);
      this.#remotes.set(name, remote);
      await remote.start();
    }
    if (this.#statusTimer === undefined && this.#statusRows.length > 0) this.#armStatus();
  }

  #armStatus(): void {
    this.#statusTimer = this.#clock.setTimer(
      STATUS_INTERVAL_MS,
      () => {
        this.#statusTimer = undefined;
        if (this.#closed || this.#statusRows.length === 0) return;
        this.#writeStatus();
        this.#armStatus();
      },
      true,
    );
  }

  #writeStatus(): void {
    const now = this.#clock.now();
    for (const { hosted, table, uuid, target } of this.#statusRows) {
      const remote = this.#remotes.get(target);
      if (remote !== undefined) writeRemoteStatus(hosted.database, table, uuid, remote.status(), now);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#statusTimer?.cancel();
    this.#configured.clear();
    await this.#apply();
  }
}

interface DatabaseTarget {
  readonly target: string;
  readonly options: RemoteOptions;
  /** The row that describes it, when the column refers to rows. */
  readonly row: { readonly table: Table; readonly uuid: string } | undefined;
}

/** Targets with their options: strings of the column, or the rows it refers to. */
function* databaseTargets({ hosted, table, column }: DatabaseColumn): Generator<DatabaseTarget> {
  const { key, value } = column.type;
  const isTarget = key.type === 'string' || (key.type === 'uuid' && key.refTable !== undefined);
  // Another column names no remotes; the peer takes it, too.
  if (!isTarget || value !== undefined) return;
  for (const slot of table.slots.values()) {
    for (const atom of slot.row!.cells[column.index]!.keys) {
      const text = atom as string;
      if (column.type.key.type === 'string') {
        if (text !== '') yield { target: text, options: defaultRemoteOptions(text), row: undefined };
        continue;
      }
      const targets = hosted.database.tables.get(column.type.key.refTable!)!;
      const row = targets.get(text);
      const found = row === undefined ? undefined : rowTarget(targets, row);
      if (found !== undefined) yield { ...found, row: { table: targets, uuid: text } };
    }
  }
}

function rowTarget(table: Table, row: Row): { target: string; options: RemoteOptions } | undefined {
  const read = (name: string): unknown => {
    const column = table.schema.columnByName.get(name);
    return column === undefined ? undefined : row.cells[column.index]!.keys[0];
  };
  const target = read('target');
  if (typeof target !== 'string' || target === '') return undefined;
  const defaults = defaultRemoteOptions(target);
  const backoff = read('max_backoff');
  const probe = read('inactivity_probe');
  const role = read('role');
  const options = {
    maxBackoffMs: typeof backoff === 'number' ? Math.max(1000, backoff) : defaults.maxBackoffMs,
    probeMs: typeof probe === 'number' ? Math.max(0, probe) : defaults.probeMs,
    readOnly: read('read_only') === true,
    role: typeof role === 'string' ? role : '',
  };
  return { target, options };
}
