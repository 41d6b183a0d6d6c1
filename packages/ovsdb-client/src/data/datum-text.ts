/** Text forms of data: the syntax of `ovs-vsctl` and `ovsdb-client`, both ways. */
import { type Atom, SymbolTable, integerFromJson } from './atom.js';
import { formatAtom, formatBareAtom } from './atom-format.js';
import { type Datum, EMPTY_DATUM, mapDatum, setDatum } from './datum.js';
import { ERROR_TAGS, OvsdbError, constraintError } from './error.js';
import { typeToEnglish } from './type-english.js';
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

/**
 * One token of the text syntax and the place behind it: a quoted string with its quotes, or a word up to the next
 * delimiter, in which a backslash takes the next character as it is. Empty when a delimiter or the end comes first.
 */
export function nextToken(text: string, start: number): { token: string; end: number } {
  let i = start;
  if (text[i] === '"') {
    for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    if (i >= text.length)
      throw new TextError(`${text.slice(start)}: quoted string extends past end of argument`);
    return { token: text.slice(start, i + 1), end: i + 1 };
  }
  let token = '';
  for (; i < text.length && !DELIMITERS.includes(text[i]!); i++) {
    if (text[i] === '\\') i++;
    token += text[i] ?? '';
  }
  return { token, end: Math.min(i, text.length) };
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
  return checked(base, parseAtomOnly(base, text, symbols));
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
  const badEscape = /^"(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*(\\[^"\\/bfnrtu])/.exec(text);
  if (badEscape !== null) throw new TextError(`${text}: bad escape ${badEscape[1]!}`);
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
  return new DatumReader(type, text, symbols).read();
}

/** Most integers that one range may stand for. */
const MAX_RANGE = 4096;

/** Splits a list into elements; `[…]` or `{…}` around it may be left out. */
class DatumReader {
  readonly #type: ColumnType;
  readonly #text: string;
  readonly #symbols: SymbolTable | undefined;
  readonly #keys: Atom[] = [];
  readonly #values: Atom[] = [];
  #at = 0;

  constructor(type: ColumnType, text: string, symbols: SymbolTable | undefined) {
    this.#type = type;
    this.#text = text;
    this.#symbols = symbols;
  }

  read(): Datum {
    const isMap = this.#type.value !== undefined;
    this.#skipSpaces();
    const bracketed = this.#peek() === (isMap ? '{' : '[');
    const close = !bracketed ? '' : isMap ? '}' : ']';
    if (bracketed) this.#at++;
    this.#skipSpaces();
    while (this.#peek() !== '' && this.#peek() !== close) this.#readElement();
    if (this.#peek() !== close) throw new TextError(`${this.#text}: missing "${close}" at end of data`);
    if (bracketed) {
      this.#at++;
      this.#skipSpaces();
      if (this.#peek() !== '') throw new TextError(`${this.#text}: trailing garbage after "${close}"`);
    }
    return this.#build();
  }

  /** The next character, or the empty string at the end. */
  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #skipSpaces(): void {
    while (this.#peek() === ' ') this.#at++;
  }

  #token(): string {
    const { token, end } = nextToken(this.#text, this.#at);
    this.#at = end;
    return token;
  }

  #readElement(): void {
    const { key, value } = this.#type;
    const start = this.#at;
    const first = this.#peek();
    if (DELIMITERS.includes(first)) {
      throw new TextError(`${this.#text}: unexpected "${first}" parsing ${typeToEnglish(this.#type)}`);
    }
    const token = this.#token();
    if (key.type === 'integer') this.#integers(key, token, value === undefined);
    else this.#keys.push(parseAtom(key, token, this.#symbols));
    if (value !== undefined) {
      this.#skipSpaces();
      const next = this.#peek();
      if (next !== '=') {
        // At the end the peer's line ends in the middle; that is what its users know.
        const rest = next === '' ? '' : `${next}" expecting "="`;
        throw new TextError(`${this.#text.slice(start)}: syntax error at "${rest}`);
      }
      this.#at++;
      this.#skipSpaces();
      this.#readValue(value);
    }
    this.#skipSpaces();
    if (this.#peek() === ',') {
      this.#at++;
      this.#skipSpaces();
    }
  }

  #readValue(base: BaseType): void {
    const token = this.#token();
    if (base.type === 'integer' && parseInteger(token) === undefined) {
      throw new TextError(`"${token}" is not a valid integer or range`);
    }
    this.#values.push(parseAtom(base, token, this.#symbols));
  }

  /** An integer, or where `ranges` are admitted FIRST-LAST. */
  #integers(base: BaseType, token: string, ranges: boolean): void {
    const single = parseInteger(token);
    if (single !== undefined) {
      this.#keys.push(checked(base, single));
      return;
    }
    const match = ranges ? /^(-?[0-9]+)-(-?[0-9]+)$/.exec(token) : null;
    const first = match === null ? undefined : parseInteger(match[1]!);
    const last = match === null ? undefined : parseInteger(match[2]!);
    if (first === undefined || last === undefined) {
      throw new TextError(`"${token}" is not a valid integer or range`);
    }
    if (last < first)
      throw new TextError(`"${token}" is not a valid range. Range end cannot be before start.`);
    checked(base, first);
    checked(base, last);
    if (Number(last) - Number(first) >= MAX_RANGE) {
      throw constraintError(`Range "${token}" is too big. Maximum allowed size is ${MAX_RANGE}.`);
    }
    for (let n = Number(first); n <= Number(last); n++) this.#keys.push(checked(base, n));
  }

  #build(): Datum {
    const { min, max } = this.#type;
    const keys = this.#keys;
    const n = keys.length;
    if (n < min) throw this.#wrongNumber(n, 'minimum', min);
    if (n > max) throw this.#wrongNumber(n, 'maximum', max);
    if (n === 0) return EMPTY_DATUM;
    const duplicate = new Set(keys).size !== n;
    if (this.#type.value !== undefined) {
      if (duplicate) throw new TextError(`${this.#text}: map contains duplicate key`);
      return mapDatum(keys.map((key, i) => [key, this.#values[i]!] as const));
    }
    if (duplicate) throw new TextError(`${this.#text}: set contains duplicate value`);
    return setDatum(keys);
  }

  #wrongNumber(n: number, which: string, limit: number): TextError {
    return new TextError(`${this.#text}: ${n} value(s) specified but the ${which} number is ${limit}`);
  }
}

function checked(base: BaseType, atom: Atom): Atom {
  const error = checkAtom(base, atom);
  if (error !== undefined) throw error;
  return atom;
}
