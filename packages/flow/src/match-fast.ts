import { ip4Prefix } from './addr-text.js';
import type { Field } from './field-types.js';
import { FIELDS, fieldProtocols, wireMask } from './fields.js';
import { CT_STATE_FLAGS, parseFlags } from './flags-text.js';
import { VLAN_CFI, W } from './layout.js';
import type { Match } from './match.js';

/**
 * A short cut for the fields and spellings that flow tables are full of: numbers of up to 32 bits, IPv4 and
 * Ethernet addresses, `ct_state`. It works in plain numbers where the general way (`parseFieldValue`, `matchSet`)
 * works in BigInt, and is about three times as fast; loading 100,000 flows spends most of its time here. Whatever
 * is not plain goes the general way, so this file needs no error messages; a test compares the two.
 */

/** How a field can be set in numbers; undefined for one that cannot. */
interface FastField {
  readonly kind: 'number' | 'ipv4' | 'mac' | 'dl_vlan' | 'in_port' | 'ct_state';
  readonly word: number;
  readonly shift: number;
  /** All bits of the field in its word. */
  readonly keyMask: number;
  /** Largest value that fits the bytes on the wire: its mask. */
  readonly wire: number;
  readonly maskable: boolean;
  readonly exact: number;
  readonly cidr: number;
  readonly bitwise: number;
}

const FAST: readonly (FastField | undefined)[] = FIELDS.map((f) => {
  const kind = fastKind(f);
  if (kind === undefined) return undefined;
  const word = f.offset >>> 5;
  const shift = kind === 'mac' ? 0 : 32 - (f.offset & 31) - f.keyBits;
  const width = f.keyBits >= 32 ? 0xffffffff : (1 << f.keyBits) - 1;
  return {
    kind,
    word,
    shift,
    keyMask: (width << shift) >>> 0,
    wire: kind === 'mac' ? 0 : Number(wireMask(f)),
    maskable: f.maskable,
    exact: fieldProtocols(f, wireMask(f)),
    cidr: fieldProtocols(f, 1n << BigInt(f.bytes * 8 - 1)),
    bitwise: f.maskable ? fieldProtocols(f, 1n) : 0,
  };
});

function fastKind(f: Field): FastField['kind'] | undefined {
  if (f.name === 'dl_vlan' || f.name === 'in_port' || f.name === 'ct_state') return f.name;
  if (f.name === 'dl_vlan_pcp' || f.name === 'vlan_pcp' || f.valid !== undefined) return undefined;
  if (f.format === 'ipv4') return 'ipv4';
  // An Ethernet address in the upper half of its first word, or in the lower.
  if (f.format === 'ethernet') return 'mac';
  const plain = f.format === 'decimal' || f.format === 'hexadecimal';
  return plain && f.bytes <= 4 ? 'number' : undefined;
}

/** Where the last scan stopped. */
let at = 0;

/** A plain decimal or 0x number of at most 32 bits at `i`; -1 for anything else, an octal number too. */
function scanNumber(s: string, i: number): number {
  let c = s.charCodeAt(i);
  let n = 0;
  if (c === 48 && (s.charCodeAt(i + 1) | 32) === 120) {
    const start = i + 2;
    for (i = start; i < s.length; i++) {
      c = s.charCodeAt(i);
      const digit = c >= 48 && c <= 57 ? c - 48 : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : -1;
      if (digit < 0) break;
      n = n * 16 + digit;
    }
    at = i;
    return i === start || i - start > 8 ? -1 : n;
  }
  const start = i;
  for (; i < s.length; i++) {
    c = s.charCodeAt(i);
    if (c < 48 || c > 57) break;
    n = n * 10 + c - 48;
  }
  at = i;
  if (i === start || i - start > 10 || n > 0xffffffff) return -1;
  return s.charCodeAt(start) === 48 && i - start > 1 ? -1 : n;
}

/** A dotted address of plain decimal bytes at `i`; -1 for anything else. */
function scanIp4(s: string, i: number): number {
  let ip = 0;
  for (let part = 0; part < 4; part++) {
    let n = 0;
    const start = i;
    for (; i < s.length && i - start < 3; i++) {
      const c = s.charCodeAt(i);
      if (c < 48 || c > 57) break;
      n = n * 10 + c - 48;
    }
    if (i === start || n > 255 || (part < 3 && s.charCodeAt(i) !== 46)) return -1;
    ip = ip * 256 + n;
    if (part < 3) i++;
  }
  at = i;
  return ip;
}

let macHigh = 0;
let macLow = 0;

/** Six hexadecimal bytes with colons, the whole of `s`, into `macHigh` and `macLow`. */
function scanMac(s: string): boolean {
  let high = 0;
  let low = 0;
  let i = 0;
  for (let part = 0; part < 6; part++) {
    let n = 0;
    const start = i;
    for (; i < s.length && i - start < 2; i++) {
      const c = s.charCodeAt(i);
      const digit = c >= 48 && c <= 57 ? c - 48 : (c | 32) >= 97 && (c | 32) <= 102 ? (c | 32) - 87 : -1;
      if (digit < 0) break;
      n = n * 16 + digit;
    }
    if (i === start || (part < 5 && s.charCodeAt(i) !== 58)) return false;
    if (part < 2) high = high * 256 + n;
    else low = low * 256 + n;
    if (part < 5) i++;
  }
  macHigh = high;
  macLow = low;
  return i === s.length;
}

function put(match: Match, word: number, bits: number, value: number, mask: number): void {
  match.mask[word] = (match.mask[word]! & ~bits) | mask;
  match.key[word] = (match.key[word]! & ~bits) | (value & mask);
}

/**
 * Applies `f=text` to `match` when both are of the common kind; returns the protocols that can carry it, or -1
 * when the general way has to be taken (nothing is changed then).
 */
export function applyFast(match: Match, f: Field, text: string): number {
  const fast = FAST[f.id];
  if (fast === undefined) return -1;
  switch (fast.kind) {
    case 'number': {
      const value = scanNumber(text, 0);
      if (value < 0 || value > fast.wire) return -1;
      let mask = fast.wire;
      if (at < text.length) {
        if (!fast.maskable || text.charCodeAt(at) !== 47) return -1;
        mask = scanNumber(text, at + 1);
        // A mask of 0 is a wildcard, another matter.
        if (mask <= 0 || mask > fast.wire || at < text.length) return -1;
      }
      if (mask === fast.wire) {
        put(match, fast.word, fast.keyMask, value << fast.shift, fast.keyMask);
        return fast.exact;
      }
      put(match, fast.word, fast.keyMask, value << fast.shift, (mask << fast.shift) & fast.keyMask);
      return fast.bitwise;
    }
    case 'ipv4': {
      const value = scanIp4(text, 0);
      if (value < 0) return -1;
      if (at === text.length) {
        put(match, fast.word, 0xffffffff, value, 0xffffffff);
        return fast.exact;
      }
      if (text.charCodeAt(at) !== 47 || text.charCodeAt(at + 1) === 48) return -1;
      const bits = scanNumber(text, at + 1);
      if (bits <= 0 || bits > 32 || at < text.length) return -1;
      put(match, fast.word, 0xffffffff, value, ip4Prefix(bits));
      return bits === 32 ? fast.exact : fast.cidr;
    }
    case 'mac':
      if (!scanMac(text)) return -1;
      if ((f.offset & 31) === 0) {
        put(match, fast.word, 0xffffffff, (macHigh << 16) | (macLow >>> 16), 0xffffffff);
        put(match, fast.word + 1, 0xffff0000, macLow << 16, 0xffff0000);
      } else {
        put(match, fast.word, 0x0000ffff, macHigh, 0x0000ffff);
        put(match, fast.word + 1, 0xffffffff, macLow, 0xffffffff);
      }
      return fast.exact;
    case 'dl_vlan': {
      const vid = scanNumber(text, 0);
      if (vid < 0 || vid > 0xfff || at < text.length) return -1;
      put(match, W.VLAN0, 0x1fff, vid | VLAN_CFI, 0x1fff);
      return fast.exact;
    }
    case 'in_port': {
      // A port number is decimal whatever it begins with; only the reserved ones need more care.
      const port = scanNumber(text, 0);
      if (port < 0 || port >= 0xff00 || at < text.length || text.charCodeAt(1) > 57) return -1;
      put(match, W.IN_PORT, 0xffffffff, port, 0xffffffff);
      return fast.exact;
    }
    case 'ct_state': {
      if (!text.startsWith('+') && !text.startsWith('-')) return -1;
      const { value, mask } = parseFlags(CT_STATE_FLAGS, text);
      if (mask === undefined || mask === CT_STATE_FLAGS.exact) return -1;
      put(match, W.CT_STATE, 0xffffffff, value, mask);
      return fast.bitwise;
    }
  }
}
