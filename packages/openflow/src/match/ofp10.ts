/**
 * `ofp10_match` (OpenFlow 1.0, section 5.2.3) and `ofp11_match` (1.1, A.2.3.1), both ways. What these cannot say is
 * left out; `matchProtocols` in `protocols.ts` tells beforehand.
 */
import { mustField, portFromOf10, portToOf10 } from '@ovs-node/flow/fields';
import { VLAN_CFI, W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { matchPrereqsMet, matchSet } from '@ovs-node/flow/match-fields';
import { setDefaultPacketType } from '@ovs-node/flow/match-text';
import { fail, refuse } from '../errors.js';
import type { Reader, Writer } from '../wire.js';

/** OFPFW10_* bits. */
export const FW10 = {
  IN_PORT: 1 << 0,
  DL_VLAN: 1 << 1,
  DL_SRC: 1 << 2,
  DL_DST: 1 << 3,
  DL_TYPE: 1 << 4,
  NW_PROTO: 1 << 5,
  TP_SRC: 1 << 6,
  TP_DST: 1 << 7,
  NW_SRC_SHIFT: 8,
  NW_DST_SHIFT: 14,
  DL_VLAN_PCP: 1 << 20,
  NW_TOS: 1 << 21,
  ALL: (1 << 22) - 1,
} as const;

const VLAN_NONE = 0xffff;
const F = {
  inPort: mustField('in_port'),
  inPortOxm: mustField('in_port_oxm'),
  ethSrc: mustField('eth_src'),
  ethDst: mustField('eth_dst'),
  ethType: mustField('eth_type'),
  vlanTci: mustField('vlan_tci'),
  proto: mustField('nw_proto'),
  tos: mustField('nw_tos'),
  ecn: mustField('nw_ecn'),
  metadata: mustField('metadata'),
  mplsLabel: mustField('mpls_label'),
  mplsTc: mustField('mpls_tc'),
} as const;

const L4 = [mustField('tcp_src'), mustField('udp_src'), mustField('sctp_src')];
const ICMP = mustField('icmp_type');
const ARP = mustField('arp_op');
const IP = mustField('ip_src');

/** Whether the match implies transport ports (TCP, UDP, SCTP) or an ICMP type where 1.0 has its tp fields. */
function hasTp(match: Match): boolean {
  return L4.some((f) => matchPrereqsMet(match, f)) || matchPrereqsMet(match, ICMP);
}
function hasNwAddress(match: Match): boolean {
  return matchPrereqsMet(match, IP) || matchPrereqsMet(match, ARP);
}

/** Sets bits of one word of a match. */
function setWord(match: Match, word: number, value: number, mask: number): void {
  match.mask[word] = (match.mask[word] | mask) >>> 0;
  match.key[word] = ((match.key[word] & ~mask) | (value & mask)) >>> 0;
}

/** The VLAN id and priority of OpenFlow 1.0 as a TCI. */
function setVlan(match: Match, vid: number, pcp: number, vidWild: boolean, pcpWild: boolean): void {
  if (!vidWild && vid === VLAN_NONE) {
    setWord(match, W.VLAN0, 0, 0xffff);
    return;
  }
  if (!vidWild) setWord(match, W.VLAN0, (vid & 0xfff) | VLAN_CFI, 0xfff | VLAN_CFI);
  if (!pcpWild) setWord(match, W.VLAN0, (pcp << 13) | VLAN_CFI, 0xe000 | VLAN_CFI);
}

/** A match on a field of Ethernet's is one on Ethernet packets, as it is in TLV matches. */
function implyEthernet(m: Match): void {
  const { mask } = m;
  if ((mask[W.ETH] | mask[W.ETH + 1] | mask[W.ETH + 2] | mask[W.VLAN0] | (mask[W.ETH_TYPE] >>> 16)) !== 0) {
    setDefaultPacketType(m);
  }
}

/** Six bits say how many of an address are wildcarded. */
const NW_BITS = 63;

/** The wildcards of what packets have, but for their addresses of IP, which have a number of bits each. */
const OF_PACKETS =
  FW10.ALL & ~(FW10.IN_PORT | (NW_BITS << FW10.NW_SRC_SHIFT) | (NW_BITS << FW10.NW_DST_SHIFT));

/** How many bits of an address of IP are wildcarded; 32 or more: all. */
function wildNw(wild: number, shift: number): number {
  return (wild >> shift) & NW_BITS;
}

/**
 * Reads the 40 bytes of an ofp10_match as they are: with fields that a packet of the match cannot have, which
 * `normalizeMatch` drops where flows are changed.
 */
export function readOfp10Match(r: Reader): Match {
  const wild = r.u32();
  const inPort = r.u16();
  const src = r.mac();
  const dst = r.mac();
  const vid = r.u16();
  const pcp = r.u8();
  r.skip(1);
  const type = r.u16();
  const tos = r.u8();
  const proto = r.u8();
  r.skip(2);
  const nwSrc = r.u32();
  const nwDst = r.u32();
  const tpSrc = r.u16();
  const tpDst = r.u16();
  const m = new Match();
  if ((wild & FW10.IN_PORT) === 0) setWord(m, W.IN_PORT, portFromOf10(inPort), 0xffffffff);
  if ((wild & FW10.DL_SRC) === 0) matchSet(m, F.ethSrc, src);
  if ((wild & FW10.DL_DST) === 0) matchSet(m, F.ethDst, dst);
  setVlan(m, vid, pcp, (wild & FW10.DL_VLAN) !== 0, (wild & FW10.DL_VLAN_PCP) !== 0);
  if ((wild & FW10.DL_TYPE) === 0) matchSet(m, F.ethType, BigInt(type));
  if ((wild & FW10.NW_TOS) === 0) setWord(m, W.NW, (tos & 0xfc) << 16, 0xfc << 16);
  if ((wild & FW10.NW_PROTO) === 0) setWord(m, W.NW, (proto << 24) >>> 0, 0xff000000);
  setPrefix(m, W.NW_SRC, nwSrc, wildNw(wild, FW10.NW_SRC_SHIFT));
  setPrefix(m, W.NW_DST, nwDst, wildNw(wild, FW10.NW_DST_SHIFT));
  if ((wild & FW10.TP_SRC) === 0) setWord(m, W.TP, (tpSrc << 16) >>> 0, 0xffff0000);
  if ((wild & FW10.TP_DST) === 0) setWord(m, W.TP, tpDst, 0xffff);
  // Even a field that no packet of the match has, and that is dropped for it, says that this is about Ethernet.
  const hasNw = wildNw(wild, FW10.NW_SRC_SHIFT) < 32 || wildNw(wild, FW10.NW_DST_SHIFT) < 32;
  if (hasNw || (wild & OF_PACKETS) !== OF_PACKETS) setDefaultPacketType(m);
  return m;
}

function setPrefix(m: Match, word: number, value: number, wildBits: number): void {
  const mask = wildBits >= 32 ? 0 : (0xffffffff << wildBits) >>> 0;
  if (mask !== 0) setWord(m, word, value, mask);
}

/** Low bits that an IPv4 mask leaves out, 32 for no mask. */
function wildBits(mask: number): number {
  return mask === 0 ? 32 : 31 - Math.clz32(mask & -mask);
}

/** Writes a match as ofp10_match, 40 bytes. */
export function putOfp10Match(w: Writer, m: Match): void {
  let wild = 0;
  const { key, mask } = m;
  const mac = (f: typeof F.ethSrc): boolean => matchHas(m, f);
  if (mask[W.IN_PORT] === 0) wild |= FW10.IN_PORT;
  if (!mac(F.ethSrc)) wild |= FW10.DL_SRC;
  if (!mac(F.ethDst)) wild |= FW10.DL_DST;
  const tciMask = mask[W.VLAN0] & 0xffff;
  const tci = key[W.VLAN0] & 0xffff;
  let vid = 0;
  let pcp = 0;
  if (tciMask === 0) {
    wild |= FW10.DL_VLAN | FW10.DL_VLAN_PCP;
  } else if ((tciMask & VLAN_CFI) !== 0 && (tci & VLAN_CFI) === 0) {
    vid = VLAN_NONE;
  } else {
    if ((tciMask & 0xfff) === 0) wild |= FW10.DL_VLAN;
    else vid = tci & 0xfff;
    if ((tciMask & 0xe000) === 0) wild |= FW10.DL_VLAN_PCP;
    else pcp = tci >> 13;
  }
  if (mask[W.ETH_TYPE] >>> 16 === 0) wild |= FW10.DL_TYPE;
  const nw = mask[W.NW];
  if (nw >>> 24 === 0) wild |= FW10.NW_PROTO;
  if (((nw >>> 16) & 0xfc) === 0) wild |= FW10.NW_TOS;
  wild |= wildBits(mask[W.NW_SRC]) << FW10.NW_SRC_SHIFT;
  wild |= wildBits(mask[W.NW_DST]) << FW10.NW_DST_SHIFT;
  if (mask[W.TP] >>> 16 === 0) wild |= FW10.TP_SRC;
  if ((mask[W.TP] & 0xffff) === 0) wild |= FW10.TP_DST;
  w.u32(wild).u16(mask[W.IN_PORT] === 0 ? 0 : portToOf10(key[W.IN_PORT]));
  w.mac(macOf(key, 1)).mac(macOf(key, 0));
  w.u16(vid).u8(pcp).zeros(1);
  w.u16(key[W.ETH_TYPE] >>> 16).u8((key[W.NW] >>> 16) & 0xfc);
  w.u8(key[W.NW] >>> 24).zeros(2);
  w.u32(key[W.NW_SRC]).u32(key[W.NW_DST]);
  w.u32(key[W.TP]);
}

/** The destination (0) or source (1) address of a key or mask. */
function macOf(words: Uint32Array, which: 0 | 1): bigint {
  const [a, b, c] = [words[W.ETH], words[W.ETH + 1], words[W.ETH + 2]].map(BigInt);
  const all = (a << 64n) | (b << 32n) | c;
  return which === 0 ? all >> 48n : all & 0xffffffffffffn;
}

function matchHas(m: Match, f: typeof F.ethSrc): boolean {
  return macOf(m.mask, f === F.ethSrc ? 1 : 0) !== 0n;
}

/** OFPFW11_* bits. */
const FW11 = {
  IN_PORT: 1,
  DL_VLAN: 2,
  DL_VLAN_PCP: 4,
  DL_TYPE: 8,
  NW_TOS: 16,
  NW_PROTO: 32,
  TP_SRC: 64,
  TP_DST: 128,
  MPLS_LABEL: 256,
  MPLS_TC: 512,
} as const;
const OFP11_LENGTH = 88;
const VLAN_ANY = 0xfffe;

/** Reads an ofp11_match, 88 bytes. */
export function readOfp11Match(r: Reader): Match {
  const type = r.u16();
  const length = r.u16();
  if (type !== 0) fail('OFPBMC_BAD_TYPE', `match type ${type}`);
  if (length !== OFP11_LENGTH || length - 4 > r.left) fail('OFPBMC_BAD_LEN', `match length ${length}`);
  const inPort = r.u32();
  const wild = r.u32();
  const [src, srcWild, dst, dstWild] = [r.mac(), r.mac(), r.mac(), r.mac()];
  const vid = r.u16();
  const pcp = r.u8();
  r.skip(1);
  const ethType = r.u16();
  const tos = r.u8();
  const proto = r.u8();
  const [nwSrc, nwSrcWild, nwDst, nwDstWild] = [r.u32(), r.u32(), r.u32(), r.u32()];
  const tpSrc = r.u16();
  const tpDst = r.u16();
  const label = r.u32();
  const tc = r.u8();
  r.skip(3);
  const metadata = r.u64();
  const metadataWild = r.u64();
  const m = new Match();
  const has = (bit: number): boolean => (wild & bit) === 0;
  const MAC_ALL = 0xffffffffffffn;
  if (has(FW11.IN_PORT)) {
    if (inPort >= 0xff00 && inPort < 0xffffff00) refuse(r, 'OFPBMC_BAD_VALUE', 'port_range', inPort);
    setWord(m, W.IN_PORT, inPort, 0xffffffff);
  }
  matchSet(m, F.ethSrc, src, ~srcWild & MAC_ALL);
  matchSet(m, F.ethDst, dst, ~dstWild & MAC_ALL);
  if (has(FW11.DL_VLAN)) {
    if (vid === VLAN_NONE) setWord(m, W.VLAN0, 0, 0xffff);
    else {
      if (vid === VLAN_ANY) setWord(m, W.VLAN0, VLAN_CFI, VLAN_CFI);
      else if (vid < 4096) setWord(m, W.VLAN0, vid | VLAN_CFI, 0x1fff);
      else fail('OFPBMC_BAD_VALUE', `VLAN ${vid}`);
      if (has(FW11.DL_VLAN_PCP) && pcp > 7) fail('OFPBMC_BAD_VALUE', `VLAN priority ${pcp}`);
      if (has(FW11.DL_VLAN_PCP)) setWord(m, W.VLAN0, (pcp << 13) | VLAN_CFI, 0xe000 | VLAN_CFI);
    }
  }
  if (has(FW11.DL_TYPE)) matchSet(m, F.ethType, BigInt(ethType));
  // IPv6 came to matches with 1.2.
  const ip = matchPrereqsMet(m, IP);
  const arp = matchPrereqsMet(m, ARP);
  if (ip && has(FW11.NW_TOS)) {
    if ((tos & 3) !== 0) fail('OFPBMC_BAD_VALUE', `TOS ${tos}`);
    matchSet(m, F.tos, BigInt(tos));
  }
  if ((ip || arp) && has(FW11.NW_PROTO)) matchSet(m, ip ? F.proto : ARP, BigInt(proto));
  if (hasNwAddress(m)) {
    setWord(m, W.NW_SRC, nwSrc, ~nwSrcWild >>> 0);
    setWord(m, W.NW_DST, nwDst, ~nwDstWild >>> 0);
  }
  if (hasTp(m)) {
    const [hasSrc, hasDst] = [has(FW11.TP_SRC), has(FW11.TP_DST)];
    if (matchPrereqsMet(m, ICMP) && ((hasSrc && tpSrc > 0xff) || (hasDst && tpDst > 0xff)))
      fail('OFPBMC_BAD_FIELD', 'ICMP type or code of more than a byte');
    if (hasSrc) setWord(m, W.TP, (tpSrc << 16) >>> 0, 0xffff0000);
    if (hasDst) setWord(m, W.TP, tpDst, 0xffff);
  }
  if (matchPrereqsMet(m, F.mplsLabel)) {
    if (has(FW11.MPLS_LABEL)) matchSet(m, F.mplsLabel, BigInt(label & 0xfffff));
    if (has(FW11.MPLS_TC)) matchSet(m, F.mplsTc, BigInt(tc & 7));
  }
  if (metadataWild !== 0xffffffffffffffffn) {
    matchSet(m, F.metadata, metadata, ~metadataWild & 0xffffffffffffffffn);
  }
  implyEthernet(m);
  return m;
}

/** Writes a match as ofp11_match. */
export function putOfp11Match(w: Writer, m: Match): void {
  const { key, mask } = m;
  let wild = 0;
  if (mask[W.IN_PORT] === 0) wild |= FW11.IN_PORT;
  const tciMask = mask[W.VLAN0] & 0xffff;
  const tci = key[W.VLAN0] & 0xffff;
  let vid = 0;
  let pcp = 0;
  if (tciMask === 0) wild |= FW11.DL_VLAN | FW11.DL_VLAN_PCP;
  else if ((tciMask & VLAN_CFI) !== 0 && (tci & VLAN_CFI) === 0) {
    vid = VLAN_NONE;
    wild |= FW11.DL_VLAN_PCP;
  } else {
    vid = (tciMask & 0xfff) === 0 ? VLAN_ANY : tci & 0xfff;
    if ((tciMask & 0xe000) === 0) wild |= FW11.DL_VLAN_PCP;
    else pcp = tci >> 13;
  }
  if (mask[W.ETH_TYPE] >>> 16 === 0) wild |= FW11.DL_TYPE;
  if (((mask[W.NW] >>> 16) & 0xfc) === 0) wild |= FW11.NW_TOS;
  if (mask[W.NW] >>> 24 === 0) wild |= FW11.NW_PROTO;
  // Whatever the headers are that they belong to, as in the peer.
  if (mask[W.TP] >>> 16 === 0) wild |= FW11.TP_SRC;
  if ((mask[W.TP] & 0xffff) === 0) wild |= FW11.TP_DST;
  if (mask[W.MPLS] >>> 12 === 0) wild |= FW11.MPLS_LABEL;
  if (((mask[W.MPLS] >>> 9) & 7) === 0) wild |= FW11.MPLS_TC;
  const MAC_ALL = 0xffffffffffffn;
  w.u16(0).u16(OFP11_LENGTH).u32(key[W.IN_PORT]).u32(wild);
  w.mac(macOf(key, 1)).mac(~macOf(mask, 1) & MAC_ALL);
  w.mac(macOf(key, 0)).mac(~macOf(mask, 0) & MAC_ALL);
  w.u16(vid).u8(pcp).zeros(1);
  // The specification has the six bits of DSCP here, the peer the whole byte.
  w.u16(key[W.ETH_TYPE] >>> 16).u8((key[W.NW] >>> 16) & 0xfc);
  w.u8(key[W.NW] >>> 24);
  for (const word of [W.NW_SRC, W.NW_DST]) w.u32(key[word]).u32(~mask[word] >>> 0);
  w.u32(key[W.TP]);
  w.u32(key[W.MPLS] >>> 12)
    .u8((key[W.MPLS] >>> 9) & 7)
    .zeros(3);
  for (const words of [key, mask]) {
    const v = (BigInt(words[W.METADATA]) << 32n) | BigInt(words[W.METADATA + 1]);
    w.u64(words === key ? v : ~v & 0xffffffffffffffffn);
  }
}
