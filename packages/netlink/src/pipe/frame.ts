/**
 * The pipe's frames. One connection is one open handle of the pseudo device; what crosses is a stream of frames, in
 * both directions with the same header (little-endian):
 *
 *      0                4        6        8                12
 *     +----------------+--------+--------+----------------+----------------------+
 *     | length (u32)   | op     | status | tag (u32)      | payload: netlink     |
 *     +----------------+--------+--------+----------------+----------------------+
 *
 * - `length` counts the whole frame, header included: 12 .. MAX_FRAME.
 * - `op` is a function code of the device (`DeviceOp`); the reply repeats it.
 * - `status` is 0 in a request. In a reply it is 0 or the positive Linux errno of the operation itself; the payload
 *   is empty then. (A netlink request that fails is an operation that succeeds, with an NLMSG_ERROR in it.)
 * - `tag` is the client's choice and comes back with the reply. Replies to one kind of operation come in the order of
 *   the requests; between kinds there is no order, since reads of packets and events wait.
 * - The payload of a request is one netlink message for WRITE and TRANSACT, nothing for the others. That of a reply is
 *   the PID (u32) for GET_PID, nothing for WRITE, else one or more netlink messages, each padded to 4 bytes.
 *
 * Either side ends the connection when a frame breaks these rules: after a wrong length there is no telling where the
 * next frame begins. There is no half-close (Windows pipes have none); closing the connection closes the handle.
 */
import type { Socket } from 'node:net';
import { NetlinkError } from '../attr.js';
import { u32 } from '../bytes.js';

export const FRAME_HEADER = 12;
/** The longest frame: a jumbo packet with key and actions, or what one read of a dump returns, fits with room. */
export const MAX_FRAME = 1024 * 1024;

/** Called for each whole frame; the payload is lent, from memory that is never reused (it may be kept). */
export type FrameHandler = (op: number, status: number, tag: number, payload: Uint8Array) => void;

/**
 * Cuts a byte stream into frames. Holds at most one unfinished frame, so at most `MAX_FRAME` bytes.
 * A frame that lies in one chunk is handed out without copying.
 */
export class FrameReader {
  readonly #onFrame: FrameHandler;
  /** The unfinished frame: its first `#have` bytes. Its length is the frame's once the header is known. */
  #part: Uint8Array | null = null;
  #have = 0;

  constructor(onFrame: FrameHandler) {
    this.#onFrame = onFrame;
  }

  /** Takes the next chunk, which is not written to afterwards. Throws `NetlinkError` EPROTO at a bad length. */
  push(chunk: Uint8Array): void {
    let at = 0;
    if (this.#part !== null) {
      at = this.#continue(chunk);
      if (this.#part !== null) return;
    }
    while (chunk.length - at >= FRAME_HEADER) {
      const length = frameLength(chunk, at);
      if (chunk.length - at < length) break;
      this.#emit(chunk, at, length);
      at += length;
    }
    const left = chunk.length - at;
    if (left === 0) return;
    this.#part = new Uint8Array(left >= FRAME_HEADER ? frameLength(chunk, at) : FRAME_HEADER);
    this.#part.set(chunk.subarray(at));
    this.#have = left;
  }

  /** Adds to the unfinished frame; returns how many bytes of the chunk it took. */
  #continue(chunk: Uint8Array): number {
    let at = 0;
    for (;;) {
      const part = this.#part!;
      const n = Math.min(part.length - this.#have, chunk.length - at);
      part.set(chunk.subarray(at, at + n), this.#have);
      this.#have += n;
      at += n;
      if (this.#have < part.length) return at;
      const length = frameLength(part, 0);
      if (length === part.length) {
        this.#part = null;
        this.#emit(part, 0, length);
        return at;
      }
      this.#part = new Uint8Array(length);
      this.#part.set(part);
    }
  }

  #emit(buf: Uint8Array, at: number, length: number): void {
    const op = buf[at + 4]! | (buf[at + 5]! << 8);
    const status = buf[at + 6]! | (buf[at + 7]! << 8);
    // Not `subarray`: what comes from a socket is a Buffer, and its views would be Buffers too.
    const payload = new Uint8Array(buf.buffer, buf.byteOffset + at + FRAME_HEADER, length - FRAME_HEADER);
    this.#onFrame(op, status, u32(buf, at + 8), payload);
  }
}

function frameLength(buf: Uint8Array, at: number): number {
  const length = u32(buf, at);
  if (length < FRAME_HEADER || length > MAX_FRAME)
    throw new NetlinkError(71, `pipe frame of ${length} bytes`);
  return length;
}

const FIRST_BLOCK = 16 * 1024;
const BLOCK = 64 * 1024;

/**
 * Frames on their way out. All frames of one turn of the event loop leave in as few writes as fit: they are
 * gathered in a block, which is written at the end of the turn or when it is full. A payload is copied on `push`,
 * so it stays the caller's.
 */
export class FrameWriter {
  readonly #socket: Socket;
  #block: Buffer | null = null;
  #used = 0;
  #scheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Appends a frame. Throws `NetlinkError` EMSGSIZE for a payload that does not fit in a frame. */
  push(op: number, status: number, tag: number, payload: Uint8Array): void {
    const length = FRAME_HEADER + payload.length;
    if (length > MAX_FRAME)
      throw new NetlinkError(90, `netlink message of ${payload.length} bytes is too long`);
    let block = this.#block;
    if (block !== null && block.length - this.#used < length) {
      this.flush();
      block = null;
    }
    if (block === null) {
      block = Buffer.allocUnsafe(Math.max(length, this.#scheduled ? BLOCK : FIRST_BLOCK));
      this.#block = block;
      this.#used = 0;
    }
    const at = this.#used;
    block.writeUInt32LE(length, at);
    block.writeUInt16LE(op, at + 4);
    block.writeUInt16LE(status, at + 6);
    block.writeUInt32LE(tag, at + 8);
    block.set(payload, at + FRAME_HEADER);
    this.#used = at + length;
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.flush();
      });
    }
  }

  /** Writes what is gathered. */
  flush(): void {
    const block = this.#block;
    if (block === null) return;
    this.#block = null;
    if (!this.#socket.destroyed && this.#socket.writable) this.#socket.write(block.subarray(0, this.#used));
  }

  /** Bytes that are accepted and not yet with the operating system. */
  get backlog(): number {
    return this.#socket.writableLength + (this.#block === null ? 0 : this.#used);
  }
}
