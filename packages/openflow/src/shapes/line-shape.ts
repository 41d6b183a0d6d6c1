/**
 * A shape of lines that are read alike: the counterpart of `PrintShape`, from text to flow-mods. A table's lines are
 * of a few shapes too, so the first few of each are parsed and encoded the usual way, and of the rest the values only:
 *
 *     text   "table=" slot ",ip,nw_dst=" slot "/24,actions=output:" slot       characters between are those of the first
 *                      |                   |                         |
 *     wire   .. .. | table | .. .. | nw_dst & mask | .. .. .. | port | ..      bytes between are those of the first
 *
 * Which values there can be is said in `line-spans.ts`; where each of them is in the message is found out by reading
 * the line the usual way with others in its place, and tried in the end with all of them changed at once.
 *
 * Measured by `npm run bench:openflow`, the rows of parse-flows and add-flows.
 */
import { formatIp4, formatIp6Words, formatMacWords } from '@ovs-node/flow/addr-text';
import { ScanIp6, scanIp4, ScanMac, scanNumber, stop } from '@ovs-node/flow/scan';
import { setU32 } from '@ovs-node/flow/views/bytes';
import type { Writer } from '../wire.js';
import { Draw, ROUNDS, TRIES } from './draw.js';
import { type LineSpan, lineSpans, type Notation } from './line-spans.js';

/** What reading a line the usual way gives. */
export interface ReadLine {
  /** The message, of transaction 0. */
  readonly bytes: Uint8Array;
  /** Protocols (bits of `PROTO`) that can carry it. */
  readonly usable: number;
}

/** Reads a line the usual way; undefined when it is wrong. */
export type ReadOne = (line: string) => ReadLine | undefined;

/** A value and where it goes: `bytes` bytes at `at`, under `mask`, beside bits that stay. */
interface Slot {
  readonly span: LineSpan;
  readonly at: number;
  readonly bytes: number;
  /** Of addresses: the bits that are kept. */
  readonly mask: Uint8Array;
}

const mac = new ScanMac();
const ip6 = new ScanIp6();
/** The value scanned last, at the right; what is to the left of its eight, six or four bytes is left over. */
const scanned = new Uint8Array(16);

/** Scans a value at `text[from..to)` into `scanned`; false when it is not plain. `stop` says where it ends. */
function scan(
  notation: Notation,
  text: string,
  from: number,
  to: number,
  low: number,
  high: number,
): boolean {
  switch (notation) {
    case 'decimal':
    case 'hexadecimal': {
      const v = scanNumber(text, from, to);
      if (v < low || v > high) return false;
      const isHex = (text.charCodeAt(from + 1) | 32) === 120;
      if (isHex !== (notation === 'hexadecimal')) return false;
      setU32(scanned, 8, Math.floor(v / 0x100000000));
      setU32(scanned, 12, v);
      return true;
    }
    case 'ip4': {
      const v = scanIp4(text, from, to);
      setU32(scanned, 12, v);
      return v >= 0;
    }
    case 'mac':
      if (!mac.scan(text, from, to)) return false;
      setU32(scanned, 8, mac.high);
      setU32(scanned, 12, mac.low);
      return true;
    case 'ip6':
      if (!ip6.scan(text, from, ip6End(text, from, to))) return false;
      for (let i = 0; i < 4; i++) setU32(scanned, 4 * i, ip6.words[i]);
      return true;
  }
}

/** Where the hexadecimal digits and colons from `from` on end. */
function ip6End(text: string, from: number, to: number): number {
  let i = from;
  for (; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c > 58 ? (c | 32) < 97 || (c | 32) > 102 : c < 48) break;
  }
  return i;
}

export class LineShape {
  /** Protocols that can carry its flows. */
  readonly usable: number;
  /** The shape of the line that came after one of this shape last. */
  next: LineShape | undefined = undefined;
  /** A message, with zeros where the slots are. */
  private readonly message: Uint8Array;
  private readonly slots: readonly Slot[];
  /** Characters before each slot, and after the last. */
  private readonly literals: readonly Uint8Array[];
  /** Indices of the slots of the flow's table and of goto_table, or -1. */
  private readonly tableSlot: number;
  private readonly gotoSlot: number;

  constructor(line: string, sample: ReadLine, slots: readonly Slot[]) {
    this.usable = sample.usable;
    this.message = sample.bytes.slice();
    this.slots = slots;
    const literals: Uint8Array[] = [];
    let from = 0;
    for (const { span, at, bytes, mask } of slots) {
      literals.push(codes(line.slice(from, span.from)));
      from = span.to;
      // What is not the value's stays: the bit that says that there is a tag.
      scan(span.notation, line, span.from, span.to, span.low, span.high);
      for (let i = 0; i < bytes; i++) this.message[at + i] &= ~(scanned[16 - bytes + i] & mask[i]);
    }
    literals.push(codes(line.slice(from)));
    this.literals = literals;
    this.tableSlot = slots.findIndex(({ span }) => span.role === 'table');
    this.gotoSlot = slots.findIndex(({ span }) => span.role === 'goto_table');
  }

  /** Writes the message of the line `text[from..to)`, if it is of this shape; else nothing. */
  read(text: string, from: number, to: number, w: Writer): boolean {
    const { slots, literals, message } = this;
    const start = w.length;
    const room = w.place(message);
    let table = -1;
    let at = from;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i];
      const { span, mask } = slot;
      at = after(literals[i], text, at, to);
      if (at < 0 || !scan(span.notation, text, at, to, span.low, span.high)) return w.cutTo(start);
      at = stop();
      for (let b = 0, wire = start + slot.at, v = 16 - slot.bytes; b < slot.bytes; b++) {
        room[wire + b] |= scanned[v + b] & mask[b];
      }
      if (i === this.tableSlot) table = scanned[15];
      else if (i === this.gotoSlot && scanned[15] <= table) return w.cutTo(start);
    }
    at = after(literals[slots.length], text, at, to);
    return at === to || w.cutTo(start);
  }
}

/** Where `text` goes on after a literal at `at`, or -1 when it is not there. */
function after(literal: Uint8Array, text: string, at: number, to: number): number {
  const { length } = literal;
  if (at + length > to) return -1;
  for (let i = 0; i < length; i++) if (text.charCodeAt(at + i) !== literal[i]) return -1;
  return at + length;
}

function codes(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

const WIDTHS: Readonly<Record<Notation, readonly number[]>> = {
  decimal: [1, 2, 4, 8],
  hexadecimal: [1, 2, 4, 8],
  ip4: [4],
  mac: [6],
  ip6: [16],
};

/** A value in its notation, from its bytes at the right of 16. */
function valueText(notation: Notation, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer);
  const number = view.getUint32(8) * 0x100000000 + view.getUint32(12);
  switch (notation) {
    case 'decimal':
      return String(number);
    case 'hexadecimal':
      return `0x${number.toString(16)}`;
    case 'ip4':
      return formatIp4(view.getUint32(12));
    case 'mac':
      return formatMacWords(view.getUint32(8), view.getUint32(12));
    case 'ip6':
      return formatIp6Words(view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12));
  }
}

class Finder {
  private readonly line: string;
  private readonly sample: ReadLine;
  private readonly readOne: ReadOne;
  private readonly draw = new Draw();

  constructor(line: string, sample: ReadLine, readOne: ReadOne) {
    this.line = line;
    this.sample = sample;
    this.readOne = readOne;
  }

  find(spans: readonly LineSpan[], writer: Writer): LineShape | undefined {
    const slots = spans.map((span) => this.slot(span) ?? this.slot({ ...span, low: 1 }));
    let found = slots.filter((s) => s !== undefined);
    // A goto_table is compared with the table, of which a slot says which it is.
    if (hasTable(this.line) && !found.some((s) => s.span.role === 'table')) {
      found = found.filter((s) => s.span.role !== 'goto_table');
    }
    if (found.length === 0) return undefined;
    const shape = new LineShape(this.line, this.sample, found);
    return this.holds(shape, found, writer) ? shape : undefined;
  }

  /** The line with other values for some spans, in order. */
  private with(values: readonly { span: LineSpan; bytes: Uint8Array }[]): string {
    let out = '';
    let from = 0;
    for (const { span, bytes } of values) {
      out += this.line.slice(from, span.from) + valueText(span.notation, bytes);
      from = span.to;
    }
    return out + this.line.slice(from);
  }

  /** A value of a span: the least, the greatest, or any. */
  private value({ notation, low, high }: LineSpan, n: number): Uint8Array {
    const width = notation === 'ip4' ? 4 : notation === 'mac' ? 6 : notation === 'ip6' ? 16 : 8;
    const out = new Uint8Array(16);
    if (width === 8) out.set(this.draw.number(low, high, n), 8);
    else out.set(this.draw.bytes(width, n), 16 - width);
    return out;
  }

  /** Where the value of a span goes; undefined when something else of the message changes with it. */
  private slot(span: LineSpan): Slot | undefined {
    const { bytes: own, usable } = this.sample;
    const value = new Uint8Array(16);
    scanned.fill(0);
    if (!scan(span.notation, this.line, span.from, span.to, span.low, span.high)) return undefined;
    value.set(scanned);
    const tries: { value: Uint8Array; bytes: Uint8Array }[] = [{ value, bytes: own }];
    for (let n = 0; n < TRIES; n++) {
      const other = this.value(span, n);
      const read = this.readOne(this.with([{ span, bytes: other }]));
      // A table beyond which there is nothing to go to says nothing about the others.
      if (read === undefined && span.role !== undefined) continue;
      if (read?.usable !== usable || read.bytes.length !== own.length) return undefined;
      tries.push({ value: other, bytes: read.bytes });
    }
    const first = own.findIndex((b, i) => tries.some((t) => t.bytes[i] !== b));
    if (first < 0) return undefined;
    for (const bytes of WIDTHS[span.notation]) {
      for (let at = Math.max(0, first - bytes + 1); at <= first && at + bytes <= own.length; at++) {
        for (const mask of [new Uint8Array(bytes).fill(0xff), maskOf(tries, at, bytes)]) {
          const slot = { span, at, bytes, mask };
          if (tries.every((t) => this.isPlaced(slot, tries[0].value, t))) return slot;
        }
      }
    }
    return undefined;
  }

  /** Whether a message is the sample's, whose value is `own`, with another in its place. */
  private isPlaced(
    { at, bytes, mask }: Slot,
    own: Uint8Array,
    t: { value: Uint8Array; bytes: Uint8Array },
  ): boolean {
    for (let i = 0; i < 16 - bytes; i++) if (t.value[i] !== 0) return false;
    return this.sample.bytes.every((b, i) => {
      const n = i - at;
      if (n < 0 || n >= bytes) return t.bytes[i] === b;
      const v = 16 - bytes + n;
      return t.bytes[i] === ((b & ~(own[v] & mask[n])) | (t.value[v] & mask[n]));
    });
  }

  /** Whether the shape reads what the usual way reads, with all values changed. */
  private holds(shape: LineShape, slots: readonly Slot[], w: Writer): boolean {
    let rounds = 0;
    for (let n = 0; n < 4 * ROUNDS && rounds < ROUNDS; n++) {
      const line = this.with(
        slots.map(({ span }) => ({ span, bytes: this.value(span, n < 2 ? n : this.draw.below(16)) })),
      );
      w.clear();
      if (!shape.read(line, 0, line.length, w)) continue;
      const read = this.readOne(line);
      if (read?.usable !== shape.usable || !same(read.bytes, w.borrow())) return false;
      rounds++;
    }
    return rounds > 2;
  }
}

function hasTable(line: string): boolean {
  return /\btable\s*[=:(]/.test(line);
}

/** The bits of a place that differ between messages, which are those that a value can set. */
function maskOf(tries: readonly { bytes: Uint8Array }[], at: number, bytes: number): Uint8Array {
  const mask = new Uint8Array(bytes);
  for (const t of tries) for (let i = 0; i < bytes; i++) mask[i] |= t.bytes[at + i] ^ tries[0].bytes[at + i];
  return mask;
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}

/** The shape of a line, read as `sample`; undefined when it is better read the usual way. `w` is for trials. */
export function findLineShape(
  line: string,
  sample: ReadLine,
  readOne: ReadOne,
  w: Writer,
): LineShape | undefined {
  // Positions in the text are those of its bytes.
  if (!/^[\x20-\x7e\t]*$/.test(line)) return undefined;
  return new Finder(line, sample, readOne).find(lineSpans(line), w);
}
