/** Logging of what transactions do to chosen tables, one line a row: `ovsdb-server/tlog-set`. */
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { formatDatum } from 'ovsdb-client/data/datum-text';
import type { DatabaseDelta, Row, RowDelta } from 'ovsdb-client/data/row';
import type { TableSchema } from 'ovsdb-client/schema';
import type { Database } from './database/database.js';

const log = vlog('transaction');
const limit = new RateLimit(30, 60);

const WORDS = { insert: 'inserted', modify: 'updated', delete: 'deleted' } as const;

/** The logged tables of one database. */
export class TransactionLog {
  readonly #database: Database;
  readonly #tables = new Set<string>();
  #stop: (() => void) | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  has(table: string): boolean {
    return this.#tables.has(table);
  }

  /** Starts or ends the logging of a table. */
  set(table: string, on: boolean): void {
    if (on) this.#tables.add(table);
    else this.#tables.delete(table);
    if (this.#tables.size > 0) this.#stop ??= this.#database.onCommit((delta) => this.#committed(delta));
    else {
      this.#stop?.();
      this.#stop = undefined;
    }
  }

  #committed(delta: DatabaseDelta): void {
    for (const { table, rows } of delta.values()) {
      if (!this.#tables.has(table.name)) continue;
      for (const change of rows.values()) log.infoRl(limit, line(table, change));
    }
  }
}

function line(table: TableSchema, change: RowDelta): string {
  const row: Row = change.new ?? change.old!;
  const cells = table.columns.map(
    (column) => `${column.name}:${formatDatum(column.type, row.cells[column.index]!)}`,
  );
  const head = `table:${table.name},op:${WORDS[change.kind]}`;
  return [head, `_uuid:${row.uuid}`, `_version:${row.version}`, ...cells].join(',');
}
