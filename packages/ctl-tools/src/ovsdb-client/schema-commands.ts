/** The commands that show what databases there are, and their schemas. */
import { canonicalJson } from 'ovsdb-client/data/json';
import { columnTypeToJson } from 'ovsdb-client/data/type-json';
import { UUID_COLUMN, VERSION_COLUMN } from 'ovsdb-client/schema';
import { formatTable } from '../lib/table.js';
import type { ClientContext } from './types.js';

export async function listDatabases({ connection, print }: ClientContext): Promise<void> {
  for (const name of await connection.databases()) print(`${name}\n`);
}

export async function getSchema({ connection, database, print }: ClientContext): Promise<void> {
  print(`${canonicalJson((await connection.schema(database)).json)}\n`);
}

export async function listTables({ connection, database, style, print }: ClientContext): Promise<void> {
  const { schema } = await connection.schema(database);
  print(formatTable({ columns: ['Table'], rows: [...schema.tables.keys()].map((name) => [name]) }, style));
}

export async function listColumns({
  connection,
  database,
  args,
  style,
  print,
}: ClientContext): Promise<void> {
  const { schema } = await connection.schema(database);
  const [only] = args;
  // A table that is not there has no columns.
  const tables = [...schema.tables.values()].filter((table) => only === undefined || table.name === only);
  const rows = tables.flatMap((table) =>
    [...table.columns, UUID_COLUMN, VERSION_COLUMN].map((column) => [
      ...(only === undefined ? [table.name] : []),
      column.name,
      { json: columnTypeToJson(column.type) },
    ]),
  );
  print(formatTable({ columns: [...(only === undefined ? ['Table'] : []), 'Column', 'Type'], rows }, style));
}
