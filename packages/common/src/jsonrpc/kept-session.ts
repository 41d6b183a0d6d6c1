/**
 * A JSON-RPC session that is kept up: connected again with growing pauses when it ends, probed when it is silent; to
 * the first of several servers that can be reached, in turn. The shell around `Reconnect`: sockets and timers.
 */
import { type Clock, type Timer, systemClock } from '../clock.js';
import { OvsError, strerror } from '../errors.js';
import { Reconnect, type ReconnectTimes } from '../reconnect.js';
import { ReconnectLog } from '../reconnect-log.js';
import { OVSDB_PORT } from '../stream.js';
import { isPassiveName } from '../stream-name.js';
import { type Opening, openRemote } from '../stream-remote.js';
import { JsonRpcSession, type SessionOptions } from './session.js';

export interface KeptSessionOptions {
  /** Names of streams, at least one: to connect to, or passive ones to be connected to at. */
  readonly remotes: readonly string[];
  readonly clock?: Clock;
  /** Probes are only sent where the network may lose a peer silently, unless an interval is given. */
  readonly times?: Partial<ReconnectTimes>;
  /** False: each remote is tried once, and a connection that ends is the end. */
  readonly retry?: boolean;
  readonly session?: Omit<SessionOptions, 'name'>;
  /** An attempt begins. */
  readonly onConnecting?: () => void;
  /** Connected: set the handlers, and speak. */
  readonly onOpen: (session: JsonRpcSession) => void;
  /** An attempt failed, or the session ended. `isFinal`: there will be no other. */
  readonly onLost: (error: Error, isFinal: boolean) => void;
}

/** Can the other end be gone without the system telling? Not on a socket of the same machine. */
function needsProbes(remote: string): boolean {
  return !remote.startsWith('unix:');
}

const timedOut = (): OvsError => new OvsError(strerror('ETIMEDOUT'), 'ETIMEDOUT');

export class KeptSession {
  readonly #options: KeptSessionOptions;
  readonly #clock: Clock;
  readonly #fsm: Reconnect;
  readonly #log: ReconnectLog;
  #session: JsonRpcSession | undefined;
  #timer: Timer | undefined;
  #opening: Opening | undefined;
  /** Counts attempts: what belongs to an earlier one is dropped. */
  #attempt = 0;
  /** Which remote is next. */
  #next = 0;
  /** Attempts that may follow without retrying. */
  #triesLeft: number;

  constructor(options: KeptSessionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#fsm = new Reconnect(options.times);
    this.#log = new ReconnectLog(this.#fsm);
    this.#triesLeft = options.remotes.length;
  }

  /** The session, while there is one. */
  get session(): JsonRpcSession | undefined {
    return this.#session;
  }

  /** Begins to connect; once. */
  start(): void {
    const now = this.#clock.now();
    this.#fsm.freeTries = this.#options.remotes.length - 1;
    this.#fsm.enable(now);
    this.#run();
  }

  /** Ends everything, for good. */
  close(): void {
    this.#attempt++;
    this.#fsm.disable(this.#clock.now());
    this.#timer?.cancel();
    this.#opening?.cancel();
    const session = this.#session;
    this.#session = undefined;
    session?.close();
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const deadline = this.#fsm.deadline();
    if (deadline === Infinity) return;
    // The wait keeps a process alive; what watches over a socket need not, as the socket does.
    const isWatch = this.#fsm.state !== 'backoff';
    const delay = Math.max(0, deadline - this.#clock.now());
    this.#timer = this.#clock.setTimer(delay, () => this.#run(), isWatch);
  }

  #run(): void {
    const { state } = this.#fsm;
    switch (this.#fsm.run(this.#clock.now())) {
      case 'connect':
        this.#connect();
        break;
      case 'probe':
        this.#log.probing(this.#session!.name, this.#fsm.times.probeInterval);
        this.#session!.request('echo', []).catch(() => undefined);
        break;
      case 'disconnect':
        if (state === 'connecting') this.#failed(timedOut());
        else {
          this.#log.unanswered(this.#session!.name);
          this.#session!.close(timedOut());
        }
        return;
      case 'none':
        break;
    }
    this.#arm();
  }

  get #remote(): string {
    return this.#options.remotes[this.#next % this.#options.remotes.length]!;
  }

  #connect(): void {
    const attempt = ++this.#attempt;
    const remote = this.#remote;
    const probeInterval = this.#options.times?.probeInterval ?? (needsProbes(remote) ? 5000 : 0);
    this.#fsm.times = { ...this.#fsm.times, probeInterval };
    if (isPassiveName(remote)) {
      this.#fsm.listening(this.#clock.now());
      this.#log.listening(remote);
    } else {
      this.#fsm.connecting(this.#clock.now());
      this.#log.connecting(remote);
    }
    this.#options.onConnecting?.();
    this.#opening = openRemote(remote, { defaultPort: OVSDB_PORT });
    this.#opening.socket.then(
      (socket) => {
        if (attempt !== this.#attempt) return void socket.destroy();
        this.#open(new JsonRpcSession(socket, { ...this.#options.session, name: remote }));
      },
      (error: Error) => {
        if (attempt === this.#attempt) this.#failed(error);
      },
    );
  }

  #open(session: JsonRpcSession): void {
    this.#session = session;
    this.#fsm.established(this.#clock.now());
    this.#log.connected(session.name);
    session.onActivity(() => this.#fsm.activity(this.#clock.now()));
    session.onClose((reason) => {
      if (this.#session !== session) return;
      this.#session = undefined;
      this.#log.dropped(session.name, reason);
      this.#fsm.freeTries = this.#options.remotes.length - 1;
      this.#triesLeft = 1;
      this.#down(reason);
    });
    this.#arm();
    this.#options.onOpen(session);
  }

  #failed(error: Error): void {
    this.#attempt++;
    this.#log.failed(this.#remote, error);
    this.#down(error);
  }

  #down(error: Error): void {
    const name = this.#remote;
    this.#next++;
    const isFinal = this.#options.retry === false && --this.#triesLeft <= 0;
    if (isFinal) this.close();
    else {
      this.#fsm.disconnected(this.#clock.now());
      this.#log.waiting(name);
      this.#arm();
    }
    this.#options.onLost(error, isFinal);
  }
}
