/** Messages as text, as `ovs-ofctl` prints what it receives (`ofp-print`, `monitor`, `snoop`, replies). */
import { formatMac } from '@ovs-node/flow/addr-text';
import { OFPP, formatPort, type PortMap } from '@ovs-node/flow/ports';
import { REASONS } from '../actions/output.js';
import type { TableMap } from '../actions/row.js';
import { OfError } from '../errors.js';
import { decodeMessage, HEADER_LENGTH } from '../messages/codec.js';
import { multipartBody } from '../messages/multipart.js';
import {
  type AsyncConfig,
  type AsyncMasks,
  CAP,
  type FlowFormat,
  type MultipartReply,
  type MultipartRequest,
  type OfMessage,
  type OfMessageType,
  type SwitchConfig,
  type SwitchFeatures,
} from '../messages/types.js';
import { VERSIONS } from '../version.js';
import { formatFlow } from './flow.js';
import {
  formatFlowFilter,
  formatFlowMod,
  formatFlowRemoved,
  formatPacketIn,
  formatPacketOut,
} from './print-flow.js';
import {
  formatBits,
  formatPhyPort,
  formatPortConfig,
  formatPortFeatures,
  formatPortStats,
  formatQueueStats,
} from './print-port.js';
import { formatTableStats } from './print-table.js';
import { hex } from './numbers.js';
import { hexDump } from './hex-dump.js';
import { formatPacket } from './packet.js';

export interface PrintOptions {
  readonly ports?: PortMap | undefined;
  readonly tables?: TableMap | undefined;
  /** As many as there were -m: 1 prints packets, 2 payloads of echoes. */
  readonly verbosity?: number;
  /** Flows with statistics; the default. */
  readonly stats?: boolean;
}

/** Names of messages in print, by type. */
const NAMES: { readonly [T in OfMessageType]: string } = {
  hello: 'OFPT_HELLO',
  error: 'OFPT_ERROR',
  echo_request: 'OFPT_ECHO_REQUEST',
  echo_reply: 'OFPT_ECHO_REPLY',
  features_request: 'OFPT_FEATURES_REQUEST',
  features_reply: 'OFPT_FEATURES_REPLY',
  get_config_request: 'OFPT_GET_CONFIG_REQUEST',
  get_config_reply: 'OFPT_GET_CONFIG_REPLY',
  set_config: 'OFPT_SET_CONFIG',
  packet_in: 'OFPT_PACKET_IN',
  packet_out: 'OFPT_PACKET_OUT',
  flow_mod: 'OFPT_FLOW_MOD',
  flow_removed: 'OFPT_FLOW_REMOVED',
  port_status: 'OFPT_PORT_STATUS',
  port_mod: 'OFPT_PORT_MOD',
  barrier_request: 'OFPT_BARRIER_REQUEST',
  barrier_reply: 'OFPT_BARRIER_REPLY',
  role_request: 'OFPT_ROLE_REQUEST',
  role_reply: 'OFPT_ROLE_REPLY',
  get_async_request: 'OFPT_GET_ASYNC_REQUEST',
  get_async_reply: 'OFPT_GET_ASYNC_REPLY',
  set_async: 'OFPT_SET_ASYNC',
  multipart_request: 'OFPST',
  multipart_reply: 'OFPST',
  set_flow_format: 'NXT_SET_FLOW_FORMAT',
  flow_mod_table_id: 'NXT_FLOW_MOD_TABLE_ID',
  set_packet_in_format: 'NXT_SET_PACKET_IN_FORMAT',
  flow_age: 'NXT_FLOW_AGE',
  set_controller_id: 'NXT_SET_CONTROLLER_ID',
  resume: 'NXT_RESUME',
};

function nxm(format: FlowFormat | undefined): boolean {
  return format === 'nxm';
}

/** The name of a message in its form and version. */
export function messageName(msg: OfMessage, version: number): string {
  switch (msg.type) {
    case 'packet_in':
      if (msg.format === 'nxt_packet_in2') return 'NXT_PACKET_IN2';
      return msg.format === 'nxt_packet_in' ? 'NXT_PACKET_IN' : NAMES.packet_in;
    case 'flow_mod':
      return version === 1 && nxm(msg.format) ? 'NXT_FLOW_MOD' : NAMES.flow_mod;
    case 'flow_removed':
      return version === 1 && nxm(msg.format) ? 'NXT_FLOW_REMOVED' : NAMES.flow_removed;
    case 'role_request':
      return version < 3 ? 'NXT_ROLE_REQUEST' : NAMES.role_request;
    case 'role_reply':
      return version < 3 ? 'NXT_ROLE_REPLY' : NAMES.role_reply;
    case 'set_async':
      return version < 4 ? 'NXT_SET_ASYNC_CONFIG' : NAMES.set_async;
    case 'multipart_request':
    case 'multipart_reply': {
      const body = msg.type === 'multipart_request' ? msg.request : msg.reply;
      const vendor = nxm(msg.format) && multipartBody(body.type).nx !== undefined;
      const direction = msg.type === 'multipart_request' ? 'request' : 'reply';
      return `${vendor ? 'NXST' : 'OFPST'}_${body.type.toUpperCase()} ${direction}`;
    }
    default:
      return NAMES[msg.type];
  }
}

const CAPABILITIES = [
  [CAP.FLOW_STATS, 'FLOW_STATS'],
  [CAP.TABLE_STATS, 'TABLE_STATS'],
  [CAP.PORT_STATS, 'PORT_STATS'],
  [CAP.IP_REASM, 'IP_REASM'],
  [CAP.QUEUE_STATS, 'QUEUE_STATS'],
  [CAP.ARP_MATCH_IP, 'ARP_MATCH_IP'],
  [CAP.STP, 'STP'],
  [CAP.GROUP_STATS, 'GROUP_STATS'],
  [CAP.PORT_BLOCKED, 'PORT_BLOCKED'],
  [CAP.BUNDLES, 'BUNDLES'],
  [CAP.FLOW_MONITORING, 'FLOW_MONITORING'],
] as const;
const CAPABILITY_ORDER = [
  'FLOW_STATS',
  'TABLE_STATS',
  'PORT_STATS',
  'GROUP_STATS',
  'STP',
  'IP_REASM',
  'QUEUE_STATS',
  'ARP_MATCH_IP',
  'PORT_BLOCKED',
  'BUNDLES',
  'FLOW_MONITORING',
];

/** Actions of OpenFlow 1.0 by their bits, as `show` names them. */
const ACTIONS_10 =
  'output set_vlan_vid set_vlan_pcp strip_vlan mod_dl_src mod_dl_dst mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst enqueue'.split(
    ' ',
  );
const ACTION_ORDER_10 =
  'output enqueue set_vlan_vid set_vlan_pcp strip_vlan mod_dl_src mod_dl_dst mod_nw_src mod_nw_dst mod_nw_tos mod_tp_src mod_tp_dst'.split(
    ' ',
  );

function formatFeatures(f: SwitchFeatures, version: number): string {
  let out = ` dpid:${f.datapathId.toString(16).padStart(16, '0')}\n`;
  out += `n_tables:${f.nTables}, n_buffers:${f.nBuffers}`;
  if (f.auxiliaryId !== 0) out += `, auxiliary_id:${f.auxiliaryId}`;
  const ordered = CAPABILITY_ORDER.map((name) => CAPABILITIES.find((c) => c[1] === name)!);
  out += `\ncapabilities: ${formatBits(f.capabilities, ordered)}\n`;
  if (version === 1) {
    const names = ACTION_ORDER_10.filter((name) => (f.actions & (1 << ACTIONS_10.indexOf(name))) !== 0);
    out += `actions: ${names.join(' ')}\n`;
  }
  const ports = [...f.ports].sort((a, b) => (a.portNo & 0xffff) - (b.portNo & 0xffff));
  return out + ports.map((p) => formatPhyPort(p)).join('');
}

function formatConfig(c: SwitchConfig): string {
  let out = ` frags=${c.frag}`;
  if (c.invalidTtlToController === true) out += ' invalid_ttl_to_controller';
  return `${out} miss_send_len=${c.missSendLen}\n`;
}

function formatRequest(q: MultipartRequest, o: PrintOptions): string {
  switch (q.type) {
    case 'flow':
    case 'aggregate':
      return formatFlowFilter(q.filter, o);
    case 'port':
    case 'port_desc':
      return ` ${q.type === 'port' ? 'port_no' : 'port'}=${formatPort(q.portNo, o.ports)}`;
    case 'queue':
      return ` port=${q.portNo === OFPP.ANY ? 'ANY' : formatPort(q.portNo, o.ports)} queue=${q.queueId === 0xffffffff ? 'ALL' : q.queueId}`;
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
      return formatTableStats(p.tables, version, o.tables);
    case 'port':
      return ` ${p.ports.length} ports\n${p.ports.map((s) => formatPortStats(s, o.ports)).join('')}`;
    case 'queue':
      return ` ${p.queues.length} queues\n${p.queues.map((q) => formatQueueStats(q, o.ports)).join('')}`;
    case 'port_desc': {
      const ports = [...p.ports].sort((a, b) => (a.portNo & 0xffff) - (b.portNo & 0xffff));
      return `\n${ports.map((port) => formatPhyPort(port)).join('')}`;
    }
    case 'table_features':
      return '';
  }
}

/** Names of the reasons for asynchronous messages, by bit; those without names cannot be set here. */
const ASYNC: readonly (readonly [
  label: string,
  key: keyof AsyncMasks | undefined,
  reasons: readonly string[],
])[] = [
  ['PACKET_IN', 'packetIn', REASONS],
  ['PORT_STATUS', 'portStatus', ['add', 'delete', 'modify']],
  ['FLOW_REMOVED', 'flowRemoved', ['idle', 'hard', 'delete', 'group_delete', 'meter_delete', 'eviction']],
  ['ROLE_STATUS', undefined, []],
  ['TABLE_STATUS', undefined, []],
  ['REQUESTFORWARD', undefined, []],
];

function formatAsync(config: AsyncConfig): string {
  let out = '\n';
  for (const role of ['primary', 'secondary'] as const) {
    out += ` ${role}:\n`;
    for (const [label, key, reasons] of ASYNC) {
      const bits = key === undefined ? 0 : config[role][key];
      const names = reasons.filter((_, i) => (bits & (1 << i)) !== 0);
      out += `${label.padStart(16)}: ${names.length === 0 ? '(off)' : names.join(' ')}\n`;
    }
    if (role === 'primary') out += '\n';
  }
  return out;
}

/** Text that an error quotes, or the message that it quotes. */
function formatError(e: OfError, o: PrintOptions): string {
  let out = ` ${e.name ?? `type ${e.errorType}, code ${e.code}`}\n`;
  if (e.name === 'OFPHFC_INCOMPATIBLE' || e.name === 'OFPHFC_EPERM') {
    return `${out}${new TextDecoder('latin1').decode(e.data).replace(/[^\x20-\x7e\n\t]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}\n`;
  }
  out += printMessage(e.data, { ...o, verbosity: 1 });
  return out;
}

/** What follows the name and the xid. */
function formatBody(msg: OfMessage, version: number, o: PrintOptions): string {
  const verbosity = o.verbosity ?? 0;
  switch (msg.type) {
    case 'hello': {
      const bits: string[] = [];
      for (let v = 1; v < 32; v++)
        if ((msg.versions & (1 << v)) !== 0) bits.push(`0x${v.toString(16).padStart(2, '0')}`);
      return `\n version bitmap: ${bits.join(', ')}`;
    }
    case 'error':
      return formatError(msg.error, o);
    case 'echo_request':
    case 'echo_reply':
      return ` ${msg.data.length} bytes of payload\n${verbosity > 1 ? hexDump(msg.data) : ''}`;
    case 'features_reply':
      return formatFeatures(msg.features, version);
    case 'get_config_reply':
    case 'set_config':
      return formatConfig(msg.config);
    case 'packet_in':
      return (
        formatPacketIn(msg.packetIn, o) + (verbosity > 0 ? formatPacket(msg.packetIn.packet, o.ports) : '')
      );
    case 'resume':
      return (
        formatPacketIn(msg.packetIn, o) + (verbosity > 0 ? formatPacket(msg.packetIn.packet, o.ports) : '')
      );
    case 'packet_out': {
      const packet = msg.packetOut.packet;
      const shown = verbosity > 0 && packet.length > 0 ? formatPacket(packet, o.ports) : '';
      return formatPacketOut(msg.packetOut, o) + shown;
    }
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
      out += `     config: ${formatPortConfig(p.config)}\n`;
      out += `     mask:   ${formatPortConfig(p.mask)}\n`;
      return `${out}     advertise: ${p.advertise === 0 ? 'UNCHANGED' : formatPortFeatures(p.advertise)}\n`;
    }
    case 'role_request':
    case 'role_reply': {
      const generation = msg.generationId === undefined ? '' : ` generation_id=${msg.generationId}`;
      return ` role=${msg.role}${generation}`;
    }
    case 'get_async_reply':
    case 'set_async':
      return formatAsync(msg.config);
    case 'multipart_request':
      return formatRequest(msg.request, o);
    case 'multipart_reply':
      return formatReply(msg.reply, version, o);
    case 'set_flow_format':
      return ` format=${msg.format === 'nxm' ? 'nxm' : 'openflow10'}`;
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
  const row = VERSIONS.find((v) => v.version === version);
  const shown =
    version === 1 ? '' : row ? ` (${row.short})` : ` (OF 0x${version.toString(16).padStart(2, '0')})`;
  return `${name}${shown} (xid=${hex(xid)}):`;
}

/** The text of a message value. */
export function formatMessage(msg: OfMessage, version: number, xid: number, o: PrintOptions = {}): string {
  const more = (msg.type === 'multipart_reply' || msg.type === 'multipart_request') && msg.more;
  const name = header(messageName(msg, version), version, xid);
  const out = `${name}${more ? ' flags=[more]' : ''}${formatBody(msg, version, o)}`;
  return out.endsWith('\n') ? out : `${out}\n`;
}

/** The text of a message in bytes. What cannot be decoded is said, with its bytes. */
export function printMessage(bytes: Uint8Array, o: PrintOptions = {}): string {
  if (bytes.length === 0) return 'OpenFlow message is empty\n';
  if (bytes.length < HEADER_LENGTH) {
    return `OpenFlow packet too short (only ${bytes.length} bytes):\n${hexDump(bytes)}`;
  }
  const length = (bytes[2] << 8) | bytes[3];
  if (length !== bytes.length) {
    if (length > bytes.length) {
      const text = `(***truncated to ${bytes.length} bytes from ${length}***)\n`;
      return `${text}${hexDump(bytes)}`;
    }
    return `(***only uses ${length} bytes out of ${bytes.length}***)\n${hexDump(bytes)}`;
  }
  const decoded = decodeMessage(bytes);
  const xid = ((bytes[4] << 24) | (bytes[5] << 16) | (bytes[6] << 8) | bytes[7]) >>> 0;
  if (decoded instanceof OfError) {
    const known = !UNKNOWN_MESSAGE.has(decoded.name);
    return `${known ? `${header(undecodedName(bytes), bytes[0], xid)} ` : ''}***decode error: ${decoded.toString()}***\n${hexDump(bytes)}`;
  }
  const out = formatMessage(decoded.msg, decoded.version, xid, o);
  return (o.verbosity ?? 0) >= 5 ? out + hexDump(bytes) : out;
}

/** Errors that leave open which message it is. */
const UNKNOWN_MESSAGE = new Set<string | undefined>([
  'OFPBRC_BAD_VERSION',
  'OFPBRC_BAD_TYPE',
  'OFPBRC_BAD_VENDOR',
  'OFPBRC_BAD_SUBTYPE',
  'OFPBRC_BAD_STAT',
]);

/** A name for a message of which only the header is good. */
function undecodedName(bytes: Uint8Array): string {
  const version = bytes[0];
  const type = bytes[1];
  const names: Readonly<Record<number, string>> = {
    0: 'OFPT_HELLO',
    1: 'OFPT_ERROR',
    2: 'OFPT_ECHO_REQUEST',
    3: 'OFPT_ECHO_REPLY',
    5: 'OFPT_FEATURES_REQUEST',
    6: 'OFPT_FEATURES_REPLY',
    7: 'OFPT_GET_CONFIG_REQUEST',
    8: 'OFPT_GET_CONFIG_REPLY',
    9: 'OFPT_SET_CONFIG',
    10: 'OFPT_PACKET_IN',
    11: 'OFPT_FLOW_REMOVED',
    12: 'OFPT_PORT_STATUS',
    13: 'OFPT_PACKET_OUT',
    14: 'OFPT_FLOW_MOD',
  };
  if (type === 4 && bytes.length >= 16) {
    const subtype = (bytes[12] << 24) | (bytes[13] << 16) | (bytes[14] << 8) | bytes[15];
    const vendor: Readonly<Record<number, string>> = {
      13: 'NXT_FLOW_MOD',
      14: 'NXT_FLOW_REMOVED',
      17: 'NXT_PACKET_IN',
      30: 'NXT_PACKET_IN2',
    };
    return vendor[subtype] ?? 'NXT';
  }
  if (version === 1 && type === 15) return 'OFPT_PORT_MOD';
  return names[type] ?? `OFPT ${type}`;
}
