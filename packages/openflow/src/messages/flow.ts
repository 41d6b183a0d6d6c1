/** Flow messages: flow-mod, flow-removed, flow and aggregate statistics. */
import { W } from '@ovs-node/flow/layout';
import { normalizeMatch } from '@ovs-node/flow/match-normalize';
import { putFlowActions, readFlowActions } from '../actions/codec.js';
import { checkActions } from '../actions/check.js';
import type { Action } from '../actions/types.js';
import { protocolsOfVersions } from '../text/protocols.js';
import { fail, guard, OfError, refuse, told, UNNAMED_ERROR } from '../errors.js';
import { explanationText } from '../explain.js';
import { putMatch, putReplyMatch, readMatch } from '../match/codec.js';
import { putNxMatch, readNxMatch } from '../match/nxm.js';
import type { Reader, Writer } from '../wire.js';
import { items } from './multipart-items.js';
import { putOxs, readOxs } from './oxs.js';
import { checkPortNo, putPortNo, readPortNo } from './port.js';
import { type BodyRow, bodies, type DecodeOptions, form, type MessageRows } from './row.js';
import {
  type AggregateStats,
  ALL_TABLES,
  COOKIE_NONE,
  FF,
  type FlowFilter,
  type FlowMod,
  type FlowModCommand,
  type FlowRemoved,
  type FlowRemovedReason,
  type FlowStats,
  GROUP_ANY,
  type ReplyOf,
  type RequestOf,
} from './types.js';

const ETH_IP = 0x0800;
const ETH_IPV6 = 0x86dd;

/** Every wildcard of OpenFlow 1.0. */
const OFPFW10_ALL = 0x3fffff;

const COMMANDS: readonly FlowModCommand[] = ['add', 'modify', 'modify_strict', 'delete', 'delete_strict'];

function readCommand(n: number): FlowModCommand {
  return COMMANDS[n] ?? fail('OFPFMFC_BAD_COMMAND', `command ${n}`);
}

export function isDelete(command: FlowModCommand | undefined): boolean {
  return command === 'delete' || command === 'delete_strict';
}
function isModify(command: FlowModCommand): boolean {
  return command === 'modify' || command === 'modify_strict';
}

/** EMERG on the wire of OpenFlow 1.0, which later versions say RESET_COUNTS by. */
const EMERG10 = 4;

/** Flags of OpenFlow 1.0 that its wire has. */
function flagsTo10(flags: number): number {
  return (flags & (FF.SEND_FLOW_REM | FF.CHECK_OVERLAP)) | ((flags & FF.EMERG) !== 0 ? EMERG10 : 0);
}
/** Flags that a version knows. */
function flagsMask(version: number): number {
  if (version === 1) return FF.SEND_FLOW_REM | FF.CHECK_OVERLAP | EMERG10;
  if (version === 2) return FF.SEND_FLOW_REM | FF.CHECK_OVERLAP;
  if (version === 3) return FF.SEND_FLOW_REM | FF.CHECK_OVERLAP | FF.RESET_COUNTS;
  return 31;
}

/** Flags as a version has them; others are an error. */
function readFlags(bits: number, version: number): number {
  if ((bits & ~flagsMask(version)) !== 0) fail('OFPFMFC_BAD_FLAGS', `flags ${bits}`);
  return version === 1 && (bits & EMERG10) !== 0 ? (bits & ~EMERG10) | FF.EMERG : bits;
}

/** The command field of OpenFlow 1.0: with the table id extension its upper byte is the table. */
function command10(m: { flowMod: FlowMod; withTableId?: boolean }): number {
  const command = COMMANDS.indexOf(m.flowMod.command);
  return m.withTableId ? (m.flowMod.tableId << 8) | command : command;
}

const PROTOCOLS_OF = Array.from({ length: 7 }, (_, version) => protocolsOfVersions(1 << version));

/** Refuses a match on the original addresses of a connection that are not of the packet's family. */
function checkCtAddresses(match: FlowMod['match']): void {
  let [type, v4, v6] = [0, 0, 0];
  const packed = match.packedWords;
  const look = (word: number, key: number, mask: number): void => {
    if (word === W.ETH_TYPE) type = key >>> 16;
    else if (word === W.CT_NW_SRC || word === W.CT_NW_DST) v4 |= mask;
    else if (word >= W.CT_IPV6_SRC && word < W.CT_IPV6_DST + 4) v6 |= mask;
  };
  if (packed !== undefined) {
    for (let i = 0; i < packed.length; i += 3) look(packed[i], packed[i + 1], packed[i + 2]);
  } else {
    for (let i = 0; i < match.mask.length; i++) look(i, match.key[i], match.mask[i]);
  }
  if ((v4 !== 0 && type !== ETH_IP) || (v6 !== 0 && type !== ETH_IPV6)) {
    fail('OFPBAC_MATCH_INCONSISTENT', 'addresses of a connection of another family');
  }
}

/** The actions of a flow-mod of `version`, when they fit its match. */
function checkedActions(
  r: Reader,
  actions: readonly Action[],
  version: number,
  match: FlowMod['match'],
  tableId: number,
): readonly Action[] {
  const checked = checkActions(actions, match, {
    tableId,
    protocols: PROTOCOLS_OF[version],
    explain: r.explain,
    tunnelOptionBits: r.tunnelOptionBits,
  });
  if (checked.error !== undefined) fail(checked.error, 'actions');
  return checked.actions;
}

interface FlowModMessage {
  readonly type: 'flow_mod';
  readonly flowMod: FlowMod;
  readonly format?: 'openflow10' | 'nxm';
  readonly withTableId?: boolean;
}

function readFlowMod10(r: Reader, options: DecodeOptions): FlowModMessage {
  // A flow without wildcards has the highest priority, whatever the message says (OpenFlow 1.0, section 3.4).
  const isExact = (r.peekU32() & OFPFW10_ALL) === 0;
  const match = readMatch(r, 1);
  normalizeMatch(match);
  const newCookie = r.u64();
  return finishFlowMod10(r, options, newCookie, 1, match, isExact);
}

/** Reads what follows the cookie; the match too when `match` is undefined, as nx_match. */
function finishFlowMod10(
  r: Reader,
  options: DecodeOptions,
  newCookie: bigint,
  version: number,
  match?: FlowMod['match'],
  isExact = false,
): FlowModMessage {
  const commandField = r.u16();
  const withTableId = options.tableId ?? true;
  const idleTimeout = r.u16();
  const hardTimeout = r.u16();
  const sentPriority = r.u16();
  const priority = isExact ? 0xffff : sentPriority;
  const bufferId = r.u32();
  const outPort = readPortNo(r, 1);
  const flagBits = r.u16();
  let m = match;
  let c = 0n;
  let cm = 0n;
  if (!m) {
    const length = r.u16();
    r.skip(6);
    const fields = readNxMatch(r, length, { cookie: true });
    m = fields.match;
    checkCtAddresses(m);
    c = fields.cookie;
    cm = fields.cookieMask;
  }
  // What the fixed part says is looked at when all the rest could be read, as the peer does.
  if (!withTableId && commandField > 0xff) r.explain?.('table_without_extension');
  const command = readCommand(withTableId ? commandField & 0xff : commandField);
  if (command === 'add' && cm !== 0n) fail('NXBRC_NXM_INVALID', 'cookie to match in an addition');
  // The extension may come in later versions, with their instructions.
  const unchecked = readFlowActions(r, version);
  const flags = readFlags(flagBits, version);
  if ((flags & FF.EMERG) !== 0 && (idleTimeout !== 0 || hardTimeout !== 0)) {
    fail('OFPFMFC_BAD_EMERG_TIMEOUT', 'emergency flow with a time-out');
  }
  // There is no table for emergencies.
  if ((flags & FF.EMERG) !== 0) fail('OFPFMFC_TABLE_FULL', 'emergency flow');
  const actions = checkedActions(r, unchecked, version, m, withTableId ? commandField >> 8 : ALL_TABLES);
  return {
    type: 'flow_mod',
    format: match ? 'openflow10' : 'nxm',
    withTableId,
    flowMod: {
      command,
      match: m,
      priority,
      cookie: c,
      cookieMask: cm,
      newCookie,
      modifyCookie: isModify(command) && newCookie !== COOKIE_NONE,
      tableId: withTableId ? commandField >> 8 : ALL_TABLES,
      idleTimeout,
      hardTimeout,
      importance: 0,
      bufferId,
      outPort,
      outGroup: GROUP_ANY,
      // Before 1.2 an addition always resets the counters.
      flags: version <= 2 && command === 'add' ? flags | FF.RESET_COUNTS : flags,
      actions,
    },
  };
}

function putFlowMod11(w: Writer, { flowMod: f }: FlowModMessage, version: number): void {
  const cookieToSet = f.command === 'add' || (version === 2 && isModify(f.command) && f.cookieMask === 0n);
  w.u64(cookieToSet ? f.newCookie : f.cookie & f.cookieMask).u64(f.cookieMask);
  const anyTable = f.tableId === ALL_TABLES && !(version > 2 && isDelete(f.command));
  w.u8(anyTable ? 0 : f.tableId).u8(COMMANDS.indexOf(f.command));
  w.u16(f.idleTimeout).u16(f.hardTimeout).u16(f.priority).u32(f.bufferId).u32(f.outPort).u32(f.outGroup);
  w.u16(f.flags & flagsMask(version)).u16(version >= 5 ? f.importance : 0);
  putMatch(w, f.match, version);
  putFlowActions(w, f.actions, version);
}

function readFlowMod11(r: Reader, version: number): FlowModMessage {
  const cookie = r.u64();
  const cookieMask = r.u64();
  const tableId = r.u8();
  const commandByte = r.u8();
  const idleTimeout = r.u16();
  const hardTimeout = r.u16();
  const priority = r.u16();
  const bufferId = r.u32();
  const outPort = r.u32();
  const outGroup = r.u32();
  const flagBits = r.u16();
  const importance = r.u16();
  const match = readMatch(r, version);
  // What the fixed part says is looked at when the match could be read, its flags after the actions, as the peer does.
  // OpenFlow 1.1 has no flow-mod for all tables.
  if (tableId === ALL_TABLES && (version === 2 || !isDelete(COMMANDS[commandByte])))
    fail('OFPFMFC_BAD_TABLE_ID', 'table 255');
  checkPortNo(r, outPort);
  checkCtAddresses(match);
  const command = readCommand(commandByte);
  const unchecked = readFlowActions(r, version);
  const flags = readFlags(flagBits, version);
  const actions = checkedActions(r, unchecked, version, match, tableId);
  const add = command === 'add';
  const set = add || (version === 2 && isModify(command) && cookieMask === 0n);
  return {
    type: 'flow_mod',
    flowMod: {
      command,
      match,
      priority,
      cookie: set ? 0n : cookie,
      cookieMask: add ? 0n : cookieMask,
      newCookie: set ? cookie : COOKIE_NONE,
      // It is that of a flow that is added for want of one to modify.
      modifyCookie: false,
      tableId,
      idleTimeout,
      hardTimeout,
      importance: version >= 5 && add ? importance : 0,
      bufferId,
      outPort,
      outGroup,
      // Before 1.2 an addition always resets the counters.
      flags: version === 2 && add ? flags | FF.RESET_COUNTS : flags,
      actions,
    },
  };
}

const REASONS: readonly FlowRemovedReason[] = [
  'idle',
  'hard',
  'delete',
  'group_delete',
  'meter_delete',
  'eviction',
];
/** The number of a reason. */
export function reasonNumber(reason: FlowRemovedReason): number {
  const n = REASONS.indexOf(reason);
  return n < 0 ? 2 : n;
}
/** Reads a reason; the number of one that has no name is kept beside it. */
export function readReason(n: number): { reason: FlowRemovedReason; reasonNumber?: number } {
  const reason = REASONS[n];
  return reason === undefined ? { reason: 'unknown', reasonNumber: n } : { reason };
}

export const FLOW_MESSAGES: MessageRows<'flow_mod' | 'flow_removed'> = {
  flow_mod: {
    forms: [
      form(
        'NXT_FLOW_MOD',
        (w, m) => {
          const f = m.flowMod;
          w.u64(f.newCookie).u16(command10(m)).u16(f.idleTimeout).u16(f.hardTimeout).u16(f.priority);
          w.u32(f.bufferId);
          putPortNo(w, f.outPort, 1);
          w.u16(flagsTo10(f.flags)).u16(0).zeros(6);
          const at = w.length - 8;
          w.setU16(at, putNxMatch(w, f.match, f.cookie, f.cookieMask));
          putFlowActions(w, f.actions, 1);
        },
        (r, version, options) => {
          const newCookie = r.u64();
          return finishFlowMod10(r, options, newCookie, version);
        },
        (m, version) => version === 1 && m.format === 'nxm',
      ),
      form(
        'OFPT10_FLOW_MOD',
        (w, m) => {
          const f = m.flowMod;
          putMatch(w, f.match, 1);
          w.u64(f.newCookie).u16(command10(m)).u16(f.idleTimeout).u16(f.hardTimeout).u16(f.priority);
          w.u32(f.bufferId);
          putPortNo(w, f.outPort, 1);
          w.u16(flagsTo10(f.flags));
          putFlowActions(w, f.actions, 1);
        },
        (r, _version, options) => readFlowMod10(r, options),
      ),
      form('OFPT11_FLOW_MOD', putFlowMod11, readFlowMod11),
    ],
  },
  flow_removed: {
    forms: [
      form(
        'NXT_FLOW_REMOVED',
        (w, { removed: f }, version) => {
          putRemoved(w, f, version, f.tableId === 255 ? 0 : f.tableId + 1, 0);
          const at = w.length - 18;
          w.setU16(at, putNxMatch(w, f.match));
        },
        (r) => {
          const { fields, table, last } = readRemoved(r);
          const { match } = readNxMatch(r, last);
          if (r.left > 0) fail('OFPBRC_BAD_LEN', `${r.left} bytes after a match`);
          const removed = { ...fields, match, tableId: table === 0 ? 255 : table - 1, hardTimeout: 0 };
          return { type: 'flow_removed', format: 'nxm', removed };
        },
        (m, version) => version === 1 && m.format === 'nxm',
      ),
      form(
        'OFPT10_FLOW_REMOVED',
        (w, { removed: f }) => {
          putMatch(w, f.match, 1);
          putRemoved(w, f, 1, 0, 0);
        },
        (r) => {
          const match = readMatch(r, 1);
          const { fields } = readRemoved(r);
          return { type: 'flow_removed', removed: { ...fields, match, tableId: 255, hardTimeout: 0 } };
        },
      ),
      form(
        'OFPT11_FLOW_REMOVED',
        (w, { removed: f }, version) => {
          // Where OpenFlow 1.1 has padding yet, the peer's switch puts the timeout as well.
          putRemoved(w, f, version, f.tableId, f.hardTimeout);
          putMatch(w, f.match, version);
        },
        (r, version) => {
          const { fields, table, last } = readRemoved(r);
          const match = readMatch(r, version);
          return { type: 'flow_removed', removed: { ...fields, match, tableId: table, hardTimeout: last } };
        },
      ),
      form(
        'OFPT15_FLOW_REMOVED',
        (w, { removed: f }, version) => {
          w.u8(f.tableId).u8(reasonNumber(f.reason)).u16(f.priority).u16(f.idleTimeout).u16(f.hardTimeout);
          w.u64(f.cookie);
          putReplyMatch(w, f.match, version);
          putOxs(w, f);
        },
        (r, version) => {
          const [tableId, reason, priority] = [r.u8(), readReason(r.u8()), r.u16()];
          const [idleTimeout, hardTimeout, cookie] = [r.u16(), r.u16(), r.u64()];
          const match = readMatch(r, version);
          const { durationSec, durationNsec, packetCount, byteCount } = readOxs(r);
          const times = { idleTimeout, hardTimeout, durationSec, durationNsec };
          const removed = { match, cookie, priority, ...reason, tableId, ...times, packetCount, byteCount };
          return { type: 'flow_removed', removed };
        },
      ),
    ],
  },
};

/** What all forms of a flow-removed have alike, from cookie to byte count, with a byte and a last half-word between. */
function putRemoved(w: Writer, f: FlowRemoved, version: number, table: number, last: number): void {
  // That it went with its meter is another reason since OpenFlow 1.4 only.
  const reason = version < 5 && f.reason === 'meter_delete' ? 'delete' : f.reason;
  w.u64(f.cookie).u16(f.priority).u8(reasonNumber(reason)).u8(table);
  w.u32(f.durationSec).u32(f.durationNsec).u16(f.idleTimeout).u16(last);
  w.u64(f.packetCount).u64(f.byteCount);
}

/** The inverse of `putRemoved`. */
function readRemoved(r: Reader) {
  const [cookie, priority, reason, table] = [r.u64(), r.u16(), readReason(r.u8()), r.u8()];
  const [durationSec, durationNsec, idleTimeout, last] = [r.u32(), r.u32(), r.u16(), r.u16()];
  const [packetCount, byteCount] = [r.u64(), r.u64()];
  return {
    fields: { cookie, priority, ...reason, durationSec, durationNsec, idleTimeout, packetCount, byteCount },
    table,
    last,
  };
}

/** Writes the body of a flow or aggregate request; OpenFlow 1.0 in the form of `nxm` or its own. */
export function putFlowFilter(w: Writer, f: FlowFilter, version: number, nxm: boolean): void {
  if (version === 1 && nxm) {
    putPortNo(w, f.outPort, 1);
    w.u16(0).u8(f.tableId).zeros(3);
    const at = w.length - 6;
    w.setU16(at, putNxMatch(w, f.match, f.cookie, f.cookieMask));
  } else if (version === 1) {
    putMatch(w, f.match, 1);
    w.u8(f.tableId).zeros(1);
    putPortNo(w, f.outPort, 1);
  } else {
    w.u8(f.tableId).zeros(3).u32(f.outPort).u32(f.outGroup).zeros(4).u64(f.cookie).u64(f.cookieMask);
    putMatch(w, f.match, version);
  }
}

export function readFlowFilter(r: Reader, version: number, nxm: boolean): FlowFilter {
  if (version === 1 && nxm) {
    const outPort = readPortNo(r, 1);
    const length = r.u16();
    const tableId = r.u8();
    r.skip(3);
    const { match, cookie, cookieMask } = readNxMatch(r, length, { cookie: true });
    if (r.left > 0) fail('OFPBRC_BAD_LEN', `${r.left} bytes after a request`);
    return { match, tableId, cookie, cookieMask, outPort, outGroup: GROUP_ANY };
  }
  if (version === 1) {
    const match = readMatch(r, 1);
    const tableId = r.u8();
    r.skip(1);
    return { match, tableId, cookie: 0n, cookieMask: 0n, outPort: readPortNo(r, 1), outGroup: GROUP_ANY };
  }
  const tableId = r.u8();
  r.skip(3);
  const outPort = readPortNo(r, version);
  const outGroup = r.u32();
  r.skip(4);
  const cookie = r.u64();
  const cookieMask = r.u64();
  return { match: readMatch(r, version), tableId, cookie, cookieMask, outPort, outGroup };
}

/** Ages are sent plus one, 0 meaning unknown. */
const ageToWire = (age: number): number => (age < 0 ? 0 : Math.min(age + 1, 0xffff));

/** Writes one flow of a flow statistics reply; OpenFlow 1.0 in the form of `nxm` or its own. */
export function putFlowStats(w: Writer, f: FlowStats, version: number, nxm: boolean): void {
  const start = w.length;
  if (version >= 6) {
    w.u16(0).zeros(2).u8(f.tableId).zeros(1).u16(f.priority).u16(f.idleTimeout).u16(f.hardTimeout);
    w.u16(f.flags & flagsMask(version))
      .u16(f.importance)
      .u64(f.cookie);
    putReplyMatch(w, f.match, version);
    putOxs(w, f);
    putFlowActions(w, f.actions, version);
    w.setU16(start, w.length - start);
    return;
  }
  w.u16(0).u8(f.tableId).zeros(1);
  if (version === 1 && !nxm) putMatch(w, f.match, 1);
  w.u32(f.durationSec).u32(f.durationNsec).u16(f.priority).u16(f.idleTimeout).u16(f.hardTimeout);
  if (version === 1 && nxm) {
    const at = w.length;
    w.u16(0).u16(ageToWire(f.idleAge)).u16(ageToWire(f.hardAge));
    w.u64(f.cookie).u64(f.packetCount).u64(f.byteCount);
    w.setU16(at, putNxMatch(w, f.match));
  } else if (version === 1) {
    w.zeros(6).u64(f.cookie).u64(f.packetCount).u64(f.byteCount);
  } else {
    w.u16(version >= 4 ? f.flags & flagsMask(version) : 0)
      .u16(version >= 5 ? f.importance : 0)
      .zeros(2);
    w.u64(f.cookie).u64(f.packetCount).u64(f.byteCount);
    putReplyMatch(w, f.match, version);
  }
  putFlowActions(w, f.actions, version);
  w.setU16(start, w.length - start);
}

/** Bytes of an entry before its match (in OpenFlow 1.0's own form, before its actions). */
function entryBase(version: number, nxm: boolean): number {
  if (version === 1) return nxm ? 48 : 88;
  return version >= 6 ? 24 : 48;
}

/** Reads one flow of a flow statistics reply. */
export function readFlowStats(r: Reader, version: number, nxm: boolean): FlowStats {
  const base = entryBase(version, nxm);
  const list = nxm ? 'NXST_FLOW reply' : 'OFPST_FLOW reply';
  const bad = (why: 'leftover' | 'claimed_length', length: number): never => {
    r.explain?.(why, list, length);
    return fail('OFPBRC_BAD_LEN', version >= 6 ? UNNAMED_ERROR : explanationText(why, list, length));
  };
  if (r.left < base) bad('leftover', r.left);
  const start = r.pos;
  const length = r.u16();
  if (length < base && !nxm) bad('claimed_length', length);
  const flow = version >= 6 ? readFlowDesc(r, version) : readFlowStats10(r, version, nxm, length);
  // The actions are what the length leaves.
  const rest = length - (r.pos - start);
  if (rest < 0 && version === 1) bad('claimed_length', length);
  try {
    return { ...flow, actions: readFlowActions(r, version, rest >>> 0) };
  } catch (e) {
    throw told(r, e, 'flow_instructions');
  }
}

function readFlowStats10(
  r: Reader,
  version: number,
  nxm: boolean,
  length: number,
): Omit<FlowStats, 'actions'> {
  const tableId = r.u8();
  r.skip(1);
  let match = version === 1 && !nxm ? readMatch(r, 1) : undefined;
  const [durationSec, durationNsec] = [r.u32(), r.u32()];
  const [priority, idleTimeout, hardTimeout] = [r.u16(), r.u16(), r.u16()];
  let [flags, importance, idleAge, hardAge, matchLength] = [0, 0, -1, -1, 0];
  if (version === 1 && nxm) {
    matchLength = r.u16();
    idleAge = r.u16() - 1;
    hardAge = r.u16() - 1;
  } else if (version === 1) {
    r.skip(6);
  } else {
    [flags, importance] = [r.u16(), r.u16()];
    r.skip(2);
  }
  const [cookie, packetCount, byteCount] = [r.u64(), r.u64(), r.u64()];
  if (nxm && 48 + ((matchLength + 7) & ~7) > length)
    refuse(r, 'OFPBRC_BAD_LEN', 'flow_match_length', matchLength, length);
  match ??= nxm ? readNxMatch(r, matchLength).match : readFlowMatch(r, version);
  // Flags and importance are of 1.3 and 1.4.
  flags = version >= 4 ? readFlags(flags, version) : 0;
  if (version < 5) importance = 0;
  const times = { idleTimeout, hardTimeout, durationSec, durationNsec, idleAge, hardAge };
  return { match, tableId, priority, cookie, ...times, importance, flags, packetCount, byteCount };
}

function readFlowMatch(r: Reader, version: number): FlowStats['match'] {
  try {
    return readMatch(r, version);
  } catch (e) {
    throw told(r, e, 'flow_match');
  }
}

/** Reads a flow of OpenFlow 1.5. What is wrong but for its flags has no name. */
function readFlowDesc(r: Reader, version: number): Omit<FlowStats, 'actions'> {
  const orNameless = <T>(read: () => T): T => {
    const value = guard(read);
    return value instanceof OfError ? fail('OFPBRC_BAD_LEN', UNNAMED_ERROR) : (value as T);
  };
  r.skip(2);
  const tableId = r.u8();
  r.skip(1);
  const [priority, idleTimeout, hardTimeout, flags, importance] = [
    r.u16(),
    r.u16(),
    r.u16(),
    r.u16(),
    r.u16(),
  ];
  const cookie = r.u64();
  const match = orNameless(() => readFlowMatch(r, version));
  readFlags(flags, version);
  const { durationSec, durationNsec, idleAge, packetCount, byteCount } = orNameless(() => {
    try {
      return readOxs(r);
    } catch (e) {
      throw told(r, e, 'flow_stats');
    }
  });
  const times = { idleTimeout, hardTimeout, durationSec, durationNsec, idleAge, hardAge: -1 };
  const counts = { importance, flags, packetCount, byteCount };
  return { match, tableId, priority, cookie, ...times, ...counts };
}

const aggregateOf = (s: AggregateStats): ReplyOf<'aggregate'> => ({ type: 'aggregate', stats: s });

export const FLOW_BODIES: {
  readonly [T in 'flow' | 'aggregate']: BodyRow<RequestOf<T>, ReplyOf<T>>;
} = {
  flow: {
    request: [
      ...bodies<RequestOf<'flow'>>(
        ['OFPST10_FLOW_REQUEST', 'OFPST11_FLOW_REQUEST'],
        (w, q, version) => putFlowFilter(w, q.filter, version, false),
        (r, version) => ({ type: 'flow', filter: readFlowFilter(r, version, false) }),
      ),
      ...bodies<RequestOf<'flow'>>(
        ['NXST_FLOW_REQUEST'],
        (w, q, version) => putFlowFilter(w, q.filter, version, true),
        (r, version) => ({ type: 'flow', filter: readFlowFilter(r, version, true) }),
      ),
    ],
    reply: [
      ...bodies<ReplyOf<'flow'>>(
        ['OFPST10_FLOW_REPLY', 'OFPST11_FLOW_REPLY', 'OFPST13_FLOW_REPLY', 'OFPST15_FLOW_REPLY'],
        (w, p, version) => w.items(p.flows, (f) => putFlowStats(w, f, version, false)),
        (r, version) =>
          items(
            r,
            () => readFlowStats(r, version, false),
            (flows) => ({ type: 'flow', flows }),
          ),
      ),
      ...bodies<ReplyOf<'flow'>>(
        ['NXST_FLOW_REPLY'],
        (w, p, version) => w.items(p.flows, (f) => putFlowStats(w, f, version, true)),
        (r, version) =>
          items(
            r,
            () => readFlowStats(r, version, true),
            (flows) => ({ type: 'flow', flows }),
          ),
      ),
    ],
  },
  aggregate: {
    request: [
      ...bodies<RequestOf<'aggregate'>>(
        ['OFPST10_AGGREGATE_REQUEST', 'OFPST11_AGGREGATE_REQUEST', 'OFPST15_AGGREGATE_REQUEST'],
        (w, q, version) => putFlowFilter(w, q.filter, version, false),
        (r, version) => ({ type: 'aggregate', filter: readFlowFilter(r, version, false) }),
      ),
      ...bodies<RequestOf<'aggregate'>>(
        ['NXST_AGGREGATE_REQUEST'],
        (w, q, version) => putFlowFilter(w, q.filter, version, true),
        (r, version) => ({ type: 'aggregate', filter: readFlowFilter(r, version, true) }),
      ),
    ],
    reply: [
      ...bodies<ReplyOf<'aggregate'>>(
        ['OFPST_AGGREGATE_REPLY', 'NXST_AGGREGATE_REPLY'],
        (w, { stats: s }) => w.u64(s.packetCount).u64(s.byteCount).u32(s.flowCount).zeros(4),
        (r) => {
          const stats = { packetCount: r.u64(), byteCount: r.u64(), flowCount: r.u32() };
          r.skip(4);
          return aggregateOf(stats);
        },
      ),
      ...bodies<ReplyOf<'aggregate'>>(
        ['OFPST15_AGGREGATE_REPLY'],
        (w, { stats }) => putOxs(w, stats),
        (r) => {
          const { packetCount, byteCount, flowCount } = readOxs(r);
          return aggregateOf({ packetCount, byteCount, flowCount });
        },
      ),
    ],
  },
};
