/**
 * Actions that change a frame's bytes. Each takes a packet that is already `own`ed and whose `offsets` are right, and
 * leaves every checksum as right as it was: complete ones are updated incrementally (so a wrong one stays wrong and
 * is found by the receiver), those that an offload will complete get their pseudo header part updated. Fields of
 * layers that are not there (a later fragment, a frame cut short) are left alone. Addresses, ports and types of ICMP are
 * what connections are told by: a packet with others is looked up again (`ctEntry`).
 */
import { OFS } from '@ovs-node/flow/extract';
import { FRAG_LATER, W } from '@ovs-node/flow/layout';
import type { Packet } from '../packet.js';
import { update16, update32, updateCrc32c, updatePartial32 } from './checksum-update.js';

const TCP = 6;
const UDP = 17;
const SCTP = 132;
const ICMPV6 = 58;

function get32(buf: Uint8Array, at: number): number {
  return ((buf[at] << 24) | (buf[at + 1] << 16) | (buf[at + 2] << 8) | buf[at + 3]) >>> 0;
}

function put32(buf: Uint8Array, at: number, value: number): void {
  buf[at] = value >>> 24;
  buf[at + 1] = value >>> 16;
  buf[at + 2] = value >>> 8;
  buf[at + 3] = value;
}

/** Position of the transport checksum that covers the pseudo header, or -1 when there is none to keep right. */
function l4Checksum(p: Packet): number {
  const l4 = p.offsets[OFS.L4];
  const nw = p.key[W.NW];
  if (l4 < 0 || (nw & FRAG_LATER) !== 0) return -1;
  const proto = nw >>> 24;
  const end = p.offsets[OFS.END];
  if (proto === TCP) return l4 + 20 <= end ? l4 + 16 : -1;
  if (proto === UDP) {
    if (l4 + 8 > end) return -1;
    // A zero UDP checksum means none; but a partial one may be zero by chance.
    return (p.buf[l4 + 6] | p.buf[l4 + 7]) === 0 && p.meta.csumStart < 0 ? -1 : l4 + 6;
  }
  if (proto === ICMPV6 && p.key[W.ETH_TYPE] >>> 16 === 0x86dd) return l4 + 4 <= end ? l4 + 2 : -1;
  return -1;
}

/** A complete UDP checksum of 0 is sent as 0xffff (RFC 768). */
function avoidZero(p: Packet, at: number): void {
  if (p.key[W.NW] >>> 24 === UDP && (p.buf[at] | p.buf[at + 1]) === 0) {
    p.buf[at] = 0xff;
    p.buf[at + 1] = 0xff;
  }
}

/** One word of the pseudo header changed. */
function fixPseudo(p: Packet, at: number, old: number, now: number): void {
  if (at < 0) return;
  if (isPartial(p, at)) updatePartial32(p.buf, at, old, now);
  else {
    update32(p.buf, at, old, now);
    avoidZero(p, at);
  }
}

/** Whether the checksum at `at` is the one that an offload will complete. */
function isPartial(p: Packet, at: number): boolean {
  return p.meta.csumStart >= 0 && p.start + p.meta.csumStart + p.meta.csumOffset === at;
}

/** Destination and source address from 12 bytes of value and 12 of mask at `data[from]`. */
export function setEth(p: Packet, data: Uint8Array, from: number): void {
  const buf = p.buf;
  const start = p.start;
  if (p.end - start < 12 || p.key[W.PACKET_TYPE] !== 0) return;
  for (let i = 0; i < 12; i++) {
    const mask = data[from + 12 + i];
    buf[start + i] = (buf[start + i] & ~mask) | (data[from + i] & mask);
  }
}

/** IPv4 addresses, TOS and TTL; operands as `Op.SET_IPV4`. */
export function setIpv4(
  p: Packet,
  src: number,
  srcMask: number,
  dst: number,
  dstMask: number,
  tosTtl: number,
  tosTtlMask: number,
): void {
  const buf = p.buf;
  const l3 = p.offsets[OFS.L3];
  if (p.key[W.ETH_TYPE] >>> 16 !== 0x0800 || l3 < 0 || p.offsets[OFS.L4] < 0) return;
  const check = l3 + 10;
  const l4 = (srcMask | dstMask) !== 0 ? l4Checksum(p) : -1;
  if (srcMask !== 0) {
    const old = get32(buf, l3 + 12);
    const now = ((old & ~srcMask) | (src & srcMask)) >>> 0;
    if (now !== old) {
      p.ctEntry = -1;
      put32(buf, l3 + 12, now);
      update32(buf, check, old, now);
      fixPseudo(p, l4, old, now);
    }
  }
  if (dstMask !== 0) {
    const old = get32(buf, l3 + 16);
    const now = ((old & ~dstMask) | (dst & dstMask)) >>> 0;
    if (now !== old) {
      p.ctEntry = -1;
      put32(buf, l3 + 16, now);
      update32(buf, check, old, now);
      fixPseudo(p, l4, old, now);
    }
  }
  if ((tosTtlMask & 0xff00) !== 0) {
    const old = (buf[l3] << 8) | buf[l3 + 1];
    const mask = tosTtlMask >>> 8;
    buf[l3 + 1] = (buf[l3 + 1] & ~mask) | ((tosTtl >>> 8) & mask);
    update16(buf, check, old, (buf[l3] << 8) | buf[l3 + 1]);
  }
  if ((tosTtlMask & 0xff) !== 0) {
    const old = (buf[l3 + 8] << 8) | buf[l3 + 9];
    buf[l3 + 8] = (buf[l3 + 8] & ~tosTtlMask) | (tosTtl & tosTtlMask & 0xff);
    update16(buf, check, old, (buf[l3 + 8] << 8) | buf[l3 + 9]);
  }
}

/** IPv6 addresses, label, traffic class, hop limit; 40 bytes of value and 40 of mask as OVS_KEY_ATTR_IPV6. */
export function setIpv6(p: Packet, data: Uint8Array, from: number): void {
  const buf = p.buf;
  const l3 = p.offsets[OFS.L3];
  if (p.key[W.ETH_TYPE] >>> 16 !== 0x86dd || l3 < 0 || p.offsets[OFS.L4] < 0) return;
  const l4 = l4Checksum(p);
  for (let i = 0; i < 32; i += 4) {
    const mask = get32(data, from + 40 + i);
    if (mask === 0) continue;
    const old = get32(buf, l3 + 8 + i);
    const now = ((old & ~mask) | (get32(data, from + i) & mask)) >>> 0;
    if (now === old) continue;
    p.ctEntry = -1;
    put32(buf, l3 + 8 + i, now);
    fixPseudo(p, l4, old, now);
  }
  // Version, traffic class and label share the first word; none of it is in the pseudo header.
  const mask = (get32(data, from + 72) & 0x000fffff) | (data[from + 77] << 20);
  if (mask !== 0) {
    const value = (get32(data, from + 32) & 0x000fffff) | (data[from + 37] << 20);
    put32(buf, l3, (get32(buf, l3) & ~mask) | (value & mask));
  }
  const hlimit = data[from + 78];
  if (hlimit !== 0) buf[l3 + 7] = (buf[l3 + 7] & ~hlimit) | (data[from + 38] & hlimit);
}

/** Source and destination port of TCP, UDP or SCTP. */
export function setPorts(p: Packet, proto: number, ports: number, mask: number): void {
  const l4 = p.offsets[OFS.L4];
  if (p.offsets[OFS.PAYLOAD] < 0 || p.key[W.NW] >>> 24 !== proto) return;
  const buf = p.buf;
  const old = get32(buf, l4);
  const now = ((old & ~mask) | (ports & mask)) >>> 0;
  if (now === old) return;
  const check = l4Checksum(p);
  p.ctEntry = -1;
  put32(buf, l4, now);
  if (proto === SCTP && !isPartial(p, l4 + 8)) updateCrc32c(buf, l4 + 8, old ^ now, p.offsets[OFS.END] - l4);
  // A partial checksum covers only the pseudo header so far: ports are summed later.
  if (check < 0 || isPartial(p, check)) return;
  update32(buf, check, old, now);
  avoidZero(p, check);
}

/** Type and code of ICMP or ICMPv6. */
export function setIcmp(p: Packet, typeCode: number, mask: number): void {
  const l4 = p.offsets[OFS.L4];
  if (p.offsets[OFS.PAYLOAD] < 0) return;
  const buf = p.buf;
  const old = (buf[l4] << 8) | buf[l4 + 1];
  const now = (old & ~mask & 0xffff) | (typeCode & mask & 0xffff);
  p.ctEntry = -1;
  buf[l4] = now >>> 8;
  buf[l4 + 1] = now;
  if (!isPartial(p, l4 + 2)) update16(buf, l4 + 2, old, now);
}

/** ARP over Ethernet and IPv4; 22 bytes of value and 22 of mask: sip, tip, op, sha, tha. */
export function setArp(p: Packet, data: Uint8Array, from: number): void {
  const l3 = p.offsets[OFS.L3];
  const type = p.key[W.ETH_TYPE] >>> 16;
  if ((type !== 0x0806 && type !== 0x8035) || l3 < 0 || p.end - l3 < 28) return;
  maskBytes(p.buf, l3 + 14, data, from, 4, 22);
  maskBytes(p.buf, l3 + 24, data, from + 4, 4, 22);
  maskBytes(p.buf, l3 + 6, data, from + 8, 2, 22);
  maskBytes(p.buf, l3 + 8, data, from + 10, 6, 22);
  maskBytes(p.buf, l3 + 18, data, from + 16, 6, 22);
}

/** Neighbour discovery: target and the link-layer address options that are there; 28 bytes of value, 28 of mask. */
export function setNd(p: Packet, data: Uint8Array, from: number): void {
  const l4 = p.offsets[OFS.L4];
  const end = p.offsets[OFS.END];
  const tp = p.key[W.TP];
  if (tp !== 135 << 16 && tp !== 136 << 16) return;
  if (p.offsets[OFS.PAYLOAD] < 0 || end - l4 < 24) return;
  const buf = p.buf;
  for (let i = 0; i < 16; i += 4) {
    const old = get32(buf, l4 + 8 + i);
    maskBytes(buf, l4 + 8 + i, data, from + i, 4, 28);
    if (!isPartial(p, l4 + 2)) update32(buf, l4 + 2, old, get32(buf, l4 + 8 + i));
  }
  for (let at = l4 + 24; end - at >= 8 && buf[at + 1] !== 0; at += buf[at + 1] << 3) {
    const option = buf[at];
    if ((option !== 1 && option !== 2) || buf[at + 1] !== 1) continue;
    const old0 = get32(buf, at);
    const old1 = get32(buf, at + 4);
    maskBytes(buf, at + 2, data, from + (option === 1 ? 16 : 22), 6, 28);
    if (isPartial(p, l4 + 2)) continue;
    update32(buf, l4 + 2, old0, get32(buf, at));
    update32(buf, l4 + 2, old1, get32(buf, at + 4));
  }
}

/** Replaces the masked bits of `size` bytes; the mask lies `gap` bytes after the value. */
function maskBytes(
  buf: Uint8Array,
  at: number,
  data: Uint8Array,
  from: number,
  size: number,
  gap: number,
): void {
  for (let i = 0; i < size; i++) {
    const mask = data[from + gap + i];
    buf[at + i] = (buf[at + i] & ~mask) | (data[from + i] & mask);
  }
}
