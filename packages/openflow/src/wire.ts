/**
 * Reading and writing of network-order fields. A `Reader` checks every read against its end, so a codec need not;
 * a read past the end stops the decoding with the error the reader was made with (see `guard` in errors.ts).
 */
import { type ErrorName, fail } from './errors.js';
import type { Explain } from './explain.js';

/** How many bits the option has that `tun_metadata<index>` stands for; undefined: it stands for none. */
export type TunnelOptionBits = (index: number) => number | undefined;

const utf8 = new TextDecoder('utf-8');
const encoder = new TextEncoder();
let isByteText = false;

/**
 * Whether strings of messages are byte text (`common/byte-text.ts`) in this program, or Unicode, which they are unless
 * this is called.
 */
export function useByteText(on: boolean): void {
  isByteText = on;
}

/** A string of a message. */
export function decodeString(bytes: Uint8Array): string {
  if (isByteText) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  return utf8.decode(bytes);
}

/** The bytes of a string of a message. */
export function encodeString(text: string): Uint8Array {
  return isByteText ? Buffer.from(text, 'latin1') : encoder.encode(text);
}

export class Reader {
  readonly buf: Uint8Array;
  /** Position of the next byte to read, and of the end, in `buf`. */
  pos: number;
  readonly end: number;
  /** What tunnel options there are (`DecodeOptions.tunnelOptionBits`): reading the name of another fails. */
  tunnelOptionBits: TunnelOptionBits | undefined = undefined;
  private readonly tooShort: ErrorName;
  /** Told of what is wrong with the bytes; undefined: nobody wants to know. */
  readonly explain: Explain | undefined;

  /** Reads `buf[pos..end)`; `tooShort` is what a read past the end fails with. The buffer is borrowed. */
  constructor(
    buf: Uint8Array,
    pos = 0,
    end = buf.length,
    tooShort: ErrorName = 'OFPBRC_BAD_LEN',
    explain?: Explain,
  ) {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
    this.tooShort = tooShort;
    this.explain = explain;
  }

  get left(): number {
    return this.end - this.pos;
  }

  private take(n: number): number {
    const at = this.pos;
    if (n > this.end - at) fail(this.tooShort, `${n} bytes needed at offset ${at}, ${this.end - at} there`);
    this.pos = at + n;
    return at;
  }

  u8(): number {
    return this.buf[this.take(1)];
  }
  u16(): number {
    const at = this.take(2);
    return (this.buf[at] << 8) | this.buf[at + 1];
  }
  u32(): number {
    return this.i32() >>> 0;
  }
  /** The next 32 bits, which stay to be read. */
  peekU32(): number {
    return this.peekI32() >>> 0;
  }
  /** The same, signed. */
  peekI32(): number {
    const v = this.i32();
    this.pos -= 4;
    return v;
  }
  i32(): number {
    const at = this.take(4);
    const { buf } = this;
    return (buf[at] << 24) | (buf[at + 1] << 16) | (buf[at + 2] << 8) | buf[at + 3];
  }
  u64(): bigint {
    return this.big(8);
  }
  /** An unsigned number of `n` bytes. */
  big(n: number): bigint {
    return bytesToBig(this.buf, this.take(n), n);
  }
  /** An unsigned number of `n` bytes, 16 at most, as four words into `out`. */
  words(out: Uint32Array, n: number): void {
    let at = this.take(n);
    const { buf } = this;
    let left = n;
    for (let i = 4 - ((n + 3) >> 2), zero = 0; zero < i; zero++) out[zero] = 0;
    for (let i = 4 - ((n + 3) >> 2); i < 4; i++) {
      let word = 0;
      // The first of the words may have less than four bytes.
      for (let bytes = left & 3 || 4; bytes > 0; bytes--, left--) word = (word << 8) | buf[at++];
      out[i] = word;
    }
  }
  mac(): bigint {
    return this.big(6);
  }
  skip(n: number): void {
    this.take(n);
  }
  /** A reader of the same bytes, which this one does not skip; it may have others to tell and to ask. */
  copy(explain = this.explain, tunnelOptionBits = this.tunnelOptionBits): Reader {
    const copy = new Reader(this.buf, this.pos, this.end, this.tooShort, explain);
    copy.tunnelOptionBits = tunnelOptionBits;
    return copy;
  }
  /** A copy of the next `n` bytes. */
  bytes(n: number): Uint8Array {
    const at = this.take(n);
    // Not `slice`, which for a Buffer copies nothing.
    return new Uint8Array(this.buf.subarray(at, at + n));
  }
  /** The next `n` bytes where they are, borrowed. */
  lent(n: number): Uint8Array {
    const at = this.take(n);
    return this.buf.subarray(at, at + n);
  }
  /** A copy of all the bytes left. */
  rest(): Uint8Array {
    return this.bytes(this.left);
  }
  /** A zero-padded string of `n` bytes. */
  string(n: number): string {
    const at = this.take(n);
    let len = 0;
    while (len < n && this.buf[at + len] !== 0) len++;
    return decodeString(this.buf.subarray(at, at + len));
  }
  /** A reader of the next `n` bytes, which this one skips; fails with `tooShort`, as reading beyond its end does. */
  sub(n: number, tooShort: ErrorName = this.tooShort): Reader {
    if (n > this.left) fail(tooShort, `${n} bytes needed at offset ${this.pos}, ${this.left} there`);
    const at = this.take(n);
    const sub = new Reader(this.buf, at, at + n, tooShort, this.explain);
    sub.tunnelOptionBits = this.tunnelOptionBits;
    return sub;
  }
  /** Skips `n` bytes that must be zero, or fails with `name`. */
  zeros(n: number, name: ErrorName): void {
    const at = this.take(n);
    for (let i = at; i < at + n; i++) if (this.buf[i] !== 0) fail(name, `byte ${i} is not zero`);
  }
}

/** Whether there is no bit in `bytes`. */
export function isAllZeros(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The unsigned number in `n` bytes. */
export function bytesToBig(buf: Uint8Array, at: number, n: number): bigint {
  // In doubles as far as they are exact: most numbers are small, however wide their fields.
  let v = 0;
  let i = 0;
  for (; i < n && v < 0x200000000000; i++) v = v * 256 + buf[at + i];
  let big = v === 0 ? 0n : BigInt(v);
  for (; i < n; i++) big = (big << 8n) | BigInt(buf[at + i]);
  return big;
}

/** The lowest `n` bytes of an unsigned number. */
export function bigToBytes(value: bigint, n: number): Uint8Array {
  const bytes = new Uint8Array(n);
  let v = value;
  for (let i = n - 1; i >= 0; i--, v >>= 8n) bytes[i] = Number(v & 0xffn);
  return bytes;
}

/** A growing buffer of network-order fields. */
export class Writer {
  private buf: Uint8Array;
  length = 0;
  /** Where each item of a list begins, for who cuts it into messages; undefined: nobody does. */
  marks: number[] | undefined;

  constructor(size = 256) {
    this.buf = new Uint8Array(size);
  }

  /** Makes room for `n` bytes and returns where. It may replace `buf`, so it must be called before that is read. */
  private grow(n: number): number {
    const at = this.length;
    if (at + n > this.buf.length) {
      const bigger = new Uint8Array(Math.max(this.buf.length * 2, at + n));
      bigger.set(this.buf.subarray(0, at));
      this.buf = bigger;
    }
    this.length = at + n;
    return at;
  }

  u8(v: number): this {
    const at = this.grow(1);
    this.buf[at] = v;
    return this;
  }
  u16(v: number): this {
    const at = this.grow(2);
    const { buf } = this;
    buf[at] = v >>> 8;
    buf[at + 1] = v;
    return this;
  }
  u32(v: number): this {
    const at = this.grow(4);
    const { buf } = this;
    buf[at] = v >>> 24;
    buf[at + 1] = v >>> 16;
    buf[at + 2] = v >>> 8;
    buf[at + 3] = v;
    return this;
  }
  u64(v: bigint): this {
    // Most counters and cookies are small: a bench of dump-flows spends a tenth less on a flow.
    return v <= 0xffffffffn && v >= 0n ? this.u32(0).u32(Number(v)) : this.big(v, 8);
  }
  /** An unsigned number in `n` bytes; higher bits are cut. */
  big(v: bigint, n: number): this {
    const at = this.grow(n);
    const { buf } = this;
    let low = 0;
    for (let i = n - 1; i >= 0; i--) {
      if ((n - 1 - i) % 4 === 0) {
        low = Number(BigInt.asUintN(32, v));
        v = v <= 0xffffffffn ? 0n : v >> 32n;
      }
      buf[at + i] = low;
      low >>>= 8;
    }
    return this;
  }
  /** The lower `n` bytes, four at most, of a word. */
  uint(v: number, n: number): this {
    const at = this.grow(n);
    const { buf } = this;
    for (let i = n - 1, left = v; i >= 0; i--, left >>>= 8) buf[at + i] = left;
    return this;
  }
  /** The lower `n` bytes, 16 at most, of four words. */
  words(v: Uint32Array, n: number): this {
    let at = this.grow(n);
    const { buf } = this;
    let left = n;
    for (let i = 4 - ((n + 3) >> 2); i < 4; i++) {
      const word = v[i];
      for (let shift = ((left & 3 || 4) - 1) * 8; shift >= 0; shift -= 8, left--) buf[at++] = word >>> shift;
    }
    return this;
  }
  mac(v: bigint): this {
    return this.big(v, 6);
  }
  zeros(n: number): this {
    const at = this.grow(n);
    this.buf.fill(0, at, at + n);
    return this;
  }
  bytes(v: Uint8Array): this {
    const at = this.grow(v.length);
    this.buf.set(v, at);
    return this;
  }
  /** As `bytes`, of some of `from`; without a view of them, which takes longer to make than a few bytes to copy. */
  copyFrom(from: Uint8Array, start: number, n: number): this {
    const at = this.grow(n);
    const { buf } = this;
    for (let i = 0; i < n; i++) buf[at + i] = from[start + i];
    return this;
  }
  /** Copies what was written since it was `start` bytes long. */
  copyTo(to: Uint8Array, at: number, start: number): void {
    to.set(this.buf.subarray(start, this.length), at);
  }
  /** A string cut to `n - 1` bytes and zero-padded to `n`. */
  string(v: string, n: number): this {
    const at = this.grow(n);
    this.buf.fill(0, at, at + n);
    this.buf.set(encodeString(v).subarray(0, n - 1), at);
    return this;
  }
  /** Zeros up to a multiple of `n` bytes counted from `start`. */
  pad(n: number, start = 0): this {
    const over = (this.length - start) % n;
    return over === 0 ? this : this.zeros(n - over);
  }
  /** Overwrites the 16-bit number at `at`. */
  setU16(at: number, v: number): void {
    this.buf[at] = v >>> 8;
    this.buf[at + 1] = v;
  }
  setU8(at: number, v: number): void {
    this.buf[at] = v;
  }
  /** What was written, a copy of its own. */
  finish(): Uint8Array {
    return this.buf.slice(0, this.length);
  }
  /** What was written, until the next write or `clear`. */
  borrow(): Uint8Array {
    return this.buf.subarray(0, this.length);
  }
  /** Writes `v` and gives the buffer, to be changed in place until the next write. */
  place(v: Uint8Array): Uint8Array {
    this.bytes(v);
    return this.buf;
  }
  /** Takes back what was written after `length`; false, for those who give up. */
  cutTo(length: number): false {
    this.length = length;
    return false;
  }
  /** Overwrites the 32-bit number at `at`. */
  setU32(at: number, v: number): void {
    this.setU16(at, v >>> 16);
    this.setU16(at + 2, v);
  }
  /** Writes the items of a list, each with `put`, and marks where they begin. */
  items<T>(list: readonly T[], put: (item: T) => void): void {
    for (const item of list) {
      this.marks?.push(this.length);
      put(item);
    }
  }
  /** Forgets what was written, and keeps the room. */
  clear(): void {
    this.length = 0;
  }
}
