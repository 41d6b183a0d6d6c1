/**
 * Translation of a list of OpenFlow actions: each in turn, on one `XlateContext`.
 */
import { W } from '@ovs-node/flow/layout';
import { formatPort, OFPP } from '@ovs-node/flow/ports';
import { portFromOf10 } from '@ovs-node/flow/fields';
import { altHex } from '@ovs-node/flow/int-text';
import { Act } from '@ovs-node/netlink/action-attrs';
import type { Action, ActionOf } from '@ovs-node/openflow/actions/types';
import type { FrozenAction } from '@ovs-node/openflow/messages/continuation';
import { PR } from '@ovs-node/openflow/messages/types';
import type { MeteredController } from '../controller-meters.js';
import { formatActionList } from '../rule-text.js';
import { Slow } from '../user-cookie.js';
import { clearActionSet, writeActions } from './action-set.js';
import { bundleAction, multipathAction } from './choose.js';
import type { XlateContext } from './context.js';
import { controllerAction } from './controller.js';
import { checkPktLarger } from './check-pkt-larger.js';
import { ctAction, ctClearAction } from './ct.js';
import { decapAction, decNshTtl, encapAction } from './encap.js';
import { finTimeoutAction } from './fin-timeout.js';
import { freeze, unroll } from './freeze.js';
import { groupAction } from './group.js';
import { isIpAny } from './header.js';
import { learnAction } from './learn.js';
import { decMplsTtl, needsHeadersReread, popMplsAction, pushMplsAction, setMplsAction } from './mpls.js';
import { cloneActions, outputAction, outputToPort } from './output.js';
import {
  deleteFieldAction,
  headerAction,
  moveAction,
  popAction,
  pushAction,
  readSubfield,
  setFieldAction,
} from './set-field.js';
import { sampleAction } from './sample.js';
import { tableAction } from './tables.js';

/** Translates `actions`. `isLast`: nothing is executed after them. */
export function doActions(ctx: XlateContext, actions: readonly FrozenAction[], isLast: boolean): void {
  if (actions.length === 0) {
    ctx.report('action', 'drop');
    return;
  }
  for (let i = 0; i < actions.length; i++) {
    if (ctx.error !== undefined || ctx.exit) return;
    const action = actions[i]!;
    if (action.type === 'unroll_xlate') {
      ctx.tableId = action.tableId;
      ctx.ruleCookie = action.cookie;
      continue;
    }
    if (needsHeadersReread(ctx, action)) {
      freeze(ctx, 'reread');
      unroll(ctx, actions, i);
      return;
    }
    const last = isLast && i === actions.length - 1 && ctx.actionSet.length === 0;
    if (ctx.trace !== undefined) ctx.report('action', formatActionList([action], ctx.ofproto.traceNames));
    if (action.type === 'check_pkt_larger') {
      checkPktLarger(ctx, action, actions.slice(i + 1));
      return;
    }
    const goesOn = doAction(ctx, action, last);
    if (ctx.frozen !== undefined) {
      unroll(ctx, actions, i);
      return;
    }
    if (!goesOn) return;
  }
}

/** @returns false when the rest of the list is not to be executed. */
function doAction(ctx: XlateContext, action: Action, last: boolean): boolean {
  const { flow, wc } = ctx;
  switch (action.type) {
    case 'output':
      outputAction(ctx, action.port, action.maxLen, true, last);
      break;
    case 'output_trunc': {
      const port = portFromOf10(action.port);
      if (port === flow[W.IN_PORT]) ctx.reportOddity('skipping output to input port');
      // Not to the port that the packet came from by the name that it has for all packets, either.
      else if (ctx.ofproto.port(port)?.hasDpPort !== true)
        ctx.reportError(`output_trunc does not support patch port ${formatPort(port)}`);
      else outputToPort(ctx, port, last, action.maxLen);
      break;
    }
    case 'output_reg': {
      const port = readSubfield(ctx, action.src);
      if (port <= 0xffffn) {
        ctx.report('detail', `output port is ${port}`);
        outputAction(ctx, Number(port), action.maxLen, false, last);
      } else {
        ctx.report('warn', `output port ${port} is out of range`);
      }
      break;
    }
    case 'controller':
      if (action.pause) {
        freeze(ctx, action);
        break;
      }
      controllerAction(
        ctx,
        action.maxLen,
        action.reason === PR.ACTION && ctx.inActionSet ? PR.ACTION_SET : action.reason,
        action.controllerId,
        action.userdata,
        (action as Partial<MeteredController>).dpMeter,
      );
      break;
    case 'enqueue':
      enqueueAction(ctx, action, last);
      break;
    case 'set_queue':
      wc[W.SKB_PRIORITY] = 0xffffffff;
      flow[W.SKB_PRIORITY] = ctx.ofproto.backer.priorityOf(action.queue) ?? flow[W.SKB_PRIORITY]!;
      break;
    case 'pop_queue':
      wc[W.SKB_PRIORITY] = 0xffffffff;
      if (flow[W.SKB_PRIORITY] === ctx.origPriority) break;
      flow[W.SKB_PRIORITY] = ctx.origPriority;
      ctx.report('detail', `queue = ${altHex(BigInt(ctx.origPriority))}`);
      break;
    case 'set_vlan_vid':
    case 'set_vlan_pcp':
    case 'strip_vlan':
    case 'push_vlan':
    case 'set_eth_src':
    case 'set_eth_dst':
    case 'set_ipv4_src':
    case 'set_ipv4_dst':
    case 'set_ip_dscp':
    case 'set_ip_ecn':
    case 'set_ip_ttl':
    case 'set_l4_src_port':
    case 'set_l4_dst_port':
      headerAction(ctx, action);
      break;
    case 'set_field':
      setFieldAction(ctx, action);
      break;
    case 'move':
      moveAction(ctx, action);
      break;
    case 'push':
      pushAction(ctx, action.subfield);
      break;
    case 'pop':
      popAction(ctx, action.subfield);
      break;
    case 'set_tunnel':
      flow[W.TUN_ID] = Number(action.tunId >> 32n);
      flow[W.TUN_ID + 1] = Number(action.tunId & 0xffffffffn);
      break;
    case 'dec_ttl':
      return !decTtl(ctx, action.ids.length === 0 ? [0] : action.ids);
    case 'push_mpls':
      pushMplsAction(ctx, action.ethertype);
      break;
    case 'pop_mpls':
      popMplsAction(ctx, action.ethertype);
      break;
    case 'set_mpls_label':
    case 'set_mpls_tc':
    case 'set_mpls_ttl':
      setMplsAction(ctx, action.type, action.value);
      break;
    case 'encap':
      encapAction(ctx, action);
      break;
    case 'decap':
      if (decapAction(ctx, action.packetType)) freeze(ctx, 'decapped');
      break;
    case 'dec_nsh_ttl':
      return !decNshTtl(ctx);
    case 'dec_mpls_ttl':
      return !decMplsTtl(ctx);
    case 'resubmit': {
      const port = portFromOf10(action.inPort);
      const internal = ctx.rule !== undefined && ctx.rule.tableId === 254;
      tableAction(
        ctx,
        port === OFPP.IN_PORT ? flow[W.IN_PORT]! : port,
        action.table === 255 ? ctx.tableId : action.table,
        internal,
        action.withCtOrig,
        last,
      );
      break;
    }
    case 'goto_table':
      tableAction(ctx, flow[W.IN_PORT]!, action.table, true, false, last);
      break;
    case 'write_metadata':
      writeMetadata(flow, action.metadata, action.mask);
      break;
    case 'write_actions':
      writeActions(ctx, action.actions);
      break;
    case 'clear_actions':
      clearActionSet(ctx);
      break;
    case 'clone':
      cloneActions(ctx, action.actions, last);
      break;
    case 'meter': {
      const meter = ctx.ofproto.meters.dpId(action.meter);
      // The packet is metered as it last left, without what was done to it since, as by the peer.
      if (meter !== undefined) ctx.out.putU32(Act.METER, meter);
      break;
    }
    case 'group':
      return groupAction(ctx, action.group, last);
    case 'ct':
      ctAction(ctx, action, last);
      break;
    case 'nat':
      // Taken up by the `ct` around it.
      ctx.nat = action;
      break;
    case 'ct_clear':
      if (ctx.conntracked) ctClearAction(ctx);
      break;
    case 'multipath':
      multipathAction(ctx, action);
      break;
    case 'bundle':
    case 'bundle_load':
      bundleAction(ctx, action, last);
      break;
    case 'fin_timeout':
      finTimeoutAction(ctx, action);
      break;
    case 'learn':
      learnAction(ctx, action.learn);
      break;
    case 'delete_field':
      deleteFieldAction(ctx, action.field);
      break;
    case 'exit':
      ctx.exit = true;
      break;
    case 'debug_recirc':
      freeze(ctx, 'debug');
      break;
    case 'debug_slow':
      ctx.slow |= Slow.ACTION;
      break;
    case 'sample':
      sampleAction(ctx, action);
      break;
    case 'conjunction':
      ctx.reportError('executing no-op conjunction action');
      break;
    case 'note':
      break;
    default:
      action.type satisfies 'check_pkt_larger';
  }
  return true;
}

/** Sends to a port with the priority of a queue; where queues have none, as `output` does. */
function enqueueAction(ctx: XlateContext, { port: to, queue }: ActionOf<'enqueue'>, last: boolean): void {
  const { flow, wc } = ctx;
  wc[W.SKB_PRIORITY] = 0xffffffff;
  const priority = ctx.ofproto.backer.priorityOf(queue);
  const inPort = flow[W.IN_PORT]!;
  const port = portFromOf10(to);
  if (priority === undefined) return outputAction(ctx, to, 0, false, last);
  if (port === inPort) return;
  const before = flow[W.SKB_PRIORITY]!;
  flow[W.SKB_PRIORITY] = priority;
  outputToPort(ctx, port === OFPP.IN_PORT ? inPort : port, last);
  flow[W.SKB_PRIORITY] = before;
}

function writeMetadata(flow: Uint32Array, value: bigint, mask: bigint): void {
  const put = (word: number, shift: bigint): void => {
    const m = Number((mask >> shift) & 0xffffffffn);
    flow[word] = (flow[word]! & ~m) | (Number((value >> shift) & 0xffffffffn) & m);
  };
  put(W.METADATA, 32n);
  put(W.METADATA + 1, 0n);
}

/** @returns true when the TTL ran out, which ends the rule. */
function decTtl(ctx: XlateContext, ids: readonly number[]): boolean {
  const { flow, wc } = ctx;
  wc[W.NW]! |= 0xff00ff00;
  if (!isIpAny(flow)) return false;
  const ttl = (flow[W.NW]! >>> 8) & 0xff;
  if (ttl > 1) {
    flow[W.NW]! -= 0x100;
    return false;
  }
  for (const id of ids) controllerAction(ctx, 0xffff, PR.INVALID_TTL, id);
  ctx.report('warn', `IPv${flow[W.ETH_TYPE]! >>> 16 === 0x0800 ? 4 : 6} decrement TTL exception`);
  return true;
}
