import { EXPERIMENTERS } from './experimenters.js';
import type { FieldCode, FieldFormat, FieldRow, FixedMatch, Prereq } from './field-types.js';
import { KEY_WORDS, W } from './layout.js';
import { TUN_METADATA_BYTES, TUN_METADATA_FIELDS } from './tun-metadata.js';

/**
 * Every field of ovs-fields(7), one row each, in the order of that page's field numbers. Parser, printer,
 * codecs and documentation derive from these rows; per-packet code does not (a test compares it with them).
 *
 * A few fields are not plain runs of bits and are treated apart in `fields.ts`: `dl_vlan`, `dl_vlan_pcp` and
 * `vlan_pcp` (setting them also says that a tag is present), and the OpenFlow 1.0 `in_port`, which is the
 * same word as `in_port_oxm`. An ICMP type or code fills the whole 16 bits of the L4 port it shares.
 *
 * `tun_metadata0`..`63` have no place in a key (`tun-metadata.ts`).
 */

const { nicira: NX_VENDOR, nsh: NSH_VENDOR, onf: ONF_VENDOR } = EXPERIMENTERS;

const code = (name: string, cls: number, field: number, since = 1, experimenter = 0): FieldCode => ({
  name,
  cls,
  experimenter,
  field,
  since,
});
const nxmOf = (name: string, field: number): FieldCode => code(`NXM_OF_${name}`, 0x0000, field);
const nxmNx = (name: string, field: number): FieldCode => code(`NXM_NX_${name}`, 0x0001, field);
const nxEt = (name: string, field: number): FieldCode =>
  code(`NXOXM_ET_${name}`, 0xffff, field, 1, NX_VENDOR);
const nxNsh = (name: string, field: number): FieldCode =>
  code(`NXOXM_NSH_${name}`, 0xffff, field, 1, NSH_VENDOR);
const ericsson = (name: string, field: number): FieldCode => code(`ERICOXM_OF_${name}`, 0x1000, field);
const oxmOf = (name: string, field: number, since = 3): FieldCode =>
  code(`OXM_OF_${name}`, 0x8000, field, since);
const onf = (name: string, field: number): FieldCode =>
  code(`ONFOXM_ET_${name}`, 0xffff, field, 4, ONF_VENDOR);

/** Place, bits in the key, bytes on the wire, and OpenFlow's width where it differs from the bits in the key. */
const at = (word: number, bit: number, keyBits: number, bytes = keyBits >> 3, bits = keyBits) => ({
  offset: word * 32 + bit,
  keyBits,
  bits,
  bytes,
});
/** A place whose values may have all bits of the bytes on the wire, also those that OpenFlow's width leaves out. */
const any = (place: ReturnType<typeof at>) => ({ ...place, valid: (1n << BigInt(place.bytes * 8)) - 1n });
/** Mask rule, text format, prerequisite, access. */
const is = (maskable: 'mask' | 'exact', format: FieldFormat, prereq: Prereq, access: 'rw' | 'ro') => ({
  maskable: maskable === 'mask',
  format,
  prereq,
  writable: access === 'rw',
});
/** OpenFlow 1.0 and 1.1, NXM and OXM codes. */
const on = (of10: FixedMatch, of11: FixedMatch, nxm: FieldCode | null, ...oxm: FieldCode[]) => ({
  of10,
  of11,
  ...(nxm === null ? {} : { nxm }),
  oxm,
});

const TUNNEL = [
  {
    name: 'tun_id',
    alias: 'tunnel_id',
    ...at(W.TUN_ID, 0, 64),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_ID', 16), oxmOf('TUNNEL_ID', 38, 4)),
  },
  {
    name: 'tun_src',
    ...at(W.TUN_SRC, 0, 32),
    ...is('mask', 'ipv4', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_IPV4_SRC', 31)),
  },
  {
    name: 'tun_dst',
    ...at(W.TUN_DST, 0, 32),
    ...is('mask', 'ipv4', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_IPV4_DST', 32)),
  },
  {
    name: 'tun_ipv6_src',
    ...at(W.TUN_IPV6_SRC, 0, 128),
    ...is('mask', 'ipv6', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_IPV6_SRC', 109)),
  },
  {
    name: 'tun_ipv6_dst',
    ...at(W.TUN_IPV6_DST, 0, 128),
    ...is('mask', 'ipv6', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_IPV6_DST', 110)),
  },
  {
    name: 'tun_flags',
    // Of 16 flags one exists so far.
    exactOnWire: true,
    ...at(W.TUN_FLAGS, 15, 1, 2),
    ...is('mask', 'tnl_flags', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_FLAGS', 104)),
  },
  {
    name: 'tun_ttl',
    ...at(W.TUN_FLAGS, 24, 8),
    ...is('exact', 'decimal', 'none', 'ro'),
    ...on('no', 'no', null),
  },
  {
    name: 'tun_tos',
    ...at(W.TUN_FLAGS, 16, 8),
    ...is('exact', 'decimal', 'none', 'ro'),
    ...on('no', 'no', null),
  },
  {
    name: 'tun_gbp_id',
    ...at(W.TUN_GBP, 0, 16),
    ...is('mask', 'decimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_GBP_ID', 38)),
  },
  {
    name: 'tun_gbp_flags',
    ...at(W.TUN_GBP, 24, 8),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx('TUN_GBP_FLAGS', 39)),
  },
  {
    name: 'tun_erspan_idx',
    ...any(at(W.TUN_EXT, 0, 32, 4, 20)),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxEt('ERSPAN_IDX', 11)),
  },
  {
    name: 'tun_erspan_ver',
    onesOnly: true,
    ...any(at(W.TUN_EXT + 1, 8, 8, 1, 4)),
    ...is('mask', 'decimal', 'none', 'rw'),
    ...on('no', 'no', nxEt('ERSPAN_VER', 12)),
  },
  {
    name: 'tun_erspan_dir',
    onesOnly: true,
    ...any(at(W.TUN_EXT + 1, 16, 8, 1, 1)),
    ...is('mask', 'decimal', 'none', 'rw'),
    ...on('no', 'no', nxEt('ERSPAN_DIR', 13)),
  },
  {
    name: 'tun_erspan_hwid',
    onesOnly: true,
    ...any(at(W.TUN_GBP, 16, 8, 1, 6)),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxEt('ERSPAN_HWID', 14)),
  },
  {
    name: 'tun_gtpu_flags',
    onesOnly: true,
    ...at(W.TUN_EXT + 1, 0, 8),
    ...is('mask', 'hexadecimal', 'none', 'ro'),
    ...on('no', 'no', nxEt('GTPU_FLAGS', 15)),
  },
  {
    name: 'tun_gtpu_msgtype',
    onesOnly: true,
    ...at(W.TUN_EXT + 1, 24, 8),
    ...is('mask', 'decimal', 'none', 'ro'),
    ...on('no', 'no', nxEt('GTPU_MSGTYPE', 16)),
  },
] as const satisfies readonly FieldRow[];

const TUNNEL_OPTIONS: readonly FieldRow[] = Array.from({ length: TUN_METADATA_FIELDS }, (_, i) => ({
  name: `tun_metadata${i}`,
  offset: KEY_WORDS * 32,
  keyBits: 0,
  bits: TUN_METADATA_BYTES * 8,
  bytes: TUN_METADATA_BYTES,
  option: i,
  ...is('mask', 'hexadecimal', 'none', 'rw'),
  ...on('no', 'no', nxmNx(`TUN_METADATA${i}`, 40 + i)),
}));

const METADATA: readonly FieldRow[] = [
  {
    name: 'dp_hash',
    ...at(W.DP_HASH, 0, 32),
    ...is('mask', 'hexadecimal', 'none', 'ro'),
    // The second was never meant to be sent.
    ...on('no', 'no', nxmNx('DP_HASH', 35), { ...nxEt('DP_HASH', 0), since: 7 }),
  },
  {
    name: 'recirc_id',
    ...at(W.RECIRC_ID, 0, 32),
    ...is('exact', 'decimal', 'none', 'ro'),
    ...on('no', 'no', nxmNx('RECIRC_ID', 36)),
  },
  {
    name: 'packet_type',
    ...at(W.PACKET_TYPE, 0, 32),
    ...is('exact', 'packet_type', 'none', 'ro'),
    ...on('no', 'no', null, oxmOf('PACKET_TYPE', 44, 6)),
  },
  {
    name: 'conj_id',
    ...at(W.CONJ_ID, 0, 32),
    ...is('exact', 'decimal', 'none', 'ro'),
    ...on('no', 'no', nxmNx('CONJ_ID', 37)),
  },
  ...TUNNEL,
  ...TUNNEL_OPTIONS,
  {
    name: 'metadata',
    ...at(W.METADATA, 0, 64),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'bitwise', null, oxmOf('METADATA', 2)),
  },
  {
    name: 'in_port',
    ...at(W.IN_PORT, 16, 16),
    ...is('exact', 'port', 'none', 'rw'),
    ...on('exact', 'exact', nxmOf('IN_PORT', 0)),
  },
  {
    name: 'in_port_oxm',
    ...at(W.IN_PORT, 0, 32),
    ...is('exact', 'port_oxm', 'none', 'rw'),
    ...on('no', 'exact', null, oxmOf('IN_PORT', 0)),
  },
  {
    name: 'actset_output',
    ...at(W.ACTSET_OUTPUT, 0, 32),
    ...is('exact', 'port_oxm', 'none', 'ro'),
    ...on('no', 'no', null, onf('ACTSET_OUTPUT', 43), oxmOf('ACTSET_OUTPUT', 43, 6)),
  },
  {
    name: 'skb_priority',
    ...at(W.SKB_PRIORITY, 0, 32),
    ...is('exact', 'hexadecimal', 'none', 'ro'),
    ...on('no', 'no', null),
  },
  {
    name: 'pkt_mark',
    ...at(W.PKT_MARK, 0, 32),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx('PKT_MARK', 33)),
  },
  {
    name: 'ct_state',
    ...at(W.CT_STATE, 0, 32),
    valid: 0xffn,
    exactOnWire: true,
    ...is('mask', 'ct_state', 'none', 'ro'),
    ...on('no', 'no', nxmNx('CT_STATE', 105)),
  },
  {
    name: 'ct_zone',
    ...at(W.CT_ZONE, 0, 16),
    ...is('exact', 'hexadecimal', 'none', 'ro'),
    ...on('no', 'no', nxmNx('CT_ZONE', 106)),
  },
  {
    name: 'ct_mark',
    ...at(W.CT_MARK, 0, 32),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx('CT_MARK', 107)),
  },
  {
    name: 'ct_label',
    ...at(W.CT_LABEL, 0, 128),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx('CT_LABEL', 108)),
  },
  {
    name: 'ct_nw_proto',
    ...at(W.CT_ZONE, 24, 8),
    ...is('exact', 'decimal', 'ct', 'ro'),
    ...on('no', 'no', nxmNx('CT_NW_PROTO', 119)),
  },
  {
    name: 'ct_nw_src',
    ...at(W.CT_NW_SRC, 0, 32),
    ...is('mask', 'ipv4', 'ct', 'ro'),
    ...on('no', 'no', nxmNx('CT_NW_SRC', 120)),
  },
  {
    name: 'ct_nw_dst',
    ...at(W.CT_NW_DST, 0, 32),
    ...is('mask', 'ipv4', 'ct', 'ro'),
    ...on('no', 'no', nxmNx('CT_NW_DST', 121)),
  },
  {
    name: 'ct_ipv6_src',
    ...at(W.CT_IPV6_SRC, 0, 128),
    ...is('mask', 'ipv6', 'ct', 'ro'),
    ...on('no', 'no', nxmNx('CT_IPV6_SRC', 122)),
  },
  {
    name: 'ct_ipv6_dst',
    ...at(W.CT_IPV6_DST, 0, 128),
    ...is('mask', 'ipv6', 'ct', 'ro'),
    ...on('no', 'no', nxmNx('CT_IPV6_DST', 123)),
  },
  {
    name: 'ct_tp_src',
    ...at(W.CT_TP, 0, 16),
    ...is('mask', 'decimal', 'ct', 'ro'),
    ...on('no', 'no', nxmNx('CT_TP_SRC', 124)),
  },
  {
    name: 'ct_tp_dst',
    ...at(W.CT_TP, 16, 16),
    ...is('mask', 'decimal', 'ct', 'ro'),
    ...on('no', 'no', nxmNx('CT_TP_DST', 125)),
  },
];

/** `reg0`..`reg15`, the 64-bit `xreg0`..`xreg7` and the 128-bit `xxreg0`..`xxreg3` over the same words. */
const REGISTERS: readonly FieldRow[] = [
  ...Array.from({ length: 16 }, (_, i) => ({
    name: `reg${i}`,
    ...at(W.REG + i, 0, 32),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx(`REG${i}`, i)),
  })),
  ...Array.from({ length: 8 }, (_, i) => ({
    name: `xreg${i}`,
    ...at(W.REG + 2 * i, 0, 64),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', null, code(`OXM_OF_PKT_REG${i}`, 0x8001, i, 4)),
  })),
  ...Array.from({ length: 4 }, (_, i) => ({
    name: `xxreg${i}`,
    ...at(W.REG + 4 * i, 0, 128),
    ...is('mask', 'hexadecimal', 'none', 'rw'),
    ...on('no', 'no', nxmNx(`XXREG${i}`, 111 + i)),
  })),
];

const LAYER2 = [
  {
    name: 'eth_src',
    alias: 'dl_src',
    ...at(W.ETH, 48, 48),
    ...is('mask', 'ethernet', 'ethernet', 'rw'),
    ...on('exact', 'bitwise', nxmOf('ETH_SRC', 2), oxmOf('ETH_SRC', 4)),
  },
  {
    name: 'eth_dst',
    alias: 'dl_dst',
    ...at(W.ETH, 0, 48),
    ...is('mask', 'ethernet', 'ethernet', 'rw'),
    ...on('exact', 'bitwise', nxmOf('ETH_DST', 1), oxmOf('ETH_DST', 3)),
  },
  {
    name: 'eth_type',
    alias: 'dl_type',
    ...at(W.ETH_TYPE, 0, 16),
    ...is('exact', 'hexadecimal', 'ethernet', 'ro'),
    ...on('exact', 'exact', nxmOf('ETH_TYPE', 3), oxmOf('ETH_TYPE', 5)),
  },
  {
    name: 'vlan_tci',
    ...at(W.VLAN0, 16, 16),
    ...is('mask', 'hexadecimal', 'ethernet', 'rw'),
    ...on('exact', 'exact', nxmOf('VLAN_TCI', 4)),
  },
  {
    name: 'dl_vlan',
    ...at(W.VLAN0, 20, 12, 2),
    valid: 0xfffn,
    ...is('exact', 'decimal', 'ethernet', 'rw'),
    ...on('exact', 'exact', null),
  },
  {
    name: 'vlan_vid',
    ...at(W.VLAN0, 19, 13, 2, 12),
    valid: 0x1fffn,
    ...is('mask', 'decimal', 'ethernet', 'rw'),
    ...on('exact', 'exact', null, oxmOf('VLAN_VID', 6)),
  },
  {
    name: 'dl_vlan_pcp',
    ...at(W.VLAN0, 16, 3, 1),
    ...is('exact', 'decimal', 'ethernet', 'rw'),
    ...on('exact', 'exact', null),
  },
  {
    name: 'vlan_pcp',
    ...at(W.VLAN0, 16, 3, 1),
    ...is('exact', 'decimal', 'vlan', 'rw'),
    ...on('exact', 'exact', null, oxmOf('VLAN_PCP', 7)),
  },
  {
    name: 'mpls_label',
    ...at(W.MPLS, 0, 20, 4),
    ...is('exact', 'decimal', 'mpls', 'rw'),
    ...on('no', 'exact', null, oxmOf('MPLS_LABEL', 34)),
  },
  {
    name: 'mpls_tc',
    ...at(W.MPLS, 20, 3, 1),
    ...is('exact', 'decimal', 'mpls', 'rw'),
    ...on('no', 'exact', null, oxmOf('MPLS_TC', 35)),
  },
  {
    name: 'mpls_bos',
    ...at(W.MPLS, 23, 1, 1),
    ...is('exact', 'decimal', 'mpls', 'ro'),
    ...on('no', 'no', null, oxmOf('MPLS_BOS', 36, 4)),
  },
  {
    name: 'mpls_ttl',
    ...at(W.MPLS, 24, 8),
    ...is('exact', 'decimal', 'mpls', 'rw'),
    ...on('no', 'no', nxmNx('MPLS_TTL', 30)),
  },
] as const satisfies readonly FieldRow[];

const LAYER3 = [
  {
    name: 'ip_src',
    alias: 'nw_src',
    ...at(W.NW_SRC, 0, 32),
    ...is('mask', 'ipv4', 'ipv4', 'rw'),
    ...on('cidr', 'bitwise', nxmOf('IP_SRC', 7), oxmOf('IPV4_SRC', 11)),
  },
  {
    name: 'ip_dst',
    alias: 'nw_dst',
    ...at(W.NW_DST, 0, 32),
    ...is('mask', 'ipv4', 'ipv4', 'rw'),
    ...on('cidr', 'bitwise', nxmOf('IP_DST', 8), oxmOf('IPV4_DST', 12)),
  },
  {
    name: 'ipv6_src',
    ...at(W.IPV6_SRC, 0, 128),
    ...is('mask', 'ipv6', 'ipv6', 'rw'),
    ...on('no', 'no', nxmNx('IPV6_SRC', 19), oxmOf('IPV6_SRC', 26)),
  },
  {
    name: 'ipv6_dst',
    ...at(W.IPV6_DST, 0, 128),
    ...is('mask', 'ipv6', 'ipv6', 'rw'),
    ...on('no', 'no', nxmNx('IPV6_DST', 20), oxmOf('IPV6_DST', 27)),
  },
  {
    name: 'ipv6_label',
    ...at(W.IPV6_LABEL, 0, 32, 4, 20),
    whole: { asked: 0xfffff, kept: 0xffffffff },
    sentWhen: 'ip',
    ...is('mask', 'hexadecimal', 'ipv6', 'rw'),
    ...on('no', 'no', nxmNx('IPV6_LABEL', 27), oxmOf('IPV6_FLABEL', 28)),
  },
  {
    name: 'nw_proto',
    alias: 'ip_proto',
    ...at(W.NW, 0, 8),
    ...is('exact', 'decimal', 'ip', 'ro'),
    ...on('exact', 'exact', nxmOf('IP_PROTO', 6), oxmOf('IP_PROTO', 10)),
  },
  // Eight bits on the wire of which the lower two, ECN, are not part of the field.
  {
    name: 'nw_tos',
    ...at(W.NW, 8, 8),
    valid: 0xfcn,
    ...is('exact', 'decimal', 'ip', 'rw'),
    ...on('exact', 'exact', nxmOf('IP_TOS', 5)),
  },
  {
    name: 'ip_dscp',
    ...at(W.NW, 8, 6, 1),
    ...is('exact', 'decimal', 'ip', 'rw'),
    ...on('exact', 'exact', null, oxmOf('IP_DSCP', 8)),
  },
  {
    name: 'nw_ecn',
    alias: 'ip_ecn',
    ...at(W.NW, 14, 2, 1),
    ...is('exact', 'decimal', 'ip', 'rw'),
    ...on('no', 'exact', nxmNx('IP_ECN', 28), oxmOf('IP_ECN', 9)),
  },
  {
    name: 'nw_ttl',
    ...at(W.NW, 16, 8),
    ...is('exact', 'decimal', 'ip', 'rw'),
    ...on('no', 'no', nxmNx('IP_TTL', 29)),
  },
  {
    name: 'ip_frag',
    alias: 'nw_frag',
    ...at(W.NW, 24, 8, 1, 2),
    valid: 0x3n,
    whole: { asked: 0xff, kept: 0x3 },
    ...is('mask', 'frag', 'ip', 'ro'),
    ...on('no', 'no', nxmNx('IP_FRAG', 26)),
  },
  {
    name: 'arp_op',
    ...at(W.NW, 0, 8, 2, 16),
    valid: 0xffn,
    ...is('exact', 'decimal', 'arp', 'rw'),
    ...on('exact', 'exact', nxmOf('ARP_OP', 15), oxmOf('ARP_OP', 21)),
  },
  {
    name: 'arp_spa',
    ...at(W.NW_SRC, 0, 32),
    ...is('mask', 'ipv4', 'arp', 'rw'),
    ...on('cidr', 'bitwise', nxmOf('ARP_SPA', 16), oxmOf('ARP_SPA', 22)),
  },
  {
    name: 'arp_tpa',
    ...at(W.NW_DST, 0, 32),
    ...is('mask', 'ipv4', 'arp', 'rw'),
    ...on('cidr', 'bitwise', nxmOf('ARP_TPA', 17), oxmOf('ARP_TPA', 23)),
  },
  {
    name: 'arp_sha',
    ...at(W.ARP_HW, 0, 48),
    ...is('mask', 'ethernet', 'arp', 'rw'),
    ...on('no', 'no', nxmNx('ARP_SHA', 17), oxmOf('ARP_SHA', 24)),
  },
  {
    name: 'arp_tha',
    ...at(W.ARP_HW, 48, 48),
    ...is('mask', 'ethernet', 'arp', 'rw'),
    ...on('no', 'no', nxmNx('ARP_THA', 18), oxmOf('ARP_THA', 25)),
  },
] as const satisfies readonly FieldRow[];

const LAYER4 = [
  {
    name: 'tcp_src',
    alias: 'tp_src',
    ...at(W.TP, 0, 16),
    ...is('mask', 'decimal', 'tcp', 'rw'),
    ...on('exact', 'exact', nxmOf('TCP_SRC', 9), oxmOf('TCP_SRC', 13)),
  },
  {
    name: 'tcp_dst',
    alias: 'tp_dst',
    ...at(W.TP, 16, 16),
    ...is('mask', 'decimal', 'tcp', 'rw'),
    ...on('exact', 'exact', nxmOf('TCP_DST', 10), oxmOf('TCP_DST', 14)),
  },
  {
    name: 'tcp_flags',
    // Masks may have the four bits that no value has.
    ...at(W.ETH_TYPE, 16, 16, 2, 12),
    exactOnWire: true,
    ...is('mask', 'tcp_flags', 'tcp', 'ro'),
    ...on('no', 'no', nxmNx('TCP_FLAGS', 34), onf('TCP_FLAGS', 42), oxmOf('TCP_FLAGS', 42, 6)),
  },
  {
    name: 'udp_src',
    ...at(W.TP, 0, 16),
    ...is('mask', 'decimal', 'udp', 'rw'),
    ...on('exact', 'exact', nxmOf('UDP_SRC', 11), oxmOf('UDP_SRC', 15)),
  },
  {
    name: 'udp_dst',
    ...at(W.TP, 16, 16),
    ...is('mask', 'decimal', 'udp', 'rw'),
    ...on('exact', 'exact', nxmOf('UDP_DST', 12), oxmOf('UDP_DST', 16)),
  },
  {
    name: 'sctp_src',
    ...at(W.TP, 0, 16),
    ...is('mask', 'decimal', 'sctp', 'rw'),
    ...on('no', 'exact', null, oxmOf('SCTP_SRC', 17)),
  },
  {
    name: 'sctp_dst',
    ...at(W.TP, 16, 16),
    ...is('mask', 'decimal', 'sctp', 'rw'),
    ...on('no', 'exact', null, oxmOf('SCTP_DST', 18)),
  },
  {
    name: 'icmp_type',
    ...at(W.TP, 0, 16, 1, 8),
    ...is('exact', 'decimal', 'icmpv4', 'rw'),
    ...on('exact', 'exact', nxmOf('ICMP_TYPE', 13), oxmOf('ICMPV4_TYPE', 19)),
  },
  {
    name: 'icmp_code',
    ...at(W.TP, 16, 16, 1, 8),
    ...is('exact', 'decimal', 'icmpv4', 'rw'),
    ...on('exact', 'exact', nxmOf('ICMP_CODE', 14), oxmOf('ICMPV4_CODE', 20)),
  },
  {
    name: 'icmpv6_type',
    ...at(W.TP, 0, 16, 1, 8),
    ...is('exact', 'decimal', 'icmpv6', 'rw'),
    ...on('no', 'no', nxmNx('ICMPV6_TYPE', 21), oxmOf('ICMPV6_TYPE', 29)),
  },
  {
    name: 'icmpv6_code',
    ...at(W.TP, 16, 16, 1, 8),
    ...is('exact', 'decimal', 'icmpv6', 'rw'),
    ...on('no', 'no', nxmNx('ICMPV6_CODE', 22), oxmOf('ICMPV6_CODE', 30)),
  },
  {
    name: 'nd_target',
    ...at(W.ND_TARGET, 0, 128),
    ...is('mask', 'ipv6', 'nd', 'rw'),
    ...on('no', 'no', nxmNx('ND_TARGET', 23), oxmOf('IPV6_ND_TARGET', 31)),
  },
  {
    name: 'nd_sll',
    ...at(W.ARP_HW, 0, 48),
    ...is('mask', 'ethernet', 'nd_solicit', 'rw'),
    ...on('no', 'no', nxmNx('ND_SLL', 24), oxmOf('IPV6_ND_SLL', 32)),
  },
  {
    name: 'nd_tll',
    ...at(W.ARP_HW, 48, 48),
    ...is('mask', 'ethernet', 'nd_advert', 'rw'),
    ...on('no', 'no', nxmNx('ND_TLL', 25), oxmOf('IPV6_ND_TLL', 33)),
  },
  // An IPv6 packet has no IGMP and an ICMPv6 one no TCP flags, so their bits serve for these two.
  {
    name: 'nd_reserved',
    ...at(W.IGMP, 0, 32),
    ...is('exact', 'decimal', 'nd', 'rw'),
    ...on('no', 'no', ericsson('ICMPV6_ND_RESERVED', 1)),
  },
  {
    name: 'nd_options_type',
    // It stands where the flags of TCP are, and fills their bits.
    ...at(W.ETH_TYPE, 20, 12, 1, 8),
    ...is('exact', 'decimal', 'nd', 'rw'),
    ...on('no', 'no', ericsson('ICMPV6_ND_OPTIONS_TYPE', 2)),
  },
  {
    name: 'nsh_flags',
    ...at(W.NSH, 0, 8),
    ...is('mask', 'decimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('FLAGS', 1)),
  },
  {
    name: 'nsh_mdtype',
    min: 1,
    max: 2,
    ...at(W.NSH, 16, 8),
    ...is('exact', 'decimal', 'nsh', 'ro'),
    ...on('no', 'no', nxNsh('MDTYPE', 2)),
  },
  {
    name: 'nsh_np',
    ...at(W.NSH, 24, 8),
    ...is('exact', 'decimal', 'nsh', 'ro'),
    ...on('no', 'no', nxNsh('NP', 3)),
  },
  {
    name: 'nsh_spi',
    alias: 'nsp',
    ...at(W.NSH + 1, 0, 24, 4),
    ...is('exact', 'hexadecimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('SPI', 4)),
  },
  {
    name: 'nsh_si',
    alias: 'nsi',
    ...at(W.NSH + 1, 24, 8),
    ...is('exact', 'decimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('SI', 5)),
  },
  {
    name: 'nsh_c1',
    alias: 'nshc1',
    ...at(W.NSH + 2, 0, 32),
    ...is('mask', 'hexadecimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('C1', 6)),
  },
  {
    name: 'nsh_c2',
    alias: 'nshc2',
    ...at(W.NSH + 3, 0, 32),
    ...is('mask', 'hexadecimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('C2', 7)),
  },
  {
    name: 'nsh_c3',
    alias: 'nshc3',
    ...at(W.NSH + 4, 0, 32),
    ...is('mask', 'hexadecimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('C3', 8)),
  },
  {
    name: 'nsh_c4',
    alias: 'nshc4',
    ...at(W.NSH + 5, 0, 32),
    ...is('mask', 'hexadecimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('C4', 9)),
  },
  {
    name: 'nsh_ttl',
    max: 63,
    ...at(W.NSH, 8, 8),
    ...is('exact', 'decimal', 'nsh', 'rw'),
    ...on('no', 'no', nxNsh('TTL', 10)),
  },
] as const satisfies readonly FieldRow[];

/** The rows; `fields.ts` indexes them. */
export const FIELD_ROWS: readonly FieldRow[] = [...METADATA, ...REGISTERS, ...LAYER2, ...LAYER3, ...LAYER4];
