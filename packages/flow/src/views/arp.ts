import { fits, needRoom, setU16, setU32, setUBig, u16, u32, uBig, View } from './bytes.js';

/**
 * ARP (RFC 826) and RARP (RFC 903) on Ethernet, for Ethernet and IPv4 addresses. Carries nothing. `check` looks
 * at the size only; `isEthernetIpv4` says whether the addresses have the lengths that this view supposes.
 *
 *     0 hardware type  2 protocol type  4 lengths  6 operation  8 SHA (6)  14 SPA (4)  18 THA (6)  24 TPA (4)
 */

/** Bytes of the header without options. */
export const ARP_HEADER = 28;

/** An ARP packet for Ethernet and IPv4. */
export class ArpView extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): ArpView | undefined {
    if (!fits(buf, offset, end, ARP_HEADER)) return undefined;
    return new ArpView(buf, offset, end);
  }

  /** 1 is Ethernet. */
  get hardwareType(): number {
    return u16(this.buf, this.offset + 0);
  }
  set hardwareType(value: number) {
    setU16(this.buf, this.offset + 0, value);
  }
  /** 0x0800 is IPv4. */
  get protocolType(): number {
    return u16(this.buf, this.offset + 2);
  }
  set protocolType(value: number) {
    setU16(this.buf, this.offset + 2, value);
  }
  /** 6 for Ethernet. */
  get hardwareLength(): number {
    return this.buf[this.offset + 4]!;
  }
  set hardwareLength(value: number) {
    this.buf[this.offset + 4] = value;
  }
  /** 4 for IPv4. */
  get protocolLength(): number {
    return this.buf[this.offset + 5]!;
  }
  set protocolLength(value: number) {
    this.buf[this.offset + 5] = value;
  }
  /** 1 request, 2 reply; RARP 3 and 4. */
  get op(): number {
    return u16(this.buf, this.offset + 6);
  }
  set op(value: number) {
    setU16(this.buf, this.offset + 6, value);
  }
  /** Sender hardware address. */
  get sha(): bigint {
    return uBig(this.buf, this.offset + 8, 6);
  }
  set sha(value: bigint) {
    setUBig(this.buf, this.offset + 8, 6, value);
  }
  /** Sender protocol address. */
  get spa(): number {
    return u32(this.buf, this.offset + 14);
  }
  set spa(value: number) {
    setU32(this.buf, this.offset + 14, value);
  }
  /** Target hardware address. */
  get tha(): bigint {
    return uBig(this.buf, this.offset + 18, 6);
  }
  set tha(value: bigint) {
    setUBig(this.buf, this.offset + 18, 6, value);
  }
  /** Target protocol address. */
  get tpa(): number {
    return u32(this.buf, this.offset + 24);
  }
  set tpa(value: number) {
    setU32(this.buf, this.offset + 24, value);
  }

  /** First byte after the packet: Ethernet padding. */
  get payload(): number {
    return this.offset + 28;
  }

  /** Whether the packet is about Ethernet and IPv4 addresses. */
  get isEthernetIpv4(): boolean {
    return (
      this.hardwareType === 1 &&
      this.protocolType === 0x0800 &&
      this.hardwareLength === 6 &&
      this.protocolLength === 4
    );
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface ArpHeader {
  hardwareType: number;
  protocolType: number;
  hardwareLength: number;
  protocolLength: number;
  op: number;
  sha: bigint;
  spa: number;
  tha: bigint;
  tpa: number;
}

/** The value of a checked view. */
export function parseArp(view: ArpView): ArpHeader {
  return {
    hardwareType: view.hardwareType,
    protocolType: view.protocolType,
    hardwareLength: view.hardwareLength,
    protocolLength: view.protocolLength,
    op: view.op,
    sha: view.sha,
    spa: view.spa,
    tha: view.tha,
    tpa: view.tpa,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 28 bytes there; returns the offset behind. */
export function emitArp(value: ArpHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, ARP_HEADER);
  const view = new ArpView(buf, offset, buf.length);
  view.hardwareType = value.hardwareType;
  view.protocolType = value.protocolType;
  view.hardwareLength = value.hardwareLength;
  view.protocolLength = value.protocolLength;
  view.op = value.op;
  view.sha = value.sha;
  view.spa = value.spa;
  view.tha = value.tha;
  view.tpa = value.tpa;
  return offset + ARP_HEADER;
}
