import { type FlowKey, newKey } from './layout.js';

/**
 * What a flow entry matches: a key and a mask of the same layout.
 * Invariant: `key[i] & ~mask[i] === 0` for every word, so two matches are equal when their words are.
 */
export class Match {
  readonly key: FlowKey;
  readonly mask: FlowKey;
  constructor(key: FlowKey = newKey(), mask: FlowKey = newKey()) {
    this.key = key;
    this.mask = mask;
  }
}
