/** The `_Server` database of ovsdb-server(5): what databases there are, for clients that follow them. */
import { datumFromNative } from 'ovsdb-client/data/native';
import { canonicalJson } from 'ovsdb-client/data/json';
import { defaultCells } from 'ovsdb-client/data/row';
import { newUuid } from 'ovsdb-client/data/uuid';
import type { SchemaDefinition } from 'ovsdb-client/definition';
import { schemaFromDefinition } from 'ovsdb-client/definition';
import { type DatabaseSchema, schemaToJson } from 'ovsdb-client/schema';
import { Database } from './database/database.js';
import { Transaction } from './transact/transaction.js';

export const SERVER_DEFINITION = {
  name: '_Server',
  version: '1.2.0',
  tables: {
    Database: {
      doc: 'One row per database of this server.',
      columns: {
        name: { type: 'string', doc: 'Name of the database.' },
        model: {
          type: { key: { type: 'string', enum: ['set', ['clustered', 'relay', 'standalone']] } },
          doc: 'How the database is kept.',
        },
        connected: { type: 'boolean', doc: 'Whether it can be read now.' },
        leader: { type: 'boolean', doc: 'Whether this server decides about it.' },
        schema: { type: { key: 'string', min: 0, max: 1 }, doc: 'Its schema as JSON text.' },
        cid: { type: { key: 'uuid', min: 0, max: 1 }, doc: 'Cluster identifier; clustered databases only.' },
        sid: { type: { key: 'uuid', min: 0, max: 1 }, doc: 'Server identifier; clustered databases only.' },
        index: { type: { key: 'integer', min: 0, max: 1 }, doc: 'Log index; clustered databases only.' },
      },
    },
  },
} as const satisfies SchemaDefinition;

/** The checksum the peer's schema of this database carries; the definitions are equal. */
const CKSUM = '3009684573 744';

/** A `_Server` database in memory. */
export class ServerDatabase {
  readonly database: Database = new Database(schemaFromDefinition(SERVER_DEFINITION, CKSUM));
  readonly #rows = new Map<string, string>();

  /** Adds or replaces the row of a standalone database. */
  put(schema: DatabaseSchema): void {
    this.#change(schema.name, schema);
  }

  /** Takes the row of a database away. */
  remove(name: string): void {
    this.#change(name, undefined);
  }

  #change(name: string, schema: DatabaseSchema | undefined): void {
    const table = this.database.tables.get('Database')!;
    const transaction = new Transaction(this.database);
    const known = this.#rows.get(name);
    const slot = known === undefined ? undefined : table.slots.get(known);
    if (schema === undefined) {
      if (slot !== undefined) transaction.delete(slot);
      this.#rows.delete(name);
    } else {
      const values = {
        name,
        model: 'standalone',
        connected: true,
        leader: true,
        schema: canonicalJson(schemaToJson(schema)),
      };
      const cells = slot === undefined ? defaultCells(table.schema) : slot.row!.cells.slice();
      for (const [columnName, value] of Object.entries(values)) {
        const column = table.schema.columnByName.get(columnName)!;
        cells[column.index] = datumFromNative(column.type, value);
      }
      if (slot === undefined) {
        const uuid = newUuid();
        transaction.insert(table, uuid, cells);
        this.#rows.set(name, uuid);
      } else transaction.update(slot, cells);
    }
    transaction.commit();
  }
}
