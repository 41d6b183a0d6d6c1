/** Connections as conntrack messages carry them: entries and tuples to and from attributes. */
import { NetlinkError, type NlWriter } from './attr.js';
import { type AttrValues, decodeAttrs, encodeAttrs } from './attr-table.js';
import {
  CTA,
  CTA_COUNTERS,
  CTA_HELP,
  CTA_IP,
  CTA_PROTO,
  CTA_PROTOINFO,
  CTA_PROTOINFO_TCP,
  CTA_TIMESTAMP,
  CTA_TUPLE,
} from './conntrack-attrs.js';

/** One direction of a connection. */
export interface CtTuple {
  /** 4 or 16 bytes, both the same. */
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
  readonly proto: number;
  /** Ports; 0 for ICMP and protocols without. */
  readonly sport: number;
  readonly dport: number;
  /** ICMP and ICMPv6 only. */
  readonly icmpId: number;
  readonly icmpType: number;
  readonly icmpCode: number;
}

/** A tuple of which only some fields are said. */
export type CtTupleFilter = Partial<CtTuple>;

export interface CtCounters {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface CtTcpInfo {
  /** `CtTcpState`. */
  readonly state: number;
  readonly wscaleOrig: number;
  readonly wscaleReply: number;
  readonly flagsOrig: number;
  readonly flagsReply: number;
  /** `PeerTcpState` of each side, from a datapath that tells them; `state` is coarser. */
  readonly peerStates?: { readonly orig: number; readonly reply: number };
}

export interface CtEntry {
  readonly orig: CtTuple;
  readonly reply: CtTuple;
  /** Of the connection that this one is related to. */
  readonly parent: CtTuple | undefined;
  readonly zone: number;
  readonly mark: number;
  /** 128 bits. */
  readonly labels: bigint;
  readonly hasLabels: boolean;
  /** IPS_* bits. */
  readonly status: number;
  /** Seconds left; undefined when not told. */
  readonly timeout: number | undefined;
  readonly id: number;
  readonly countersOrig: CtCounters | undefined;
  readonly countersReply: CtCounters | undefined;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly stop: bigint;
  readonly tcp: CtTcpInfo | undefined;
  /** Name of the helper (`ftp`), '' for none. */
  readonly helper: string;
}

const IPPROTO_ICMP = 1;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;
const IPPROTO_ICMPV6 = 58;
const IPPROTO_SCTP = 132;

/** Decodes a tuple's attributes, as far as they are there. Throws `NetlinkError` EINVAL. */
export function decodeTupleFilter(attrs: Uint8Array): CtTupleFilter {
  const top = decodeAttrs(CTA_TUPLE, attrs);
  const ip = top.IP === undefined ? {} : decodeAttrs(CTA_IP, top.IP);
  const proto = top.PROTO === undefined ? {} : decodeAttrs(CTA_PROTO, top.PROTO);
  const tuple: { -readonly [K in keyof CtTuple]?: CtTuple[K] } = {};
  const src = ip.V4_SRC ?? ip.V6_SRC;
  const dst = ip.V4_DST ?? ip.V6_DST;
  if (src !== undefined) tuple.src = src;
  if (dst !== undefined) tuple.dst = dst;
  if (proto.NUM !== undefined) tuple.proto = proto.NUM;
  if (proto.SRC_PORT !== undefined) tuple.sport = proto.SRC_PORT;
  if (proto.DST_PORT !== undefined) tuple.dport = proto.DST_PORT;
  const id = proto.ICMP_ID ?? proto.ICMPV6_ID;
  const type = proto.ICMP_TYPE ?? proto.ICMPV6_TYPE;
  const code = proto.ICMP_CODE ?? proto.ICMPV6_CODE;
  if (id !== undefined) tuple.icmpId = id;
  if (type !== undefined) tuple.icmpType = type;
  if (code !== undefined) tuple.icmpCode = code;
  return tuple;
}

/** Decodes a whole tuple. Throws `NetlinkError` EINVAL when addresses or the protocol are missing. */
export function decodeTuple(attrs: Uint8Array): CtTuple {
  const t = decodeTupleFilter(attrs);
  if (t.src === undefined || t.dst === undefined || t.src.length !== t.dst.length || t.proto === undefined) {
    throw new NetlinkError(22, 'conntrack tuple lacks addresses or protocol');
  }
  return {
    src: t.src,
    dst: t.dst,
    proto: t.proto,
    sport: t.sport ?? 0,
    dport: t.dport ?? 0,
    icmpId: t.icmpId ?? 0,
    icmpType: t.icmpType ?? 0,
    icmpCode: t.icmpCode ?? 0,
  };
}

/** Appends a tuple, as much of it as is said, as the nested attribute `code` (CTA_TUPLE_*). */
export function encodeTuple(w: NlWriter, code: number, t: CtTupleFilter): void {
  const mark = w.startNested(code);
  const v6 = (t.src ?? t.dst)?.length === 16;
  if (t.src !== undefined || t.dst !== undefined) {
    w.nested(CTA_TUPLE.IP.code, () => {
      if (t.src !== undefined) w.putBytes(v6 ? CTA_IP.V6_SRC.code : CTA_IP.V4_SRC.code, t.src);
      if (t.dst !== undefined) w.putBytes(v6 ? CTA_IP.V6_DST.code : CTA_IP.V4_DST.code, t.dst);
    });
  }
  w.nested(CTA_TUPLE.PROTO.code, () => encodeAttrs(w, CTA_PROTO, protoOf(t)));
  w.endNested(mark);
}

function protoOf(t: CtTupleFilter): AttrValues<typeof CTA_PROTO> {
  const values: AttrValues<typeof CTA_PROTO> = {};
  if (t.proto !== undefined) values.NUM = t.proto;
  if (t.proto === IPPROTO_ICMP) {
    if (t.icmpId !== undefined) values.ICMP_ID = t.icmpId;
    if (t.icmpType !== undefined) values.ICMP_TYPE = t.icmpType;
    if (t.icmpCode !== undefined) values.ICMP_CODE = t.icmpCode;
  } else if (t.proto === IPPROTO_ICMPV6) {
    if (t.icmpId !== undefined) values.ICMPV6_ID = t.icmpId;
    if (t.icmpType !== undefined) values.ICMPV6_TYPE = t.icmpType;
    if (t.icmpCode !== undefined) values.ICMPV6_CODE = t.icmpCode;
  } else if (hasPorts(t.proto) || t.proto === undefined) {
    if (t.sport !== undefined) values.SRC_PORT = t.sport;
    if (t.dport !== undefined) values.DST_PORT = t.dport;
  }
  return values;
}

function hasPorts(proto: number | undefined): boolean {
  return (
    proto === IPPROTO_TCP || proto === IPPROTO_UDP || proto === IPPROTO_SCTP || proto === 33 || proto === 136
  );
}

function decodeCounters(attrs: Uint8Array | undefined): CtCounters | undefined {
  if (attrs === undefined) return undefined;
  const c = decodeAttrs(CTA_COUNTERS, attrs);
  return { packets: c.PACKETS ?? 0n, bytes: c.BYTES ?? 0n };
}

function decodeTcp(attrs: Uint8Array | undefined): CtTcpInfo | undefined {
  const outer = attrs === undefined ? undefined : decodeAttrs(CTA_PROTOINFO, attrs).TCP;
  if (outer === undefined) return undefined;
  const t = decodeAttrs(CTA_PROTOINFO_TCP, outer);
  return {
    state: t.STATE ?? 0,
    wscaleOrig: t.WSCALE_ORIGINAL ?? 0,
    wscaleReply: t.WSCALE_REPLY ?? 0,
    flagsOrig: t.FLAGS_ORIGINAL?.[0] ?? 0,
    flagsReply: t.FLAGS_REPLY?.[0] ?? 0,
    ...(t.PEER_STATE_ORIG === undefined || t.PEER_STATE_REPLY === undefined
      ? {}
      : { peerStates: { orig: t.PEER_STATE_ORIG, reply: t.PEER_STATE_REPLY } }),
  };
}

/** The 128-bit number of a label as the kernel sends it: least significant byte first. */
export function labelsFromBytes(bytes: Uint8Array): bigint {
  let v = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) v = (v << 8n) | BigInt(bytes[i]!);
  return v;
}

/** A 128-bit label as 16 bytes, least significant first. */
export function labelsToBytes(labels: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[i] = Number((labels >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

/** Decodes the attributes `buf[start, end)` of one connection. Throws `NetlinkError` EINVAL. */
export function decodeConntrack(buf: Uint8Array, start = 0, end = buf.length): CtEntry {
  const a = decodeAttrs(CTA, buf, start, end);
  if (a.TUPLE_ORIG === undefined || a.TUPLE_REPLY === undefined) {
    throw new NetlinkError(22, 'conntrack entry lacks a tuple');
  }
  const times = a.TIMESTAMP === undefined ? {} : decodeAttrs(CTA_TIMESTAMP, a.TIMESTAMP);
  const help = a.HELP === undefined ? {} : decodeAttrs(CTA_HELP, a.HELP);
  return {
    orig: decodeTuple(a.TUPLE_ORIG),
    reply: decodeTuple(a.TUPLE_REPLY),
    parent: a.TUPLE_MASTER === undefined ? undefined : decodeTuple(a.TUPLE_MASTER),
    zone: a.ZONE ?? 0,
    mark: a.MARK ?? 0,
    labels: a.LABELS === undefined ? 0n : labelsFromBytes(a.LABELS),
    hasLabels: a.LABELS !== undefined,
    status: a.STATUS ?? 0,
    timeout: a.TIMEOUT,
    id: a.ID ?? 0,
    countersOrig: decodeCounters(a.COUNTERS_ORIG),
    countersReply: decodeCounters(a.COUNTERS_REPLY),
    start: times.START ?? 0n,
    stop: times.STOP ?? 0n,
    tcp: decodeTcp(a.PROTOINFO),
    helper: help.NAME ?? '',
  };
}

/** Appends the attributes of a connection; the inverse of `decodeConntrack`. */
export function encodeConntrack(w: NlWriter, e: CtEntry): void {
  encodeTuple(w, CTA.TUPLE_ORIG.code, e.orig);
  encodeTuple(w, CTA.TUPLE_REPLY.code, e.reply);
  w.putBe32(CTA.STATUS.code, e.status);
  if (e.tcp !== undefined) {
    const tcp = e.tcp;
    w.nested(CTA.PROTOINFO.code, () =>
      w.nested(CTA_PROTOINFO.TCP.code, () =>
        encodeAttrs(w, CTA_PROTOINFO_TCP, {
          STATE: tcp.state,
          WSCALE_ORIGINAL: tcp.wscaleOrig,
          WSCALE_REPLY: tcp.wscaleReply,
          FLAGS_ORIGINAL: Uint8Array.of(tcp.flagsOrig, 0),
          FLAGS_REPLY: Uint8Array.of(tcp.flagsReply, 0),
          ...(tcp.peerStates === undefined
            ? {}
            : { PEER_STATE_ORIG: tcp.peerStates.orig, PEER_STATE_REPLY: tcp.peerStates.reply }),
        }),
      ),
    );
  }
  if (e.helper !== '') w.nested(CTA.HELP.code, () => w.putString(CTA_HELP.NAME.code, e.helper));
  if (e.timeout !== undefined) w.putBe32(CTA.TIMEOUT.code, e.timeout);
  w.putBe32(CTA.MARK.code, e.mark);
  for (const [code, counters] of [
    [CTA.COUNTERS_ORIG.code, e.countersOrig],
    [CTA.COUNTERS_REPLY.code, e.countersReply],
  ] as const) {
    if (counters !== undefined) {
      w.nested(code, () =>
        encodeAttrs(w, CTA_COUNTERS, { PACKETS: counters.packets, BYTES: counters.bytes }),
      );
    }
  }
  w.putBe32(CTA.ID.code, e.id);
  if (e.parent !== undefined) encodeTuple(w, CTA.TUPLE_MASTER.code, e.parent);
  if (e.zone !== 0) w.putBe16(CTA.ZONE.code, e.zone);
  if (e.start !== 0n)
    w.nested(CTA.TIMESTAMP.code, () => encodeAttrs(w, CTA_TIMESTAMP, { START: e.start, STOP: e.stop }));
  if (e.hasLabels) w.putBytes(CTA.LABELS.code, labelsToBytes(e.labels));
}
