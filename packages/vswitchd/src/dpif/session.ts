/**
 * Netlink requests over handles of a pseudo device: sequence numbers, replies matched and checked, errors made into
 * exceptions, dumps walked to their end.
 *
 * A session has two handles, because a handle runs one dump at a time and must not keep transactions waiting: one for
 * transactions and events, one for dumps. Upcalls have a handle of their own (`packets.ts`).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { coverageCounter } from '@ovs-node/common/coverage';
import { OvsError, linuxErrnoName, strerror } from '@ovs-node/common/errors';
import { NlWriter } from '@ovs-node/netlink/attr';
import { encodeAttrs } from '@ovs-node/netlink/attr-table';
import { type Device, DeviceError, type DeviceHandle } from '@ovs-node/netlink/device';
import { Family, WIN_CONTROL_ATTRS, WinControlCmd } from '@ovs-node/netlink/families';
import {
  MsgReader,
  NlFlag,
  NlMsgType,
  beginMessage,
  endMessage,
  readError,
} from '@ovs-node/netlink/messages';

const sent = coverageCounter('netlink_sent');
const received = coverageCounter('netlink_received');

/** The headers of a request. */
export interface RequestHead {
  /** Family number or conntrack message type. */
  readonly type: number;
  readonly cmd: number;
  readonly version: number;
  readonly dpIfindex: number;
  /** Beyond NLM_F_REQUEST. */
  readonly flags?: number;
}

/** An error with a Linux errno number; `text` is the datapath's reason, if it gave one. */
export function errnoError(errno: number, text?: string): OvsError {
  const name = linuxErrnoName(errno);
  return new OvsError(text ?? strerror(name), name);
}

/** What an operation of a device handle threw, as an `OvsError`. */
export function deviceError(error: unknown): unknown {
  return error instanceof DeviceError ? errnoError(error.errno) : error;
}

export class NetlinkSession {
  readonly #control: DeviceHandle;
  readonly #dumps: DeviceHandle;
  readonly #writer = new NlWriter(4096);
  readonly #eventListeners = new Set<(msg: MsgReader) => void>();
  #seq = 1;
  /** The dump that runs, or the last of those that wait for it. */
  #lastDump: Promise<unknown> = Promise.resolve();
  #eventsOn = false;
  #closed = false;

  private constructor(control: DeviceHandle, dumps: DeviceHandle) {
    this.#control = control;
    this.#dumps = dumps;
  }

  /** Opens the handles. `onClose` runs once, when one of them is closed from the other side or by `close`. */
  static async open(device: Device, onClose: () => void): Promise<NetlinkSession> {
    let control: DeviceHandle;
    let dumps: DeviceHandle;
    try {
      control = await device.open();
      try {
        dumps = await device.open();
      } catch (error) {
        control.close();
        throw error;
      }
    } catch (error) {
      throw deviceError(error);
    }
    const session = new NetlinkSession(control, dumps);
    const end = (): void => {
      if (session.#closed) return;
      session.#closed = true;
      control.close();
      dumps.close();
      onClose();
    };
    control.onClose(end);
    dumps.onClose(end);
    session.#end = end;
    return session;
  }

  #end: () => void = () => {};

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#end();
  }

  /**
   * Sends a request and resolves to the reply, positioned at its first message; null for a mere acknowledgement.
   * Rejects with an `OvsError` when the datapath answers with an error or is gone.
   */
  async transact(head: RequestHead, fill: (w: NlWriter) => void): Promise<MsgReader | null> {
    const request = this.#request(this.#control, head, head.flags ?? 0, fill);
    let reply: Uint8Array;
    try {
      sent.total++;
      reply = await this.#control.transact(request);
      received.total++;
    } catch (error) {
      throw deviceError(error);
    }
    const msg = new MsgReader(reply);
    while (msg.next()) {
      if (msg.type === NlMsgType.ERROR) {
        const { errno, text } = readError(msg);
        if (errno === 0) return null;
        throw errnoError(errno, text);
      }
      if (msg.hasBody) return msg;
    }
    if (msg.malformed) throw errnoError(71, 'malformed netlink reply');
    return null;
  }

  /** As `transact`, for a request that must be answered by more than an acknowledgement. */
  async query(head: RequestHead, fill: (w: NlWriter) => void): Promise<MsgReader> {
    const msg = await this.transact(head, fill);
    if (msg === null) throw errnoError(71, 'netlink reply without a message');
    return msg;
  }

  /**
   * Runs a dump. Each value is a reader of one part, before its first message; the caller walks it with `nextOfDump`.
   * Dumps of one session run one after the other; leaving the loop early ends the dump. Between two parts all else that
   * waits has its turn.
   */
  async *dump(head: RequestHead, fill: (w: NlWriter) => void): AsyncGenerator<MsgReader> {
    const before = this.#lastDump;
    let release: () => void = () => {};
    this.#lastDump = new Promise<void>((resolve) => (release = resolve));
    try {
      await before;
      sent.total++;
      await this.#dumps.write(this.#request(this.#dumps, head, NlFlag.DUMP | (head.flags ?? 0), fill));
      for (;;) {
        const part = await this.#dumps.read();
        received.total++;
        const isLast = isLastPart(part);
        yield new MsgReader(part);
        if (isLast) break;
        // What is done with a part may take long, and a datapath of this process answers at once.
        await nextTurn();
      }
    } catch (error) {
      throw deviceError(error);
    } finally {
      release();
    }
  }

  /** Joins a multicast group (once) and hands every event message from then on to `listener`. */
  async listen(group: number, listener: (msg: MsgReader) => void): Promise<void> {
    this.#eventListeners.add(listener);
    const head = { type: Family.WIN_CONTROL, cmd: WinControlCmd.MC_SUBSCRIBE_REQ, version: 1, dpIfindex: 0 };
    try {
      await this.#control.write(
        this.#request(this.#control, head, 0, (w) =>
          encodeAttrs(w, WIN_CONTROL_ATTRS, { MCAST_GRP: group, MCAST_JOIN: 1 }),
        ),
      );
    } catch (error) {
      throw deviceError(error);
    }
    if (!this.#eventsOn) {
      this.#eventsOn = true;
      void this.#readEvents();
    }
  }

  unlisten(listener: (msg: MsgReader) => void): void {
    this.#eventListeners.delete(listener);
  }

  async #readEvents(): Promise<void> {
    const msg = new MsgReader();
    try {
      for (;;) {
        msg.reset(await this.#control.readEvent());
        while (msg.next()) if (msg.hasBody) for (const listener of this.#eventListeners) listener(msg);
      }
    } catch (error) {
      // The handle is gone, which `onClose` tells as well; anything else is a fault of ours.
      if (!(error instanceof DeviceError)) throw error;
      this.close();
    }
  }

  #request(handle: DeviceHandle, head: RequestHead, flags: number, fill: (w: NlWriter) => void): Uint8Array {
    const w = this.#writer.reset();
    const seq = this.#seq;
    this.#seq = (seq + 1) >>> 0 || 1;
    const mark = beginMessage(
      w,
      head.type,
      NlFlag.REQUEST | NlFlag.ACK | flags,
      seq,
      handle.pid,
      head.cmd,
      head.version,
      head.dpIfindex,
    );
    fill(w);
    endMessage(w, mark);
    return w.bytes();
  }
}

function isLastPart(part: Uint8Array): boolean {
  const msg = new MsgReader(part);
  while (msg.next()) if (msg.type === NlMsgType.DONE || msg.type === NlMsgType.ERROR) return true;
  if (msg.malformed) throw errnoError(71, 'malformed netlink dump');
  return part.length === 0;
}

/** Moves to the next message of a part of a dump; false at its end. Throws the `OvsError` that ended the dump. */
export function nextOfDump(msg: MsgReader): boolean {
  while (msg.next()) {
    if (msg.type === NlMsgType.DONE) return false;
    if (msg.type === NlMsgType.ERROR) {
      const { errno, text } = readError(msg);
      if (errno === 0) continue;
      throw errnoError(errno, text);
    }
    if (msg.hasBody) return true;
  }
  return false;
}
