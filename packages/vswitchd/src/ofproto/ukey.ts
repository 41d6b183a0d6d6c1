/**
 * Our side of the datapath's flows: for each megaflow that we installed, what it was made of and what its statistics
 * were when we last looked.
 */
import { hashAdd, hashFinish } from '@ovs-node/flow/hash';
import { DP_WORDS, type FlowKey } from '@ovs-node/flow/layout';
import type { CacheEntry } from './xlate/context.js';

export class Ukey {
  readonly ufid: Uint8Array;
  readonly id: string;
  /**
   * Datapath key and mask, at least `DP_WORDS` long. The key is that of the first packet, whole: a masked one would
   * lack what a translation needs to go the same way again (the type of a VLAN tag, say).
   */
  readonly key: FlowKey;
  readonly mask: FlowKey;
  actions: Uint8Array;
  slow: number;
  /** What to credit with later packets. */
  cache: readonly CacheEntry[];
  /** Recirculation numbers held for `actions`. */
  recircIds: readonly number[];
  /** Change count of the backer when the translation was made. */
  sequence: number;
  readonly created: number;
  packets = 0;
  bytes = 0;
  /** ms; 0: no packet yet. */
  used = 0;
  tcpFlags = 0;
  /** The last dump that had it, and the first that must have it. */
  seen = 0;

  constructor(
    id: MegaflowId,
    key: FlowKey,
    mask: FlowKey,
    made: Pick<Ukey, 'actions' | 'slow' | 'cache' | 'recircIds' | 'sequence'>,
    now: number,
  ) {
    this.ufid = id.ufid;
    this.id = id.text;
    this.key = key;
    this.mask = mask;
    this.actions = made.actions;
    this.slow = made.slow;
    this.cache = made.cache;
    this.recircIds = made.recircIds;
    this.sequence = made.sequence;
    this.created = now;
  }
}

/** A megaflow's name: the same for the same key and mask within one run of the daemon. */
export interface MegaflowId {
  readonly ufid: Uint8Array;
  readonly text: string;
}

const SALTS = [1, 2, 3, 4].map(() => (Math.random() * 0x100000000) >>> 0);

/** Names the megaflow of this key (masked or not) and mask, both at least `DP_WORDS` long. */
export function megaflowId(key: FlowKey, mask: FlowKey): MegaflowId {
  const ufid = new Uint8Array(16);
  const view = new DataView(ufid.buffer);
  for (let i = 0; i < SALTS.length; i++) {
    let hash = SALTS[i]!;
    for (let w = 0; w < DP_WORDS; w++) {
      if (mask[w] !== 0) hash = hashAdd(hashAdd(hash, mask[w]! ^ w), key[w]! & mask[w]!);
    }
    view.setUint32(i * 4, hashFinish(hash, i));
  }
  return { ufid, text: ufidText(ufid) };
}

/** A UFID as a map key. */
export function ufidText(ufid: Uint8Array): string {
  return Buffer.from(ufid.buffer, ufid.byteOffset, ufid.byteLength).toString('latin1');
}

/** Whether `a` has a bit that `b` has not. */
export function hasExtraBits(a: FlowKey, b: FlowKey): boolean {
  for (let w = 0; w < DP_WORDS; w++) if ((a[w]! & ~b[w]!) !== 0) return true;
  return false;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
