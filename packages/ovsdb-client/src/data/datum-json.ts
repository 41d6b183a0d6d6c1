/** JSON forms of data: RFC 7047 section 5.1 <value>. */
import {
  type Atom,
  type AtomicType,
  type SymbolTable,
  atomFromJson,
  atomToJson,
  compareAtoms,
} from './atom.js';
import { EMPTY_DATUM, type Datum, datumOfSorted, scalarDatum } from './datum.js';
import { ERROR_TAGS, OvsdbError, syntaxError } from './error.js';
import { type Json, type JsonArray, isJsonArray } from './json.js';
import { type BaseType, type ColumnType, checkAtom, hasConstraints, isWeakRef } from './type.js';

/**
 * Reads a <value> of the given type, with all constraints. `symbols` admits named UUIDs. A set of one may be
 * written as the bare atom. Throws `OvsdbError`.
 */
export function datumFromJson(type: ColumnType, json: Json, symbols?: SymbolTable): Datum {
  if (type.value !== undefined) return mapFromJson(type, type.value, json, symbols);
  const elements = taggedArray(json, 'set');
  if (elements === undefined) return scalarDatum(checkedAtom(type.key, json, symbols));
  checkSize(type, json, elements.length);
  if (elements.length === 0) return EMPTY_DATUM;
  const keys = elements.map((element) => checkedAtom(type.key, element, symbols));
  return datumOfSorted(sortedKeys(keys, 'set contains duplicate'));
}

function mapFromJson(
  type: ColumnType,
  valueType: BaseType,
  json: Json,
  symbols: SymbolTable | undefined,
): Datum {
  const pairs = taggedArray(json, 'map');
  if (pairs === undefined) throw syntaxError(json, 'expected ["map", <array>]');
  checkSize(type, json, pairs.length);
  if (pairs.length === 0) return EMPTY_DATUM;
  const keys: Atom[] = [];
  const values: Atom[] = [];
  for (const pair of pairs) {
    if (!isJsonArray(pair) || pair.length !== 2) throw syntaxError(pair, 'expected 2-element array');
    keys.push(checkedAtom(type.key, pair[0]!, symbols));
    values.push(checkedAtom(valueType, pair[1]!, symbols));
  }
  return sortedMap(keys, values);
}

/** The array of `["set", ARRAY]` or `["map", ARRAY]`; undefined when it is another thing. */
function taggedArray(json: Json, tag: 'set' | 'map'): JsonArray | undefined {
  if (!isJsonArray(json) || json.length !== 2 || json[0] !== tag) return undefined;
  const elements = json[1]!;
  if (!isJsonArray(elements)) throw syntaxError(json, `expected ["${tag}", <array>]`);
  return elements;
}

function checkSize(type: ColumnType, json: Json, n: number): void {
  if (n >= type.min && n <= type.max) return;
  const kind = type.value === undefined ? 'set' : 'map';
  throw syntaxError(json, `${kind} must have ${membersPhrase(type)} but ${n} are present`);
}

/** "exactly one member", "0 to 3 members", "1 to 4294967295 members": how many elements a type allows, in words. */
export function membersPhrase(type: ColumnType): string {
  if (type.min === 1 && type.max === 1) return 'exactly one member';
  // The peer keeps "unlimited" as the largest 32-bit number, and says so.
  return `${type.min} to ${type.max === Infinity ? 0xffffffff : type.max} members`;
}

function checkedAtom(base: BaseType, json: Json, symbols: SymbolTable | undefined): Atom {
  const atom = atomFromJson(base.type, json, symbols);
  if (hasConstraints(base)) {
    const error = checkAtom(base, atom);
    if (error !== undefined) throw error;
  }
  if (symbols !== undefined && isJsonArray(json) && json[0] === 'named-uuid') {
    const symbol = symbols.get(json[1] as string);
    if (isWeakRef(base)) symbol.weakRef = true;
    else if (base.refTable !== undefined) symbol.strongRef = true;
  }
  return atom;
}

function sortedKeys(keys: Atom[], duplicate: string): Atom[] {
  let inOrder = true;
  for (let i = 1; i < keys.length && inOrder; i++) inOrder = compareAtoms(keys[i - 1]!, keys[i]!) < 0;
  if (inOrder) return keys;
  keys.sort(compareAtoms);
  for (let i = 1; i < keys.length; i++) {
    if (keys[i] === keys[i - 1]) throw new OvsdbError(ERROR_TAGS.ovsdb, duplicate);
  }
  return keys;
}

function sortedMap(keys: Atom[], values: Atom[]): Datum {
  let inOrder = true;
  for (let i = 1; i < keys.length && inOrder; i++) inOrder = compareAtoms(keys[i - 1]!, keys[i]!) < 0;
  if (inOrder) return datumOfSorted(keys, values);
  const order = keys.map((_, i) => i).sort((a, b) => compareAtoms(keys[a]!, keys[b]!));
  const sorted = order.map((i) => keys[i]!);
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] === sorted[i - 1]) throw new OvsdbError(ERROR_TAGS.ovsdb, 'map contains duplicate key');
  }
  return datumOfSorted(
    sorted,
    order.map((i) => values[i]!),
  );
}

/**
 * The <value> JSON of a datum: a bare atom for a set of one, else `["set", …]` or `["map", …]`. `named` prints
 * UUIDs it knows as `["named-uuid", NAME]`.
 */
export function datumToJson(
  type: ColumnType,
  datum: Datum,
  named?: (uuid: string) => string | undefined,
): Json {
  const keyType: AtomicType = type.key.type;
  if (type.value !== undefined) {
    const valueType = type.value.type;
    const pairs = datum.keys.map((key, i): Json => [
      atomToJson(keyType, key, named),
      atomToJson(valueType, datum.values[i]!, named),
    ]);
    return ['map', pairs];
  }
  if (datum.keys.length === 1) return atomToJson(keyType, datum.keys[0]!, named);
  if (keyType !== 'uuid') return ['set', datum.keys];
  return ['set', datum.keys.map((key) => atomToJson(keyType, key, named))];
}
