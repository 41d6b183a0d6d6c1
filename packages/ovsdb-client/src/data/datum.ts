/**
 * A datum: the value of one column of one row (RFC 7047 section 5.1 <value>).
 *
 * Every datum, scalar, set or map, is a pair of parallel arrays: `keys`, sorted ascending and without
 * duplicates, and `values`, of equal length for maps and the shared empty array for everything else. Data are
 * IMMUTABLE: a change makes a new datum, and unchanged ones are shared between old and new rows, between rows
 * with default values, and with every monitor that still has to send them. So a row copy is a copy of pointers,
 * and "changed?" begins with `===`.
 *
 * Cost: equality O(n), look-up O(log n), union, difference and intersection O(n + m).
 * Rejected: `Set`/`Map` (unordered comparison, several times the memory), bare atoms for scalar columns (every
 * user would have to test which form it got).
 */
import { type Atom, compareAtoms, defaultAtom } from './atom.js';
import type { ColumnType } from './type.js';

export interface Datum {
  readonly keys: readonly Atom[];
  readonly values: readonly Atom[];
}

const NO_ATOMS: readonly Atom[] = Object.freeze([]);

/** The empty set, the empty map, the absent optional value: all one object. */
export const EMPTY_DATUM: Datum = Object.freeze({ keys: NO_ATOMS, values: NO_ATOMS });

/** A datum of arrays that are sorted and unique already; they belong to the datum from now on. */
export function datumOfSorted(keys: readonly Atom[], values: readonly Atom[] = NO_ATOMS): Datum {
  return keys.length === 0 ? EMPTY_DATUM : { keys, values };
}

/** A datum with one element. */
export function scalarDatum(key: Atom): Datum {
  return { keys: [key], values: NO_ATOMS };
}

/** A set of `atoms` in any order; duplicates are dropped. Takes the array over. */
export function setDatum(atoms: Atom[]): Datum {
  sortUnique(atoms);
  return datumOfSorted(atoms);
}

/** A map of `entries` in any order; of duplicate keys the last one counts. */
export function mapDatum(entries: Iterable<readonly [Atom, Atom]>): Datum {
  const sorted = [...new Map(entries)].sort((a, b) => compareAtoms(a[0], b[0]));
  return datumOfSorted(
    sorted.map((entry) => entry[0]),
    sorted.map((entry) => entry[1]),
  );
}

function sortUnique(atoms: Atom[]): void {
  let inOrder = true;
  for (let i = 1; i < atoms.length && inOrder; i++) inOrder = compareAtoms(atoms[i - 1]!, atoms[i]!) < 0;
  if (inOrder) return;
  atoms.sort(compareAtoms);
  let n = 1;
  for (let i = 1; i < atoms.length; i++) if (atoms[i] !== atoms[n - 1]) atoms[n++] = atoms[i]!;
  atoms.length = n;
}

/** Index of `key` in the sorted `keys`, or the complement (`~place`) of where it would go. */
export function findKey(keys: readonly Atom[], key: Atom): number {
  let low = 0;
  let high = keys.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareAtoms(keys[middle]!, key);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return ~low;
}

/** The value of `key` in a map datum, or undefined. */
export function mapGet(datum: Datum, key: Atom): Atom | undefined {
  const index = findKey(datum.keys, key);
  return index < 0 ? undefined : datum.values[index];
}

/** True when a set datum holds `key` or a map datum has that key. */
export function hasKey(datum: Datum, key: Atom): boolean {
  return findKey(datum.keys, key) >= 0;
}

/** Equality of two data of the same type. */
export function datumEquals(a: Datum, b: Datum): boolean {
  return a === b || (sameAtoms(a.keys, b.keys) && sameAtoms(a.values, b.values));
}

function sameAtoms(a: readonly Atom[], b: readonly Atom[]): boolean {
  if (a === b) return true;
  const n = a.length;
  if (n !== b.length) return false;
  for (let i = 0; i < n; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A total order of data of the same type: by size, then keys, then values. */
export function compareData(a: Datum, b: Datum): number {
  if (a.keys.length !== b.keys.length) return a.keys.length - b.keys.length;
  return compareLists(a.keys, b.keys) || compareLists(a.values, b.values);
}

function compareLists(a: readonly Atom[], b: readonly Atom[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareAtoms(a[i]!, b[i]!);
    if (order !== 0) return order;
  }
  return 0;
}

/** Does `all` hold every element of `part` (for maps: every key with the same value)? */
export function datumIncludes(all: Datum, part: Datum): boolean {
  for (let i = 0; i < part.keys.length; i++) {
    const index = findKey(all.keys, part.keys[i]!);
    if (index < 0 || (part.values.length > 0 && all.values[index] !== part.values[i])) return false;
  }
  return true;
}

/** Is there no element that both hold (for maps: no key with the same value)? */
export function datumExcludes(all: Datum, part: Datum): boolean {
  for (let i = 0; i < part.keys.length; i++) {
    const index = findKey(all.keys, part.keys[i]!);
    if (index >= 0 && (part.values.length === 0 || all.values[index] === part.values[i])) return false;
  }
  return true;
}

/**
 * The elements of both; for a key in both maps the value of `a` stays, or with `replace` that of `b` wins. Gives
 * `a` itself when nothing changes.
 */
export function datumUnion(a: Datum, b: Datum, replace = false): Datum {
  if (b.keys.length === 0) return a;
  if (a.keys.length === 0) return b;
  const isMap = a.values.length > 0;
  if (datumIncludes(a, b)) return a;
  const keys: Atom[] = [];
  const values: Atom[] = [];
  let i = 0;
  let j = 0;
  while (i < a.keys.length || j < b.keys.length) {
    const order = i === a.keys.length ? 1 : j === b.keys.length ? -1 : compareAtoms(a.keys[i]!, b.keys[j]!);
    keys.push(order <= 0 ? a.keys[i]! : b.keys[j]!);
    if (isMap) values.push(order < 0 || (order === 0 && !replace) ? a.values[i]! : b.values[j]!);
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return datumOfSorted(keys, isMap ? values : NO_ATOMS);
}

/**
 * The elements of `a` that `b` does not name. When `b` is a set of keys of a map `a` (or `byKey`), the key alone
 * decides; otherwise a map element goes only when its value is equal as well.
 */
export function datumDifference(a: Datum, b: Datum, byKey = false): Datum {
  if (a.keys.length === 0 || b.keys.length === 0) return a;
  const isMap = a.values.length > 0;
  const keyOnly = byKey || !isMap || b.values.length === 0;
  const keys: Atom[] = [];
  const values: Atom[] = [];
  for (let i = 0; i < a.keys.length; i++) {
    const index = findKey(b.keys, a.keys[i]!);
    if (index >= 0 && (keyOnly || a.values[i] === b.values[index])) continue;
    keys.push(a.keys[i]!);
    if (isMap) values.push(a.values[i]!);
  }
  return keys.length === a.keys.length ? a : datumOfSorted(keys, isMap ? values : NO_ATOMS);
}

/**
 * What turns `old` into `now` as update2/update3 and log records say it: for sets the symmetric difference; for
 * maps the removed pairs with their old value and the added or changed ones with their new value. Never call it
 * for columns with at most one element: there the whole new value is sent.
 */
export function datumDiff(old: Datum, now: Datum): Datum {
  const isMap = old.values.length > 0 || now.values.length > 0;
  const keys: Atom[] = [];
  const values: Atom[] = [];
  let i = 0;
  let j = 0;
  while (i < old.keys.length || j < now.keys.length) {
    const order =
      i === old.keys.length ? 1 : j === now.keys.length ? -1 : compareAtoms(old.keys[i]!, now.keys[j]!);
    if (order < 0) {
      keys.push(old.keys[i]!);
      if (isMap) values.push(old.values[i]!);
    } else if (order > 0 || (isMap && old.values[i] !== now.values[j])) {
      keys.push(now.keys[j]!);
      if (isMap) values.push(now.values[j]!);
    }
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return datumOfSorted(keys, isMap ? values : NO_ATOMS);
}

/** Undoes `datumDiff`: applies a difference to `old`. A map pair equal to the present one means removal. */
export function applyDatumDiff(old: Datum, diff: Datum): Datum {
  if (diff.keys.length === 0) return old;
  const isMap = old.values.length > 0 || diff.values.length > 0;
  const keys: Atom[] = [];
  const values: Atom[] = [];
  let i = 0;
  let j = 0;
  while (i < old.keys.length || j < diff.keys.length) {
    const order =
      i === old.keys.length ? 1 : j === diff.keys.length ? -1 : compareAtoms(old.keys[i]!, diff.keys[j]!);
    if (order < 0) {
      keys.push(old.keys[i]!);
      if (isMap) values.push(old.values[i]!);
    } else if (order > 0 || (isMap && old.values[i] !== diff.values[j])) {
      keys.push(diff.keys[j]!);
      if (isMap) values.push(diff.values[j]!);
    }
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
  return datumOfSorted(keys, isMap ? values : NO_ATOMS);
}

const defaults = new WeakMap<ColumnType, Datum>();

/** The default of a column (RFC 7047 section 5.2.1): empty if that is allowed, else one default atom or pair. */
export function defaultDatum(type: ColumnType): Datum {
  let datum = defaults.get(type);
  if (datum === undefined) {
    if (type.min === 0) datum = EMPTY_DATUM;
    else {
      const value = type.value === undefined ? NO_ATOMS : [defaultAtom(type.value.type)];
      datum = { keys: [defaultAtom(type.key.type)], values: value };
    }
    defaults.set(type, datum);
  }
  return datum;
}

/** Is this the default of its column? */
export function isDefaultDatum(type: ColumnType, datum: Datum): boolean {
  return datumEquals(datum, defaultDatum(type));
}
