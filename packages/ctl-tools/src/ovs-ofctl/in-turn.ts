/** The messages of `Exchange.sendInTurn`, each with a barrier behind it. */
import { encodeMessage, HEADER_LENGTH } from '@ovs-node/openflow/messages/codec';

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
  /** The transaction ids of the message and of the barrier that `take` gave last. */
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
}
