import { ip4Prefix } from './addr-text.js';
import type { Field } from './field-types.js';
import { FIELDS, fieldProtocols, wireMask } from './fields.js';
import { fieldPlace, type FieldPlace, isZero, newValue, putField } from './field-words.js';
import { CT_STATE_FLAGS, parseFlags } from './flags-text.js';
import { W } from './layout.js';
import type { MatchWords } from './match.js';
import { ScanIp6, scanIp4, ScanMac, scanNumber, stop } from './scan.js';

/**
 * A short cut for the fields and spellings that flow tables are full of: numbers, addresses with prefixes and masks,
 * `ct_state`. It reads where the value stands in the text, in plain numbers, where the general way
 * (`parseFieldValue`, `matchSet`) works on strings and BigInt, and is some five times as fast. Whatever is not plain
 * goes the general way, so this file needs no error messages; a test compares the two.
 */

/** How a field can be set in numbers; undefined for one that cannot. */
interface FastField {
  readonly kind: 'number' | 'wide' | 'ipv4' | 'ipv6' | 'mac' | 'in_port' | 'ct_state';
  readonly place: FieldPlace;
  /** The largest value that fits the bytes on the wire, up to 32 bits of them: its mask. */
  readonly wire: number;
  readonly exact: number;
  readonly cidr: number;
  readonly bitwise: number;
}

const FAST: readonly (FastField | undefined)[] = FIELDS.map((f) => {
  const kind = fastKind(f);
  if (kind === undefined) return undefined;
  return {
    kind,
    place: fieldPlace(f),
    wire: f.bytes <= 4 ? Number(wireMask(f)) : 0,
    exact: fieldProtocols(f, wireMask(f)),
    cidr: fieldProtocols(f, 1n << BigInt(f.bytes * 8 - 1)),
    bitwise: f.maskable ? fieldProtocols(f, 1n) : 0,
  };
});

function fastKind(f: Field): FastField['kind'] | undefined {
  if (f.name === 'in_port' || f.name === 'ct_state') return f.name;
  if (f.format === 'ipv4' || f.format === 'ipv6') return f.format;
  if (f.format === 'ethernet') return 'mac';
  if (f.option !== undefined || (f.format !== 'decimal' && f.format !== 'hexadecimal')) return undefined;
  return f.bytes <= 4 ? 'number' : 'wide';
}

const value = newValue();
const mask = newValue();
const mac = new ScanMac();
const ip6 = new ScanIp6();

const SLASH = 47;

/** A field of at most 32 bits: sets `value[3]` and `mask[3]`. */
function readNumber(f: Field, fast: FastField, text: string, from: number, to: number): boolean {
  const v = scanNumber(text, from, to);
  if (v < 0 || v > fast.wire) return false;
  value[3] = v;
  mask[3] = fast.wire;
  if (stop() === to) return true;
  if (!f.maskable || text.charCodeAt(stop()) !== SLASH) return false;
  const m = scanNumber(text, stop() + 1, to);
  if (m > fast.wire || stop() < to) return false;
  mask[3] = m;
  // A mask of 0 is a wildcard, another matter; so is what is no number.
  return m > 0;
}

/** A field of 64 or 128 bits with a value of up to 53. */
function readWide(fast: FastField, text: string, from: number, to: number): boolean {
  const v = scanNumber(text, from, to);
  if (v < 0) return false;
  value[2] = v / 0x100000000;
  value[3] = v;
  mask.set(fast.place.wire);
  if (stop() === to) return true;
  if (text.charCodeAt(stop()) !== SLASH) return false;
  const m = scanNumber(text, stop() + 1, to);
  if (m <= 0 || stop() < to) return false;
  mask.fill(0);
  mask[2] = m / 0x100000000;
  mask[3] = m;
  return true;
}

function readIp4(text: string, from: number, to: number): boolean {
  const v = scanIp4(text, from, to);
  if (v < 0) return false;
  value[3] = v;
  mask[3] = 0xffffffff;
  if (stop() === to) return true;
  if (text.charCodeAt(stop()) !== SLASH) return false;
  const at = stop() + 1;
  const bits = text.charCodeAt(at) === 48 ? -1 : scanNumber(text, at, to);
  if (bits > 0 && bits <= 32 && stop() === to) {
    mask[3] = ip4Prefix(bits);
    return true;
  }
  const m = scanIp4(text, at, to);
  if (m <= 0 || stop() < to) return false;
  mask[3] = m;
  return true;
}

function readIp6(text: string, from: number, to: number): boolean {
  if (!ip6.scan(text, from, to)) return false;
  value.set(ip6.words);
  mask.fill(0xffffffff);
  if (stop() === to) return true;
  if (text.charCodeAt(stop()) !== SLASH) return false;
  const at = stop() + 1;
  const bits = text.charCodeAt(at) === 48 ? -1 : scanNumber(text, at, to);
  if (bits <= 0 || bits > 128 || stop() < to) return false;
  for (let i = 0; i < 4; i++)
    mask[i] = bits >= 32 * i + 32 ? -1 : bits <= 32 * i ? 0 : ip4Prefix(bits - 32 * i);
  return true;
}

function readMac(text: string, from: number, to: number): boolean {
  if (!mac.scan(text, from, to)) return false;
  value[2] = mac.high;
  value[3] = mac.low;
  mask[2] = 0xffff;
  mask[3] = 0xffffffff;
  if (stop() === to) return true;
  if (text.charCodeAt(stop()) !== SLASH || !mac.scan(text, stop() + 1, to) || stop() < to) return false;
  mask[2] = mac.high;
  mask[3] = mac.low;
  return !isZero(mask);
}

/**
 * Applies `f=text[from..to)` to `match` when both are of the common kind; returns the protocols that can carry it,
 * or -1 when the general way has to be taken (nothing is changed then).
 */
export function applyFast(match: MatchWords, f: Field, text: string, from = 0, to = text.length): number {
  const fast = FAST[f.id];
  if (fast === undefined) return -1;
  value.fill(0);
  mask.fill(0);
  switch (fast.kind) {
    case 'number':
      if (!readNumber(f, fast, text, from, to)) return -1;
      putField(match, f, value, mask);
      return mask[3] === fast.wire ? fast.exact : fast.bitwise;
    case 'wide':
      if (!readWide(fast, text, from, to)) return -1;
      putField(match, f, value, mask);
      return mask[2] === 0xffffffff && mask[3] === 0xffffffff ? fast.exact : fast.bitwise;
    case 'ipv4': {
      if (!readIp4(text, from, to)) return -1;
      putField(match, f, value, mask);
      const inverse = ~mask[3]!;
      if (inverse === 0) return fast.exact;
      return (inverse & (inverse + 1)) === 0 ? fast.cidr : fast.bitwise;
    }
    case 'ipv6':
      if (!readIp6(text, from, to)) return -1;
      putField(match, f, value, mask);
      return mask[3] === 0xffffffff ? fast.exact : fast.bitwise;
    case 'mac':
      if (!readMac(text, from, to)) return -1;
      putField(match, f, value, mask);
      return mask[2] === 0xffff && mask[3] === 0xffffffff ? fast.exact : fast.bitwise;
    case 'in_port': {
      // A port number is decimal whatever it begins with; only the reserved ones need more care.
      const port = scanNumber(text, from, to);
      if (port < 0 || port >= 0xff00 || stop() < to || text.charCodeAt(from + 1) > 57) return -1;
      match.mask[W.IN_PORT] = 0xffffffff;
      match.key[W.IN_PORT] = port;
      return fast.exact;
    }
    case 'ct_state': {
      const first = text.charCodeAt(from);
      if (first !== 43 && first !== 45) return -1;
      const flags = parseFlags(CT_STATE_FLAGS, text.slice(from, to));
      if (flags.mask === undefined) return -1;
      match.mask[W.CT_STATE] = flags.mask;
      match.key[W.CT_STATE] = flags.value & flags.mask;
      return fast.bitwise;
    }
  }
}
