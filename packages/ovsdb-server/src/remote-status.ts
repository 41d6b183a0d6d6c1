/** Writes the state of a remote to the row that describes it: `is_connected` and `status` of the Manager table. */
import { datumFromNative } from 'ovsdb-client/data/native';
import type { Database } from './database/database.js';
import type { Table } from './database/table.js';
import type { RemoteStatus } from './remotes.js';
import { Transaction } from './transact/transaction.js';

/** Updates the row; columns that the schema lacks are passed over. `now` is the clock's time, ms. */
export function writeRemoteStatus(
  database: Database,
  table: Table,
  uuid: string,
  status: RemoteStatus,
  now: number,
): void {
  const slot = table.slots.get(uuid);
  if (slot === undefined) return;
  const cells = slot.row!.cells.slice();
  const connected = table.schema.columnByName.get('is_connected');
  if (connected !== undefined) cells[connected.index] = datumFromNative(connected.type, status.isConnected);
  const column = table.schema.columnByName.get('status');
  if (column !== undefined) cells[column.index] = datumFromNative(column.type, statusMap(status, now));
  const transaction = new Transaction(database);
  transaction.update(slot, cells);
  transaction.commit();
}

function statusMap(status: RemoteStatus, now: number): Map<string, string> {
  const map = new Map<string, string>();
  if (status.state !== undefined) map.set('state', status.state);
  const seconds = (then: number): string => String(Math.floor((now - then) / 1000));
  if (status.lastError !== undefined) map.set('last_error', status.lastError);
  if (status.locks.held.length > 0) map.set('locks_held', status.locks.held.toSorted().join(' '));
  if (status.locks.waiting.length > 0) map.set('locks_waiting', status.locks.waiting.toSorted().join(' '));
  if (status.connectedAt !== undefined) map.set('sec_since_connect', seconds(status.connectedAt));
  if (status.disconnectedAt !== undefined) map.set('sec_since_disconnect', seconds(status.disconnectedAt));
  if (status.connections > 1) map.set('n_connections', String(status.connections));
  if (status.boundPort !== 0) map.set('bound_port', String(status.boundPort));
  return map;
}
