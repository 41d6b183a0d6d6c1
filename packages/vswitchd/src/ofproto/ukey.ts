/**
 * Our side of the datapath's flows: for each megaflow that we installed, what it was made of and what its statistics
 * were when we last looked.
 */
import { hashWords } from '@ovs-node/flow/hash';
import { DP_WORDS, type FlowKey } from '@ovs-node/flow/layout';
import type { CacheEntry } from './xlate/context.js';

export class Ukey {
  readonly ufid: Uint8Array;
  readonly id: string;
  /** Datapath key and mask, at least `DP_WORDS` long; the key has no bits outside of the mask. */
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

/** Names the megaflow with this key (masked) and mask, both at least `DP_WORDS` long. */
export function megaflowId(key: FlowKey, mask: FlowKey): MegaflowId {
  const ufid = new Uint8Array(16);
  const view = new DataView(ufid.buffer);
  SALTS.forEach((salt, i) => {
    view.setUint32(i * 4, hashWords(key, 0, DP_WORDS, hashWords(mask, 0, DP_WORDS, salt)));
  });
  return { ufid, text: ufidText(ufid) };
}

/** A UFID as a map key. */
export function ufidText(ufid: Uint8Array): string {
  return Buffer.from(ufid.buffer, ufid.byteOffset, ufid.byteLength).toString('latin1');
}

/** `key & mask`, `DP_WORDS` long. */
export function maskedKey(key: FlowKey, mask: FlowKey): FlowKey {
  const masked = new Uint32Array(DP_WORDS);
  for (let w = 0; w < DP_WORDS; w++) masked[w] = key[w]! & mask[w]!;
  return masked;
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
