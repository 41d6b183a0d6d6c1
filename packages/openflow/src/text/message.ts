/** Messages as text, as `ovs-ofctl` prints what it receives (`ofp-print`, `monitor`, `snoop`, replies). */
import { W } from '@ovs-node/flow/layout';
import type { Match } from '@ovs-node/flow/match';
import type { Colors } from './color.js';
import { formatMac } from '@ovs-node/flow/addr-text';
import { OFPP, formatPort, type PortMap } from '@ovs-node/flow/ports';
import type { TableMap } from '../actions/row.js';
import { OfError, UNNAMED_ERROR } from '../errors.js';
import { type Explain, explainLater } from '../explain.js';
import {
  decodeHeader,
  decodeMessage,
  fitsHeader,
  type Header,
  HEADER_LENGTH,
  wireFormOf,
} from '../messages/codec.js';
import {
  CAP,
  type MultipartReply,
  type MultipartRequest,
  type OfMessage,
  type SwitchConfig,
  type SwitchFeatures,
  QUEUE_ALL,
} from '../messages/types.js';
import { NO_GENERATION } from '../messages/setup.js';
import { VERSIONS } from '../version.js';
import { actionNames, formatActionBits } from './action-bits.js';
import { formatFlow } from './flow.js';
import { hexDump, hexDumpPlain } from './hex-dump.js';
import { hex } from './numbers.js';
import { formatPacket } from './packet.js';
import {
  formatFlowFilter,
  formatFlowMod,
  formatFlowRemoved,
  formatPacketIn,
  formatPacketOut,
} from './print-flow.js';
import {
  formatGroup,
  formatGroupDesc,
  formatGroupFeatures,
  formatGroupMod,
  formatGroupStats,
} from './print-group.js';
import {
  formatMeterConfig,
  formatMeterFeatures,
  formatMeterId,
  formatMeterMod,
  formatMeterStats,
} from './print-meter.js';
import { formatFlowUpdate, formatMonitorRequest } from './print-monitor.js';
import {
  formatBits,
  formatPhyPort,
  formatPortConfig,
  formatPortFeatures,
  formatPortStats,
  formatQueueConfigs,
  formatQueueStats,
} from './print-port.js';
import {
  formatAsync,
  formatBundleAdd,
  formatBundleControl,
  formatCtFlush,
  formatIpfix,
  formatRoleStatus,
  formatTlvTableMod,
  formatTlvTableReply,
} from './print-setup.js';
import { formatNxMatch } from './nx-match.js';
import { formatOfp10Match } from './raw-match.js';
import {
  formatTableDesc,
  formatTableFeatures,
  formatTableMod,
  formatTableStats,
  formatTableStatus,
} from './print-table.js';

/** How messages are printed. */
export interface PrintOptions {
  readonly ports?: PortMap | undefined;
  readonly tables?: TableMap | undefined;
  /** As many as there were -m: 1 prints packets, 2 payloads of echoes. */
  readonly verbosity?: number;
  /** Flows with statistics; the default. */
  readonly stats?: boolean;
  /** Undefined: no colors. */
  readonly colors?: Colors | undefined;
  /** Is told what is wrong with what is printed. */
  readonly explain?: Explain | undefined;
}

/** The name of a message in its form and version. */
export function messageName(msg: OfMessage, version: number): string {
  return wireFormOf(msg, version)?.name ?? msg.type;
}

/** In the order printed. */
const CAPABILITIES = [
  [CAP.FLOW_STATS, 'FLOW_STATS'],
  [CAP.TABLE_STATS, 'TABLE_STATS'],
  [CAP.PORT_STATS, 'PORT_STATS'],
  [CAP.GROUP_STATS, 'GROUP_STATS'],
  [CAP.STP, 'STP'],
  [CAP.IP_REASM, 'IP_REASM'],
  [CAP.QUEUE_STATS, 'QUEUE_STATS'],
  [CAP.ARP_MATCH_IP, 'ARP_MATCH_IP'],
  [CAP.PORT_BLOCKED, 'PORT_BLOCKED'],
  [CAP.BUNDLES, 'BUNDLES'],
  [CAP.FLOW_MONITORING, 'FLOW_MONITORING'],
] as const;

function formatFeatures(f: SwitchFeatures, version: number): string {
  let out = ` dpid:${f.datapathId.toString(16).padStart(16, '0')}\n`;
  out += `n_tables:${f.nTables}, n_buffers:${f.nBuffers}`;
  if (f.auxiliaryId !== 0) out += `, auxiliary_id:${f.auxiliaryId}`;
  out += `\ncapabilities: ${formatBits(f.capabilities, CAPABILITIES)}\n`;
  if (version === 1 && actionNames(f.actions, version).length > 0) {
    out += `actions: ${formatActionBits(f.actions, version)}\n`;
  }
  const ports = [...f.ports].sort((a, b) => (a.portNo & 0xffff) - (b.portNo & 0xffff));
  return out + ports.map((p) => formatPhyPort(p)).join('');
}

function formatConfig(c: SwitchConfig): string {
  let out = ` frags=${c.frag}`;
  if (c.invalidTtlToController === true) out += ' invalid_ttl_to_controller';
  return `${out} miss_send_len=${c.missSendLen}\n`;
}

function formatRequest(q: MultipartRequest, version: number, o: PrintOptions): string {
  switch (q.type) {
    case 'flow':
    case 'aggregate':
      return formatFlowFilter(q.filter, o);
    case 'port':
    case 'port_desc':
      return ` ${q.type === 'port' ? 'port_no' : 'port'}=${formatPort(q.portNo, o.ports)}`;
    case 'queue':
      return ` port=${q.portNo === OFPP.ANY ? 'ANY' : formatPort(q.portNo, o.ports)} queue=${q.queueId === QUEUE_ALL ? 'ALL' : q.queueId}`;
    case 'queue_desc': {
      const queue = q.queueId === QUEUE_ALL ? '' : ` queue=${q.queueId}`;
      return ` port=${formatPort(q.portNo, o.ports)}${queue}`;
    }
    case 'group':
    case 'group_desc':
      return ` group_id=${formatGroup(q.group)}`;
    case 'meter':
    case 'meter_config':
      return ` ${formatMeterId(q.meter)}`;
    case 'table_features':
      return oneNewline(formatTableFeatures(q.tables, version));
    case 'flow_monitor':
      return q.monitors.map((m) => formatMonitorRequest(m, o)).join('');
    default:
      return '';
  }
}

function formatReply(p: MultipartReply, version: number, o: PrintOptions): string {
  switch (p.type) {
    case 'desc': {
      const d = p.desc;
      return `\nManufacturer: ${d.mfr}\nHardware: ${d.hw}\nSoftware: ${d.sw}\nSerial Num: ${d.serial}\nDP Description: ${d.dp}\n`;
    }
    case 'flow':
      return p.flows.map((f) => `\n ${formatFlow(f, o)}`).join('');
    case 'aggregate':
      return ` packet_count=${p.stats.packetCount} byte_count=${p.stats.byteCount} flow_count=${p.stats.flowCount}`;
    case 'table':
      return oneNewline(formatTableStats(p.tables, version));
    case 'port':
      if (o.verbosity === 0) return ` ${p.ports.length} ports\n`;
      return ` ${p.ports.length} ports\n${p.ports.map((s) => formatPortStats(s, o.ports)).join('')}`;
    case 'queue':
      if (o.verbosity === 0) return ` ${p.queues.length} queues\n`;
      return ` ${p.queues.length} queues\n${p.queues.map((q) => formatQueueStats(q, o.ports)).join('')}`;
    case 'port_desc': {
      const ports = [...p.ports].sort((a, b) => (a.portNo & 0xffff) - (b.portNo & 0xffff));
      return `\n${ports.map((port) => formatPhyPort(port)).join('')}`;
    }
    case 'table_features':
      return oneNewline(formatTableFeatures(p.tables, version));
    case 'table_desc':
      return p.tables.map((t) => formatTableDesc(t, o.tables)).join('');
    case 'queue_desc':
      return formatQueueConfigs(p.queues, o.ports);
    case 'group':
      return p.groups.map((g) => `\n${formatGroupStats(g)}`).join('');
    case 'group_desc':
      return p.groups.map((g) => `\n ${formatGroupDesc(g, version, o)}`).join('');
    case 'group_features':
      return formatGroupFeatures(p.features, version);
    case 'meter':
      return p.meters.map((m) => `\n${formatMeterStats(m)}`).join('');
    case 'meter_config':
      return p.meters.map((m) => `\n${formatMeterConfig(m)}`).join('');
    case 'meter_features':
      return formatMeterFeatures(p.features);
    case 'flow_monitor':
      return p.updates.map((u) => formatFlowUpdate(u, o)).join('');
    case 'ipfix_bridge':
    case 'ipfix_flow':
      return formatIpfix(p.exporters, p.type === 'ipfix_bridge');
  }
}

/** An error, and text that it quotes; a message that it quotes comes after it. */
function formatError(e: OfError): string {
  const out = ` ${e.name ?? `type ${e.errorType}, code ${e.code}`}\n`;
  if (quotesText(e)) {
    return `${out}${new TextDecoder('latin1').decode(e.data).replace(/[^\x20-\x7e]|["\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`)}`;
  }
  return out;
}

/** Whether what an error quotes is no message. */
const quotesText = (e: OfError): boolean => e.name === 'OFPHFC_INCOMPATIBLE' || e.name === 'OFPHFC_EPERM';

/** A forwarded request, without its header. */
function formatForwarded(bytes: Uint8Array, o: PrintOptions): string {
  // It has been read with the message that it is in.
  const decoded = decodeMessage(bytes);
  if (decoded instanceof OfError) return ` ***decode error: ${decoded.toString()}***`;
  const { msg, version } = decoded;
  if (msg.type === 'group_mod') return ` reason=group_mod${formatGroupMod(msg.groupMod, version, o)}`;
  return msg.type === 'meter_mod' ? ` reason=meter_mod${formatMeterMod(msg.meterMod)}` : '';
}

/** A packet in a message: its fields from verbosity 1 on, its bytes from 3 on. */
function formatPayload(packet: Uint8Array, match: Match, o: PrintOptions): string {
  const verbosity = o.verbosity ?? 0;
  if (verbosity === 0) return '';
  return formatPacket(packet, o, match.key[W.PACKET_TYPE]) + (verbosity > 2 ? hexDumpPlain(packet) : '');
}

/** What follows the name and the xid. */
function formatBody(msg: OfMessage, version: number, o: PrintOptions): string {
  const verbosity = o.verbosity ?? 0;
  switch (msg.type) {
    case 'hello': {
      const bits: string[] = [];
      for (let v = 1; v < 32; v++) if ((msg.versions & (1 << v)) !== 0) bits.push(hex(v, 2));
      return `\n version bitmap: ${bits.join(', ')}`;
    }
    case 'error':
      return formatError(msg.error);
    case 'echo_request':
    case 'echo_reply':
      return ` ${msg.data.length} bytes of payload\n${verbosity > 1 ? hexDump(msg.data) : ''}`;
    case 'features_reply':
      return formatFeatures(msg.features, version);
    case 'get_config_reply':
    case 'set_config':
      return formatConfig(msg.config);
    case 'packet_in':
    case 'resume':
      return (
        formatPacketIn(msg.packetIn, version, o) + formatPayload(msg.packetIn.packet, msg.packetIn.match, o)
      );
    case 'packet_out':
      return (
        formatPacketOut(msg.packetOut, o) +
        (msg.packetOut.packet.length > 0 ? formatPayload(msg.packetOut.packet, msg.packetOut.match, o) : '')
      );
    case 'flow_mod':
      return formatFlowMod(msg.flowMod, version, o);
    case 'flow_removed':
      return formatFlowRemoved(msg.removed, o);
    case 'port_status': {
      const reason = { add: 'ADD', delete: 'DEL', modify: 'MOD' }[msg.reason];
      return ` ${reason}:${formatPhyPort(msg.port)}`;
    }
    case 'port_mod': {
      const p = msg.portMod;
      let out = ` port: ${formatPort(p.portNo, o.ports)}: addr:${formatMac(p.hwAddr)}\n`;
      out += `     config: ${formatPortConfig(p.config & p.mask)}\n`;
      out += `     mask:   ${formatPortConfig(p.mask)}\n`;
      return `${out}     advertise: ${p.advertise === 0 ? 'UNCHANGED' : formatPortFeatures(p.advertise)}\n`;
    }
    case 'role_request':
    case 'role_reply': {
      const { generationId } = msg;
      const isSaid = generationId !== undefined && generationId !== NO_GENERATION;
      const generation = isSaid ? ` generation_id=${generationId}` : '';
      return ` role=${msg.role}${generation}`;
    }
    case 'get_async_reply':
    case 'set_async':
      return formatAsync(msg.config);
    case 'role_status':
      return formatRoleStatus(msg);
    case 'group_mod':
      return formatGroupMod(msg.groupMod, version, o);
    case 'meter_mod':
      return formatMeterMod(msg.meterMod);
    case 'table_mod':
      return formatTableMod(msg.tableMod, o.tables);
    case 'table_status':
      return formatTableStatus(msg.reason, msg.desc, o.tables);
    case 'queue_get_config_request':
      return ` port=${formatPort(msg.portNo, o.ports)}`;
    case 'queue_get_config_reply':
      return formatQueueConfigs(
        msg.queues.map((q) => ({ ...q, portNo: msg.portNo })),
        o.ports,
      );
    case 'bundle_control':
      return formatBundleControl(msg);
    case 'bundle_add':
      return formatBundleAdd(msg) + printMessage(msg.message, o);
    case 'requestforward':
      return formatForwarded(msg.message, o);
    case 'flow_monitor_cancel':
      return ` id=${msg.id}`;
    case 'tlv_table_mod':
      return formatTlvTableMod(msg);
    case 'tlv_table_reply':
      return formatTlvTableReply(msg);
    case 'ct_flush_zone':
      return ` zone_id=${msg.zone}`;
    case 'ct_flush':
      return formatCtFlush(msg.flush);
    case 'multipart_request':
      return formatRequest(msg.request, version, o);
    case 'multipart_reply':
      return formatReply(msg.reply, version, o);
    case 'set_flow_format':
      return ` format=${msg.format === 'unknown' ? '(unknown)' : msg.format}`;
    case 'flow_mod_table_id':
      return ` ${msg.enable ? 'enable' : 'disable'}`;
    case 'set_packet_in_format':
      return ` format=${msg.format}`;
    case 'set_controller_id':
      return ` id=${msg.controllerId}`;
    default:
      return '';
  }
}

/** ` (OF1.3) (xid=0x1):`, without the version for 1.0. */
function header(name: string, version: number, xid: number): string {
  const shown = SHOWN_VERSION[version] ?? ` (OF ${hex(version, 2)})`;
  return `${name}${shown} (xid=${hex(xid)}):`;
}

const SHOWN_VERSION: (string | undefined)[] = [];
for (const { version, short } of VERSIONS) SHOWN_VERSION[version] = version === 1 ? '' : ` (${short})`;

/** Ends a text with one newline, however many it has. */
function oneNewline(text: string): string {
  return text === '' ? '' : `${text.replace(/\n+$/, '')}\n`;
}

/** The text of a message value. */
export function formatMessage(msg: OfMessage, version: number, xid: number, o: PrintOptions = {}): string {
  const more = (msg.type === 'multipart_reply' || msg.type === 'multipart_request') && msg.more;
  const out = `${header(messageName(msg, version), version, xid)}${more ? ' flags=[more]' : ''}${formatBody(msg, version, o)}`;
  return out.endsWith('\n') ? out : `${out}\n`;
}

/** The flags of a statistics message: only "more" has a name. */
function formatStatsFlags(bytes: Uint8Array, isReply: boolean): string {
  const flags = (bytes[10] << 8) | bytes[11];
  if (flags === 0) return '';
  // Requests of several parts came with OpenFlow 1.3.
  const more = (isReply || bytes[0] >= 4) && (flags & 1) !== 0;
  const unknown = more ? flags & ~1 : flags;
  return ` flags=${more ? '[more]' : ''}${unknown === 0 ? '' : `[***unknown flags ${hex(unknown, 4)}***]`}`;
}

/** What could be read of a message whose rest is bad. */
function formatPartial(msg: OfMessage, version: number, o: PrintOptions): string {
  const text = formatBody(msg, version, o);
  return msg.type === 'multipart_reply' && msg.reply.type === 'group' ? `${text} ***parse error***` : text;
}

/** The match of a flow-mod of OpenFlow 1.0 or of the extension as it is on the wire. */
function rawMatch(bytes: Uint8Array, { wire, bodyAt }: Header, o: PrintOptions): string | undefined {
  if (wire.key === 'OFPT10_FLOW_MOD') return formatOfp10Match(bytes, bodyAt, o.ports);
  if (wire.key !== 'NXT_FLOW_MOD') return undefined;
  const length = (bytes[bodyAt + 24] << 8) | bytes[bodyAt + 25];
  return formatNxMatch(bytes.subarray(bodyAt + 32, bodyAt + 32 + length));
}

/** What is printed with how much there is of it, for which the peer reads it twice. */
const COUNTED: readonly string[] = ['OFPST_PORT reply', 'OFPST_QUEUE reply'];

/** The text of a message in bytes. What cannot be decoded is said, with its bytes. */
export function printMessage(bytes: Uint8Array, o: PrintOptions = {}): string {
  const first = printAlone(bytes, o);
  if (typeof first === 'string') return first;
  // One after the other: thousands of errors, each quoted by the one before, fit into a message, but not on a stack.
  let out = first.text;
  let quoted: Uint8Array | undefined = first.quoted;
  while (quoted !== undefined) {
    const next: Printed = printAlone(quoted, { ...o, verbosity: 1 });
    out += typeof next === 'string' ? next : next.text;
    quoted = typeof next === 'string' ? undefined : next.quoted;
  }
  return (o.verbosity ?? 0) >= 5 ? out + hexDump(bytes) : out;
}

/** The text of a message; of an error that quotes one, only what comes before the quoted one's. */
type Printed = string | { readonly text: string; readonly quoted: Uint8Array };

function printAlone(bytes: Uint8Array, o: PrintOptions): Printed {
  if (bytes.length === 0) return 'OpenFlow message is empty\n';
  if (bytes.length < HEADER_LENGTH) {
    return `OpenFlow packet too short (only ${bytes.length} bytes):\n${hexDump(bytes)}`;
  }
  const length = (bytes[2] << 8) | bytes[3];
  const version = bytes[0];
  const xid = ((bytes[4] << 24) | (bytes[5] << 16) | (bytes[6] << 8) | bytes[7]) >>> 0;
  if (length < bytes.length)
    return `(***only uses ${length} bytes out of ${bytes.length}***)\n${hexDump(bytes)}`;
  const known = decodeHeader(bytes, o.explain);
  const name = known instanceof OfError ? '' : header(known.wire.name, version, xid);
  const start =
    known instanceof OfError || known.wire.stats === undefined
      ? name
      : name + formatStatsFlags(bytes, known.wire.stats === 'reply');
  if (length > bytes.length) {
    const text = `(***truncated to ${bytes.length} bytes from ${length}***)\n`;
    return `${name === '' ? '' : `${name}\n`}${text}${hexDump(bytes)}`;
  }
  if (known instanceof OfError) return `***decode error: ${known.toString()}***\n${hexDump(bytes)}`;
  if (!fitsHeader(known, length, o.explain)) return `***decode error: OFPBRC_BAD_LEN***\n${hexDump(bytes)}`;
  const counted = o.explain && COUNTED.includes(known.wire.name) ? explainLater(o.explain) : undefined;
  const decoded = decodeMessage(bytes, { loose: true, explain: counted?.explain ?? o.explain });
  counted?.tell();
  counted?.tell();
  if (decoded instanceof OfError) {
    const partial = decoded.partial ? formatPartial(decoded.partial, version, o) : '';
    // On a line of its own where something of the message is printed.
    const text = start.slice(name.length) + partial;
    const before = text === '' ? `${name} ` : `${name}${text.replace(/[ \n]$/, '')}\n`;
    const error = decoded.detail === UNNAMED_ERROR ? '<invalid>' : decoded.toString();
    return `${before}***decode error: ${error}***\n${hexDump(bytes)}`;
  }
  const { msg } = decoded;
  // An error without a name is not understood.
  if (msg.type === 'error' && msg.error.name === undefined) {
    return `${start} ***decode error: OFPBRC_BAD_LEN***\n${hexDump(bytes)}`;
  }
  if (msg.type === 'error' && !quotesText(msg.error)) {
    return { text: start + formatError(msg.error), quoted: msg.error.data };
  }
  const raw = (o.verbosity ?? 0) >= 3 ? rawMatch(bytes, known, o) : undefined;
  const body =
    raw !== undefined && msg.type === 'flow_mod'
      ? formatFlowMod(msg.flowMod, version, o, raw)
      : formatBody(msg, version, o);
  let out = start + body;
  if (msg.type === 'hello' && msg.hasUnknown) out += `\n unknown data in hello:\n${hexDump(bytes)}`;
  if (out.endsWith(' ')) out = out.slice(0, -1);
  if (!out.endsWith('\n')) out += '\n';
  return (o.verbosity ?? 0) >= 5 ? out + hexDump(bytes) : out;
}
