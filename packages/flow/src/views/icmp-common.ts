import { needRoom, setU16, setU32, u16, u32, View } from './bytes.js';

/**
 * What ICMP (RFC 792), ICMPv6 (RFC 4443) and neighbour discovery (RFC 4861) messages begin with.
 *
 *     0 type  1 code  2 checksum  4 rest of the header
 */

/** Bytes of the common header. */
export const ICMP_COMMON_HEADER = 8;

/** The common header. */
export class IcmpCommonView extends View {
  /** Message type; in ICMPv6, below 128 an error. */
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
  /** Over the whole message, in ICMPv6 with the pseudo header. */
  get checksum(): number {
    return u16(this.buf, this.offset + 2);
  }
  set checksum(value: number) {
    setU16(this.buf, this.offset + 2, value);
  }
  /** What the type makes of it: for an echo, identifier and sequence; in neighbour discovery, flags and reserved. */
  get rest(): number {
    return u32(this.buf, this.offset + 4);
  }
  set rest(value: number) {
    setU32(this.buf, this.offset + 4, value);
  }

  /** First byte after the common header: for an error, the packet it is about. */
  get payload(): number {
    return this.offset + ICMP_COMMON_HEADER;
  }
}

/** The common header as a plain value; the checksum is what the packet says. */
export interface IcmpCommonHeader {
  type: number;
  code: number;
  checksum: number;
  rest: number;
}

/** The value of a checked view. */
export function parseIcmpCommon(view: IcmpCommonView): IcmpCommonHeader {
  return {
    type: view.type,
    code: view.code,
    checksum: view.checksum,
    rest: view.rest,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 8 bytes there; returns the offset behind. */
export function emitIcmpCommon(value: IcmpCommonHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, ICMP_COMMON_HEADER);
  const view = new IcmpCommonView(buf, offset, buf.length);
  view.type = value.type;
  view.code = value.code;
  view.checksum = value.checksum;
  view.rest = value.rest;
  return offset + ICMP_COMMON_HEADER;
}
