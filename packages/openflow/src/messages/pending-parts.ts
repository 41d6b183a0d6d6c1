/**
 * Parts of multipart messages that wait for the rest (OpenFlow 1.3, section 7.3.5): how many bytes of them are kept, and
 * for how long. What is done with parts is the affair of who extends it.
 *
 * A state machine without a clock: callers give `now`, which does not go back; `run` ends what waits too long. What a
 * stranger can make it keep is bounded by the bytes of the parts as they came, all messages under way together; a part
 * that would go beyond is refused, and with it the message that it belongs to.
 */
import { OfError } from '../errors.js';

export interface ReassemblyLimits {
  /** Bytes of parts that are kept at most. */
  readonly bytes: number;
  /** Milliseconds from one part to the next. */
  readonly patience: number;
}

const DEFAULT_LIMITS: ReassemblyLimits = { bytes: 4 << 20, patience: 1000 };

/** A message whose last part has yet to come. */
export interface Pending {
  /** The first part, as it came. */
  readonly first: Uint8Array;
  /** Bytes of its parts so far. */
  bytes: number;
  deadline: number;
}

/** A message whose rest did not come: the xid of its parts, and the error to answer with, which quotes the first. */
export interface Expired {
  readonly xid: number;
  readonly error: OfError;
}

export abstract class PendingParts<P extends Pending> {
  private readonly limits: ReassemblyLimits;
  /** In the order of their deadlines: who looks for the next one does not look through all of them. */
  private readonly pending = new Map<number, P>();
  private held = 0;

  constructor(limits: Partial<ReassemblyLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** The error of a message whose next part is overdue. */
  protected abstract lateError(
    message: P,
  ): 'OFPBRC_MULTIPART_REQUEST_TIMEOUT' | 'OFPBRC_MULTIPART_REPLY_TIMEOUT';

  /** Bytes of the parts being kept. */
  get bytes(): number {
    return this.held;
  }

  /** The message under way with a transaction id. */
  protected find(xid: number): P | undefined {
    return this.pending.get(xid);
  }

  /** The error of a part for which there is no room; the message that it belongs to is given up. */
  protected overflow(xid: number, length: number): OfError | undefined {
    if (this.held + length <= this.limits.bytes) return undefined;
    this.drop(xid);
    return new OfError('OFPBRC_MULTIPART_BUFFER_OVERFLOW', `${this.held} bytes of parts`);
  }

  /** Keeps a message of which one more part of `length` bytes has come. */
  protected hold(xid: number, message: P, length: number, now: number): void {
    message.bytes += length;
    message.deadline = now + this.limits.patience;
    this.held += length;
    // Goes last, whether or not it was there: its deadline is the last.
    this.pending.delete(xid);
    this.pending.set(xid, message);
  }

  protected drop(xid: number): void {
    this.held -= this.pending.get(xid)?.bytes ?? 0;
    this.pending.delete(xid);
  }

  /** Forgets messages whose next part is overdue, and tells of them. */
  run(now: number): Expired[] {
    const out: Expired[] = [];
    for (const [xid, message] of this.pending) {
      if (message.deadline > now) break;
      out.push({ xid, error: new OfError(this.lateError(message), `xid ${xid}`).quoting(message.first) });
    }
    for (const { xid } of out) this.drop(xid);
    return out;
  }

  /** When `run` has something to do; undefined: never. */
  get nextDeadline(): number | undefined {
    const first = this.pending.values().next();
    return first.done === true ? undefined : first.value.deadline;
  }
}
