/**
 * A prefix trie: which prefixes of a field any rule compares, so that a look-up can tell with how few leading bits
 * it is certain that a subtable cannot match.
 *
 * A path-compressed binary tree. A node stands for a run of up to 32 bits (`prefix`, left-aligned) and has up to two
 * edges, chosen by the next bit. `nRules` counts the rules whose prefix ends at the node. Longer runs (IPv6) are
 * chains of nodes with one edge; that costs a few more nodes and keeps every prefix one number.
 * Insert, remove and look-up cost O(bits).
 */
interface TrieNode {
  prefix: number;
  nBits: number;
  nRules: number;
  edge0: TrieNode | null;
  edge1: TrieNode | null;
}

/** Bits `ofs`..`ofs+n` (n <= 32) of a field that starts at word `base`, left-aligned in 32 bits. */
function bitsAt(words: ArrayLike<number>, base: number, ofs: number, n: number): number {
  const w = base + (ofs >>> 5);
  const shift = ofs & 31;
  let value = words[w]! << shift;
  if (shift !== 0 && shift + n > 32) value |= words[w + 1]! >>> (32 - shift);
  return n === 32 ? value : value & ~(-1 >>> n);
}

function equalBits(a: number, b: number, n: number): number {
  const same = Math.clz32(a ^ b);
  return same < n ? same : n;
}

export class PrefixTrie {
  /** Bits of the field: a multiple of 32. */
  readonly nBits: number;
  private root: TrieNode | null = null;
  /** Result of `lookup`: bit set per prefix length (0-based: length - 1) at which a rule's prefix agrees. */
  readonly plens: Uint32Array;

  constructor(nBits: number) {
    this.nBits = nBits;
    this.plens = new Uint32Array(nBits >>> 5);
  }

  get isEmpty(): boolean {
    return this.root === null;
  }

  /** Adds one rule whose prefix is the first `plen` (> 0) bits of the field at `words[base...]`. */
  insert(words: ArrayLike<number>, base: number, plen: number): void {
    let parent: TrieNode | null = null;
    let bit = 0;
    let node = this.root;
    let ofs = 0;
    while (node !== null) {
      const n = Math.min(node.nBits, plen - ofs);
      const value = bitsAt(words, base, ofs, n);
      const same = equalBits(value, node.prefix, n);
      ofs += same;
      if (same < node.nBits) {
        const upper: TrieNode = {
          prefix: same === 0 ? 0 : node.prefix & ~(same === 32 ? 0 : -1 >>> same),
          nBits: same,
          nRules: 0,
          edge0: null,
          edge1: null,
        };
        const rest = node.prefix << same;
        node.prefix = rest;
        node.nBits -= same;
        if (rest < 0) upper.edge1 = node;
        else upper.edge0 = node;
        if (ofs === plen) {
          upper.nRules = 1;
        } else {
          const branch = newBranch(words, base, ofs, plen);
          if (branch.prefix < 0) upper.edge1 = branch;
          else upper.edge0 = branch;
        }
        this.link(parent, bit, upper);
        return;
      }
      if (ofs === plen) {
        node.nRules++;
        return;
      }
      parent = node;
      bit = bitsAt(words, base, ofs, 1) < 0 ? 1 : 0;
      node = bit ? node.edge1 : node.edge0;
    }
    this.link(parent, bit, newBranch(words, base, ofs, plen));
  }

  /** Takes one rule back that was inserted with the same arguments. */
  remove(words: ArrayLike<number>, base: number, plen: number): void {
    const path: TrieNode[] = [];
    let node = this.root;
    let ofs = 0;
    while (node !== null) {
      if (ofs + node.nBits > plen) return;
      const value = bitsAt(words, base, ofs, node.nBits);
      if (equalBits(value, node.prefix, node.nBits) < node.nBits) return;
      ofs += node.nBits;
      path.push(node);
      if (ofs === plen) break;
      node = bitsAt(words, base, ofs, 1) < 0 ? node.edge1 : node.edge0;
    }
    const last = path[path.length - 1];
    if (!last || ofs !== plen || last.nRules === 0) return;
    last.nRules--;
    for (let i = path.length - 1; i >= 0; i--) {
      const at = path[i]!;
      if (at.nRules > 0) return;
      let next: TrieNode | null;
      if (at.edge0 === null || at.edge1 === null) {
        const only: TrieNode | null = at.edge0 ?? at.edge1;
        if (only !== null) {
          if (at.nBits + only.nBits > 32) return;
          only.prefix = at.prefix | (at.nBits === 32 ? 0 : only.prefix >>> at.nBits);
          only.nBits += at.nBits;
        }
        next = only;
      } else {
        return;
      }
      const parent = path[i - 1];
      if (!parent) this.root = next;
      else if (parent.edge0 === at) parent.edge0 = next;
      else parent.edge1 = next;
    }
  }

  /**
   * Looks a value up. `plens` then says at which prefix lengths there are rules whose prefix agrees.
   * @returns how many leading bits of the value were needed to know that.
   */
  lookup(words: ArrayLike<number>, base: number): number {
    this.plens.fill(0);
    let last: TrieNode | null = null;
    let node = this.root;
    let matched = 0;
    while (node !== null) {
      const value = bitsAt(words, base, matched, node.nBits);
      const same = equalBits(value, node.prefix, node.nBits);
      matched += same;
      if (same < node.nBits) return matched + 1;
      if (node.nRules > 0) this.plens[(matched - 1) >>> 5]! |= 0x80000000 >>> ((matched - 1) & 31);
      if (matched >= this.nBits) return this.nBits;
      last = node;
      node = bitsAt(words, base, matched, 1) < 0 ? node.edge1 : node.edge0;
    }
    return last === null || (last.edge0 === null && last.edge1 === null) ? matched : matched + 1;
  }

  /** After `lookup`: whether a rule's prefix of that length agrees with the value. */
  agrees(plen: number): boolean {
    return (this.plens[(plen - 1) >>> 5]! & (0x80000000 >>> ((plen - 1) & 31))) !== 0;
  }

  private link(parent: TrieNode | null, bit: number, node: TrieNode): void {
    if (parent === null) this.root = node;
    else if (bit) parent.edge1 = node;
    else parent.edge0 = node;
  }
}

/** A chain of nodes for bits `ofs`..`plen`, with a rule at its end. */
function newBranch(words: ArrayLike<number>, base: number, ofs: number, plen: number): TrieNode {
  const n = Math.min(32, plen - ofs);
  const node: TrieNode = {
    prefix: bitsAt(words, base, ofs, n),
    nBits: n,
    nRules: 0,
    edge0: null,
    edge1: null,
  };
  if (ofs + n === plen) {
    node.nRules = 1;
  } else {
    const child = newBranch(words, base, ofs + n, plen);
    if (child.prefix < 0) node.edge1 = child;
    else node.edge0 = child;
  }
  return node;
}

/** Length of the prefix that a mask of `nWords` words from `base` compares, or 0 when it is not a prefix. */
export function prefixLength(mask: ArrayLike<number>, base: number, nWords: number): number {
  let length = 0;
  let ended = false;
  for (let i = 0; i < nWords; i++) {
    const bits = mask[base + i]! >>> 0;
    if (ended) {
      if (bits !== 0) return 0;
      continue;
    }
    const ones = Math.clz32(~bits);
    if (ones < 32 && bits << ones !== 0) return 0;
    length += ones;
    ended = ones < 32;
  }
  return length;
}
