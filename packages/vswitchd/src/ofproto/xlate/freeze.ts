/**
 * Freezing a translation in the middle of its actions: a select group needs a hash that only the datapath computes, and
 * what was below a label stack that has been popped must be read from the packet. The actions that are left, from the group's on and up through the tables that led to it, travel with a recirculation number
 * and are taken up when the packet comes back.
 *
 *     table 0: set_field, resubmit(,1), output:3          frozen: group:1, output:2, output:3
 *     table 1: group:1, output:2
 */
import { Act } from '@ovs-node/netlink/action-attrs';
import type { Action } from '@ovs-node/openflow/actions/types';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';
import { frozenState } from './controller.js';

/** What the datapath is asked for before it brings the packet back. */
export interface HashRequest {
  readonly isSymmetric: boolean;
  readonly basis: number;
}

/** Algorithms of `struct ovs_action_hash`. */
const HASH_L4 = 0;
const HASH_SYM_L4 = 1;

/** Ends the translation here; `unroll` collects what is left. Without `hash` the packet's headers are only read again. */
export function freeze(ctx: XlateContext, hash?: HashRequest): void {
  ctx.frozen = { hash, actions: [] };
  ctx.exit = true;
}

/** Adds what is left of a list of actions that stopped at `index`: the action itself only where the freeze began. */
export function unroll(ctx: XlateContext, actions: readonly Action[], index: number): void {
  const frozen = ctx.frozen!;
  const from = frozen.actions.length === 0 ? index : index + 1;
  for (const action of actions.slice(from)) frozen.actions.push(inTable(action, ctx.tableId));
}

/** Sends the packet around, if the translation was frozen. The rest of it is left to its continuation. */
export function finishFreeze(ctx: XlateContext): void {
  const { frozen } = ctx;
  if (frozen === undefined) return;
  ctx.frozen = undefined;
  if (ctx.error !== undefined) return;
  commit(ctx);
  const id = ctx.recirc.acquire({ ...frozenState(ctx, ctx.tableId, true), actions: frozen.actions });
  ctx.recircIds.push(id);
  if (frozen.hash !== undefined) putHash(ctx, frozen.hash);
  ctx.out.putU32(Act.RECIRC, id);
}

function putHash(ctx: XlateContext, hash: HashRequest): void {
  const at = ctx.out.header(Act.HASH, 8);
  const view = new DataView(ctx.out.buf.buffer, ctx.out.buf.byteOffset);
  view.setUint32(at, hash.isSymmetric ? HASH_SYM_L4 : HASH_L4, true);
  view.setUint32(at + 4, hash.basis, true);
}

/** Actions that name the table they are in, made to name it outright: by the action and the table. */
const resolved = new WeakMap<Action, Map<number, Action>>();
const SAME_TABLE = 255;

/** The same object each time, so that equal states share their number (recirc.ts). */
function inTable(action: Action, table: number): Action {
  if (action.type !== 'resubmit' || action.table !== SAME_TABLE) return action;
  let byTable = resolved.get(action);
  if (byTable === undefined) resolved.set(action, (byTable = new Map()));
  let known = byTable.get(table);
  if (known === undefined) byTable.set(table, (known = { ...action, table }));
  return known;
}
