/**
 * A connection that is made again whenever it ends, with a growing pause: of an active remote (`tcp:`, `ssl:`,
 * `unix:`), of a backup to its active server, of a relay to its source. Several addresses are tried in turn.
 *
 * `common/reconnect.ts` decides when; this owns the socket and the one timer.
 */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import type { JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { Reconnect, type ReconnectTimes } from '@ovs-node/common/reconnect';
import { ReconnectLog } from '@ovs-node/common/reconnect-log';
import { connectStream } from '@ovs-node/common/stream';

/** State in the words of Manager rows. */
export type ConnectionState = 'VOID' | 'BACKOFF' | 'CONNECTING' | 'ACTIVE' | 'IDLE';

export interface ActiveConnectionOptions {
  /** Makes the session of a connection that stands; `name` is the address. */
  readonly open: (stream: Duplex, name: string) => JsonRpcSession;
  /** Told when that session has ended, before the next attempt. */
  readonly closed?: (reason: Error) => void;
  readonly times?: Partial<ReconnectTimes>;
}

export class ActiveConnection {
  readonly #addresses: readonly string[];
  readonly #clock: Clock;
  readonly #options: ActiveConnectionOptions;
  readonly #machine: Reconnect;
  readonly #log: ReconnectLog;
  #address = 0;
  #session: JsonRpcSession | undefined;
  #timer: Timer | undefined;
  #lastError: string | undefined;

  constructor(addresses: readonly string[], clock: Clock, options: ActiveConnectionOptions) {
    this.#addresses = addresses;
    this.#clock = clock;
    this.#options = options;
    this.#machine = new Reconnect(options.times);
    this.#log = new ReconnectLog(this.#machine);
    this.#machine.enable(clock.now());
    this.#run();
  }

  /** The address in use, or to be tried next. */
  get name(): string {
    return this.#addresses[this.#address]!;
  }

  get session(): JsonRpcSession | undefined {
    return this.#session;
  }

  get state(): ConnectionState {
    return this.#machine.state.toUpperCase() as ConnectionState;
  }

  /** Why the last attempt or connection ended. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Changes the times from now on. */
  setTimes(times: Partial<ReconnectTimes>): void {
    this.#machine.times = { ...this.#machine.times, ...times };
    this.#arm();
  }

  #run(): void {
    switch (this.#machine.run(this.#clock.now())) {
      case 'connect':
        this.#machine.connecting(this.#clock.now());
        void this.#connect();
        return;
      case 'disconnect':
        this.#probeFailed();
        return;
      case 'probe':
        this.#session?.request('echo', []).catch(() => {});
        break;
      case 'none':
        break;
    }
    this.#arm();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const deadline = this.#machine.deadline();
    // While an attempt runs it has its own time limit.
    if (deadline === Infinity || this.#machine.state === 'connecting') return;
    this.#timer = this.#clock.setTimer(Math.max(0, deadline - this.#clock.now()), () => this.#run(), true);
  }

  #probeFailed(): void {
    this.#log.unanswered(this.name);
    this.#session?.close(new Error('Connection timed out'));
  }

  async #connect(): Promise<void> {
    const { name } = this;
    this.#log.connecting(name);
    let socket: Duplex;
    try {
      const timeoutMs = Math.max(this.#machine.times.connectTimeout, this.#machine.backoff);
      socket = await connectStream(name, { timeoutMs });
    } catch (error) {
      if (this.#machine.state === 'void') return;
      this.#lastError = errorMessage(error);
      this.#log.failed(name, error);
      this.#again(name);
      return;
    }
    if (this.#machine.state === 'void') {
      socket.destroy();
      return;
    }
    this.#log.connected(name);
    this.#machine.established(this.#clock.now());
    const session = this.#options.open(socket, name);
    this.#session = session;
    session.onActivity(() => this.#machine.activity(this.#clock.now()));
    session.onClose((reason) => {
      if (this.#machine.state === 'void') return;
      this.#session = undefined;
      this.#lastError = errorMessage(reason);
      this.#log.dropped(name, reason);
      this.#options.closed?.(reason);
      this.#again(name);
    });
    this.#arm();
  }

  #again(name: string): void {
    this.#address = (this.#address + 1) % this.#addresses.length;
    this.#machine.disconnected(this.#clock.now());
    this.#log.waiting(name);
    this.#arm();
  }

  /** Ends the connection; it is made again. */
  reconnect(reason: string): void {
    this.#session?.close(new Error(reason));
  }

  /** Ends it for good. */
  close(): void {
    this.#timer?.cancel();
    this.#machine.disable(this.#clock.now());
    this.#session?.close();
    this.#session = undefined;
  }
}
