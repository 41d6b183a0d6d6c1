/**
 * The flow table of one datapath: two exact-match caches, then tuple-space search (one `Subtable` per mask, busiest
 * first), and an index by identity (UFID, or the unmasked key) for the control plane.
 *
 * Cost: cache hit about 20 ns; each subtable tried about 25 ns. Counting and sorting keep the busy masks in front: the order is
 * renewed every `SORT_INTERVAL` searches, and hits are halved then, so that it follows the traffic.
 */
import { DP_WORDS, HOT_WORDS } from '@ovs-node/flow/layout';
import { Errno } from '../errno.js';
import { ExactCache, hashKey } from './exact-cache.js';
import type { Flow } from './flow.js';
import { Subtable } from './subtable.js';

const HOT_SETS = 8192;
const WIDE_SETS = 1024;
const SORT_INTERVAL = 1 << 16;
/**
 * Removals after which the caches are swept: dead flows in them are kept in memory, with their actions, which
 * `ACTION_BYTES_LIMIT` does not count any more. A sweep takes some 0.1 ms.
 */
const SWEEP_INTERVAL = 1024;
/** Flows that one datapath holds unless told otherwise. */
export const FLOW_LIMIT = 400_000;
/** Distinct masks that one datapath holds. */
export const MASK_LIMIT = 8192;
/** Bytes of actions of all flows together. */
export const ACTION_BYTES_LIMIT = 256 * 1024 * 1024;

export class FlowTable {
  limit = FLOW_LIMIT;
  /** Look-ups that found a flow in an exact-match cache. */
  cacheHits = 0;
  /** Look-ups that found a flow, in a cache or a subtable. */
  hits = 0;
  /** Look-ups that found none. */
  misses = 0;
  /** Subtables looked into, in all (ovs_dp_megaflow_stats.n_mask_hit). */
  maskHits = 0;
  /** Bytes of actions of all flows. */
  actionBytes = 0;
  private readonly hot = new ExactCache(HOT_SETS, HOT_WORDS);
  private readonly wide = new ExactCache(WIDE_SETS, DP_WORDS);
  private subtables: Subtable[] = [];
  private readonly masks = new Map<string, Subtable>();
  private readonly byId = new Map<string, Flow>();
  private untilSort = SORT_INTERVAL;
  private untilSweep = SWEEP_INTERVAL;

  get size(): number {
    return this.byId.size;
  }

  get maskCount(): number {
    return this.subtables.length;
  }

  /** Entries of the caches, also those of flows that were removed; counted each time. */
  get cachedCount(): number {
    return this.hot.size + this.wide.size;
  }

  /**
   * The flow for a packet's key, or null. `wide` says that the key has something in the words from `HOT_WORDS` on;
   * when it is false these words must be zero. Counts hits and misses, not the flow's own statistics.
   */
  lookup(key: Uint32Array, wide: boolean): Flow | null {
    const hash = hashKey(key, wide);
    const cache = wide ? this.wide : this.hot;
    const cached = cache.lookup(key, hash);
    if (cached !== null) {
      this.cacheHits++;
      this.hits++;
      return cached;
    }
    const flow = this.search(key);
    if (flow === null) {
      this.misses++;
      return null;
    }
    this.hits++;
    cache.insert(key, hash, flow);
    return flow;
  }

  /** Tuple-space search alone, without caches and without counting hits and misses. */
  search(key: Uint32Array): Flow | null {
    const subtables = this.subtables;
    for (let i = 0; i < subtables.length; i++) {
      const flow = subtables[i].lookup(key);
      if (flow !== null) {
        subtables[i].hits++;
        this.maskHits += i + 1;
        if (--this.untilSort <= 0) this.sort();
        return flow;
      }
    }
    this.maskHits += subtables.length;
    return null;
  }

  /** The flow known by that identity (`ufidId` or `keyId`). */
  get(id: string): Flow | undefined {
    return this.byId.get(id);
  }

  /** All flows in order of insertion; the iterator survives changes of the table. */
  flows(): IterableIterator<Flow> {
    return this.byId.values();
  }

  /**
   * Puts `flow` into the table. Its identity must be new. 0, or a positive errno: EEXIST when another
   * flow has the same masked key under the same mask, EFBIG when the table is full, ENOBUFS when the actions of all
   * flows together are too long or there are too many masks.
   */
  insert(flow: Flow): number {
    const { mask } = flow;
    if (this.byId.size >= this.limit) return Errno.EFBIG;
    if (this.actionBytes + flow.actions.length > ACTION_BYTES_LIMIT) return Errno.ENOBUFS;
    const maskKey = wordsId(mask);
    let subtable = this.masks.get(maskKey);
    if (subtable === undefined) {
      if (this.subtables.length >= MASK_LIMIT) return Errno.ENOBUFS;
      subtable = new Subtable(mask);
      this.masks.set(maskKey, subtable);
      this.subtables.push(subtable);
    } else if (subtable.lookup(flow.key) !== null) return Errno.EEXIST;
    subtable.insert(flow);
    this.byId.set(flow.id, flow);
    this.actionBytes += flow.actions.length;
    return 0;
  }

  /** Takes a flow out of the table. */
  remove(flow: Flow): void {
    const subtable = flow.subtable;
    if (subtable === null) return;
    flow.dead = true;
    this.byId.delete(flow.id);
    this.actionBytes -= flow.actions.length;
    subtable.remove(flow);
    if (subtable.count === 0) {
      this.subtables.splice(this.subtables.indexOf(subtable), 1);
      this.masks.delete(wordsId(subtable.mask));
    }
    if (--this.untilSweep > 0) return;
    this.untilSweep = SWEEP_INTERVAL;
    this.hot.sweep();
    this.wide.sweep();
  }

  /** Takes all flows out. */
  flush(): void {
    for (const flow of this.byId.values()) {
      flow.dead = true;
      flow.subtable = null;
    }
    this.byId.clear();
    this.masks.clear();
    this.subtables = [];
    this.actionBytes = 0;
    this.hot.clear();
    this.wide.clear();
  }

  private sort(): void {
    this.untilSort = SORT_INTERVAL;
    this.subtables.sort((a, b) => b.hits - a.hits);
    for (const subtable of this.subtables) subtable.hits >>>= 1;
  }
}

function wordsId(words: Uint32Array): string {
  return Buffer.from(words.buffer, words.byteOffset, DP_WORDS * 4).toString('latin1');
}

/** The identity of a flow known by its UFID. */
export function ufidId(ufid: Uint8Array): string {
  return `u${Buffer.from(ufid.buffer, ufid.byteOffset, ufid.length).toString('latin1')}`;
}

/** The identity of a flow known by its unmasked key. */
export function keyId(key: Uint32Array): string {
  return `k${wordsId(key)}`;
}
