/** Frames for tests, in hex, with right checksums unless told otherwise. */

export function checksum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += (bytes[i] << 8) | bytes[i + 1];
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1] << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

const u16 = (v: number): number[] => [(v >> 8) & 255, v & 255];
const u32 = (v: number): number[] => [(v >>> 24) & 255, (v >>> 16) & 255, (v >>> 8) & 255, v & 255];

/** `10.0.0.1` or eight groups without `::` shortcuts but for one. */
export function ip(text: string): number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head, tail = ''] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = groups(tail);
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return all.flatMap((g) => u16(parseInt(g, 16)));
}

function pseudo(src: number[], dst: number[], proto: number, length: number): number {
  const bytes = Uint8Array.from([...src, ...dst, ...u32(length), 0, 0, 0, proto]);
  return ~checksum(bytes) & 0xffff;
}

/** Puts the transport checksum into `l4` at `at`. */
function seal(
  src: string,
  dst: string,
  proto: number,
  l4: number[],
  at: number,
  withPseudo = true,
): number[] {
  const sum = checksum(Uint8Array.from(l4), withPseudo ? pseudo(ip(src), ip(dst), proto, l4.length) : 0);
  const out = [...l4];
  const value = sum === 0 && proto === 17 ? 0xffff : sum;
  out[at] = value >> 8;
  out[at + 1] = value & 255;
  return out;
}

export function ipPacket(src: string, dst: string, proto: number, l4: number[], frag = 0): number[] {
  if (src.includes(':')) return [0x60, 0, 0, 0, ...u16(l4.length), proto, 64, ...ip(src), ...ip(dst), ...l4];
  const header = [
    0x45,
    0,
    ...u16(20 + l4.length),
    0,
    1,
    ...u16(frag),
    64,
    proto,
    0,
    0,
    ...ip(src),
    ...ip(dst),
  ];
  const sum = checksum(Uint8Array.from(header));
  header[10] = sum >> 8;
  header[11] = sum & 255;
  return [...header, ...l4];
}

export function eth(packet: number[], pad = true): string {
  const type = packet[0] >> 4 === 6 ? [0x86, 0xdd] : [8, 0];
  const frame = [0x50, 0x54, 0, 0, 0, 0x0a, 0x50, 0x54, 0, 0, 0, 0, ...type, ...packet];
  while (pad && frame.length < 60) frame.push(0);
  return Buffer.from(frame).toString('hex');
}

export interface Segment {
  src: string;
  dst: string;
  sport: number;
  dport: number;
  /** Letters of FSRPAU. */
  flags: string;
  seq: number;
  ack?: number;
  win?: number;
  data?: number;
  options?: number[];
}

export function tcpL4(s: Segment): number[] {
  const bits = s.flags.split('').reduce((all, letter) => all | (1 << 'FSRPAU'.indexOf(letter)), 0);
  const options = s.options ?? [];
  const l4 = [
    ...u16(s.sport),
    ...u16(s.dport),
    ...u32(s.seq),
    ...u32(s.ack ?? 0),
    ((20 + options.length) / 4) << 4,
    bits,
    ...u16(s.win ?? 8192),
    0,
    0,
    0,
    0,
    ...options,
    ...Array.from({ length: s.data ?? 0 }, () => 0x61),
  ];
  return seal(s.src, s.dst, 6, l4, 16);
}

export const tcp = (s: Segment): string => eth(ipPacket(s.src, s.dst, 6, tcpL4(s)));

export function udpL4(src: string, dst: string, sport: number, dport: number, data = 4): number[] {
  const payload = Array.from({ length: data }, () => 0x62);
  return seal(src, dst, 17, [...u16(sport), ...u16(dport), ...u16(8 + data), 0, 0, ...payload], 6);
}

export const udp = (src: string, dst: string, sport: number, dport: number, data = 4): string =>
  eth(ipPacket(src, dst, 17, udpL4(src, dst, sport, dport, data)));

/** ICMP or ICMPv6 by the kind of address. `rest` follows type, code and checksum. */
export function icmpL4(src: string, dst: string, type: number, code: number, rest: number[]): number[] {
  const v6 = src.includes(':');
  return seal(src, dst, v6 ? 58 : 1, [type, code, 0, 0, ...rest], 2, v6);
}

export const icmp = (src: string, dst: string, type: number, code: number, rest: number[]): string =>
  eth(ipPacket(src, dst, src.includes(':') ? 58 : 1, icmpL4(src, dst, type, code, rest)));

/** Rest of an echo message. */
export const echo = (id: number, seq = 1): number[] => [...u16(id), ...u16(seq), 1, 2, 3, 4];
