/**
 * Which part of the flow key belongs to which stage of a staged look-up: metadata, L2, L3, L4 in this order.
 * A look-up that fails in an early stage has looked at the bits of that stage and the ones before only, and so
 * a megaflow made of it needs no bits of later headers.
 */
import { KEY_WORDS, W } from '@ovs-node/flow/layout';

export const N_STAGES = 4;

const METADATA = 0;
const L2 = 1;
const L3 = 2;
const L4 = 3;

/** First word, number of words, stage. Word ETH_TYPE is split: the type is of L2, TCP flags are of L4. */
const RANGES: readonly (readonly [first: number, n: number, stage: number])[] = [
  [W.ETH, 3, L2],
  [W.VLAN0, 2, L2],
  [W.MPLS, 3, L2],
  [W.NW, 3, L3],
  [W.IPV6_SRC, 8, L3],
  [W.IPV6_LABEL, 1, L3],
  [W.CT_NW_SRC, 2, L3],
  [W.CT_IPV6_SRC, 8, L3],
  [W.TP, 1, L4],
  [W.ND_TARGET, 4, L4],
  [W.ARP_HW, 3, L4],
  [W.IGMP, 1, L4],
  [W.CT_TP, 1, L4],
  [W.NSH, 6, L4],
];

const stageOf = new Uint8Array(KEY_WORDS).fill(METADATA);
for (const [first, n, stage] of RANGES) stageOf.fill(stage, first, first + n);

/** A mask cut into runs of words by stage. */
export interface StagedMask {
  /** Word indexes and the bits compared in each, ordered by stage. A word of two stages comes twice. */
  readonly words: Uint8Array;
  readonly masks: Int32Array;
  /** A zero for each of them. */
  readonly zeros: readonly number[];
  /** Stage i is entries ends[i-1]..ends[i]; only stages that have bits are there, so at most four. */
  readonly ends: Uint8Array;
}

/** Cuts a mask of KEY_WORDS words or more into stages; what is behind those is metadata. */
export function stageMask(mask: Uint32Array): StagedMask {
  const words: number[] = [];
  const masks: number[] = [];
  const ends: number[] = [];
  for (let stage = 0; stage < N_STAGES; stage++) {
    const before = words.length;
    for (let w = 0; w < mask.length; w++) {
      let bits = mask[w]!;
      if (bits === 0) continue;
      if (w === W.ETH_TYPE) bits &= stage === L2 ? 0xffff0000 : stage === L4 ? 0xffff : 0;
      else if ((stageOf[w] ?? METADATA) !== stage) continue;
      if (bits === 0) continue;
      words.push(w);
      masks.push(bits | 0);
    }
    if (words.length > before) ends.push(words.length);
  }
  return {
    words: Uint8Array.from(words),
    masks: Int32Array.from(masks),
    zeros: words.map(() => 0),
    ends: Uint8Array.from(ends),
  };
}
