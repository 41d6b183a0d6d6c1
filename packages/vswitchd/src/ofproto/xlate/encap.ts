/**
 * encap, decap and dec_nsh_ttl: actions that change the type of the packet (ovs-actions(7)). The flow changes at once; the
 * datapath's action follows at the next commit (commit-encap.ts).
 */
import { W, MAX_LABELS } from '@ovs-node/flow/layout';
import { PACKET_TYPE } from '@ovs-node/openflow/actions/packet-type';
import type { ActionOf, EncapProperty } from '@ovs-node/openflow/actions/types';
import { PR } from '@ovs-node/openflow/messages/types';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';
import { controllerAction } from './controller.js';
import {
  clearHeaders,
  countLabels,
  ETH_NSH,
  ETH_TEB,
  ethType,
  forgetInner,
  hasVlan,
  popLabel,
  pushLabel,
  setEthType,
} from './header.js';
import { tooManyLabels } from './mpls.js';

/** Packet types by the number that NSH has for what it carries (RFC 8300, section 2.2). */
const NSH_NEXT: ReadonlyMap<number, number> = new Map([
  [1, 0x10800],
  [2, 0x186dd],
  [3, PACKET_TYPE.ETHERNET],
  [4, PACKET_TYPE.NSH],
]);
const NSH_NUMBERS: ReadonlyMap<number, number> = new Map([...NSH_NEXT].map(([np, type]) => [type, np]));
const NSH_TTL = 63;
/** Service path 0, index 255. */
const NSH_PATH = 255;
/** Bytes of variable metadata that a header holds at most. */
const NSH_MAX_CONTEXT = 248;

const typeText = (type: number): string => `(${type >>> 16},0x${(type & 0xffff).toString(16)})`;

export function encapAction(ctx: XlateContext, action: ActionOf<'encap'>): void {
  commit(ctx);
  switch (action.packetType) {
    case PACKET_TYPE.ETHERNET:
      encapEthernet(ctx);
      break;
    case PACKET_TYPE.NSH:
      encapNsh(ctx, action.properties);
      break;
    default:
      encapMpls(ctx, action.packetType);
  }
  if (ctx.error === undefined) ctx.pendingEncap = true;
}

/** The packet cannot be that: it is dropped. */
function refuse(ctx: XlateContext, text: string): void {
  ctx.report('action', text);
  ctx.error = 'packetType';
}

function encapEthernet(ctx: XlateContext): void {
  const { flow, wc } = ctx;
  wc[W.PACKET_TYPE] = 0xffffffff;
  const type = flow[W.PACKET_TYPE]!;
  if (type >>> 16 !== 1)
    return refuse(ctx, 'Dropping packet as encap(ethernet) is not supported for packet type ethernet.');
  flow.fill(0, W.ETH, W.ETH + 3);
  setEthType(flow, type & 0xffff);
  flow[W.PACKET_TYPE] = PACKET_TYPE.ETHERNET;
}

function encapNsh(ctx: XlateContext, properties: readonly EncapProperty[]): void {
  const { flow, wc } = ctx;
  const type = flow[W.PACKET_TYPE]!;
  const np = NSH_NUMBERS.get(type);
  if (np === undefined)
    return refuse(ctx, `Dropping packet as encap(nsh) is not supported for packet type ${typeText(type)}`);
  wc[W.PACKET_TYPE] = 0xffffffff;
  let mdType = 1;
  const tlvs: number[] = [];
  for (const each of properties) {
    if ('mdType' in each) mdType = each.mdType;
    else putTlv(tlvs, each.tlv);
  }
  clearHeaders(flow);
  flow[W.PACKET_TYPE] = PACKET_TYPE.NSH;
  flow[W.ETH_TYPE] = ETH_NSH << 16;
  flow[W.NSH] = (NSH_TTL << 16) | (mdType << 8) | np;
  flow[W.NSH + 1] = NSH_PATH;
  if (mdType === 2 && tlvs.length <= NSH_MAX_CONTEXT) ctx.encapData = Uint8Array.from(tlvs);
}

function putTlv(
  to: number[],
  tlv: { readonly cls: number; readonly type: number; readonly data: Uint8Array },
) {
  const { cls, type, data } = tlv;
  to.push(cls >> 8, cls & 0xff, type, data.length, ...data);
  while (to.length % 4 !== 0) to.push(0);
}

function encapMpls(ctx: XlateContext, packetType: number): void {
  const { flow } = ctx;
  const n = countLabels(flow, ctx.wc);
  if (n >= MAX_LABELS) return tooManyLabels(ctx, 'encap');
  // Labels below an Ethernet header do not count above it. How many there were does, as in the peer.
  if (flow[W.PACKET_TYPE] === PACKET_TYPE.ETHERNET)
    for (const words of [ctx.wc, flow, ctx.base]) words.fill(0, W.MPLS, W.MPLS + MAX_LABELS);
  flow[W.PACKET_TYPE] = packetType;
  pushLabel(flow, n, packetType & 0xffff, ctx.wc, false);
  if (n === 0) forgetInner(flow);
}

/** @returns whether the packet must go through the datapath again, for its inner headers to be read. */
export function decapAction(ctx: XlateContext, newType: number): boolean {
  commit(ctx);
  const { flow, wc } = ctx;
  const type = flow[W.PACKET_TYPE]!;
  switch (type) {
    case PACKET_TYPE.ETHERNET:
      if (hasVlan(flow)) {
        refuse(ctx, 'Dropping packet, cannot decap Ethernet if VLAN is present.');
        return false;
      }
      flow[W.PACKET_TYPE] = 0x10000 | ethType(flow);
      flow.fill(0, W.ETH, W.ETH + 3);
      wc[W.ETH_TYPE]! |= 0xffff0000;
      return false;
    case PACKET_TYPE.MPLS:
    case PACKET_TYPE.MPLS_MC: {
      flow[W.PACKET_TYPE] = newType;
      const n = countLabels(flow, wc);
      if (popLabel(flow, n, newType === PACKET_TYPE.ETHERNET ? ETH_TEB : newType & 0xffff, wc))
        ctx.pendingDecap = true;
      else if (n >= MAX_LABELS) tooManyLabels(ctx, 'decap');
      return n === 1;
    }
    case PACKET_TYPE.NSH: {
      const np = flow[W.NSH]! & 0xff;
      const next = NSH_NEXT.get(np);
      if (next === undefined) {
        refuse(ctx, `Dropping packet as NSH next protocol ${np} is not supported`);
        return false;
      }
      flow[W.PACKET_TYPE] = next;
      wc[W.NSH]! |= 0xff;
      ctx.pendingDecap = true;
      return true;
    }
    default:
      refuse(ctx, `Dropping packet as the decap() does not support packet type ${typeText(type)}`);
      return false;
  }
}

/** @returns true when there is no TTL to decrement or it ran out, which ends the rule. */
export function decNshTtl(ctx: XlateContext): boolean {
  const { flow } = ctx;
  if (flow[W.PACKET_TYPE] === PACKET_TYPE.NSH || ethType(flow) === ETH_NSH) {
    ctx.wc[W.NSH]! |= 0x00ff0000;
    if (((flow[W.NSH]! >>> 16) & 0xff) > 1) {
      flow[W.NSH]! -= 0x10000;
      return false;
    }
    controllerAction(ctx, 0xffff, PR.INVALID_TTL, 0);
  }
  ctx.report('warn', 'NSH decrement TTL exception');
  return true;
}
