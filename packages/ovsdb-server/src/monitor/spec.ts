/** What a monitor watches: <monitor-requests> of RFC 7047 section 4.1.5 and ovsdb-server(7), parsed. */
import { type Condition, conditionFromJson, evaluateClause } from 'ovsdb-client/data/condition';
import { syntaxError } from 'ovsdb-client/data/error';
import { type Json, canonicalJson, isJsonArray, isJsonObject } from 'ovsdb-client/data/json';
import { ObjectParser } from 'ovsdb-client/data/parser';
import type { Row } from 'ovsdb-client/data/row';
import { type ColumnSchema, type TableSchema, UUID_INDEX, columnSetFromJson } from 'ovsdb-client/schema';
import type { Database } from '../database/database.js';

/** Which kinds of change are told. */
export interface Select {
  readonly initial: boolean;
  readonly insert: boolean;
  readonly delete: boolean;
  readonly modify: boolean;
}

export interface MonitoredColumn {
  readonly column: ColumnSchema;
  readonly select: Select;
}

export interface MonitoredTable {
  readonly table: TableSchema;
  readonly columns: readonly MonitoredColumn[];
  /** Told for any of the columns. */
  readonly select: Select;
  /** Rows that satisfy one of the clauses are told; empty means all. */
  readonly condition: Condition;
}

export type MonitorSpec = ReadonlyMap<string, MonitoredTable>;

/** 1: monitor/update; 2: monitor_cond/update2; 3: monitor_cond_since/update3. */
export type MonitorVersion = 1 | 2 | 3;

/** Parses <monitor-requests>. Throws `OvsdbError`. */
export function specFromJson(
  database: Database,
  json: Json | undefined,
  version: MonitorVersion,
): MonitorSpec {
  if (json === undefined || !isJsonObject(json)) throw syntaxError(json, 'monitor-requests must be object');
  const spec = new Map<string, MonitoredTable>();
  for (const [name, requestJson] of Object.entries(json)) {
    const table = database.schema.tables.get(name);
    if (table === undefined) throw syntaxError(undefined, `no table named ${name}`);
    const requests = isJsonArray(requestJson) ? requestJson : [requestJson!];
    spec.set(name, tableFromRequests(table, requests, version));
  }
  return spec;
}

function tableFromRequests(
  table: TableSchema,
  requests: readonly Json[],
  version: MonitorVersion,
): MonitoredTable {
  const columns: MonitoredColumn[] = [];
  const condition: Condition[number][] = [];
  let select: Select = { initial: false, insert: false, delete: false, modify: false };
  for (const json of requests) {
    const parser = new ObjectParser(json, `table ${table.name}`);
    const where = version > 1 ? parser.take('where', ['array'], true) : undefined;
    const columnsJson = parser.take('columns', ['array'], true);
    const selectJson = parser.take('select', ['object'], true);
    parser.finish();
    const own = selectFromJson(table, selectJson);
    select = {
      initial: select.initial || own.initial,
      insert: select.insert || own.insert,
      delete: select.delete || own.delete,
      modify: select.modify || own.modify,
    };
    addColumns(columns, table, columnsJson, own);
    if (where !== undefined) condition.push(...conditionFromJson(table, where));
  }
  return { table, columns, select, condition };
}

function addColumns(
  into: MonitoredColumn[],
  table: TableSchema,
  json: Json | undefined,
  select: Select,
): void {
  if (isJsonArray(json) && json.some((name) => typeof name !== 'string')) {
    throw syntaxError(json, 'array of column names expected');
  }
  for (const column of columnSetFromJson(table, json, true)) {
    // Without a list, everything but the UUID, which every update has as its key.
    if (json === undefined && column.index === UUID_INDEX) continue;
    if (into.some((present) => present.column === column)) {
      throw syntaxError(json, `column ${column.name} mentioned more than once`);
    }
    into.push({ column, select });
  }
}

function selectFromJson(table: TableSchema, json: Json | undefined): Select {
  if (json === undefined) return { initial: true, insert: true, delete: true, modify: true };
  const parser = new ObjectParser(json, `table ${table.name} select`);
  const flag = (name: string): boolean => parser.take(name, ['boolean'], true) !== false;
  const select = {
    initial: flag('initial'),
    insert: flag('insert'),
    delete: flag('delete'),
    modify: flag('modify'),
  };
  parser.finish();
  return select;
}

/** The spec with the `where` of a monitor_cond_change put in. Throws `OvsdbError`. */
export function changedConditions(
  database: Database,
  spec: MonitorSpec,
  json: Json | undefined,
): MonitorSpec {
  if (json === undefined || !isJsonObject(json)) {
    throw syntaxError(undefined, 'monitor-cond-change-requests must be object');
  }
  const changed = new Map(spec);
  for (const [name, requestJson] of Object.entries(json)) {
    if (!database.schema.tables.has(name)) throw syntaxError(undefined, `no table named ${name}`);
    const monitored = spec.get(name);
    if (monitored === undefined) throw syntaxError(undefined, `no table named ${name} in monitor session`);
    if (!isJsonArray(requestJson))
      throw syntaxError(undefined, `table ${name} no monitor-cond-change JSON array`);
    const condition: Condition[number][] = [];
    for (const request of requestJson) {
      if (isJsonObject(request) && 'columns' in request) {
        throw syntaxError(request, 'changing columns is unsupported');
      }
      const parser = new ObjectParser(request, `table ${name}`);
      const where = parser.take('where', ['array'], true);
      parser.finish();
      if (where !== undefined) condition.push(...conditionFromJson(monitored.table, where));
    }
    changed.set(name, { ...monitored, condition });
  }
  return changed;
}

/** Does the monitor show this row? Clauses are alternatives; none means every row. */
export function showsRow(monitored: MonitoredTable, row: Row | undefined): boolean {
  if (row === undefined) return false;
  const { condition } = monitored;
  if (condition.length === 0) return true;
  for (let i = 0; i < condition.length; i++) if (evaluateClause(condition[i]!, row)) return true;
  return false;
}

/** Equal for monitors whose updates are the same text: what such updates are cached by. */
export function specKey(version: MonitorVersion, requests: Json): string {
  return `${version} ${canonicalJson(requests)}`;
}
