/**
 * What a switch checks of a flow's actions: their fit with the match, their arguments, and what it does not have yet.
 */
import type { Match } from '@ovs-node/flow/match';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { checkActions as checkConsistency } from '@ovs-node/openflow/actions/check';
import type { Action } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';

/** What actions may name. */
export interface Named {
  hasGroup(id: number): boolean;
  hasMeter(id: number): boolean;
}
const EVERYTHING: Named = { hasGroup: () => true, hasMeter: () => true };

/** Tables that controllers may use. */
export const N_USER_TABLES = 254;

/** The actions to keep (some know more of themselves once their match is known), or why they are refused. */
export type Admission =
  { readonly error: OfError } | { readonly error: undefined; readonly actions: readonly Action[] };

/**
 * Checks the actions of a flow.
 * @param tableId its table; of a packet-out, 255.
 * @param protocols PROTO bits of the connection that asks: 1.0 lets pass what does nothing, later versions do not.
 * @param has what groups and meters there are.
 */
export function admitActions(
  actions: readonly Action[],
  match: Match,
  tableId: number,
  protocols: number = PROTO_ANY,
  has: Named = EVERYTHING,
): Admission {
  // Nothing has been said of where tunnel options are: NXT_TLV_TABLE_MOD is not there yet.
  if (match.tunMetadata !== undefined || actions.some(usesTunnelOption)) {
    return { error: new OfError('NXFMFC_INVALID_TLV_FIELD', 'tunnel options without a TLV table') };
  }
  const checked = checkConsistency(actions, match, { tableId });
  if (checked.error) return { error: new OfError(checked.error, 'actions') };
  if ((checked.usable & protocols) === 0) {
    return { error: new OfError('OFPBAC_MATCH_INCONSISTENT', 'actions do not fit the match') };
  }
  if (
    actions.some((a) => a.type === 'conjunction') &&
    !actions.every((a) => a.type === 'conjunction' || a.type === 'note')
  ) {
    return { error: new OfError('NXBAC_BAD_CONJUNCTION', 'conjunction with other actions') };
  }
  const refused = unsupportedActions(checked.actions) ?? missing(checked.actions, has);
  return refused ? { error: refused } : { error: undefined, actions: checked.actions };
}

function usesTunnelOption(action: Action): boolean {
  const is = (field: string): boolean => field.startsWith('tun_metadata');
  switch (action.type) {
    case 'set_field':
    case 'delete_field':
      return is(action.field);
    case 'move':
      return is(action.src.field) || is(action.dst.field);
    case 'push':
    case 'pop':
      return is(action.subfield.field);
    case 'output_reg':
      return is(action.src.field);
    case 'learn':
      return action.learn.specs.some(
        ({ src, dstField }) =>
          ('field' in src && is(src.field.field)) || (dstField !== undefined && is(dstField.field)),
      );
    case 'ct':
      return (
        (typeof action.zone !== 'number' && is(action.zone.field)) || action.actions.some(usesTunnelOption)
      );
    case 'clone':
    case 'write_actions':
      return action.actions.some(usesTunnelOption);
    default:
      return false;
  }
}

/** The error of the first action that is not there yet. */
export function unsupportedActions(actions: readonly Action[]): OfError | undefined {
  for (const action of actions) {
    const error = unsupportedAction(action);
    if (error) return error;
  }
  return undefined;
}

/** The error of the first group or meter that is not there. */
function missing(actions: readonly Action[], has: Named): OfError | undefined {
  const group = groupsIn(actions).find((id) => !has.hasGroup(id));
  if (group !== undefined) return new OfError('OFPBAC_BAD_OUT_GROUP', `group ${group}`);
  const meter = metersIn(actions).find((id) => !has.hasMeter(id));
  return meter === undefined ? undefined : new OfError('OFPMMFC_INVALID_METER', `meter ${meter}`);
}

const NONE: readonly never[] = [];

/** What `find` finds in actions and those inside of them; most flows have nothing, which costs nothing. */
export function foundIn<T>(
  actions: readonly Action[],
  find: (action: Action) => T | undefined,
): readonly T[] {
  let found: T[] | undefined;
  for (const action of actions) {
    const it = find(action);
    if (it !== undefined) (found ??= []).push(it);
    else if (action.type === 'write_actions' || action.type === 'clone' || action.type === 'ct')
      for (const each of foundIn(action.actions, find)) (found ??= []).push(each);
  }
  return found ?? NONE;
}

const groupOf = (action: Action): number | undefined => (action.type === 'group' ? action.group : undefined);
const meterOf = (action: Action): number | undefined => (action.type === 'meter' ? action.meter : undefined);

/** The groups that actions name. */
export function groupsIn(actions: readonly Action[]): readonly number[] {
  return foundIn(actions, groupOf);
}

/** The meters that actions name. */
export function metersIn(actions: readonly Action[]): readonly number[] {
  return foundIn(actions, meterOf);
}

function unsupportedAction(action: Action): OfError | undefined {
  switch (action.type) {
    case 'ct':
    case 'write_actions':
    case 'clone':
      return unsupportedActions(action.actions);
    case 'delete_field':
    case 'encap':
    case 'decap':
    case 'dec_nsh_ttl':
    case 'debug_recirc':
    case 'debug_slow':
      return new OfError('OFPBAC_BAD_TYPE', `${action.type} is not supported yet`);
    default:
      return undefined;
  }
}
