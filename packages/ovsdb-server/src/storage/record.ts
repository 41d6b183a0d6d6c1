/**
 * Log records and deltas: what a transaction writes to the file and how a record is applied.
 *
 * A record is an object with one member per changed table, `{ROW: {COLUMN: VALUE}}`, `null` for a deleted row, and
 * `_date` (ms), `_comment`, `_is_diff`. Ephemeral columns never occur. With `_is_diff` true a modified set
 * or map column holds the difference (data/datum.ts, `datumDiff`), otherwise the whole value;
 * columns of inserted rows are always whole, with defaults left out.
 */
import { applyDatumDiff, datumDiff, datumEquals, isDefaultDatum } from 'ovsdb-client/data/datum';
import { datumFromJson, datumToJson } from 'ovsdb-client/data/datum-json';
import { ERROR_TAGS, syntaxError } from 'ovsdb-client/data/error';
import { type Json, type JsonObject, isJsonObject, stringifyJson } from 'ovsdb-client/data/json';
import type { DatabaseDelta, Row, RowDelta } from 'ovsdb-client/data/row';
import { parseUuid } from 'ovsdb-client/data/uuid';
import { type ColumnType, isComposite } from 'ovsdb-client/data/type';
import type { ColumnSchema, TableSchema } from 'ovsdb-client/schema';

/** What a record says besides its rows. */
export interface RecordInfo {
  /** Milliseconds since 1970. */
  readonly date: number;
  readonly comment?: string | undefined;
}

/** The record of a transaction, or undefined when nothing persistent changed. */
export function recordText(delta: DatabaseDelta, info: RecordInfo, useDiff = true): string | undefined {
  const tables: Record<string, Json> = {};
  let any = false;
  for (const { table, rows } of delta.values()) {
    const rowsJson: Record<string, Json> = {};
    let anyRow = false;
    for (const rowDelta of rows.values()) {
      const json = rowRecord(table, rowDelta, useDiff);
      if (json === undefined) continue;
      rowsJson[rowDelta.uuid] = json;
      anyRow = true;
    }
    if (!anyRow) continue;
    tables[table.name] = rowsJson;
    any = true;
  }
  if (!any) return undefined;
  const json: Record<string, Json> = { _date: info.date, ...tables };
  if (useDiff) json['_is_diff'] = true;
  if (info.comment !== undefined) json['_comment'] = info.comment;
  return stringifyJson(json);
}

function rowRecord(table: TableSchema, delta: RowDelta, useDiff: boolean): Json | undefined {
  if (delta.kind === 'delete') return null;
  if (delta.kind === 'insert') return insertRecord(table, delta.new);
  const json: Record<string, Json> = {};
  let any = false;
  for (const column of table.columns) {
    if (column.ephemeral) continue;
    const old = delta.old.cells[column.index]!;
    const now = delta.new.cells[column.index]!;
    if (datumEquals(old, now)) continue;
    const isDiff = useDiff && isComposite(column.type);
    json[column.name] = isDiff
      ? datumToJson(diffType(column.type), datumDiff(old, now))
      : datumToJson(column.type, now);
    any = true;
  }
  return any ? json : undefined;
}

function insertRecord(table: TableSchema, row: Row): JsonObject {
  const json: Record<string, Json> = {};
  for (const column of table.columns) {
    if (column.ephemeral) continue;
    const datum = row.cells[column.index]!;
    if (!isDefaultDatum(column.type, datum)) json[column.name] = datumToJson(column.type, datum);
  }
  return json;
}

const diffTypes = new WeakMap<ColumnType, ColumnType>();

/** A difference may have any number of elements. */
function diffType(type: ColumnType): ColumnType {
  let diff = diffTypes.get(type);
  if (diff === undefined) {
    diff = { ...type, min: 0, max: Infinity };
    diffTypes.set(type, diff);
  }
  return diff;
}

/** The record that holds a whole database; undefined for an empty one without a comment. */
export function snapshotText(
  tables: Iterable<readonly [TableSchema, Iterable<Row>]>,
  info: RecordInfo,
): string | undefined {
  const parts = [...snapshotParts(tables, info)];
  return parts.length === 2 && info.comment === undefined ? undefined : parts.join('');
}

/** The text of that record, row by row: one object of everything would double the peak memory. */
export function* snapshotParts(
  tables: Iterable<readonly [TableSchema, Iterable<Row>]>,
  info: RecordInfo,
): Generator<string> {
  yield `{"_date":${info.date}`;
  for (const [table, rows] of tables) {
    let before = `,${JSON.stringify(table.name)}:{`;
    let any = false;
    for (const row of rows) {
      yield `${before}"${row.uuid}":${stringifyJson(insertRecord(table, row))}`;
      before = ',';
      any = true;
    }
    if (any) yield '}';
  }
  yield info.comment === undefined ? '}' : `,"_comment":${JSON.stringify(info.comment)}}`;
}

/** What applying a record needs of a database. */
export interface RecordTarget {
  table(name: string): TableSchema | undefined;
  row(table: TableSchema, uuid: string): Row | undefined;
  put(table: TableSchema, uuid: string, cells: Row['cells']): void;
  remove(table: TableSchema, uuid: string): void;
  defaults(table: TableSchema): Row['cells'];
}

/**
 * Applies a record. With `converting`, tables and columns that the schema does not know are passed over (as for
 * `ovsdb-tool convert`), and constraints that fail are errors as always. Throws `OvsdbError`; the target is then
 * unchanged.
 */
export function applyRecord(target: RecordTarget, json: Json, converting = false): void {
  // Everything is parsed before anything is changed: each row occurs once, so none depends on another.
  const actions: Action[] = [];
  if (!isJsonObject(json)) throw syntaxError(json, 'object expected');
  const isDiff = json['_is_diff'] === true;
  for (const [name, rowsJson] of Object.entries(json)) {
    const table = target.table(name);
    if (table === undefined) {
      if (name === '_date' || name === '_comment' || name === '_is_diff' || converting) continue;
      throw syntaxError(json, `No table named ${name}.`, ERROR_TAGS.unknownTable);
    }
    if (!isJsonObject(rowsJson)) throw syntaxError(rowsJson, 'object expected');
    for (const [uuidText, rowJson] of Object.entries(rowsJson)) {
      const uuid = parseUuid(uuidText);
      if (uuid === undefined) throw syntaxError(rowsJson, `"${uuidText}" is not a valid UUID`);
      const cells = parseRow(target, table, uuid, rowJson!, isDiff, converting);
      actions.push({ table, uuid, cells });
    }
  }
  for (const { table, uuid, cells } of actions) {
    if (cells !== undefined) target.put(table, uuid, cells);
    else if (target.row(table, uuid) !== undefined) target.remove(table, uuid);
  }
}

interface Action {
  readonly table: TableSchema;
  readonly uuid: string;
  /** Undefined: delete. */
  readonly cells: Row['cells'] | undefined;
}

function parseRow(
  target: RecordTarget,
  table: TableSchema,
  uuid: string,
  json: Json,
  isDiff: boolean,
  converting: boolean,
): Row['cells'] | undefined {
  if (json === null) return undefined;
  const old = target.row(table, uuid);
  if (!isJsonObject(json)) throw syntaxError(json, 'row must be JSON object');
  const cells = (old === undefined ? target.defaults(table) : old.cells).slice();
  for (const [name, valueJson] of Object.entries(json)) {
    const column: ColumnSchema | undefined = table.columnByName.get(name);
    if (column === undefined) {
      if (converting) continue;
      throw syntaxError(json, `No column ${name} in table ${table.name}.`, ERROR_TAGS.unknownColumn);
    }
    if (isDiff && old !== undefined && isComposite(column.type)) {
      const diff = datumFromJson(diffType(column.type), valueJson!);
      cells[column.index] = applyDatumDiff(old.cells[column.index]!, diff);
    } else cells[column.index] = datumFromJson(column.type, valueJson!);
  }
  return cells;
}

/** The date and comment of a record (0 and undefined when it has none). */
export function recordInfo(json: Json): RecordInfo {
  if (!isJsonObject(json)) return { date: 0 };
  const date = json['_date'];
  const comment = json['_comment'];
  return {
    date: typeof date === 'number' ? date : 0,
    comment: typeof comment === 'string' ? comment : undefined,
  };
}
