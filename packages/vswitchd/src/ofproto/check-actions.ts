/**
 * What a switch checks of a flow's actions: their fit with the match, their arguments, and what it does not have yet.
 */
import type { Match } from '@ovs-node/flow/match';
import { PROTO_ANY } from '@ovs-node/flow/field-types';
import { checkActions as checkConsistency } from '@ovs-node/openflow/actions/check';
import type { Action } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';
import type { TunnelOptionBits } from '@ovs-node/openflow/wire';
import { explain } from '../explain.js';
import { type ActionFacts, factsOf } from './action-facts.js';
import { withMeters } from './controller-meters.js';
import { invalidField } from './tlv-table.js';

/** What actions may name. */
export interface Named {
  hasGroup(id: number): boolean;
  /** The datapath's number of a meter; undefined: there is none of that number. */
  dpMeter(id: number): number | undefined;
  /** How many bits the option has that `tun_metadata<index>` stands for; undefined: it stands for none. */
  readonly tunnelOptionBits: TunnelOptionBits;
}

/** Tables that controllers may use. */
export const N_USER_TABLES = 254;

/** The actions to keep (some know more of themselves once their match is known), or why they are refused. */
export type Admission =
  { readonly error: OfError } | { readonly error: undefined; readonly actions: readonly Action[] };

/**
 * Checks the actions of a flow, but for the groups and meters that they name, which come and go.
 * @param tableId its table; of a packet-out, 255.
 * @param protocols PROTO bits of the connection that asks: 1.0 lets pass what does nothing, later versions do not.
 * @param has what tunnel options there are.
 */
export function checkActions(
  actions: readonly Action[],
  match: Match,
  tableId: number,
  has: Named,
  protocols: number = PROTO_ANY,
): Admission {
  const { tunnelOptions, isMixed, metersController } = factsOf(actions);
  const unknown = tunnelOptions.find((index) => has.tunnelOptionBits(index) === undefined);
  if (unknown !== undefined) return { error: invalidField(unknown) };
  const checked = checkConsistency(actions, match, {
    tableId,
    explain,
    tunnelOptionBits: has.tunnelOptionBits,
  });
  if (checked.error) return { error: new OfError(checked.error, 'actions') };
  if ((checked.usable & protocols) === 0) {
    return { error: new OfError('OFPBAC_MATCH_INCONSISTENT', 'actions do not fit the match') };
  }
  if (isMixed) return { error: new OfError('NXBAC_BAD_CONJUNCTION', 'conjunction with other actions') };
  const kept = checked.actions;
  return { error: undefined, actions: metersController ? withMeters(kept, (id) => has.dpMeter(id)) : kept };
}

/** As `checkActions`, and that there are the groups and meters, too. */
export function admitActions(
  actions: readonly Action[],
  match: Match,
  tableId: number,
  has: Named,
  protocols?: number,
): Admission {
  const checked = checkActions(actions, match, tableId, has, protocols);
  if (checked.error) return checked;
  const refused = missing(factsOf(checked.actions), has);
  return refused ? { error: refused } : checked;
}

/** The error of the first group or meter that is not there. */
export function missing({ named }: ActionFacts, has: Named): OfError | undefined {
  for (const { kind, id } of named) {
    if (kind === 'group' && !has.hasGroup(id)) return new OfError('OFPBAC_BAD_OUT_GROUP', `group ${id}`);
    if (kind === 'meter' && has.dpMeter(id) === undefined)
      return new OfError('OFPMMFC_INVALID_METER', `meter ${id}`);
  }
  return undefined;
}
