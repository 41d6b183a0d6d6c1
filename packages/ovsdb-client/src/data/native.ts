/**
 * Plain JavaScript values for data, as typed rows show them: a scalar as itself, an optional scalar as the value
 * or `undefined`, a set as an array in sorted order, a map as a `Map` in key order.
 *
 * Integers are `number` here: the rare ones beyond 2^53-1 lose their low digits in typed rows (the datum keeps
 * them), because `number | bigint` in every integer column would burden all users for the sake of statistics
 * nobody computes with. Integers given as native values must be safe integers.
 */
import type { Atom, AtomicType } from './atom.js';
import { type Datum, EMPTY_DATUM, mapDatum, scalarDatum, setDatum } from './datum.js';
import { constraintError } from './error.js';
import { typeToEnglish } from './type-english.js';
import { type ColumnType, checkDatum } from './type.js';

export type NativeAtom = number | boolean | string;
export type NativeValue =
  NativeAtom | undefined | readonly NativeAtom[] | ReadonlyMap<NativeAtom, NativeAtom>;

/** The plain value of a datum. */
export function datumToNative(type: ColumnType, datum: Datum): NativeValue {
  if (type.value !== undefined) {
    const map = new Map<NativeAtom, NativeAtom>();
    for (let i = 0; i < datum.keys.length; i++) {
      map.set(nativeAtom(datum.keys[i]!), nativeAtom(datum.values[i]!));
    }
    return map;
  }
  if (type.max > 1) return datum.keys.map(nativeAtom);
  const atom = datum.keys[0];
  return atom === undefined ? undefined : nativeAtom(atom);
}

function nativeAtom(atom: Atom): NativeAtom {
  return typeof atom === 'bigint' ? Number(atom) : atom;
}

/** The datum of a plain value; checks types, sizes and constraints and throws `OvsdbError`. */
export function datumFromNative(type: ColumnType, value: NativeValue): Datum {
  const datum = buildDatum(type, value);
  const n = datum.keys.length;
  if (n < type.min || n > type.max) {
    throw constraintError(`Attempted to store ${n} elements in ${typeToEnglish(type)}.`);
  }
  checkDatum(type, datum);
  return datum;
}

function buildDatum(type: ColumnType, value: NativeValue): Datum {
  const { key, value: valueType } = type;
  if (value === undefined) return EMPTY_DATUM;
  if (value instanceof Map) {
    if (valueType === undefined) throw constraintError(`a Map is not a ${typeToEnglish(type)}`);
    const entries = [...(value as ReadonlyMap<NativeAtom, NativeAtom>)];
    return mapDatum(entries.map(([k, v]) => [checkNative(key.type, k), checkNative(valueType.type, v)]));
  }
  if (valueType !== undefined) throw constraintError(`Map expected for ${typeToEnglish(type)}`);
  if (Array.isArray(value))
    return setDatum((value as NativeAtom[]).map((atom) => checkNative(key.type, atom)));
  return scalarDatum(checkNative(key.type, value as NativeAtom));
}

const NATIVE_KINDS = {
  integer: (atom) => Number.isSafeInteger(atom),
  real: (atom) => Number.isFinite(atom),
  boolean: (atom) => typeof atom === 'boolean',
  string: (atom) => typeof atom === 'string',
  uuid: (atom) => typeof atom === 'string' && atom.length === 36,
} as const satisfies Record<AtomicType, (atom: NativeAtom) => boolean>;

function checkNative(type: AtomicType, atom: NativeAtom): Atom {
  if (!NATIVE_KINDS[type](atom)) throw constraintError(`${JSON.stringify(atom)} is not a valid ${type}`);
  return atom === 0 ? 0 : atom;
}
