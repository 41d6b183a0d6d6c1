/**
 * Which bytes of a flow key (`@ovs-node/flow/layout`) are which bytes of its attributes' payloads, and which attributes a
 * key has. Shared by the encoder and the decoder; see `key.ts`.
 */
import { type FlowKey, MAX_LABELS, MPLS_BOS, W } from '@ovs-node/flow/layout';
import { KEY_ATTRS as K } from './key-attrs.js';

export const EthType = {
  IPV4: 0x0800,
  ARP: 0x0806,
  RARP: 0x8035,
  IPV6: 0x86dd,
  MPLS: 0x8847,
  MPLS_MC: 0x8848,
  NSH: 0x894f,
} as const;
export const PT_ETH = 0;

/** Whether what follows the Ethernet type is a VLAN tag. */
export const isVlanType = (ethType: number): boolean => ethType === 0x8100 || ethType === 0x88a8;

/** The bits of ct_state that exist. */
export const CT_STATE_BITS = 0xff;

/** Copies of bytes: payload offset, first key byte (word * 4 + byte), count. */
export type Place = readonly [at: number, keyByte: number, count: number];
export interface Places {
  readonly code: number;
  readonly len: number;
  readonly places: readonly Place[];
}
const places = (row: { readonly code: number; readonly len: number }, ...list: Place[]): Places => ({
  code: row.code,
  len: row.len,
  places: list,
});

export const ETHERNET = places(K.ETHERNET, [0, W.ETH * 4 + 6, 6], [6, W.ETH * 4, 6]);
export const IPV4 = places(K.IPV4, [0, W.NW_SRC * 4, 4], [4, W.NW_DST * 4, 4], [8, W.NW * 4, 3]);
export const IPV6 = places(
  K.IPV6,
  [0, W.IPV6_SRC * 4, 16],
  [16, W.IPV6_DST * 4, 16],
  [32, W.IPV6_LABEL * 4, 4],
  [36, W.NW * 4, 3],
);
export const ARP = places(
  K.ARP,
  [0, W.NW_SRC * 4, 4],
  [4, W.NW_DST * 4, 4],
  [9, W.NW * 4, 1],
  [10, W.ARP_HW * 4, 12],
);
export const ND = places(K.ND, [0, W.ND_TARGET * 4, 16], [16, W.ARP_HW * 4, 12]);
export const TCP = places(K.TCP, [0, W.TP * 4, 4]);
export const UDP = places(K.UDP, [0, W.TP * 4, 4]);
export const SCTP = places(K.SCTP, [0, W.TP * 4, 4]);
export const ICMP = places(K.ICMP, [0, W.TP * 4 + 1, 1], [1, W.TP * 4 + 3, 1]);
export const ICMPV6 = places(K.ICMPV6, [0, W.TP * 4 + 1, 1], [1, W.TP * 4 + 3, 1]);
export const CT_LABELS = places(K.CT_LABELS, [0, W.CT_LABEL * 4, 16]);
export const CT_TUPLE4 = places(
  K.CT_ORIG_TUPLE_IPV4,
  [0, W.CT_NW_SRC * 4, 4],
  [4, W.CT_NW_DST * 4, 4],
  [8, W.CT_TP * 4, 4],
  [12, W.CT_ZONE * 4 + 3, 1],
);
export const CT_TUPLE6 = places(
  K.CT_ORIG_TUPLE_IPV6,
  [0, W.CT_IPV6_SRC * 4, 16],
  [16, W.CT_IPV6_DST * 4, 16],
  [32, W.CT_TP * 4, 4],
  [36, W.CT_ZONE * 4 + 3, 1],
);

/** Attributes that are one whole key word in host byte order. */
export const WORDS: readonly (readonly [code: number, word: number])[] = [
  [K.PRIORITY.code, W.SKB_PRIORITY],
  [K.SKB_MARK.code, W.PKT_MARK],
  [K.CT_STATE.code, W.CT_STATE],
  [K.CT_MARK.code, W.CT_MARK],
  [K.RECIRC_ID.code, W.RECIRC_ID],
  [K.DP_HASH.code, W.DP_HASH],
  [K.IN_PORT.code, W.IN_PORT],
];
export const wordOf = new Map(WORDS);

/** The transport attribute that a key with this protocol has, if any. */
export function transportOf(ethType: number, proto: number): Places | null {
  switch (proto) {
    case 6:
      return TCP;
    case 17:
      return UDP;
    case 132:
      return SCTP;
    case 1:
      return ethType === EthType.IPV4 ? ICMP : null;
    case 58:
      return ethType === EthType.IPV6 ? ICMPV6 : null;
    default:
      return null;
  }
}

/** ICMPv6 types of neighbour solicitations and advertisements (RFC 4861). */
export const ND_TYPES: readonly number[] = [135, 136];

/** Whether an ICMPv6 packet is one of these, as far as its key says. */
export function isNd(key: FlowKey): boolean {
  const tp = key[W.TP]!;
  const type = tp >>> 16;
  return ND_TYPES.includes(type) && (tp & 0xffff) === 0;
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

export function hasCtIpv6(key: FlowKey): boolean {
  for (let i = 0; i < 4; i++) if ((key[W.CT_IPV6_SRC + i]! | key[W.CT_IPV6_DST + i]!) !== 0) return true;
  return false;
}

/** Label stack entries in the key: up to the one with the bottom-of-stack bit, at most three. */
export function mplsDepth(key: FlowKey): number {
  for (let i = 0; i < MAX_LABELS - 1; i++) if (key[W.MPLS + i]! & MPLS_BOS) return i + 1;
  return MAX_LABELS;
}
