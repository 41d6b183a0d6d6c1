/**
 * Actions that change what kind of packet it is: Ethernet headers, network service headers (RFC 8300) and labels before
 * the whole packet. Each takes a packet that is `own`ed, with room before its start for what is pushed and, where that
 * leaves a packet without Ethernet header, `ETH_HEADER` bytes more.
 *
 *     word 0 of NSH:  version:2 - flags:2 (O and one reserved) - ttl:6 - length:6 (in words) - :4 mdtype:4 - next protocol:8
 */
import { OFS } from '@ovs-node/flow/extract';
import { W } from '@ovs-node/flow/layout';
import { ETH_HEADER, type Packet } from '../packet.js';
import { afterEthernet, SHIM } from './push-pop.js';

const ETHERNET = 0;
const IPV4 = 0x10800;
const IPV6 = 0x186dd;
const NSH = 0x1894f;
/** The shortest header. */
const NSH_BASE = 8;
/** With metadata of type 1. */
const NSH_MD1 = 24;

/** Puts an Ethernet header (destination and source from `data[from]`) before a packet without one; false when it has one. */
export function pushEth(p: Packet, data: Uint8Array, from: number): boolean {
  const type = p.key[W.PACKET_TYPE];
  if (type === ETHERNET) return false;
  moveStart(p, -ETH_HEADER);
  const { buf, start } = p;
  for (let i = 0; i < 12; i++) buf[start + i] = data[from + i];
  buf[start + 12] = type >>> 8;
  buf[start + 13] = type;
  p.setType(ETHERNET);
  return true;
}

/** Takes the Ethernet header off; false when there is none. Offsets must be right. */
export function popEth(p: Packet): boolean {
  const at = afterEthernet(p);
  if (at < 0 || p.key[W.PACKET_TYPE] !== ETHERNET) return false;
  const type = (p.buf[at - 2] << 8) | p.buf[at - 1];
  moveStart(p, at - p.start);
  p.setType(0x10000 | type);
  return true;
}

/** Puts a label stack entry before the whole packet. */
export function addMpls(p: Packet, entry: number, type: number): void {
  moveStart(p, -SHIM);
  const { buf, start } = p;
  for (let i = 0; i < SHIM; i++) buf[start + i] = entry >>> (24 - 8 * i);
  p.setType(0x10000 | type);
}

/** Puts the service header `data[from, from + length)` before the packet; false when it cannot carry such a one. */
export function pushNsh(p: Packet, data: Uint8Array, from: number, length: number): boolean {
  const next = nextProtocol(p.key[W.PACKET_TYPE]);
  if (next < 0) return false;
  moveStart(p, -length);
  const { buf, start } = p;
  for (let i = 0; i < length; i++) buf[start + i] = data[from + i];
  buf[start + 3] = next;
  p.setType(NSH);
  return true;
}

/** Takes the service header off; false when there is none, or what it carries is of no known kind. */
export function popNsh(p: Packet): boolean {
  const { buf, start } = p;
  if (p.key[W.PACKET_TYPE] !== NSH || p.end - start < NSH_BASE) return false;
  const type = carriedType(buf[start + 3]);
  const length = (buf[start + 1] & 0x3f) << 2;
  if (type < 0 || length < NSH_BASE || length > p.end - start) return false;
  moveStart(p, length);
  p.setType(type);
  return true;
}

/** Replaces the masked bits of a service header; operands as `Op.SET_NSH`. Offsets must be right. */
export function setNsh(p: Packet, data: Uint8Array, from: number): void {
  const at = p.offsets[OFS.L3];
  if (p.key[W.ETH_TYPE] >>> 16 !== 0x894f || at < 0 || p.end - at < NSH_BASE) return;
  const { buf } = p;
  const flags = data[from + 24] & 3;
  const ttl = data[from + 25] & 0x3f;
  const mask = (flags << 12) | (ttl << 6);
  const value = ((data[from] & 3) << 12) | ((data[from + 1] & 0x3f) << 6);
  const word = (((buf[at] << 8) | buf[at + 1]) & ~mask) | (value & mask);
  buf[at] = word >>> 8;
  buf[at + 1] = word;
  const end = (buf[at + 2] & 15) === 1 && p.end - at >= NSH_MD1 ? NSH_MD1 : NSH_BASE;
  for (let i = 4; i < end; i++) {
    const bits = data[from + 24 + i];
    buf[at + i] = (buf[at + i] & ~bits) | (data[from + i] & bits);
  }
}

function nextProtocol(packetType: number): number {
  switch (packetType) {
    case IPV4:
      return 1;
    case IPV6:
      return 2;
    case ETHERNET:
      return 3;
    case NSH:
      return 4;
    default:
      return -1;
  }
}

function carriedType(nextProtocol: number): number {
  switch (nextProtocol) {
    case 1:
      return IPV4;
    case 2:
      return IPV6;
    case 3:
      return ETHERNET;
    case 4:
      return NSH;
    default:
      return -1;
  }
}

/** Moves the start of the packet by `n` bytes towards its end. */
function moveStart(p: Packet, n: number): void {
  p.start += n;
  p.headroom += n;
  const { meta } = p;
  if (meta.csumStart >= 0) meta.csumStart -= n;
}
