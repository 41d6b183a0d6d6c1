/**
 * Rows as plain typed values: what a program reads of a replica.
 *
 * A typed row is made from the row's cells at first use and kept with the (immutable) row, so reading a column costs
 * a property access. The forms of values are those of data/native.ts; a reference is the UUID of the row it names.
 */
import { defaultDatum } from '../data/datum.js';
import { type NativeValue, datumToNative } from '../data/native.js';
import type { Row } from '../data/row.js';
import type { TableSchema } from '../schema.js';

const made = new WeakMap<Row, object>();

/**
 * The row as a typed value; the same frozen object as long as the row does not change. Columns of `definition` that
 * `table` lacks have their defaults.
 */
export function typedRow(table: TableSchema, row: Row, definition?: TableSchema): object {
  let typed = made.get(row);
  if (typed === undefined) {
    const fields: Record<string, NativeValue> = { _uuid: row.uuid };
    for (const column of definition?.columns ?? [])
      if (!table.columnByName.has(column.name))
        fields[column.name] = datumToNative(column.type, defaultDatum(column.type));
    for (const column of table.columns)
      fields[column.name] = datumToNative(column.type, row.cells[column.index]!);
    typed = Object.freeze(fields);
    made.set(row, typed);
  }
  return typed;
}
