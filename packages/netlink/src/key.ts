/**
 * Flow keys and masks between the flow key layout (`@ovs-node/flow/layout`) and netlink attributes (OVS_KEY_ATTR_*).
 *
 * Most attributes are runs of the key's network-order bytes, so one row of `PLACES` per attribute says which key bytes
 * its payload bytes are, and one loop serves both directions, key and mask. What is not a copy of bytes is written out:
 * host-order integers, VLAN tags (ETHERTYPE + VLAN + ENCAP nest the rest of the key), fragments, ICMP, tunnels.
 *
 * Which attributes a key has follows from the key alone (an IPv4 TCP packet has IPV4, TCP, TCP_FLAGS), and a mask is
 * written with the attributes of its key. Reading is strict in the same way: a key lacks nothing and has nothing that
 * its own fields do not call for, and a mask has nothing (but zeros) that its key does not have, else EINVAL with a
 * reason. Conventions of the interface that are easy to miss:
 * - A mask without a VLAN attribute matches exactly "no (further) VLAN tag"; where the key has a tag, presence and TPID
 *   are always matched exactly.
 * - A key without ETHERTYPE is an 802.2 frame; its mask says so with ETHERTYPE 0xffff.
 * - The recirculation id is always matched exactly: packets of different stages have nothing in common.
 * - No mask at all means an exact match of every field that the key has.
 * - The fragment type is an enumeration, so it is matched whole or not at all.
 */
import {
  ETH_TYPE_NONE,
  FRAG_ANY,
  FRAG_LATER,
  type FlowKey,
  VLAN_CFI,
  W,
  newKey,
} from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { NetlinkError, NlReader, type NlWriter } from './attr.js';
import { attrName } from './attr-table.js';
import { KEY_ATTRS as K } from './key-attrs.js';
import { decodeNsh, decodeTunnel, encodeNsh, encodeTunnel } from './key-nests.js';

/** Options of `encodeKey` and `encodeMask`. */
export interface KeyEncoding {
  /** Whether to write PACKET_TYPE, as the userspace datapath types (`netdev`, `dummy`) do and the kernel's do not. */
  readonly packetType: boolean;
}
export const KERNEL_ENCODING: KeyEncoding = { packetType: false };
export const USERSPACE_ENCODING: KeyEncoding = { packetType: true };

/** The port number of a packet that came in through no port. */
export const PORT_NONE = 0xffffffff;

const EINVAL = 22;
const ETH_IPV4 = 0x0800;
const ETH_ARP = 0x0806;
const ETH_RARP = 0x8035;
const ETH_IPV6 = 0x86dd;
const ETH_MPLS = 0x8847;
const ETH_MPLS_MC = 0x8848;
const ETH_NSH = 0x894f;
const PT_ETH = 0;

/** Copies of bytes: payload offset, first key byte (word * 4 + byte), count. */
type Place = readonly [at: number, keyByte: number, count: number];
interface Places {
  readonly code: number;
  readonly len: number;
  readonly places: readonly Place[];
}
const places = (row: { readonly code: number; readonly len: number }, ...list: Place[]): Places => ({
  code: row.code,
  len: row.len,
  places: list,
});

const ETHERNET = places(K.ETHERNET, [0, W.ETH * 4 + 6, 6], [6, W.ETH * 4, 6]);
const IPV4 = places(K.IPV4, [0, W.NW_SRC * 4, 4], [4, W.NW_DST * 4, 4], [8, W.NW * 4, 3]);
const IPV6 = places(
  K.IPV6,
  [0, W.IPV6_SRC * 4, 16],
  [16, W.IPV6_DST * 4, 16],
  [32, W.IPV6_LABEL * 4, 4],
  [36, W.NW * 4, 3],
);
const ARP = places(
  K.ARP,
  [0, W.NW_SRC * 4, 4],
  [4, W.NW_DST * 4, 4],
  [9, W.NW * 4, 1],
  [10, W.ARP_HW * 4, 12],
);
const ND = places(K.ND, [0, W.ND_TARGET * 4, 16], [16, W.ARP_HW * 4, 12]);
const TCP = places(K.TCP, [0, W.TP * 4, 4]);
const UDP = places(K.UDP, [0, W.TP * 4, 4]);
const SCTP = places(K.SCTP, [0, W.TP * 4, 4]);
const ICMP = places(K.ICMP, [0, W.TP * 4 + 1, 1], [1, W.TP * 4 + 3, 1]);
const ICMPV6 = places(K.ICMPV6, [0, W.TP * 4 + 1, 1], [1, W.TP * 4 + 3, 1]);
const CT_LABELS = places(K.CT_LABELS, [0, W.CT_LABEL * 4, 16]);
const CT_TUPLE4 = places(
  K.CT_ORIG_TUPLE_IPV4,
  [0, W.CT_NW_SRC * 4, 4],
  [4, W.CT_NW_DST * 4, 4],
  [8, W.CT_TP * 4, 4],
  [12, W.CT_ZONE * 4 + 3, 1],
);
const CT_TUPLE6 = places(
  K.CT_ORIG_TUPLE_IPV6,
  [0, W.CT_IPV6_SRC * 4, 16],
  [16, W.CT_IPV6_DST * 4, 16],
  [32, W.CT_TP * 4, 4],
  [36, W.CT_ZONE * 4 + 3, 1],
);

/** Attributes that are one whole key word in host byte order. */
const WORDS: readonly (readonly [code: number, word: number])[] = [
  [K.PRIORITY.code, W.SKB_PRIORITY],
  [K.SKB_MARK.code, W.PKT_MARK],
  [K.CT_STATE.code, W.CT_STATE],
  [K.CT_MARK.code, W.CT_MARK],
  [K.RECIRC_ID.code, W.RECIRC_ID],
  [K.DP_HASH.code, W.DP_HASH],
  [K.IN_PORT.code, W.IN_PORT],
];
const wordOf = new Map(WORDS);

const CT_STATE_BITS = 0xff;

function putPlaces(w: NlWriter, row: Places, data: FlowKey): number {
  const at = w.header(row.code, row.len);
  const buf = w.buf;
  buf.fill(0, at, at + row.len);
  for (const [to, from, n] of row.places) {
    for (let i = 0; i < n; i++) {
      const k = from + i;
      buf[at + to + i] = data[k >> 2]! >>> (24 - ((k & 3) << 3));
    }
  }
  return at;
}

function getPlaces(row: Places, buf: Uint8Array, at: number, data: FlowKey): void {
  for (const [from, to, n] of row.places) {
    for (let i = 0; i < n; i++) {
      const k = to + i;
      const shift = 24 - ((k & 3) << 3);
      data[k >> 2] = (data[k >> 2]! & ~(0xff << shift)) | (buf[at + from + i]! << shift);
    }
  }
}

/** The transport attribute that a key with this protocol has, if any. */
function transportOf(ethType: number, proto: number): Places | null {
  switch (proto) {
    case 6:
      return TCP;
    case 17:
      return UDP;
    case 132:
      return SCTP;
    case 1:
      return ethType === ETH_IPV4 ? ICMP : null;
    case 58:
      return ethType === ETH_IPV6 ? ICMPV6 : null;
    default:
      return null;
  }
}

function isNd(key: FlowKey): boolean {
  const tp = key[W.TP]!;
  const type = tp >>> 16;
  return (type === 135 || type === 136) && (tp & 0xffff) === 0;
}

/** Appends the attributes of a key (at least `DP_WORDS` long). Throws nothing on any key. */
export function encodeKey(w: NlWriter, key: FlowKey, encoding: KeyEncoding = KERNEL_ENCODING): void {
  encodeFields(w, key, key, false, encoding);
}

/** Appends the attributes of the mask that belongs to `key`: the same attributes as the key's, holding mask bits. */
export function encodeMask(
  w: NlWriter,
  key: FlowKey,
  mask: FlowKey,
  encoding: KeyEncoding = KERNEL_ENCODING,
): void {
  encodeFields(w, key, mask, true, encoding);
}

function encodeFields(
  w: NlWriter,
  key: FlowKey,
  data: FlowKey,
  isMask: boolean,
  encoding: KeyEncoding,
): void {
  w.putU32(K.PRIORITY.code, data[W.SKB_PRIORITY]!);
  if (hasTunnel(key)) encodeTunnel(w, data, isMask);
  w.putU32(K.SKB_MARK.code, data[W.PKT_MARK]!);
  w.putU32(K.CT_STATE.code, data[W.CT_STATE]! & CT_STATE_BITS);
  w.putU16(K.CT_ZONE.code, data[W.CT_ZONE]! >>> 16);
  w.putU32(K.CT_MARK.code, data[W.CT_MARK]!);
  putPlaces(w, CT_LABELS, data);
  if ((key[W.CT_ZONE]! & 0xff) !== 0) putPlaces(w, hasCtIpv6(key) ? CT_TUPLE6 : CT_TUPLE4, data);
  w.putU32(K.RECIRC_ID.code, data[W.RECIRC_ID]!);
  w.putU32(K.DP_HASH.code, data[W.DP_HASH]!);
  if (isMask || key[W.IN_PORT] !== PORT_NONE) w.putU32(K.IN_PORT.code, data[W.IN_PORT]!);
  if (encoding.packetType) w.putBe32(K.PACKET_TYPE.code, data[W.PACKET_TYPE]!);
  if (key[W.PACKET_TYPE] === PT_ETH) putPlaces(w, ETHERNET, data);
  encodeVlan(w, key, data, isMask, 0);
}

function encodeVlan(w: NlWriter, key: FlowKey, data: FlowKey, isMask: boolean, n: number): void {
  if (n > 1 || (key[W.VLAN0 + n]! & VLAN_CFI) === 0) return encodeEthType(w, key, data, isMask);
  const tag = data[W.VLAN0 + n]!;
  w.putBe16(K.ETHERTYPE.code, isMask ? 0xffff : tag >>> 16);
  w.putBe16(K.VLAN.code, isMask ? (tag & 0xffff) | VLAN_CFI : tag & 0xffff);
  const mark = w.startNested(K.ENCAP.code);
  encodeVlan(w, key, data, isMask, n + 1);
  w.endNested(mark);
}

function encodeEthType(w: NlWriter, key: FlowKey, data: FlowKey, isMask: boolean): void {
  const ethType = key[W.ETH_TYPE]! >>> 16;
  if (ethType === ETH_TYPE_NONE) {
    if (isMask) w.putBe16(K.ETHERTYPE.code, 0xffff);
    return;
  }
  w.putBe16(K.ETHERTYPE.code, data[W.ETH_TYPE]! >>> 16);
  switch (ethType) {
    case ETH_IPV4:
    case ETH_IPV6: {
      const at = putPlaces(w, ethType === ETH_IPV4 ? IPV4 : IPV6, data);
      const frag = data[W.NW]! & 3;
      w.buf[at + (ethType === ETH_IPV4 ? 11 : 39)] = isMask
        ? frag === 0
          ? 0
          : 0xff
        : frag & FRAG_LATER
          ? 2
          : frag & FRAG_ANY;
      if (ethType === ETH_IPV6) w.buf[at + 32] = 0;
      return encodeTransport(w, key, data, ethType, isMask);
    }
    case ETH_ARP:
    case ETH_RARP: {
      const at = putPlaces(w, ARP, data);
      if (isMask && w.buf[at + 9] === 0xff) w.buf[at + 8] = 0xff;
      return;
    }
    case ETH_MPLS:
    case ETH_MPLS_MC: {
      const n = mplsDepth(key);
      const at = w.header(K.MPLS.code, n * 4);
      for (let i = 0; i < n; i++) setBe32(w.buf, at + 4 * i, data[W.MPLS + i]!);
      return;
    }
    case ETH_NSH:
      return encodeNsh(w, key, data);
  }
}

function encodeTransport(w: NlWriter, key: FlowKey, data: FlowKey, ethType: number, isMask: boolean): void {
  if (key[W.NW]! & FRAG_LATER) return;
  const row = transportOf(ethType, key[W.NW]! >>> 24);
  if (row === null) return;
  putPlaces(w, row, data);
  if (row === TCP) w.putBe16(K.TCP_FLAGS.code, data[W.ETH_TYPE]! & 0xffff);
  // The ND fields exist only where the ICMPv6 type is known, so a mask has them only if it matches type and code.
  if (row === ICMPV6 && isNd(key) && (!isMask || (data[W.TP]! & 0x00ff00ff) === 0x00ff00ff))
    putPlaces(w, ND, data);
}

function setBe32(buf: Uint8Array, at: number, v: number): void {
  buf[at] = v >>> 24;
  buf[at + 1] = v >>> 16;
  buf[at + 2] = v >>> 8;
  buf[at + 3] = v;
}

/** Whether the key is that of a decapsulated packet. */
export function hasTunnel(key: FlowKey): boolean {
  return (
    key[W.TUN_DST] !== 0 ||
    (key[W.TUN_IPV6_DST]! |
      key[W.TUN_IPV6_DST + 1]! |
      key[W.TUN_IPV6_DST + 2]! |
      key[W.TUN_IPV6_DST + 3]!) !==
      0
  );
}

function hasCtIpv6(key: FlowKey): boolean {
  for (let i = 0; i < 4; i++) if ((key[W.CT_IPV6_SRC + i]! | key[W.CT_IPV6_DST + i]!) !== 0) return true;
  return false;
}

/** Label stack entries in the key: up to the one with the bottom-of-stack bit, at most three. */
function mplsDepth(key: FlowKey): number {
  for (let i = 0; i < 2; i++) if (key[W.MPLS + i]! & 0x100) return i + 1;
  return 3;
}

/**
 * Decodes the key attributes `buf[start, end)` into `key` (at least `DP_WORDS` long; every word of it is set).
 * Throws `NetlinkError` EINVAL with a reason when an attribute is repeated, unknown, too much, missing, or of bad
 * length. Words of OpenFlow-only fields are zeroed.
 */
export function decodeKey(buf: Uint8Array, start: number, end: number, key: FlowKey): void {
  key.fill(0);
  key[W.IN_PORT] = PORT_NONE;
  const scope = scan(buf, start, end);
  decodeMetadata(scope, key, false);
  const isEth = key[W.PACKET_TYPE] === PT_ETH;
  if (isEth) take(scope, ETHERNET, key);
  decodeVlan(scope, key, key, null, 0);
}

/**
 * Decodes the mask attributes `buf[start, end)` that belong to `key` into `mask`, as `decodeKey`.
 * See the head of this file for what absent attributes mean.
 */
export function decodeMask(buf: Uint8Array, start: number, end: number, key: FlowKey, mask: FlowKey): void {
  mask.fill(0);
  const scope = scan(buf, start, end);
  decodeMetadata(scope, mask, true);
  mask[W.RECIRC_ID] = 0xffffffff;
  if (key[W.PACKET_TYPE] === PT_ETH) take(scope, ETHERNET, mask, true);
  decodeVlan(scope, key, mask, mask, 0);
}

/** Decodes a key and its mask (absent: exact). The match is new, `KEY_WORDS` long, and its key has no bits outside the mask. */
export function decodeMatch(keyAttrs: Uint8Array, maskAttrs: Uint8Array | undefined): Match {
  const match = new Match();
  decodeKey(keyAttrs, 0, keyAttrs.length, match.key);
  if (maskAttrs === undefined) exactMask(match.key, match.mask);
  else decodeMask(maskAttrs, 0, maskAttrs.length, match.key, match.mask);
  for (let i = 0; i < match.key.length; i++) match.key[i]! &= match.mask[i]!;
  return match;
}

/** Makes `mask` the exact match of every field that a packet with this key has. */
export function exactMask(key: FlowKey, mask: FlowKey): void {
  mask.fill(0);
  fill(mask, W.IN_PORT, 6);
  mask[W.ETH_TYPE] = 0xffff0000;
  mask[W.VLAN0] = mask[W.VLAN1] = 0xffffffff;
  fill(mask, W.CT_STATE, 7);
  mask[W.CT_STATE] = CT_STATE_BITS;
  mask[W.CT_ZONE] = 0xffff0000;
  fill(mask, W.SKB_PRIORITY, 4);
  if (key[W.CT_ZONE]! & 0xff) {
    mask[W.CT_ZONE] = 0xffff00ff;
    if (hasCtIpv6(key)) fill(mask, W.CT_IPV6_SRC, 8);
    else fill(mask, W.CT_NW_SRC, 2);
    mask[W.CT_TP] = 0xffffffff;
  }
  if (hasTunnel(key)) {
    fill(mask, W.TUN_ID, 15);
    mask[W.TUN_FLAGS] = 0x000fffff;
    mask[W.TUN_GBP] = 0xffff00ff;
  }
  const ethType = key[W.ETH_TYPE]! >>> 16;
  if (ethType === ETH_MPLS || ethType === ETH_MPLS_MC) fill(mask, W.MPLS, mplsDepth(key));
  else if (ethType === ETH_NSH) fill(mask, W.NSH, 6);
  else if (ethType === ETH_ARP || ethType === ETH_RARP) {
    mask[W.NW] = 0xff000000;
    fill(mask, W.NW_SRC, 2);
    fill(mask, W.ARP_HW, 3);
  } else if (ethType === ETH_IPV4 || ethType === ETH_IPV6) {
    mask[W.NW] = 0xffffff03;
    if (ethType === ETH_IPV4) fill(mask, W.NW_SRC, 2);
    else {
      fill(mask, W.IPV6_SRC, 8);
      mask[W.IPV6_LABEL] = 0x000fffff;
    }
    const row = key[W.NW]! & FRAG_LATER ? null : transportOf(ethType, key[W.NW]! >>> 24);
    if (row !== null) mask[W.TP] = 0xffffffff;
    if (row === TCP) mask[W.ETH_TYPE] = 0xffff0fff;
    if (row === ICMPV6 && isNd(key)) {
      fill(mask, W.ND_TARGET, 4);
      fill(mask, W.ARP_HW, 3);
    }
  }
}

function fill(mask: FlowKey, word: number, n: number): void {
  mask.fill(0xffffffff, word, word + n);
}

/** The attributes of one level by code: payload offset and length, or -1; taken ones are struck out. */
interface Scope {
  readonly buf: Uint8Array;
  readonly offset: Int32Array;
  readonly length: Int32Array;
}

const MAX_CODE = 32;
// Three levels are the deepest nesting: the packet, one tag, two tags. Scopes are reused: decoding is synchronous.
const scopes: { readonly offset: Int32Array; readonly length: Int32Array }[] = [0, 1, 2].map(() => ({
  offset: new Int32Array(MAX_CODE),
  length: new Int32Array(MAX_CODE),
}));
const reader = new NlReader();

function scan(buf: Uint8Array, start: number, end: number, level = 0): Scope {
  const scope: Scope = { buf, ...scopes[level]! };
  scope.offset.fill(-1);
  const r = reader.reset(buf, start, end);
  while (r.next()) {
    if (r.type >= MAX_CODE || r.type === 0 || r.type > K.PACKET_TYPE.code) {
      throw new NetlinkError(EINVAL, `unknown flow key attribute ${r.type}`);
    }
    if (scope.offset[r.type] !== -1)
      throw new NetlinkError(EINVAL, `duplicate ${attrName(K, r.type)} in flow key`);
    scope.offset[r.type] = r.offset;
    scope.length[r.type] = r.length;
  }
  if (r.malformed) throw new NetlinkError(EINVAL, 'malformed flow key attributes');
  return scope;
}

/** Strikes an attribute out and returns its payload offset, -1 when it is absent. Checks the length. */
function pick(scope: Scope, code: number, len: number): number {
  const at = scope.offset[code]!;
  if (at < 0) return -1;
  if (scope.length[code] !== len) {
    throw new NetlinkError(
      EINVAL,
      `flow key attribute ${attrName(K, code)} has bad length ${scope.length[code]}`,
    );
  }
  scope.offset[code] = -1;
  return at;
}

/** Reads an attribute of `PLACES` into `data`; it must be there unless `optional`. Returns its payload offset. */
function take(scope: Scope, row: Places, data: FlowKey, optional = false): number {
  const at = pick(scope, row.code, row.len);
  if (at < 0 && !optional) throw new NetlinkError(EINVAL, `flow key lacks ${attrName(K, row.code)}`);
  if (at >= 0) getPlaces(row, scope.buf, at, data);
  return at;
}

/** Every attribute must have been taken; all-zero ones are let pass in a mask. */
function finish(scope: Scope, isMask: boolean): void {
  for (let code = 1; code < MAX_CODE; code++) {
    const at = scope.offset[code]!;
    if (at < 0) continue;
    if (isMask && isZero(scope.buf, at, scope.length[code]!)) continue;
    throw new NetlinkError(EINVAL, `unexpected ${attrName(K, code)} in flow ${isMask ? 'mask' : 'key'}`);
  }
}

function isZero(buf: Uint8Array, at: number, n: number): boolean {
  for (let i = 0; i < n; i++) if (buf[at + i] !== 0) return false;
  return true;
}

function u32(buf: Uint8Array, at: number): number {
  return (buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24)) >>> 0;
}
function be16(buf: Uint8Array, at: number): number {
  return (buf[at]! << 8) | buf[at + 1]!;
}

function decodeMetadata(scope: Scope, data: FlowKey, isMask: boolean): void {
  const { buf } = scope;
  for (const [code, word] of wordOf) {
    const at = pick(scope, code, 4);
    if (at >= 0) data[word] = u32(buf, at);
  }
  if (data[W.CT_STATE]! & ~CT_STATE_BITS) {
    if (!isMask) throw new NetlinkError(EINVAL, `unsupported ct_state 0x${data[W.CT_STATE]!.toString(16)}`);
    data[W.CT_STATE]! &= CT_STATE_BITS;
  }
  const zone = pick(scope, K.CT_ZONE.code, 2);
  if (zone >= 0) data[W.CT_ZONE] = ((buf[zone]! | (buf[zone + 1]! << 8)) << 16) >>> 0;
  take(scope, CT_LABELS, data, true);
  const tuple4 = take(scope, CT_TUPLE4, data, true);
  const tuple6 = take(scope, CT_TUPLE6, data, true);
  if (tuple4 >= 0 && tuple6 >= 0 && !isMask)
    throw new NetlinkError(EINVAL, 'both CT_ORIG_TUPLE_IPV4 and CT_ORIG_TUPLE_IPV6 in flow key');
  const type = pick(scope, K.PACKET_TYPE.code, 4);
  if (type >= 0) data[W.PACKET_TYPE] = ((be16(buf, type) << 16) | be16(buf, type + 2)) >>> 0;
  const tunnel = scope.offset[K.TUNNEL.code]!;
  if (tunnel >= 0) {
    decodeTunnel(buf, tunnel, tunnel + scope.length[K.TUNNEL.code]!, data, isMask);
    scope.offset[K.TUNNEL.code] = -1;
  }
}

/**
 * ETHERTYPE and what follows it at one VLAN level. `key` says which attributes there are; `data` is what is filled in:
 * the key itself, or (then also as `mask`) the mask.
 */
function decodeVlan(scope: Scope, key: FlowKey, data: FlowKey, mask: FlowKey | null, level: number): void {
  const isMask = mask !== null;
  const type = pick(scope, K.ETHERTYPE.code, 2);
  const ethType = type < 0 ? (isMask ? 0 : ETH_TYPE_NONE) : be16(scope.buf, type);
  const tagged = isMask
    ? level < 2 && (key[W.VLAN0 + level]! & VLAN_CFI) !== 0
    : ethType === 0x8100 || ethType === 0x88a8;
  if (!tagged) {
    // Whatever tags there could still be, there are none.
    if (isMask) for (let n = level; n < 2; n++) mask[W.VLAN0 + n] = 0xffffffff;
    if (!isMask && type >= 0 && ethType < 0x600) {
      throw new NetlinkError(EINVAL, `bad eth_type 0x${ethType.toString(16)} in flow key`);
    }
    data[W.ETH_TYPE] = (ethType << 16) >>> 0;
    decodeNetwork(scope, key, data, isMask, ethType);
    return finish(scope, isMask);
  }
  if (level > 1) throw new NetlinkError(EINVAL, 'more than 2 VLAN tags in flow key');
  const tciAt = pick(scope, K.VLAN.code, 2);
  const encap = scope.offset[K.ENCAP.code]!;
  let tci = tciAt < 0 ? 0 : be16(scope.buf, tciAt);
  if (isMask) tci |= VLAN_CFI;
  else if (tciAt < 0 || encap < 0) throw new NetlinkError(EINVAL, 'flow key of a VLAN lacks VLAN or ENCAP');
  else if ((tci & VLAN_CFI) === 0) throw new NetlinkError(EINVAL, 'VLAN tag in flow key lacks the CFI bit');
  data[W.VLAN0 + level] = isMask ? (0xffff0000 | tci) >>> 0 : ((ethType << 16) | tci) >>> 0;
  scope.offset[K.ENCAP.code] = -1;
  finish(scope, isMask);
  const from = encap < 0 ? 0 : encap;
  const to = encap < 0 ? 0 : encap + scope.length[K.ENCAP.code]!;
  const inner = scan(scope.buf, from, to, level + 1);
  decodeVlan(inner, key, data, mask, level + 1);
}

function decodeNetwork(scope: Scope, key: FlowKey, data: FlowKey, isMask: boolean, ownType: number): void {
  const ethType = key[W.ETH_TYPE]! >>> 16;
  // A mask that does not match the Ethernet type exactly can match nothing that depends on it.
  if (isMask && ownType !== 0xffff) return;
  const { buf } = scope;
  switch (ethType) {
    case ETH_IPV4:
    case ETH_IPV6: {
      const v4 = ethType === ETH_IPV4;
      const at = take(scope, v4 ? IPV4 : IPV6, data, isMask);
      if (at < 0) return;
      const frag = buf[at + (v4 ? 11 : 39)]!;
      if (!isMask && frag > 2) throw new NetlinkError(EINVAL, `bad fragment type ${frag} in flow key`);
      if (!v4 && buf[at + 32]! | (buf[at + 33]! & 0xf0)) {
        if (!isMask) throw new NetlinkError(EINVAL, 'IPv6 flow label in flow key is out of range');
        data[W.IPV6_LABEL]! &= 0x000fffff;
      }
      data[W.NW] = ((data[W.NW]! & 0xffffff00) | (isMask ? (frag ? 3 : 0) : frag === 2 ? 3 : frag)) >>> 0;
      return decodeTransport(scope, key, data, isMask, ethType);
    }
    case ETH_ARP:
    case ETH_RARP: {
      const at = take(scope, ARP, data, isMask);
      if (at >= 0 && !isMask && buf[at + 8] !== 0)
        throw new NetlinkError(EINVAL, `unsupported ARP opcode ${be16(buf, at + 8)} in flow key`);
      return;
    }
    case ETH_MPLS:
    case ETH_MPLS_MC: {
      const at = scope.offset[K.MPLS.code]!;
      const len = scope.length[K.MPLS.code]!;
      if (at < 0) {
        if (isMask) return;
        throw new NetlinkError(EINVAL, 'flow key lacks MPLS');
      }
      if (len === 0 || len % 4 !== 0 || len > 12)
        throw new NetlinkError(EINVAL, `flow key attribute MPLS has bad length ${len}`);
      for (let i = 0; i < len / 4; i++) {
        data[W.MPLS + i] = ((be16(buf, at + 4 * i) << 16) | be16(buf, at + 4 * i + 2)) >>> 0;
      }
      scope.offset[K.MPLS.code] = -1;
      return;
    }
    case ETH_NSH: {
      const at = scope.offset[K.NSH.code]!;
      if (at < 0) {
        if (isMask) return;
        throw new NetlinkError(EINVAL, 'flow key lacks NSH');
      }
      decodeNsh(buf, at, at + scope.length[K.NSH.code]!, data);
      scope.offset[K.NSH.code] = -1;
    }
  }
}

function decodeTransport(scope: Scope, key: FlowKey, data: FlowKey, isMask: boolean, ethType: number): void {
  if (key[W.NW]! & FRAG_LATER) return;
  const row = transportOf(ethType, key[W.NW]! >>> 24);
  if (row === null) return;
  // Ports can be matched only where the protocol is.
  if (isMask && data[W.NW]! >>> 24 !== 0xff) return;
  take(scope, row, data, isMask);
  if (row === TCP) {
    const at = pick(scope, K.TCP_FLAGS.code, 2);
    if (at >= 0) data[W.ETH_TYPE] = ((data[W.ETH_TYPE]! & 0xffff0000) | (be16(scope.buf, at) & 0x0fff)) >>> 0;
  }
  if (isMask && (row === ICMP || row === ICMPV6)) {
    // Type and code lie in 16-bit fields whose upper halves are always zero.
    const tp = data[W.TP]!;
    data[W.TP] =
      (tp | ((tp & 0x00ff0000) === 0x00ff0000 ? 0xff000000 : 0) | ((tp & 0xff) === 0xff ? 0xff00 : 0)) >>> 0;
  }
  if (row === ICMPV6 && isNd(key)) take(scope, ND, data, isMask);
}

/** A new key (`KEY_WORDS`) from attribute bytes; throws as `decodeKey`. */
export function keyOf(attrs: Uint8Array): FlowKey {
  const key = newKey();
  decodeKey(attrs, 0, attrs.length, key);
  return key;
}
