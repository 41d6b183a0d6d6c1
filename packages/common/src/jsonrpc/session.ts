/**
 * A JSON-RPC 1.0 session over a byte stream: RFC 7047 section 4, and the control sockets.
 *
 * Both ends may send requests. `echo` is answered here. Requests are started in the order they arrive; the reply to
 * one whose handler returned at once is sent before the next is started, so that what a handler notifies comes
 * before its reply and after the replies before it. A handler that returned a promise does not hold up the others.
 *
 * A message that is no JSON-RPC ends the connection, and only that.
 */
import type { Duplex } from 'node:stream';
import { OvsError, errorMessage, systemError } from '../errors.js';
import { guessContent } from '../stream-content.js';
import { vlog, RateLimit } from '../vlog.js';
import { plainEngine } from './dispatcher.js';
import { DEFAULT_LIMITS, JsonSplitter, type FrameLimits } from './framing.js';
import {
  type Caller,
  JsonRpcError,
  type Request10,
  type RequestHandler,
  type Responder,
  type Response10,
  type RpcEngine,
} from './rpc.js';

export { JsonRpcError, type RequestHandler } from './rpc.js';

const log = vlog('jsonrpc');
const limit = new RateLimit(60, 5);

/** Settings of a session. */
export interface SessionOptions {
  /** Name in log messages: 'unix:/x/db.sock', 'unix#3'. */
  readonly name?: string;
  readonly limits?: FrameLimits;
  /** Ends the connection when more than this many bytes wait to be sent (a reader that does not read). */
  readonly maxBacklog?: number;
  /**
   * While more than this many bytes wait to be sent, nothing is read nor handled: who does not read replies is not
   * read from. Without limit when absent.
   */
  readonly pauseAbove?: number;
  /** Answer `echo` here, as RFC 7047 wants of both ends (true when absent); control sockets do not. */
  readonly echo?: boolean;
  /** JSON.parse when absent; one that keeps 64-bit integers exact may be given. */
  readonly parse?: (text: string) => unknown;
  /** JSON.stringify when absent. */
  readonly stringify?: (value: unknown) => string;
  /** Who matches requests and replies; the plain dispatcher when absent. */
  readonly engine?: RpcEngine;
}

type NotificationHandler = (method: string, params: unknown[]) => void;

/** One connection. It owns the stream it is given. */
export class JsonRpcSession {
  readonly name: string;
  readonly #stream: Duplex;
  readonly #caller: Caller;
  readonly #responder: Responder;
  readonly #parse: (text: string) => unknown;
  readonly #stringify: (value: unknown) => string;
  readonly #maxBacklog: number;
  readonly #pauseAbove: number;
  readonly #echo: boolean;
  readonly #closeHandlers: ((reason: Error) => void)[] = [];
  #requestHandler: RequestHandler = () => {
    throw new JsonRpcError('unknown method');
  };
  #notificationHandler: NotificationHandler = () => {};
  #activityHandler: (() => void) | null = null;
  #inbox: unknown[] = [];
  #working = false;
  #paused = false;
  #closed: Error | null = null;
  /** For what is no JSON-RPC at all. */
  #firstBytes: Uint8Array | undefined;

  constructor(stream: Duplex, options: SessionOptions = {}) {
    this.name = options.name ?? 'jsonrpc';
    this.#stream = stream;
    this.#parse = options.parse ?? ((text) => JSON.parse(text) as unknown);
    this.#stringify = options.stringify ?? ((value) => JSON.stringify(value));
    this.#maxBacklog = options.maxBacklog ?? 1024 * 1024 * 1024;
    this.#pauseAbove = options.pauseAbove ?? Infinity;
    this.#echo = options.echo ?? true;
    const engine = options.engine ?? plainEngine;
    this.#caller = engine.caller((message) => this.#send(message));
    this.#responder = engine.responder();
    const splitter = new JsonSplitter((text) => this.#receiveText(text), options.limits ?? DEFAULT_LIMITS);
    stream.on('data', (chunk: Buffer) => {
      if (this.#closed) return;
      this.#firstBytes ??= chunk.subarray(0, 8);
      this.#activityHandler?.();
      try {
        splitter.push(chunk);
      } catch (error) {
        this.#protocolError(error);
      }
      this.#work();
    });
    stream.on('drain', () => {
      if (this.#paused) this.setReading(true);
    });
    stream.on('error', (error: Error) => this.#finish(systemError(error)));
    stream.on('end', () => this.#finish(new OvsError('connection closed by peer', 'EOF')));
    stream.on('close', () => this.#finish(new OvsError('connection closed', 'ECONNRESET')));
  }

  /** Calls `method` at the other end. Rejects with JsonRpcError (its error reply) or OvsError (connection lost). */
  request(method: string, params: unknown[]): Promise<unknown> {
    return this.requestWithId(method, params).result;
  }

  /** As `request`, telling the id too: RFC 7047 `cancel` needs it. */
  requestWithId(method: string, params: unknown[]): { id: number; result: Promise<unknown> } {
    return this.#caller.call(method, params);
  }

  /** Sends a notification. Nothing happens on a closed session. */
  notify(method: string, params: unknown[]): void {
    this.#send({ id: null, method, params });
  }

  /** Who answers requests (all but `echo`). Throwing JsonRpcError chooses the error value; others send their text. */
  onRequest(handler: RequestHandler): void {
    this.#requestHandler = handler;
  }

  /** Who gets notifications. */
  onNotification(handler: NotificationHandler): void {
    this.#notificationHandler = handler;
  }

  /** Called at each arrival of bytes: for inactivity probes. */
  onActivity(handler: () => void): void {
    this.#activityHandler = handler;
  }

  /** Called once, when the connection has ended, whoever ended it; at once if it has already. */
  onClose(handler: (reason: Error) => void): void {
    if (this.#closed) handler(this.#closed);
    else this.#closeHandlers.push(handler);
  }

  /** Bytes waiting to be sent. */
  get backlog(): number {
    return this.#stream.writableLength;
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** Stops reading from the other end and handling what was read, or goes on: back-pressure. */
  setReading(on: boolean): void {
    this.#paused = !on;
    if (!on) {
      this.#stream.pause();
      return;
    }
    this.#stream.resume();
    this.#work();
  }

  /** Sends what waits, then ends the connection. Pending requests are rejected. */
  close(reason: Error = new OvsError('connection closed', 'ECONNRESET')): void {
    if (this.#closed) return;
    this.#stream.end(() => this.#stream.destroy());
    this.#finish(reason, false);
  }

  #send(message: Request10 | Response10): void {
    if (this.#closed) return;
    if (log.debugging) log.dbg(`${this.name}: send ${describe(message, false, this.#stringify)}`);
    this.#stream.write(this.#stringify(message));
    if (this.#stream.writableLength > this.#pauseAbove && !this.#paused) this.setReading(false);
    if (this.#stream.writableLength > this.#maxBacklog) {
      log.warn(`${this.name}: ${this.#stream.writableLength} bytes wait to be sent, disconnecting`);
      this.#finish(new OvsError('send backlog too long', 'ENOBUFS'));
    }
  }

  #receiveText(text: string): void {
    let value: unknown;
    try {
      value = this.#parse(text);
    } catch (error) {
      throw new OvsError(`syntax error: ${errorMessage(error)}`, 'syntax');
    }
    const problem = problemOf(value);
    if (problem !== null) throw new OvsError(problem, 'EPROTO');
    this.#inbox.push(value);
  }

  #protocolError(error: unknown): void {
    log.warnRl(limit, `${this.name}: received bad JSON-RPC message: ${errorMessage(error)}`);
    const content = guessContent(this.#firstBytes ?? new Uint8Array());
    if (content !== undefined && content !== 'JSON-RPC')
      log.warnRl(limit, `${this.name}: received ${content} data on JSON-RPC channel`);
    // What arrived before the bad message is still answered.
    this.#inbox.push(error instanceof Error ? error : new Error(String(error)));
  }

  /** Handles the inbox, one message after the other. */
  #work(): void {
    if (this.#working) return;
    this.#working = true;
    while (this.#inbox.length > 0 && !this.#closed && !this.#paused) {
      // Taking the inbox as a batch keeps this linear.
      const batch = this.#inbox;
      this.#inbox = [];
      for (let i = 0; i < batch.length && !this.#closed; i++) {
        if (this.#paused) {
          this.#inbox = [...batch.slice(i), ...this.#inbox];
          break;
        }
        const wait = this.#handle(batch[i]);
        if (wait) {
          this.#inbox = [...batch.slice(i + 1), ...this.#inbox];
          void wait.then(() => {
            this.#working = false;
            this.#work();
          });
          return;
        }
      }
    }
    this.#working = false;
  }

  /** @returns what must settle before the next message is handled, or null. */
  #handle(value: unknown): Promise<void> | null {
    if (value instanceof Error) {
      this.#finish(value);
      return null;
    }
    const message = value as Partial<Request10> & Partial<Response10>;
    if (log.debugging) log.dbg(`${this.name}: received ${describe(message, true, this.#stringify)}`);
    if (message.method === undefined) {
      this.#caller.receive(message as Response10);
      return null;
    }
    const params = message.params as unknown[];
    if (message.id === null || message.id === undefined) {
      try {
        this.#notificationHandler(message.method, params);
      } catch (error) {
        log.warnRl(limit, `${this.name}: notification "${message.method}": ${errorMessage(error)}`);
      }
      return null;
    }
    if (this.#echo && message.method === 'echo') {
      this.#send({ id: message.id, result: params, error: null });
      return null;
    }
    let deferred = false;
    const handler: RequestHandler = (method, p, id) => {
      const result = this.#requestHandler(method, p, id);
      deferred = result instanceof Promise;
      return result;
    };
    const reply = this.#responder.answer(message as Request10, handler);
    if (!(reply instanceof Promise)) {
      this.#send(reply);
      return null;
    }
    const sent = reply.then((settled) => this.#send(settled));
    if (!deferred) return sent;
    void sent;
    return null;
  }

  #finish(reason: Error, destroy = true): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#inbox = [];
    if (destroy) this.#stream.destroy();
    this.#caller.close(reason);
    for (const handler of this.#closeHandlers.splice(0)) handler(reason);
  }
}

/** What is wrong with a message, or null. */
function problemOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'message is not a JSON object';
  const m = value as Record<string, unknown>;
  if ('method' in m) {
    if (typeof m['method'] !== 'string') return 'method is not a JSON string';
    if (!Array.isArray(m['params']))
      return `${m['id'] === null ? 'notification' : 'request'} must have "params"`;
    if (m['result'] !== undefined && m['result'] !== null) return 'request must not have "result"';
    if (m['error'] !== undefined && m['error'] !== null) return 'request must not have "error"';
    return null;
  }
  if (m['id'] === undefined || m['id'] === null) return 'message has neither "method" nor "id"';
  if (!('result' in m) && !('error' in m)) return 'reply must have "result" or "error"';
  return null;
}

/** A message for the debug log, as the peer's has it: an error reply is `reply` when sent, `error` when received. */
function describe(
  m: Partial<Request10> & Partial<Response10>,
  received: boolean,
  stringify: (value: unknown) => string,
): string {
  const id = m.id === null || m.id === undefined ? '' : `, id=${stringify(m.id)}`;
  if (m.method !== undefined) {
    return `${id === '' ? 'notification' : 'request'}, method="${m.method}", params=${stringify(m.params)}${id}`;
  }
  if (m.error === null || m.error === undefined) return `reply, result=${stringify(m.result)}${id}`;
  return `${received ? 'error' : 'reply'}, error=${stringify(m.error)}${id}`;
}
