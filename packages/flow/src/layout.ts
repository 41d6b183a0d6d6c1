/**
 * The flow key: where every header and metadata field of a packet lives.
 *
 * A key is one `Uint32Array` of `KEY_WORDS` words; its mask is another of the same shape (bit 1 = compared).
 * The key is to be thought of as a string of network-order bytes cut into 32-bit words, each held as a number:
 * a field is a run of bits, most significant first, `offset` bits from the start. So a field of any width can
 * be read, written or masked by position alone, look-ups compare words, and one layout serves the datapath's
 * caches, vswitchd's classifier, OpenFlow matches and netlink keys alike.
 *
 * Order is by how hot a word is. Words below `DP_WORDS` exist in the datapath; a TCP or UDP packet over IPv4
 * touches only those below `HOT_WORDS`, so the hot path writes and hashes that prefix and clears the rest only
 * when an earlier packet left something there. Words from `DP_WORDS` on exist in OpenFlow alone.
 *
 *     0 in_port  1 recirc_id  2..4 eth_dst|eth_src  5 eth_type|tcp_flags  6 vlan0  7 vlan1
 *     8 proto|tos|ttl|frag  9 nw_src  10 nw_dst  11 tp_src|tp_dst  12 ct_state  13 ct_zone|ct_nw_proto
 *     14 ct_mark  15..18 ct_label                                                    -- HOT_WORDS = 19
 *     19..22 ipv6_src  23..26 ipv6_dst  27 ipv6_label  28..31 nd_target  32..34 arp_sha|arp_tha (nd_sll|nd_tll)
 *     35 mpls[0] 36 mpls[1] 37 mpls[2]  38 igmp_group
 *     39 ct_nw_src 40 ct_nw_dst 41 ct_tp_src|dst  42..45 ct_ipv6_src 46..49 ct_ipv6_dst
 *     50 skb_priority 51 pkt_mark 52 dp_hash 53 packet_type  54..59 nsh
 *     60..61 tun_id 62 tun_src 63 tun_dst 64..67 tun_ipv6_src 68..71 tun_ipv6_dst
 *     72 tun_flags|tun_tos|tun_ttl 73 tun_gbp_id|erspan_hwid|tun_gbp_flags 74 tun_tp_src|dst
 *     75 erspan_idx 76 gtpu_flags|erspan_ver|erspan_dir|gtpu_msgtype                  -- DP_WORDS = 77
 *     77..78 metadata 79..94 reg0..reg15 95 actset_output 96 conj_id 97..98 tun options index -- KEY_WORDS = 99
 *
 * Encodings that are not the packet's own bytes:
 * - `vlanN`: TPID << 16 | TCI; the CFI bit (0x1000) is 1 when a tag is present, and the word is 0 when it is not.
 * - `eth_type`: the type after all VLAN tags; 0x05ff for an 802.3 frame without SNAP/OUI 0.
 * - `frag`: bit 0 any fragment, bit 1 a later one (offset > 0).
 * - ARP: `nw_proto` holds the opcode, `nw_src`/`nw_dst` SPA/TPA. ICMP: `tp_src`/`tp_dst` hold type and code.
 * - `in_port` is a datapath port number in datapath keys, an OpenFlow port number in OpenFlow ones.
 */
export const W = {
  IN_PORT: 0,
  RECIRC_ID: 1,
  ETH: 2,
  ETH_TYPE: 5,
  VLAN0: 6,
  VLAN1: 7,
  NW: 8,
  NW_SRC: 9,
  NW_DST: 10,
  TP: 11,
  CT_STATE: 12,
  CT_ZONE: 13,
  CT_MARK: 14,
  CT_LABEL: 15,
  IPV6_SRC: 19,
  IPV6_DST: 23,
  IPV6_LABEL: 27,
  ND_TARGET: 28,
  ARP_HW: 32,
  MPLS: 35,
  IGMP: 38,
  CT_NW_SRC: 39,
  CT_NW_DST: 40,
  CT_TP: 41,
  CT_IPV6_SRC: 42,
  CT_IPV6_DST: 46,
  SKB_PRIORITY: 50,
  PKT_MARK: 51,
  DP_HASH: 52,
  PACKET_TYPE: 53,
  NSH: 54,
  TUN_ID: 60,
  TUN_SRC: 62,
  TUN_DST: 63,
  TUN_IPV6_SRC: 64,
  TUN_IPV6_DST: 68,
  TUN_FLAGS: 72,
  TUN_GBP: 73,
  TUN_TP: 74,
  TUN_EXT: 75,
  METADATA: 77,
  REG: 79,
  ACTSET_OUTPUT: 95,
  CONJ_ID: 96,
  TUN_OPTS: 97,
} as const;

/** Words that an IPv4 TCP, UDP or ICMP packet off a plain port can touch. */
export const HOT_WORDS = 19;
/** Words that exist in the datapath. */
export const DP_WORDS = 77;
/** Words of a whole key. */
export const KEY_WORDS = 99;

/** `eth_type` of an 802.3 frame that carries no Ethernet type (OpenFlow 1.0, section 3.4). */
export const ETH_TYPE_NONE = 0x05ff;
/** Entries of a label stack that a key has room for, and the bit of the one at the bottom (RFC 3032). */
export const MAX_LABELS = 3;
export const MPLS_BOS = 0x100;
/** The bit of a VLAN TCI that says that a tag is present. */
export const VLAN_CFI = 0x1000;
/** The bits of a VLAN TCI that are the VLAN's number. */
export const VLAN_VID = 0x0fff;
export const FRAG_ANY = 1;
export const FRAG_LATER = 2;

/** Bits of `ct_state` (ovs-fields(7)), the same in OpenFlow and in the datapath's netlink key. */
export const CT = {
  NEW: 0x01,
  EST: 0x02,
  REL: 0x04,
  RPL: 0x08,
  INV: 0x10,
  TRK: 0x20,
  SNAT: 0x40,
  DNAT: 0x80,
} as const;

/** The bits of `CT_STATE` that a packet may have. */
export const CT_STATE_BITS = 0xff;

/** A flow key or a mask; `KEY_WORDS` long unless a comment says that it is a datapath key of `DP_WORDS`. */
export type FlowKey = Uint32Array;

/** A new key (or mask) of zeros. */
export function newKey(): FlowKey {
  return new Uint32Array(KEY_WORDS);
}
