/**
 * A multiset of 32-bit hashes: how many rules have each. Open addressing with linear probing in an array of pairs, hash
 * and count (0: free), at most three quarters full; what is taken out has those behind it move up, so that no search is
 * longer than it has to be.
 *
 * With the tries in arrays too (trie.ts) 100,000 flows of an address and a port take 49 MB of the heap, not 73 as with
 * maps and objects, which is what the garbage collector has to look through, and 10 MB outside of it.
 */
const SMALLEST = 8;
/** What most have that no rule has come to yet. */
const NO_PAIRS = new Int32Array(2);

/** Hashes of few words differ in few bits: all bits take part in the place. */
function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

export class HashCounts {
  private pairs = NO_PAIRS;
  /** Places less one: a power of two less one. */
  private last = 0;
  private used = 0;

  /** Hashes that there are, each once. */
  get size(): number {
    return this.used;
  }

  /** Hashes that there is room for. */
  get places(): number {
    return this.last + 1;
  }

  has(hash: number): boolean {
    return this.pairs[2 * this.find(hash | 0) + 1] !== 0;
  }

  /** Counts one more. */
  add(hash: number): void {
    const { pairs } = this;
    const at = 2 * this.find(hash | 0);
    if (pairs[at + 1] !== 0) {
      pairs[at + 1]!++;
    } else if (4 * (this.used + 1) > 3 * (this.last + 1)) {
      this.resize(Math.max(SMALLEST, 2 * (this.last + 1)));
      this.add(hash);
    } else {
      pairs[at] = hash;
      pairs[at + 1] = 1;
      this.used++;
    }
  }

  /** Counts one less of a hash that there is. */
  remove(hash: number): void {
    const { pairs, last } = this;
    let hole = this.find(hash | 0);
    if (pairs[2 * hole + 1]! > 1) {
      pairs[2 * hole + 1]!--;
      return;
    }
    if (pairs[2 * hole + 1] === 0) return;
    this.used--;
    for (let at = (hole + 1) & last; pairs[2 * at + 1] !== 0; at = (at + 1) & last) {
      // One may not move to before where its search begins.
      const way = (at - spread(pairs[2 * at]!)) & last;
      if (way < ((at - hole) & last)) continue;
      pairs[2 * hole] = pairs[2 * at]!;
      pairs[2 * hole + 1] = pairs[2 * at + 1]!;
      hole = at;
    }
    pairs[2 * hole + 1] = 0;
    if (this.last >= 2 * SMALLEST && 8 * this.used < this.last) this.resize((this.last + 1) / 4);
  }

  /** The place of a hash, or the free one where it would go. */
  private find(hash: number): number {
    const { pairs, last } = this;
    let at = spread(hash) & last;
    while (pairs[2 * at + 1] !== 0 && pairs[2 * at] !== hash) at = (at + 1) & last;
    return at;
  }

  private resize(places: number): void {
    const before = this.pairs;
    this.pairs = new Int32Array(2 * places);
    this.last = places - 1;
    for (let i = 0; i < before.length; i += 2) {
      if (before[i + 1] === 0) continue;
      const at = 2 * this.find(before[i]!);
      this.pairs[at] = before[i]!;
      this.pairs[at + 1] = before[i + 1]!;
    }
  }
}
