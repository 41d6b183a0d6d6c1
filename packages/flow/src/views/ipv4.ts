import { fits, needRoom, setU16, setU32, u16, u32, View } from './bytes.js';

/**
 * IPv4 (RFC 791) on Ethernet. Carries TCP, UDP, SCTP, ICMP by its protocol. `check` takes what the switch takes
 * for a header: IHL of 5 words or more and a total length that holds it and fits.
 *
 *     0 version:4 IHL:4  1 TOS  2 total length  4 id  6 flags:3 offset:13  8 TTL  9 protocol  10 checksum
 *     12 source (4)  16 destination (4)  20 options
 */

/** Bytes of the header without options. */
export const IPV4_HEADER = 20;

/** An IPv4 header. */
export class Ipv4View extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): Ipv4View | undefined {
    if (!fits(buf, offset, end, IPV4_HEADER)) return undefined;
    const ihl = (buf[offset]! & 15) << 2;
    const total = u16(buf, offset + 2);
    if (ihl < IPV4_HEADER || total < ihl || total > end - offset) return undefined;
    return new Ipv4View(buf, offset, end);
  }

  /** 4. */
  get version(): number {
    return (this.buf[this.offset + 0]! >>> 4) & 0xf;
  }
  set version(value: number) {
    this.buf[this.offset + 0] = (this.buf[this.offset + 0]! & ~0xf0) | ((value & 0xf) << 4);
  }
  /** Header length in 32-bit words. */
  get ihl(): number {
    return this.buf[this.offset + 0]! & 0xf;
  }
  set ihl(value: number) {
    this.buf[this.offset + 0] = (this.buf[this.offset + 0]! & ~0xf) | (value & 0xf);
  }
  /** DSCP in the upper six bits, ECN in the lower two. */
  get tos(): number {
    return this.buf[this.offset + 1]!;
  }
  set tos(value: number) {
    this.buf[this.offset + 1] = value;
  }
  /** Header and data, in bytes. */
  get totalLength(): number {
    return u16(this.buf, this.offset + 2);
  }
  set totalLength(value: number) {
    setU16(this.buf, this.offset + 2, value);
  }
  /** Identification. */
  get id(): number {
    return u16(this.buf, this.offset + 4);
  }
  set id(value: number) {
    setU16(this.buf, this.offset + 4, value);
  }
  /** Reserved, DF, MF. */
  get flags(): number {
    return (this.buf[this.offset + 6]! >>> 5) & 0x7;
  }
  set flags(value: number) {
    this.buf[this.offset + 6] = (this.buf[this.offset + 6]! & ~0xe0) | ((value & 0x7) << 5);
  }
  /** Fragment offset in units of 8 bytes. */
  get fragOffset(): number {
    return u16(this.buf, this.offset + 6) & 0x1fff;
  }
  set fragOffset(value: number) {
    setU16(this.buf, this.offset + 6, (u16(this.buf, this.offset + 6) & ~0x1fff) | (value & 0x1fff));
  }
  /** Time to live. */
  get ttl(): number {
    return this.buf[this.offset + 8]!;
  }
  set ttl(value: number) {
    this.buf[this.offset + 8] = value;
  }
  /** Protocol of the data. */
  get proto(): number {
    return this.buf[this.offset + 9]!;
  }
  set proto(value: number) {
    this.buf[this.offset + 9] = value;
  }
  /** Header checksum. */
  get checksum(): number {
    return u16(this.buf, this.offset + 10);
  }
  set checksum(value: number) {
    setU16(this.buf, this.offset + 10, value);
  }
  /** Source address. */
  get src(): number {
    return u32(this.buf, this.offset + 12);
  }
  set src(value: number) {
    setU32(this.buf, this.offset + 12, value);
  }
  /** Destination address. */
  get dst(): number {
    return u32(this.buf, this.offset + 16);
  }
  set dst(value: number) {
    setU32(this.buf, this.offset + 16, value);
  }

  /** First byte of the data. */
  get payload(): number {
    return Math.min(this.end, this.offset + (this.ihl << 2));
  }

  /** End of the packet, without Ethernet padding. */
  get packetEnd(): number {
    return Math.min(this.end, this.offset + this.totalLength);
  }

  /** The options, possibly empty. */
  get options(): Uint8Array {
    return this.buf.subarray(Math.min(this.payload, this.offset + IPV4_HEADER), this.payload);
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface Ipv4Header {
  version: number;
  ihl: number;
  tos: number;
  totalLength: number;
  id: number;
  flags: number;
  fragOffset: number;
  ttl: number;
  proto: number;
  checksum: number;
  src: number;
  dst: number;
}

/** The value of a checked view. */
export function parseIpv4(view: Ipv4View): Ipv4Header {
  return {
    version: view.version,
    ihl: view.ihl,
    tos: view.tos,
    totalLength: view.totalLength,
    id: view.id,
    flags: view.flags,
    fragOffset: view.fragOffset,
    ttl: view.ttl,
    proto: view.proto,
    checksum: view.checksum,
    src: view.src,
    dst: view.dst,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 20 bytes there; returns the offset behind. */
export function emitIpv4(value: Ipv4Header, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, IPV4_HEADER);
  const view = new Ipv4View(buf, offset, buf.length);
  view.version = value.version;
  view.ihl = value.ihl;
  view.tos = value.tos;
  view.totalLength = value.totalLength;
  view.id = value.id;
  view.flags = value.flags;
  view.fragOffset = value.fragOffset;
  view.ttl = value.ttl;
  view.proto = value.proto;
  view.checksum = value.checksum;
  view.src = value.src;
  view.dst = value.dst;
  return offset + IPV4_HEADER;
}
