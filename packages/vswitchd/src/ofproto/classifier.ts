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
 * Invariants: subtables are sorted by falling `maxPriority`, equal ones in order of arrival; chains of one hash are
 * sorted by falling priority, so the first entry that compares equal is the best of its subtable. Rules keep only
 * the masked words of their subtable (small integers), not whole keys: 100,000 rules take some 20 MB.
 * Adding and removing is O(1) apart from moving a subtable; overlap checks are O(rules). Single-threaded: no
 * versions, a change is there for the next look-up.
 */
import { hashAdd } from '@ovs-node/flow/hash';
import { KEY_WORDS, W } from '@ovs-node/flow/layout';
import { type Match, packWords, ReadArea } from '@ovs-node/flow/match';
import { resolveConjunctions } from './conjunction.js';
import { agrees, askedOf } from './loose.js';
import { DEFAULT_PREFIXES, PREFIX_FIELDS, type PrefixField, type PrefixFieldName } from './prefix-fields.js';
import {
  type ClassifierRule,
  FieldTrie,
  findEqual,
  hashMask,
  hashWords,
  hasMask,
  linkBetween,
  maskedWords,
  prefixLengths,
  Subtable,
  unlink,
} from './subtable.js';
import type { TlvTable } from './tlv-table.js';

/** Where a match and a priority belong. */
interface Place {
  readonly match: Match;
  readonly priority: number;
  readonly subtable: Subtable;
  readonly values: number[];
  readonly hash: number;
  /** The rule that is there. */
  readonly rule: ClassifierRule | null;
}

export class Classifier {
  /** By hash of the mask; others of the same hash follow. */
  private readonly byMask = new Map<number, Subtable>();
  /** By falling `maxPriority`. */
  readonly subtables: Subtable[] = [];
  private tries = triesOf(DEFAULT_PREFIXES.map((name) => PREFIX_FIELDS[name]));
  private readonly tlv: TlvTable | undefined;

  /** @param tlv where tunnel options of matches lie; without it there are none. */
  constructor(tlv?: TlvTable) {
    this.tlv = tlv;
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
  /**
   * Where `findExact` looked last, until something changes: whoever adds a rule looks for an equal one first, and `insert`
   * need not look again. `npm run bench:openflow`, "--bundle add-flows, switch of its own": with the clock asked less often,
   * 0.79 to 0.84.
   */
  private place: Place | undefined;

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
    for (const subtable of this.subtables) {
      const mask = new Uint32Array(KEY_WORDS);
      fold(mask, subtable.staged.words, subtable.staged.masks, subtable.staged.words.length);
      subtable.triePlens = prefixLengths(mask, tries);
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

  /**
   * Adds a rule, replacing the one of equal match and priority.
   * @param match copied, not kept.
   * @returns the rule that was replaced, already out of the table.
   */
  insert(rule: ClassifierRule, match: Match): ClassifierRule | null {
    const known =
      this.place?.match === match && this.place.priority === rule.priority ? this.place : undefined;
    this.place = undefined;
    const { subtable, values, hash } = known ?? this.newPlace(match);
    const isNew = subtable.size === 0;
    rule.subtable = subtable;
    rule.options = this.tlv?.resolve(match.tunMetadata);
    rule.values = values;
    rule.hash = hash;

    const replaced = known ? known.rule : findEqual(subtable, hash, values, rule.priority);
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
    this.countTries(subtable, this.load(match).key, 1);
    const count = subtable.priorities.get(rule.priority) ?? 0;
    subtable.priorities.set(rule.priority, count + 1);
    if (isNew) {
      subtable.maxPriority = rule.priority;
      let at = this.subtables.length;
      while (at > 0 && this.subtables[at - 1]!.maxPriority < rule.priority) at--;
      this.subtables.splice(at, 0, subtable);
    } else if (rule.priority > subtable.maxPriority) {
      this.changePriority(subtable, rule.priority);
    }
    return null;
  }

  /**
   * Puts a rule back that `remove`, or an `insert` in its place, has taken out, to where it was among the others. What was
   * done since must have been undone: its old neighbours are there.
   */
  putBack(rule: ClassifierRule, match: Match): void {
    const { before, after } = rule;
    this.insert(rule, match);
    linkBetween(rule.subtable!, rule, before, after);
  }

  /** Where a match belongs, in a subtable made for it if need be. */
  private newPlace(match: Match): Pick<Place, 'subtable' | 'values' | 'hash'> {
    const packed = this.pack(match);
    const maskHash = hashMask(packed);
    let subtable = this.subtableOf(maskHash, packed);
    if (subtable === undefined) {
      subtable = new Subtable(maskHash, this.load(match).mask, this.tries);
      subtable.sameHash = this.byMask.get(maskHash);
      this.byMask.set(maskHash, subtable);
    }
    const values = maskedWords(subtable, packed);
    return { subtable, values, hash: hashWords(values, 0, values.length, 0) };
  }

  /** Takes a rule out. It must be in this classifier. */
  remove(rule: ClassifierRule): void {
    this.place = undefined;
    const subtable = rule.subtable!;
    this.unchain(subtable, rule);
    if (rule.conjunction) this.nConjunctive--;
    unlink(subtable, rule);
    subtable.size--;
    this.nRules--;
    this.countStages(subtable, rule.values, -1);
    this.countTries(subtable, area.load(rule.match()).key, -1);
    const count = subtable.priorities.get(rule.priority)! - 1;
    if (count > 0) {
      subtable.priorities.set(rule.priority, count);
      return;
    }
    subtable.priorities.delete(rule.priority);
    if (subtable.size === 0) {
      this.forget(subtable);
      // The last one fills the gap before sorting: the order of equal ones is the peer's.
      const at = this.subtables.indexOf(subtable);
      const last = this.subtables.pop()!;
      if (last !== subtable) {
        this.subtables[at] = last;
        this.sortSubtables();
      }
    } else if (rule.priority === subtable.maxPriority) {
      this.changePriority(subtable, Math.max(...subtable.priorities.keys()));
    }
  }

  private subtableOf(hash: number, packed: readonly number[]): Subtable | undefined {
    let subtable = this.byMask.get(hash);
    while (subtable !== undefined && !hasMask(subtable, packed)) subtable = subtable.sameHash;
    return subtable;
  }

  private forget(subtable: Subtable): void {
    const first = this.byMask.get(subtable.maskHash)!;
    if (first !== subtable) {
      let at = first;
      while (at.sameHash !== subtable) at = at.sameHash!;
      at.sameHash = subtable.sameHash;
    } else if (subtable.sameHash === undefined) {
      this.byMask.delete(subtable.maskHash);
    } else {
      this.byMask.set(subtable.maskHash, subtable.sameHash);
    }
  }

  /** The rule with exactly this match and priority. */
  findExact(match: Match, priority: number): ClassifierRule | null {
    const packed = this.pack(match);
    const subtable = this.subtableOf(hashMask(packed), packed);
    if (!subtable) return null;
    const values = maskedWords(subtable, packed);
    const hash = hashWords(values, 0, values.length, 0);
    const rule = findEqual(subtable, hash, values, priority);
    // Where options lie can change by itself.
    if (match.tunMetadata === undefined) this.place = { match, priority, subtable, values, hash, rule };
    return rule;
  }

  /** Whether a rule of the same priority could match a packet that `match` matches too. */
  hasOverlap(match: Match, priority: number): boolean {
    const { key, mask } = this.load(match);
    for (const subtable of this.subtables) {
      if (subtable.maxPriority < priority) break;
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
    for (const subtable of this.subtables.slice()) {
      const asked = askedOf(subtable, wanted);
      if (asked === undefined) continue;
      let after: ClassifierRule | null;
      for (let rule = subtable.first; rule; rule = after) {
        after = rule.after;
        if (agrees(rule.values, subtable, wanted, asked)) visit(rule);
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
    for (const subtable of this.subtables) {
      if (subtable.maxPriority <= bestPriority) break;
      const rule = this.lookupSubtable(subtable, key, wc);
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
      if (id === key[W.CONJ_ID]) return null;
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
      if (i === values.length) {
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

  private countTries(subtable: Subtable, key: Uint32Array, by: 1 | -1): void {
    for (let i = 0; i < this.tries.length; i++) {
      const plen = subtable.triePlens[i]!;
      if (plen === 0) continue;
      const { trie, word } = this.tries[i]!;
      if (by === 1) trie.insert(key, word, plen);
      else trie.remove(key, word, plen);
    }
    if (subtable.portsPlen > 0) {
      portsValue[0] = key[W.TP]! & subtable.portsMask;
      if (by === 1) subtable.portsTrie.insert(portsValue, 0, subtable.portsPlen);
      else subtable.portsTrie.remove(portsValue, 0, subtable.portsPlen);
    }
  }

  private changePriority(subtable: Subtable, priority: number): void {
    subtable.maxPriority = priority;
    const at = this.subtables.indexOf(subtable);
    const before = this.subtables[at - 1];
    const after = this.subtables[at + 1];
    if ((before && before.maxPriority < priority) || (after && after.maxPriority > priority)) {
      this.sortSubtables();
    }
  }

  private sortSubtables(): void {
    this.subtables.sort((a, b) => b.maxPriority - a.maxPriority);
  }
}

function triesOf(fields: readonly PrefixField[]): FieldTrie[] {
  return fields.map((field) => new FieldTrie(field));
}

const portsValue = new Int32Array(1);
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
