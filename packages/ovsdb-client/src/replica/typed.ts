/**
 * Rows as plain typed values: what a program reads of a replica.
 *
 * A `TypedRow` is made from the row's cells at first use and kept with the (immutable) row, so reading a column
 * costs a property access. Natural forms: a scalar is its atom; an optional scalar is the atom or `undefined`; a
 * set is a sorted array; a map is a `ReadonlyMap`; a reference is the UUID of the row it names.
 */
import type { Atom } from '../data/atom.js';
import type { Datum } from '../data/datum.js';
import type { Row } from '../data/row.js';
import { type ColumnType, isMap, isOptionalScalar, isScalar } from '../data/type.js';
import type { TableSchema } from '../schema.js';

/** A column's value in its natural form. */
export type Natural = Atom | undefined | readonly Atom[] | ReadonlyMap<Atom, Atom>;

/** The natural form of a datum of this type. */
export function naturalOf(type: ColumnType, datum: Datum): Natural {
  if (isMap(type)) return new Map(datum.keys.map((key, i) => [key, datum.values[i]!]));
  if (isScalar(type) || isOptionalScalar(type)) return datum.keys[0];
  return datum.keys;
}

const made = new WeakMap<Row, object>();

/** The row as a typed value; the same object as long as the row does not change. Frozen. */
export function typedRow(table: TableSchema, row: Row): object {
  let typed = made.get(row);
  if (typed === undefined) {
    const fields: Record<string, Natural> = { _uuid: row.uuid };
    for (const column of table.columns) fields[column.name] = naturalOf(column.type, row.cells[column.index]!);
    typed = Object.freeze(fields);
    made.set(row, typed);
  }
  return typed;
}
