/** Meter messages as text. */
import {
  METER,
  MF,
  type MeterBand,
  type MeterConfig,
  type MeterFeatures,
  type MeterMod,
  type MeterStats,
} from '../messages/meter-types.js';
import { formatDuration } from './flow.js';
import { formatBits } from './print-port.js';

/** `meter=3`, or the name of a meter with a meaning of its own. */
export function formatMeterId(meter: number, separator = '='): string {
  if (meter <= METER.MAX) return `meter${separator}${meter}`;
  const names: Readonly<Record<number, string>> = {
    [METER.SLOWPATH]: 'slowpath',
    [METER.CONTROLLER]: 'controller',
    [METER.ALL]: 'all',
  };
  return `meter${separator}${names[meter] ?? 'unknown'}`;
}

const FLAG_NAMES = [
  [MF.KBPS, 'kbps'],
  [MF.PKTPS, 'pktps'],
  [MF.BURST, 'burst'],
  [MF.STATS, 'stats'],
] as const;

function formatFlags(flags: number): string {
  let out = '';
  let left = flags;
  for (const [bit, name] of FLAG_NAMES) {
    if ((left & bit) === 0) continue;
    out += `${name} `;
    left &= ~bit;
  }
  return left === 0 ? out : `${out}flags:0x${left.toString(16)} `;
}

function formatBand(flags: number, b: MeterBand): string {
  let out = `\ntype=${b.type} rate=${b.rate}`;
  if ((flags & MF.BURST) !== 0) out += ` burst_size=${b.burstSize}`;
  if (b.type === 'dscp_remark') out += ` prec_level=${b.precLevel}`;
  return out;
}

export function formatMeterConfig(c: MeterConfig): string {
  let out = `${formatMeterId(c.meterId)} ${formatFlags(c.flags)}bands=`;
  for (const b of c.bands) out += formatBand(c.flags, b);
  return `${out}\n`;
}

const COMMANDS = { add: 'ADD', modify: 'MOD', delete: 'DEL' } as const;

export function formatMeterMod(m: MeterMod): string {
  return ` ${COMMANDS[m.command]} ${formatMeterConfig(m.meter)}`;
}

export function formatMeterStats(s: MeterStats): string {
  let out = `${formatMeterId(s.meterId, ':')} flow_count:${s.flowCount} `;
  out += `packet_in_count:${s.packetInCount} byte_in_count:${s.byteInCount} `;
  out += `duration:${formatDuration(s.durationSec, s.durationNsec)} bands:\n`;
  s.bands.forEach((b, i) => {
    out += `${i}: packet_count:${b.packetCount} byte_count:${b.byteCount}\n`;
  });
  return out;
}

export function formatMeterFeatures(f: MeterFeatures): string {
  let out = `\nmax_meter:${f.maxMeters} max_bands:${f.maxBands} max_color:${f.maxColor}\n`;
  out += 'band_types: ';
  out += f.bandTypes === 0 ? '0\n' : `${formatBandTypes(f.bandTypes)}\n`;
  return `${out}capabilities: ${formatBits(f.capabilities, FLAG_NAMES)}\n`;
}

function formatBandTypes(types: number): string {
  return formatBits(types, [
    [2, 'drop'],
    [4, 'dscp_remark'],
  ]);
}
