import type { Field } from './field-types.js';
import { exactMask, FIELDS, wireMask } from './fields.js';
import { type FlowKey, VLAN_CFI, W } from './layout.js';
import type { MatchWords } from './match.js';

/**
 * Values of fields as 32-bit words, which is how codecs and the quick way of the parser hold them: a value (and a
 * mask) is four words, right-aligned, the most significant first. `fields.ts` has the same in BigInt, for code that
 * handles one field at a time.
 */
export type FieldValue = Uint32Array;

/** A value of zeros. */
export function newValue(): FieldValue {
  return new Uint32Array(4);
}

/** Where a field is in a key and how its value is aligned there, worked out of its row. */
export interface FieldPlace {
  /** `word`: within one word; `high48`, `low48`: an Ethernet address that ends or begins in the middle of one. */
  readonly kind: 'word' | 'high48' | 'low48' | 'words';
  /** The field's first word. */
  readonly word: number;
  /** Number of words that it has bits in. */
  readonly words: number;
  /** For `word`: bits to the right of the field. */
  readonly shift: number;
  /** For `word`: its bits in the key, at the right. */
  readonly width: number;
  /** For `word`: those of them that a value can have. */
  readonly valid: number;
  /** For `word`: those of them that a match can ask for. */
  readonly room: number;
  /** All ones in the bytes on the wire, as a value. */
  readonly wire: FieldValue;
  /** The bits that an exact match has, as a value. */
  readonly exact: FieldValue;
  /** The bits that a value in a message can have: masks may have more. */
  readonly value: FieldValue;
  /** For `word`: the field as a whole, as in `FieldRow`. */
  readonly whole: { readonly asked: number; readonly kept: number };
  /** Fields that setting means more than their bits for. */
  readonly special: 'in_port' | 'dl_vlan' | 'vlan_vid' | 'pcp' | undefined;
}

function special(f: Field): FieldPlace['special'] {
  if (f.name === 'in_port' || f.name === 'dl_vlan' || f.name === 'vlan_vid') return f.name;
  return f.name === 'dl_vlan_pcp' || f.name === 'vlan_pcp' ? 'pcp' : undefined;
}

/** Few masks serve all fields, and typed arrays take long to make. */
const sharedValues = new Map<bigint, FieldValue>();

function shared(v: bigint): FieldValue {
  let value = sharedValues.get(v);
  if (value === undefined) sharedValues.set(v, (value = valueFromBig(v)));
  return value;
}

function placeOf(f: Field): FieldPlace {
  const word = f.offset >>> 5;
  const bit = f.offset & 31;
  const oneWord = bit + f.keyBits <= 32;
  const width = f.keyBits >= 32 ? 0xffffffff : (1 << f.keyBits) - 1;
  const kind = oneWord ? 'word' : f.keyBits !== 48 ? 'words' : bit === 0 ? 'high48' : 'low48';
  const valid = f.valid === undefined ? width : Number(f.valid);
  if (kind === 'words' && (bit !== 0 || f.keyBits % 32 !== 0)) throw new Error(`place of ${f.name}`);
  return {
    kind,
    word,
    words: ((f.offset + f.keyBits - 1) >>> 5) - word + 1,
    shift: oneWord ? 32 - bit - f.keyBits : 0,
    width,
    valid,
    room: f.whole === undefined ? valid : width,
    wire: shared(wireMask(f)),
    exact: shared(f.exactOnWire === true ? wireMask(f) : (f.valid ?? exactMask(f))),
    value: shared(f.valid ?? exactMask(f)),
    whole: f.whole ?? { asked: Number(wireMask(f) & 0xffffffffn), kept: width },
    special: special(f),
  };
}

/** `v` as words, into `out`. */
export function valueFromBig(v: bigint, out: FieldValue = newValue()): FieldValue {
  for (let i = 3; i >= 0; i--) {
    out[i] = Number(BigInt.asUintN(32, v));
    v >>= 32n;
  }
  return out;
}

/** The places of `FIELDS`, by field id. */
export const PLACES: readonly FieldPlace[] = FIELDS.map(placeOf);

/** The place of a field. */
export function fieldPlace(f: Field): FieldPlace {
  return PLACES[f.id]!;
}

/** Reads the field at `p` of a key (or mask) into `out`. */
export function readPlace(words: FlowKey, p: FieldPlace, out: FieldValue): void {
  const w = p.word;
  switch (p.kind) {
    case 'word':
      out[0] = 0;
      out[1] = 0;
      out[2] = 0;
      out[3] = (words[w]! >>> p.shift) & p.valid;
      return;
    case 'high48':
      out[0] = 0;
      out[1] = 0;
      out[2] = words[w]! >>> 16;
      out[3] = (words[w]! << 16) | (words[w + 1]! >>> 16);
      return;
    case 'low48':
      out[0] = 0;
      out[1] = 0;
      out[2] = words[w]! & 0xffff;
      out[3] = words[w + 1]!;
      return;
    case 'words': {
      const n = p.words;
      for (let i = 0; i < 4; i++) out[i] = i < 4 - n ? 0 : words[w + i + n - 4]!;
    }
  }
}

function setBits(match: MatchWords, word: number, bits: number, value: number, mask: number): void {
  match.mask[word] = (match.mask[word]! & ~bits) | mask;
  match.key[word] = (match.key[word]! & ~bits) | (value & mask);
}

/** Whether a value is 0. */
export function isZero(v: FieldValue): boolean {
  return (v[0]! | v[1]! | v[2]! | v[3]!) === 0;
}

/**
 * Makes `match` ask that `f` is `value` under `mask`; 0 is a wildcard, all ones in the field's bytes an exact match.
 * Bits of `value` outside of `mask` are dropped. Prerequisites are the caller's affair.
 *
 * As in OpenFlow, `dl_vlan` and the priorities also ask for a tag (`dl_vlan=0xffff`: for none at all).
 */
export function putField(match: MatchWords, f: Field, value: FieldValue, mask: FieldValue): void {
  const p = PLACES[f.id]!;
  const v = value[3]!;
  // This one is of note only as a wildcard.
  if (p.special !== undefined && (p.special !== 'vlan_vid' || isZero(mask))) {
    putSpecial(match, p.special, v, !isZero(mask));
    return;
  }
  const w = p.word;
  switch (p.kind) {
    case 'word': {
      let m = mask[3]!;
      const isWhole = (m & p.whole.asked) >>> 0 === p.whole.asked;
      const taken = isWhole ? v : v & m;
      // An exact match fills the bits of the key that the field reserves (an ICMP type in a 16-bit port, a label in 32 bits),
      // also one by a mask that leaves those out: the two are one flow.
      if (m !== 0 && (isWhole || !f.maskable)) m = p.whole.kept;
      if (f.onesOnly === true && m !== 0) m = v;
      m &= p.room;
      setBits(match, w, p.room << p.shift, taken << p.shift, m << p.shift);
      return;
    }
    case 'high48':
      setBits(match, w, -1, (value[2]! << 16) | (v >>> 16), (mask[2]! << 16) | (mask[3]! >>> 16));
      setBits(match, w + 1, 0xffff0000, v << 16, mask[3]! << 16);
      return;
    case 'low48':
      setBits(match, w, 0xffff, value[2]!, mask[2]! & 0xffff);
      setBits(match, w + 1, -1, v, mask[3]!);
      return;
    case 'words': {
      const first = 4 - p.words;
      for (let i = first; i < 4; i++) setBits(match, w + i - first, -1, value[i]!, mask[i]!);
    }
  }
}

function putSpecial(
  match: MatchWords,
  what: NonNullable<FieldPlace['special']>,
  v: number,
  on: boolean,
): void {
  if (what === 'in_port') {
    const port = v & 0xffff;
    setBits(match, W.IN_PORT, -1, port >= 0xff00 ? port | 0xffff0000 : port, on ? -1 : 0);
  } else if (!on) {
    // The tag itself matters on while the other half of it does.
    const [bits, other] = what === 'pcp' ? [0xe000, 0x0fff] : [0x0fff, 0xe000];
    setBits(match, W.VLAN0, (match.mask[W.VLAN0]! & other) === 0 ? bits | VLAN_CFI : bits, 0, 0);
  } else if (what === 'pcp') {
    setBits(match, W.VLAN0, 0xf000, ((v & 7) << 13) | VLAN_CFI, 0xf000);
  } else if ((v & 0xffff) === 0xffff) {
    setBits(match, W.VLAN0, 0xffff, 0, 0xffff);
  } else {
    setBits(match, W.VLAN0, 0x1fff, (v & 0xfff) | VLAN_CFI, 0x1fff);
  }
}

/** Whether `value` of the field is one that it can have: `isValidValue` of `fields.ts` on words. */
export function isValidWords(f: Field, value: FieldValue): boolean {
  if (f.format === 'port_oxm') return value[3]! < 0xff00 || value[3]! >= 0xffffff00;
  const { value: most } = PLACES[f.id]!;
  if (f.min !== undefined && value[3]! < f.min) return false;
  if (f.max !== undefined && value[3]! > f.max) return false;
  return (
    (value[3]! & ~most[3]!) === 0 &&
    (value[2]! & ~most[2]!) === 0 &&
    (value[1]! & ~most[1]!) === 0 &&
    (value[0]! & ~most[0]!) === 0
  );
}

/** Whether a mask asks for all of what a value of `f` can have. */
export function isExactMask(f: Field, mask: FieldValue): boolean {
  const { exact } = PLACES[f.id]!;
  return (
    (exact[3]! & ~mask[3]!) === 0 &&
    (exact[2]! & ~mask[2]!) === 0 &&
    (exact[1]! & ~mask[1]!) === 0 &&
    (exact[0]! & ~mask[0]!) === 0
  );
}
