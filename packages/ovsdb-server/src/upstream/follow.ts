/** What another server tells of its database, put into one of ours. */
import type { Json } from 'ovsdb-client/data/json';
import type { DatabaseDelta, Row } from 'ovsdb-client/data/row';
import { type ReplicaTables, applyUpdates, applyUpdates2, emptyTables } from 'ovsdb-client/replica/updates';
import type { TableSchema } from 'ovsdb-client/schema';
import type { Database } from '../database/database.js';
import { Transaction } from '../transact/transaction.js';

/** Applies updates to a database; each becomes one commit. */
export class Follower {
  readonly #database: Database;
  readonly #version: 1 | 2;
  readonly #follows: (table: TableSchema) => boolean;
  /** Rows as the other server has them, shared with the database. */
  #rows: ReplicaTables;
  /** Updates that came before the first reply was applied: replies are awaited, notifications are not. */
  #early: Json[] | undefined = [];

  /** @param version 1 for <table-updates>, 2 for <table-updates2>. @param follows which tables are kept equal. */
  constructor(database: Database, version: 1 | 2, follows: (table: TableSchema) => boolean = () => true) {
    this.#database = database;
    this.#version = version;
    this.#follows = follows;
    this.#rows = emptyTables(database.schema);
  }

  #apply(json: Json): DatabaseDelta {
    const apply = this.#version === 1 ? applyUpdates : applyUpdates2;
    return apply(this.#database.schema, this.#rows, json);
  }

  /** Makes the tables hold exactly what the first reply of a monitor says. Throws `OvsdbError`. */
  reset(json: Json): void {
    this.#rows = emptyTables(this.#database.schema);
    this.#apply(json);
    const transaction = new Transaction(this.#database);
    for (const table of this.#database.tables.values()) {
      if (!this.#follows(table.schema)) continue;
      const rows = this.#rows.get(table.schema.name)!;
      for (const slot of table.slots.values()) if (!rows.has(slot.uuid)) transaction.delete(slot);
      for (const row of rows.values()) put(transaction, table.schema, row);
    }
    transaction.commit();
    this.#goOn();
  }

  /** A reply is on its way: updates that come before it is applied (`reset`, `resume`) wait. */
  hold(): void {
    this.#early = [];
  }

  /** Applies the reply that tells what changed since the last update. Throws `OvsdbError`. */
  resume(json: Json): void {
    const early = this.#early;
    this.#early = undefined;
    this.update(json);
    this.#early = early;
    this.#goOn();
  }

  #goOn(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const json of early) this.update(json);
  }

  /** Applies a later update. Throws `OvsdbError`; then nothing changed. */
  update(json: Json): void {
    if (this.#early !== undefined) {
      this.#early.push(json);
      return;
    }
    const transaction = new Transaction(this.#database);
    for (const { table, rows } of this.#apply(json).values()) {
      if (!this.#follows(table)) continue;
      const { slots } = this.#database.tables.get(table.name)!;
      for (const change of rows.values()) {
        const slot = slots.get(change.uuid);
        if (change.new !== undefined) put(transaction, table, change.new);
        else if (slot !== undefined) transaction.delete(slot);
      }
    }
    transaction.commit();
  }
}

function put(transaction: Transaction, schema: TableSchema, row: Row): void {
  const table = transaction.database.tables.get(schema.name)!;
  const slot = table.slots.get(row.uuid);
  const version = row.version === '' ? undefined : row.version;
  if (slot === undefined) transaction.insert(table, row.uuid, row.cells, version);
  else transaction.update(slot, row.cells, version);
}
