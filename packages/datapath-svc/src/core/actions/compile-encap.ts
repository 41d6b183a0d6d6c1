/** Compiles the actions that change what kind of packet it is: push_eth, pop_eth, push_nsh, pop_nsh, add_mpls, set(nsh). */
import { VLAN_CFI, W } from '@ovs-node/flow/layout';
import { NlReader } from '@ovs-node/netlink/attr';
import { attrName } from '@ovs-node/netlink/attr-table';
import { NSH_KEY_ATTRS as N } from '@ovs-node/netlink/key-attrs';
import { type Builder, refuse, UNKNOWN_TYPE } from './builder.js';
import { Op } from './program.js';

const ETH_NSH = 0x894f;
const NSH = 0x10000 | ETH_NSH;
/** Kinds of packets that a service header can be put before. */
const NSH_CARRIES: readonly number[] = [0, 0x10800, 0x186dd, NSH, UNKNOWN_TYPE];
const NSH_BASE = 8;
const NSH_MD1 = 16;
const NSH_MAX_MD2 = 248;

/** The PUSH_ETH action at which `r` stands. */
export function compilePushEth(b: Builder, r: NlReader): void {
  if (b.packetType === 0) refuse('push_eth: the packet has an Ethernet header');
  const addresses = r.bytes();
  b.code.push(Op.PUSH_ETH, b.data.length);
  b.data.push(...addresses.subarray(6, 12), ...addresses.subarray(0, 6));
  b.packetType = 0;
}

export function compilePopEth(b: Builder): void {
  if (b.packetType !== 0 && b.packetType !== UNKNOWN_TYPE)
    refuse('pop_eth: the packet has no Ethernet header');
  if ((b.key[W.VLAN0] & VLAN_CFI) !== 0) refuse('pop_eth: the flow matches a VLAN tag');
  b.code.push(Op.POP_ETH);
  b.packetType = b.ethType === 0 ? UNKNOWN_TYPE : 0x10000 | b.ethType;
}

/** The PUSH_NSH action at which `r` stands. */
export function compilePushNsh(b: Builder, r: NlReader): void {
  if (!NSH_CARRIES.includes(b.packetType)) refuse('push_nsh: no service header carries such a packet');
  const attrs = nshAttrs(r);
  const base = attrs.get(N.BASE.code);
  if (base?.length !== NSH_BASE) refuse('push_nsh: BASE is required');
  const mdType = base[2];
  const context = mdType === 1 ? attrs.get(N.MD1.code) : mdType === 2 ? attrs.get(N.MD2.code) : undefined;
  if (mdType !== 1 && mdType !== 2) refuse(`push_nsh: metadata of unknown type ${mdType}`);
  if (mdType === 1 && context?.length !== NSH_MD1) refuse('push_nsh: 16 bytes of metadata are required');
  const bytes = context ?? new Uint8Array(0);
  if (bytes.length > NSH_MAX_MD2 || bytes.length % 4 !== 0)
    refuse(`push_nsh: ${bytes.length} bytes of metadata`);
  const length = NSH_BASE + bytes.length;
  const word = ((base[0] & 3) << 12) | ((base[1] & 0x3f) << 6) | (length >> 2);
  b.code.push(Op.PUSH_NSH, b.data.length, length);
  b.data.push(word >> 8, word & 0xff, mdType, base[3], ...base.subarray(4), ...bytes);
  b.setEthType(ETH_NSH);
  b.packetType = NSH;
}

export function compilePopNsh(b: Builder): void {
  if (b.packetType !== NSH && b.packetType !== UNKNOWN_TYPE)
    refuse('pop_nsh: the packet does not begin with a service header');
  b.code.push(Op.POP_NSH);
  // It is read anew from here on.
  b.packetType = UNKNOWN_TYPE;
  b.setEthType(0);
}

/** The nest of a set action (each attribute holds a value), or of a masked one (value, then mask). */
export function compileSetNsh(b: Builder, field: NlReader, isMasked: boolean): void {
  if (b.ethType !== ETH_NSH) refuse('set NSH: the flow does not match NSH');
  const value = new Uint8Array(NSH_BASE + NSH_MD1);
  const mask = new Uint8Array(value.length);
  for (const [code, bytes] of nshAttrs(field)) {
    const [at, length] = code === N.BASE.code ? [0, NSH_BASE] : [NSH_BASE, NSH_MD1];
    if (code === N.MD2.code || bytes.length !== (isMasked ? 2 * length : length))
      refuse(`set NSH: bad attribute ${attrName(N, code)}`);
    value.set(bytes.subarray(0, length), at);
    if (isMasked) mask.set(bytes.subarray(length), at);
    else mask.fill(0xff, at, at + length);
  }
  if (isMasked && (mask[2] | mask[3]) !== 0) refuse('set NSH: the types cannot be changed');
  for (let i = 0; i < value.length; i++)
    if ((value[i] & ~mask[i]) !== 0) refuse('set NSH: value has bits outside of its mask');
  b.code.push(Op.SET_NSH, b.data.length);
  b.data.push(...value, ...mask);
}

function nshAttrs(outer: NlReader): Map<number, Uint8Array> {
  const attrs = new Map<number, Uint8Array>();
  const r = outer.enter(new NlReader());
  while (r.next()) {
    if (r.type !== N.BASE.code && r.type !== N.MD1.code && r.type !== N.MD2.code)
      refuse(`NSH: unknown attribute ${r.type}`);
    attrs.set(r.type, r.bytes());
  }
  if (r.malformed) refuse('NSH: malformed attributes');
  return attrs;
}
