/** `db:DB,TABLE,COLUMN`: a column of a database that configures this server. */
import type { ColumnSchema } from 'ovsdb-client/schema';
import type { HostedDatabase } from './database/hosted.js';
import type { Table } from './database/table.js';

/** Where databases are found. */
export interface DatabaseFinder {
  database(name: string): HostedDatabase | undefined;
}

export interface DatabaseColumn {
  readonly hosted: HostedDatabase;
  readonly table: Table;
  readonly column: ColumnSchema;
}

/** Is it the name of a column? */
export function isColumnName(name: string): boolean {
  return name.startsWith('db:');
}

/** Finds the column. Throws an `Error` with the peer's line when the name leads nowhere. */
export function findDatabaseColumn(finder: DatabaseFinder, name: string): DatabaseColumn {
  const parts = name.slice('db:'.length).split(',');
  if (parts.length !== 3) throw new Error(`"${name}": invalid syntax`);
  const [databaseName, tableName, columnName] = parts as [string, string, string];
  const hosted = finder.database(databaseName);
  if (hosted === undefined) throw new Error(`"${name}": no database named ${databaseName}`);
  const table = hosted.database.tables.get(tableName);
  if (table === undefined) throw new Error(`"${name}": no table named ${tableName}`);
  const column = table.schema.columnByName.get(columnName);
  if (column === undefined) throw new Error(`"${name}": table "${tableName}" has no column "${columnName}"`);
  return { hosted, table, column };
}

/** Listens to the databases that configure something, and stops listening to those that do no longer. */
export class DatabaseWatch {
  readonly #changed: () => void;
  readonly #watched = new Map<HostedDatabase, () => void>();

  /** @param changed is called after commits, once for all of a turn of the event loop. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Listens to these databases and no others. */
  set(sources: ReadonlySet<HostedDatabase>): void {
    for (const [hosted, stop] of this.#watched) {
      if (sources.has(hosted)) continue;
      stop();
      this.#watched.delete(hosted);
    }
    for (const hosted of sources) {
      if (this.#watched.has(hosted)) continue;
      let scheduled = false;
      const stop = hosted.database.onCommit(() => {
        if (scheduled) return;
        scheduled = true;
        setImmediate(() => {
          scheduled = false;
          this.#changed();
        });
      });
      this.#watched.set(hosted, stop);
    }
  }
}
