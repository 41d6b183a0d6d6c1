/** OpenFlow tables as values: their statistics, features and configuration. */

export interface TableStats {
  readonly tableId: number;
  /** OpenFlow 1.0 to 1.2. */
  readonly name: string;
  readonly maxEntries: number;
  readonly activeCount: number;
  readonly lookupCount: bigint;
  readonly matchedCount: bigint;
  /** OpenFlow 1.0: OFPFW10_* bits. */
  readonly wildcards: number;
  /** OpenFlow 1.1 and 1.2: what the table can do; absent when sending: all that this library can. */
  readonly bitmaps?: TableBitmaps;
  /** OpenFlow 1.1 and 1.2, when sending: what happens to packets that no flow matches. */
  readonly miss?: TableMiss;
  /** The same: the last table, from which packets go to no other. */
  readonly isLast?: boolean;
}

/** What a table can do as table statistics of OpenFlow 1.1 and 1.2 say it, in bits of the version. */
export interface TableBitmaps {
  /** 1.1: OFPFMF11_*; 1.2: by OXM field number. */
  readonly match: bigint;
  readonly wildcards: bigint;
  readonly writeActions: number;
  readonly applyActions: number;
  /** 1.2 only, like the metadata bits. */
  readonly writeSetFields: bigint;
  readonly applySetFields: bigint;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
  readonly instructions: number;
  readonly config: number;
}

/** Which tables a request of OpenFlow 1.5 is about, and how. */
export type TableFeaturesCommand = 'replace' | 'modify' | 'enable' | 'disable';

/** One table of a table-features message. */
export interface TableFeatures {
  readonly tableId: number;
  /** OpenFlow 1.5 requests. */
  readonly command?: TableFeaturesCommand;
  readonly name: string;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
  /** OpenFlow 1.4 and later: bit 2 eviction, bit 3 vacancy events. */
  readonly config: number;
  readonly maxEntries: number;
  readonly properties: readonly TableProperty[];
}

/** A property of table features: type and the bytes after its header; `tableAbilities` reads them. */
export interface TableProperty {
  /** Of an experimenter's property the experimenter's own. */
  readonly type: number;
  /**
   * Whose property it is, when it is an experimenter's. The peer takes it for the standard's with its type, but does
   * not count it: it is not there twice, and what has to be there is missing all the same.
   */
  readonly experimenter?: number;
  readonly body: Uint8Array;
}

/** What becomes of packets that no flow matches; `default` is the version's. OpenFlow 1.1 and 1.2. */
export type TableMiss = 'default' | 'controller' | 'continue' | 'drop';

/** Bits of `evictionFlags`: OFPTMPEF14_*. */
export const EVICTION = { OTHER: 1, IMPORTANCE: 2, LIFETIME: 4 } as const;

/** Thresholds in percent, and the present vacancy (0 in a table-mod). */
export interface Vacancy {
  readonly down: number;
  readonly up: number;
  readonly vacancy: number;
}

/** The configuration of a table in OpenFlow 1.4 and later. */
export interface TableDesc {
  readonly tableId: number;
  readonly eviction: boolean;
  /** undefined: not told. */
  readonly evictionFlags: number | undefined;
  readonly vacancyEvents: boolean;
  readonly vacancy: Vacancy;
}

export interface TableMod {
  /** 255: all tables. */
  readonly tableId: number;
  readonly miss: TableMiss;
  /** OpenFlow 1.4 and later; undefined before. */
  readonly eviction: boolean | undefined;
  readonly evictionFlags: number | undefined;
  readonly vacancyEvents: boolean | undefined;
  readonly vacancy: Vacancy;
}

export type TableStatusReason = 'vacancy_down' | 'vacancy_up';
