/** Attributes to flow keys and masks, checked; see `key.ts`. */
import { getVlanLimit } from '@ovs-node/flow/extract';
import {
  ETH_TYPE_NONE,
  FRAG_LATER,
  type FlowKey,
  MAX_LABELS,
  MPLS_BOS,
  VLAN_CFI,
  W,
  newKey,
} from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { NetlinkError, NlReader } from './attr.js';
import { isZero, u32 } from './bytes.js';
import { attrName } from './attr-table.js';
import { KEY_ATTRS as K } from './key-attrs.js';
import { PORT_NONE } from './key-encode.js';
import { exactMask } from './key-exact.js';
import { decodeNsh, decodeTunnel } from './key-nests.js';
import {
  EthType,
  PT_ETH,
  CT_STATE_BITS,
  type Places,
  ETHERNET,
  IPV4,
  IPV6,
  ARP,
  ND,
  TCP,
  ICMP,
  ICMPV6,
  CT_LABELS,
  CT_TUPLE4,
  CT_TUPLE6,
  wordOf,
  transportOf,
  isNd,
  isVlanType,
} from './key-places.js';

const EINVAL = 22;
/** The namespace of packet types that are types of Ethernet. */
const PT_NS_ETHERTYPE = 1;

function getPlaces(row: Places, buf: Uint8Array, at: number, data: FlowKey): void {
  for (const [from, to, n] of row.places) {
    for (let i = 0; i < n; i++) {
      const k = to + i;
      const shift = 24 - ((k & 3) << 3);
      data[k >> 2] = (data[k >> 2]! & ~(0xff << shift)) | (buf[at + from + i]! << shift);
    }
  }
}

/**
 * Decodes the key attributes `buf[start, end)` into `key` (at least `DP_WORDS` long; every word of it is set).
 * Throws `NetlinkError` EINVAL with a reason when an attribute is repeated, unknown, too much, missing, or of bad
 * length. Words of OpenFlow-only fields are zeroed.
 *
 * @param isLoose what is missing is taken for zero, and what is too much is passed over, as people may write it.
 */
export function decodeKey(buf: Uint8Array, start: number, end: number, key: FlowKey, isLoose = false): void {
  key.fill(0);
  key[W.IN_PORT] = PORT_NONE;
  const scope = scan(buf, start, end, 0, isLoose);
  const { offset } = scope;
  const type = offset[K.ETHERTYPE.code]!;
  const hasAddresses = offset[K.ETHERNET.code]! >= 0;
  decodeMetadata(scope, key, false);
  // A packet has a frame when it has addresses, whatever is said of its type; a type of Ethernet's alone is that of one
  // without.
  if (isLoose && hasAddresses) key[W.PACKET_TYPE] = PT_ETH;
  else if (isLoose && type >= 0) key[W.PACKET_TYPE] = (PT_NS_ETHERTYPE << 16) | be16(buf, type);
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

/** The attributes of one level by code: payload offset and length, or -1; taken ones are struck out. */
interface Scope {
  readonly buf: Uint8Array;
  readonly offset: Int32Array;
  readonly length: Int32Array;
  /** What is missing is zero, and what is too much is passed over. */
  readonly isLoose: boolean;
}

const MAX_CODE = 32;
// Three levels are the deepest nesting: the packet, one tag, two tags. Scopes are reused: decoding is synchronous.
const scopes: { readonly offset: Int32Array; readonly length: Int32Array }[] = [0, 1, 2].map(() => ({
  offset: new Int32Array(MAX_CODE),
  length: new Int32Array(MAX_CODE),
}));
const reader = new NlReader();

function scan(buf: Uint8Array, start: number, end: number, level = 0, isLoose = false): Scope {
  const scope: Scope = { buf, isLoose, ...scopes[level]! };
  scope.offset.fill(-1);
  const r = reader.reset(buf, start, end);
  while (r.next()) {
    if (r.type >= MAX_CODE || r.type === 0 || r.type > K.PACKET_TYPE.code) {
      throw new NetlinkError(EINVAL, `unknown flow key attribute ${r.type}`);
    }
    if (scope.offset[r.type] !== -1)
      throw new NetlinkError(EINVAL, `duplicate ${attrName(K, r.type)} attribute in flow key`);
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
  if (at < 0 && !optional && !scope.isLoose)
    throw new NetlinkError(EINVAL, `flow key lacks ${attrName(K, row.code)}`);
  if (at >= 0) getPlaces(row, scope.buf, at, data);
  return at;
}

/** Every attribute must have been taken; all-zero ones are let pass in a mask. */
function finish(scope: Scope, isMask: boolean): void {
  if (scope.isLoose) return;
  for (let code = 1; code < MAX_CODE; code++) {
    const at = scope.offset[code]!;
    if (at < 0) continue;
    if (isMask && isZero(scope.buf, at, scope.length[code]!)) continue;
    throw new NetlinkError(EINVAL, `unexpected ${attrName(K, code)} in flow ${isMask ? 'mask' : 'key'}`);
  }
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
  const isFrame = !scope.isLoose || key[W.PACKET_TYPE] === PT_ETH;
  const hasRoom = level < getVlanLimit();
  const hasTag =
    isFrame && hasRoom && (isMask ? (key[W.VLAN0 + level]! & VLAN_CFI) !== 0 : isVlanType(ethType));
  if (!hasTag) {
    if (isMask && hasRoom && isVlanType(key[W.ETH_TYPE]! >>> 16)) {
      pick(scope, K.VLAN.code, 2);
      scope.offset[K.ENCAP.code] = -1;
    }
    // Whatever tags there could still be, there are none.
    if (isMask) for (let n = level; n < 2; n++) mask[W.VLAN0 + n] = 0xffffffff;
    if (!isMask && type >= 0 && ethType < 0x600) {
      throw new NetlinkError(EINVAL, `invalid Ethertype ${ethType} in flow key`);
    }
    data[W.ETH_TYPE] = (ethType << 16) >>> 0;
    decodeNetwork(scope, key, data, isMask, ethType);
    return finish(scope, isMask);
  }
  const tciAt = pick(scope, K.VLAN.code, 2);
  const encap = scope.offset[K.ENCAP.code]!;
  let tci = tciAt < 0 ? 0 : be16(scope.buf, tciAt);
  if (isMask) tci |= VLAN_CFI;
  else if (scope.isLoose && (tciAt < 0 || (encap < 0 && (tci & VLAN_CFI) !== 0))) {
    // The tag, as far as there is one, is all.
    if (tciAt >= 0) data[W.VLAN0 + level] = ((ethType << 16) | tci) >>> 0;
    return;
  } else if (tciAt < 0 || encap < 0) throw new NetlinkError(EINVAL, 'flow key of a VLAN lacks VLAN or ENCAP');
  else if (tci === 0 && scope.length[K.ENCAP.code] === 0) {
    // The frame ends within the tag.
    data[W.ETH_TYPE] = (ethType << 16) >>> 0;
    scope.offset[K.ENCAP.code] = -1;
    return finish(scope, isMask);
  } else if ((tci & VLAN_CFI) === 0) throw new NetlinkError(EINVAL, 'VLAN tag in flow key lacks the CFI bit');
  data[W.VLAN0 + level] = isMask ? (0xffff0000 | tci) >>> 0 : ((ethType << 16) | tci) >>> 0;
  scope.offset[K.ENCAP.code] = -1;
  finish(scope, isMask);
  const from = encap < 0 ? 0 : encap;
  const to = encap < 0 ? 0 : encap + scope.length[K.ENCAP.code]!;
  const inner = scan(scope.buf, from, to, level + 1, scope.isLoose);
  decodeVlan(inner, key, data, mask, level + 1);
}

function decodeNetwork(scope: Scope, key: FlowKey, data: FlowKey, isMask: boolean, ownType: number): void {
  const ethType = key[W.ETH_TYPE]! >>> 16;
  // A mask that does not match the Ethernet type exactly can match nothing that depends on it.
  if (isMask && ownType !== 0xffff) return;
  const { buf } = scope;
  switch (ethType) {
    case EthType.IPV4:
    case EthType.IPV6: {
      const v4 = ethType === EthType.IPV4;
      const at = take(scope, v4 ? IPV4 : IPV6, data, isMask);
      if (at < 0) return;
      const frag = buf[at + (v4 ? 11 : 39)]!;
      if (!isMask && frag > 2) throw new NetlinkError(EINVAL, `invalid frag ${frag} in flow key`);
      if (!v4 && buf[at + 32]! | (buf[at + 33]! & 0xf0)) {
        if (!isMask) throw new NetlinkError(EINVAL, 'IPv6 flow label in flow key is out of range');
        data[W.IPV6_LABEL]! &= 0x000fffff;
      }
      data[W.NW] = ((data[W.NW]! & 0xffffff00) | (isMask ? (frag ? 3 : 0) : frag === 2 ? 3 : frag)) >>> 0;
      return decodeTransport(scope, key, data, isMask, ethType);
    }
    case EthType.ARP:
    case EthType.RARP: {
      const at = take(scope, ARP, data, isMask);
      if (at >= 0 && !isMask && buf[at + 8] !== 0)
        throw new NetlinkError(EINVAL, `unsupported ARP opcode ${be16(buf, at + 8)} in flow key`);
      return;
    }
    case EthType.MPLS:
    case EthType.MPLS_MC: {
      const at = scope.offset[K.MPLS.code]!;
      const len = scope.length[K.MPLS.code]!;
      if (at < 0) {
        if (isMask) return;
        if (scope.isLoose) return;
        throw new NetlinkError(EINVAL, 'flow key lacks MPLS');
      }
      if (len === 0 || len % 4 !== 0 || (len > 4 * MAX_LABELS && !scope.isLoose))
        throw new NetlinkError(EINVAL, `flow key attribute MPLS has bad length ${len}`);
      const n = Math.min(len / 4, MAX_LABELS);
      for (let i = 0; i < n; i++) {
        const entry = ((be16(buf, at + 4 * i) << 16) | be16(buf, at + 4 * i + 2)) >>> 0;
        data[W.MPLS + i] = entry;
        const isBottom = (entry & MPLS_BOS) !== 0;
        if (isMask || isBottom === (i === n - 1)) continue;
        if (isBottom) throw new NetlinkError(EINVAL, 'MPLS BOS set in non-innermost label');
        if (n < MAX_LABELS && !scope.isLoose)
          throw new NetlinkError(EINVAL, 'MPLS BOS not set in innermost label');
      }
      scope.offset[K.MPLS.code] = -1;
      return;
    }
    case EthType.NSH: {
      const at = scope.offset[K.NSH.code]!;
      if (at < 0) {
        if (isMask) return;
        if (scope.isLoose) return;
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
    // Of the 16 bits values have 12, and masks all.
    const bits = isMask ? 0xffff : 0xfff;
    if (at >= 0) data[W.ETH_TYPE] = ((data[W.ETH_TYPE]! & 0xffff0000) | (be16(scope.buf, at) & bits)) >>> 0;
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
export function keyOf(attrs: Uint8Array, isLoose = false): FlowKey {
  const key = newKey();
  decodeKey(attrs, 0, attrs.length, key, isLoose);
  return key;
}
