import { fits, needRoom, setU16, setUBig, u16, uBig, View } from './bytes.js';

/**
 * Ethernet (IEEE 802.3): the outermost layer. Carries VLAN tags, ARP, IPv4, IPv6 or MPLS by its type.
 *
 *     0 destination (6)   6 source (6)   12 type or length (2)
 */

/** Bytes of the header without options. */
export const ETH_HEADER = 14;

/** An Ethernet II or IEEE 802.3 header. */
export class EthView extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): EthView | undefined {
    if (!fits(buf, offset, end, ETH_HEADER)) return undefined;
    return new EthView(buf, offset, end);
  }

  /** Destination address, 48 bits. */
  get dst(): bigint {
    return uBig(this.buf, this.offset + 0, 6);
  }
  set dst(value: bigint) {
    setUBig(this.buf, this.offset + 0, 6, value);
  }
  /** Source address, 48 bits. */
  get src(): bigint {
    return uBig(this.buf, this.offset + 6, 6);
  }
  set src(value: bigint) {
    setUBig(this.buf, this.offset + 6, 6, value);
  }
  /** EtherType, or below 0x600 an IEEE 802.3 length. */
  get type(): number {
    return u16(this.buf, this.offset + 12);
  }
  set type(value: number) {
    setU16(this.buf, this.offset + 12, value);
  }

  /** First byte after the header. */
  get payload(): number {
    return this.offset + 14;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface EthHeader {
  dst: bigint;
  src: bigint;
  type: number;
}

/** The value of a checked view. */
export function parseEth(view: EthView): EthHeader {
  return {
    dst: view.dst,
    src: view.src,
    type: view.type,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 14 bytes there; returns the offset behind. */
export function emitEth(value: EthHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, ETH_HEADER);
  const view = new EthView(buf, offset, buf.length);
  view.dst = value.dst;
  view.src = value.src;
  view.type = value.type;
  return offset + ETH_HEADER;
}
