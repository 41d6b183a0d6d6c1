/**
 * Rows and deltas: the one description of change that the server's transactions and the client's replica share.
 *
 * A row is its UUID and one datum per column, in the order of its table's `columns`. Rows are immutable once
 * they are part of a database: a modification replaces the row object, so `old` and `new` of a delta, pending
 * updates of slow monitors and references held by users stay valid without copying.
 */
import { type Datum, datumEquals, defaultDatum } from './datum.js';
import type { TableSchema } from '../schema.js';

export interface Row {
  readonly uuid: string;
  /** `_version`: changes with each modification of the row. */
  readonly version: string;
  /** One datum per column, by `ColumnSchema.index`. */
  readonly cells: readonly Datum[];
}

/** The change of one row: insert (`old` absent), delete (`new` absent), modify (both). */
export type RowDelta =
  | { readonly kind: 'insert'; readonly uuid: string; readonly old: undefined; readonly new: Row }
  | { readonly kind: 'modify'; readonly uuid: string; readonly old: Row; readonly new: Row }
  | { readonly kind: 'delete'; readonly uuid: string; readonly old: Row; readonly new: undefined };

/** The change of one table: row UUID to delta. */
export interface TableDelta {
  readonly table: TableSchema;
  readonly rows: Map<string, RowDelta>;
}

/** The change of a database by one transaction or one update: table name to its change; no empty tables. */
export type DatabaseDelta = Map<string, TableDelta>;

/** The delta from `old` to `now`; undefined when both are absent or nothing differs. */
export function rowDelta(old: Row | undefined, now: Row | undefined): RowDelta | undefined {
  if (old === undefined) {
    return now === undefined ? undefined : { kind: 'insert', uuid: now.uuid, old, new: now };
  }
  if (now === undefined) return { kind: 'delete', uuid: old.uuid, old, new: now };
  return old === now ? undefined : { kind: 'modify', uuid: now.uuid, old, new: now };
}

/** One default datum per column, a fresh array. */
export function defaultCells(table: TableSchema): Datum[] {
  return table.columns.map((column) => defaultDatum(column.type));
}

/** Do two rows of a table differ in this column? */
export function cellChanged(delta: RowDelta, index: number): boolean {
  if (delta.kind !== 'modify') return true;
  return !datumEquals(delta.old.cells[index]!, delta.new.cells[index]!);
}

/** Adds one delta behind what `into` holds already for the row: insert + delete is nothing, and so on. */
export function addDelta(into: DatabaseDelta, table: TableSchema, delta: RowDelta): void {
  let tableDelta = into.get(table.name);
  if (tableDelta === undefined) {
    tableDelta = { table, rows: new Map() };
    into.set(table.name, tableDelta);
  }
  const before = tableDelta.rows.get(delta.uuid);
  const sum = before === undefined ? delta : rowDelta(before.old, delta.new);
  if (sum === undefined) {
    tableDelta.rows.delete(delta.uuid);
    if (tableDelta.rows.size === 0) into.delete(table.name);
  } else tableDelta.rows.set(delta.uuid, sum);
}
