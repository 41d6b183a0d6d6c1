/**
 * Puts the parts of multipart (statistics) messages together (OpenFlow 1.3, section 7.3.5): parts of one message have
 * one xid and one type, all but the last the "more" flag.
 *
 * A state machine without a clock: `add` takes `now`, `run` ends what waits too long. What a stranger can make it keep
 * is bounded by the bytes of the parts as they came, all messages under way together; a part that would go beyond is
 * refused, and with it the message that it belongs to.
 */
import { OfError } from '../errors.js';
import { joinParts } from './multipart.js';
import type { MessageOf } from './types.js';

type Multipart = MessageOf<'multipart_request'> | MessageOf<'multipart_reply'>;

export interface ReassemblyLimits {
  /** Bytes of parts that are kept at most. */
  readonly bytes: number;
  /** Milliseconds from one part to the next. */
  readonly patience: number;
}

const DEFAULT_LIMITS: ReassemblyLimits = { bytes: 4 << 20, patience: 1000 };

interface Pending {
  readonly parts: Multipart[];
  /** The bytes of the first part. */
  readonly first: Uint8Array;
  bytes: number;
  deadline: number;
}

/** A message whose rest did not come: the xid of its parts, and the error to answer with, which quotes the first. */
export interface Expired {
  readonly xid: number;
  readonly error: OfError;
}

export class MultipartReassembly {
  private readonly limits: ReassemblyLimits;
  private readonly pending = new Map<number, Pending>();
  private held = 0;

  constructor(limits: Partial<ReassemblyLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Bytes of the parts being kept. */
  get bytes(): number {
    return this.held;
  }

  /**
   * Takes the part `msg` that came with `xid`, in `bytes`; borrowed.
   *
   * @returns the whole message, `undefined` while parts are missing, or why it is refused:
   * OFPBRC_MULTIPART_BUFFER_OVERFLOW when too much would have to be kept, OFPBRC_BAD_STAT when the part is none of the
   * message that its xid belongs to.
   */
  add(msg: Multipart, xid: number, bytes: Uint8Array, now: number): Multipart | OfError | undefined {
    const before = this.pending.get(xid);
    if (before === undefined && !msg.more) return msg;
    if (before && !isSameKind(before.parts[0], msg)) {
      this.drop(xid);
      return new OfError('OFPBRC_BAD_STAT', `part of another type with xid ${xid}`);
    }
    // The last part is not kept, but passed on with what is.
    if (msg.more && this.held + bytes.length > this.limits.bytes) {
      this.drop(xid);
      return new OfError('OFPBRC_MULTIPART_BUFFER_OVERFLOW', `${this.held} bytes of parts`);
    }
    const pending = before ?? { parts: [], first: new Uint8Array(bytes), bytes: 0, deadline: 0 };
    pending.parts.push(msg);
    if (!msg.more) {
      this.drop(xid);
      return joinParts(pending.parts);
    }
    pending.bytes += bytes.length;
    pending.deadline = now + this.limits.patience;
    this.held += bytes.length;
    this.pending.set(xid, pending);
    return undefined;
  }

  /** Forgets messages whose next part is overdue, and tells of them. */
  run(now: number): Expired[] {
    const out: Expired[] = [];
    for (const [xid, { parts, first, deadline }] of this.pending) {
      if (deadline > now) continue;
      const isRequest = parts[0].type === 'multipart_request';
      const name = isRequest ? 'OFPBRC_MULTIPART_REQUEST_TIMEOUT' : 'OFPBRC_MULTIPART_REPLY_TIMEOUT';
      out.push({ xid, error: new OfError(name, `xid ${xid}`).quoting(first) });
    }
    for (const { xid } of out) this.drop(xid);
    return out;
  }

  /** When `run` has something to do; undefined: never. */
  get nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { deadline } of this.pending.values()) {
      if (next === undefined || deadline < next) next = deadline;
    }
    return next;
  }

  private drop(xid: number): void {
    this.held -= this.pending.get(xid)?.bytes ?? 0;
    this.pending.delete(xid);
  }
}

function isSameKind(a: Multipart, b: Multipart): boolean {
  if (a.type !== b.type) return false;
  const type = (m: Multipart): string => (m.type === 'multipart_request' ? m.request.type : m.reply.type);
  return type(a) === type(b);
}
