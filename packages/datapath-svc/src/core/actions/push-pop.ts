/**
 * Actions that put headers before what a frame carries, or take them off: VLAN tags and MPLS labels. Each takes a packet
 * that is already `own`ed, with room before its start for what is pushed, and whose `offsets` are right where it says so.
 */
import { OFS } from '@ovs-node/flow/extract';
import { W } from '@ovs-node/flow/layout';
import type { Packet } from '../packet.js';

/** Bytes of a VLAN tag, and of a label stack entry. */
export const SHIM = 4;
/** Ethernet type of an entry that has an Ethernet frame below it. */
const TEB = 0x6558;

/** Puts a tag of `tag` (TPID << 16 | TCI) in front. */
export function pushVlan(p: Packet, tag: number): void {
  if (p.key[W.PACKET_TYPE] !== 0) return;
  const buf = p.buf;
  const to = widen(p, 12);
  buf[to + 12] = tag >>> 24;
  buf[to + 13] = tag >>> 16;
  // The CFI bit of the action's TCI says that there is a tag; on the wire it is 0.
  buf[to + 14] = (tag >>> 8) & 0xef;
  buf[to + 15] = tag;
}

/** Takes the outermost tag off, if there is one. */
export function popVlan(p: Packet): void {
  const buf = p.buf;
  const from = p.start;
  if (p.end - from < 18 || p.key[W.PACKET_TYPE] !== 0) return;
  const type = (buf[from + 12] << 8) | buf[from + 13];
  if (type !== 0x8100 && type !== 0x88a8) return;
  narrow(p, 12);
}

/** Puts a label stack entry above what follows the Ethernet type, which becomes `type`. Offsets must be right. */
export function pushMpls(p: Packet, entry: number, type: number): void {
  const at = afterEthernet(p);
  if (at < 0) return;
  if (p.key[W.PACKET_TYPE] === 0) put16(p.buf, at - 2, type);
  else p.setType(0x10000 | type);
  widen(p, at - p.start);
  put16(p.buf, at - SHIM, entry >>> 16);
  put16(p.buf, at - SHIM + 2, entry);
}

/** Takes the outermost label stack entry off, if there is one; the Ethernet type becomes `type`. Offsets must be right. */
export function popMpls(p: Packet, type: number): void {
  const at = p.offsets[OFS.L2_5];
  if (at < 0 || p.end - at < SHIM) return;
  if (p.key[W.PACKET_TYPE] === 0) put16(p.buf, at - 2, type);
  else p.setType(type === TEB ? 0 : 0x10000 | type);
  narrow(p, at - p.start);
}

/** Replaces the masked bits of the outermost label stack entry, if there is one. Offsets must be right. */
export function setMpls(p: Packet, entry: number, mask: number): void {
  const at = p.offsets[OFS.L2_5];
  if (at < 0 || p.end - at < SHIM) return;
  const buf = p.buf;
  for (let i = 0, shift = 24; i < SHIM; i++, shift -= 8) {
    const bits = mask >>> shift;
    buf[at + i] = (buf[at + i] & ~bits) | ((entry >>> shift) & bits);
  }
}

/** Where what follows the Ethernet type begins: labels or network header; -1 when neither is there. Offsets must be right. */
export function afterEthernet({ offsets }: Packet): number {
  return offsets[OFS.L2_5] >= 0 ? offsets[OFS.L2_5] : offsets[OFS.L3];
}

function put16(buf: Uint8Array, at: number, value: number): void {
  buf[at] = value >>> 8;
  buf[at + 1] = value;
}

/** Moves the first `head` bytes away from the rest, for a shim between them; returns the new start. */
function widen(p: Packet, head: number): number {
  const buf = p.buf;
  const from = p.start;
  const to = from - SHIM;
  for (let i = 0; i < head; i++) buf[to + i] = buf[from + i];
  p.start = to;
  p.headroom -= SHIM;
  const meta = p.meta;
  if (meta.csumStart >= 0) meta.csumStart += SHIM;
  if (meta.hdrLen > 0) meta.hdrLen += SHIM;
  return to;
}

/** Moves the first `head` bytes over the shim that follows them. */
function narrow(p: Packet, head: number): void {
  const buf = p.buf;
  const from = p.start;
  for (let i = head - 1; i >= 0; i--) buf[from + SHIM + i] = buf[from + i];
  p.start = from + SHIM;
  p.headroom += SHIM;
  const meta = p.meta;
  if (meta.csumStart >= SHIM) meta.csumStart -= SHIM;
  if (meta.hdrLen >= SHIM) meta.hdrLen -= SHIM;
}
