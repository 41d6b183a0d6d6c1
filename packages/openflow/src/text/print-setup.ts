/** Roles, asynchronous messages, bundles and extensions as text. */
import { formatIp4, formatIp6 } from '@ovs-node/flow/addr-text';
import { REASONS } from '../actions/output.js';
import type { CtFlushTuple, IpfixStats, TlvMapping } from '../messages/extension-types.js';
import { isAnyTuple } from '../messages/extension.js';
import type { AsyncConfig, AsyncMasks, CtFlush, MessageOf } from '../messages/types.js';
import { formatBits } from './print-port.js';

const ROLE_REASONS = {
  primary_request: 'primary_request',
  config: 'configuration_changed',
  experimenter: 'experimenter_data_changed',
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
  return `\n bundle_id=${altHex32(m.bundleId)} type=${m.control.toUpperCase()} flags=${formatBits(m.flags, BUNDLE_FLAGS)}`;
}

/** What a bundle-add says before the message in it. */
export function formatBundleAdd(m: MessageOf<'bundle_add'>): string {
  return `\n bundle_id=${altHex32(m.bundleId)} flags=${formatBits(m.flags, BUNDLE_FLAGS)}\n`;
}

function altHex32(n: number): string {
  return n === 0 ? '0' : `0x${n.toString(16)}`;
}

function formatMappings(mappings: readonly TlvMapping[]): string {
  let out = ' class  type  length  match field\n ------  ----  ------  --------------';
  for (const m of mappings) {
    const type = m.optionType.toString(16);
    const cls = m.optionClass.toString(16);
    out += `\n 0x${cls}${' '.repeat(Math.max(0, 6 - cls.length))}0x${type}`;
    out += `${' '.repeat(Math.max(0, 4 - type.length))}${String(m.optionLen).padStart(6)}  tun_metadata${m.index}`;
  }
  return out;
}

export function formatTlvTableMod(m: MessageOf<'tlv_table_mod'>): string {
  const command = m.command.toUpperCase();
  return `\n ${command} mapping table:\n${formatMappings(m.mappings)}`;
}

export function formatTlvTableReply(m: MessageOf<'tlv_table_reply'>): string {
  const used = m.mappings.reduce((sum, x) => sum + x.optionLen, 0);
  let out = `\n max option space=${m.maxOptionSpace} max fields=${m.maxFields}\n`;
  out += ` allocated option space=${used}\n\n mapping table:\n`;
  return out + formatMappings(m.mappings);
}

const IPV4_MAPPED = 0xffff00000000n;

/** An address of a tuple; IPv4 ones are mapped. */
function formatAddress(ip: bigint): string {
  return ip >> 32n === IPV4_MAPPED >> 32n ? formatIp4(Number(ip & 0xffffffffn)) : formatIp6(ip);
}

function formatTuple(t: CtFlushTuple, ipProto: number): string {
  if (isAnyTuple(t, ipProto)) return '';
  const v6 = (ip: bigint): boolean => ip !== 0n && ip >> 32n !== IPV4_MAPPED >> 32n;
  const parts: string[] = [];
  const [src, dst] = v6(t.src) || v6(t.dst) ? ['ct_ipv6_src', 'ct_ipv6_dst'] : ['ct_nw_src', 'ct_nw_dst'];
  if (t.src !== 0n) parts.push(`${src}=${formatAddress(t.src)}`);
  if (t.dst !== 0n) parts.push(`${dst}=${formatAddress(t.dst)}`);
  if (ipProto === 1 || ipProto === 58) {
    parts.push(`icmp_id=${t.srcPort}`, `icmp_type=${t.icmpType}`, `icmp_code=${t.icmpCode}`);
  } else {
    if (t.srcPort !== 0) parts.push(`ct_tp_src=${t.srcPort}`);
    if (t.dstPort !== 0) parts.push(`ct_tp_dst=${t.dstPort}`);
  }
  return parts.join(',');
}

export function formatCtFlush(f: CtFlush): string {
  let out = ` zone=${f.zone ?? 0}`;
  out += ` 'ct_nw_proto=${f.ipProto}`;
  const orig = formatTuple(f.orig, f.ipProto);
  const reply = formatTuple(f.reply, f.ipProto);
  if (orig !== '') out += `,${orig}`;
  return `${out}' '${reply}'`;
}

export function formatIpfix(exporters: readonly IpfixStats[], isBridge: boolean): string {
  if (isBridge) {
    return exporters.map((s) => `\n  bridge ipfix: ${formatCounters(s, '')}`).join('');
  }
  let out = ` ${exporters.length} ids\n`;
  for (const s of exporters) out += `  id ${String(s.collectorSetId).padStart(3)}: ${formatCounters(s, '')}`;
  return out;
}

function formatCounters(s: IpfixStats, _indent: string): string {
  return (
    `flows=${s.totalFlows}, current flows=${s.currentFlows}, sampled pkts=${s.packets}, ` +
    `ipv4 ok=${s.ipv4Packets}, ipv6 ok=${s.ipv6Packets}, tx pkts=${s.txPackets}\n` +
    `                pkts errs=${s.errorPackets}, ipv4 errs=${s.ipv4ErrorPackets}, ` +
    `ipv6 errs=${s.ipv6ErrorPackets}, tx errs=${s.txErrors}\n`
  );
}
