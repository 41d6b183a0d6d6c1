/**
 * The order in which Open vSwitch walks a hash table. Replies list ports in it, FLOOD and ALL send to them, and ports that
 * are added together get their numbers, so that replies and datapath actions come out as the peer's do, which makes them
 * comparable.
 */
import { hashBytes, hashInt } from '@ovs-node/flow/hash-bytes';

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

function putFirst<T>(buckets: Map<number, T[]>, at: number, item: T): void {
  const bucket = buckets.get(at);
  if (bucket) bucket.unshift(item);
  else buckets.set(at, [item]);
}

/** The hash of a port by its number. */
export const hashOfPort = (ofport: number): number => hashInt(ofport & 0xffff, 0);

/** The hash of what is known by a name. */
export const hashOfName = (name: string): number => hashBytes(new TextEncoder().encode(name), 0);

/** What is in the buckets, one after the other. */
function inOrder<T>(buckets: ReadonlyMap<number, readonly T[]>): T[] {
  return [...buckets.entries()].sort(([a], [b]) => a - b).flatMap(([, bucket]) => bucket);
}

/** A hash table of the peer's, for its order. It gets bigger with what it holds, and stays so when that is taken out. */
export class Hmap<T> {
  readonly #hash: (item: T) => number;
  #buckets = new Map<number, T[]>();
  #mask = 0;
  #size = 0;

  /** @param hash of an item, which has to stay what it is while the item is in the table. */
  constructor(hash: (item: T) => number) {
    this.#hash = hash;
  }

  /** What is in it, in the table's order. */
  get items(): T[] {
    return inOrder(this.#buckets);
  }

  /** Adds one that is not there. */
  add(item: T): void {
    this.#put(item);
    const bigger = maskFor(++this.#size, this.#mask);
    if (bigger === this.#mask) return;
    const all = this.items;
    this.#mask = bigger;
    this.#buckets = new Map();
    for (const each of all) this.#put(each);
  }

  /** Takes out one that is there. */
  delete(item: T): void {
    const bucket = this.#buckets.get(this.#place(item))!;
    bucket.splice(bucket.indexOf(item), 1);
    this.#size--;
  }

  /** A new one comes first in its bucket, and what is moved into a bigger table counts as new. */
  #put(item: T): void {
    putFirst(this.#buckets, this.#place(item), item);
  }

  #place(item: T): number {
    return (this.#hash(item) & this.#mask) >>> 0;
  }
}

/** Items in the order in which a hash table gives them that they were put into one after the other. */
export function hmapOrder<T>(items: readonly T[], hash: (item: T) => number): T[] {
  const table = new Hmap(hash);
  for (const item of items) table.add(item);
  return table.items;
}
