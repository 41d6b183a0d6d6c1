/**
 * Output actions: ports of the bridge, the reserved ports of OpenFlow, and the way through patch ports into another
 * bridge.
 */
import { ETH_TYPE_NONE, type FlowKey, KEY_WORDS, W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import { portFromOf10 } from '@ovs-node/flow/fields';
import { Act } from '@ovs-node/netlink/action-attrs';
import type { FrozenAction } from '@ovs-node/openflow/messages/continuation';
import { PACKET_TYPE } from '@ovs-node/openflow/actions/packet-type';
import { PC, PR } from '@ovs-node/openflow/messages/types';
import type { OfPort } from '../ports.js';
import { executeActionSet } from './action-set.js';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';
import { controllerAction } from './controller.js';
import { finishFreeze } from './freeze.js';
import { clearConntrack, ethType, maskEthDst } from './header.js';
import { normalAction } from './normal.js';
import { tableAction } from './tables.js';

/** Sends to an OpenFlow port, reserved or not (ovs-actions(7), "output"). */
export function outputAction(
  ctx: XlateContext,
  of10Port: number,
  maxLen: number,
  mayPacketIn: boolean,
  isLast: boolean,
): void {
  const port = portFromOf10(of10Port);
  const inPort = ctx.flow[W.IN_PORT]!;
  switch (port) {
    case OFPP.IN_PORT:
      outputToPort(ctx, inPort, isLast);
      return;
    case OFPP.TABLE:
      tableAction(ctx, inPort, 0, mayPacketIn, false, false);
      return;
    case OFPP.NORMAL:
      normalAction(ctx, outputToPort);
      return;
    case OFPP.FLOOD:
      flood(ctx, false);
      return;
    case OFPP.ALL:
      flood(ctx, true);
      return;
    case OFPP.CONTROLLER:
      controllerAction(ctx, maxLen, reasonOf(ctx), 0);
      return;
    case OFPP.ANY:
      return;
    default:
      if (port === inPort) ctx.reportOddity('skipping output to input port');
      else outputToPort(ctx, port, isLast);
  }
}

/** Whatever a packet-out goes through, it is what sends the packet to controllers. */
function reasonOf({ inBucket, inActionSet, input }: XlateContext): number {
  if (input.isPacketOut === true) return PR.PACKET_OUT;
  if (inBucket) return PR.GROUP;
  return inActionSet ? PR.ACTION_SET : PR.ACTION;
}

/** Sends to every port but the one that the packet came in on; without `all` only to those that may be flooded. */
function flood(ctx: XlateContext, all: boolean): void {
  const inPort = ctx.flow[W.IN_PORT]!;
  for (const port of ctx.ofproto.portsInFloodOrder()) {
    if (port.ofport === inPort) continue;
    if (!all && (port.phy.config & PC.NO_FLOOD) !== 0) continue;
    outputToPort(ctx, port.ofport, false);
  }
}

/** Sends to one port of the bridge. */
export function outputToPort(ctx: XlateContext, ofport: number, isLast: boolean, maxLen = 0): void {
  const port = ctx.ofproto.port(ofport);
  if (!port) {
    ctx.report('warn', 'Nonexistent output port');
    return;
  }
  // As in the peer: a port that then lets nothing out leaves it to the next one.
  if (maxLen !== 0) ctx.out.putU32(Act.TRUNC, maxLen);
  if ((port.phy.config & PC.NO_FWD) !== 0) {
    ctx.report('detail', 'OFPPC_NO_FWD set, skipping output');
    return;
  }
  if (isProtectedFlow(ctx, port)) {
    ctx.report('warn', 'Flow is between protected ports, skipping output.');
    return;
  }
  if (port.isPatch) {
    const peer = ctx.ofproto.patchPeer(port);
    if (peer) patchOutput(ctx, port, peer.port, peer.ofproto, isLast);
    return;
  }
  if (ctx.flow[W.PACKET_TYPE] !== PACKET_TYPE.ETHERNET) {
    ctx.report('warn', 'Trying to send non-Ethernet packet through legacy L2 port. Dropping packet.');
    return;
  }
  if (!port.hasDpPort) {
    ctx.report('warn', `port ${port.ofport} is not in the datapath, skipping output`);
    return;
  }
  commit(ctx);
  ctx.out.putU32(Act.OUTPUT, port.dpPort);
}

function isProtectedFlow(ctx: XlateContext, out: OfPort): boolean {
  if (!out.bundle?.spec.isProtected) return false;
  const from = ctx.ofproto.port(ctx.flow[W.IN_PORT]!);
  return from?.bundle?.spec.isProtected === true;
}

/** Continues in the bridge at the other end of a patch port, and comes back as if nothing had happened there. */
function patchOutput(
  ctx: XlateContext,
  from: OfPort,
  to: OfPort,
  toBridge: XlateContext['ofproto'],
  isLast: boolean,
): void {
  const { flow } = ctx;
  const savedFlow = ctx.saveFlow();
  const saved = {
    ofproto: ctx.ofproto,
    stack: ctx.stack,
    actionSet: ctx.actionSet,
    conntracked: ctx.conntracked,
    wasMpls: ctx.wasMpls,
    trace: ctx.trace,
  };
  const tunnelMask = ctx.wc.slice(W.TUN_ID, W.METADATA);
  // Tunnel options, which are behind the key when there are any, are of the tunnel too.
  const optionMask = ctx.wc.slice(KEY_WORDS);
  ctx.stack = [];
  ctx.actionSet = [];
  flow[W.IN_PORT] = to.ofport;
  flow.fill(0, W.METADATA, W.ACTSET_OUTPUT);
  flow.fill(0, W.TUN_ID, W.METADATA);
  ctx.wc.fill(0, W.TUN_ID, W.METADATA);
  flow.fill(0, KEY_WORDS);
  ctx.wc.fill(0, KEY_WORDS);
  flow[W.ACTSET_OUTPUT] = OFPP.UNSET;
  ctx.conntracked = false;
  clearConntrack(flow);
  ctx.trace = ctx.report('bridge', `bridge("${toBridge.name}")`);
  ctx.ofproto = toBridge;

  if (mayReceive(ctx, to)) {
    tableAction(ctx, to.ofport, 0, true, false, isLast, cloneActions);
    executeActionSet(ctx);
    finishFreeze(ctx);
  }

  ctx.restoreFlow(savedFlow);
  ctx.ofproto = saved.ofproto;
  ctx.stack = saved.stack;
  ctx.actionSet = saved.actionSet;
  ctx.conntracked = saved.conntracked;
  ctx.wasMpls = saved.wasMpls;
  ctx.trace = saved.trace;
  ctx.wc.set(tunnelMask, W.TUN_ID);
  ctx.wc.set(optionMask, KEY_WORDS);
  // What the other bridge does, an error included, ends there.
  ctx.exit = false;
  ctx.error = undefined;
  const { effects, cache } = ctx.input;
  if (effects) {
    from.txPackets += effects.packets;
    from.txBytes += effects.bytes;
    to.rxPackets += effects.packets;
    to.rxBytes += effects.bytes;
  }
  cache?.push({ type: 'patch', from, to });
}

/** Whether the port's configuration lets the packet in. */
export function mayReceive({ flow, wc }: XlateContext, port: OfPort): boolean {
  const closed = port.phy.config & (PC.NO_RECV | PC.NO_RECV_STP);
  if (closed === 0) return true;
  if (closed === (PC.NO_RECV | PC.NO_RECV_STP)) return false;
  maskEthDst(wc);
  return closed !== (isStp(flow) ? PC.NO_RECV_STP : PC.NO_RECV);
}

/** Whether a packet is one of the spanning tree protocol: to its address, and of no Ethernet type. */
function isStp(flow: FlowKey): boolean {
  const isToBridges = flow[W.ETH] === 0x0180c200 && flow[W.ETH + 1]! >>> 16 === 0;
  return isToBridges && ethType(flow) === ETH_TYPE_NONE;
}

/**
 * Translates actions whose effects on the packet end with them. Where later actions could not undo what they do to
 * the packet in the datapath, they become a datapath `clone`. As in the peer, what is frozen within it ends the list
 * around it as well.
 */
export function cloneActions(ctx: XlateContext, actions: readonly FrozenAction[], isLast: boolean): void {
  const savedFlow = ctx.saveFlow();
  const savedStack = ctx.stack;
  const savedSet = ctx.actionSet;
  const { inBucket } = ctx;
  ctx.inBucket = false;
  ctx.stack = savedStack.slice();
  ctx.actionSet = savedSet.slice();
  if (isLast || reversible(actions)) {
    ctx.doActions(ctx, actions, isLast);
    executeActionSet(ctx);
    finishFreeze(ctx);
  } else {
    commit(ctx);
    const base = Uint32Array.from(ctx.base);
    const { conntracked, wasMpls } = ctx;
    const mark = ctx.out.startNested(Act.CLONE);
    ctx.doActions(ctx, actions, true);
    executeActionSet(ctx);
    finishFreeze(ctx);
    if (ctx.out.length === mark + 4) ctx.out.truncate(mark);
    else ctx.out.endNested(mark);
    ctx.conntracked = conntracked;
    ctx.wasMpls = wasMpls;
    ctx.base.set(base);
  }
  ctx.stack = savedStack;
  ctx.actionSet = savedSet;
  ctx.inBucket = inBucket;
  ctx.restoreFlow(savedFlow);
}

/** Actions whose changes to the packet in the datapath cannot simply be set back. */
const IRREVERSIBLE: ReadonlySet<FrozenAction['type']> = new Set<FrozenAction['type']>([
  'ct',
  'decap',
  'dec_nsh_ttl',
  'encap',
  'meter',
  'nat',
  'output_trunc',
]);

function reversible(actions: readonly FrozenAction[]): boolean {
  return actions.every((action) =>
    action.type === 'clone' ? reversible(action.actions) : !IRREVERSIBLE.has(action.type),
  );
}
