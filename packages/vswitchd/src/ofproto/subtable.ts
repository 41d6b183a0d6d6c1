/** Rules with one mask, which is what the classifier keeps them by: a subtable, its rules, and what tells masks apart. */
import { hashAdd } from '@ovs-node/flow/hash';
import { KEY_WORDS, W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import type { TunMetadata } from '@ovs-node/flow/tun-metadata';
import type { ConjunctionPart } from './conjunction.js';
import { HashCounts } from './hash-counts.js';
import type { PrefixField } from './prefix-fields.js';
import { type StagedMask, stageMask } from './stages.js';
import { PrefixTrie, prefixLength } from './trie.js';

/**
 * The trie of one field. ARP addresses share the words of IP addresses and so their trie, but a trie is only asked for
 * packets that have its field.
 */
export class FieldTrie {
  readonly trie: PrefixTrie;
  readonly word: number;
  readonly words: number;
  readonly ethType: number;
  /** What it said for the packet being looked up. */
  done = false;
  bits = 0;

  constructor({ word, words, ethType }: PrefixField) {
    this.trie = new PrefixTrie(words * 32);
    this.word = word;
    this.words = words;
    this.ethType = ethType;
  }
}

/** What the classifier keeps of a rule; rules of the OpenFlow tables extend it. */
export class ClassifierRule {
  readonly priority: number;
  /** Masked words, aligned with the subtable's staged mask. Set on insertion. */
  values: number[] = [];
  hash = 0;
  subtable: Subtable | null = null;
  /** Next rule of the same hash, by falling priority. */
  next: ClassifierRule | null = null;
  /** All rules of the subtable, in order of arrival; a rule that replaces another is a new arrival. */
  before: ClassifierRule | null = null;
  after: ClassifierRule | null = null;
  /** What it asks of tunnel options (tlv-table.ts); set on insertion. */
  options: readonly TunMetadata[] | undefined = undefined;
  /** Not null: the rule only contributes to conjunctive matches. */
  conjunction: readonly ConjunctionPart[] | null = null;

  constructor(priority: number) {
    this.priority = priority;
  }

  /** The next rule of lower priority with the same match. */
  hidden(): ClassifierRule | null {
    for (let next = this.next; next !== null; next = next.next) {
      if (sameValues(next.values, this.values)) return next;
    }
    return null;
  }

  /** Whether the rule matches nothing but packets of `match`: whether a loose command on `match` is about it. */
  fits(match: Match): boolean {
    const own = this.match();
    for (let w = 0; w < KEY_WORDS; w++) {
      const mask = match.mask[w]!;
      if ((mask & ~own.mask[w]!) !== 0 || ((match.key[w]! ^ own.key[w]!) & mask) !== 0) return false;
    }
    return true;
  }

  /** The rule's match, built anew. */
  match(): Match {
    const subtable = this.subtable;
    if (!subtable) return new Match();
    const { layout, blank } = subtable;
    const { values } = this;
    const packed = blank.slice();
    for (let i = 1, at = 2; i < packed.length; i += 3, at += 4) {
      const [first, second] = [layout[at]!, layout[at + 1]!];
      packed[i] = (second < 0 ? values[first]! : values[first]! | values[second]!) >>> 0;
    }
    const match = Match.ofPacked(packed);
    match.tunMetadata = this.options;
    return match;
  }
}

/** Rules with one mask. */
export class Subtable {
  readonly staged: StagedMask;
  /** The mask by words, in their order: word, mask, and which of a rule's values are in it, one or two (else -1). */
  readonly layout: readonly number[];
  /** A packed match of the mask's words of a key (options are behind them), without values. */
  readonly blank: readonly number[];
  readonly maskHash: number;
  /** Another subtable whose mask has the same hash. */
  sameHash: Subtable | undefined;
  maxPriority = -1;
  size = 0;
  first: ClassifierRule | null = null;
  last: ClassifierRule | null = null;
  /** Chains by hash of all words. */
  readonly chains = new Map<number, ClassifierRule>();
  /** Per stage but the last: how many rules have a hash of the words so far. */
  readonly stageHashes: HashCounts[] = [];
  readonly priorities = new Map<number, number>();
  /** Of each trie of the table, how long the rules' prefixes are; 0: there is none. */
  triePlens: Uint8Array;
  readonly portsMask: number;
  readonly portsPlen: number;
  readonly portsTrie = new PrefixTrie(32);

  constructor(maskHash: number, mask: Uint32Array, tries: readonly FieldTrie[]) {
    this.maskHash = maskHash;
    this.staged = stageMask(mask);
    this.layout = layoutOf(this.staged, mask);
    this.blank = blankOf(mask);
    for (let i = 0; i + 1 < this.staged.ends.length; i++) this.stageHashes.push(new HashCounts());
    this.triePlens = prefixLengths(mask, tries);
    this.portsMask = mask[W.TP]! | 0;
    this.portsPlen = this.portsMask === 0 ? 0 : 32 - trailingZeros(this.portsMask);
  }
}

/** How long the prefixes of a mask are in each of the tries; 0: it has none there. */
export function prefixLengths(mask: Uint32Array, tries: readonly FieldTrie[]): Uint8Array {
  return Uint8Array.from(tries, ({ word, words }) => prefixLength(mask, word, words));
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

/** The hash of a packed match's mask, by which its subtable is found. */
export function hashMask(packed: readonly number[]): number {
  let hash = 0;
  for (let i = 0; i < packed.length; i += 3) hash = hashAdd(hashAdd(hash, packed[i]!), packed[i + 2]!);
  return hash;
}

/** Whether the mask of a packed match is that of the subtable. */
export function hasMask({ layout }: Subtable, packed: readonly number[]): boolean {
  const n = packed.length / 3;
  if (layout.length !== 4 * n) return false;
  for (let i = 0; i < n; i++)
    if (layout[4 * i] !== packed[3 * i] || layout[4 * i + 1] !== packed[3 * i + 2]) return false;
  return true;
}

/** What a rule of the subtable keeps of a packed match of its mask: aligned with the mask's words, signed. */
export function maskedWords({ layout, staged }: Subtable, packed: readonly number[]): number[] {
  const { masks, zeros } = staged;
  const values = zeros.slice();
  for (let i = 0, at = 0; i < packed.length; i += 3, at += 4) {
    const word = packed[i + 1]!;
    const [first, second] = [layout[at + 2]!, layout[at + 3]!];
    values[first] = word & masks[first]!;
    if (second >= 0) values[second] = word & masks[second]!;
  }
  return values;
}

/** Goes on with the hash `basis` over `values[from..to)`, as a look-up does stage by stage. */
export function hashWords(values: readonly number[], from: number, to: number, basis: number): number {
  let hash = basis;
  for (let i = from; i < to; i++) hash = hashAdd(hash, values[i]!);
  return hash;
}

/** The subtable's rule of these values, whose hash is `hash`, and of this priority. */
export function findEqual(
  subtable: Subtable,
  hash: number,
  values: readonly number[],
  priority: number,
): ClassifierRule | null {
  for (let rule = subtable.chains.get(hash) ?? null; rule !== null; rule = rule.next) {
    if (rule.priority === priority && sameValues(rule.values, values)) return rule;
  }
  return null;
}

function sameValues(a: readonly number[], b: readonly number[]): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Takes a rule out of the list of its subtable's rules. */
export function unlink(subtable: Subtable, rule: ClassifierRule): void {
  if (rule.before) rule.before.after = rule.after;
  else subtable.first = rule.after;
  if (rule.after) rule.after.before = rule.before;
  else subtable.last = rule.before;
}

/** Moves a rule that was added last to between two others, null: to the start or the end. */
export function linkBetween(
  subtable: Subtable,
  rule: ClassifierRule,
  before: ClassifierRule | null,
  after: ClassifierRule | null,
): void {
  unlink(subtable, rule);
  rule.before = before;
  rule.after = after;
  if (before) before.after = rule;
  else subtable.first = rule;
  if (after) after.before = rule;
  else subtable.last = rule;
}
