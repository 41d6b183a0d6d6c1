/**
 * Flow keys and masks between the flow key layout (`@ovs-node/flow/layout`) and netlink attributes (OVS_KEY_ATTR_*).
 *
 * Most attributes are runs of the key's network-order bytes, so one row of `PLACES` per attribute says which key bytes
 * its payload bytes are, and one loop serves both directions, key and mask. What is not a copy of bytes is written out:
 * host-order integers, VLAN tags (ETHERTYPE + VLAN + ENCAP nest the rest of the key), fragments, ICMP, tunnels.
 *
 * Which attributes a key has follows from the key alone (an IPv4 TCP packet has IPV4, TCP, TCP_FLAGS), and a mask is
 * written with the attributes of its key. Reading is strict in the same way: a key lacks nothing and has nothing that
 * its own fields do not call for, and a mask has nothing (but zeros) that its key does not have, else EINVAL with a
 * reason. Conventions of the interface that are easy to miss:
 * - A mask without a VLAN attribute matches exactly "no (further) VLAN tag"; where the key has a tag, presence and TPID
 *   are always matched exactly.
 * - A frame that ends within one of the first two tags has that tag's Ethernet type, a VLAN of zero and an empty ENCAP.
 *   Behind two tags the Ethernet type of a third is one like others.
 * - A key without ETHERTYPE is an 802.2 frame; its mask says so with ETHERTYPE 0xffff.
 * - The recirculation id is always matched exactly: packets of different stages have nothing in common.
 * - No mask at all means an exact match of every field that the key has.
 * - The fragment type is an enumeration, so it is matched whole or not at all.
 */
export { decodeKey, decodeMask, decodeMatch, keyOf } from './key-decode.js';
export {
  KERNEL_ENCODING,
  type KeyEncoding,
  PORT_NONE,
  USERSPACE_ENCODING,
  encodeKey,
  encodeMask,
} from './key-encode.js';
export { completeMask, exactMask } from './key-exact.js';
export { hasTunnel } from './key-places.js';
