/**
 * The OpenFlow tables of one bridge: flow-mods, queries, expiry (OpenFlow 1.0 section 4.6, 1.3 section 6.4). Where the
 * flows lie, and how a transaction is taken back: flow-store.ts.
 *
 * Tables 0..253 belong to controllers, 254 to the switch itself. A flow-mod is checked whole before it changes
 * anything, so an error leaves the tables as they were. Counters: a changed flow keeps those of the old one unless
 * the message says FF.RESET_COUNTS (the OpenFlow 1.0 codec sets it on additions, as the version demands).
 */
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import type { Action } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';
import {
  ALL_TABLES,
  type AggregateStats,
  COOKIE_NONE,
  FF,
  type FlowFilter,
  type FlowMod,
  type FlowStats,
  type MessageOf,
  type TableMod,
  type TableStats,
} from '@ovs-node/openflow/messages/types';
import { factsOf } from './action-facts.js';
import {
  type Admission,
  admitActions,
  checkActions,
  missing,
  type Named,
  N_USER_TABLES,
} from './check-actions.js';
import { type FlowObserver, FlowStore, N_TABLES, USER_TABLES } from './flow-store.js';
import { type FlowTable, MAX_TABLE_FLOWS, type TableSettings } from './flow-table.js';
import { Rule } from './rule.js';
import { formatActionList } from './rule-text.js';
import { cookieSelection, filterSelection, modSelection } from './selection.js';
import { invalidField, type TlvTable } from './tlv-table.js';

export { N_USER_TABLES } from './check-actions.js';
export { N_TABLES } from './flow-store.js';
/** The table of the switch's own flows. */
export const INTERNAL_TABLE = 254;

/** Whether controllers may not change a table. */
function isOwnTable({ tableId }: Pick<FlowMod, 'tableId'>): boolean {
  return tableId >= N_USER_TABLES && tableId !== ALL_TABLES;
}

function ownTable({ tableId }: Pick<FlowMod, 'tableId'>): OfError {
  return new OfError('OFPBRC_EPERM', `table ${tableId} is the switch's own`);
}

/** Who is told of changes, and knows of what flows name. */
export interface TableObserver extends FlowObserver {
  /** Whether a flow may send to a group of that number. */
  hasGroup(id: number): boolean;
  /** The datapath's number of a meter that a flow may use. */
  dpMeter(id: number): number | undefined;
}

/** What a flow that is taught does is not compared with what it matches: the learn action has been. */
const asTaught = ({ actions }: FlowMod): Admission => ({ error: undefined, actions });

/** What a packet has taught. */
export interface Lesson {
  /** Not so when there were as many flows as there may be. */
  readonly isLearned: boolean;
  /** To be called when the packet has gone its way. */
  readonly end: (() => OfError | undefined) | undefined;
}

export class FlowTables {
  private readonly store: FlowStore;
  private readonly observer: TableObserver;
  private readonly named: Named;

  constructor(observer: TableObserver) {
    this.observer = observer;
    this.store = new FlowStore(observer);
    this.named = {
      hasGroup: (id) => observer.hasGroup(id),
      dpMeter: (id) => observer.dpMeter(id),
      tunnelOptionBits: (index) => this.tlv.bits(index),
    };
  }

  /** What the tunnel options are that flows name. */
  get tlv(): TlvTable {
    return this.store.tlv;
  }

  /** Flows in all tables. */
  get size(): number {
    return this.store.size;
  }

  /** Table `id` (0..254), made when it is first asked for. */
  table(id: number): FlowTable {
    return this.store.table(id);
  }

  /** The flow of a table with just that match and priority. */
  find(tableId: number, match: Match, priority: number): Rule | undefined {
    return this.store.find(tableId, match, priority);
  }

  /** Every flow with the hidden ones, tables in order; `bridge/dump-flows`. */
  all(): Rule[] {
    return this.store.all();
  }

  /** Begins a transaction: as `FlowStore.begin`. */
  begin(): void {
    this.store.begin();
  }

  /** Ends the transaction and tells of the flows that it removed. */
  commit(now: number): void {
    this.store.commit(now);
  }

  /** Ends the transaction and puts everything back. */
  rollBack(): void {
    this.store.rollBack();
  }

  /** Lets look-ups see all that a transaction has changed: as `FlowStore.publish`. */
  publish(): void {
    this.store.publish();
  }

  /** Takes over what the database says of tables, by number; of those left out it says nothing. */
  configure(settings: ReadonlyMap<number, TableSettings>, now: number): void {
    for (let id = 0; id < N_USER_TABLES; id++) {
      const wanted = settings.get(id);
      if (wanted === undefined && this.store.madeTable(id) === undefined) continue;
      const table = this.table(id);
      if (table.configure(wanted)) this.observer.tablesChanged();
      // What may not be evicted stays.
      while (table.isOverfull && this.makeRoom(table, now)) this.store.sizeChanged(id);
    }
    this.store.settle(now);
  }

  /** Carries out a table-mod. @returns the error to answer with. */
  tableMod(mod: TableMod): OfError | undefined {
    const { tableId } = mod;
    if (tableId !== ALL_TABLES && tableId >= N_USER_TABLES)
      return new OfError('OFPTMFC_EPERM', `table ${tableId} is the switch's own`);
    const ids = tableId === ALL_TABLES ? USER_TABLES : [tableId];
    for (const id of ids) this.table(id).modify(mod);
    this.observer.tablesChanged();
    return undefined;
  }

  /** Evicts a flow. @returns whether there was one that may go. */
  private makeRoom(table: FlowTable, now: number): boolean {
    const victim = table.evictable?.first(now);
    if (victim !== undefined) this.store.takeOut(victim, 'eviction', now);
    return victim !== undefined;
  }

  /** Carries out a change of what tunnel options are called. @returns the error to answer with. */
  tlvMod(mod: Pick<MessageOf<'tlv_table_mod'>, 'command' | 'mappings'>): OfError | undefined {
    const used = new Set<number>();
    if (mod.command !== 'add')
      for (const rule of this.all()) for (const index of optionsOf(rule)) used.add(index);
    const error = this.tlv.modify(mod, (index) => used.has(index));
    if (!error) this.observer.tablesChanged();
    return error;
  }

  /** How often flows send to a group: one may do so several times. */
  groupUsers(id: number): number {
    return this.store.byGroup.references(id);
  }

  /** Removes the flows that send to a group. */
  removeGroupUsers(id: number, now: number): void {
    this.store.dropAll([...this.store.byGroup.users(id)], 'group_delete', now);
    this.store.settle(now);
  }

  /** Flows that use a meter. */
  meterUsers(id: number): number {
    return this.store.byMeter.users(id).size;
  }

  /** Removes the flows that use a meter. */
  removeMeterUsers(id: number, now: number): void {
    this.store.dropAll([...this.store.byMeter.users(id)], 'meter_delete', now);
    this.store.settle(now);
  }

  /** Carries a flow-mod out. @returns the error to answer with; then nothing has changed. */
  flowMod(fm: FlowMod, now: number): OfError | undefined {
    const error = this.carryOut(fm, now);
    this.store.settle(now);
    return error;
  }

  /**
   * The flow that an addition is going to make, for a bundle to keep in place of the message. Undefined when what is to
   * be said of it cannot be known before it is carried out: of other commands, and where it names tunnel options, which
   * can be others by then.
   * @param fm as it was decoded, which has seen to it that its actions fit its match, and without a `problem`.
   */
  draft(fm: FlowMod): Rule | undefined {
    const { command, match, actions, tableId } = fm;
    if (command !== 'add' || tableId === ALL_TABLES || match.tunMetadata !== undefined) return undefined;
    const { tunnelOptions, isMixed, metersController } = factsOf(actions);
    return isMixed || tunnelOptions.length > 0 || metersController
      ? undefined
      : this.ruleOf(fm, tableId, actions, 0);
  }

  /** Carries out the addition of a flow that `draft` gave. @returns as `flowMod`. */
  addDraft(rule: Rule, now: number): OfError | undefined {
    const error = this.addRule(rule, now);
    this.store.settle(now);
    return error;
  }

  /**
   * Why a flow-mod cannot be, whatever flows there are: it names a tunnel option that there is none of, or would have a
   * flow of the switch's own. Such a one is not even taken into a bundle.
   */
  problem(fm: FlowMod): OfError | undefined {
    const { match, actions, command } = fm;
    const unknown = factsOf(actions).tunnelOptions.find((index) => !this.tlv.has(index));
    if (unknown !== undefined) return invalidField(unknown);
    const error = this.tlv.problem(match);
    if (error || command === 'delete' || command === 'delete_strict') return error;
    if (isOwnTable(fm)) return ownTable(fm);
    return hasHiddenFields(match)
      ? new OfError('OFPBRC_EPERM', 'match on a field of the switch itself')
      : undefined;
  }

  private carryOut(fm: FlowMod, now: number): OfError | undefined {
    const problem = this.problem(fm);
    if (problem) return problem;
    switch (fm.command) {
      case 'add':
        return this.add(fm, now);
      case 'modify':
      case 'modify_strict':
        return this.modify(fm, now);
      case 'delete':
      case 'delete_strict':
        return this.remove(fm, now);
    }
  }

  /**
   * Carries out the flow-mod of a learn action. A flow that is there already with the same actions only has its hard
   * timeout begin again, which changes no look-up.
   * @param limit flows with its cookie that its table may have for one to be added; 0: any number.
   */
  learn(fm: FlowMod, now: number, limit = 0): OfError | undefined {
    const same = this.taught(fm);
    if (same) {
      const { modified } = same;
      same.modified = now;
      this.store.undoBy(() => {
        same.modified = modified;
      });
      return undefined;
    }
    if (!this.hasRoomToLearn(fm, limit)) return undefined;
    const error = this.modify(fm, now, true);
    this.store.settle(now);
    return error;
  }

  /**
   * As `learn`, while the packet that teaches is on its way: it does not meet the flow, which is there until then only for what
   * look-ups look at. What takes another's place waits.
   */
  teach(fm: FlowMod, now: number, limit: number): Lesson | OfError {
    if (!this.mayLearn(fm, limit)) return { isLearned: false, end: undefined };
    const old = this.find(fm.tableId, fm.match, fm.priority);
    if (old && !sameActions(old.actions, fm.actions)) {
      return { isLearned: true, end: () => this.learn(fm, now, limit) };
    }
    const error = this.learn(fm, now, limit);
    if (error) return error;
    const rule = old ? undefined : this.find(fm.tableId, fm.match, fm.priority);
    if (!rule) return { isLearned: true, end: undefined };
    rule.isPending = true;
    return {
      isLearned: true,
      end: () => {
        rule.isPending = false;
        return undefined;
      },
    };
  }

  /** The flow that a learn action teaches, when it is there already. */
  taught(fm: FlowMod): Rule | undefined {
    const old = this.find(fm.tableId, fm.match, fm.priority);
    return old && sameActions(old.actions, fm.actions) ? old : undefined;
  }

  /** Whether a flow that a learn action teaches is there, or may be added, by the limit of flows with its cookie. */
  mayLearn(fm: FlowMod, limit: number): boolean {
    return limit === 0 || this.taught(fm) !== undefined || this.hasRoomToLearn(fm, limit);
  }

  private hasRoomToLearn(fm: FlowMod, limit: number): boolean {
    return limit === 0 || this.store.select(cookieSelection(fm.tableId, fm.newCookie)).length < limit;
  }

  /** Lowers the timeouts of a flow to these (s) where they are longer or there are none; 0 leaves one as it is. */
  reduceTimeouts(rule: Rule, idle: number, hard: number): void {
    if (rule.removed || (idle === 0 && hard === 0)) return;
    if (idle !== 0 && (rule.idleTimeout === 0 || rule.idleTimeout > idle)) rule.idleTimeout = idle;
    if (hard !== 0 && (rule.hardTimeout === 0 || rule.hardTimeout > hard)) rule.hardTimeout = hard;
    this.store.mayExpire(rule);
  }

  /** Adds a flow that controllers do not see, of a priority above 65535, or a flow of the internal table. */
  addInternal(
    tableId: number,
    priority: number,
    match: Match,
    actions: readonly Action[],
    now: number,
  ): Rule {
    const rule = new Rule(
      { tableId, priority, cookie: 0n, idleTimeout: 0, hardTimeout: 0, importance: 0, flags: 0, actions },
      now,
    );
    this.table(tableId).classifier.place(rule, match);
    this.store.insert(rule);
    this.observer.tablesChanged();
    return rule;
  }

  /** Takes a flow out that `addInternal` gave. */
  removeInternal(rule: Rule, now: number): void {
    this.store.drop(rule, 'delete', now);
    this.observer.tablesChanged();
  }

  private add(fm: FlowMod, now: number, isTaught = false): OfError | undefined {
    const tableId = fm.tableId === ALL_TABLES ? 0 : fm.tableId;
    if (tableId >= N_TABLES) return new OfError('OFPBRC_BAD_TABLE_ID', `table ${tableId}`);
    const checked = isTaught ? asTaught(fm) : checkActions(fm.actions, fm.match, tableId, this.named);
    return checked.error ?? this.addRule(this.ruleOf(fm, tableId, checked.actions, now), now);
  }

  /** The flow of an addition, not yet in its table. */
  private ruleOf(fm: FlowMod, tableId: number, actions: readonly Action[], now: number): Rule {
    const { priority, newCookie: cookie, idleTimeout, hardTimeout, importance, flags } = fm;
    const rule = new Rule(
      { tableId, priority, cookie, idleTimeout, hardTimeout, importance, flags, actions },
      now,
    );
    this.table(tableId).classifier.place(rule, fm.match);
    return rule;
  }

  private addRule(rule: Rule, now: number): OfError | undefined {
    const refused = missing(rule.facts, this.named);
    if (refused) return refused;
    const table = this.table(rule.tableId);
    const old = table.classifier.equalTo(rule) as Rule | null;
    if (!old && (rule.flags & FF.CHECK_OVERLAP) !== 0 && table.classifier.hasOverlap(rule)) {
      return new OfError('OFPFMFC_OVERLAP', 'overlaps a flow of equal priority');
    }
    rule.startAt(now);
    // However many there are too many, one makes room for one.
    const evicts = !old && table.isFull;
    if (old) rule.replace(old);
    else if (evicts && !this.makeRoom(table, now))
      return new OfError('OFPFMFC_TABLE_FULL', `${table.maxFlows} flows`);
    this.store.insert(rule);
    // Where one makes room, only that is told of: the table is as full as before, and to watchers, as the peer's, none came.
    if (!evicts) this.store.tell({ event: 'added', rule, reason: undefined, oldActions: old?.actions }, old);
    if (!evicts && !old) this.store.sizeChanged(rule.tableId);
    this.observer.tablesChanged();
    return undefined;
  }

  private modify(fm: FlowMod, now: number, isTaught = false): OfError | undefined {
    if (fm.tableId !== ALL_TABLES && fm.tableId >= N_TABLES) {
      return new OfError('OFPBRC_BAD_TABLE_ID', `table ${fm.tableId}`);
    }
    if (isOwnTable(fm)) return ownTable(fm);
    const strict = fm.command === 'modify_strict';
    const rules = changeable(
      strict ? this.store.selectStrict(fm) : this.store.select(modSelection(fm, false)),
    );
    if (rules instanceof OfError) return rules;
    if (rules.length === 0) {
      const mayAdd = fm.newCookie !== COOKIE_NONE && fm.cookieMask === 0n;
      return mayAdd ? this.add({ ...fm, command: 'add' }, now, isTaught) : undefined;
    }
    const changes: { old: Rule; actions: readonly Action[] }[] = [];
    for (const old of rules) {
      const admitted = isTaught
        ? asTaught(fm)
        : admitActions(fm.actions, old.match(), old.tableId, this.named);
      if (admitted.error) return admitted.error;
      changes.push({ old, actions: admitted.actions });
    }
    const changeCookie = fm.modifyCookie && fm.newCookie !== COOKIE_NONE;
    for (const { old, actions } of changes) {
      const rule = new Rule(
        {
          tableId: old.tableId,
          priority: old.priority,
          cookie: changeCookie ? fm.newCookie : old.cookie,
          idleTimeout: old.idleTimeout,
          hardTimeout: old.hardTimeout,
          importance: old.importance,
          flags: old.flags,
          actions,
        },
        now,
      );
      rule.created = old.created;
      rule.goOnFrom(old);
      rule.inherit(old, (fm.flags & FF.RESET_COUNTS) === 0);
      rule.placeAs(old);
      this.store.insert(rule);
      if (this.observer.flowWatcher() === undefined) continue;
      const hasOther = !sameActions(old.actions, rule.actions);
      if (hasOther || rule.cookie !== old.cookie) {
        const oldActions = hasOther ? old.actions : undefined;
        this.store.tell({ event: 'modified', rule, reason: undefined, oldActions }, old);
      }
    }
    this.observer.tablesChanged();
    return undefined;
  }

  private remove(fm: FlowMod, now: number): OfError | undefined {
    if (fm.tableId !== ALL_TABLES && fm.tableId >= N_TABLES) {
      return new OfError('OFPBRC_BAD_TABLE_ID', `table ${fm.tableId}`);
    }
    const rules = changeable(
      fm.command === 'delete_strict'
        ? this.store.selectStrict(fm)
        : this.store.select(modSelection(fm, true)),
    );
    if (rules instanceof OfError) return rules;
    this.store.dropAll(rules, 'delete', now);
    if (rules.length > 0) this.observer.tablesChanged();
    return undefined;
  }

  /** Removes every flow, the switch's own of tables 0..253 included. */
  flush(now: number): void {
    for (let id = 0; id < N_USER_TABLES; id++) {
      this.store
        .madeTable(id)
        ?.classifier.forEachLoose(new Match(), (rule) => this.store.drop(rule as Rule, 'delete', now));
      // Each table by itself, as the peer tells of them.
      this.observer.followed();
    }
    this.observer.tablesChanged();
  }

  /** Removes flows whose time is over. @returns when to call again at the latest (ms), or undefined: never. */
  runExpiry(now: number): number | undefined {
    let next: number | undefined;
    let any = false;
    for (const rule of this.store.expirable) {
      const reason = rule.expired(now);
      if (reason !== undefined) {
        this.store.drop(rule, reason, now);
        any = true;
        continue;
      }
      const hard = rule.hardTimeout === 0 ? Infinity : rule.modified + rule.hardTimeout * 1000;
      const idle = rule.idleTimeout === 0 ? Infinity : rule.used + rule.idleTimeout * 1000;
      const at = Math.min(hard, idle) + 1;
      if (next === undefined || at < next) next = at;
    }
    this.store.settle(now);
    if (any) this.observer.tablesChanged();
    return next;
  }

  /** Visits the flows that a request selects, in the order of a dump. Hidden flows are left out. */
  forEach(filter: FlowFilter, visit: (rule: Rule) => void): void {
    for (const rule of this.store.select(filterSelection(filter))) if (!rule.isHidden) visit(rule);
  }

  /** The flows that a request selects, as a statistics reply shows them. */
  dump(filter: FlowFilter, now: number): FlowStats[] {
    const flows: FlowStats[] = [];
    this.forEach(filter, (rule) => flows.push(rule.stats(now)));
    return flows;
  }

  aggregate(filter: FlowFilter): AggregateStats {
    let packets = 0;
    let bytes = 0;
    let flowCount = 0;
    this.forEach(filter, (rule) => {
      packets += rule.packets;
      bytes += rule.bytes;
      flowCount++;
    });
    return { packetCount: BigInt(packets), byteCount: BigInt(bytes), flowCount };
  }

  tableStats(): TableStats[] {
    return Array.from({ length: N_USER_TABLES }, (_, tableId) => {
      const table = this.store.madeTable(tableId);
      return {
        tableId,
        name: table?.name ?? '',
        maxEntries: table?.maxFlows ?? MAX_TABLE_FLOWS,
        activeCount: table?.classifier.size ?? 0,
        lookupCount: BigInt((table?.matched ?? 0) + (table?.missed ?? 0)),
        matchedCount: BigInt(table?.matched ?? 0),
        wildcards: 0x3fffff,
        miss: table?.miss ?? 'default',
        isLast: tableId === N_USER_TABLES - 1,
      };
    });
  }
}

/** The tunnel options that a flow names. */
function optionsOf(rule: Rule): readonly number[] {
  return [...(rule.options ?? []).map((each) => each.index), ...rule.facts.tunnelOptions];
}

/** Those that a controller may change of flows that it has selected; an error when they are all the switch's own. */
function changeable(selected: readonly Rule[]): Rule[] | OfError {
  const seen = selected.filter((rule) => !rule.isHidden);
  const rules = seen.filter((rule) => !isOwnTable(rule));
  return seen.length > 0 && rules.length === 0 ? ownTable(seen[0]!) : rules;
}

function sameActions(a: readonly Action[], b: readonly Action[]): boolean {
  return formatActionList(a, undefined) === formatActionList(b, undefined);
}

/** Whether it matches on what only the switch itself may. That a packet is not the rest of another may be asked for. */
function hasHiddenFields(match: Match): boolean {
  const recirc = match.maskWord(W.RECIRC_ID);
  if (recirc !== 0 && (~recirc !== 0 || match.key[W.RECIRC_ID] !== 0)) return true;
  return match.maskWord(W.SKB_PRIORITY) !== 0 || match.maskWord(W.DP_HASH) !== 0;
}
