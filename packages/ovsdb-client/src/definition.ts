/**
 * Schema definitions in TypeScript and the types derived from them.
 *
 * A definition is the schema's JSON as a constant, with a `doc` string per table and column. From it come, without code generation: the `DatabaseSchema` (`schemaFromDefinition`), the
 * schema file's JSON, and at type level the rows: `Row<typeof DEFINITION, 'Bridge'>` has `name: string`,
 * `fail_mode: 'standalone' | 'secure' | undefined`, `ports: readonly string[]`, `other_config: ReadonlyMap<string,
 * string>`, and so on. A scalar is a value, `min: 0, max: 1` is the value or `undefined`, a larger set a sorted
 * array, a map a `ReadonlyMap`.
 */
import type { AtomicType } from './data/atom.js';
import type { Json, JsonObject } from './data/json.js';
import { type DatabaseSchema, schemaFromJson } from './schema.js';

export interface BaseDefinition {
  readonly type: AtomicType;
  readonly enum?: readonly ['set', readonly (string | number | boolean)[]];
  readonly minInteger?: number;
  readonly maxInteger?: number;
  readonly minReal?: number;
  readonly maxReal?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly refTable?: string;
  readonly refType?: 'strong' | 'weak';
}

export interface TypeDefinition {
  readonly key: AtomicType | BaseDefinition;
  readonly value?: AtomicType | BaseDefinition;
  readonly min?: number;
  readonly max?: number | 'unlimited';
}

export interface ColumnDefinition {
  readonly type: AtomicType | TypeDefinition;
  readonly mutable?: false;
  readonly ephemeral?: true;
  /** What the column says, in one sentence of this project. */
  readonly doc: string;
}

export interface TableDefinition {
  readonly doc: string;
  readonly columns: Readonly<Record<string, ColumnDefinition>>;
  readonly isRoot?: true;
  readonly maxRows?: number;
  readonly indexes?: readonly (readonly string[])[];
}

export interface SchemaDefinition {
  readonly name: string;
  readonly version: string;
  readonly tables: Readonly<Record<string, TableDefinition>>;
}

interface NativeTypes {
  integer: number;
  real: number;
  boolean: boolean;
  string: string;
  uuid: string;
}

type NativeOf<B> = B extends AtomicType
  ? NativeTypes[B]
  : B extends { readonly enum: readonly ['set', readonly (infer E)[]] }
    ? E
    : B extends { readonly type: infer T extends AtomicType }
      ? NativeTypes[T]
      : never;

/** The native value of a column type. */
export type ColumnValue<T> = T extends AtomicType
  ? NativeTypes[T]
  : T extends { readonly key: infer K; readonly value: infer V }
    ? ReadonlyMap<NativeOf<K>, NativeOf<V>>
    : T extends { readonly key: infer K; readonly min: 0; readonly max: 1 }
      ? NativeOf<K> | undefined
      : T extends { readonly key: infer K; readonly max: 'unlimited' | number }
        ? T extends { readonly max: 1 }
          ? NativeOf<K>
          : readonly NativeOf<K>[]
        : T extends { readonly key: infer K; readonly min: 0 }
          ? NativeOf<K> | undefined
          : T extends { readonly key: infer K }
            ? NativeOf<K>
            : never;

export type TableName<S extends SchemaDefinition> = keyof S['tables'] & string;
export type ColumnName<S extends SchemaDefinition, T extends TableName<S>> = keyof S['tables'][T]['columns'] &
  string;

/** The columns of a table as native values, without `_uuid`. */
export type Columns<S extends SchemaDefinition, T extends TableName<S>> = {
  readonly [C in ColumnName<S, T>]: ColumnValue<S['tables'][T]['columns'][C]['type']>;
};

/** A typed row: `_uuid` and every column. */
export type TypedRow<S extends SchemaDefinition, T extends TableName<S>> = Columns<S, T> & {
  readonly _uuid: string;
};

/** The typed rows of all tables, for `new Replica<Rows<…>>`. */
export type Rows<S extends SchemaDefinition> = {
  readonly [T in TableName<S>]: TypedRow<S, T>;
};

/** The schema JSON of a definition: documentation left out, `cksum` put in when given. */
export function definitionToJson(definition: SchemaDefinition, cksum?: string): JsonObject {
  const tables: Record<string, Json> = {};
  for (const [name, table] of Object.entries(definition.tables)) {
    const columns: Record<string, Json> = {};
    for (const [columnName, column] of Object.entries(table.columns)) {
      const { doc: _doc, ...rest } = column;
      columns[columnName] = rest as unknown as Json;
    }
    const { doc: _doc, columns: _columns, ...rest } = table;
    tables[name] = { columns, ...rest };
  }
  const json: Record<string, Json> = { name: definition.name, version: definition.version };
  if (cksum !== undefined) json['cksum'] = cksum;
  json['tables'] = tables;
  return json;
}

/** The checked schema of a definition. */
export function schemaFromDefinition(definition: SchemaDefinition, cksum?: string): DatabaseSchema {
  return schemaFromJson(definitionToJson(definition, cksum));
}
