/** Flows as text: what `ovs-ofctl add-flow` and its like read (ovs-ofctl(8), "Flow Syntax"), and what dump-flows prints. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO, PROTO_ANY, PROTO_OF10_NXM_ANY, PROTO_OXM_ANY } from '@ovs-node/flow/field-types';
import { Match } from '@ovs-node/flow/match';
import { normalizeMatch } from '@ovs-node/flow/match-normalize';
import { applyMatchWord, formatMatch, matchProtocols, unknownWord } from '@ovs-node/flow/match-text';
import { OFPP, parsePort, type PortMap } from '@ovs-node/flow/ports';
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
} from '../messages/types.js';
import { parseKeyValues } from './key-value.js';
import { hex, parseU16, parseU32, parseU64 } from './numbers.js';
import { formatTable, readTable } from './tables.js';

export const DEFAULT_PRIORITY = 0x8000;

const OF11_UP = PROTO.OF11_STD | PROTO_OXM_ANY;
const NXM_OF11_UP = PROTO_OF10_NXM_ANY | OF11_UP;
const OF12_UP = PROTO_OXM_ANY;
const OF13_UP = PROTO.OF13_OXM | PROTO.OF14_OXM | PROTO.OF15_OXM;
/** Protocols that can name a table. */
export const PROTO_TID = PROTO.OF10_STD_TID | PROTO.OF10_NXM_TID | OF11_UP;

export interface FlowTextOptions {
  readonly ports?: PortMap | undefined;
  readonly tables?: TableMap | undefined;
}

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

const COMMAND_WORDS: readonly FlowModCommand[] = [
  'add',
  'delete_strict',
  'delete',
  'modify_strict',
  'modify',
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

/** Splits a leading command word off a line of `add-flows`; `add` when there is none. */
export function splitCommand(text: string): { command: FlowModCommand; rest: string } {
  const trimmed = text.replace(/^[ \t\r\n]+/, '');
  for (const command of COMMAND_WORDS) {
    if (trimmed.startsWith(command) && /^([ \t\r\n]|$)/.test(trimmed.slice(command.length))) {
      return { command, rest: trimmed.slice(command.length) };
    }
  }
  return { command: 'add', rest: trimmed };
}

/** A copy that is looked at and thrown away: a match is big. */
const scratch = new Match();

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
    throw new FlowSyntaxError('cannot set cookie');
  }
  draft.newCookie = parseU64(value);
  draft.modifyCookie = true;
  return PROTO_ANY;
}

/** Applies a word that is not part of the match; undefined when `key` is none. */
function applyWord(
  draft: Draft,
  allowed: Allowed,
  command: FlowModCommand | 'filter',
  key: string,
  value: string,
  o: FlowTextOptions,
): number | undefined {
  const flag = allowed.flags && Object.hasOwn(FLAG_WORDS, key) ? FLAG_WORDS[key] : undefined;
  if (flag) {
    draft.flags |= flag[0];
    return flag[1];
  }
  if (value === '') return undefined;
  if (key === 'table') {
    const table = readTable(value, o.tables);
    if (table === undefined) throw new FlowSyntaxError(`unknown table "${value}"`);
    draft.tableId = table;
    return table === ALL_TABLES ? PROTO_ANY : PROTO_TID;
  }
  if (allowed.importance && key === 'importance') {
    draft.importance = parseU16(value, key);
    return PROTO_ANY;
  }
  if (allowed.outPort && key === 'out_port') {
    const port = parsePort(value, o.ports);
    if (port === undefined) throw new FlowSyntaxError(`${value} is not a valid OpenFlow port`);
    draft.outPort = port;
    return PROTO_ANY;
  }
  if (allowed.outPort && key === 'out_group') {
    draft.outGroup = parseU32(value);
    return OF11_UP;
  }
  if (allowed.priority && key === 'priority') {
    draft.priority = parseU16(value, key);
    return PROTO_ANY;
  }
  if (allowed.timeout && key === 'idle_timeout') {
    draft.idleTimeout = parseU16(value, key);
    return PROTO_ANY;
  }
  if (allowed.timeout && key === 'hard_timeout') {
    draft.hardTimeout = parseU16(value, key);
    return PROTO_ANY;
  }
  if (key === 'cookie') return setCookie(draft, command, value);
  if (IGNORED.has(key)) return PROTO_ANY;
  return undefined;
}

/**
 * Reads a flow description for `command`, or for the filter of a statistics request.
 *
 * @throws FlowSyntaxError with the peer's words.
 */
export function parseFlowProtocols(
  text: string,
  command: FlowModCommand | 'filter',
  o: FlowTextOptions = {},
): ParsedFlow {
  const allowed = ALLOWED[command];
  const draft: Draft = {
    command: command === 'filter' ? 'delete' : command,
    match: new Match(),
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
  let words = text;
  let actionText: string | undefined;
  if (allowed.actions) {
    const at = text.indexOf('action');
    const equals = at < 0 ? -1 : text.indexOf('=', at);
    if (equals < 0) throw new FlowSyntaxError('must specify an action');
    words = text.slice(0, at);
    actionText = text.slice(equals + 1);
  }
  for (const { key, value } of parseKeyValues(words)) {
    const used =
      applyWord(draft, allowed, command, key, value, o) ?? applyMatchWord(draft.match, key, value, o.ports);
    if (used === undefined) throw unknownWord(key, value);
    usable &= used;
  }
  usable &= matchProtocols(draft.match);
  if (
    (command === 'modify' || command === 'modify_strict') &&
    draft.cookieMask === 0n &&
    draft.newCookie === COOKIE_NONE
  ) {
    draft.newCookie = 0n;
  }
  if (actionText !== undefined) {
    const context = { ports: o.ports, tables: o.tables, usable: PROTO_ANY, depth: 0 };
    const actions = parseActionsIn(actionText, context);
    usable &= context.usable;
    const checked = checkActions(actions, draft.match, { tableId: draft.tableId });
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
  if (command !== 'filter') {
    scratch.key.set(draft.match.key);
    scratch.mask.set(draft.match.mask);
    normalizeMatch(scratch);
  }
  return { flowMod: draft, usable };
}

/** `parseFlowProtocols` for those who want the flow-mod alone. */
export function parseFlow(text: string, command: FlowModCommand, options: FlowTextOptions = {}): FlowMod {
  return parseFlowProtocols(text, command, options).flowMod;
}

export interface FormatFlowOptions extends FlowTextOptions {
  /** Print counters, ages and the cookie; the default. */
  readonly stats?: boolean;
}

/** A duration: seconds, and as much of the fraction as is not zero, in steps of three digits. */
export function formatDuration(sec: number, nsec: number): string {
  let out = `${sec}`;
  if (nsec > 0) {
    out += `.${String(nsec).padStart(9, '0')}`;
    while (out.endsWith('000')) out = out.slice(0, -3);
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
  return FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name + separator)
    .join('');
}

/** One flow as dump-flows prints it, without the leading space and the line end. */
export function formatFlow(f: FlowStats, o: FormatFlowOptions = {}): string {
  const stats = o.stats ?? true;
  let out = '';
  if (stats || f.cookie !== 0n) out += `cookie=${hex(f.cookie)}, `;
  if (stats) out += `duration=${formatDuration(f.durationSec, f.durationNsec)}, `;
  if (stats || f.tableId !== 0) out += `table=${formatTable(f.tableId, o.tables)}, `;
  if (stats) {
    out += `n_packets=${f.packetCount}, n_bytes=${f.byteCount}, `;
  }
  if (f.idleTimeout !== 0) out += `idle_timeout=${f.idleTimeout}, `;
  if (f.hardTimeout !== 0) out += `hard_timeout=${f.hardTimeout}, `;
  out += formatFlags(f.flags, ' ');
  if (f.importance !== 0) out += `importance=${f.importance}, `;
  if (stats) {
    if (f.idleAge >= 0) out += `idle_age=${f.idleAge}, `;
    if (f.hardAge >= 0 && f.hardAge !== f.durationSec) out += `hard_age=${f.hardAge}, `;
  }
  const match = formatMatch(f.match, { priority: f.priority, ports: o.ports });
  if (match !== '') out += `${match} `;
  return `${out}actions=${formatActionsIn(f.actions, o)}`;
}
