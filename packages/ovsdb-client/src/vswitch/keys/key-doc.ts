/**
 * What the keys of map columns mean: a sentence each, and whether this project acts on them.
 *
 * The sentences stand apart from the tables, since programs that only need the schema should not load them.
 */
import type { ColumnName, TableName } from '../schema.js';

/** `yes`: this project acts on the key or writes it. `stored`: the database keeps it, nothing else happens yet. */
export type Support = 'yes' | 'stored';

export interface KeyDoc {
  readonly support: Support;
  readonly doc: string;
}

/** Keys of one column by name; a `*` or a word in capitals stands for any text. */
export type ColumnKeys = Readonly<Record<string, KeyDoc>>;

/** Keys of the columns of one table. */
export type TableKeys<T extends TableName> = { readonly [C in ColumnName<T>]?: ColumnKeys };

/** A key that this project acts on, or writes. */
export function yes(doc: string): KeyDoc {
  return { support: 'yes', doc };
}

/** A key that is kept, and nothing else yet. */
export function stored(doc: string): KeyDoc {
  return { support: 'stored', doc };
}
