/** Flow monitors in their three forms: Nicira's (OpenFlow 1.0 to 1.2), ONF's (1.3) and the standard (1.4 and later). */
import type { Match } from '@ovs-node/flow/match';
import { putFlowActions, putMixedActions, readActions, readFlowActions } from '../actions/codec.js';
import { refuse } from '../errors.js';
import { readMatch } from '../match/codec.js';
import { putOxmMatch, putNxMatch, readNxMatch } from '../match/nxm.js';
import { Reader, type Writer } from '../wire.js';
import {
  FMF,
  type FlowChange,
  type FlowMonitorCommand,
  type FlowMonitorRequest,
  type FlowUpdate,
} from './monitor-types.js';
import { readReason, reasonNumber } from './flow.js';
import { items } from './multipart-items.js';
import { checkPortNo, putPortNo, readPortNo } from './port.js';
import { type BodyRow, bodies, forms, type MessageRows } from './row.js';
import { GROUP_ANY, type ReplyOf, type RequestOf } from './types.js';

const COMMANDS: readonly FlowMonitorCommand[] = ['add', 'modify', 'delete'];
/** When to tell of changes; one at least has to be asked for. */
const WHEN = FMF.ADD | FMF.REMOVED | FMF.MODIFY;
const SHARED = FMF.INITIAL | WHEN | FMF.INSTRUCTIONS;
/** The extensions' flag for ONLY_OWN. */
const OWN = 32;

/** Whose monitors a version has. */
const origin = (version: number) => (version <= 3 ? 'NXST' : version === 4 ? 'ONFST' : 'OFPST');

function checkFlags(r: Reader, version: number, flags: number, known: number): void {
  if ((flags & ~known) !== 0 || (flags & WHEN) === 0)
    refuse(r, 'OFPMOFC_BAD_FLAGS', 'monitor_flags', origin(version), flags);
}

function putRequest(w: Writer, m: FlowMonitorRequest, version: number): void {
  if (version >= 5) {
    w.u32(m.id)
      .u32(m.outPort)
      .u32(m.outGroup)
      .u16(m.flags)
      .u8(m.tableId)
      .u8(COMMANDS.indexOf(m.command) & 0xff);
    putOxmMatch(w, m.match, version);
    return;
  }
  w.u32(m.id).u16((m.flags & SHARED) | ((m.flags & FMF.ONLY_OWN) !== 0 ? OWN : 0));
  const start = w.length;
  if (version === 4) {
    w.u16(0).u32(m.outPort).u8(m.tableId).zeros(3);
    w.setU16(start, putOxmMatch(w, m.match, version));
    return;
  }
  putPortNo(w, m.outPort, 1);
  w.u16(0).u8(m.tableId).zeros(5);
  w.setU16(start + 2, putNxMatch(w, m.match));
}

function readRequest(r: Reader, version: number): FlowMonitorRequest {
  if (r.left < 16) refuse(r, 'OFPBRC_BAD_LEN', 'leftover', `${origin(version)}_FLOW_MONITOR request`, r.left);
  const id = r.u32();
  if (version >= 5) {
    const [port, outGroup, flags, tableId, number] = [r.u32(), r.u32(), r.u16(), r.u8(), r.u8()];
    const command = COMMANDS[number] ?? 'unknown';
    if (command !== 'delete') checkFlags(r, version, flags, SHARED | FMF.ONLY_OWN);
    // Of a monitor that goes only its number counts.
    const outPort = command === 'delete' ? port : checkPortNo(r, port);
    const match = readMatch(r, version);
    return { id, command, flags, outPort, outGroup, tableId, match };
  }
  const wire = r.u16();
  checkFlags(r, version, wire, SHARED | OWN);
  const flags = (wire & SHARED) | ((wire & OWN) !== 0 ? FMF.ONLY_OWN : 0);
  const common = { id, command: 'add' as const, flags, outGroup: GROUP_ANY };
  if (version === 4) {
    r.skip(2);
    const port = r.u32();
    const tableId = r.u8();
    r.zeros(3, 'NXBRC_MUST_BE_ZERO');
    const outPort = checkPortNo(r, port);
    return { ...common, outPort, tableId, match: readMatch(r, version) };
  }
  const outPort = readPortNo(r, 1);
  const [length, tableId] = [r.u16(), r.u8()];
  r.zeros(5, 'NXBRC_MUST_BE_ZERO');
  return { ...common, outPort, tableId, match: readNxMatch(r, length).match };
}

/** Events by number; the extensions have no `initial` and count from `added`. */
const EVENTS_14 = ['initial', 'added', 'removed', 'modified', 'abbrev', 'paused', 'resumed'] as const;
const EVENTS = ['added', 'removed', 'modified', 'abbrev'] as const;

function putUpdate(w: Writer, u: FlowUpdate, version: number): void {
  const start = w.length;
  const extension = u.event === 'initial' ? 'added' : u.event;
  const event = version >= 5 ? EVENTS_14.indexOf(u.event) : (EVENTS as readonly string[]).indexOf(extension);
  w.u16(0).u16(event);
  if (u.event === 'abbrev') w.u32(u.xid);
  else if (isChange(u)) putChange(w, u, version);
  else w.zeros(4);
  w.setU16(start, w.length - start);
}

export function isChange(u: FlowUpdate): u is FlowChange {
  return 'match' in u;
}

function putChange(w: Writer, u: FlowChange, version: number): void {
  const reason = u.event === 'removed' ? reasonNumber(u.reason) : 0;
  if (version >= 5) {
    w.u8(u.tableId).u8(reason).u16(u.idleTimeout).u16(u.hardTimeout).u16(u.priority).zeros(4).u64(u.cookie);
    putOxmMatch(w, u.match, version);
  } else {
    w.u16(reason).u16(u.priority).u16(u.idleTimeout).u16(u.hardTimeout);
    const at = w.length;
    w.u16(0).u8(u.tableId).zeros(1).u64(u.cookie);
    w.setU16(at, version === 4 ? putOxmMatch(w, u.match, version) : putNxMatch(w, u.match));
  }
  if (u.actions.length > 0) {
    // Nicira's form holds an action list in every version, from which the peer does not leave instructions out.
    if (version <= 3) putMixedActions(w, u.actions, version);
    else putFlowActions(w, u.actions, version);
  }
}

function readUpdate(reader: Reader, version: number): FlowUpdate {
  const { left } = reader;
  const bad = (read = 0): never =>
    refuse(reader, 'OFPBRC_BAD_LEN', 'leftover', `${origin(version)}_FLOW_MONITOR reply`, left - read);
  if (left < 4) bad();
  const length = reader.u16();
  if (length > left || length % 8 !== 0) bad();
  // Which event it is, is looked at before the length that it needs.
  const number = reader.u16();
  const r = reader.sub(Math.max(length - 4, 0));
  const event = version >= 5 ? EVENTS_14[number] : EVENTS[number];
  if (event === undefined) return refuse(reader, 'NXBRC_FM_BAD_EVENT', 'monitor_event', number);
  if (event === 'abbrev') {
    if (length !== 8) bad();
    return { event, xid: r.u32() };
  }
  if (event === 'paused' || event === 'resumed') {
    if (length !== 8) bad();
    r.skip(4);
    return { event };
  }
  if (length < 24) bad();
  // A match has a length of its own, which shows to be too long only when nothing is left for instructions.
  const readOwnMatch = (): Match => {
    const rest = reader.copy();
    rest.pos = r.pos;
    const match = readMatch(rest, version);
    if (rest.pos > r.end)
      refuse(r, 'OFPBIC_BAD_LEN', 'long_list', 'instructions', (r.end - rest.pos) >>> 0, rest.left);
    r.pos = rest.pos;
    return match;
  };
  if (version >= 5) {
    const [tableId, reason] = [r.u8(), r.u8()];
    const [idleTimeout, hardTimeout, priority] = [r.u16(), r.u16(), r.u16()];
    r.skip(4);
    const cookie = r.u64();
    const change = { ...readReason(reason), idleTimeout, hardTimeout, tableId, priority, cookie };
    const match = readOwnMatch();
    return { event, ...change, match, actions: readFlowActions(r, version) };
  }
  const [reason, priority, idleTimeout, hardTimeout] = [r.u16(), r.u16(), r.u16(), r.u16()];
  const [matchLength, tableId] = [r.u16(), r.u8()];
  r.skip(1);
  const cookie = r.u64();
  if (((matchLength + 7) & ~7) > r.left) bad(24);
  const change = { ...readReason(reason), idleTimeout, hardTimeout, tableId, priority, cookie };
  const match = version === 4 ? readOwnMatch() : readNxMatch(r, matchLength).match;
  const actions = version <= 3 ? readActions(r, version) : readFlowActions(r, version);
  return { event, ...change, match, actions };
}

const nothing = (): void => undefined;

export const MONITOR_MESSAGES: MessageRows<
  'flow_monitor_cancel' | 'flow_monitor_paused' | 'flow_monitor_resumed'
> = {
  flow_monitor_cancel: {
    forms: forms<{ type: 'flow_monitor_cancel'; id: number }>(
      ['NXT_FLOW_MONITOR_CANCEL', 'ONFT13_FLOW_MONITOR_CANCEL'],
      (w, m) => w.u32(m.id),
      (r) => ({ type: 'flow_monitor_cancel', id: r.u32() }),
    ),
  },
  flow_monitor_paused: {
    forms: forms(['NXT_FLOW_MONITOR_PAUSED', 'ONFT13_FLOW_MONITOR_PAUSED'], nothing, () => ({
      type: 'flow_monitor_paused',
    })),
  },
  flow_monitor_resumed: {
    forms: forms(['NXT_FLOW_MONITOR_RESUMED', 'ONFT13_FLOW_MONITOR_RESUMED'], nothing, () => ({
      type: 'flow_monitor_resumed',
    })),
  },
};

export const MONITOR_BODIES: {
  readonly [T in 'flow_monitor']: BodyRow<RequestOf<T>, ReplyOf<T>>;
} = {
  flow_monitor: {
    request: bodies<RequestOf<'flow_monitor'>>(
      ['NXST_FLOW_MONITOR_REQUEST', 'ONFST13_FLOW_MONITOR_REQUEST', 'OFPST14_FLOW_MONITOR_REQUEST'],
      (w, q, version) => {
        for (const m of q.monitors) putRequest(w, m, version);
      },
      (r, version) =>
        items(
          r,
          () => readRequest(r, version),
          (monitors) => ({ type: 'flow_monitor', monitors }),
        ),
    ),
    reply: bodies<ReplyOf<'flow_monitor'>>(
      ['NXST_FLOW_MONITOR_REPLY', 'ONFST13_FLOW_MONITOR_REPLY', 'OFPST14_FLOW_MONITOR_REPLY'],
      (w, p, version) => w.items(p.updates, (u) => putUpdate(w, u, version)),
      (r, version) =>
        items(
          r,
          () => readUpdate(r, version),
          (updates) => ({ type: 'flow_monitor', updates }),
        ),
    ),
  },
};
