/**
 * All flows of one mask: a hash table over the words that the mask touches.
 *
 * A mask is kept as a list of word indexes and the mask of each, so that a look-up reads, hashes and compares just
 * these words. The masked words of each flow lie packed in one typed array, slot by slot; a parallel array holds the
 * hashes, and the flow objects are touched only on a hit.
 *
 *     hashes  [h0  |  h1 | ...]         0 marks an empty slot (a hash of 0 is stored as 1)
 *     keys    [w w w | w w w | ...]     `words.length` per slot
 *     flows   [f0 | null | ...]
 *
 * Open addressing, linear probing, load at most 1/2, deletion by moving later entries back: no tombstones, so a miss
 * costs about one probe. Rejected: a JavaScript Map over string or number keys (allocates, or cannot hold the key);
 * chains of flow objects (a cache miss per step).
 */
import { DP_WORDS } from '@ovs-node/flow/layout';
import { finish, mix } from './hash.js';
import type { Flow } from './flow.js';

const MIN_SLOTS = 8;

export class Subtable {
  readonly mask: Uint32Array;
  count = 0;
  /** Hits since the last time the table sorted its subtables. */
  hits = 0;
  private readonly index: Uint8Array;
  private readonly words: Int32Array;
  private hashes = new Int32Array(MIN_SLOTS);
  private keys: Int32Array;
  private flows: (Flow | null)[] = Array.from<Flow | null>({ length: MIN_SLOTS }).fill(null);

  /** `mask` has `DP_WORDS` words and is kept. */
  constructor(mask: Uint32Array) {
    this.mask = mask;
    const index: number[] = [];
    for (let i = 0; i < DP_WORDS; i++) if (mask[i] !== 0) index.push(i);
    this.index = Uint8Array.from(index);
    this.words = Int32Array.from(index, (i) => mask[i]);
    this.keys = new Int32Array(MIN_SLOTS * index.length);
  }

  /** The flow that `key` (masked or not) belongs to, or null. */
  lookup(key: Uint32Array): Flow | null {
    const index = this.index;
    const words = this.words;
    const n = index.length;
    let h = n;
    for (let i = 0; i < n; i++) h = mix(h, key[index[i]] & words[i]);
    h = finish(h) | 0;
    if (h === 0) h = 1;
    const hashes = this.hashes;
    const last = hashes.length - 1;
    for (let slot = h & last; ; slot = (slot + 1) & last) {
      const found = hashes[slot];
      if (found === 0) return null;
      if (found !== h) continue;
      const keys = this.keys;
      const at = slot * n;
      let i = 0;
      while (i < n && keys[at + i] === (key[index[i]] & words[i])) i++;
      if (i === n) return this.flows[slot];
    }
  }

  /** Adds a flow whose key is not in the table. */
  insert(flow: Flow): void {
    if ((this.count + 1) * 2 > this.hashes.length) this.resize(this.hashes.length * 2);
    this.place(flow, this.hash(flow.key));
    this.count++;
    flow.subtable = this;
    flow.mask = this.mask;
  }

  /** Removes a flow that is in the table. */
  remove(flow: Flow): void {
    const last = this.hashes.length - 1;
    let slot = this.hash(flow.key) & last;
    while (this.flows[slot] !== flow) {
      if (this.hashes[slot] === 0) return;
      slot = (slot + 1) & last;
    }
    // Close the gap: an entry may move back when its home is not between the gap and itself.
    for (let next = (slot + 1) & last; this.hashes[next] !== 0; next = (next + 1) & last) {
      const home = this.hashes[next] & last;
      if (((next - home) & last) >= ((next - slot) & last)) {
        this.move(next, slot);
        slot = next;
      }
    }
    this.hashes[slot] = 0;
    this.flows[slot] = null;
    this.count--;
    flow.subtable = null;
    if (this.hashes.length > MIN_SLOTS && this.count * 8 < this.hashes.length)
      this.resize(this.hashes.length / 2);
  }

  private hash(key: Uint32Array): number {
    const n = this.index.length;
    let h = n;
    for (let i = 0; i < n; i++) h = mix(h, key[this.index[i]] & this.words[i]);
    h = finish(h) | 0;
    return h === 0 ? 1 : h;
  }

  private place(flow: Flow, hash: number): void {
    const last = this.hashes.length - 1;
    let slot = hash & last;
    while (this.hashes[slot] !== 0) slot = (slot + 1) & last;
    this.hashes[slot] = hash;
    this.flows[slot] = flow;
    const n = this.index.length;
    for (let i = 0; i < n; i++) this.keys[slot * n + i] = flow.key[this.index[i]] & this.words[i];
  }

  private move(from: number, to: number): void {
    const n = this.index.length;
    this.hashes[to] = this.hashes[from];
    this.flows[to] = this.flows[from];
    this.keys.copyWithin(to * n, from * n, from * n + n);
  }

  private resize(slots: number): void {
    const old = this.flows;
    this.hashes = new Int32Array(slots);
    this.keys = new Int32Array(slots * this.index.length);
    this.flows = Array.from<Flow | null>({ length: slots }).fill(null);
    for (const flow of old) if (flow !== null) this.place(flow, this.hash(flow.key));
  }
}
