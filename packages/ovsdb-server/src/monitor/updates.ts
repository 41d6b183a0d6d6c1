/**
 * Updates: deltas as monitors tell them.
 *
 * Version 1 (RFC 7047 <table-updates>) has `old` and `new` rows; versions 2 and 3 (ovsdb-server(7)
 * <table-updates2>) have `initial`, `insert`, `modify` with differences, `delete`.
 */
import { datumDiff, datumEquals, isDefaultDatum } from 'ovsdb-client/data/datum';
import { datumToJson } from 'ovsdb-client/data/datum-json';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import type { DatabaseDelta, Row, RowDelta } from 'ovsdb-client/data/row';
import { isComposite } from 'ovsdb-client/data/type';
import { rowCell } from 'ovsdb-client/schema';
import type { Database } from '../database/database.js';
import { type MonitorSpec, type MonitorVersion, type MonitoredTable, type Select, showsRow } from './spec.js';

/** The updates of a delta, or undefined when the monitor has nothing to tell. */
export function composeUpdates(
  spec: MonitorSpec,
  version: MonitorVersion,
  delta: DatabaseDelta,
): JsonObject | undefined {
  const updates: Record<string, Json> = {};
  let any = false;
  for (const [name, { rows }] of delta) {
    const monitored = spec.get(name);
    if (monitored === undefined) continue;
    const rowUpdates: Record<string, Json> = {};
    let anyRow = false;
    for (const rowDelta of rows.values()) {
      const update = composeRow(monitored, version, rowDelta);
      if (update === undefined) continue;
      rowUpdates[rowDelta.uuid] = update;
      anyRow = true;
    }
    if (!anyRow) continue;
    updates[name] = rowUpdates;
    any = true;
  }
  return any ? updates : undefined;
}

/** The state of the database as a monitor's first answer; with an empty object when there is nothing. */
export function composeInitial(spec: MonitorSpec, version: MonitorVersion, database: Database): JsonObject {
  const updates: Record<string, Json> = {};
  for (const [name, monitored] of spec) {
    if (!monitored.select.initial) continue;
    const rowUpdates: Record<string, Json> = {};
    let any = false;
    for (const slot of database.tables.get(name)!.slots.values()) {
      const row = slot.row!;
      if (!showsRow(monitored, row)) continue;
      rowUpdates[slot.uuid] =
        version === 1
          ? { new: fullRow(monitored, row, 'initial') }
          : { initial: sparseRow(monitored, row, 'initial') };
      any = true;
    }
    if (any) updates[name] = rowUpdates;
  }
  return updates;
}

/** What a change of conditions makes visible or takes out of sight. */
export function composeConditionChange(
  before: MonitorSpec,
  after: MonitorSpec,
  version: MonitorVersion,
  database: Database,
): JsonObject | undefined {
  const updates: Record<string, Json> = {};
  let any = false;
  for (const [name, monitored] of after) {
    const old = before.get(name)!;
    if (old === monitored) continue;
    const rowUpdates: Record<string, Json> = {};
    let anyRow = false;
    for (const slot of database.tables.get(name)!.slots.values()) {
      const row = slot.row!;
      const was = showsRow(old, row);
      const is = showsRow(monitored, row);
      if (was === is) continue;
      const delta: RowDelta = is
        ? { kind: 'insert', uuid: slot.uuid, old: undefined, new: row }
        : { kind: 'delete', uuid: slot.uuid, old: row, new: undefined };
      const update = composeKind(monitored, version, delta);
      if (update === undefined) continue;
      rowUpdates[slot.uuid] = update;
      anyRow = true;
    }
    if (!anyRow) continue;
    updates[name] = rowUpdates;
    any = true;
  }
  return any ? updates : undefined;
}

function composeRow(monitored: MonitoredTable, version: MonitorVersion, delta: RowDelta): Json | undefined {
  if (monitored.condition.length === 0) return composeKind(monitored, version, delta);
  const was = showsRow(monitored, delta.old);
  const is = showsRow(monitored, delta.new);
  const { uuid } = delta;
  if (was && is) return composeKind(monitored, version, delta);
  if (is) return composeKind(monitored, version, { kind: 'insert', uuid, old: undefined, new: delta.new! });
  if (was) return composeKind(monitored, version, { kind: 'delete', uuid, old: delta.old!, new: undefined });
  return undefined;
}

function composeKind(monitored: MonitoredTable, version: MonitorVersion, delta: RowDelta): Json | undefined {
  if (!monitored.select[delta.kind]) return undefined;
  switch (delta.kind) {
    case 'insert':
      return version === 1
        ? { new: fullRow(monitored, delta.new, 'insert') }
        : { insert: sparseRow(monitored, delta.new, 'insert') };
    case 'delete':
      return version === 1 ? { old: fullRow(monitored, delta.old, 'delete') } : { delete: null };
    case 'modify':
      return version === 1
        ? modify1(monitored, delta.old, delta.new)
        : modify2(monitored, delta.old, delta.new);
  }
}

function fullRow(monitored: MonitoredTable, row: Row, kind: keyof Select): JsonObject {
  const json: Record<string, Json> = {};
  for (const { column, select } of monitored.columns) {
    if (select[kind]) json[column.name] = datumToJson(column.type, rowCell(row, column));
  }
  return json;
}

function sparseRow(monitored: MonitoredTable, row: Row, kind: keyof Select): JsonObject {
  const json: Record<string, Json> = {};
  for (const { column, select } of monitored.columns) {
    if (!select[kind]) continue;
    const datum = rowCell(row, column);
    if (!isDefaultDatum(column.type, datum)) json[column.name] = datumToJson(column.type, datum);
  }
  return json;
}

function modify1(monitored: MonitoredTable, old: Row, now: Row): JsonObject | undefined {
  const oldJson: Record<string, Json> = {};
  let any = false;
  for (const { column, select } of monitored.columns) {
    if (!select.modify) continue;
    const before = rowCell(old, column);
    if (datumEquals(before, rowCell(now, column))) continue;
    oldJson[column.name] = datumToJson(column.type, before);
    any = true;
  }
  return any ? { old: oldJson, new: fullRow(monitored, now, 'modify') } : undefined;
}

function modify2(monitored: MonitoredTable, old: Row, now: Row): JsonObject | undefined {
  const json: Record<string, Json> = {};
  let any = false;
  for (const { column, select } of monitored.columns) {
    if (!select.modify) continue;
    const before = rowCell(old, column);
    const after = rowCell(now, column);
    if (datumEquals(before, after)) continue;
    json[column.name] = datumToJson(column.type, isComposite(column.type) ? datumDiff(before, after) : after);
    any = true;
  }
  return any ? { modify: json } : undefined;
}
