/**
 * Segmentation in software: one giant frame of TCP or UDP payload (up to 64 KiB, as the sender's TSO or the
 * receiver's GRO gathered it) becomes frames of `gsoSize` payload bytes each, with headers and checksums of their
 * own (what the kernel calls GSO).
 *
 *     | Ethernet, tags, labels | IPv4 or IPv6 (with extension headers) | TCP or UDP | payload ................ |
 *     ^ start                  ^ l3                                    ^ l4         ^ payload
 *
 * What differs from segment to segment: IP length, IPv4 identification and checksum, TCP sequence number, FIN and
 * PSH (last segment only), CWR (first only), UDP length, and the checksum of TCP or UDP. All else is copied.
 */

import { Gso, type PacketMeta } from '../core/packet-meta.js';
import { sum16 } from './checksum.js';

const TCP = 6;
const UDP = 17;
const ETH_IPV4 = 0x0800;
const ETH_IPV6 = 0x86dd;
const ETH_MPLS = 0x8847;
const ETH_MPLS_MC = 0x8848;
const FIN_PSH = 0x09;
const CWR = 0x80;

export class Segmenter {
  #buf: Uint8Array = new Uint8Array(0);
  #start = 0;
  #end = 0;
  #l3 = 0;
  #l4 = 0;
  #payload = 0;
  #at = 0;
  #size = 0;
  #v6 = false;
  #tcp = false;
  #index = 0;

  /**
   * Begin with the frame `buf[start, end)`, which stays the caller's and must not change until the last `next`.
   * False when it is not what `meta` says, is cut short, or is of a kind not known here (UFO, tunnels).
   */
  begin(buf: Uint8Array, start: number, end: number, meta: PacketMeta): boolean {
    const type = meta.gsoType & ~Gso.ECN;
    this.#tcp = type === Gso.TCPV4 || type === Gso.TCPV6;
    if ((!this.#tcp && type !== Gso.UDP_L4) || meta.gsoSize === 0) return false;
    let l3 = start + 14;
    if (l3 > end) return false;
    let ethType = (buf[l3 - 2]! << 8) | buf[l3 - 1]!;
    while ((ethType === 0x8100 || ethType === 0x88a8) && l3 + 4 <= end) {
      l3 += 4;
      ethType = (buf[l3 - 2]! << 8) | buf[l3 - 1]!;
    }
    if (ethType === ETH_MPLS || ethType === ETH_MPLS_MC) {
      while (l3 + 4 <= end && (buf[l3 + 2]! & 1) === 0) l3 += 4;
      l3 += 4;
      if (l3 >= end) return false;
      ethType = buf[l3]! >>> 4 === 6 ? ETH_IPV6 : ETH_IPV4;
    }
    const l4 = this.#findL4(buf, l3, end, ethType);
    if (l4 < 0 || l4 + (this.#tcp ? 20 : 8) > end) return false;
    const payload = l4 + (this.#tcp ? (buf[l4 + 12]! >>> 4) * 4 : 8);
    if (payload < l4 + 8 || payload >= end) return false;
    this.#buf = buf;
    this.#start = start;
    this.#end = end;
    this.#l3 = l3;
    this.#l4 = l4;
    this.#payload = payload;
    this.#at = payload;
    this.#size = meta.gsoSize;
    this.#index = 0;
    return true;
  }

  /** How many bytes the longest segment has. */
  get maxLength(): number {
    return this.#payload - this.#start + this.#size;
  }

  /** Write the next segment to `out[at…)`, which has room for `maxLength` bytes; its length, or 0 after the last. */
  next(out: Uint8Array, at: number): number {
    const from = this.#at;
    if (from >= this.#end) return 0;
    const size = Math.min(this.#size, this.#end - from);
    const headers = this.#payload - this.#start;
    const end = at + headers + size;
    out.set(this.#buf.subarray(this.#start, this.#payload), at);
    out.set(this.#buf.subarray(from, from + size), at + headers);
    const l3 = at + this.#l3 - this.#start;
    const l4 = at + this.#l4 - this.#start;
    if (this.#v6) put16(out, l3 + 4, end - l3 - 40);
    else {
      put16(out, l3 + 2, end - l3);
      put16(out, l3 + 4, get16(out, l3 + 4) + this.#index);
      put16(out, l3 + 10, 0);
      put16(out, l3 + 10, ~sum16(out, l3, l3 + (out[l3]! & 0xf) * 4, 0));
    }
    if (this.#tcp) this.#tcpHeader(out, l4, from, from + size === this.#end);
    else put16(out, l4 + 4, end - l4);
    this.#checksum(out, l3, l4, end);
    this.#at = from + size;
    this.#index++;
    return end - at;
  }

  #tcpHeader(out: Uint8Array, l4: number, from: number, last: boolean): void {
    const offset = from - this.#payload;
    const sequence = (((get16(out, l4 + 4) << 16) | get16(out, l4 + 6)) + offset) >>> 0;
    put16(out, l4 + 4, sequence >>> 16);
    put16(out, l4 + 6, sequence);
    if (!last) out[l4 + 13]! &= ~FIN_PSH;
    if (this.#index > 0) out[l4 + 13]! &= ~CWR;
  }

  #checksum(out: Uint8Array, l3: number, l4: number, end: number): void {
    const field = l4 + (this.#tcp ? 16 : 6);
    put16(out, field, 0);
    const pseudo = (this.#tcp ? TCP : UDP) + end - l4;
    const addresses = this.#v6 ? sum16(out, l3 + 8, l3 + 40, pseudo) : sum16(out, l3 + 12, l3 + 20, pseudo);
    const sum = ~sum16(out, l4, end, addresses) & 0xffff;
    put16(out, field, sum === 0 && !this.#tcp ? 0xffff : sum);
  }

  /** Where the transport header is, or -1. */
  #findL4(buf: Uint8Array, l3: number, end: number, ethType: number): number {
    const wanted = this.#tcp ? TCP : UDP;
    if (ethType === ETH_IPV4) {
      if (l3 + 20 > end || buf[l3]! >>> 4 !== 4) return -1;
      this.#v6 = false;
      const length = (buf[l3]! & 0xf) * 4;
      return length >= 20 && buf[l3 + 9] === wanted ? l3 + length : -1;
    }
    if (ethType !== ETH_IPV6 || l3 + 40 > end || buf[l3]! >>> 4 !== 6) return -1;
    this.#v6 = true;
    let next = buf[l3 + 6]!;
    let at = l3 + 40;
    // Hop-by-hop, routing and destination options may precede the transport header.
    while (next === 0 || next === 43 || next === 60) {
      if (at + 8 > end) return -1;
      next = buf[at]!;
      at += 8 + buf[at + 1]! * 8;
    }
    return next === wanted ? at : -1;
  }
}

function get16(buf: Uint8Array, at: number): number {
  return (buf[at]! << 8) | buf[at + 1]!;
}

function put16(buf: Uint8Array, at: number, value: number): void {
  buf[at] = value >>> 8;
  buf[at + 1] = value;
}
