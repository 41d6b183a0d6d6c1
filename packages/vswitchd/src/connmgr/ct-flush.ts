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

function tupleOf(t: CtFlushTuple, ipProto: number): Tuple | undefined {
  const [src, dst] = [address(t.src), address(t.dst)];
  const isIcmp = ipProto === ICMP || ipProto === ICMPV6;
  const ports: Partial<Tuple> = isIcmp
    ? t.srcPort === 0 && t.icmpType === 0 && t.icmpCode === 0
      ? {}
      : { icmpId: t.srcPort, icmpType: t.icmpType, icmpCode: t.icmpCode }
    : {
        ...(t.srcPort === 0 ? {} : { sport: t.srcPort }),
        ...(t.dstPort === 0 ? {} : { dport: t.dstPort }),
      };
  const tuple = { ...(src ? { src } : {}), ...(dst ? { dst } : {}), ...ports };
  return Object.keys(tuple).length === 0 ? undefined : tuple;
}

/** The connections that a request selects. */
export function ctFilter(flush: CtFlush): CtFilter {
  const { ipProto, zone } = flush;
  const protocol = ipProto === 0 ? {} : { proto: ipProto };
  const [orig, reply] = [tupleOf(flush.orig, ipProto), tupleOf(flush.reply, ipProto)];
  return {
    ...(zone === undefined ? {} : { zone }),
    // A protocol alone is as much as nothing, as with the peer.
    ...(orig ? { orig: { ...protocol, ...orig } } : {}),
    ...(reply ? { reply: { ...protocol, ...reply } } : {}),
  };
}
