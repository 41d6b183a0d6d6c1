/**
 * OpenFlow errors as values: what decoding returns for bad input, and what an error message carries.
 */
import type { MultipartReply, MultipartRequest, OfMessage } from './messages/types.js';
import { type Explain, type ExplanationArgs, type ExplanationKey, explanationText } from './explain.js';
import { ERRORS, type ErrorCode, type ErrorName } from './error-table.js';

export type { ErrorName } from './error-table.js';

/**
 * An error as sent or received. `name` is undefined when the numbers of a received one have no name in its version;
 * `vendor`, `type` and `code` are then all there is.
 */
export class OfError {
  readonly name: ErrorName | undefined;
  /** The first bytes of the message that caused it. */
  readonly data: Uint8Array;
  /** What was wrong, for the log; never on the wire. */
  readonly detail: string;
  readonly vendor: number;
  readonly errorType: number;
  readonly code: number;
  /** Decoding: the message as far as it could be read, where that is more than nothing. */
  partial: OfMessage | undefined;
  /** Decoding a list: where, from the start of the message, what has not been read yet begins. */
  at: number | undefined;

  constructor(
    name: ErrorName | undefined,
    detail = '',
    data: Uint8Array = EMPTY,
    numbers: { vendor: number; type: number; code: number } = { vendor: 0, type: 0, code: 0 },
  ) {
    this.name = name;
    this.detail = detail;
    this.data = data;
    this.vendor = numbers.vendor;
    this.errorType = numbers.type;
    this.code = numbers.code;
  }

  /**
   * The same error, quoting `message` (copied): as much as fits is sent, as by the peer, so that a reader sees the whole
   * request (OpenFlow 1.0, section 5.4.4, asks for at least 64 bytes).
   */
  quoting(message: Uint8Array): OfError {
    const error = new OfError(this.name, this.detail, message.slice(), {
      vendor: this.vendor,
      type: this.errorType,
      code: this.code,
    });
    error.partial = this.partial;
    error.at = this.at;
    return error;
  }

  toString(): string {
    return this.name ?? `type ${this.errorType}, code ${this.code}`;
  }
}

const EMPTY = new Uint8Array(0);

/**
 * Thrown inside the codecs only, and turned into an `OfError` value at their edge (`decodeMessage`, `decodeMatch`,
 * `decodeActions`): checking every length where it is read would otherwise triple the code that reads.
 */
export class DecodeFailure extends Error {
  readonly error: OfError;
  /** The body of a statistics message up to the item that is bad. */
  partial: MultipartRequest | MultipartReply | undefined;
  constructor(name: ErrorName, detail: string) {
    super(`${name}: ${detail}`);
    this.error = new OfError(name, detail);
  }
}

/** Stops decoding: the input is wrong as `name` says. Only for use inside of codecs. */
export function fail(name: ErrorName, detail: string): never {
  throw new DecodeFailure(name, detail);
}

/** `fail`, with an explanation, which is told to who reads with `r`. */
export function refuse<K extends ExplanationKey>(
  r: { readonly explain: Explain | undefined },
  name: ErrorName,
  key: K,
  ...args: ExplanationArgs<K>
): never {
  r.explain?.(key, ...args);
  return fail(name, explanationText(key, ...args));
}

/** Explanations that need no more than their names. */
type PlainKey = { [K in ExplanationKey]: ExplanationArgs<K> extends readonly [] ? K : never }[ExplanationKey];

/** Tells, after what a decoder has told, that it failed; gives what it threw, to be thrown on. */
export function told(r: { readonly explain: Explain | undefined }, thrown: unknown, key: PlainKey): unknown {
  if (thrown instanceof DecodeFailure) (r.explain as ((key: PlainKey) => void) | undefined)?.(key);
  return thrown;
}

/** The detail of an error that the peer has no name for, and prints as `<invalid>`. */
export const UNNAMED_ERROR = 'nothing that can be read';

/** Runs a decoder, giving its `OfError` as a value. Anything else thrown is a bug and passes through. */
export function guard<T>(decode: () => T): T | OfError {
  try {
    return decode();
  } catch (e) {
    if (e instanceof DecodeFailure) return e.error;
    throw e;
  }
}

/** The numbers of an error in a version, or undefined when that version cannot say it. */
export function errorNumbers(
  name: ErrorName,
  version: number,
): { vendor: number; type: number; code: number } | undefined {
  for (const [from, to, vendor, type, code] of ERRORS[name] as readonly ErrorCode[]) {
    if (version >= from && version <= to) return { vendor, type, code };
  }
  return undefined;
}

const byNumbers = new Map<string, ErrorName>();

/** The error that a version's numbers mean. */
export function errorFromNumbers(
  version: number,
  vendor: number,
  type: number,
  code: number,
): ErrorName | undefined {
  if (byNumbers.size === 0) {
    for (const [name, codes] of Object.entries(ERRORS) as [ErrorName, readonly ErrorCode[]][]) {
      for (const [from, to, v, t, c] of codes) {
        for (let n = from; n <= to; n++) {
          const key = `${n}:${v}:${t}:${c}`;
          if (!byNumbers.has(key)) byNumbers.set(key, name);
        }
      }
    }
  }
  return byNumbers.get(`${version}:${vendor}:${type}:${code}`);
}
