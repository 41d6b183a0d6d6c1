import { fits, needRoom, setU16, setU32, setUBig, u16, u32, uBig, View } from './bytes.js';

/**
 * IPv6 (RFC 8200) on Ethernet. Carries TCP, UDP, SCTP, ICMPv6 behind any number of extension headers.
 *
 *     0 version:4 class:8 label:20  4 payload length  6 next header  7 hop limit  8 source (16)  24 destination (16)
 */

/** Bytes of the header without options. */
export const IPV6_HEADER = 40;

/** The fixed IPv6 header. */
export class Ipv6View extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): Ipv6View | undefined {
    if (!fits(buf, offset, end, IPV6_HEADER)) return undefined;
    if (u16(buf, offset + 4) > end - offset - IPV6_HEADER) return undefined;
    return new Ipv6View(buf, offset, end);
  }

  /** 6. */
  get version(): number {
    return (this.buf[this.offset + 0]! >>> 4) & 0xf;
  }
  set version(value: number) {
    this.buf[this.offset + 0] = (this.buf[this.offset + 0]! & ~0xf0) | ((value & 0xf) << 4);
  }
  /** DSCP and ECN, as the IPv4 TOS. */
  get trafficClass(): number {
    return (u16(this.buf, this.offset + 0) >>> 4) & 0xff;
  }
  set trafficClass(value: number) {
    setU16(this.buf, this.offset + 0, (u16(this.buf, this.offset + 0) & ~0xff0) | ((value & 0xff) << 4));
  }
  /** Flow label, 20 bits. */
  get flowLabel(): number {
    return u32(this.buf, this.offset + 0) & 0xfffff;
  }
  set flowLabel(value: number) {
    setU32(this.buf, this.offset + 0, (u32(this.buf, this.offset + 0) & ~0xfffff) | (value & 0xfffff));
  }
  /** Bytes after this header. */
  get payloadLength(): number {
    return u16(this.buf, this.offset + 4);
  }
  set payloadLength(value: number) {
    setU16(this.buf, this.offset + 4, value);
  }
  /** Protocol, or an extension header. */
  get nextHeader(): number {
    return this.buf[this.offset + 6]!;
  }
  set nextHeader(value: number) {
    this.buf[this.offset + 6] = value;
  }
  /** As the IPv4 TTL. */
  get hopLimit(): number {
    return this.buf[this.offset + 7]!;
  }
  set hopLimit(value: number) {
    this.buf[this.offset + 7] = value;
  }
  /** Source address, 128 bits. */
  get src(): bigint {
    return uBig(this.buf, this.offset + 8, 16);
  }
  set src(value: bigint) {
    setUBig(this.buf, this.offset + 8, 16, value);
  }
  /** Destination address, 128 bits. */
  get dst(): bigint {
    return uBig(this.buf, this.offset + 24, 16);
  }
  set dst(value: bigint) {
    setUBig(this.buf, this.offset + 24, 16, value);
  }

  /** First byte after the fixed header. */
  get payload(): number {
    return this.offset + 40;
  }

  /** End of the packet, without Ethernet padding. */
  get packetEnd(): number {
    return Math.min(this.end, this.offset + IPV6_HEADER + this.payloadLength);
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface Ipv6Header {
  version: number;
  trafficClass: number;
  flowLabel: number;
  payloadLength: number;
  nextHeader: number;
  hopLimit: number;
  src: bigint;
  dst: bigint;
}

/** The value of a checked view. */
export function parseIpv6(view: Ipv6View): Ipv6Header {
  return {
    version: view.version,
    trafficClass: view.trafficClass,
    flowLabel: view.flowLabel,
    payloadLength: view.payloadLength,
    nextHeader: view.nextHeader,
    hopLimit: view.hopLimit,
    src: view.src,
    dst: view.dst,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 40 bytes there; returns the offset behind. */
export function emitIpv6(value: Ipv6Header, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, IPV6_HEADER);
  const view = new Ipv6View(buf, offset, buf.length);
  view.version = value.version;
  view.trafficClass = value.trafficClass;
  view.flowLabel = value.flowLabel;
  view.payloadLength = value.payloadLength;
  view.nextHeader = value.nextHeader;
  view.hopLimit = value.hopLimit;
  view.src = value.src;
  view.dst = value.dst;
  return offset + IPV6_HEADER;
}
