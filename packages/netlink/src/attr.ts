/**
 * The netlink attribute engine (linux/netlink.h: struct nlattr).
 *
 *      0               2               4
 *     +---------------+---------------+------------------+-----+
 *     | length (u16)  | type (u16)    | payload          | pad |
 *     +---------------+---------------+------------------+-----+
 *      <------------ length --------------------------->  to a multiple of 4
 *
 * Every integer of netlink itself is little-endian here, whatever the host (all hosts that Node.js runs on and we
 * support are little-endian, so this is also "host order" as the kernel says); `be16`, `be32`, `be64` are network
 * order. The type's top two bits (NLA_F_NESTED, NLA_F_NET_BYTEORDER) are ignored when read and never written.
 *
 * `NlWriter` appends to one growing buffer and is reused by resetting it; `NlReader` walks the attributes of a byte
 * range without allocating. Both are used per upcall and per flow, so neither makes garbage. The reader never
 * throws: a length that leaves the range ends the walk with `malformed` set, and the typed getters are only
 * called after their caller compared `length`. Table-driven decoding (`decodeAttrs` of `attr-table.ts`) does this
 * comparing for the control plane.
 */

export const NLA_HDRLEN = 4;
const NLA_TYPE_MASK = 0x3fff;
/** The longest payload one attribute can hold: the length field has 16 bits. */
export const NLA_MAX_PAYLOAD = 0xffff - NLA_HDRLEN;

const textEncoder = new TextEncoder();

/** `n` rounded up to the next multiple of 4. */
export function nlAlign(n: number): number {
  return (n + 3) & ~3;
}

/** A request, reply or attribute list that breaks its format. `errno` is a positive Linux error number. */
export class NetlinkError extends Error {
  readonly errno: number;
  constructor(errno: number, message: string) {
    super(message);
    this.name = 'NetlinkError';
    this.errno = errno;
  }
}

/**
 * Appends attributes (and raw header fields) to a growing buffer.
 * The bytes from 0 to `length` are what was written; `bytes()` copies them out, `view()` lends them until the next
 * call that writes. Padding bytes are zero. Grows by doubling, never shrinks.
 */
export class NlWriter {
  buf: Uint8Array;
  length = 0;
  #view: DataView;

  constructor(capacity = 512) {
    this.buf = new Uint8Array(capacity);
    this.#view = new DataView(this.buf.buffer);
  }

  /** Forgets what was written; the buffer stays. */
  reset(): this {
    this.length = 0;
    return this;
  }

  /** Cuts what was written back to `length` bytes, which must be a value that `length` had before. */
  truncate(length: number): void {
    this.length = length;
  }

  /** A copy of what was written, owned by the caller. */
  bytes(from = 0): Uint8Array {
    return this.buf.slice(from, this.length);
  }

  /** What was written, valid until the next write. */
  view(from = 0): Uint8Array {
    return this.buf.subarray(from, this.length);
  }

  /** Makes room for `n` more bytes and counts them as written. Returns where they begin. They are not cleared. */
  reserve(n: number): number {
    const at = this.length;
    const end = at + n;
    if (end > this.buf.length) this.#grow(end);
    this.length = end;
    return at;
  }

  #grow(need: number): void {
    let capacity = this.buf.length * 2;
    while (capacity < need) capacity *= 2;
    const bigger = new Uint8Array(capacity);
    bigger.set(this.buf.subarray(0, this.length));
    this.buf = bigger;
    this.#view = new DataView(bigger.buffer);
  }

  /** Zeros up to the next multiple of 4. */
  pad(): void {
    const end = nlAlign(this.length);
    const from = this.length;
    if (end === from) return;
    this.reserve(end - from);
    this.buf.fill(0, from, end);
  }

  // Raw fields, for headers and for structures inside an attribute.

  rawU8(value: number): void {
    const at = this.reserve(1);
    this.buf[at] = value;
  }
  rawU16(value: number): void {
    const at = this.reserve(2);
    this.#view.setUint16(at, value, true);
  }
  rawU32(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value, true);
  }
  rawU64(value: bigint): void {
    const at = this.reserve(8);
    this.#view.setBigUint64(at, value, true);
  }
  /** A 64-bit integer from a number that is a non-negative safe integer: no BigInt is made. */
  rawU64n(value: number): void {
    const at = this.reserve(8);
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, (value / 0x100000000) >>> 0, true);
  }
  rawBe16(value: number): void {
    const at = this.reserve(2);
    this.#view.setUint16(at, value, false);
  }
  rawBe32(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value, false);
  }
  /** Bytes as they are. */
  rawBytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.buf.set(bytes, at);
  }
  /** Overwrites 32 bits that were written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }
  /** Overwrites 16 bits that were written before. */
  patchU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  // Attributes.

  /** An attribute header for a payload of exactly `payload` bytes; the payload's offset is returned, the padding is
   * cleared. Throws `NetlinkError` EMSGSIZE when the length does not fit in 16 bits. */
  header(type: number, payload: number): number {
    if (payload > NLA_MAX_PAYLOAD)
      throw new NetlinkError(90, `netlink attribute ${type}: ${payload} bytes are too long`);
    const at = this.reserve(NLA_HDRLEN + nlAlign(payload));
    this.#view.setUint16(at, NLA_HDRLEN + payload, true);
    this.#view.setUint16(at + 2, type, true);
    const end = at + NLA_HDRLEN + payload;
    for (let i = end; i < this.length; i++) this.buf[i] = 0;
    return at + NLA_HDRLEN;
  }

  putFlag(type: number): void {
    this.header(type, 0);
  }
  putU8(type: number, value: number): void {
    const at = this.header(type, 1);
    this.buf[at] = value;
  }
  putU16(type: number, value: number): void {
    const at = this.header(type, 2);
    this.#view.setUint16(at, value, true);
  }
  putU32(type: number, value: number): void {
    const at = this.header(type, 4);
    this.#view.setUint32(at, value, true);
  }
  putU64(type: number, value: bigint): void {
    const at = this.header(type, 8);
    this.#view.setBigUint64(at, value, true);
  }
  /** As `putU64`, from a non-negative safe integer. */
  putU64n(type: number, value: number): void {
    const at = this.header(type, 8);
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, (value / 0x100000000) >>> 0, true);
  }
  putBe16(type: number, value: number): void {
    const at = this.header(type, 2);
    this.#view.setUint16(at, value, false);
  }
  putBe32(type: number, value: number): void {
    const at = this.header(type, 4);
    this.#view.setUint32(at, value, false);
  }
  putBe64(type: number, value: bigint): void {
    const at = this.header(type, 8);
    this.#view.setBigUint64(at, value, false);
  }
  /** Bytes as they are; also a nested attribute list that exists already. */
  putBytes(type: number, bytes: Uint8Array): void {
    const at = this.header(type, bytes.length);
    this.buf.set(bytes, at);
  }
  /** A string in UTF-8 with its terminating zero. */
  putString(type: number, text: string): void {
    const bytes = textEncoder.encode(text);
    const at = this.header(type, bytes.length + 1);
    this.buf.set(bytes, at);
    this.buf[at + bytes.length] = 0;
  }

  /** Opens a nested attribute. What is written until `endNested` with the returned mark is its payload. */
  startNested(type: number): number {
    const at = this.reserve(NLA_HDRLEN);
    this.#view.setUint16(at, NLA_HDRLEN, true);
    this.#view.setUint16(at + 2, type, true);
    return at;
  }
  /** Closes a nested attribute. Throws `NetlinkError` EMSGSIZE when the nested list is longer than 65531 bytes. */
  endNested(mark: number): void {
    const length = this.length - mark;
    if (length > 0xffff) throw new NetlinkError(90, `nested netlink attribute: ${length} bytes are too long`);
    this.#view.setUint16(mark, length, true);
    this.pad();
  }
  /** A nested attribute whose payload `fill` writes; for the control plane, where a closure costs nothing. */
  nested(type: number, fill: (w: this) => void): void {
    const mark = this.startNested(type);
    fill(this);
    this.endNested(mark);
  }
}

/**
 * Walks the attributes in a byte range.
 *
 *     reader.reset(buf, start, end);
 *     while (reader.next()) switch (reader.type) { … reader.length …, reader.u32() … }
 *     if (reader.malformed) …
 *
 * After `next` returned true, `type`, `offset` and `length` describe the attribute's payload, which lies in the
 * range. The getters read at `offset` and check nothing: compare `length` first. Does not allocate.
 */
export class NlReader {
  buf: Uint8Array = EMPTY;
  type = 0;
  /** Where the payload of the current attribute begins in `buf`. */
  offset = 0;
  /** Payload bytes of the current attribute. */
  length = 0;
  /** The walk ended at something that is no attribute (a length below 4 or past the end, or trailing bytes). */
  malformed = false;
  #pos = 0;
  #end = 0;

  constructor(buf?: Uint8Array, start?: number, end?: number) {
    if (buf !== undefined) this.reset(buf, start, end);
  }

  /** Starts over on `buf[start, end)`, which the caller made sure lies inside `buf`. The reader keeps no copy. */
  reset(buf: Uint8Array, start = 0, end = buf.length): this {
    this.buf = buf;
    this.#pos = start;
    this.#end = end;
    this.malformed = false;
    return this;
  }

  /** Moves to the next attribute; false at the end, which is a clean one unless `malformed`. */
  next(): boolean {
    const pos = this.#pos;
    const left = this.#end - pos;
    if (left < NLA_HDRLEN) {
      if (left > 0) this.malformed = true;
      return false;
    }
    const buf = this.buf;
    const len = buf[pos]! | (buf[pos + 1]! << 8);
    if (len < NLA_HDRLEN || len > left) {
      this.malformed = true;
      return false;
    }
    this.type = (buf[pos + 2]! | (buf[pos + 3]! << 8)) & NLA_TYPE_MASK;
    this.offset = pos + NLA_HDRLEN;
    this.length = len - NLA_HDRLEN;
    // The last attribute may lack its padding.
    const step = (len + 3) & ~3;
    this.#pos = step > left ? this.#end : pos + step;
    return true;
  }

  /** Makes `child` walk the payload of the current attribute. */
  enter(child: NlReader): NlReader {
    return child.reset(this.buf, this.offset, this.offset + this.length);
  }

  u8(): number {
    return this.buf[this.offset]!;
  }
  u16(): number {
    const o = this.offset;
    return this.buf[o]! | (this.buf[o + 1]! << 8);
  }
  u32(at = 0): number {
    const b = this.buf;
    const o = this.offset + at;
    return (b[o]! | (b[o + 1]! << 8) | (b[o + 2]! << 16) | (b[o + 3]! << 24)) >>> 0;
  }
  u64(at = 0): bigint {
    return (BigInt(this.u32(at + 4)) << 32n) | BigInt(this.u32(at));
  }
  /** A 64-bit integer as a number; exact up to 2^53. */
  u64n(at = 0): number {
    return this.u32(at + 4) * 0x100000000 + this.u32(at);
  }
  be16(at = 0): number {
    const o = this.offset + at;
    return (this.buf[o]! << 8) | this.buf[o + 1]!;
  }
  be32(at = 0): number {
    const b = this.buf;
    const o = this.offset + at;
    return ((b[o]! << 24) | (b[o + 1]! << 16) | (b[o + 2]! << 8) | b[o + 3]!) >>> 0;
  }
  be64(at = 0): bigint {
    return (BigInt(this.be32(at)) << 32n) | BigInt(this.be32(at + 4));
  }
  /** The payload, lent: it shares the message's memory. */
  bytes(): Uint8Array {
    return this.buf.subarray(this.offset, this.offset + this.length);
  }
  /** The payload as text, without the terminating zero if there is one. */
  string(): string {
    let end = this.offset;
    const limit = this.offset + this.length;
    while (end < limit && this.buf[end] !== 0) end++;
    return Buffer.from(this.buf.buffer, this.buf.byteOffset + this.offset, end - this.offset).toString(
      'utf8',
    );
  }
}

const EMPTY = new Uint8Array(0);
