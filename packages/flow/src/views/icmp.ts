import { fits } from './bytes.js';
import { ICMP_COMMON_HEADER, IcmpCommonView } from './icmp-common.js';

/** ICMP (RFC 792) on IPv4. Carries echo data, or the start of the packet that an error is about. */

/** An ICMP header. */
export class IcmpView extends IcmpCommonView {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): IcmpView | undefined {
    if (!fits(buf, offset, end, ICMP_COMMON_HEADER)) return undefined;
    return new IcmpView(buf, offset, end);
  }

  /** Whether `payload` is the start of another packet. */
  get isError(): boolean {
    const type = this.type;
    return type === 3 || type === 4 || type === 5 || type === 11 || type === 12;
  }
}

export {
  ICMP_COMMON_HEADER as ICMP_HEADER,
  type IcmpCommonHeader as IcmpHeader,
  parseIcmpCommon as parseIcmp,
  emitIcmpCommon as emitIcmp,
} from './icmp-common.js';
