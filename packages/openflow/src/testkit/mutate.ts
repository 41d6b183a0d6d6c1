/**
 * Ways to spoil a message, for tests that compare what is made of it with the peer. Its own length field always says
 * how long it is: framing is another matter.
 */
import { EXPERIMENTERS } from '@ovs-node/flow/experimenters';
import { FIELDS } from '@ovs-node/flow/fields';
import { ACTIONS } from '../actions/table.js';
import type { ActionRow } from '../actions/row.js';
import { putFieldHeader } from '../match/headers.js';
import { Writer } from '../wire.js';
import type { Random } from './random.js';

const MAX = 0xffff;

/** Where a number of 16 bits, at an even offset, might say the length of what it stands in. */
function lengthFields(b: Uint8Array): number[] {
  const out: number[] = [];
  for (let at = 8; at + 2 <= b.length; at += 2) {
    const v = (b[at] << 8) | b[at + 1];
    if (v >= 4 && v <= b.length - at + 2) out.push(at);
  }
  return out;
}

const get16 = (b: Uint8Array, at: number): number => (b[at] << 8) | b[at + 1];
function set16(b: Uint8Array, at: number, v: number): void {
  b[at] = v >> 8;
  b[at + 1] = v & 255;
}

/** Replaces `n` bytes at `at`; `fit`: lengths that may count them are made to count what takes their place. */
function splice(b: Uint8Array, at: number, n: number, other: Uint8Array, fit: boolean): Uint8Array {
  const out = new Uint8Array(b.length - n + other.length);
  out.set(b.subarray(0, at));
  out.set(other, at);
  out.set(b.subarray(at + n), at + other.length);
  if (fit) {
    for (const p of lengthFields(b)) {
      // The length counts from itself, or from two bytes before.
      const covers = p < at && p - 2 + get16(b, p) >= at + n;
      if (covers) set16(out, p, (get16(b, p) - n + other.length) & 0xffff);
    }
  }
  return out;
}

const ACTION_FORMS = Object.values(ACTIONS as unknown as Readonly<Record<string, ActionRow>>).flatMap(
  (row) => row.wire,
);

/** An action of any kind with any arguments, its length mostly the right one. */
function anyAction(r: Random): Uint8Array {
  const form = r.pick(ACTION_FORMS);
  const length = r.chance(0.9) && form.length !== undefined ? form.length : 8 * (1 + r.below(6));
  const out = r.chance(0.5) ? new Uint8Array(length) : r.bytes(length);
  const w = new Writer();
  w.u16(form.vendor === 0 ? form.code : 0xffff).u16(length);
  if (form.vendor !== 0) w.u32(form.vendor).u16(form.code);
  if (r.chance(0.3)) w.u16(r.bits(16));
  if (r.chance(0.3)) w.bytes(anyField(r));
  out.set(w.finish().subarray(0, length));
  return out;
}

/** A TLV of a match. */
function anyField(r: Random): Uint8Array {
  const f = r.pick(FIELDS.filter((each) => each.nxm !== undefined || each.oxm.length > 0));
  const w = new Writer();
  const masked = r.chance(0.4);
  putFieldHeader(w, f, r.below(7), masked);
  for (let i = masked ? 2 : 1; i > 0; i--)
    w.bytes(r.chance(0.3) ? new Uint8Array(f.bytes) : r.bytes(f.bytes));
  return w.finish();
}

/** A property of any type, also of an experimenter's. */
function anyProperty(r: Random): Uint8Array {
  const length = r.pick([4, 5, 8, 8, 12, 16, 20, 32]);
  const out = r.chance(0.5) ? new Uint8Array((length + 7) & ~7) : r.bytes((length + 7) & ~7);
  set16(out, 0, r.pick([0, 1, 2, 3, 4, 5, 6, 7, 8, 0xfffe, 0xffff, r.bits(16)]));
  set16(out, 2, length);
  if (get16(out, 0) >= 0xfffe && length >= 12 && r.chance(0.7)) {
    const own = new Writer();
    own.u32(r.pick([...Object.values(EXPERIMENTERS), 0, 0x1234])).u32(r.below(20));
    out.set(own.finish(), 4);
  }
  return out;
}

const WAYS: readonly ((r: Random, b: Uint8Array, other: Uint8Array) => Uint8Array)[] = [
  // Bits and bytes.
  (r, b) => each(r, b, (v) => v ^ (1 << r.below(8))),
  (r, b) => each(r, b, () => r.pick([0, 1, 0xff, 0x7f, 0x80])),
  (r, b) => each(r, b, (v) => v + r.pick([1, 255, 8, 248])),
  (r, b) => each(r, b, () => r.u32() & 255),
  // Cut off, more at the end.
  (r, b) => b.slice(0, 8 + r.below(b.length - 7)),
  (r, b) => splice(b, b.length, 0, new Uint8Array(r.pick([1, 4, 8, 16])), false),
  // Lengths.
  (r, b) => {
    const fields = lengthFields(b);
    const out = b.slice();
    for (let n = fields.length === 0 ? 0 : 1 + r.below(2); n > 0; n--) {
      const at = r.pick(fields);
      const v = get16(b, at);
      set16(
        out,
        at,
        r.pick([v + 1, v - 1, v + 4, v - 4, v + 8, v - 8, v + 16, 0, 4, 8, 0xffff, r.bits(16)]) & 0xffff,
      );
    }
    return out;
  },
  // Version, type and subtypes.
  (r, b) => {
    const out = b.slice();
    if (r.chance(0.5)) out[0] = 1 + r.below(6);
    if (r.chance(0.3)) out[1] = r.below(36);
    if (r.chance(0.2) && out.length > 12) set16(out, r.pick([8, 10]), r.below(40));
    return out;
  },
  // Something put in, taken out, or in the place of something else, lengths fitting or not.
  (r, b) =>
    splice(
      b,
      where(r, b),
      0,
      r.chance(0.5) ? new Uint8Array(8 * (1 + r.below(3))) : r.bytes(8),
      r.chance(0.7),
    ),
  (r, b) => {
    const at = where(r, b);
    return splice(
      b,
      at,
      Math.min(r.pick([4, 8, 8, 16, 24]), b.length - at),
      new Uint8Array(0),
      r.chance(0.7),
    );
  },
  (r, b) => splice(b, where(r, b), 0, anyAction(r), r.chance(0.9)),
  (r, b) => splice(b, where(r, b), 0, anyField(r), r.chance(0.9)),
  (r, b) => splice(b, where(r, b), 0, anyProperty(r), r.chance(0.9)),
  (r, b) => {
    const at = where(r, b);
    const action = anyAction(r);
    return splice(b, at, Math.min(b.length - at, r.pick([8, 16, 24])), action, r.chance(0.9));
  },
  // A part twice, and a part of another message.
  (r, b) => {
    const at = where(r, b);
    const to = Math.min(b.length, at + 8 * (1 + r.below(6)));
    return splice(b, to, 0, b.slice(at, to), r.chance(0.8));
  },
  (r, b, other) => {
    const from = where(r, other);
    const part = other.slice(from, Math.min(other.length, from + 8 * (1 + r.below(8))));
    return splice(b, where(r, b), 0, part, r.chance(0.7));
  },
  (r, b, other) => {
    const out = new Uint8Array(Math.min(MAX, other.length));
    out.set(other.subarray(0, out.length));
    const at = where(r, b);
    out.set(b.subarray(0, Math.min(at, out.length)));
    return out;
  },
];

function each(r: Random, b: Uint8Array, change: (v: number) => number): Uint8Array {
  const out = b.slice();
  if (out.length === 8) return out;
  for (let n = 1 + r.below(3); n > 0; n--) {
    const at = 8 + r.below(out.length - 8);
    out[at] = change(out[at]);
  }
  return out;
}

/** An offset after the header, mostly a multiple of 4 or 8. */
function where(r: Random, b: Uint8Array): number {
  const at = 8 + r.below(b.length - 7);
  return r.chance(0.6) ? at & ~7 : r.chance(0.7) ? at & ~3 : at;
}

/** A copy of `bytes` with something wrong in it, perhaps a part of `other`. */
export function spoil(r: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  let out = bytes;
  for (let n = r.chance(0.8) ? 1 : 2; n > 0; n--) out = r.pick(WAYS)(r, out, other);
  if (out === bytes) out = bytes.slice();
  if (out.length > MAX) out = out.slice(0, MAX);
  set16(out, 2, out.length);
  return out;
}
