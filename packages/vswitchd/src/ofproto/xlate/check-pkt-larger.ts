/**
 * The check_pkt_larger action (ovs-actions(7)): only the datapath knows how long each packet is, so the rest of the list
 * is translated twice, once for either answer. Checks in a row double the actions each, up to their limit.
 */
import { Act, CheckPktLenAttr } from '@ovs-node/netlink/action-attrs';
import type { ActionOf } from '@ovs-node/openflow/actions/types';
import type { FrozenAction } from '@ovs-node/openflow/messages/continuation';
import { executeActionSet } from './action-set.js';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';
import { finishFreeze } from './freeze.js';
import { setSubfield } from './set-field.js';
import { roomForActions } from './tables.js';

/** Translates `rest`, the actions after the check, under both answers. */
export function checkPktLarger(
  ctx: XlateContext,
  action: ActionOf<'check_pkt_larger'>,
  rest: readonly FrozenAction[],
): void {
  if (!roomForActions(ctx)) return;
  commit(ctx);
  const { out, stack, actionSet, wasMpls, conntracked } = ctx;
  const flow = ctx.saveFlow();
  const base = Uint32Array.from(ctx.base);
  ctx.stack = stack.slice();
  ctx.actionSet = actionSet.slice();
  const branch = (attr: number, answer: bigint): void => {
    const list = out.startNested(attr);
    setSubfield(ctx, action.dst, answer);
    ctx.doActions(ctx, rest, true);
    executeActionSet(ctx);
    finishFreeze(ctx);
    out.endNested(list);
    ctx.base.set(base);
    ctx.restoreFlow(flow);
    ctx.wasMpls = wasMpls;
    ctx.conntracked = conntracked;
  };
  const nest = out.startNested(Act.CHECK_PKT_LEN);
  out.putU16(CheckPktLenAttr.PKT_LEN, action.pktLen);
  branch(CheckPktLenAttr.ACTIONS_IF_GREATER, 1n);
  // As in the peer, the longer packets' branch says whether anything follows, and uses the action set up.
  const { exit } = ctx;
  ctx.exit = false;
  branch(CheckPktLenAttr.ACTIONS_IF_LESS_EQUAL, 0n);
  ctx.exit = exit;
  out.endNested(nest);
  ctx.stack = stack;
  ctx.actionSet = actionSet;
}
