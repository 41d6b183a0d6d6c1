/**
 * Multipart replies that do not fit into one message: each part holds as many items as there is room for, as those of the
 * peer do, whose tools print a heading per part.
 *
 *     add(items) -> scratch: header, items; where each begins -> the part being filled -> full: out, and a new one
 */
import { Writer } from '../wire.js';
import { MAX_LENGTH, OversizeError, putUnmeasured } from './codec.js';
import type { MessageOf } from './types.js';

/** What a list is encoded in before it is cut. */
const scratch = new Writer(1 << 16);

/** One reply in as many parts as it needs, made as its items come; it holds less than one part of them. */
export class ReplyParts {
  readonly #version: number;
  readonly #xid: number;
  readonly #send: (bytes: Uint8Array) => void;
  readonly #part = new Writer(1 << 12);

  /** `send` is given each part, to keep, when it is full. */
  constructor(version: number, xid: number, send: (bytes: Uint8Array) => void) {
    this.#version = version;
    this.#xid = xid;
    this.#send = send;
  }

  /**
   * Takes items: a reply like the others of it; whether more follow is for `end` to say.
   *
   * @throws UnencodableError when the version has no such reply, OversizeError for an item that fits into no message.
   */
  add(msg: MessageOf<'multipart_reply'>): void {
    const marks: number[] = [];
    scratch.clear();
    scratch.marks = marks;
    try {
      putUnmeasured(scratch, { ...msg, more: false }, this.#version, this.#xid);
    } finally {
      scratch.marks = undefined;
    }
    const bytes = scratch.borrow();
    const header = bytes.subarray(0, marks[0] ?? bytes.length);
    if (this.#part.length === 0) this.#part.bytes(header);
    // Items that go into the part together are copied together.
    let from = header.length;
    marks.push(bytes.length);
    for (let i = 1; i < marks.length; i++) {
      if (this.#part.length + marks[i] - from <= MAX_LENGTH) continue;
      const [at, length] = [marks[i - 1], header.length + marks[i] - marks[i - 1]];
      if (length > MAX_LENGTH)
        throw new OversizeError(`${msg.reply.type} reply with an item of ${length} bytes`);
      this.#part.bytes(bytes.subarray(from, at));
      this.#finish(true);
      this.#part.bytes(header);
      from = at;
    }
    this.#part.bytes(bytes.subarray(from));
  }

  /** Sends the last part; `more`: others will follow that are made elsewhere. */
  end(more = false): void {
    this.#finish(more);
  }

  #finish(more: boolean): void {
    const part = this.#part;
    part.setU16(2, part.length);
    // The flags stand behind the type of statistics.
    part.setU16(10, more ? 1 : 0);
    this.#send(part.finish());
    part.clear();
  }
}

/**
 * The bytes of a multipart reply as one or more messages, all but the last with the "more" flag.
 *
 * @throws as `ReplyParts.add`
 */
export function encodeMultipart(
  msg: MessageOf<'multipart_reply'>,
  version: number,
  xid: number,
): Uint8Array[] {
  const out: Uint8Array[] = [];
  const parts = new ReplyParts(version, xid, (bytes) => out.push(bytes));
  parts.add(msg);
  parts.end(msg.more);
  return out;
}
