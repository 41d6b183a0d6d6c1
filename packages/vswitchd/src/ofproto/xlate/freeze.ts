/**
 * Freezing a translation in the middle of its actions: a select group needs a hash that only the datapath computes,
 * what was below a label stack or header that has been taken off must be read from the packet, or a `controller` action pauses until the
 * controller says to go on. The actions that are left, up through the tables that
 * led here, are taken up when the packet comes back, by a recirculation number or in a continuation.
 *
 *     table 0: set_field, resubmit(,1), output:3          frozen: group:1, output:2, output:3
 *     table 1: group:1, output:2
 *
 * An action that may tell a controller of its table and cookie, or that means "this table", has them put in front of it.
 */
import { Act } from '@ovs-node/netlink/action-attrs';
import type { FrozenAction, Unroll } from '@ovs-node/openflow/messages/continuation';
import type { ActionOf } from '@ovs-node/openflow/actions/types';
import { CookieType } from '../user-cookie.js';
import { commit } from './commit.js';
import type { XlateContext } from './context.js';
import { frozenState, putUserspace } from './controller.js';

/** What the datapath is asked for before it brings the packet back. */
export interface HashRequest {
  readonly isSymmetric: boolean;
  readonly basis: number;
}

/** A translation that stopped, and what is left of it. */
export interface Frozen {
  /**
   * `reread`: only the packet's headers are wanted; `decapped`: those below the one that the action took off; `debug`:
   * nothing is.
   */
  readonly why: HashRequest | ActionOf<'controller'> | 'reread' | 'decapped' | 'debug';
  readonly actions: FrozenAction[];
  /** The table and cookie put in front of an action last. */
  unroll: Unroll | undefined;
  /** The list of actions in which it stopped has been collected. */
  isUnrolling: boolean;
}

/** Algorithms of `struct ovs_action_hash`. */
const HASH_L4 = 0;
const HASH_SYM_L4 = 1;

/** Ends the translation here; `unroll` collects what is left. */
export function freeze(ctx: XlateContext, why: Frozen['why']): void {
  ctx.frozen = { why, actions: [], unroll: undefined, isUnrolling: false };
  ctx.exit = true;
}

/** Actions that may send messages that say where they come from. */
const TELLING: ReadonlySet<FrozenAction['type']> = new Set<FrozenAction['type']>([
  'output_reg',
  'output_trunc',
  'group',
  'output',
  'controller',
  'dec_mpls_ttl',
  'dec_nsh_ttl',
  'dec_ttl',
]);
const SAME_TABLE = 255;

function dependsOnPlace(action: FrozenAction): boolean {
  return TELLING.has(action.type) || (action.type === 'resubmit' && action.table === SAME_TABLE);
}

/**
 * Adds what is left of a list of actions that stopped at `index`. An action that waits for the datapath is tried again
 * itself, one that waits for a controller, took a header off or wanted no more has been carried out.
 */
export function unroll(ctx: XlateContext, actions: readonly FrozenAction[], index: number): void {
  const frozen = ctx.frozen!;
  const { why } = frozen;
  const isDone = typeof why === 'string' ? why !== 'reread' : 'pause' in why;
  const again = !frozen.isUnrolling && !isDone;
  frozen.isUnrolling = true;
  for (const action of actions.slice(again ? index : index + 1)) {
    if (action.type === 'note') continue;
    if (dependsOnPlace(action)) place(ctx, frozen);
    frozen.actions.push(action);
  }
}

function place({ tableId, ruleCookie: cookie }: XlateContext, frozen: Frozen): void {
  if (frozen.unroll?.tableId === tableId && frozen.unroll.cookie === cookie) return;
  frozen.unroll = { type: 'unroll_xlate', tableId, cookie };
  frozen.actions.push(frozen.unroll);
}

/** Sends the packet around or to its controller, if the translation was frozen. The rest of it is left to later. */
export function finishFreeze(ctx: XlateContext): void {
  const { frozen } = ctx;
  if (frozen === undefined) return;
  ctx.frozen = undefined;
  if (ctx.error !== undefined) return;
  commit(ctx);
  const { why, actions } = frozen;
  // With nothing left to do the packet is looked up once more, in the first table (as by the peer).
  const state = { ...frozenState(ctx, 0, true), ...(actions.length > 0 ? { actions } : {}) };
  if (typeof why === 'string' || 'isSymmetric' in why) {
    const id = ctx.recirc.acquire(state);
    ctx.recircIds.push(id);
    if (typeof why !== 'string') putHash(ctx, why);
    ctx.out.putU32(Act.RECIRC, id);
    return;
  }
  const { userdata } = why;
  const id = ctx.recirc.acquire(userdata.length > 0 ? { ...state, userdata } : state);
  ctx.recircIds.push(id);
  if (ctx.input.effects === undefined && ctx.input.cache === undefined) return;
  putUserspace(ctx, {
    type: CookieType.CONTROLLER,
    ofproto: ctx.ofproto.uuid,
    dontSend: false,
    isContinuation: true,
    reason: why.reason,
    recircId: id,
    ruleCookie: ctx.ruleCookie,
    controllerId: why.controllerId,
    maxLen: why.maxLen,
  });
}

function putHash(ctx: XlateContext, hash: HashRequest): void {
  const at = ctx.out.header(Act.HASH, 8);
  const view = new DataView(ctx.out.buf.buffer, ctx.out.buf.byteOffset);
  view.setUint32(at, hash.isSymmetric ? HASH_SYM_L4 : HASH_L4, true);
  view.setUint32(at + 4, hash.basis, true);
}
