/** Flow keys and masks to attributes; see `key.ts`. */
import { ETH_TYPE_NONE, FRAG_ANY, FRAG_LATER, type FlowKey, VLAN_CFI, W } from '@ovs-node/flow/layout';
import { getVlanLimit } from '@ovs-node/flow/extract';
import { setU32 } from '@ovs-node/flow/views/bytes';
import type { NlWriter } from './attr.js';
import { KEY_ATTRS as K } from './key-attrs.js';
import { encodeNsh, encodeTunnel } from './key-nests.js';
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
  ICMPV6,
  CT_LABELS,
  CT_TUPLE4,
  CT_TUPLE6,
  transportOf,
  isNd,
  isVlanType,
  hasTunnel,
  hasCtIpv6,
  mplsDepth,
} from './key-places.js';

/** Options of `encodeKey` and `encodeMask`. */
export interface KeyEncoding {
  /**
   * Whether to write PACKET_TYPE of Ethernet packets too, as the userspace datapath types (`netdev`, `dummy`) do and the
   * kernel's do not.
   */
  readonly packetType: boolean;
}
export const KERNEL_ENCODING: KeyEncoding = { packetType: false };
export const USERSPACE_ENCODING: KeyEncoding = { packetType: true };

/** The port number of a packet that came in through no port. */
export const PORT_NONE = 0xffffffff;

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
  if (encoding.packetType || key[W.PACKET_TYPE] !== PT_ETH)
    w.putBe32(K.PACKET_TYPE.code, data[W.PACKET_TYPE]!);
  if (key[W.PACKET_TYPE] === PT_ETH) putPlaces(w, ETHERNET, data);
  encodeVlan(w, key, data, isMask, 0);
}

function encodeVlan(w: NlWriter, key: FlowKey, data: FlowKey, isMask: boolean, n: number): void {
  const limit = getVlanLimit();
  if (n >= limit || (key[W.VLAN0 + n]! & VLAN_CFI) === 0) {
    encodeEthType(w, key, data, isMask);
    // The frame ends within a tag: no tag control information, and nothing behind it.
    if (n < limit && isVlanType(key[W.ETH_TYPE]! >>> 16)) {
      w.putBe16(K.VLAN.code, isMask ? 0xffff : 0);
      w.endNested(w.startNested(K.ENCAP.code));
    }
    return;
  }
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
    case EthType.IPV4:
    case EthType.IPV6: {
      const at = putPlaces(w, ethType === EthType.IPV4 ? IPV4 : IPV6, data);
      const frag = data[W.NW]! & 3;
      w.buf[at + (ethType === EthType.IPV4 ? 11 : 39)] = isMask
        ? frag === 0
          ? 0
          : 0xff
        : frag & FRAG_LATER
          ? 2
          : frag & FRAG_ANY;
      if (ethType === EthType.IPV6) w.buf[at + 32] = 0;
      return encodeTransport(w, key, data, ethType, isMask);
    }
    case EthType.ARP:
    case EthType.RARP: {
      const at = putPlaces(w, ARP, data);
      if (isMask && w.buf[at + 9] === 0xff) w.buf[at + 8] = 0xff;
      return;
    }
    case EthType.MPLS:
    case EthType.MPLS_MC: {
      const n = mplsDepth(key);
      const at = w.header(K.MPLS.code, n * 4);
      for (let i = 0; i < n; i++) setU32(w.buf, at + 4 * i, data[W.MPLS + i]!);
      return;
    }
    case EthType.NSH:
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
