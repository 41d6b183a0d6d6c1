/** `ovsdb-client monitor`: prints the rows of a table, then each change, until the server goes away. */
import { FatalError, errorMessage } from '@ovs-node/common/errors';
import { conditionFromJson } from 'ovsdb-client/data/condition';
import { datumFromJson } from 'ovsdb-client/data/datum-json';
import { type Json, isJsonArray, isJsonObject } from 'ovsdb-client/data/json';
import { parseTypedJson } from 'ovsdb-client/data/json-check';
import { ZERO_UUID, parseUuid } from 'ovsdb-client/data/uuid';
import {
  type ColumnSchema,
  type DatabaseSchema,
  type TableSchema,
  VERSION_COLUMN,
  findColumn,
} from 'ovsdb-client/schema';
import { type Cell, formatTable, tableGap } from '../lib/table.js';
import type { ClientContext, Following } from './types.js';

const KINDS = ['initial', 'insert', 'delete', 'modify'] as const;

/** Columns and kinds of changes of one table. */
interface Watched {
  readonly table: TableSchema;
  readonly columns: readonly ColumnSchema[];
  readonly select: Readonly<Record<(typeof KINDS)[number], boolean>>;
  readonly where?: Json;
}

/** `monitor [DATABASE] TABLE [COLUMN,…]…` and `monitor [DATABASE] ALL`. */
export async function monitor(context: ClientContext): Promise<Following> {
  const { connection, database, args } = context;
  const { schema } = await connection.schema(database);
  const [name, ...lists] = args as [string, ...string[]];
  const all = name === 'ALL' && lists.length === 0;
  const tables = all ? [...schema.tables.values()] : [tableNamed(context, schema, name)];
  const watched = tables.map((table) => watch(connection.server, database, table, lists));
  return follow(context, watched, {
    method: 'monitor',
    params: [requestsOf(watched)],
    readReply: (reply) => ({ head: '', updates: reply }),
    update: 'update',
    readUpdate: ([, updates]) => ({ head: '', updates }),
  });
}

/** `monitor-cond [DATABASE] CONDITION TABLE [COLUMN,…]`. */
export async function monitorCond(context: ClientContext): Promise<Following> {
  const watched = await watchCondition(context, context.args);
  return follow(context, [watched], {
    method: 'monitor_cond',
    params: [requestsOf([watched])],
    readReply: (reply) => ({ head: '', updates: reply }),
    update: 'update2',
    readUpdate: ([, updates]) => ({ head: '', updates }),
  });
}

/** `monitor-cond-since [DATABASE] [LAST-ID] CONDITION TABLE [COLUMN,…]…`. */
export async function monitorCondSince(context: ClientContext): Promise<Following> {
  const [first, ...rest] = context.args as [string, ...string[]];
  const lastId = parseUuid(first);
  const watched = await watchCondition(context, lastId === undefined ? context.args : rest);
  return follow(context, [watched], {
    method: 'monitor_cond_since',
    params: [requestsOf([watched]), lastId ?? ZERO_UUID],
    readReply: (reply) => {
      const [found, id, updates] = isJsonArray(reply) ? reply : [];
      return { head: `found: ${String(found)}, last_id: ${String(id)}`, updates };
    },
    update: 'update3',
    readUpdate: ([, id, updates]) => ({ head: `last_id: ${String(id)}`, updates }),
  });
}

/** A kind of monitor: how it is asked for, and where the updates are in what comes. */
interface MonitorKind {
  readonly method: string;
  readonly params: Json[];
  readonly readReply: (reply: Json) => Updates;
  readonly update: string;
  readonly readUpdate: (params: Json[]) => Updates;
}

interface Updates {
  /** A line that stands before the tables. */
  readonly head: string;
  readonly updates: Json | undefined;
}

/** Prints the first contents; then each update, until the connection ends, which is an error. */
async function follow(
  context: ClientContext,
  watched: readonly Watched[],
  kind: MonitorKind,
): Promise<Following> {
  const { connection, database } = context;
  // The reply comes before the updates that follow it, which are printed in the order in which they come.
  let started = false;
  /** Has a table been printed, which the next one is set off from? */
  const seen = { any: false };
  const held: Updates[] = [];
  connection.session.onNotification((method, params) => {
    if (method !== kind.update) return;
    const update = kind.readUpdate(params as Json[]);
    if (started) printUpdates(context, watched, update, false, seen);
    else held.push(update);
  });
  const reply = await connection.request(kind.method, [database, null, ...kind.params]);
  printUpdates(context, watched, kind.readReply(reply), true, seen);
  started = true;
  for (const update of held) printUpdates(context, watched, update, false, seen);
  return { over: connection.lost() };
}

function requestsOf(watched: readonly Watched[]): Json {
  return Object.fromEntries(
    watched.map(({ table, columns, select, where }): [string, Json] => [
      table.name,
      [
        {
          columns: columns.map((column) => column.name),
          select,
          ...(where === undefined ? {} : { where }),
        },
      ],
    ]),
  );
}

function tableNamed(
  { connection, database }: ClientContext,
  schema: DatabaseSchema,
  name: string,
): TableSchema {
  const table = schema.tables.get(name);
  if (table === undefined)
    throw new FatalError(`${connection.server}: ${database} does not have a table named "${name}"`);
  return table;
}

/** What `CONDITION TABLE [COLUMN,…]…` says. @throws FatalError */
async function watchCondition(context: ClientContext, args: readonly string[]): Promise<Watched> {
  const { connection, database } = context;
  const [text, name, ...lists] = args as [string, string, ...string[]];
  const where = parseWhere(text);
  const { schema } = await connection.schema(database);
  const table = schema.tables.get(name);
  if (table === undefined) throw new FatalError(`${database} does not have a table named "${name}"`);
  try {
    conditionFromJson(table, where);
  } catch (error) {
    throw new FatalError(errorMessage(error));
  }
  return { ...watch(connection.server, database, table, lists), where };
}

function parseWhere(text: string): Json {
  let where: Json;
  try {
    where = parseTypedJson(text);
  } catch (error) {
    throw new FatalError(`"${text}": ${errorMessage(error)}`);
  }
  if (!isJsonArray(where)) throw new FatalError(`"${text}": condition is not an array`);
  return where;
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
  { head, updates }: Updates,
  isInitial: boolean,
  seen: { any: boolean },
): void {
  if (!isJsonObject(updates)) return;
  // The line of an update ends with the gap before its table, which there is not in every format.
  if (head !== '') context.print(isInitial ? `${head}\n` : `\n${head}`);
  for (const { table, columns } of watched) {
    const changes = updates[table.name];
    if (!isJsonObject(changes)) continue;
    const rows = Object.entries(changes).flatMap(([uuid, change]) =>
      rowsOf(uuid, change as Json, columns, isInitial),
    );
    if (rows.length === 0) continue;
    if (seen.any) context.print(tableGap(context.style));
    seen.any = true;
    const caption = watched.length > 1 ? { caption: table.name } : {};
    const time = context.timestamp ? { time: new Date() } : {};
    context.print(
      formatTable(
        { ...caption, ...time, columns: ['row', 'action', ...columns.map((column) => column.name)], rows },
        context.style,
      ),
    );
  }
}

/**
 * The lines of one row. `update`: one for what was inserted or deleted, two for a modification (the old values of what
 * changed, and the new). `update2`: one, of a modification what differs.
 */
function rowsOf(uuid: string, change: Json, columns: readonly ColumnSchema[], isInitial: boolean): Cell[][] {
  if (!isJsonObject(change)) return [];
  const cells = (row: Json | undefined): Cell[] =>
    columns.map(({ name, type }) => {
      const value = isJsonObject(row) ? row[name] : undefined;
      return value === undefined
        ? undefined
        : { type, datum: datumFromJson({ ...type, min: 0, max: Infinity }, value) };
    });
  const { old, new: now } = change;
  const kind = KINDS.find((each) => each in change);
  if (kind !== undefined) return [[uuid, kind, ...cells(change[kind])]];
  if (old === undefined) return [[uuid, isInitial ? 'initial' : 'insert', ...cells(now)]];
  if (now === undefined) return [[uuid, 'delete', ...cells(old)]];
  return [
    [uuid, 'old', ...cells(old)],
    ['', 'new', ...cells(now)],
  ];
}
