import { setU16, u16, View } from './bytes.js';

/** What TCP, UDP and SCTP headers begin with: 0 source port, 2 destination port. */
export abstract class PortsView extends View {
  /** Source port. */
  get srcPort(): number {
    return u16(this.buf, this.offset + 0);
  }
  set srcPort(value: number) {
    setU16(this.buf, this.offset + 0, value);
  }
  /** Destination port. */
  get dstPort(): number {
    return u16(this.buf, this.offset + 2);
  }
  set dstPort(value: number) {
    setU16(this.buf, this.offset + 2, value);
  }
}
