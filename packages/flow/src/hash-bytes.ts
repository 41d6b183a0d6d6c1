/**
 * Hashes of bytes and numbers that choices of a switch are made of (ovs-ofctl(8), "selection_method"). They
 * give the numbers that Open vSwitch gives, so that both choose alike; nothing fast is asked of them.
 */
import { hashAdd, hashFinish } from './hash.js';

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
