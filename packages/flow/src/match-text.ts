import { FlowSyntaxError } from './errors.js';
import { parseFieldValue } from './field-text.js';
import { type Field, PROTO_ANY, PROTO_NXM_OXM_ANY } from './field-types.js';
import { fieldNames, fieldProtocols, FIELDS, mustField } from './fields.js';
import { scanInt } from './int-text.js';
import { W } from './layout.js';
import { KeyValueCursor } from './key-value.js';
import { Match, type MatchWords, newWords } from './match.js';
import { applyFast } from './match-fast.js';
import { matchSet } from './match-fields.js';
import type { PortMap } from './ports.js';
import { parseSubfield } from './subfield.js';
import { WordTable } from './word-table.js';

export { formatMatch, type MatchFormat, DEFAULT_PRIORITY } from './match-format.js';

/**
 * Flow syntax, the part that says what is matched (ovs-ofctl(8), "Flow Syntax"): `tcp,in_port=1,nw_src=10.0.0.0/8`.
 * A flow's other words (`priority=`, `table=`, `actions=` …) are the openflow package's, which hands the pairs
 * it does not know to `applyMatchPair`.
 */

/** Words that stand for an Ethernet type and an IP protocol. */
const PROTOCOLS: Readonly<Record<string, readonly [ethType: number, proto: number]>> = {
  ip: [0x0800, 0],
  ipv4: [0x0800, 0],
  ip4: [0x0800, 0],
  arp: [0x0806, 0],
  icmp: [0x0800, 1],
  tcp: [0x0800, 6],
  udp: [0x0800, 17],
  sctp: [0x0800, 132],
  ipv6: [0x86dd, 0],
  ip6: [0x86dd, 0],
  icmp6: [0x86dd, 58],
  tcp6: [0x86dd, 6],
  udp6: [0x86dd, 17],
  sctp6: [0x86dd, 132],
  rarp: [0x8035, 0],
  mpls: [0x8847, 0],
  mplsm: [0x8848, 0],
};

/** What a word of a match is: a field, a protocol, or `eth`. */
type MatchWord = Field | readonly [ethType: number, proto: number] | 'eth';

const WORDS = new WordTable<MatchWord>([...fieldNames(), ...Object.entries(PROTOCOLS), ['eth', 'eth']]);

/** The Ethernet type and IP protocol (0: any) of a word such as `tcp6`, or undefined. */
export function protocolWord(name: string): readonly [ethType: number, proto: number] | undefined {
  return Object.hasOwn(PROTOCOLS, name) ? PROTOCOLS[name] : undefined;
}

/** Makes `match` ask for Ethernet packets, unless it asks for some packet type already. */
export function setDefaultPacketType(match: MatchWords): void {
  if (match.mask[W.PACKET_TYPE] === 0) match.mask[W.PACKET_TYPE] = 0xffffffff;
}

/** Fields that are taken to be found in Ethernet packets only, as the peer takes all with a prerequisite, by id. */
const IN_ETHERNET: readonly boolean[] = FIELDS.map(({ prereq }) => prereq !== 'none');

/** `setDefaultPacketType` where a match on `f` implies it: what a parser and a decoder of matches do per field. */
export function addEthernetPrereq(match: MatchWords, f: Field): void {
  if (IN_ETHERNET[f.id]) setDefaultPacketType(match);
}

/**
 * Applies the pair at `at` to `match`. Returns the protocols (bits of `PROTO`) that can carry it, or -1 when its key
 * is nothing that matches. Throws FlowSyntaxError.
 */
export function applyMatchPair(match: MatchWords, at: KeyValueCursor, ports?: PortMap): number {
  const word = at.find(WORDS);
  if (word === undefined) return applyOther(match, at.key, at.value);
  if (word === 'eth') {
    match.mask[W.PACKET_TYPE] = 0xffffffff;
    match.key[W.PACKET_TYPE] = 0;
    return PROTO_ANY;
  }
  if ('name' in word) {
    const quick = applyFast(match, word, at.text, at.valueFrom, at.valueTo);
    if (quick < 0) return applyField(match, word, at.value, ports);
    addEthernetPrereq(match, word);
    return quick;
  }
  setWord(match, W.ETH_TYPE, 0xffff0000, word[0] << 16);
  if (word[1] !== 0) setWord(match, W.NW, 0xff000000, word[1] << 24);
  setDefaultPacketType(match);
  return PROTO_ANY;
}

/** `applyMatchPair` of one pair by itself; undefined for a name that is nothing that matches. */
export function applyMatchWord(
  match: MatchWords,
  name: string,
  value: string,
  ports?: PortMap,
): number | undefined {
  const at = new KeyValueCursor(value === '' ? name : `${name}=${value}`);
  const protocols = at.next() ? applyMatchPair(match, at, ports) : -1;
  return protocols === -1 ? undefined : protocols;
}

function applyOther(match: MatchWords, name: string, value: string): number {
  return name.includes('[') ? applySubfield(match, name, value) : -1;
}

/** `f=value` by the general way; exported for the test that compares it with the short cut. */
export function applyField(match: MatchWords, f: Field, value: string, ports?: PortMap): number {
  // A field without a value only has to exist.
  const masked = parseFieldValue(f, value === '' ? '0/0' : value, ports);
  matchSet(match, f, masked.value, masked.mask);
  addEthernetPrereq(match, f);
  return f.option === undefined ? fieldProtocols(f, masked.mask) : PROTO_NXM_OXM_ANY;
}

function setWord(match: MatchWords, word: number, mask: number, value: number): void {
  match.mask[word] = match.mask[word]! | mask;
  match.key[word] = (match.key[word]! & ~mask) | value;
}

/** `FIELD[start..end]=value`. */
function applySubfield(match: MatchWords, name: string, text: string): number {
  const bits = parseSubfield(name);
  const value = scanInt(text, bits.field.bytes > 16 ? bits.field.bytes : 16);
  if (value.error !== undefined || value.end < text.length) {
    throw new FlowSyntaxError(`${name}: cannot parse integer value: ${text}`);
  }
  if (value.value >> BigInt(bits.nBits) !== 0n) {
    throw new FlowSyntaxError(
      `${name}: value 0x${value.value.toString(16)} does not fit into ${bits.nBits} bits`,
    );
  }
  const shift = BigInt(bits.ofs);
  let mask = ((1n << BigInt(bits.nBits)) - 1n) << shift;
  if (bits.nBits === bits.field.bits) mask = (1n << BigInt(bits.field.bytes * 8)) - 1n;
  matchSet(match, bits.field, value.value << shift, mask);
  addEthernetPrereq(match, bits.field);
  return fieldProtocols(bits.field, mask);
}

/** What is only in TLV matches because of a combination of fields: anything of an IPv6 header. */
export function matchProtocols(match: MatchWords): number {
  const ipv6 = match.mask[W.ETH_TYPE]! >>> 16 !== 0 && match.key[W.ETH_TYPE]! >>> 16 === 0x86dd;
  const more = (match.mask[W.NW]! & 0xffffff00) | match.mask[W.TP]!;
  return ipv6 && more !== 0 ? PROTO_NXM_OXM_ANY : PROTO_ANY;
}

/** A match and the protocols (bits of `PROTO`) that can carry it. */
export interface ParsedMatch {
  readonly match: Match;
  readonly protocols: number;
}

/** Reads the whole of `text` as a match; port names are looked up in `ports`. Throws FlowSyntaxError. */
export function parseMatchProtocols(text: string, ports?: PortMap): ParsedMatch {
  const match = newWords();
  let protocols = PROTO_ANY;
  const at = new KeyValueCursor(text);
  while (at.next()) {
    const p = applyMatchPair(match, at, ports);
    if (p === -1) throw unknownWord(at.key, at.value);
    protocols &= p;
  }
  protocols &= matchProtocols(match);
  return { match: Match.packedFrom(match), protocols };
}

/** `parseMatchProtocols` for those who want the match alone. */
export function parseMatch(text: string, ports?: PortMap): Match {
  return parseMatchProtocols(text, ports).match;
}

/** The error for a word that flow syntax does not know. */
export function unknownWord(name: string, value: string): FlowSyntaxError {
  return new FlowSyntaxError(value === '' ? `field ${name} missing value` : `unknown keyword ${name}`);
}

/** A match of one field: `matchSet` by name, for tests and tools. */
export function matchSetText(match: MatchWords, name: string, text: string): void {
  const f = mustField(name);
  const { value, mask } = parseFieldValue(f, text);
  matchSet(match, f, value, mask);
}
