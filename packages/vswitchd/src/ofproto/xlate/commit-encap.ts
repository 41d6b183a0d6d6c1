/** Emits the datapath actions of encap and decap, and of changes to a network service header (RFC 8300). */
import { W } from '@ovs-node/flow/layout';
import { setU32 } from '@ovs-node/flow/views/bytes';
import { Act } from '@ovs-node/netlink/action-attrs';
import type { NlWriter } from '@ovs-node/netlink/attr';
import { KEY_ATTRS, NSH_KEY_ATTRS } from '@ovs-node/netlink/key-attrs';
import { PACKET_TYPE } from '@ovs-node/openflow/actions/packet-type';
import type { XlateContext } from './context.js';
import { copyHeaders, ETH_NSH, ethType } from './header.js';
import { commitMpls } from './commit-mpls.js';

const NSH_BASE_WORDS = 2;
const NSH_MD1_WORDS = 4;
/** Type of metadata and of what follows cannot be set. */
const NSH_SETTABLE = 0xffff0000;

/** Puts the headers on, or takes those off, that the packet in the datapath does not have, or has, yet. */
export function commitEncapDecap(ctx: XlateContext): void {
  const { flow, base } = ctx;
  const type = flow[W.PACKET_TYPE]!;
  const baseType = base[W.PACKET_TYPE]!;
  if (ctx.pendingEncap) pushHeader(ctx, type);
  else if (ctx.pendingDecap || type !== baseType) {
    if (type >>> 16 === 1 && baseType === PACKET_TYPE.ETHERNET) {
      ctx.out.putFlag(Act.POP_ETH);
      base[W.PACKET_TYPE] = type;
      base.fill(0, W.ETH, W.ETH + 3);
    } else if (baseType === PACKET_TYPE.NSH) ctx.out.putFlag(Act.POP_NSH);
    else commitMpls(ctx, false);
  }
  ctx.wc[W.PACKET_TYPE] = 0xffffffff;
  ctx.pendingEncap = ctx.pendingDecap = false;
  ctx.encapData = undefined;
}

function pushHeader(ctx: XlateContext, type: number): void {
  const { flow, base, out } = ctx;
  switch (type) {
    case PACKET_TYPE.ETHERNET: {
      const at = out.header(Act.PUSH_ETH, 12);
      putEthAddresses(out, at, flow);
      base.set(flow.subarray(W.ETH, W.ETH + 3), W.ETH);
      break;
    }
    case PACKET_TYPE.NSH: {
      const nest = out.startNested(Act.PUSH_NSH);
      putWords(out, out.header(NSH_KEY_ATTRS.BASE.code, 8), flow, W.NSH, NSH_BASE_WORDS);
      if (hasFixedMetadata(flow))
        putWords(out, out.header(NSH_KEY_ATTRS.MD1.code, 16), flow, W.NSH + NSH_BASE_WORDS, NSH_MD1_WORDS);
      else if (ctx.encapData !== undefined) out.putBytes(NSH_KEY_ATTRS.MD2.code, ctx.encapData);
      out.endNested(nest);
      copyHeaders(base, flow);
      break;
    }
    default:
      commitMpls(ctx, true);
      return;
  }
  base[W.PACKET_TYPE] = type;
}

/** Sets what changed of the network service header; always with a mask, as part of it cannot be set. */
export function commitNsh(ctx: XlateContext): void {
  const { flow, base, wc, out } = ctx;
  if (ethType(flow) !== ETH_NSH) return;
  const words = NSH_BASE_WORDS + (hasFixedMetadata(flow) ? NSH_MD1_WORDS : 0);
  let differs = false;
  for (let w = W.NSH; w < W.NSH + words; w++) differs ||= flow[w] !== base[w];
  if (!differs) return;
  const mask = wc.slice(W.NSH, W.TUN_ID);
  mask[0]! &= NSH_SETTABLE;
  const value = mask.map((bits, i) => flow[W.NSH + i]! & bits);
  const set = out.startNested(Act.SET_MASKED);
  const nsh = out.startNested(KEY_ATTRS.NSH.code);
  const put = (attr: number, from: number, words: number): void => {
    const at = out.header(attr, 8 * words);
    putWords(out, at, value, from, words);
    putWords(out, at + 4 * words, mask, from, words);
  };
  put(NSH_KEY_ATTRS.BASE.code, 0, NSH_BASE_WORDS);
  if (hasFixedMetadata(flow)) put(NSH_KEY_ATTRS.MD1.code, NSH_BASE_WORDS, NSH_MD1_WORDS);
  out.endNested(nsh);
  out.endNested(set);
  base.set(flow.subarray(W.NSH, W.TUN_ID), W.NSH);
}

function hasFixedMetadata(flow: Uint32Array): boolean {
  return ((flow[W.NSH]! >>> 8) & 0xff) === 1;
}

/** Source, then destination. */
function putEthAddresses(out: NlWriter, at: number, flow: Uint32Array): void {
  for (let i = 0; i < 12; i++) {
    const from = (i + 6) % 12;
    out.buf[at + i] = flow[W.ETH + (from >> 2)]! >>> (24 - 8 * (from & 3));
  }
}

function putWords(out: NlWriter, at: number, words: Uint32Array, from: number, n: number): void {
  for (let i = 0; i < n; i++) setU32(out.buf, at + 4 * i, words[from + i]!);
}
