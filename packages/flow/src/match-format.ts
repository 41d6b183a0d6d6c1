import { formatIp4Masked, formatIp6Words, formatMacWords } from './addr-text.js';
import { formatMatchFrag, formatPacketType } from './field-text.js';
import { CT_STATE_FLAGS, type FlagSet, formatFlags, formatFlagsMasked, TCP_FLAGS } from './flags-text.js';
import { altHex } from './int-text.js';
import { VLAN_CFI, W } from './layout.js';
import { Match, type MatchWords, ReadArea } from './match.js';
import { formatPort, type PortMap } from './ports.js';
import { formatTunMetadata } from './tun-metadata.js';

/**
 * A match as `ovs-ofctl dump-flows` prints it: the order, abbreviations (`tcp`, `dl_vlan`) and number forms are
 * the peer's and part of the contract. Written by hand over words: 100,000 flows are printed at a time.
 */

/** What `formatMatch` takes beside the match. */
export interface MatchFormat {
  /** Printed first as `priority=N` unless it is the default, 32768. */
  readonly priority?: number;
  /** Names to print instead of port numbers. */
  readonly ports?: PortMap | undefined;
}

/** The priority that flow text leaves out (OpenFlow 1.0, OFP_DEFAULT_PRIORITY). */
export const DEFAULT_PRIORITY = 0x8000;

/** All tunnel flags, as the datapath has them; OpenFlow matches on `oam` alone. */
const TUNNEL_KEY_FLAGS: FlagSet = {
  what: 'tunnel',
  names: ['oam', 'df', 'csum', 'key'],
  allowed: 0xf,
};

const L4_NAMES: Readonly<Record<number, readonly [v4: string | undefined, v6: string | undefined]>> = {
  1: ['icmp', undefined],
  6: ['tcp', 'tcp6'],
  17: ['udp', 'udp6'],
  58: [undefined, 'icmp6'],
  132: ['sctp', 'sctp6'],
};
const L2_NAMES: Readonly<Record<number, string>> = {
  0x0806: 'arp',
  0x8035: 'rarp',
  0x8847: 'mpls',
  0x8848: 'mplsm',
};

/** `name=0xV,` or `name=0xV/0xM,` of a 32-bit word; '' when not matched. */
function hex32(name: string, value: number, mask: number): string {
  if (mask === 0) return '';
  return mask === 0xffffffff ? `${name}=${altHex(value)},` : `${name}=${altHex(value)}/${altHex(mask)},`;
}

/** `name=N,` or `name=0xV/0xM,`, where `full` is the exact mask. */
function dec(name: string, value: number, mask: number, full: number): string {
  if (mask === 0) return '';
  if (mask === full) return `${name}=${value},`;
  const digits = full > 0xffff ? 8 : 1;
  const hex = (n: number): string => n.toString(16).padStart(digits, '0');
  return `${name}=0x${hex(value)}/0x${hex(mask)},`;
}

/** A 64-bit or 128-bit field in hexadecimal. */
function hexWide(name: string, match: MatchWords, word: number, words: number, zero: string): string {
  let any = 0;
  let all = 0xffffffff;
  let value = 0n;
  let mask = 0n;
  for (let i = word; i < word + words; i++) {
    const m = match.mask[i]!;
    any |= m;
    all &= m;
  }
  if (any === 0) return '';
  for (let i = word; i < word + words; i++) {
    value = (value << 32n) | BigInt(match.key[i]!);
    mask = (mask << 32n) | BigInt(match.mask[i]!);
  }
  const v = value === 0n ? zero : '0x' + value.toString(16);
  return all >>> 0 === 0xffffffff ? `${name}=${v},` : `${name}=${v}/0x${mask.toString(16)},`;
}

function ip4(name: string, match: MatchWords, word: number): string {
  const m = match.mask[word]!;
  return m === 0 ? '' : `${name}=${formatIp4Masked(match.key[word]!, m)},`;
}

function ip6(name: string, match: MatchWords, word: number): string {
  const { key: k, mask: m } = match;
  const [a, b, c, d] = [m[word]!, m[word + 1]!, m[word + 2]!, m[word + 3]!];
  if ((a | b | c | d) === 0) return '';
  const text = formatIp6Words(k[word]!, k[word + 1]!, k[word + 2]!, k[word + 3]!);
  // A prefix is ones followed by zeros over the four words.
  let bits = 0;
  let word32 = a;
  let at = 0;
  while (word32 === 0xffffffff) {
    bits += 32;
    if (++at === 4) return `${name}=${text},`;
    word32 = m[word + at]!;
  }
  const inverse = ~word32 >>> 0;
  let cidr = (inverse & (inverse + 1)) === 0;
  bits += Math.clz32(inverse);
  for (let i = at + 1; i < 4; i++) if (m[word + i] !== 0) cidr = false;
  return cidr ? `${name}=${text}/${bits},` : `${name}=${text}/${formatIp6Words(a, b, c, d)},`;
}

/** An Ethernet address of 48 bits that begins at the upper (`half` 0) or lower (1) half of `word`. */
function mac(name: string, match: MatchWords, word: number, half: 0 | 1): string {
  const { key: k, mask: m } = match;
  const mh = half === 0 ? m[word]! >>> 16 : m[word]! & 0xffff;
  const ml = half === 0 ? ((m[word]! << 16) | (m[word + 1]! >>> 16)) >>> 0 : m[word + 1]!;
  if ((mh | ml) === 0) return '';
  const h = half === 0 ? k[word]! >>> 16 : k[word]! & 0xffff;
  const l = half === 0 ? ((k[word]! << 16) | (k[word + 1]! >>> 16)) >>> 0 : k[word + 1]!;
  const text = formatMacWords(h, l);
  return mh === 0xffff && ml === 0xffffffff
    ? `${name}=${text},`
    : `${name}=${text}/${formatMacWords(mh, ml)},`;
}

function formatCt(match: MatchWords): string {
  const { key: k, mask: m } = match;
  let s = '';
  const stateMask = m[W.CT_STATE]!;
  if (stateMask !== 0) {
    s +=
      (stateMask & 0xff) === 0xff
        ? `ct_state=${formatFlags(CT_STATE_FLAGS, k[W.CT_STATE]!)},`
        : `ct_state=${formatFlagsMasked(CT_STATE_FLAGS, k[W.CT_STATE]!, stateMask)},`;
  }
  s += dec('ct_zone', k[W.CT_ZONE]! >>> 16, m[W.CT_ZONE]! >>> 16, 0xffff);
  s += hex32('ct_mark', k[W.CT_MARK]!, m[W.CT_MARK]!);
  s += hexWide('ct_label', match, W.CT_LABEL, 4, '0');
  s += ip4('ct_nw_src', match, W.CT_NW_SRC);
  s += ip6('ct_ipv6_src', match, W.CT_IPV6_SRC);
  s += ip4('ct_nw_dst', match, W.CT_NW_DST);
  s += ip6('ct_ipv6_dst', match, W.CT_IPV6_DST);
  if ((m[W.CT_ZONE]! & 0xff) !== 0) {
    s += `ct_nw_proto=${k[W.CT_ZONE]! & 0xff},`;
    s += dec('ct_tp_src', k[W.CT_TP]! >>> 16, m[W.CT_TP]! >>> 16, 0xffff);
    s += dec('ct_tp_dst', k[W.CT_TP]! & 0xffff, m[W.CT_TP]! & 0xffff, 0xffff);
  }
  return s;
}

function formatTunnel(match: MatchWords): string {
  const { key: k, mask: m } = match;
  let s = hexWide('tun_id', match, W.TUN_ID, 2, '0');
  s += ip4('tun_src', match, W.TUN_SRC);
  s += ip4('tun_dst', match, W.TUN_DST);
  s += ip6('tun_ipv6_src', match, W.TUN_IPV6_SRC);
  s += ip6('tun_ipv6_dst', match, W.TUN_IPV6_DST);
  s += dec('tun_gbp_id', k[W.TUN_GBP]! >>> 16, m[W.TUN_GBP]! >>> 16, 0xffff);
  if ((m[W.TUN_GBP]! & 0xff) !== 0) s += `tun_gbp_flags=${altHex(k[W.TUN_GBP]! & 0xff)},`;
  const f = W.TUN_FLAGS;
  // Hexadecimal, but without saying so.
  if (((m[f]! >>> 8) & 0xff) !== 0) s += `tun_tos=${((k[f]! >>> 8) & 0xff).toString(16)},`;
  if ((m[f]! & 0xff) !== 0) s += `tun_ttl=${k[f]! & 0xff},`;
  const ext = W.TUN_EXT + 1;
  const version = (k[ext]! >>> 16) & 0xff;
  if ((m[ext]! & 0xff0000) !== 0) s += `tun_erspan_ver=${version},`;
  if (version === 1 && m[W.TUN_EXT] !== 0) s += `tun_erspan_idx=${altHex(k[W.TUN_EXT]!)},`;
  if (version === 2) {
    // Both are left out when they are 0, even when matched on.
    const [dir, hwid] = [(k[ext]! >>> 8) & 0xff, (k[W.TUN_GBP]! >>> 8) & 0xff];
    if (dir !== 0) s += `tun_erspan_dir=${dir},`;
    if (hwid !== 0) s += `tun_erspan_hwid=${altHex(hwid)},`;
  }
  if (m[ext]! >>> 24 !== 0) s += `gtpu_flags=${altHex(k[ext]! >>> 24)},`;
  if ((m[ext]! & 0xff) !== 0) s += `gtpu_msgtype=${k[ext]! & 0xff},`;
  const flagMask = (m[f]! >>> 16) & TUNNEL_KEY_FLAGS.allowed;
  if (flagMask !== 0) {
    const flags = (k[f]! >>> 16) & flagMask;
    s +=
      flagMask === TUNNEL_KEY_FLAGS.allowed
        ? `tun_flags=${formatFlags(TUNNEL_KEY_FLAGS, flags)},`
        : `tun_flags=${formatFlagsMasked(TUNNEL_KEY_FLAGS, flags, flagMask)},`;
  }
  return s + formatTunMetadata(match.tunMetadata);
}

function formatVlans(match: MatchWords): string {
  let s = '';
  for (let i = 0; i < 2; i++) {
    const mask = match.mask[W.VLAN0 + i]! & 0xffff;
    const tci = match.key[W.VLAN0 + i]! & 0xffff;
    if (mask === 0) break;
    const n = i === 0 ? '' : String(i);
    const vidMask = mask & 0x0fff;
    const pcpMask = mask & 0xe000;
    if (
      (mask & tci & VLAN_CFI) !== 0 &&
      (vidMask === 0 || vidMask === 0x0fff) &&
      (pcpMask === 0 || pcpMask === 0xe000) &&
      (vidMask | pcpMask) !== 0
    ) {
      if (vidMask !== 0) s += `dl_vlan${n}=${tci & 0x0fff},`;
      if (pcpMask !== 0) s += `dl_vlan_pcp${n}=${tci >>> 13},`;
    } else {
      const hex4 = (v: number): string => '0x' + v.toString(16).padStart(4, '0');
      s += mask === 0xffff ? `vlan_tci${n}=${hex4(tci)},` : `vlan_tci${n}=${hex4(tci)}/${hex4(mask)},`;
    }
  }
  return s;
}

function formatNsh(match: MatchWords): string {
  const { key: k, mask: m } = match;
  const byte = (name: string, word: number, shift: number): string => {
    const mask = (m[word]! >>> shift) & 0xff;
    if (mask === 0) return '';
    const value = (k[word]! >>> shift) & 0xff;
    const hex2 = (v: number): string => '0x' + v.toString(16).padStart(2, '0');
    return mask === 0xff ? `${name}=${value},` : `${name}=${hex2(value)}/${hex2(mask)},`;
  };
  let s = byte('nsh_flags', W.NSH, 24);
  s += byte('nsh_ttl', W.NSH, 16) + byte('nsh_mdtype', W.NSH, 8) + byte('nsh_np', W.NSH, 0);
  const spiMask = m[W.NSH + 1]! >>> 8;
  if (spiMask !== 0) {
    s += `nsh_spi=0x${(k[W.NSH + 1]! >>> 8).toString(16)}${spiMask === 0xffffff ? '' : '/0x' + spiMask.toString(16)},`;
  }
  s += byte('nsh_si', W.NSH + 1, 0);
  // Only MD type 1 has contexts.
  for (let i = 1; i <= 4 && ((k[W.NSH]! >>> 8) & 0xff) === 1; i++) {
    const mask = m[W.NSH + 1 + i]!;
    if (mask === 0) continue;
    s += `nsh_c${i}=0x${k[W.NSH + 1 + i]!.toString(16)}${mask === 0xffffffff ? '' : '/0x' + mask.toString(16)},`;
  }
  return s;
}

function formatMpls(match: MatchWords): string {
  const { key: k, mask: m } = match;
  const lse = k[W.MPLS]!;
  const mask = m[W.MPLS]!;
  let s = '';
  if (mask >>> 12 !== 0) s += `mpls_label=${lse >>> 12},`;
  if ((mask & 0xe00) !== 0) s += `mpls_tc=${(lse >>> 9) & 7},`;
  if ((mask & 0xff) !== 0) s += `mpls_ttl=${lse & 0xff},`;
  if ((mask & 0x100) !== 0) s += `mpls_bos=${(lse >>> 8) & 1},`;
  s += dec('mpls_lse1', k[W.MPLS + 1]!, m[W.MPLS + 1]!, 0xffffffff);
  return s + dec('mpls_lse2', k[W.MPLS + 2]!, m[W.MPLS + 2]!, 0xffffffff);
}

/** The match as flow text: `tcp,in_port=1,nw_src=10.0.0.0/8`; '' for one that matches everything. */
export function formatMatch(match: Match | MatchWords, options: MatchFormat = {}): string {
  return formatWords(match instanceof Match ? area.load(match) : match, options);
}

const area = new ReadArea();

function formatWords(match: MatchWords, options: MatchFormat): string {
  const { key: k, mask: m } = match;
  let s = '';
  if (options.priority !== undefined && options.priority !== DEFAULT_PRIORITY) {
    s += `priority=${options.priority},`;
  }
  s += hex32('pkt_mark', k[W.PKT_MARK]!, m[W.PKT_MARK]!);
  // A match on the recirculation id is one of the datapath, where the packet type is always of interest.
  const megaflow = m[W.RECIRC_ID] !== 0;
  s += hex32('recirc_id', k[W.RECIRC_ID]!, m[W.RECIRC_ID]!);
  s += hex32('dp_hash', k[W.DP_HASH]!, m[W.DP_HASH]!);
  if (m[W.CONJ_ID] !== 0) s += `conj_id=${k[W.CONJ_ID]!},`;
  if (m[W.SKB_PRIORITY] !== 0) s += `skb_priority=${altHex(k[W.SKB_PRIORITY]!)},`;
  if (m[W.ACTSET_OUTPUT] !== 0) s += `actset_output=${formatPort(k[W.ACTSET_OUTPUT]!, options.ports)},`;
  s += formatCt(match);

  let type = k[W.ETH_TYPE]! >>> 16;
  /** Whether the packet has a type of Ethernet's, its own or one that it is said to be. */
  let isEthernet = true;
  const typeMask = m[W.ETH_TYPE]! >>> 16;
  if (m[W.PACKET_TYPE] !== 0) {
    const packetType = k[W.PACKET_TYPE]!;
    if (packetType !== 0) {
      s += `packet_type=${formatPacketType(packetType)},`;
      if (packetType >>> 16 === 1) type = packetType & 0xffff;
      else isEthernet = false;
    } else if (megaflow) {
      s += 'eth,';
    }
  }
  const proto = k[W.NW]! >>> 24;
  const protoMask = m[W.NW]! >>> 24;
  let showType = typeMask !== 0;
  let showProto = protoMask !== 0;
  if (typeMask !== 0) {
    showType = false;
    if (type === 0x0800 || type === 0x86dd) {
      const six = type === 0x0800 ? 0 : 1;
      const name = protoMask === 0 ? undefined : L4_NAMES[proto]?.[six];
      if (name !== undefined) showProto = false;
      s += `${name ?? (six === 0 ? 'ip' : 'ipv6')},`;
    } else if (L2_NAMES[type] !== undefined) {
      s += `${L2_NAMES[type]},`;
    } else {
      showType = true;
    }
  }
  for (let i = 0; i < 16; i++) {
    if (m[W.REG + i] !== 0) s += hex32(`reg${i}`, k[W.REG + i]!, m[W.REG + i]!);
  }
  s += formatTunnel(match);
  s += hexWide('metadata', match, W.METADATA, 2, '0');
  if (m[W.IN_PORT] !== 0) s += `in_port=${formatPort(k[W.IN_PORT]!, options.ports)},`;
  s += formatVlans(match);
  s += mac('dl_src', match, W.ETH + 1, 1);
  s += mac('dl_dst', match, W.ETH, 0);
  if (showType) s += `dl_type=0x${type.toString(16).padStart(4, '0')},`;

  const arp = type === 0x0806 || type === 0x8035;
  if (type === 0x86dd) {
    s += ip6('ipv6_src', match, W.IPV6_SRC) + ip6('ipv6_dst', match, W.IPV6_DST);
    const labelMask = m[W.IPV6_LABEL]!;
    if (labelMask !== 0) {
      const hex5 = (v: number): string => '0x' + v.toString(16).padStart(5, '0');
      s += `ipv6_label=${hex5(k[W.IPV6_LABEL]!)}${labelMask === 0xffffffff ? '' : '/' + hex5(labelMask)},`;
    }
  } else if (arp) {
    s += ip4('arp_spa', match, W.NW_SRC) + ip4('arp_tpa', match, W.NW_DST);
  } else if (type === 0x894f) {
    s += formatNsh(match);
  } else {
    s += ip4('nw_src', match, W.NW_SRC) + ip4('nw_dst', match, W.NW_DST);
  }
  if (showProto) s += `${arp ? 'arp_op' : 'nw_proto'}=${proto},`;
  if (arp) s += mac('arp_sha', match, W.ARP_HW, 0) + mac('arp_tha', match, W.ARP_HW + 1, 1);
  const nw = k[W.NW]!;
  const nwMask = m[W.NW]!;
  if ((nwMask & 0x00fc0000) !== 0) s += `nw_tos=${(nw >>> 16) & 0xfc},`;
  if ((nwMask & 0x00030000) !== 0) s += `nw_ecn=${(nw >>> 16) & 3},`;
  if ((nwMask & 0xff00) !== 0) s += `nw_ttl=${(nw >>> 8) & 0xff},`;
  if ((m[W.MPLS]! | m[W.MPLS + 1]! | m[W.MPLS + 2]!) !== 0) s += formatMpls(match);
  if ((nwMask & 3) !== 0) s += `nw_frag=${formatMatchFrag(nw & 3, nwMask & 3)},`;
  s += formatL4(match, type, proto, isEthernet);
  return s.endsWith(',') ? s.slice(0, -1) : s;
}

function formatL4(match: MatchWords, type: number, proto: number, isEthernet: boolean): string {
  const { key: k, mask: m } = match;
  const src = k[W.TP]! >>> 16;
  const dst = k[W.TP]! & 0xffff;
  const srcMask = m[W.TP]! >>> 16;
  const dstMask = m[W.TP]! & 0xffff;
  const low = k[W.ETH_TYPE]! & 0xffff;
  const lowMask = m[W.ETH_TYPE]! & 0xffff;
  let s: string;
  if (type === 0x0800 && proto === 1) {
    s = dec('icmp_type', src, srcMask, 0xffff) + dec('icmp_code', dst, dstMask, 0xffff);
  } else if (type === 0x86dd && proto === 58) {
    s = dec('icmp_type', src, srcMask, 0xffff) + dec('icmp_code', dst, dstMask, 0xffff);
    s += ip6('nd_target', match, W.ND_TARGET);
    s += mac('nd_sll', match, W.ARP_HW, 0) + mac('nd_tll', match, W.ARP_HW + 1, 1);
    s += dec('nd_reserved', k[W.IGMP]!, m[W.IGMP]!, 0xffffffff);
    if (lowMask !== 0) s += `nd_options_type=${low & 0xff},`;
  } else {
    s = dec('tp_src', src, srcMask, 0xffff) + dec('tp_dst', dst, dstMask, 0xffff);
  }
  if (isEthernet && (type === 0x0800 || type === 0x86dd) && proto === 6 && lowMask !== 0) {
    s +=
      (lowMask & 0xfff) === 0xfff
        ? `tcp_flags=${formatFlags(TCP_FLAGS, low)},`
        : `tcp_flags=${formatFlagsMasked(TCP_FLAGS, low, lowMask & 0xfff) || '0/0'},`;
  }
  return s;
}
