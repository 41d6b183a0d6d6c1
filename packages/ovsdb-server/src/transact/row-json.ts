/** Rows as JSON objects: RFC 7047 <row>. */
import type { SymbolTable } from 'ovsdb-client/data/atom';
import type { Datum } from 'ovsdb-client/data/datum';
import { datumFromJson, datumToJson } from 'ovsdb-client/data/datum-json';
import { ERROR_TAGS, syntaxError } from 'ovsdb-client/data/error';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import type { Row } from 'ovsdb-client/data/row';
import { type ColumnSchema, type TableSchema, findColumn, rowCell } from 'ovsdb-client/schema';

/** The columns a <row> names and their data; pseudo columns are checked but not stored. Throws `OvsdbError`. */
export function rowFromJson(
  table: TableSchema,
  json: JsonObject,
  symbols: SymbolTable | undefined,
): { column: ColumnSchema; datum: Datum }[] {
  const members: { column: ColumnSchema; datum: Datum }[] = [];
  for (const [name, value] of Object.entries(json)) {
    const column = findColumn(table, name);
    if (column === undefined) {
      throw syntaxError(json, `No column ${name} in table ${table.name}.`, ERROR_TAGS.unknownColumn);
    }
    members.push({ column, datum: datumFromJson(column.type, value!, symbols) });
  }
  return members;
}

/** The <row> of these columns. */
export function rowToJson(row: Row, columns: readonly ColumnSchema[]): JsonObject {
  const json: Record<string, Json> = {};
  for (const column of columns) json[column.name] = datumToJson(column.type, rowCell(row, column));
  return json;
}
