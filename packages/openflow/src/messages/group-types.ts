/** Groups as values: what is common to the forms of OpenFlow 1.1, of 1.5 and of the extension of 1.0. */
import type { Action } from '../actions/types.js';

/** What becomes of a packet: all buckets, one of them, the only one, the first that is alive. */
export type GroupType = 'all' | 'select' | 'indirect' | 'fast_failover';

/** `add_or_modify` is an extension; `insert_bucket` and `remove_bucket` came with OpenFlow 1.5 (and the 1.0 form). */
export type GroupCommand = 'add' | 'modify' | 'delete' | 'insert_bucket' | 'remove_bucket' | 'add_or_modify';

/** Bucket numbers with a meaning of their own; those up to MAX identify a bucket. */
export const BUCKET = { MAX: 0xffffff00, FIRST: 0xfffffffd, LAST: 0xfffffffe, ALL: 0xffffffff } as const;

/** A list of actions of a group. */
export interface Bucket {
  /** Select groups: relative share of packets, usually 1; 0 in other groups. */
  readonly weight: number;
  /** The bucket is live while this port is; OFPP.ANY: none. */
  readonly watchPort: number;
  /** The bucket is live while this group is; GROUP_ANY: none. */
  readonly watchGroup: number;
  /** Numbers of buckets exist in OpenFlow 1.5 and the extension of 1.0; other versions count from 0. */
  readonly bucketId: number;
  readonly actions: readonly Action[];
}

/** How a select group chooses: the Netronome extension (property of OpenFlow 1.5 and of the 1.0 extension). */
export interface SelectionMethod {
  /** `hash` or `dp_hash`; at most 15 bytes. */
  readonly method: string;
  readonly param: bigint;
  /** The fields to hash with, and which bits of them take part; in the order of the field table. */
  readonly fields: readonly { readonly field: string; readonly mask: bigint }[];
}

/** A change of groups. */
export interface GroupMod {
  readonly command: GroupCommand;
  readonly groupType: GroupType;
  readonly groupId: number;
  /** Where buckets are inserted or which are removed; BUCKET.ALL when it does not matter. */
  readonly commandBucketId: number;
  readonly buckets: readonly Bucket[];
  readonly selection: SelectionMethod | undefined;
}

/** A group as it is. */
export interface GroupDesc {
  readonly groupType: GroupType;
  readonly groupId: number;
  readonly buckets: readonly Bucket[];
  readonly selection: SelectionMethod | undefined;
}

/** A description as received: its type may be a number without a meaning. */
export interface ReceivedGroupDesc extends Omit<GroupDesc, 'groupType'> {
  readonly groupType: GroupType | 'unknown';
}

/** Counters; all ones: unknown. */
export interface GroupStats {
  readonly groupId: number;
  readonly refCount: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  /** UINT32_MAX: unknown (before OpenFlow 1.3). */
  readonly durationSec: number;
  readonly durationNsec: number;
  readonly buckets: readonly { readonly packetCount: bigint; readonly byteCount: bigint }[];
}

/** One element per group type, in the order of `GroupType`. */
export interface GroupFeatures {
  /** Bitmap of group types. */
  readonly types: number;
  /** OFPGFC12_*: 1 weights, 2 liveness, 4 chaining, 8 chaining with checks for loops. */
  readonly capabilities: number;
  readonly maxGroups: readonly number[];
  /** Bitmaps of the version's action types. */
  readonly actions: readonly number[];
}
