/** Flows as text: what `ovs-ofctl add-flow` and its like read (ovs-ofctl(8), "Flow Syntax"), and what dump-flows prints. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO, PROTO_ANY, PROTO_OF10_NXM_ANY, PROTO_OXM_ANY } from '@ovs-node/flow/field-types';
import { KeyValueCursor } from '@ovs-node/flow/key-value';
import { clearWords, Match, newWords } from '@ovs-node/flow/match';
import { normalizeMatch } from '@ovs-node/flow/match-normalize';
import { applyMatchPair, matchProtocols, unknownWord } from '@ovs-node/flow/match-text';
import { OFPP, parsePort, type PortMap } from '@ovs-node/flow/ports';
import { WordTable } from '@ovs-node/flow/word-table';
import { checkActions } from '../actions/check.js';
import type { TableMap } from '../actions/row.js';
import { formatActionsIn, parseActionsIn } from '../actions/text.js';
import {
  ALL_TABLES,
  COOKIE_NONE,
  FF,
  type FlowMod,
  type FlowModCommand,
  type FlowStats,
  GROUP_ANY,
  NO_BUFFER,
  UNKNOWN_COUNT,
} from '../messages/types.js';
import type { Explain } from '../explain.js';
import { colored, type Colors, colorStatistics } from './color.js';
import { readCommandWord } from './command-word.js';
import { formatMatchIn } from './match.js';
import { hex, parseU16, parseU64 } from './numbers.js';
import { readGroup } from './parse-group.js';
import { formatTable, readTable } from './tables.js';

/** The priority of a flow that says none. */
export const DEFAULT_PRIORITY = 0x8000;

const OF11_UP = PROTO.OF11_STD | PROTO_OXM_ANY;
const NXM_OF11_UP = PROTO_OF10_NXM_ANY | OF11_UP;
const OF12_UP = PROTO_OXM_ANY;
const OF13_UP = PROTO.OF13_OXM | PROTO.OF14_OXM | PROTO.OF15_OXM;
/** Protocols that can name a table. */
export const PROTO_TID = PROTO.OF10_STD_TID | PROTO.OF10_NXM_TID | OF11_UP;

/** What reading and writing flows knows beyond the text. */
export interface FlowTextOptions {
  readonly ports?: PortMap | undefined;
  readonly tables?: TableMap | undefined;
  /** Is told what is wrong with actions. */
  readonly explain?: Explain | undefined;
  /** The flow is to be compared only: whether it is in normal form is no matter. */
  readonly isCompared?: boolean | undefined;
}

/** A flow, and the protocols (bits of `PROTO`) that can carry it. */
export interface ParsedFlow {
  readonly flowMod: FlowMod;
  /** Protocols (bits of `PROTO`) that can carry it. */
  readonly usable: number;
}

/** What a flow description may say beyond its match; 'filter' is that of dump-flows and dump-aggregate. */
interface Allowed {
  readonly actions?: true;
  readonly timeout?: true;
  readonly priority?: true;
  readonly flags?: true;
  readonly importance?: true;
  readonly outPort?: true;
}
const ALLOWED: Readonly<Record<FlowModCommand | 'filter', Allowed>> = {
  filter: { outPort: true },
  add: { actions: true, timeout: true, priority: true, flags: true, importance: true },
  modify: { actions: true, timeout: true, priority: true, flags: true },
  modify_strict: { actions: true, timeout: true, priority: true, flags: true },
  delete: { outPort: true },
  delete_strict: { outPort: true, priority: true },
};

/** Of words that begin alike the first is meant. */
const COMMAND_WORDS: readonly FlowModCommand[] = [
  'add',
  'delete',
  'delete_strict',
  'modify',
  'modify_strict',
];

/** Words of dump-flows output that have no place in a flow-mod. */
const IGNORED = new Set(['duration', 'n_packets', 'n_bytes', 'idle_age', 'hard_age']);

const FLAG_WORDS: Readonly<Record<string, readonly [flag: number, protocols: number]>> = {
  send_flow_rem: [FF.SEND_FLOW_REM, PROTO_ANY],
  check_overlap: [FF.CHECK_OVERLAP, PROTO_ANY],
  reset_counts: [FF.RESET_COUNTS, OF12_UP],
  no_packet_counts: [FF.NO_PKT_COUNTS, OF13_UP],
  no_byte_counts: [FF.NO_BYT_COUNTS, OF13_UP],
};

/**
 * Reads a leading command word off `text[from..to)`, a line of `add-flows`; `add` when there is none. The flow follows
 * from `from` of the result on.
 */
export function splitCommand(
  text: string,
  from = 0,
  to = text.length,
): { command: FlowModCommand; from: number } {
  const { word, start, end } = readCommandWord(COMMAND_WORDS, text, from, to);
  return word === undefined ? { command: 'add', from: start } : { command: word, from: end };
}

/** The match being read. */
const words = newWords();

type Draft = { -readonly [K in keyof FlowMod]: FlowMod[K] };

/** Applies `cookie=…`. */
function setCookie(draft: Draft, command: FlowModCommand | 'filter', value: string): number {
  const slash = value.indexOf('/');
  if (slash >= 0) {
    if (command === 'add') throw new FlowSyntaxError('flow additions cannot use a cookie mask');
    draft.cookie = parseU64(value.slice(0, slash));
    draft.cookieMask = parseU64(value.slice(slash + 1));
    return draft.cookieMask === 0n ? PROTO_ANY : NXM_OF11_UP;
  }
  if (command !== 'add' && command !== 'modify' && command !== 'modify_strict') {
    throw new FlowSyntaxError(
      `cannot set cookie (to match on a cookie, specify a mask, e.g. cookie=${value}/-1)`,
    );
  }
  draft.newCookie = parseU64(value);
  draft.modifyCookie = true;
  return PROTO_ANY;
}

/** Words of a flow description that are not part of the match, and stand with a value. */
const VALUE_WORDS = new WordTable<string>(
  [
    'table',
    'importance',
    'out_port',
    'out_group',
    'priority',
    'idle_timeout',
    'hard_timeout',
    'cookie',
    ...IGNORED,
  ].map((word) => [word, word]),
);
const FLAGS = new WordTable(Object.entries(FLAG_WORDS));

/** Applies a pair that is not part of the match; -1 when its key is none that `allowed` has. */
function applyPair(
  draft: Draft,
  allowed: Allowed,
  command: FlowModCommand | 'filter',
  at: KeyValueCursor,
  o: FlowTextOptions,
): number {
  const flag = allowed.flags ? at.find(FLAGS) : undefined;
  if (flag) {
    draft.flags |= flag[0];
    return flag[1];
  }
  if (at.valueFrom === at.valueTo) return -1;
  const word = at.find(VALUE_WORDS);
  if (word === undefined) return -1;
  const { value } = at;
  switch (word) {
    case 'table': {
      const table = readTable(value, o.tables);
      if (table === undefined) throw new FlowSyntaxError(`unknown table "${value}"`);
      draft.tableId = table;
      return table === ALL_TABLES ? PROTO_ANY : PROTO_TID;
    }
    case 'importance':
      if (!allowed.importance) return -1;
      draft.importance = parseU16(value, word);
      return PROTO_ANY;
    case 'out_port': {
      if (!allowed.outPort) return -1;
      const port = parsePort(value, o.ports);
      if (port === undefined) throw new FlowSyntaxError(`${value} is not a valid OpenFlow port`);
      draft.outPort = port;
      return PROTO_ANY;
    }
    case 'out_group':
      if (!allowed.outPort) return -1;
      draft.outGroup = readGroup(value) ?? badGroup(value);
      return OF11_UP;
    case 'priority':
      if (!allowed.priority) return -1;
      draft.priority = parseU16(value, word);
      return PROTO_ANY;
    case 'idle_timeout':
      if (!allowed.timeout) return -1;
      draft.idleTimeout = parseU16(value, word);
      return PROTO_ANY;
    case 'hard_timeout':
      if (!allowed.timeout) return -1;
      draft.hardTimeout = parseU16(value, word);
      return PROTO_ANY;
    case 'cookie':
      return setCookie(draft, command, value);
    default:
      return PROTO_ANY;
  }
}

function badGroup(text: string): never {
  throw new FlowSyntaxError(`${text} is not a valid OpenFlow group`);
}

const NO_MATCH = new Match();

/**
 * Reads a flow description, `text[from..to)`, for `command` or for the filter of a statistics request. (A line of a
 * file is best read where it stands: strings cut from others are slower to go through.)
 *
 * @throws FlowSyntaxError with the peer's words, TypeError for a command that there is not, of who is not held to types.
 */
export function parseFlowProtocols(
  text: string,
  command: FlowModCommand | 'filter',
  o: FlowTextOptions = {},
  from = 0,
  to = text.length,
): ParsedFlow {
  const allowed = ALLOWED[command] as Allowed | undefined;
  if (allowed === undefined) throw new TypeError(`there is no command ${String(command)}`);
  const draft: Draft = {
    command: command === 'filter' ? 'delete' : command,
    match: NO_MATCH,
    priority: DEFAULT_PRIORITY,
    cookie: 0n,
    cookieMask: 0n,
    // A modification that finds no flow adds one, whose cookie is 0 unless one is given.
    newCookie: command === 'add' ? 0n : COOKIE_NONE,
    modifyCookie: false,
    tableId: ALL_TABLES,
    idleTimeout: 0,
    hardTimeout: 0,
    importance: 0,
    bufferId: NO_BUFFER,
    outPort: OFPP.ANY,
    outGroup: GROUP_ANY,
    flags: 0,
    actions: [],
  };
  let usable = PROTO_ANY;
  let end = to;
  let actionsFrom = -1;
  if (allowed.actions) {
    end = text.indexOf('action', from);
    const equals = end < 0 ? -1 : text.indexOf('=', end);
    if (equals < 0 || equals >= to) throw new FlowSyntaxError('must specify an action');
    actionsFrom = equals + 1;
  }
  clearWords(words);
  const at = new KeyValueCursor(text, from, end);
  while (at.next()) {
    let used = applyPair(draft, allowed, command, at, o);
    if (used === -1) used = applyMatchPair(words, at, o.ports);
    if (used === -1) throw unknownWord(at.key, at.value);
    usable &= used;
  }
  usable &= matchProtocols(words);
  draft.match = Match.packedFrom(words);
  if (
    (command === 'modify' || command === 'modify_strict') &&
    draft.cookieMask === 0n &&
    draft.newCookie === COOKIE_NONE
  ) {
    draft.newCookie = 0n;
  }
  if (actionsFrom >= 0) {
    const context = { ports: o.ports, tables: o.tables, usable: PROTO_ANY, depth: 0 };
    const actions = parseActionsIn(text, context, actionsFrom, to);
    usable &= context.usable;
    const checked = checkActions(actions, words, {
      tableId: draft.tableId,
      protocols: usable,
      explain: o.explain,
    });
    if (checked.error !== undefined) {
      throw new FlowSyntaxError(`actions are invalid with specified match (${checked.error})`);
    }
    draft.actions = checked.actions;
    usable &= checked.usable;
  }
  if (command === 'filter') {
    // Statistics requests have always named a table.
    if ((usable & PROTO.OF10_STD_TID) !== 0) usable |= PROTO.OF10_STD;
    if ((usable & PROTO.OF10_NXM_TID) !== 0) usable |= PROTO.OF10_NXM;
  }
  // What is not in normal form is told of, and sent as it is.
  if (command !== 'filter' && o.isCompared !== true) normalizeMatch(words);
  return { flowMod: draft, usable };
}

/** `parseFlowProtocols` for those who want the flow-mod alone. */
export function parseFlow(text: string, command: FlowModCommand, options: FlowTextOptions = {}): FlowMod {
  return parseFlowProtocols(text, command, options).flowMod;
}

/** How flows are written. */
export interface FormatFlowOptions extends FlowTextOptions {
  /** Print counters, ages and the cookie; the default. */
  readonly stats?: boolean;
  /** Undefined: no colors. */
  readonly colors?: Colors | undefined;
}

/** A duration: seconds, and as much of the fraction as is not zero, in steps of three digits. */
export function formatDuration(sec: number, nsec: number): string {
  let out = `${sec}`;
  if (nsec > 0) {
    out += `.${String(nsec).padStart(9, '0')}`;
    while (/\.\d{3,}0$/.test(out)) out = out.slice(0, -1);
  }
  return `${out}s`;
}

const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [FF.SEND_FLOW_REM, 'send_flow_rem'],
  [FF.CHECK_OVERLAP, 'check_overlap'],
  [FF.RESET_COUNTS, 'reset_counts'],
  [FF.NO_PKT_COUNTS, 'no_packet_counts'],
  [FF.NO_BYT_COUNTS, 'no_byte_counts'],
];

/** Flow flags, each followed by `separator`. */
export function formatFlags(flags: number, separator: string): string {
  let out = '';
  if (flags !== 0) for (const [bit, name] of FLAG_NAMES) if ((flags & bit) !== 0) out += name + separator;
  return out;
}

/** A counter; `?` for one that is not known. */
export function formatCount(n: bigint): string {
  return n === UNKNOWN_COUNT ? '?' : String(n);
}

/** One flow as dump-flows prints it, without the leading space and the line end. */
export function formatFlow(f: FlowStats, o: FormatFlowOptions = {}): string {
  const stats = o.stats ?? true;
  let out = '';
  if (stats || f.cookie !== 0n) out += `cookie=${hex(f.cookie)}, `;
  if (stats) out += `duration=${formatDuration(f.durationSec, f.durationNsec)}, `;
  if (stats || f.tableId !== 0) out += `table=${formatTable(f.tableId, o.tables)}, `;
  if (stats) {
    out += `n_packets=${formatCount(f.packetCount)}, n_bytes=${formatCount(f.byteCount)}, `;
  }
  if (f.idleTimeout !== 0) out += `idle_timeout=${f.idleTimeout}, `;
  if (f.hardTimeout !== 0) out += `hard_timeout=${f.hardTimeout}, `;
  out += formatFlags(f.flags, ' ');
  if (f.importance !== 0) out += `importance=${f.importance}, `;
  if (stats) {
    if (f.idleAge >= 0) out += `idle_age=${f.idleAge}, `;
    if (f.hardAge >= 0 && f.hardAge !== f.durationSec) out += `hard_age=${f.hardAge}, `;
  }
  const { colors } = o;
  if (colors !== undefined) out = colorStatistics(out, colors);
  const match = formatMatchIn(f.match, o, f.priority);
  if (match !== '') out += `${match} `;
  const word = colors === undefined ? 'actions=' : colored('actions=', 'ac', colors);
  return out + word + formatActionsIn(f.actions, o);
}
