/** `ovsdb-tool show-log`: the records of a log in words, three levels of detail. */
import { datumFromJson } from 'ovsdb-client/data/datum-json';
import { formatDatum } from 'ovsdb-client/data/datum-text';
import { OvsdbError } from 'ovsdb-client/data/error';
import { type Json, isJsonObject, stringifyJson } from 'ovsdb-client/data/json';
import type { ColumnType } from 'ovsdb-client/data/type';
import { type DatabaseSchema, schemaFromJson } from 'ovsdb-client/schema';
import { openForReading } from '../storage/standalone.js';

/** Prints a log by `write`; `more` 1 names changed rows, 2 also their columns. Throws `OvsdbError` at damage. */
export function showLog(file: string, more: number, write: (text: string) => void): void {
  const reader = openForReading(file);
  try {
    const printer = new LogPrinter(more, write);
    let index = 0;
    for (let record = reader.next(); record !== undefined; record = reader.next()) {
      printer.record(index++, record.json);
    }
  } finally {
    reader.close();
  }
}

class LogPrinter {
  readonly #more: number;
  readonly #write: (text: string) => void;
  #schema: DatabaseSchema | undefined;
  /** What rows are called: their `name`, in quotes, or the start of their UUID. */
  readonly #names = new Map<string, string>();

  constructor(more: number, write: (text: string) => void) {
    this.#more = more;
    this.#write = write;
  }

  record(index: number, json: Json): void {
    this.#write(`record ${index}:`);
    if (index === 0) this.#schemaRecord(json);
    const hasTables = index > 0 && this.#transactionRecord(json);
    if (index === 0 || hasTables) this.#write('\n');
  }

  #schemaRecord(json: Json): void {
    this.#schema = schemaFromJson(json);
    const { name, version, cksum } = this.#schema;
    this.#write(` "${name}" schema, version="${version}", cksum="${cksum}"\n`);
  }

  /** Tells whether changes of tables were printed. */
  #transactionRecord(json: Json): boolean {
    if (!isJsonObject(json)) return false;
    const date = json['_date'];
    if (typeof date === 'number') this.#write(formatDate(date));
    const comment = json['_comment'];
    if (typeof comment === 'string') this.#write(` "${comment}"`);
    this.#write('\n');
    if (this.#more === 0) return false;
    let any = false;
    for (const [name, rows] of Object.entries(json)) {
      if (name.startsWith('_') || !isJsonObject(rows)) continue;
      this.#table(name, rows, json['_is_diff'] === true);
      any = true;
    }
    return any;
  }

  #table(tableName: string, rows: Readonly<Record<string, Json | undefined>>, isDiff: boolean): void {
    const table = this.#schema?.tables.get(tableName);
    for (const [uuid, row] of Object.entries(rows)) {
      const prefix = uuid.slice(0, 8);
      const known = this.#names.get(uuid);
      const nameJson = isJsonObject(row) ? row['name'] : undefined;
      const newName = typeof nameJson === 'string' ? `"${nameJson}"` : undefined;
      if (known === undefined) {
        this.#write(
          `  table ${tableName} insert row ${newName === undefined ? prefix : `${newName} (${prefix})`}:\n`,
        );
        this.#names.set(uuid, newName ?? prefix);
      } else {
        this.#write(`  table ${tableName} row ${known} (${prefix})${isDiff ? ' diff' : ''}:\n`);
        if (newName !== undefined) this.#names.set(uuid, newName);
      }
      if (row === null) {
        this.#write('    delete row\n');
        this.#names.delete(uuid);
      } else if (isJsonObject(row) && this.#more > 1) {
        for (const [column, value] of Object.entries(row)) {
          const type = table?.columnByName.get(column)?.type;
          this.#write(`    ${column}=${valueText(type, value!)}\n`);
        }
      }
    }
  }
}

function valueText(type: ColumnType | undefined, json: Json): string {
  if (type === undefined) return stringifyJson(json);
  try {
    // A difference may hold more or fewer elements than the column.
    return formatDatum(type, datumFromJson({ ...type, min: 0, max: Infinity }, json));
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error;
    return stringifyJson(json);
  }
}

/** " 2026-11-20 12:41:48.819", UTC. */
function formatDate(ms: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return '';
  return ` ${new Date(ms).toISOString().replace('T', ' ').slice(0, 23)}`;
}
