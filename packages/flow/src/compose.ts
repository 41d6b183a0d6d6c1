import { checksum, finishSum, pseudoIpv4, pseudoIpv6, sumBytes } from './checksum.js';
import { FlowSyntaxError } from './errors.js';
import { ETH_TYPE_NONE, FRAG_ANY, FRAG_LATER, type FlowKey, W } from './layout.js';

/**
 * From a flow to a packet that has it: for `ofproto/trace -generate`, `netdev-dummy/receive` and
 * `compose-packet`. What a flow does not say (identification, window) is 0; lengths and checksums are right.
 */

/** Options of `composePacket`. */
export interface ComposeOptions {
  /** Application data of UDP, TCP without SYN, FIN or RST, and ICMP echo; 64 bytes counting up from 0 unless given. */
  readonly l7?: Uint8Array;
  /** Length of the whole frame; data is then zeros. Headers are never cut. */
  readonly size?: number;
}

const DEFAULT_L7 = Uint8Array.from({ length: 64 }, (_, i) => i);

/** Bytes, appended big-endian. */
class Out {
  readonly bytes: number[] = [];
  u8(...values: number[]): void {
    for (const v of values) this.bytes.push(v & 0xff);
  }
  u16(...values: number[]): void {
    for (const v of values) this.u8(v >>> 8, v);
  }
  u32(...values: number[]): void {
    for (const v of values) this.u16(v >>> 16, v & 0xffff);
  }
}

/** A frame with the fields of `key`; the caller owns it. Fields that such a packet has no room for are left out. */
export function composePacket(key: FlowKey, options: ComposeOptions = {}): Uint8Array {
  const l7 = options.l7 ?? (options.size === undefined ? DEFAULT_L7 : new Uint8Array(0));
  const bytes = compose(key, l7);
  const missing = (options.size ?? 0) - bytes.length;
  if (missing <= 0) return bytes;
  const longer = compose(key, new Uint8Array(l7.length + missing));
  if (longer.length >= bytes.length + missing) return longer;
  // No room for data in such a packet: pad behind it.
  const padded = new Uint8Array(bytes.length + missing);
  padded.set(bytes);
  return padded;
}

function compose(key: FlowKey, l7: Uint8Array): Uint8Array {
  const out = new Out();
  // A frame it is in any case: as in the peer, the type of the packet does not count.
  const type = key[W.ETH_TYPE]! >>> 16;
  out.u32(key[W.ETH]!, key[W.ETH + 1]!, key[W.ETH + 2]!);
  for (const word of [key[W.VLAN0]!, key[W.VLAN1]!]) {
    if ((word & 0x1000) === 0) break;
    out.u16(word >>> 16 === 0 ? 0x8100 : word >>> 16, word & 0xefff);
  }
  out.u16(type);
  const l3 = out.bytes.length;
  if (type === 0x0800) composeIpv4(key, out, l7);
  else if (type === 0x86dd) composeIpv6(key, out, l7);
  else if (type === 0x0806 || type === 0x8035) composeArp(key, out);
  else if (type === 0x8847 || type === 0x8848) {
    for (let i = 0; i < 3; i++) {
      out.u32(key[W.MPLS + i]!);
      if ((key[W.MPLS + i]! & 0x100) !== 0) break;
    }
  } else if (type === ETH_TYPE_NONE) {
    // IEEE 802.3: the length of the frame in place of a type.
    out.bytes[l3 - 2] = l3 >> 8;
    out.bytes[l3 - 1] = l3 & 0xff;
  }
  return Uint8Array.from(out.bytes);
}

function composeIpv4(key: FlowKey, out: Out, l7: Uint8Array): void {
  const nw = key[W.NW]!;
  const frag = nw & 3;
  const proto = nw >>> 24;
  const l4 = (frag & FRAG_LATER) === 0 ? composeL4(key, proto, l7) : new Uint8Array(0);
  sealL4(l4, proto, pseudoIpv4(key[W.NW_SRC]!, key[W.NW_DST]!, proto, l4.length));
  const at = out.bytes.length;
  out.u8(0x45, (nw >>> 16) & 0xff);
  // A later fragment is one at offset 800, somewhere that is not the start.
  out.u16(20 + l4.length, 0, ((frag & FRAG_ANY) !== 0 ? 0x2000 : 0) | ((frag & FRAG_LATER) !== 0 ? 100 : 0));
  out.u8((nw >>> 8) & 0xff, proto);
  out.u16(0);
  out.u32(key[W.NW_SRC]!, key[W.NW_DST]!);
  const sum = checksum(Uint8Array.from(out.bytes.slice(at)), 0, 20);
  out.bytes[at + 10] = sum >> 8;
  out.bytes[at + 11] = sum & 0xff;
  out.u8(...l4);
}

function composeIpv6(key: FlowKey, out: Out, l7: Uint8Array): void {
  const nw = key[W.NW]!;
  const proto = nw >>> 24;
  // As in the peer, no header says that it is a fragment, and yet a later one has nothing behind.
  const l4 = (nw & FRAG_LATER) === 0 ? composeL4(key, proto, l7) : new Uint8Array(0);
  const at = out.bytes.length;
  out.u32(0x60000000 | (((nw >>> 16) & 0xff) << 20) | (key[W.IPV6_LABEL]! & 0xfffff));
  out.u16(l4.length);
  out.u8(proto, (nw >>> 8) & 0xff);
  for (let i = 0; i < 8; i++) out.u32(key[W.IPV6_SRC + i]!);
  sealL4(l4, proto, pseudoIpv6(Uint8Array.from(out.bytes.slice(at)), 0, proto, l4.length));
  out.u8(...l4);
}

/** The transport header with its checksum 0, and the data behind it. */
function composeL4(key: FlowKey, proto: number, l7: Uint8Array): Uint8Array {
  const out = new Out();
  const src = key[W.TP]! >>> 16;
  const dst = key[W.TP]! & 0xffff;
  switch (proto) {
    case 6:
      out.u16(src, dst);
      out.u32(0, 0);
      out.u16(0x5000 | (key[W.ETH_TYPE]! & 0xfff), 0, 0, 0);
      // A segment that opens or ends a connection carries no data.
      if ((key[W.ETH_TYPE]! & 7) === 0) out.u8(...l7);
      break;
    case 17:
      out.u16(src, dst, 8 + l7.length, 0);
      out.u8(...l7);
      break;
    case 132:
      out.u16(src, dst);
      out.u32(0, 0);
      break;
    case 1:
      out.u8(src, dst);
      out.u16(0);
      out.u32(0);
      // Echo request and reply.
      if (dst === 0 && (src === 8 || src === 0)) out.u8(...l7);
      break;
    case 2:
      out.u8(src, dst);
      out.u16(0);
      out.u32(key[W.IGMP]!);
      break;
    case 58:
      composeIcmpv6(key, src, dst, out, l7);
      break;
    default:
  }
  return Uint8Array.from(out.bytes);
}

function composeIcmpv6(key: FlowKey, type: number, code: number, out: Out, l7: Uint8Array): void {
  out.u8(type, code);
  out.u16(0);
  if (code !== 0 || (type !== 135 && type !== 136)) {
    out.u32(0);
    if (code === 0 && (type === 128 || type === 129)) out.u8(...l7);
    return;
  }
  out.u32(key[W.IGMP]!);
  for (let i = 0; i < 4; i++) out.u32(key[W.ND_TARGET + i]!);
  const [a, b, c] = [key[W.ARP_HW]!, key[W.ARP_HW + 1]!, key[W.ARP_HW + 2]!];
  if ((a | (b >>> 16)) !== 0) {
    out.u8(1, 1);
    out.u16(a >>> 16, a & 0xffff, b >>> 16);
  }
  if (((b & 0xffff) | c) !== 0) {
    out.u8(2, 1);
    out.u16(b & 0xffff, c >>> 16, c & 0xffff);
  }
}

/** Puts the checksum into a segment; `pseudo` is the pseudo header's sum, which ICMP and IGMP over IPv4 lack. */
function sealL4(l4: Uint8Array, proto: number, pseudo: number): void {
  const at = proto === 6 ? 16 : proto === 17 ? 6 : proto === 1 || proto === 2 || proto === 58 ? 2 : -1;
  if (at < 0 || l4.length < at + 2) return;
  let sum = finishSum(sumBytes(l4, 0, l4.length, proto === 1 || proto === 2 ? 0 : pseudo));
  // In UDP 0 means that there is no checksum (RFC 768).
  if (proto === 17 && sum === 0) sum = 0xffff;
  l4[at] = sum >> 8;
  l4[at + 1] = sum & 0xff;
}

function composeArp(key: FlowKey, out: Out): void {
  const op = key[W.NW]! >>> 24;
  out.u16(1, 0x0800);
  out.u8(6, 4);
  out.u16(op);
  if (op !== 1 && op !== 2) {
    // Only requests and replies have addresses whose meaning is known.
    out.u32(0, 0, 0, 0, 0);
    return;
  }
  const [a, b, c] = [key[W.ARP_HW]!, key[W.ARP_HW + 1]!, key[W.ARP_HW + 2]!];
  out.u32(a);
  out.u16(b >>> 16);
  out.u32(key[W.NW_SRC]!);
  out.u16(b & 0xffff);
  out.u32(c, key[W.NW_DST]!);
}

/**
 * Bytes of a packet written in hexadecimal, blanks allowed between bytes. Throws FlowSyntaxError for anything
 * else, and for fewer bytes than an Ethernet header has.
 */
export function parsePacketHex(text: string): Uint8Array {
  const compact = text.replace(/[ \t\r\n]/g, '');
  if (!/^(?:[0-9a-fA-F]{2})*$/.test(compact)) throw new FlowSyntaxError('Trailing garbage in packet data');
  if (compact.length < 28) throw new FlowSyntaxError('Packet data too short for Ethernet');
  return Uint8Array.from(compact.match(/../g)!, (b) => parseInt(b, 16));
}

/** Bytes in hexadecimal, without blanks. */
export function formatPacketHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
