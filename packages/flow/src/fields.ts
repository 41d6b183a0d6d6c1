import { FIELD_ROWS } from './field-table.js';
import {
  type Field,
  type Prereq,
  PROTO,
  PROTO_ANY,
  PROTO_NONE,
  PROTO_NXM_OXM_ANY,
  PROTO_OF10_STD_ANY,
} from './field-types.js';
import { CT, type FlowKey, VLAN_CFI, W } from './layout.js';
import type { MatchWords } from './match.js';

/**
 * Fields by name and by code, and their values in a key: the control plane's way to a key, in BigInt because a
 * field may be 128 bits wide. The packet path reads words directly.
 *
 * Values are those of OpenFlow: `in_port` is 16 bits (reserved ports 0xfff8..0xffff), `in_port_oxm` 32 bits;
 * `vlan_vid` carries the CFI bit 0x1000 as "a tag is present", `dl_vlan` does not.
 */

export const FIELDS: readonly Field[] = FIELD_ROWS.map((row, id) => ({ ...row, id }));

const byName = new Map<string, Field>();
for (const f of FIELDS) {
  byName.set(f.name, f);
  if (f.alias !== undefined) byName.set(f.alias, f);
}
// A second, shorter alias of tcp_src, tcp_dst and nd fields does not exist; code names are looked up apart.
const byCodeName = new Map<string, Field>();
/** Fields of the classes that have most of them, by 7-bit number; the other codes are in `byCode`. */
const CLASSES: Readonly<Record<number, (Field | undefined)[]>> = { 0: [], 1: [], 0x8000: [], 0x8001: [] };
const byCode = new Map<string, Field>();
for (const f of FIELDS) {
  for (const c of [...(f.nxm === undefined ? [] : [f.nxm]), ...f.oxm]) {
    byCodeName.set(c.name, f);
    const inClass = CLASSES[c.cls];
    if (inClass === undefined) byCode.set(`${c.cls}/${c.experimenter}/${c.field}`, f);
    else inClass[c.field] = f;
  }
}

/** Every name and alias with its field. */
export function fieldNames(): Iterable<readonly [name: string, field: Field]> {
  return byName;
}

/** The field called `name` (or aliased so), or undefined. */
export function fieldByName(name: string): Field | undefined {
  return byName.get(name);
}

/** The field of a constant's name such as `NXM_OF_ETH_SRC` or `OXM_OF_IPV4_DST`, or undefined. */
export function fieldByCodeName(name: string): Field | undefined {
  return byCodeName.get(name);
}

/** The field of a TLV header's class, 7-bit field number and experimenter id (0 when class is not 0xffff). */
export function fieldByCode(cls: number, field: number, experimenter = 0): Field | undefined {
  const inClass = CLASSES[cls];
  return inClass === undefined ? byCode.get(`${cls}/${experimenter}/${field}`) : inClass[field];
}

/** `fieldByName` for a name that the program itself wrote; throws on a typing error. */
export function mustField(name: string): Field {
  const f = byName.get(name);
  if (f === undefined) throw new Error(`no field ${name}`);
  return f;
}

const WIRE = FIELDS.map((f) => (1n << BigInt(f.bytes * 8)) - 1n);

/** All ones in the bytes that a value of `f` has on the wire: the mask of an exact match. */
export function wireMask(f: Field): bigint {
  return WIRE[f.id]!;
}

/** All ones in the width of `f`. */
export function exactMask(f: Field): bigint {
  return (1n << BigInt(f.bits)) - 1n;
}

/** The value that `bits` bits from bit `offset` of the key have. */
function readBits(words: FlowKey, offset: number, bits: number): bigint {
  const last = (offset + bits - 1) >>> 5;
  let value = 0n;
  for (let w = offset >>> 5; w <= last; w++) value = (value << 32n) | BigInt(words[w]!);
  value >>= BigInt((last + 1) * 32 - offset - bits);
  return value & ((1n << BigInt(bits)) - 1n);
}

function writeBits(words: FlowKey, offset: number, bits: number, value: bigint): void {
  const last = (offset + bits - 1) >>> 5;
  const shift = BigInt((last + 1) * 32 - offset - bits);
  const mask = ((1n << BigInt(bits)) - 1n) << shift;
  let v = (value << shift) & mask;
  let m = mask;
  for (let w = last; w >= offset >>> 5; w--) {
    words[w] = Number((BigInt(words[w]!) & ~m & 0xffffffffn) | (v & 0xffffffffn));
    v >>= 32n;
    m >>= 32n;
  }
}

/** OpenFlow 1.1+ number of an OpenFlow 1.0 port: the reserved ports move to the end of 32 bits. */
export function portFromOf10(port: number): number {
  return port >= 0xff00 ? (port | 0xffff0000) >>> 0 : port;
}

/** OpenFlow 1.0 number of a port; a number that has none in 16 bits gives the low bits. */
export function portToOf10(port: number): number {
  return port & 0xffff;
}

/** The value of `f` in `key` (or the bits of it that a mask has). */
export function getField(key: FlowKey, f: Field): bigint {
  const value = readBits(key, f.offset, f.keyBits);
  return f.valid === undefined ? value : value & f.valid;
}

/** The mask of `f` in `match`: 0 when not matched. */
export function getMask(match: MatchWords, f: Field): bigint {
  return getField(match.mask, f);
}

/**
 * Sets `f` in `key` and no other field, but for what the field implies: a VLAN id or priority makes a tag
 * present. Bits beyond the width of the field are ignored. Prerequisites are not checked.
 */
export function setField(key: FlowKey, f: Field, value: bigint): void {
  switch (f.name) {
    case 'in_port':
      key[W.IN_PORT] = portFromOf10(Number(value & 0xffffn));
      return;
    case 'dl_vlan':
      if (value === 0xffffn) {
        key[W.VLAN0] = (key[W.VLAN0]! & 0xffff0000) >>> 0;
        return;
      }
      key[W.VLAN0]! |= VLAN_CFI;
      break;
    case 'dl_vlan_pcp':
    case 'vlan_pcp':
      key[W.VLAN0]! |= VLAN_CFI;
      break;
    case 'nw_tos':
      writeBits(key, f.offset, 6, value >> 2n);
      return;
    default:
  }
  writeBits(key, f.offset, f.keyBits, f.whole === undefined ? value : value & exactMask(f));
}

/** Sets `value` under `mask` (bits 1 are taken over) in `key`. */
export function setFieldMasked(key: FlowKey, f: Field, value: bigint, mask: bigint): void {
  if (mask === 0n) return;
  setField(key, f, (getField(key, f) & ~mask) | (value & mask));
}

/** Makes every bit of `f` matter in `mask`, with the bit that says "a VLAN tag is present" where `f` implies it. */
export function maskField(mask: FlowKey, f: Field): void {
  if (f.name === 'in_port') mask[W.IN_PORT] = 0xffffffff;
  else setField(mask, f, (1n << BigInt(f.keyBits)) - 1n);
}

/** Makes the bits `bits` of `f` matter in `mask`; those that no value has (`whole`) do no longer, as by the peer. */
export function maskFieldBits(mask: FlowKey, f: Field, bits: bigint): void {
  if (f.name === 'in_port') mask[W.IN_PORT] = 0xffffffff;
  else setField(mask, f, getField(mask, f) | bits);
}

/** Whether a packet's or match's `value` of `f` is one that the field can have (not whether it is sensible). */
export function isValidValue(f: Field, value: bigint): boolean {
  if (f.format === 'port_oxm') {
    return value < 0xff00n || (value >= 0xffffff00n && value <= 0xffffffffn);
  }
  if (value < (f.min ?? 0) || (f.max !== undefined && value > f.max)) return false;
  const valid = f.valid ?? exactMask(f);
  return (value & ~valid) === 0n;
}

const isIp = (type: number): boolean => type === 0x0800 || type === 0x86dd;

/** Whether the first fragment's L4 header can be there. */
function hasL4(key: FlowKey): boolean {
  return (key[W.NW]! & 2) === 0;
}

/**
 * Whether `key` has what `prereq` asks for. With `mask` the key is that of a match: a value counts as it is
 * (0 where not matched), and connection tracking fields ask for a match that implies a valid entry.
 */
export function prereqMet(prereq: Prereq, key: FlowKey, mask?: FlowKey): boolean {
  return headersMet(prereq, key, mask) && (!hasPorts(prereq) || hasL4(key));
}

/** Prerequisites that later fragments do not meet. Those of ICMP they do, as in the peer. */
function hasPorts(prereq: Prereq): boolean {
  return prereq === 'tcp' || prereq === 'udp' || prereq === 'sctp';
}

/** Prerequisites on what follows the header of IP. */
export function isBehindIp(prereq: Prereq): boolean {
  switch (prereq) {
    case 'tcp':
    case 'udp':
    case 'sctp':
    case 'icmpv4':
    case 'icmpv6':
    case 'nd':
    case 'nd_solicit':
    case 'nd_advert':
      return true;
    default:
      return false;
  }
}

/** `prereqMet` where it does not matter which fragment it is. */
export function headersMet(prereq: Prereq, key: FlowKey, mask?: FlowKey): boolean {
  if (prereq === 'none') return true;
  if (prereq === 'ct') {
    const state = key[W.CT_STATE]!;
    if (mask === undefined) return (state & (CT.NEW | CT.EST | CT.RPL)) !== 0;
    if ((state & (CT.NEW | CT.EST | CT.REL | CT.RPL | CT.SNAT | CT.DNAT)) !== 0) return true;
    return (state & CT.TRK) !== 0 && (mask[W.CT_STATE]! & CT.INV) !== 0 && (state & CT.INV) === 0;
  }
  const packetType = key[W.PACKET_TYPE]!;
  if (prereq === 'ethernet') return packetType === 0;
  const ethType =
    packetType === 0 ? key[W.ETH_TYPE]! >>> 16 : packetType >>> 16 === 1 ? packetType & 0xffff : 0;
  const proto = key[W.NW]! >>> 24;
  switch (prereq) {
    case 'arp':
      return ethType === 0x0806 || ethType === 0x8035;
    case 'vlan':
      return packetType === 0 && (key[W.VLAN0]! & VLAN_CFI) !== 0;
    case 'ipv4':
      return ethType === 0x0800;
    case 'ipv6':
      return ethType === 0x86dd;
    case 'ip':
      return isIp(ethType);
    case 'nsh':
      return ethType === 0x894f;
    case 'mpls':
      return ethType === 0x8847 || ethType === 0x8848;
    case 'tcp':
      return isIp(ethType) && proto === 6;
    case 'udp':
      return isIp(ethType) && proto === 17;
    case 'sctp':
      return isIp(ethType) && proto === 132;
    case 'icmpv4':
      return ethType === 0x0800 && proto === 1;
    case 'icmpv6':
    case 'nd':
    case 'nd_solicit':
    case 'nd_advert': {
      if (ethType !== 0x86dd || proto !== 58) return false;
      if (prereq === 'icmpv6') return true;
      const type = key[W.TP]! >>> 16;
      if ((key[W.TP]! & 0xffff) !== 0) return false;
      return (type === 135 && prereq !== 'nd_advert') || (type === 136 && prereq !== 'nd_solicit');
    }
  }
}

/** Whether `f` exists in a packet (or match, when `mask` is given) with this `key`. */
export function fieldPrereqsMet(f: Field, key: FlowKey, mask?: FlowKey): boolean {
  return prereqMet(f.prereq, key, mask);
}

/**
 * The protocols (bits of `PROTO`) that can carry a match on `f` with `mask`, which is as wide as the field's
 * bytes (`wireMask` is exact). A wildcard goes over any.
 */
export function fieldProtocols(f: Field, mask: bigint): number {
  if (mask === 0n) return PROTO_ANY;
  let bits = f.nxm !== undefined || f.oxm.length > 0 || f.of10 !== 'no' ? PROTO_NXM_OXM_ANY : PROTO_NONE;
  const exact = !f.maskable || mask === wireMask(f);
  if (exact ? f.of10 !== 'no' : f.of10 === 'cidr' && isCidr(mask, f.bytes * 8)) bits |= PROTO_OF10_STD_ANY;
  if (exact ? f.of11 !== 'no' : f.of11 === 'bitwise') bits |= PROTO.OF11_STD;
  return bits;
}

/** Whether `mask` of `bits` bits is ones followed by zeros. */
export function isCidr(mask: bigint, bits: number): boolean {
  const inverse = ~mask & ((1n << BigInt(bits)) - 1n);
  return (inverse & (inverse + 1n)) === 0n;
}
