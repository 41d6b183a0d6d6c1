/**
 * Puts the parts of multipart requests together as a switch does, before it reads them (OpenFlow 1.3, section 7.3.5):
 * parts of one request have one xid and one type, all but the last the "more" flag. What a client gets in parts is
 * another matter (reassembly.ts), for that is read as it comes.
 *
 * As by the peer's switch, bodies are joined only where a body is nothing but a list: of other requests there can be one
 * part that says something, and the others have to be empty. A part whose header is bad is none, and is left to who
 * reads it.
 */
import { OfError } from '../errors.js';
import { decodeHeader, fitsHeader, xidOf } from './codec.js';
import { type Pending, PendingParts } from './pending-parts.js';
import type { WireForm } from './wire-forms.js';
import { Writer } from '../wire.js';

const OFPT_MULTIPART_REQUEST = 18;
/** Messages with parts begin with OpenFlow 1.3. */
const FIRST_VERSION = 4;

interface Parts extends Pending {
  readonly wire: WireForm;
  /** What the request is so far: as many messages as it takes. */
  readonly messages: Writer[];
}

/** Whether a message can be a part of a request, going by its first bytes. */
export function mayBePart(bytes: Uint8Array): boolean {
  return bytes[1] === OFPT_MULTIPART_REQUEST && bytes[0] >= FIRST_VERSION;
}

export class RequestParts extends PendingParts<Parts> {
  protected override lateError() {
    return 'OFPBRC_MULTIPART_REQUEST_TIMEOUT' as const;
  }

  /**
   * Takes a message, borrowed.
   *
   * @returns what is to be read: the message itself when it is no part; nothing while parts are missing; or why it is
   * refused, with the message that is to be quoted: OFPBRC_MULTIPART_BUFFER_OVERFLOW when too much would have to be kept,
   * OFPBRC_BAD_STAT when the part is none of the request that its xid belongs to, or the parts cannot be one request.
   */
  add(bytes: Uint8Array, now: number): Uint8Array | OfError | undefined {
    if (!mayBePart(bytes)) return bytes;
    const known = decodeHeader(bytes);
    if (known instanceof OfError) return bytes;
    const { wire, bodyAt, more } = known;
    const xid = xidOf(bytes);
    const before = this.find(xid);
    if (before === undefined && !more) return bytes;
    // One that says nothing is a part of any request.
    if (bytes.length > bodyAt && !fitsHeader(known, bytes.length)) return bytes;
    if (before && before.wire !== wire) {
      this.drop(xid);
      return new OfError('OFPBRC_BAD_STAT', `part of another type with xid ${xid}`).quoting(bytes);
    }
    // The last part is not kept, but passed on with what is.
    const overflow = more ? this.overflow(xid, bytes.length) : undefined;
    if (overflow) return overflow.quoting(bytes);
    const request = before ?? { wire, first: new Uint8Array(bytes), messages: [], bytes: 0, deadline: 0 };
    join(request, bytes, bodyAt);
    if (more) {
      this.hold(xid, request, bytes.length, now);
      return undefined;
    }
    this.drop(xid);
    const [first, second] = request.messages;
    const whole = finished(first);
    if (second === undefined) return whole;
    return new OfError('OFPBRC_BAD_STAT', `${wire.name} in parts`).quoting(whole);
  }
}

/** Adds a part to the messages of its request. */
function join({ wire, messages }: Parts, part: Uint8Array, bodyAt: number): void {
  const last = messages.at(-1);
  // One that says nothing gives way to the next.
  if (last === undefined || last.length === bodyAt) {
    messages.splice(-1, 1, new Writer(part.length).bytes(part));
    return;
  }
  if (part.length === bodyAt) return;
  const isList = wire.base === 0 && wire.step > 0;
  if (isList) last.bytes(part.subarray(bodyAt));
  else messages.push(new Writer(part.length).bytes(part));
}

/** A message that is whole. Its flags stay: an error quotes it as it came. */
function finished(message: Writer): Uint8Array {
  // Lists may be longer than what a length can say; their bytes are what counts.
  message.setU16(2, Math.min(message.length, 0xffff));
  return message.finish();
}
