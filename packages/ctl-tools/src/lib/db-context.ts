/**
 * What the database commands (get, set, list, …) stand on: tables, columns and records by the names that users give
 * them. It knows no particular schema; a tool says by which columns its records may be named.
 */
import { FatalError } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { SymbolTable } from 'ovsdb-client/data/atom';
import { EMPTY_DATUM, type Datum, scalarDatum } from 'ovsdb-client/data/datum';
import { OvsdbError } from 'ovsdb-client/data/error';
import type { Row } from 'ovsdb-client/data/row';
import { isPartialUuid, parseUuid } from 'ovsdb-client/data/uuid';
import type { Replica } from 'ovsdb-client/replica/replica';
import { type ColumnSchema, type DatabaseSchema, type TableSchema, UUID_COLUMN } from 'ovsdb-client/schema';
import type { Transaction } from 'ovsdb-client/transaction';

export const log = vlog('db_ctl_base');

/** A way to name a record of `table`: by a column of its own, of another table that refers to it, or as `.`. */
export interface RecordName {
  readonly table: string;
  /** The table whose `column` holds the name; absent where help shows `.`, the only record (of any table). */
  readonly nameTable?: string;
  readonly nameColumn?: string;
  /** The column of `nameTable` that refers to the record; absent when `nameTable` is `table`. */
  readonly refColumn?: string;
}

export class DbContext {
  readonly replica: Replica;
  readonly transaction: Transaction;
  readonly symbols = new SymbolTable();
  /** Rows that commands inserted, for the check that somebody refers to them. */
  readonly created = new Map<string, string>();
  readonly #names: readonly RecordName[];

  constructor(replica: Replica, transaction: Transaction, names: readonly RecordName[]) {
    this.replica = replica;
    this.transaction = transaction;
    this.#names = names;
  }

  get schema(): DatabaseSchema {
    return this.replica.schema as DatabaseSchema;
  }

  /** The table a user means. @throws FatalError */
  table(name: string): TableSchema {
    return findTable(this.schema, name);
  }

  /** The column a user means. @throws FatalError */
  column(table: TableSchema, name: string): ColumnSchema {
    return findColumnByName(table, name);
  }

  /** The value of a column of a record, `_uuid` included. */
  datum(table: TableSchema, uuid: string, column: ColumnSchema): Datum {
    if (column === UUID_COLUMN) return scalarDatum(uuid);
    return this.transaction.get(table.name, uuid)?.cells[column.index] ?? EMPTY_DATUM;
  }

  /** The record a user means. @throws FatalError when there is none (unless `mayBeAbsent`), or several. */
  record(table: TableSchema, name: string): Row;
  record(table: TableSchema, name: string, mayBeAbsent: boolean): Row | undefined;
  record(table: TableSchema, name: string, mayBeAbsent = false): Row | undefined {
    const row = this.#find(table, name);
    if (row === undefined && !mayBeAbsent) throw new FatalError(`no row "${name}" in table ${table.name}`);
    return row;
  }

  #find(table: TableSchema, name: string): Row | undefined {
    if (name.startsWith('@')) {
      const symbol = this.symbols.symbols.get(name);
      if (symbol?.created === true) return this.transaction.get(table.name, symbol.uuid);
    }
    const uuid = parseUuid(name);
    if (uuid !== undefined) {
      const row = this.transaction.get(table.name, uuid);
      if (row !== undefined) return row;
    }
    if (name === '.') {
      const rows = [...this.transaction.rows(table.name)];
      if (rows.length === 1) return rows[0];
    }
    for (const way of this.#names) {
      if (way.table !== table.name) continue;
      const row = this.#findBy(table, way, name);
      if (row !== undefined) return row;
    }
    return uuid === undefined && isPartialUuid(name) ? this.#findPartial(table, name) : undefined;
  }

  #findBy(table: TableSchema, way: RecordName, name: string): Row | undefined {
    if (way.nameTable === undefined) return undefined;
    const nameTable = this.schema.tables.get(way.nameTable);
    const nameColumn = nameTable?.columnByName.get(way.nameColumn as string);
    if (nameTable === undefined || nameColumn === undefined) return undefined;
    let found: Row | undefined;
    for (const row of this.transaction.rows(nameTable.name)) {
      const value = row.cells[nameColumn.index] as Datum;
      if (value.keys.length !== 1 || String(value.keys[0]) !== name) continue;
      if (found !== undefined) throw new FatalError(`multiple rows in ${table.name} match "${name}"`);
      found = row;
    }
    if (found === undefined || way.refColumn === undefined) return found;
    const refColumn = nameTable.columnByName.get(way.refColumn) as ColumnSchema;
    const targets = (found.cells[refColumn.index] as Datum).keys;
    return targets.length === 1 ? this.transaction.get(table.name, targets[0] as string) : undefined;
  }

  #findPartial(table: TableSchema, name: string): Row | undefined {
    const matches = [...this.transaction.rows(table.name)].filter((row) =>
      row.uuid.startsWith(name.toLowerCase()),
    );
    if (matches.length > 1) throw new FatalError(`multiple rows in ${table.name} match "${name}"`);
    return matches[0];
  }

  /** After all commands have run: every `@name` that was used has to be a row's. @throws FatalError */
  checkSymbols(): void {
    for (const [name, symbol] of this.symbols.symbols) {
      if (!symbol.created) {
        throw new FatalError(
          `row id "${name}" is referenced but never created (e.g. with "-- --id=${name} create ...")`,
        );
      }
      const table = this.created.get(symbol.uuid);
      if (table === undefined || this.schema.tables.get(table)?.isRoot === true) continue;
      if (!symbol.strongRef) {
        const what = symbol.weakRef
          ? 'but only a weak reference to it was inserted'
          : 'but no reference to it was inserted';
        vlog('vsctl').warn(
          `row id "${name}" was created ${what}, so it will not actually appear in the database`,
        );
      }
    }
  }
}

/** How well `name` fits `text`: 0 not at all; case is ignored, `-` and `_` are one; a prefix is an abbreviation. */
function score(text: string, name: string): number {
  const fold = (each: string): string => each.toLowerCase().replaceAll('-', '_');
  const [a, b] = [fold(text), fold(name)];
  if (a === b) return Infinity;
  return a.startsWith(b) ? b.length : 0;
}

/** Those of the candidates that fit best, by name. */
function best<T extends { readonly name: string }>(candidates: Iterable<T>, name: string): T[] {
  let found: T[] = [];
  let top = 1;
  for (const each of candidates) {
    const points = score(each.name, name);
    if (points > top) found = [];
    if (points >= top) found.push(each);
    top = Math.max(top, points);
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const namesOf = (found: readonly { readonly name: string }[]): string =>
  found.map((each) => each.name).join(', ');

/** The table that a user's word names. @throws FatalError */
export function findTable(schema: DatabaseSchema, name: string): TableSchema {
  const found = best(schema.tables.values(), name);
  if (found.length === 0) throw new FatalError(`unknown table "${name}"`);
  if (found.length > 1) throw new FatalError(`"${name}" matches multiple table names: ${namesOf(found)}`);
  return found[0] as TableSchema;
}

/** The column that a user's word names. @throws FatalError */
export function findColumnByName(table: TableSchema, name: string): ColumnSchema {
  return chooseColumn(table, table.columns, name);
}

/** As `findColumnByName` where a column is only read, and `_uuid` is one more. @throws FatalError */
export function findReadableColumn(table: TableSchema, name: string): ColumnSchema {
  return chooseColumn(table, [UUID_COLUMN, ...table.columns], name);
}

function chooseColumn(table: TableSchema, columns: readonly ColumnSchema[], name: string): ColumnSchema {
  const found = best(columns, name);
  if (found.length === 0)
    throw new FatalError(`${table.name} does not contain a column whose name matches "${name}"`);
  if (found.length > 1) {
    throw new FatalError(
      `${table.name} contains more than one column whose name matches "${name}": ${namesOf(found)}`,
    );
  }
  return found[0] as ColumnSchema;
}

/** Runs `work`, turning an error of the data model into one of the tool's, which prints as the peer's does. */
export function fatally<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof OvsdbError) throw new FatalError(error.message);
    throw error;
  }
}
