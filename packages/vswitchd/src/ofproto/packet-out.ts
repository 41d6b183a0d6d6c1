/**
 * Packets that controllers send (OFPT_PACKET_OUT), in three steps, so that a bundle can take them back:
 *
 *     packetProblem  what is wrong with one whatever the tables hold: it is not even taken into a bundle
 *     startPacketOut translates it through the tables as they are, and adds the flows that it teaches
 *     finishPacketOut counts it, learns where its station is, and gives it to the datapath
 *
 * Only the last step is seen from outside (and the flows of the second one, which a transaction undoes). So a packet whose
 * translation fails, or whose flow is refused, has left no trace. The limit of a learn action is for packets that came in:
 * what a controller sends teaches all the same, as with the peer.
 */
import { extractPacket, newOffsets } from '@ovs-node/flow/extract';
import { mustField, portFromOf10 } from '@ovs-node/flow/fields';
import { maskOfPacket } from '@ovs-node/flow/flow-text';
import { type FlowKey, KEY_WORDS, newKey, W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { OFPP } from '@ovs-node/flow/ports';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { Action } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';
import { NO_BUFFER, type PacketOut } from '@ovs-node/openflow/messages/types';
import { admitActions, type Named } from './check-actions.js';
import { credit } from './credit.js';
import type { Ofproto } from './ofproto.js';
import { ODPP_NONE } from './types.js';
import { type CacheEntry, type Traffic, XLATE_ERRORS } from './xlate/context.js';
import { translate } from './xlate/xlate.js';

const log = vlog('ofproto_dpif');
const rateLimit = new RateLimit(5, 5);

const LONGEST_OPTION = mustField('tun_metadata0').bits;
/** Tunnel options may stand for nothing, as with the peer: nothing is read there or written. Groups may come yet. */
const WHATEVER: Named = { hasGroup: () => true, dpMeter: () => 0, tunnelOptionBits: () => LONGEST_OPTION };
/** The table of what is in none. */
const NO_TABLE = 255;
/** The reserved ports that a controller's packet may come from. */
const SENDERS: ReadonlySet<number> = new Set([OFPP.LOCAL, OFPP.ANY, OFPP.CONTROLLER]);

/** A packet that is on its way, as far as it can be called back. */
export interface StartedPacket {
  readonly packet: Uint8Array;
  readonly traffic: Traffic;
  /** The datapath's key and actions. */
  readonly key: FlowKey;
  readonly actions: Uint8Array;
  /** What it is counted in, and where its station is learned. */
  readonly cache: readonly CacheEntry[];
}

/**
 * What is wrong with a packet-out, whatever groups and flows there are.
 * @param protocols PROTO bits of the connection that it came over; any when it did not come over one.
 */
export function packetProblem(ofproto: Ofproto, po: PacketOut, protocols?: number): OfError | undefined {
  const admitted = admitPacket(ofproto, po, protocols, WHATEVER);
  return admitted instanceof OfError ? admitted : undefined;
}

function admitPacket(
  ofproto: Ofproto,
  { bufferId, match, packet, actions }: PacketOut,
  protocols: number | undefined,
  named: Named,
): OfError | { readonly flow: FlowKey; readonly actions: readonly Action[] } {
  if (bufferId !== NO_BUFFER) return new OfError('OFPBRC_BUFFER_UNKNOWN', `buffer ${bufferId}`);
  const inPort = portFromOf10(match.key[W.IN_PORT]!);
  if (inPort >= OFPP.MAX && !SENDERS.has(inPort)) return new OfError('OFPBRC_BAD_PORT', `in_port ${inPort}`);
  const flow = flowOfPacket(ofproto, packet, match, inPort);
  const admitted = admitActions(actions, exactMatch(flow), NO_TABLE, named, protocols);
  return admitted.error ?? { flow, actions: admitted.actions };
}

/** What of the switch a packet's actions may name now. */
function namedNow({ groups, meters }: Ofproto): Named {
  return { ...WHATEVER, hasGroup: (id) => groups.get(id) !== undefined, dpMeter: (id) => meters.dpId(id) };
}

/** What is wrong with actions for a packet of that flow. */
export function packetOutProblem(
  ofproto: Ofproto,
  flow: FlowKey,
  actions: readonly Action[],
  protocols: number,
): OfError | undefined {
  return admitActions(actions, exactMatch(flow), NO_TABLE, namedNow(ofproto), protocols).error;
}

/** Translates a packet-out and teaches what it teaches. @returns the error to answer with; then to be undone. */
export function startPacketOut(
  ofproto: Ofproto,
  po: PacketOut,
  now: number,
  protocols?: number,
): OfError | StartedPacket {
  const { packet } = po;
  const { backer } = ofproto;
  const admitted = admitPacket(ofproto, po, protocols, namedNow(ofproto));
  if (admitted instanceof OfError) return admitted;
  const { flow, actions } = admitted;
  ofproto.tables.publish();
  const cache: CacheEntry[] = [];
  const result = translate({
    ofproto,
    flow,
    effects: undefined,
    cache,
    trace: undefined,
    actions,
    isPacketOut: true,
    now,
    hasPacket: true,
  });
  // The datapath may bring the packet back under these numbers; they are let go when it surely has.
  backer.releaseLater(result.recircIds);
  if (result.error) {
    const why = XLATE_ERRORS[result.error];
    log.warnRl(rateLimit, `bridge ${ofproto.name}: packet-out dropped: ${why}`);
    // There is no better name, in OpenFlow 1.0 none at all.
    return new OfError('OFPFMFC_UNKNOWN', `packet-out: ${why}`);
  }
  const rest: CacheEntry[] = [];
  for (const each of cache) {
    if (each.type !== 'learn-flow') rest.push(each);
    else {
      const refused = each.ofproto.tables.learn(each.flowMod, now);
      if (refused) return refused;
    }
  }
  const key = flow.slice(0, KEY_WORDS);
  // The datapath takes a packet that comes from no port for one of the switch itself, as the peer has it.
  const inPort = flow[W.IN_PORT] === OFPP.ANY ? OFPP.LOCAL : flow[W.IN_PORT]!;
  key[W.IN_PORT] = ofproto.port(inPort)?.dpPort ?? ODPP_NONE;
  const traffic = { packets: 1, bytes: packet.length, used: now, tcpFlags: flow[W.ETH_TYPE]! & 0xfff };
  return { packet, traffic, key, actions: result.actions, cache: rest };
}

/** Counts a packet-out and sends it. */
export function finishPacketOut(ofproto: Ofproto, started: StartedPacket, now: number): void {
  const { cache, traffic, packet, key, actions } = started;
  credit(cache, traffic, now);
  ofproto.backer.executeActions(packet, key, actions);
}

/** The OpenFlow key of a packet with the metadata that a controller gives it, options of a tunnel behind it. */
export function flowOfPacket(
  { tables }: Ofproto,
  packet: Uint8Array,
  metadata: Match,
  inPort: number,
): FlowKey {
  const flow = newKey();
  for (let w = W.TUN_ID; w < flow.length; w++) flow[w] = metadata.key[w]!;
  flow[W.PACKET_TYPE] = metadata.key[W.PACKET_TYPE]!;
  extractPacket(packet, flow, newOffsets());
  flow[W.IN_PORT] = inPort;
  return tables.tlv.withOptions(flow, metadata);
}

/** The match of exactly one packet, for checking its actions. */
function exactMatch(flow: FlowKey): Match {
  return new Match(flow.slice(0, KEY_WORDS), maskOfPacket(flow));
}
