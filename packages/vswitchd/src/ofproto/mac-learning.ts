/**
 * The MAC learning table of one bridge: which port of the bridge a station of a VLAN was last heard on.
 *
 * Entries expire when not refreshed for the ageing time. When the table is full, the port with the most entries
 * loses its least recently used one, so that one port cannot push the stations of the others out. Entries are kept
 * in a Map in order of use (oldest first): refreshing moves an entry to the end. O(1) but for finding the fullest
 * port, which is O(ports) and only happens when full.
 */
import { coverageCounter } from '@ovs-node/common/coverage';
import type { Bundle } from './ports.js';

const learned = coverageCounter('mac_learning_learned');
const expired = coverageCounter('mac_learning_expired');
const evicted = coverageCounter('mac_learning_evicted');
const moved = coverageCounter('mac_learning_moved');

export const DEFAULT_IDLE_SEC = 300;
export const DEFAULT_MAX_ENTRIES = 8192;
/** A gratuitous ARP locks its entry to non-gratuitous ones of other ports for this long (ms). */
const GRAT_ARP_LOCK_MS = 5000;

export interface MacEntry {
  readonly mac: bigint;
  readonly vlan: number;
  port: Bundle;
  /** ms; for an entry that does not expire, Infinity. */
  expires: number;
  gratArpLock: number;
  readonly isStatic: boolean;
}

function keyOf(mac: bigint, vlan: number): bigint {
  return (BigInt(vlan) << 48n) | mac;
}

export class MacTable {
  private readonly entries = new Map<bigint, MacEntry>();
  private readonly perPort = new Map<Bundle, Set<bigint>>();
  private floodVlans = new Set<number>();
  idleSec = DEFAULT_IDLE_SEC;
  maxEntries = DEFAULT_MAX_ENTRIES;
  learned = 0;
  expired = 0;
  evicted = 0;
  moved = 0;
  private nStatic = 0;

  get size(): number {
    return this.entries.size;
  }
  get staticCount(): number {
    return this.nStatic;
  }
  /** Ports that stations were heard on. */
  get portCount(): number {
    return this.perPort.size;
  }

  /** VLANs on which nothing is learned. */
  setFloodVlans(vlans: readonly number[]): void {
    this.floodVlans = new Set(vlans);
  }

  /** Sets ageing and size; entries too many go at once. */
  configure(idleSec: number, maxEntries: number, now: number): void {
    const clamped = Math.min(Math.max(idleSec, 15), 3600);
    if (clamped !== this.idleSec) {
      const shift = (clamped - this.idleSec) * 1000;
      for (const entry of this.entries.values()) entry.expires += shift;
      this.idleSec = clamped;
    }
    this.maxEntries = Math.min(Math.max(maxEntries, 10), 1000000);
    while (this.entries.size > this.maxEntries && this.evict());
    this.run(now);
  }

  mayLearn(mac: bigint, vlan: number): boolean {
    return !this.floodVlans.has(vlan) && (mac & 0x010000000000n) === 0n;
  }

  /**
   * A packet from `mac` came in on `port`.
   * @returns true when look-ups now give another result than before.
   */
  update(mac: bigint, vlan: number, port: Bundle, isGratArp: boolean, now: number): boolean {
    if (!this.mayLearn(mac, vlan)) return false;
    const key = keyOf(mac, vlan);
    let entry = this.entries.get(key);
    if (entry?.isStatic) return false;
    if (!entry) {
      if (this.entries.size >= this.maxEntries) this.evict();
      entry = { mac, vlan, port, expires: 0, gratArpLock: 0, isStatic: false };
      this.entries.set(key, entry);
      this.portSet(port).add(key);
      this.learned++;
      learned.total++;
      if (isGratArp) entry.gratArpLock = now + GRAT_ARP_LOCK_MS;
      entry.expires = now + this.idleSec * 1000;
      return true;
    }
    let changed = false;
    if (entry.port !== port) {
      this.dropFromPort(key, entry.port);
      entry.port = port;
      this.portSet(port).add(key);
      this.moved++;
      moved.total++;
      changed = true;
    }
    if (isGratArp) entry.gratArpLock = now + GRAT_ARP_LOCK_MS;
    const expires = now + this.idleSec * 1000;
    // Once a second is enough.
    if (!changed && Math.floor(expires / 1000) === Math.floor(entry.expires / 1000)) return false;
    entry.expires = expires;
    // To the end, as the one used last.
    this.entries.delete(key);
    this.entries.set(key, entry);
    const set = this.portSet(port);
    set.delete(key);
    set.add(key);
    return changed;
  }

  /** The port a station was heard on. Multicast is never known. */
  lookup(mac: bigint, vlan: number, now: number): Bundle | undefined {
    if ((mac & 0x010000000000n) !== 0n || this.floodVlans.has(vlan)) return undefined;
    const entry = this.entries.get(keyOf(mac, vlan));
    return entry && entry.expires > now ? entry.port : undefined;
  }

  /** Adds an entry that stays; `fdb/add`. */
  addStatic(mac: bigint, vlan: number, port: Bundle): void {
    this.del(mac, vlan);
    const key = keyOf(mac, vlan);
    this.entries.set(key, { mac, vlan, port, expires: Infinity, gratArpLock: 0, isStatic: true });
    this.portSet(port).add(key);
    this.nStatic++;
  }

  /** Removes one entry; false when there is none. */
  del(mac: bigint, vlan: number): boolean {
    const key = keyOf(mac, vlan);
    const entry = this.entries.get(key);
    if (!entry) return false;
    this.drop(key, entry);
    return true;
  }

  /** Removes an entry of `addStatic`; false when there is none. */
  delStatic(mac: bigint, vlan: number): boolean {
    const entry = this.entries.get(keyOf(mac, vlan));
    return entry?.isStatic === true && this.del(mac, vlan);
  }

  /** Drops expired entries. @returns true when there were any. */
  run(now: number): boolean {
    let any = false;
    for (const [key, entry] of this.entries) {
      if (entry.isStatic) continue;
      if (entry.expires > now) break;
      this.drop(key, entry);
      this.expired++;
      expired.total++;
      any = true;
    }
    return any;
  }

  /** Forgets everything learned, or everything of one port. Static entries stay. */
  flush(port?: Bundle): boolean {
    let any = false;
    for (const [key, entry] of this.entries) {
      if (port === undefined ? entry.isStatic : entry.port !== port) continue;
      this.drop(key, entry);
      any = true;
    }
    return any;
  }

  /** Entries, least recently used first. */
  *[Symbol.iterator](): IterableIterator<MacEntry> {
    yield* this.entries.values();
  }

  /** Seconds since the entry was last refreshed. */
  age(entry: MacEntry, now: number): number {
    return Math.max(0, Math.floor((now - (entry.expires - this.idleSec * 1000)) / 1000));
  }

  clearStats(): void {
    this.learned = 0;
    this.expired = 0;
    this.evicted = 0;
    this.moved = 0;
  }

  private portSet(port: Bundle): Set<bigint> {
    let set = this.perPort.get(port);
    if (!set) this.perPort.set(port, (set = new Set()));
    return set;
  }

  private drop(key: bigint, entry: MacEntry): void {
    this.entries.delete(key);
    if (entry.isStatic) this.nStatic--;
    this.dropFromPort(key, entry.port);
  }

  /** A port without stations is forgotten: it may be gone from the bridge. */
  private dropFromPort(key: bigint, port: Bundle): void {
    const set = this.perPort.get(port);
    set?.delete(key);
    if (set?.size === 0) this.perPort.delete(port);
  }

  private evict(): boolean {
    let fullest: Set<bigint> | undefined;
    for (const set of this.perPort.values()) if (!fullest || set.size > fullest.size) fullest = set;
    if (!fullest) return false;
    for (const key of fullest) {
      const entry = this.entries.get(key)!;
      if (entry.isStatic) continue;
      this.drop(key, entry);
      this.evicted++;
      evicted.total++;
      return true;
    }
    return false;
  }
}
