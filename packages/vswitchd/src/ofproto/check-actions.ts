/**
 * What a switch checks of a flow's actions: their fit with the match, their arguments, and what it does not have yet.
 */
import type { Match } from '@ovs-node/flow/match';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { checkActions as checkConsistency } from '@ovs-node/openflow/actions/check';
import type { Action } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';
import { explain } from '../explain.js';
import { invalidField } from './tlv-table.js';

/** What actions may name. */
export interface Named {
  hasGroup(id: number): boolean;
  hasMeter(id: number): boolean;
  /** Whether `tun_metadata<index>` stands for an option. */
  hasTunnelOption(index: number): boolean;
}
const EVERYTHING: Named = { hasGroup: () => true, hasMeter: () => true, hasTunnelOption: () => false };

const NONE: readonly never[] = [];

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
  const unknown = tunnelOptionsIn(actions).find((index) => !has.hasTunnelOption(index));
  if (unknown !== undefined) return { error: invalidField(unknown) };
  const checked = checkConsistency(actions, match, { tableId, explain });
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
  const refused = missing(checked.actions, has);
  return refused ? { error: refused } : { error: undefined, actions: checked.actions };
}

/** The numbers of the tunnel options that an action itself names. */
function optionsNamed(action: Action): readonly number[] | undefined {
  switch (action.type) {
    case 'set_field':
    case 'delete_field':
      return optionIndexes(action.field);
    case 'move':
      return optionIndexes(action.src.field, action.dst.field);
    case 'push':
    case 'pop':
      return optionIndexes(action.subfield.field);
    case 'output_reg':
      return optionIndexes(action.src.field);
    case 'multipath':
    case 'bundle_load':
    case 'check_pkt_larger':
      return optionIndexes(action.dst.field);
    case 'ct':
      return typeof action.zone === 'number' ? undefined : optionIndexes(action.zone.field);
    case 'learn': {
      const { specs, resultDst } = action.learn;
      const names = specs.flatMap(({ src, dstField }) => [
        ...('field' in src ? [src.field.field] : []),
        ...(dstField ? [dstField.field] : []),
      ]);
      return optionIndexes(...names, ...(resultDst ? [resultDst.field] : []));
    }
    default:
      return undefined;
  }
}

function optionIndexes(...names: readonly string[]): readonly number[] | undefined {
  const found = names.filter((name) => name.startsWith(OPTION));
  return found.length === 0 ? undefined : found.map((name) => Number(name.slice(OPTION.length)));
}
const OPTION = 'tun_metadata';

/** The numbers of the tunnel options that actions and those inside of them name; most name none, which costs nothing. */
export function tunnelOptionsIn(actions: readonly Action[]): readonly number[] {
  const found = foundIn(actions, optionsNamed);
  return found.length === 0 ? NONE : found.flat();
}

/** The error of the first group or meter that is not there. */
function missing(actions: readonly Action[], has: Named): OfError | undefined {
  return foundIn(actions, (action) => {
    if (action.type === 'group' && !has.hasGroup(action.group))
      return new OfError('OFPBAC_BAD_OUT_GROUP', `group ${action.group}`);
    return action.type === 'meter' && !has.hasMeter(action.meter)
      ? new OfError('OFPMMFC_INVALID_METER', `meter ${action.meter}`)
      : undefined;
  })[0];
}

/** What `find` finds in actions and those inside of them; most flows have nothing, which costs nothing. */
export function foundIn<T>(
  actions: readonly Action[],
  find: (action: Action) => T | undefined,
): readonly T[] {
  let found: T[] | undefined;
  for (const action of actions) {
    const it = find(action);
    if (it !== undefined) (found ??= []).push(it);
    if (action.type === 'write_actions' || action.type === 'clone' || action.type === 'ct')
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
