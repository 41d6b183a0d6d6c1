/**
 * Keys, certificates and the like that a database names (`--private-key=db:DB,TABLE,COLUMN`): the first string of the
 * column that is not empty counts, and a change counts for the connections made after it. While the database is not
 * served, what it said last stays in use.
 */
import { type TlsConfig, setTlsConfig } from '@ovs-node/common/tls-config';
import type { HostedDatabase } from './database/hosted.js';
import { type DatabaseFinder, DatabaseWatch, findDatabaseColumn, isColumnName } from './database-column.js';

/** The settings that files or columns give. */
export type TlsSource = { [K in Exclude<keyof TlsConfig, 'bootstrap'>]?: string } & { bootstrap?: boolean };

export class DatabaseTls {
  readonly #finder: DatabaseFinder;
  readonly #source: TlsSource;
  readonly #watch = new DatabaseWatch(() => this.refresh());

  /** Throws an `Error` with the peer's line when a name leads nowhere or to a column that is no string. */
  constructor(finder: DatabaseFinder, source: TlsSource) {
    this.#finder = finder;
    this.#source = source;
    for (const value of Object.values(source)) {
      if (typeof value !== 'string' || !isColumnName(value)) continue;
      const { table, column } = findDatabaseColumn(finder, value);
      if (column.type.key.type === 'string' && column.type.value === undefined) continue;
      throw new Error(
        `"${value}": table "${table.schema.name}" column "${column.name}" is not string or set of strings`,
      );
    }
    this.refresh();
  }

  /** Looks again at what the databases say. */
  refresh(): void {
    const sources = new Set<HostedDatabase>();
    const config: Record<string, string | boolean> = {};
    for (const [key, value] of Object.entries(this.#source)) {
      if (typeof value !== 'string' || !isColumnName(value)) {
        config[key] = value;
        continue;
      }
      const text = this.#read(value, sources);
      if (text !== undefined) config[key] = text;
    }
    this.#watch.set(sources);
    setTlsConfig(config);
  }

  #read(name: string, sources: Set<HostedDatabase>): string | undefined {
    let found;
    try {
      found = findDatabaseColumn(this.#finder, name);
    } catch {
      return undefined;
    }
    sources.add(found.hosted);
    for (const slot of found.table.slots.values()) {
      const text = slot.row!.cells[found.column.index]!.keys.find((key) => key !== '');
      if (text !== undefined) return text as string;
    }
    return undefined;
  }
}
