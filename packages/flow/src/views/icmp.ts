import { fits, setU16, setU32, u16, u32, View } from './bytes.js';

/**
 * ICMP (RFC 792) on IPv4. Carries echo data, or the start of the packet that an error is about.

 *     0 type  1 code  2 checksum  4 rest of the header
 */

/** Bytes of the header without options. */
export const ICMP_HEADER = 8;

/** An ICMP header. */
export class IcmpView extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): IcmpView | undefined {
    if (!fits(buf, offset, end, ICMP_HEADER)) return undefined;
    return new IcmpView(buf, offset, end);
  }

  /** Message type. */
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
  /** Over the whole message. */
  get checksum(): number {
    return u16(this.buf, this.offset + 2);
  }
  set checksum(value: number) {
    setU16(this.buf, this.offset + 2, value);
  }
  /** What the type makes of it; for an echo, identifier and sequence. */
  get rest(): number {
    return u32(this.buf, this.offset + 4);
  }
  set rest(value: number) {
    setU32(this.buf, this.offset + 4, value);
  }

  /** First byte after the header: for an error, the packet it is about. */
  get payload(): number {
    return this.offset + 8;
  }

  /** Whether `payload` is the start of another packet. */
  get isError(): boolean {
    const type = this.type;
    return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface IcmpHeader {
  type: number;
  code: number;
  checksum: number;
  rest: number;
}

/** The value of a checked view. */
export function parseIcmp(view: IcmpView): IcmpHeader {
  return {
    type: view.type,
    code: view.code,
    checksum: view.checksum,
    rest: view.rest,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 8 bytes there; returns the offset behind. */
export function emitIcmp(value: IcmpHeader, buf: Uint8Array, offset: number): number {
  if (!fits(buf, offset, buf.length, ICMP_HEADER)) {
    throw new RangeError(`no room for 8 bytes at ${offset} of ${buf.length}`);
  }
  const view = new IcmpView(buf, offset, buf.length);
  view.type = value.type;
  view.code = value.code;
  view.checksum = value.checksum;
  view.rest = value.rest;
  return offset + ICMP_HEADER;
}
