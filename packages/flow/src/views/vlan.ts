import { fits, needRoom, setU16, u16, View } from './bytes.js';

/**
 * VLAN tag (IEEE 802.1Q) after an Ethernet type of 0x8100 or 0x88a8, which is not part of this view. Carries
 * what Ethernet carries, another tag among it.
 *
 *     0 PCP:3 DEI:1 VID:12   2 type (2)
 */

/** Bytes of the header without options. */
export const VLAN_HEADER = 4;

/** An IEEE 802.1Q tag: what follows the TPID. */
export class VlanView extends View {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): VlanView | undefined {
    if (!fits(buf, offset, end, VLAN_HEADER)) return undefined;
    return new VlanView(buf, offset, end);
  }

  /** Priority, 3 bits. */
  get pcp(): number {
    return (this.buf[this.offset + 0]! >>> 5) & 0x7;
  }
  set pcp(value: number) {
    this.buf[this.offset + 0] = (this.buf[this.offset + 0]! & ~0xe0) | ((value & 0x7) << 5);
  }
  /** Drop eligible; called CFI in older texts. */
  get dei(): number {
    return (this.buf[this.offset + 0]! >>> 4) & 0x1;
  }
  set dei(value: number) {
    this.buf[this.offset + 0] = (this.buf[this.offset + 0]! & ~0x10) | ((value & 0x1) << 4);
  }
  /** VLAN id, 12 bits. */
  get vid(): number {
    return u16(this.buf, this.offset + 0) & 0xfff;
  }
  set vid(value: number) {
    setU16(this.buf, this.offset + 0, (u16(this.buf, this.offset + 0) & ~0xfff) | (value & 0xfff));
  }
  /** EtherType of what follows. */
  get type(): number {
    return u16(this.buf, this.offset + 2);
  }
  set type(value: number) {
    setU16(this.buf, this.offset + 2, value);
  }

  /** First byte after the tag. */
  get payload(): number {
    return this.offset + 4;
  }
}

/** The header as a plain value; lengths and checksums are what the packet says. */
export interface VlanHeader {
  pcp: number;
  dei: number;
  vid: number;
  type: number;
}

/** The value of a checked view. */
export function parseVlan(view: VlanView): VlanHeader {
  return {
    pcp: view.pcp,
    dei: view.dei,
    vid: view.vid,
    type: view.type,
  };
}

/** Writes `value` at `offset` of `buf`, which has room for 4 bytes there; returns the offset behind. */
export function emitVlan(value: VlanHeader, buf: Uint8Array, offset: number): number {
  needRoom(buf, offset, VLAN_HEADER);
  const view = new VlanView(buf, offset, buf.length);
  view.pcp = value.pcp;
  view.dei = value.dei;
  view.vid = value.vid;
  view.type = value.type;
  return offset + VLAN_HEADER;
}
