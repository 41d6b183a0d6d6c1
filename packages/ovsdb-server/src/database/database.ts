/**
 * A database in memory: its schema, its tables, and who wants to know of commits. Where it is stored is not its
 * affair: `persist` is called with each commit's delta before anyone hears of it.
 */
import type { DatabaseDelta } from 'ovsdb-client/data/row';
import { ZERO_UUID } from 'ovsdb-client/data/uuid';
import type { DatabaseSchema } from 'ovsdb-client/schema';
import { History } from './history.js';
import { Table } from './table.js';

/** What a commit tells besides its delta. */
export interface CommitInfo {
  readonly comment: string | undefined;
}

/** Makes a commit last. Throws `OvsdbError` when it cannot; the commit is then undone. */
export type Persist = (delta: DatabaseDelta, info: CommitInfo) => void;

export type CommitListener = (delta: DatabaseDelta) => void;

export class Database {
  readonly schema: DatabaseSchema;
  readonly tables: ReadonlyMap<string, Table>;
  /** Undefined: changes live in memory only. */
  persist: Persist | undefined;
  /** Waits until all commits so far are durable; undefined when there is no storage. */
  sync: (() => Promise<void>) | undefined;
  /** Grows with each transaction; slots remember who changed them. */
  serial = 0;
  /** The last commits, for clients that come back (monitor_cond_since). */
  readonly history = new History(ZERO_UUID);
  readonly #listeners = new Set<CommitListener>();

  constructor(schema: DatabaseSchema) {
    this.schema = schema;
    const tables = new Map<string, Table>();
    for (const table of schema.tables.values()) tables.set(table.name, new Table(table));
    this.tables = tables;
  }

  get name(): string {
    return this.schema.name;
  }

  /** Calls `listener` after each commit, with its delta, in order; gives the function that ends it. */
  onCommit(listener: CommitListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the listeners of a commit (used by transactions). */
  notifyCommit(delta: DatabaseDelta): void {
    this.history.add(delta);
    for (const listener of this.#listeners) listener(delta);
  }

  /** What the database holds, for memory/show: `_uuid` and `_version` count as cells of a row with an atom each. */
  usage(): { atoms: number; cells: number; weakReferences: number } {
    let atoms = 0;
    let cells = 0;
    let weakReferences = 0;
    for (const table of this.tables.values()) {
      cells += table.slots.size * (table.schema.columns.length + 2);
      atoms += table.slots.size * 2;
      for (const slot of table.slots.values()) {
        for (const datum of slot.row!.cells) atoms += datum.keys.length + datum.values.length;
        weakReferences += slot.weakSources?.size ?? 0;
      }
    }
    return { atoms, cells, weakReferences };
  }
}
