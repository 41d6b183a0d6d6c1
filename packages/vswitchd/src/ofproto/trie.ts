/**
 * A prefix trie: which prefixes of a field any rule compares, so that a look-up can tell with how few leading bits
 * it is certain that a subtable cannot match.
 *
 * A path-compressed binary tree. A node stands for a run of up to 32 bits and has up to two edges, chosen by the next
 * bit. Longer runs (IPv6) are chains of nodes with one edge; that costs a few more nodes and keeps every prefix one
 * number. Insert, remove and look-up cost O(bits).
 *
 * Nodes lie one after the other in an array of integers, which doubles when it is full; a node is known by the index of
 * its first, and those that are free are a list by their first edges:
 *
 *     prefix (left-aligned) | bits of it | rules whose prefix ends here | edge of bit 0 | edge of bit 1     (0: no edge)
 *
 * As objects, some four for each flow of a table of addresses and ports, they were a fifth of what a flow leaves for the
 * garbage collector to move and to look through (see hash-counts.ts).
 */
const N_BITS = 1;
const N_RULES = 2;
const EDGES = 3;
const NODE = 5;
/** No node; the first of an array is not used. */
const NONE = 0;
/** What a trie has that nothing was ever put into, as those of most subtables. */
const NO_NODES = new Int32Array(NODE);

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

/** The edge of a node that bits which begin with the sign of `bits` follow. */
function edgeOf(node: number, bits: number): number {
  return node + EDGES + (bits >>> 31);
}

/** The first `n` of left-aligned bits. */
function firstBits(bits: number, n: number): number {
  return n === 0 ? 0 : n === 32 ? bits : bits & ~(-1 >>> n);
}

export class PrefixTrie {
  /** Bits of the field: a multiple of 32. */
  readonly nBits: number;
  /** Result of `lookup`: bit set per prefix length (0-based: length - 1) at which a rule's prefix agrees. */
  readonly plens: Uint32Array;
  private nodes = NO_NODES;
  /** Where the nodes that were ever used end, and those of them that are free. */
  private end = NODE;
  private free = NONE;
  private root = NONE;

  constructor(nBits: number) {
    this.nBits = nBits;
    this.plens = new Uint32Array(nBits >>> 5);
  }

  get isEmpty(): boolean {
    return this.root === NONE;
  }

  /** A node without edges. `nodes` may be another array after it. */
  private make(prefix: number, nBits: number, nRules: number): number {
    let node = this.free;
    if (node !== NONE) {
      this.free = this.nodes[node + EDGES]!;
    } else {
      node = this.end;
      this.end += NODE;
      if (this.end > this.nodes.length) {
        const more = new Int32Array(Math.max(2 * this.nodes.length, 8 * NODE));
        more.set(this.nodes);
        this.nodes = more;
      }
    }
    const { nodes } = this;
    nodes[node] = prefix;
    nodes[node + N_BITS] = nBits;
    nodes[node + N_RULES] = nRules;
    nodes[node + EDGES] = NONE;
    nodes[node + EDGES + 1] = NONE;
    return node;
  }

  private release(node: number): void {
    this.nodes[node + EDGES] = this.free;
    this.free = node;
  }

  /** A chain of nodes for bits `ofs`..`plen`, with a rule at its end. */
  private makeChain(words: ArrayLike<number>, base: number, ofs: number, plen: number): number {
    const n = Math.min(32, plen - ofs);
    const isLast = ofs + n === plen;
    const node = this.make(bitsAt(words, base, ofs, n), n, isLast ? 1 : 0);
    if (isLast) return node;
    const rest = this.makeChain(words, base, ofs + n, plen);
    this.nodes[edgeOf(node, this.nodes[rest]!)] = rest;
    return node;
  }

  /** Puts `node` where `edge` (NONE: the root) leads. */
  private link(edge: number, node: number): void {
    if (edge === NONE) this.root = node;
    else this.nodes[edge] = node;
  }

  /** Adds one rule whose prefix is the first `plen` (> 0) bits of the field at `words[base...]`. */
  insert(words: ArrayLike<number>, base: number, plen: number): void {
    const { nodes } = this;
    let edge = NONE;
    let node = this.root;
    let ofs = 0;
    while (node !== NONE) {
      const nBits = nodes[node + N_BITS]!;
      const n = Math.min(nBits, plen - ofs);
      const same = equalBits(bitsAt(words, base, ofs, n), nodes[node]!, n);
      ofs += same;
      if (same < nBits) {
        this.split(edge, node, same, words, base, ofs, plen);
        return;
      }
      if (ofs === plen) {
        nodes[node + N_RULES]!++;
        return;
      }
      edge = edgeOf(node, bitsAt(words, base, ofs, 1));
      node = nodes[edge]!;
    }
    this.link(edge, this.makeChain(words, base, ofs, plen));
  }

  /** Cuts `node`, where `edge` leads, behind its first `same` bits: there a rule ends, or goes another way. */
  private split(
    edge: number,
    node: number,
    same: number,
    words: ArrayLike<number>,
    base: number,
    ofs: number,
    plen: number,
  ): void {
    const prefix = this.nodes[node]!;
    const upper = this.make(firstBits(prefix, same), same, ofs === plen ? 1 : 0);
    const other = ofs === plen ? NONE : this.makeChain(words, base, ofs, plen);
    const { nodes } = this;
    const rest = prefix << same;
    nodes[node] = rest;
    nodes[node + N_BITS]! -= same;
    nodes[edgeOf(upper, rest)] = node;
    if (other !== NONE) nodes[edgeOf(upper, nodes[other]!)] = other;
    this.link(edge, upper);
  }

  /** Takes one rule back that was inserted with the same arguments. */
  remove(words: ArrayLike<number>, base: number, plen: number): void {
    const { nodes } = this;
    /** The edges that lead to each node. */
    const path: number[] = [];
    let edge = NONE;
    let node = this.root;
    let ofs = 0;
    while (node !== NONE) {
      const nBits = nodes[node + N_BITS]!;
      if (ofs + nBits > plen) return;
      if (equalBits(bitsAt(words, base, ofs, nBits), nodes[node]!, nBits) < nBits) return;
      ofs += nBits;
      path.push(edge);
      if (ofs === plen) break;
      edge = edgeOf(node, bitsAt(words, base, ofs, 1));
      node = nodes[edge]!;
    }
    if (node === NONE || nodes[node + N_RULES] === 0) return;
    nodes[node + N_RULES]!--;
    for (let at = path.pop(); at !== undefined && this.prune(at); at = path.pop());
    if (this.root !== NONE) return;
    this.nodes = NO_NODES;
    this.end = NODE;
    this.free = NONE;
  }

  /**
   * Takes the node where `edge` leads out if no rule ends there and it has not two ways to choose from; a single one is
   * made one with it. @returns whether it is out.
   */
  private prune(edge: number): boolean {
    const { nodes } = this;
    const node = edge === NONE ? this.root : nodes[edge]!;
    if (nodes[node + N_RULES]! > 0) return false;
    const [edge0, edge1] = [nodes[node + EDGES]!, nodes[node + EDGES + 1]!];
    if (edge0 !== NONE && edge1 !== NONE) return false;
    const only = edge0 === NONE ? edge1 : edge0;
    if (only !== NONE) {
      const nBits = nodes[node + N_BITS]!;
      if (nBits + nodes[only + N_BITS]! > 32) return false;
      nodes[only] = nodes[node]! | (nBits === 32 ? 0 : nodes[only]! >>> nBits);
      nodes[only + N_BITS]! += nBits;
    }
    this.link(edge, only);
    this.release(node);
    return true;
  }

  /**
   * Looks a value up. `plens` then says at which prefix lengths there are rules whose prefix agrees.
   * @returns how many leading bits of the value were needed to know that.
   */
  lookup(words: ArrayLike<number>, base: number): number {
    const { nodes, plens } = this;
    plens.fill(0);
    let last = NONE;
    let node = this.root;
    let matched = 0;
    while (node !== NONE) {
      const nBits = nodes[node + N_BITS]!;
      const same = equalBits(bitsAt(words, base, matched, nBits), nodes[node]!, nBits);
      matched += same;
      if (same < nBits) return matched + 1;
      if (nodes[node + N_RULES]! > 0) plens[(matched - 1) >>> 5]! |= 0x80000000 >>> ((matched - 1) & 31);
      if (matched >= this.nBits) return this.nBits;
      last = node;
      node = nodes[edgeOf(node, bitsAt(words, base, matched, 1))]!;
    }
    const isLeaf = last === NONE || (nodes[last + EDGES] === NONE && nodes[last + EDGES + 1] === NONE);
    return isLeaf ? matched : matched + 1;
  }

  /** After `lookup`: whether a rule's prefix of that length agrees with the value. */
  agrees(plen: number): boolean {
    return (this.plens[(plen - 1) >>> 5]! & (0x80000000 >>> ((plen - 1) & 31))) !== 0;
  }
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
