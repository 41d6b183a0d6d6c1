import { fits, setU16, setU32, setUBig, u16, u32, uBig, View } from './bytes.js';

/**
 * Neighbour discovery (RFC 4861) on IPv6: an ICMPv6 message of type 135 or 136 with its options.

 *     0 type  1 code  2 checksum  4 flags, reserved  8 target (16)  24 options: type, length in 8 bytes, data
 */

/** Bytes of the header without options. */
export const ND_HEADER = 24;

/** A neighbour solicitation or advertisement. */
export class NdView extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): NdView | undefined {
    if (!fits(buf, offset, end, ND_HEADER)) return undefined;
    return new NdView(buf, offset, end);
  }

  /** 135 solicitation, 136 advertisement. */
  get type(): number {
    return this.buf[this.offset + 0]!;
  }
  set type(value: number) {
    this.buf[this.offset + 0] = value;
  }
  /** 0. */
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
  /** R, S, O flags of an advertisement in the upper three bits. */
  get reserved(): number {
    return u32(this.buf, this.offset + 4);
  }
  set reserved(value: number) {
    setU32(this.buf, this.offset + 4, value);
  }
  /** The address asked for or advertised. */
  get target(): bigint {
    return uBig(this.buf, this.offset + 8, 16);
  }
  set target(value: bigint) {
    setUBig(this.buf, this.offset + 8, 16, value);
  }

  /** First option. */
  get payload(): number {
    return this.offset + 24;
  }

  /** The link-layer address of option `type` (1 source, 2 target), or undefined. */
  linkLayerAddress(type: 1 | 2): bigint | undefined {
    for (let at = this.payload; this.end - at >= 8;) {
      const length = this.buf[at + 1]! << 3;
      if (length === 0 || length > this.end - at) return undefined;
      if (this.buf[at] === type && length === 8) return uBig(this.buf, at + 2, 6);
      at += length;
    }
    return undefined;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface NdHeader {
  type: number;
  code: number;
  checksum: number;
  reserved: number;
  target: bigint;
}

/** The value of a checked view. */
export function parseNd(view: NdView): NdHeader {
  return {
    type: view.type,
    code: view.code,
    checksum: view.checksum,
    reserved: view.reserved,
    target: view.target,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 24 bytes there; returns the offset behind. */
export function emitNd(value: NdHeader, buf: Uint8Array, offset: number): number {
  if (!fits(buf, offset, buf.length, ND_HEADER)) {
    throw new RangeError(`no room for 24 bytes at ${offset} of ${buf.length}`);
  }
  const view = new NdView(buf, offset, buf.length);
  view.type = value.type;
  view.code = value.code;
  view.checksum = value.checksum;
  view.reserved = value.reserved;
  view.target = value.target;
  return offset + ND_HEADER;
}
