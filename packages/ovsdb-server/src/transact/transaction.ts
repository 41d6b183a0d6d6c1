/**
 * A transaction on a database: changes in place, checks at the end, and an exact undo.
 *
 * Operations change slots directly; `changes` keeps the row each slot had before. `commit` runs the checks of RFC
 * 7047 section 4.1.3 in this order: reference counts and garbage collection, deleted rows still referred to, row
 * limits, weak references, unchanged rows dropped, indexes, new versions; then the commit is made to last and told
 * to the listeners. Any error puts everything back and is thrown. Cost: proportional to the rows changed and their
 * references, never to the size of the database.
 */
import { type Datum, datumEquals } from 'ovsdb-client/data/datum';
import type { DatabaseDelta, Row, RowDelta } from 'ovsdb-client/data/row';
import { newUuid } from 'ovsdb-client/data/uuid';
import type { Database } from '../database/database.js';
import type { Slot, Table } from '../database/table.js';
import { IndexUpdate } from './indexes.js';
import { ReferenceUpdate } from './references.js';
import { checkRowLimits } from './limits.js';

/** A slot and the row it had before the transaction. */
export interface Change {
  readonly slot: Slot;
  readonly old: Row | undefined;
}

export class Transaction {
  readonly database: Database;
  readonly #serial: number;
  /** In the order of first change. */
  readonly changes: Change[] = [];
  #references: ReferenceUpdate | undefined;
  #indexes: IndexUpdate | undefined;
  #open = true;
  #deleted: Map<string, Slot> | undefined;
  /** Comments of the operations, joined by newlines in the log. */
  readonly comments: string[] = [];

  constructor(database: Database) {
    this.database = database;
    this.#serial = ++database.serial;
  }

  #remember(slot: Slot): void {
    if (slot.changedBy === this.#serial || slot.changedBy === -this.#serial) return;
    slot.changedBy = slot.row === undefined ? -this.#serial : this.#serial;
    this.changes.push({ slot, old: slot.row });
  }

  /** The slot of a row that existed before and that this transaction has deleted. */
  deletedSlot(table: Table, uuid: string): Slot | undefined {
    return this.#deleted?.get(`${table.schema.name} ${uuid}`);
  }

  /**
   * Adds a row; the array of cells belongs to it from now on. The UUID must not exist in the table. `version` is
   * given where the row is one of another server, which has named it.
   */
  insert(table: Table, uuid: string, cells: readonly Datum[], version: string = newUuid()): Slot {
    const slot: Slot = { uuid, table, row: undefined, refs: 0, weakSources: undefined, changedBy: 0 };
    this.#remember(slot);
    slot.row = { uuid, version, cells };
    table.slots.set(uuid, slot);
    return slot;
  }

  /** Replaces the cells of a row; without a `version` the commit makes one. */
  update(slot: Slot, cells: readonly Datum[], version: string = slot.row!.version): void {
    this.#remember(slot);
    slot.row = { uuid: slot.uuid, version, cells };
  }

  /** Deletes a row. */
  delete(slot: Slot): void {
    this.#remember(slot);
    if (slot.changedBy === this.#serial) {
      this.#deleted ??= new Map();
      this.#deleted.set(`${slot.table.schema.name} ${slot.uuid}`, slot);
    }
    slot.table.slots.delete(slot.uuid);
    slot.row = undefined;
  }

  /**
   * Checks and commits. Throws `OvsdbError` after undoing everything. `silent` skips listeners and storage (used
   * while a file is loaded). Gives the delta, empty when nothing changed.
   */
  commit(silent = false): DatabaseDelta {
    try {
      this.#references = new ReferenceUpdate(this);
      this.#references.run();
      checkRowLimits(this.changes);
      this.#references.removeDanglingWeak();
      const delta = this.#delta();
      this.#indexes = new IndexUpdate(this.changes);
      this.#indexes.run();
      if (!silent && delta.size > 0) {
        const comment = this.comments.length === 0 ? undefined : this.comments.join('\n');
        this.database.persist?.(delta, { comment });
      }
      this.#close();
      if (!silent && delta.size > 0) this.database.notifyCommit(delta);
      return delta;
    } catch (error) {
      if (this.#open) this.abort();
      throw error;
    }
  }

  /** The delta of what really changed; modified rows get their new version here. */
  #delta(): DatabaseDelta {
    const delta: DatabaseDelta = new Map();
    for (const { slot, old } of this.changes) {
      const rowDelta = this.#rowDelta(slot, old);
      if (rowDelta === undefined) continue;
      const table = slot.table.schema;
      let tableDelta = delta.get(table.name);
      if (tableDelta === undefined) {
        tableDelta = { table, rows: new Map() };
        delta.set(table.name, tableDelta);
      }
      tableDelta.rows.set(slot.uuid, rowDelta);
    }
    return delta;
  }

  #rowDelta(slot: Slot, old: Row | undefined): RowDelta | undefined {
    const now = slot.row;
    const { uuid } = slot;
    if (old === undefined) return now === undefined ? undefined : { kind: 'insert', uuid, old, new: now };
    if (now === undefined) return { kind: 'delete', uuid, old, new: now };
    if (now === old) return undefined;
    if (sameCells(old.cells, now.cells)) {
      slot.row = old;
      return undefined;
    }
    const version = now.version === old.version ? newUuid() : now.version;
    const versioned: Row = { uuid, version, cells: now.cells };
    slot.row = versioned;
    return { kind: 'modify', uuid, old, new: versioned };
  }

  #close(): void {
    this.#open = false;
    for (const { slot } of this.changes) slot.changedBy = 0;
  }

  /** Undoes everything. Does nothing after a commit or another abort. */
  abort(): void {
    if (!this.#open) return;
    this.#indexes?.undo();
    for (let i = this.changes.length - 1; i >= 0; i--) {
      const { slot, old } = this.changes[i]!;
      const { slots } = slot.table;
      if (old === undefined) slots.delete(slot.uuid);
      else if (slot.row === undefined) slots.set(slot.uuid, slot);
      slot.row = old;
    }
    this.#references?.undo();
    this.#close();
  }
}

function sameCells(a: readonly Datum[], b: readonly Datum[]): boolean {
  for (let i = 0; i < a.length; i++) if (!datumEquals(a[i]!, b[i]!)) return false;
  return true;
}
