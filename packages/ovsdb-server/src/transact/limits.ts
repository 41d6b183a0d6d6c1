/** The row limits of the schema (`maxRows`). */
import { constraintError } from 'ovsdb-client/data/error';
import type { Table } from '../database/table.js';
import type { Change } from './transaction.js';

/** Throws `constraint violation` when a table that got rows has more than its limit. */
export function checkRowLimits(changes: readonly Change[]): void {
  const checked = new Set<Table>();
  for (const { slot, old } of changes) {
    const { table } = slot;
    if (old !== undefined || slot.row === undefined || checked.has(table)) continue;
    checked.add(table);
    const { name, maxRows } = table.schema;
    const n = table.slots.size;
    if (n > maxRows) {
      throw constraintError(
        `transaction causes "${name}" table to contain ${n} rows, greater than the schema-defined limit of ${maxRows} row(s)`,
      );
    }
  }
}
