/**
 * Role-based access control: ovsdb-server(7), sections 3.2 and 4.1.3.
 *
 * A connection may have a role (a column of the row that describes its remote), a client an identity (the common
 * name of its certificate). In a database with a table `RBAC_Role`, what a client with a role may change is what the
 * role's permissions say: for each table a row with
 *
 *     authorization   columns, or `COLUMN:KEY` of a map, one of which must hold the client's identity in the row
 *                     that is changed; "" admits every client that has an identity
 *     insert_delete   whether rows may come and go
 *     update          columns that may be changed
 *
 * As in the peer, an `update` entry counts for a whole column only: one of the form `COLUMN:KEY` admits nothing.
 */
import { type Datum, datumIncludes, scalarDatum } from 'ovsdb-client/data/datum';
import { ERROR_TAGS, OvsdbError } from 'ovsdb-client/data/error';
import type { ColumnSchema, TableSchema } from 'ovsdb-client/schema';
import type { Row } from 'ovsdb-client/data/row';
import type { Database } from '../database/database.js';
import type { Slot, Table } from '../database/table.js';

/** Who a client is. */
export interface Identity {
  readonly role: string;
  /** Undefined for a client that shows no certificate. */
  readonly clientId: string | undefined;
}

const ROLE_TABLE = 'RBAC_Role';

/** What the identity may do in this database; undefined where roles have no meaning. */
export function accessControl(database: Database, identity: Identity): AccessControl | undefined {
  const roles = database.tables.get(ROLE_TABLE);
  if (roles === undefined || identity.role === '') return undefined;
  return new AccessControl(database, roles, identity);
}

function cell(table: TableSchema, row: Row, name: string): Datum | undefined {
  const column = table.columnByName.get(name);
  return column === undefined ? undefined : row.cells[column.index];
}

interface Permission {
  readonly authorization: readonly string[];
  readonly insertDelete: boolean;
  readonly update: readonly string[];
}

/** The checks of one transaction. Each throws `OvsdbError` (`permission error`) for what is not allowed. */
export class AccessControl {
  readonly #database: Database;
  readonly #roles: Table;
  readonly #identity: Identity;

  constructor(database: Database, roles: Table, identity: Identity) {
    this.#database = database;
    this.#roles = roles;
    this.#identity = identity;
  }

  /** Before a row with these cells is inserted. */
  checkInsert(table: Table, uuid: string, cells: readonly Datum[]): void {
    const permission = this.#permission(table);
    const row: Row = { uuid, version: uuid, cells };
    if (permission?.insertDelete !== true || !this.#authorized(table, permission, row)) {
      throw this.#refusal('row insertion into table', table);
    }
  }

  /** Before rows are deleted. */
  checkDelete(table: Table, slots: readonly Slot[]): void {
    const permission = this.#permission(table);
    const allowed = (slot: Slot): boolean =>
      permission!.insertDelete && this.#authorized(table, permission!, slot.row!);
    if (permission === undefined || !slots.every(allowed))
      throw this.#refusal('row deletion from table', table);
  }

  /** Before columns of rows get new values. */
  checkUpdate(table: Table, slots: readonly Slot[], columns: readonly ColumnSchema[]): void {
    if (!this.#mayChange(table, slots, columns)) throw this.#refusal('modification of table', table);
  }

  /** Before columns of rows are mutated. */
  checkMutate(table: Table, slots: readonly Slot[], columns: readonly ColumnSchema[]): void {
    if (!this.#mayChange(table, slots, columns)) throw this.#refusal('mutate operation on table', table);
  }

  #mayChange(table: Table, slots: readonly Slot[], columns: readonly ColumnSchema[]): boolean {
    const permission = this.#permission(table);
    if (permission === undefined) return false;
    if (slots.length === 0) return true;
    return (
      columns.every(({ name }) => permission.update.includes(name)) &&
      slots.every((slot) => this.#authorized(table, permission, slot.row!))
    );
  }

  #permission(table: Table): Permission | undefined {
    // Without an identity nothing can be authorized.
    if (this.#identity.clientId === undefined) return undefined;
    const { schema } = this.#roles;
    for (const { row } of this.#roles.slots.values()) {
      if (cell(schema, row!, 'name')?.keys[0] !== this.#identity.role) continue;
      const permissions = cell(schema, row!, 'permissions');
      const at = permissions?.keys.indexOf(table.schema.name) ?? -1;
      return at < 0 ? undefined : this.#readPermission(permissions!.values[at] as string);
    }
    return undefined;
  }

  #readPermission(uuid: string): Permission | undefined {
    const name = this.#roles.schema.columnByName.get('permissions')!.type.value?.refTable;
    const table = name === undefined ? undefined : this.#database.tables.get(name);
    const row = table?.get(uuid);
    if (table === undefined || row === undefined) return undefined;
    const strings = (column: string): string[] => (cell(table.schema, row, column)?.keys ?? []) as string[];
    return {
      authorization: strings('authorization'),
      insertDelete: cell(table.schema, row, 'insert_delete')?.keys[0] === true,
      update: strings('update'),
    };
  }

  #authorized(table: Table, permission: Permission, row: Row): boolean {
    return permission.authorization.some((entry) => entry === '' || this.#holdsIdentity(table, entry, row));
  }

  #holdsIdentity(table: Table, entry: string, row: Row): boolean {
    const id = this.#identity.clientId!;
    const colon = entry.indexOf(':');
    const column = table.schema.columnByName.get(colon < 0 ? entry : entry.slice(0, colon));
    if (column === undefined || column.type.key.type !== 'string') return false;
    const datum = row.cells[column.index]!;
    if (colon < 0) return column.type.value === undefined && datumIncludes(datum, scalarDatum(id));
    const at = datum.keys.indexOf(entry.slice(colon + 1));
    return at >= 0 && datum.values[at] === id;
  }

  #refusal(what: string, table: Table): OvsdbError {
    const { role, clientId } = this.#identity;
    return new OvsdbError(
      ERROR_TAGS.permission,
      `RBAC rules for client "${clientId ?? '(null)'}" role "${role}" prohibit ${what} "${table.schema.name}".`,
    );
  }
}
