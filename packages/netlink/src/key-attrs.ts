/** The flow key's attributes (OVS_KEY_ATTR_*, linux/openvswitch.h). How each maps to the flow key is in `key.ts`. */
import type { AttrTable } from './attr-table.js';

/**
 * OVS_KEY_ATTR_*. `ENCAP`, `TUNNEL` and `NSH` are nests; structures are network-order bytes.
 * The mask of an attribute is an attribute of the same code and length.
 */
export const KEY_ATTRS = {
  ENCAP: { code: 1, kind: 'nested' },
  PRIORITY: { code: 2, kind: 'u32' },
  IN_PORT: { code: 3, kind: 'u32' },
  /** Source, then destination. */
  ETHERNET: { code: 4, kind: 'bytes', len: 12 },
  VLAN: { code: 5, kind: 'be16' },
  ETHERTYPE: { code: 6, kind: 'be16' },
  /** be32 src, be32 dst, proto, tos, ttl, frag. */
  IPV4: { code: 7, kind: 'bytes', len: 12 },
  /** src, dst, be32 label, proto, tclass, hlimit, frag. */
  IPV6: { code: 8, kind: 'bytes', len: 40 },
  TCP: { code: 9, kind: 'bytes', len: 4 },
  UDP: { code: 10, kind: 'bytes', len: 4 },
  ICMP: { code: 11, kind: 'bytes', len: 2 },
  ICMPV6: { code: 12, kind: 'bytes', len: 2 },
  /** be32 sip, be32 tip, be16 op, sha, tha, and two bytes of padding. */
  ARP: { code: 13, kind: 'bytes', len: 24 },
  /** target, sll, tll. */
  ND: { code: 14, kind: 'bytes', len: 28 },
  SKB_MARK: { code: 15, kind: 'u32' },
  TUNNEL: { code: 16, kind: 'nested' },
  SCTP: { code: 17, kind: 'bytes', len: 4 },
  TCP_FLAGS: { code: 18, kind: 'be16' },
  DP_HASH: { code: 19, kind: 'u32' },
  RECIRC_ID: { code: 20, kind: 'u32' },
  /** An array of be32 label stack entries, outermost first. */
  MPLS: { code: 21, kind: 'bytes', maxLen: 12 },
  CT_STATE: { code: 22, kind: 'u32' },
  CT_ZONE: { code: 23, kind: 'u16' },
  CT_MARK: { code: 24, kind: 'u32' },
  CT_LABELS: { code: 25, kind: 'bytes', len: 16 },
  /** be32 src, be32 dst, be16 sport, be16 dport, proto, and padding to 16. */
  CT_ORIG_TUPLE_IPV4: { code: 26, kind: 'bytes', len: 16 },
  /** src, dst, be16 sport, be16 dport, proto, and padding to 40. */
  CT_ORIG_TUPLE_IPV6: { code: 27, kind: 'bytes', len: 40 },
  NSH: { code: 28, kind: 'nested' },
  PACKET_TYPE: { code: 29, kind: 'be32' },
} as const satisfies AttrTable;

/** Inside OVS_KEY_ATTR_TUNNEL. */
export const TUNNEL_KEY_ATTRS = {
  ID: { code: 0, kind: 'be64' },
  IPV4_SRC: { code: 1, kind: 'be32' },
  IPV4_DST: { code: 2, kind: 'be32' },
  TOS: { code: 3, kind: 'u8' },
  TTL: { code: 4, kind: 'u8' },
  DONT_FRAGMENT: { code: 5, kind: 'flag' },
  CSUM: { code: 6, kind: 'flag' },
  OAM: { code: 7, kind: 'flag' },
  GENEVE_OPTS: { code: 8, kind: 'bytes' },
  TP_SRC: { code: 9, kind: 'be16' },
  TP_DST: { code: 10, kind: 'be16' },
  VXLAN_OPTS: { code: 11, kind: 'nested' },
  IPV6_SRC: { code: 12, kind: 'bytes', len: 16 },
  IPV6_DST: { code: 13, kind: 'bytes', len: 16 },
  PAD: { code: 14, kind: 'bytes', pad: true },
  ERSPAN_OPTS: { code: 15, kind: 'bytes' },
} as const satisfies AttrTable;

/** Inside OVS_TUNNEL_KEY_ATTR_VXLAN_OPTS: flags << 24 | group policy id. */
export const VXLAN_EXT_ATTRS = {
  GBP: { code: 1, kind: 'u32' },
} as const satisfies AttrTable;

/** Inside OVS_KEY_ATTR_NSH. */
export const NSH_KEY_ATTRS = {
  /** flags, ttl, mdtype, np, be32 path header. */
  BASE: { code: 1, kind: 'bytes', len: 8 },
  MD1: { code: 2, kind: 'bytes', len: 16 },
  MD2: { code: 3, kind: 'bytes' },
} as const satisfies AttrTable;
