/**
 * What rules of one mask have in common, in whatever table they are: how a match becomes the few values that a rule keeps
 * of it, and comes back from them. So a flow can be made before it is in a table, and a bundle keeps flows and no messages.
 */
import { hashAdd } from '@ovs-node/flow/hash';
import { KEY_WORDS, W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { type StagedMask, stageMask } from './stages.js';

export class MaskShape {
  readonly staged: StagedMask;
  /** The mask by words, in their order: word, mask, and which of a rule's values are in it, one or two (else -1). */
  readonly layout: readonly number[];
  /** A packed match of the mask's words of a key (options are behind them), without values. */
  readonly blank: readonly number[];
  readonly hash: number;
  readonly portsMask: number;
  /** Up to which bit, from the left, ports are matched; 0: they are not. */
  readonly portsPlen: number;
  /** Subtables of this shape. */
  users = 0;
  /** Another shape whose mask has the same hash. */
  sameHash: MaskShape | undefined;
  /** Where it stands for all of its mask. */
  pool: ShapePool | undefined;

  /** The shape of the mask of a packed match, whose hash is `hash`. */
  constructor(hash: number, packed: readonly number[]) {
    const mask = maskOf(packed);
    this.hash = hash;
    this.staged = stageMask(mask);
    this.layout = layoutOf(this.staged, mask);
    this.blank = blankOf(mask);
    this.portsMask = mask[W.TP]! | 0;
    this.portsPlen = this.portsMask === 0 ? 0 : 32 - trailingZeros(this.portsMask);
  }

  /** Whether the mask of a packed match is this one. */
  isOf(packed: readonly number[]): boolean {
    const { layout } = this;
    const n = packed.length / 3;
    if (layout.length !== 4 * n) return false;
    for (let i = 0; i < n; i++)
      if (layout[4 * i] !== packed[3 * i] || layout[4 * i + 1] !== packed[3 * i + 2]) return false;
    return true;
  }

  /** What a rule keeps of a packed match of this mask: aligned with the mask's words, signed. */
  valuesOf(packed: readonly number[]): number[] {
    const { masks, zeros } = this.staged;
    const { layout } = this;
    const values = zeros.slice();
    for (let i = 0, at = 0; i < packed.length; i += 3, at += 4) {
      const word = packed[i + 1]!;
      const [first, second] = [layout[at + 2]!, layout[at + 3]!];
      values[first] = word & masks[first]!;
      if (second >= 0) values[second] = word & masks[second]!;
    }
    return values;
  }

  /** The match of a rule that keeps `values`, without tunnel options; built anew. */
  matchOf(values: readonly number[]): Match {
    const { layout } = this;
    const packed = this.blank.slice();
    for (let i = 1, at = 2; i < packed.length; i += 3, at += 4) {
      const [first, second] = [layout[at]!, layout[at + 1]!];
      packed[i] = (second < 0 ? values[first]! : values[first]! | values[second]!) >>> 0;
    }
    return Match.ofPacked(packed);
  }

  /** Puts the words of a rule that keeps `values` into a key, which has zeros there; of `staged.masks`, the mask itself. */
  copyTo(key: Uint32Array, values: ArrayLike<number>): void {
    const { words } = this.staged;
    for (let i = 0; i < words.length; i++) key[words[i]!]! |= values[i]!;
  }

  /** Makes the words of the mask zeros. */
  clear(key: Uint32Array): void {
    for (const word of this.staged.words) key[word] = 0;
  }
}

/** Shapes that nobody uses which a pool keeps at most; they take some 2 kB each. */
const MAX_IDLE = 1024;

/**
 * The shapes of a switch, each once. One that subtables use stays; others only while there are not many, as who sends
 * flows that are refused could make us keep any number of them. Flows that are in no table yet may have a shape that the
 * pool has let go of, which `pooled` is for.
 */
export class ShapePool {
  /** By hash of the mask; others of the same hash follow. */
  readonly #byHash = new Map<number, MaskShape>();
  #idle = 0;

  /** The shape of a packed match's mask, if it has been asked for before. */
  find(packed: readonly number[]): MaskShape | undefined {
    return this.#find(hashMask(packed), packed);
  }

  /** The shape of a packed match's mask. */
  of(packed: readonly number[]): MaskShape {
    const hash = hashMask(packed);
    return this.#find(hash, packed) ?? this.#add(new MaskShape(hash, packed));
  }

  /** The shape of the same mask that stands for all of them here. */
  pooled(shape: MaskShape): MaskShape {
    return shape.pool === this ? shape : this.of(packedOf(shape));
  }

  /** A subtable of a shape of the pool is there. */
  use(shape: MaskShape): void {
    if (shape.users++ === 0) this.#idle--;
  }

  /** A subtable is gone. */
  release(shape: MaskShape): void {
    if (--shape.users === 0) this.#idle++;
  }

  #find(hash: number, packed: readonly number[]): MaskShape | undefined {
    let shape = this.#byHash.get(hash);
    while (shape !== undefined && !shape.isOf(packed)) shape = shape.sameHash;
    return shape;
  }

  #add(shape: MaskShape): MaskShape {
    if (this.#idle >= MAX_IDLE) this.#sweep();
    this.#link(shape);
    this.#idle++;
    return shape;
  }

  #link(shape: MaskShape): void {
    shape.sameHash = this.#byHash.get(shape.hash);
    shape.pool = this;
    this.#byHash.set(shape.hash, shape);
  }

  #sweep(): void {
    const all: MaskShape[] = [];
    for (const first of this.#byHash.values())
      for (let shape: MaskShape | undefined = first; shape !== undefined; shape = shape.sameHash)
        all.push(shape);
    this.#byHash.clear();
    this.#idle = 0;
    for (const shape of all) {
      shape.pool = undefined;
      if (shape.users > 0) this.#link(shape);
    }
  }
}

/** The hash of a packed match's mask. */
function hashMask(packed: readonly number[]): number {
  let hash = 0;
  for (let i = 0; i < packed.length; i += 3) hash = hashAdd(hashAdd(hash, packed[i]!), packed[i + 2]!);
  return hash;
}

/** A packed match of a shape's mask, of no matter which values. */
function packedOf({ layout }: MaskShape): number[] {
  const packed: number[] = [];
  for (let at = 0; at < layout.length; at += 4) packed.push(layout[at]!, 0, layout[at + 1]!);
  return packed;
}

/** The mask of a packed match by words, of a key or, where there are tunnel options, longer. */
function maskOf(packed: readonly number[]): Uint32Array {
  const last = packed.length === 0 ? 0 : packed[packed.length - 3]!;
  const mask = new Uint32Array(Math.max(KEY_WORDS, last + 1));
  for (let i = 0; i < packed.length; i += 3) mask[packed[i]!] = packed[i + 2]!;
  return mask;
}

function trailingZeros(x: number): number {
  return 31 - Math.clz32(x & -x);
}

function layoutOf({ words }: StagedMask, mask: Uint32Array): readonly number[] {
  const layout: number[] = [];
  for (let w = 0; w < mask.length; w++) {
    if (mask[w] !== 0) layout.push(w, mask[w]!, words.indexOf(w), secondIndex(words, w));
  }
  return layout;
}

function blankOf(mask: Uint32Array): readonly number[] {
  const blank: number[] = [];
  // Not whole, so that copies have room for any word: for each flow of a dump it saves making the array anew.
  for (let w = 0; w < KEY_WORDS; w++) if (mask[w] !== 0) blank.push(w, 0.5, mask[w]!);
  return blank;
}

function secondIndex(words: Uint8Array, word: number): number {
  return words.indexOf(word, words.indexOf(word) + 1);
}
