/**
 * Flow monitors (OpenFlow 1.4, section 7.3.5.18; the same as extensions before): who is told of which flows.
 *
 * Changes are collected while a request is carried out and go out as one message when it is done, before anything else
 * that the connection is sent; what a failed bundle changed is forgotten instead. Many are collected as the bytes that
 * will be sent: a flow takes some 80 of them, and what they are made of several times as much, and longer. A connection's
 * own changes are told as one abbreviated update, unless a monitor asks for them whole.
 *
 *     told of all --more than BACKLOG unread--> paused --read to the end--> catching up --all told--> told of all
 *
 * Nothing is kept for a connection that is paused but the count of changes at which it was: each flow has the counts of
 * its own addition and last modification, from which follows what there is to catch up with. Only removals of flows
 * that the connection knows of are told at once, and so what a slow reader can make us keep is at most a short message
 * for each flow there was. Long first answers are caught up with in the same way, page by page; while a connection catches
 * up, there is a list of the flows that it has yet to be told of.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { OFPP } from '@ovs-node/flow/ports';
import { OfError } from '@ovs-node/openflow/errors';
import {
  ALL_TABLES,
  type FlowChange,
  type FlowMonitorRequest,
  type FlowUpdate,
  GROUP_ANY,
} from '@ovs-node/openflow/messages/types';
import { FMF } from '@ovs-node/openflow/messages/monitor-types';
import { type FlowTables, N_TABLES } from '../ofproto/flow-tables.js';
import type { Rule } from '../ofproto/rule.js';
import { outputsTo } from '../ofproto/selection.js';
import { type AskedWord, askedWords } from '../ofproto/subtable.js';
import type { FlowChangeEvent } from '../ofproto/types.js';

/** Unread bytes beyond which a connection is told of changes only later. */
const BACKLOG = 128 * 1024;
/** Flows in one page when catching up, and changes that are collected before they are made into bytes. */
const PAGE = 256;
/** Monitors of one connection. */
const MAX_MONITORS = 1024;

const FLAG = { added: FMF.ADD, removed: FMF.REMOVED, modified: FMF.MODIFY } as const;

/** What a monitor needs of a connection. */
export interface MonitorConnection {
  readonly isClosed: boolean;
  /** Bytes that the other side has yet to read. */
  readonly queued: number;
  /** Sends updates as one or more messages. */
  sendUpdates(updates: readonly FlowUpdate[], xid: number, more?: boolean): void;
  /** Keeps updates, as bytes, that go before those of the next `sendUpdates` of no request (xid 0) and with them. */
  keepUpdates(updates: readonly FlowUpdate[]): void;
  /** Says that monitoring is paused, or goes on. */
  sendPause(event: 'paused' | 'resumed'): void;
  /** Resolves when everything sent was read, or the connection has ended. */
  drained(): Promise<void>;
}

/** A request that changes flows. */
interface Requester {
  readonly connection: MonitorConnection;
  readonly xid: number;
}

interface Monitor extends FlowMonitorRequest {
  readonly asked: readonly AskedWord[];
}

class Session {
  readonly monitors = new Map<number, Monitor>();
  updates: FlowUpdate[] = [];
  isAbbreviated = false;
  /** The count of changes of which everything up to there has been told; undefined: everything is told at once. */
  pausedAt: number | undefined;

  /** What the monitors that select a flow in one of these cases ask for, together; 0: none does. */
  flagsFor(rule: Rule, events: number, oldActions: FlowChangeEvent['oldActions']): number {
    let flags = 0;
    for (const m of this.monitors.values())
      if ((m.flags & events) !== 0 && selects(m, rule, oldActions)) flags |= m.flags;
    return flags;
  }
}

export class FlowMonitors {
  /** The request being carried out, if there is one. */
  requester: Requester | undefined;
  readonly #tables: () => FlowTables;
  readonly #sessions = new Map<MonitorConnection, Session>();
  #count = 0;
  #isScheduled = false;
  /** What waits for the monitors to be told. */
  #afterwards: (() => void)[] = [];

  constructor(tables: () => FlowTables) {
    this.#tables = tables;
  }

  /** Takes changes that are made by the present requester; undefined while nobody monitors anything. */
  get watcher(): ((change: FlowChangeEvent) => void) | undefined {
    if (this.#sessions.size === 0) return undefined;
    const { requester } = this;
    return (change) => this.#changed(change, requester);
  }

  /** Monitors of a connection. */
  size(connection: MonitorConnection): number {
    return this.#sessions.get(connection)?.monitors.size ?? 0;
  }

  /**
   * Carries out a request, all of it or nothing.
   * @returns the error to answer with, or resolves when the flows that there are have been sent.
   */
  request(
    requests: readonly FlowMonitorRequest[],
    connection: MonitorConnection,
    xid: number,
  ): OfError | Promise<undefined> {
    const session = this.#sessions.get(connection) ?? new Session();
    const { monitors } = session;
    // What there was of each; of all there are, a copy would cost every request as much as a thousand.
    const before: (readonly [id: number, monitor: Monitor | undefined])[] = [];
    const fresh: FlowMonitorRequest[] = [];
    for (const m of requests) {
      const was = monitors.get(m.id);
      const error = apply(monitors, m);
      if (error) {
        for (const [id, monitor] of before.reverse()) {
          if (monitor) monitors.set(id, monitor);
          else monitors.delete(id);
        }
        return error;
      }
      before.push([m.id, was]);
      if (m.command !== 'delete') fresh.push(m);
    }
    this.#keep(connection, session);
    return this.#sendInitial(fresh, connection, session, xid);
  }

  /** Ends one monitor. */
  cancel(id: number, connection: MonitorConnection): OfError | undefined {
    const session = this.#sessions.get(connection);
    if (!session?.monitors.delete(id)) return new OfError('OFPMOFC_UNKNOWN_MONITOR', `monitor ${id}`);
    this.#keep(connection, session);
    return undefined;
  }

  /** A connection is gone. */
  ended(connection: MonitorConnection): void {
    this.#sessions.delete(connection);
  }

  #keep(connection: MonitorConnection, session: Session): void {
    if (session.monitors.size === 0) this.#sessions.delete(connection);
    else this.#sessions.set(connection, session);
  }

  #changed(change: FlowChangeEvent, requester: Requester | undefined): void {
    const { event, rule, reason, oldActions, follows } = change;
    if (rule.isHidden) return;
    if (event === 'added') {
      rule.addSeq = rule.modifySeq = ++this.#count;
      if (oldActions === undefined) rule.firstSeq = rule.addSeq;
    } else if (event === 'modified') rule.modifySeq = ++this.#count;
    for (const [connection, session] of this.#sessions) {
      const { pausedAt } = session;
      if (pausedAt !== undefined && (event !== 'removed' || rule.firstSeq > pausedAt)) continue;
      const flags = session.flagsFor(rule, FLAG[event], oldActions);
      if (flags === 0) continue;
      if (session.updates.length >= PAGE) {
        connection.keepUpdates(session.updates);
        session.updates = [];
      }
      const isOwn = !follows && requester?.connection === connection;
      if (!isOwn || (flags & FMF.ONLY_OWN) !== 0 || pausedAt !== undefined) {
        session.updates.push(describe(event, rule, flags, reason));
      } else if (!session.isAbbreviated) {
        session.isAbbreviated = true;
        session.updates.push({ event: 'abbrev', xid: requester.xid });
      }
      this.#schedule();
    }
    // Flows whose time is over go one by one, each in a message of its own.
    if (reason === 'idle' || reason === 'hard') this.flush();
  }

  /** What changes outside of requests goes out when the present work is done. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** Sends what has been collected. */
  flush(): void {
    for (const [connection, session] of this.#sessions) {
      if (session.updates.length === 0) continue;
      const { updates } = session;
      session.updates = [];
      session.isAbbreviated = false;
      connection.sendUpdates(updates, 0);
      if (session.pausedAt === undefined && connection.queued > BACKLOG) {
        session.pausedAt = this.#count;
        connection.sendPause('paused');
        void this.#catchUp(connection, session).then((isDone) => {
          if (isDone) connection.sendPause('resumed');
        });
      }
    }
    const told = this.#afterwards;
    this.#afterwards = [];
    for (const tell of told) tell();
  }

  /** Calls `tell`, of a flow that is gone, when monitors have been told what changed, as with the peer. */
  afterwards(tell: () => void): void {
    if (this.#hasUpdates()) this.#afterwards.push(tell);
    else tell();
  }

  #hasUpdates(): boolean {
    for (const { updates } of this.#sessions.values()) if (updates.length > 0) return true;
    return false;
  }

  /**
   * Tells a connection that is paused what it missed, as it reads, until there is no more.
   * @returns false when there is nobody left to tell.
   */
  async #catchUp(connection: MonitorConnection, session: Session): Promise<boolean> {
    for (;;) {
      await connection.drained();
      if (connection.isClosed || session.pausedAt === undefined) return false;
      // That looks at every flow: anew only when all that was found has been told.
      const missed = this.#missed(session, session.pausedAt);
      if (missed.length === 0) break;
      for (let at = 0; at < missed.length; at += PAGE) {
        if (at > 0) await connection.drained();
        await nextTurn();
        if (connection.isClosed) return false;
        const page = missed.slice(at, at + PAGE);
        const updates = page.flatMap(({ rule, isNew, seq }) => {
          // What has changed once more is found the next time.
          if (rule.removed || (isNew ? rule.addSeq : rule.modifySeq) !== seq) return [];
          const flags = session.flagsFor(rule, isNew ? FMF.ADD | FMF.MODIFY : FMF.MODIFY, undefined);
          return flags === 0 ? [] : [describe(isNew ? 'added' : 'modified', rule, flags, undefined)];
        });
        if (updates.length > 0) connection.sendUpdates(updates, 0);
        session.pausedAt = page.at(-1)!.seq;
      }
    }
    session.pausedAt = undefined;
    return true;
  }

  /** Flows that were added or modified since, in that order. */
  #missed(session: Session, since: number): { rule: Rule; isNew: boolean; seq: number }[] {
    const found = new Map<Rule, number>();
    for (const m of session.monitors.values()) {
      this.#each(m, (rule) => {
        const isNew = rule.addSeq > since;
        if (!isNew && rule.modifySeq <= since) return;
        if ((m.flags & (isNew ? FMF.ADD | FMF.MODIFY : FMF.MODIFY)) === 0) return;
        found.set(rule, isNew ? rule.addSeq : rule.modifySeq);
      });
    }
    return [...found]
      .map(([rule, seq]) => ({ rule, isNew: rule.addSeq > since, seq }))
      .sort((a, b) => a.seq - b.seq);
  }

  async #sendInitial(
    monitors: readonly FlowMonitorRequest[],
    connection: MonitorConnection,
    session: Session,
    xid: number,
  ): Promise<undefined> {
    const found = new Map<Rule, number>();
    for (const m of monitors) {
      if ((m.flags & FMF.INITIAL) === 0) continue;
      this.#each(m, (rule) => found.set(rule, (found.get(rule) ?? 0) | m.flags));
    }
    const flows = [...found];
    const isLong = flows.length > PAGE && session.pausedAt === undefined;
    const start = this.#count;
    if (isLong) session.pausedAt = start;
    for (let at = 0; at === 0 || at < flows.length; at += PAGE) {
      if (at > 0) {
        await connection.drained();
        await nextTurn();
      }
      if (connection.isClosed) return;
      const page = flows.slice(at, at + PAGE).flatMap(([rule, flags]) => {
        // A flow that others have changed meanwhile is told of as it is now, one that has gone not at all.
        const now = rule.removed ? this.#tables().find(rule.tableId, rule.match(), rule.priority) : rule;
        return now === undefined || now.addSeq > start ? [] : [describe('initial', now, flags, undefined)];
      });
      connection.sendUpdates(page, xid, at + PAGE < flows.length);
    }
    // Nothing was said of a pause: the answer had not ended.
    if (isLong) await this.#catchUp(connection, session);
  }

  /** The flows that a monitor selects. */
  #each(m: FlowMonitorRequest, visit: (rule: Rule) => void): void {
    const filter = { ...m, cookie: 0n, cookieMask: 0n };
    this.#tables().forEach(filter, visit);
  }
}

function apply(monitors: Map<number, Monitor>, m: FlowMonitorRequest): OfError | undefined {
  const { id, command } = m;
  if (command === 'unknown') return new OfError('OFPMOFC_BAD_COMMAND', `monitor ${id}`);
  if (command !== 'add' && !monitors.has(id)) return new OfError('OFPMOFC_UNKNOWN_MONITOR', `monitor ${id}`);
  if (command === 'delete') {
    monitors.delete(id);
    return undefined;
  }
  if (command === 'add' && monitors.has(id)) return new OfError('OFPMOFC_MONITOR_EXISTS', `monitor ${id}`);
  if (m.tableId !== ALL_TABLES && m.tableId >= N_TABLES)
    return new OfError('OFPBRC_BAD_TABLE_ID', `table ${m.tableId}`);
  if (monitors.size >= MAX_MONITORS)
    return new OfError('OFPMOFC_UNKNOWN', `more than ${MAX_MONITORS} monitors`);
  monitors.set(id, { ...m, asked: askedWords(m.match) });
  return undefined;
}

function selects(m: Monitor, rule: Rule, oldActions: FlowChangeEvent['oldActions']): boolean {
  if (m.tableId !== ALL_TABLES && m.tableId !== rule.tableId) return false;
  if (m.outPort !== OFPP.ANY && !outputsTo(rule.actions, m.outPort)) {
    if (oldActions === undefined || !outputsTo(oldActions, m.outPort)) return false;
  }
  if (m.outGroup !== GROUP_ANY && !rule.facts.groups.includes(m.outGroup)) return false;
  return rule.fits(m.asked);
}

function describe(
  event: FlowChange['event'],
  rule: Rule,
  flags: number,
  reason: FlowChangeEvent['reason'],
): FlowChange {
  return {
    event,
    reason: reason ?? 'idle',
    idleTimeout: rule.idleTimeout,
    hardTimeout: rule.hardTimeout,
    tableId: rule.tableId,
    priority: rule.priority,
    cookie: rule.cookie,
    match: rule.match(),
    actions: (flags & FMF.INSTRUCTIONS) === 0 ? [] : rule.actions,
  };
}
