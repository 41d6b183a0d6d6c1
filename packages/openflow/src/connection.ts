/**
 * One OpenFlow connection over a byte stream, either side of it: framing, version negotiation (OpenFlow 1.3, section
 * 6.3.1, with version bitmaps), echo, transaction ids, requests and their replies.
 *
 *     bytes -> frames of at most 65535 bytes -> hello first -> echo answered here -> replies to their requests
 *                                                                                 -> the rest to `onMessage`
 *
 * Invariants: nothing is delivered before the version is agreed on; a message in another version (hello and errors
 * apart) is refused and passed over; one that cannot be decoded is answered with its error when `answerErrors` is set, and
 * the connection lives on. What a peer can make us keep is one frame, the answers given here until it takes them
 * (MAX_UNTAKEN), and what `Request` handlers keep.
 *
 * A connection `onDemand` is for a program that reads when it waits for something, and is told of by its log: from the hello
 * on, messages go to whoever `take`s them, as they are, one by one.
 */
import { coverageCounter } from '@ovs-node/common/coverage';
import { errnoName, systemError } from '@ovs-node/common/errors';
import { BlockingStream } from '@ovs-node/common/stream-blocking';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { copyOf } from '@ovs-node/common/stream-copy';
import type { Duplex } from 'node:stream';
import {
  ConnectionError,
  type ConnectionHandlers,
  type ConnectionOptions,
  ErrorReply,
  formatVersions,
} from './connection-types.js';
import { OfError } from './errors.js';
import { type Intake, KeptIntake, LentIntake } from './intake.js';
import {
  type Decoded,
  decodeHeader,
  decodeMessage,
  encodeMessage,
  fitsHeader,
  HEADER_LENGTH,
  xidOf,
} from './messages/codec.js';
import { highestVersion } from './messages/switch.js';
import { joinParts } from './messages/multipart.js';
import { encodeMultipart } from './messages/reply-parts.js';
import {
  BF,
  type BundleControl,
  type FlowFormat,
  type MessageOf,
  type MultipartRequest,
  type OfMessage,
  type ReplyOf,
} from './messages/types.js';
import { hexDump } from './text/hex-dump.js';
import { printMessage } from './text/message.js';
import { hex } from './text/numbers.js';
import { Writer } from './wire.js';

const received = coverageCounter('vconn_received');
const sent = coverageCounter('vconn_sent');

const streamLog = vlog('vconn_stream');
const streamLimit = new RateLimit(10, 25);
const errorsLog = vlog('ofp_errors');
const errorsLimit = new RateLimit(1, 5);

/** Transaction ids are counted for the whole process, so that each message of a program has its own. */
let lastXid = 0;

interface Request {
  readonly onReply: (decoded: Decoded, bytes: Uint8Array) => void;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Bytes that wait unread, at most, before no more are read from the stream. */
const MAX_WAITING = 1 << 20;
/** Bytes that the other side has not taken, at most, before nothing more of it is answered here. */
const MAX_UNTAKEN = 1 << 18;
/** Messages of `sendSoon` go when they are this many bytes together. */
const SEND_PIECE = 1 << 16;
const OFPT_ERROR = 1;
const OFPT_ECHO_REPLY = 3;

/** Can a message be a reply? Others with the xid of a request are what the other side says or asks of its own accord. */
function canReply({ type }: OfMessage): boolean {
  return type === 'error' || type === 'bundle_control' || type.endsWith('_reply');
}

/**
 * One connection, either side of it. Who asks with `request` or `ask` gets the answers there; all else goes to the
 * handlers.
 */
export class OfConnection {
  /** The version agreed on, 0 before. */
  version = 0;
  /** Whether the OpenFlow 1.0 table id extension is on: how flow-mods are decoded. */
  tableIdExtension = false;
  private readonly stream: Duplex;
  private readonly options: ConnectionOptions;
  private readonly handlers: ConnectionHandlers;
  /** Of a connection `onDemand`, whose stream may lend its chunks. */
  private readonly lent: LentIntake | undefined;
  private readonly intake: Intake;
  private paused = false;
  /** The other side asks, and does not read what it is told. */
  private isFull = false;
  private closed = false;
  /** What requests that come too late are told. */
  private whyClosed: Error = new ConnectionError('connection closed', 'EOF');
  private readonly requests = new Map<number, Request>();
  private unsent: Writer | undefined;
  private lastBundle = 0;
  /** Of a connection `onDemand`: who takes what comes, and how it ended while nobody did. */
  private taker: ((bytes: Uint8Array) => void) | undefined;
  private isTakerLent = false;
  private blocking: BlockingStream | undefined;
  private unseenEnd: { readonly reason: Error | undefined } | undefined;
  private delivering = false;
  /** What is being sent `onDemand`: nothing is read before it is gone. */
  private sending = 0;

  /**
   * Takes over `stream`, which is connected, and sends a hello. `onDemand`, the stream may lend what it reads
   * (`StreamOptions.lends`).
   *
   * @throws UnencodableError, the stream left alone, when the highest of the versions offered is none of `OfVersion`.
   */
  constructor(stream: Duplex, options: ConnectionOptions, handlers: ConnectionHandlers = {}) {
    this.stream = stream;
    this.options = options;
    this.handlers = handlers;
    this.lent = options.onDemand === true ? new LentIntake() : undefined;
    this.intake = this.lent ?? new KeptIntake();
    const { versions } = options;
    const hello = encodeMessage({ type: 'hello', versions }, highestVersion(versions), this.nextXid());
    stream.on('data', (chunk: Buffer) => this.feed(chunk));
    stream.on('error', (e: Error) => this.failed(systemError(e)));
    stream.on('close', () => this.ended());
    stream.on('end', () => this.ended());
    sent.total++;
    // Told of once the system has it: the other side may be gone already.
    stream.write(hello, (e) => {
      if (!e) handlers.onSend?.(hello);
    });
  }

  /**
   * Of a connection `onDemand`: has `taker` get all messages from here on, or lets them wait. `onFrame` hears of a message,
   * and `onClose` of the end, when it is its turn.
   *
   * @param lent whether the bytes are only lent to the taker, until the next call; otherwise they are its to keep.
   */
  take(taker: ((bytes: Uint8Array) => void) | undefined, lent = false): void {
    this.taker = taker;
    if (taker !== undefined) {
      this.isTakerLent = lent;
      this.lent?.release();
    }
    if (taker === undefined || this.closed || this.delivering) return;
    if (this.blocking === undefined) this.stream.resume();
    this.deliverFrames();
  }

  /**
   * Of a connection `onDemand`: has it write and read by calls that wait, timers and all, until `standStill` is over. Gives
   * whether its stream can do that, which is faster.
   */
  block(): boolean {
    if (!this.closed && !this.paused && this.sending === 0) this.blocking = BlockingStream.take(this.stream);
    return this.blocking !== undefined;
  }

  /** Takes what comes, the event loop standing still, until `isOver` or the end of the connection. */
  standStill(isOver: () => boolean): void {
    const { blocking } = this;
    if (blocking === undefined) return;
    while (!this.closed && !isOver()) {
      let chunk: Buffer | undefined;
      try {
        chunk = blocking.read();
      } catch (e) {
        this.failed(systemError(e as Error));
        break;
      }
      if (chunk) this.feed(chunk);
      else this.ended();
    }
    this.blocking = undefined;
    blocking.release();
  }

  /** Whether what comes has to wait. */
  private get isHeld(): boolean {
    if (this.paused || this.isFull || this.sending > 0) return true;
    return this.options.onDemand === true && this.version !== 0 && this.taker === undefined;
  }

  /** A transaction id not used by a request under way. */
  nextXid(): number {
    do {
      lastXid = (lastXid + 1) >>> 0;
    } while (lastXid === 0 || this.requests.has(lastXid));
    return lastXid;
  }

  /** Bytes that wait to be taken by the other side. */
  get queued(): number {
    return this.stream.writableLength;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /**
   * Sends a message in the agreed version and returns its xid. A multipart reply is cut into as many messages as it
   * needs. Sending on a closed connection does nothing.
   *
   * @throws UnencodableError when the version has no such message.
   */
  send(msg: OfMessage, xid = this.nextXid(), version = this.version): number {
    if (msg.type === 'multipart_reply') {
      for (const bytes of encodeMultipart(msg, version, xid)) this.sendBytes(bytes);
    } else {
      this.sendBytes(encodeMessage(msg, version, xid));
    }
    return xid;
  }

  /**
   * Sends a message that is encoded already; the connection owns `bytes` from here. `done` is called when the system has
   * them, or with the reason why it has not.
   */
  sendBytes(bytes: Uint8Array, done?: (error?: Error | null) => void): void {
    if (this.closed) return;
    this.flush();
    sent.total++;
    this.write(bytes, 0, done);
  }

  /** As `sendBytes`, for two messages in one buffer, of which the second begins at `at`. */
  sendTwo(bytes: Uint8Array, at: number, done?: (error?: Error | null) => void): void {
    if (this.closed) return;
    this.flush();
    sent.total += 2;
    this.write(bytes, at, done);
  }

  /** Writes a message, or two of which the second begins at `at`. */
  private write(bytes: Uint8Array, at: number, done?: (error?: Error | null) => void): void {
    if (!this.options.onDemand) {
      this.tellSent(bytes, at);
      this.stream.write(bytes, done);
      return;
    }
    const { blocking } = this;
    if (blocking === undefined) {
      this.sending++;
      this.stream.write(bytes, (e) => {
        this.sending--;
        this.isSent(bytes, at, done, e ?? undefined);
      });
      return;
    }
    let error: Error | undefined;
    try {
      blocking.write(bytes);
    } catch (e) {
      error = systemError(e as Error);
    }
    this.isSent(bytes, at, done, error);
  }

  /** The system has bytes that were written `onDemand`, or cannot take them. */
  private isSent(
    bytes: Uint8Array,
    at: number,
    done: ((error?: Error | null) => void) | undefined,
    error: Error | undefined,
  ): void {
    this.tellSent(bytes, at, error);
    done?.(error);
    this.deliverFrames();
  }

  private tellSent(bytes: Uint8Array, at: number, error?: Error): void {
    const { onSend } = this.handlers;
    if (onSend === undefined) return;
    if (at === 0) {
      onSend(bytes, error);
      return;
    }
    onSend(bytes.subarray(0, at), error);
    if (error === undefined) onSend(bytes.subarray(at), error);
  }

  /** The other side has ended the connection. */
  private ended(): void {
    if (this.waitsToEnd(undefined)) return;
    if (this.closed || this.intake.size === 0 || this.paused || this.isFull) {
      this.finish(undefined);
      return;
    }
    const text = 'connection dropped mid-packet';
    streamLog.errRl(streamLimit, text);
    this.finish(new ConnectionError(text, 'EPROTO'));
  }

  /** The stream has broken. */
  private failed(reason: Error): void {
    if (!this.waitsToEnd(reason)) this.finish(reason);
  }

  /** Whether nobody is to know of the end yet, because what came before it waits to be taken. */
  private waitsToEnd(reason: Error | undefined): boolean {
    if (this.closed || !this.options.onDemand || !this.isHeld) return false;
    this.unseenEnd ??= { reason };
    return true;
  }

  /**
   * As `sendBytes`, but may wait for others to go with: `flush` or the next other message sends it. The bytes are
   * borrowed.
   */
  sendSoon(bytes: Uint8Array): void {
    if (this.closed) return;
    this.handlers.onSend?.(bytes);
    sent.total++;
    this.unsent ??= new Writer(2 * SEND_PIECE);
    this.unsent.bytes(bytes);
    if (this.unsent.length >= SEND_PIECE) this.flush();
  }

  /** Sends what `sendSoon` holds back. */
  flush(): void {
    const { unsent } = this;
    if (unsent === undefined || unsent.length === 0) return;
    const bytes = unsent.finish();
    unsent.clear();
    if (!this.closed) this.stream.write(bytes);
  }

  /** Resolves when the other side has taken nearly all that was sent, or the connection has ended. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed || !this.stream.writableNeedDrain) {
        resolve();
        return;
      }
      const done = (): void => {
        this.stream.removeListener('drain', done);
        this.stream.removeListener('close', done);
        resolve();
      };
      this.stream.once('drain', done);
      this.stream.once('close', done);
    });
  }

  /**
   * Sends a request and hands its replies over, all parts of a multipart reply in order; resolves after the last.
   * Rejects with `ErrorReply` when an error comes instead, with `ConnectionError` when the connection ends.
   */
  request(
    msg: OfMessage,
    onReply: (decoded: Decoded, bytes: Uint8Array) => void = () => undefined,
    xid = this.nextXid(),
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.closed) {
        reject(this.whyClosed);
        return;
      }
      this.requests.set(xid, { onReply, resolve, reject });
      try {
        this.send(msg, xid);
      } catch (e) {
        this.requests.delete(xid);
        reject(e instanceof Error ? e : new Error(String(e)));
      }
    });
  }

  /** Sends a request that has one reply, of a type; the parts of a multipart reply become one. Rejects as `request`. */
  async ask<T extends OfMessage['type']>(msg: OfMessage, type: T): Promise<MessageOf<T>> {
    let reply: OfMessage | undefined;
    const parts: MessageOf<'multipart_reply'>[] = [];
    await this.request(msg, (decoded) => {
      reply = decoded.msg;
      if (reply.type === 'multipart_reply') parts.push(reply);
    });
    if (reply?.type !== type)
      throw new ConnectionError(`${type} expected, ${reply?.type} received`, 'EPROTO');
    return (parts.length > 1 ? joinParts(parts) : reply) as MessageOf<T>;
  }

  /**
   * Asks for statistics and gives the whole reply, however many parts it comes in; `request` hands them over one by one.
   * Rejects as `request`.
   */
  async statistics<R extends MultipartRequest>(request: R, format?: FlowFormat): Promise<ReplyOf<R['type']>> {
    const how = format === undefined ? {} : { format };
    const { reply } = await this.ask(
      { type: 'multipart_request', request, more: false, ...how },
      'multipart_reply',
    );
    if (reply.type !== request.type)
      throw new ConnectionError(`${request.type} statistics expected, ${reply.type} received`, 'EPROTO');
    return reply as ReplyOf<R['type']>;
  }

  /**
   * Sends messages that are answered only when they are refused, as flow-mods are; resolves when the switch has carried them
   * all out. Rejects with the `ErrorReply` of the first that it refuses, which does not keep it from the others; or as
   * `request`.
   */
  async carryOut(...messages: readonly OfMessage[]): Promise<void> {
    const { version } = this;
    await this.heed(
      messages.map((msg) => (xid) => encodeMessage(msg, version, xid)),
      () => this.ask({ type: 'barrier_request' }, 'barrier_reply'),
    );
  }

  /**
   * Has a switch carry out all of some messages or none, in a bundle (OpenFlow 1.3 and later). Rejects with the `ErrorReply`
   * of the first that it refuses, or as `request`.
   */
  async bundle(messages: readonly OfMessage[], flags: number = BF.ATOMIC | BF.ORDERED): Promise<void> {
    const { version } = this;
    const bundleId = ++this.lastBundle;
    const control = (what: BundleControl): Promise<unknown> =>
      this.ask({ type: 'bundle_control', bundleId, control: what, flags }, 'bundle_control');
    await control('open_request');
    await this.heed(
      messages.map((msg) => (xid) => {
        const message = encodeMessage(msg, version, xid);
        return encodeMessage({ type: 'bundle_add', bundleId, flags, message }, version, xid);
      }),
      async (isRefused) => {
        await this.ask({ type: 'barrier_request' }, 'barrier_reply');
        await control(isRefused() ? 'discard_request' : 'commit_request');
      },
    );
  }

  /**
   * Sends messages and then does `end`, which resolves when the switch has seen to them. Rejects with the first refusal of
   * one of them. All are encoded before the first is sent.
   */
  private async heed(
    messages: readonly ((xid: number) => Uint8Array)[],
    end: (isRefused: () => boolean) => Promise<unknown>,
  ): Promise<void> {
    let refusal: Error | undefined;
    const nothing = (): void => undefined;
    const heeded: Request = { onReply: nothing, resolve: nothing, reject: (e) => (refusal ??= e) };
    const all = messages.map((encode) => {
      const xid = this.nextXid();
      return { xid, bytes: encode(xid) };
    });
    try {
      for (const { xid, bytes } of all) {
        this.requests.set(xid, heeded);
        this.sendBytes(bytes);
        if (this.queued > MAX_UNTAKEN) await this.drained();
      }
      await end(() => refusal !== undefined);
    } catch (e) {
      throw refusal ?? e;
    } finally {
      for (const { xid } of all) this.requests.delete(xid);
    }
    if (refusal !== undefined) throw refusal;
  }

  /** Delivers nothing more until `resume`: what comes in meanwhile stays with the stream. */
  pause(): void {
    this.paused = true;
    this.stream.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.goOn();
  }

  private goOn(): void {
    if (this.closed || this.paused || this.isFull) return;
    this.stream.resume();
    this.deliverFrames();
  }

  /** Reads no more while the other side leaves what it is told here, without the handlers. */
  private waitUntilTaken(): void {
    if (this.isFull || this.options.onDemand || this.queued <= MAX_UNTAKEN) return;
    this.isFull = true;
    this.stream.pause();
    void this.drained().then(() => {
      this.isFull = false;
      this.goOn();
    });
  }

  /** Ends the connection in order: what was sent still goes. */
  close(): void {
    this.flush();
    this.stream.end();
    this.finish(undefined);
  }

  /** Ends the connection because of a fault. */
  private destroy(reason: Error): void {
    this.stream.end();
    this.finish(reason);
  }

  private finish(reason: Error | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.intake.clear();
    if (reason !== undefined) this.whyClosed = reason;
    for (const r of this.requests.values()) r.reject(this.whyClosed);
    this.requests.clear();
    this.handlers.onClose?.(reason);
  }

  private feed(chunk: Buffer): void {
    if (this.closed) return;
    this.handlers.onActivity?.();
    // Just one message, as answers mostly are.
    if (
      this.intake.size === 0 &&
      !this.isHeld &&
      !this.isTakerLent &&
      chunk.length >= HEADER_LENGTH &&
      chunk.readUInt16BE(2) === chunk.length
    ) {
      this.frame(chunk);
      return;
    }
    this.intake.add(chunk);
    this.deliverFrames();
    if (this.intake.size > MAX_WAITING && this.isHeld) this.stream.pause();
  }

  private deliverFrames(): void {
    // Who is given a message may ask for the next.
    if (this.delivering || this.isHeld) return;
    this.delivering = true;
    try {
      this.deliverWhole();
    } finally {
      this.delivering = false;
    }
    const { unseenEnd } = this;
    if (unseenEnd === undefined || this.isHeld) return;
    this.unseenEnd = undefined;
    if (unseenEnd.reason) this.failed(unseenEnd.reason);
    else this.ended();
  }

  private deliverWhole(): void {
    const { intake } = this;
    for (;;) {
      const length = intake.firstLength();
      if (length === undefined || intake.size < Math.max(length, HEADER_LENGTH)) return;
      if (length < HEADER_LENGTH) {
        const text = `received too-short ofp_header (${length} bytes)`;
        streamLog.errRl(streamLimit, text);
        this.destroy(new ConnectionError(text, 'EPROTO'));
        return;
      }
      this.frame(intake.take(length));
      if (!this.isTakerLent) this.lent?.release();
      if (this.closed || this.isHeld) return;
    }
  }

  private frame(bytes: Uint8Array): void {
    received.total++;
    this.handlers.onFrame?.(bytes);
    if (this.closed) return;
    const version = bytes[0];
    const type = bytes[1];
    if (this.version === 0) {
      this.negotiate(bytes);
      return;
    }
    // Hellos, errors (which have two numbers) and echoes are the same in all versions, of which none is 0.
    const isCommon = type <= OFPT_ECHO_REPLY && version > 0 && (type !== OFPT_ERROR || bytes.length >= 12);
    if (version !== this.version && !isCommon && !this.options.watch) {
      const { explain } = this.options;
      const header = decodeHeader(bytes, explain);
      if (!(header instanceof OfError)) fitsHeader(header, bytes.length, explain);
      this.handlers.onTrouble?.(
        `received OpenFlow version ${hex(version, 2)} != expected ${hex(this.version, 2).slice(2)}`,
        'err',
      );
      this.reply(bytes, new OfError('OFPBRC_BAD_VERSION', `version ${version}`).quoting(bytes));
      return;
    }
    if (this.options.onDemand) {
      this.taker?.(this.isTakerLent ? bytes : copyOf(bytes, bytes.length));
      return;
    }
    const { assemble } = this.options;
    const whole = assemble === undefined ? bytes : assemble(bytes);
    if (whole instanceof OfError) this.refuse(whole, bytes);
    else if (whole !== undefined) this.read(whole);
  }

  private read(bytes: Uint8Array): void {
    const tableId = this.version > 1 || this.tableIdExtension;
    const { explain, tunnelOptionBits } = this.options;
    const options = { tableId, explain, tunnelOptionBits };
    const decoded = decodeMessage(bytes, options, this.options.refuses);
    if (decoded instanceof OfError) {
      const request = this.requests.get(xidOf(bytes));
      if (request) {
        this.requests.delete(xidOf(bytes));
        request.reject(new ConnectionError(`bad reply: ${decoded.toString()}`, 'EPROTO'));
        return;
      }
      this.refuse(decoded, bytes);
      return;
    }
    this.deliver(decoded, bytes);
  }

  private refuse(error: OfError, bytes: Uint8Array): void {
    if (this.options.answerErrors) this.reply(bytes, error);
    this.handlers.onBadMessage?.(error, bytes);
  }

  private deliver(decoded: Decoded, bytes: Uint8Array): void {
    const { msg, xid } = decoded;
    if (msg.type === 'echo_request' && !this.options.watch) {
      this.send({ type: 'echo_reply', data: msg.data }, xid, decoded.version);
      this.waitUntilTaken();
      return;
    }
    const request = this.requests.get(xid);
    if (!request || !canReply(msg)) {
      if (msg.type !== 'hello') this.handlers.onMessage?.(decoded, bytes);
      return;
    }
    if (msg.type === 'error') {
      this.requests.delete(xid);
      request.reject(new ErrorReply(msg.error, bytes.slice()));
      return;
    }
    const more = msg.type === 'multipart_reply' && msg.more;
    if (!more) this.requests.delete(xid);
    request.onReply(decoded, bytes);
    if (!more) request.resolve();
  }

  /** Answers a message with an error, in its own version, or the first where there is none of that number. */
  private reply(bytes: Uint8Array, error: OfError): void {
    const isKnown = bytes[0] >= 1 && bytes[0] <= 6;
    const version = isKnown ? bytes[0] : 1;
    if (!isKnown)
      errorsLog.errRl(errorsLimit, `cannot encode error for unknown OpenFlow version ${hex(bytes[0], 2)}`);
    // Errors are not answered, but by a switch, to which they should not go; of version 0 nothing is an error.
    if (bytes[1] === OFPT_ERROR && version === bytes[0] && !this.options.answerErrors) return;
    this.send({ type: 'error', error }, xidOf(bytes), version);
    this.waitUntilTaken();
  }

  private negotiate(bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes, { explain: this.options.explain });
    if (decoded instanceof OfError || decoded.msg.type !== 'hello') {
      const text = 'received message while expecting hello';
      this.handlers.onTrouble?.(`${text}: ${printMessage(bytes)}`);
      this.destroy(new ConnectionError(text, 'EPROTO'));
      return;
    }
    if (decoded.msg.hasUnknown) this.handlers.onTrouble?.(`unknown data in hello:\n${hexDump(bytes)}`);
    const theirs = decoded.msg.versions;
    const common = theirs & this.options.versions;
    if (common === 0) {
      this.refuseVersions(theirs);
      return;
    }
    this.version = highestVersion(common);
    this.handlers.onReady?.(this.version, theirs);
  }

  /** Ends a connection whose other side speaks none of our versions, once it has been told. */
  private refuseVersions(theirs: number): void {
    const [we, they] = [formatVersions(this.options.versions), formatVersions(theirs)];
    const failure = `version negotiation failed (we support ${we}, peer supports ${they})`;
    this.handlers.onTrouble?.(failure);
    const text = `We support ${we}, you support ${they}, no common versions.`;
    const data = new TextEncoder().encode(text);
    // In a version that the other side can read, if there is one.
    const highest = highestVersion(theirs);
    const version = highest >= 1 && highest <= 6 ? highest : 1;
    this.paused = true;
    const error = new OfError('OFPHFC_INCOMPATIBLE', text, data);
    // It may have hung up before it is told.
    this.sendBytes(encodeMessage({ type: 'error', error }, version, 0), (e) =>
      this.destroy(new ConnectionError(failure, e ? errnoName(e) : 'EPROTO')),
    );
  }
}
