/** `ovsdb-client monitor`: prints the rows of a table, then each change, until the server goes away. */
import { FatalError } from '@ovs-node/common/errors';
import { datumFromJson } from 'ovsdb-client/data/datum-json';
import { type Json, isJsonObject } from 'ovsdb-client/data/json';
import { type ColumnSchema, type TableSchema, VERSION_COLUMN, findColumn } from 'ovsdb-client/schema';
import { type Cell, formatTable } from '../lib/table.js';
import type { ClientContext } from './client.js';

const KINDS = ['initial', 'insert', 'delete', 'modify'] as const;

/** Columns and kinds of changes of one table. */
interface Watched {
  readonly table: TableSchema;
  readonly columns: readonly ColumnSchema[];
  readonly select: Readonly<Record<(typeof KINDS)[number], boolean>>;
}

export async function monitor(context: ClientContext): Promise<void> {
  const { connection, database, args } = context;
  const { schema } = await connection.schema(database);
  const [name, ...lists] = args as [string, ...string[]];
  const tables =
    name === 'ALL' && lists.length === 0 ? [...schema.tables.values()] : [schema.tables.get(name)];
  const watched = tables.map((table) => {
    if (table === undefined)
      throw new FatalError(`${connection.server}: ${database} does not have a table named "${name}"`);
    return watch(connection.server, database, table, lists);
  });
  const requests = Object.fromEntries(
    watched.map(({ table, columns, select }): [string, Json] => [
      table.name,
      [{ columns: columns.map((column) => column.name), select }],
    ]),
  );
  // The reply comes before the updates that follow it, which are printed in the order in which they come.
  let started = false;
  const held: Json[] = [];
  connection.session.onNotification((method, params) => {
    if (method !== 'update') return;
    const update = (params as Json[])[1] ?? {};
    if (started) printUpdates(context, watched, update, false);
    else held.push(update);
  });
  printUpdates(context, watched, await connection.request('monitor', [database, null, requests]), true);
  started = true;
  for (const update of held) printUpdates(context, watched, update, false);
  const reason = await connection.closed();
  throw new FatalError(`${connection.server}: receive failed (${reason.message})`);
}

function watch(server: string, database: string, table: TableSchema, lists: readonly string[]): Watched {
  const words = lists.flatMap((list) => list.split(',')).filter((word) => word !== '');
  const refused = words.filter((word) => word.startsWith('!')).map((word) => word.slice(1));
  const names = words.filter((word) => !word.startsWith('!'));
  const columns =
    names.length === 0
      ? [...table.columns, VERSION_COLUMN]
      : names.map((name) => {
          const column = findColumn(table, name);
          if (column !== undefined) return column;
          throw new FatalError(
            `${server}: table "${table.name}" in ${database} does not have a column named "${name}"`,
          );
        });
  const select = Object.fromEntries(
    KINDS.map((kind) => [kind, !refused.includes(kind)]),
  ) as Watched['select'];
  return { table, columns, select };
}

function printUpdates(
  context: ClientContext,
  watched: readonly Watched[],
  updates: Json,
  isInitial: boolean,
): void {
  if (!isJsonObject(updates)) return;
  let first = isInitial;
  for (const { table, columns } of watched) {
    const changes = updates[table.name];
    if (!isJsonObject(changes)) continue;
    const rows = Object.entries(changes).flatMap(([uuid, change]) =>
      rowsOf(uuid, change as Json, columns, isInitial),
    );
    if (rows.length === 0) continue;
    if (!first) context.print('\n');
    first = false;
    const style = watched.length > 1 ? { caption: table.name } : {};
    context.print(
      formatTable(
        { ...style, columns: ['row', 'action', ...columns.map((column) => column.name)], rows },
        context.style,
      ),
    );
  }
}

/** One line for what was inserted or deleted, two for a modification: the old values of what changed, and the new. */
function rowsOf(uuid: string, change: Json, columns: readonly ColumnSchema[], isInitial: boolean): Cell[][] {
  if (!isJsonObject(change)) return [];
  const cells = (row: Json | undefined): Cell[] =>
    columns.map(({ name, type }) => {
      const value = isJsonObject(row) ? row[name] : undefined;
      return value === undefined
        ? ''
        : { type, datum: datumFromJson({ ...type, min: 0, max: Infinity }, value) };
    });
  const { old, new: now } = change;
  if (old === undefined) return [[uuid, isInitial ? 'initial' : 'insert', ...cells(now)]];
  if (now === undefined) return [[uuid, 'delete', ...cells(old)]];
  return [
    [uuid, 'old', ...cells(old)],
    ['', 'new', ...cells(now)],
  ];
}
