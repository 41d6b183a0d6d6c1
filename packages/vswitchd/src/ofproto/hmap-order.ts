/**
 * The order in which Open vSwitch walks a hash table of small integers. Replies list ports in it, and FLOOD and ALL send
 * to them, so that replies and datapath actions come out as the peer's do, which makes them comparable.
 */
function rot(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

function add(hash: number, data: number): number {
  let d = Math.imul(data, 0xcc9e2d51);
  d = rot(d, 15);
  d = Math.imul(d, 0x1b873593);
  const h = rot(hash ^ d, 13);
  return (Math.imul(h, 5) + 0xe6546b64) | 0;
}

function finish(hash: number, final: number): number {
  let h = hash ^ final;
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  h ^= h >>> 16;
  return h >>> 0;
}

/** MurmurHash3 of one word and a basis of 0. */
export function hashInt(x: number): number {
  return finish(add(add(x, 0), 0), 8);
}

/** The bits of a hash that a table of `n` items goes by, when it has to grow from `mask`. */
function maskFor(n: number, mask: number): number {
  if (n >>> 1 <= mask) return mask;
  let m = n >>> 1;
  m |= m >>> 1;
  m |= m >>> 2;
  m |= m >>> 4;
  m |= m >>> 8;
  m |= (m & 1) << 1;
  return Math.max(m, mask);
}

/** Items in the order in which a hash table keyed by `number` gives them that they were put into one after the other. */
export function hmapOrder<T>(items: readonly T[], number: (item: T) => number): T[] {
  let mask = 0;
  // A new one comes first in its bucket, and what is moved into a bigger table counts as new.
  const put = (buckets: Map<number, T[]>, item: T): void => {
    const at = hashInt(number(item)) & mask;
    const bucket = buckets.get(at);
    if (bucket) bucket.unshift(item);
    else buckets.set(at, [item]);
  };
  let buckets = new Map<number, T[]>();
  const walk = (): T[] => [...buckets.entries()].sort(([a], [b]) => a - b).flatMap(([, bucket]) => bucket);
  items.forEach((item, i) => {
    put(buckets, item);
    const bigger = maskFor(i + 1, mask);
    if (bigger === mask) return;
    const all = walk();
    mask = bigger;
    buckets = new Map();
    for (const each of all) put(buckets, each);
  });
  return walk();
}

/** As `hmapOrder`, of a table that is copied with each addition, which turns the order within a bucket around. */
export function copiedHmapOrder<T>(items: readonly T[], number: (item: T) => number): T[] {
  let mask = 0;
  for (let n = 1; n <= items.length; n++) mask = maskFor(n, mask);
  const buckets = new Map<number, T[]>();
  for (const item of items) {
    for (const bucket of buckets.values()) bucket.reverse();
    const at = hashInt(number(item)) & mask;
    const bucket = buckets.get(at);
    if (bucket) bucket.unshift(item);
    else buckets.set(at, [item]);
  }
  return [...buckets.entries()].sort(([a], [b]) => a - b).flatMap(([, bucket]) => bucket);
}
