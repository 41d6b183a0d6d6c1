/**
 * Flows and actions as text in traces and dumps of this daemon.
 */
import { formatMatch } from '@ovs-node/flow/match-text';
import type { PortMap } from '@ovs-node/flow/ports';
import type { Action } from '@ovs-node/openflow/actions/types';
import { formatActions } from '@ovs-node/openflow/actions/text';
import type { Rule } from './rule.js';

/** A flow's match, without its priority. */
export function formatRuleMatch(rule: Rule, ports: PortMap | undefined): string {
  return formatMatch(rule.match(), { ports });
}

/** Actions; `drop` for none. */
export function formatActionList(actions: readonly Action[], ports: PortMap | undefined): string {
  return formatActions(actions, ports);
}
