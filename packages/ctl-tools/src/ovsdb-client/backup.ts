/**
 * `ovsdb-client backup` and `restore`: a database as a database file, on standard output and input.
 *
 * The protocol lets a client choose no UUIDs, so restored rows get new ones; references among them are kept.
 * Ephemeral columns are in neither direction.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FatalError, strerror } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { plainText, readInput } from '@ovs-node/common/windows-files';
import { encodeRecord } from '@ovs-node/ovsdb-server/storage/log-reader';
import { readDatabase } from '@ovs-node/ovsdb-server/storage/standalone';
import { isDefaultDatum } from 'ovsdb-client/data/datum';
import { datumToJson } from 'ovsdb-client/data/datum-json';
import { OvsdbError } from 'ovsdb-client/data/error';
import { type Json, canonicalJson, isJsonArray, isJsonObject, stringifyJson } from 'ovsdb-client/data/json';
import { type DatabaseSchema, schemaEquals } from 'ovsdb-client/schema';
import { runRequest } from './transact.js';
import type { ClientContext } from './types.js';

/** What standard input is called in errors. */
const STDIN = '/dev/stdin';

export async function backup(context: ClientContext): Promise<void> {
  const { connection, database, print } = context;
  const { json, schema } = await connection.schema(database);
  const tables = [...schema.tables.values()];
  // One transaction: a moment of the database.
  const selects = tables.map((table): Json => {
    const columns = table.columns.filter((column) => !column.ephemeral).map((column) => column.name);
    return { op: 'select', table: table.name, where: [], columns: ['_uuid', ...columns] };
  });
  const reply = await runRequest(context, 'transact', [database, ...selects]);
  const contents: Record<string, Json> = { _date: Date.now(), _is_diff: true };
  for (const [i, { name }] of tables.entries()) {
    const result = isJsonArray(reply) ? reply[i] : undefined;
    const rows = isJsonObject(result) ? result['rows'] : undefined;
    if (!isJsonArray(rows)) {
      throw new FatalError(
        `${name} table reply is not an object with a "rows" member array: ${canonicalJson(result ?? null)}`,
      );
    }
    if (rows.length > 0) contents[name] = Object.fromEntries(rows.map(rowByUuid));
  }
  contents['_comment'] = 'produced by "ovsdb-client backup"';
  print(encodeRecord(stringifyJson(json)).toString() + encodeRecord(stringifyJson(contents)).toString());
}

function rowByUuid(row: Json): [string, Json] {
  const { _uuid: uuid, ...columns } = isJsonObject(row) ? row : {};
  if (!isJsonArray(uuid)) throw new FatalError(`row has no UUID: ${canonicalJson(row)}`);
  return [String(uuid[1]), columns as Json];
}

export async function restore(context: ClientContext): Promise<void> {
  const { connection, database, force } = context;
  const snapshot = readSnapshot();
  const { schema } = await connection.schema(database);
  checkSchemas(snapshot.schema, schema, force);
  const symbol = (uuid: string): string => `row${uuid.replaceAll('-', '_')}`;
  const operations: Json[] = [];
  for (const { schema: table, slots } of snapshot.tables.values()) {
    operations.push({ op: 'delete', table: table.name, where: [] });
    for (const { row } of slots.values()) {
      if (row === null || row === undefined) continue;
      const cells: Record<string, Json> = {};
      for (const { name, index, type, ephemeral } of table.columns) {
        const datum = row.cells[index]!;
        if (ephemeral || isDefaultDatum(type, datum)) continue;
        cells[name] = datumToJson(type, datum, symbol);
      }
      operations.push({ op: 'insert', table: table.name, row: cells, 'uuid-name': symbol(row.uuid) });
    }
  }
  const reply = await runRequest(context, 'transact', [snapshot.schema.name, ...operations]);
  for (const result of isJsonArray(reply) ? reply : []) {
    if (isJsonObject(result) && typeof result['error'] === 'string')
      throw new FatalError(`transaction returned error: ${canonicalJson(result)}`);
  }
}

/** The database on standard input. @throws FatalError */
function readSnapshot(): ReturnType<typeof readDatabase> {
  // The reader of database files wants to know where it is in its file, which a pipe does not tell.
  const dir = mkdtempSync(join(tmpdir(), 'ovsdb-client-'));
  const file = join(dir, 'snapshot');
  try {
    writeFileSync(file, plainText(readInput()), { mode: 0o600 });
    return readDatabase(file);
  } catch (error) {
    if (error instanceof OvsdbError) throw new FatalError(error.message.replaceAll(file, STDIN));
    throw new FatalError(`${STDIN}: ${strerror(error)}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function checkSchemas(snapshot: DatabaseSchema, current: DatabaseSchema, force: boolean): void {
  if (schemaEquals(snapshot, current)) return;
  const difference =
    snapshot.version === current.version
      ? `backup schema and database schema are both version ${current.version} but still differ`
      : `backup schema has version "${snapshot.version}" but database schema has version "${current.version}"`;
  if (!force) {
    throw new FatalError(
      `${difference} (use --force to override differences, or "ovsdb-client convert" to change the schema)`,
    );
  }
  vlog('ovsdb_client').info(difference);
}
