/**
 * The remotes in use: those named as they are, and those that a database column names (`db:DB,TABLE,COLUMN`), which
 * follow the database.
 */
import type { Clock } from '@ovs-node/common/clock';
import type { Row } from 'ovsdb-client/data/row';
import type { ColumnSchema } from 'ovsdb-client/schema';
import type { HostedDatabase } from './database/hosted.js';
import type { Table } from './database/table.js';
import { type NewSession, Remote, type RemoteOptions, defaultRemoteOptions } from './remotes.js';

/** Where remotes find databases. */
export interface DatabaseFinder {
  database(name: string): HostedDatabase | undefined;
}

interface DatabaseRemote {
  readonly hosted: HostedDatabase;
  readonly table: Table;
  readonly column: ColumnSchema;
}

export class RemoteSet {
  readonly #finder: DatabaseFinder;
  readonly #clock: Clock;
  readonly #newSession: NewSession;
  /** As given by options and commands. */
  readonly #configured = new Set<string>();
  readonly #remotes = new Map<string, Remote>();
  readonly #watched = new Map<HostedDatabase, () => void>();
  #closed = false;

  constructor(finder: DatabaseFinder, clock: Clock, newSession: NewSession) {
    this.#finder = finder;
    this.#clock = clock;
    this.#newSession = newSession;
  }

  /** Adds a remote. Throws an `Error` with the peer's line when a `db:` name leads nowhere. */
  async add(name: string): Promise<void> {
    if (name.startsWith('db:')) this.#resolve(name);
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

  #resolve(name: string): DatabaseRemote {
    const parts = name.slice('db:'.length).split(',');
    if (parts.length !== 3) throw new Error(`"${name}": invalid syntax`);
    const [databaseName, tableName, columnName] = parts as [string, string, string];
    const hosted = this.#finder.database(databaseName);
    if (hosted === undefined) throw new Error(`"${name}": no database named ${databaseName}`);
    const table = hosted.database.tables.get(tableName);
    if (table === undefined) throw new Error(`"${name}": no table named ${tableName}`);
    const column = table.schema.columnByName.get(columnName);
    if (column === undefined)
      throw new Error(`"${name}": table "${tableName}" has no column "${columnName}"`);
    const { key, value } = column.type;
    const isTarget = key.type === 'string' || (key.type === 'uuid' && key.refTable !== undefined);
    if (!isTarget || value !== undefined) {
      throw new Error(`"${name}": type of table "${tableName}" column "${columnName}" is not string or UUID`);
    }
    return { hosted, table, column };
  }

  /** The remotes there should be now. */
  #wanted(): Map<string, RemoteOptions> {
    const wanted = new Map<string, RemoteOptions>();
    const sources = new Set<HostedDatabase>();
    for (const name of this.#configured) {
      if (!name.startsWith('db:')) {
        wanted.set(name, defaultRemoteOptions(name));
        continue;
      }
      let source: DatabaseRemote;
      try {
        source = this.#resolve(name);
      } catch {
        // The database was removed: the remote rests until it is back.
        continue;
      }
      sources.add(source.hosted);
      for (const [target, options] of databaseTargets(source)) {
        if (!wanted.has(target)) wanted.set(target, options);
      }
    }
    this.#watch(sources);
    return wanted;
  }

  #watch(sources: ReadonlySet<HostedDatabase>): void {
    for (const [hosted, stop] of this.#watched) {
      if (sources.has(hosted)) continue;
      stop();
      this.#watched.delete(hosted);
    }
    for (const hosted of sources) {
      if (this.#watched.has(hosted)) continue;
      let scheduled = false;
      const stop = hosted.database.onCommit(() => {
        if (scheduled) return;
        scheduled = true;
        setImmediate(() => {
          scheduled = false;
          this.refresh();
        });
      });
      this.#watched.set(hosted, stop);
    }
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
        present.options = options;
        continue;
      }
      const remote = new Remote(name, options, this.#clock, this.#newSession);
      this.#remotes.set(name, remote);
      await remote.start();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#configured.clear();
    await this.#apply();
  }
}

/** Targets with their options: strings of the column, or the rows it refers to. */
function* databaseTargets({ hosted, table, column }: DatabaseRemote): Generator<[string, RemoteOptions]> {
  for (const slot of table.slots.values()) {
    for (const atom of slot.row!.cells[column.index]!.keys) {
      if (column.type.key.type === 'string') {
        if (atom !== '') yield [atom as string, defaultRemoteOptions(atom as string)];
        continue;
      }
      const target = hosted.database.tables.get(column.type.key.refTable!)!;
      const row = target.get(atom as string);
      if (row !== undefined) yield* rowTarget(target, row);
    }
  }
}

function* rowTarget(table: Table, row: Row): Generator<[string, RemoteOptions]> {
  const read = (name: string): unknown => {
    const column = table.schema.columnByName.get(name);
    return column === undefined ? undefined : row.cells[column.index]!.keys[0];
  };
  const target = read('target');
  if (typeof target !== 'string' || target === '') return;
  const defaults = defaultRemoteOptions(target);
  const backoff = read('max_backoff');
  const probe = read('inactivity_probe');
  yield [
    target,
    {
      maxBackoffMs: typeof backoff === 'number' ? Math.max(1000, backoff) : defaults.maxBackoffMs,
      probeMs: typeof probe === 'number' ? Math.max(0, probe) : defaults.probeMs,
      readOnly: read('read_only') === true,
    },
  ];
}
