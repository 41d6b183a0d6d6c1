/** Messages about OpenFlow tables: statistics, features, configuration and its changes. */
import { fail, refuse, UNNAMED_ERROR } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { items } from './multipart-items.js';
import { propertyName, putProperty, putPropertyOf, readProperty, unknownProperty } from './property.js';
import { type BodyRow, bodies, emptyBody, form, type MessageRows } from './row.js';
import { checkTableAbilities, checkTableProperty } from './table-abilities.js';
import type {
  TableBitmaps,
  TableDesc,
  TableFeatures,
  TableFeaturesCommand,
  TableMiss,
  TableMod,
  TableProperty,
  TableStats,
  TableStatusReason,
  Vacancy,
} from './table-types.js';
import type { ReplyOf, RequestOf } from './types.js';

/** What our tables can do, in the bitmaps of OpenFlow 1.1's and 1.2's table statistics. */
const BITMAPS_11: TableBitmaps = {
  match: 0xfbffn,
  wildcards: 0xfbffn,
  writeActions: 0x1ffe7ff,
  applyActions: 0x1ffe7ff,
  writeSetFields: 0n,
  applySetFields: 0n,
  metadataMatch: 0n,
  metadataWrite: 0n,
  instructions: 0x3e,
  config: 0,
};
const BITMAPS_12: TableBitmaps = {
  match: 0x101ffffffffdn,
  wildcards: 0x101ffffffffdn,
  writeActions: 0x3ff8001,
  applyActions: 0x3ff8001,
  writeSetFields: 0xffffffbddn,
  applySetFields: 0xffffffbddn,
  metadataMatch: 0xffffffffffffffffn,
  metadataWrite: 0xffffffffffffffffn,
  instructions: 0x3e,
  config: 0,
};

/** OFPIT11_GOTO_TABLE. */
const GOTO_TABLE = 1 << 1;

function instructionsOf({ isLast }: TableStats, { instructions }: TableBitmaps): number {
  return isLast ? instructions & ~GOTO_TABLE : instructions;
}

function putTableStats(w: Writer, t: TableStats, version: number): void {
  w.u8(t.tableId);
  if (version === 1) {
    w.zeros(3).string(t.name, 32).u32(t.wildcards).u32(t.maxEntries).u32(t.activeCount);
  } else if (version === 2) {
    const b = t.bitmaps ?? BITMAPS_11;
    w.zeros(7).string(t.name, 32);
    w.u32(Number(b.wildcards))
      .u32(Number(b.match))
      .u32(instructionsOf(t, b))
      .u32(b.writeActions)
      .u32(b.applyActions);
    // The peer's switch gives its own number here, in which the default has one, too.
    w.u32(t.miss === undefined ? b.config : t.miss === 'default' ? 0 : 1 + MISSES.indexOf(t.miss));
    w.u32(t.maxEntries).u32(t.activeCount);
  } else if (version === 3) {
    const b = t.bitmaps ?? BITMAPS_12;
    w.zeros(7).string(t.name, 32).u64(b.match).u64(b.wildcards).u32(b.writeActions).u32(b.applyActions);
    w.u64(b.writeSetFields).u64(b.applySetFields).u64(b.metadataMatch).u64(b.metadataWrite);
    w.u32(instructionsOf(t, b));
    w.u32(t.miss === undefined ? b.config : t.miss === 'default' ? 0 : MISSES.indexOf(t.miss));
    w.u32(t.maxEntries).u32(t.activeCount);
  } else {
    w.zeros(3).u32(t.activeCount);
  }
  w.u64(t.lookupCount).u64(t.matchedCount);
}

const MISS_BITS = 3;

/** Reads the configuration of OpenFlow 1.1 and 1.2, which says what becomes of packets without a flow. */
function readMissConfig(r: Reader): number {
  const config = r.u32();
  if ((config & MISS_BITS) === MISS_BITS) r.explain?.('table_miss', config);
  return config;
}

function readBitmaps(r: Reader, version: number): TableBitmaps {
  if (version === 2) {
    const [wildcards, match] = [BigInt(r.u32()), BigInt(r.u32())];
    const [instructions, writeActions, applyActions] = [r.u32(), r.u32(), r.u32()];
    const config = readMissConfig(r);
    return { ...BITMAPS_11, wildcards, match, instructions, writeActions, applyActions, config };
  }
  const [match, wildcards, writeActions, applyActions] = [r.u64(), r.u64(), r.u32(), r.u32()];
  const [writeSetFields, applySetFields, metadataMatch, metadataWrite] = [r.u64(), r.u64(), r.u64(), r.u64()];
  return {
    match,
    wildcards,
    writeActions,
    applyActions,
    writeSetFields,
    applySetFields,
    metadataMatch,
    metadataWrite,
    instructions: r.u32(),
    config: readMissConfig(r),
  };
}

/** Reads the name of a table: 32 bytes, of which 31 count. */
export function readName(r: Reader): string {
  return r.sub(32).string(31);
}

function readTableStats(r: Reader, version: number): TableStats {
  const tableId = r.u8();
  if (version >= 4) {
    r.skip(3);
    const activeCount = r.u32();
    const counts = { lookupCount: r.u64(), matchedCount: r.u64() };
    return { tableId, name: '', wildcards: 0, maxEntries: 0, activeCount, ...counts };
  }
  r.skip(version === 1 ? 3 : 7);
  const name = readName(r);
  const wildcards = version === 1 ? r.u32() : 0;
  const bitmaps = version === 1 ? undefined : readBitmaps(r, version);
  const [maxEntries, activeCount, lookupCount, matchedCount] = [r.u32(), r.u32(), r.u64(), r.u64()];
  const stats = { tableId, name, wildcards, maxEntries, activeCount, lookupCount, matchedCount };
  return bitmaps ? { ...stats, bitmaps } : stats;
}

const FEATURES_COMMANDS: readonly TableFeaturesCommand[] = ['replace', 'modify', 'enable', 'disable'];

function putTableFeatures(w: Writer, t: TableFeatures, version: number): void {
  const start = w.length;
  const command = version >= 6 && t.command !== undefined ? FEATURES_COMMANDS.indexOf(t.command) : 0;
  w.u16(0).u8(t.tableId).u8(command).zeros(4).string(t.name, 32).u64(t.metadataMatch).u64(t.metadataWrite);
  w.u32(t.config).u32(t.maxEntries);
  for (const p of t.properties) putPropertyOf(w, p.type, p.experimenter, () => w.bytes(p.body));
  w.setU16(start, w.length - start);
}

function readTableFeatures(reader: Reader, version: number, loose: boolean): TableFeatures {
  if (reader.left < 64) fail('OFPBPC_BAD_LEN', `${reader.left} bytes of table features`);
  // Looked at before it is read: what is refused for its length stays unread.
  const length = reader.peekU32() >>> 16;
  if (length < 64 || length % 8 !== 0 || length > reader.left) {
    fail('OFPBPC_BAD_LEN', `table features of ${length} bytes`);
  }
  const r = reader.sub(length);
  r.skip(2);
  const tableId = r.u8();
  const number = r.u8();
  if (version >= 6 && number > 3) fail('OFPTFFC_BAD_COMMAND', `command ${number}`);
  if (tableId === 255) fail('OFPTFFC_BAD_TABLE', 'features of table 255');
  r.skip(4);
  const name = readName(r);
  const [metadataMatch, metadataWrite] = [r.u64(), r.u64()];
  const [config, maxEntries] = [r.u32(), r.u32()];
  const properties: TableProperty[] = [];
  const seen = new Set<number>();
  while (r.left > 0) {
    const { type, experimenter, body } = readProperty(r);
    const property = { type, ...(experimenter === undefined ? {} : { experimenter }), body: body.rest() };
    checkTableProperty(property, seen, loose, r.explain);
    properties.push(property);
  }
  const command = version >= 6 ? { command: FEATURES_COMMANDS[number] } : {};
  const features = {
    tableId,
    ...command,
    name,
    metadataMatch,
    metadataWrite,
    config,
    maxEntries,
    properties,
  };
  checkTableAbilities(features, version, r.explain);
  return features;
}

const EVICTION_BIT = 4;
const VACANCY_BIT = 8;
const NO_VACANCY: Vacancy = { down: 0, up: 0, vacancy: 0 };

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a table-mod and a description have alike. */
type TableSettings = Pick<TableMod, 'eviction' | 'evictionFlags' | 'vacancyEvents' | 'vacancy'>;

function putSettings(w: Writer, t: TableSettings): void {
  w.u32((t.eviction === true ? EVICTION_BIT : 0) | (t.vacancyEvents === true ? VACANCY_BIT : 0));
  const { evictionFlags: flags } = t;
  if (flags !== undefined) putProperty(w, 'table_desc', 'eviction', () => w.u32(flags));
  if (t.vacancyEvents === true) {
    const v = t.vacancy;
    putProperty(w, 'table_desc', 'vacancy', () => w.u8(v.down).u8(v.up).u8(v.vacancy).zeros(1));
  }
}

/** Refuses what a table-mod may not say of vacancy. */
function checkVacancy(r: Reader, { down, up, vacancy }: TableDesc['vacancy']): void {
  if (down > up) refuse(r, 'OFPBPC_BAD_VALUE', 'vacancy_order');
  if (down > 100 || up > 100) refuse(r, 'OFPBPC_BAD_VALUE', 'vacancy_percent');
  if (vacancy !== 0) refuse(r, 'OFPBPC_BAD_VALUE', 'vacancy_set');
}

/** What nothing has been read of yet. */
const unread = (tableId: number): Mutable<TableDesc> => ({
  tableId,
  eviction: false,
  evictionFlags: undefined,
  vacancyEvents: false,
  vacancy: NO_VACANCY,
});

/** Reads the configuration and the properties into `t`; in a table-mod thresholds have to make sense. */
function readSettings(r: Reader, isMod: boolean, t: Mutable<TableDesc>): TableDesc {
  const config = r.u32();
  t.eviction = (config & EVICTION_BIT) !== 0;
  t.vacancyEvents = (config & VACANCY_BIT) !== 0;
  while (r.left > 0) {
    const p = readProperty(r);
    const name = propertyName('table_desc', p);
    if (name === 'eviction') t.evictionFlags = p.body.u32();
    else if (name === 'vacancy') {
      t.vacancy = { down: p.body.u8(), up: p.body.u8(), vacancy: p.body.u8() };
      if (isMod) checkVacancy(r, t.vacancy);
    } else if (isMod) fail('OFPBRC_BAD_TYPE', `property ${p.type}`);
    else unknownProperty(p, 'table_desc', true);
  }
  return t;
}

function putTableDesc(w: Writer, t: TableDesc): void {
  const start = w.length;
  w.u16(0).u8(t.tableId).zeros(1);
  putSettings(w, t);
  w.setU16(start, w.length - start);
}

/** @param begin gets what is read before it is. */
function readTableDesc(reader: Reader, begin: (t: TableDesc) => void = () => undefined): TableDesc {
  if (reader.left < 8) refuse(reader, 'OFPBRC_BAD_LEN', 'leftover', 'OFP14_TABLE_DESC reply', reader.left);
  const length = reader.u16();
  if (length < 8 || length - 2 > reader.left) {
    refuse(reader, 'OFPBRC_BAD_LEN', 'claimed_length', 'OFP14_TABLE_DESC reply', length);
  }
  const r = reader.sub(length - 2);
  const tableId = r.u8();
  r.skip(1);
  const t = unread(tableId);
  begin(t);
  return readSettings(r, false, t);
}

const MISSES: readonly (TableMiss | undefined)[] = ['controller', 'continue', 'drop'];

const STATUS_REASONS: Readonly<Record<number, TableStatusReason>> = { 3: 'vacancy_down', 4: 'vacancy_up' };

export const TABLE_MESSAGES: MessageRows<'table_mod' | 'table_status'> = {
  table_mod: {
    forms: [
      form(
        'OFPT11_TABLE_MOD',
        (w, { tableMod: t }, version) => {
          const miss = version <= 3 && t.miss !== 'default' ? MISSES.indexOf(t.miss) : 0;
          w.u8(t.tableId).zeros(3).u32(miss);
        },
        (r, version) => {
          const tableId = r.u8();
          r.skip(3);
          const config = version <= 3 ? readMissConfig(r) : r.u32();
          const miss = version <= 3 ? (MISSES[config & MISS_BITS] ?? 'controller') : 'default';
          const tableMod: TableMod = {
            tableId,
            miss,
            eviction: undefined,
            evictionFlags: undefined,
            vacancyEvents: undefined,
            vacancy: NO_VACANCY,
          };
          return { type: 'table_mod', tableMod };
        },
      ),
      form(
        'OFPT14_TABLE_MOD',
        (w, { tableMod: t }) => {
          w.u8(t.tableId).zeros(3);
          putSettings(w, t);
        },
        (r) => {
          const tableId = r.u8();
          r.skip(3);
          const settings = readSettings(r, true, unread(tableId));
          return { type: 'table_mod', tableMod: { ...settings, miss: 'default' } };
        },
      ),
    ],
  },
  table_status: {
    forms: [
      form(
        'OFPT14_TABLE_STATUS',
        (w, m) => {
          w.u8(m.reason === 'vacancy_down' ? 3 : 4).zeros(7);
          putTableDesc(w, m.desc);
        },
        (r) => {
          const number = r.u8();
          r.skip(7);
          const reason = STATUS_REASONS[number];
          if (reason === undefined) fail('OFPBPC_BAD_VALUE', `table status ${number}`);
          if (r.left === 0) fail('OFPBRC_BAD_LEN', UNNAMED_ERROR);
          const desc = readTableDesc(r);
          return { type: 'table_status', reason, desc };
        },
      ),
    ],
  },
};

export const TABLE_BODIES: {
  readonly [T in 'table' | 'table_features' | 'table_desc']: BodyRow<RequestOf<T>, ReplyOf<T>>;
} = {
  table: {
    request: emptyBody<RequestOf<'table'>>(['OFPST_TABLE_REQUEST'], { type: 'table' }),
    reply: bodies<ReplyOf<'table'>>(
      ['OFPST10_TABLE_REPLY', 'OFPST11_TABLE_REPLY', 'OFPST12_TABLE_REPLY', 'OFPST13_TABLE_REPLY'],
      (w, p, version) => w.items(p.tables, (t) => putTableStats(w, t, version)),
      (r, version) =>
        items(
          r,
          () => readTableStats(r, version),
          (tables) => ({ type: 'table', tables }),
        ),
    ),
  },
  table_features: {
    request: bodies<RequestOf<'table_features'>>(
      ['OFPST13_TABLE_FEATURES_REQUEST'],
      (w, q, version) => {
        for (const t of q.tables) putTableFeatures(w, t, version);
      },
      (r, version, options) =>
        items(
          r,
          () => readTableFeatures(r, version, options.loose ?? false),
          (tables) => ({ type: 'table_features', tables }),
        ),
    ),
    reply: bodies<ReplyOf<'table_features'>>(
      ['OFPST13_TABLE_FEATURES_REPLY'],
      (w, p, version) => w.items(p.tables, (t) => putTableFeatures(w, t, version)),
      (r, version) =>
        items(
          r,
          () => readTableFeatures(r, version, true),
          (tables) => ({ type: 'table_features', tables }),
        ),
    ),
  },
  table_desc: {
    request: emptyBody<RequestOf<'table_desc'>>(['OFPST14_TABLE_DESC_REQUEST'], { type: 'table_desc' }),
    reply: bodies<ReplyOf<'table_desc'>>(
      ['OFPST14_TABLE_DESC_REPLY'],
      (w, p) => w.items(p.tables, (t) => putTableDesc(w, t)),
      (r) => {
        let begun: TableDesc | undefined;
        return items(
          r,
          () => {
            const table = readTableDesc(r, (t) => (begun = t));
            begun = undefined;
            return table;
          },
          (tables) => ({ type: 'table_desc', tables, ...(begun && { begun }) }),
        );
      },
    ),
  },
};
