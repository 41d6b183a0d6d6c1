/**
 * Changes of groups and meters that others asked for, as connections are told of them who want to hear it (OpenFlow 1.4,
 * section 6.3.5; an extension before): as they were asked for, as far as the version of the connection has words for it.
 */
import { wireFormOf } from '@ovs-node/openflow/messages/codec';
import type { GroupMod, MessageOf } from '@ovs-node/openflow/messages/types';
import type { Group } from '../ofproto/group.js';

/** A request that is passed on, and the group that it left, if it is one of a group and did not delete it. */
export type Forwarded =
  | { readonly msg: MessageOf<'group_mod'>; readonly after: Group | undefined }
  | { readonly msg: MessageOf<'meter_mod'> };

/** Bits of the mask of requests that a connection may ask to be told of. */
export const FORWARD_REASON = { group_mod: 0, meter_mod: 1 } as const;

/** The request in the words of a version; undefined when it has none. */
export function inWordsOf(
  version: number,
  forwarded: Forwarded,
): MessageOf<'group_mod' | 'meter_mod'> | undefined {
  if (!('after' in forwarded)) return wireFormOf(forwarded.msg, version) && forwarded.msg;
  return { type: 'group_mod', groupMod: groupModFor(version, forwarded.msg, forwarded.after) };
}

function groupModFor(version: number, msg: MessageOf<'group_mod'>, after: Group | undefined): GroupMod {
  const { groupMod } = msg;
  switch (groupMod.command) {
    // Whether there was such a group is not said, as by the peer.
    case 'add_or_modify':
      return { ...groupMod, command: 'add' };
    case 'insert_bucket':
    case 'remove_bucket': {
      if (after === undefined) return groupMod;
      const { type: groupType, selection, buckets } = after;
      const whole = { ...groupMod, groupType, selection };
      // Who does not know of single buckets hears of all.
      return wireFormOf(msg, version) === undefined ? { ...whole, command: 'modify', buckets } : whole;
    }
    default:
      return groupMod;
  }
}
