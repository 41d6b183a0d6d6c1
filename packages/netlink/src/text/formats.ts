/**
 * How the parts of datapath flows look as text: one row per kind of value, printed and read by the same row. Values and
 * masks are network-order bytes of an attribute's payload.
 */
import { formatIp4, formatIp6Words, parseIp4, parseIp6, parseMac } from '@ovs-node/flow/addr-text';
import { altHex } from '@ovs-node/flow/int-text';

/** One kind of value. `n` is the width in bytes. */
export interface Format {
  /** The value alone. */
  value(b: Uint8Array, at: number, n: number): string;
  /** The mask, after a `/`. */
  mask(b: Uint8Array, at: number, n: number): string;
  /** Reads a value or a mask into `out`; false when the text is none, or does not fit. */
  read(text: string, out: Uint8Array, at: number, n: number): boolean;
  /** Bits that count, when fewer than the bytes have. */
  readonly bits?: number;
}

function be(b: Uint8Array, at: number, n: number): number {
  let v = 0;
  for (let i = 0; i < n; i++) v = v * 256 + b[at + i]!;
  return v;
}

function w32(b: Uint8Array, at: number): number {
  return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
}

/** An unsigned number as strtoull reads it, limited to `bits` bits; -1n when it is none. */
export function readNumber(text: string, bits: number): bigint {
  const m = /^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (m === null) return -1n;
  const v = /^0[0-7]+$/.test(text) ? BigInt('0o' + text.slice(1)) : BigInt(text);
  return v >> BigInt(bits) === 0n ? v : -1n;
}

function readBe(bits: number | undefined) {
  return (text: string, out: Uint8Array, at: number, n: number): boolean => {
    let v = readNumber(text, bits ?? 8 * n);
    if (v < 0n) return false;
    for (let i = n - 1; i >= 0; i--) {
      out[at + i] = Number(v & 0xffn);
      v >>= 8n;
    }
    return true;
  };
}

const hexOf = (b: Uint8Array, at: number, n: number): string => altHex(be(b, at, n));

export const DEC: Format = {
  value: (b, at, n) => String(be(b, at, n)),
  mask: hexOf,
  read: readBe(undefined),
};
export const HEX: Format = { value: hexOf, mask: hexOf, read: readBe(undefined) };
/** As `HEX`, zero with its prefix as well. */
export const PLAIN_HEX: Format = {
  ...HEX,
  value: (b, at, n) => `0x${be(b, at, n).toString(16)}`,
};
/** A 20-bit IPv6 flow label in 4 bytes. */
export const LABEL: Format = { value: hexOf, mask: hexOf, read: readBe(20), bits: 20 };

/** Any number of bytes as one number. */
export const WIDE: Format = {
  value: (b, at, n) => altHex(bigBe(b, at, n)),
  mask: (b, at, n) => altHex(bigBe(b, at, n)),
  read: readBe(undefined),
};

function bigBe(b: Uint8Array, at: number, n: number): bigint {
  let v = 0n;
  for (let i = 0; i < n; i++) v = (v << 8n) | BigInt(b[at + i]!);
  return v;
}

function mac(b: Uint8Array, at: number): string {
  let s = '';
  for (let i = 0; i < 6; i++) s += (i ? ':' : '') + b[at + i]!.toString(16).padStart(2, '0');
  return s;
}

export const MAC: Format = {
  value: mac,
  mask: mac,
  read(text, out, at) {
    const v = parseMac(text);
    if (v === undefined) return false;
    for (let i = 0; i < 6; i++) out[at + i] = Number((v >> BigInt(40 - 8 * i)) & 0xffn);
    return true;
  },
};

const ip4 = (b: Uint8Array, at: number): string => formatIp4(w32(b, at));
export const IP4: Format = {
  value: ip4,
  mask: ip4,
  read(text, out, at) {
    const v = /^[0-9]/.test(text) ? parseIp4(text) : undefined;
    if (v === undefined) return false;
    for (let i = 0; i < 4; i++) out[at + i] = v >>> (24 - 8 * i);
    return true;
  },
};

const ip6 = (b: Uint8Array, at: number): string =>
  formatIp6Words(w32(b, at), w32(b, at + 4), w32(b, at + 8), w32(b, at + 12));
export const IP6: Format = {
  value: ip6,
  mask: ip6,
  read(text, out, at) {
    const v = parseIp6(text);
    if (v === undefined) return false;
    for (let i = 0; i < 16; i++) out[at + i] = Number((v >> BigInt(120 - 8 * i)) & 0xffn);
    return true;
  },
};

const FRAGS = ['no', 'first', 'later'];
/** The fragment type: printed only where it is matched, and matched whole. */
export const FRAG: Format = {
  value: (b, at) => FRAGS[b[at]!] ?? `<error: ${b[at]}>`,
  mask: hexOf,
  read(text, out, at) {
    const v = FRAGS.indexOf(text);
    if (v < 0) return false;
    out[at] = v;
    return true;
  },
};

/** Bytes as hexadecimal digits without separators. */
export function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** The bytes of an even number of hexadecimal digits, or undefined. */
export function hexBytes(text: string): Uint8Array | undefined {
  return /^(?:[0-9a-fA-F]{2})*$/.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : undefined;
}
