/**
 * One open handle of the pseudo device, seen from inside: a state machine that takes device operations as bytes and
 * completes each of them exactly once through its sink, at once or later. It knows no promise and no thread, so the
 * same object serves the in-process device (`pseudo-device.ts`) and a worker whose main thread relays bytes.
 *
 * What a handle holds, each with a bound, so that a client that never reads cannot make us keep memory:
 * - upcalls for READ_PACKET and events for READ_EVENT, in two queues; what does not fit is dropped and counted;
 * - operations pended for them (`MAX_PENDED` of each kind, more is ENOBUFS), completed in order;
 * - one dump begun by WRITE and read by READ, produced piece by piece while it is read.
 */
import { DeviceOp } from '@ovs-node/netlink/device';
import { Errno } from './errno.js';
import { MessageQueue } from './message-queue.js';
import type { DatapathCore } from './core.js';
import { dispatch } from './netlink/dispatch.js';

/** Where the completions of a handle's operations go. */
export interface HandleSink {
  /**
   * The operation that was given `tag` is done. `errno` is 0 or a positive errno of the operation itself; `reply` is
   * empty for WRITE and on failure, otherwise one or more netlink messages (4 bytes of PID in host order for
   * GET_PID) and the receiver's to keep. May be called from inside `Handle.op`, and from `DatapathCore.endBatch`.
   */
  complete(tag: number, errno: number, reply: Uint8Array): void;
}

/** Produces a dump piece by piece. */
export interface Dump {
  /** The next messages, about `maxBytes` of them; ends with NLMSG_DONE when `done` has become true. */
  next(maxBytes: number): Uint8Array;
  readonly done: boolean;
}

const EMPTY = new Uint8Array(0);
/** Operations of one kind that may be pended on one handle. */
export const MAX_PENDED = 64;
/** Bytes of messages that one read returns, unless a single message is longer. */
export const READ_CHUNK = 64 * 1024;
const UPCALL_MESSAGES = 4096;
const UPCALL_BYTES = 8 * 1024 * 1024;
const EVENT_MESSAGES = 4096;
const EVENT_BYTES = 4 * 1024 * 1024;

export class Handle {
  readonly core: DatapathCore;
  readonly pid: number;
  readonly sink: HandleSink;
  /** Multicast groups joined (`McGroup`: the numbers of all families differ). */
  readonly groups = new Set<number>();
  readonly upcalls = new MessageQueue(UPCALL_MESSAGES, UPCALL_BYTES);
  readonly events = new MessageQueue(EVENT_MESSAGES, EVENT_BYTES);
  /** The handle asked for upcalls (PACKET_SUBSCRIBE); without that none are queued for it. */
  packetSubscribed = false;
  /** True while the core has to `pump` it at the end of the batch. */
  dirty = false;
  closed = false;
  private dump: Dump | null = null;
  private readonly pendedPackets: number[] = [];
  private readonly pendedEvents: number[] = [];

  constructor(core: DatapathCore, pid: number, sink: HandleSink) {
    this.core = core;
    this.pid = pid;
    this.sink = sink;
  }

  /**
   * Runs one device operation. `request` is read during the call only. Never throws; the outcome goes to the sink
   * under `tag`. `now` is in milliseconds.
   */
  op(op: number, tag: number, request: Uint8Array, now: number): void {
    if (this.closed) {
      this.sink.complete(tag, Errno.ENOTCONN, EMPTY);
      return;
    }
    this.core.beginBatch(now);
    try {
      this.run(op, tag, request);
    } finally {
      this.core.endBatch();
    }
  }

  /** Closes the handle: pended operations complete with ENOTCONN, queues and subscriptions are gone. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.core.forgetHandle(this);
    this.dump = null;
    this.groups.clear();
    this.upcalls.clear();
    this.events.clear();
    for (const tag of this.pendedPackets.splice(0)) this.sink.complete(tag, Errno.ENOTCONN, EMPTY);
    for (const tag of this.pendedEvents.splice(0)) this.sink.complete(tag, Errno.ENOTCONN, EMPTY);
  }

  /** Completes pended reads with what is queued. */
  pump(): void {
    while (this.pendedPackets.length > 0 && this.upcalls.length > 0) {
      this.sink.complete(this.pendedPackets.shift()!, 0, this.upcalls.take(READ_CHUNK));
    }
    while (this.pendedEvents.length > 0 && this.events.length > 0) {
      this.sink.complete(this.pendedEvents.shift()!, 0, this.events.take(READ_CHUNK));
    }
  }

  private run(op: number, tag: number, request: Uint8Array): void {
    switch (op) {
      case DeviceOp.GET_PID: {
        const reply = new Uint8Array(4);
        new DataView(reply.buffer).setUint32(0, this.pid, true);
        this.sink.complete(tag, 0, reply);
        return;
      }
      case DeviceOp.READ: {
        const dump = this.dump;
        if (dump === null) {
          this.sink.complete(tag, Errno.EINVAL, EMPTY);
          return;
        }
        let reply: Uint8Array = EMPTY;
        try {
          reply = dump.next(READ_CHUNK);
        } catch {
          // An item that does not fit into a message; there is none that was let in through netlink.
          this.dump = null;
          this.sink.complete(tag, Errno.EMSGSIZE, EMPTY);
          return;
        }
        if (dump.done) this.dump = null;
        this.sink.complete(tag, 0, reply);
        return;
      }
      case DeviceOp.READ_PACKET:
        this.pend(this.pendedPackets, tag);
        return;
      case DeviceOp.READ_EVENT:
        this.pend(this.pendedEvents, tag);
        return;
      case DeviceOp.WRITE:
      case DeviceOp.TRANSACT: {
        const result = dispatch(this, op, request);
        if (typeof result === 'number') this.sink.complete(tag, result, EMPTY);
        else if (result instanceof Uint8Array) this.sink.complete(tag, 0, result);
        else {
          this.dump = result;
          this.sink.complete(tag, 0, EMPTY);
        }
        return;
      }
      default:
        this.sink.complete(tag, Errno.EOPNOTSUPP, EMPTY);
    }
  }

  private pend(list: number[], tag: number): void {
    if (list.length >= MAX_PENDED) {
      this.sink.complete(tag, Errno.ENOBUFS, EMPTY);
      return;
    }
    list.push(tag);
    this.pump();
  }
}
