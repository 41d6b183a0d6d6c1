/**
 * What a switch checks of a flow's actions beyond their syntax, which the codec has checked.
 */
import type { Action } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';
import { OFPP } from '@ovs-node/flow/ports';
import { portFromOf10 } from '@ovs-node/flow/fields';
import { N_USER_TABLES } from './flow-tables.js';

/**
 * Checks the actions of a flow of table `tableId` (of a packet-out: 0).
 * @returns the error to answer with, or undefined when they are good.
 */
export function checkActions(actions: readonly Action[], tableId: number): OfError | undefined {
  for (const action of actions) {
    const error = checkAction(action, tableId);
    if (error) return error;
  }
  return undefined;
}

function checkAction(action: Action, tableId: number): OfError | undefined {
  switch (action.type) {
    case 'output':
    case 'output_trunc':
    case 'enqueue': {
      const port = portFromOf10(action.port);
      if (port >= OFPP.MAX && port < OFPP.IN_PORT) {
        return new OfError('OFPBAC_BAD_OUT_PORT', `port ${action.port}`);
      }
      return undefined;
    }
    case 'goto_table':
      if (action.table <= tableId) return new OfError('OFPBIC_BAD_TABLE_ID', `goto_table:${action.table}`);
      if (action.table >= N_USER_TABLES) return new OfError('OFPBIC_BAD_TABLE_ID', `goto_table:${action.table}`);
      return undefined;
    case 'ct':
      if (action.recircTable !== 255 && action.recircTable >= N_USER_TABLES) {
        return new OfError('OFPBAC_BAD_ARGUMENT', `ct table ${action.recircTable}`);
      }
      return checkActions(action.actions, tableId);
    case 'write_actions':
    case 'clone':
      return checkActions(action.actions, tableId);
    case 'group':
      return new OfError('OFPBAC_BAD_OUT_GROUP', `group ${action.group}: groups are not supported yet`);
    case 'meter':
      return new OfError('OFPMMFC_INVALID_METER', `meter ${action.meter}: meters are not supported yet`);
    case 'learn':
      return new OfError('OFPBAC_BAD_TYPE', 'learn is not supported yet');
    case 'fin_timeout':
      return new OfError('OFPBAC_BAD_TYPE', 'fin_timeout is not supported yet');
    case 'push_mpls':
    case 'pop_mpls':
    case 'set_mpls_label':
    case 'set_mpls_tc':
    case 'set_mpls_ttl':
    case 'dec_mpls_ttl':
      return new OfError('OFPBAC_BAD_TYPE', `${action.type} is not supported yet`);
    case 'set_tunnel':
      return undefined;
    default:
      return undefined;
  }
}
