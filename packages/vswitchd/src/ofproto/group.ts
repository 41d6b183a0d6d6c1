/**
 * One group of a bridge (OpenFlow 1.3, section 5.6.1): its buckets with their counters, and how a select group chooses.
 *
 * A select group that names no method goes by the datapath's hash (`dp_hash`) where its buckets' weights can be spread
 * over few enough hash values, else by a hash of the packet that is made here, as the peer's.
 */
import type {
  Bucket,
  GroupDesc,
  GroupMod,
  GroupStats,
  GroupType,
  SelectionMethod,
} from '@ovs-node/openflow/messages/group-types';
import { durationSince } from './duration.js';

/** What decides which bucket of a select group takes a packet. */
export type Choice =
  | {
      readonly by: 'dp_hash';
      /** The datapath's hash is the same for both directions. */
      readonly isSymmetric: boolean;
      readonly basis: number;
      /** Bucket indexes by the lowest bits of the hash; the length is a power of 2. */
      readonly map: readonly number[];
    }
  | { readonly by: 'fields'; readonly selection: SelectionMethod }
  | { readonly by: 'packet' };

/** Hash values that a group without a method may take, and that any may. */
const DEFAULT_MAX_VALUES = 64;
const MAX_VALUES = 256;
const MIN_VALUES = 16;

/** As the index of a bucket: each took a copy of the packet. */
export const EVERY_BUCKET = -1;

export class Group {
  readonly id: number;
  readonly type: GroupType;
  readonly buckets: readonly Bucket[];
  readonly selection: SelectionMethod | undefined;
  readonly choice: Choice | undefined;
  readonly created: number;
  packets = 0;
  bytes = 0;
  readonly counters: { packets: number; bytes: number }[];

  /**
   * @param created in ms.
   * @param old the group that it takes the place of, whose buckets go on counting where they are its buckets, too.
   */
  constructor(desc: GroupDesc, created: number, old?: Group) {
    this.id = desc.groupId;
    this.type = desc.groupType;
    this.buckets = desc.buckets;
    this.selection = desc.selection;
    this.created = created;
    const counted = new Map(old?.buckets.map((bucket, i) => [bucket, old.counters[i]]));
    this.counters = desc.buckets.map((bucket) => ({ packets: 0, bytes: 0, ...counted.get(bucket) }));
    this.choice = desc.groupType === 'select' ? choiceOf(desc) : undefined;
  }

  /** Counts traffic that bucket `index` took; all of them when it is `EVERY_BUCKET`. */
  credit(index: number, packets: number, bytes: number): void {
    this.packets += packets;
    this.bytes += bytes;
    const [from, to] = index === EVERY_BUCKET ? [0, this.counters.length] : [index, index + 1];
    for (let i = from; i < to; i++) {
      const counter = this.counters[i]!;
      counter.packets += packets;
      counter.bytes += bytes;
    }
  }

  get desc(): GroupDesc {
    return { groupType: this.type, groupId: this.id, buckets: this.buckets, selection: this.selection };
  }

  /** @param refCount flows that send to the group. */
  stats(refCount: number, now: number): GroupStats {
    return {
      groupId: this.id,
      refCount,
      packetCount: BigInt(this.packets),
      byteCount: BigInt(this.bytes),
      ...durationSince(this.created, now),
      buckets: this.counters.map(({ packets, bytes }) => ({
        packetCount: BigInt(packets),
        byteCount: BigInt(bytes),
      })),
    };
  }
}

/** The description that a group-mod of command add or modify gives. */
export function descOf({ groupType, groupId, buckets, selection }: GroupMod): GroupDesc {
  return { groupType, groupId, buckets, selection };
}

function choiceOf({ selection, buckets }: GroupDesc): Choice {
  if (selection === undefined || selection.method === '') {
    const map = spread(buckets, DEFAULT_MAX_VALUES);
    return map === undefined ? { by: 'packet' } : { by: 'dp_hash', isSymmetric: true, basis: 0, map };
  }
  if (selection.method === 'dp_hash') {
    const map = spread(buckets, MAX_VALUES);
    if (map === undefined) return { by: 'packet' };
    const isSymmetric = selection.param >> 32n === 1n;
    return { by: 'dp_hash', isSymmetric, basis: Number(selection.param & 0xffffffffn), map };
  }
  return selection.fields.length > 0 ? { by: 'fields', selection } : { by: 'packet' };
}

/**
 * Spreads hash values over buckets by their weights: each value goes to the bucket that is furthest behind its share
 * (Webster's method of apportionment). Undefined when that takes more than `most` values.
 */
function spread(buckets: readonly Bucket[], most: number): readonly number[] | undefined {
  const total = buckets.reduce((sum, bucket) => sum + bucket.weight, 0);
  const weights = buckets.map((bucket) => bucket.weight);
  const least = Math.min(...weights.filter((weight) => weight > 0));
  if (total === 0) return undefined;
  const wanted = Math.max(MIN_VALUES, 2 ** Math.ceil(Math.log2(Math.ceil(total / least))));
  if (wanted > most) return undefined;
  const divisors = weights.map(() => 1);
  const map: number[] = [];
  for (let i = 0; i < wanted; i++) {
    let winner = 0;
    for (let b = 1; b < weights.length; b++)
      if (weights[b]! / divisors[b]! > weights[winner]! / divisors[winner]!) winner = b;
    divisors[winner]! += 2;
    map.push(winner);
  }
  return map;
}
