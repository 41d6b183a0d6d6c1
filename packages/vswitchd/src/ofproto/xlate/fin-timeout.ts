/**
 * The fin_timeout action (ovs-actions(7)): a flow that has seen the end of its TCP connection is not kept as long as one
 * that has not.
 */
import { W } from '@ovs-node/flow/layout';
import type { ActionOf } from '@ovs-node/openflow/actions/types';
import type { XlateContext } from './context.js';

const FIN = 0x01;
const RST = 0x04;

/** Whether packets with these TCP flags end a connection. */
export function endsConnection(tcpFlags: number): boolean {
  return (tcpFlags & (FIN | RST)) !== 0;
}

export function finTimeoutAction(ctx: XlateContext, { idle, hard }: ActionOf<'fin_timeout'>): void {
  ctx.wc[W.NW]! |= 0xff000000;
  const { rule, ofproto } = ctx;
  if (rule === undefined) return;
  const { effects, cache } = ctx.input;
  const { tables } = ofproto;
  if (effects && endsConnection(effects.tcpFlags)) tables.reduceTimeouts(rule, idle, hard);
  cache?.push({ type: 'fin-timeout', tables, rule, idle, hard });
}
