/** What a server answers: replies to monitor methods, and errors. */
import { JsonRpcError } from '@ovs-node/common/jsonrpc/session';
import { datumEquals } from '../data/datum.js';
import { OvsdbError } from '../data/error.js';
import { type Json, isJsonArray, isJsonObject, stringifyJson } from '../data/json.js';
import { type DatabaseDelta, type Row, addDelta, rowDelta } from '../data/row.js';
import type { DatabaseSchema, TableSchema } from '../schema.js';
import { ZERO_UUID } from '../data/uuid.js';
import type { ReplicaTables } from './updates.js';

/** The ways to follow a database, the best first. */
export type MonitorMethod = 'monitor_cond_since' | 'monitor_cond' | 'monitor';

/** The parts of a reply to one of the monitor methods. @throws OvsdbError */
export function subscription(
  method: MonitorMethod,
  reply: Json,
): { readonly found: boolean; readonly lastId: string; readonly contents: Json } {
  if (method !== 'monitor_cond_since') return { found: false, lastId: ZERO_UUID, contents: reply };
  const [found, lastId, contents] = isJsonArray(reply) ? reply : [];
  if (typeof found !== 'boolean' || typeof lastId !== 'string' || contents === undefined)
    throw new OvsdbError(
      'syntax error',
      'monitor_cond_since: reply is not [<found>, <last-txn-id>, <updates>]',
    );
  return { found, lastId, contents };
}

/** What lies between two contents of one schema; rows of `now` that are as before become the objects they were. */
export function difference(schema: DatabaseSchema, before: ReplicaTables, now: ReplicaTables): DatabaseDelta {
  const delta: DatabaseDelta = new Map();
  for (const [name, table] of schema.tables) {
    const old = before.get(name);
    const rows = now.get(name)!;
    for (const row of rows.values()) {
      const was = old?.get(row.uuid);
      // An unchanged row keeps its object, and so what was derived from it.
      if (was !== undefined && sameCells(table, was, row)) rows.set(row.uuid, was);
      const change = rowDelta(was, rows.get(row.uuid));
      if (change !== undefined) addDelta(delta, table, change);
    }
    for (const row of old?.values() ?? []) {
      if (!rows.has(row.uuid)) addDelta(delta, table, rowDelta(row, undefined)!);
    }
  }
  return delta;
}

function sameCells(table: TableSchema, a: Row, b: Row): boolean {
  if (a.cells.length !== table.columns.length) return false;
  return a.cells.every((cell, i) => datumEquals(cell, b.cells[i]!));
}

/** An error reply as what it is in the protocol. */
export function asOvsdbError(error: unknown): Error {
  if (!(error instanceof JsonRpcError)) return error as Error;
  const value = error.error as Json;
  if (typeof value === 'string') return new OvsdbError(value);
  if (isJsonObject(value) && typeof value['error'] === 'string') {
    const text = (name: string): string | undefined =>
      typeof value[name] === 'string' ? value[name] : undefined;
    return new OvsdbError(value['error'], text('details'), text('syntax'));
  }
  return new OvsdbError('internal error', stringifyJson(value));
}
