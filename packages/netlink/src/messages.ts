/**
 * Netlink message headers (linux/netlink.h, linux/genetlink.h, linux/netfilter/nfnetlink.h) as the pseudo device uses them.
 *
 *     generic families:  nlmsghdr (16) | genlmsghdr (4): cmd, version, reserved | ovs_header (4): dp_ifindex | attributes
 *     conntrack:         nlmsghdr (16) | nfgenmsg   (4): family, version, res_id | ovs_header (4): dp_ifindex | attributes
 *
 * So in both the attributes begin 24 bytes into the message. ovs_win_control and ovs_win_netdev messages have the
 * same generic layout.
 */
import { NetlinkError, NlReader, type NlWriter, nlAlign } from './attr.js';
import { u32 } from './bytes.js';
import { NFNL_SUBSYS_CTNETLINK } from './families.js';

export const NLMSG_HDRLEN = 16;
/** Where the attributes of a message begin, counted from the start of the message. */
export const ATTRS_OFFSET = 24;

export const NlMsgType = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4, MIN_TYPE: 16 } as const;
export const NlFlag = {
  REQUEST: 0x01,
  MULTI: 0x02,
  ACK: 0x04,
  ECHO: 0x08,
  ROOT: 0x100,
  MATCH: 0x200,
  DUMP: 0x300,
  REPLACE: 0x100,
  EXCL: 0x200,
  CREATE: 0x400,
  /** In an NLMSG_ERROR: attributes (NLMSGERR_ATTR_*) follow. */
  ACK_TLVS: 0x200,
} as const;
/** NLMSGERR_ATTR_MSG: the text of an error. */
const NLMSGERR_ATTR_MSG = 1;

export interface MsgHeader {
  /** Family number, or a conntrack type made by `ctMsgType`. */
  readonly type: number;
  readonly flags: number;
  readonly seq: number;
  readonly pid: number;
  /** Command of a generic family; in a conntrack message the address family (AF_*), 0 for any. */
  readonly cmd: number;
  readonly version: number;
  readonly dpIfindex: number;
}

/** `nlmsg_type` of a conntrack command. */
export function ctMsgType(cmd: number): number {
  return (NFNL_SUBSYS_CTNETLINK << 8) | cmd;
}

/** Whether a message type is one of conntrack's. */
export function isCtMsgType(type: number): boolean {
  return type >> 8 === NFNL_SUBSYS_CTNETLINK;
}

/** Appends the three headers and returns the mark for `endMessage`. */
export function beginMessage(
  w: NlWriter,
  type: number,
  flags: number,
  seq: number,
  pid: number,
  cmd: number,
  version: number,
  dpIfindex: number,
): number {
  w.pad();
  const mark = w.length;
  w.rawU32(0);
  w.rawU16(type);
  w.rawU16(flags);
  w.rawU32(seq);
  w.rawU32(pid);
  w.rawU8(cmd);
  w.rawU8(version);
  w.rawU16(0);
  w.rawU32(dpIfindex);
  return mark;
}

/** Fills in the length of the message that began at `mark`, and pads it. */
export function endMessage(w: NlWriter, mark: number): void {
  w.patchU32(mark, w.length - mark);
  w.pad();
}

/**
 * Appends an NLMSG_ERROR that answers the request in `request[0, 16)`: `errno` is positive, 0 acknowledges. Carries
 * the request's header, and `text` as NLMSGERR_ATTR_MSG when given.
 */
export function putError(w: NlWriter, request: Uint8Array, errno: number, text?: string): void {
  w.pad();
  const mark = w.length;
  w.rawU32(0);
  w.rawU16(NlMsgType.ERROR);
  w.rawU16(text === undefined ? 0 : NlFlag.ACK_TLVS);
  w.rawBytes(request.subarray(8, 16));
  w.rawU32(-errno >>> 0);
  w.rawBytes(request.subarray(0, NLMSG_HDRLEN));
  if (text !== undefined) w.putString(NLMSGERR_ATTR_MSG, text);
  endMessage(w, mark);
}

/** Appends the NLMSG_DONE that ends a dump. */
export function putDone(w: NlWriter, seq: number, pid: number): void {
  w.pad();
  const mark = w.length;
  w.rawU32(0);
  w.rawU16(NlMsgType.DONE);
  w.rawU16(NlFlag.MULTI);
  w.rawU32(seq);
  w.rawU32(pid);
  w.rawU32(0);
  endMessage(w, mark);
}

/**
 * Walks the messages of a buffer. After `next` returned true the message lies at `start` .. `end` in `buf`, its header
 * is in the fields, and it is at least 16 bytes long; `hasBody` says that the 24 bytes up to the attributes exist, and
 * only then `cmd`, `version` and `dpIfindex` mean something. Does not allocate or throw.
 */
export class MsgReader implements MsgHeader {
  buf: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  type = 0;
  flags = 0;
  seq = 0;
  pid = 0;
  hasBody = false;
  cmd = 0;
  version = 0;
  dpIfindex = 0;
  /** The walk ended at something that is no message. */
  malformed = false;
  #pos = 0;
  #limit = 0;

  constructor(buf?: Uint8Array) {
    if (buf !== undefined) this.reset(buf);
  }

  reset(buf: Uint8Array, start = 0, end = buf.length): this {
    this.buf = buf;
    this.#pos = start;
    this.#limit = end;
    this.malformed = false;
    return this;
  }

  next(): boolean {
    const pos = this.#pos;
    const left = this.#limit - pos;
    if (left < NLMSG_HDRLEN) {
      if (left > 0) this.malformed = true;
      return false;
    }
    const b = this.buf;
    const len = u32(b, pos);
    if (len < NLMSG_HDRLEN || len > left) {
      this.malformed = true;
      return false;
    }
    this.start = pos;
    this.end = pos + len;
    this.type = b[pos + 4]! | (b[pos + 5]! << 8);
    this.flags = b[pos + 6]! | (b[pos + 7]! << 8);
    this.seq = u32(b, pos + 8);
    this.pid = u32(b, pos + 12);
    this.hasBody = len >= ATTRS_OFFSET;
    if (this.hasBody) {
      this.cmd = b[pos + 16]!;
      this.version = b[pos + 17]!;
      this.dpIfindex = u32(b, pos + 20) | 0;
    } else {
      this.cmd = this.version = this.dpIfindex = 0;
    }
    this.#pos = Math.min(this.#limit, pos + nlAlign(len));
    return true;
  }

  /** Where the attributes begin; `hasBody` must hold. */
  get attrs(): number {
    return this.start + ATTRS_OFFSET;
  }

  /** The message's bytes, lent. */
  bytes(): Uint8Array {
    return this.buf.subarray(this.start, this.end);
  }
}

/** The error number (positive; 0: acknowledgement) and text of the NLMSG_ERROR at which `msg` stands. */
export function readError(msg: MsgReader): { readonly errno: number; readonly text: string | undefined } {
  const at = msg.start + NLMSG_HDRLEN;
  if (msg.end < at + 4 + NLMSG_HDRLEN) throw new NetlinkError(71, 'truncated NLMSG_ERROR');
  const errno = -(u32(msg.buf, at) | 0);
  let text: string | undefined;
  if (msg.flags & NlFlag.ACK_TLVS) {
    const r = new NlReader(msg.buf, at + 4 + NLMSG_HDRLEN, msg.end);
    while (r.next()) if (r.type === NLMSGERR_ATTR_MSG) text = r.string();
  }
  return { errno: errno < 0 ? 71 : errno, text };
}
