/** Keeps the indexes of changed tables and finds rows with equal values, with undo. */
import { formatDatum } from 'ovsdb-client/data/datum-text';
import type { Atom } from 'ovsdb-client/data/atom';
import { constraintError } from 'ovsdb-client/data/error';
import type { Row } from 'ovsdb-client/data/row';
import type { Slot, TableIndex } from '../database/table.js';
import type { Change } from './transaction.js';

interface Undo {
  readonly index: TableIndex;
  readonly key: Atom;
  readonly slot: Slot | undefined;
}

export class IndexUpdate {
  readonly #changes: readonly Change[];
  readonly #undo: Undo[] = [];

  constructor(changes: readonly Change[]) {
    this.#changes = changes;
  }

  /** Takes out all old keys, then puts in all new ones. Throws `constraint violation` when one is taken. */
  run(): void {
    for (const { slot, old } of this.#changes) {
      if (old === undefined || old === slot.row) continue;
      for (const index of slot.table.indexes) this.#set(index, index.key(old), undefined);
    }
    for (const { slot, old } of this.#changes) {
      const row = slot.row;
      if (row === undefined || row === old) continue;
      for (const index of slot.table.indexes) {
        const key = index.key(row);
        const other = index.slots.get(key);
        if (other !== undefined && other !== slot) throw this.#duplicate(index, slot, other);
        this.#set(index, key, slot);
      }
    }
  }

  #set(index: TableIndex, key: Atom, slot: Slot | undefined): void {
    this.#undo.push({ index, key, slot: index.slots.get(key) });
    if (slot === undefined) index.slots.delete(key);
    else index.slots.set(key, slot);
  }

  /** Puts the indexes back. */
  undo(): void {
    for (let i = this.#undo.length - 1; i >= 0; i--) {
      const { index, key, slot } = this.#undo[i]!;
      if (slot === undefined) index.slots.delete(key);
      else index.slots.set(key, slot);
    }
  }

  #duplicate(index: TableIndex, first: Slot, second: Slot): Error {
    const names = index.columns.map((column) => `"${column.name}"`);
    const last = names.pop()!;
    const list = names.length === 0 ? last : `${names.join(', ')} and ${last}`;
    const noun = index.columns.length === 1 ? 'column' : 'columns';
    return constraintError(
      `Transaction causes multiple rows in "${first.table.schema.name}" table to have identical values ` +
        `(${indexText(index, first.row!)}) for index on ${noun} ${list}.  ` +
        `First row, with UUID ${first.uuid}, ${this.#history(index, first)}  ` +
        `Second row, with UUID ${second.uuid}, ${this.#history(index, second)}`,
    );
  }

  #history(index: TableIndex, slot: Slot): string {
    const change = this.#changes.find((candidate) => candidate.slot === slot);
    if (change === undefined || change.old === slot.row) {
      return 'existed in the database before this transaction and was not modified by the transaction.';
    }
    if (change.old === undefined) return 'was inserted by this transaction.';
    return `had the following index values before the transaction: ${indexText(index, change.old)}.`;
  }
}

function indexText(index: TableIndex, row: Row): string {
  return index.columns.map((column) => formatDatum(column.type, row.cells[column.index]!)).join(', ');
}
