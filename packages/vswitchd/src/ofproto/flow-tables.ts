/**
 * The OpenFlow tables of one bridge: flow-mods, queries, expiry (OpenFlow 1.0 section 4.6, 1.3 section 6.4).
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
  type FlowRemovedReason,
  type FlowStats,
  type MessageOf,
  type TableMod,
  type TableStats,
  type TableStatusReason,
} from '@ovs-node/openflow/messages/types';
import { factsOf } from './action-facts.js';
import { admitActions, checkActions, missing, type Named, N_USER_TABLES } from './check-actions.js';
import type { Classifier } from './classifier.js';
import { CookieIndex } from './cookie-index.js';
import { FlowTable, MAX_TABLE_FLOWS, type TableSettings } from './flow-table.js';
import { type LearnedCookie, LearnedCookies } from './learned-cookies.js';
import { looseTest } from './loose.js';
import { formatActionList } from './rule-text.js';
import { ShapePool } from './mask-shape.js';
import { Rule } from './rule.js';
import { RuleIndex } from './rule-index.js';
import { cookieSelection, filterSelection, modSelection, passes, type Selection } from './selection.js';
import { invalidField, TlvTable } from './tlv-table.js';
import type { FlowChangeEvent } from './types.js';

export const N_TABLES = 255;
export { N_USER_TABLES } from './check-actions.js';
/** The table of the switch's own flows. */
export const INTERNAL_TABLE = 254;
/** Who is told of changes. */
export interface TableObserver {
  /** A flow left the tables; `replaced` when another has taken its place. */
  flowRemoved(rule: Rule, reason: FlowRemovedReason, now: number): void;
  /** Look-ups may give other results than before. */
  tablesChanged(): void;
  /** A table has come to have little room, or much again. */
  vacancy(tableId: number, reason: TableStatusReason): void;
  /** Who wants to hear of changes of flows that are made now, if anybody does; it may be told of them later. */
  flowWatcher(): ((change: FlowChangeEvent) => void) | undefined;
  /** What has followed from a command is done, of which watchers have been told. */
  followed(): void;
  /** Whether a flow may send to a group of that number. */
  hasGroup(id: number): boolean;
  /** Whether a flow may use a meter of that number. */
  hasMeter(id: number): boolean;
}

/** Whether controllers may not change a table. */
export function isOwnTable({ tableId }: Pick<FlowMod, 'tableId'>): boolean {
  return tableId >= N_USER_TABLES && tableId !== ALL_TABLES;
}

function ownTable({ tableId }: Pick<FlowMod, 'tableId'>): OfError {
  return new OfError('OFPBRC_EPERM', `table ${tableId} is the switch's own`);
}

/** Those that are looked through for all. */
const USER_TABLES: readonly number[] = Array.from({ length: N_USER_TABLES }, (_, id) => id);

export class FlowTables {
  private readonly tables: (FlowTable | undefined)[] = Array.from({ length: N_TABLES }, () => undefined);
  /** Flows with a timeout. */
  private readonly expirable = new Set<Rule>();
  private readonly observer: TableObserver;
  private readonly named: Named;
  private nRules = 0;
  private readonly byGroup = new RuleIndex((rule) => rule.facts.groups);
  private readonly learned = new LearnedCookies();
  private readonly byCookie = new CookieIndex();
  private readonly byMeter = new RuleIndex((rule) => rule.facts.meters);
  /**
   * How to undo what was done since `begin`; undefined outside of a transaction. A rule: it was added in place of none,
   * which most are, and a function for each would keep as many bytes as half the rule.
   */
  private journal: (Rule | (() => void))[] | undefined;
  /** Tables that have been changed in it. */
  private readonly touched = new Set<Classifier>();
  /** Tables with thresholds whose number of flows has changed. */
  private readonly sizesChanged = new Set<number>();
  /** What is left of a transaction's commands for when it is committed: to tell of flows that left, and what follows. */
  private rest: (() => void)[] = [];
  /** Whether the command that is carried out has brought teachers, or taken them. */
  private hasLessons = false;
  /** Whether what is done is not what a command says, but what comes of it. */
  private isFollowing = false;

  /** What the tunnel options are that flows name. */
  readonly tlv = new TlvTable();
  private readonly shapes = new ShapePool();

  constructor(observer: TableObserver) {
    this.observer = observer;
    this.named = {
      hasGroup: (id) => observer.hasGroup(id),
      hasMeter: (id) => observer.hasMeter(id),
      hasTunnelOption: (index) => this.tlv.has(index),
    };
  }

  /** Flows in all tables. */
  get size(): number {
    return this.nRules;
  }

  /** Table `id` (0..254), made when it is first asked for. */
  table(id: number): FlowTable {
    return (this.tables[id] ??= new FlowTable(this.tlv, this.shapes));
  }

  /** Takes over what the database says of tables, by number; of those left out it says nothing. */
  configure(settings: ReadonlyMap<number, TableSettings>, now: number): void {
    for (let id = 0; id < N_USER_TABLES; id++) {
      const wanted = settings.get(id);
      if (wanted === undefined && this.tables[id] === undefined) continue;
      const table = this.table(id);
      if (table.configure(wanted)) this.observer.tablesChanged();
      // What may not be evicted stays.
      this.makeRoom(table, 0, now);
    }
    this.settle(now);
  }

  /** Carries out a table-mod. @returns the error to answer with. */
  tableMod(mod: TableMod, now: number): OfError | undefined {
    const { tableId } = mod;
    if (tableId !== ALL_TABLES && tableId >= N_USER_TABLES)
      return new OfError('OFPTMFC_EPERM', `table ${tableId} is the switch's own`);
    const ids = tableId === ALL_TABLES ? USER_TABLES : [tableId];
    for (const id of ids) {
      this.table(id).modify(mod);
      this.sizesChanged.add(id);
    }
    this.settle(now);
    this.observer.tablesChanged();
    return undefined;
  }

  /** Evicts flows until there is room for `more`. @returns the error when there cannot be. */
  private makeRoom(table: FlowTable, more: number, now: number): OfError | undefined {
    for (let excess = table.excess(more); excess > 0; excess--) {
      const victim = table.victim();
      if (victim === undefined) return new OfError('OFPFMFC_TABLE_FULL', `${table.maxFlows} flows`);
      this.drop(victim, 'eviction', now);
    }
    return undefined;
  }

  /**
   * The end of a command: removes what was learned from flows that are gone, and tells of tables that have filled or emptied
   * beyond their thresholds; in a transaction, when that is committed.
   */
  private settle(now: number): void {
    if (this.journal !== undefined) {
      if (this.hasLessons) this.rest.push(() => this.dropOrphans(now));
      this.hasLessons = false;
      return;
    }
    this.dropOrphans(now);
    for (const id of this.sizesChanged) {
      const reason = this.tables[id]?.takeVacancyEvent();
      if (reason !== undefined) this.observer.vacancy(id, reason);
    }
    this.sizesChanged.clear();
  }

  private dropOrphans(now: number): void {
    // What is taught goes with the last teacher, and may have been a teacher itself.
    let orphans: readonly LearnedCookie[];
    while ((orphans = this.learned.takeOrphans()).length > 0) {
      for (const { table, cookie } of orphans) {
        const rules = this.select(cookieSelection(table, cookie)).filter((rule) => !rule.isHidden);
        if (rules.length === 0) continue;
        this.isFollowing = true;
        this.dropAll(rules, 'delete', now);
        this.isFollowing = false;
        this.observer.followed();
      }
    }
  }

  /** A flow has come or gone; in a transaction teachers count one command after the other, when that is committed. */
  private count(rule: Rule, change: 'add' | 'remove'): void {
    if (rule.facts.taught.length === 0) return;
    if (this.journal === undefined) {
      this.learned[change](rule);
      return;
    }
    this.hasLessons = true;
    this.rest.push(() => this.learned[change](rule));
  }

  /**
   * Begins a transaction: what is changed until `commit` or `rollBack` can be undone. Nobody may look at the tables
   * meanwhile, so both are called before anything else runs.
   */
  begin(): void {
    this.journal = [];
  }

  /** Ends the transaction and tells of the flows that it removed. */
  commit(now: number): void {
    this.journal = undefined;
    this.settleTouched();
    for (const work of this.rest.splice(0)) work();
    this.settle(now);
  }

  /** Ends the transaction and puts everything back. */
  rollBack(): void {
    const journal = this.journal ?? [];
    // Who is put back has not been counted out.
    this.journal = [];
    for (const undo of journal.toReversed()) {
      if (undo instanceof Rule) this.takeBack(undo);
      else undo();
    }
    this.journal = undefined;
    this.rest = [];
    this.hasLessons = false;
    this.settleTouched();
    this.sizesChanged.clear();
    if (journal.length > 0) this.observer.tablesChanged();
  }

  /**
   * Lets look-ups see all that a transaction has changed. For packets within it; its commands that select flows loosely, and
   * looks for overlaps, miss those whose masks are new to the table, as with the peer, for how long: subtable-list.ts.
   */
  publish(): void {
    for (const classifier of this.touched) classifier.publish();
  }

  /** The classifier of a flow's table, to be changed: in a transaction, as one. */
  private changing(rule: Rule): Classifier {
    const { classifier } = this.table(rule.tableId);
    if (this.journal !== undefined) this.touch(classifier);
    return classifier;
  }

  private touch(classifier: Classifier): void {
    classifier.defer();
    this.touched.add(classifier);
  }

  private settleTouched(): void {
    for (const classifier of this.touched) classifier.settle();
    this.touched.clear();
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

  /** Flows that send to a group. */
  groupUsers(id: number): number {
    return this.byGroup.users(id).size;
  }

  /** Removes the flows that send to a group. */
  removeGroupUsers(id: number, now: number): void {
    this.dropAll([...this.byGroup.users(id)], 'group_delete', now);
    this.settle(now);
  }

  /** Flows that use a meter. */
  meterUsers(id: number): number {
    return this.byMeter.users(id).size;
  }

  /** Removes the flows that use a meter. */
  removeMeterUsers(id: number, now: number): void {
    this.dropAll([...this.byMeter.users(id)], 'meter_delete', now);
    this.settle(now);
  }

  /** Carries a flow-mod out. @returns the error to answer with; then nothing has changed. */
  flowMod(fm: FlowMod, now: number): OfError | undefined {
    const error = this.carryOut(fm, now);
    this.settle(now);
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
    const { tunnelOptions, isMixed } = factsOf(actions);
    return isMixed || tunnelOptions.length > 0 ? undefined : this.ruleOf(fm, tableId, actions, 0);
  }

  /** Carries out the addition of a flow that `draft` gave. @returns as `flowMod`. */
  addDraft(rule: Rule, now: number): OfError | undefined {
    const error = this.addRule(rule, now);
    this.settle(now);
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
      this.journal?.push(() => {
        same.modified = modified;
      });
      return undefined;
    }
    if (!this.hasRoomToLearn(fm, limit)) return undefined;
    const error = this.modify(fm, now);
    this.settle(now);
    return error;
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
    return limit === 0 || this.select(cookieSelection(fm.tableId, fm.newCookie)).length < limit;
  }

  /** Lowers the timeouts of a flow to these (s) where they are longer or there are none; 0 leaves one as it is. */
  reduceTimeouts(rule: Rule, idle: number, hard: number): void {
    if (rule.removed || (idle === 0 && hard === 0)) return;
    if (idle !== 0 && (rule.idleTimeout === 0 || rule.idleTimeout > idle)) rule.idleTimeout = idle;
    if (hard !== 0 && (rule.hardTimeout === 0 || rule.hardTimeout > hard)) rule.hardTimeout = hard;
    this.expirable.add(rule);
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
    this.insert(rule);
    this.observer.tablesChanged();
    return rule;
  }

  /** Takes a flow out that `addInternal` gave. */
  removeInternal(rule: Rule, now: number): void {
    this.drop(rule, 'delete', now);
    this.observer.tablesChanged();
  }

  private add(fm: FlowMod, now: number): OfError | undefined {
    const tableId = fm.tableId === ALL_TABLES ? 0 : fm.tableId;
    if (tableId >= N_TABLES) return new OfError('OFPBRC_BAD_TABLE_ID', `table ${tableId}`);
    const checked = checkActions(fm.actions, fm.match, tableId, this.named);
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
    if (old) rule.replace(old);
    else {
      const full = this.makeRoom(table, 1, now);
      if (full) return full;
    }
    this.insert(rule);
    this.tell({ event: 'added', rule, reason: undefined, oldActions: old?.actions }, old);
    this.observer.tablesChanged();
    return undefined;
  }

  private modify(fm: FlowMod, now: number): OfError | undefined {
    if (fm.tableId !== ALL_TABLES && fm.tableId >= N_TABLES) {
      return new OfError('OFPBRC_BAD_TABLE_ID', `table ${fm.tableId}`);
    }
    if (isOwnTable(fm)) return ownTable(fm);
    const strict = fm.command === 'modify_strict';
    const rules = changeable(strict ? this.selectStrict(fm) : this.select(modSelection(fm, false)));
    if (rules instanceof OfError) return rules;
    if (rules.length === 0) {
      const mayAdd = fm.newCookie !== COOKIE_NONE && fm.cookieMask === 0n;
      return mayAdd ? this.add({ ...fm, command: 'add' }, now) : undefined;
    }
    const changes: { old: Rule; actions: readonly Action[] }[] = [];
    for (const old of rules) {
      const admitted = admitActions(fm.actions, old.match(), old.tableId, this.named);
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
      this.insert(rule);
      if (this.observer.flowWatcher() === undefined) continue;
      const hasOther = !sameActions(old.actions, rule.actions);
      if (hasOther || rule.cookie !== old.cookie) {
        const oldActions = hasOther ? old.actions : undefined;
        this.tell({ event: 'modified', rule, reason: undefined, oldActions }, old);
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
      fm.command === 'delete_strict' ? this.selectStrict(fm) : this.select(modSelection(fm, true)),
    );
    if (rules instanceof OfError) return rules;
    this.dropAll(rules, 'delete', now);
    if (rules.length > 0) this.observer.tablesChanged();
    return undefined;
  }

  /** Removes every flow, the switch's own of tables 0..253 included. */
  flush(now: number): void {
    for (let id = 0; id < N_USER_TABLES; id++) {
      this.tables[id]?.classifier.forEachLoose(new Match(), (rule) => this.drop(rule as Rule, 'delete', now));
    }
    this.observer.tablesChanged();
  }

  /** Removes flows whose time is over. @returns when to call again at the latest (ms), or undefined: never. */
  runExpiry(now: number): number | undefined {
    let next: number | undefined;
    let any = false;
    for (const rule of this.expirable) {
      const reason = rule.expired(now);
      if (reason !== undefined) {
        this.drop(rule, reason, now);
        any = true;
        continue;
      }
      const hard = rule.hardTimeout === 0 ? Infinity : rule.modified + rule.hardTimeout * 1000;
      const idle = rule.idleTimeout === 0 ? Infinity : rule.used + rule.idleTimeout * 1000;
      const at = Math.min(hard, idle) + 1;
      if (next === undefined || at < next) next = at;
    }
    this.settle(now);
    if (any) this.observer.tablesChanged();
    return next;
  }

  /** Visits the flows that a request selects, in the order of a dump. Hidden flows are left out. */
  forEach(filter: FlowFilter, visit: (rule: Rule) => void): void {
    for (const rule of this.select(filterSelection(filter))) if (!rule.isHidden) visit(rule);
  }

  /** The flow of a table with just that match and priority. */
  find(tableId: number, match: Match, priority: number): Rule | undefined {
    return (
      (this.tables[tableId]?.classifier.findExact(match, priority) as Rule | null | undefined) ?? undefined
    );
  }

  /** The flows that a request selects, as a statistics reply shows them. */
  dump(filter: FlowFilter, now: number): FlowStats[] {
    const flows: FlowStats[] = [];
    this.forEach(filter, (rule) => flows.push(rule.stats(now)));
    return flows;
  }

  /** Every flow with the hidden ones, tables in order; `bridge/dump-flows`. */
  all(): Rule[] {
    const rules: Rule[] = [];
    for (const table of this.tables)
      table?.classifier.forEachLoose(new Match(), (rule) => rules.push(rule as Rule));
    return rules;
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
      const table = this.tables[tableId];
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

  /** Adds a flow that has been placed. */
  private insert(rule: Rule): void {
    const replaced = this.changing(rule).insert(rule) as Rule | null;
    if (replaced) this.unlist(replaced);
    this.enlist(rule);
    if (this.table(rule.tableId).hasEvents) this.sizesChanged.add(rule.tableId);
    if (!replaced) {
      this.journal?.push(rule);
      return;
    }
    this.journal?.push(() => {
      // The old one first, which is how both come to lie among the flows of their cookies.
      this.putBack(replaced);
      this.unlist(rule);
    });
  }

  /** A flow that was added is gone, as if it had never been there. */
  private takeBack(rule: Rule): void {
    this.changing(rule).remove(rule);
    this.unlist(rule);
  }

  /**
   * Tells watchers of a change; in a transaction, when that is committed.
   * @param old the flow whose place the changed one has taken.
   */
  private tell(what: Omit<FlowChangeEvent, 'follows'>, old: Rule | null): void {
    const watch = this.observer.flowWatcher();
    if (watch === undefined) return;
    const change = { ...what, follows: this.isFollowing };
    if (this.journal === undefined) {
      watch(change);
      return;
    }
    this.rest.push(() => {
      // Which may have come in the same transaction, and been told of by now.
      if (old) change.rule.goOnFrom(old);
      watch(change);
    });
  }

  private drop(rule: Rule, reason: FlowRemovedReason, now: number): void {
    this.tell({ event: 'removed', rule, reason, oldActions: undefined }, null);
    if (this.journal === undefined) this.observer.flowRemoved(rule, reason, now);
    else {
      this.journal.push(() => this.putBack(rule));
      this.rest.push(() => this.observer.flowRemoved(rule, reason, now));
    }
    this.changing(rule).remove(rule);
    this.unlist(rule);
    if (this.table(rule.tableId).hasEvents) this.sizesChanged.add(rule.tableId);
  }

  /** Flows leave their tables together. */
  private dropAll(rules: readonly Rule[], reason: FlowRemovedReason, now: number): void {
    for (const { tableId } of rules) this.touch(this.table(tableId).classifier);
    for (const rule of rules) this.drop(rule, reason, now);
    if (this.journal === undefined) this.settleTouched();
  }

  /** A flow that left is there again, as if it had never been gone. */
  private putBack(rule: Rule): void {
    this.changing(rule).putBack(rule);
    rule.putBack();
    this.enlist(rule);
  }

  /** What is kept of a flow beside the classifier. */
  private enlist(rule: Rule): void {
    this.nRules++;
    if (rule.idleTimeout !== 0 || rule.hardTimeout !== 0) this.expirable.add(rule);
    this.byCookie.add(rule);
    this.byGroup.add(rule);
    this.byMeter.add(rule);
    this.count(rule, 'add');
  }

  private unlist(rule: Rule): void {
    this.nRules--;
    rule.removed = true;
    this.expirable.delete(rule);
    this.byCookie.remove(rule);
    this.byGroup.remove(rule);
    this.byMeter.remove(rule);
    this.count(rule, 'remove');
  }

  private select(selection: Selection): Rule[] {
    if (selection.cookieMask === COOKIE_NONE)
      return this.selectByCookie(selection, looseTest(this.tlv.expand(selection.match)));
    const rules: Rule[] = [];
    const ids = selection.tableId === ALL_TABLES ? USER_TABLES : [selection.tableId];
    for (const id of ids) {
      this.tables[id]?.classifier.forEachLoose(selection.match, (found) => {
        if (passes(found as Rule, selection)) rules.push(found as Rule);
      });
    }
    return rules;
  }

  private selectStrict(fm: FlowMod): Rule[] {
    const selection = modSelection(fm, fm.command === 'delete_strict');
    const isByCookie = selection.cookieMask === COOKIE_NONE;
    const all = isByCookie ? this.tables.keys() : USER_TABLES;
    const rules: Rule[] = [];
    for (const id of fm.tableId === ALL_TABLES ? all : [fm.tableId]) {
      const rule = this.find(id, fm.match, fm.priority);
      if (rule && passes(rule, selection)) rules.push(rule);
    }
    return isByCookie && rules.length > 1
      ? this.selectByCookie(selection, (rule) => rules.includes(rule))
      : rules;
  }

  /** Flows of a whole cookie, the switch's own ones too, in the order of the index. */
  private selectByCookie(selection: Selection, isWanted: (rule: Rule) => boolean): Rule[] {
    const rules: Rule[] = [];
    const { tableId } = selection;
    this.byCookie.forEach(selection.cookie, (rule) => {
      if (tableId !== ALL_TABLES && tableId !== rule.tableId) return;
      if (passes(rule, selection) && isWanted(rule)) rules.push(rule);
    });
    return rules;
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

/** Only the switch itself may match on these. */
const HIDDEN_WORDS = [W.SKB_PRIORITY, W.RECIRC_ID, W.DP_HASH] as const;

function hasHiddenFields(match: Match): boolean {
  return HIDDEN_WORDS.some((word) => match.maskWord(word) !== 0);
}
