/**
 * The classifier: the rules of one OpenFlow table, found by packet.
 *
 * Tuple-space search: rules with the same mask form a subtable, which is a hash table of masked keys. A look-up goes
 * through the subtables by falling highest priority and stops where no later subtable can beat the match it has.
 *
 * A look-up also reports which bits of the packet decided it, as a mask that becomes a megaflow; fewer bits make
 * broader megaflows. Three means keep them few:
 * - stages: a subtable's mask is cut into metadata, L2, L3, L4; each stage but the last keeps a multiset of the
 *   hashes of the rules' values so far, and a stage that misses ends the subtable with only the bits so far;
 * - prefix tries over addresses (Flow_Table:prefixes), shared by the table: when no rule has the subtable's prefix length for this
 *   address, the subtable is skipped for the leading bits that show it;
 * - a prefix trie over the ports of each subtable, asked after the last stage missed.
 *
 * Invariants: outside of `defer` subtables are sorted by falling `maxPriority` (subtable-list.ts); chains of one hash are
 * sorted by falling priority, so the first entry that compares equal is the best of its subtable. Rules keep only
 * the masked words of their subtable (small integers), not whole keys: 100,000 rules take some 20 MB.
 * Adding and removing is O(1) apart from moving a subtable; overlap checks are O(rules). Single-threaded: no
 * versions, a change is there for the next look-up.
 */
import { hashAdd } from '@ovs-node/flow/hash';
import { W } from '@ovs-node/flow/layout';
import { type Match, packWords, ReadArea } from '@ovs-node/flow/match';
import { resolveConjunctions } from './conjunction.js';
import { agrees, askedOf } from './loose.js';
import { type MaskShape, ShapePool } from './mask-shape.js';
import { DEFAULT_PREFIXES, PREFIX_FIELDS, type PrefixField, type PrefixFieldName } from './prefix-fields.js';
import {
  type ClassifierRule,
  FieldTrie,
  findEqual,
  hashWords,
  linkBetween,
  Subtable,
  unlink,
} from './subtable.js';
import { SubtableList } from './subtable-list.js';
import { LONG_KEY_WORDS, type TlvTable } from './tlv-table.js';

export class Classifier {
  private readonly byMask = new Map<MaskShape, Subtable>();
  private readonly list = new SubtableList();
  private tries = triesOf(DEFAULT_PREFIXES.map((name) => PREFIX_FIELDS[name]));
  private readonly tlv: TlvTable | undefined;
  private readonly shapes: ShapePool;

  /**
   * @param tlv where tunnel options of matches lie; without it there are none.
   * @param shapes the shapes of the switch's flows; those of rules that are inserted are of this pool.
   */
  constructor(tlv?: TlvTable, shapes = new ShapePool()) {
    this.tlv = tlv;
    this.shapes = shapes;
  }

  /** A match's words, with those of its options behind them; they may be in an area that the next call uses again. */
  private load(match: Match): { readonly key: Uint32Array; readonly mask: Uint32Array } {
    return match.tunMetadata === undefined || this.tlv === undefined
      ? area.load(match)
      : this.tlv.expand(match);
  }

  /** The same, packed: `[word, key, mask, …]`, in order of words. */
  private pack(match: Match): readonly number[] {
    const packed = match.tunMetadata === undefined ? match.packedWords : undefined;
    return packed ?? packWords(this.load(match));
  }

  private nRules = 0;
  private nConjunctive = 0;
  /** In the time of `defer`: what rules have left which subtables. */
  private left: { readonly subtable: Subtable; readonly priority: number }[] | undefined;
  /**
   * What `equalTo` was asked last and found, until something changes: whoever adds a rule looks for an equal one first, and
   * `insert` need not look again. `npm run bench:openflow`, "--bundle add-flows, switch of its own": with the clock asked
   * less often, 0.79 to 0.84.
   */
  private asked: ClassifierRule | undefined;
  private found: ClassifierRule | null = null;

  get size(): number {
    return this.nRules;
  }

  /** Keeps track of the prefixes of these fields from now on, each once. False when it does so already. */
  trackPrefixes(names: readonly PrefixFieldName[]): boolean {
    const fields = [...new Set(names)].map((name) => PREFIX_FIELDS[name]);
    if (fields.length === this.tries.length && fields.every(({ word }, i) => word === this.tries[i]!.word))
      return false;
    const tries = triesOf(fields);
    this.tries = tries;
    for (const subtable of this.byMask.values()) {
      subtable.track(tries);
      for (let rule = subtable.first; rule; rule = rule.after) {
        const { key } = rule.match();
        tries.forEach(({ trie, word }, i) => {
          const plen = subtable.triePlens[i]!;
          if (plen > 0) trie.insert(key, word, plen);
        });
      }
    }
    return true;
  }

  /** Gives a rule its match, of which nothing is kept. It can be added to any table of the same shapes from then on. */
  place(rule: ClassifierRule, match: Match): void {
    const packed = this.pack(match);
    const shape = this.shapes.of(packed);
    const values = shape.valuesOf(packed);
    rule.shape = shape;
    rule.values = values;
    rule.hash = hashWords(values, 0, values.length, 0);
    rule.options = this.tlv?.resolve(match.tunMetadata);
  }

  /** The rule of the match and the priority of one that has been placed. */
  equalTo(rule: ClassifierRule): ClassifierRule | null {
    const shape = this.shapes.pooled(rule.shape!);
    const subtable = this.byMask.get(shape);
    rule.shape = shape;
    this.asked = rule;
    return (this.found =
      subtable === undefined ? null : findEqual(subtable, rule.hash, rule.values, rule.priority));
  }

  /**
   * Adds a rule that has been placed, replacing the one of equal match and priority.
   * @returns the rule that was replaced, already out of the table.
   */
  insert(rule: ClassifierRule): ClassifierRule | null {
    const replaced = this.asked === rule ? this.found : this.equalTo(rule);
    this.asked = undefined;
    const shape = rule.shape!;
    const subtable = this.byMask.get(shape) ?? this.newSubtable(shape);
    rule.subtable = subtable;
    this.chain(subtable, rule, replaced);
    if (rule.conjunction) this.nConjunctive++;
    if (replaced) {
      if (replaced.conjunction) this.nConjunctive--;
      unlink(subtable, replaced);
    }
    rule.before = subtable.last;
    // One that was here before still has its old neighbour.
    rule.after = null;
    if (subtable.last) subtable.last.after = rule;
    else subtable.first = rule;
    subtable.last = rule;
    if (replaced) return replaced;
    subtable.size++;
    this.nRules++;
    this.countStages(subtable, rule.values, 1);
    this.countTries(subtable, rule.values, 1);
    const count = subtable.priorities.get(rule.priority) ?? 0;
    subtable.priorities.set(rule.priority, count + 1);
    if (subtable.maxPriority < rule.priority) {
      if (subtable.maxPriority < 0) this.list.add(subtable, rule.priority);
      else this.list.change(subtable, rule.priority);
      subtable.maxPriority = rule.priority;
      if (this.left === undefined) this.list.publish();
    }
    return null;
  }

  /**
   * Until `settle`, changes are those of one transaction, as the peer sees it: subtables that are new are looked at when
   * they are published, but for some (subtable-list.ts); those that become empty are still there.
   */
  defer(): void {
    this.left ??= [];
  }

  /** All subtables are looked at from now on. */
  publish(): void {
    this.list.publish();
  }

  /** Ends the time of `defer`. */
  settle(): void {
    const { left } = this;
    this.left = undefined;
    this.list.publish();
    if (left === undefined || left.length === 0) return;
    for (const { subtable, priority } of left) this.vacate(subtable, priority);
    this.list.publish();
  }

  /** A rule of a priority has left a subtable. */
  private vacate(subtable: Subtable, priority: number): void {
    const { priorities } = subtable;
    const count = priorities.get(priority)! - 1;
    if (count > 0) {
      priorities.set(priority, count);
      return;
    }
    priorities.delete(priority);
    if (priorities.size === 0) {
      this.byMask.delete(subtable.shape);
      this.shapes.release(subtable.shape);
      this.list.remove(subtable);
    } else if (priority === subtable.maxPriority) {
      subtable.maxPriority = Math.max(...priorities.keys());
      this.list.change(subtable, subtable.maxPriority);
    }
  }

  /**
   * Puts a rule back that `remove`, or an `insert` in its place, has taken out, to where it was among the others. What was
   * done since must have been undone: its old neighbours are there.
   */
  putBack(rule: ClassifierRule): void {
    const { before, after } = rule;
    this.insert(rule);
    linkBetween(rule.subtable!, rule, before, after);
  }

  private newSubtable(shape: MaskShape): Subtable {
    const subtable = new Subtable(shape, this.tries);
    this.byMask.set(shape, subtable);
    this.shapes.use(shape);
    return subtable;
  }

  /** Takes a rule out. It must be in this classifier. */
  remove(rule: ClassifierRule): void {
    this.asked = undefined;
    const subtable = rule.subtable!;
    this.unchain(subtable, rule);
    if (rule.conjunction) this.nConjunctive--;
    unlink(subtable, rule);
    subtable.size--;
    this.nRules--;
    this.countStages(subtable, rule.values, -1);
    this.countTries(subtable, rule.values, -1);
    const { priority } = rule;
    if (this.left !== undefined) {
      this.left.push({ subtable, priority });
      return;
    }
    this.vacate(subtable, priority);
    this.list.publish();
  }

  /** The rule with exactly this match and priority. */
  findExact(match: Match, priority: number): ClassifierRule | null {
    const packed = this.pack(match);
    const shape = this.shapes.find(packed);
    const subtable = shape && this.byMask.get(shape);
    if (!subtable) return null;
    const values = subtable.shape.valuesOf(packed);
    return findEqual(subtable, hashWords(values, 0, values.length, 0), values, priority);
  }

  /** Whether a rule of the same priority could match a packet that one that has been placed matches too. */
  hasOverlap(wanted: ClassifierRule): boolean {
    const { priority } = wanted;
    const { key, mask } = this.load(wanted.match());
    const { subtables, priorities } = this.list;
    for (let s = 0; s < subtables.length && priorities[s]! >= priority; s++) {
      const subtable = subtables[s]!;
      if (!subtable.priorities.has(priority)) continue;
      const { words, masks } = subtable.staged;
      for (let rule = subtable.first; rule; rule = rule.after) {
        if (rule.priority !== priority) continue;
        let i = 0;
        while (i < words.length) {
          const w = words[i]!;
          if (((key[w]! ^ rule.values[i]!) & masks[i]! & mask[w]!) !== 0) break;
          i++;
        }
        if (i === words.length) return true;
      }
    }
    return false;
  }

  /**
   * Visits every rule whose match is equal to or more specific than `match`, in the table's order
   * (subtables by falling priority, rules by age). The visitor may remove the rule it is given.
   */
  forEachLoose(match: Match, visit: (rule: ClassifierRule) => void): void {
    // What visitors do may use the area.
    const wanted = this.tlv?.expand(match) ?? match;
    for (const subtable of this.list.subtables.slice()) {
      const asked = askedOf(subtable.shape, wanted);
      if (asked === undefined) continue;
      let after: ClassifierRule | null;
      for (let rule = subtable.first; rule; rule = after) {
        after = rule.after;
        if (agrees(rule.values, subtable.shape, wanted, asked)) visit(rule);
      }
    }
  }

  /**
   * Finds the rule of highest priority that matches.
   * @param key a whole key.
   * @param wc gains the bits that decided the result; null when nobody needs them.
   */
  lookup(key: Uint32Array, wc: Uint32Array | null): ClassifierRule | null {
    if (this.nConjunctive > 0) return this.lookupConjunctive(key, wc);
    return this.lookupHard(key, wc, null);
  }

  /** As `lookup`, where rules of conjunctions go to `soft` instead of deciding. */
  private lookupHard(
    key: Uint32Array,
    wc: Uint32Array | null,
    soft: ClassifierRule[] | null,
  ): ClassifierRule | null {
    for (const trie of this.tries) trie.done = false;
    let best: ClassifierRule | null = null;
    let bestPriority = -1;
    const { subtables, priorities } = this.list;
    for (let i = 0; i < subtables.length && priorities[i]! > bestPriority; i++) {
      const rule = this.lookupSubtable(subtables[i]!, key, wc);
      if (rule === null || rule.priority <= bestPriority) continue;
      if (soft !== null && rule.conjunction !== null) {
        soft.push(rule);
      } else {
        best = rule;
        bestPriority = rule.priority;
      }
    }
    return best;
  }

  /** Look-up in a table that has conjunctions. */
  private lookupConjunctive(key: Uint32Array, wc: Uint32Array | null): ClassifierRule | null {
    const soft: ClassifierRule[] = [];
    const hard = this.lookupHard(key, wc, soft);
    return resolveConjunctions(hard, soft, (id) => {
      const saved = key[W.CONJ_ID]!;
      key[W.CONJ_ID] = id;
      // Parts of conjunctions found now decide nothing.
      const rule = this.lookupHard(key, wc, []);
      key[W.CONJ_ID] = saved;
      return rule;
    });
  }

  private lookupSubtable(
    subtable: Subtable,
    key: Uint32Array,
    wc: Uint32Array | null,
  ): ClassifierRule | null {
    const { words, masks, ends } = subtable.staged;
    let hash = 0;
    let at = 0;
    const last = ends.length - 1;
    for (let stage = 0; stage < last; stage++) {
      const end = ends[stage]!;
      if (wc !== null && this.tryTries(subtable, at, end, key, wc)) {
        fold(wc, words, masks, at);
        return null;
      }
      for (; at < end; at++) hash = hashAdd(hash, key[words[at]!]! & masks[at]!);
      if (!subtable.stageHashes[stage]!.has(hash)) {
        if (wc !== null) fold(wc, words, masks, at);
        return null;
      }
    }
    if (wc !== null && this.tryTries(subtable, at, words.length, key, wc)) {
      fold(wc, words, masks, at);
      return null;
    }
    for (; at < words.length; at++) hash = hashAdd(hash, key[words[at]!]! & masks[at]!);
    for (let rule = subtable.chains.get(hash) ?? null; rule !== null; rule = rule.next) {
      const values = rule.values;
      let i = 0;
      while (i < values.length && (key[words[i]!]! & masks[i]!) === values[i]) i++;
      if (i === values.length && !rule.isPending) {
        if (wc !== null) fold(wc, words, masks, words.length);
        return rule;
      }
    }
    if (wc !== null) {
      if (subtable.portsPlen > 0) {
        portsValue[0] = key[W.TP]! & subtable.portsMask;
        const bits = subtable.portsTrie.lookup(portsValue, 0);
        const ports = wc[W.TP]! | (subtable.portsMask & (bits === 0 ? 0 : -1 << (32 - bits)));
        fold(wc, words, masks, words.length);
        wc[W.TP] = ports;
      } else {
        fold(wc, words, masks, words.length);
      }
    }
    return null;
  }

  /**
   * Asks the tries of the fields in words `from`..`to` of the subtable's mask.
   * @returns true when they show that no rule of the subtable matches; the bits that show it are in `wc`.
   */
  private tryTries(subtable: Subtable, from: number, to: number, key: Uint32Array, wc: Uint32Array): boolean {
    const plens = subtable.triePlens;
    for (let i = 0; i < plens.length; i++) {
      const plen = plens[i]!;
      if (plen === 0) continue;
      const field = this.tries[i]!;
      const { word, ethType } = field;
      if (ethType !== 0 && key[W.ETH_TYPE]! >>> 16 !== ethType) continue;
      if (!inRange(subtable.staged.words, from, to, word)) continue;
      if (!field.done) {
        field.bits = field.trie.lookup(key, word);
        field.done = true;
      }
      if (field.trie.agrees(plen)) continue;
      if (field.bits <= plen) {
        setPrefix(wc, word, field.bits);
        return true;
      }
      if (hasPrefix(wc, word, field.words, field.bits)) return true;
    }
    return false;
  }

  private chain(subtable: Subtable, rule: ClassifierRule, replaced: ClassifierRule | null): void {
    if (replaced) this.unchain(subtable, replaced);
    const head = subtable.chains.get(rule.hash) ?? null;
    if (head === null || head.priority < rule.priority) {
      rule.next = head;
      subtable.chains.set(rule.hash, rule);
      return;
    }
    let at = head;
    while (at.next !== null && at.next.priority >= rule.priority) at = at.next;
    rule.next = at.next;
    at.next = rule;
  }

  private unchain(subtable: Subtable, rule: ClassifierRule): void {
    const head = subtable.chains.get(rule.hash)!;
    if (head === rule) {
      if (rule.next) subtable.chains.set(rule.hash, rule.next);
      else subtable.chains.delete(rule.hash);
    } else {
      let at = head;
      while (at.next !== rule) at = at.next!;
      at.next = rule.next;
    }
    rule.next = null;
  }

  private countStages(subtable: Subtable, values: readonly number[], by: 1 | -1): void {
    let hash = 0;
    let at = 0;
    for (let stage = 0; stage < subtable.stageHashes.length; stage++) {
      const end = subtable.staged.ends[stage]!;
      hash = hashWords(values, at, end, hash);
      at = end;
      const hashes = subtable.stageHashes[stage]!;
      if (by === 1) hashes.add(hash);
      else hashes.remove(hash);
    }
  }

  private countTries(subtable: Subtable, values: readonly number[], by: 1 | -1): void {
    const { shape, triePlens, portsPlen } = subtable;
    if (portsPlen === 0 && !subtable.hasPrefixes) return;
    const key = spread;
    shape.copyTo(key, values);
    for (let i = 0; i < this.tries.length; i++) {
      const plen = triePlens[i]!;
      if (plen === 0) continue;
      const { trie, word } = this.tries[i]!;
      if (by === 1) trie.insert(key, word, plen);
      else trie.remove(key, word, plen);
    }
    if (portsPlen > 0) {
      portsValue[0] = key[W.TP]! & subtable.portsMask;
      if (by === 1) subtable.portsTrie.insert(portsValue, 0, portsPlen);
      else subtable.portsTrie.remove(portsValue, 0, portsPlen);
    }
    shape.clear(key);
  }
}

function triesOf(fields: readonly PrefixField[]): FieldTrie[] {
  return fields.map((field) => new FieldTrie(field));
}

const portsValue = new Int32Array(1);
/** Where the words of a rule are spread out, zeros else. */
const spread = new Uint32Array(LONG_KEY_WORDS);
/** Where the matches of callers are read, so that they stay packed. */
const area = new ReadArea();

function fold(wc: Uint32Array, words: Uint8Array, masks: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) wc[words[i]!]! |= masks[i]!;
}

function inRange(words: Uint8Array, from: number, to: number, word: number): boolean {
  for (let i = from; i < to; i++) if (words[i] === word) return true;
  return false;
}

function setPrefix(wc: Uint32Array, word: number, bits: number): void {
  let w = word;
  for (let left = bits; left > 0; left -= 32, w++) wc[w]! |= left >= 32 ? -1 : -1 << (32 - left);
}

function hasPrefix(wc: Uint32Array, word: number, nWords: number, bits: number): boolean {
  for (let i = 0, left = bits; i < nWords && left > 0; i++, left -= 32) {
    const want = left >= 32 ? -1 : -1 << (32 - left);
    if ((wc[word + i]! & want) !== want) return false;
  }
  return true;
}
