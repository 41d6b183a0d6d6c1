/**
 * A table in memory: slots by UUID, and the indexes of the schema.
 *
 * A slot is the one mutable object per row. It holds the immutable `Row`, the number of strong references to it,
 * and the slots that refer to it weakly. Transactions change slots in place and keep what was there before (see
 * transact/transaction.ts): conditions, reference counts and indexes then need no overlay, and a commit copies
 * nothing.
 */
import type { Atom } from 'ovsdb-client/data/atom';
import { stringifyJson } from 'ovsdb-client/data/json';
import type { Row } from 'ovsdb-client/data/row';
import type { ColumnSchema, TableSchema } from 'ovsdb-client/schema';

export interface Slot {
  readonly uuid: string;
  readonly table: Table;
  /** Undefined once deleted. */
  row: Row | undefined;
  /** Strong references from all rows. */
  refs: number;
  /** Slots with weak references to this one; made on first need. */
  weakSources: Set<Slot> | undefined;
  /** Serial of the transaction that has this slot among its changes, negative if it inserted it; else 0. */
  changedBy: number;
}

/** One index of the schema: key of the indexed columns to slot. */
export class TableIndex {
  readonly columns: readonly ColumnSchema[];
  readonly slots = new Map<Atom, Slot>();

  constructor(columns: readonly ColumnSchema[]) {
    this.columns = columns;
  }

  /** The key of a row: the atom itself for one scalar column, else a text that is equal for equal values. */
  key(row: Row): Atom {
    if (this.columns.length === 1) {
      const datum = row.cells[this.columns[0]!.index]!;
      if (datum.values.length === 0 && datum.keys.length === 1) return datum.keys[0]!;
    }
    return stringifyJson(
      this.columns.map((column) => {
        const datum = row.cells[column.index]!;
        return datum.values.length === 0 ? datum.keys : [datum.keys, datum.values];
      }),
    );
  }
}

export class Table {
  readonly schema: TableSchema;
  readonly slots = new Map<string, Slot>();
  readonly indexes: readonly TableIndex[];
  /** Columns with references, with what each side refers to. */
  readonly strongColumns: readonly RefColumn[];
  readonly weakColumns: readonly RefColumn[];

  constructor(schema: TableSchema) {
    this.schema = schema;
    this.indexes = schema.indexes.map((columns) => new TableIndex(columns));
    this.strongColumns = refColumns(schema, 'strong');
    this.weakColumns = refColumns(schema, 'weak');
  }

  /** The row of a UUID. */
  get(uuid: string): Row | undefined {
    return this.slots.get(uuid)?.row;
  }
}

/** A column with references of one strength; the name of the table each side refers to. */
export interface RefColumn {
  readonly column: ColumnSchema;
  readonly keyTable: string | undefined;
  readonly valueTable: string | undefined;
}

function refColumns(schema: TableSchema, strength: 'strong' | 'weak'): RefColumn[] {
  const columns: RefColumn[] = [];
  for (const column of schema.columns) {
    const { key, value } = column.type;
    const keyTable =
      key.refTable !== undefined && (key.refType ?? 'strong') === strength ? key.refTable : undefined;
    const valueTable =
      value?.refTable !== undefined && (value.refType ?? 'strong') === strength ? value.refTable : undefined;
    if (keyTable !== undefined || valueTable !== undefined) columns.push({ column, keyTable, valueTable });
  }
  return columns;
}
