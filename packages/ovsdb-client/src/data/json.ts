/**
 * JSON with 64-bit integers.
 *
 * OVSDB integers are signed 64-bit, JavaScript numbers hold 53 bits. The rule of this project, for every place
 * where an OVSDB integer lives: it is a `number` when it is a safe integer and a `bigint` otherwise, never
 * anything else. So equal integers are always `===`, `<` works across both kinds, and the control plane pays
 * for BigInt only where a statistic really is that large. `JSON.parse` would round such values silently and
 * `JSON.stringify` refuses BigInt, hence these two wrappers; both take the built-in way (at its speed) unless a
 * large integer is really present.
 *
 * Rejected: BigInt for all integers (slower everywhere, awkward in user code), and refusing large integers (the
 * peer stores and prints them).
 */

/** A JSON value as this library reads and writes it; large integers are BigInt. */
export type Json = null | boolean | number | bigint | string | JsonArray | JsonObject;
export type JsonArray = readonly Json[];
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

/** True for a JSON object (not null, not an array). */
export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a JSON array; narrows, which `Array.isArray` does not do for readonly arrays. */
export function isJsonArray(value: Json | undefined): value is JsonArray {
  return Array.isArray(value);
}

/** An escaped null character: the peer's parser refuses it, so no database may come to hold one. */
const NULL_ESCAPE = /(?<!\\)(?:\\\\)*\\u0000/;

/** A run of 16 digits is the least that can exceed 2^53-1; only then is the slow reader needed. */
const LONG_DIGITS = /\d{16}/;
const INTEGER_TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/gsu;
const MARK = '\u0001int:';

/**
 * Parses JSON text; integers outside of the safe range come back as BigInt (those beyond 64 bits too: the
 * atom reader refuses them). Throws `SyntaxError` as `JSON.parse` does.
 */
export function parseJson(text: string): Json {
  if (text.includes('\\u0000') && NULL_ESCAPE.test(text)) {
    throw new SyntaxError('null bytes not supported in quoted strings');
  }
  if (!LONG_DIGITS.test(text)) return JSON.parse(text) as Json;
  let marked = false;
  // Large integer literals are wrapped into marked strings; a real string that starts with the mark keeps its
  // meaning because such strings get the mark once more.
  const wrapped = text.replace(INTEGER_TOKEN, (token) => {
    if (token.startsWith('"')) {
      if (!token.startsWith('"\\u0001int:')) return token;
      marked = true;
      return `"\\u0001int:${token.slice(1)}`;
    }
    if (!/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token))) return token;
    marked = true;
    return `"\\u0001int:${token}"`;
  });
  if (!marked) return JSON.parse(text) as Json;
  return JSON.parse(wrapped, (_key, value: Json) => {
    if (typeof value !== 'string' || !value.startsWith(MARK)) return value;
    const rest = value.slice(MARK.length);
    return rest.startsWith(MARK) ? rest : BigInt(rest);
  }) as Json;
}

/** Text of a JSON value, compact, keys in insertion order, BigInt as integer literals. */
export function stringifyJson(value: Json | JsonObject): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return slowStringify(value);
  }
}

function slowStringify(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isJsonArray(value)) return `[${value.map(slowStringify).join(',')}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${slowStringify(member)}`);
  }
  return `{${members.join(',')}}`;
}

/**
 * Text of a JSON value with object keys sorted by their UTF-16 units: the canonical form, used where texts are
 * compared or shown (the `syntax` member of errors, schema equality).
 */
export function canonicalJson(value: Json | JsonObject): string {
  if (typeof value !== 'object' || value === null) return slowStringify(value);
  if (isJsonArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** The canonical form of an integer: `number` if safe, else `bigint`. */
export function normalizeInteger(value: bigint): number | bigint {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : value;
}
