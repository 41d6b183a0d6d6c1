/** Group messages as text. */
import { mustField, wireMask } from '@ovs-node/flow/fields';
import { formatFieldValue } from '@ovs-node/flow/field-text';
import { altHex } from '@ovs-node/flow/int-text';
import { formatPort, OFPP } from '@ovs-node/flow/ports';
import { formatActionsIn } from '../actions/text.js';
import {
  BUCKET,
  type Bucket,
  type GroupCommand,
  type GroupFeatures,
  type GroupMod,
  type GroupStats,
  type ReceivedGroupDesc,
} from '../messages/group-types.js';
import { is15 } from '../messages/group.js';
import { GROUP_ALL, GROUP_ANY, UNKNOWN_COUNT, UNKNOWN_DURATION } from '../messages/types.js';
import { formatActionBits } from './action-bits.js';
import type { PrintOptions } from './message.js';
import { formatDuration } from './flow.js';
import { hex } from './numbers.js';

const TYPE_NAMES: Readonly<Record<ReceivedGroupDesc['groupType'], string>> = {
  all: 'all',
  select: 'select',
  indirect: 'indirect',
  fast_failover: 'ff',
  unknown: 'unknown',
};

/** A group number, or ANY or ALL. */
export function formatGroup(group: number): string {
  if (group === GROUP_ALL) return 'ALL';
  return group === GROUP_ANY ? 'ANY' : String(group);
}

function formatBucketId(id: number): string {
  if (id === BUCKET.FIRST) return 'first';
  if (id === BUCKET.LAST) return 'last';
  return id === BUCKET.ALL ? 'all' : String(id);
}

function formatBucket(
  b: Bucket,
  type: ReceivedGroupDesc['groupType'],
  version: number,
  o: PrintOptions,
): string {
  let out = ',bucket=';
  if (is15(version)) out += `bucket_id:${b.bucketId},`;
  if (b.weight !== (type === 'select' ? 1 : 0)) out += `weight:${b.weight},`;
  if (b.watchPort !== OFPP.ANY) out += `watch_port:${formatPort(b.watchPort, o.ports)},`;
  if (b.watchGroup !== GROUP_ANY) out += `watch_group:${b.watchGroup},`;
  return `${out}actions=${formatActionsIn(b.actions, o)}`;
}

function formatSelection(d: Pick<ReceivedGroupDesc, 'selection'>): string {
  const s = d.selection;
  if (!s) return '';
  let out = `,selection_method=${s.method}`;
  if (s.param !== 0n) out += `,selection_method_param=${s.param}`;
  if (s.fields.length === 0) return out;
  const fields = [...s.fields]
    .map(({ field, mask }) => ({ f: mustField(field), mask }))
    .sort((a, b) => a.f.id - b.f.id)
    .map(({ f, mask }) => (mask === wireMask(f) ? f.name : `${f.name}=${formatFieldValue(f, mask)}`));
  return fields.length === 1 ? `${out},fields=${fields[0]}` : `${out},fields(${fields.join(',')})`;
}

/** A group as `group_id=…,type=…,bucket=…`. */
export function formatGroupDesc(
  d: ReceivedGroupDesc,
  version: number,
  o: PrintOptions,
  showType = true,
): string {
  let out = `group_id=${d.groupId}`;
  if (showType) out += `,type=${TYPE_NAMES[d.groupType]}`;
  out += formatSelection(d);
  for (const b of d.buckets) out += formatBucket(b, d.groupType, version, o);
  return out;
}

const COMMAND_NAMES: Readonly<Record<GroupCommand, readonly [name: string, showType: boolean]>> = {
  add: ['ADD', true],
  modify: ['MOD', true],
  add_or_modify: ['ADD_OR_MOD', true],
  delete: ['DEL', true],
  insert_bucket: ['INSERT_BUCKET', false],
  remove_bucket: ['REMOVE_BUCKET', false],
};

/** What follows the name of a group-mod. */
export function formatGroupMod(g: GroupMod, version: number, o: PrintOptions): string {
  const [name, showType] = COMMAND_NAMES[g.command];
  let out = `\n ${name} `;
  // The forms without bucket ids have no place for one.
  if (!showType && is15(version)) out += `command_bucket_id:${formatBucketId(g.commandBucketId)},`;
  return out + formatGroupDesc(g, version, o, showType);
}

export function formatGroupStats(s: GroupStats): string {
  let out = ` group_id=${s.groupId}`;
  if (s.durationSec !== UNKNOWN_DURATION) out += `,duration=${formatDuration(s.durationSec, s.durationNsec)}`;
  out += `,ref_count=${s.refCount},packet_count=${s.packetCount},byte_count=${s.byteCount}`;
  s.buckets.forEach((b, i) => {
    if (b.packetCount !== UNKNOWN_COUNT) {
      out += `,bucket${i}:packet_count=${b.packetCount},byte_count=${b.byteCount}`;
    }
  });
  return out;
}

const FEATURE_TITLES = ['all', 'select', 'indirect', 'fast failover'];

export function formatGroupFeatures(f: GroupFeatures, version: number): string {
  let out = `\n Group table:\n    Types:  ${hex(f.types)}\n    Capabilities:  ${hex(f.capabilities)}\n`;
  FEATURE_TITLES.forEach((title, i) => {
    if ((f.types & (1 << i)) === 0) return;
    out += `    ${title} group:\n       max_groups=${altHex(f.maxGroups[i])}\n`;
    out += `       actions: ${formatActionBits(f.actions[i], version)}\n`;
  });
  return out;
}
