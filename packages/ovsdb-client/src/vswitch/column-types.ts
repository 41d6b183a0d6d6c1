/** Building blocks for column definitions; each keeps its literal type, so that row types derive from it. */
import type { BaseDefinition, ColumnDefinition } from '../definition.js';

export const STRING_MAP = { key: 'string', value: 'string', min: 0, max: 'unlimited' } as const;
export const INTEGER_MAP = { key: 'string', value: 'integer', min: 0, max: 'unlimited' } as const;

/** An integer within both limits. */
export function integers(minInteger: number, maxInteger: number) {
  return { type: 'integer', minInteger, maxInteger } as const;
}

/** An integer of at least `minInteger`. */
export function atLeast(minInteger: number) {
  return { type: 'integer', minInteger } as const;
}

/** One of a few strings. */
export function oneOf<const E extends readonly string[]>(...values: E) {
  return { type: 'string', enum: ['set', values] } as const;
}

/** A strong reference: its row lives as long as something refers to it. */
export function ref<const T extends string>(refTable: T) {
  return { type: 'uuid', refTable } as const satisfies BaseDefinition;
}

/** A weak reference: it vanishes with its row. */
export function weakRef<const T extends string>(refTable: T) {
  return { type: 'uuid', refTable, refType: 'weak' } as const satisfies BaseDefinition;
}

/** Zero or one value. */
export function optional<const K>(key: K) {
  return { key, min: 0, max: 1 } as const;
}

/** Exactly one value of a constrained type. */
export function one<const K>(key: K) {
  return { key, min: 1, max: 1 } as const;
}

/** Any number of values, or between `min` and `max`. */
export function setOf<const K>(key: K): { readonly key: K; readonly min: 0; readonly max: 'unlimited' };
export function setOf<const K, const Min extends number, const Max extends number | 'unlimited'>(
  key: K,
  min: Min,
  max: Max,
): { readonly key: K; readonly min: Min; readonly max: Max };
export function setOf(key: unknown, min = 0, max: number | 'unlimited' = 'unlimited') {
  return { key, min, max };
}

/** A map of any size. */
export function mapOf<const K, const V>(key: K, value: V) {
  return { key, value, min: 0, max: 'unlimited' } as const;
}

/** A column of this type. */
export function column<const T extends ColumnDefinition['type']>(type: T, doc: string) {
  return { type, doc } as const;
}

/** A column whose value is not kept in the file: status that the switch writes. */
export function status<const T extends ColumnDefinition['type']>(type: T, doc: string) {
  return { type, ephemeral: true, doc } as const;
}

/** A column that is set when the row is inserted and never again. */
export function fixed<const T extends ColumnDefinition['type']>(type: T, doc: string) {
  return { type, mutable: false, doc } as const;
}

/** `external_ids`, which nearly every table has. */
export const EXTERNAL_IDS = column(
  STRING_MAP,
  'Key-value pairs for other programs; the switch keeps them unread.',
);
