import type { FlowKey } from './layout.js';

/**
 * Hot path: 32-bit hashes over key words, MurmurHash3's mixing with Math.imul. Results are unsigned. Not meant
 * to resist an adversary who knows `basis`; callers that face strangers pick a random one at start-up.
 */

/** Adds one word to a running hash. */
export function hashAdd(hash: number, word: number): number {
  let w = Math.imul(word, 0xcc9e2d51);
  w = Math.imul((w << 15) | (w >>> 17), 0x1b873593);
  const h = hash ^ w;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

/** Ends a running hash; `salt` is by custom the number of bytes hashed. */
export function hashFinish(hash: number, salt: number): number {
  let h = hash ^ salt;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hash of `words[from, to)`. */
export function hashWords(words: FlowKey, from: number, to: number, basis = 0): number {
  let h = basis | 0;
  for (let i = from; i < to; i++) {
    let w = Math.imul(words[i]!, 0xcc9e2d51);
    w = Math.imul((w << 15) | (w >>> 17), 0x1b873593);
    h ^= w;
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  return hashFinish(h, (to - from) << 2);
}

/**
 * Hash of `words[index[i]] & mask[index[i]]` for the `count` first of `index`: a tuple's look-up hash, over the
 * words that its mask touches only.
 */
export function hashMasked(
  words: FlowKey,
  mask: FlowKey,
  index: Uint8Array | Uint16Array | Int32Array,
  count: number,
  basis = 0,
): number {
  let h = basis | 0;
  for (let i = 0; i < count; i++) {
    const at = index[i]!;
    let w = Math.imul(words[at]! & mask[at]!, 0xcc9e2d51);
    w = Math.imul((w << 15) | (w >>> 17), 0x1b873593);
    h ^= w;
    h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }
  return hashFinish(h, count << 2);
}

/** The indexes of the words of `mask` that are not 0, for `hashMasked`. Allocates; made once per mask. */
export function maskIndex(mask: FlowKey, words: number): Uint8Array {
  const index: number[] = [];
  for (let i = 0; i < words; i++) if (mask[i] !== 0) index.push(i);
  return Uint8Array.from(index);
}

/**
 * Hash of a 5-tuple (IPv4 or IPv6, from the key of a packet) that is the same for both directions of a
 * connection: what `dp_hash`, bundles and RSS-like spreading use.
 */
export function hashSymmetric5Tuple(key: FlowKey, basis = 0): number {
  const ethType = key[5]! >>> 16;
  const proto = key[8]! >>> 24;
  const ports = key[11]!;
  let h = hashAdd(basis | 0, (ethType << 16) | proto);
  if (ethType === 0x86dd) {
    for (let i = 0; i < 4; i++) h = hashAdd(h, key[19 + i]! ^ key[23 + i]!);
  } else {
    h = hashAdd(h, key[9]! ^ key[10]!);
  }
  // Type and code of ICMP are no pair of ends.
  if (proto === 6 || proto === 17 || proto === 132) h = hashAdd(h, (ports >>> 16) ^ (ports & 0xffff));
  return hashFinish(h, 20);
}
