import { Match } from '@ovs-node/flow/match';
import { OFPP } from '@ovs-node/flow/ports';
import { ALL_TABLES, type FlowFilter, type FlowMod, GROUP_ANY, NO_BUFFER } from './types.js';

/**
 * The flow-mod that says what `fields` say and no more: of table 0, any packet, without cookie, time-outs, flags or
 * actions, buffered packet or restriction of a deletion. It owns its match unless one is given.
 */
export function makeFlowMod(fields: Pick<FlowMod, 'command' | 'priority'> & Partial<FlowMod>): FlowMod {
  return {
    match: new Match(),
    cookie: 0n,
    cookieMask: 0n,
    newCookie: 0n,
    modifyCookie: false,
    tableId: 0,
    idleTimeout: 0,
    hardTimeout: 0,
    importance: 0,
    bufferId: NO_BUFFER,
    outPort: OFPP.ANY,
    outGroup: GROUP_ANY,
    flags: 0,
    actions: [],
    ...fields,
  };
}

/** What selects all flows but those that `fields` exclude. It owns its match unless one is given. */
export function makeFlowFilter(fields: Partial<FlowFilter> = {}): FlowFilter {
  return {
    match: new Match(),
    tableId: ALL_TABLES,
    cookie: 0n,
    cookieMask: 0n,
    outPort: OFPP.ANY,
    outGroup: GROUP_ANY,
    ...fields,
  };
}
