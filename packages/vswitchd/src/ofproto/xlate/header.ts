/**
 * Headers in a flow key as translation sees them: which are there, and VLAN tags.
 * A function with `wc` un-wildcards what it looked at.
 */
import { CT, FRAG_LATER, MAX_LABELS, MPLS_BOS, VLAN_CFI, W } from '@ovs-node/flow/layout';
import { hasTunnel } from '@ovs-node/netlink/key';

export const ETH_IP = 0x0800;
export const ETH_IPV6 = 0x86dd;
export const ETH_ARP = 0x0806;
export const ETH_RARP = 0x8035;
export const ETH_MPLS = 0x8847;
export const ETH_NSH = 0x894f;
/** Transparent Ethernet bridging: a whole frame is inside. */
export const ETH_TEB = 0x6558;
export const IP_ICMP = 1;
export const IP_TCP = 6;
export const IP_UDP = 17;
export const IP_SCTP = 132;
export const IP_ICMPV6 = 58;

export function ethType(flow: Uint32Array): number {
  return flow[W.ETH_TYPE]! >>> 16;
}
export function ipProto(flow: Uint32Array): number {
  return flow[W.NW]! >>> 24;
}
/** The Ethernet type, or what stands for it in the type of a packet without an Ethernet header. */
export function dlType(flow: Uint32Array): number {
  const type = flow[W.PACKET_TYPE]!;
  return type >>> 16 === 1 ? type & 0xffff : ethType(flow);
}
export function isIpAny(flow: Uint32Array): boolean {
  const type = dlType(flow);
  return type === ETH_IP || type === ETH_IPV6;
}
/** Whether routers on the way of a packet out of a tunnel, if it is one, marked that they were congested. */
export function isMarkedInTunnel(flow: Uint32Array): boolean {
  return isIpAny(flow) && hasTunnel(flow) && (flow[W.TUN_FLAGS]! & TUN_ECN) === TUN_ECN;
}
export function isMpls(type: number): boolean {
  return type === 0x8847 || type === 0x8848;
}
/** The bits for explicit congestion notification in the word of protocol and type of service; all set: congestion. */
export const IP_ECN = 0x00030000;
/** The same bits of the outer header, in the word of tunnel flags. */
const TUN_ECN = 0x0300;
/** Of a stack over a packet without a TTL of its own. */
const DEFAULT_LABEL_TTL = 64;
const IPV4_EXPLICIT_NULL = 0;
const IPV6_EXPLICIT_NULL = 2;

/** Entries of the label stack: up to the bottom, or those that are not zero when it is not among them. */
export function countLabels(flow: Uint32Array, wc?: Uint32Array): number {
  if (!isMpls(ethType(flow))) return 0;
  let n = 0;
  for (let i = 0; i < MAX_LABELS; i++) {
    if (wc) wc[W.MPLS + i]! |= MPLS_BOS;
    const entry = flow[W.MPLS + i]!;
    if ((entry & MPLS_BOS) !== 0) return i + 1;
    if (entry !== 0) n++;
  }
  return n;
}

/** Entries that two stacks of `na` and `nb` entries share, from the bottom up. */
export function countCommonLabels(a: Uint32Array, na: number, b: Uint32Array, nb: number): number {
  const most = Math.min(na, nb);
  let n = 0;
  while (n < most && a[W.MPLS + na - 1 - n] === b[W.MPLS + nb - 1 - n]) n++;
  return n;
}

/**
 * Puts one more entry on a stack of `n`, like the one that was outermost. The first of a stack takes after the IP header,
 * unless `afterIp` is false.
 */
export function pushLabel(
  flow: Uint32Array,
  n: number,
  type: number,
  wc?: Uint32Array,
  afterIp = true,
): void {
  if (n > 0) {
    if (wc) wc.fill(0xffffffff, W.MPLS, W.MPLS + n);
    flow.copyWithin(W.MPLS + 1, W.MPLS, W.MPLS + n);
    flow[W.MPLS] = flow[W.MPLS + 1]! & ~MPLS_BOS;
  } else {
    let tc = 0;
    let ttl = DEFAULT_LABEL_TTL;
    if (afterIp && isIpAny(flow)) {
      if (wc) wc[W.NW]! |= 0x00fcff00;
      tc = (flow[W.NW]! >>> 18) & 7;
      ttl = (flow[W.NW]! >>> 8) & 0xff || DEFAULT_LABEL_TTL;
    }
    const label = ethType(flow) === ETH_IPV6 ? IPV6_EXPLICIT_NULL : IPV4_EXPLICIT_NULL;
    flow[W.MPLS] = (label << 12) | (tc << 9) | MPLS_BOS | ttl;
  }
  setEthType(flow, type);
}

/** Takes the outermost of `n` entries off. @returns false when there is none, or the one that would come up is not known. */
export function popLabel(flow: Uint32Array, n: number, type: number, wc?: Uint32Array): boolean {
  if (n === 0) return false;
  if (n === MAX_LABELS) {
    if (wc) wc[W.MPLS + n - 1]! |= MPLS_BOS;
    if ((flow[W.MPLS + n - 1]! & MPLS_BOS) === 0) return false;
  }
  if (wc) wc.fill(0xffffffff, W.MPLS + 1, W.MPLS + n);
  flow.copyWithin(W.MPLS, W.MPLS + 1, W.MPLS + n);
  flow[W.MPLS + n - 1] = 0;
  setEthType(flow, type);
  return true;
}

export function setEthType(flow: Uint32Array, type: number): void {
  flow[W.ETH_TYPE] = (type << 16) | (flow[W.ETH_TYPE]! & 0xffff);
}

/** Forgets the headers above Ethernet, VLAN tags and labels, and their hash. */
export function forgetInner(flow: Uint32Array): void {
  flow[W.ETH_TYPE]! &= 0xffff0000;
  flow.fill(0, W.NW, W.TP + 1);
  flow.fill(0, W.IPV6_SRC, W.MPLS);
  flow.fill(0, W.IGMP, W.SKB_PRIORITY);
  flow[W.DP_HASH] = 0;
  flow.fill(0, W.NSH, W.TUN_ID);
}

/** Words of packet headers: all but metadata. */
const HEADER_WORDS: readonly (readonly [from: number, to: number])[] = [
  [W.ETH, W.CT_STATE],
  [W.IPV6_SRC, W.SKB_PRIORITY],
  [W.NSH, W.TUN_ID],
];

/** Forgets all headers. */
export function clearHeaders(flow: Uint32Array): void {
  for (const [from, to] of HEADER_WORDS) flow.fill(0, from, to);
}

/** Copies all headers. */
export function copyHeaders(to: Uint32Array, from: Uint32Array): void {
  for (const [first, end] of HEADER_WORDS) to.set(from.subarray(first, end), first);
}

export function isLaterFragment(flow: Uint32Array): boolean {
  return (flow[W.NW]! & FRAG_LATER) !== 0;
}
export function isVlanType(type: number): boolean {
  return type === 0x8100 || type === 0x88a8;
}
export function hasVlan(flow: Uint32Array): boolean {
  return (flow[W.VLAN0]! & VLAN_CFI) !== 0;
}

/** VLAN tags in the key: 0, 1 or 2. */
export function countVlans(flow: Uint32Array): number {
  if ((flow[W.VLAN0]! & VLAN_CFI) === 0) return 0;
  return (flow[W.VLAN1]! & VLAN_CFI) === 0 ? 1 : 2;
}

/** Removes the outer tag. */
export function popVlan(flow: Uint32Array, wc: Uint32Array | undefined): void {
  const n = countVlans(flow);
  if (n === 0) return;
  if (n === 2) {
    if (wc) wc[W.VLAN1] = 0xffffffff;
    flow[W.VLAN0] = flow[W.VLAN1]!;
    flow[W.VLAN1] = 0;
  } else {
    flow[W.VLAN0] = 0;
  }
}

/** Makes room for a new outer tag, which is left 0. A second tag below is lost to the key. */
export function pushVlanRoom(flow: Uint32Array, wc: Uint32Array | undefined): void {
  if (wc) {
    const n = countVlans(flow);
    if (n > 0) wc[W.VLAN0] = 0xffffffff;
    if (n > 1) wc[W.VLAN1] = 0xffffffff;
  }
  flow[W.VLAN1] = flow[W.VLAN0]!;
  flow[W.VLAN0] = 0;
}

/** Forgets what connection tracking said of the packet. */
export function clearConntrack(flow: Uint32Array): void {
  flow[W.CT_STATE] = 0;
  flow[W.CT_ZONE] = 0;
  flow[W.CT_MARK] = 0;
  for (let i = 0; i < 4; i++) flow[W.CT_LABEL + i] = 0;
  flow[W.CT_NW_SRC] = 0;
  flow[W.CT_NW_DST] = 0;
  flow[W.CT_TP] = 0;
  for (let i = 0; i < 8; i++) flow[W.CT_IPV6_SRC + i] = 0;
}

export function isTracked(flow: Uint32Array): boolean {
  return (flow[W.CT_STATE]! & CT.TRK) !== 0;
}

/** Ethernet addresses as 48-bit bigints. */
export function ethDst(flow: Uint32Array): bigint {
  return (BigInt(flow[W.ETH]!) << 16n) | BigInt(flow[W.ETH + 1]! >>> 16);
}
export function ethSrc(flow: Uint32Array): bigint {
  return (BigInt(flow[W.ETH + 1]! & 0xffff) << 32n) | BigInt(flow[W.ETH + 2]!);
}
export function setEthDst(flow: Uint32Array, mac: bigint): void {
  flow[W.ETH] = Number(mac >> 16n);
  flow[W.ETH + 1] = ((Number(mac & 0xffffn) << 16) | (flow[W.ETH + 1]! & 0xffff)) >>> 0;
}
export function setEthSrc(flow: Uint32Array, mac: bigint): void {
  flow[W.ETH + 1] = ((flow[W.ETH + 1]! & 0xffff0000) | Number(mac >> 32n)) >>> 0;
  flow[W.ETH + 2] = Number(mac & 0xffffffffn);
}
export function maskEthDst(wc: Uint32Array): void {
  wc[W.ETH] = 0xffffffff;
  wc[W.ETH + 1]! |= 0xffff0000;
}
export function maskEthSrc(wc: Uint32Array): void {
  wc[W.ETH + 1]! |= 0xffff;
  wc[W.ETH + 2] = 0xffffffff;
}

/** Gives a tag that was made by setting its id or priority its Ethernet type, 802.1Q. */
export function fixVlanType(flow: Uint32Array): void {
  for (const w of [W.VLAN0, W.VLAN1]) {
    if ((flow[w]! & 0xffff) !== 0 && flow[w]! >>> 16 === 0) flow[w]! |= 0x81000000;
  }
}
