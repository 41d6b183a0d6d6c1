/**
 * Actions that change fields of the flow: set_field, load, move, the OpenFlow 1.0 set actions, VLAN tags, the stack.
 * What an action reads or writes is un-wildcarded; an action on a header that the packet lacks does nothing.
 */
import {
  exactMask,
  fieldByName,
  getField,
  maskFieldBits,
  isBehindIp,
  prereqMet,
  setField,
  setFieldMasked,
  wireMask,
} from '@ovs-node/flow/fields';
import { formatFieldValue } from '@ovs-node/flow/field-text';
import type { Field } from '@ovs-node/flow/field-types';
import { altHex } from '@ovs-node/flow/int-text';
import { KEY_WORDS, VLAN_CFI, W } from '@ovs-node/flow/layout';
import { ones } from '@ovs-node/openflow/actions/field-value';
import type { Action, Subfield } from '@ovs-node/openflow/actions/types';
import { setPresent } from '../tlv-table.js';
import type { XlateContext } from './context.js';
import {
  dlType,
  ETH_ARP,
  ETH_IP,
  ethType,
  fixVlanType,
  hasVlan,
  isIpAny,
  isLaterFragment,
  maskEthDst,
  maskEthSrc,
  popVlan,
  pushVlanRoom,
  setEthDst,
  setEthSrc,
} from './header.js';

type ActionOf<T extends Action['type']> = Extract<Action, { readonly type: T }>;

/** The field of that name; action codecs have checked it. */
export function field(name: string): Field {
  const f = fieldByName(name);
  if (!f) throw new Error(`no field ${name}`);
  return f;
}

/** A field at its place in the flow: tunnel options are where the bridge's table puts them. */
export function fieldOf(ctx: XlateContext, name: string): Field {
  return ctx.ofproto.tables.tlv.field(field(name));
}

/** Adds bits to the mask, which has room for those of tunnel options in a trace only. */
export function maskBits(ctx: XlateContext, f: Field, bits: bigint): void {
  if (f.option === undefined) {
    maskFieldBits(ctx.wc, f, bits);
  } else if (ctx.wc.length > KEY_WORDS && f.bits > 0) {
    maskFieldBits(ctx.wc, f, bits & exactMask(f));
    setPresent(ctx.wc, f.option, true);
  }
}

/** An option that is written to is there. */
function notePresent(ctx: XlateContext, f: Field): void {
  if (f.option !== undefined) setPresent(ctx.flow, f.option, true);
}

/** Takes a tunnel option out of the packet. */
export function deleteFieldAction(ctx: XlateContext, name: string): void {
  const f = fieldOf(ctx, name);
  ctx.report('detail', `delete ${f.name}`);
  // As in the peer, its bytes stay.
  if (f.option !== undefined) setPresent(ctx.flow, f.option, false);
}

/** Whether the packet has the field's header; what that took to know is un-wildcarded. */
export function prereqOk(ctx: XlateContext, f: Field): boolean {
  const { flow, wc } = ctx;
  if (f.prereq === 'vlan') wc[W.VLAN0]! |= VLAN_CFI;
  if (isBehindIp(f.prereq)) {
    if (isIpAny(flow)) wc[W.NW]! |= 0xff000000;
    if (f.prereq.startsWith('nd') && dlType(flow) === 0x86dd) wc[W.TP] = 0xffffffff;
  }
  return prereqMet(f.prereq, flow);
}

const IP_FIELDS = ['ip_src', 'ip_dst', 'ipv6_src', 'ipv6_dst', 'ipv6_label', 'nw_tos', 'nw_ecn', 'nw_ttl'];
const ARP_FIELDS = ['arp_op', 'arp_sha', 'arp_tha', 'arp_spa', 'arp_tpa'];

/**
 * A packet whose protocol number is 0 counts as one without a network header when sets are committed; so set_field of that
 * header has looked at the number. Other actions that write to it have not, as by the peer.
 */
function maskNetworkProto(ctx: XlateContext, f: Field): void {
  const fields = isIpAny(ctx.flow) ? IP_FIELDS : ethType(ctx.flow) === ETH_ARP ? ARP_FIELDS : [];
  if (fields.includes(f.name)) ctx.wc[W.NW]! |= 0xff000000;
}

function subfieldMask(sub: Subfield): bigint {
  return ones(sub.nBits) << BigInt(sub.ofs);
}

/** The bits of a subfield in the flow; they are un-wildcarded. */
export function readSubfield(ctx: XlateContext, sub: Subfield): bigint {
  const f = fieldOf(ctx, sub.field);
  maskBits(ctx, f, subfieldMask(sub));
  return (getField(ctx.flow, f) >> BigInt(sub.ofs)) & ones(sub.nBits);
}

/** Writes a subfield of the flow; its bits are un-wildcarded. */
export function writeSubfield(ctx: XlateContext, sub: Subfield, value: bigint): void {
  const f = fieldOf(ctx, sub.field);
  // An option may be shorter than the subfield.
  const mask = subfieldMask(sub) & exactMask(f);
  maskBits(ctx, f, mask);
  setFieldMasked(ctx.flow, f, value << BigInt(sub.ofs), mask);
  notePresent(ctx, f);
  fixVlanType(ctx.flow);
}

/** Writes a subfield of the flow with what no bit of the packet decided. */
export function setSubfield(ctx: XlateContext, sub: Subfield, value: bigint): void {
  const f = fieldOf(ctx, sub.field);
  setFieldMasked(ctx.flow, f, value << BigInt(sub.ofs), subfieldMask(sub) & exactMask(f));
  notePresent(ctx, f);
  fixVlanType(ctx.flow);
}

/** "NXM_NX_REG0[] is now 0x5" */
export function reportSubfield(ctx: XlateContext, sub: Subfield): void {
  if (ctx.trace === undefined) return;
  const f = fieldOf(ctx, sub.field);
  const value = (getField(ctx.flow, f) >> BigInt(sub.ofs)) & ones(sub.nBits);
  const whole = sub.ofs === 0 && sub.nBits >= f.bits;
  const text = whole ? formatFieldValue(f, value, wireMask(f)) : altHex(value);
  ctx.report('detail', `${subfieldText(sub)} is now ${text}`);
}

/** A subfield as actions write it: `NXM_NX_REG0[0..15]`. */
export function subfieldText(sub: Subfield): string {
  const f = field(sub.field);
  const name = f.nxm?.name ?? f.oxm[0]?.name ?? f.name;
  if (sub.ofs === 0 && sub.nBits === f.bits) return `${name}[]`;
  if (sub.nBits === 1) return `${name}[${sub.ofs}]`;
  return `${name}[${sub.ofs}..${sub.ofs + sub.nBits - 1}]`;
}

export function setFieldAction(ctx: XlateContext, action: ActionOf<'set_field'>): void {
  const f = fieldOf(ctx, action.field);
  if (!prereqOk(ctx, f)) {
    ctx.report('warn', `unmet prerequisites for ${f.name}, set_field ignored`);
    return;
  }
  const mask = action.mask & (f.valid ?? exactMask(f));
  maskBits(ctx, f, mask);
  maskNetworkProto(ctx, f);
  if (mask !== 0n && mask === (f.valid ?? exactMask(f))) setField(ctx.flow, f, action.value);
  else setFieldMasked(ctx.flow, f, action.value, mask);
  notePresent(ctx, f);
  fixVlanType(ctx.flow);
}

export function moveAction(ctx: XlateContext, action: ActionOf<'move'>): void {
  const dst = fieldOf(ctx, action.dst.field);
  const src = fieldOf(ctx, action.src.field);
  if (prereqOk(ctx, dst) && prereqOk(ctx, src)) {
    maskBits(ctx, dst, subfieldMask(action.dst));
    const value = readSubfield(ctx, action.src);
    writeSubfield(ctx, action.dst, value);
  }
  reportSubfield(ctx, action.dst);
}

export function pushAction(ctx: XlateContext, sub: Subfield): void {
  ctx.stack.push({ value: readSubfield(ctx, sub), bytes: Math.ceil(sub.nBits / 8) });
}

export function popAction(ctx: XlateContext, sub: Subfield): void {
  const item = ctx.stack.pop();
  if (item === undefined) {
    ctx.reportError('stack underflow');
    return;
  }
  writeSubfield(ctx, sub, item.value & ones(sub.nBits));
  reportSubfield(ctx, sub);
}

/** Sets bits of the outer tag's TCI; adds a tag when asked to. */
function setTci(ctx: XlateContext, bits: number, value: number, pushIfNeeded: boolean): void {
  const { flow, wc } = ctx;
  wc[W.VLAN0]! |= bits | VLAN_CFI;
  if (!hasVlan(flow) && !pushIfNeeded) return;
  let tag = flow[W.VLAN0]!;
  if (tag >>> 16 === 0) tag |= 0x81000000;
  flow[W.VLAN0] = (tag & ~bits) | value | VLAN_CFI;
}

/** The actions of OpenFlow 1.0 that set one header field each, and pushes and pops of VLAN tags. */
export function headerAction(
  ctx: XlateContext,
  action: ActionOf<
    | 'set_vlan_vid'
    | 'set_vlan_pcp'
    | 'strip_vlan'
    | 'push_vlan'
    | 'set_eth_src'
    | 'set_eth_dst'
    | 'set_ipv4_src'
    | 'set_ipv4_dst'
    | 'set_ip_dscp'
    | 'set_ip_ecn'
    | 'set_ip_ttl'
    | 'set_l4_src_port'
    | 'set_l4_dst_port'
  >,
): void {
  const { flow, wc } = ctx;
  switch (action.type) {
    case 'set_vlan_vid':
      return setTci(ctx, 0xfff, action.vid & 0xfff, action.pushIfNeeded);
    case 'set_vlan_pcp':
      return setTci(ctx, 0xe000, (action.pcp & 7) << 13, action.pushIfNeeded);
    case 'strip_vlan':
      return popVlan(flow, wc);
    case 'push_vlan':
      pushVlanRoom(flow, wc);
      flow[W.VLAN0] = (action.ethertype << 16) | VLAN_CFI;
      return;
    case 'set_eth_src':
      maskEthSrc(wc);
      return setEthSrc(flow, action.mac);
    case 'set_eth_dst':
      maskEthDst(wc);
      return setEthDst(flow, action.mac);
    case 'set_ipv4_src':
      if (ethType(flow) !== ETH_IP) return;
      wc[W.NW_SRC] = 0xffffffff;
      wc[W.NW]! |= 0xff000000;
      flow[W.NW_SRC] = action.ip;
      return;
    case 'set_ipv4_dst':
      if (ethType(flow) !== ETH_IP) return;
      wc[W.NW_DST] = 0xffffffff;
      wc[W.NW]! |= 0xff000000;
      flow[W.NW_DST] = action.ip;
      return;
    case 'set_ip_dscp':
      return setNw(ctx, 0xfc0000, action.dscp << 18);
    case 'set_ip_ecn':
      return setNw(ctx, 0x030000, action.ecn << 16);
    case 'set_ip_ttl':
      return setNw(ctx, 0xff00, action.ttl << 8);
    case 'set_l4_src_port':
    case 'set_l4_dst_port': {
      if (!isIpAny(flow) || isLaterFragment(flow)) return;
      const src = action.type === 'set_l4_src_port';
      wc[W.NW]! |= 0xff000000;
      wc[W.TP]! |= src ? 0xffff0000 : 0xffff;
      flow[W.TP] = src
        ? (flow[W.TP]! & 0xffff) | (action.port << 16)
        : (flow[W.TP]! & 0xffff0000) | action.port;
    }
  }
}

function setNw(ctx: XlateContext, bits: number, value: number): void {
  if (!isIpAny(ctx.flow)) return;
  ctx.wc[W.NW]! |= bits | 0xff000000;
  ctx.flow[W.NW] = (ctx.flow[W.NW]! & ~bits) | (value & bits);
}
