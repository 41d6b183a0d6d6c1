/** Port descriptions and statistics as text. */
import { formatMac } from '@ovs-node/flow/addr-text';
import { formatPort, type PortMap } from '@ovs-node/flow/ports';
import { RFC2819_COUNTERS } from '../messages/port-counters.js';
import {
  PC,
  PF,
  type PhyPort,
  type PortStats,
  PS,
  type QueueConfig,
  type QueueStats,
  QUEUE_ALL,
} from '../messages/types.js';
import { formatDuration } from './flow.js';

type BitNames = readonly (readonly [number, string])[];

const CONFIG: BitNames = [
  [PC.PORT_DOWN, 'PORT_DOWN'],
  [PC.NO_STP, 'NO_STP'],
  [PC.NO_RECV, 'NO_RECV'],
  [PC.NO_RECV_STP, 'NO_RECV_STP'],
  [PC.NO_FLOOD, 'NO_FLOOD'],
  [PC.NO_FWD, 'NO_FWD'],
  [PC.NO_PACKET_IN, 'NO_PACKET_IN'],
];
const STATE: BitNames = [
  [PS.LINK_DOWN, 'LINK_DOWN'],
  [PS.BLOCKED, 'BLOCKED'],
  [PS.LIVE, 'LIVE'],
];
const STP: Readonly<Record<number, string>> = {
  [PS.STP_LEARN]: 'STP_LEARN',
  [PS.STP_FORWARD]: 'STP_FORWARD',
  [PS.STP_BLOCK]: 'STP_BLOCK',
};
const FEATURES: BitNames = [
  [PF.HD_10MB, '10MB-HD'],
  [PF.FD_10MB, '10MB-FD'],
  [PF.HD_100MB, '100MB-HD'],
  [PF.FD_100MB, '100MB-FD'],
  [PF.HD_1GB, '1GB-HD'],
  [PF.FD_1GB, '1GB-FD'],
  [PF.FD_10GB, '10GB-FD'],
  [PF.FD_40GB, '40GB-FD'],
  [PF.FD_100GB, '100GB-FD'],
  [PF.FD_1TB, '1TB-FD'],
  [PF.OTHER, 'OTHER'],
  [PF.COPPER, 'COPPER'],
  [PF.FIBER, 'FIBER'],
  [PF.AUTONEG, 'AUTO_NEG'],
  [PF.PAUSE, 'AUTO_PAUSE'],
  [PF.PAUSE_ASYM, 'AUTO_PAUSE_ASYM'],
];

/** Names of set bits apart by blanks; bits without a name as a number, `0` for none. */
export function formatBits(bits: number, names: BitNames): string {
  if (bits === 0) return '0';
  let left = bits >>> 0;
  const out: string[] = [];
  for (const [bit, name] of names) {
    if ((left & bit) === 0) continue;
    out.push(name);
    left = (left & ~bit) >>> 0;
  }
  if (left !== 0) out.push(`0x${left.toString(16)}`);
  return out.join(' ');
}

export function formatPortConfig(config: number): string {
  return formatBits(config, CONFIG);
}

function formatState(state: number): string {
  const stp = STP[state & PS.STP_MASK];
  const rest = state & ~PS.STP_MASK;
  if (stp === undefined) return formatBits(rest, STATE);
  return rest === 0 ? stp : `${stp}${formatBits(rest, STATE)}`;
}

export function formatPortFeatures(features: number): string {
  return formatBits(features, FEATURES);
}

/** A port's description, several lines. */
export function formatPhyPort(p: PhyPort): string {
  // What cannot be printed ends a name.
  const name = /^[\x20-\x7e]*/.exec(p.name)![0];
  let out = ` ${formatPort(p.portNo)}(${name}): addr:${formatMac(p.hwAddr)}\n`;
  out += `     config:     ${formatPortConfig(p.config)}\n`;
  out += `     state:      ${formatState(p.state)}\n`;
  for (const [label, features] of [
    ['current:    ', p.curr],
    ['advertised: ', p.advertised],
    ['supported:  ', p.supported],
    ['peer:       ', p.peer],
  ] as const) {
    if (features !== 0) out += `     ${label}${formatPortFeatures(features)}\n`;
  }
  const mbps = (kbps: number): number => Math.floor(kbps / 1000);
  return `${out}     speed: ${mbps(p.currSpeed)} Mbps now, ${mbps(p.maxSpeed)} Mbps max\n`;
}

const UNKNOWN = 0xffffffffffffffffn;
const stat = (v: bigint): string => (v === UNKNOWN ? '?' : v.toString());
const UNKNOWN_SEC = 0xffffffff;

/** The statistics of one port, several lines. */
export function formatPortStats(p: PortStats, ports?: PortMap): string {
  let out = `  port ${p.portNo < 10 ? ' ' : ''}${formatPort(p.portNo, ports)}: `;
  out += `rx pkts=${stat(p.rxPackets)}, bytes=${stat(p.rxBytes)}, drop=${stat(p.rxDropped)}, errs=${stat(p.rxErrors)}, `;
  out += `frame=${stat(p.rxFrameErr)}, over=${stat(p.rxOverErr)}, crc=${stat(p.rxCrcErr)}\n`;
  out += `           tx pkts=${stat(p.txPackets)}, bytes=${stat(p.txBytes)}, drop=${stat(p.txDropped)}, `;
  out += `errs=${stat(p.txErrors)}, coll=${stat(p.collisions)}\n`;
  if (p.durationSec !== UNKNOWN_SEC) {
    out += `           duration=${formatDuration(p.durationSec, p.durationNsec)}\n`;
  }
  return out + formatRfc2819(p) + formatCustom(p);
}

/** A line for what was received and one for what was sent, of those counters that are there. */
function formatRfc2819({ rfc2819 = [] }: PortStats): string {
  const known = RFC2819_COUNTERS.map(([direction, name], i) => ({ direction, name, value: rfc2819[i] }));
  return (['rx', 'tx'] as const)
    .map((direction) => known.filter((c) => c.direction === direction && (c.value ?? UNKNOWN) !== UNKNOWN))
    .filter((counters) => counters.length > 0)
    .map((counters) => {
      const list = counters.map(({ name, value }) => `${name}=${value}, `).join('');
      return `           ${counters[0]!.direction} rfc2819 ${list}\n`;
    })
    .join('');
}

/** Counters that the device names, three to a line. */
function formatCustom({ custom = [] }: PortStats): string {
  if (custom.length === 0) return '';
  let out = '           CUSTOM Statistics';
  for (const [i, [name, value]] of custom.entries()) {
    out += `${i % 3 === 0 ? '\n                      ' : ' '}${name}=${value},`;
  }
  return `${out}\n`;
}

/** One line of queue statistics. */
export function formatQueueStats(q: QueueStats, ports?: PortMap): string {
  const queue = q.queueId === QUEUE_ALL ? 'ALL' : String(q.queueId);
  const duration = q.durationSec === UNKNOWN_SEC ? '?' : formatDuration(q.durationSec, q.durationNsec);
  return `  port ${formatPort(q.portNo, ports)} queue ${queue}: bytes=${stat(q.txBytes)}, pkts=${stat(q.txPackets)}, errors=${stat(q.txErrors)}, duration=${duration}\n`;
}

/** A queue's rate in tenths of a percent. */
function formatRate(name: string, rate: number | undefined): string {
  if (rate === undefined) return '';
  if (rate > 1000) return ` ${name}:(disabled)`;
  return ` ${name}:${Math.floor(rate / 10)}.${rate % 10}%`;
}

/** The configuration of queues, by port and number. */
export function formatQueueConfigs(queues: readonly QueueConfig[], ports?: PortMap): string {
  const sorted = [...queues].sort((a, b) => a.portNo - b.portNo || a.queueId - b.queueId);
  let out = queues.length === 0 ? '' : ' ';
  // Port 0 goes without saying.
  let port = 0;
  for (const q of sorted) {
    if (q.portNo !== port) out += `port=${formatPort(q.portNo, ports)}\n`;
    port = q.portNo;
    out += `queue ${q.queueId}:${formatRate('min_rate', q.minRate)}${formatRate('max_rate', q.maxRate)}\n`;
  }
  return out;
}
