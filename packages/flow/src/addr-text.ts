import { FlowSyntaxError } from './errors.js';
import { scanInt32 } from './int-text.js';
import { scanIp4, ScanMac, stop } from './scan.js';

/**
 * Addresses as text: Ethernet, IPv4 and IPv6, with masks, as flow text reads and prints them. Numbers are in
 * network order: an IPv4 address is a 32-bit number whose top byte is the first of the dotted four.
 */

/** An address with a mask, both as wide as the address. */
export interface Masked {
  readonly value: bigint;
  readonly mask: bigint;
}

const MAC_ONES = 0xffffffffffffn;
const IP4_ONES = 0xffffffffn;
const IP6_ONES = (1n << 128n) - 1n;

const macText = (six: string): bigint => {
  let value = 0n;
  for (const part of six.split(':')) {
    const byte = BigInt('0x' + part.replace(/^[ \t]*[-+]?(?:0[xX])?/, '')) & 0xffn;
    value = (value << 8n) | (part.includes('-') ? -byte & 0xffn : byte);
  }
  return value;
};
// Each part is a signed hexadecimal number of which the low 8 bits count, as scanf("%hhx") has it.
const MAC_BYTE = '[ \\t]*[-+]?(?:0[xX]|(?!0[xX]))[0-9a-fA-F]+';
const MAC = `${MAC_BYTE}(?::${MAC_BYTE}){5}`;
/** An Ethernet address that a text begins with. */
export const MAC_PREFIX = new RegExp(`^${MAC}`);
const MAC_MASKED = new RegExp(`^(${MAC})(?:/(${MAC}))?$`);

/** `aa:bb:cc:dd:ee:ff`, or with a mask of the same form after `/`. Throws FlowSyntaxError. */
export function parseMacMasked(text: string): Masked {
  const plain = parseMac(text);
  if (plain !== undefined) return { value: plain, mask: MAC_ONES };
  const m = MAC_MASKED.exec(text);
  if (m === null) throw new FlowSyntaxError(`${text}: invalid Ethernet address`);
  return { value: macText(m[1]!), mask: m[2] === undefined ? MAC_ONES : macText(m[2]) };
}

const mac = new ScanMac();

/** An Ethernet address without a mask, or undefined. */
export function parseMac(text: string): bigint | undefined {
  if (mac.scan(text, 0, text.length) && stop() === text.length)
    return BigInt(mac.high * 0x100000000 + mac.low);
  const m = MAC_MASKED.exec(text);
  return m === null || m[2] !== undefined ? undefined : macText(m[1]!);
}

const HEX2 = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'));
const hex2 = (n: number): string => HEX2[n]!;

/** An Ethernet address from its upper 16 and lower 32 bits. */
export function formatMacWords(high: number, low: number): string {
  return `${hex2((high >>> 8) & 255)}:${hex2(high & 255)}:${hex2(low >>> 24)}:${hex2((low >>> 16) & 255)}:${hex2((low >>> 8) & 255)}:${hex2(low & 255)}`;
}

/** `aa:bb:cc:dd:ee:ff`. */
export function formatMac(mac: bigint): string {
  return formatMacWords(Number(mac >> 32n) & 0xffff, Number(mac & 0xffffffffn));
}

/** Six bytes of `aa:bb:cc:dd:ee:ff`, two digits each, or undefined: an address in the database, not in flow text. */
export function parseMacBytes(text: string | undefined): Uint8Array | undefined {
  if (text === undefined || !/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (byte) => parseInt(byte, 16));
}

/** `aa:bb:cc:dd:ee:ff`. */
export function formatMacBytes(mac: Uint8Array): string {
  return Array.from(mac, hex2).join(':');
}

// Each part is a signed decimal of which the low 8 bits count, as scanf("%hhu") has it.
const IP4 = '[ \\t]*[-+]?[0-9]+\\.[ \\t]*[-+]?[0-9]+\\.[ \\t]*[-+]?[0-9]+\\.[ \\t]*[-+]?[0-9]+';
const IP4_PREFIX = new RegExp(`^${IP4}/(?!${IP4})[ \\t]*([-+]?[0-9]+)`);
const IP4_MASKED = new RegExp(`^(${IP4})(?:/(?:(${IP4})|[ \\t]*([-+]?[0-9]+)))?$`);

function ip4Text(text: string): number {
  let value = 0;
  for (const part of text.split('.')) value = (value << 8) | (Number(part) & 255);
  return value >>> 0;
}

/** The mask of an IPv4 prefix. */
export function ip4Prefix(bits: number): number {
  return bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
}

function checkIp4Prefix(text: string, bits: number): void {
  if (bits < 0 || bits > 32) {
    throw new FlowSyntaxError(`${text}: IPv4 network prefix bits not between 0 and 32, inclusive`);
  }
}

/** `a.b.c.d`, `a.b.c.d/plen` or `a.b.c.d/mask` as numbers. Throws FlowSyntaxError. */
export function parseIp4Words(text: string): { value: number; mask: number } {
  const m = IP4_MASKED.exec(text);
  if (m === null) {
    // The length of a prefix is looked at before what follows it.
    const prefix = IP4_PREFIX.exec(text)?.[1];
    if (prefix !== undefined) checkIp4Prefix(text, scanInt32(prefix));
    throw new FlowSyntaxError(`${text}: invalid IP address`);
  }
  const value = ip4Text(m[1]!);
  if (m[2] !== undefined) return { value, mask: ip4Text(m[2]) };
  if (m[3] === undefined) return { value, mask: 0xffffffff };
  const bits = scanInt32(m[3]);
  checkIp4Prefix(text, bits);
  return { value, mask: ip4Prefix(bits) };
}

/** `parseIp4Words` in BigInt. */
export function parseIp4Masked(text: string): Masked {
  const r = parseIp4Words(text);
  return { value: BigInt(r.value), mask: BigInt(r.mask) };
}

/** An IPv4 address without a mask, or undefined. */
export function parseIp4(text: string): number | undefined {
  const m = IP4_MASKED.exec(text);
  return m === null || m[2] !== undefined || m[3] !== undefined ? undefined : ip4Text(m[1]!);
}

/** An IPv4 address as inet_pton() reads it, where no number begins with a 0 and goes on; undefined when it is none. */
export function parsePlainIp4(text: string): number | undefined {
  const ip = scanIp4(text, 0, text.length);
  return ip >= 0 && stop() === text.length && !/(?:^|\.)0\d/.test(text) ? ip : undefined;
}

/** `a.b.c.d`. */
export function formatIp4(ip: number): string {
  return `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;
}

/** `a.b.c.d`, `/plen` or `/mask` after it as the mask is; `ip` is printed as it is. */
export function formatIp4Masked(ip: number, mask: number): string {
  if (mask >>> 0 === 0xffffffff) return formatIp4(ip);
  const inverse = ~mask >>> 0;
  if ((inverse & (inverse + 1)) === 0) return `${formatIp4(ip)}/${Math.clz32(inverse)}`;
  return `${formatIp4(ip)}/${formatIp4(mask)}`;
}

/** An IPv6 address as inet_pton(3) reads it, or undefined. */
export function parseIp6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const left = ip6Groups(halves[0]!, halves.length === 1);
  const right = halves.length === 2 ? ip6Groups(halves[1]!, true) : [];
  if (left === undefined || right === undefined) return undefined;
  if (halves.length === 1 ? left.length !== 8 : left.length + right.length > 7) return undefined;
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
  return groups.reduce((v, g) => (v << 16n) | BigInt(g), 0n);
}

/** The 16-bit groups between colons; the last may be a dotted IPv4 address when `last` says so. */
function ip6Groups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(parseInt(part, 16));
    } else if (last && i === parts.length - 1) {
      const m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(part);
      if (m === null) return undefined;
      const b = m.slice(1).map(Number);
      if (b.some((n) => n > 255) || m.slice(1).some((s) => s.length > 1 && s.startsWith('0')))
        return undefined;
      groups.push((b[0]! << 8) | b[1]!, (b[2]! << 8) | b[3]!);
    } else {
      return undefined;
    }
  }
  return groups;
}

/** The characters that an IPv6 address has. */
const IP6_LIKE = /^[0-9a-fA-F:.]+/;

/** An IPv6 address with an optional `/plen` or `/mask`. Throws FlowSyntaxError. */
export function parseIp6Masked(text: string): Masked {
  const bad = (): FlowSyntaxError => new FlowSyntaxError(`${text}: invalid IPv6 address`);
  const m = /^[ \t]*([0-9a-fA-F:.]{1,46})(?:\/(.*))?$/s.exec(text);
  const value = m === null ? undefined : parseIp6(m[1]!);
  if (m === null || value === undefined) throw bad();
  if (m[2] === undefined) return { value, mask: IP6_ONES };
  // A mask that starts with decimal digits is read as a prefix length, and what follows these is then in error.
  const prefix = /^[ \t]*[-+]?[0-9]+/.exec(m[2]);
  if (prefix !== null) {
    const bits = scanInt32(prefix[0]);
    if (bits < 0 || bits > 128) {
      throw new FlowSyntaxError(`${text}: IPv6 network prefix bits not between 0 and 128, inclusive`);
    }
    if (prefix[0].length !== m[2].length) throw bad();
    return { value, mask: ip6Prefix(bits) };
  }
  const digits = IP6_LIKE.exec(m[2])?.[0];
  if (digits === undefined) throw bad();
  const mask = parseIp6(digits);
  if (mask === undefined) throw new FlowSyntaxError(`${text}: Invalid IPv6 mask`);
  if (digits.length < m[2].length) throw bad();
  return { value, mask };
}

/** The mask of an IPv6 prefix. */
export function ip6Prefix(bits: number): bigint {
  return IP6_ONES ^ ((1n << BigInt(128 - bits)) - 1n);
}

/** An IPv6 address as inet_ntop(3) of glibc prints it. */
export function formatIp6Words(a: number, b: number, c: number, d: number): string {
  const g = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff];
  let best = -1;
  let bestLen = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && g[i + n] === 0) n++;
    if (n > bestLen) {
      best = i;
      bestLen = n;
    }
    if (n > 0) i += n - 1;
  }
  let out = '';
  for (let i = 0; i < 8; i++) {
    if (i === best) {
      out += '::';
      i += bestLen - 1;
      continue;
    }
    if (i > 0 && !out.endsWith(':')) out += ':';
    // IPv4-compatible and IPv4-mapped addresses end in dotted decimal.
    if (i === 6 && best === 0 && (bestLen === 6 || (bestLen === 5 && g[5] === 0xffff))) {
      return out + formatIp4(d);
    }
    out += g[i]!.toString(16);
  }
  return out;
}

/** `formatIp6Words` of a 128-bit number. */
export function formatIp6(ip: bigint): string {
  const w = (shift: bigint): number => Number((ip >> shift) & 0xffffffffn);
  return formatIp6Words(w(96n), w(64n), w(32n), w(0n));
}

/** An IPv6 address with `/plen` or `/mask` where the mask is not all ones. */
export function formatIp6Masked(ip: bigint, mask: bigint): string {
  if (mask === IP6_ONES) return formatIp6(ip);
  const inverse = ~mask & IP6_ONES;
  if ((inverse & (inverse + 1n)) === 0n) {
    return `${formatIp6(ip)}/${inverse === 0n ? 128 : 128 - inverse.toString(2).length}`;
  }
  return `${formatIp6(ip)}/${formatIp6(mask)}`;
}

export { IP4_ONES, IP6_ONES, MAC_ONES };
