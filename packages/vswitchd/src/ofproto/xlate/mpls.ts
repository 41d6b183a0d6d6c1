/**
 * MPLS label stacks in a translation. The key holds the outer three entries of a stack; what is below the bottom of it
 * is not known until the packet has been through the datapath again.
 */
import { mustField } from '@ovs-node/flow/fields';
import { W, MAX_LABELS } from '@ovs-node/flow/layout';
import type { Action } from '@ovs-node/openflow/actions/types';
import { PR } from '@ovs-node/openflow/messages/types';
import type { XlateContext } from './context.js';
import { commit } from './commit.js';
import { controllerAction } from './controller.js';
import { forgetInner, countLabels, ethType, isMpls, popLabel, pushLabel } from './header.js';

const LABEL_SHIFT = 12;
const TC_SHIFT = 9;
const LABEL_BITS = 0xfffff000;
const TC_BITS = 0xe00;
const TTL_BITS = 0xff;

export function pushMplsAction(ctx: XlateContext, type: number): void {
  const n = countLabels(ctx.flow, ctx.wc);
  if (n === 0) commit(ctx);
  else if (n >= MAX_LABELS) {
    tooManyLabels(ctx, 'push');
    return;
  }
  pushLabel(ctx.flow, n, type, ctx.wc);
  if (n === 0) forgetInner(ctx.flow);
}

export function popMplsAction(ctx: XlateContext, type: number): void {
  const n = countLabels(ctx.flow, ctx.wc);
  if (popLabel(ctx.flow, n, type, ctx.wc)) {
    if (!isMpls(type)) ctx.wasMpls = true;
  } else if (n >= MAX_LABELS) {
    tooManyLabels(ctx, 'pop');
  }
}

/** Only with a packet is it said what was not done to it. */
export function tooManyLabels(ctx: XlateContext, action: 'push' | 'pop' | 'encap' | 'decap'): void {
  if (ctx.input.hasPacket) {
    const has = action === 'pop' || action === 'decap' ? 'has' : 'would have';
    const what =
      action === 'encap' ? 'encap MPLS action' : action === 'decap' ? 'MPLS decap' : `MPLS ${action} action`;
    ctx.reportError(
      `dropping packet on which an ${what} can't be performed as it ${has} more MPLS LSEs than the ${MAX_LABELS} supported.`,
    );
  }
  ctx.error = 'labels';
}

/** Sets a part of the outermost entry of an MPLS packet. */
export function setMplsAction(
  ctx: XlateContext,
  type: 'set_mpls_label' | 'set_mpls_tc' | 'set_mpls_ttl',
  value: number,
): void {
  switch (type) {
    case 'set_mpls_label':
      return setBits(ctx, LABEL_BITS, value << LABEL_SHIFT);
    case 'set_mpls_tc':
      return setBits(ctx, TC_BITS, value << TC_SHIFT);
    case 'set_mpls_ttl':
      return setBits(ctx, TTL_BITS, value);
  }
}

function setBits(ctx: XlateContext, bits: number, value: number): void {
  if (!isMpls(ethType(ctx.flow))) return;
  ctx.wc[W.MPLS]! |= bits;
  ctx.flow[W.MPLS] = (ctx.flow[W.MPLS]! & ~bits) | (value & bits);
}

/** @returns true when there is no TTL to decrement or it ran out, which ends the rule. */
export function decMplsTtl(ctx: XlateContext): boolean {
  const { flow } = ctx;
  if (isMpls(ethType(flow))) {
    ctx.wc[W.MPLS]! |= TTL_BITS;
    if ((flow[W.MPLS]! & TTL_BITS) > 1) {
      flow[W.MPLS]!--;
      return false;
    }
    controllerAction(ctx, 0xffff, PR.INVALID_TTL, 0);
  }
  ctx.report('warn', 'MPLS decrement TTL exception');
  return true;
}

/** Actions that want to know nothing of what was below a popped label stack. */
const BLIND: ReadonlySet<Action['type']> = new Set<Action['type']>([
  'output',
  'output_trunc',
  'output_reg',
  'enqueue',
  'set_vlan_vid',
  'set_vlan_pcp',
  'set_eth_src',
  'set_eth_dst',
  'set_tunnel',
  'set_queue',
  // Its buckets' actions are asked one by one.
  'group',
]);
/** Fields are numbered by layer. */
const FIRST_OF_L3 = mustField('mpls_label').id;

/** Whether the packet must go through the datapath again before `action`, for its headers to be read anew. */
export function needsHeadersReread(ctx: XlateContext, action: Action): boolean {
  if (!ctx.wasMpls) return false;
  if (action.type === 'set_field') return mustField(action.field).id >= FIRST_OF_L3;
  return !BLIND.has(action.type);
}
