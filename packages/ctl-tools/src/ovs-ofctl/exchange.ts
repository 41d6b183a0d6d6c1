/**
 * Talking with a switch as a program does that waits for each answer: one request at a time, and messages are read, and
 * logged, one by one, as somebody wants the next. What is not wanted is passed over, and the log is told how; what comes
 * behind the last answer that somebody waits for is never read.
 */
import { FatalError, errnoName, strerror } from '@ovs-node/common/errors';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { OfConnection } from '@ovs-node/openflow/connection';
import { ConnectionError } from '@ovs-node/openflow/connection-types';
import { OfError } from '@ovs-node/openflow/errors';
import type { Explain } from '@ovs-node/openflow/explain';
import {
  decodeHeader,
  encodeMessage,
  fitsHeader,
  type Header,
  HEADER_LENGTH,
  xidOf,
} from '@ovs-node/openflow/messages/codec';
import type { OfMessage } from '@ovs-node/openflow/messages/types';
import { type EncodedMessage, InTurn } from './in-turn.js';

const log = vlog('vconn');
/** What counts together of what is told of messages that are not as they should be. */
export const badMessageLimit = new RateLimit(1, 5);

/** What is said when a conversation breaks: in a dump; while its request is sent; in a reply that others need. */
export const LOST_DUMP = 'OpenFlow packet receive failed';
export const UNSENT = 'failed to send packet to switch';
export const LOST_REPLY = 'OpenFlow receive failed';

/** The error of a connection that broke. @param lost what is said of it. */
export function conversationFailure(lost: string, e: unknown): Error {
  if (e instanceof FatalError) return e;
  if (e instanceof Error && 'code' in e)
    return new FatalError(`${lost} (${e.code === 'EOF' ? 'End of file' : strerror(errnoName(e))})`);
  return e instanceof Error ? e : new Error(String(e));
}

/** What the header of a message says; or the error that makes it none, which `explain` is told. */
export function headerOf(bytes: Uint8Array, explain: Explain | undefined): Header | OfError {
  const header = decodeHeader(bytes, explain);
  if (header instanceof OfError || fitsHeader(header, bytes.length, explain)) return header;
  return new OfError('OFPBRC_BAD_LEN', `${header.wire.name} of ${bytes.length} bytes`);
}

/** The name of a message, as it is printed; undefined: it is none. */
export function nameOf(header: Header | OfError): string | undefined {
  return header instanceof OfError ? undefined : header.wire.name;
}

export const isErrorMessage = (header: Header | OfError): boolean => nameOf(header) === 'OFPT_ERROR';

/** Transaction ids as the log shows them. */
const hex = (xid: number): string => xid.toString(16).padStart(8, '0');

/** A transaction id as its bytes are in the memory of a little-endian machine, which is how some lines show it. */
export const swappedHex = (xid: number): string =>
  hex(((xid >>> 24) | ((xid >>> 8) & 0xff00) | ((xid & 0xff00) << 8) | (xid << 24)) >>> 0);

export class Exchange {
  readonly connection: OfConnection;
  /** The stream it goes over. */
  readonly streamName: string;
  private readonly explain: Explain;
  /** Why nothing comes any more. */
  private lost: Error | undefined;
  private reject: ((e: Error) => void) | undefined;
  /** Hears of the end, for who takes messages from the connection itself. */
  onEnd: ((reason: Error | undefined) => void) | undefined;

  /** @param connection one that is `onDemand` and ready; `end` is to be told of its end. */
  constructor(connection: OfConnection, streamName: string, explain: Explain) {
    this.connection = connection;
    this.streamName = streamName;
    this.explain = explain;
  }

  /** The connection has ended. */
  end(reason: Error | undefined): void {
    this.lost = reason ?? new ConnectionError('connection closed', 'EOF');
    this.reject?.(this.lost);
    this.onEnd?.(reason);
  }

  /** Sends bytes; resolves when the system has them, rejects with its error. */
  sendBytes(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.connection.isClosed) reject(this.lost ?? new ConnectionError('connection closed', 'EPIPE'));
      else this.connection.sendBytes(bytes, (e) => (e ? reject(e) : resolve()));
    });
  }

  /** Sends a message and returns its transaction id. */
  async send(msg: OfMessage, xid = this.connection.nextXid()): Promise<number> {
    await this.sendBytes(encodeMessage(msg, this.connection.version, xid));
    return xid;
  }

  /**
   * The next message. Rejects with the error that ended the connection, `EOF` when it was in order.
   *
   * @param lent whether it is only lent, until the next is asked for.
   */
  receive(lent = false): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.lost) {
        reject(this.lost);
        return;
      }
      this.reject = reject;
      this.connection.take((bytes) => {
        this.connection.take(undefined);
        resolve(bytes);
      }, lent);
    });
  }

  /** The next message with a transaction id. @param passOver is given those before it. */
  async receiveXid(
    xid: number,
    passOver: (bytes: Uint8Array) => void = () => undefined,
  ): Promise<Uint8Array> {
    for (;;) {
      const bytes = await this.receive();
      if (xidOf(bytes) === xid) return bytes;
      passOver(bytes);
    }
  }

  /** Tells the log of a message that has another transaction id than the one that is waited for. */
  private tellStray(bytes: Uint8Array, xid: number): void {
    log.dbgRl(
      badMessageLimit,
      () => `${this.streamName}: received reply with xid ${hex(xidOf(bytes))} != expected ${hex(xid)}`,
    );
  }

  /**
   * The next message with a transaction id; the log is told of others.
   *
   * @param errors gets error messages among the others.
   */
  receiveReply(xid: number, errors?: Uint8Array[]): Promise<Uint8Array> {
    return this.receiveXid(xid, (bytes) => {
      if (isErrorMessage(headerOf(bytes, this.explain)) && errors) errors.push(bytes);
      else this.tellStray(bytes, xid);
    });
  }

  /** Sends a request and resolves to the message that answers it, whatever it is. */
  async transact(msg: OfMessage, xid?: number, errors?: Uint8Array[]): Promise<Uint8Array> {
    return this.receiveReply(await this.send(msg, xid), errors);
  }

  /** As `transact`, for a multipart request of several messages, and all parts of the reply. */
  async transactParts(msgs: readonly OfMessage[]): Promise<Uint8Array[]> {
    const xid = this.connection.nextXid();
    for (const msg of msgs) await this.send(msg, xid);
    const replies: Uint8Array[] = [];
    for (let more = true; more;) {
      const reply = await this.receiveReply(xid);
      replies.push(reply);
      const header = headerOf(reply, this.explain);
      more = !(header instanceof OfError) && header.wire.stats === 'reply' && header.more;
    }
    return replies;
  }

  /** Sends a message that has no reply, and a barrier; resolves to what came as its reply all the same. */
  async transactNoReply(msg: OfMessage): Promise<Uint8Array | undefined> {
    const { connection } = this;
    let sent = false;
    return this.sendInTurn(() => {
      if (sent) return undefined;
      sent = true;
      const xid = connection.nextXid();
      return { bytes: encodeMessage(msg, connection.version, xid), xid };
    });
  }

  /**
   * Sends messages that have no replies, each with a barrier behind it and the next when the barrier's reply is there.
   * Resolves to what first came as a reply to one of them, after which no more are sent. Rejects with the error that ended
   * the connection.
   *
   * @param next the next message, or undefined at the end; called when the one before it has been sent.
   * @param blocks whether the process may stand still until all is answered, timers and all: where the stream can do
   * that, it is faster.
   */
  sendInTurn(next: () => EncodedMessage | undefined, blocks = false): Promise<Uint8Array | undefined> {
    const { connection, streamName } = this;
    const ready = new InTurn(connection.version, next, () => connection.nextXid());
    return new Promise<Uint8Array | undefined>((resolve, reject) => {
      let reply: Uint8Array | undefined;
      let isOver = false;
      let isBlocking = false;
      const give = (end: () => void): void => {
        isOver = true;
        connection.take(undefined);
        end();
      };
      const fail = (e: unknown): void => give(() => reject(e instanceof Error ? e : new Error(String(e))));
      const unlessSent = (e?: Error | null): void => {
        if (e) fail(e);
      };
      const step = (): void => {
        const bytes = reply === undefined ? ready.take() : undefined;
        if (!bytes) {
          give(() => resolve(reply));
          return;
        }
        connection.sendTwo(bytes, bytes.length - HEADER_LENGTH, unlessSent);
        // The other side is at work meanwhile.
        ready.prepare();
      };
      const taker = (bytes: Uint8Array): void => {
        const xid = xidOf(bytes);
        if (xid === ready.sentXid) {
          if (reply !== undefined)
            log.warnRl(badMessageLimit, () => `${streamName}: duplicate replies with xid ${hex(xid)}`);
          reply = bytes;
        } else if (xid === ready.sentBarrier) {
          try {
            step();
          } catch (e) {
            fail(e);
          }
        } else {
          log.dbgRl(badMessageLimit, () => {
            const expected = `${hex(ready.sentXid)} or ${hex(ready.sentBarrier)}`;
            return `${streamName}: reply with xid ${hex(xid)} != expected ${expected}`;
          });
        }
      };
      this.reject = fail;
      try {
        ready.prepare();
        if (this.lost) throw this.lost;
        isBlocking = blocks && connection.block();
        step();
      } catch (e) {
        fail(e);
      }
      if (!isOver) connection.take(taker);
      if (isBlocking) connection.standStill(() => isOver);
    });
  }
}
