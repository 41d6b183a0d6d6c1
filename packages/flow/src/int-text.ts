/**
 * Numbers as C's strtoull() and scanf() read them, because flow text accepts what these do: leading blanks, a
 * sign, `0x` for hexadecimal and a leading 0 for octal.
 */

import { scanNumber, stop } from './scan.js';

/** A number and where the text after it starts; `error` says why there is none. */
export interface Scanned {
  readonly value: bigint;
  /** Index of the first character not used. */
  readonly end: number;
  readonly error?: 'syntax' | 'range';
}

const U64 = 0xffffffffffffffffn;

/** Any number of blanks, which are what C's isspace() has: a piece of a regular expression. */
export const BLANKS = '[ \\t\\n\\v\\f\\r]*';

const isBlank = (c: number): boolean => c === 32 || (c >= 9 && c <= 13);

/** The index of the first character from `start` that is no blank. */
export function skipBlanks(text: string, start = 0): number {
  let i = start;
  while (isBlank(text.charCodeAt(i))) i++;
  return i;
}

/** The number that all of `text` is, as strtoul(…, base 10) reads it, with no minus; NaN for anything else. */
export function readDecimal(text: string): number {
  return /^\+?\d+$/.test(text.slice(skipBlanks(text))) ? Number(text) : NaN;
}

/** strtoull(text from `start`, base 0): a minus sign negates modulo 2^64. */
export function scanU64(text: string, start = 0): Scanned {
  let i = skipBlanks(text, start);
  let negative = false;
  if (text[i] === '-' || text[i] === '+') negative = text[i++] === '-';
  let digits: RegExp = /[0-9]*/y;
  let prefix = '';
  if (
    text[i] === '0' &&
    (text[i + 1] === 'x' || text[i + 1] === 'X') &&
    /[0-9a-fA-F]/.test(text[i + 2] ?? '')
  ) {
    digits = /[0-9a-fA-F]+/y;
    prefix = '0x';
    i += 2;
  } else if (text[i] === '0') {
    digits = /[0-7]+/y;
    prefix = '0o';
  }
  digits.lastIndex = i;
  const run = digits.exec(text)?.[0] ?? '';
  if (run === '') return { value: 0n, end: start, error: 'syntax' };
  const value = BigInt(prefix + run);
  const end = i + run.length;
  if (value > U64) return { value: U64, end, error: 'range' };
  return { value: negative ? ((1n << 64n) - value) & U64 : value, end };
}

/**
 * The peer's own scanf("%lli") from `start`: modulo 2^64, and of a number in octal as many digits as are; undefined where
 * there is no number.
 */
export function scanWrapped(text: string, start = 0): { value: bigint; end: number } | undefined {
  const re = /([-+]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)(?![xX])|([1-9][0-9]*))/y;
  re.lastIndex = skipBlanks(text, start);
  const m = re.exec(text);
  if (m === null) return undefined;
  const [, sign, hex, octal, decimal] = m;
  const value = BigInt(hex !== undefined ? `0x${hex}` : octal !== undefined ? `0o${octal}` : decimal!);
  return { value: BigInt.asUintN(64, sign === '-' ? -value : value), end: re.lastIndex };
}

/**
 * A field's integer of `width` bytes, from `start`: hexadecimal of any length, or what `scanU64` reads.
 * A value that needs more bytes is a range error.
 */
export function scanInt(text: string, width: number, start = 0): Scanned {
  const plain = scanNumber(text, start, text.length);
  if (plain >= 0 && (width >= 7 || plain < 2 ** (8 * width)) && !isBlank(text.charCodeAt(stop())))
    return { value: BigInt(plain), end: stop() };
  if (text[start] === '0' && (text[start + 1] === 'x' || text[start + 1] === 'X')) {
    // Blanks may stand among the digits.
    const re = /[0-9a-fA-F \t\n\v\f\r]*/y;
    re.lastIndex = start + 2;
    const run = re.exec(text)![0];
    const value = BigInt(`0x0${run.replace(/\s/g, '')}`);
    const end = start + 2 + run.length;
    return value >> BigInt(width * 8) === 0n ? { value, end } : { value, end, error: 'range' };
  }
  const n = scanU64(text, start);
  if (n.error !== undefined) return n;
  return n.value >> BigInt(width * 8) === 0n ? n : { ...n, error: 'range' };
}

/** The decimal number that a text is, as scanf("%d") reads it: modulo 2^32. */
export function scanInt32(text: string): number {
  return Number(BigInt.asIntN(32, BigInt(text.trim().replace('+', ''))));
}

/** printf("%#x"): 0 has no prefix. */
export function altHex(value: number | bigint): string {
  return value === 0 || value === 0n ? '0' : '0x' + value.toString(16);
}
