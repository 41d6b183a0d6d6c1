/** Connections as values (`CtEntry` of the netlink package), for dumps and events; and tuples from values. */
import type { CtEntry, CtTuple } from '@ovs-node/netlink/conntrack';
import { CtTcpState, Ips, PeerTcpState } from '@ovs-node/netlink/conntrack-attrs';
import type { Conntrack } from './conntrack.js';
import { helperName } from './helpers.js';
import { E, FAMILY_IPV4, FAMILY_IPV6, HELPER_SHIFT, SEEN_REPLY, STRIDE, T, TIMES, X } from './table.js';
import { P, SCALE_KNOWN, SCALE_MASK } from './tcp.js';

const ICMP = 1;
const TCP = 6;
const ICMPV6 = 58;

/** The nearest state that Linux has a number for, by the state of the further peer. */
const LINUX_STATE: readonly number[] = [
  CtTcpState.CLOSE,
  CtTcpState.NONE,
  CtTcpState.SYN_SENT,
  CtTcpState.SYN_RECV,
  CtTcpState.ESTABLISHED,
  CtTcpState.CLOSE_WAIT,
  CtTcpState.FIN_WAIT,
  CtTcpState.FIN_WAIT,
  CtTcpState.LAST_ACK,
  CtTcpState.TIME_WAIT,
  CtTcpState.TIME_WAIT,
];

function address(words: Uint32Array, first: number, rest: number, v6: boolean): Uint8Array {
  const bytes = new Uint8Array(v6 ? 16 : 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, words[first]);
  if (v6) for (let i = 0; i < 3; i++) view.setUint32(4 + 4 * i, words[rest + i]);
  return bytes;
}

function tupleAt(words: Uint32Array, at: number): CtTuple {
  const meta = words[at + T.META];
  const v6 = (meta & 0xff) === FAMILY_IPV6;
  const proto = (meta >>> 8) & 0xff;
  const ports = words[at + T.PORTS];
  const isIcmp = proto === ICMP || proto === ICMPV6;
  return {
    src: address(words, at + T.SRC, at + T.SRC6, v6),
    dst: address(words, at + T.DST, at + T.DST6, v6),
    proto,
    sport: isIcmp ? 0 : ports >>> 16,
    dport: isIcmp ? 0 : ports & 0xffff,
    icmpId: isIcmp ? ports >>> 16 : 0,
    icmpType: isIcmp ? (ports >>> 8) & 0xff : 0,
    icmpCode: isIcmp ? ports & 0xff : 0,
  };
}

/** The connection `entry` at `now`. */
export function entryValue(c: Conntrack, entry: number, now: number): CtEntry {
  const { words, times } = c.table;
  const at = entry * STRIDE;
  const time = entry * TIMES;
  const proto = (words[at] >>> 8) & 0xff;
  const state0 = words[at + E.PEER0 + P.STATE];
  const state1 = words[at + E.PEER1 + P.STATE];
  const seen = (words[at + E.FLAGS] & SEEN_REPLY) !== 0;
  let labels = 0n;
  for (let i = 0; i < 4; i++) labels = (labels << 32n) | BigInt(words[at + E.LABEL + i]);
  const assured = seen && (proto !== TCP || state0 >>> 8 >= PeerTcpState.ESTABLISHED);
  return {
    orig: tupleAt(words, at + E.ORIG),
    reply: tupleAt(words, at + E.REPLY),
    parent: undefined,
    zone: words[at] >>> 16,
    mark: words[at + E.MARK],
    labels,
    hasLabels: labels !== 0n,
    status: Ips.CONFIRMED | (seen ? Ips.SEEN_REPLY : 0) | (assured ? Ips.ASSURED : 0),
    timeout: Math.max(0, Math.floor((times[time + X.EXPIRY] - now) / 1000)),
    id: words[at + E.ID],
    countersOrig: { packets: BigInt(times[time + X.PACKETS]), bytes: BigInt(times[time + X.BYTES]) },
    countersReply: {
      packets: BigInt(times[time + X.REPLY_PACKETS]),
      bytes: BigInt(times[time + X.REPLY_BYTES]),
    },
    start: 0n,
    stop: 0n,
    helper: helperName(words[at + E.FLAGS] >>> HELPER_SHIFT),
    tcp:
      proto !== TCP
        ? undefined
        : {
            state: LINUX_STATE[Math.max(state0 >>> 8, state1 >>> 8)] ?? CtTcpState.NONE,
            wscaleOrig: state0 & SCALE_MASK,
            wscaleReply: state1 & SCALE_MASK,
            flagsOrig: (state0 & SCALE_KNOWN) !== 0 ? 1 : 0,
            flagsReply: (state1 & SCALE_KNOWN) !== 0 ? 1 : 0,
            peerStates: { orig: state0 >>> 8, reply: state1 >>> 8 },
          },
  };
}

/** The words by which the connection with that tuple is found in `zone`. */
export function tupleWords(tuple: CtTuple, zone: number): Uint32Array {
  const words = new Uint32Array(10);
  const v6 = tuple.src.length === 16;
  const { proto } = tuple;
  words[T.META] = (zone << 16) | (proto << 8) | (v6 ? FAMILY_IPV6 : FAMILY_IPV4);
  words[T.PORTS] =
    proto === ICMP || proto === ICMPV6
      ? (tuple.icmpId << 16) | (tuple.icmpType << 8) | tuple.icmpCode
      : (tuple.sport << 16) | tuple.dport;
  const src = new DataView(tuple.src.buffer, tuple.src.byteOffset, tuple.src.length);
  const dst = new DataView(tuple.dst.buffer, tuple.dst.byteOffset, tuple.dst.length);
  words[T.SRC] = src.getUint32(0);
  words[T.DST] = dst.getUint32(0);
  if (v6) {
    for (let i = 0; i < 3; i++) {
      words[T.SRC6 + i] = src.getUint32(4 + 4 * i);
      words[T.DST6 + i] = dst.getUint32(4 + 4 * i);
    }
  }
  return words;
}
