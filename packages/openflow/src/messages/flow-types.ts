/** Flows as values: changes of them, what they have counted, and that they are gone. */
import type { Match } from '@ovs-node/flow/match';
import type { Action } from '../actions/types.js';

/** What to do with flows; the strict ones mean exactly one. */
export type FlowModCommand = 'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict';

/** Bits of `FlowMod.flags` and of `FlowStats.flags`: those of OpenFlow 1.3's OFPFF_*, and of OpenFlow 1.0's OFPFF_EMERG. */
export const FF = {
  SEND_FLOW_REM: 1,
  CHECK_OVERLAP: 2,
  RESET_COUNTS: 4,
  NO_PKT_COUNTS: 8,
  NO_BYT_COUNTS: 16,
  /** OpenFlow 1.0 only. */
  EMERG: 32,
} as const;

/** A change of flows (`makeFlowMod` fills in what is not said). */
export interface FlowMod {
  readonly command: FlowModCommand;
  readonly match: Match;
  /** 0 to 65535; the highest of the flows that match is the one that counts. */
  readonly priority: number;
  /** Which flows a modification or deletion touches: those whose cookie agrees in the bits of `cookieMask`. */
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  /** The cookie of an added flow; also of a modified one when `modifyCookie` says so. COOKIE_NONE: not given. */
  readonly newCookie: bigint;
  readonly modifyCookie: boolean;
  /** 0 to 254, or ALL_TABLES. */
  readonly tableId: number;
  /** Seconds without a packet after which the flow goes; 0: it stays. */
  readonly idleTimeout: number;
  /** Seconds after which the flow goes, used or not; 0: it stays. */
  readonly hardTimeout: number;
  /** Of flows that make room for others (`EVICTION`), the lowest goes first; OpenFlow 1.4 and later. */
  readonly importance: number;
  /** The packet of a packet-in that the actions are also done to, or NO_BUFFER. */
  readonly bufferId: number;
  /** Deletions: only flows that output there. OFPP.ANY: no restriction. */
  readonly outPort: number;
  /** Deletions: only flows that output to that group. GROUP_ANY: no restriction. */
  readonly outGroup: number;
  /** Bits of `FF`. */
  readonly flags: number;
  readonly actions: readonly Action[];
}

/** A flow with what it has counted. */
export interface FlowStats {
  readonly match: Match;
  readonly tableId: number;
  readonly priority: number;
  readonly cookie: bigint;
  /** Seconds; 0: none. */
  readonly idleTimeout: number;
  /** Seconds; 0: none. */
  readonly hardTimeout: number;
  readonly importance: number;
  /** Bits of `FF`. */
  readonly flags: number;
  /** For how long there has been the flow: whole seconds. */
  readonly durationSec: number;
  /** What is over the whole seconds, in nanoseconds. */
  readonly durationNsec: number;
  /** Seconds since the last packet, -1: unknown. */
  readonly idleAge: number;
  /** Seconds since the last change, -1: unknown. */
  readonly hardAge: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly actions: readonly Action[];
}

/** What a flow, aggregate or delete-by-filter request selects. */
export interface FlowFilter {
  /** Flows that are at least as narrow as this. */
  readonly match: Match;
  /** 0 to 254, or ALL_TABLES. */
  readonly tableId: number;
  /** Flows whose cookie agrees in the bits of `cookieMask`. */
  readonly cookie: bigint;
  readonly cookieMask: bigint;
  /** Flows that output there. OFPP.ANY: no restriction. */
  readonly outPort: number;
  /** Flows that output to that group. GROUP_ANY: no restriction. */
  readonly outGroup: number;
}

/** Why a flow is gone. */
export type FlowRemovedReason =
  'idle' | 'hard' | 'delete' | 'group_delete' | 'meter_delete' | 'eviction' | 'unknown';

/** A flow that is gone. */
export interface FlowRemoved {
  readonly match: Match;
  readonly cookie: bigint;
  readonly priority: number;
  readonly reason: FlowRemovedReason;
  /** With `unknown`: the number that stands on the wire. */
  readonly reasonNumber?: number;
  readonly tableId: number;
  /** For how long there was the flow: whole seconds. */
  readonly durationSec: number;
  /** What is over the whole seconds, in nanoseconds. */
  readonly durationNsec: number;
  /** Seconds; 0: none. */
  readonly idleTimeout: number;
  /** Seconds; 0: none. */
  readonly hardTimeout: number;
  readonly packetCount: bigint;
  readonly byteCount: bigint;
}

/** The sum of flows. */
export interface AggregateStats {
  readonly packetCount: bigint;
  readonly byteCount: bigint;
  readonly flowCount: number;
}
