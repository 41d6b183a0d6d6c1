/**
 * The flows of one bridge where they lie: in their tables, and in what is indexed of them beside. Flows come, go and are
 * selected; a transaction takes back what was done in it, and until it is committed nobody is told.
 */
import { Match } from '@ovs-node/flow/match';
import {
  ALL_TABLES,
  COOKIE_NONE,
  type FlowMod,
  type FlowRemovedReason,
  type TableStatusReason,
} from '@ovs-node/openflow/messages/types';
import { N_USER_TABLES } from './check-actions.js';
import type { Classifier } from './classifier.js';
import { CookieIndex } from './cookie-index.js';
import { FlowTable } from './flow-table.js';
import { type LearnedCookie, LearnedCookies } from './learned-cookies.js';
import { looseTest } from './loose.js';
import { ShapePool } from './mask-shape.js';
import { Rule } from './rule.js';
import { RuleIndex } from './rule-index.js';
import { cookieSelection, modSelection, passes, type Selection } from './selection.js';
import { TlvTable } from './tlv-table.js';
import type { FlowChangeEvent } from './types.js';

export const N_TABLES = 255;

/** Who is told of changes. */
export interface FlowObserver {
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
}

/** Those that are looked through for all. */
export const USER_TABLES: readonly number[] = Array.from({ length: N_USER_TABLES }, (_, id) => id);

/** Where nothing is checked: what a command may do is known by then (flow-tables.ts). */
export class FlowStore {
  /** What the tunnel options are that flows name. */
  readonly tlv = new TlvTable();
  /** Flows with a timeout. */
  readonly expirable = new Set<Rule>();
  readonly byGroup = new RuleIndex((rule) => rule.facts.groups);
  readonly byMeter = new RuleIndex((rule) => rule.facts.meters);
  private readonly observer: FlowObserver;
  private readonly tables: (FlowTable | undefined)[] = Array.from({ length: N_TABLES }, () => undefined);
  private readonly shapes = new ShapePool();
  private readonly byCookie = new CookieIndex();
  private readonly learned = new LearnedCookies();
  private nRules = 0;
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

  constructor(observer: FlowObserver) {
    this.observer = observer;
  }

  /** Flows in all tables. */
  get size(): number {
    return this.nRules;
  }

  /** Table `id` (0..254), made when it is first asked for. */
  table(id: number): FlowTable {
    return (this.tables[id] ??= new FlowTable(this.tlv, this.shapes));
  }

  /** Table `id` if anything was ever done with it. */
  madeTable(id: number): FlowTable | undefined {
    return this.tables[id];
  }

  /**
   * The end of a command: removes what was learned from flows that are gone, and tells of tables that have filled or emptied
   * beyond their thresholds; in a transaction, when that is committed.
   */
  settle(now: number): void {
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

  /** In a transaction, how to undo what has been done to a flow that stays. */
  undoBy(undo: () => void): void {
    this.journal?.push(undo);
  }

  /** There are more or less flows in a table: if it has thresholds, it may be beyond one. */
  sizeChanged(id: number): void {
    if (this.table(id).hasEvents) this.sizesChanged.add(id);
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

  /** The flow of a table with just that match and priority. */
  find(tableId: number, match: Match, priority: number): Rule | undefined {
    return (
      (this.tables[tableId]?.classifier.findExact(match, priority) as Rule | null | undefined) ?? undefined
    );
  }

  /** Every flow with the hidden ones, tables in order; `bridge/dump-flows`. */
  all(): Rule[] {
    const rules: Rule[] = [];
    for (const table of this.tables)
      table?.classifier.forEachLoose(new Match(), (rule) => rules.push(rule as Rule));
    return rules;
  }

  /** Adds a flow that has been placed. */
  insert(rule: Rule): void {
    const replaced = this.changing(rule).insert(rule) as Rule | null;
    if (replaced) this.unlist(replaced);
    this.enlist(rule);
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
  tell(what: Omit<FlowChangeEvent, 'follows'>, old: Rule | null): void {
    const watch = this.observer.flowWatcher();
    if (watch === undefined) return;
    // Not by spreading, which takes several times as long: there is one for each flow of a bundle.
    const { event, rule, reason, oldActions } = what;
    const change = { event, rule, reason, oldActions, follows: this.isFollowing };
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

  /** A flow leaves its table. */
  drop(rule: Rule, reason: FlowRemovedReason, now: number): void {
    this.takeOut(rule, reason, now);
    this.sizeChanged(rule.tableId);
  }

  /** A flow leaves its table, in which another takes its room. */
  takeOut(rule: Rule, reason: FlowRemovedReason, now: number): void {
    this.tell({ event: 'removed', rule, reason, oldActions: undefined }, null);
    if (this.journal === undefined) this.observer.flowRemoved(rule, reason, now);
    else {
      this.journal.push(() => this.putBack(rule));
      this.rest.push(() => this.observer.flowRemoved(rule, reason, now));
    }
    this.changing(rule).remove(rule);
    this.unlist(rule);
  }

  /** Flows leave their tables together. */
  dropAll(rules: readonly Rule[], reason: FlowRemovedReason, now: number): void {
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

  /** A flow has a timeout. */
  mayExpire(rule: Rule): void {
    this.expirable.add(rule);
    this.table(rule.tableId).evictable?.add(rule);
  }

  /** What is kept of a flow beside the classifier. */
  private enlist(rule: Rule): void {
    this.nRules++;
    if (rule.idleTimeout !== 0 || rule.hardTimeout !== 0) this.mayExpire(rule);
    this.byCookie.add(rule);
    this.byGroup.add(rule);
    this.byMeter.add(rule);
    this.count(rule, 'add');
  }

  private unlist(rule: Rule): void {
    this.nRules--;
    rule.removed = true;
    this.expirable.delete(rule);
    this.table(rule.tableId).evictable?.remove(rule);
    this.byCookie.remove(rule);
    this.byGroup.remove(rule);
    this.byMeter.remove(rule);
    this.count(rule, 'remove');
  }

  /** The flows that a request selects by a match that they may be narrower than, hidden ones too, in the order of a dump. */
  select(selection: Selection): Rule[] {
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

  /** The flows that a strict flow-mod selects: of one table, or of all, with just its match and priority. */
  selectStrict(fm: FlowMod): Rule[] {
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
