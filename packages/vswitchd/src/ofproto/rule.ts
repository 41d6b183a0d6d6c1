/**
 * A flow of an OpenFlow table.
 */
import type { Action } from '@ovs-node/openflow/actions/types';
import {
  COOKIE_NONE,
  FF,
  type FlowRemoved,
  type FlowRemovedReason,
  type FlowStats,
} from '@ovs-node/openflow/messages/types';
import { type ActionFacts, factsOf } from './action-facts.js';
import { ClassifierRule } from './subtable.js';
import { durationSince } from './duration.js';

/** Priorities above this are of flows that the switch adds for itself and controllers do not see. */
export const MAX_VISIBLE_PRIORITY = 0xffff;

/** What a flow is made of, but for its match. */
export type RuleSpec = Pick<
  FlowStats,
  'tableId' | 'priority' | 'cookie' | 'idleTimeout' | 'hardTimeout' | 'importance' | 'flags' | 'actions'
>;

/** Times are ms of the `now` that the caller passes everywhere; counters are whole numbers below 2^53. */
export class Rule extends ClassifierRule {
  readonly tableId: number;
  cookie: bigint;
  idleTimeout: number;
  hardTimeout: number;
  importance: number;
  flags: number;
  readonly actions: readonly Action[];
  /** What the actions name. */
  readonly facts: ActionFacts;
  created: number;
  modified: number;
  used: number;
  /** When a flow of this match came, was added last and changed last, by the count of the flow monitors; 0: before any. */
  firstSeq = 0;
  addSeq = 0;
  modifySeq = 0;
  packets = 0;
  bytes = 0;
  /** Its neighbours among the flows of its cookie (cookie-index.ts). */
  previousOfCookie: Rule | null = null;
  nextOfCookie: Rule | null = null;
  /** Out of the tables: statistics that come in late go to the flow that has taken its place, if one has. */
  removed = false;
  /** That flow, and whether it has taken over what this one has counted. */
  private heir: { readonly rule: Rule; readonly counts: boolean } | undefined;

  constructor(spec: RuleSpec, now: number) {
    super(spec.priority);
    this.tableId = spec.tableId;
    this.cookie = spec.cookie;
    this.idleTimeout = spec.idleTimeout;
    this.hardTimeout = spec.hardTimeout;
    this.importance = spec.importance;
    this.flags = spec.flags;
    this.actions = spec.actions;
    this.facts = factsOf(spec.actions);
    this.created = now;
    this.modified = now;
    this.used = now;
    this.conjunction = this.facts.conjunction;
  }

  /** Its life begins now: it may have been made some time before it comes into its table. */
  startAt(now: number): void {
    this.created = now;
    this.modified = now;
    this.used = now;
  }

  /** An addition takes the place of a flow of the same match and priority. */
  replace(old: Rule): void {
    // No cookie is none of its own.
    if (this.cookie === COOKIE_NONE) this.cookie = old.cookie;
    this.goOnFrom(old);
    this.inherit(old, (this.flags & FF.RESET_COUNTS) === 0);
  }

  /** To flow monitors it is the flow whose place it takes. */
  goOnFrom({ firstSeq, addSeq, modifySeq }: Rule): void {
    this.firstSeq = firstSeq;
    this.addSeq = addSeq;
    this.modifySeq = modifySeq;
  }

  /** A flow that takes another's place was last used when that one was. @param counts whether it has counted what that has. */
  inherit(old: Rule, counts: boolean): void {
    old.heir = { rule: this, counts };
    this.used = old.used;
    if (!counts) return;
    this.packets = old.packets;
    this.bytes = old.bytes;
  }

  /** It is in its table again, as if nothing had taken its place. */
  putBack(): void {
    this.removed = false;
    this.heir = undefined;
  }

  get isHidden(): boolean {
    return this.priority > MAX_VISIBLE_PRIORITY;
  }

  /** Adds traffic, also to the flows that have taken its place. `used` only moves forward. */
  credit(packets: number, bytes: number, used: number): void {
    let counts = true;
    this.count(packets, bytes, used, counts);
    // Not by recursion: a bundle can change a flow as often as it likes.
    for (let { heir } = this; heir !== undefined; heir = heir.rule.heir) {
      counts &&= heir.counts;
      heir.rule.count(packets, bytes, used, counts);
    }
  }

  private count(packets: number, bytes: number, used: number, counts: boolean): void {
    if (packets > 0 && used > this.used) this.used = used;
    if (!counts) return;
    this.packets += packets;
    this.bytes += bytes;
  }

  /** The reason for which the flow has expired, if it has. */
  expired(now: number): 'idle' | 'hard' | undefined {
    if (this.hardTimeout !== 0 && now > this.modified + this.hardTimeout * 1000) return 'hard';
    if (this.idleTimeout !== 0 && now > this.used + this.idleTimeout * 1000) return 'idle';
    return undefined;
  }

  /** The flow as a statistics reply shows it. */
  stats(now: number): FlowStats {
    const { durationSec, durationNsec } = durationSince(this.created, now);
    return {
      match: this.match(),
      tableId: this.tableId,
      priority: this.priority,
      cookie: this.cookie,
      idleTimeout: this.idleTimeout,
      hardTimeout: this.hardTimeout,
      importance: this.importance,
      flags: this.flags,
      durationSec,
      durationNsec,
      idleAge: ageOf(this.used, now),
      hardAge: ageOf(this.modified, now),
      packetCount: counter(this.packets),
      byteCount: counter(this.bytes),
      actions: this.actions,
    };
  }

  /** The flow as a flow_removed message tells of it. */
  removal(reason: FlowRemovedReason, now: number): FlowRemoved {
    return {
      match: this.match(),
      cookie: this.cookie,
      priority: this.priority,
      reason,
      tableId: this.tableId,
      ...durationSince(this.created, now),
      idleTimeout: this.idleTimeout,
      hardTimeout: this.hardTimeout,
      packetCount: BigInt(this.packets),
      byteCount: BigInt(this.bytes),
    };
  }
}

/** A counter as messages have it; most flows of a large table have counted nothing, for which nothing is made. */
function counter(n: number): bigint {
  return n === 0 ? 0n : BigInt(n);
}

/** Seconds since then, as far as a switch counts them. */
function ageOf(then: number, now: number): number {
  return Math.min(Math.max(0, Math.floor((now - then) / 1000)), 0xffff);
}
