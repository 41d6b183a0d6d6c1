/**
 * The store of connections: entries in typed arrays, a hash index over both directions of each, and one expiry list
 * per timeout class.
 *
 * An entry is a number. Its words lie at `entry * STRIDE` in `words`, its counters and times at `entry * TIMES` in
 * `times`; free entries form a list. Nothing is an object, so millions of connections cost the garbage collector
 * nothing and a new connection allocates nothing (arrays double when full).
 *
 *     words   +0 original tuple, +10 reply tuple (see `Tuple`), +20 TCP peer 0, +24 TCP peer 1 (see `Peer`),
 *             +28 mark, +29..32 label, +33 state, +34 timeout class, +35 next, +36 previous, +37 id, +38 flags
 *     times   +0 expiry, +1 expiry when last put into its list, +2 packets, +3 bytes (original), +4 packets, +5 bytes (reply)
 *
 *     tuple   +0 zone << 16 | protocol << 8 | family, +1 source << 16 | destination port, +2 source, +3 destination,
 *             +4..6 rest of an IPv6 source, +7..9 of the destination
 *
 * An IPv4 tuple is compared by its first four words. For ICMP, the ports word is id << 16 | type << 8 | code, where
 * the reply's type is the one that answers the request.
 *
 * The index is open addressing with linear probing and backward-shift deletion; a slot holds `entry * 2 + direction
 * + 1`, a parallel array its hash. The hash is seeded: strangers choose the tuples.
 *
 * Each expiry list is in order of expiry up to `SLACK`: a packet moves its connection to the end only when its expiry
 * has advanced by more than that since it was put there, so that most packets do not touch the list. Rejected: a
 * timing wheel (more work per packet for precision nobody needs), a heap.
 */
import { finish, mix } from '../flow-table/hash.js';
import { TIMEOUT_CLASSES } from './timeouts.js';

export const STRIDE = 40;
export const TIMES = 6;

/** Word offsets in an entry. */
export const E = {
  ORIG: 0,
  REPLY: 10,
  PEER0: 20,
  PEER1: 24,
  MARK: 28,
  LABEL: 29,
  STATE: 33,
  CLASS: 34,
  NEXT: 35,
  PREV: 36,
  ID: 37,
  FLAGS: 38,
} as const;

/** Word offsets in a tuple. */
export const T = { META: 0, PORTS: 1, SRC: 2, DST: 3, SRC6: 4, DST6: 7 } as const;
export const TUPLE_WORDS = 10;
/** Families in the lowest byte of a tuple's first word. */
export const FAMILY_IPV4 = 0;
export const FAMILY_IPV6 = 1;

/** Offsets in `times`. */
export const X = { EXPIRY: 0, LISTED: 1, PACKETS: 2, BYTES: 3, REPLY_PACKETS: 4, REPLY_BYTES: 5 } as const;

/** Bits of `E.FLAGS`. */
export const SEEN_REPLY = 1;
/** Where the number of the helper is in `E.FLAGS`. */
export const HELPER_SHIFT = 8;

const SLACK = 1000;
const NONE = 0xffffffff;
const FIRST_ENTRIES = 1024;

export class ConnTable {
  words = new Uint32Array(FIRST_ENTRIES * STRIDE);
  times = new Float64Array(FIRST_ENTRIES * TIMES);
  count = 0;
  private capacity = FIRST_ENTRIES;
  /** Entries from here on were never used. */
  private fresh = 0;
  private freeHead = NONE;
  private slots = new Int32Array(FIRST_ENTRIES * 4);
  private hashes = new Int32Array(FIRST_ENTRIES * 4);
  private nextId = 1;
  private readonly seed: number;
  private readonly heads = new Uint32Array(TIMEOUT_CLASSES).fill(NONE);
  private readonly tails = new Uint32Array(TIMEOUT_CLASSES).fill(NONE);

  constructor(seed: number) {
    this.seed = seed;
  }

  /**
   * The slot value (`entry * 2 + direction`, direction 0 the original) of the connection with the tuple at
   * `tuple[0..]`, or -1.
   */
  find(tuple: Uint32Array): number {
    const h = this.hash(tuple, 0);
    const { slots, hashes, words } = this;
    const last = slots.length - 1;
    for (let i = h & last; ; i = (i + 1) & last) {
      const slot = slots[i];
      if (slot === 0) return -1;
      if (hashes[i] !== h) continue;
      const at = ((slot - 1) >> 1) * STRIDE + ((slot - 1) & 1) * TUPLE_WORDS;
      if (
        words[at] === tuple[0] &&
        words[at + 1] === tuple[1] &&
        words[at + 2] === tuple[2] &&
        words[at + 3] === tuple[3] &&
        ((tuple[0] & 0xff) === FAMILY_IPV4 || sameRest(words, at, tuple))
      ) {
        return slot - 1;
      }
    }
  }

  /** A new entry, all zero but its tuples, which are copied, and its id; it is in the index and in no expiry list. */
  add(orig: Uint32Array, reply: Uint32Array): number {
    let entry = this.freeHead;
    if (entry !== NONE) this.freeHead = this.words[entry * STRIDE + E.NEXT];
    else {
      if (this.fresh === this.capacity) this.grow();
      entry = this.fresh++;
    }
    const at = entry * STRIDE;
    this.words.fill(0, at, at + STRIDE);
    this.times.fill(0, entry * TIMES, entry * TIMES + TIMES);
    for (let i = 0; i < TUPLE_WORDS; i++) {
      this.words[at + E.ORIG + i] = orig[i];
      this.words[at + E.REPLY + i] = reply[i];
    }
    this.words[at + E.ID] = this.nextId;
    this.nextId = (this.nextId + 1) >>> 0 || 1;
    this.words[at + E.CLASS] = NONE;
    this.place(entry * 2);
    this.place(entry * 2 + 1);
    this.count++;
    return entry;
  }

  /** Takes an entry out of index and list; its number may be given out again. */
  remove(entry: number): void {
    this.unlist(entry);
    this.unplace(entry * 2);
    this.unplace(entry * 2 + 1);
    const at = entry * STRIDE;
    this.words[at + E.ID] = 0;
    this.words[at + E.NEXT] = this.freeHead;
    this.freeHead = entry;
    this.count--;
  }

  /** Whether `entry` is in use, and by the connection that had `id`. */
  isLive(entry: number, id: number): boolean {
    return this.words[entry * STRIDE + E.ID] === id && id !== 0;
  }

  /** All entries in use, with their ids: for dumps and flushes. */
  entries(): { entry: number; id: number }[] {
    const all: { entry: number; id: number }[] = [];
    for (let entry = 0; entry < this.fresh; entry++) {
      const id = this.words[entry * STRIDE + E.ID];
      if (id !== 0) all.push({ entry, id });
    }
    return all;
  }

  /** Makes `entry` expire at `expiry` as one of `timeoutClass`. */
  touch(entry: number, timeoutClass: number, expiry: number): void {
    const at = entry * STRIDE;
    const time = entry * TIMES;
    this.times[time + X.EXPIRY] = expiry;
    const same = this.words[at + E.CLASS] === timeoutClass;
    if (same && expiry - this.times[time + X.LISTED] < SLACK) return;
    this.unlist(entry);
    this.words[at + E.CLASS] = timeoutClass;
    this.times[time + X.LISTED] = expiry;
    const tail = this.tails[timeoutClass];
    this.words[at + E.PREV] = tail;
    this.words[at + E.NEXT] = NONE;
    if (tail === NONE) this.heads[timeoutClass] = entry;
    else this.words[tail * STRIDE + E.NEXT] = entry;
    this.tails[timeoutClass] = entry;
  }

  /** An entry of `timeoutClass` that expired by `now`, or -1 when there is none (up to `SLACK`). */
  expired(timeoutClass: number, now: number): number {
    const head = this.heads[timeoutClass];
    if (head === NONE) return -1;
    return this.times[head * TIMES + X.EXPIRY] <= now ? head : -1;
  }

  private unlist(entry: number): void {
    const at = entry * STRIDE;
    const timeoutClass = this.words[at + E.CLASS];
    if (timeoutClass === NONE) return;
    const next = this.words[at + E.NEXT];
    const prev = this.words[at + E.PREV];
    if (prev === NONE) this.heads[timeoutClass] = next;
    else this.words[prev * STRIDE + E.NEXT] = next;
    if (next === NONE) this.tails[timeoutClass] = prev;
    else this.words[next * STRIDE + E.PREV] = prev;
    this.words[at + E.CLASS] = NONE;
  }

  private hash(tuple: Uint32Array, at: number): number {
    let h = mix(this.seed, tuple[at]);
    h = mix(h, tuple[at + 1]);
    h = mix(h, tuple[at + 2]);
    h = mix(h, tuple[at + 3]);
    if ((tuple[at] & 0xff) !== FAMILY_IPV4) for (let i = 4; i < TUPLE_WORDS; i++) h = mix(h, tuple[at + i]);
    return finish(h) | 0;
  }

  private hashOf(slot: number): number {
    return this.hash(this.words, (slot >> 1) * STRIDE + (slot & 1) * TUPLE_WORDS);
  }

  private place(slot: number): void {
    const h = this.hashOf(slot);
    const last = this.slots.length - 1;
    let i = h & last;
    while (this.slots[i] !== 0) i = (i + 1) & last;
    this.slots[i] = slot + 1;
    this.hashes[i] = h;
  }

  private unplace(slot: number): void {
    const { slots, hashes } = this;
    const last = slots.length - 1;
    let i = this.hashOf(slot) & last;
    while (slots[i] !== slot + 1) {
      if (slots[i] === 0) return;
      i = (i + 1) & last;
    }
    for (let next = (i + 1) & last; slots[next] !== 0; next = (next + 1) & last) {
      const home = hashes[next] & last;
      if (((next - home) & last) >= ((next - i) & last)) {
        slots[i] = slots[next];
        hashes[i] = hashes[next];
        i = next;
      }
    }
    slots[i] = 0;
  }

  private grow(): void {
    this.capacity *= 2;
    const words = new Uint32Array(this.capacity * STRIDE);
    words.set(this.words);
    this.words = words;
    const times = new Float64Array(this.capacity * TIMES);
    times.set(this.times);
    this.times = times;
    const old = this.slots;
    this.slots = new Int32Array(this.capacity * 4);
    this.hashes = new Int32Array(this.capacity * 4);
    for (let i = 0; i < old.length; i++) if (old[i] !== 0) this.place(old[i] - 1);
  }
}

function sameRest(words: Uint32Array, at: number, tuple: Uint32Array): boolean {
  for (let i = 4; i < TUPLE_WORDS; i++) if (words[at + i] !== tuple[i]) return false;
  return true;
}
