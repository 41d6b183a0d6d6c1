/** The database commands that every configuration tool has: list, find, get, set, add, remove, clear, create, destroy, wait-until. */
import { FatalError } from '@ovs-node/common/errors';
import type { Atom } from 'ovsdb-client/data/atom';
import { formatAtom } from 'ovsdb-client/data/atom-format';
import {
  type Datum,
  EMPTY_DATUM,
  compareData,
  datumEquals,
  datumExcludes,
  datumIncludes,
  findKey,
  mapDatum,
  scalarDatum,
} from 'ovsdb-client/data/datum';
import { formatDatum, nextToken, parseAtom, parseDatum } from 'ovsdb-client/data/datum-text';
import type { ColumnType } from 'ovsdb-client/data/type';
import type { TableSelection } from 'ovsdb-client/replica/replica';
import { type ColumnSchema, type DatabaseSchema, type TableSchema, UUID_COLUMN } from 'ovsdb-client/schema';
import type { CommandCall, CommandOutput, CtlCommand, LateOutput } from './ctl-command.js';
import {
  type DbContext,
  type RecordName,
  fatally,
  findColumnByName,
  findReadableColumn,
  findTable,
  log,
} from './db-context.js';
import type { Cell } from './table.js';

/** Thrown by a command that has to be tried again when the database has changed. */
export class TryAgain extends Error {}

type Call = CommandCall<DbContext>;

const IF_EXISTS = { name: 'if-exists' } as const;
const COLUMNS = { name: 'columns', arg: 'required' } as const;
const ID = { name: 'id', arg: 'required' } as const;

/** A row of the table below: `columns` are the arguments that begin with the name of a column. */
type DatabaseCommand = Omit<CtlCommand<DbContext>, 'tables'> & {
  readonly columns?: (args: readonly string[]) => readonly string[];
};

const fromThird = (args: readonly string[]): readonly string[] => args.slice(2);
const onlyThird = (args: readonly string[]): readonly string[] => args.slice(2, 3);

/** The commands for a schema whose records may be named in these ways. */
export function databaseCommands(
  schema: DatabaseSchema,
  names: readonly RecordName[],
): CtlCommand<DbContext>[] {
  // Names of tables and columns are looked at before anything runs, or is connected to.
  const tables = (columns: DatabaseCommand['columns'], args: readonly string[]): TableSelection => {
    const table = findTable(schema, args[0] as string);
    for (const text of columns?.(args) ?? []) if (!isUuidColumn(text)) splitArgument(table, text);
    return selectionFor(table, names);
  };
  const rows: DatabaseCommand[] = [
    {
      name: 'comment',
      isChange: false,
      usage: '[ARG]...',
      min: 0,
      max: Infinity,
      run: (context, { args }) => context.transaction.comment(args.join(' ')) as undefined,
    },
    {
      name: 'get',
      columns: fromThird,
      isChange: false,
      usage: 'TABLE RECORD [COLUMN[:KEY]]...',
      min: 2,
      max: Infinity,
      options: [IF_EXISTS, ID],
      run: get,
    },
    {
      name: 'list',
      isChange: false,
      usage: 'TABLE [RECORD]...',
      min: 1,
      max: Infinity,
      options: [IF_EXISTS, COLUMNS],
      run: list,
    },
    {
      name: 'find',
      columns: (args) => args.slice(1),
      isChange: false,
      usage: 'TABLE [COLUMN[:KEY]=VALUE]...',
      min: 1,
      max: Infinity,
      options: [COLUMNS],
      run: find,
    },
    {
      name: 'set',
      columns: fromThird,
      usage: 'TABLE RECORD COLUMN[:KEY]=VALUE...',
      min: 3,
      max: Infinity,
      options: [IF_EXISTS],
      run: set,
    },
    {
      name: 'add',
      columns: onlyThird,
      usage: 'TABLE RECORD COLUMN [KEY=]VALUE...',
      min: 4,
      max: Infinity,
      options: [IF_EXISTS],
      run: add,
    },
    {
      name: 'remove',
      columns: onlyThird,
      usage: 'TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...',
      min: 4,
      max: Infinity,
      options: [IF_EXISTS],
      run: remove,
    },
    {
      name: 'clear',
      columns: fromThird,
      usage: 'TABLE RECORD COLUMN...',
      min: 3,
      max: Infinity,
      options: [IF_EXISTS],
      run: clear,
    },
    {
      name: 'create',
      usage: 'TABLE COLUMN[:KEY]=VALUE...',
      min: 2,
      max: Infinity,
      options: [ID],
      run: create,
    },
    {
      name: 'destroy',
      usage: 'TABLE [RECORD]...',
      min: 1,
      max: Infinity,
      options: [IF_EXISTS, { name: 'all' }],
      run: destroy,
    },
    {
      name: 'wait-until',
      columns: fromThird,
      isChange: false,
      usage: 'TABLE RECORD [COLUMN[:KEY]=VALUE]...',
      min: 2,
      max: Infinity,
      run: waitUntil,
    },
  ];
  return rows.map(({ columns, ...row }) =>
    row.name === 'comment' ? row : { ...row, tables: (args) => tables(columns, args) },
  );
}

function selectionFor(table: TableSchema, names: readonly RecordName[]): TableSelection {
  const selection: Record<string, '*' | string[]> = {};
  for (const { table: named, nameTable, nameColumn, refColumn } of names) {
    if (named !== table.name || nameTable === undefined || nameTable === table.name) continue;
    selection[nameTable] = [nameColumn as string, ...(refColumn === undefined ? [] : [refColumn])];
  }
  selection[table.name] = '*';
  return selection;
}

interface Argument {
  readonly column: ColumnSchema;
  readonly key: string | undefined;
  readonly rest: string;
}

/** `_uuid` is no column of a table: where one is read, it has to be written out. */
function isUuidColumn(text: string): boolean {
  return text.toLowerCase() === '_uuid';
}

/** `COLUMN[:KEY]REST`. */
function splitArgument(table: TableSchema, text: string): Argument {
  const name = fatally(() => nextToken(text, 0));
  if (name.token === '' || /^[:=, [\]{}!<>]$/.test(name.token))
    throw new FatalError(`${text}: missing column name`);
  const column = findColumnByName(table, name.token);
  if (text[name.end] !== ':') return { column, key: undefined, rest: text.slice(name.end) };
  const key = fatally(() => nextToken(text, name.end + 1));
  return { column, key: key.token, rest: text.slice(key.end) };
}

const SET_OPERATORS = ['{=}', '{!=}', '{<}', '{>}', '{<=}', '{>=}', '{in}', '{not-in}'] as const;
const OPERATORS = ['=', '!=', '<', '>', '<=', '>=', ...SET_OPERATORS] as const;
type Operator = (typeof OPERATORS)[number];

function splitOperator(
  text: string,
  rest: string,
  allowed: readonly Operator[],
): { operator: Operator; value: string } {
  const operator = allowed.filter((each) => rest.startsWith(each)).sort((a, b) => b.length - a.length)[0];
  const value = operator === undefined ? '' : rest.slice(operator.length);
  if (operator !== undefined && value !== '') return { operator, value };
  const words = allowed.map((each) => `"${each}"`);
  const list = words.length === 1 ? words[0] : `${words.slice(0, -1).join(', ')}, or ${words.at(-1)}`;
  throw new FatalError(`${text}: argument does not end in ${list} followed by a value.`);
}

const anySize = (type: ColumnType): ColumnType => ({ ...type, min: 0, max: Infinity });

function checkMutable(table: TableSchema, column: ColumnSchema): void {
  if (!column.mutable)
    throw new FatalError(`cannot modify read-only column ${column.name} in table ${table.name}`);
}

function get(context: DbContext, { args, options }: Call): CommandOutput {
  const [tableName, recordName, ...columns] = args as [string, string, ...string[]];
  const table = context.table(tableName);
  const mayBeAbsent = options.has('if-exists');
  const id = options.get('id');
  if (id !== undefined && mayBeAbsent)
    throw new FatalError('--if-exists and --id may not be specified together');
  const parsed = columns.map((text) => {
    const argument = isUuidColumn(text)
      ? { column: UUID_COLUMN, key: undefined, rest: '' }
      : splitArgument(table, text);
    if (argument.key !== undefined && argument.column.type.value === undefined) {
      throw new FatalError(`cannot specify key to get for non-map column ${argument.column.name}`);
    }
    if (argument.rest !== '')
      throw new FatalError(`${text}: trailing garbage "${argument.rest}" in argument`);
    return argument;
  });
  const row = context.record(table, recordName, mayBeAbsent);
  if (row === undefined) return '';
  if (id !== undefined) defineId(context, id, row.uuid);
  return parsed
    .map(({ column, key }) => {
      const datum = context.datum(table, row.uuid, column);
      if (key === undefined) return `${formatDatum(column.type, datum)}\n`;
      const atom = fatally(() => parseAtom(column.type.key, key));
      const index = findKey(datum.keys, atom);
      if (index >= 0) return `${formatAtom(column.type.value!.type, datum.values[index] as Atom)}\n`;
      if (mayBeAbsent) return '\n';
      throw new FatalError(`no key "${key}" in ${table.name} record "${recordName}" column ${column.name}`);
    })
    .join('');
}

function defineId(context: DbContext, id: string, uuid: string): void {
  if (!id.startsWith('@')) throw new FatalError(`row id "${id}" does not begin with "@"`);
  const known = context.symbols.symbols.get(id);
  if (known?.created === true)
    throw new FatalError(`row id "${id}" may only be specified on one --id option`);
  context.symbols.define(id, uuid);
}

function columnsOf(table: TableSchema, list: string | undefined): ColumnSchema[] {
  if (list === undefined) return [UUID_COLUMN, ...table.columns];
  const names = list.split(/[, ]+/).filter((name) => name !== '');
  if (names.length === 0) throw new FatalError('must specify at least one column name');
  return names.map((name) => findReadableColumn(table, name));
}

function tableOf(
  context: DbContext,
  table: TableSchema,
  columns: readonly ColumnSchema[],
  uuids: readonly string[],
): CommandOutput {
  const cells = (uuid: string): Cell[] =>
    columns.map((column) => ({ type: column.type, datum: context.datum(table, uuid, column) }));
  return { columns: columns.map((column) => column.name), rows: uuids.map(cells) };
}

function list(context: DbContext, { args, options }: Call): CommandOutput {
  const table = context.table(args[0] as string);
  const columns = columnsOf(table, options.get('columns'));
  const records = args.slice(1);
  const mayBeAbsent = options.has('if-exists');
  const rows =
    records.length === 0
      ? [...context.transaction.rows(table.name)]
      : records.map((name) => context.record(table, name, mayBeAbsent)).filter((row) => row !== undefined);
  return tableOf(
    context,
    table,
    columns,
    rows.map((row) => row.uuid),
  );
}

function find(context: DbContext, { args, options }: Call): CommandOutput {
  const table = context.table(args[0] as string);
  const columns = columnsOf(table, options.get('columns'));
  const conditions = args.slice(1).map((text) => parseCondition(context, table, text));
  const rows = [...context.transaction.rows(table.name)].filter((row) =>
    conditions.every((holds) => holds(row.uuid)),
  );
  return tableOf(
    context,
    table,
    columns,
    rows.map((row) => row.uuid),
  );
}

/** `COLUMN[:KEY]OPERATOR VALUE` as a test of a record. */
function parseCondition(context: DbContext, table: TableSchema, text: string): (uuid: string) => boolean {
  const { column, key, rest } = splitArgument(table, text);
  const { operator, value } = splitOperator(text, rest, OPERATORS);
  if (key === undefined) {
    const wanted = fatally(() => parseDatum(column.type, value, context.symbols));
    return (uuid) => compare(operator, context.datum(table, uuid, column), wanted);
  }
  const valueType = column.type.value;
  if (valueType === undefined)
    throw new FatalError(`cannot specify key to check for non-map column ${column.name}`);
  const keyAtom = fatally(() => parseAtom(column.type.key, key));
  const type: ColumnType = { ...column.type, key: valueType, value: undefined };
  const wanted = fatally(() => parseDatum(type, value, context.symbols));
  const isSetOperator = (SET_OPERATORS as readonly string[]).includes(operator);
  return (uuid) => {
    const map = context.datum(table, uuid, column);
    const index = findKey(map.keys, keyAtom);
    if (index < 0 && !isSetOperator) return false;
    return compare(operator, index < 0 ? EMPTY_DATUM : scalarDatum(map.values[index] as Atom), wanted);
  };
}

function compare(operator: Operator, have: Datum, wanted: Datum): boolean {
  switch (operator) {
    case '=':
    case '{=}':
      return datumEquals(have, wanted);
    case '!=':
    case '{!=}':
      return !datumEquals(have, wanted);
    case '<':
      return compareData(have, wanted) < 0;
    case '>':
      return compareData(have, wanted) > 0;
    case '<=':
      return compareData(have, wanted) <= 0;
    case '>=':
      return compareData(have, wanted) >= 0;
    case '{<}':
      return have.keys.length < wanted.keys.length && datumIncludes(wanted, have);
    case '{>}':
      return have.keys.length > wanted.keys.length && datumIncludes(have, wanted);
    case '{<=}':
    case '{in}':
      return datumIncludes(wanted, have);
    case '{>=}':
      return datumIncludes(have, wanted);
    case '{not-in}':
      return datumExcludes(wanted, have);
  }
}

function assign(context: DbContext, table: TableSchema, uuid: string, text: string): void {
  const { column, key, rest } = splitArgument(table, text);
  if (!context.transaction.isNew(uuid)) checkMutable(table, column);
  const valueType = column.type.value;
  if (key !== undefined && valueType === undefined)
    throw new FatalError(`cannot specify key to set for non-map column ${column.name}`);
  const { value } = splitOperator(text, rest, ['=']);
  if (key === undefined) {
    const datum = fatally(() => parseDatum(column.type, value, context.symbols));
    context.transaction.set(table.name, uuid, column.name, datum);
    return;
  }
  const pair = fatally(
    () => [parseAtom(column.type.key, key), parseAtom(valueType!, value, context.symbols)] as const,
  );
  context.transaction.addTo(table.name, uuid, column.name, mapDatum([pair]));
}

/** Sets columns of a record from `COLUMN[:KEY]=VALUE` texts. @throws FatalError */
export function setColumns(context: DbContext, table: string, uuid: string, texts: readonly string[]): void {
  const schema = context.table(table);
  for (const text of texts) assign(context, schema, uuid, text);
}

function set(context: DbContext, { args, options }: Call): CommandOutput {
  const [tableName, recordName, ...texts] = args as [string, string, ...string[]];
  const table = context.table(tableName);
  const row = context.record(table, recordName, options.has('if-exists'));
  if (row !== undefined) setColumns(context, table.name, row.uuid, texts);
  return undefined;
}

/** Runs `change` for each value of `TABLE RECORD COLUMN VALUE...`. @throws FatalError */
function forEachValue(
  context: DbContext,
  { args, options }: Call,
  change: (table: string, uuid: string, column: ColumnSchema, text: string) => void,
): undefined {
  const [tableName, recordName, columnName, ...texts] = args as [string, string, string, ...string[]];
  const table = context.table(tableName);
  const column = context.column(table, columnName);
  checkMutable(table, column);
  const row = context.record(table, recordName, options.has('if-exists'));
  if (row !== undefined) for (const text of texts) change(table.name, row.uuid, column, text);
  return undefined;
}

function add(context: DbContext, call: Call): CommandOutput {
  return forEachValue(context, call, (table, uuid, column, text) => {
    const part = fatally(() => parseDatum(anySize(column.type), text, context.symbols));
    context.transaction.addTo(table, uuid, column.name, part, false);
  });
}

function remove(context: DbContext, call: Call): CommandOutput {
  return forEachValue(context, call, (table, uuid, column, text) => {
    context.transaction.removeFrom(table, uuid, column.name, parsePart(context, column, text));
  });
}

/** What `remove` takes: elements of a set; of a map pairs or, where a text has no pairs, keys. */
function parsePart(context: DbContext, column: ColumnSchema, text: string): Datum {
  const keysOnly: ColumnType = { key: column.type.key, min: 0, max: Infinity };
  if (column.type.value === undefined) return fatally(() => parseDatum(keysOnly, text, context.symbols));
  try {
    return parseDatum(anySize(column.type), text, context.symbols);
  } catch {
    return fatally(() => parseDatum(keysOnly, text, context.symbols));
  }
}

function clear(context: DbContext, { args, options }: Call): CommandOutput {
  const [tableName, recordName, ...columns] = args as [string, string, ...string[]];
  const table = context.table(tableName);
  const row = context.record(table, recordName, options.has('if-exists'));
  if (row === undefined) return undefined;
  for (const name of columns) {
    const column = context.column(table, name);
    checkMutable(table, column);
    if (column.type.min > 0) {
      throw new FatalError(
        `"clear" operation cannot be applied to column ${column.name} of table ${table.name}, which is not allowed to be empty`,
      );
    }
    context.transaction.set(table.name, row.uuid, column.name, EMPTY_DATUM);
  }
  return undefined;
}

function create(context: DbContext, { args, options }: Call): LateOutput {
  const [tableName, ...texts] = args as [string, ...string[]];
  const table = context.table(tableName);
  const id = options.get('id');
  if (id === undefined && !table.isRoot) {
    log.warn(`applying "create" command to table ${table.name} without --id option will have no effect`);
  }
  const { transaction } = context;
  const known = id === undefined ? undefined : context.symbols.symbols.get(id);
  if (known?.created === true)
    throw new FatalError(`row id "${id}" may only be specified on one --id option`);
  // A reference may have come before: the row takes the UUID that it was given then.
  const uuid = transaction.insert(table.name, known?.uuid);
  if (id !== undefined) {
    if (known === undefined) defineId(context, id, uuid);
    else known.created = true;
    context.created.set(uuid, table.name);
  }
  setColumns(context, table.name, uuid, texts);
  return () => `${transaction.insertedUuid(uuid) ?? uuid}\n`;
}

function destroy(context: DbContext, { args, options }: Call): CommandOutput {
  const [tableName, ...records] = args as [string, ...string[]];
  const table = context.table(tableName);
  const all = options.has('all');
  if (all && (options.has('if-exists') || records.length > 0)) {
    throw new FatalError(
      records.length > 0
        ? '--all and records argument should not be specified together'
        : '--all and --if-exists should not be specified together',
    );
  }
  const rows = all
    ? [...context.transaction.rows(table.name)]
    : records.map((name) => context.record(table, name, options.has('if-exists')));
  for (const row of rows) if (row !== undefined) context.transaction.delete(table.name, row.uuid);
  return undefined;
}

function waitUntil(context: DbContext, { args }: Call): CommandOutput {
  const [tableName, recordName, ...texts] = args as [string, string, ...string[]];
  const table = context.table(tableName);
  const conditions = texts.map((text) => parseCondition(context, table, text));
  const row = context.record(table, recordName, true);
  if (row === undefined || !conditions.every((holds) => holds(row.uuid))) throw new TryAgain();
  return undefined;
}
