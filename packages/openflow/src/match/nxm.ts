/**
 * TLV matches: nx_match (the Nicira extension of OpenFlow 1.0) and OXM (1.2 and later). One codec: the two differ in
 * code points, in how VLAN, DSCP and ports are said, and in nx_match carrying the cookie to match.
 */
import { fieldPrereqsMet, headersMet, mustField } from '@ovs-node/flow/fields';
import type { Field, Prereq } from '@ovs-node/flow/field-types';
import {
  type FieldPlace,
  fieldPlace,
  isExactMask,
  isValidWords,
  isZero,
  newValue,
  putField,
  readPlace,
} from '@ovs-node/flow/field-words';
import { KEY_WORDS, W } from '@ovs-node/flow/layout';
import { clearWords, Match, type MatchWords, newWords, ReadArea } from '@ovs-node/flow/match';
import { addEthernetPrereq } from '@ovs-node/flow/match-text';
import {
  byteLength,
  insertTunMetadata,
  onesOf,
  TUN_METADATA_BYTES,
  TUN_METADATA_FIELDS,
  TUN_METADATA_TOTAL,
  type TunMetadata,
  tunMetadataBytes,
} from '@ovs-node/flow/tun-metadata';
import { DecodeFailure, fail, guard, type OfError, refuse } from '../errors.js';
import { Reader, Writer } from '../wire.js';
import {
  type FieldHeader,
  fieldHeaderLength,
  isLengthOf,
  putFieldHeader,
  readFieldBytes,
  readFieldHeader,
} from './headers.js';
import { isPlainPrereq, MatchTemplates, type WrittenValue } from './templates.js';

/** NXM_NX_COOKIE: class 1, field 30, 8 bytes; MPLS TTL has the same number but 1 byte. */
const COOKIE_CLASS = 1;
const COOKIE_FIELD = 30;

/** A match with the cookie that nx_match can ask for. */
export interface NxMatch {
  readonly match: Match;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
}

/** Fields in the order sent, behind the packet's type, the same in each version; another field says those in its `skip`. */
const ORDER = [
  'dp_hash recirc_id conj_id in_port in_port_oxm actset_output eth_src eth_dst eth_type',
  'vlan_tci vlan_vid vlan_pcp mpls_tc mpls_bos mpls_ttl mpls_label',
  'ip_src ip_dst ipv6_src ipv6_dst ip_frag nw_tos ip_dscp nw_ecn nw_ttl ipv6_label nw_proto',
  'tcp_src tcp_dst tcp_flags udp_src udp_dst sctp_src sctp_dst icmp_type icmp_code icmpv6_type icmpv6_code',
  'nd_reserved nd_target nd_options_type nd_sll nd_tll arp_op arp_spa arp_tpa arp_sha arp_tha',
  'tun_id tun_flags tun_src tun_dst tun_ipv6_src tun_ipv6_dst tun_gbp_id tun_gbp_flags',
  'tun_erspan_idx tun_erspan_ver tun_erspan_dir tun_erspan_hwid tun_gtpu_flags tun_gtpu_msgtype',
  'nsh_flags nsh_ttl nsh_mdtype nsh_np nsh_spi nsh_si nsh_c1 nsh_c2 nsh_c3 nsh_c4',
  'reg0 reg1 reg2 reg3 reg4 reg5 reg6 reg7 reg8 reg9 reg10 reg11 reg12 reg13 reg14 reg15',
  'xreg0 xreg1 xreg2 xreg3 xreg4 xreg5 xreg6 xreg7',
  'pkt_mark ct_state ct_zone ct_mark ct_label ct_nw_src ct_ipv6_src ct_nw_dst ct_ipv6_dst ct_nw_proto ct_tp_src',
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

const PACKET_TYPE = mustField('packet_type');
const TUNNEL_OPTIONS = Array.from({ length: TUN_METADATA_FIELDS }, (_, i) => mustField(`tun_metadata${i}`));

const CT_PORTS = new Set(['ct_nw_proto', 'ct_tp_src', 'ct_tp_dst']);

/** A field that a version sends, in the order of sending. */
interface Sent {
  readonly field: Field;
  readonly place: FieldPlace;
  /** What the match must be for it to be sent: not always what it must be for it to be understood. */
  readonly when: Prereq;
  /** There in Ethernet packets only: the type of the packet need not be said. */
  readonly saysEthernet: boolean;
  /** Sent in two parts or in one that is not the field's own. */
  readonly isVlan: boolean;
  readonly isEthType: boolean;
  /** Goes with the protocol of a connection. */
  readonly isCtPort: boolean;
  /** Within one word of the key, and in as many bytes at most. */
  readonly isShort: boolean;
  /** Whether it is sent hangs on nothing but what templates compare. */
  readonly isPlain: boolean;
}

const SENT_ANYHOW: readonly Prereq[] = ['ethernet', 'nsh', 'ct'];

function sentWhen({ prereq, sentWhen: when }: Field): Prereq {
  return when ?? (SENT_ANYHOW.includes(prereq) ? 'none' : prereq);
}

/**
 * For one version: the fields sent, and for each word of a key which of them have bits in it, as sets of 32 indices
 * each. So encoding looks at the few fields that a match can have and not at all of them.
 */
interface Plan {
  readonly sent: readonly Sent[];
  /** Index of the first field that comes after the tunnel's options. */
  readonly afterOptions: number;
  readonly byWord: readonly Uint32Array[];
}

function planOf(skips: ReadonlySet<string>): Plan {
  const sent = ORDER.filter((f) => !skips.has(f.name)).map((field) => {
    const place = fieldPlace(field);
    const isVlan = place.word === W.VLAN0 && field.name !== 'vlan_tci';
    const isCtPort = CT_PORTS.has(field.name);
    return {
      field,
      place,
      when: sentWhen(field),
      saysEthernet: field.prereq !== 'none',
      isVlan,
      isEthType: field.name === 'eth_type',
      isCtPort,
      isShort: place.kind === 'word' && field.bytes <= 4,
      isPlain: !isCtPort && isPlainPrereq(sentWhen(field)),
    };
  });
  const sets = Math.ceil(sent.length / 32);
  const byWord = Array.from({ length: KEY_WORDS }, () => new Uint32Array(sets));
  for (const [i, { place }] of sent.entries()) {
    for (let w = place.word; w < place.word + place.words; w++) byWord[w][i >> 5] |= 1 << (i & 31);
  }
  return { sent, afterOptions: sent.findIndex(({ field }) => field.name === 'tun_erspan_idx'), byWord };
}

const NXM_PLAN = planOf(NXM_SKIPS);
const OXM_PLAN = planOf(OXM_SKIPS);
const OXM15_PLAN = planOf(OXM15_SKIPS);

/** In place of a version: as the extension has it in all of them. */
export const NX_MATCH = 0;

/** The match being encoded, and the one being decoded. */
const readArea = new ReadArea();
const area = newWords();
const todo = new Uint32Array(Math.ceil(ORDER.length / 32));
const value = newValue();
const mask = newValue();

const templates = new MatchTemplates();

/**
 * Writes the fields of a match, without header or padding: of an OXM match in a version (before OpenFlow 1.2, which has them
 * first, the peer's switch sends such with the extension's headers where a field has one), or of a nx_match (`NX_MATCH`).
 */
export function putFields(w: Writer, match: Match, version: number): void {
  const packed = match.packedWords;
  if (packed === undefined || match.tunMetadata !== undefined) {
    putAllFields(w, match, version);
  } else if (!templates.put(w, packed, version)) {
    const values: WrittenValue[] | undefined = templates.isWanted ? [] : undefined;
    const start = w.length;
    const isPlain = putAllFields(w, match, version, values);
    if (values !== undefined && isPlain) templates.learn(packed, version, w.borrow().slice(start), values);
  }
}

/**
 * Writes field by field.
 * @param values gets what was written, with offsets from where the fields begin.
 * @returns whether a template can be made of it, if `values` is given.
 */
function putAllFields(w: Writer, match: Match, version: number, values?: WrittenValue[]): boolean {
  const plan = version >= 6 ? OXM15_PLAN : version === NX_MATCH ? NXM_PLAN : OXM_PLAN;
  const words = readArea.load(match);
  todo.fill(0);
  const packed = match.packedWords;
  if (packed !== undefined) {
    for (let i = 0; i < packed.length; i += 3) addFields(plan.byWord[packed[i]]);
  } else {
    for (let i = 0; i < KEY_WORDS; i++) if (words.mask[i] !== 0) addFields(plan.byWord[i]);
  }
  let options = match.tunMetadata;
  const start = w.length;
  let isEthernet = false;
  let isPlain = options === undefined;
  for (let set = 0; set < todo.length; set++) {
    let left = todo[set];
    while (left !== 0) {
      const lowest = left & -left;
      left ^= lowest;
      const i = set * 32 + 31 - Math.clz32(lowest);
      if (options !== undefined && i >= plan.afterOptions) {
        putTunMetadata(w, options);
        options = undefined;
      }
      const before = w.length;
      const sent = plan.sent[i];
      const { field, place } = sent;
      putMatchField(w, sent, words, version);
      if (values !== undefined && !sent.isPlain && hasMask(words, place)) isPlain = false;
      if (w.length === before) continue;
      if (sent.saysEthernet) isEthernet = true;
      values?.push({ at: before - start + fieldHeaderLength(field, version), bytes: field.bytes, place });
    }
  }
  if (options !== undefined) putTunMetadata(w, options);
  if (words.mask[W.PACKET_TYPE] !== 0 && !(isEthernet && words.key[W.PACKET_TYPE] === 0)) {
    putPacketType(w, start, words, version);
    isPlain = false;
  }
  return isPlain;
}

/** The type of the packet goes before what is written from `start` on, which is when it shows whether it must be said. */
function putPacketType(w: Writer, start: number, { key }: MatchWords, version: number): void {
  const rest = w.finish().subarray(start);
  w.cutTo(start);
  putFieldHeader(w, PACKET_TYPE, version);
  w.u32(key[W.PACKET_TYPE]).bytes(rest);
}

function putTunMetadata(w: Writer, options: readonly TunMetadata[]): void {
  for (const { index, length, value: v, mask: m, masked } of options) {
    putFieldHeader(w, TUNNEL_OPTIONS[index], 0, masked, length);
    w.big(v, length);
    if (masked) w.big(m, length);
  }
}

function hasMask({ mask: words }: MatchWords, place: FieldPlace): boolean {
  readPlace(words, place, mask);
  return !isZero(mask);
}

function addFields(set: Uint32Array): void {
  for (let i = 0; i < set.length; i++) todo[i] |= set[i];
}

function putMatchField(w: Writer, sent: Sent, words: MatchWords, version: number): void {
  const { field: f, place } = sent;
  if (sent.isVlan) {
    putVlan(w, f, words, version);
    return;
  }
  if (sent.isCtPort && (words.key[W.CT_ZONE] & 0xff) === 0) return;
  // Most are this short: for each flow of a dump it saves 0.1 µs not to go by way of values of four words.
  if (sent.isShort) {
    putShort(w, sent, words, version);
    return;
  }
  readPlace(words.mask, place, mask);
  if (isZero(mask) || !headersMet(sent.when, words.key)) return;
  const masked = f.maskable && !isExactMask(f, mask);
  putFieldHeader(w, f, version, masked);
  readPlace(words.key, place, value);
  w.words(value, f.bytes);
  if (masked) w.words(mask, f.bytes);
}

function putShort(
  w: Writer,
  { field: f, place, when, isEthType }: Sent,
  { key, mask: masks }: MatchWords,
  version: number,
): void {
  const bits = (masks[place.word] >>> place.shift) & place.valid;
  if (bits === 0 || !headersMet(when, key)) return;
  const masked = f.maskable && (place.exact[3] & ~bits) !== 0;
  putFieldHeader(w, f, version, masked);
  // What the packet is said to be goes over what was said of Ethernet.
  if (isEthType && masks[W.PACKET_TYPE] !== 0 && key[W.PACKET_TYPE] >>> 16 === 1) {
    w.u16(key[W.PACKET_TYPE] & 0xffff);
    return;
  }
  w.uint((key[place.word] >>> place.shift) & place.valid, f.bytes);
  if (masked) w.uint(bits, f.bytes);
}

/** OXM says the id with its "present" bit, and the priority apart. */
function putVlan(w: Writer, f: Field, words: MatchWords, version: number): void {
  const tci = words.key[W.VLAN0] & 0xffff;
  const tciMask = words.mask[W.VLAN0] & 0xffff;
  if (f.name === 'vlan_vid') {
    const vidMask = tciMask & 0x1fff;
    if (vidMask !== 0) {
      const masked = vidMask !== 0x1fff;
      putFieldHeader(w, f, version, masked);
      w.u16(tci & 0x1fff);
      if (masked) w.u16(vidMask);
    }
  } else if ((tciMask & 0xe000) !== 0 && (tci & 0x1fff) !== 0) {
    putFieldHeader(w, f, version, false);
    w.u8(tci >> 13);
  }
}

/** How fields are read. */
export interface FieldRules {
  /** An unknown field is an error (the default) and not passed over. */
  readonly strict?: boolean;
  /** May refuse a field that is known. */
  readonly accept?: ((f: Field) => void) | undefined;
  /** The cookie is known as a field, too: in what asks for flows by nx_match. */
  readonly cookie?: boolean;
}

/** Reads fields to the end of `r`. */
export function readFields(
  r: Reader,
  { strict = true, accept, cookie: withCookie }: FieldRules = {},
): NxMatch {
  let cookie = 0n;
  let cookieMask = 0n;
  clearWords(area);
  const from = r.pos;
  let start = from;
  try {
    for (; r.left > 0; start = r.pos) {
      const h = readFieldHeader(r);
      const isCookie =
        withCookie === true &&
        h.code === COOKIE_FIELD &&
        h.cls === COOKIE_CLASS &&
        h.length === (h.masked ? 16 : 8);
      // A length that is not the field's makes it another one.
      const f = h.field && isLengthOf(h, h.field) ? h.field : undefined;
      if (!f && !isCookie) r.explain?.('unknown_field', h);
      if (h.length > r.left) refuse(r, 'OFPBMC_BAD_LEN', 'long_field', h, r.left);
      if (isCookie) {
        if (h.masked) checkWildcards(r, h);
        if (cookieMask !== 0n) fail('OFPBMC_DUP_FIELD', 'cookie');
        cookie = r.u64();
        cookieMask = h.masked ? r.u64() : 0xffffffffffffffffn;
        continue;
      }
      if (!f) {
        if (h.masked) checkWildcards(r, h);
        if (strict) fail('OFPBMC_BAD_FIELD', `field ${h.cls}:${h.code}`);
        r.skip(h.length);
        continue;
      }
      if (f.option !== undefined) readTunMetadata(r, f, h);
      else {
        readMatchField(r, f, h, strict);
        if (h.masked) r.skip(h.length - 2 * f.bytes);
      }
      accept?.(f);
    }
  } catch (e) {
    if (e instanceof DecodeFailure) r.explain?.('field_error', start - from, 'match', e.error.name!);
    throw e;
  }
  return { match: Match.packedFrom(area), cookie, cookieMask };
}

/** Refuses a value that has bits outside of its mask, which even a field that is not known may not have. */
export function checkWildcards(r: Reader, h: FieldHeader): void {
  const half = h.length >> 1;
  for (let i = r.pos; i < r.pos + half; i++) {
    if ((r.buf[i] & ~r.buf[i + half]) !== 0) refuse(r, 'OFPBMC_BAD_WILDCARDS', 'wildcarded_bits', h);
  }
}

/** Reads the value, and the mask where there is one, of a field into `area`. */
function readMatchField(r: Reader, f: Field, h: FieldHeader, strict: boolean): void {
  const place = fieldPlace(f);
  r.words(value, f.bytes);
  if (h.masked) {
    r.words(mask, f.bytes);
    for (let i = 0; i < 4; i++) {
      if ((value[i] & ~mask[i]) !== 0) refuse(r, 'OFPBMC_BAD_WILDCARDS', 'wildcarded_bits', h);
    }
    // No bits at all are as good as no field.
    if (!f.maskable && !isZero(mask) && !isWire(mask, place))
      refuse(r, 'OFPBMC_BAD_MASK', 'field_mask', f.name);
  } else {
    mask.set(place.wire);
  }
  if (!isValidWords(f, value)) {
    if (f.format === 'port_oxm') r.explain?.('port_range', value[3]);
    refuse(r, 'OFPBMC_BAD_VALUE', 'field_value', f.name);
  }
  if (strict && f.prereq !== 'none' && !fieldPrereqsMet(f, area.key, area.mask)) {
    fail('OFPBMC_BAD_PREREQ', f.name);
  }
  if (isMatched(f, place)) fail('OFPBMC_DUP_FIELD', f.name);
  // What matches everything is as good as not there, but for the packets that it takes.
  addEthernetPrereq(area, f);
  if (isZero(mask)) return;
  putField(area, f, value, mask);
}

function readTunMetadata(r: Reader, f: Field, h: FieldHeader): void {
  const length = h.masked ? h.length >> 1 : h.length;
  const v = readFieldBytes(r, f, length);
  const m = h.masked ? readFieldBytes(r, f, length) : onesOf(TUN_METADATA_BYTES);
  r.skip(h.length - (h.masked ? 2 * length : length));
  if ((v & ~m) !== 0n) refuse(r, 'OFPBMC_BAD_WILDCARDS', 'wildcarded_bits', h);
  // As short as what is asked for: zeros in front do not count.
  const masked = h.masked && m !== onesOf(TUN_METADATA_BYTES);
  const least = byteLength(masked ? v | m : v);
  const list = area.tunMetadata;
  if (list?.some(({ index }) => index === f.option)) fail('OFPBMC_DUP_FIELD', f.name);
  const used = tunMetadataBytes(list) + least;
  if (used > TUN_METADATA_TOTAL) fail('OFPBMC_BAD_VALUE', `${used} bytes of tunnel options`);
  area.tunMetadata = insertTunMetadata(list, {
    index: f.option!,
    length: least,
    value: v,
    mask: masked ? m : onesOf(least),
    masked,
  });
}

const matched = newValue();

/** Whether the match being read asks for some bit at a place already. */
function isMatched(f: Field, place: FieldPlace): boolean {
  // The priority comes with the "present" bit, which the id may have set.
  if (f.name === 'vlan_pcp') return (area.mask[W.VLAN0] & 0xe000) !== 0;
  readPlace(area.mask, place, matched);
  return !isZero(matched);
}

function isWire(m: Uint32Array, place: FieldPlace): boolean {
  for (let i = 0; i < 4; i++) if (m[i] !== place.wire[i]) return false;
  return true;
}

/** Writes a nx_match (fields and, when asked for, the cookie), zero-padded to 8 bytes; returns its length without padding. */
export function putNxMatch(w: Writer, match: Match, cookie = 0n, cookieMask = 0n): number {
  const start = w.length;
  putFields(w, match, NX_MATCH);
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
export function readNxMatch(r: Reader, length: number, rules?: FieldRules): NxMatch {
  if (((length + 7) & ~7) > r.left) refuse(r, 'OFPBMC_BAD_LEN', 'long_match', 'nx_match', length, r.left);
  const padded = r.sub((length + 7) & ~7, 'OFPBMC_BAD_LEN');
  return readFields(padded.sub(length), rules);
}

const OFPMT_OXM = 1;

/** Writes an OXM match: type, length, fields, padding to 8 bytes. @returns the length, without the padding. */
export function putOxmMatch(w: Writer, match: Match, version: number): number {
  const start = w.length;
  w.u16(OFPMT_OXM).u16(0);
  putFields(w, match, version);
  const length = w.length - start;
  w.setU16(start + 2, length);
  w.pad(8, start);
  return length;
}

/** Reads an OXM match with its padding; `strict` and `accept` as in `FieldRules`. */
export function readOxmMatch(r: Reader, strict = true, accept?: (f: Field) => void): Match {
  if (r.left < 4) fail('OFPBMC_BAD_LEN', `${r.left} bytes of a match`);
  const type = r.u16();
  const length = r.u16();
  if (length < 4) fail('OFPBMC_BAD_LEN', `match length ${length}`);
  if (type !== OFPMT_OXM) fail('OFPBMC_BAD_TYPE', `match type ${type}`);
  const rest = ((length + 7) & ~7) - 4;
  if (rest > r.left) refuse(r, 'OFPBMC_BAD_LEN', 'long_match', 'oxm', length, r.left + 4);
  const padded = r.sub(rest, 'OFPBMC_BAD_LEN');
  const fields = padded.sub(length - 4);
  return readFields(fields, { strict, accept }).match;
}

/** The bytes of the fields of a match, as `version` has them, or `NX_MATCH`. */
export function encodeMatchFields(match: Match, version: number): Uint8Array {
  const w = new Writer();
  putFields(w, match, version);
  return w.finish();
}

/** The match in `bytes`, a nx_match or OXM fields without header. */
export function decodeMatchFields(bytes: Uint8Array): NxMatch | OfError {
  return guard(() => readFields(new Reader(bytes, 0, bytes.length, 'OFPBMC_BAD_LEN'), { cookie: true }));
}
