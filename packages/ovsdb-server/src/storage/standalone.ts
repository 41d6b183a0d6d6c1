/**
 * Database files of the standalone model: created, loaded, kept up to date, compacted.
 *
 * Loading replays the records into one big transaction that is committed silently at the end, so that references,
 * indexes and limits of the result are checked once, by the same code as always.
 */
import type { Clock } from '@ovs-node/common/clock';
import { ERROR_TAGS, OvsdbError } from 'ovsdb-client/data/error';
import { parseJson, stringifyJson } from 'ovsdb-client/data/json';
import { type Row, defaultCells } from 'ovsdb-client/data/row';
import { type DatabaseSchema, type TableSchema, schemaFromJson, schemaToJson } from 'ovsdb-client/schema';
import { Database } from '../database/database.js';
import type { Table } from '../database/table.js';
import { Transaction } from '../transact/transaction.js';
import { LogFile, createLog } from './log-file.js';
import { LogReader, MAGIC_STANDALONE } from './log-reader.js';
import { type RecordTarget, applyRecord, recordText, snapshotParts, snapshotText } from './record.js';

/** The record that a log starts with. */
export function schemaRecord(schema: DatabaseSchema): string {
  return stringifyJson(schemaToJson(schema));
}

/** Creates an empty database file. Throws `OvsdbError` when it exists or cannot be made. */
export function createDatabaseFile(file: string, schema: DatabaseSchema, name: string = file): void {
  createLog(file, [schemaRecord(schema)], name);
}

/** Opens a log for reading and checks that it is of the standalone model. Throws `OvsdbError`. */
export function openForReading(file: string): LogReader {
  const reader = LogReader.open(file);
  if (reader.magic !== MAGIC_STANDALONE) {
    reader.close();
    throw new OvsdbError(ERROR_TAGS.ovsdb, `${file}: cannot apply this operation to clustered database file`);
  }
  return reader;
}

/** The schema of a database file. Throws `OvsdbError`. */
export function readSchema(file: string): DatabaseSchema {
  const reader = openForReading(file);
  try {
    return firstSchema(reader);
  } finally {
    reader.close();
  }
}

/** The schema record, which must come next. Throws `OvsdbError`. */
export function firstSchema(reader: LogReader): DatabaseSchema {
  const record = reader.next();
  if (record === undefined)
    throw new OvsdbError(ERROR_TAGS.io, `${reader.name}: database file contains no schema`);
  return schemaFromJson(record.json);
}

/** Collects records into a transaction. */
class Loader implements RecordTarget {
  readonly database: Database;
  readonly transaction: Transaction;

  constructor(schema: DatabaseSchema) {
    this.database = new Database(schema);
    this.transaction = new Transaction(this.database);
  }

  #table(table: TableSchema): Table {
    return this.database.tables.get(table.name)!;
  }

  table(name: string): TableSchema | undefined {
    return this.database.schema.tables.get(name);
  }

  row(table: TableSchema, uuid: string): Row | undefined {
    return this.#table(table).get(uuid);
  }

  put(table: TableSchema, uuid: string, cells: Row['cells']): void {
    const slot = this.#table(table).slots.get(uuid);
    if (slot === undefined) this.transaction.insert(this.#table(table), uuid, cells);
    else this.transaction.update(slot, cells);
  }

  remove(table: TableSchema, uuid: string): void {
    this.transaction.delete(this.#table(table).slots.get(uuid)!);
  }

  defaults(table: TableSchema): Row['cells'] {
    return defaultCells(table);
  }

  finish(): Database {
    this.transaction.commit(true);
    return this.database;
  }
}

/**
 * Loads a database for reading only. With `schema`, the rows are read into that schema instead of the file's own
 * (conversion: unknown tables and columns are dropped). A damaged record is an error here. Throws `OvsdbError`.
 */
export function readDatabase(file: string, schema?: DatabaseSchema): Database {
  const reader = openForReading(file);
  try {
    const own = firstSchema(reader);
    const loader = new Loader(schema ?? own);
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      applyRecord(loader, record.json, schema !== undefined);
    }
    return loader.finish();
  } finally {
    reader.close();
  }
}

/**
 * When a log is compacted by itself: not within ten minutes of the last time, nor before a hundred commits; then
 * when it is large and has doubled, or after a day.
 */
const COMPACT_MIN_BYTES = 10 * 1024 * 1024;
const COMPACT_GROWTH = 2;
const COMPACT_MIN_COMMITS = 100;
const COMPACT_MIN_INTERVAL_MS = 10 * 60 * 1000;
const COMPACT_MAX_INTERVAL_MS = 24 * 60 * 60 * 1000;
/** After a compaction that failed. */
const COMPACT_RETRY_MS = 60 * 1000;

export interface FileDatabaseOptions {
  /** What records are dated by is `wall`; how long ago something was, `now` tells, which nobody sets back. */
  readonly clock: Pick<Clock, 'now' | 'wall'>;
  /** Told when the file is damaged; the good part is in use. */
  readonly onDamage: (error: OvsdbError) => void;
  /** Write whole values instead of differences, for readers that do not know differences. */
  readonly noDiff?: boolean;
  /** What stands for the file in errors. */
  readonly name?: string;
}

/** A database with its file: every commit is appended. */
export class FileDatabase {
  database: Database;
  readonly file: string;
  readonly #log: LogFile;
  readonly #options: FileDatabaseOptions;
  #lastCompaction: number;
  #compacting: Promise<void> | undefined;

  private constructor(database: Database, file: string, log: LogFile, options: FileDatabaseOptions) {
    this.database = database;
    this.file = file;
    this.#log = log;
    this.#options = options;
    this.#lastCompaction = options.clock.now();
    this.#bind(database);
  }

  #bind(database: Database): void {
    const { clock, noDiff } = this.#options;
    database.persist = (delta, info) => {
      const text = recordText(delta, { date: clock.wall(), comment: info.comment }, noDiff !== true);
      if (text !== undefined) this.#log.append(text);
    };
    database.sync = () => this.#log.sync();
  }

  /**
   * Converts to another schema: the rows are read into it, the log is replaced, and `database` is a new object.
   * Throws `OvsdbError`; then nothing changed.
   */
  convert(schema: DatabaseSchema): Database {
    const date = this.#options.clock.wall();
    this.#log.abandonRewrite();
    const loader = new Loader(schema);
    const snapshot = snapshotText(tablesWithRows(this.database), { date });
    if (snapshot !== undefined) applyRecord(loader, parseJson(snapshot), true);
    const converted = loader.finish();
    this.#log.replace(snapshotRecords(converted, date, 'converted by ovsdb-server'));
    this.database.persist = undefined;
    this.database = converted;
    this.#bind(converted);
    return converted;
  }

  /** Locks and loads `file`. Throws `OvsdbError`. */
  static open(file: string, options: FileDatabaseOptions): FileDatabase {
    let loader: Loader | undefined;
    const log = LogFile.open(
      file,
      (record) => {
        if (loader === undefined) loader = new Loader(schemaFromJson(record.json));
        else applyRecord(loader, record.json);
      },
      options.onDamage,
      options.name ?? file,
    );
    if (loader === undefined) {
      void log.close();
      throw new OvsdbError(ERROR_TAGS.io, `${options.name ?? file}: database file contains no schema`);
    }
    try {
      return new FileDatabase(loader.finish(), file, log, options);
    } catch (error) {
      void log.close();
      throw error;
    }
  }

  /** Bytes of the log. */
  get size(): number {
    return this.#log.size;
  }

  /** Is a compaction due? */
  shouldCompact(): boolean {
    if (this.#compacting !== undefined) return false;
    const { size, baseSize, recordCount } = this.#log;
    if (recordCount < COMPACT_MIN_COMMITS) return false;
    const elapsed = this.#options.clock.now() - this.#lastCompaction;
    if (elapsed < COMPACT_MIN_INTERVAL_MS) return false;
    if (elapsed >= COMPACT_MAX_INTERVAL_MS) return true;
    return size >= COMPACT_MIN_BYTES && size >= baseSize * COMPACT_GROWTH;
  }

  /**
   * Rewrites the log as one snapshot while commits go on. Rejects with `OvsdbError`; the old log then stays. A call
   * while one is under way waits for that one.
   */
  compact(comment = 'compacting database online'): Promise<void> {
    this.#compacting ??= this.#compact(comment).finally(() => {
      this.#compacting = undefined;
    });
    return this.#compacting;
  }

  /** Resolves when the compaction under way is over, whether it succeeded or not; at once when there is none. */
  async compacted(): Promise<void> {
    await this.#compacting?.catch(() => {});
  }

  async #compact(comment: string): Promise<void> {
    const { clock } = this.#options;
    const now = clock.now();
    this.#lastCompaction = now - COMPACT_MIN_INTERVAL_MS + COMPACT_RETRY_MS;
    const { database } = this;
    const snapshot = snapshotParts(rowsAtOnce(database), { date: clock.wall(), comment });
    await this.#log.rewrite(schemaRecord(database.schema), snapshot);
    this.#lastCompaction = now;
  }

  /** Ends a compaction under way, waits for running syncs, closes the file. */
  async close(): Promise<void> {
    this.#log.abandonRewrite();
    await this.#compacting?.catch(() => {});
    await this.#log.close();
  }
}

/** The records of a compacted log. */
export function snapshotRecords(database: Database, date: number, comment: string): string[] {
  const records = [schemaRecord(database.schema)];
  const snapshot = snapshotText(tablesWithRows(database), { date, comment });
  if (snapshot !== undefined) records.push(snapshot);
  return records;
}

function* tablesWithRows(database: Database): Generator<readonly [TableSchema, Iterable<Row>]> {
  for (const table of database.tables.values()) yield [table.schema, rowsOf(table)];
}

function* rowsOf(table: Table): Generator<Row> {
  for (const slot of table.slots.values()) yield slot.row!;
}

/** The rows as they are now. Rows are never modified, so later commits do not show in it. */
function rowsAtOnce(database: Database): (readonly [TableSchema, readonly Row[]])[] {
  return [...tablesWithRows(database)].map(([table, rows]) => [table, [...rows]] as const);
}
