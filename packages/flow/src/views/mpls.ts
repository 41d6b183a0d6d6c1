import { fits, needRoom, setU32, u32, View } from './bytes.js';

/**
 * MPLS label stack entry (RFC 3032) on Ethernet of type 0x8847 or 0x8848. Carries another entry, or below the
 * last one a packet whose kind only the label's owner knows.
 *
 *     0 label:20 TC:3 S:1 TTL:8
 */

/** Bytes of the header without options. */
export const MPLS_HEADER = 4;

/** One entry of an MPLS label stack. */
export class MplsView extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): MplsView | undefined {
    if (!fits(buf, offset, end, MPLS_HEADER)) return undefined;
    return new MplsView(buf, offset, end);
  }

  /** Label, 20 bits. */
  get label(): number {
    return (u32(this.buf, this.offset + 0) >>> 12) & 0xfffff;
  }
  set label(value: number) {
    setU32(
      this.buf,
      this.offset + 0,
      (u32(this.buf, this.offset + 0) & ~0xfffff000) | ((value & 0xfffff) << 12),
    );
  }
  /** Traffic class. */
  get tc(): number {
    return (this.buf[this.offset + 2]! >>> 1) & 0x7;
  }
  set tc(value: number) {
    this.buf[this.offset + 2] = (this.buf[this.offset + 2]! & ~0xe) | ((value & 0x7) << 1);
  }
  /** 1 at the bottom of the stack. */
  get bos(): number {
    return this.buf[this.offset + 2]! & 0x1;
  }
  set bos(value: number) {
    this.buf[this.offset + 2] = (this.buf[this.offset + 2]! & ~0x1) | (value & 0x1);
  }
  /** Time to live. */
  get ttl(): number {
    return this.buf[this.offset + 3]!;
  }
  set ttl(value: number) {
    this.buf[this.offset + 3] = value;
  }

  /** The next entry, or the payload after the last. */
  get payload(): number {
    return this.offset + 4;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface MplsHeader {
  label: number;
  tc: number;
  bos: number;
  ttl: number;
}

/** The value of a checked view. */
export function parseMpls(view: MplsView): MplsHeader {
  return {
    label: view.label,
    tc: view.tc,
    bos: view.bos,
    ttl: view.ttl,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 4 bytes there; returns the offset behind. */
export function emitMpls(value: MplsHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, MPLS_HEADER);
  const view = new MplsView(buf, offset, buf.length);
  view.label = value.label;
  view.tc = value.tc;
  view.bos = value.bos;
  view.ttl = value.ttl;
  return offset + MPLS_HEADER;
}
