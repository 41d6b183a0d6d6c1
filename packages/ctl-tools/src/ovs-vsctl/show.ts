/** `show`: the database as a tree, from the one Open_vSwitch row down. */
import { formatAtom } from 'ovsdb-client/data/atom-format';
import { type Datum, datumEquals, defaultDatum } from 'ovsdb-client/data/datum';
import { formatDatum } from 'ovsdb-client/data/datum-text';
import type { TableSelection } from 'ovsdb-client/replica/replica';
import type { VsctlContext } from './context.js';

/** What is shown of each table, in this order; a column that refers to another of these tables opens a branch. */
const SHOWN: Readonly<Record<string, { readonly name?: string; readonly columns: readonly string[] }>> = {
  Open_vSwitch: { columns: ['manager_options', 'bridges', 'ovs_version'] },
  Bridge: { name: 'name', columns: ['controller', 'fail_mode', 'datapath_type', 'ports'] },
  Port: { name: 'name', columns: ['tag', 'trunks', 'interfaces'] },
  Interface: { name: 'name', columns: ['type', 'options', 'error'] },
  Controller: { name: 'target', columns: ['is_connected'] },
  Manager: { name: 'target', columns: ['is_connected'] },
};

/** The columns that `show` needs. */
export const SHOW_TABLES: TableSelection = Object.fromEntries(
  Object.entries(SHOWN).map(([table, { name, columns }]) => [
    table,
    name === undefined ? columns : [name, ...columns],
  ]),
);

export function show(context: VsctlContext): string {
  const lines: string[] = [context.root];
  showColumns(context, 'Open_vSwitch', context.root, 1, lines);
  return lines.map((line) => `${line}\n`).join('');
}

function showColumns(
  context: VsctlContext,
  table: string,
  uuid: string,
  level: number,
  lines: string[],
): void {
  const indent = ' '.repeat(4 * level);
  const schema = context.schema.tables.get(table)!;
  for (const name of SHOWN[table]!.columns) {
    const column = schema.columnByName.get(name);
    if (column === undefined) continue;
    const datum = context.values(table, uuid, name);
    const target = column.type.key.refTable;
    const branch = target === undefined ? undefined : SHOWN[target];
    if (target !== undefined && branch !== undefined) {
      for (const row of datum.keys as string[]) showRow(context, target, row, level, lines);
    } else if (!datumEquals(datum, defaultDatum(column.type))) {
      lines.push(`${indent}${name}: ${formatDatum(column.type, datum)}`);
    }
  }
}

function showRow(context: VsctlContext, table: string, uuid: string, level: number, lines: string[]): void {
  const { name } = SHOWN[table]!;
  const datum: Datum = context.values(table, uuid, name as string);
  lines.push(`${' '.repeat(4 * level)}${table} ${formatAtom('string', datum.keys[0] ?? '')}`);
  showColumns(context, table, uuid, level + 1, lines);
}
