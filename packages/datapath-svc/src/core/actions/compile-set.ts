/** Compiles `set` and `set_masked`: which fields, checked against the flow's key, into value and mask operands. */
import { attrName } from '@ovs-node/netlink/attr-table';
import { NlReader } from '@ovs-node/netlink/attr';
import { KEY_ATTRS as K } from '@ovs-node/netlink/key-attrs';
import { W } from '@ovs-node/flow/layout';
import { type Builder, refuse, UNKNOWN_TYPE } from './builder.js';
import { compileSetNsh } from './compile-encap.js';
import { Op } from './program.js';

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const ICMPV6 = 58;
const SCTP = 132;

/** Payload lengths of the settable attributes. */
const LENGTHS = new Map<number, number>([
  [K.PRIORITY.code, 4],
  [K.SKB_MARK.code, 4],
  [K.ETHERNET.code, K.ETHERNET.len],
  [K.IPV4.code, K.IPV4.len],
  [K.IPV6.code, K.IPV6.len],
  [K.TCP.code, K.TCP.len],
  [K.UDP.code, K.UDP.len],
  [K.SCTP.code, K.SCTP.len],
  [K.ICMP.code, K.ICMP.len],
  [K.ICMPV6.code, K.ICMPV6.len],
  [K.ARP.code, K.ARP.len],
  [K.ND.code, K.ND.len],
  [K.MPLS.code, 4],
]);

/** Compiles the SET action at which `r` stands. Throws `NetlinkError`. */
export function compileSet(b: Builder, r: NlReader): void {
  const field = only(r);
  if (field.type === K.NSH.code) return compileSetNsh(b, field, false);
  const name = attrName(K, field.type);
  const length = lengthOf(field.type, name);
  if (field.length !== length) refuse(`set ${name}: length ${field.length}, expected ${length}`);
  const value = field.bytes();
  const mask = new Uint8Array(length).fill(0xff);
  // Protocol and fragment type cannot be changed: a plain set must repeat them.
  if (field.type === K.IPV4.code || field.type === K.IPV6.code) {
    const [proto, frag] = field.type === K.IPV4.code ? [8, 11] : [36, 39];
    requireIp(b, field.type);
    if (value[proto] !== b.ipProto) refuse(`set ${name}: the protocol cannot be changed`);
    const bits = b.key[W.NW] & 3;
    if (value[frag] !== (bits & 2 ? 2 : bits)) refuse(`set ${name}: the fragment type cannot be changed`);
    mask[proto] = mask[frag] = 0;
    if (field.type === K.IPV6.code) {
      if (value[32] !== 0 || (value[33] & 0xf0) !== 0) refuse(`set ${name}: the flow label has 20 bits`);
      mask[32] = 0;
      mask[33] = 0x0f;
    }
  }
  emit(b, field.type, name, value, mask);
}

/** Compiles the SET_MASKED action at which `r` stands. Throws `NetlinkError`. */
export function compileSetMasked(b: Builder, r: NlReader): void {
  const field = only(r);
  if (field.type === K.NSH.code) return compileSetNsh(b, field, true);
  const name = attrName(K, field.type);
  const length = lengthOf(field.type, name);
  if (field.length !== 2 * length) refuse(`set ${name}: length ${field.length}, expected ${2 * length}`);
  const both = field.bytes();
  const value = both.subarray(0, length);
  const mask = both.subarray(length);
  for (let i = 0; i < length; i++)
    if ((value[i] & ~mask[i]) !== 0) refuse(`set ${name}: value has bits outside of its mask`);
  if (field.type === K.IPV4.code || field.type === K.IPV6.code) {
    const [proto, frag] = field.type === K.IPV4.code ? [8, 11] : [36, 39];
    requireIp(b, field.type);
    if (mask[proto] !== 0) refuse(`set ${name}: the protocol cannot be changed`);
    if (mask[frag] !== 0) refuse(`set ${name}: the fragment type cannot be changed`);
    if (field.type === K.IPV6.code && (mask[32] !== 0 || (mask[33] & 0xf0) !== 0)) {
      refuse(`set ${name}: the flow label has 20 bits`);
    }
  }
  emit(b, field.type, name, value, mask);
}

/** The one attribute inside the action. */
function only(r: NlReader): NlReader {
  const inner = r.enter(new NlReader());
  if (!inner.next()) refuse('set: no field');
  if (((inner.length + 3) & ~3) + 4 < r.length) refuse('set: more than one field');
  return inner;
}

function lengthOf(type: number, name: string): number {
  return LENGTHS.get(type) ?? refuse(`set ${name}: not supported by this datapath`);
}

export function isMpls(type: number): boolean {
  return type === 0x8847 || type === 0x8848;
}

/** Refuses what needs an Ethernet header where the packet has none. */
export function requireEthernet(b: Builder, what: string): void {
  if (b.packetType !== 0 && b.packetType !== UNKNOWN_TYPE)
    refuse(`${what}: the packet has no Ethernet header`);
}

function requireIp(b: Builder, type: number): void {
  const v4 = type === K.IPV4.code;
  if (b.ethType !== (v4 ? 0x0800 : 0x86dd))
    refuse(`set ${v4 ? 'IPV4' : 'IPV6'}: the flow does not match that Ethernet type`);
}

function requireTransport(b: Builder, name: string, proto: number): void {
  const ip = b.ethType;
  if ((ip !== 0x0800 && ip !== 0x86dd) || b.ipProto !== proto)
    refuse(`set ${name}: the flow does not match that protocol`);
}

/** Bytes of addresses of IP, all other fields of which are no part of a tuple. */
const ADDRESSES = new Map<number, number>([
  [K.IPV4.code, 8],
  [K.IPV6.code, 32],
]);
/** Whose fields are no part of a tuple. */
const APART: readonly number[] = [K.PRIORITY.code, K.SKB_MARK.code, K.ETHERNET.code, K.MPLS.code, K.ND.code];

function emit(b: Builder, type: number, name: string, value: Uint8Array, mask: Uint8Array): void {
  const { code } = b;
  if (!APART.includes(type) && mask.subarray(0, ADDRESSES.get(type)).some((byte) => byte !== 0))
    b.isTupleChanged = true;
  switch (type) {
    case K.PRIORITY.code:
      code.push(Op.SET_PRIORITY, le32(value), le32(mask));
      return;
    case K.SKB_MARK.code:
      code.push(Op.SET_MARK, le32(value), le32(mask));
      return;
    case K.ETHERNET.code:
      requireEthernet(b, 'set ETHERNET');
      // The attribute has the source first, the frame the destination.
      code.push(Op.SET_ETH, b.data.length);
      b.data.push(
        ...value.subarray(6, 12),
        ...value.subarray(0, 6),
        ...mask.subarray(6, 12),
        ...mask.subarray(0, 6),
      );
      return;
    case K.IPV4.code:
      code.push(Op.SET_IPV4, be32(value, 0), be32(mask, 0), be32(value, 4), be32(mask, 4));
      code.push((value[9] << 8) | value[10], (mask[9] << 8) | mask[10]);
      return;
    case K.IPV6.code:
      code.push(Op.SET_IPV6, b.data.length);
      b.data.push(...value, ...mask);
      return;
    case K.TCP.code:
    case K.UDP.code:
    case K.SCTP.code: {
      const proto = type === K.TCP.code ? TCP : type === K.UDP.code ? UDP : SCTP;
      requireTransport(b, name, proto);
      code.push(Op.SET_PORTS, proto, be32(value, 0), be32(mask, 0));
      return;
    }
    case K.ICMP.code:
    case K.ICMPV6.code:
      requireTransport(b, name, type === K.ICMP.code ? ICMP : ICMPV6);
      code.push(Op.SET_ICMP, (value[0] << 8) | value[1], (mask[0] << 8) | mask[1]);
      return;
    case K.ARP.code:
      if (b.ethType !== 0x0806 && b.ethType !== 0x8035) refuse('set ARP: the flow does not match ARP');
      code.push(Op.SET_ARP, b.data.length);
      b.data.push(...value.subarray(0, 22), ...mask.subarray(0, 22));
      return;
    case K.MPLS.code:
      if (!isMpls(b.ethType)) refuse('set MPLS: the flow does not match MPLS');
      code.push(Op.SET_MPLS, be32(value, 0), be32(mask, 0));
      return;
    case K.ND.code:
      requireTransport(b, name, ICMPV6);
      code.push(Op.SET_ND, b.data.length);
      b.data.push(...value, ...mask);
      return;
  }
}

function be32(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

function le32(bytes: Uint8Array): number {
  return (bytes[3] << 24) | (bytes[2] << 16) | (bytes[1] << 8) | bytes[0];
}
