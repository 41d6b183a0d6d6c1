/**
 * The group action: which buckets of a group take the packet, and what they do with a copy of it (OpenFlow 1.3, section
 * 5.6.1). Text of remarks is the peer's.
 */
import { exactMask, getField } from '@ovs-node/flow/fields';
import { hashBytes, hashInt, hashUint64 } from '@ovs-node/flow/hash-bytes';
import { hashFields } from '@ovs-node/flow/hash-fields';
import { W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import { GROUP_ANY, PC, PS } from '@ovs-node/openflow/messages/types';
import type { SelectionMethod } from '@ovs-node/openflow/messages/types';
import { bigToBytes } from '@ovs-node/openflow/wire';
import { EVERY_BUCKET, type Group } from '../group.js';
import { actionSetOrder } from './action-set.js';
import type { XlateContext } from './context.js';
import { finishFreeze, freeze } from './freeze.js';
import { fieldOf, maskBits, prereqOk } from './set-field.js';
import { resourcesLeft } from './tables.js';

/** How deep groups that watch groups are looked into. */
const MAX_LIVENESS_DEPTH = 128;

/** Sends the packet through a group of the bridge. @returns false when there is none: that ends the list of actions. */
export function groupAction(ctx: XlateContext, id: number, isLast: boolean): boolean {
  const group = ctx.ofproto.groups.get(id);
  if (group === undefined) {
    // A bucket may name any group.
    ctx.report('warn', `output to nonexistent group ${id}`);
    return false;
  }
  if (!resourcesLeft(ctx)) return true;
  ctx.resubmits++;
  enter(ctx, group, isLast);
  return true;
}

function enter(ctx: XlateContext, group: Group, isLast: boolean): void {
  switch (group.type) {
    case 'all':
      group.buckets.forEach((_bucket, i) =>
        takeBucket(ctx, group, i, isLast && i === group.buckets.length - 1),
      );
      credit(ctx, group, EVERY_BUCKET);
      return;
    case 'indirect':
      // Its bucket may have been taken away: the group counts what comes to it all the same.
      takeBucket(ctx, group, 0, isLast);
      credit(ctx, group, EVERY_BUCKET);
      return;
    case 'fast_failover':
      choose(ctx, group, firstLive(ctx, group), isLast);
      return;
    case 'select':
      selectBucket(ctx, group, isLast);
  }
}

function choose(ctx: XlateContext, group: Group, index: number, isLast: boolean): void {
  if (index >= 0) {
    ctx.report('detail', `using bucket ${group.buckets[index]!.bucketId}`);
    takeBucket(ctx, group, index, isLast);
    credit(ctx, group, index);
  } else ctx.report('detail', 'no live bucket');
}

function credit(ctx: XlateContext, group: Group, index: number): void {
  const { effects, cache } = ctx.input;
  if (effects) group.credit(index, effects.packets, effects.bytes);
  cache?.push({ type: 'group', group, index });
}

/** A bucket is an action set for a copy of the packet: what it changes ends with it, but what it puts on the stack stays. */
function takeBucket(ctx: XlateContext, group: Group, index: number, isLast: boolean): void {
  const bucket = group.buckets[index];
  if (bucket === undefined) return;
  const saved = ctx.saveFlow();
  const { trace, wasMpls } = ctx;
  ctx.trace = ctx.report('bucket', `bucket ${bucket.bucketId}`);
  ctx.depth++;
  const { inBucket } = ctx;
  ctx.inBucket = true;
  ctx.doActions(ctx, actionSetOrder(bucket.actions), isLast);
  ctx.inBucket = inBucket;
  ctx.depth--;
  finishFreeze(ctx);
  ctx.trace = trace;
  ctx.restoreFlow(saved);
  ctx.wasMpls = wasMpls;
  // The end of a bucket is not that of the pipeline, nor is what cannot be done to the copy.
  ctx.exit = false;
  if (ctx.error === 'labels' || ctx.error === 'packetType') ctx.error = undefined;
}

function selectBucket(ctx: XlateContext, group: Group, isLast: boolean): void {
  const choice = group.choice!;
  switch (choice.by) {
    case 'dp_hash': {
      const hash = ctx.flow[W.DP_HASH]!;
      if (hash === 0) {
        // Not computed yet: the datapath does it, and the packet comes back to this action.
        ctx.report('detail', 'no live bucket');
        freeze(ctx, { isSymmetric: choice.isSymmetric, basis: choice.basis });
        return;
      }
      const last = choice.map.length - 1;
      ctx.wc[W.DP_HASH]! |= last;
      let index = -1;
      for (let i = 0; i <= last && index < 0; i++) {
        const at = choice.map[(hash + i) & last]!;
        if (isLive(ctx, group, at, 0)) index = at;
      }
      choose(ctx, group, index, isLast);
      return;
    }
    case 'fields':
      choose(ctx, group, bestLive(ctx, group, hashOfFields(ctx, choice.selection)), isLast);
      return;
    case 'packet':
      choose(ctx, group, bestLive(ctx, group, hashFields(ctx.flow, ctx.wc, 'symmetric_l4', 0)), isLast);
  }
}

function hashOfFields(ctx: XlateContext, selection: SelectionMethod): number {
  let hash = hashUint64(selection.param);
  for (const { field: name, mask } of selection.fields) {
    const f = fieldOf(ctx, name);
    if (!prereqOk(ctx, f)) continue;
    const bits = mask & exactMask(f);
    maskBits(ctx, f, bits);
    hash = hashBytes(bigToBytes(getField(ctx.flow, f) & bits, f.bytes), hash);
  }
  return hash;
}

/** The live bucket of the highest score, which weighs a hash of the bucket's number by the bucket's weight; -1: none. */
function bestLive(ctx: XlateContext, group: Group, basis: number): number {
  let best = -1;
  let bestScore = 0;
  group.buckets.forEach((bucket, i) => {
    if (!isLive(ctx, group, i, 0)) return;
    const score = (hashInt(bucket.bucketId, basis) & 0xffff) * bucket.weight;
    ctx.report('detail', `bucket ${bucket.bucketId}: score ${score}`);
    if (score < bestScore) return;
    best = i;
    bestScore = score;
  });
  return best;
}

function firstLive(ctx: XlateContext, group: Group): number {
  return group.buckets.findIndex((_bucket, i) => isLive(ctx, group, i, 0));
}

/** Whether what a bucket watches is there; one that watches nothing is live, but for one to select that weighs nothing. */
function isLive(ctx: XlateContext, group: Group, index: number, depth: number): boolean {
  if (depth >= MAX_LIVENESS_DEPTH) return false;
  const { bucketId, watchPort, watchGroup, weight } = group.buckets[index]!;
  if (group.type === 'select' && weight === 0) {
    ctx.report('detail', `bucket ${bucketId}: not live due to `);
    return false;
  }
  const watched: string[] = [];
  if (watchPort !== OFPP.ANY) {
    if (isPortLive(ctx, watchPort)) return true;
    watched.push(`port ${watchPort}`);
  }
  if (watchGroup !== GROUP_ANY) {
    if (isGroupLive(ctx, watchGroup, depth + 1)) return true;
    // The peer's word.
    watched.push(`port ${watchGroup}`);
  }
  if (watched.length > 0)
    ctx.report('detail', `bucket ${bucketId}: not live due to ${watched.join(' and ')}`);
  return watched.length === 0;
}

/** Whether a port of the bridge could carry a packet now. */
export function isPortLive(ctx: XlateContext, ofport: number): boolean {
  const port = ctx.ofproto.port(ofport);
  return (
    port !== undefined && (port.phy.config & PC.PORT_DOWN) === 0 && (port.phy.state & PS.LINK_DOWN) === 0
  );
}

function isGroupLive(ctx: XlateContext, id: number, depth: number): boolean {
  const group = ctx.ofproto.groups.get(id);
  return group !== undefined && group.buckets.some((_bucket, i) => isLive(ctx, group, i, depth));
}
