import { fits, setU16, setU32, u16, u32, View } from './bytes.js';

/**
 * ICMPv6 (RFC 4443) on IPv6. Carries echo data, the start of the packet that an error is about, or neighbour
 * discovery (RFC 4861), for which see `nd.ts`.

 *     0 type  1 code  2 checksum  4 rest of the header
 */

/** Bytes of the header without options. */
export const ICMPV6_HEADER = 8;

/** An ICMPv6 header. */
export class Icmpv6View extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): Icmpv6View | undefined {
    if (!fits(buf, offset, end, ICMPV6_HEADER)) return undefined;
    return new Icmpv6View(buf, offset, end);
  }

  /** Message type; below 128 an error. */
  get type(): number {
    return this.buf[this.offset + 0]!;
  }
  set type(value: number) {
    this.buf[this.offset + 0] = value;
  }
  /** Detail of the type. */
  get code(): number {
    return this.buf[this.offset + 1]!;
  }
  set code(value: number) {
    this.buf[this.offset + 1] = value;
  }
  /** Over pseudo header and message. */
  get checksum(): number {
    return u16(this.buf, this.offset + 2);
  }
  set checksum(value: number) {
    setU16(this.buf, this.offset + 2, value);
  }
  /** What the type makes of it; in neighbour discovery, flags and reserved bits. */
  get rest(): number {
    return u32(this.buf, this.offset + 4);
  }
  set rest(value: number) {
    setU32(this.buf, this.offset + 4, value);
  }

  /** First byte after the header. */
  get payload(): number {
    return this.offset + 8;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface Icmpv6Header {
  type: number;
  code: number;
  checksum: number;
  rest: number;
}

/** The value of a checked view. */
export function parseIcmpv6(view: Icmpv6View): Icmpv6Header {
  return {
    type: view.type,
    code: view.code,
    checksum: view.checksum,
    rest: view.rest,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 8 bytes there; returns the offset behind. */
export function emitIcmpv6(value: Icmpv6Header, buf: Uint8Array, offset: number): number {
  if (!fits(buf, offset, buf.length, ICMPV6_HEADER)) {
    throw new RangeError(`no room for 8 bytes at ${offset} of ${buf.length}`);
  }
  const view = new Icmpv6View(buf, offset, buf.length);
  view.type = value.type;
  view.code = value.code;
  view.checksum = value.checksum;
  view.rest = value.rest;
  return offset + ICMPV6_HEADER;
}
