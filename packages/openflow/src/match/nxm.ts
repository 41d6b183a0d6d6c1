/**
 * TLV matches: nx_match (the Nicira extension of OpenFlow 1.0) and OXM (1.2 and later). One codec: the two differ in
 * code points, in how VLAN, DSCP and ports are said, and in nx_match carrying the cookie to match.
 */
import { exactMask, fieldPrereqsMet, getField, isValidValue, mustField } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { VLAN_CFI, W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { matchPrereqsMet, matchSet } from '@ovs-node/flow/match-fields';
import { addEthernetPrereq } from '@ovs-node/flow/match-text';
import { fail, guard, type OfError } from '../errors.js';
import { Reader, Writer } from '../wire.js';
import { putFieldHeader, readFieldHeader } from './headers.js';

/** NXM_NX_COOKIE: class 1, field 30, 8 bytes; MPLS TTL has the same number but 1 byte. */
const COOKIE_CLASS = 1;
const COOKIE_FIELD = 30;

/** A match with the cookie that nx_match can ask for. */
export interface NxMatch {
  readonly match: Match;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
}

/** Fields in the order sent, the same in each version; those in a version's `skip` are said by another field. */
const ORDER = [
  'packet_type dp_hash recirc_id conj_id in_port in_port_oxm actset_output eth_src eth_dst eth_type',
  'vlan_tci vlan_vid vlan_pcp mpls_tc mpls_bos mpls_ttl mpls_label',
  'ip_src ip_dst ipv6_src ipv6_dst ip_frag nw_tos ip_dscp nw_ecn nw_ttl ipv6_label nw_proto',
  'tcp_src tcp_dst tcp_flags udp_src udp_dst sctp_src sctp_dst icmp_type icmp_code icmpv6_type icmpv6_code',
  'nd_target nd_sll nd_tll nd_reserved nd_options_type arp_op arp_spa arp_tpa arp_sha arp_tha',
  'tun_id tun_flags tun_src tun_dst tun_ipv6_src tun_ipv6_dst tun_gbp_id tun_gbp_flags',
  'tun_erspan_ver tun_erspan_idx tun_erspan_dir tun_erspan_hwid tun_gtpu_flags tun_gtpu_msgtype',
  'nsh_flags nsh_ttl nsh_mdtype nsh_np nsh_spi nsh_si nsh_c1 nsh_c2 nsh_c3 nsh_c4',
  'reg0 reg1 reg2 reg3 reg4 reg5 reg6 reg7 reg8 reg9 reg10 reg11 reg12 reg13 reg14 reg15',
  'xreg0 xreg1 xreg2 xreg3 xreg4 xreg5 xreg6 xreg7',
  'pkt_mark ct_state ct_zone ct_mark ct_label ct_nw_proto ct_nw_src ct_nw_dst ct_ipv6_src ct_ipv6_dst ct_tp_src',
  'ct_tp_dst metadata',
]
  .join(' ')
  .split(' ')
  .map(mustField);

const REGS = Array.from({ length: 16 }, (_, i) => `reg${i}`);
const XREGS = Array.from({ length: 8 }, (_, i) => `xreg${i}`);
const NXM_SKIPS = new Set(['in_port_oxm', 'vlan_vid', 'vlan_pcp', 'ip_dscp', ...XREGS]);
const OXM_SKIPS = new Set(['in_port', 'vlan_tci', 'nw_tos', ...XREGS]);
/** OpenFlow 1.5 has made the registers its own, in pairs. */
const OXM15_SKIPS = new Set(['in_port', 'vlan_tci', 'nw_tos', ...REGS]);
/** Fields of an ORDER that a word of the mask can concern, so that sparse matches cost little. */
const WORDS = ORDER.map((f) => {
  const words: number[] = [];
  for (let w = f.offset >> 5; w <= (f.offset + f.keyBits - 1) >> 5; w++) words.push(w);
  return words;
});

function putEntry(w: Writer, f: Field, version: number, value: bigint, mask: bigint): void {
  // Of 16 tunnel flags only one exists so far; that the others do not matter is said.
  const full = f.name === 'tun_flags' ? 0xffffn : (f.valid ?? exactMask(f));
  const masked = (mask & full) !== full;
  putFieldHeader(w, f, version, masked);
  w.big(value, f.bytes);
  if (masked) w.big(mask, f.bytes);
}

/** Writes the fields of a match, without header or padding. */
export function putFields(w: Writer, match: Match, version: number): void {
  const skips = version >= 6 ? OXM15_SKIPS : version >= 3 ? OXM_SKIPS : NXM_SKIPS;
  for (let i = 0; i < ORDER.length; i++) {
    const f = ORDER[i];
    if (!WORDS[i].some((word) => match.mask[word] !== 0) || skips.has(f.name)) continue;
    if (f.name === 'vlan_vid' || f.name === 'vlan_pcp') {
      putVlan(w, f, match, version);
      continue;
    }
    const mask = getField(match.mask, f);
    // That packets are Ethernet goes without saying.
    if (f.name === 'packet_type' && match.key[W.PACKET_TYPE] === 0) continue;
    if (mask === 0n || (f.prereq !== 'none' && !fieldPrereqsMet(f, match.key))) continue;
    putEntry(w, f, version, getField(match.key, f), mask);
  }
}

/** OXM says the id with its "present" bit, and the priority apart. */
function putVlan(w: Writer, f: Field, match: Match, version: number): void {
  const tci = match.key[W.VLAN0] & 0xffff;
  const mask = match.mask[W.VLAN0] & 0xffff;
  if (f.name === 'vlan_vid') {
    const vidMask = mask & 0x1fff;
    if (vidMask !== 0) {
      const masked = vidMask !== 0x1fff;
      putFieldHeader(w, f, version, masked);
      w.u16(tci & 0x1fff);
      if (masked) w.u16(vidMask);
    }
  } else if ((mask & 0xe000) !== 0 && (tci & VLAN_CFI) !== 0) {
    putFieldHeader(w, f, version, false);
    w.u8(tci >> 13);
  }
}

/** Reads fields to the end of `r`. `strict`: an unknown field is an error and not passed over. */
export function readFields(r: Reader, strict = true): NxMatch {
  const match = new Match();
  let cookie = 0n;
  let cookieMask = 0n;
  const seen = new Set<string>();
  while (r.left > 0) {
    if (r.left < 4) fail('OFPBMC_BAD_LEN', `${r.left} bytes after the last field`);
    const h = readFieldHeader(r);
    if (h.length > r.left) fail('OFPBMC_BAD_LEN', `length ${h.length} of field ${h.cls}:${h.code}`);
    if (h.cls === COOKIE_CLASS && h.code === COOKIE_FIELD && h.length >= 8) {
      if (h.length !== (h.masked ? 16 : 8)) fail('OFPBMC_BAD_LEN', 'length of the cookie');
      if (cookieMask !== 0n) fail('OFPBMC_DUP_FIELD', 'cookie');
      cookie = r.u64();
      cookieMask = h.masked ? r.u64() : 0xffffffffffffffffn;
      continue;
    }
    const f = h.field;
    if (!f) {
      if (strict) fail('OFPBMC_BAD_FIELD', `field ${h.cls}:${h.code}`);
      r.skip(h.length);
      continue;
    }
    if (h.length !== f.bytes * (h.masked ? 2 : 1)) fail('OFPBMC_BAD_LEN', `length ${h.length} of ${f.name}`);
    const value = r.big(f.bytes);
    const all = (1n << BigInt(8 * f.bytes)) - 1n;
    const mask = h.masked ? r.big(f.bytes) : all;
    if (h.masked && !f.maskable && mask !== all) fail('OFPBMC_BAD_MASK', `mask on ${f.name}`);
    if ((value & ~mask) !== 0n)
      fail('OFPBMC_BAD_WILDCARDS', `value of ${f.name} has bits outside of its mask`);
    if (!matchPrereqsMet(match, f)) fail('OFPBMC_BAD_PREREQ', f.name);
    if (seen.has(f.name) || getField(match.mask, f) !== 0n) {
      if (f.name !== 'vlan_pcp' || seen.has(f.name)) fail('OFPBMC_DUP_FIELD', f.name);
    }
    seen.add(f.name);
    if (!isValidValue(f, value)) fail('OFPBMC_BAD_VALUE', `value of ${f.name}`);
    matchSet(match, f, value, mask);
    addEthernetPrereq(match, f);
  }
  return { match, cookie, cookieMask };
}

/** Writes a nx_match (fields and, when asked for, the cookie), zero-padded to 8 bytes; returns its length without padding. */
export function putNxMatch(w: Writer, match: Match, cookie = 0n, cookieMask = 0n): number {
  const start = w.length;
  putFields(w, match, 1);
  if (cookieMask !== 0n) {
    const masked = cookieMask !== 0xffffffffffffffffn;
    w.u16(COOKIE_CLASS)
      .u8((COOKIE_FIELD << 1) | (masked ? 1 : 0))
      .u8(masked ? 16 : 8)
      .u64(cookie & cookieMask);
    if (masked) w.u64(cookieMask);
  }
  const length = w.length - start;
  w.pad(8, start);
  return length;
}

/** Reads a nx_match of `length` bytes and its padding to 8. */
export function readNxMatch(r: Reader, length: number, strict = true): NxMatch {
  const fields = r.sub(length, 'OFPBMC_BAD_LEN');
  r.skip((8 - (length % 8)) % 8);
  return readFields(fields, strict);
}

const OFPMT_OXM = 1;

/** Writes an OXM match: type, length, fields, padding to 8 bytes. */
export function putOxmMatch(w: Writer, match: Match, version: number): void {
  const start = w.length;
  w.u16(OFPMT_OXM).u16(0);
  putFields(w, match, version);
  w.setU16(start + 2, w.length - start);
  w.pad(8, start);
}

/** Reads an OXM match with its padding. */
export function readOxmMatch(r: Reader, strict = true): Match {
  const type = r.u16();
  const length = r.u16();
  if (type !== OFPMT_OXM) fail('OFPBMC_BAD_TYPE', `match type ${type}`);
  if (length < 4) fail('OFPBMC_BAD_LEN', `match length ${length}`);
  const fields = r.sub(length - 4, 'OFPBMC_BAD_LEN');
  const { match, cookieMask } = readFields(fields, strict);
  if (cookieMask !== 0n) fail('OFPBMC_BAD_FIELD', 'cookie in an OXM match');
  r.skip((8 - (length % 8)) % 8);
  return match;
}

/** The bytes of the fields of a match, as `version` has them (1: nx_match). */
export function encodeMatchFields(match: Match, version: number): Uint8Array {
  const w = new Writer();
  putFields(w, match, version);
  return w.finish();
}

/** The match in `bytes`, a nx_match or OXM fields without header. */
export function decodeMatchFields(bytes: Uint8Array): NxMatch | OfError {
  return guard(() => readFields(new Reader(bytes, 0, bytes.length, 'OFPBMC_BAD_LEN')));
}
