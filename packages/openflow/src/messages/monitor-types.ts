/** Flow monitors as values: requests and the updates that follow (Nicira, ONF and OpenFlow 1.4's). */
import type { Match } from '@ovs-node/flow/match';
import type { Action } from '../actions/types.js';
import type { FlowRemovedReason } from './types.js';

/** `unknown`: a number without a meaning, which a switch refuses. */
export type FlowMonitorCommand = 'add' | 'modify' | 'delete' | 'unknown';

/**
 * Bits of `FlowMonitorRequest.flags`: OFPFMF14_*; ADD, REMOVED or MODIFY has to be among them. What the extensions call
 * "own" is ONLY_OWN here, as the peer has it; NO_ABBREV the peer takes from nobody.
 */
export const FMF = {
  INITIAL: 1,
  ADD: 2,
  REMOVED: 4,
  MODIFY: 8,
  INSTRUCTIONS: 16,
  NO_ABBREV: 32,
  ONLY_OWN: 64,
} as const;

/** Which changes of flows to tell of. */
export interface FlowMonitorRequest {
  readonly id: number;
  /** Only OpenFlow 1.4's form has others than `add`. */
  readonly command: FlowMonitorCommand;
  readonly flags: number;
  readonly outPort: number;
  readonly outGroup: number;
  readonly tableId: number;
  readonly match: Match;
}

/** A flow that changed, or was there. */
export interface FlowChange {
  readonly event: 'initial' | 'added' | 'removed' | 'modified';
  /** Why a flow went; `idle` (0) with other events. */
  readonly reason: FlowRemovedReason;
  /** With `unknown`: the number that stands on the wire. */
  readonly reasonNumber?: number;
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly tableId: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly match: Match;
  /** Empty unless asked for. */
  readonly actions: readonly Action[];
}

/** What a flow monitor tells. */
export type FlowUpdate =
  | FlowChange
  /** A change of the connection's own, by the xid of its request. */
  | { readonly event: 'abbrev'; readonly xid: number }
  /** OpenFlow 1.4 and later; before, messages of their own. */
  | { readonly event: 'paused' | 'resumed' };
