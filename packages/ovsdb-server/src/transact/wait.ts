/** Comparison of row sets for `wait`: RFC 7047 section 5.2.6. */
import type { Row } from 'ovsdb-client/data/row';
import { type ColumnSchema, rowCell } from 'ovsdb-client/schema';
import { stringifyJson } from 'ovsdb-client/data/json';

/** Are the two sets of rows, looked at in these columns only, equal? Equal rows count once. */
export function rowsEqual(a: readonly Row[], b: readonly Row[], columns: readonly ColumnSchema[]): boolean {
  const left = new Set(a.map((row) => rowKey(row, columns)));
  const right = new Set(b.map((row) => rowKey(row, columns)));
  if (left.size !== right.size) return false;
  for (const key of left) if (!right.has(key)) return false;
  return true;
}

function rowKey(row: Row, columns: readonly ColumnSchema[]): string {
  return stringifyJson(
    columns.map((column) => {
      const datum = rowCell(row, column);
      return [datum.keys, datum.values];
    }),
  );
}
