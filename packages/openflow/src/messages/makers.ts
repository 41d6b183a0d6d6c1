/** Values of messages that have much to say, from what is said of them; the rest is what it mostly is. */
import { Match } from '@ovs-node/flow/match';
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { BUCKET, type Bucket, type GroupMod } from './group-types.js';
import { type FlowMonitorRequest, FMF } from './monitor-types.js';
import { ALL_TABLES, GROUP_ANY, NO_BUFFER, type PacketOut } from './types.js';

/** A bucket that is always live, of weight 0; select groups need another, mostly 1. No two of a group have the same number. */
export function makeBucket(fields: Pick<Bucket, 'bucketId' | 'actions'> & Partial<Bucket>): Bucket {
  return { weight: 0, watchPort: OFPP.ANY, watchGroup: GROUP_ANY, ...fields };
}

/**
 * The group-mod that says what `fields` say; of a group of type `all` without buckets. Buckets that do not say their
 * numbers get them in order.
 */
export function makeGroupMod({
  buckets = [],
  ...fields
}: Pick<GroupMod, 'command' | 'groupId'> &
  Partial<Omit<GroupMod, 'buckets'>> & {
    readonly buckets?: readonly (Pick<Bucket, 'actions'> & Partial<Bucket>)[];
  }): GroupMod {
  return {
    groupType: 'all',
    commandBucketId: BUCKET.ALL,
    selection: undefined,
    buckets: buckets.map((bucket, bucketId) => makeBucket({ bucketId, ...bucket })),
    ...fields,
  };
}

/** A packet-out of a packet that no port received, or that came in on `inPort`. */
export function makePacketOut({
  inPort = OFPP.CONTROLLER,
  ...fields
}: Pick<PacketOut, 'packet' | 'actions'> & Partial<PacketOut> & { readonly inPort?: number }): PacketOut {
  return { bufferId: NO_BUFFER, match: parseMatch(`in_port=${inPort}`), ...fields };
}

/** A monitor of all flows, which tells of those there are and of all changes, instructions among them. */
export function makeFlowMonitor(
  fields: Pick<FlowMonitorRequest, 'id'> & Partial<FlowMonitorRequest>,
): FlowMonitorRequest {
  return {
    command: 'add',
    flags: FMF.INITIAL | FMF.ADD | FMF.REMOVED | FMF.MODIFY | FMF.INSTRUCTIONS,
    outPort: OFPP.ANY,
    outGroup: GROUP_ANY,
    tableId: ALL_TABLES,
    match: new Match(),
    ...fields,
  };
}
