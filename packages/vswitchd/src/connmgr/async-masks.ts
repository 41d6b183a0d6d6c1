/**
 * Which asynchronous messages a connection gets (OpenFlow 1.3, section 6.1.1 and 7.3.10; `PR` and the reasons of port
 * status and flow-removed are bit numbers). Masks are kept in the reasons that the switch itself distinguishes; what a
 * controller says in the coarser reasons of its version covers all those that would reach it under such a reason.
 */
import { type AsyncConfig, type AsyncMasks, PR } from '@ovs-node/openflow/messages/types';
import type { FlowRemovedReason } from '@ovs-node/openflow/messages/types';

const NONE: AsyncMasks = { packetIn: 0, portStatus: 0, flowRemoved: 0 };
/** A controller that the database denies asynchronous messages. */
export const ASYNC_NONE: AsyncConfig = { primary: NONE, secondary: NONE };

const bit = (n: number): number => 1 << n;
const PORT_REASONS = bit(0) | bit(1) | bit(2);
const OF14_PACKET_IN = 0x3f;

/** What a connection gets that did not ask for anything else. */
export function defaultAsync(version: number): AsyncConfig {
  let packetIn = (OF14_PACKET_IN & ~bit(PR.INVALID_TTL)) | bit(PR.EXPLICIT_MISS);
  if (version <= 3) packetIn |= bit(PR.IMPLICIT_MISS);
  // Reasons of flow-removed: group deletion since OpenFlow 1.3 (though 1.1 has it), meter deletion and eviction since 1.4.
  const flowRemoved = version >= 5 ? 0x3f : version === 4 ? 0xf : 7;
  return {
    primary: { packetIn, portStatus: PORT_REASONS, flowRemoved },
    secondary: { packetIn: 0, portStatus: PORT_REASONS, flowRemoved: 0 },
  };
}

/** Whether no flow matched a packet-in's packet, or the one that is for those did (a table-miss flow). */
export function isMiss(reason: number): boolean {
  return reason === PR.NO_MATCH || reason >= PR.EXPLICIT_MISS;
}

/**
 * The reason under which a version's mask asks for packet-ins. Misses that a flow sends are misses there, also before
 * OpenFlow 1.3, where such a packet-in says that an action was the reason.
 */
function maskReason(reason: number, version: number): number {
  if (isMiss(reason)) return PR.NO_MATCH;
  return version < 5 && reason > PR.INVALID_TTL ? PR.ACTION : reason;
}

/** What a controller asked for, in the switch's own reasons. */
export function asyncFromWire(config: AsyncConfig, version: number): AsyncConfig {
  const widen = (masks: AsyncMasks): AsyncMasks => {
    if (masks.packetIn === undefined) return masks;
    let packetIn = 0;
    for (let reason = 0; reason <= PR.IMPLICIT_MISS; reason++) {
      // A miss without a table-miss flow drops the packet since OpenFlow 1.3.
      if (reason === PR.IMPLICIT_MISS && version >= 4) continue;
      if ((masks.packetIn & bit(maskReason(reason, version))) !== 0) packetIn |= bit(reason);
    }
    return { ...masks, packetIn };
  };
  return { primary: widen(config.primary), secondary: widen(config.secondary) };
}

/** The masks as a version's OFPT_GET_ASYNC_REPLY says them. */
export function asyncToWire(config: AsyncConfig, version: number): AsyncConfig {
  const known = version >= 5 ? OF14_PACKET_IN : 7;
  const narrow = (masks: AsyncMasks): AsyncMasks => ({
    // OpenFlow 1.4 has masks for more kinds of messages, and they are all said.
    ...(version >= 5 ? { roleStatus: 0, tableStatus: 0, requestForward: 0 } : {}),
    ...masks,
    packetIn: (masks.packetIn ?? 0) & known,
  });
  return { primary: narrow(config.primary), secondary: narrow(config.secondary) };
}

export const PORT_STATUS_REASON = { add: 0, delete: 1, modify: 2 } as const;

export const TABLE_STATUS_REASON = { vacancy_down: 3, vacancy_up: 4 } as const;

const FLOW_REMOVED_REASON: Readonly<Record<FlowRemovedReason, number>> = {
  idle: 0,
  hard: 1,
  delete: 2,
  group_delete: 3,
  meter_delete: 4,
  eviction: 5,
  unknown: 2,
};

export function flowRemovedReason(reason: FlowRemovedReason): number {
  return FLOW_REMOVED_REASON[reason];
}
