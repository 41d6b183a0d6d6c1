/**
 * Splits a byte stream into JSON texts (RFC 7047 section 4: texts follow each other, with or without white space).
 *
 * The end of a text is found by scanning bytes, keeping only the depth and whether the scan is inside a string;
 * the text then goes to JSON.parse whole. Bytes of JSON's structure are ASCII and never part of a UTF-8 sequence,
 * so chunk borders inside characters do not matter. Inside strings, the next quote is found by Buffer.indexOf,
 * which is native. A text in one chunk is decoded in place, one in several is joined once: cost is linear.
 *
 * A text must be an object or an array; anything else between texts ends the stream with an error, as does a text
 * larger or deeper than allowed: there is no way to find the next one.
 */
import { isUtf8 } from 'node:buffer';
import { OvsError } from '../errors.js';

/** Limits of what one peer may send. */
export interface FrameLimits {
  /** Bytes of one text. */
  readonly maxBytes: number;
  /** Nested objects and arrays. */
  readonly maxDepth: number;
}

/** Room for databases of some hundred megabytes, and no deeper than the peer's parser goes (1000). */
export const DEFAULT_LIMITS: FrameLimits = { maxBytes: 512 * 1024 * 1024, maxDepth: 1000 };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
// `{` and `[` differ in one bit only, as do `}` and `]`: (c & 0xdf) tests for both.

/** The splitter: one per connection. After it threw, it must not be used again. */
export class JsonSplitter {
  readonly #limits: FrameLimits;
  readonly #onText: (text: string) => void;
  #chunks: Buffer[] = [];
  #size = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** @param onText gets each text, complete; what it throws comes out of `push`. */
  constructor(onText: (text: string) => void, limits: FrameLimits = DEFAULT_LIMITS) {
    this.#onText = onText;
    this.#limits = limits;
  }

  /** Bytes held of a text that has not ended. */
  get pending(): number {
    return this.#size;
  }

  /**
   * Takes the next bytes of the stream. The buffer may be kept until the text in it is complete.
   *
   * @throws OvsError 'syntax' when the stream is not JSON texts, 'E2BIG' when a limit is passed.
   */
  push(chunk: Buffer): void {
    const { maxDepth, maxBytes } = this.#limits;
    const length = chunk.length;
    let start = 0;
    let i = 0;
    let depth = this.#depth;
    let inString = this.#inString;
    while (i < length) {
      if (inString) {
        i = this.#skipString(chunk, i);
        inString = this.#inString;
        continue;
      }
      const c = chunk[i++]!;
      if (depth === 0) {
        if (c === 0x7b || c === 0x5b) {
          start = i - 1;
          depth = 1;
        } else if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) {
          throw new OvsError(
            `syntax error: byte 0x${c.toString(16).padStart(2, '0')} between JSON texts`,
            'syntax',
          );
        }
      } else if (c === QUOTE) {
        this.#inString = inString = true;
      } else if ((c & 0xdf) === 0x5b) {
        if (++depth > maxDepth) throw new OvsError(`JSON text nested deeper than ${maxDepth}`, 'E2BIG');
      } else if ((c & 0xdf) === 0x5d && --depth === 0) {
        if (this.#size + i - start > maxBytes) this.#tooBig();
        this.#depth = 0;
        this.#finish(chunk.subarray(start, i));
      }
    }
    this.#depth = depth;
    if (depth > 0) {
      this.#chunks.push(start === 0 ? chunk : chunk.subarray(start));
      this.#size += length - start;
      if (this.#size > maxBytes) this.#tooBig();
    }
  }

  #tooBig(): never {
    throw new OvsError(`JSON text longer than ${this.#limits.maxBytes} bytes`, 'E2BIG');
  }

  /** From inside a string at `i` to behind its closing quote, or to the end of the chunk. */
  #skipString(chunk: Buffer, from: number): number {
    let i = from;
    if (this.#escaped) {
      this.#escaped = false;
      i++;
    }
    // Most strings are short and plain: a native call would cost more than the few bytes.
    for (const near = Math.min(chunk.length, i + 32); i < near; i++) {
      const c = chunk[i]!;
      if (c === BACKSLASH) break;
      if (c === QUOTE) {
        this.#inString = false;
        return i + 1;
      }
    }
    while (i < chunk.length) {
      const quote = chunk.indexOf(QUOTE, i);
      const end = quote < 0 ? chunk.length : quote;
      // A quote is escaped when an odd number of backslashes stands directly before it.
      let b = end;
      while (b > i && chunk[b - 1] === BACKSLASH) b--;
      const odd = ((end - b) & 1) === 1;
      if (quote < 0) {
        this.#escaped = odd;
        return chunk.length;
      }
      i = quote + 1;
      if (!odd) {
        this.#inString = false;
        return i;
      }
    }
    return i;
  }

  #finish(last: Buffer): void {
    let whole = last;
    if (this.#chunks.length > 0) {
      this.#chunks.push(last);
      whole = Buffer.concat(this.#chunks, this.#size + last.length);
      this.#chunks = [];
      this.#size = 0;
    }
    if (!isUtf8(whole)) throw new OvsError('syntax error: JSON text is not UTF-8', 'syntax');
    this.#onText(whole.toString('utf8'));
  }
}
