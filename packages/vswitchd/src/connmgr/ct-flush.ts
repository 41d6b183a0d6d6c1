/** Which connections NXT_CT_FLUSH is about: what it leaves zero does not matter. */
import { isIp4 } from '@ovs-node/openflow/messages/extension';
import { bigToBytes } from '@ovs-node/openflow/wire';
import type { CtFlush, CtFlushTuple } from '@ovs-node/openflow/messages/types';
import type { CtFilter } from '../dpif/provider.js';

type Tuple = NonNullable<CtFilter['orig']>;

const ICMP = 1;
const ICMPV6 = 58;

function address(value: bigint): Uint8Array | undefined {
  return value === 0n ? undefined : bigToBytes(value, isIp4(value) ? 4 : 16);
}

/** A tuple as it is said: what is zero is for who compares it. */
function tupleOf(t: CtFlushTuple, proto: number): Tuple {
  const [src, dst] = [address(t.src), address(t.dst)];
  const addresses = { ...(src ? { src } : {}), ...(dst ? { dst } : {}) };
  return proto === ICMP || proto === ICMPV6
    ? { proto, ...addresses, icmpId: t.srcPort, icmpType: t.icmpType, icmpCode: t.icmpCode }
    : { proto, ...addresses, sport: t.srcPort, dport: t.dstPort };
}

const saysNothing = (t: CtFlushTuple): boolean =>
  t.src === 0n && t.dst === 0n && t.srcPort === 0 && t.dstPort === 0 && t.icmpType === 0 && t.icmpCode === 0;

/** The connections that a request selects. */
export function ctFilter({ ipProto, zone, orig, reply }: CtFlush): CtFilter {
  const inZone = zone === undefined ? {} : { zone };
  if (ipProto === 0 && saysNothing(orig) && saysNothing(reply)) return inZone;
  return { ...inZone, orig: tupleOf(orig, ipProto), reply: tupleOf(reply, ipProto) };
}
