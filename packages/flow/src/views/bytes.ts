/** Big-endian reads and writes; the caller has checked the bounds. Addresses of 48 and 128 bits are BigInt. */

export function u16(b: Uint8Array, at: number): number {
  return (b[at]! << 8) | b[at + 1]!;
}

export function u32(b: Uint8Array, at: number): number {
  return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0;
}

export function setU16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 8;
  b[at + 1] = value;
}

export function setU32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24;
  b[at + 1] = value >>> 16;
  b[at + 2] = value >>> 8;
  b[at + 3] = value;
}

/** An unsigned number of `size` bytes. */
export function uBig(b: Uint8Array, at: number, size: number): bigint {
  let value = 0n;
  for (let i = at; i < at + size; i++) value = (value << 8n) | BigInt(b[i]!);
  return value;
}

export function setUBig(b: Uint8Array, at: number, size: number, value: bigint): void {
  let v = value;
  for (let i = at + size - 1; i >= at; i--) {
    b[i] = Number(v & 0xffn);
    v >>= 8n;
  }
}

/**
 * What all views share: a window `[offset, end)` of a buffer that a protocol's `check` has found large enough
 * for its header. A view owns nothing and stays valid as long as the buffer is not reused; accessors never
 * leave the window, whatever the bytes say, since lengths taken from the packet are cut to `end`.
 */
export abstract class View {
  readonly buf: Uint8Array;
  readonly offset: number;
  readonly end: number;

  constructor(buf: Uint8Array, offset: number, end: number) {
    this.buf = buf;
    this.offset = offset;
    this.end = end;
  }

  /** Where what this header carries begins; at most `end`. */
  abstract get payload(): number;
}

/** Whether `size` bytes at `offset` lie within `[offset, end)` and the buffer. */
export function fits(buf: Uint8Array, offset: number, end: number, size: number): boolean {
  return offset >= 0 && end <= buf.length && end - offset >= size;
}

/** Throws RangeError unless a header of `size` bytes can be written at `offset`. */
export function needRoom(buf: Uint8Array, offset: number, size: number): void {
  if (!fits(buf, offset, buf.length, size)) {
    throw new RangeError(`no room for ${size} bytes at ${offset} of ${buf.length}`);
  }
}
