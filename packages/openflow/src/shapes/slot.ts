/**
 * Slots: the places of a message in which flows of one shape differ, and what stands for them in text. Which slots a
 * shape has is found out by trying (`print-shape.ts`, `line-shape.ts`); what a value may be for the rest of the text
 * or of the message to stay the same is said here and in the tables of `spans.ts` and `line-spans.ts`.
 */
import { u16, u32 } from '@ovs-node/flow/views/bytes';
import { putDecimal, putHex, putHex8, putIp4, putIp6, putMac } from './byte-text.js';

/** A place in a message whose value is free within bounds. */
export interface Span {
  /** Offset and width in bytes. */
  readonly at: number;
  readonly bytes: number;
  /** The least and the greatest value, of spans of up to four bytes. */
  readonly low: number;
  readonly high: number;
  /** What is free of eight bytes, where not all. */
  readonly rule?: SpanRule;
  /** Bits that the value may have, where not all, as bytes: those that a mask beside it leaves. */
  readonly mask?: Uint8Array;
}

/** `count`: all but all ones; `plain`: nor zero; `duration`: seconds, and nanoseconds that are less than one. */
export type SpanRule = 'count' | 'plain' | 'duration';

/** How the value of a slot is printed; the numbers are those of `putSlot`. */
export const FORM = {
  DECIMAL: 0,
  /** `0x1f`, 0 too. */
  HEX: 1,
  /** `0x1f`, but `0`. */
  ALT_HEX: 2,
  IP4: 3,
  MAC: 4,
  IP6: 5,
  /** The lower 12 bits in decimal. */
  VLAN: 6,
  /** Seconds and nanoseconds, four bytes each, as `1.5s`. */
  DURATION: 7,
  /** One more than what is printed. */
  AGE: 8,
} as const;
export type Form = (typeof FORM)[keyof typeof FORM];

/** Room that any slot fits. */
export const SLOT_ROOM = 64;

/** The forms that a value of so many bytes can have. */
export const FORMS_OF: Readonly<Record<number, readonly Form[]>> = {
  1: [FORM.DECIMAL, FORM.HEX, FORM.ALT_HEX],
  2: [FORM.DECIMAL, FORM.HEX, FORM.ALT_HEX, FORM.VLAN, FORM.AGE],
  4: [FORM.DECIMAL, FORM.HEX, FORM.ALT_HEX, FORM.IP4],
  6: [FORM.MAC],
  8: [FORM.DECIMAL, FORM.HEX, FORM.ALT_HEX, FORM.DURATION],
  16: [FORM.HEX, FORM.ALT_HEX, FORM.IP6],
};

/**
 * Prints the value at `bytes[from..from + width)` at `out[at..)`, which has SLOT_ROOM; gives where it ends, what is behind
 * that may be written over. `view` is of `out`.
 */
export function putSlot(
  out: Uint8Array,
  view: DataView,
  at: number,
  form: Form,
  bytes: Uint8Array,
  from: number,
  width: number,
): number {
  switch (form) {
    case FORM.DECIMAL:
      if (width === 2) return putDecimal(out, at, u16(bytes, from));
      if (width === 4) return putDecimal(out, at, u32(bytes, from));
      return width === 1 ? putDecimal(out, at, bytes[from]) : putDecimal64(out, at, bytes, from);
    case FORM.HEX:
    case FORM.ALT_HEX:
      return putWideHex(out, at, form, bytes, from, width);
    case FORM.IP4:
      return putIp4(view, at, bytes, from);
    case FORM.MAC:
      return putMac(view, at, bytes, from);
    case FORM.IP6:
      return putIp6(out, at, bytes, from);
    case FORM.VLAN:
      return putDecimal(out, at, u16(bytes, from) & 0xfff);
    case FORM.AGE:
      return putDecimal(out, at, u16(bytes, from) - 1);
    case FORM.DURATION:
      return putDuration(out, at, u32(bytes, from), u32(bytes, from + 4));
  }
}

function putDecimal64(out: Uint8Array, at: number, bytes: Uint8Array, from: number): number {
  const high = u32(bytes, from);
  const low = u32(bytes, from + 4);
  if (high < 0x200000) return putDecimal(out, at, high * 0x100000000 + low);
  const text = ((BigInt(high) << 32n) | BigInt(low)).toString();
  for (let i = 0; i < text.length; i++) out[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function putWideHex(
  out: Uint8Array,
  at: number,
  form: Form,
  bytes: Uint8Array,
  from: number,
  width: number,
): number {
  let i = at;
  out[i++] = 48;
  out[i++] = 120;
  const digits = i;
  if (width < 4) {
    i = putHex(out, i, width === 2 ? u16(bytes, from) : bytes[from]);
  } else {
    for (let word = from; word < from + width; word += 4) {
      const v = u32(bytes, word);
      if (i > digits) i = putHex8(out, i, v);
      else if (v !== 0 || word + 4 === from + width) i = putHex(out, i, v);
    }
  }
  // Only a zero is printed otherwise.
  return form === FORM.ALT_HEX && i === digits + 1 && out[digits] === 48 ? at + 1 : i;
}

/** As `formatDuration` of text/flow.ts. */
function putDuration(out: Uint8Array, at: number, sec: number, nsec: number): number {
  let i = putDecimal(out, at, sec);
  if (nsec > 0) {
    out[i++] = 46;
    let digits = 9;
    let v = nsec;
    while (digits > 3 && v % 10 === 0) {
      v /= 10;
      digits--;
    }
    for (let n = digits - 1; n >= 0; n--) {
      out[i + n] = 48 + (v % 10);
      v = Math.floor(v / 10);
    }
    i += digits;
  }
  out[i++] = 115;
  return i;
}

/** Whether the value of a span is one that is free. */
export function spanAllows(span: Span, bytes: Uint8Array, base: number): boolean {
  const at = base + span.at;
  const { mask } = span;
  if (mask !== undefined) {
    for (let i = 0; i < mask.length; i++) if ((bytes[at + i] & ~mask[i]) !== 0) return false;
  }
  switch (span.bytes) {
    case 1:
      return bytes[at] >= span.low && bytes[at] <= span.high;
    case 2: {
      const v = u16(bytes, at);
      return v >= span.low && v <= span.high;
    }
    case 4: {
      const v = u32(bytes, at);
      return v >= span.low && v <= span.high;
    }
    case 8: {
      if (span.rule === undefined) return true;
      const low = u32(bytes, at + 4);
      if (span.rule === 'duration') return low < 1_000_000_000;
      const high = u32(bytes, at);
      if ((high & low) >>> 0 === 0xffffffff) return false;
      return span.rule === 'count' || (high | low) !== 0;
    }
    default:
      return true;
  }
}
