/**
 * Puts the parts of multipart (statistics) messages together when they have been read (OpenFlow 1.3, section 7.3.5): parts
 * of one message have one xid and one type, all but the last the "more" flag. For clients; what a switch is asked in parts
 * is another matter (request-parts.ts).
 */
import { OfError } from '../errors.js';
import { joinParts } from './multipart.js';
import { type Pending, PendingParts } from './pending-parts.js';
import type { MessageOf } from './types.js';

type Multipart = MessageOf<'multipart_request'> | MessageOf<'multipart_reply'>;

interface Parts extends Pending {
  readonly parts: Multipart[];
}

/** Puts multipart messages together from their parts. */
export class MultipartReassembly extends PendingParts<Parts> {
  protected override lateError({ parts: [{ type }] }: Parts) {
    return type === 'multipart_request'
      ? 'OFPBRC_MULTIPART_REQUEST_TIMEOUT'
      : 'OFPBRC_MULTIPART_REPLY_TIMEOUT';
  }

  /**
   * Takes the part `msg` that came with `xid`, in `bytes`; borrowed.
   *
   * @returns the whole message, `undefined` while parts are missing, or why it is refused:
   * OFPBRC_MULTIPART_BUFFER_OVERFLOW when too much would have to be kept, OFPBRC_BAD_STAT when the part is none of the
   * message that its xid belongs to.
   */
  add(msg: Multipart, xid: number, bytes: Uint8Array, now: number): Multipart | OfError | undefined {
    const before = this.find(xid);
    if (before === undefined && !msg.more) return msg;
    if (before && !isSameKind(before.parts[0], msg)) {
      this.drop(xid);
      return new OfError('OFPBRC_BAD_STAT', `part of another type with xid ${xid}`);
    }
    // The last part is not kept, but passed on with what is.
    const overflow = msg.more ? this.overflow(xid, bytes.length) : undefined;
    if (overflow) return overflow;
    const message = before ?? { parts: [], first: new Uint8Array(bytes), bytes: 0, deadline: 0 };
    message.parts.push(msg);
    if (msg.more) {
      this.hold(xid, message, bytes.length, now);
      return undefined;
    }
    this.drop(xid);
    return joinParts(message.parts);
  }
}

function isSameKind(a: Multipart, b: Multipart): boolean {
  if (a.type !== b.type) return false;
  const type = (m: Multipart): string => (m.type === 'multipart_request' ? m.request.type : m.reply.type);
  return type(a) === type(b);
}
