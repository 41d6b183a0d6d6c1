/**
 * Continuations of this switch: what of a frozen translation goes to the controller that it waits for, and how a packet
 * that comes back (NXT_RESUME) goes on.
 */
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { portFromOf10 } from '@ovs-node/flow/fields';
import { KEY_WORDS, W } from '@ovs-node/flow/layout';
import { OfError } from '@ovs-node/openflow/errors';
import type { Action } from '@ovs-node/openflow/actions/types';
import type { Continuation } from '@ovs-node/openflow/messages/continuation';
import type { PacketIn } from '@ovs-node/openflow/messages/types';
import type { Ofproto } from './ofproto.js';
import { flowOfPacket } from './packet-out.js';
import { freezeMetadata, type FrozenState, range } from './recirc.js';
import { actionSetOutput } from './xlate/action-set.js';
import { XLATE_ERRORS } from './xlate/context.js';
import { translate } from './xlate/xlate.js';

const log = vlog('ofproto_dpif');
const rateLimit = new RateLimit(5, 5);

/** What a controller gives back, for a packet that came in on a datapath port. */
export function continuationOf(ofproto: Ofproto, state: FrozenState, odpPort: number): Continuation {
  const { stack, conntracked, actions = [], actionSet } = state;
  return { bridge: ofproto.uuid, stack, mirrors: 0, conntracked, actions, actionSet, odpPort };
}

/** A list that does nothing, where an empty one would mean a look-up. */
const NOTHING: readonly Action[] = [{ type: 'note', data: new Uint8Array(0) }];

/** Goes on with a packet where it was paused. @returns the error to answer with. */
export function resume(
  ofproto: Ofproto,
  { packet, match }: PacketIn,
  { bridge, stack, conntracked, actions, actionSet, odpPort }: Continuation,
  now: number,
): OfError | undefined {
  const owner = ofproto.backer.byUuid(bridge);
  if (owner === undefined) return new OfError('NXR_STALE', 'the bridge of the continuation is gone');
  const inPort = portFromOf10(match.key[W.IN_PORT]!);
  const flow = flowOfPacket(ofproto, packet, match, inPort);
  for (const w of METADATA_WORDS) flow[w] = match.key[w]!;
  const resumed: FrozenState = {
    tableId: 0,
    bridge: owner.name,
    conntracked,
    inPort,
    metadata: freezeMetadata(flow),
    stack,
    actionSet,
    actsetOutput: actionSetOutput(actionSet),
    actions: actions.length > 0 ? actions : NOTHING,
  };
  const result = translate({
    ofproto,
    flow,
    // It counts as it goes, also when it does not get to the end.
    effects: { packets: 1, bytes: packet.length, used: now, tcpFlags: flow[W.ETH_TYPE]! & 0xfff },
    cache: undefined,
    trace: undefined,
    resumed,
    now,
    hasPacket: true,
  });
  const { backer } = ofproto;
  // The datapath may bring the packet back under these numbers; they are let go when it surely has.
  backer.releaseLater(result.recircIds);
  if (result.error === 'bridge') return new OfError('NXR_STALE', 'the bridge of the continuation is gone');
  if (result.error) {
    log.warnRl(rateLimit, `bridge ${ofproto.name}: resumed packet dropped: ${XLATE_ERRORS[result.error]}`);
    return undefined;
  }
  const key = flow.slice(0, KEY_WORDS);
  key[W.IN_PORT] = odpPort;
  backer.executeActions(packet, key, result.actions);
  return undefined;
}

/** What a packet does not say of itself: what connection tracking knows of it, and the mark. */
const METADATA_WORDS: readonly number[] = [
  ...range(W.CT_STATE, W.CT_LABEL + 4),
  ...range(W.CT_NW_SRC, W.CT_IPV6_DST + 4),
  W.PKT_MARK,
];
