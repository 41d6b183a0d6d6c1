/** Reads a JSON object member by member with the peer's error words; `finish` refuses what nobody took. */
import { isId } from './atom.js';
import { syntaxError } from './error.js';
import { type Json, type JsonObject, isJsonObject } from './json.js';

export type JsonKind = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'id' | 'array' | 'object';

const KINDS = {
  null: (json) => json === null,
  boolean: (json) => typeof json === 'boolean',
  integer: (json) => typeof json === 'bigint' || (typeof json === 'number' && Number.isInteger(json)),
  number: (json) => typeof json === 'bigint' || typeof json === 'number',
  string: (json) => typeof json === 'string',
  id: (json) => typeof json === 'string' && isId(json),
  array: (json) => Array.isArray(json),
  object: (json) => isJsonObject(json),
} as const satisfies Record<JsonKind, (json: Json) => boolean>;

/**
 * A parser of one JSON object. The first error is kept and thrown by `finish` with the object as its `syntax`;
 * until then `take` gives `undefined` for what is missing or of a wrong kind.
 */
export class ObjectParser {
  readonly json: Json;
  readonly #object: JsonObject;
  readonly #what: string;
  readonly #used = new Set<string>();
  #error: string | undefined;

  /** `what` names the thing in errors: "Parsing WHAT failed: …". */
  constructor(json: Json, what: string) {
    this.json = json;
    this.#what = what;
    if (isJsonObject(json)) this.#object = json;
    else {
      this.#object = {};
      this.#error = 'Object expected.';
    }
  }

  /** The member `name`; an optional one may be absent. A wrong kind is an error. */
  take(name: string, kinds: readonly JsonKind[] | 'any', optional = false): Json | undefined {
    const value = Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
    if (value === undefined) {
      if (!optional) this.fail(`Required '${name}' member is missing.`);
      return undefined;
    }
    this.#used.add(name);
    if (kinds !== 'any' && !kinds.some((kind) => KINDS[kind](value))) {
      this.fail(`Type mismatch for member '${name}'.`);
      return undefined;
    }
    return value;
  }

  /** Records an error; the first one counts. */
  fail(details: string): void {
    this.#error ??= details;
  }

  get failed(): boolean {
    return this.#error !== undefined;
  }

  /** Throws the first error; members nobody took are errors as well. */
  finish(): void {
    if (this.#error === undefined) {
      const rest = Object.keys(this.#object).filter((name) => !this.#used.has(name));
      if (rest.length > 0) this.fail(notAllowed(rest.sort()));
    }
    this.check();
  }

  /** Throws the first error so far; members nobody took are no error yet. */
  check(): void {
    if (this.#error === undefined) return;
    const json = isJsonObject(this.json) ? this.json : undefined;
    throw syntaxError(json, `Parsing ${this.#what} failed: ${this.#error}`);
  }
}

function notAllowed([first, ...others]: readonly string[]): string {
  if (others.length === 0) return `Member '${first}' is present but not allowed here.`;
  const n = others.length;
  return `Member '${first}' and ${n} other member${n > 1 ? 's' : ''} are present but not allowed here.`;
}
