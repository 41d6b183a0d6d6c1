/** The exact mask of a key, and what of a mask cannot be left open; see `key.ts`. */
import { getVlanLimit, MAX_VLANS } from '@ovs-node/flow/extract';
import { FRAG_LATER, type FlowKey, VLAN_CFI, W } from '@ovs-node/flow/layout';
import {
  EthType,
  CT_STATE_BITS,
  TCP,
  ICMPV6,
  ND_TYPES,
  transportOf,
  isNd,
  hasTunnel,
  hasCtIpv6,
  mplsDepth,
} from './key-places.js';

/** Makes `mask` the exact match of every field that a packet with this key has. */
export function exactMask(key: FlowKey, mask: FlowKey): void {
  mask.fill(0);
  fill(mask, W.IN_PORT, 6);
  mask[W.ETH_TYPE] = 0xffff0000;
  mask[W.VLAN0] = mask[W.VLAN1] = 0xffffffff;
  fill(mask, W.CT_STATE, 7);
  mask[W.CT_STATE] = CT_STATE_BITS;
  mask[W.CT_ZONE] = 0xffff0000;
  fill(mask, W.SKB_PRIORITY, 4);
  if (key[W.CT_ZONE]! & 0xff) {
    mask[W.CT_ZONE] = 0xffff00ff;
    if (hasCtIpv6(key)) fill(mask, W.CT_IPV6_SRC, 8);
    else fill(mask, W.CT_NW_SRC, 2);
    mask[W.CT_TP] = 0xffffffff;
  }
  if (hasTunnel(key)) {
    fill(mask, W.TUN_ID, 15);
    mask[W.TUN_FLAGS] = 0x000fffff;
    mask[W.TUN_GBP] = 0xffff00ff;
  }
  const ethType = key[W.ETH_TYPE]! >>> 16;
  if (ethType === EthType.MPLS || ethType === EthType.MPLS_MC) fill(mask, W.MPLS, mplsDepth(key));
  else if (ethType === EthType.NSH) fill(mask, W.NSH, 6);
  else if (ethType === EthType.ARP || ethType === EthType.RARP) {
    mask[W.NW] = 0xff000000;
    fill(mask, W.NW_SRC, 2);
    fill(mask, W.ARP_HW, 3);
  } else if (ethType === EthType.IPV4 || ethType === EthType.IPV6) {
    mask[W.NW] = 0xffffff03;
    if (ethType === EthType.IPV4) fill(mask, W.NW_SRC, 2);
    else {
      fill(mask, W.IPV6_SRC, 8);
      mask[W.IPV6_LABEL] = 0x000fffff;
    }
    const row = key[W.NW]! & FRAG_LATER ? null : transportOf(ethType, key[W.NW]! >>> 24);
    if (row !== null) mask[W.TP] = 0xffffffff;
    if (row === TCP) mask[W.ETH_TYPE] = 0xffffffff;
    if (row === ICMPV6 && isNd(key)) {
      fill(mask, W.ND_TARGET, 4);
      fill(mask, W.ARP_HW, 3);
    }
  }
}

/**
 * Adds to a mask what its attributes say in any case, or cannot do without, so that it means the same to the datapath:
 * - whether there is a VLAN tag, and its type. Packets with and without one would otherwise have one megaflow here, and two
 *   there.
 * - type and code of the ICMPv6 message whose neighbour discovery fields it has or asks not to be there: only messages of
 *   just these types and of code 0 have such fields, and attributes for them.
 */
export function completeMask(key: FlowKey, mask: FlowKey): void {
  if (ND_WORDS.some((word) => mask[word] !== 0)) mask[W.TP]! |= neighborBits(key, mask);
  let word: number = W.VLAN0;
  const end = W.VLAN0 + getVlanLimit();
  for (; word < end && (key[word]! & VLAN_CFI) !== 0; word++) mask[word]! |= 0xffff0000 | VLAN_CFI;
  mask.fill(0xffffffff, word, W.VLAN0 + MAX_VLANS);
}

const ND_WORDS = [
  W.ND_TARGET,
  W.ND_TARGET + 1,
  W.ND_TARGET + 2,
  W.ND_TARGET + 3,
  W.ARP_HW,
  W.ARP_HW + 1,
  W.ARP_HW + 2,
];

/** The bits of type and code that say whether a packet with this key has neighbour discovery fields, if `mask` does not. */
function neighborBits(key: FlowKey, mask: FlowKey): number {
  if (transportOf(key[W.ETH_TYPE]! >>> 16, key[W.NW]! >>> 24) !== ICMPV6) return 0;
  const differs = (type: number): boolean => (((key[W.TP]! >>> 16) ^ type) & (mask[W.TP]! >>> 16)) !== 0;
  return ND_TYPES.every(differs) ? 0 : 0x00ff00ff;
}

function fill(mask: FlowKey, word: number, n: number): void {
  mask.fill(0xffffffff, word, word + n);
}
