/** `ovsdb-client dump`: the contents of tables, in an order that depends on nothing but the contents. */
import { FatalError } from '@ovs-node/common/errors';
import { compareData } from 'ovsdb-client/data/datum';
import { datumFromJson } from 'ovsdb-client/data/datum-json';
import { canonicalJson, isJsonArray, isJsonObject } from 'ovsdb-client/data/json';
import {
  type ColumnSchema,
  type DatabaseSchema,
  type TableSchema,
  UUID_COLUMN,
  findColumn,
} from 'ovsdb-client/schema';
import { formatTable, tableGap } from '../lib/table.js';
import type { ClientContext } from './types.js';

function tableNamed(schema: DatabaseSchema, name: string): TableSchema {
  const table = schema.tables.get(name);
  if (table === undefined) throw new FatalError(`No table "${name}" found.`);
  return table;
}

const rank = (column: ColumnSchema): number =>
  column === UUID_COLUMN ? 2 : column.type.key.type === 'uuid' ? 1 : 0;

/** The columns of these names, in the order of their names. */
function dumpColumns(table: TableSchema, names: readonly string[]): ColumnSchema[] {
  return names.toSorted().map((name) => {
    const column = findColumn(table, name);
    if (column === undefined) throw new FatalError(`Table "${table.name}" has no column ${name}.`);
    return column;
  });
}

export async function dump({ connection, database, args, style, print }: ClientContext): Promise<void> {
  const { schema } = await connection.schema(database);
  const [only, ...columnNames] = args;
  const tables =
    only === undefined
      ? [...schema.tables.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
      : [tableNamed(schema, only)];
  let first = true;
  for (const table of tables) {
    const columns =
      columnNames.length > 0 ? dumpColumns(table, columnNames) : [UUID_COLUMN, ...table.columns];
    const select = {
      op: 'select',
      table: table.name,
      where: [],
      columns: columns.map((column) => column.name),
    };
    const reply = await connection.request('transact', [database, select]);
    const result = isJsonArray(reply) ? reply[0] : undefined;
    const rows = isJsonObject(result) ? result['rows'] : undefined;
    if (!isJsonArray(rows)) {
      throw new FatalError(
        `${table.name} table reply is not an object with a "rows" member array: ${canonicalJson(result ?? null)}`,
      );
    }
    const cells = rows.map((row) =>
      columns.map(({ name, type }) => {
        const value = isJsonObject(row) ? row[name] : undefined;
        return { type, datum: datumFromJson({ ...type, min: 0, max: Infinity }, value ?? ['set', []]) };
      }),
    );
    // In the order of their contents; references and UUIDs, which are chance, decide last.
    const keys = columns.map((_, i) => i).sort((a, b) => rank(columns[a]!) - rank(columns[b]!));
    cells.sort((a, b) => keys.reduce((order, i) => order || compareData(a[i]!.datum, b[i]!.datum), 0));
    if (!first) print(tableGap(style));
    first = false;
    print(
      formatTable(
        { caption: `${table.name} table`, columns: columns.map((column) => column.name), rows: cells },
        style,
      ),
    );
  }
}
