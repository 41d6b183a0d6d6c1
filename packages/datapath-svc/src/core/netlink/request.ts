/** One netlink request on its way through a handler, and the dumps that handlers begin. */
import { NetlinkError, NlWriter } from '@ovs-node/netlink/attr';
import { type AttrTable, type AttrValues, decodeAttrs } from '@ovs-node/netlink/attr-table';
import { beginMessage, endMessage, type MsgReader, NlFlag, putDone } from '@ovs-node/netlink/messages';
import type { DatapathCore } from '../core.js';
import type { Datapath } from '../datapath.js';
import { Errno } from '../errno.js';
import type { Dump, Handle } from '../handle.js';

/** What a handler works with. Handlers append their reply to `w`, or return a dump, or throw `NetlinkError`. */
export class Request {
  readonly handle: Handle;
  readonly core: DatapathCore;
  readonly msg: MsgReader;
  readonly w: NlWriter;

  constructor(handle: Handle, msg: MsgReader, w: NlWriter) {
    this.handle = handle;
    this.core = handle.core;
    this.msg = msg;
    this.w = w;
  }

  /** The request's attributes by table; they share the request's memory. */
  attrs<T extends AttrTable>(table: T): AttrValues<T> {
    return decodeAttrs(table, this.msg.buf, this.msg.attrs, this.msg.end);
  }

  /** Whether all of NLM_F_DUMP is set. */
  get isDump(): boolean {
    return (this.msg.flags & NlFlag.DUMP) === NlFlag.DUMP;
  }

  /** The datapath that the request names by number. Throws ENODEV. */
  datapath(): Datapath {
    const dp = this.core.byIndex.get(this.msg.dpIfindex);
    if (dp === undefined)
      throw new NetlinkError(Errno.ENODEV, `no datapath with number ${this.msg.dpIfindex}`);
    return dp;
  }

  /** Begins a reply of the request's family to the requester; returns the mark for `endMessage`. */
  begin(w: NlWriter, cmd: number, version: number, dpIfindex: number, flags = 0): number {
    return beginMessage(w, this.msg.type, flags, this.msg.seq, this.handle.pid, cmd, version, dpIfindex);
  }
}

export { endMessage };

/** A handler of one command. */
export type Handler = (request: Request) => Dump | void;

/**
 * A dump of a list fixed when it begins; `write` appends the messages of one item (none when it is gone by now).
 * The header of the request is remembered, its memory is not.
 */
export class ListDump<T> implements Dump {
  done = false;
  private readonly items: readonly T[];
  private readonly write: (w: NlWriter, item: T) => void;
  private readonly seq: number;
  private readonly pid: number;
  private next_ = 0;

  constructor(request: Request, items: readonly T[], write: (w: NlWriter, item: T) => void) {
    this.items = items;
    this.write = write;
    this.seq = request.msg.seq;
    this.pid = request.handle.pid;
  }

  next(maxBytes: number): Uint8Array {
    const w = new NlWriter(4096);
    while (this.next_ < this.items.length && w.length < maxBytes) this.write(w, this.items[this.next_++]);
    if (this.next_ >= this.items.length) {
      this.done = true;
      putDone(w, this.seq, this.pid);
    }
    return w.bytes();
  }
}

/** A dump whose one part is ready: the NLMSG_ERROR of a request by WRITE that failed. */
export class ReadyDump implements Dump {
  done = false;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  next(): Uint8Array {
    this.done = true;
    return this.bytes;
  }
}
