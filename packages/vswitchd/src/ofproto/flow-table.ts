/**
 * One OpenFlow table: its flows, what it does with packets that none of them matches, how many it takes, and which flow
 * makes room for another when it is full.
 *
 * Eviction (ovs-vswitchd.conf.db(5), Flow_Table): only flows with a timeout are evicted, from the group with the most
 * of them, the one of least importance first and among those the one that expires first. The choice looks at every
 * flow that could go: timeouts run with traffic, so an order kept up to date would cost more than tables with limits
 * are worth.
 */
import { getField, mustField } from '@ovs-node/flow/fields';
import { Match } from '@ovs-node/flow/match';
import type { Subfield } from '@ovs-node/openflow/actions/types';
import { EVICTION } from '@ovs-node/openflow/messages/table-types';
import type { TableDesc, TableMiss, TableMod, TableStatusReason } from '@ovs-node/openflow/messages/types';
import { Classifier } from './classifier.js';
import { DEFAULT_PREFIXES, type PrefixFieldName } from './prefix-fields.js';
import type { ShapePool } from './mask-shape.js';
import type { Rule } from './rule.js';
import type { TlvTable } from './tlv-table.js';

/** Flows that a table says it can hold when it has no limit. */
export const MAX_TABLE_FLOWS = 1_000_000;

/** What the database says of a table. */
export interface TableSettings {
  readonly name: string;
  /** Flows that it takes; undefined: no limit. */
  readonly limit: number | undefined;
  readonly evicts: boolean;
  /** What flows of one group have in common. */
  readonly groups: readonly Subfield[];
  /** Fields whose prefixes it keeps track of; undefined: the default ones. */
  readonly prefixes: readonly PrefixFieldName[] | undefined;
}

const DEFAULTS: TableSettings = {
  name: '',
  limit: undefined,
  evicts: false,
  groups: [],
  prefixes: undefined,
};

export class FlowTable {
  readonly classifier: Classifier;
  matched = 0;
  missed = 0;
  miss: TableMiss = 'default';
  settings = DEFAULTS;
  /** Given by a controller, where the database gives none. */
  #name = '';
  #evicts = false;
  #vacancy: { down: number; up: number; next: TableStatusReason } | undefined;

  /** @param tlv where tunnel options of its flows lie. @param shapes the shapes of the switch's flows. */
  constructor(tlv?: TlvTable, shapes?: ShapePool) {
    this.classifier = new Classifier(tlv, shapes);
  }

  get name(): string {
    return this.settings.name === '' ? this.#name : this.settings.name;
  }
  set name(name: string) {
    this.#name = name;
  }

  get maxFlows(): number {
    return this.settings.limit ?? MAX_TABLE_FLOWS;
  }

  /** Flows that are too many when `more` are to be added. */
  excess(more: number): number {
    const { limit } = this.settings;
    return limit === undefined ? 0 : Math.max(0, this.classifier.size + more - limit);
  }

  /** The flow that would make room for another; undefined: none may be taken. */
  victim(): Rule | undefined {
    if (!this.#evicts && !this.settings.evicts) return undefined;
    const groups = new Map<string, Rule[]>();
    this.classifier.forEachLoose(new Match(), (each) => {
      const rule = each as Rule;
      if (rule.isHidden || (rule.idleTimeout === 0 && rule.hardTimeout === 0)) return;
      const key = groupOf(rule, this.settings.groups);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [rule]);
      else group.push(rule);
    });
    let most = 0;
    for (const group of groups.values()) most = Math.max(most, group.length);
    let first: Rule | undefined;
    for (const group of groups.values()) {
      if (group.length < most) continue;
      for (const rule of group) if (first === undefined || goesBefore(rule, first)) first = rule;
    }
    return first;
  }

  /** Takes over what a controller asks for. */
  modify(mod: TableMod): void {
    if (mod.miss !== 'default') this.miss = mod.miss;
    const evicts = evictionOf(mod);
    if (evicts !== undefined) this.#evicts = evicts;
    if (mod.vacancyEvents === undefined) return;
    const { down, up } = mod.vacancy;
    this.#vacancy = mod.vacancyEvents
      ? { down, up, next: this.vacancy < down ? 'vacancy_up' : 'vacancy_down' }
      : undefined;
  }

  get hasEvents(): boolean {
    return this.#vacancy !== undefined;
  }

  /** Takes over what the database says. @returns whether megaflows may now come out broader or narrower. */
  configure(settings: TableSettings | undefined): boolean {
    this.settings = settings ?? DEFAULTS;
    return this.classifier.trackPrefixes(this.settings.prefixes ?? DEFAULT_PREFIXES);
  }

  /** Room, in percent. */
  get vacancy(): number {
    const { limit } = this.settings;
    if (limit === undefined) return this.classifier.size === 0 ? 100 : 99;
    return limit === 0 ? 0 : Math.max(0, Math.floor(((limit - this.classifier.size) * 100) / limit));
  }

  /** The event that its vacancy is now due for, once. */
  takeVacancyEvent(): TableStatusReason | undefined {
    const events = this.#vacancy;
    if (events === undefined) return undefined;
    const { vacancy } = this;
    if (vacancy >= events.down && vacancy <= events.up) return undefined;
    const event = vacancy < events.down ? 'vacancy_down' : 'vacancy_up';
    if (event !== events.next) return undefined;
    events.next = event === 'vacancy_down' ? 'vacancy_up' : 'vacancy_down';
    return event;
  }

  desc(tableId: number): TableDesc {
    const events = this.#vacancy;
    return {
      tableId,
      eviction: this.#evicts,
      evictionFlags: EVICTION.OTHER | EVICTION.IMPORTANCE | EVICTION.LIFETIME,
      vacancyEvents: events !== undefined,
      vacancy: { down: events?.down ?? 0, up: events?.up ?? 0, vacancy: this.vacancy },
    };
  }
}

function groupOf(rule: Rule, groups: readonly Subfield[]): string {
  if (groups.length === 0) return '';
  const { key } = rule.match();
  return groups
    .map(
      ({ field, ofs, nBits }) =>
        (getField(key, mustField(field)) >> BigInt(ofs)) & ((1n << BigInt(nBits)) - 1n),
    )
    .join();
}

function expiry(rule: Rule): number {
  const hard = rule.hardTimeout === 0 ? Infinity : rule.modified + rule.hardTimeout * 1000;
  const idle = rule.idleTimeout === 0 ? Infinity : rule.used + rule.idleTimeout * 1000;
  return Math.min(hard, idle);
}

function goesBefore(a: Rule, b: Rule): boolean {
  return a.importance === b.importance ? expiry(a) < expiry(b) : a.importance < b.importance;
}

/** How the peer takes the flags of the property of eviction, which a table-mod can only repeat. */
const EVICTION_FLAGS: Readonly<Record<number, boolean>> = { 1: true, 2: false };

/**
 * Whether a table is to make room: as the bit of the configuration says, or in its place the flags of the property.
 * Undefined: as it is.
 */
function evictionOf({ eviction, evictionFlags }: TableMod): boolean | undefined {
  return evictionFlags === undefined ? eviction : EVICTION_FLAGS[evictionFlags];
}
