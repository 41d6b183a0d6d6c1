import { addToHash, type WordTable } from './word-table.js';

/**
 * The syntax under all flow, action and packet-out text: `key`, `key=value`, `key:value` and `key(value)`, apart by
 * commas or white space, where a value may hold balanced parentheses and `key(value)->rest` is one value.
 */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

const SEPARATOR = 1;
/** `:`, `=` or `(`, which end a key. */
const DELIMITER = 2;
const OPEN = 4;
const CLOSE = 8;
/** What characters below 128 mean. */
const CLASS = new Uint8Array(128);
for (const c of ', \t\n\r') CLASS[c.charCodeAt(0)] = SEPARATOR;
for (const c of ':=') CLASS[c.charCodeAt(0)] = DELIMITER;
CLASS[40] = DELIMITER | OPEN;
CLASS[41] = CLOSE;

function classOf(c: number): number {
  return c < 128 ? CLASS[c]! : 0;
}

/** Where the value that starts at `i` ends: at a separator, or `enclosed` at `)`, outside of inner parentheses. */
function valueEnd(text: string, i: number, to: number, enclosed: boolean): number {
  const ends = enclosed ? CLOSE : SEPARATOR;
  let depth = 0;
  for (; i < to; i++) {
    const kind = classOf(text.charCodeAt(i));
    if ((kind & (SEPARATOR | OPEN | CLOSE)) === 0) continue;
    if (depth === 0 && (kind & ends) !== 0) return i;
    if ((kind & OPEN) !== 0) depth++;
    else if ((kind & CLOSE) !== 0 && depth > 0) depth--;
  }
  return i;
}

/**
 * Walks over the pairs of a text by position, which makes no strings: a table of 100,000 flows has a million pairs.
 * After `next` has returned true, the pair is `text[keyFrom..keyTo)` and `text[valueFrom..valueTo)`.
 */
export class KeyValueCursor {
  readonly text: string;
  keyFrom = 0;
  keyTo = 0;
  valueFrom = 0;
  valueTo = 0;
  private keyHash = 0;
  private at: number;
  private readonly to: number;

  /** Walks over `text[from..to)`. */
  constructor(text: string, from = 0, to = text.length) {
    this.text = text;
    this.at = from;
    this.to = to;
  }

  get key(): string {
    return this.text.slice(this.keyFrom, this.keyTo);
  }

  /** The value; '' for a key that has none. */
  get value(): string {
    return this.text.slice(this.valueFrom, this.valueTo);
  }

  /** What comes behind the pair. */
  get rest(): string {
    const behind = this.valueTo > this.keyTo ? this.at : this.keyTo + 1;
    return this.text.slice(behind, this.to);
  }

  /** Goes to the next pair; false at the end. An unfinished parenthesis extends to the end. */
  next(): boolean {
    const { text, to } = this;
    let i = this.at;
    while (i < to && classOf(text.charCodeAt(i)) === SEPARATOR) i++;
    if (i >= to) return false;
    this.keyFrom = i;
    let kind = 0;
    let hash = 0;
    for (; i < to; i++) {
      const c = text.charCodeAt(i);
      kind = classOf(c);
      if ((kind & (SEPARATOR | DELIMITER)) !== 0) break;
      hash = addToHash(hash, c);
    }
    this.keyTo = i;
    this.keyHash = hash;
    if (i >= to || kind === SEPARATOR) {
      this.valueFrom = i;
      this.valueTo = i;
      this.at = i;
      return true;
    }
    this.valueFrom = ++i;
    const enclosed = (kind & OPEN) !== 0;
    i = valueEnd(text, i, to, enclosed);
    if (enclosed && i + 3 <= to && text.startsWith(')->', i)) i = valueEnd(text, i, to, false);
    this.valueTo = i;
    this.at = i + 1;
    return true;
  }

  /** What `table` has for the key. */
  find<T>(table: WordTable<T>): T | undefined {
    return table.find(this.text, this.keyFrom, this.keyTo, this.keyHash);
  }
}

/** The pairs of `text`, in order. */
export function parseKeyValues(text: string): KeyValue[] {
  const out: KeyValue[] = [];
  const cursor = new KeyValueCursor(text);
  while (cursor.next()) out.push({ key: cursor.key, value: cursor.value });
  return out;
}
