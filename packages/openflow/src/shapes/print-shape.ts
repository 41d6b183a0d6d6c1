/**
 * A shape of messages that are printed alike. A flow table of a hundred thousand flows has a few dozen shapes: flows
 * that match the same fields under the same masks and do the same things, with other addresses, ports and numbers. So
 * the first few of a shape are decoded and printed the usual way, and the rest by copying: literal text, and between
 * it the digits of the values, straight from the wire. It is what a megaflow is to a packet.
 *
 *     wire   | 0e 00 58 .. .. | nw_dst |  .. .. .. | port | ..      bytes under `care` are those of the first
 *                                 |                   |
 *     text   " ADD tcp,nw_dst="  slot  " actions=output:" slot "\n"
 *
 * How a shape comes to be: `spans.ts` lists where in a message a value could differ; for each such span the message is
 * printed the usual way with a few other values, and a form is looked for which accounts for all that changed. A span
 * for which there is none stays literal. In the end all slots change at once, several times, and what the shape
 * prints has to be what the usual way prints, or there is no shape. So nothing about how messages are printed is said
 * twice, and what is said once (in `spans.ts`) is that a value within its bounds changes nothing but its digits.
 *
 * Measured by `npm run bench:openflow`, the rows of ofp-parse and dump-flows: three to five times as fast.
 */
import { u16, u32 } from '@ovs-node/flow/views/bytes';
import { ByteText, viewOf } from './byte-text.js';
import { Draw, ROUNDS, TRIES } from './draw.js';
import { type Form, FORMS_OF, putSlot, SLOT_ROOM, type Span, spanAllows } from './slot.js';
import type { WireSpans } from './spans.js';

/** Prints a message the usual way; undefined when it is not one that shapes are for. */
export type PrintOne = (bytes: Uint8Array) => string | undefined;

interface Slot {
  readonly span: Span;
  readonly form: Form;
  /** Where in the text of the sample its value is. */
  readonly textAt: number;
  readonly textLength: number;
}

/** What has to hold between values, as offsets; -1: nothing. */
interface Ties {
  readonly table: number;
  readonly gotoTable: number;
  readonly seconds: number;
  readonly hardAge: number;
  /** Whether the age is that of the duration, and so not printed, or has to be another. */
  readonly sameAge: boolean;
}

export class PrintShape {
  private readonly want: Int32Array;
  /** Ones where a message has to have what `want` has; both in words, of network order. */
  private readonly care: Int32Array;
  private readonly slots: readonly Slot[];
  /** The text before each slot, and after the last. */
  private readonly literals: readonly Literal[];
  private readonly textRoom: number;
  private readonly ties: Ties;

  constructor(sample: Uint8Array, text: string, slots: readonly Slot[], ties: Ties) {
    const care = new Uint8Array(sample.length).fill(0xff);
    for (const { span } of slots) care.fill(0, span.at, span.at + span.bytes);
    if (ties.sameAge) care.fill(0, ties.hardAge, ties.hardAge + 2);
    this.care = wordsOf(care);
    this.want = wordsOf(sample).map((word, i) => word & this.care[i]);
    this.slots = slots;
    this.ties = ties;
    let at = 0;
    const literals: Literal[] = [];
    for (const { textAt, textLength } of slots) {
      literals.push(literalOf(text.slice(at, textAt)));
      at = textAt + textLength;
    }
    literals.push(literalOf(text.slice(at)));
    this.literals = literals;
    this.textRoom = literals.reduce((n, { words }) => n + 4 * words.length, slots.length * SLOT_ROOM);
  }

  /** Whether the message at `bytes[base..base + length)` is of this shape; `view` is of the same bytes. */
  matches(bytes: Uint8Array, view: DataView, base: number): boolean {
    const { want, care, slots } = this;
    for (let i = 0; i < want.length; i++) {
      if ((view.getInt32(base + 4 * i) & care[i]) !== want[i]) return false;
    }
    for (let i = 0; i < slots.length; i++) if (!spanAllows(slots[i].span, bytes, base)) return false;
    const { table, gotoTable, seconds, hardAge, sameAge } = this.ties;
    if (gotoTable >= 0 && bytes[base + gotoTable] <= bytes[base + table]) return false;
    return hardAge < 0 || (u16(bytes, base + hardAge) - 1 === u32(bytes, base + seconds)) === sameAge;
  }

  /** Prints a message that `matches`. */
  print(bytes: Uint8Array, base: number, out: ByteText): void {
    const { slots, literals } = this;
    const buf = out.room(this.textRoom);
    const { view } = out;
    let at = out.length;
    for (let i = 0; i < slots.length; i++) {
      at = put(literals[i], view, at);
      const { span, form } = slots[i];
      at = putSlot(buf, view, at, form, bytes, base + span.at, span.bytes);
    }
    out.length = put(literals[slots.length], view, at);
  }
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const view = viewOf(bytes);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => view.getInt32(4 * i));
}

/** Literal text, to be written in words, of which the last may reach beyond it: what follows is written over that. */
interface Literal {
  readonly words: Int32Array;
  readonly length: number;
}

function literalOf(text: string): Literal {
  const bytes = new Uint8Array(Math.ceil(text.length / 4) * 4);
  bytes.set(Buffer.from(text, 'latin1'));
  return { words: wordsOf(bytes), length: text.length };
}

/**
 * Short copies are faster by hand than by `set`, and by words than by bytes, wherever they begin: what `npm run bench:openflow`
 * shows of ofp-parse.
 */
function put({ words, length }: Literal, to: DataView, at: number): number {
  for (let i = 0; i < words.length; i++) to.setInt32(at + 4 * i, words[i]);
  return at + length;
}

class Finder {
  private readonly sample: Uint8Array;
  private readonly text: string;
  private readonly ties: Ties;
  private readonly printOne: PrintOne;
  private readonly draw = new Draw();

  constructor(sample: Uint8Array, text: string, ties: Ties, printOne: PrintOne) {
    this.sample = sample;
    this.text = text;
    this.ties = ties;
    this.printOne = printOne;
  }

  find(spans: readonly Span[]): PrintShape | undefined {
    const slots = spans.map((span) => this.slot(span)).filter((s) => s !== undefined);
    slots.sort((a, b) => a.textAt - b.textAt);
    for (let i = 1; i < slots.length; i++) {
      if (slots[i].textAt < slots[i - 1].textAt + slots[i - 1].textLength) return undefined;
    }
    if (slots.length === 0) return undefined;
    const shape = new PrintShape(this.sample, this.text, slots, this.ties);
    return this.holds(shape, slots) ? shape : undefined;
  }

  /** The sample with another value; undefined when that would be of no message of the shape. */
  private with(span: Span, value: Uint8Array): Uint8Array | undefined {
    const bytes = this.sample.slice();
    bytes.set(value, span.at);
    this.keepAge(bytes);
    const { table, gotoTable } = this.ties;
    if (gotoTable >= 0 && bytes[gotoTable] <= bytes[table]) return undefined;
    return spanAllows(span, bytes, 0) ? bytes : undefined;
  }

  /** A value of a span: the least, the greatest, or any. */
  private value(span: Span, n: number): Uint8Array {
    const { draw } = this;
    let out;
    if (span.bytes <= 4) {
      out = draw.number(span.low, span.high, n).subarray(8 - span.bytes);
    } else if (span.rule === 'duration') {
      const nsec = n % 3 === 0 ? draw.below(1000) * 1_000_000 : draw.below(1_000_000_000);
      out = new Uint8Array(8);
      out.set(draw.number(0, 0xffff, n).subarray(4));
      out.set(draw.number(nsec, nsec, n).subarray(4), 4);
    } else {
      out = draw.bytes(span.bytes, n);
    }
    if (span.mask) for (let i = 0; i < span.bytes; i++) out[i] &= span.mask[i];
    return out;
  }

  private keepAge(bytes: Uint8Array): void {
    const { sameAge, seconds, hardAge } = this.ties;
    if (!sameAge) return;
    const age = u32(bytes, seconds) + 1;
    bytes[hardAge] = age >>> 8;
    bytes[hardAge + 1] = age;
  }

  /** The slot of a span; of one whose zero is printed otherwise, without it. */
  private slot(span: Span): Slot | undefined {
    const slot = this.slotOf(span);
    if (slot !== undefined || span.low !== 0) return slot;
    return this.slotOf(span.bytes <= 4 ? { ...span, low: 1 } : { ...span, rule: 'plain' });
  }

  /** How the value of a span is printed, and where; undefined when no form accounts for what changes with it. */
  private slotOf(span: Span): Slot | undefined {
    if (!spanAllows(span, this.sample, 0)) return undefined;
    const tries: { bytes: Uint8Array; text: string }[] = [];
    for (let n = 0; tries.length < TRIES && n < 4 * TRIES; n++) {
      const bytes = this.with(span, this.value(span, n));
      if (!bytes) continue;
      const text = this.printOne(bytes);
      if (text === undefined) return undefined;
      tries.push({ bytes, text });
    }
    if (tries.length < 2) return undefined;
    for (const form of FORMS_OF[span.bytes] ?? []) {
      const textAt = this.placeOf(span, form, tries);
      if (textAt !== undefined) {
        return { span, form, textAt, textLength: slotText(span, form, this.sample).length };
      }
    }
    return undefined;
  }

  /** Where in the text of the sample the value stands, if all other texts are the same but for it. */
  private placeOf(
    span: Span,
    form: Form,
    tries: readonly { bytes: Uint8Array; text: string }[],
  ): number | undefined {
    const { text } = this;
    const own = slotText(span, form, this.sample);
    // It cannot begin after the first difference.
    let last = text.length;
    for (const t of tries) if (t.text !== text) last = Math.min(last, firstDifference(text, t.text));
    if (last === text.length) return undefined;
    for (let at = text.lastIndexOf(own, last); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(own, at - 1)) {
      const [before, after] = [text.slice(0, at), text.slice(at + own.length)];
      if (tries.every((t) => t.text === before + slotText(span, form, t.bytes) + after)) return at;
      if (at + own.length + SLOT_ROOM < last) return undefined;
    }
    return undefined;
  }

  /** Whether the shape prints what the usual way prints, with all values changed. */
  private holds(shape: PrintShape, slots: readonly Slot[]): boolean {
    const out = new ByteText(1024);
    let rounds = 0;
    for (let n = 0; n < 4 * ROUNDS; n++) {
      const bytes = this.sample.slice();
      for (const { span } of slots) bytes.set(this.value(span, this.draw.below(16)), span.at);
      this.keepAge(bytes);
      if (!shape.matches(bytes, viewOf(bytes), 0)) continue;
      out.length = 0;
      shape.print(bytes, 0, out);
      if (Buffer.from(out.borrow()).toString('latin1') !== this.printOne(bytes)) return false;
      if (++rounds === ROUNDS) return true;
    }
    return rounds > 2;
  }
}

function firstDifference(a: string, b: string): number {
  let i = 0;
  while (i < a.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  return i;
}

const scratch = new Uint8Array(SLOT_ROOM);
const scratchView = viewOf(scratch);

function slotText(span: Span, form: Form, bytes: Uint8Array): string {
  const end = putSlot(scratch, scratchView, 0, form, bytes, span.at, span.bytes);
  return Buffer.from(scratch.subarray(0, end)).toString('latin1');
}

/** The shape of a message whose slots may be at `wire`; undefined when it is better printed the usual way. */
export function findPrintShape(
  sample: Uint8Array,
  wire: WireSpans,
  printOne: PrintOne,
): PrintShape | undefined {
  const text = printOne(sample);
  if (text === undefined || sample.length % 4 !== 0) return undefined;
  const { table, gotoTable, seconds, hardAge } = wire;
  const sameAge = hardAge >= 0 && u16(sample, hardAge) - 1 === u32(sample, seconds);
  const ties: Ties = { table, gotoTable, seconds, hardAge, sameAge };
  const spans: readonly Span[] =
    hardAge >= 0 && !sameAge ? [...wire.spans, { at: hardAge, bytes: 2, low: 1, high: 0xffff }] : wire.spans;
  // Not `slice`, which for a Buffer copies nothing.
  return new Finder(new Uint8Array(sample), text, ties, printOne).find(spans);
}
