/** The `_Server` database of ovsdb-server(5): what databases there are, for clients that follow them. */
import { type NativeValue, datumFromNative } from 'ovsdb-client/data/native';
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

const SCHEMA = schemaFromDefinition(SERVER_DEFINITION, CKSUM);

/** The schema of `_Server`. */
export function serverSchema(): DatabaseSchema {
  return SCHEMA;
}

/** What a row says of a database. */
export interface DatabaseState {
  readonly name: string;
  readonly model?: 'standalone' | 'relay';
  readonly connected?: boolean;
  readonly leader?: boolean;
  /** Undefined while it is not known. */
  readonly schema?: DatabaseSchema | undefined;
}

/** A `_Server` database in memory. */
export class ServerDatabase {
  readonly database: Database = new Database(SCHEMA);
  readonly #rows = new Map<string, string>();

  /** Adds or replaces the row of a database. */
  put(state: DatabaseState): void {
    const { name, model = 'standalone', connected = true, leader = true, schema } = state;
    const text = schema === undefined ? undefined : canonicalJson(schemaToJson(schema));
    this.#put(name, { name, model, connected, leader, schema: text });
  }

  #put(name: string, values: Record<string, NativeValue>): void {
    const table = this.database.tables.get('Database')!;
    const transaction = new Transaction(this.database);
    const known = this.#rows.get(name);
    const slot = known === undefined ? undefined : table.slots.get(known);
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
    transaction.commit();
  }

  /** Takes the row of a database away. */
  remove(name: string): void {
    const uuid = this.#rows.get(name);
    const slot = uuid === undefined ? undefined : this.database.tables.get('Database')!.slots.get(uuid);
    if (slot === undefined) return;
    this.#rows.delete(name);
    const transaction = new Transaction(this.database);
    transaction.delete(slot);
    transaction.commit();
  }
}
