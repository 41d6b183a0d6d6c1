/**
 * The state of one translation: an OpenFlow flow (a packet's headers and metadata) on its way through tables,
 * turning into datapath actions and a mask of what the result depended on.
 *
 * - `flow` is the packet as the actions so far have left it; `base` is the packet as the datapath actions emitted so
 *   far have left it. Before something leaves, `commit` emits the actions that bring `base` to `flow`.
 * - `wc` gains every bit that was looked at. It becomes the megaflow's mask.
 * - side effects (MAC learning, statistics, packets to controllers) happen only when `effects` is given; what must
 *   happen again for later packets of the same megaflow is written to `cache` instead.
 */
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { formatFlow } from '@ovs-node/flow/flow-text';
import { type FlowKey, KEY_WORDS, newKey, W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import { NlWriter } from '@ovs-node/netlink/attr';
import type { Action } from '@ovs-node/openflow/actions/types';
import { COOKIE_NONE, type FlowMod } from '@ovs-node/openflow/messages/types';
import type { Ofproto } from '../ofproto.js';
import type { Bundle, OfPort } from '../ports.js';
import type { FrozenState, RecircTable } from '../recirc.js';
import type { Rule } from '../rule.js';
import { LONG_KEY_WORDS } from '../tlv-table.js';
import type { FlowTable } from '../flow-table.js';
import type { FlowTables, Lesson } from '../flow-tables.js';
import type { Group } from '../group.js';
import type { FrozenAction, StackItem } from '@ovs-node/openflow/messages/continuation';
import type { Frozen } from './freeze.js';
import type { Remark, RemarkKind } from './trace-node.js';

const log = vlog('ofproto_dpif_xlate');
const errorLimit = new RateLimit(1, 5);
const oddityLimit = new RateLimit(1, 5);

export const MAX_DEPTH = 64;
export const MAX_RESUBMITS = 4096;
/** Bytes of datapath actions beyond which a flow's packets are handled in vswitchd. */
export const MAX_ACTION_BYTES = 0xffff - 4;

/** Why a translation failed; its packets are dropped. The texts are the peer's. */
export const XLATE_ERRORS = {
  bridge: 'Bridge not found',
  depth: 'Recursion too deep',
  resubmits: 'Too many resubmits',
  stack: 'Stack too deep',
  recirc: 'No recirculation context',
  conflict: 'Recirculation conflict',
  labels: 'Too many MPLS labels',
  packetType: 'Unsupported packet type',
} as const;
export type XlateError = keyof typeof XLATE_ERRORS;

/** What later packets of a megaflow must do again in the control plane. */
export type CacheEntry =
  | { readonly type: 'rule'; readonly rule: Rule }
  | { readonly type: 'table'; readonly table: FlowTable; readonly matched: boolean }
  | {
      readonly type: 'learn-flow';
      readonly ofproto: Ofproto;
      readonly flowMod: FlowMod;
      readonly limit: number;
    }
  | {
      readonly type: 'fin-timeout';
      readonly tables: FlowTables;
      readonly rule: Rule;
      /** s; 0: as it is. */
      readonly idle: number;
      readonly hard: number;
    }
  /** `index` is that of the bucket, or `EVERY_BUCKET`. */
  | { readonly type: 'group'; readonly group: Group; readonly index: number }
  | { readonly type: 'patch'; readonly from: OfPort; readonly to: OfPort }
  | {
      readonly type: 'learn-mac';
      readonly ofproto: Ofproto;
      readonly inPort: number;
      readonly mac: bigint;
      readonly vlan: number;
      readonly isGratArp: boolean;
    };

/** Traffic that a translation stands for. */
export interface Traffic {
  readonly packets: number;
  readonly bytes: number;
  /** ms */
  readonly used: number;
  /** Of all the packets together. */
  readonly tcpFlags: number;
}

export interface XlateInput {
  /** Where the packet came in; for a thawed one, any bridge of the backer. */
  readonly ofproto: Ofproto;
  /** OpenFlow key. Not changed. */
  readonly flow: FlowKey;
  /** Given: learn, count, and send to controllers. */
  readonly effects: Traffic | undefined;
  readonly cache: CacheEntry[] | undefined;
  readonly trace: Remark[] | undefined;
  /** Instead of a table look-up: a packet-out's actions. */
  readonly actions?: readonly Action[];
  /** The packet is a controller's; with `actions`, a trace only pretends that. */
  readonly isPacketOut?: boolean;
  /** Instead of a table look-up: where to go on with a packet that a controller has had. */
  readonly resumed?: FrozenState;
  readonly now: number;
  /** Trace: told of each recirculation. */
  readonly onRecirc?: (id: number, flow: FlowKey, zone: number, nat: boolean) => void;
  /** Whether a real packet is behind it (only then are some drops logged). */
  readonly hasPacket: boolean;
}

export interface XlateResult {
  readonly error: XlateError | undefined;
  /** OVS_ACTION_ATTR_* list. */
  readonly actions: Uint8Array;
  /** OpenFlow-side mask; empty unless the translation wanted it. */
  readonly wc: FlowKey;
  /** Whether flows were learned. */
  readonly taught: boolean;
  /** What was found out now may be otherwise with the next packet, which must be translated by itself. */
  readonly isUnique: boolean;
  /** Slow bits: not zero when packets must come to vswitchd. */
  readonly slow: number;
  /** Recirculation numbers that `actions` name, held once each for the caller. */
  readonly recircIds: readonly number[];
  /** The packet after all actions; only for a traced translation. */
  readonly finalFlow: FlowKey | undefined;
  /** The bridge where the packet (or its continuation) came in. */
  readonly ofproto: Ofproto;
}

/** A bundle stand-in for packets that come from a controller. */
export type InBundle = Bundle | 'none' | undefined;

/** Translates a list of actions. */
export type Xlator = (ctx: XlateContext, actions: readonly FrozenAction[], isLast: boolean) => void;

// One translation is made at a time, and these are used up within it; only the mask outlives it.
/** With room for tunnel options behind the key (tlv-table.ts). */
const sharedFlow = new Uint32Array(LONG_KEY_WORDS);
const sharedBase = newKey();
const sharedOut = new NlWriter(1024);

export class XlateContext {
  readonly input: XlateInput;
  readonly flow: FlowKey = sharedFlow;
  readonly base: FlowKey = sharedBase;
  readonly wc: FlowKey;
  readonly out = sharedOut.reset();
  readonly recirc: RecircTable;
  readonly recircIds: number[] = [];
  ofproto: Ofproto;
  rule: Rule | undefined = undefined;
  /** Of the rule whose actions are at work, as controllers are told. */
  ruleCookie = COOKIE_NONE;
  tableId = 0;
  depth = 0;
  resubmits = 0;
  stack: StackItem[] = [];
  actionSet: Action[] = [];
  inActionSet = false;
  /** The actions at work are those of a group's bucket themselves. */
  inBucket = false;
  conntracked = false;
  /** A label stack was popped from the packet, whose headers below it are not known yet. */
  wasMpls = false;
  /** Headers were put on, or taken off, since the last commit; `encapData` is the variable metadata of NSH. */
  pendingEncap = false;
  pendingDecap = false;
  encapData: Uint8Array | undefined = undefined;
  /** Flows that look-ups meet when the translation is over. */
  readonly learned: { readonly ofproto: Ofproto; readonly lesson: Lesson }[] = [];
  exit = false;
  /** Actions to go on with, of a translation that was frozen in the middle of them. */
  thawed: readonly FrozenAction[] | undefined = undefined;
  /** The translation stopped, to be gone on with later (freeze.ts). */
  frozen: Frozen | undefined = undefined;
  error: XlateError | undefined = undefined;
  slow = 0;
  isUnique = false;
  nat: Extract<Action, { type: 'nat' }> | undefined = undefined;
  readonly origPriority: number;
  /** Where remarks go; undefined: not traced. */
  trace: Remark[] | undefined;

  /** Translates a list of actions; `isLast`: nothing is executed after it. Set by `translate`. */
  readonly doActions: Xlator;

  constructor(input: XlateInput, recirc: RecircTable, doActions: Xlator) {
    this.doActions = doActions;
    this.input = input;
    this.flow.set(input.flow);
    this.flow.fill(0, input.flow.length);
    // No datapath action changes options: they are not kept of the datapath's packet.
    this.base.set(input.flow.length > KEY_WORDS ? input.flow.subarray(0, KEY_WORDS) : input.flow);
    this.ofproto = input.ofproto;
    this.recirc = recirc;
    this.trace = input.trace;
    this.wc = input.trace === undefined ? newKey() : new Uint32Array(LONG_KEY_WORDS);
    this.origPriority = input.flow[W.SKB_PRIORITY]!;
    this.flow[W.ACTSET_OUTPUT] = OFPP.UNSET;
  }

  /** Adds a remark to the trace; returns the list for remarks below it. Callers check `trace` where text is costly. */
  report(kind: RemarkKind, text: string): Remark[] | undefined {
    if (this.trace === undefined) return undefined;
    const subs: Remark[] = [];
    this.trace.push({ kind, text, subs });
    return subs;
  }

  /**
   * Something that is wrong with the flow tables, or with a packet: a remark of the trace, or a line of the log. Where no
   * packet has come, but its datapath flow is looked at again, nothing is said.
   */
  reportError(text: string): void {
    if (this.trace) this.report('error', text);
    else if (this.input.hasPacket) log.warnRl(errorLimit, () => this.forLog(text));
  }

  /** The same of something that may well be meant. */
  reportOddity(text: string): void {
    if (this.trace) this.report('warn', text);
    else if (this.input.hasPacket) log.infoRl(oddityLimit, () => this.forLog(text));
  }

  /** A line for the log. The packet is told as it last left. */
  private forLog(text: string): string {
    return `${text} on bridge ${this.ofproto.name} while processing ${formatFlow(this.base)}`;
  }

  /** An error, which ends the translation, with its remark. */
  fail(error: XlateError, text: string): void {
    this.error = error;
    this.reportError(text);
  }

  /** Copies of the parts of the flow that actions change, to be put back by `restoreFlow`. */
  saveFlow(): FlowKey {
    return Uint32Array.from(this.flow);
  }

  restoreFlow(saved: FlowKey): void {
    this.flow.set(saved);
  }
}
