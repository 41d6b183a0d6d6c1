/**
 * Hashes of the sets of fields by which bundle, bundle_load, multipath and select groups choose (ovs-actions(7)). They give
 * the numbers that Open vSwitch gives, so that both choose alike. Nothing fast is asked of them, but of `dpHash`.
 */
import { hashAdd, hashFinish } from './hash.js';
import { hashInt, hashLookup3 } from './hash-bytes.js';
import { type FlowKey, FRAG_ANY, VLAN_CFI, W } from './layout.js';

const IP = 0x0800;
const ARP = 0x0806;
const IPV6 = 0x86dd;
const TCP = 6;
const UDP = 17;
const SCTP = 132;
const VLAN_VID = 0x0fff;

const ethType = (key: FlowKey): number => key[W.ETH_TYPE]! >>> 16;
const isIp = (key: FlowKey): boolean => ethType(key) === IP || ethType(key) === IPV6;
const proto = (key: FlowKey): number => key[W.NW]! >>> 24;
/** Byte `i` of the Ethernet addresses: the destination's six, then the source's. */
const macByte = (key: FlowKey, i: number): number => (key[W.ETH + (i >> 2)]! >>> (24 - 8 * (i & 3))) & 0xff;
/** A word in the order of bytes that the hashes take it in: the first byte lowest. */
const swap = (word: number): number =>
  (word << 24) | ((word << 8) & 0xff0000) | ((word >>> 8) & 0xff00) | (word >>> 24);

function vlanIds(key: FlowKey): number {
  return (key[W.VLAN0]! ^ key[W.VLAN1]!) & VLAN_VID;
}

/** Both addresses, in the first 16 bytes, of which IPv4 takes four. */
function putAddresses(key: FlowKey, view: DataView): void {
  if (ethType(key) === IP) view.setUint32(0, key[W.NW_SRC]! ^ key[W.NW_DST]!);
  else if (ethType(key) === IPV6)
    for (let i = 0; i < 4; i++) view.setUint32(4 * i, key[W.IPV6_SRC + i]! ^ key[W.IPV6_DST + i]!);
}

/** Addresses (16), Ethernet type, VLAN, ports (2 each), Ethernet addresses (6), protocol, padding. */
const L4_LENGTH = 32;
/** Addresses (16), Ethernet type (2), padding. */
const L3_LENGTH = 20;

/** Of both addresses of each layer, the protocol, and TCP or SCTP ports; the same for both directions. */
function symmetricL4(key: FlowKey, basis: number): number {
  const bytes = new Uint8Array(L4_LENGTH);
  const view = new DataView(bytes.buffer);
  putAddresses(key, view);
  view.setUint16(16, ethType(key));
  view.setUint16(18, vlanIds(key));
  for (let i = 0; i < 6; i++) bytes[22 + i] = macByte(key, i) ^ macByte(key, i + 6);
  if (!isIp(key)) return hashLookup3(bytes, basis);
  bytes[28] = proto(key);
  if (hasPorts(key, false)) view.setUint16(20, (key[W.TP]! >>> 16) ^ (key[W.TP]! & 0xffff));
  return hashLookup3(bytes, basis);
}

function symmetricL3(key: FlowKey, basis: number): number {
  const bytes = new Uint8Array(L3_LENGTH);
  const view = new DataView(bytes.buffer);
  putAddresses(key, view);
  view.setUint16(16, ethType(key));
  return hashLookup3(bytes, basis);
}

function symmetricL2(key: FlowKey, basis: number): number {
  if (key[W.PACKET_TYPE] !== 0) return 0;
  const [first, middle, last] = [key[W.ETH]!, key[W.ETH + 1]!, key[W.ETH + 2]!];
  let hash = hashAdd(basis, swap((ethType(key) << 16) | vlanIds(key)));
  hash = hashAdd(hash, swap(first ^ ((middle << 16) | (last >>> 16))));
  hash = hashAdd(hash, swap(((middle >>> 16) ^ (last & 0xffff)) << 16));
  return hashFinish(hash, basis);
}

function addAddresses(key: FlowKey, basis: number): number {
  if (ethType(key) === IP) return hashAdd(basis, swap(key[W.NW_SRC]! ^ key[W.NW_DST]!));
  let hash = basis;
  for (let i = 0; i < 4; i++) hash = hashAdd(hash, swap(key[W.IPV6_SRC + i]! ^ key[W.IPV6_DST + i]!));
  return hash;
}

function symmetricL3L4(key: FlowKey, basis: number, withUdp: boolean): number {
  if (!isIp(key)) return symmetricL2(key, basis);
  let hash = hashAdd(addAddresses(key, basis), proto(key));
  if (hasPorts(key, withUdp) && !isFragment(key)) {
    const ports = (key[W.TP]! >>> 16) ^ (key[W.TP]! & 0xffff);
    hash = hashAdd(hash, ((ports & 0xff) << 8) | (ports >>> 8));
  }
  return hashFinish(hash, basis);
}

/** Fragments of a packet are not told apart by ports, which only the first has. */
function isFragment(key: FlowKey): boolean {
  return (key[W.NW]! & FRAG_ANY) !== 0;
}

function hasPorts(key: FlowKey, withUdp: boolean): boolean {
  const p = proto(key);
  return p === TCP || p === SCTP || (withUdp && p === UDP);
}

/** The bytes of one address. */
function address(key: FlowKey, ip: number, ipv6: number, basis: number): number {
  const [word, n] = ethType(key) === IP ? [ip, 1] : ethType(key) === IPV6 ? [ipv6, 4] : [0, 0];
  if (n === 0) return basis;
  const view = new DataView(new ArrayBuffer(4 * n));
  for (let i = 0; i < n; i++) view.setUint32(4 * i, key[word + i]!);
  return hashLookup3(new Uint8Array(view.buffer), basis);
}

function maskSource(key: FlowKey, wc: FlowKey): void {
  if (ethType(key) === IP) wc[W.NW_SRC] = 0xffffffff;
  else if (ethType(key) === IPV6) wc.fill(0xffffffff, W.IPV6_SRC, W.IPV6_SRC + 4);
}

function maskDestination(key: FlowKey, wc: FlowKey): void {
  if (ethType(key) === IP) wc[W.NW_DST] = 0xffffffff;
  else if (ethType(key) === IPV6) wc.fill(0xffffffff, W.IPV6_DST, W.IPV6_DST + 4);
}

function maskAddresses(key: FlowKey, wc: FlowKey): void {
  maskSource(key, wc);
  maskDestination(key, wc);
}

function maskL3L4(key: FlowKey, wc: FlowKey, withUdp: boolean): void {
  maskAddresses(key, wc);
  if (!isIp(key)) return;
  wc[W.NW]! |= 0xff000000;
  if (hasPorts(key, withUdp) && !isFragment(key)) wc[W.TP] = 0xffffffff;
}

function maskL4(key: FlowKey, wc: FlowKey): void {
  wc.fill(0xffffffff, W.ETH, W.ETH + 3);
  wc[W.ETH_TYPE]! |= 0xffff0000;
  wc[W.VLAN0]! |= VLAN_VID | VLAN_CFI;
  if (key[W.VLAN1] !== 0) wc[W.VLAN1]! |= VLAN_VID | VLAN_CFI;
  maskAddresses(key, wc);
  if (!isIp(key)) return;
  wc[W.NW]! |= 0xff000000;
  // The hash takes ports of two protocols; the type of an ICMP message is in their place, and counted with them.
  if (proto(key) !== UDP) wc[W.TP] = 0xffffffff;
}

interface HashRow {
  readonly hash: (key: FlowKey, basis: number) => number;
  /** Adds the bits that the choice depends on. */
  readonly mask: (key: FlowKey, wc: FlowKey) => void;
}

/** Protocols with ports, or with a type and a code in their place. */
const hasTransport = (p: number): boolean => p === TCP || p === UDP || p === SCTP || p === 1 || p === 58;

/** Addresses, protocol and ports in one direction. */
export function tupleHash(key: FlowKey): number {
  const type = ethType(key);
  let hash = 0;
  if (type === IP || type === ARP) {
    hash = hashAdd(hashAdd(0, swap(key[W.NW_SRC]!)), swap(key[W.NW_DST]!));
  } else if (type === IPV6) {
    for (let i = 0; i < 4; i++) hash = hashAdd(hash, swap(key[W.IPV6_SRC + i]!));
    for (let i = 0; i < 4; i++) hash = hashAdd(hash, swap(key[W.IPV6_DST + i]!));
  } else return hashFinish(0, TUPLE_SALT);
  hash = hashAdd(hash, proto(key));
  if (hasTransport(proto(key))) hash = hashAdd(hash, swap(key[W.TP]!));
  return hashFinish(hash, TUPLE_SALT);
}
const TUPLE_SALT = 42;

/**
 * The value of the datapath's action `hash`, unsigned and never 0: `l4` of addresses, protocol and ports of one direction,
 * `sym_l4` the same for both directions, without ports of UDP, and of Ethernet addresses where there are no others. Hot path:
 * allocates nothing.
 *
 * @param ofTuple `tupleHash` of the packet as it came in, which is what `l4` goes by.
 */
export function dpHash(key: FlowKey, isSymmetric: boolean, basis: number, ofTuple = tupleHash(key)): number {
  return (isSymmetric ? symmetricL3L4(key, basis, false) : hashInt(ofTuple, basis)) >>> 0 || 1;
}

/** Sets of fields, in the order of their numbers on the wire (enum nx_hash_fields). */
export const HASH_FIELDS = {
  eth_src: {
    hash: (key, basis) =>
      hashLookup3(
        Uint8Array.from({ length: 6 }, (_, i) => macByte(key, i + 6)),
        basis,
      ),
    mask: (_key, wc) => {
      wc[W.ETH + 1]! |= 0xffff;
      wc[W.ETH + 2] = 0xffffffff;
    },
  },
  symmetric_l4: { hash: symmetricL4, mask: maskL4 },
  symmetric_l3l4: {
    hash: (key, basis) => symmetricL3L4(key, basis, false),
    mask: (key, wc) => maskL3L4(key, wc, false),
  },
  'symmetric_l3l4+udp': {
    hash: (key, basis) => symmetricL3L4(key, basis, true),
    mask: (key, wc) => maskL3L4(key, wc, true),
  },
  nw_src: { hash: (key, basis) => address(key, W.NW_SRC, W.IPV6_SRC, basis), mask: maskSource },
  nw_dst: { hash: (key, basis) => address(key, W.NW_DST, W.IPV6_DST, basis), mask: maskDestination },
  symmetric_l3: { hash: symmetricL3, mask: maskAddresses },
} as const satisfies Readonly<Record<string, HashRow>>;

export type HashFields = keyof typeof HASH_FIELDS;

/** The hash of a packet, unsigned, and in `wc` the bits that it stands for. */
export function hashFields(key: FlowKey, wc: FlowKey, fields: HashFields, basis: number): number {
  HASH_FIELDS[fields].mask(key, wc);
  return HASH_FIELDS[fields].hash(key, basis) >>> 0;
}
