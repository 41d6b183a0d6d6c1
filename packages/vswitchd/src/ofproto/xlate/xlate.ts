/**
 * Translation: from a packet's OpenFlow flow to datapath actions and the mask of what they depend on.
 */
import {
  CT_STATE_BITS,
  type FlowKey,
  FRAG_ANY,
  FRAG_LATER,
  KEY_WORDS,
  VLAN_CFI,
  W,
} from '@ovs-node/flow/layout';
import { Act } from '@ovs-node/netlink/action-attrs';
import { NLA_HDRLEN, NlReader } from '@ovs-node/netlink/attr';
import { hasTunnel } from '@ovs-node/netlink/key';
import { TunFlag } from '@ovs-node/netlink/key-nests';
import type { Action } from '@ovs-node/openflow/actions/types';
import { thawMetadata } from '../recirc.js';
import { CookieType, Slow } from '../user-cookie.js';
import { executeActionSet } from './action-set.js';
import { doActions } from './actions.js';
import { MAX_ACTION_BYTES, XlateContext, type XlateInput, type XlateResult } from './context.js';
import { putUserspace } from './controller.js';
import { finishFreeze } from './freeze.js';
import {
  clearConntrack,
  dlType,
  ethType,
  IP_ECN,
  IP_ICMP,
  IP_ICMPV6,
  ipProto,
  isIpAny,
  isMarkedInTunnel,
  isMpls,
  isVlanType,
} from './header.js';
import { mayReceive } from './output.js';
import { lookupRule, reportTable } from './tables.js';

const NO_ACTIONS = new Uint8Array(0);
/** Of the word of tunnel flags, type of service and TTL. */
const TUN_TOS = 0xff00;

/** Translates one flow. Does not change `input`; see `XlateInput` for what it does beyond its result. */
export function translate(input: XlateInput): XlateResult {
  const { recirc } = input.ofproto.backer;
  const ctx = new XlateContext(input, recirc, doActions);
  startWildcards(ctx);
  const trace = ctx.trace;
  ctx.trace = ctx.report('bridge', `bridge("${ctx.ofproto.name}")`);
  if (thaw(ctx)) {
    run(ctx);
    executeActionSetOf(ctx);
    finishFreeze(ctx);
  }
  ctx.trace = trace;
  for (const { ofproto, lesson } of ctx.learned) {
    const error = lesson.end?.();
    if (error) ofproto.learnFailed(error);
  }
  let actions = withoutLastClone(ctx.out.view());
  if (ctx.error !== undefined) actions = NO_ACTIONS;
  else if (actions.length > MAX_ACTION_BYTES) ctx.slow |= Slow.ACTION;
  // The mask of a failed translation is shown as it is, as in the peer.
  if (ctx.error === undefined || input.trace === undefined) finishWildcards(ctx);
  ctx.wc[W.CT_STATE]! &= CT_STATE_BITS;
  return {
    error: ctx.error,
    actions,
    wc: ctx.wc,
    slow: ctx.slow,
    taught: ctx.learned.length > 0,
    isUnique: ctx.isUnique,
    recircIds: ctx.recircIds,
    finalFlow: input.trace && Uint32Array.from(ctx.flow),
    ofproto: ctx.ofproto,
  };
}

/** A copy of the actions; what a clone at the very end does need not be a clone's. */
function withoutLastClone(actions: Uint8Array): Uint8Array {
  const reader = new NlReader(actions);
  let last = 0;
  while (reader.next()) last = reader.offset - NLA_HDRLEN;
  if (actions.length === 0 || reader.type !== Act.CLONE) return actions.slice();
  const inner = reader.bytes();
  const flat = new Uint8Array(last + inner.length);
  flat.set(actions.subarray(0, last));
  flat.set(inner, last);
  // What is last in there is last of all.
  return withoutLastClone(flat);
}

/** The actions of a megaflow whose packets must come to vswitchd. Appends to nothing; owned by the caller. */
export function slowPathActions(input: XlateInput, slow: number): Uint8Array {
  const ctx = new XlateContext(input, input.ofproto.backer.recirc, doActions);
  putUserspace(ctx, {
    type: CookieType.SLOW_PATH,
    ofproto: input.ofproto.uuid,
    inPort: input.flow[W.IN_PORT]! & 0xffff,
    reason: slow,
  });
  return ctx.out.bytes();
}

/** Continues where a recirculated packet was frozen. @returns false when that cannot be. */
function thaw(ctx: XlateContext): boolean {
  const { flow } = ctx;
  const id = flow[W.RECIRC_ID]!;
  const { resumed } = ctx.input;
  if (id === 0 && !resumed) return true;
  const state = resumed ?? ctx.recirc.lookup(id);
  if (!state) {
    ctx.fail('recirc', `Recirculation context not found for ID ${id.toString(16)}`);
    return false;
  }
  const trace = ctx.trace;
  ctx.trace = ctx.report('thaw', 'thaw');
  if (ctx.input.actions !== undefined) {
    ctx.fail('conflict', 'Recirculation conflict (actions)!');
    return false;
  }
  const ofproto = ctx.ofproto.backer.ofproto(state.bridge);
  if (!ofproto) {
    ctx.fail('bridge', 'Frozen bridge no longer exists.');
    return false;
  }
  ctx.ofproto = ofproto;
  ctx.tableId = state.tableId;
  ctx.report('thaw', `Resuming from table ${state.tableId}`);
  ctx.conntracked = state.conntracked;
  if (!state.conntracked) clearConntrack(flow);
  thawMetadata(state, flow);
  ctx.base[W.IN_PORT] = flow[W.IN_PORT]!;
  ctx.stack = state.stack.slice();
  ctx.actionSet = state.actionSet.slice();
  flow[W.ACTSET_OUTPUT] = state.actsetOutput;
  ctx.thawed = state.actions;
  ctx.trace = trace;
  return true;
}

function run(ctx: XlateContext): void {
  const { input, flow } = ctx;
  const inPort = ctx.ofproto.port(flow[W.IN_PORT]!);
  const actions = input.actions ?? ctx.thawed ?? firstActions(ctx);
  if (!takesCongestion(flow)) return;
  if (inPort && !mayReceive(ctx, inPort)) return;
  ctx.doActions(ctx, actions, true);
}

/** Marks what came marked out of a tunnel; false when its ends do not look at such marks, and it is to be dropped. */
function takesCongestion(flow: FlowKey): boolean {
  if (!isMarkedInTunnel(flow)) return true;
  if ((flow[W.NW]! & IP_ECN) === 0) return false;
  flow[W.NW]! |= IP_ECN;
  return true;
}

/** The actions that the first table has for the packet. */
function firstActions(ctx: XlateContext): readonly Action[] {
  const rule = lookupRule(ctx, ctx.tableId, ctx.flow[W.IN_PORT]!, true);
  ctx.rule = rule;
  ctx.ruleCookie = rule.cookie;
  reportTable(ctx, rule, ctx.tableId);
  return rule.actions;
}

function executeActionSetOf(ctx: XlateContext): void {
  if (ctx.error === undefined) executeActionSet(ctx);
}

/** Fields that every megaflow matches. */
function startWildcards({ flow, wc }: XlateContext): void {
  wc[W.PACKET_TYPE] = 0xffffffff;
  wc[W.IN_PORT] = 0xffffffff;
  wc[W.RECIRC_ID] = 0xffffffff;
  wc[W.ETH_TYPE] = 0xffff0000;
  if (isIpAny(flow)) wc[W.NW]! |= FRAG_ANY | FRAG_LATER;
  if (hasTunnel(flow)) tunnelWildcards(flow, wc);
  if (isMarkedInTunnel(flow)) wc[W.NW]! |= IP_ECN;
}

/** Which tunnel a packet came out of, and how it was marked there, is never left open. */
function tunnelWildcards(flow: FlowKey, wc: FlowKey): void {
  wc.fill(0xffffffff, W.TUN_ID, W.TUN_SRC);
  if (flow[W.TUN_DST] !== 0) wc.fill(0xffffffff, W.TUN_SRC, W.TUN_IPV6_SRC);
  else wc.fill(0xffffffff, W.TUN_IPV6_SRC, W.TUN_FLAGS);
  wc[W.TUN_FLAGS]! |= ((TunFlag.DF | TunFlag.CSUM | TunFlag.KEY) << 16) | TUN_TOS;
}

function isIcmp(type: number, proto: number): boolean {
  return (type === 0x0800 && proto === IP_ICMP) || (type === 0x86dd && proto === IP_ICMPV6);
}

/** Takes out of the mask what is not the packet's, or not in it. */
function finishWildcards(ctx: XlateContext): void {
  const { wc } = ctx;
  const packet: FlowKey = ctx.input.flow;
  wc.fill(0, W.METADATA, KEY_WORDS);
  if (!hasTunnel(packet)) wc.fill(0, W.TUN_ID, W.METADATA);
  if (packet[W.PACKET_TYPE] !== 0) wc.fill(0, W.ETH, W.ETH + 3);
  // Of ICMP and fragments it is asked of the packet as the actions have left it, as by the peer.
  const { flow } = ctx;
  if (isIcmp(dlType(flow), ipProto(flow))) wc[W.TP]! &= 0x00ff00ff;
  for (const w of [W.VLAN0, W.VLAN1]) if ((wc[w]! & 0xffff) !== 0) wc[w]! |= VLAN_CFI;
  if ((flow[W.NW]! & FRAG_LATER) !== 0) wc[W.TP] = 0;
  if (!isMpls(ethType(packet))) wc.fill(0, W.MPLS, W.MPLS + 3);
  for (const w of [W.VLAN0, W.VLAN1]) if (!isVlanType(packet[w]! >>> 16)) wc[w] = 0;
}
