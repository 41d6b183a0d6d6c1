/** Text forms of data: the syntax of `ovs-vsctl` and `ovsdb-client`, both ways. */
import { type Atom, SymbolTable, integerFromJson } from './atom.js';
import { formatAtom, formatBareAtom } from './atom-format.js';
import { type Datum, EMPTY_DATUM, datumOfSorted, mapDatum, setDatum } from './datum.js';
import { ERROR_TAGS, OvsdbError } from './error.js';
import { parseUuid } from './uuid.js';
import { type BaseType, type ColumnType, checkAtom, isStrongRef, isWeakRef } from './type.js';

/** A datum as `ovs-vsctl get` prints it: `x`, `[a, b]`, `{k=v, l=w}`; an empty optional value is `[]`. */
export function formatDatum(type: ColumnType, datum: Datum): string {
  const text = joinElements(type, datum, ', ', formatAtom);
  if (type.value !== undefined) return `{${text}}`;
  return type.max > 1 || datum.keys.length === 0 ? `[${text}]` : text;
}

/** A datum for `--data=bare`: no brackets, no quotes, elements separated by spaces. */
export function formatBareDatum(type: ColumnType, datum: Datum): string {
  return joinElements(type, datum, ' ', formatBareAtom);
}

function joinElements(type: ColumnType, datum: Datum, separator: string, format: typeof formatAtom): string {
  const { key, value } = type;
  if (value === undefined) return datum.keys.map((atom) => format(key.type, atom)).join(separator);
  return datum.keys
    .map((atom, i) => `${format(key.type, atom)}=${format(value.type, datum.values[i]!)}`)
    .join(separator);
}

const DELIMITERS = ':=, []{}!<>';

/** One token of the text syntax and the place behind it: a delimiter, a quoted string with its quotes, a word. */
export function nextToken(text: string, start: number): { token: string; end: number } {
  let i = start;
  if (text[i] === '"') {
    for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    if (i >= text.length) throw new TextError(`${text.slice(start)}: missing quote at end of quoted string`);
    i++;
  } else {
    while (i < text.length && !DELIMITERS.includes(text[i]!)) i++;
    if (i === start && i < text.length) i++;
  }
  return { token: text.slice(start, i), end: i };
}

/** An error in the text of an atom or datum; the message is the whole line. */
export class TextError extends OvsdbError {
  constructor(message: string) {
    super(ERROR_TAGS.syntax, message);
    this.message = message;
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on', '1'].map((word) => [word, true] as const),
  ...['false', 'no', 'off', '0'].map((word) => [word, false] as const),
]);

/** Reads an atom from its text, with constraints. `symbols` admits `@NAME` for rows of the same transaction. */
export function parseAtom(base: BaseType, text: string, symbols?: SymbolTable): Atom {
  const atom = parseAtomOnly(base, text, symbols);
  const error = checkAtom(base, atom);
  if (error !== undefined) throw error;
  return atom;
}

function parseAtomOnly(base: BaseType, text: string, symbols: SymbolTable | undefined): Atom {
  switch (base.type) {
    case 'integer': {
      const value = parseInteger(text);
      if (value === undefined) throw new TextError(`"${text}" is not a valid integer`);
      return value;
    }
    case 'real': {
      const value = parseReal(text);
      if (value === undefined) throw new TextError(`"${text}" is not a valid real number`);
      return value;
    }
    case 'boolean': {
      const value = BOOLEANS.get(text);
      if (value === undefined)
        throw new TextError(`"${text}" is not a valid boolean (use "true" or "false")`);
      return value;
    }
    case 'string':
      return parseString(text);
    case 'uuid':
      return parseUuidAtom(base, text, symbols);
  }
}

function parseInteger(text: string): Atom | undefined {
  if (!/^\s*[-+]?\d+$/.test(text)) return undefined;
  return integerFromJson(BigInt(text.trim().replace(/^\+/, '')));
}

function parseReal(text: string): number | undefined {
  if (!/^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? (value === 0 ? 0 : value) : undefined;
}

function parseString(text: string): string {
  if (text === '')
    throw new TextError('An empty string is not valid as input; use "" to represent the empty string');
  if (!text.startsWith('"')) return text;
  if (text.length < 2 || !text.endsWith('"')) {
    throw new TextError(`${text}: missing quote at end of quoted string`);
  }
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new TextError(`${text}: invalid quoted string`);
  }
}

function parseUuidAtom(base: BaseType, text: string, symbols: SymbolTable | undefined): string {
  if (text.startsWith('@') && symbols !== undefined) {
    const symbol = symbols.get(text);
    if (isWeakRef(base)) symbol.weakRef = true;
    else if (isStrongRef(base)) symbol.strongRef = true;
    return symbol.uuid;
  }
  const uuid = parseUuid(text);
  if (uuid === undefined) throw new TextError(`"${text}" is not a valid UUID`);
  return uuid;
}

/** Reads a datum from its text. Throws `TextError` or a constraint `OvsdbError`. */
export function parseDatum(type: ColumnType, text: string, symbols?: SymbolTable): Datum {
  const reader = new DatumReader(type, text, symbols);
  return reader.read();
}

/** Splits a list into elements; `[…]` or `{…}` around it may be left out. */
class DatumReader {
  readonly #type: ColumnType;
  readonly #text: string;
  readonly #symbols: SymbolTable | undefined;
  #at = 0;

  constructor(type: ColumnType, text: string, symbols: SymbolTable | undefined) {
    this.#type = type;
    this.#text = text;
    this.#symbols = symbols;
  }

  read(): Datum {
    const type = this.#type;
    const keys: Atom[] = [];
    const values: Atom[] = [];
    const open = type.value === undefined ? '[' : '{';
    const close = type.value === undefined ? ']' : '}';
    this.#skipSpaces();
    const bracketed = this.#peek() === open;
    if (bracketed) this.#at++;
    this.#skipSpaces();
    for (;;) {
      this.#skipSeparators();
      if (this.#at >= this.#text.length || (bracketed && this.#peek() === close)) break;
      this.#readElement(keys, values);
    }
    if (bracketed) {
      if (this.#peek() !== close) {
        throw new TextError(`${this.#text}: missing "${close}" at end of ${this.#kind()}`);
      }
      this.#at++;
      this.#skipSpaces();
      if (this.#at < this.#text.length) {
        throw new TextError(`${this.#text}: trailing garbage after "${close}"`);
      }
    }
    return this.#build(keys, values);
  }

  #kind(): string {
    return this.#type.value === undefined ? 'set' : 'map';
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #skipSpaces(): void {
    while (this.#peek() === ' ') this.#at++;
  }

  #skipSeparators(): void {
    while (this.#peek() === ' ' || this.#peek() === ',') this.#at++;
  }

  #atom(base: BaseType): Atom {
    const { token, end } = nextToken(this.#text, this.#at);
    this.#at = end;
    return parseAtom(base, token, this.#symbols);
  }

  #readElement(keys: Atom[], values: Atom[]): void {
    const { key, value } = this.#type;
    keys.push(this.#atom(key));
    if (value === undefined) return;
    this.#skipSpaces();
    if (this.#peek() !== '=') {
      throw new TextError(`${this.#text}: syntax error at "${this.#peek() ?? ''}" expecting "="`);
    }
    this.#at++;
    this.#skipSpaces();
    values.push(this.#atom(value));
  }

  #build(keys: Atom[], values: Atom[]): Datum {
    if (keys.length === 0) return EMPTY_DATUM;
    if (this.#type.value !== undefined) {
      const entries = keys.map((key, i) => [key, values[i]!] as const);
      if (new Set(keys).size !== keys.length) {
        throw new OvsdbError(ERROR_TAGS.constraint, `map contains duplicate key`);
      }
      return mapDatum(entries);
    }
    const n = keys.length;
    const set = setDatum(keys);
    if (set.keys.length !== n) throw new OvsdbError(ERROR_TAGS.constraint, 'set contains duplicate value');
    return datumOfSorted(set.keys);
  }
}
