import { fits, needRoom, setU16, u16 } from './bytes.js';
import { PortsView } from './ports.js';

/**
 * UDP (RFC 768) on IPv4 or IPv6. Carries an application's datagram.
 *
 *     0 source port  2 destination port  4 length  6 checksum
 */

/** Bytes of the header without options. */
export const UDP_HEADER = 8;

/** A UDP header. */
export class UdpView extends PortsView {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): UdpView | undefined {
    if (!fits(buf, offset, end, UDP_HEADER)) return undefined;
    return new UdpView(buf, offset, end);
  }

  /** Header and data, in bytes. */
  get length(): number {
    return u16(this.buf, this.offset + 4);
  }
  set length(value: number) {
    setU16(this.buf, this.offset + 4, value);
  }
  /** Over pseudo header, header and data; 0 is none. */
  get checksum(): number {
    return u16(this.buf, this.offset + 6);
  }
  set checksum(value: number) {
    setU16(this.buf, this.offset + 6, value);
  }

  /** First byte of the data. */
  get payload(): number {
    return this.offset + 8;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface UdpHeader {
  srcPort: number;
  dstPort: number;
  length: number;
  checksum: number;
}

/** The value of a checked view. */
export function parseUdp(view: UdpView): UdpHeader {
  return {
    srcPort: view.srcPort,
    dstPort: view.dstPort,
    length: view.length,
    checksum: view.checksum,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 8 bytes there; returns the offset behind. */
export function emitUdp(value: UdpHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, UDP_HEADER);
  const view = new UdpView(buf, offset, buf.length);
  view.srcPort = value.srcPort;
  view.dstPort = value.dstPort;
  view.length = value.length;
  view.checksum = value.checksum;
  return offset + UDP_HEADER;
}
