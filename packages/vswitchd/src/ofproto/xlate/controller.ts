/**
 * Packets to controllers: a `userspace` action whose cookie says what to tell them.
 */
import { W } from '@ovs-node/flow/layout';
import { Act, SampleAttr, UserspaceAttr } from '@ovs-node/netlink/action-attrs';
import { METER } from '@ovs-node/openflow/messages/meter-types';
import { PR } from '@ovs-node/openflow/messages/types';
import { freezeMetadata, type FrozenState } from '../recirc.js';
import { CookieType, encodeCookie, type UserCookie } from '../user-cookie.js';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';

/** What a translation knows at this point, to be continued in table `tableId`. */
export function frozenState(ctx: XlateContext, tableId: number, withActionSet: boolean): FrozenState {
  return {
    tableId,
    bridge: ctx.ofproto.name,
    conntracked: ctx.conntracked,
    inPort: ctx.flow[W.IN_PORT]!,
    metadata: freezeMetadata(ctx.flow),
    stack: ctx.stack.slice(),
    actionSet: withActionSet ? ctx.actionSet.slice() : [],
    actsetOutput: ctx.flow[W.ACTSET_OUTPUT]!,
  };
}

/** Sends the packet to the controllers of that id. @param ownMeter of the datapath, for these packets. */
export function controllerAction(
  ctx: XlateContext,
  maxLen: number,
  why: number,
  controllerId: number,
  userdata?: Uint8Array,
  ownMeter?: number,
): void {
  commit(ctx);
  // Packets from a table-miss flow (priority 0, matching everything) are an explicit miss to OpenFlow 1.3 on.
  const isMissFlow = ctx.rule?.priority === 0 && ctx.rule.subtable?.staged.words.length === 0;
  const reason = why === PR.ACTION && isMissFlow ? PR.EXPLICIT_MISS : why;
  const state = frozenState(ctx, ctx.tableId, false);
  const recircId = ctx.recirc.acquire(userdata && userdata.length > 0 ? { ...state, userdata } : state);
  ctx.recircIds.push(recircId);
  // Without a meter of its own it goes by the one for all packets to controllers, if there is one.
  const meter = ownMeter ?? ctx.ofproto.meters.dpId(METER.CONTROLLER);
  metered(ctx, meter, () =>
    putUserspace(ctx, {
      type: CookieType.CONTROLLER,
      ofproto: ctx.ofproto.uuid,
      dontSend: ctx.input.effects === undefined && ctx.input.cache === undefined,
      reason,
      recircId,
      isContinuation: false,
      ruleCookie: ctx.ruleCookie,
      controllerId,
      maxLen,
    }),
  );
}

/** Has what `put` emits go through a meter of the datapath, without the rest of the actions: in a sample of all packets. */
function metered(ctx: XlateContext, meter: number | undefined, put: () => void): void {
  if (meter === undefined) {
    put();
    return;
  }
  const { out } = ctx;
  const sample = out.startNested(Act.SAMPLE);
  out.putU32(SampleAttr.PROBABILITY, 0xffffffff);
  const actions = out.startNested(SampleAttr.ACTIONS);
  out.putU32(Act.METER, meter);
  put();
  out.endNested(actions);
  out.endNested(sample);
}

/** Emits a `userspace` action. */
export function putUserspace(ctx: XlateContext, cookie: UserCookie): void {
  const { out } = ctx;
  const port = ctx.ofproto.port(ctx.flow[W.IN_PORT]!);
  const nest = out.startNested(Act.USERSPACE);
  out.putU32(UserspaceAttr.PID, ctx.ofproto.upcallPid(port));
  out.putBytes(UserspaceAttr.USERDATA, encodeCookie(cookie));
  out.endNested(nest);
}
