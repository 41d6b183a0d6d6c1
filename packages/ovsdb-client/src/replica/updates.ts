/**
 * What a server says of changes, applied to a replica's tables: <table-updates> of RFC 7047 section 4.1.6 and the
 * <table-updates2> of ovsdb-server(7), sections 4.1.14 and 4.1.15.
 *
 * Both change a `ReplicaTables` in place, row objects being replaced, never modified, and give the same delta that
 * the server's transactions use. A message that does not fit the schema throws `OvsdbError` before anything changed.
 */
import { type Datum, applyDatumDiff, defaultDatum } from '../data/datum.js';
import { datumFromJson } from '../data/datum-json.js';
import { syntaxError } from '../data/error.js';
import { type Json, type JsonObject, canonicalJson, isJsonObject } from '../data/json.js';
import { type DatabaseDelta, type Row, addDelta, rowDelta } from '../data/row.js';
import { isComposite } from '../data/type.js';
import { columnTypeToJson } from '../data/type-json.js';
import { parseUuid } from '../data/uuid.js';
import type { ColumnSchema, DatabaseSchema, TableSchema } from '../schema.js';

/** Table name to row UUID to row. */
export type ReplicaTables = Map<string, Map<string, Row>>;

/** Empty tables for every table of a schema. */
export function emptyTables(schema: DatabaseSchema): ReplicaTables {
  return new Map([...schema.tables.keys()].map((name) => [name, new Map<string, Row>()]));
}

/** The rows of one schema in the form of another: columns by name and type, defaults for those that are new. */
export function convertTables(
  from: DatabaseSchema,
  to: DatabaseSchema,
  tables: ReplicaTables,
): ReplicaTables {
  const converted = emptyTables(to);
  for (const [name, table] of to.tables) {
    const old = from.tables.get(name);
    const sources = table.columns.map((column) => {
      const was = old?.columnByName.get(column.name);
      const isSame =
        was !== undefined &&
        canonicalJson(columnTypeToJson(was.type)) === canonicalJson(columnTypeToJson(column.type));
      return isSame ? was.index : undefined;
    });
    for (const row of tables.get(name)?.values() ?? []) {
      const cells = table.columns.map((column, i) =>
        sources[i] === undefined ? defaultDatum(column.type) : row.cells[sources[i]]!,
      );
      converted.get(name)!.set(row.uuid, { ...row, cells });
    }
  }
  return converted;
}

type RowChange = (table: TableSchema, uuid: string, old: Row | undefined, json: Json) => Row | undefined;

/** Applies the <table-updates> of `monitor` and `update`: `{TABLE: {UUID: {old, new}}}`. */
export function applyUpdates(schema: DatabaseSchema, tables: ReplicaTables, json: Json): DatabaseDelta {
  return apply(schema, tables, json, changeByRow);
}

/** Applies the <table-updates2> of `monitor_cond`, `monitor_cond_since`, `update2` and `update3`. */
export function applyUpdates2(schema: DatabaseSchema, tables: ReplicaTables, json: Json): DatabaseDelta {
  return apply(schema, tables, json, changeByDifference);
}

function apply(schema: DatabaseSchema, tables: ReplicaTables, json: Json, change: RowChange): DatabaseDelta {
  const delta: DatabaseDelta = new Map();
  for (const [name, tableJson] of members(json, '<table-updates> is not an object')) {
    const table = schema.tables.get(name);
    if (table === undefined) throw syntaxError(json, `No table named ${name}.`);
    const rows = tables.get(name)!;
    for (const [text, rowJson] of members(tableJson, `<table-update> for table "${name}" is not an object`)) {
      const uuid = parseUuid(text);
      if (uuid === undefined) throw syntaxError(tableJson, `"${text}" is not a valid UUID`);
      const old = rows.get(uuid);
      const diff = rowDelta(old, change(table, uuid, old, rowJson));
      if (diff !== undefined) addDelta(delta, table, diff);
    }
  }
  for (const { table, rows } of delta.values()) {
    const held = tables.get(table.name)!;
    for (const change of rows.values()) {
      if (change.new === undefined) held.delete(change.uuid);
      else held.set(change.uuid, change.new);
    }
  }
  return delta;
}

function members(json: Json | undefined, complaint: string): [string, Json][] {
  if (!isJsonObject(json)) throw syntaxError(json ?? null, complaint);
  return Object.entries(json) as [string, Json][];
}

const changeByRow: RowChange = (table, uuid, old, json) => {
  if (!isJsonObject(json)) throw syntaxError(json, '<row-update> is not an object');
  const now = json['new'];
  return now === undefined ? undefined : replaceCells(table, uuid, old, now);
};

const changeByDifference: RowChange = (table, uuid, old, json) => {
  if (!isJsonObject(json)) throw syntaxError(json, '<row-update2> is not an object');
  if ('delete' in json) return undefined;
  const whole = json['initial'] ?? json['insert'];
  if (whole !== undefined) return replaceCells(table, uuid, undefined, whole);
  const modify = json['modify'];
  if (modify === undefined)
    throw syntaxError(json, '<row-update2> has none of initial, insert, modify, delete');
  if (old === undefined)
    throw syntaxError(json, `modification of row ${uuid}, which is not in table ${table.name}`);
  const cells = [...old.cells];
  for (const [column, value] of columnValues(table, modify)) {
    cells[column.index] = differenceOf(column, cells[column.index]!, value);
  }
  return { uuid, version: versionOf(modify), cells };
};

/** An <update2> value of a set or map is a difference; of a column with at most one element it is the new value. */
function differenceOf(column: ColumnSchema, old: Datum, value: Json): Datum {
  // A difference may hold more elements than the column, so only the element types are checked here.
  const type = isComposite(column.type) ? { ...column.type, min: 0, max: Infinity } : column.type;
  const datum = datumFromJson(type, value);
  return isComposite(column.type) ? applyDatumDiff(old, datum) : datum;
}

function replaceCells(table: TableSchema, uuid: string, old: Row | undefined, json: Json): Row {
  const cells = old === undefined ? table.columns.map((column) => defaultDatum(column.type)) : [...old.cells];
  for (const [column, value] of columnValues(table, json)) {
    cells[column.index] = datumFromJson({ ...column.type, min: 0 }, value);
  }
  return { uuid, version: versionOf(json), cells };
}

/** The `_version` of a row where it is told, else "". */
function versionOf(row: Json): string {
  const value = isJsonObject(row) ? row['_version'] : undefined;
  const uuid = Array.isArray(value) && value[0] === 'uuid' && typeof value[1] === 'string' ? value[1] : '';
  return parseUuid(uuid) ?? '';
}

function* columnValues(table: TableSchema, json: Json): Generator<[ColumnSchema, Json]> {
  for (const [name, value] of members(json, '<row> is not an object')) {
    if (name === '_version' || name === '_uuid') continue;
    const column = table.columnByName.get(name);
    if (column === undefined)
      throw syntaxError(json as JsonObject, `unknown column ${name} in table ${table.name}`);
    yield [column, value];
  }
}
