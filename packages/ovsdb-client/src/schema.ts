/**
 * Database schemas: RFC 7047 section 3.2, parsed, checked and printed.
 *
 * A table numbers its columns (`ColumnSchema.index`, by name order); the rows of data/row.ts are arrays in that
 * order. `_uuid` and `_version` are not among `columns`: `TableSchema.column()` finds them as pseudo columns with
 * negative indexes, so that conditions and selections can name them like any other.
 */
import { compareStrings, isId } from './data/atom.js';
import { type Datum, scalarDatum } from './data/datum.js';
import { type OvsdbError, syntaxError } from './data/error.js';
import { type Json, type JsonObject, canonicalJson, isJsonArray, isJsonObject } from './data/json.js';
import { ObjectParser } from './data/parser.js';
import type { Row } from './data/row.js';
import { type ColumnType, isStrongRef, isWeakRef, scalarType } from './data/type.js';
import { columnTypeFromJson, columnTypeToJson } from './data/type-json.js';

export const UUID_INDEX = -1;
export const VERSION_INDEX = -2;

export interface ColumnSchema {
  readonly name: string;
  /** Place in `Row.cells`; `UUID_INDEX` and `VERSION_INDEX` for the two pseudo columns. */
  readonly index: number;
  readonly type: ColumnType;
  readonly mutable: boolean;
  /** Not kept in the file (the `ephemeral` member). */
  readonly ephemeral: boolean;
  /** Holds strong or weak references in its key or value. */
  readonly hasStrongRefs: boolean;
  readonly hasWeakRefs: boolean;
}

export interface TableSchema {
  readonly name: string;
  /** In the order of their names; position = `index`. */
  readonly columns: readonly ColumnSchema[];
  readonly columnByName: ReadonlyMap<string, ColumnSchema>;
  /** Rows live without being referred to. */
  readonly isRoot: boolean;
  /** Infinity when not limited. */
  readonly maxRows: number;
  /** Each index as its columns, in the order of their names. */
  readonly indexes: readonly (readonly ColumnSchema[])[];
}

export interface DatabaseSchema {
  readonly name: string;
  readonly version: string;
  readonly cksum: string;
  readonly tables: ReadonlyMap<string, TableSchema>;
}

const pseudo = (name: string, index: number): ColumnSchema => ({
  name,
  index,
  type: scalarType('uuid'),
  mutable: false,
  ephemeral: false,
  hasStrongRefs: false,
  hasWeakRefs: false,
});

/** `_uuid`, which every table has. */
export const UUID_COLUMN: ColumnSchema = pseudo('_uuid', UUID_INDEX);
/** `_version`, which every table has; never in the file. */
export const VERSION_COLUMN: ColumnSchema = { ...pseudo('_version', VERSION_INDEX), ephemeral: true };

/** The column of this name, `_uuid` and `_version` included. */
export function findColumn(table: TableSchema, name: string): ColumnSchema | undefined {
  const column = table.columnByName.get(name);
  if (column !== undefined) return column;
  return name === '_uuid' ? UUID_COLUMN : name === '_version' ? VERSION_COLUMN : undefined;
}

/** The value of any column, pseudo columns included. */
export function rowCell(row: Row, column: ColumnSchema): Datum {
  if (column.index >= 0) return row.cells[column.index]!;
  return scalarDatum(column.index === UUID_INDEX ? row.uuid : row.version);
}

/** Parses a <database-schema> and checks it whole, references included. Throws `OvsdbError`. */
export function schemaFromJson(json: Json): DatabaseSchema {
  const parser = new ObjectParser(json, 'database schema');
  const name = parser.take('name', ['id']);
  const version = parser.take('version', ['string'], true);
  const cksum = parser.take('cksum', ['string'], true);
  const tablesJson = parser.take('tables', ['object']);
  parser.finish();
  if (typeof version === 'string' && !/^[0-9]+\.[0-9]+\.[0-9]+$/.test(version)) {
    throw syntaxError(json, `schema version "${version}" not in format x.y.z`);
  }
  const tables = new Map<string, TableSchema>();
  for (const [tableName, tableJson] of Object.entries(tablesJson as JsonObject)) {
    checkName(json, tableName, 'table');
    tables.set(tableName, tableFromJson(tableName, tableJson!));
  }
  // Before isRoot existed, every table was a root table: a schema without any keeps that meaning.
  if (tables.size > 0 && ![...tables.values()].some((table) => table.isRoot)) {
    for (const [key, table] of tables) tables.set(key, { ...table, isRoot: true });
  }
  const schema = {
    name: name as string,
    version: (version ?? '') as string,
    cksum: (cksum ?? '') as string,
    tables,
  };
  checkReferences(schema);
  return schema;
}

function checkName(json: Json, name: string, what: string): void {
  if (name.startsWith('_')) throw syntaxError(json, `names beginning with "_" are reserved`);
  if (!isId(name)) throw syntaxError(json, `name must be a valid id`);
  void what;
}

function tableFromJson(name: string, json: Json): TableSchema {
  const parser = new ObjectParser(json, `table schema for table ${name}`);
  const columnsJson = parser.take('columns', ['object']);
  const maxRowsJson = parser.take('maxRows', ['integer'], true);
  const isRoot = parser.take('isRoot', ['boolean'], true);
  const indexesJson = parser.take('indexes', ['array'], true);
  parser.finish();
  if (maxRowsJson !== undefined && !(typeof maxRowsJson === 'number' && maxRowsJson > 0)) {
    throw syntaxError(json, 'maxRows must be at least 1');
  }
  const entries = Object.entries(columnsJson as JsonObject);
  if (entries.length === 0) throw syntaxError(json, 'table must have at least one column');
  entries.sort((a, b) => compareStrings(a[0], b[0]));
  const columns = entries.map(([columnName, columnJson], index) => {
    checkName(json, columnName, 'column');
    return columnFromJson(columnName, index, columnJson!);
  });
  const columnByName = new Map(columns.map((column) => [column.name, column]));
  const table = {
    name,
    columns,
    columnByName,
    isRoot: isRoot === true,
    maxRows: typeof maxRowsJson === 'number' ? maxRowsJson : Infinity,
    indexes: [] as (readonly ColumnSchema[])[],
  };
  if (isJsonArray(indexesJson)) {
    for (const indexJson of indexesJson) table.indexes.push(indexFromJson(table, indexJson));
  }
  return table;
}

function columnFromJson(name: string, index: number, json: Json): ColumnSchema {
  const parser = new ObjectParser(json, `schema for column ${name}`);
  const mutable = parser.take('mutable', ['boolean'], true);
  const ephemeral = parser.take('ephemeral', ['boolean'], true);
  const typeJson = parser.take('type', ['string', 'object']);
  parser.finish();
  const type = columnTypeFromJson(typeJson!);
  const bases = type.value === undefined ? [type.key] : [type.key, type.value];
  // A weak reference disappears by itself, which an immutable column could not allow: so it counts as mutable.
  const hasWeakRefs = bases.some(isWeakRef);
  return {
    name,
    index,
    type,
    mutable: mutable !== false || hasWeakRefs,
    ephemeral: ephemeral === true,
    hasStrongRefs: bases.some(isStrongRef),
    hasWeakRefs,
  };
}

function indexFromJson(table: TableSchema, json: Json): readonly ColumnSchema[] {
  const columns = columnSetFromJson(table, json);
  if (columns.length === 0) throw syntaxError(json, 'index must have at least one column');
  const ephemeral = columns.find((column) => column.ephemeral);
  if (ephemeral !== undefined) {
    throw syntaxError(json, `ephemeral columns (such as ${ephemeral.name}) may not be indexed`);
  }
  return columns;
}

/**
 * Parses an array of distinct column names of the table (with `repeats`, names may occur again). Absent, it means
 * all columns. Throws `OvsdbError`.
 */
export function columnSetFromJson(
  table: TableSchema,
  json: Json | undefined,
  repeats = false,
): ColumnSchema[] {
  if (json === undefined) return [UUID_COLUMN, VERSION_COLUMN, ...table.columns];
  if (!isJsonArray(json)) throw columnNamesError(json);
  const columns: ColumnSchema[] = [];
  for (const name of json) {
    if (typeof name !== 'string') throw columnNamesError(json);
    const column = findColumn(table, name);
    if (column === undefined) throw syntaxError(json, `${name} is not a valid column name`);
    if (!repeats && columns.includes(column)) throw columnNamesError(json);
    columns.push(column);
  }
  return columns;
}

function columnNamesError(json: Json): OvsdbError {
  return syntaxError(json, 'array of distinct column names expected');
}

function checkReferences(schema: DatabaseSchema): void {
  for (const table of schema.tables.values()) {
    for (const column of table.columns) {
      for (const [side, base] of [
        ['key', column.type.key],
        ['value', column.type.value],
      ] as const) {
        const target = base?.refTable;
        if (target === undefined) continue;
        const refTable = schema.tables.get(target);
        if (refTable === undefined) {
          throw syntaxError(
            undefined,
            `table ${table.name} column ${column.name} ${side} refers to undefined table ${target}`,
          );
        }
        if (column.ephemeral && isStrongRef(base!) && !refTable.isRoot) {
          throw syntaxError(
            undefined,
            `table ${table.name} ephemeral column ${column.name} ${side} refers to non-root table ${target}`,
          );
        }
      }
    }
  }
}

/** The <database-schema> JSON, tables and columns by name, members with default values left out. */
export function schemaToJson(schema: DatabaseSchema): JsonObject {
  const tables: Record<string, Json> = {};
  const names = [...schema.tables.keys()].sort(compareStrings);
  const allRoot = names.every((name) => schema.tables.get(name)!.isRoot);
  for (const name of names) tables[name] = tableToJson(schema.tables.get(name)!, allRoot);
  const json: Record<string, Json> = { name: schema.name };
  if (schema.version !== '') json['version'] = schema.version;
  if (schema.cksum !== '') json['cksum'] = schema.cksum;
  json['tables'] = tables;
  return json;
}

function tableToJson(table: TableSchema, defaultIsRoot: boolean): JsonObject {
  const columns: Record<string, Json> = {};
  for (const column of table.columns) {
    const json: Record<string, Json> = { type: columnTypeToJson(column.type) };
    if (!column.mutable) json['mutable'] = false;
    if (column.ephemeral) json['ephemeral'] = true;
    columns[column.name] = json;
  }
  const json: Record<string, Json> = { columns };
  if (table.isRoot && !defaultIsRoot) json['isRoot'] = true;
  if (table.maxRows !== Infinity) json['maxRows'] = table.maxRows;
  if (table.indexes.length > 0)
    json['indexes'] = table.indexes.map((index) => index.map((column) => column.name));
  return json;
}

/** Are two schemas the same in name, version, checksum and every definition? */
export function schemaEquals(a: DatabaseSchema, b: DatabaseSchema): boolean {
  return canonicalJson(schemaToJson(a)) === canonicalJson(schemaToJson(b));
}

/** True for a value that looks like a schema at all (used to tell a schema file from a database file). */
export function looksLikeSchema(json: Json): boolean {
  return isJsonObject(json) && 'tables' in json;
}
