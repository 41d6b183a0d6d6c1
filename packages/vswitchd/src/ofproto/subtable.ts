/** Rules with one mask, which is what the classifier keeps them by: a subtable and its rules. */
import { hashAdd } from '@ovs-node/flow/hash';
import { KEY_WORDS } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import type { TunMetadata } from '@ovs-node/flow/tun-metadata';
import type { ConjunctionPart } from './conjunction.js';
import { HashCounts } from './hash-counts.js';
import type { MaskShape } from './mask-shape.js';
import type { PrefixField } from './prefix-fields.js';
import type { StagedMask } from './stages.js';
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

/** What a match asks of one word of a key. */
export interface AskedWord {
  readonly word: number;
  readonly key: number;
  readonly mask: number;
}

/** What a match asks of the words of a key, but for tunnel options: nothing of most. */
export function askedWords({ key, mask }: Match): AskedWord[] {
  return Array.from(mask, (bits, word) => ({ word, key: key[word]!, mask: bits })).filter(
    (asked) => asked.mask !== 0,
  );
}

/** What the classifier keeps of a rule; rules of the OpenFlow tables extend it. */
export class ClassifierRule {
  readonly priority: number;
  /** Which mask it has, the masked words, aligned with the shape's staged mask, and their hash: `Classifier.place`. */
  shape: MaskShape | null = null;
  values: number[] = [];
  hash = 0;
  /** Set on insertion. */
  subtable: Subtable | null = null;
  /** Next rule of the same hash, by falling priority. */
  next: ClassifierRule | null = null;
  /** All rules of the subtable, in order of arrival; a rule that replaces another is a new arrival. */
  before: ClassifierRule | null = null;
  after: ClassifierRule | null = null;
  /** What it asks of tunnel options (tlv-table.ts): `Classifier.place`. */
  options: readonly TunMetadata[] | undefined = undefined;
  /** Not null: the rule only contributes to conjunctive matches. */
  conjunction: readonly ConjunctionPart[] | null = null;
  /** Look-ups pass over it, but for what they look at: the packet that taught it is still on its way. */
  isPending = false;

  constructor(priority: number) {
    this.priority = priority;
  }

  /** Takes over the match of another. */
  placeAs({ shape, values, hash, options }: ClassifierRule): void {
    this.shape = shape;
    this.values = values;
    this.hash = hash;
    this.options = options;
  }

  /** The next rule of lower priority with the same match that look-ups do not pass over. */
  hidden(): ClassifierRule | null {
    for (let next = this.next; next !== null; next = next.next) {
      if (!next.isPending && sameValues(next.values, this.values)) return next;
    }
    return null;
  }

  /** Whether the rule matches nothing but packets of a match that asks this: whether who watches that hears of it. */
  fits(asked: readonly AskedWord[]): boolean {
    const { shape, values } = this;
    for (const { word, key, mask } of asked) {
      if (shape === null) return false;
      const { words, masks } = shape.staged;
      // A word may be there in several stages, with other bits in each.
      let missing = mask;
      for (let i = 0; i < words.length; i++) {
        if (words[i] !== word) continue;
        if (((key ^ values[i]!) & mask & masks[i]!) !== 0) return false;
        missing &= ~masks[i]!;
      }
      if (missing !== 0) return false;
    }
    return true;
  }

  /** The rule's match, built anew. */
  match(): Match {
    const match = this.shape?.matchOf(this.values) ?? new Match();
    match.tunMetadata = this.options;
    return match;
  }
}

/** Rules with one mask. */
export class Subtable {
  readonly shape: MaskShape;
  /** The shape's, where look-ups have it at hand. */
  readonly staged: StagedMask;
  readonly portsMask: number;
  readonly portsPlen: number;
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
  triePlens = NO_PREFIXES;
  /** Whether there is one. */
  hasPrefixes = false;
  readonly portsTrie = new PrefixTrie(32);

  constructor(shape: MaskShape, tries: readonly FieldTrie[]) {
    this.shape = shape;
    this.staged = shape.staged;
    this.portsMask = shape.portsMask;
    this.portsPlen = shape.portsPlen;
    for (let i = 0; i + 1 < this.staged.ends.length; i++) this.stageHashes.push(new HashCounts());
    this.track(tries);
  }

  /** Takes over what prefixes the table keeps track of. */
  track(tries: readonly FieldTrie[]): void {
    this.triePlens = prefixLengths(this.shape, tries);
    this.hasPrefixes = this.triePlens.some((plen) => plen > 0);
  }
}

const NO_PREFIXES: Uint8Array = new Uint8Array(0);

/** How long the prefixes of a mask are in each of the tries; 0: it has none there. */
function prefixLengths(shape: MaskShape, tries: readonly FieldTrie[]): Uint8Array {
  const mask = new Uint32Array(KEY_WORDS);
  shape.copyTo(mask, shape.staged.masks);
  return Uint8Array.from(tries, ({ word, words }) => prefixLength(mask, word, words));
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
