/**
 * From a packet to the tuple that its connection is found by, and whether the packet is fit to be tracked at all.
 *
 * As in Open vSwitch's userspace conntrack, a packet is invalid when a header is cut short, when a checksum that no
 * device vouches for is wrong, and when it is an ICMP message that neither asks, answers nor reports (neighbour
 * discovery among them). Protocols without ports are tracked by their addresses. ICMP errors are looked up by the packet that they quote, turned around.
 *
 * Fragments: a first fragment is tracked by its ports, its transport checksum unchecked, and later ones by what it
 * left in `FragmentNotes`; without that they are invalid.
 */
import { OFS } from '@ovs-node/flow/extract';
import { FRAG_ANY, FRAG_LATER, W } from '@ovs-node/flow/layout';
import { sum16 } from '../../offload/checksum.js';
import type { Packet } from '../packet.js';
import type { FragmentNotes } from './fragments.js';
import { FAMILY_IPV4, FAMILY_IPV6, T } from './table.js';

export const TUPLE_INVALID = 0;
export const TUPLE_OK = 1;
/** An ICMP error: the tuple is that of the connection it is about, in the direction the error travels. */
export const TUPLE_RELATED = 2;

const ICMP = 1;
const TCP = 6;
const UDP = 17;
const ICMPV6 = 58;
const SCTP = 132;
/** The IPv6 fragment header (RFC 8200, section 4.5). */
const FRAGMENT = 44;
/** Bytes of the transport header that an ICMP error quotes at least. */
const QUOTED = 8;

/** The ICMP type that answers a request, or that a reply answers; -1 for other types. */
export function answeringType(type: number, v6: boolean): number {
  if (v6) return type === 128 ? 129 : type === 129 ? 128 : -1;
  switch (type) {
    case 0:
      return 8;
    case 8:
      return 0;
    case 13:
    case 15:
      return type + 1;
    case 14:
    case 16:
      return type - 1;
    default:
      return -1;
  }
}

/** Whether a message of that type may begin a connection: it is a request. */
export function icmpMayBegin(type: number, v6: boolean): boolean {
  return v6 ? type === 128 : type === 8 || type === 13 || type === 15;
}

/**
 * Fills `tuple` from a packet whose key is right, in `zone`, at `now`. Returns one of the `TUPLE_*` codes. First fragments
 * leave their tuple in `notes`, later ones look there.
 */
export function tupleOf(
  p: Packet,
  zone: number,
  tuple: Uint32Array,
  notes: FragmentNotes,
  now: number,
): number {
  const kind = wholeTuple(p, zone, tuple, notes, now);
  const nw = p.key[W.NW];
  if (kind === TUPLE_OK && (nw & (FRAG_ANY | FRAG_LATER)) === FRAG_ANY) {
    const id = fragmentId(p);
    if (id >= 0) notes.put(tuple, id, now);
  }
  return kind;
}

/** The identification of a fragment; -1 when the fragment header is not where it usually is. */
function fragmentId(p: Packet): number {
  const { buf, offsets } = p;
  const l3 = offsets[OFS.L3];
  if (p.key[W.ETH_TYPE] >>> 16 === 0x0800) return (buf[l3 + 4] << 8) | buf[l3 + 5];
  const l4 = offsets[OFS.L4];
  return l4 === l3 + 48 && buf[l3 + 6] === FRAGMENT ? word(buf, l4 - 4) : -1;
}

function wholeTuple(p: Packet, zone: number, tuple: Uint32Array, notes: FragmentNotes, now: number): number {
  const { key, offsets, buf } = p;
  const type = key[W.ETH_TYPE] >>> 16;
  const v6 = type === 0x86dd;
  if (!v6 && type !== 0x0800) return TUPLE_INVALID;
  const nw = key[W.NW];
  const l3 = offsets[OFS.L3];
  const l4 = offsets[OFS.L4];
  const end = offsets[OFS.END];
  if (l4 < 0) return TUPLE_INVALID;
  const isLater = (nw & FRAG_LATER) !== 0;
  // The key of a later IPv6 fragment has the fragment header for its protocol.
  const proto = isLater && v6 ? buf[l4 - 8] : nw >>> 24;
  const trusted = p.meta.csumValid || p.meta.csumStart >= 0;
  if (!v6 && !trusted && sum16(buf, l3, l4, 0) !== 0xffff) return TUPLE_INVALID;

  tuple[T.META] = (zone << 16) | (proto << 8) | (v6 ? FAMILY_IPV6 : FAMILY_IPV4);
  if (v6) {
    tuple[T.SRC] = key[W.IPV6_SRC];
    tuple[T.DST] = key[W.IPV6_DST];
    for (let i = 0; i < 3; i++) {
      tuple[T.SRC6 + i] = key[W.IPV6_SRC + 1 + i];
      tuple[T.DST6 + i] = key[W.IPV6_DST + 1 + i];
    }
  } else {
    tuple[T.SRC] = key[W.NW_SRC];
    tuple[T.DST] = key[W.NW_DST];
    for (let i = T.SRC6; i < T.SRC6 + 6; i++) tuple[i] = 0;
  }

  if (isLater) {
    const id = fragmentId(p);
    return id >= 0 && notes.complete(tuple, id, now) ? TUPLE_OK : TUPLE_INVALID;
  }

  if (proto !== ICMP && proto !== ICMPV6) {
    if (proto !== TCP && proto !== UDP && proto !== SCTP) {
      tuple[T.PORTS] = 0;
      return TUPLE_OK;
    }
    if (offsets[OFS.PAYLOAD] < 0) return TUPLE_INVALID;
    const ports = key[W.TP];
    if (ports >>> 16 === 0 || (ports & 0xffff) === 0) return TUPLE_INVALID;
    tuple[T.PORTS] = ports;
    if (proto === UDP) {
      const length = (buf[l4 + 4] << 8) | buf[l4 + 5];
      // Of a first fragment the rest is still to come.
      if (length < 8 || (length > end - l4 && (nw & FRAG_ANY) === 0)) return TUPLE_INVALID;
      // No checksum is allowed over IPv4 only (RFC 8200, section 8.1).
      if ((buf[l4 + 6] | buf[l4 + 7]) === 0) return v6 && !trusted ? TUPLE_INVALID : TUPLE_OK;
    }
    if (trusted || proto === SCTP || (nw & FRAG_ANY) !== 0) return TUPLE_OK;
    return sum16(buf, l4, end, pseudo(key, v6, proto, end - l4)) === 0xffff ? TUPLE_OK : TUPLE_INVALID;
  }

  if ((proto === ICMPV6) !== v6 || offsets[OFS.PAYLOAD] < 0) return TUPLE_INVALID;
  if (!trusted && (nw & FRAG_ANY) === 0) {
    const start = v6 ? pseudo(key, true, ICMPV6, end - l4) : 0;
    if (sum16(buf, l4, end, start) !== 0xffff) return TUPLE_INVALID;
  }
  const icmpType = buf[l4];
  if (answeringType(icmpType, v6) >= 0) {
    tuple[T.PORTS] = (buf[l4 + 4] << 24) | (buf[l4 + 5] << 16) | (icmpType << 8) | buf[l4 + 1];
    return TUPLE_OK;
  }
  const isError = v6
    ? icmpType >= 1 && icmpType <= 4
    : icmpType === 3 || icmpType === 4 || icmpType === 5 || icmpType === 11 || icmpType === 12;
  if (!isError) return TUPLE_INVALID;
  return quoted(buf, l4 + 8, end, zone, v6, tuple) ? TUPLE_RELATED : TUPLE_INVALID;
}

/** The tuple of the packet quoted at `buf[at, end)`, turned around. False when it is none that could be tracked. */
function quoted(
  buf: Uint8Array,
  at: number,
  end: number,
  zone: number,
  v6: boolean,
  tuple: Uint32Array,
): boolean {
  let proto: number;
  let l4: number;
  // The error travels to who sent the quoted packet.
  const to = tuple[T.DST];
  if (v6) {
    if (end - at < 40 || buf[at] >> 4 !== 6) return false;
    proto = buf[at + 6];
    l4 = at + 40;
    tuple[T.DST] = word(buf, at + 8);
    tuple[T.SRC] = word(buf, at + 24);
    for (let i = 0; i < 3; i++) {
      if (tuple[T.DST6 + i] !== word(buf, at + 12 + 4 * i)) return false;
      tuple[T.SRC6 + i] = word(buf, at + 28 + 4 * i);
    }
  } else {
    const header = (buf[at] & 15) << 2;
    if (end - at < 20 || buf[at] >> 4 !== 4 || header < 20 || end - at < header) return false;
    if ((((buf[at + 6] << 8) | buf[at + 7]) & 0x1fff) !== 0) return false;
    if (sum16(buf, at, at + header, 0) !== 0xffff) return false;
    proto = buf[at + 9];
    l4 = at + header;
    tuple[T.DST] = word(buf, at + 12);
    tuple[T.SRC] = word(buf, at + 16);
  }
  if (tuple[T.DST] !== to) return false;
  tuple[T.META] = (zone << 16) | (proto << 8) | (v6 ? FAMILY_IPV6 : FAMILY_IPV4);
  if (proto !== TCP && proto !== UDP && proto !== SCTP && proto !== ICMP && proto !== ICMPV6) {
    tuple[T.PORTS] = 0;
    return true;
  }
  if (end - l4 < QUOTED) return false;
  if (proto === TCP || proto === UDP || proto === SCTP) {
    tuple[T.PORTS] = (buf[l4 + 2] << 24) | (buf[l4 + 3] << 16) | (buf[l4] << 8) | buf[l4 + 1];
    return true;
  }
  if (proto !== (v6 ? ICMPV6 : ICMP)) return false;
  const answer = answeringType(buf[l4], v6);
  if (answer < 0) return false;
  tuple[T.PORTS] = (buf[l4 + 4] << 24) | (buf[l4 + 5] << 16) | (answer << 8) | buf[l4 + 1];
  return true;
}

/** Fills `reply` with the tuple of packets that answer those of `tuple`. */
export function reverseTuple(tuple: Uint32Array, reply: Uint32Array): void {
  const meta = tuple[T.META];
  const proto = (meta >>> 8) & 0xff;
  const ports = tuple[T.PORTS];
  reply[T.META] = meta;
  reply[T.SRC] = tuple[T.DST];
  reply[T.DST] = tuple[T.SRC];
  for (let i = 0; i < 3; i++) {
    reply[T.SRC6 + i] = tuple[T.DST6 + i];
    reply[T.DST6 + i] = tuple[T.SRC6 + i];
  }
  if (proto === ICMP || proto === ICMPV6) {
    const answer = answeringType((ports >>> 8) & 0xff, (meta & 0xff) === FAMILY_IPV6);
    reply[T.PORTS] = (ports & 0xffff00ff) | ((answer & 0xff) << 8);
  } else reply[T.PORTS] = (ports << 16) | (ports >>> 16);
}

function word(buf: Uint8Array, at: number): number {
  return ((buf[at] << 24) | (buf[at + 1] << 16) | (buf[at + 2] << 8) | buf[at + 3]) >>> 0;
}

/** The unfolded sum of the pseudo header. */
function pseudo(key: Uint32Array, v6: boolean, proto: number, length: number): number {
  let total = proto + length;
  if (v6) for (let i = W.IPV6_SRC; i < W.IPV6_LABEL; i++) total += (key[i] >>> 16) + (key[i] & 0xffff);
  else {
    total += (key[W.NW_SRC] >>> 16) + (key[W.NW_SRC] & 0xffff);
    total += (key[W.NW_DST] >>> 16) + (key[W.NW_DST] & 0xffff);
  }
  return total;
}
