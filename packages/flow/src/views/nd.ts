import { fits, needRoom, setUBig, uBig } from './bytes.js';
import { emitIcmpCommon, type IcmpCommonHeader, IcmpCommonView, parseIcmpCommon } from './icmp-common.js';

/**
 * Neighbour discovery (RFC 4861) on IPv6: an ICMPv6 message of type 135 or 136 with its options.
 *
 *     0 type  1 code  2 checksum  4 flags, reserved  8 target (16)  24 options: type, length in 8 bytes, data
 */

/** Bytes of the header without options. */
export const ND_HEADER = 24;

/** A neighbour solicitation or advertisement; `rest` has the R, S, O flags of an advertisement in its upper three bits. */
export class NdView extends IcmpCommonView {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): NdView | undefined {
    if (!fits(buf, offset, end, ND_HEADER)) return undefined;
    return new NdView(buf, offset, end);
  }

  /** The address asked for or advertised. */
  get target(): bigint {
    return uBig(this.buf, this.offset + 8, 16);
  }
  set target(value: bigint) {
    setUBig(this.buf, this.offset + 8, 16, value);
  }

  /** First option. */
  override get payload(): number {
    return this.offset + ND_HEADER;
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

/** The header as a plain value; the checksum is what the packet says. */
export interface NdHeader extends IcmpCommonHeader {
  target: bigint;
}

/** The value of a checked view. */
export function parseNd(view: NdView): NdHeader {
  return { ...parseIcmpCommon(view), target: view.target };
}

/** Writes `value` at `offset` of `buf`, which has room for 24 bytes there; returns the offset behind. */
export function emitNd(value: NdHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, ND_HEADER);
  emitIcmpCommon(value, buf, offset);
  new NdView(buf, offset, buf.length).target = value.target;
  return offset + ND_HEADER;
}
