/** Conntrack's attributes and commands (linux/netfilter/nfnetlink_conntrack.h, nf_conntrack_tcp.h, nf_conntrack_common.h). */
import type { AttrTable } from './attr-table.js';

export const CtCmd = { NEW: 0, GET: 1, DELETE: 2, GET_CTRZERO: 3, GET_STATS_CPU: 4, GET_STATS: 5 } as const;

export const CTA = {
  TUPLE_ORIG: { code: 1, kind: 'nested' },
  TUPLE_REPLY: { code: 2, kind: 'nested' },
  /** be32 of IPS_* bits. */
  STATUS: { code: 3, kind: 'be32' },
  PROTOINFO: { code: 4, kind: 'nested' },
  HELP: { code: 5, kind: 'nested' },
  /** Seconds until the entry expires. */
  TIMEOUT: { code: 7, kind: 'be32' },
  MARK: { code: 8, kind: 'be32' },
  COUNTERS_ORIG: { code: 9, kind: 'nested' },
  COUNTERS_REPLY: { code: 10, kind: 'nested' },
  USE: { code: 11, kind: 'be32' },
  ID: { code: 12, kind: 'be32' },
  TUPLE_MASTER: { code: 14, kind: 'nested' },
  ZONE: { code: 18, kind: 'be16' },
  TIMESTAMP: { code: 20, kind: 'nested' },
  MARK_MASK: { code: 21, kind: 'be32' },
  /** 16 bytes; the label's 128 bits, least significant byte first (as the kernel's bitmap). */
  LABELS: { code: 22, kind: 'bytes', maxLen: 16 },
  LABELS_MASK: { code: 23, kind: 'bytes', maxLen: 16 },
} as const satisfies AttrTable;

export const CTA_TUPLE = {
  IP: { code: 1, kind: 'nested' },
  PROTO: { code: 2, kind: 'nested' },
  ZONE: { code: 3, kind: 'be16' },
} as const satisfies AttrTable;

export const CTA_IP = {
  V4_SRC: { code: 1, kind: 'bytes', len: 4 },
  V4_DST: { code: 2, kind: 'bytes', len: 4 },
  V6_SRC: { code: 3, kind: 'bytes', len: 16 },
  V6_DST: { code: 4, kind: 'bytes', len: 16 },
} as const satisfies AttrTable;

export const CTA_PROTO = {
  NUM: { code: 1, kind: 'u8' },
  SRC_PORT: { code: 2, kind: 'be16' },
  DST_PORT: { code: 3, kind: 'be16' },
  ICMP_ID: { code: 4, kind: 'be16' },
  ICMP_TYPE: { code: 5, kind: 'u8' },
  ICMP_CODE: { code: 6, kind: 'u8' },
  ICMPV6_ID: { code: 7, kind: 'be16' },
  ICMPV6_TYPE: { code: 8, kind: 'u8' },
  ICMPV6_CODE: { code: 9, kind: 'u8' },
} as const satisfies AttrTable;

export const CTA_PROTOINFO = {
  TCP: { code: 1, kind: 'nested' },
  SCTP: { code: 3, kind: 'nested' },
} as const satisfies AttrTable;

export const CTA_PROTOINFO_TCP = {
  STATE: { code: 1, kind: 'u8' },
  WSCALE_ORIGINAL: { code: 2, kind: 'u8' },
  WSCALE_REPLY: { code: 3, kind: 'u8' },
  /** u8 flags, u8 mask. */
  FLAGS_ORIGINAL: { code: 4, kind: 'bytes', len: 2 },
  FLAGS_REPLY: { code: 5, kind: 'bytes', len: 2 },
  /**
   * This project's own: the states of both peers as userspace conntrack has them (`PeerTcpState`), of which STATE is
   * the nearest that Linux has a number for.
   */
  PEER_STATE_ORIG: { code: 100, kind: 'u8' },
  PEER_STATE_REPLY: { code: 101, kind: 'u8' },
} as const satisfies AttrTable;

export const CTA_COUNTERS = {
  PACKETS: { code: 1, kind: 'be64' },
  BYTES: { code: 2, kind: 'be64' },
} as const satisfies AttrTable;

export const CTA_TIMESTAMP = {
  START: { code: 1, kind: 'be64' },
  STOP: { code: 2, kind: 'be64' },
} as const satisfies AttrTable;

export const CTA_HELP = {
  NAME: { code: 1, kind: 'string', maxLen: 32 },
} as const satisfies AttrTable;

/** Reply of GET_STATS. */
export const CTA_STATS_GLOBAL = {
  ENTRIES: { code: 1, kind: 'be32' },
  MAX_ENTRIES: { code: 2, kind: 'be32' },
} as const satisfies AttrTable;

/** enum ip_conntrack_status. */
export const Ips = {
  EXPECTED: 1 << 0,
  SEEN_REPLY: 1 << 1,
  ASSURED: 1 << 2,
  CONFIRMED: 1 << 3,
  SRC_NAT: 1 << 4,
  DST_NAT: 1 << 5,
  SEQ_ADJUST: 1 << 6,
  SRC_NAT_DONE: 1 << 7,
  DST_NAT_DONE: 1 << 8,
  DYING: 1 << 9,
  FIXED_TIMEOUT: 1 << 10,
  TEMPLATE: 1 << 11,
  UNTRACKED: 1 << 12,
  HELPER: 1 << 13,
  OFFLOAD: 1 << 14,
} as const;

/** enum tcp_conntrack: the numbers in CTA_PROTOINFO_TCP_STATE. */
export const CtTcpState = {
  NONE: 0,
  SYN_SENT: 1,
  SYN_RECV: 2,
  ESTABLISHED: 3,
  FIN_WAIT: 4,
  CLOSE_WAIT: 5,
  LAST_ACK: 6,
  TIME_WAIT: 7,
  CLOSE: 8,
  SYN_SENT2: 9,
} as const;

/** States of one peer of a TCP connection, in the order that dumps know (CTA_PROTOINFO_TCP PEER_STATE_*). */
export const PeerTcpState = {
  CLOSED: 0,
  LISTEN: 1,
  SYN_SENT: 2,
  SYN_RECV: 3,
  ESTABLISHED: 4,
  CLOSE_WAIT: 5,
  FIN_WAIT_1: 6,
  CLOSING: 7,
  LAST_ACK: 8,
  FIN_WAIT_2: 9,
  TIME_WAIT: 10,
} as const;
