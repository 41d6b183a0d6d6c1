/** Requests that tests of switches make: whole messages from what matters to a test. */
import { Match } from '@ovs-node/flow/match';
import { OFPP } from '@ovs-node/flow/ports';
import { makeFlowMod } from '../messages/flow-mod.js';
import { FMF } from '../messages/monitor-types.js';
import { type FlowMod, type FlowMonitorRequest, GROUP_ANY, type OfMessage } from '../messages/types.js';

/** Flags of a flow monitor that asks for everything, instructions included. */
export const ALL_CHANGES = FMF.INITIAL | FMF.ADD | FMF.REMOVED | FMF.MODIFY | FMF.INSTRUCTIONS;

/** A request for flow monitors: each is number 1, added, and of all changes of all flows, where it does not say otherwise. */
export function watch(...monitors: Partial<FlowMonitorRequest>[]): OfMessage {
  const common = {
    id: 1,
    command: 'add' as const,
    flags: ALL_CHANGES,
    outPort: OFPP.ANY,
    outGroup: GROUP_ANY,
    tableId: 0xff,
    match: new Match(),
  };
  return {
    type: 'multipart_request',
    request: { type: 'flow_monitor', monitors: monitors.map((each) => ({ ...common, ...each })) },
    more: false,
  };
}

/** A flow mod that adds a flow of priority 0, where it does not say otherwise. */
export const flowMod = (mod: Partial<FlowMod>): OfMessage => ({
  type: 'flow_mod',
  flowMod: makeFlowMod({ command: 'add', priority: 0, ...mod }),
});

/** The actions of a flow that outputs to one port. */
export const output = (port: number) => [{ type: 'output' as const, port, maxLen: 0 }];
