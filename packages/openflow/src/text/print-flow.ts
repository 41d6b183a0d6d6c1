/** Flow messages as text: flow-mod, flow-removed, the bodies of flow statistics requests, packet-in and packet-out. */
import { formatPort, OFPP } from '@ovs-node/flow/ports';
import { W } from '@ovs-node/flow/layout';
import { formatHexBytes, reasonName } from '../actions/output.js';
import { formatActionsIn } from '../actions/text.js';
import { OfError } from '../errors.js';
import { decodeContinuation } from '../messages/continuation.js';
import {
  ALL_TABLES,
  COOKIE_NONE,
  FF,
  type FlowFilter,
  type FlowMod,
  type FlowRemoved,
  NO_BUFFER,
  type PacketIn,
  type PacketOut,
} from '../messages/types.js';
import { matchPort } from '../messages/packet.js';
import { DEFAULT_PRIORITY, formatDuration, formatFlags } from './flow.js';
import { formatContinuation } from './print-continuation.js';
import type { PrintOptions } from './message.js';
import { formatMatchIn } from './match.js';
import { hex } from './numbers.js';
import { formatTable } from './tables.js';

const COMMANDS = {
  add: 'ADD',
  modify: 'MOD',
  modify_strict: 'MOD_STRICT',
  delete: 'DEL',
  delete_strict: 'DEL_STRICT',
} as const;

/** What follows the name of a flow-mod; `rawMatch` is the text of its match where that is to be as on the wire. */
export function formatFlowMod(f: FlowMod, version: number, o: PrintOptions, rawMatch?: string): string {
  let out = ` ${COMMANDS[f.command]}`;
  if (f.tableId !== 0) out += ` table:${formatTable(f.tableId, o.tables)}`;
  out += ' ';
  const match = rawMatch ?? formatMatchIn(f.match, o, f.priority);
  if (match !== '') out += match.endsWith(' ') ? match : `${match} `;
  if (f.newCookie !== 0n && f.newCookie !== COOKIE_NONE) out += `cookie:${hex(f.newCookie)} `;
  if (f.cookieMask !== 0n) out += `cookie:${hex(f.cookie)}/${hex(f.cookieMask)} `;
  if (f.idleTimeout !== 0) out += `idle:${f.idleTimeout} `;
  if (f.hardTimeout !== 0) out += `hard:${f.hardTimeout} `;
  if (rawMatch !== undefined && f.priority !== DEFAULT_PRIORITY) out += `pri:${f.priority} `;
  if (f.importance !== 0) out += `importance:${f.importance} `;
  if (f.bufferId !== NO_BUFFER) out += `buf:${hex(f.bufferId)} `;
  if (f.outPort !== OFPP.ANY) out += `out_port:${formatPort(f.outPort, o.ports)} `;
  // That an addition resets counters goes without saying before 1.2.
  out += formatFlags(version < 3 ? f.flags & ~FF.RESET_COUNTS : f.flags, ' ');
  return `${out}actions=${formatActionsIn(f.actions, o)}`;
}

const REASONS: Readonly<Record<FlowRemoved['reason'], string>> = {
  idle: 'idle',
  hard: 'hard',
  delete: 'delete',
  group_delete: 'group_delete',
  meter_delete: 'meter_delete',
  eviction: 'eviction',
  unknown: 'unknown',
};

export function formatFlowRemoved(f: FlowRemoved, o: PrintOptions): string {
  let out = ` ${formatMatchIn(f.match, o, f.priority)} reason=${f.reasonNumber ?? REASONS[f.reason]}`;
  if (f.tableId !== ALL_TABLES) out += ` table_id=${formatTable(f.tableId, o.tables)}`;
  if (f.cookie !== 0n) out += ` cookie:${hex(f.cookie)}`;
  out += ` duration${formatDuration(f.durationSec, f.durationNsec)} idle${f.idleTimeout}`;
  if (f.hardTimeout !== 0) out += ` hard${f.hardTimeout}`;
  return `${out} pkts${f.packetCount} bytes${f.byteCount}\n`;
}

/** What follows the name of a flow or aggregate request. */
export function formatFlowFilter(f: FlowFilter, o: PrintOptions): string {
  let out = '';
  if (f.tableId !== ALL_TABLES) out += ` table=${formatTable(f.tableId, o.tables)}`;
  if (f.outPort !== OFPP.ANY) out += ` out_port=${formatPort(f.outPort, o.ports)}`;
  const match = formatMatchIn(f.match, o);
  return match === '' && out !== '' ? out : `${out} ${match}`;
}

/** Metadata of a packet beyond its input port. */
function formatMetadata(p: PacketIn, o: PrintOptions): string {
  const text = formatMatchIn(p.match, o);
  return text === '' ? '' : text;
}

export function formatPacketIn(p: PacketIn, version: number, o: PrintOptions): string {
  let out = '';
  if (p.tableId !== 0) out += ` table_id=${formatTable(p.tableId, o.tables)}`;
  if (p.cookie !== COOKIE_NONE) out += ` cookie=${hex(p.cookie)}`;
  out += ` total_len=${p.totalLen} ${formatMetadata(p, o)}`;
  out += ` (via ${reasonName(p.reason)})`;
  out += ` data_len=${p.packet.length}`;
  if (p.bufferId === NO_BUFFER) {
    out += ' (unbuffered)';
    if (p.totalLen !== p.packet.length) out += ' (***total_len != data_len***)';
  } else {
    out += ` buffer=0x${p.bufferId.toString(16).padStart(8, '0')}`;
    if (p.totalLen < p.packet.length) out += ' (***total_len < data_len***)';
  }
  out += '\n';
  if (p.userdata && p.userdata.length > 0) out += ` userdata=${formatHexBytes(p.userdata)}\n`;
  const continuation = p.continuation && decodeContinuation(p.continuation, version, true);
  if (continuation && !(continuation instanceof OfError)) out += formatContinuation(continuation, o);
  return out;
}

export function formatPacketOut(p: PacketOut, o: PrintOptions): string {
  let out = ` ${formatMatchIn(p.match, o)}`;
  if (p.match.mask[W.IN_PORT] === 0) out = ` in_port=${formatPort(matchPort(p.match), o.ports)}`;
  out += ` actions=${formatActionsIn(p.actions, o)}`;
  if (p.bufferId === NO_BUFFER) out += ` data_len=${p.packet.length}`;
  else out += ` buffer=0x${p.bufferId.toString(16).padStart(8, '0')}`;
  return `${out}\n`;
}
