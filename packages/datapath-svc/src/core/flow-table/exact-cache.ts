/**
 * The exact-match cache: whole keys to flows, in front of the tuple-space search.
 *
 * Two-way set associative over typed arrays; the set is chosen by a hash of the words that tell one connection from
 * another, and a hit compares every word of the prefix. Two instances are used: one over the hot words, for packets
 * that touch nothing beyond them (`HOT_WORDS`: IPv4 off a plain port), and one over all words of the datapath.
 *
 * Nothing is invalidated when flows change: a deleted flow is marked dead and passed over, and a changed one keeps
 * its object. A new flow cannot shadow a cached one, since overlapping flows of one datapath must agree (they are
 * never inserted by vswitchd, and the look-up order among them is undefined, as in Linux). `sweep` forgets dead
 * flows for the garbage collector, now and then, and `clear` all after a flush. A full set replaces the entry that was not
 * used last.
 *
 * Rejected: caching negative results (misses go to vswitchd at once and become flows), and per-flow insertion
 * probability (the peer's): it costs a random number per miss and helps only tables of many short connections.
 */
import { W } from '@ovs-node/flow/layout';
import { finish, mix } from './hash.js';
import type { Flow } from './flow.js';

/**
 * Hash of the words that distinguish connections, in any datapath key. `wide` also takes IPv6 addresses and what
 * else lies beyond the hot words. Multilinear: a sum of products with odd constants, which the processor can work
 * out side by side (a chain of mixes took twice as long), and a finish that brings the high bits down.
 */
export function hashKey(key: Uint32Array, wide: boolean): number {
  let h =
    Math.imul(key[W.NW_SRC], 0x9e3779b1) +
    Math.imul(key[W.NW_DST], 0x85ebca77) +
    Math.imul(key[W.TP], 0xc2b2ae3d) +
    Math.imul(key[W.ETH], 0x27d4eb2f) +
    Math.imul(key[W.ETH + 1], 0x165667b1) +
    Math.imul(key[W.ETH + 2], 0xd3a2646d) +
    Math.imul(key[W.ETH_TYPE], 0xfd7046c5) +
    Math.imul(key[W.VLAN0], 0xb55a4f09) +
    Math.imul(key[W.CT_STATE] ^ key[W.NW], 0x7feb352d) +
    Math.imul(key[W.IN_PORT], 0x846ca68b) +
    Math.imul(key[W.RECIRC_ID], 0x45d9f3b5);
  if (wide) {
    for (let i = W.IPV6_SRC; i < W.IPV6_LABEL; i++) h = mix(h, key[i]);
    h = mix(h, key[W.TUN_ID + 1]);
    h = mix(h, key[W.TUN_SRC]);
  }
  return finish(h | 0);
}

export class ExactCache {
  private readonly width: number;
  private readonly sets: number;
  /** Two entries of `width` words per set. */
  private readonly keys: Uint32Array;
  private readonly flows: (Flow | null)[];
  /** Which entry of each set was used last; the other one goes first. */
  private readonly recent: Uint8Array;

  /** `sets` is a power of two; `width` is how many words of a key are compared. */
  constructor(sets: number, width: number) {
    this.sets = sets;
    this.width = width;
    this.keys = new Uint32Array(sets * 2 * width);
    this.recent = new Uint8Array(sets);
    this.flows = Array.from<Flow | null>({ length: sets * 2 }).fill(null);
  }

  /** The live flow cached for exactly `key`, whose `hashKey` is `hash`; or null. */
  lookup(key: Uint32Array, hash: number): Flow | null {
    const keys = this.keys;
    const width = this.width;
    const entry = (hash & (this.sets - 1)) << 1;
    const first = this.flows[entry];
    if (first !== null && !first.dead) {
      const at = entry * width;
      let i = 0;
      while (i < width && keys[at + i] === key[i]) i++;
      if (i === width) {
        this.recent[entry >> 1] = 0;
        return first;
      }
    }
    const second = this.flows[entry + 1];
    if (second !== null && !second.dead) {
      const at = (entry + 1) * width;
      let i = 0;
      while (i < width && keys[at + i] === key[i]) i++;
      if (i === width) {
        this.recent[entry >> 1] = 1;
        return second;
      }
    }
    return null;
  }

  /** Remembers that exactly `key` leads to `flow`. */
  insert(key: Uint32Array, hash: number, flow: Flow): void {
    const width = this.width;
    const set = hash & (this.sets - 1);
    const way = this.recent[set] ^ 1;
    const entry = (set << 1) | way;
    const at = entry * width;
    for (let i = 0; i < width; i++) this.keys[at + i] = key[i];
    this.flows[entry] = flow;
    this.recent[set] = way;
  }

  clear(): void {
    this.flows.fill(null);
  }

  /** Forgets dead flows. */
  sweep(): void {
    const { flows } = this;
    for (let i = 0; i < flows.length; i++) if (flows[i]?.dead === true) flows[i] = null;
  }

  /** Entries in use, also those of dead flows; counted each time. */
  get size(): number {
    return this.flows.reduce((n, flow) => (flow === null ? n : n + 1), 0);
  }
}
