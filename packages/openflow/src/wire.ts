/**
 * Reading and writing of network-order fields. A `Reader` checks every read against its end, so a codec need not;
 * a read past the end stops the decoding with the error the reader was made with (see `guard` in errors.ts).
 */
import { type ErrorName, fail } from './errors.js';

const utf8 = new TextDecoder('utf-8');
const encoder = new TextEncoder();

export class Reader {
  readonly buf: Uint8Array;
  /** Position of the next byte to read, and of the end, in `buf`. */
  pos: number;
  readonly end: number;
  private readonly view: DataView;
  private readonly tooShort: ErrorName;

  /** Reads `buf[pos..end)`; `tooShort` is what a read past the end fails with. The buffer is borrowed. */
  constructor(buf: Uint8Array, pos = 0, end = buf.length, tooShort: ErrorName = 'OFPBRC_BAD_LEN') {
    this.buf = buf;
    this.pos = pos;
    this.end = end;
    this.view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
    this.tooShort = tooShort;
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
    return this.view.getUint16(this.take(2));
  }
  u32(): number {
    return this.view.getUint32(this.take(4));
  }
  /** The next 32 bits, which stay to be read. */
  peekU32(): number {
    const v = this.u32();
    this.pos -= 4;
    return v;
  }
  i32(): number {
    return this.view.getInt32(this.take(4));
  }
  u64(): bigint {
    return this.view.getBigUint64(this.take(8));
  }
  /** An unsigned number of `n` bytes. */
  big(n: number): bigint {
    return bytesToBig(this.buf, this.take(n), n);
  }
  mac(): bigint {
    return this.big(6);
  }
  skip(n: number): void {
    this.take(n);
  }
  /** A copy of the next `n` bytes. */
  bytes(n: number): Uint8Array {
    const at = this.take(n);
    // Not `slice`, which for a Buffer copies nothing.
    return new Uint8Array(this.buf.subarray(at, at + n));
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
    return utf8.decode(this.buf.subarray(at, at + len));
  }
  /** A reader of the next `n` bytes, which this one skips. */
  sub(n: number, tooShort: ErrorName = this.tooShort): Reader {
    const at = this.take(n);
    return new Reader(this.buf, at, at + n, tooShort);
  }
  /** Skips `n` bytes that must be zero, or fails with `name`. */
  zeros(n: number, name: ErrorName): void {
    const at = this.take(n);
    for (let i = at; i < at + n; i++) if (this.buf[i] !== 0) fail(name, `byte ${i} is not zero`);
  }
}

/** The unsigned number in `n` bytes. */
export function bytesToBig(buf: Uint8Array, at: number, n: number): bigint {
  let v = 0n;
  for (let i = 0; i < n; i++) v = (v << 8n) | BigInt(buf[at + i]);
  return v;
}

/** A growing buffer of network-order fields. */
export class Writer {
  private buf: Uint8Array;
  private view: DataView;
  length = 0;

  constructor(size = 256) {
    this.buf = new Uint8Array(size);
    this.view = new DataView(this.buf.buffer);
  }

  /** Makes room for `n` bytes and returns where. It may replace `buf` and `view`, so it must be called before they are read. */
  private grow(n: number): number {
    const at = this.length;
    if (at + n > this.buf.length) {
      const bigger = new Uint8Array(Math.max(this.buf.length * 2, at + n));
      bigger.set(this.buf.subarray(0, at));
      this.buf = bigger;
      this.view = new DataView(bigger.buffer);
    }
    this.length = at + n;
    return at;
  }

  u8(v: number): this {
    const at = this.grow(1);
    this.view.setUint8(at, v);
    return this;
  }
  u16(v: number): this {
    const at = this.grow(2);
    this.view.setUint16(at, v);
    return this;
  }
  u32(v: number): this {
    const at = this.grow(4);
    this.view.setUint32(at, v);
    return this;
  }
  u64(v: bigint): this {
    const at = this.grow(8);
    this.view.setBigUint64(at, v);
    return this;
  }
  /** An unsigned number in `n` bytes; higher bits are cut. */
  big(v: bigint, n: number): this {
    const at = this.grow(n);
    for (let i = n - 1; i >= 0; i--) {
      this.buf[at + i] = Number(v & 0xffn);
      v >>= 8n;
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
  /** A string cut to `n - 1` bytes and zero-padded to `n`. */
  string(v: string, n: number): this {
    const at = this.grow(n);
    this.buf.fill(0, at, at + n);
    this.buf.set(encoder.encode(v).subarray(0, n - 1), at);
    return this;
  }
  /** Zeros up to a multiple of `n` bytes counted from `start`. */
  pad(n: number, start = 0): this {
    const over = (this.length - start) % n;
    return over === 0 ? this : this.zeros(n - over);
  }
  /** Overwrites the 16-bit number at `at`. */
  setU16(at: number, v: number): void {
    this.view.setUint16(at, v);
  }
  setU8(at: number, v: number): void {
    this.view.setUint8(at, v);
  }
  /** What was written, a copy of its own. */
  finish(): Uint8Array {
    return this.buf.slice(0, this.length);
  }
}
