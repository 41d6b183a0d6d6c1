/** Roles, asynchronous messages, bundles and extensions as text. */
import { formatIp4, formatIp6 } from '@ovs-node/flow/addr-text';
import { altHex } from '@ovs-node/flow/int-text';
import { REASONS } from '../actions/output.js';
import type { CtFlushTuple, IpfixStats, TlvMapping } from '../messages/extension-types.js';
import { hasIp4, isIp4 } from '../messages/extension.js';
import type { AsyncConfig, AsyncMasks, CtFlush, MessageOf } from '../messages/types.js';
import { formatCount as count } from './flow.js';
import { formatBits } from './print-port.js';

const ROLE_REASONS = {
  primary_request: 'primary_request',
  config: 'configuration_changed',
  experimenter: 'experimenter_data_changed',
  unknown: '(unknown)',
} as const;

export function formatRoleStatus(m: MessageOf<'role_status'>): string {
  const generation = m.generationId === 0xffffffffffffffffn ? '' : ` generation_id=${m.generationId}`;
  return ` role=${m.role}${generation} reason=${ROLE_REASONS[m.reason]}\n`;
}

/** Names of the reasons for asynchronous messages, by bit. */
const ASYNC: readonly (readonly [label: string, key: keyof AsyncMasks, reasons: readonly string[]])[] = [
  ['PACKET_IN', 'packetIn', REASONS],
  ['PORT_STATUS', 'portStatus', ['add', 'delete', 'modify']],
  ['FLOW_REMOVED', 'flowRemoved', ['idle', 'hard', 'delete', 'group_delete', 'meter_delete', 'eviction']],
  ['ROLE_STATUS', 'roleStatus', ['primary_request', 'configuration_changed', 'experimenter_data_changed']],
  ['TABLE_STATUS', 'tableStatus', ['', '', '', 'vacancy_down', 'vacancy_up']],
  ['REQUESTFORWARD', 'requestForward', ['group_mod_request', 'meter_mod_request']],
];

export function formatAsync(config: AsyncConfig): string {
  let out = '\n';
  for (const role of ['primary', 'secondary'] as const) {
    out += ` ${role}:\n`;
    for (const [label, key, reasons] of ASYNC) {
      const bits = config[role][key] ?? 0;
      const names = Array.from({ length: 32 }, (_, i) => i)
        .filter((i) => ((bits >>> i) & 1) !== 0)
        .map((i) => (reasons[i] === undefined || reasons[i] === '' ? String(i) : reasons[i]));
      out += `${label.padStart(16)}: ${names.length === 0 ? '(off)' : names.join(' ')}\n`;
    }
    if (role === 'primary') out += '\n';
  }
  return out;
}

const BUNDLE_FLAGS = [
  [1, 'atomic'],
  [2, 'ordered'],
] as const;

export function formatBundleControl(m: MessageOf<'bundle_control'>): string {
  return `\n bundle_id=${altHex(m.bundleId)} type=${m.control === 'unknown' ? '' : m.control.toUpperCase()} flags=${formatBits(m.flags, BUNDLE_FLAGS)}`;
}

/** What a bundle-add says before the message in it. */
export function formatBundleAdd(m: MessageOf<'bundle_add'>): string {
  return `\n bundle_id=${altHex(m.bundleId)} flags=${formatBits(m.flags, BUNDLE_FLAGS)}\n`;
}

function formatMappings(mappings: readonly TlvMapping[]): string {
  let out = ' mapping table:\n  class  type  length  match field\n ------  ----  ------  --------------';
  for (const m of mappings) {
    out += `\n ${altHex(m.optionClass).padStart(6)}  ${altHex(m.optionType).padStart(4)}`;
    out += `  ${String(m.optionLen).padStart(6)}  tun_metadata${m.index}`;
  }
  return out;
}

const TLV_COMMANDS = { add: 'ADD', delete: 'DEL', clear: 'CLEAR' } as const;

export function formatTlvTableMod(m: MessageOf<'tlv_table_mod'>): string {
  const out = `\n ${TLV_COMMANDS[m.command]}`;
  return m.command === 'clear' ? out : out + formatMappings(m.mappings);
}

export function formatTlvTableReply(m: MessageOf<'tlv_table_reply'>): string {
  const used = m.mappings.reduce((sum, x) => sum + x.optionLen, 0);
  let out = `\n max option space=${m.maxOptionSpace} max fields=${m.maxFields}\n`;
  out += ` allocated option space=${used}\n\n`;
  return out + formatMappings(m.mappings);
}

function formatTuple(t: CtFlushTuple, ipProto: number, v4: boolean): string {
  const address = (ip: bigint): string => (isIp4(ip) ? formatIp4(Number(ip & 0xffffffffn)) : formatIp6(ip));
  const [src, dst] = v4 ? ['ct_nw_src', 'ct_nw_dst'] : ['ct_ipv6_src', 'ct_ipv6_dst'];
  const out = `${src}=${address(t.src)},${dst}=${address(t.dst)},`;
  return ipProto === 1 || ipProto === 58
    ? `${out}icmp_id=${t.srcPort},icmp_type=${t.icmpType},icmp_code=${t.icmpCode}`
    : `${out}ct_tp_src=${t.srcPort},ct_tp_dst=${t.dstPort}`;
}

export function formatCtFlush(f: CtFlush): string {
  const v4 = f.lastIsIp4 ?? hasIp4(f);
  const [orig, reply] = [f.orig, f.reply].map((t) => formatTuple(t, f.ipProto, v4));
  return ` zone=${f.zone ?? 0} '${orig},ct_nw_proto=${f.ipProto}' '${reply}'`;
}

export function formatIpfix(exporters: readonly IpfixStats[], isBridge: boolean): string {
  if (isBridge) {
    return exporters.map((s) => `\n  bridge ipfix: ${formatCounters(s, ' '.repeat(16))}`).join('');
  }
  let out = ` ${exporters.length} ids\n`;
  for (const s of exporters)
    out += `  id ${String(s.collectorSetId).padStart(3)}: ${formatCounters(s, ' '.repeat(10))}`;
  return out;
}

function formatCounters(s: IpfixStats, indent: string): string {
  return (
    `flows=${count(s.totalFlows)}, current flows=${count(s.currentFlows)}, sampled pkts=${count(s.packets)}, ` +
    `ipv4 ok=${count(s.ipv4Packets)}, ipv6 ok=${count(s.ipv6Packets)}, tx pkts=${count(s.txPackets)}\n` +
    `${indent}pkts errs=${count(s.errorPackets)}, ipv4 errs=${count(s.ipv4ErrorPackets)}, ` +
    `ipv6 errs=${count(s.ipv6ErrorPackets)}, tx errs=${count(s.txErrors)}\n`
  );
}
