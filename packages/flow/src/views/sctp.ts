import { fits, needRoom, setU32, u32 } from './bytes.js';
import { PortsView } from './ports.js';

/**
 * SCTP (RFC 9260) on IPv4 or IPv6. Carries chunks.
 *
 *     0 source port  2 destination port  4 verification tag  8 CRC32c
 */

/** Bytes of the header without options. */
export const SCTP_HEADER = 12;

/** An SCTP common header. */
export class SctpView extends PortsView {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): SctpView | undefined {
    if (!fits(buf, offset, end, SCTP_HEADER)) return undefined;
    return new SctpView(buf, offset, end);
  }

  /** Verification tag. */
  get verificationTag(): number {
    return u32(this.buf, this.offset + 4);
  }
  set verificationTag(value: number) {
    setU32(this.buf, this.offset + 4, value);
  }
  /** CRC32c over the whole packet. */
  get checksum(): number {
    return u32(this.buf, this.offset + 8);
  }
  set checksum(value: number) {
    setU32(this.buf, this.offset + 8, value);
  }

  /** First chunk. */
  get payload(): number {
    return this.offset + 12;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface SctpHeader {
  srcPort: number;
  dstPort: number;
  verificationTag: number;
  checksum: number;
}

/** The value of a checked view. */
export function parseSctp(view: SctpView): SctpHeader {
  return {
    srcPort: view.srcPort,
    dstPort: view.dstPort,
    verificationTag: view.verificationTag,
    checksum: view.checksum,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 12 bytes there; returns the offset behind. */
export function emitSctp(value: SctpHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, SCTP_HEADER);
  const view = new SctpView(buf, offset, buf.length);
  view.srcPort = value.srcPort;
  view.dstPort = value.dstPort;
  view.verificationTag = value.verificationTag;
  view.checksum = value.checksum;
  return offset + SCTP_HEADER;
}
