/**
 * Connection tracking actions: `ct`, with the fork of the pipeline that continues after it, and `ct_clear`.
 */
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { W } from '@ovs-node/flow/layout';
import { setU32 } from '@ovs-node/flow/views/bytes';
import { Act, CtAct, NatAttr } from '@ovs-node/netlink/action-attrs';
import type { Action, NatSpec } from '@ovs-node/openflow/actions/types';
import { bigToBytes } from '@ovs-node/openflow/wire';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';
import { frozenState } from './controller.js';
import { clearConntrack } from './header.js';
import { readSubfield } from './set-field.js';

/** `ct` without a table: the packet goes on in place, untracked. */
export const NO_RECIRC_TABLE = 255;
/** The events of a connection that are announced unless asked otherwise: new, related, destroy, mark, label... */
const EVENT_MASK = 0x716;
const HELPERS: Readonly<Record<number, string>> = { 21: 'ftp', 69: 'tftp' };

const log = vlog('ofproto_dpif_xlate');
const helperLimit = new RateLimit(1, 1);

type CtSpec = Extract<Action, { readonly type: 'ct' }>;

export function ctAction(ctx: XlateContext, ct: CtSpec, isLast: boolean): void {
  const { wc, flow, out } = ctx;
  commit(ctx);
  const zone = typeof ct.zone === 'number' ? ct.zone : Number(readSubfield(ctx, ct.zone)) & 0xffff;

  // The nested actions only say what to store with the connection, so their masks are not those of the megaflow.
  const oldMark = wc[W.CT_MARK]!;
  const oldLabel = wc.slice(W.CT_LABEL, W.CT_LABEL + 4);
  wc[W.CT_MARK] = 0;
  wc.fill(0, W.CT_LABEL, W.CT_LABEL + 4);
  ctx.nat = undefined;
  ctx.doActions(ctx, ct.actions, isLast);

  const nest = out.startNested(Act.CT);
  if (ct.commit) {
    out.putFlag(ct.force ? CtAct.FORCE_COMMIT : CtAct.COMMIT);
    if (ctx.ofproto.features.ctEventmask) out.putU32(CtAct.EVENTMASK, EVENT_MASK);
  }
  out.putU16(CtAct.ZONE, zone);
  if (wc[W.CT_MARK] !== 0) {
    const at = out.header(CtAct.MARK, 8);
    putHostOrder(out.buf, at, flow[W.CT_MARK]! & wc[W.CT_MARK]!);
    putHostOrder(out.buf, at + 4, wc[W.CT_MARK]!);
  }
  if (wc.slice(W.CT_LABEL, W.CT_LABEL + 4).some((word) => word !== 0)) {
    const at = out.header(CtAct.LABELS, 32);
    for (let i = 0; i < 4; i++) {
      setU32(out.buf, at + i * 4, flow[W.CT_LABEL + i]! & wc[W.CT_LABEL + i]!);
      setU32(out.buf, at + 16 + i * 4, wc[W.CT_LABEL + i]!);
    }
  }
  const helper = HELPERS[ct.alg];
  if (helper !== undefined) {
    out.putString(CtAct.HELPER, helper);
    log.warnRl(
      helperLimit,
      `${ctx.ofproto.name}: ct(alg=${helper}) expects no data connections yet, which will not be related to their control connection`,
    );
  }
  const nat = ctx.nat as Extract<Action, { type: 'nat' }> | undefined;
  if (nat) putNat(ctx, nat.nat);
  out.endNested(nest);
  wc[W.CT_MARK] = oldMark;
  wc.set(oldLabel, W.CT_LABEL);

  if (ct.recircTable !== NO_RECIRC_TABLE) {
    ctx.conntracked = true;
    recirculateAndFork(ctx, ct.recircTable, zone, nat !== undefined);
  }
  ctx.nat = undefined;
  clearConntrack(flow);
  ctx.conntracked = false;
  ctx.report('detail', 'Sets the packet to an untracked state, and clears all the conntrack fields.');
}

export function ctClearAction(ctx: XlateContext): void {
  ctx.conntracked = false;
  clearConntrack(ctx.flow);
  ctx.out.putFlag(Act.CT_CLEAR);
}

/** Sends a copy of the packet around, to be continued in `tableId`; the packet itself goes on here. */
function recirculateAndFork(ctx: XlateContext, tableId: number, zone: number, nat: boolean): void {
  const id = ctx.recirc.acquire(frozenState(ctx, tableId, true));
  ctx.recircIds.push(id);
  ctx.out.putU32(Act.RECIRC, id);
  if (ctx.trace === undefined) return;
  ctx.input.onRecirc?.(id, ctx.flow, zone, nat);
  ctx.report(
    'detail',
    `A clone of the packet is forked to recirculate. The forked pipeline will be resumed at table ${tableId}.`,
  );
}

function putNat(ctx: XlateContext, nat: NatSpec): void {
  const { out } = ctx;
  const nest = out.startNested(CtAct.NAT);
  if (nat.dir) {
    out.putFlag(nat.dir === 'src' ? NatAttr.SRC : NatAttr.DST);
    if (nat.persistent) out.putFlag(NatAttr.PERSISTENT);
    if (nat.hash) out.putFlag(NatAttr.PROTO_HASH);
    else if (nat.random) out.putFlag(NatAttr.PROTO_RANDOM);
    if (nat.addr) {
      const bytes = nat.addr.family === 4 ? 4 : 16;
      out.putBytes(NatAttr.IP_MIN, bigToBytes(nat.addr.min, bytes));
      if (nat.addr.max !== 0n && nat.addr.max !== nat.addr.min) {
        out.putBytes(NatAttr.IP_MAX, bigToBytes(nat.addr.max, bytes));
      }
    }
    if (nat.port && nat.port.min !== 0) {
      out.putU16(NatAttr.PROTO_MIN, nat.port.min);
      if (nat.port.max !== 0 && nat.port.max !== nat.port.min) out.putU16(NatAttr.PROTO_MAX, nat.port.max);
    }
  }
  out.endNested(nest);
}

function putHostOrder(buf: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) buf[at + i] = value >>> (8 * i);
}
