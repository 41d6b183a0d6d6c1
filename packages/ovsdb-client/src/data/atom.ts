/**
 * Atoms: the scalar values of OVSDB (RFC 7047 section 5.1 <atom>).
 *
 * | OVSDB type | JavaScript |
 * |---|---|
 * | integer | `number` when safe, else `bigint` (see json.ts) |
 * | real | `number`, finite, never -0 |
 * | boolean | `boolean` |
 * | string | `string` |
 * | uuid | 36-character lower-case string (see uuid.ts) |
 *
 * Invariant: equal atoms of one type are `===`. An atom does not carry its type; the column does.
 */
import { syntaxError } from './error.js';
import { INT64_MAX, INT64_MIN, type Json, isJsonArray, normalizeInteger } from './json.js';
import { newUuid, parseUuid } from './uuid.js';

export const ATOMIC_TYPES = ['integer', 'real', 'boolean', 'string', 'uuid'] as const;
export type AtomicType = (typeof ATOMIC_TYPES)[number];

/** An OVSDB integer: `number` if safe, `bigint` otherwise. */
export type IntegerAtom = number | bigint;
export type Atom = IntegerAtom | boolean | string;

/** What is known about one `uuid-name` of a transaction. */
export interface UuidSymbol {
  readonly uuid: string;
  /** An insert of this name has been seen. */
  created: boolean;
  /** A strong reference to it has been seen (used by tools that warn about rows nobody refers to). */
  strongRef: boolean;
  weakRef: boolean;
}

/** The named UUIDs of one transaction; a reference may come before its insert. */
export class SymbolTable {
  readonly symbols = new Map<string, UuidSymbol>();

  /** The symbol of `name`, made with a fresh UUID when it is new. */
  get(name: string): UuidSymbol {
    let symbol = this.symbols.get(name);
    if (symbol === undefined) {
      symbol = { uuid: newUuid(), created: false, strongRef: false, weakRef: false };
      this.symbols.set(name, symbol);
    }
    return symbol;
  }

  /** Makes `name` stand for `uuid`; only before its first use. */
  define(name: string, uuid: string): UuidSymbol {
    const symbol: UuidSymbol = { uuid, created: true, strongRef: false, weakRef: false };
    this.symbols.set(name, symbol);
    return symbol;
  }
}

/** True when `text` is an <id> (RFC 7047 section 3.1): letter or underscore, then letters, digits, underscores. */
export function isId(text: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(text);
}

/** The value a column of this type has when nothing was said: 0, false, "", the zero UUID. */
export function defaultAtom(type: AtomicType): Atom {
  return DEFAULTS[type];
}

const DEFAULTS = {
  integer: 0,
  real: 0,
  boolean: false,
  string: '',
  uuid: '00000000-0000-0000-0000-000000000000',
} as const satisfies Record<AtomicType, Atom>;

/**
 * Order of two atoms of the same type: negative, 0 or positive. Strings compare as their UTF-8 bytes do (code
 * points), which differs from JavaScript's own order where surrogates meet U+E000..U+FFFF.
 */
export function compareAtoms(a: Atom, b: Atom): number {
  if (a === b) return 0;
  if (typeof a === 'string') return compareStrings(a, b as string);
  return a < b ? -1 : 1;
}

/** Code point order of two strings. */
export function compareStrings(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x !== y) {
      if (x >= 0xd800 && y >= 0xd800) {
        // Surrogates stand for code points above all others.
        if (x <= 0xdfff) x += 0x10000;
        if (y <= 0xdfff) y += 0x10000;
      }
      return x - y;
    }
  }
  return a.length - b.length;
}

/** The integer atom of a JSON value, or undefined when it is not an integer of 64 bits. */
export function integerFromJson(json: Json): IntegerAtom | undefined {
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return json === 0 ? 0 : json;
    if (!Number.isInteger(json)) return undefined;
    const big = BigInt(json);
    return big >= INT64_MIN && big <= INT64_MAX ? big : undefined;
  }
  if (typeof json !== 'bigint' || json < INT64_MIN || json > INT64_MAX) return undefined;
  return normalizeInteger(json);
}

/**
 * Reads an <atom>. `symbols` admits `["named-uuid", ID]`; without it only complete UUIDs are taken. Throws
 * `OvsdbError` (`syntax error`); constraints are not checked here.
 */
export function atomFromJson(type: AtomicType, json: Json, symbols?: SymbolTable): Atom {
  switch (type) {
    case 'string':
      if (typeof json === 'string') return json;
      break;
    case 'integer': {
      const value = integerFromJson(json);
      if (value !== undefined) return value;
      break;
    }
    case 'real':
      if (typeof json === 'bigint') return Number(json);
      if (typeof json === 'number' && Number.isFinite(json)) return json === 0 ? 0 : json;
      break;
    case 'boolean':
      if (typeof json === 'boolean') return json;
      break;
    case 'uuid':
      return uuidFromJson(json, symbols);
  }
  throw syntaxError(json, `expected ${type}`);
}

/** Reads `["uuid", U]` or, with `symbols`, `["named-uuid", NAME]`. */
export function uuidFromJson(json: Json, symbols?: SymbolTable): string {
  if (isJsonArray(json) && json.length === 2) {
    const [kind, text] = json;
    if (kind === 'uuid' && typeof text === 'string') {
      const uuid = parseUuid(text);
      if (uuid === undefined) throw syntaxError(json, `"${text}" is not a valid UUID`);
      return uuid;
    }
    if (kind === 'named-uuid' && typeof text === 'string' && symbols !== undefined) {
      if (!isId(text)) throw syntaxError(json, 'named-uuid string is not a valid <id>');
      return symbols.get(text).uuid;
    }
  }
  throw syntaxError(json, 'expected ["uuid", <string>]');
}

/**
 * The <atom> JSON of an atom. `named` lets a transaction print rows it is inserting as `["named-uuid", NAME]`.
 */
export function atomToJson(type: AtomicType, atom: Atom, named?: (uuid: string) => string | undefined): Json {
  if (type !== 'uuid') return atom;
  const name = named?.(atom as string);
  return name === undefined ? ['uuid', atom] : ['named-uuid', name];
}
