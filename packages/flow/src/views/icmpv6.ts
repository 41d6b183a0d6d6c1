import { fits } from './bytes.js';
import { ICMP_COMMON_HEADER, IcmpCommonView } from './icmp-common.js';

/**
 * ICMPv6 (RFC 4443) on IPv6. Carries echo data, the start of the packet that an error is about, or neighbour
 * discovery (RFC 4861), for which see `nd.ts`.
 */

/** An ICMPv6 header. */
export class Icmpv6View extends IcmpCommonView {
  /** The view of `buf[offset, end)`, or undefined when it holds no whole header. */
  static check(buf: Uint8Array, offset: number, end: number): Icmpv6View | undefined {
    if (!fits(buf, offset, end, ICMP_COMMON_HEADER)) return undefined;
    return new Icmpv6View(buf, offset, end);
  }
}

export {
  ICMP_COMMON_HEADER as ICMPV6_HEADER,
  type IcmpCommonHeader as Icmpv6Header,
  parseIcmpCommon as parseIcmpv6,
  emitIcmpCommon as emitIcmpv6,
} from './icmp-common.js';
