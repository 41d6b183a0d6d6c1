/**
 * Referential integrity of a transaction: strong reference counts, garbage collection, weak references; with undo.
 *
 * Counts are kept per slot across transactions. A transaction takes off what its old rows referred to and adds
 * what its new rows refer to, then deletes rows of non-root tables that nothing refers to, which takes off more,
 * until no row is left to delete. Rows that refer to each other in a circle keep each other, as in the peer; a row that refers to itself does not.
 */
import { type Datum, datumOfSorted } from 'ovsdb-client/data/datum';
import type { Atom } from 'ovsdb-client/data/atom';
import { ERROR_TAGS, OvsdbError, constraintError } from 'ovsdb-client/data/error';
import { ZERO_UUID } from 'ovsdb-client/data/uuid';
import type { Row } from 'ovsdb-client/data/row';
import type { RefColumn, Slot, Table } from '../database/table.js';
import type { Transaction } from './transaction.js';

export class ReferenceUpdate {
  readonly #transaction: Transaction;
  readonly #tables: ReadonlyMap<string, Table>;
  /** The row whose references each changed slot has in the counts now. */
  readonly #counted = new Map<Slot, Row | undefined>();
  readonly #garbage: Slot[] = [];
  /** Weak edges added and taken away, for undo. */
  readonly #edges: { target: Slot; source: Slot; added: boolean }[] = [];
  readonly #adjusted: { slot: Slot; by: number }[] = [];
  #next = 0;

  constructor(transaction: Transaction) {
    this.#transaction = transaction;
    this.#tables = transaction.database.tables;
  }

  /** Brings the counts up to date, collects garbage, finds rows deleted in spite of references. */
  run(): void {
    this.#settle();
    for (const { slot } of this.#transaction.changes) {
      if (slot.row === undefined && slot.refs > 0) {
        throw new OvsdbError(
          ERROR_TAGS.referential,
          `cannot delete ${slot.table.schema.name} row ${slot.uuid} because of ${slot.refs} remaining reference(s)`,
        );
      }
    }
  }

  /** Counts every change not counted yet and collects garbage until nothing changes any more. */
  #settle(): void {
    const { changes } = this.#transaction;
    const start = this.#next;
    for (; this.#next < changes.length; this.#next++) {
      const { slot, old } = changes[this.#next]!;
      this.#count(slot, old, slot.row);
    }
    for (let i = start; i < changes.length; i++) this.#suspect(changes[i]!.slot);
    for (let slot = this.#garbage.pop(); slot !== undefined; slot = this.#garbage.pop()) {
      if (slot.row === undefined || slot.refs > 0) continue;
      const row = slot.row;
      this.#transaction.delete(slot);
      const counted = this.#counted.has(slot) ? this.#counted.get(slot) : row;
      this.#count(slot, counted, undefined);
      // A row that was not among the changes before is counted already.
      this.#next = changes.length;
    }
  }

  #suspect(slot: Slot): void {
    if (slot.refs === 0 && slot.row !== undefined && !slot.table.schema.isRoot) this.#garbage.push(slot);
  }

  #count(slot: Slot, from: Row | undefined, to: Row | undefined): void {
    if (slot.table.strongColumns.length === 0) return;
    this.#counted.set(slot, to);
    for (const ref of slot.table.strongColumns) {
      const { index } = ref.column;
      const old = from?.cells[index];
      const now = to?.cells[index];
      if (old === now) continue;
      if (now !== undefined) this.#adjust(slot, ref, now, 1);
      if (old !== undefined) this.#adjust(slot, ref, old, -1);
    }
  }

  #adjust(source: Slot, ref: RefColumn, datum: Datum, by: number): void {
    if (ref.keyTable !== undefined) this.#adjustAtoms(source, ref, ref.keyTable, datum.keys, by);
    if (ref.valueTable !== undefined) this.#adjustAtoms(source, ref, ref.valueTable, datum.values, by);
  }

  #adjustAtoms(source: Slot, ref: RefColumn, tableName: string, atoms: readonly Atom[], by: number): void {
    const target = this.#tables.get(tableName)!;
    for (const atom of atoms) {
      // A row does not keep itself alive.
      if (atom === source.uuid) continue;
      // A row deleted by this transaction is not in its table any more, but its count decides whether it may go.
      const slot = target.slots.get(atom as string) ?? this.#transaction.deletedSlot(target, atom as string);
      if (slot === undefined) {
        if (by < 0) continue;
        throw new OvsdbError(
          ERROR_TAGS.referential,
          `Table ${source.table.schema.name} column ${ref.column.name} row ${source.uuid} references ` +
            `nonexistent row ${atom as string} in table ${tableName}.`,
        );
      }
      slot.refs += by;
      this.#adjusted.push({ slot, by });
      if (by < 0) this.#suspect(slot);
    }
  }

  /**
   * Keeps the weak edges and takes weak references to rows that do not exist out of changed rows and out of the
   * rows that referred to deleted ones. Throws `constraint violation` where that empties a column that must not be
   * empty.
   */
  removeDanglingWeak(): void {
    const { changes } = this.#transaction;
    for (let i = 0; i < changes.length; i++) {
      const { slot, old } = changes[i]!;
      if (slot.row === undefined && slot.weakSources !== undefined) {
        for (const source of slot.weakSources) if (source.row !== undefined) this.#prune(source, undefined);
      } else if (slot.row !== undefined && slot.table.weakColumns.length > 0) this.#prune(slot, old);
    }
    // Map entries that went may have held strong references.
    this.#next = this.#next < changes.length ? this.#next : changes.length;
    this.#recountPruned();
    for (const { slot, old } of changes) this.#updateEdges(slot, old, slot.row);
  }

  readonly #pruned: Slot[] = [];

  /** Takes dangling references out of the columns that differ from `known` (of all columns without it). */
  #prune(slot: Slot, known: Row | undefined): void {
    const row = slot.row!;
    let cells: Datum[] | undefined;
    for (const ref of slot.table.weakColumns) {
      const old = row.cells[ref.column.index]!;
      if (old === known?.cells[ref.column.index]) continue;
      const now = this.#withoutDangling(ref, old);
      if (now === old) continue;
      const { min } = ref.column.type;
      if (now.keys.length < min) throw this.#emptied(slot, ref, old);
      cells ??= row.cells.slice();
      cells[ref.column.index] = now;
    }
    if (cells === undefined) return;
    this.#transaction.update(slot, cells);
    if (slot.table.strongColumns.length > 0) this.#pruned.push(slot);
  }

  #withoutDangling(ref: RefColumn, datum: Datum): Datum {
    const keyTable = ref.keyTable === undefined ? undefined : this.#tables.get(ref.keyTable);
    const valueTable = ref.valueTable === undefined ? undefined : this.#tables.get(ref.valueTable);
    const lives = (i: number): boolean =>
      (keyTable === undefined || keyTable.slots.has(datum.keys[i] as string)) &&
      (valueTable === undefined || valueTable.slots.has(datum.values[i] as string));
    let all = true;
    for (let i = 0; i < datum.keys.length && all; i++) all = lives(i);
    if (all) return datum;
    return datumOfSorted(
      datum.keys.filter((_, i) => lives(i)),
      datum.values.filter((_, i) => lives(i)),
    );
  }

  #emptied(slot: Slot, ref: RefColumn, old: Datum): OvsdbError {
    const change = this.#transaction.changes.find((candidate) => candidate.slot === slot);
    const when =
      change === undefined || change.old !== undefined ? '' : ' (inserted within this transaction)';
    const zero = old.keys.includes(ZERO_UUID) || old.values.includes(ZERO_UUID);
    const why = zero
      ? 'contained all-zeros UUID (probably as the default value for this column) but deleting this value caused ' +
        'a constraint volation because this column is not allowed to be empty.'
      : 'referred to a row that does not exist any more, and this column is not allowed to be empty.';
    return constraintError(
      `Weak reference column "${ref.column.name}" in "${slot.table.schema.name}" row ${slot.uuid}${when} ${why}`,
    );
  }

  #recountPruned(): void {
    if (this.#pruned.length === 0) return;
    for (const slot of this.#pruned.splice(0)) {
      const { changes } = this.#transaction;
      const counted = this.#counted.has(slot)
        ? this.#counted.get(slot)
        : changes.find((candidate) => candidate.slot === slot)!.old;
      this.#count(slot, counted, slot.row);
    }
    this.#next = this.#transaction.changes.length;
    this.#settle();
    this.removeDanglingWeak();
  }

  #updateEdges(source: Slot, old: Row | undefined, now: Row | undefined): void {
    let changed = false;
    for (const ref of source.table.weakColumns) {
      const before = old?.cells[ref.column.index];
      const after = now?.cells[ref.column.index];
      if (before === after) continue;
      changed = true;
      if (before !== undefined) this.#eachTarget(ref, before, (target) => this.#edge(target, source, false));
    }
    if (!changed) return;
    for (const ref of source.table.weakColumns) {
      // Added after all removals: another column may refer to the same row.
      const after = now?.cells[ref.column.index];
      if (after !== undefined) this.#eachTarget(ref, after, (target) => this.#edge(target, source, true));
    }
  }

  #eachTarget(ref: RefColumn, datum: Datum, visit: (target: Slot) => void): void {
    for (const [name, atoms] of [
      [ref.keyTable, datum.keys],
      [ref.valueTable, datum.values],
    ] as const) {
      if (name === undefined) continue;
      const { slots } = this.#tables.get(name)!;
      for (const atom of atoms) {
        const target = slots.get(atom as string);
        if (target !== undefined) visit(target);
      }
    }
  }

  #edge(target: Slot, source: Slot, add: boolean): void {
    if (add) {
      target.weakSources ??= new Set();
      if (target.weakSources.has(source)) return;
      target.weakSources.add(source);
    } else if (target.weakSources?.delete(source) !== true) return;
    this.#edges.push({ target, source, added: add });
  }

  /** Puts counts and weak edges back. */
  undo(): void {
    for (const { slot, by } of this.#adjusted) slot.refs -= by;
    for (let i = this.#edges.length - 1; i >= 0; i--) {
      const { target, source, added } = this.#edges[i]!;
      if (added) target.weakSources?.delete(source);
      else {
        target.weakSources ??= new Set();
        target.weakSources.add(source);
      }
    }
  }
}
