import { fits, needRoom, setU16, setU32, u16, u32 } from './bytes.js';
import { PortsView } from './ports.js';

/**
 * TCP (RFC 9293) on IPv4 or IPv6. Carries an application's bytes.
 *
 *     0 source port  2 destination port  4 sequence  8 acknowledgment  12 offset:4 flags:12  14 window
 *     16 checksum  18 urgent pointer  20 options
 */

/** Bytes of the header without options. */
export const TCP_HEADER = 20;

/** A TCP header. */
export class TcpView extends PortsView {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): TcpView | undefined {
    if (!fits(buf, offset, end, TCP_HEADER)) return undefined;
    const header = (buf[offset + 12]! >> 4) << 2;
    if (header < TCP_HEADER || header > end - offset) return undefined;
    return new TcpView(buf, offset, end);
  }

  /** Sequence number. */
  get seq(): number {
    return u32(this.buf, this.offset + 4);
  }
  set seq(value: number) {
    setU32(this.buf, this.offset + 4, value);
  }
  /** Acknowledgment number. */
  get ack(): number {
    return u32(this.buf, this.offset + 8);
  }
  set ack(value: number) {
    setU32(this.buf, this.offset + 8, value);
  }
  /** Header length in 32-bit words. */
  get dataOffset(): number {
    return (this.buf[this.offset + 12]! >>> 4) & 0xf;
  }
  set dataOffset(value: number) {
    this.buf[this.offset + 12] = (this.buf[this.offset + 12]! & ~0xf0) | ((value & 0xf) << 4);
  }
  /** FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128; 12 bits. */
  get flags(): number {
    return u16(this.buf, this.offset + 12) & 0xfff;
  }
  set flags(value: number) {
    setU16(this.buf, this.offset + 12, (u16(this.buf, this.offset + 12) & ~0xfff) | (value & 0xfff));
  }
  /** Window. */
  get window(): number {
    return u16(this.buf, this.offset + 14);
  }
  set window(value: number) {
    setU16(this.buf, this.offset + 14, value);
  }
  /** Over pseudo header, header and data. */
  get checksum(): number {
    return u16(this.buf, this.offset + 16);
  }
  set checksum(value: number) {
    setU16(this.buf, this.offset + 16, value);
  }
  /** Urgent pointer. */
  get urgent(): number {
    return u16(this.buf, this.offset + 18);
  }
  set urgent(value: number) {
    setU16(this.buf, this.offset + 18, value);
  }

  /** First byte of the data. */
  get payload(): number {
    return Math.min(this.end, this.offset + (this.dataOffset << 2));
  }

  /** The options, possibly empty. */
  get options(): Uint8Array {
    return this.buf.subarray(Math.min(this.payload, this.offset + TCP_HEADER), this.payload);
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface TcpHeader {
  srcPort: number;
  dstPort: number;
  seq: number;
  ack: number;
  dataOffset: number;
  flags: number;
  window: number;
  checksum: number;
  urgent: number;
}

/** The value of a checked view. */
export function parseTcp(view: TcpView): TcpHeader {
  return {
    srcPort: view.srcPort,
    dstPort: view.dstPort,
    seq: view.seq,
    ack: view.ack,
    dataOffset: view.dataOffset,
    flags: view.flags,
    window: view.window,
    checksum: view.checksum,
    urgent: view.urgent,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 20 bytes there; returns the offset behind. */
export function emitTcp(value: TcpHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, TCP_HEADER);
  const view = new TcpView(buf, offset, buf.length);
  view.srcPort = value.srcPort;
  view.dstPort = value.dstPort;
  view.seq = value.seq;
  view.ack = value.ack;
  view.dataOffset = value.dataOffset;
  view.flags = value.flags;
  view.window = value.window;
  view.checksum = value.checksum;
  view.urgent = value.urgent;
  return offset + TCP_HEADER;
}
