/**
 * Tables as text: statistics and features, in which tables that say the same as the one before are put together, and
 * the configuration of tables.
 */
import { INSTRUCTION_ROWS } from '../actions/instruction-table.js';
import type { Field } from '@ovs-node/flow/field-types';
import { FIELDS, mustField } from '@ovs-node/flow/fields';
import { altHex } from '@ovs-node/flow/int-text';
import type { TableMap } from '../actions/row.js';
import { FW10 } from '../match/ofp10.js';
import { tableAbilities } from '../messages/table-abilities.js';
import type {
  TableDesc,
  TableFeatures,
  TableMod,
  TableStats,
  TableStatusReason,
} from '../messages/table-types.js';
import { actionNames } from './action-bits.js';
import { formatBits } from './print-port.js';
import { formatTable } from './tables.js';

/** What is printed of a table's abilities, whichever message they come from. */
interface Shown {
  readonly tableId: number;
  /** What a request does with features; replacing them goes without saying. */
  readonly command?: string | undefined;
  readonly name: string;
  readonly metadataMatch: bigint;
  readonly metadataWrite: bigint;
  readonly miss: string | undefined;
  readonly eviction: boolean | undefined;
  readonly vacancyEvents: boolean | undefined;
  readonly maxEntries: number;
  readonly nonmiss: FlowShown;
  readonly missFlow: FlowShown;
  readonly match: readonly string[];
  readonly mask: readonly string[];
  readonly wildcard: readonly string[];
}
interface FlowShown {
  readonly next: readonly number[];
  readonly instructions: readonly string[];
  readonly write: ActionsShown;
  readonly apply: ActionsShown;
}
interface ActionsShown {
  readonly actions: readonly string[];
  readonly setFields: readonly string[];
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Fields of OpenFlow 1.0 by their wildcard bits. */
const FIELDS_10: readonly (readonly [mask: number, name: string])[] = [
  [FW10.IN_PORT, 'in_port'],
  [FW10.DL_SRC, 'eth_src'],
  [FW10.DL_DST, 'eth_dst'],
  [FW10.DL_TYPE, 'eth_type'],
  [FW10.DL_VLAN, 'vlan_vid'],
  [FW10.DL_VLAN_PCP, 'vlan_pcp'],
  [63 << FW10.NW_SRC_SHIFT, 'ip_src'],
  [63 << FW10.NW_DST_SHIFT, 'ip_dst'],
  [FW10.NW_PROTO, 'nw_proto'],
  [FW10.NW_TOS, 'nw_tos'],
  [FW10.TP_SRC, 'tcp_src'],
  [FW10.TP_DST, 'tcp_dst'],
];

/** Fields of OpenFlow 1.1 by OFPFMF11_* bit. */
const FIELDS_11: readonly (string | undefined)[] = [
  'in_port',
  'vlan_vid',
  'vlan_pcp',
  'eth_type',
  'nw_tos',
  'nw_proto',
  'tcp_src',
  'tcp_dst',
  'mpls_label',
  'mpls_tc',
  undefined,
  'eth_src',
  'eth_dst',
  'ip_src',
  'ip_dst',
  'metadata',
];

const inOrder = (names: Iterable<string>): string[] =>
  [...names]
    .map(mustField)
    .sort((a, b) => a.id - b.id)
    .map((f) => f.name);

function fields11(bits: bigint): string[] {
  return inOrder(
    FIELDS_11.filter((name, i) => name !== undefined && ((bits >> BigInt(i)) & 1n) !== 0n) as string[],
  );
}

const OXM_BASIC = 0x8000;

/** Fields of OpenFlow 1.2 by OXM number. */
function fields12(bits: bigint): string[] {
  return FIELDS.filter((f) =>
    f.oxm.some((c) => c.cls === OXM_BASIC && c.since <= 3 && ((bits >> BigInt(c.field)) & 1n) !== 0n),
  ).map((f) => f.name);
}

const NO_ACTIONS: ActionsShown = { actions: [], setFields: [] };
const NO_FLOW: FlowShown = { next: [], instructions: [], write: NO_ACTIONS, apply: NO_ACTIONS };

/** By number; the last has no meaning. */
const MISSES = ['controller', 'continue', 'drop', 'controller'];

function shownOfStats(t: TableStats, version: number): Shown {
  const base = {
    tableId: t.tableId,
    name: t.name,
    metadataMatch: 0n,
    metadataWrite: 0n,
    miss: undefined,
    eviction: undefined,
    vacancyEvents: undefined,
    maxEntries: t.maxEntries,
    nonmiss: NO_FLOW,
    missFlow: NO_FLOW,
    match: [],
    mask: [],
    wildcard: [],
  };
  if (version === 1) {
    const wild = FIELDS_10.filter(([bits]) => (t.wildcards & bits) !== 0).map(([, name]) => name);
    return { ...base, match: inOrder(wild), wildcard: inOrder(wild) };
  }
  const b = t.bitmaps;
  if (version >= 4 || b === undefined) return base;
  const instructions = INSTRUCTION_ROWS.filter(
    ([, { type, from }]) => version >= from && ((b.instructions >>> type) & 1) !== 0,
  ).map(([, { name }]) => name);
  const set = (bits: bigint): string[] => (version === 3 ? fields12(bits) : []);
  const flow: FlowShown = {
    next: [],
    instructions,
    write: { actions: actionNames(b.writeActions, version), setFields: set(b.writeSetFields) },
    // In OpenFlow 1.1 the peer takes the actions to write for those to apply.
    apply: {
      actions: actionNames(version === 2 ? b.writeActions : b.applyActions, version),
      setFields: set(b.applySetFields),
    },
  };
  const fields = version === 2 ? fields11 : fields12;
  return {
    ...base,
    metadataMatch: version === 3 ? b.metadataMatch : 0n,
    metadataWrite: version === 3 ? b.metadataWrite : 0n,
    miss: MISSES[b.config & 3],
    nonmiss: flow,
    missFlow: flow,
    match: fields(b.match | b.wildcards),
    wildcard: fields(b.wildcards),
  };
}

function shownOfFeatures(t: TableFeatures, version: number): Shown {
  const a = tableAbilities(t);
  const names = (fields: ReadonlySet<Field>): string[] => inOrder([...fields].map((f) => f.name));
  const flow = (f: typeof a.nonmiss): FlowShown => {
    const instructions = new Set(f.instructions.filter((i) => i.experimenter === 0).map((i) => i.type));
    const actions = (x: typeof f.write): ActionsShown => ({
      actions: actionNames(
        x.actions.reduce((sum, i) => (i.experimenter === 0 && i.type < 32 ? sum | (1 << i.type) : sum), 0),
        version,
      ),
      setFields: x.setFields.map((s) => s.name),
    });
    return {
      next: f.nextTables,
      instructions: INSTRUCTION_ROWS.filter(([, { type }]) => instructions.has(type)).map(
        ([, { name }]) => name,
      ),
      write: actions(f.write),
      apply: actions(f.apply),
    };
  };
  const config = version >= 5 ? t.config : undefined;
  return {
    tableId: t.tableId,
    command: t.command,
    name: t.name,
    metadataMatch: t.metadataMatch,
    metadataWrite: t.metadataWrite,
    miss: undefined,
    eviction: config === undefined ? undefined : (config & 4) !== 0,
    vacancyEvents: config === undefined ? undefined : (config & 8) !== 0,
    maxEntries: t.maxEntries,
    nonmiss: flow(a.nonmiss),
    missFlow: flow(a.miss),
    match: names(a.match),
    mask: names(a.mask),
    wildcard: names(a.wildcard),
  };
}

/** How long the words are that two names begin with, each with its underscore. */
function commonWords(a: string, b: string): number {
  let n = 0;
  while (n < a.length && a[n] === b[n]) n++;
  return a.lastIndexOf('_', n - 1) + 1;
}

/**
 * Names that count on are put together, `reg0...reg15`, or, when those are more, names with a common first word:
 * `eth_{src,dst}`.
 */
export function groupNames(names: readonly string[], separator = ' '): string {
  const out: string[] = [];
  let i = 0;
  while (i < names.length) {
    const number = /^(.*?)(\d+)$/.exec(names[i]);
    let run = i + 1;
    while (number && run < names.length && names[run] === `${number[1]}${Number(number[2]) + run - i}`) run++;
    let group = i + 1;
    while (group < names.length && commonWords(names[i], names[group]) > 0) group++;
    if (run - i > 2 && run >= group) {
      out.push(`${names[i]}...${names[run - 1]}`);
      i = run;
    } else if (group - i > 1) {
      // What the first two have in common is cut off all, whether they have it or not.
      const common = commonWords(names[i], names[i + 1]);
      const rest = names.slice(i, group).map((n) => n.slice(common));
      out.push(`${names[i].slice(0, common)}{${groupNames(rest, ',')}}`);
      i = group;
    } else out.push(names[i++]);
  }
  return out.join(separator);
}

/** Numbers with runs as `1-253`. */
function formatRuns(numbers: readonly number[]): string {
  const out: string[] = [];
  for (let i = 0; i < numbers.length;) {
    let j = i + 1;
    while (j < numbers.length && numbers[j] === numbers[j - 1] + 1) j++;
    out.push(j - i === 1 ? String(numbers[i]) : `${numbers[i]}-${numbers[j - 1]}`);
    i = j;
  }
  return out.join(',');
}

const isEmptyActions = (a: ActionsShown): boolean => a.actions.length === 0 && a.setFields.length === 0;
const isEmptyFlow = (f: FlowShown): boolean =>
  f.next.length === 0 && f.instructions.length === 0 && isEmptyActions(f.write) && isEmptyActions(f.apply);

function formatActionsShown(a: ActionsShown): string {
  let out = '';
  if (a.actions.length > 0) out += `        actions: ${a.actions.join(' ')}\n`;
  if (a.setFields.length > 0) out += `        supported on Set-Field: ${groupNames(a.setFields)}\n`;
  return out;
}

function formatFlowShown(f: FlowShown, before: FlowShown | undefined): string {
  let out = '';
  if (f.next.length > 0) {
    out += `      next tables: ${formatRuns(f.next)}
`;
  }
  if (f.instructions.length > 0) {
    out +=
      before && same(f.instructions, before.instructions)
        ? '      (same instructions)\n'
        : `      instructions: ${f.instructions.join(' ')}\n`;
  }
  // Without fields that can be set, the peer says even the same actions again.
  const canSet = f.write.setFields.length > 0;
  if (canSet && before && same(f.write, before.write) && same(f.apply, before.apply)) {
    out += '      (same actions)\n';
  } else if (!same(f.write, f.apply)) {
    out += `      Write-Actions features:\n${formatActionsShown(f.write)}`;
    out += `      Apply-Actions features:\n${formatActionsShown(f.apply)}`;
  } else if (!isEmptyActions(f.write)) {
    out += `      Write-Actions and Apply-Actions features:\n${formatActionsShown(f.write)}`;
  }
  return out;
}

function formatMatching(t: Shown): string {
  let out = '    matching:\n';
  const list = (title: string, names: readonly string[]): void => {
    if (names.length > 0) out += `      ${title}: ${groupNames(names)}\n`;
  };
  list(
    'arbitrary mask',
    t.match.filter((n) => t.mask.includes(n)),
  );
  list(
    'exact match or wildcard',
    t.match.filter((n) => !t.mask.includes(n) && t.wildcard.includes(n)),
  );
  list(
    'must exact match',
    t.match.filter((n) => !t.mask.includes(n) && !t.wildcard.includes(n)),
  );
  return out;
}

function formatAbilities(t: Shown, before: Shown | undefined): string {
  let out = '';
  if (t.metadataMatch !== 0n || t.metadataWrite !== 0n) {
    out += `    metadata: match=${altHex(t.metadataMatch)} write=${altHex(t.metadataWrite)}\n`;
  }
  if (t.miss !== undefined) out += `    config=${t.miss}\n`;
  if (t.eviction !== undefined) out += `    eviction: ${t.eviction ? '' : 'not '}supported\n`;
  if (t.vacancyEvents !== undefined) out += `    vacancy events: ${t.vacancyEvents ? '' : 'not '}supported\n`;
  if (t.maxEntries !== 0) out += `    max_entries=${t.maxEntries}\n`;
  if (before && same(t.nonmiss, before.nonmiss) && same(t.missFlow, before.missFlow)) {
    if (!isEmptyFlow(t.nonmiss)) out += '    (same instructions)\n';
  } else if (!same(t.nonmiss, t.missFlow)) {
    out += `    instructions (other than table miss):\n${formatFlowShown(t.nonmiss, before?.nonmiss)}`;
    out += `    instructions (table miss):\n${formatFlowShown(t.missFlow, before?.missFlow)}`;
  } else if (!isEmptyFlow(t.nonmiss)) {
    out += `    instructions (table miss and others):\n${formatFlowShown(t.nonmiss, before?.nonmiss)}`;
  }
  if (t.match.length > 0) {
    out += before && same(t.match, before.match) ? '    (same matching)\n' : formatMatching(t);
  }
  return out;
}

/** One table after another, as they are printed. */
interface Entry {
  readonly shown: Shown;
  readonly stats: TableStats | undefined;
}

/**
 * What of a table counts in comparing it with the one before: of the fields, which there are. The tables behind a table are the same to the reader
 * whichever table it is: all that follow it.
 */
const features = ({ shown }: Entry): string =>
  JSON.stringify(
    { ...shown, command: '', tableId: 0, name: '', mask: [], wildcard: [] },
    (key, v: unknown) => {
      if (key === 'next') return behind(shown.tableId, v as readonly number[]);
      return typeof v === 'bigint' ? String(v) : v;
    },
  );

/** The last of the tables that follow `tableId` when those are all there are, else the tables. */
function behind(tableId: number, next: readonly number[]): number | readonly number[] {
  return next.length > 0 && next.every((id, i) => id === tableId + 1 + i) ? next.at(-1)! : next;
}

const counts = ({ stats }: Entry): string =>
  stats === undefined ? '' : `${stats.activeCount} ${stats.lookupCount} ${stats.matchedCount}`;

function formatTables(entries: readonly Entry[]): string {
  if (entries.length === 0) return '';
  let out = '\n';
  const said = entries.map(features);
  let ditto: [first: number, last: number] | undefined;
  const finish = (): void => {
    if (ditto) {
      const [first, last] = ditto;
      out += first === last ? `  table ${first}: ditto\n\n` : `  tables ${first}...${last}: ditto\n\n`;
    }
    ditto = undefined;
  };
  entries.forEach((e, i) => {
    const before = i > 0 ? entries[i - 1] : undefined;
    const sameFeatures = before !== undefined && said[i] === said[i - 1];
    const sameStats = e.stats === undefined || (before !== undefined && counts(e) === counts(before));
    const { tableId, name } = e.shown;
    if (sameFeatures && sameStats && name === '') {
      ditto = ditto ? [ditto[0], tableId] : [tableId, tableId];
      return;
    }
    finish();
    const { command } = e.shown;
    if (command !== undefined && command !== 'replace') out += `  command: ${command}\n`;
    out += `  table ${tableId}${name === '' ? '' : ` ("${name}")`}:`;
    if (sameFeatures && sameStats) {
      out += ' ditto\n';
      return;
    }
    out += '\n';
    if (e.stats) {
      const s = e.stats;
      out += `    active=${s.activeCount}, lookup=${s.lookupCount}, matched=${s.matchedCount}\n`;
    }
    if (sameFeatures) {
      out += formatAbilities(e.shown, undefined) === '' ? '\n' : '    (same features)\n\n';
      return;
    }
    out += `${formatAbilities(e.shown, before?.shown)}\n`;
  });
  finish();
  return out;
}

/** The body of a table statistics reply. */
export function formatTableStats(tables: readonly TableStats[], version: number): string {
  const entries = tables.map((stats) => ({ shown: shownOfStats(stats, version), stats }));
  return formatTables(entries);
}

/** The body of table features. */
export function formatTableFeatures(tables: readonly TableFeatures[], version: number): string {
  return formatTables(tables.map((t) => ({ shown: shownOfFeatures(t, version), stats: undefined })));
}

const EVICTION_FLAGS = [
  [1, 'OTHER'],
  [2, 'IMPORTANCE'],
  [4, 'LIFETIME'],
] as const;

function formatEvictionFlags(flags: number): string {
  return formatBits(flags, EVICTION_FLAGS).replaceAll(' ', '|');
}

/** The configuration of one table, several lines. */
export function formatTableDesc(t: TableDesc, map?: TableMap): string {
  let out = `\n  table ${formatTable(t.tableId, map)}`;
  out += `:\n   eviction=${t.eviction ? 'on' : 'off'} eviction_flags=`;
  out += t.evictionFlags === undefined ? '(default)' : formatEvictionFlags(t.evictionFlags);
  out += `\n   vacancy=${t.vacancyEvents ? 'on' : 'off'}`;
  if (t.vacancyEvents) {
    out += ` vacancy_down=${t.vacancy.down}% vacancy_up=${t.vacancy.up}% vacancy=${t.vacancy.vacancy}%`;
  }
  return `${out}\n`;
}

export function formatTableMod(t: TableMod, map?: TableMap): string {
  let out = t.tableId === 255 ? ' table_id: ALL_TABLES' : ` table_id=${formatTable(t.tableId, map)}`;
  if (t.miss !== 'default') out += `, flow_miss_config=${t.miss}`;
  // The peer takes eviction flags, where there are any, for the word.
  const eviction = t.evictionFlags ?? (t.eviction === undefined ? 0 : t.eviction ? 1 : 2);
  if (eviction !== 0) out += `, eviction=${['on', 'off'][eviction - 1] ?? '***error***'}`;
  if (t.vacancyEvents !== undefined) {
    out += `, vacancy=${t.vacancyEvents ? 'on' : 'off'}`;
    if (t.vacancyEvents) out += ` vacancy:${t.vacancy.down},${t.vacancy.up}`;
  }
  return out;
}

export function formatTableStatus(reason: TableStatusReason, desc: TableDesc, map?: TableMap): string {
  return ` reason=${reason.toUpperCase()}\ntable_desc:-${formatTableDesc(desc, map)}`;
}
