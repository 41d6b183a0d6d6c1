/**
 * The action set (OpenFlow 1.3, section 5.10): collected by write_actions, executed at the end of the pipeline in an
 * order of its own.
 */
import { portFromOf10 } from '@ovs-node/flow/fields';
import { W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import type { Action } from '@ovs-node/openflow/actions/types';
import { formatActionList } from '../rule-text.js';
import type { XlateContext } from './context.js';

/** At most one of each is executed, the last written, in this order and before all others. */
const SLOTS: readonly Action['type'][] = [
  'strip_vlan',
  'pop_mpls',
  'decap',
  'encap',
  'push_mpls',
  'push_vlan',
  'dec_ttl',
  'dec_mpls_ttl',
  'dec_nsh_ttl',
];
/** All of these are executed, in the order in which they were written. What is in none of the three lists is not. */
const SETS: ReadonlySet<Action['type']> = new Set<Action['type']>([
  'set_field',
  'move',
  'set_vlan_vid',
  'set_vlan_pcp',
  'set_eth_src',
  'set_eth_dst',
  'set_ipv4_src',
  'set_ipv4_dst',
  'set_ip_dscp',
  'set_ip_ecn',
  'set_ip_ttl',
  'set_l4_src_port',
  'set_l4_dst_port',
  'set_mpls_label',
  'set_mpls_tc',
  'set_mpls_ttl',
  'set_queue',
  'set_tunnel',
]);
/** Only the highest of these is executed (the last of the list), at the end; a set with none does nothing. */
const FINALS: readonly Action['type'][] = ['ct', 'ct_clear', 'resubmit', 'output', 'group'];

/** The actions of a set in the order of execution. */
export function actionSetOrder(set: readonly Action[]): readonly Action[] {
  let final: Action | undefined;
  for (const action of set) {
    const rank = FINALS.indexOf(action.type);
    if (rank >= 0 && (!final || rank >= FINALS.indexOf(final.type))) final = action;
  }
  if (!final) return [];
  const list: Action[] = [];
  for (const slot of SLOTS) {
    const action = set.findLast((a) => a.type === slot);
    if (action) list.push(action);
  }
  for (const action of set) if (SETS.has(action.type)) list.push(action);
  list.push(final);
  return list;
}

/** Executes the action set, which is empty afterwards; that of a frozen translation is left to its continuation. */
export function executeActionSet(ctx: XlateContext): void {
  if (ctx.frozen !== undefined) return;
  const list = actionSetOrder(ctx.actionSet);
  ctx.actionSet = [];
  if (list.length === 0) return;
  const trace = ctx.trace;
  ctx.inActionSet = true;
  ctx.trace = ctx.report('table', '--. Executing action set:');
  ctx.doActions(ctx, list, true);
  ctx.trace = trace;
  ctx.inActionSet = false;
}

/** The value of `actset_output` (ovs-fields(7)): the port that a set sends to, unless a group does. */
export function actionSetOutput(set: readonly Action[]): number {
  if (set.some((each) => each.type === 'group')) return OFPP.UNSET;
  const last = set.findLast((each) => each.type === 'output');
  return last === undefined ? OFPP.UNSET : portFromOf10(last.port);
}

/** Adds actions to the set. */
export function writeActions(ctx: XlateContext, actions: readonly Action[]): void {
  for (const action of actions) {
    ctx.actionSet.push(action);
  }
  ctx.flow[W.ACTSET_OUTPUT] = actionSetOutput(ctx.actionSet);
  reportActionSet(ctx, 'is');
}

/** Empties the set. */
export function clearActionSet(ctx: XlateContext): void {
  reportActionSet(ctx, 'was');
  ctx.actionSet = [];
  ctx.flow[W.ACTSET_OUTPUT] = OFPP.UNSET;
}

function reportActionSet(ctx: XlateContext, verb: string): void {
  if (ctx.trace === undefined) return;
  const list = actionSetOrder(ctx.actionSet);
  const text = list.length === 0 ? ' empty' : `: ${formatActionList(list, undefined)}`;
  ctx.report('detail', `action set ${verb}${text}`);
}
