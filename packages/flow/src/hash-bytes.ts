/**
 * Hashes of bytes and numbers that a select group's choice of bucket is made of (ovs-ofctl(8), "selection_method"). They
 * give the numbers that Open vSwitch gives, so that both choose alike; nothing fast is asked of them.
 */
import { hashAdd, hashFinish } from './hash.js';
import type { FlowKey } from './layout.js';
import { W } from './layout.js';

/** Four bytes at `at`, the first one lowest; those beyond the end are 0. */
function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Hash of `bytes`, taken as words whose first byte is lowest. */
export function hashBytes(bytes: Uint8Array, basis: number): number {
  let hash = basis | 0;
  for (let at = 0; at < bytes.length; at += 4) hash = hashAdd(hash, word(bytes, at));
  return hashFinish(hash, bytes.length);
}

/** Hash of a number below 2^32. */
export function hashInt(value: number, basis: number): number {
  return hashFinish(hashAdd(hashAdd(value | 0, 0), basis | 0), 8);
}

/** Hash of a number below 2^64. */
export function hashUint64(value: bigint): number {
  const low = Number(value & 0xffffffffn) | 0;
  return hashFinish(hashAdd(hashAdd(0, low), Number(value >> 32n) | 0), 8);
}

const rotate = (x: number, bits: number): number => (x << bits) | (x >>> (32 - bits));

/** Bob Jenkins' lookup3 ("hashlittle" of 2006), the first byte of a word lowest. */
export function hashLookup3(bytes: Uint8Array, basis: number): number {
  let a = (0xdeadbeef + bytes.length + basis) | 0;
  let b = a;
  let c = a;
  let at = 0;
  for (; bytes.length - at >= 12; at += 12) {
    a = (a + word(bytes, at)) | 0;
    b = (b + word(bytes, at + 4)) | 0;
    c = (c + word(bytes, at + 8)) | 0;
    a = ((a - c) ^ rotate(c, 4)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 6)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 8)) | 0;
    b = (b + a) | 0;
    a = ((a - c) ^ rotate(c, 16)) | 0;
    c = (c + b) | 0;
    b = ((b - a) ^ rotate(a, 19)) | 0;
    a = (a + c) | 0;
    c = ((c - b) ^ rotate(b, 4)) | 0;
    b = (b + a) | 0;
  }
  if (at < bytes.length) {
    a = (a + word(bytes, at)) | 0;
    b = (b + word(bytes, at + 4)) | 0;
    c = (c + word(bytes, at + 8)) | 0;
    c = ((c ^ b) - rotate(b, 14)) | 0;
    a = ((a ^ c) - rotate(c, 11)) | 0;
    b = ((b ^ a) - rotate(a, 25)) | 0;
    c = ((c ^ b) - rotate(b, 16)) | 0;
    a = ((a ^ c) - rotate(c, 4)) | 0;
    b = ((b ^ a) - rotate(a, 14)) | 0;
    c = ((c ^ b) - rotate(b, 24)) | 0;
  }
  return c >>> 0;
}

const TCP = 6;
const SCTP = 132;
/** Addresses (16, of which IPv4 takes 4), Ethernet type, VLAN, ports (2 each), Ethernet addresses (6), protocol, padding. */
const SYMMETRIC_LENGTH = 32;

/**
 * Hash of a packet's addresses, protocol, TCP or SCTP ports, that is the same for both directions of a connection: what
 * a select group goes by that says nothing else. `wc` gains the bits that were looked at.
 */
export function hashSymmetricL4(key: FlowKey, wc: FlowKey, basis: number): number {
  const bytes = new Uint8Array(SYMMETRIC_LENGTH);
  const view = new DataView(bytes.buffer);
  const type = key[W.ETH_TYPE]! >>> 16;
  wc.fill(0xffffffff, W.ETH, W.ETH + 3);
  wc[W.ETH_TYPE]! |= 0xffff0000;
  for (const w of [W.VLAN0, W.VLAN1]) {
    if (key[w] !== 0) {
      wc[w]! |= 0x1fff;
      view.setUint16(18, view.getUint16(18) ^ (key[w]! & 0x0fff));
    } else wc[w]! |= 0x1fff;
  }
  view.setUint16(16, type);
  // dst is the first six bytes of the words, src the next six.
  const mac = (i: number): number => (key[W.ETH + (i >> 2)]! >>> (24 - 8 * (i & 3))) & 0xff;
  for (let i = 0; i < 6; i++) bytes[22 + i] = mac(i) ^ mac(i + 6);
  const isIp4 = type === 0x0800;
  if (!isIp4 && type !== 0x86dd) return hashLookup3(bytes, basis);
  if (isIp4) {
    view.setUint32(0, key[W.NW_SRC]! ^ key[W.NW_DST]!);
    wc[W.NW_SRC] = 0xffffffff;
    wc[W.NW_DST] = 0xffffffff;
  } else {
    for (let i = 0; i < 4; i++) view.setUint32(4 * i, key[W.IPV6_SRC + i]! ^ key[W.IPV6_DST + i]!);
    wc.fill(0xffffffff, W.IPV6_SRC, W.IPV6_SRC + 8);
  }
  const proto = key[W.NW]! >>> 24;
  wc[W.NW]! |= 0xff000000;
  bytes[28] = proto;
  if (proto === TCP || proto === SCTP) {
    view.setUint16(20, (key[W.TP]! >>> 16) ^ (key[W.TP]! & 0xffff));
    wc[W.TP] = 0xffffffff;
  }
  return hashLookup3(bytes, basis);
}
