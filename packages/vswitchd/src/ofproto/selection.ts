/** Which flows a command or a query is about, beside its match's being looser than theirs (OpenFlow 1.0 section 4.6). */
import { portFromOf10 } from '@ovs-node/flow/fields';
import { Match } from '@ovs-node/flow/match';
import { OFPP } from '@ovs-node/flow/ports';
import type { Action } from '@ovs-node/openflow/actions/types';
import { COOKIE_NONE, type FlowFilter, type FlowMod, GROUP_ANY } from '@ovs-node/openflow/messages/types';
import type { Rule } from './rule.js';

/** What selects flows; undefined: no restriction. */
export interface Selection {
  readonly match: Match;
  readonly tableId: number;
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  readonly outPort: number | undefined;
  readonly outGroup: number | undefined;
}

/** Whether a flow that the match selects is selected by the rest, too. */
export function passes(rule: Rule, { cookie, cookieMask, outPort, outGroup }: Selection): boolean {
  if (((rule.cookie ^ cookie) & cookieMask) !== 0n) return false;
  if (outPort !== undefined && !outputsTo(rule.actions, outPort)) return false;
  return outGroup === undefined || rule.facts.groups.includes(outGroup);
}

/** All flows of a table with that cookie. */
export function cookieSelection(tableId: number, cookie: bigint): Selection {
  const match = new Match();
  return { match, tableId, cookie, cookieMask: COOKIE_NONE, outPort: undefined, outGroup: undefined };
}

/** What a modification, or a deletion, selects. @param byPort whether it goes by ports and groups, as deletions do. */
export function modSelection(fm: FlowMod, byPort: boolean): Selection {
  return {
    match: fm.match,
    tableId: fm.tableId,
    cookie: fm.cookie,
    cookieMask: fm.cookieMask,
    outPort: byPort ? outPortFilter(fm.outPort) : undefined,
    outGroup: byPort ? outGroupFilter(fm.outGroup) : undefined,
  };
}

/** What a query selects. */
export function filterSelection(filter: FlowFilter): Selection {
  return { ...filter, outPort: outPortFilter(filter.outPort), outGroup: outGroupFilter(filter.outGroup) };
}

function outGroupFilter(group: number): number | undefined {
  return group === GROUP_ANY ? undefined : group;
}

function outPortFilter(port: number): number | undefined {
  const wide = portFromOf10(port);
  return wide === OFPP.ANY ? undefined : wide;
}

/** Whether actions send to an OpenFlow port by naming it. */
export function outputsTo(actions: readonly Action[], port: number): boolean {
  return actions.some((action) => {
    switch (action.type) {
      case 'output':
      case 'output_trunc':
      case 'enqueue':
        return portFromOf10(action.port) === port;
      case 'controller':
        return port === OFPP.CONTROLLER;
      case 'write_actions':
      case 'clone':
        return outputsTo(action.actions, port);
      default:
        return false;
    }
  });
}
