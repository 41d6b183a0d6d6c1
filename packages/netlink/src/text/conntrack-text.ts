/** Connections as text, to the letter of `dump-conntrack`, and connection tuples from text (`flush-conntrack`). */
import { parsePlainIp4 } from '@ovs-node/flow/addr-text';
import { altHex, skipBlanks } from '@ovs-node/flow/int-text';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { OvsError } from '@ovs-node/common/errors';
import type { CtEntry, CtTcpInfo, CtTuple, CtTupleFilter } from '../conntrack.js';
import { CtTcpState, PeerTcpState } from '../conntrack-attrs.js';
import { IP4, IP6, readNumber } from './formats.js';

export interface CtTextOptions {
  /** -m: identifier, status, both sides' protocol state. */
  readonly verbose?: boolean;
  /** -s: counters, timeouts, timestamps. */
  readonly stats?: boolean;
}

const PROTO_NAMES: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  6: 'tcp',
  17: 'udp',
  33: 'dccp',
  58: 'icmpv6',
  132: 'sctp',
  136: 'udplite',
};

/** The name of an IP protocol as conntrack text has it, else its number. */
export function ctProtoName(proto: number): string {
  return PROTO_NAMES[proto] ?? String(proto);
}

/** The peer's names of the kernel's TCP states. */
const TCP_STATES: Readonly<Record<number, string>> = {
  [CtTcpState.NONE]: 'CLOSED',
  [CtTcpState.SYN_SENT]: 'SYN_SENT',
  [CtTcpState.SYN_RECV]: 'SYN_RECV',
  [CtTcpState.ESTABLISHED]: 'ESTABLISHED',
  [CtTcpState.FIN_WAIT]: 'FIN_WAIT_1',
  [CtTcpState.CLOSE_WAIT]: 'CLOSE_WAIT',
  [CtTcpState.LAST_ACK]: 'LAST_ACK',
  [CtTcpState.TIME_WAIT]: 'TIME_WAIT',
  [CtTcpState.CLOSE]: 'CLOSED',
  [CtTcpState.SYN_SENT2]: 'SYN_SENT',
};

/** Names of `PeerTcpState`, in its order. */
export const PEER_STATES: readonly string[] = Object.keys(PeerTcpState);

/** In the short form of a dump these states go by the name of the one they amount to. */
const COALESCED: Readonly<Record<string, string>> = { FIN_WAIT_2: 'TIME_WAIT', SYN_RECV: 'ESTABLISHED' };

/** The states of a TCP connection as text: of the connection (the side that is further), and of either side. */
export function ctTcpStates(tcp: CtTcpInfo): {
  readonly state: string;
  readonly orig: string;
  readonly reply: string;
} {
  const { peerStates } = tcp;
  if (peerStates === undefined) {
    const state = TCP_STATES[tcp.state] ?? `[${tcp.state}]`;
    return { state: COALESCED[state] ?? state, orig: state, reply: state };
  }
  const { orig, reply } = peerStates;
  const name = (n: number): string => PEER_STATES[n] ?? `[${n}]`;
  const state = name(Math.max(orig, reply));
  return { state: COALESCED[state] ?? state, orig: name(orig), reply: name(reply) };
}

const STATUS_NAMES = [
  'EXPECTED',
  'SEEN_REPLY',
  'ASSURED',
  'CONFIRMED',
  'SRC_NAT',
  'DST_NAT',
  'SEQ_ADJUST',
  'SRC_NAT_DONE',
  'DST_NAT_DONE',
  'DYING',
  'FIXED_TIMEOUT',
  'TEMPLATE',
  'UNTRACKED',
  'HELPER',
  'OFFLOAD',
];
const TCP_FLAG_NAMES = [
  'WINDOW_SCALE',
  'SACK_PERM',
  'CLOSE_INIT',
  'BE_LIBERAL',
  'DATA_UNACKNOWLEDGED',
  'MAXACK_SET',
];

function flags(names: readonly string[], value: number): string {
  if (value === 0) return '0';
  const parts = names.filter((_, i) => value & (1 << i));
  const rest = value & ~((1 << names.length) - 1);
  if (rest !== 0) parts.push(altHex(rest >>> 0));
  return parts.join('|');
}

function address(bytes: Uint8Array): string {
  return bytes.length === 4 ? IP4.value(bytes, 0, 4) : IP6.value(bytes, 0, 16);
}

/** `src=…,dst=…,sport=…,dport=…`, with ICMP's fields in place of ports. */
export function formatCtTuple(t: CtTuple): string {
  const icmp = t.proto === 1 || t.proto === 58;
  const rest = icmp
    ? `id=${t.icmpId},type=${t.icmpType},code=${t.icmpCode}`
    : `sport=${t.sport},dport=${t.dport}`;
  return `src=${address(t.src)},dst=${address(t.dst)},${rest}`;
}

/** Nanoseconds since 1970 as `2026-11-20T12:52:54.123`, UTC. */
function stamp(ns: bigint): string {
  return new Date(Number(ns / 1000000n)).toISOString().replace('Z', '');
}

/** One line of `dump-conntrack`. */
export function formatConntrack(e: CtEntry, options: CtTextOptions = {}): string {
  const { verbose = false, stats = false } = options;
  const side = (tuple: CtTuple, counters: CtEntry['countersOrig']): string => {
    const counted =
      stats && counters !== undefined && (counters.packets !== 0n || counters.bytes !== 0n)
        ? `,packets=${counters.packets},bytes=${counters.bytes}`
        : '';
    return `(${formatCtTuple(tuple)}${counted})`;
  };
  let text = `${ctProtoName(e.orig.proto)},orig=${side(e.orig, e.countersOrig)},reply=${side(e.reply, e.countersReply)}`;
  if (stats && (e.start !== 0n || e.stop !== 0n)) {
    text += `,timestamp=(start=${stamp(e.start)}${e.stop === 0n ? '' : `,stop=${stamp(e.stop)}`})`;
  }
  if (verbose) text += `,id=${e.id}`;
  if (e.zone !== 0) text += `,zone=${e.zone}`;
  if (verbose) text += `,status=${flags(STATUS_NAMES, e.status)}`;
  if (stats && e.timeout !== undefined) text += `,timeout=${e.timeout}`;
  if (e.mark !== 0) text += `,mark=${e.mark}`;
  if (e.labels !== 0n) text += `,labels=${altHex(e.labels)}`;
  if (e.tcp !== undefined) {
    const { state, orig, reply } = ctTcpStates(e.tcp);
    if (!verbose) text += `,protoinfo=(state=${state})`;
    else {
      const { wscaleOrig, wscaleReply } = e.tcp;
      const scale = wscaleOrig || wscaleReply ? `,wscale_orig=${wscaleOrig},wscale_reply=${wscaleReply}` : '';
      text +=
        `,protoinfo=(state_orig=${orig},state_reply=${reply}${scale}` +
        `,flags_orig=${flags(TCP_FLAG_NAMES, e.tcp.flagsOrig)},flags_reply=${flags(TCP_FLAG_NAMES, e.tcp.flagsReply)})`;
    }
  }
  if (e.helper !== '') text += `,helper=${e.helper}`;
  if (e.parent !== undefined) text += `,parent=(${formatCtTuple(e.parent)})`;
  return text;
}

/** Fields of a tuple in `flush-conntrack`, by name: where they go and how wide they are. */
const TUPLE_NUMBERS = {
  ct_nw_proto: ['proto', 8],
  ct_tp_src: ['sport', 16],
  ct_tp_dst: ['dport', 16],
  icmp_type: ['icmpType', 8],
  icmp_code: ['icmpCode', 8],
  icmp_id: ['icmpId', 16],
} as const satisfies Record<string, readonly [keyof CtTuple, number]>;
const TUPLE_ADDRESSES = {
  ct_nw_src: ['src', IP4, 4],
  ct_nw_dst: ['dst', IP4, 4],
  ct_ipv6_src: ['src', IP6, 16],
  ct_ipv6_dst: ['dst', IP6, 16],
} as const;

/** ICMP and ICMPv6. */
const ICMP_PROTOS = [1, 58];

/**
 * Parses tuples such as `ct_nw_src=10.1.1.1,ct_nw_proto=6,ct_tp_dst=80`, the two sides of one connection: what one says
 * of its protocols holds for the other. Throws `OvsError` EINVAL with the peer's words.
 */
export function parseCtTuples(texts: readonly string[]): CtTupleFilter[] {
  const shared: SharedProtocols = { addressBytes: 0, proto: 0 };
  return texts.map((text) => readTuple(text, shared));
}

/** `parseCtTuples` of one. */
export function parseCtTuple(text: string): CtTupleFilter {
  return parseCtTuples([text])[0]!;
}

/** What the tuples of a connection have in common; 0 while it is not known. */
interface SharedProtocols {
  addressBytes: number;
  proto: number;
}

function readTuple(text: string, shared: SharedProtocols): CtTupleFilter {
  const tuple: { -readonly [K in keyof CtTuple]?: CtTuple[K] } = {};
  // A protocol set twice is no error, but stands in front of the next one.
  let remark = '';
  const bad = (what: string): OvsError => new OvsError(remark + what, 'EINVAL');
  for (const { key, value } of parseKeyValues(text)) {
    if (value === '') throw bad(`field ${key} missing value`);
    if (Object.hasOwn(TUPLE_ADDRESSES, key)) {
      const [side, format, n] = TUPLE_ADDRESSES[key as keyof typeof TUPLE_ADDRESSES];
      const bytes = new Uint8Array(n);
      if (shared.addressBytes !== 0 && shared.addressBytes !== n)
        throw bad(`the L3 protocol does not match ${value}`);
      if (tuple[side] !== undefined) throw bad(`${key} is set multiple times`);
      const isAddress = n === 16 || parsePlainIp4(value) !== undefined;
      if (!isAddress || !format.read(value, bytes, 0, n)) throw bad(`failed to parse field ${key}`);
      tuple[side] = bytes;
      shared.addressBytes = n;
    } else if (Object.hasOwn(TUPLE_NUMBERS, key)) {
      const [field, bits] = TUPLE_NUMBERS[key as keyof typeof TUPLE_NUMBERS];
      if (field.startsWith('icmp') && !ICMP_PROTOS.includes(shared.proto)) throw bad('invalid L4 fields');
      if (field === 'proto' && shared.proto !== 0) remark += `${key} is set multiple times`;
      const v = readNumber(value.slice(skipBlanks(value)).replace(/^\+/, ''), bits);
      if (v < 0n) throw bad(`failed to parse field ${key}`);
      if (field === 'proto') shared.proto = Number(v);
      tuple[field] = Number(v);
    } else throw bad(`invalid conntrack tuple field: ${key}`);
  }
  if ((tuple.sport ?? tuple.dport ?? 0) !== 0 && shared.proto === 0)
    throw bad('port is set without protocol');
  return tuple;
}
