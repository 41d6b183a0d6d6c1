/**
 * Emits the datapath actions that make the packet in the datapath (`base`) what the OpenFlow actions have made of it
 * (`flow`): set, masked set, push and pop VLAN.
 *
 * A header is one row: its netlink attribute and its fields, each a run of bits of the key. A field that did not
 * change is left out by a zero mask; when every field of the header changes in full, a plain `set` is used. The mask
 * of a changed field is what the translation has un-wildcarded of it, which contains all bits that were written.
 */
import { W } from '@ovs-node/flow/layout';
import { Act } from '@ovs-node/netlink/action-attrs';
import { KEY_ATTRS } from '@ovs-node/netlink/key-attrs';
import { Slow } from '../user-cookie.js';
import { commitEncapDecap, commitNsh } from './commit-encap.js';
import { commitMpls } from './commit-mpls.js';
import type { XlateContext } from './context.js';
import {
  countVlans,
  ETH_ARP,
  ETH_IP,
  ETH_IPV6,
  ETH_RARP,
  ethType,
  IP_ICMP,
  IP_ICMPV6,
  IP_SCTP,
  IP_TCP,
  IP_UDP,
  ipProto,
  isIpAny,
  isMpls,
  popVlan,
  pushVlanRoom,
} from './header.js';

/** One field: where its bytes are in the attribute, where its first bit is in the key, and its bits. */
interface HeaderField {
  readonly at: number;
  readonly bytes: number;
  readonly bit: number;
  readonly bits: number;
  /** Part of the attribute, but not to be written. */
  readonly fixed?: boolean;
}

interface Header {
  readonly attr: number;
  readonly length: number;
  readonly fields: readonly HeaderField[];
  /** Attribute integers in host order (u32 attributes). */
  readonly hostOrder?: boolean;
}

const field = (at: number, bytes: number, word: number, bit = 0, bits = bytes * 8): HeaderField => ({
  at,
  bytes,
  bit: word * 32 + bit,
  bits,
});
const fixed = (at: number, word: number, bit: number, bits: number): HeaderField => ({
  ...field(at, 1, word, bit, bits),
  fixed: true,
});

const ETHERNET: Header = {
  attr: KEY_ATTRS.ETHERNET.code,
  length: 12,
  fields: [field(0, 6, W.ETH, 48), field(6, 6, W.ETH, 0)],
};
const IPV4: Header = {
  attr: KEY_ATTRS.IPV4.code,
  length: 12,
  fields: [
    field(0, 4, W.NW_SRC),
    field(4, 4, W.NW_DST),
    fixed(8, W.NW, 0, 8),
    field(9, 1, W.NW, 8),
    field(10, 1, W.NW, 16),
    fixed(11, W.NW, 24, 8),
  ],
};
const IPV6: Header = {
  attr: KEY_ATTRS.IPV6.code,
  length: 40,
  fields: [
    field(0, 16, W.IPV6_SRC),
    field(16, 16, W.IPV6_DST),
    field(32, 4, W.IPV6_LABEL),
    fixed(36, W.NW, 0, 8),
    field(37, 1, W.NW, 8),
    field(38, 1, W.NW, 16),
    fixed(39, W.NW, 24, 8),
  ],
};
const ARP: Header = {
  attr: KEY_ATTRS.ARP.code,
  length: 24,
  fields: [
    field(0, 4, W.NW_SRC),
    field(4, 4, W.NW_DST),
    field(8, 2, W.NW, 0, 8),
    field(10, 6, W.ARP_HW, 0),
    field(16, 6, W.ARP_HW, 48),
  ],
};
const ARP_OP = 8;
const ND: Header = {
  attr: KEY_ATTRS.ND.code,
  length: 28,
  fields: [field(0, 16, W.ND_TARGET), field(16, 6, W.ARP_HW, 0), field(22, 6, W.ARP_HW, 48)],
};
const PORTS = [field(0, 2, W.TP, 0), field(2, 2, W.TP, 16)];
const TCP: Header = { attr: KEY_ATTRS.TCP.code, length: 4, fields: PORTS };
const UDP: Header = { attr: KEY_ATTRS.UDP.code, length: 4, fields: PORTS };
const SCTP: Header = { attr: KEY_ATTRS.SCTP.code, length: 4, fields: PORTS };
const ICMP_FIELDS = [field(0, 1, W.TP, 0, 16), field(1, 1, W.TP, 16, 16)];
const ICMP: Header = { attr: KEY_ATTRS.ICMP.code, length: 2, fields: ICMP_FIELDS };
const ICMPV6: Header = { attr: KEY_ATTRS.ICMPV6.code, length: 2, fields: ICMP_FIELDS };
const PRIORITY: Header = {
  attr: KEY_ATTRS.PRIORITY.code,
  length: 4,
  fields: [field(0, 4, W.SKB_PRIORITY)],
  hostOrder: true,
};
const MARK: Header = {
  attr: KEY_ATTRS.SKB_MARK.code,
  length: 4,
  fields: [field(0, 4, W.PKT_MARK)],
  hostOrder: true,
};

/** Brings the packet in the datapath up to date. */
export function commit(ctx: XlateContext): void {
  const { flow, base } = ctx;
  commitEncapDecap(ctx);
  if (flow[W.PACKET_TYPE] === 0) commitHeader(ctx, ETHERNET);
  // Headers above a label stack cannot be set before the stack is gone.
  const losesLabels = isMpls(ethType(base)) && !isMpls(ethType(flow));
  if (losesLabels) commitMpls(ctx, false);
  commitNetwork(ctx);
  commitTransport(ctx);
  commitIcmp(ctx);
  if (!losesLabels) commitMpls(ctx, false);
  commitVlan(ctx);
  if (flow[W.SKB_PRIORITY] !== base[W.SKB_PRIORITY]) commitHeader(ctx, PRIORITY);
  if (flow[W.PKT_MARK] !== base[W.PKT_MARK]) commitHeader(ctx, MARK);
}

function commitNetwork(ctx: XlateContext): void {
  commitNsh(ctx);
  if (ipProto(ctx.flow) === 0) return;
  switch (ethType(ctx.base)) {
    case ETH_IP:
      commitHeader(ctx, IPV4);
      return;
    case ETH_IPV6:
      commitHeader(ctx, IPV6);
      if (ipProto(ctx.base) === IP_ICMPV6) commitHeader(ctx, ND);
      return;
    case ETH_ARP:
    case ETH_RARP:
      if (commitHeader(ctx, ARP)) ctx.slow |= Slow.ACTION;
      return;
  }
}

function commitTransport(ctx: XlateContext): void {
  if (!isIpAny(ctx.flow)) return;
  switch (ipProto(ctx.flow)) {
    case IP_TCP:
      commitHeader(ctx, TCP);
      return;
    case IP_UDP:
      commitHeader(ctx, UDP);
      return;
    case IP_SCTP:
      commitHeader(ctx, SCTP);
  }
}

function commitIcmp(ctx: XlateContext): void {
  const type = ethType(ctx.flow);
  const proto = ipProto(ctx.flow);
  if (type === ETH_IP && proto === IP_ICMP) {
    if (commitHeader(ctx, ICMP, true)) ctx.slow |= Slow.ACTION;
  } else if (type === ETH_IPV6 && proto === IP_ICMPV6) {
    if (commitHeader(ctx, ICMPV6, true)) ctx.slow |= Slow.ACTION;
  }
}

/** Pops the tags of `base` that differ, pushes those of `flow`. Tags that are the same from the inside stay. */
function commitVlan(ctx: XlateContext): void {
  const { flow, base, out } = ctx;
  let baseTags = countVlans(base);
  let flowTags = countVlans(flow);
  while (baseTags > 0 && flowTags > 0 && base[W.VLAN0 + baseTags - 1] === flow[W.VLAN0 + flowTags - 1]) {
    baseTags--;
    flowTags--;
  }
  for (; baseTags > 0; baseTags--) {
    ctx.wc[W.VLAN0 + baseTags - 1] = 0xffffffff;
    popVlan(base, undefined);
    out.putFlag(Act.POP_VLAN);
  }
  for (; flowTags > 0; flowTags--) {
    const tag = flow[W.VLAN0 + flowTags - 1]!;
    pushVlanRoom(base, undefined);
    base[W.VLAN0] = tag;
    out.header(Act.PUSH_VLAN, 4);
    out.buf[out.length - 4] = tag >>> 24;
    out.buf[out.length - 3] = tag >>> 16;
    out.buf[out.length - 2] = tag >>> 8;
    out.buf[out.length - 1] = tag;
  }
}

const valueBytes = new Uint8Array(40);
const maskBytes = new Uint8Array(40);

/**
 * Emits the set action of one header when a field of it changed.
 * @param whole always set the whole header, which then is un-wildcarded.
 */
function commitHeader(ctx: XlateContext, header: Header, whole = false): boolean {
  const { flow, base, wc, out } = ctx;
  let differs = false;
  for (const f of header.fields) {
    if (!f.fixed && !equalBits(flow, base, f.bit, f.bits)) {
      differs = true;
      break;
    }
  }
  if (!differs) return false;
  let exact = true;
  if (whole) for (const f of header.fields) setBits(wc, f.bit, f.bits);
  for (const f of header.fields) {
    readBytes(flow, f, valueBytes);
    if (whole) {
      copyBits(base, flow, f.bit, f.bits);
      continue;
    }
    if (f.fixed || equalBits(flow, base, f.bit, f.bits)) {
      maskBytes.fill(0, f.at, f.at + f.bytes);
      exact = false;
    } else {
      readBytes(wc, f, maskBytes);
      if (header === ARP) wholeArpOp(maskBytes);
      for (let i = 0; i < f.bytes; i++) if (maskBytes[f.at + i] !== 0xff) exact = false;
      copyBits(base, flow, f.bit, f.bits);
    }
  }
  const n = header.length;
  if (header === ARP) {
    wholeArpOp(valueBytes);
    valueBytes[22] = valueBytes[23] = maskBytes[22] = maskBytes[23] = 0;
  }
  if (header.hostOrder) {
    valueBytes.subarray(0, n).reverse();
    maskBytes.subarray(0, n).reverse();
  }
  const nest = out.startNested(exact ? Act.SET : Act.SET_MASKED);
  const at = out.header(header.attr, exact ? n : 2 * n);
  for (let i = 0; i < n; i++) {
    out.buf[at + i] = exact ? valueBytes[i]! : valueBytes[i]! & maskBytes[i]!;
    if (!exact) out.buf[at + n + i] = maskBytes[i]!;
  }
  out.endNested(nest);
  return true;
}

/** The key has 8 bits of the operation. All ones are as many as there are, in the value too, as by the peer. */
function wholeArpOp(arp: Uint8Array): void {
  if (arp[ARP_OP + 1] === 0xff) arp[ARP_OP] = 0xff;
}

function equalBits(a: Uint32Array, b: Uint32Array, bit: number, bits: number): boolean {
  for (let i = bit; i < bit + bits; i += 8) {
    const w = i >>> 5;
    const n = Math.min(8, bit + bits - i);
    if (((((a[w]! ^ b[w]!) << (i & 31)) >>> 24) & (0xff00 >>> n) & 0xff) !== 0) return false;
  }
  return true;
}

function copyBits(to: Uint32Array, from: Uint32Array, bit: number, bits: number): void {
  for (let i = bit; i < bit + bits; i += 8) {
    const w = i >>> 5;
    const n = Math.min(8, bit + bits - i);
    const mask = ((0xff00 >>> n) & 0xff) << (24 - (i & 31));
    to[w] = (to[w]! & ~mask) | (from[w]! & mask);
  }
}

function setBits(key: Uint32Array, bit: number, bits: number): void {
  for (let i = bit; i < bit + bits; i++) key[i >>> 5]! |= 0x80000000 >>> (i & 31);
}

/** The field's bits, right-aligned in its bytes of the attribute. */
function readBytes(key: Uint32Array, f: HeaderField, to: Uint8Array): void {
  if (f.bits === f.bytes * 8) {
    for (let i = 0; i < f.bytes; i++) {
      const bit = f.bit + i * 8;
      to[f.at + i] = key[bit >>> 5]! >>> (24 - (bit & 31));
    }
    return;
  }
  // A field narrower or wider than its bytes: at most 16 bits within one word.
  const value = (key[f.bit >>> 5]! >>> (32 - (f.bit & 31) - f.bits)) & ((1 << f.bits) - 1);
  for (let i = 0; i < f.bytes; i++) to[f.at + i] = value >>> (8 * (f.bytes - 1 - i));
}
