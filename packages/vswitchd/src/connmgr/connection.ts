/**
 * The switch's end of one OpenFlow connection: what the controller has set on it, and the order of its requests.
 *
 * Requests are carried out one by one in the order they came. While one waits (for statistics, or for a slow reader to
 * take what was sent), nothing more is read from the connection: so an answer to a barrier means what it says, and what
 * one peer can make us keep is bounded by `REPLY_BACKLOG`, one message, and the stream's own buffers. Asynchronous
 * messages to a connection that does not read are dropped beyond `ASYNC_BACKLOG`, and counted.
 */
import type { TunnelOptionBits } from '@ovs-node/openflow/wire';
import type { Duplex } from 'node:stream';
import { errorMessage } from '@ovs-node/common/errors';
import type { Clock, Timer } from '@ovs-node/common/clock';
import { stayAwake } from '@ovs-node/common/stay-awake';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import { W } from '@ovs-node/flow/layout';
import { OfConnection } from '@ovs-node/openflow/connection';
import { OfError } from '@ovs-node/openflow/errors';
import { type Decoded, decodeHeader, encodeMessage, xidOf } from '@ovs-node/openflow/messages/codec';
import { ReplyParts } from '@ovs-node/openflow/messages/reply-parts';
import {
  type AsyncConfig,
  type AsyncMasks,
  type FlowFormat,
  type FlowRemoved,
  type FlowUpdate,
  type OfMessage,
  type PacketInFormat,
  type PhyPort,
  PR,
  type Role,
  type RoleReason,
  type TableDesc,
  type TableStatusReason,
} from '@ovs-node/openflow/messages/types';
import { encodeContinuation } from '@ovs-node/openflow/messages/continuation';
import { mayBePart, RequestParts } from '@ovs-node/openflow/messages/request-parts';
import { BundleRoom, Bundles } from './bundles.js';
import { explain } from '../explain.js';
import {
  ASYNC_NONE,
  defaultAsync,
  flowRemovedReason,
  isMiss,
  PORT_STATUS_REASON,
  TABLE_STATUS_REASON,
} from './async-masks.js';
import { FORWARD_REASON, type Forwarded, inWordsOf } from './forwarded.js';
import { PacketLimiter, type PacketLimits } from './packet-limiter.js';
import type { PortChange } from './port-watch.js';
import type { PacketInEvent } from '../ofproto/types.js';

const log = vlog('connmgr');
const vconnLog = vlog('vconn');
/** What is wrong before the version is agreed on: anyone who connects can say it. */
const troubleLimit = new RateLimit(1, 5);
const errorRate = new RateLimit(10, 10);

/** Bytes that may wait for a slow reader before its next request is read. */
export const REPLY_BACKLOG = 256 * 1024;
/** Bytes that may wait before asynchronous messages are dropped. */
export const ASYNC_BACKLOG = 1024 * 1024;

/** Bytes of a packet that a controller gets which did not say how many. */
export const DEFAULT_MISS_SEND_LEN = 128;

/** How long a connection that was closed in order may take to send the rest, ms. */
const LINGER_MS = 1000;

const INVALID_TTL = 1 << PR.INVALID_TTL;

/** Primary connections are to controllers, which govern the switch; service connections come from tools. */
export type ConnectionKind = 'primary' | 'service';

/** A request being carried out. */
export interface RequestContext {
  readonly connection: SwitchConnection;
  readonly xid: number;
  /** The request as it came; borrowed, valid until the handler first waits. */
  readonly bytes: Uint8Array;
}

/** Carries out a request: undefined when done, the error to answer with, or a promise of either. */
export type RequestHandler = (
  msg: OfMessage,
  context: RequestContext,
) => OfError | undefined | Promise<OfError | undefined>;

export interface SwitchConnectionOptions {
  /** `BRIDGE<->TARGET`, for the log. */
  readonly name: string;
  readonly kind: ConnectionKind;
  /** Bitmap of OpenFlow versions. */
  readonly versions: number;
  readonly handle: RequestHandler;
  readonly clock: Clock;
  /** The error for messages of a type that are not looked into, as the connection is now. */
  readonly refuses: (type: OfMessage['type'], connection: SwitchConnection) => OfError | undefined;
  /** What tunnel options there are, for messages that name them. */
  readonly tunnelOptionBits: TunnelOptionBits;
  /** How long a bundle may be left alone, ms, as it is asked for now. */
  readonly bundleIdleMs: (() => number | undefined) | undefined;
  readonly onReady: (connection: SwitchConnection) => void;
  readonly onClose: (connection: SwitchConnection, reason: Error | undefined) => void;
  /** Something came in. */
  readonly onActivity?: () => void;
  /** Each message of the connection, in either direction; borrowed. */
  readonly onCopy?: (connection: SwitchConnection, bytes: Uint8Array) => void;
}

/** The same of all connections of the process, whose memory it is. */
const bundleRoom = new BundleRoom();

export class SwitchConnection {
  readonly name: string;
  readonly kind: ConnectionKind;
  role: Exclude<Role, 'nochange'> = 'equal';
  missSendLen: number;
  packetInFormat: PacketInFormat = 'standard';
  flowFormat: FlowFormat = 'openflow10';
  controllerId = 0;
  /** False: no asynchronous messages unless asked for (enable_async_messages). */
  asyncMessages = true;
  readonly bundles: Bundles;
  /** How messages in bundles are decoded. */
  readonly decoding: {
    readonly explain: typeof explain;
    readonly tunnelOptionBits: TunnelOptionBits;
  };
  /** Parts of multipart requests. */
  readonly #parts = new RequestParts();
  /** Asynchronous messages dropped because the other side did not read. */
  dropped = 0;
  readonly #options: SwitchConnectionOptions;
  readonly #stream: Duplex;
  readonly #of: OfConnection;
  /** Replies to monitors that are not all there yet, by xid. */
  readonly #begun = new Map<number, ReplyParts>();
  /** Updates that are to be sent with others: the messages that they have filled, and the one that they are filling. */
  #kept: { readonly messages: readonly Uint8Array[]; readonly parts: ReplyParts } | undefined;
  /** What packets wait in, where they may be too many: misses apart from all others. */
  #limiters: Readonly<Record<'action' | 'miss', PacketLimiter<OfMessage>>> | undefined;
  #async: AsyncConfig | undefined;
  #inactive: string | undefined;
  /** When something may have waited too long. */
  #timer: Timer | undefined;

  /** Takes over a connected stream, and says hello. */
  constructor(stream: Duplex, options: SwitchConnectionOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.missSendLen = options.kind === 'primary' ? DEFAULT_MISS_SEND_LEN : 0;
    this.bundles = new Bundles(options.bundleIdleMs, bundleRoom);
    this.decoding = { explain, tunnelOptionBits: options.tunnelOptionBits };
    this.#options = options;
    this.#stream = stream;
    this.#of = new OfConnection(
      stream,
      {
        versions: options.versions,
        answerErrors: true,
        refuses: (type) => options.refuses(type, this),
        ...this.decoding,
        assemble: (bytes) => this.#assemble(bytes),
      },
      {
        onReady: () => options.onReady(this),
        onTrouble: (text, level = 'warn') =>
          vconnLog[`${level}Rl`](troubleLimit, `${this.#streamName}: ${text}`),
        onMessage: (decoded, bytes) => this.#handle(decoded, bytes),
        onActivity: () => options.onActivity?.(),
        onFrame: (bytes) => options.onCopy?.(this, bytes),
        onSend: (bytes) => options.onCopy?.(this, bytes),
        onBadMessage: (error, bytes) => this.#tellRefusal(error, bytes),
        onClose: (reason) => {
          this.#timer?.cancel();
          this.packetLimits = { rate: 0, burst: 0 };
          this.bundles.clear();
          options.onClose(this, reason ?? this.#inactivity());
        },
      },
    );
  }

  /** The name without the bridge's. */
  get #streamName(): string {
    return this.name.slice(this.name.indexOf('<->') + '<->'.length);
  }

  /** The version agreed on; 0 before. */
  get version(): number {
    return this.#of.version;
  }
  /** The version is agreed on and the stream stands. */
  get isUp(): boolean {
    return this.#of.version !== 0 && !this.#of.isClosed;
  }

  set tableIdExtension(on: boolean) {
    this.#of.tableIdExtension = on;
  }

  get asyncConfig(): AsyncConfig {
    return this.#async ?? (this.asyncMessages ? defaultAsync(this.version) : ASYNC_NONE);
  }
  set asyncConfig(config: AsyncConfig) {
    this.#async = config;
  }

  /** Whether packets with an invalid TTL are sent: one of the reasons of packet-ins, set by a flag before OpenFlow 1.3. */
  get invalidTtlToController(): boolean {
    return ((this.asyncConfig.primary.packetIn ?? 0) & INVALID_TTL) !== 0;
  }
  set invalidTtlToController(on: boolean) {
    const { asyncConfig: before } = this;
    const { packetIn = 0 } = before.primary;
    const primary = {
      ...before.primary,
      packetIn: on ? packetIn | INVALID_TTL : packetIn & ~INVALID_TTL,
    };
    this.#async = { ...before, primary };
  }

  /** Whether requests that change the switch are refused. */
  get isSecondary(): boolean {
    return this.role === 'secondary';
  }

  /** Answers a request. */
  reply(msg: OfMessage, xid: number): void {
    this.#of.send(msg, xid);
    stayAwake();
  }

  /** Answers a request with bytes made elsewhere, whose xid is set already. */
  replyBytes(bytes: Uint8Array): void {
    this.#of.sendBytes(bytes);
  }

  /** Bytes that the other side has yet to take. */
  get queued(): number {
    return this.#of.queued;
  }

  /** Resolves when there is room for more replies, or the connection has ended. */
  async room(): Promise<void> {
    while (this.#of.queued > REPLY_BACKLOG && (await this.#taken()));
  }

  /** Resolves when a slow reader has taken everything, or the connection has ended. */
  async drained(): Promise<void> {
    while (this.#stream.writableNeedDrain && (await this.#taken()));
  }

  /** Waits until what was sent has been taken; false when the connection has ended. */
  async #taken(): Promise<boolean> {
    if (!this.#of.isClosed) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#stream.removeListener('drain', done);
          this.#stream.removeListener('close', done);
          resolve();
        };
        this.#stream.once('drain', done);
        this.#stream.once('close', done);
      });
    }
    return !this.#of.isClosed;
  }

  get isClosed(): boolean {
    return this.#of.isClosed;
  }

  /** Asks whether the other side is there. */
  probe(): void {
    if (this.isUp) this.#of.send({ type: 'echo_request', data: new Uint8Array(0) }, 0);
  }

  /** Ends the connection in order. */
  close(): void {
    this.#of.close();
    // A reader that does not take the rest does not keep the socket.
    const linger = setTimeout(() => this.#stream.destroy(), LINGER_MS);
    linger.unref();
    this.#stream.once('close', () => clearTimeout(linger));
  }

  /** Ends the connection at once, for a reason. */
  abort(reason: string): void {
    this.#inactive = reason;
    this.#stream.destroy();
    this.#of.close();
  }

  #inactivity(): Error | undefined {
    return this.#inactive === undefined ? undefined : new Error(this.#inactive);
  }

  /**
   * Ends what has waited too long for its rest, bundles and requests in parts, with the error to each, and looks again when
   * the next is due.
   */
  #expire(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.isClosed) return;
    const { clock } = this.#options;
    const now = clock.now();
    for (const { request, error } of this.bundles.expire(now))
      this.reply({ type: 'error', error: error.quoting(request) }, xidOf(request));
    for (const { error, xid } of this.#parts.run(now)) this.reply({ type: 'error', error }, xid);
    const next = Math.min(this.bundles.nextDeadline ?? Infinity, this.#parts.nextDeadline ?? Infinity);
    if (next !== Infinity) this.#timer = clock.setTimer(next - now, () => this.#expire());
  }

  #assemble(bytes: Uint8Array): Uint8Array | OfError | undefined {
    if (!mayBePart(bytes)) return bytes;
    const whole = this.#parts.add(bytes, this.#options.clock.now());
    // Parts have less time than bundles.
    if (whole === undefined) this.#expire();
    return whole;
  }

  #handle(decoded: Decoded, bytes: Uint8Array): void {
    this.#carryOut(decoded, bytes);
    if (this.#timer === undefined && this.bundles.size > 0) this.#expire();
  }

  #carryOut(decoded: Decoded, bytes: Uint8Array): void {
    const context = { connection: this, xid: decoded.xid, bytes };
    try {
      const result = this.#options.handle(decoded.msg, context);
      if (result instanceof Promise) {
        const request = bytes.slice();
        this.#of.pause();
        void this.#finish(result, decoded, request);
        return;
      }
      if (result) this.#refuse(result, decoded, bytes);
      if (this.#of.queued > REPLY_BACKLOG) {
        this.#of.pause();
        void this.room().then(() => this.#of.resume());
      }
    } catch (error) {
      this.#broken(error, decoded);
    }
  }

  async #finish(result: Promise<OfError | undefined>, decoded: Decoded, bytes: Uint8Array): Promise<void> {
    try {
      const error = await result;
      if (error) this.#refuse(error, decoded, bytes);
      await this.room();
    } catch (error) {
      this.#broken(error, decoded);
    }
    this.#of.resume();
  }

  #refuse(error: OfError, decoded: Decoded, bytes: Uint8Array): void {
    this.#tellRefusal(error, bytes);
    this.reply({ type: 'error', error: error.quoting(bytes) }, decoded.xid);
  }

  #tellRefusal(error: OfError, bytes: Uint8Array): void {
    log.infoRl(errorRate, () => {
      // To name it, what is wrong with its header is told again.
      const header = decodeHeader(bytes, explain);
      const name = header instanceof OfError ? 'invalid' : header.wire.name;
      return `${this.name}: sending ${error.toString()} error reply to ${name} message`;
    });
    if (error.detail !== '') log.dbg(`${this.name}: ${error.toString()}: ${error.detail}`);
  }

  /** A bug of ours costs the connection on which it showed, not the switch. */
  #broken(error: unknown, decoded: Decoded): void {
    log.err(
      `${this.name}: ${decoded.msg.type}: ${error instanceof Error ? error.stack : errorMessage(error)}`,
    );
    this.abort('Protocol error');
  }

  // Asynchronous messages.

  #wants(kind: keyof AsyncMasks, reason: number): boolean {
    if (!this.isUp) return false;
    // A tool gets them only when it asks, which it does with a length for packets.
    if (this.kind === 'service' && this.missSendLen === 0) return false;
    const masks = this.role === 'secondary' ? this.asyncConfig.secondary : this.asyncConfig.primary;
    return ((masks[kind] ?? 0) & (1 << reason)) !== 0;
  }

  #sendAsync(msg: OfMessage): void {
    if (this.#of.queued > ASYNC_BACKLOG) {
      this.dropped++;
      return;
    }
    this.#of.sendBytes(encodeMessage(msg, this.version, 0));
  }

  /** Sends a packet-in, if this is a connection for it. */
  packetIn(event: PacketInEvent): void {
    if (event.controllerId !== this.controllerId || !this.#wants('packetIn', event.packetIn.reason)) return;
    // Lengths (of the action, or for misses the connection's) say how much of a buffered packet to send. Nothing is
    // buffered here, as in the peer, and so packets go whole.
    const { packetInFormat: format, version } = this;
    const { continuation } = event;
    const packetIn =
      continuation && format === 'nxt_packet_in2'
        ? { ...event.packetIn, continuation: encodeContinuation(continuation, version) }
        : event.packetIn;
    const msg = { type: 'packet_in', packetIn, format } as const;
    const limiter = this.#limiters?.[isMiss(packetIn.reason) ? 'miss' : 'action'];
    if (limiter) limiter.offer(packetIn.match.key[W.IN_PORT]!, msg);
    else this.#sendAsync(msg);
  }

  /** How many packets it may be sent. */
  set packetLimits(limits: PacketLimits) {
    if (limits.rate > 0 && this.#limiters === undefined) {
      const limiter = (): PacketLimiter<OfMessage> =>
        new PacketLimiter(this.#options.clock, limits, (msg) => this.#sendAsync(msg));
      this.#limiters = { action: limiter(), miss: limiter() };
      return;
    }
    for (const limiter of Object.values(this.#limiters ?? {})) {
      if (limits.rate > 0) limiter.configure(limits);
      else limiter.close();
    }
    if (limits.rate === 0) this.#limiters = undefined;
  }

  /** What the Controller table says of packets that may be too many. */
  *packetStatus(): Iterable<readonly [key: string, value: string]> {
    for (const [kind, { backlog, counts }] of Object.entries(this.#limiters ?? {}))
      for (const [what, n] of Object.entries({ backlog, ...counts }))
        yield [`packet-in-${kind}-${what}`, `${n}`];
  }

  /**
   * Sends flows, or changes of them, that monitors of the connection select.
   *
   * @param more whether the reply with this xid goes on in another call.
   */
  sendUpdates(updates: readonly FlowUpdate[], xid: number, more = false): void {
    const kept = xid === 0 ? this.#kept : undefined;
    if (kept) this.#kept = undefined;
    const parts =
      kept?.parts ??
      this.#begun.get(xid) ??
      new ReplyParts(this.version, xid, (bytes) => this.#of.sendBytes(bytes));
    const isAdded = this.#addUpdates(parts, updates);
    if (isAdded && more) this.#begun.set(xid, parts);
    else if (isAdded) {
      this.#begun.delete(xid);
      parts.end();
      for (const bytes of kept?.messages ?? []) this.#of.sendBytes(bytes);
    }
  }

  /** Keeps updates that go with the next that no request asked for. */
  keepUpdates(updates: readonly FlowUpdate[]): void {
    if (this.#kept === undefined) {
      const messages: Uint8Array[] = [];
      this.#kept = { messages, parts: new ReplyParts(this.version, 0, (bytes) => messages.push(bytes)) };
    }
    this.#addUpdates(this.#kept.parts, updates);
  }

  /** @returns false when they could not be said, which ends the connection. */
  #addUpdates(parts: ReplyParts, updates: readonly FlowUpdate[]): boolean {
    try {
      parts.add({ type: 'multipart_reply', reply: { type: 'flow_monitor', updates }, more: false });
      return true;
    } catch (error) {
      log.err(`${this.name}: flow monitor: ${errorMessage(error)}`);
      this.abort('Protocol error');
      return false;
    }
  }

  sendPause(event: 'paused' | 'resumed'): void {
    if (this.version >= 5) this.sendUpdates([{ event }], 0);
    else this.#of.send({ type: `flow_monitor_${event}` }, 0);
  }

  /** Says that the connection has another role now, also if it did not ask for it. */
  roleStatus(reason: Exclude<RoleReason, 'unknown'>, generationId: bigint): void {
    const { role, version } = this;
    if (version < 4 || !this.isUp) return;
    this.#sendAsync({ type: 'role_status', role, reason, generationId });
  }

  /** Passes on a request that another connection made. */
  forward(forwarded: Forwarded, xid: number): void {
    if (!this.#wants('requestForward', FORWARD_REASON[forwarded.msg.type])) return;
    const msg = inWordsOf(this.version, forwarded);
    if (msg === undefined) return;
    this.#sendAsync({ type: 'requestforward', message: encodeMessage(msg, this.version, xid) });
  }

  tableStatus(reason: TableStatusReason, desc: TableDesc): void {
    if (this.version < 5 || !this.#wants('tableStatus', TABLE_STATUS_REASON[reason])) return;
    this.#sendAsync({ type: 'table_status', reason, desc });
  }

  /** Tells of a port; not of a change that the version has no words for, from what it was `before`. */
  portStatus(reason: PortChange, port: PhyPort, before?: PhyPort): void {
    if (!this.#wants('portStatus', PORT_STATUS_REASON[reason])) return;
    const msg = { type: 'port_status', reason, port } as const;
    if (before !== undefined && this.#looksAlike(msg, { ...msg, port: before })) return;
    this.#sendAsync(msg);
  }

  #looksAlike(...messages: readonly [OfMessage, OfMessage]): boolean {
    const [a, b] = messages.map((msg) => encodeMessage(msg, this.version, 0));
    return a!.length === b!.length && a!.every((byte, i) => byte === b![i]);
  }

  flowRemoved(removed: FlowRemoved): void {
    if (!this.#wants('flowRemoved', flowRemovedReason(removed.reason))) return;
    this.#sendAsync({ type: 'flow_removed', removed, format: this.flowFormat });
  }

  /** Whether a table miss is this connection's concern. */
  get wantsMisses(): boolean {
    return this.controllerId === 0 && (!this.isUp || this.version < 4);
  }
}
