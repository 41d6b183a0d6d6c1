import { ETH_TYPE_NONE, FRAG_ANY, FRAG_LATER, type FlowKey, VLAN_CFI, W } from './layout.js';

/**
 * Hot path: from the bytes of a frame to the words of its key, and where its layers start.
 *
 * What the words are for a damaged packet is part of the contract, since flow tables see it: parsing stops at
 * the first layer that does not fit, and everything from there on is 0. So an IPv4 packet whose header is cut
 * short, or whose total length exceeds the frame, has its Ethernet type and nothing more; a later fragment has
 * addresses and protocol but no ports.
 *
 *     word   2..4   5     6 7    8    9 10   11 |  19..26  27     28..31    32..34    35..37 38
 *            ETH    TYPE  VLAN   NW   IPv4   TP |  IPv6    label  ND target ARP, ND   MPLS   IGMP   54..59 NSH
 *            always written ------------------  |  written when the packet has it ("cold")
 *
 * Rules of this file, each held by `bench/extract.mjs`:
 * - Byte loads and shifts; a store into a Uint32Array makes the word unsigned by itself.
 * - Cold words cost nothing until used: `offsets[OFS.COLD]` remembers whether this key holds any, and only then
 *   are they cleared. The slot belongs to the pair (key, offsets): keep using the two together.
 * - No allocation, no exception, no closure; results other than words go to the caller's `offsets`.
 *
 * Metadata (in_port, recirc_id, ct_*, tunnel, marks, packet_type) is the caller's and neither read nor written.
 */

/** Slots of the `offsets` array of `extractKey`; positions in `buf`, -1 when the packet has no such layer. */
export const OFS = {
  /** First MPLS label stack entry. */
  L2_5: 0,
  /** Network header, or what follows the Ethernet type. */
  L3: 1,
  /** Transport header, or the data of a later fragment. */
  L4: 2,
  /** After a complete TCP, UDP, SCTP or ICMP header. */
  PAYLOAD: 3,
  /** End of the network layer's packet: what follows up to `end` is Ethernet padding. */
  END: 4,
  /** In and out: 1 when words from HOT_WORDS on are in use by extraction. Set it to 0 for a fresh key. */
  COLD: 5,
} as const;
/** Length of the `offsets` array. */
export const OFS_SLOTS = 6;

/** A fresh `offsets` array for a fresh key. */
export function newOffsets(): Int32Array {
  return new Int32Array(OFS_SLOTS);
}

/** VLAN tags that a key has room for. */
export const MAX_VLANS = 2;

let vlanLimit = MAX_VLANS;

/**
 * How many VLAN tags are parsed, 0 to 2; what follows them is payload of the type that the next tag begins with.
 * Process-wide, as packets, netlink keys and OpenFlow's view of them have to agree.
 */
export function setVlanLimit(limit: number): void {
  vlanLimit = Math.max(0, Math.min(MAX_VLANS, limit | 0));
}

/** The number of VLAN tags that are parsed. */
export function getVlanLimit(): number {
  return vlanLimit;
}

const ETH_HEADER = 14;
const IPPROTO_HOPOPTS = 0;
const IPPROTO_ICMP = 1;
const IPPROTO_IGMP = 2;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_ROUTING = 43;
const IPPROTO_FRAGMENT = 44;
const IPPROTO_AH = 51;
const IPPROTO_ICMPV6 = 58;
const IPPROTO_DSTOPTS = 60;
const IPPROTO_SCTP = 132;

/**
 * Parses the Ethernet frame `buf[start, end)` into `key` and the layer positions into `offsets` (`OFS`).
 *
 * `end` must not exceed `buf.length`. A frame shorter than an Ethernet header gives an all-zero key.
 */
export function extractKey(
  buf: Uint8Array,
  start: number,
  end: number,
  key: FlowKey,
  offsets: Int32Array,
): void {
  offsets[OFS.L2_5] = -1;
  offsets[OFS.L3] = -1;
  offsets[OFS.L4] = -1;
  offsets[OFS.PAYLOAD] = -1;
  offsets[OFS.END] = end;
  if (offsets[OFS.COLD] !== 0) {
    key.fill(0, W.IPV6_SRC, W.IGMP + 1);
    key.fill(0, W.NSH, W.NSH + 6);
    offsets[OFS.COLD] = 0;
  }
  if (end - start < ETH_HEADER) {
    key.fill(0, W.ETH, W.TP + 1);
    return;
  }
  let p = start;
  key[W.ETH] = (buf[p]! << 24) | (buf[p + 1]! << 16) | (buf[p + 2]! << 8) | buf[p + 3]!;
  key[W.ETH + 1] = (buf[p + 4]! << 24) | (buf[p + 5]! << 16) | (buf[p + 6]! << 8) | buf[p + 7]!;
  key[W.ETH + 2] = (buf[p + 8]! << 24) | (buf[p + 9]! << 16) | (buf[p + 10]! << 8) | buf[p + 11]!;
  let type = (buf[p + 12]! << 8) | buf[p + 13]!;
  p += ETH_HEADER;

  let vlan0 = 0;
  let vlan1 = 0;
  // A tag counts only when the Ethernet type after it is there too.
  if ((type === 0x8100 || type === 0x88a8) && vlanLimit > 0 && end - p >= 4) {
    vlan0 = (type << 16) | VLAN_CFI | (buf[p]! << 8) | buf[p + 1]!;
    type = (buf[p + 2]! << 8) | buf[p + 3]!;
    p += 4;
    if ((type === 0x8100 || type === 0x88a8) && vlanLimit > 1 && end - p >= 4) {
      vlan1 = (type << 16) | VLAN_CFI | (buf[p]! << 8) | buf[p + 1]!;
      type = (buf[p + 2]! << 8) | buf[p + 3]!;
      p += 4;
    }
  }
  key[W.VLAN0] = vlan0;
  key[W.VLAN1] = vlan1;

  if (type < 0x0600) {
    // IEEE 802.3: a length; LLC/SNAP with organisation 0 carries an Ethernet type (RFC 1042).
    type = ETH_TYPE_NONE;
    if (
      end - p >= 8 &&
      buf[p] === 0xaa &&
      buf[p + 1] === 0xaa &&
      buf[p + 2] === 0x03 &&
      (buf[p + 3]! | buf[p + 4]! | buf[p + 5]!) === 0
    ) {
      const snap = (buf[p + 6]! << 8) | buf[p + 7]!;
      if (snap >= 0x0600) type = snap;
      p += 8;
    }
  }
  key[W.ETH_TYPE] = type << 16;
  offsets[OFS.L3] = p;

  if (type === 0x0800) {
    const size = end - p;
    if (size >= 20) {
      const ihl = (buf[p]! & 15) << 2;
      const total = (buf[p + 2]! << 8) | buf[p + 3]!;
      if (ihl >= 20 && total >= ihl && total <= size && size - total <= 0xffff) {
        key[W.NW_SRC] = (buf[p + 12]! << 24) | (buf[p + 13]! << 16) | (buf[p + 14]! << 8) | buf[p + 15]!;
        key[W.NW_DST] = (buf[p + 16]! << 24) | (buf[p + 17]! << 16) | (buf[p + 18]! << 8) | buf[p + 19]!;
        // MF and the offset; DF and the reserved bit do not make a fragment.
        const fragWord = ((buf[p + 6]! << 8) | buf[p + 7]!) & 0x3fff;
        let frag = 0;
        if (fragWord !== 0) frag = (fragWord & 0x1fff) !== 0 ? FRAG_ANY | FRAG_LATER : FRAG_ANY;
        const proto = buf[p + 9]!;
        key[W.NW] = (proto << 24) | (buf[p + 1]! << 16) | (buf[p + 8]! << 8) | frag;
        offsets[OFS.END] = p + total;
        extractL4(buf, p + ihl, p + total, proto, frag, key, offsets);
        return;
      }
    }
    key[W.NW] = 0;
    key[W.NW_SRC] = 0;
    key[W.NW_DST] = 0;
    key[W.TP] = 0;
    return;
  }
  key[W.NW] = 0;
  key[W.NW_SRC] = 0;
  key[W.NW_DST] = 0;
  key[W.TP] = 0;
  if (type === 0x86dd) extractIpv6(buf, p, end, key, offsets);
  else if (type === 0x0806 || type === 0x8035) extractArp(buf, p, end, key, offsets);
  else if (type === 0x8847 || type === 0x8848) extractMpls(buf, p, end, key, offsets);
  else if (type === 0x894f) extractNsh(buf, p, end, key, offsets);
}

/**
 * Parses a whole packet whose `packet_type` (ovs-fields(7); `key[W.PACKET_TYPE]`) says whether it begins with an Ethernet
 * header. Not for the hot path: one that does not is copied behind a header that is made up. Offsets are those in
 * `packet`; what would come before it is -1.
 */
export function extractPacket(packet: Uint8Array, key: FlowKey, offsets: Int32Array): void {
  const type = key[W.PACKET_TYPE]!;
  if (type === 0) {
    extractKey(packet, 0, packet.length, key, offsets);
    return;
  }
  const framed = new Uint8Array(ETH_HEADER + packet.length);
  framed[ETH_HEADER - 2] = type >>> 8;
  framed[ETH_HEADER - 1] = type;
  framed.set(packet, ETH_HEADER);
  extractKey(framed, 0, framed.length, key, offsets);
  for (let i = OFS.L2_5; i <= OFS.END; i++) offsets[i] = Math.max(offsets[i]! - ETH_HEADER, -1);
}

/** What the peer calls the check that the IP header of a packet has failed, of which `extractKey` made that; undefined: none. */
export function failedCheck(key: FlowKey, offsets: Int32Array): string | undefined {
  const type = key[W.ETH_TYPE]! >>> 16;
  if (type === 0x0800) return offsets[OFS.L4] === -1 ? 'ipv4_sanity_check' : undefined;
  // Of a header with addresses, there are words that others have not.
  if (type === 0x86dd) return offsets[OFS.COLD] === 0 ? 'ipv6_sanity_check' : undefined;
  return undefined;
}

/**
 * Ports, flags, ICMP type and code of the transport header at `p`; `end` is that of the network packet. As in
 * the peer the protocol number alone decides: ICMP over IPv6 is read like ICMP, and so on.
 */
function extractL4(
  buf: Uint8Array,
  p: number,
  end: number,
  proto: number,
  frag: number,
  key: FlowKey,
  offsets: Int32Array,
): void {
  offsets[OFS.L4] = p;
  key[W.TP] = 0;
  if ((frag & FRAG_LATER) !== 0) return;
  const size = end - p;
  if (proto === IPPROTO_TCP) {
    if (size >= 20) {
      const header = (buf[p + 12]! >> 4) << 2;
      if (header < 20 || header > size) return;
      key[W.TP] = (buf[p]! << 24) | (buf[p + 1]! << 16) | (buf[p + 2]! << 8) | buf[p + 3]!;
      key[W.ETH_TYPE]! |= ((buf[p + 12]! & 15) << 8) | buf[p + 13]!;
      offsets[OFS.PAYLOAD] = p + header;
    }
  } else if (proto === IPPROTO_UDP) {
    if (size >= 8) {
      key[W.TP] = (buf[p]! << 24) | (buf[p + 1]! << 16) | (buf[p + 2]! << 8) | buf[p + 3]!;
      offsets[OFS.PAYLOAD] = p + 8;
    }
  } else if (proto === IPPROTO_SCTP) {
    if (size >= 12) {
      key[W.TP] = (buf[p]! << 24) | (buf[p + 1]! << 16) | (buf[p + 2]! << 8) | buf[p + 3]!;
      offsets[OFS.PAYLOAD] = p + 12;
    }
  } else if (proto === IPPROTO_ICMP) {
    if (size >= 8) {
      key[W.TP] = (buf[p]! << 16) | buf[p + 1]!;
      offsets[OFS.PAYLOAD] = p + 8;
    }
  } else if (proto === IPPROTO_IGMP) {
    if (size >= 8) {
      key[W.TP] = (buf[p]! << 16) | buf[p + 1]!;
      key[W.IGMP] = (buf[p + 4]! << 24) | (buf[p + 5]! << 16) | (buf[p + 6]! << 8) | buf[p + 7]!;
      offsets[OFS.COLD] = 1;
      offsets[OFS.PAYLOAD] = p + 8;
    }
  } else if (proto === IPPROTO_ICMPV6) {
    if (size >= 8) extractIcmpv6(buf, p, end, key, offsets);
  }
}

/** IPv6 (RFC 8200) with its extension headers. */
function extractIpv6(buf: Uint8Array, p: number, end: number, key: FlowKey, offsets: Int32Array): void {
  const size = end - p;
  if (size < 40) return;
  const plen = (buf[p + 4]! << 8) | buf[p + 5]!;
  if (plen + 40 > size || size - plen - 40 > 0xffff) return;
  offsets[OFS.COLD] = 1;
  for (let i = 0; i < 8; i++) {
    const q = p + 8 + i * 4;
    key[W.IPV6_SRC + i] = (buf[q]! << 24) | (buf[q + 1]! << 16) | (buf[q + 2]! << 8) | buf[q + 3]!;
  }
  const tos = ((buf[p]! & 15) << 4) | (buf[p + 1]! >> 4);
  const ttl = buf[p + 7]!;
  const label = ((buf[p + 1]! & 15) << 16) | (buf[p + 2]! << 8) | buf[p + 3]!;
  let proto = buf[p + 6]!;
  let q = p + 40;
  const l3End = q + plen;
  offsets[OFS.END] = l3End;
  let frag = 0;
  while (
    proto === IPPROTO_HOPOPTS ||
    proto === IPPROTO_ROUTING ||
    proto === IPPROTO_DSTOPTS ||
    proto === IPPROTO_AH ||
    proto === IPPROTO_FRAGMENT
  ) {
    if (l3End - q < 8) return;
    const next = buf[q]!;
    if (proto === IPPROTO_FRAGMENT) {
      const offsetFlags = (buf[q + 2]! << 8) | buf[q + 3]!;
      proto = next;
      q += 8;
      // An "atomic" fragment (RFC 6946), offset and M flag 0, is a whole packet.
      if (offsetFlags !== 0) {
        frag = FRAG_ANY;
        if ((offsetFlags & 0xfff8) !== 0) {
          frag |= FRAG_LATER;
          proto = IPPROTO_FRAGMENT;
          break;
        }
      }
    } else {
      const length = proto === IPPROTO_AH ? (buf[q + 1]! + 2) << 2 : (buf[q + 1]! + 1) << 3;
      if (l3End - q < length) return;
      proto = next;
      q += length;
    }
  }
  key[W.IPV6_LABEL] = label;
  key[W.NW] = (proto << 24) | (tos << 16) | (ttl << 8) | frag;
  extractL4(buf, q, l3End, proto, frag, key, offsets);
}

/** ICMPv6 (RFC 4443) and, for neighbour solicitations and advertisements, RFC 4861 with its options. */
function extractIcmpv6(buf: Uint8Array, p: number, end: number, key: FlowKey, offsets: Int32Array): void {
  const type = buf[p]!;
  const code = buf[p + 1]!;
  key[W.TP] = (type << 16) | code;
  offsets[OFS.PAYLOAD] = p + 8;
  offsets[OFS.COLD] = 1;
  if ((type !== 135 && type !== 136) || code !== 0) return;
  key[W.IGMP] = (buf[p + 4]! << 24) | (buf[p + 5]! << 16) | (buf[p + 6]! << 8) | buf[p + 7]!;
  if (end - p < 24) return;
  let q = p + 8;
  for (let i = 0; i < 4; i++, q += 4) {
    key[W.ND_TARGET + i] = (buf[q]! << 24) | (buf[q + 1]! << 16) | (buf[q + 2]! << 8) | buf[q + 3]!;
  }
  while (end - q >= 8) {
    const length = buf[q + 1]! << 3;
    if (length === 0 || length > end - q) return;
    const option = buf[q]!;
    if ((option === 1 || option === 2) && length === 8) {
      const high = (buf[q + 2]! << 8) | buf[q + 3]!;
      const low = (buf[q + 4]! << 24) | (buf[q + 5]! << 16) | (buf[q + 6]! << 8) | buf[q + 7]!;
      let twice: boolean;
      if (option === 1) {
        twice = (key[W.ARP_HW]! | (key[W.ARP_HW + 1]! & 0xffff0000)) !== 0;
        key[W.ARP_HW] = (high << 16) | (low >>> 16);
        key[W.ARP_HW + 1] = (low << 16) | (key[W.ARP_HW + 1]! & 0xffff);
      } else {
        twice = ((key[W.ARP_HW + 1]! & 0xffff) | key[W.ARP_HW + 2]!) !== 0;
        key[W.ARP_HW + 1] = (key[W.ARP_HW + 1]! & 0xffff0000) | high;
        key[W.ARP_HW + 2] = low;
      }
      if (twice) {
        // The same option twice makes the whole of the ND part void.
        key.fill(0, W.ND_TARGET, W.ARP_HW + 3);
        return;
      }
      if ((key[W.ETH_TYPE]! & 0xffff) === 0) key[W.ETH_TYPE]! |= option;
    }
    q += length;
  }
}

/** ARP and RARP for Ethernet and IPv4 (RFC 826). */
function extractArp(buf: Uint8Array, p: number, end: number, key: FlowKey, offsets: Int32Array): void {
  if (end - p < 28) return;
  if (((buf[p]! << 8) | buf[p + 1]!) !== 1 || ((buf[p + 2]! << 8) | buf[p + 3]!) !== 0x0800) return;
  if (buf[p + 4] !== 6 || buf[p + 5] !== 4) return;
  key[W.NW_SRC] = (buf[p + 14]! << 24) | (buf[p + 15]! << 16) | (buf[p + 16]! << 8) | buf[p + 17]!;
  key[W.NW_DST] = (buf[p + 24]! << 24) | (buf[p + 25]! << 16) | (buf[p + 26]! << 8) | buf[p + 27]!;
  // The key has room for the lower 8 bits of the opcode; a larger one reads as 0.
  if (buf[p + 6] === 0) key[W.NW] = buf[p + 7]! << 24;
  key[W.ARP_HW] = (buf[p + 8]! << 24) | (buf[p + 9]! << 16) | (buf[p + 10]! << 8) | buf[p + 11]!;
  key[W.ARP_HW + 1] = (buf[p + 12]! << 24) | (buf[p + 13]! << 16) | (buf[p + 18]! << 8) | buf[p + 19]!;
  key[W.ARP_HW + 2] = (buf[p + 20]! << 24) | (buf[p + 21]! << 16) | (buf[p + 22]! << 8) | buf[p + 23]!;
  offsets[OFS.COLD] = 1;
}

/** MPLS label stack (RFC 3032): three entries are kept, L3 is after the bottom of the stack. */
function extractMpls(buf: Uint8Array, p: number, end: number, key: FlowKey, offsets: Int32Array): void {
  offsets[OFS.L2_5] = p;
  let q = p;
  for (let n = 0; end - q >= 4; n++) {
    if (n < 3) key[W.MPLS + n] = (buf[q]! << 24) | (buf[q + 1]! << 16) | (buf[q + 2]! << 8) | buf[q + 3]!;
    offsets[OFS.COLD] = 1;
    q += 4;
    if ((buf[q - 2]! & 1) !== 0) break;
  }
  offsets[OFS.L3] = q;
}

/** Network service header (RFC 8300); the contexts are those of MD type 1. */
function extractNsh(buf: Uint8Array, p: number, end: number, key: FlowKey, offsets: Int32Array): void {
  const size = end - p;
  if (size < 8) return;
  const word = (buf[p]! << 24) | (buf[p + 1]! << 16) | (buf[p + 2]! << 8) | buf[p + 3]!;
  const length = ((word >>> 16) & 0x3f) << 2;
  // As in the peer, the bits that the RFC leaves unassigned are part of the type.
  const mdtype = buf[p + 2]!;
  if (word >>> 30 !== 0 || length > size) return;
  if (mdtype === 1 ? length !== 24 : mdtype === 2 && length < 8) return;
  const flags = (word >>> 28) & 3;
  const ttl = (word >>> 22) & 0x3f;
  key[W.NSH] = (flags << 24) | (ttl << 16) | (mdtype << 8) | buf[p + 3]!;
  key[W.NSH + 1] = (buf[p + 4]! << 24) | (buf[p + 5]! << 16) | (buf[p + 6]! << 8) | buf[p + 7]!;
  if (mdtype === 1) {
    for (let i = 0, q = p + 8; i < 4; i++, q += 4) {
      key[W.NSH + 2 + i] = (buf[q]! << 24) | (buf[q + 1]! << 16) | (buf[q + 2]! << 8) | buf[q + 3]!;
    }
  }
  offsets[OFS.COLD] = 1;
}
