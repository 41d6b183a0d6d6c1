/**
 * One OpenFlow table: its flows, what it does with packets that none of them matches, how many it takes, and which flow
 * makes room for another when it is full (eviction.ts).
 */
import { isDeepStrictEqual } from 'node:util';
import { Match } from '@ovs-node/flow/match';
import type { Subfield } from '@ovs-node/openflow/actions/types';
import { EVICTION } from '@ovs-node/openflow/messages/table-types';
import type { TableDesc, TableMiss, TableMod, TableStatusReason } from '@ovs-node/openflow/messages/types';
import { Classifier } from './classifier.js';
import { EvictionGroups } from './eviction.js';
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
  /** Flows that may make room; undefined: none of them may. */
  evictable: EvictionGroups | undefined;
  /** Of tables with thresholds: those, and what is to be told of next. */
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

  /** Whether it has as many flows as it takes. */
  get isFull(): boolean {
    return this.#excess >= 0;
  }

  /** Whether it has more flows than it takes. */
  get isOverfull(): boolean {
    return this.#excess > 0;
  }

  get #excess(): number {
    return this.classifier.size - (this.settings.limit ?? Infinity);
  }

  /** Sees to it that flows may make room if they are to. @param groups what flows of one group had in common until now. */
  #configureEviction(groups: readonly Subfield[]): void {
    const evicts = this.#evicts || this.settings.evicts;
    const wasSo = (this.evictable !== undefined) === evicts;
    if (wasSo && isDeepStrictEqual(groups, this.settings.groups)) return;
    const evictable = evicts ? new EvictionGroups(this.settings.groups) : undefined;
    if (evictable) this.classifier.forEachLoose(new Match(), (rule) => evictable.add(rule as Rule));
    this.evictable = evictable;
  }

  /** Takes over what a controller asks for. */
  modify(mod: TableMod): void {
    if (mod.miss !== 'default') this.miss = mod.miss;
    const evicts = evictionOf(mod);
    if (evicts !== undefined) this.#evicts = evicts;
    this.#configureEviction(this.settings.groups);
    if (mod.vacancyEvents === undefined) return;
    const { down, up } = mod.vacancy;
    const next = this.#vacancy?.next ?? (this.vacancy < up ? 'vacancy_up' : 'vacancy_down');
    this.#vacancy = mod.vacancyEvents ? { down, up, next } : undefined;
  }

  get hasEvents(): boolean {
    return this.#vacancy !== undefined;
  }

  /** Takes over what the database says. @returns whether megaflows may now come out broader or narrower. */
  configure(settings: TableSettings | undefined): boolean {
    const { groups } = this.settings;
    this.settings = settings ?? DEFAULTS;
    this.#configureEviction(groups);
    return this.classifier.trackPrefixes(this.settings.prefixes ?? DEFAULT_PREFIXES);
  }

  /** Room, in percent. */
  get vacancy(): number {
    const { limit } = this.settings;
    if (limit === undefined) return this.classifier.size === 0 ? 100 : 99;
    // One that takes none is as empty as it can be.
    return limit === 0 ? 100 : Math.max(0, Math.floor(((limit - this.classifier.size) * 100) / limit));
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

/** How the peer takes the flags of the property of eviction, which a table-mod can only repeat. */
const EVICTION_FLAGS: Readonly<Record<number, boolean>> = { 1: true, 2: false };

/**
 * Whether a table is to make room: as the bit of the configuration says, or in its place the flags of the property.
 * Undefined: as it is.
 */
function evictionOf({ eviction, evictionFlags }: TableMod): boolean | undefined {
  return evictionFlags === undefined ? eviction : EVICTION_FLAGS[evictionFlags];
}
