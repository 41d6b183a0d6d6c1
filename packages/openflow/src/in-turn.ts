/** What a connection waits for, and the messages of `OfConnection.sendInTurn`, each with a barrier behind it. */
import { type Decoded, encodeMessage, HEADER_LENGTH } from './messages/codec.js';

/** What becomes of the answers to a message that was sent. */
export interface Request {
  readonly onReply?: (decoded: Decoded, bytes: Uint8Array) => void;
  /** Instead of `onReply`: replies as they came, not decoded. */
  readonly onFrame?: (bytes: Uint8Array) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A message of `sendInTurn`, with its transaction id. */
export interface EncodedMessage {
  readonly bytes: Uint8Array;
  readonly xid: number;
}

/** The transaction id of no message. */
const NO_XID = -1;

/**
 * What `sendInTurn` sends next: a message and a barrier in one buffer, or the other side would be woken twice. There are
 * two buffers in turn: when one is needed again, the message that was in it has been answered.
 */
export class InTurn {
  /** What becomes of the message and of the barrier that `take` gave last; with the transaction ids that they wait for. */
  message: Request | undefined;
  barrierRequest: Request | undefined;
  sentXid = NO_XID;
  sentBarrier = NO_XID;
  private xid = NO_XID;
  private barrierXid = NO_XID;
  private bytes: Buffer | undefined;
  private readonly buffers = [Buffer.alloc(0), Buffer.alloc(0)];
  private which = 0;
  private readonly barrier: Uint8Array;
  private readonly next: () => EncodedMessage | undefined;
  private readonly nextXid: () => number;

  constructor(version: number, next: () => EncodedMessage | undefined, nextXid: () => number) {
    this.barrier = encodeMessage({ type: 'barrier_request' }, version, 0);
    this.next = next;
    this.nextXid = nextXid;
  }

  /** Makes the next message ready. Throws what `next` throws. */
  prepare(): void {
    const message = this.next();
    this.bytes = undefined;
    if (!message) return;
    const length = message.bytes.length;
    this.which ^= 1;
    let bytes = this.buffers[this.which];
    if (bytes.length !== length + HEADER_LENGTH)
      bytes = this.buffers[this.which] = Buffer.allocUnsafe(length + HEADER_LENGTH);
    bytes.set(message.bytes);
    bytes.set(this.barrier, length);
    this.xid = message.xid;
    this.barrierXid = this.nextXid();
    bytes.writeUInt32BE(this.barrierXid, length + 4);
    this.bytes = bytes;
  }

  /** What `prepare` made, a message and its barrier; undefined when there is no more. */
  take(): Buffer | undefined {
    this.sentXid = this.xid;
    this.sentBarrier = this.barrierXid;
    return this.bytes;
  }

  /** What waits for an answer with this transaction id. */
  find(xid: number): Request | undefined {
    if (xid === this.sentBarrier) return this.barrierRequest;
    return xid === this.sentXid ? this.message : undefined;
  }

  /** Its answer has come. */
  forget(xid: number): void {
    if (xid === this.sentBarrier) this.sentBarrier = NO_XID;
    else if (xid === this.sentXid) this.sentXid = NO_XID;
  }

  /** The message and the barrier of what `take` gave. */
  parts(bytes: Buffer): Buffer[] {
    return [bytes.subarray(0, -HEADER_LENGTH), bytes.subarray(-HEADER_LENGTH)];
  }
}
