/**
 * When to connect, when to give up, when to probe: the pure part of every connection that is kept up.
 *
 * The machine takes `now` (milliseconds, any origin) and tells its owner what to do; the owner has the sockets.
 *
 *            enable                    connected
 *     VOID ──────────▶ BACKOFF ─▶ CONNECTING ─▶ ACTIVE ⇄ IDLE (probe sent)
 *                         ▲            │failed      │ disconnected / probe unanswered
 *                         └────────────┴────────────┘  backoff doubles, 1 s to 8 s
 *
 * A passive connection is LISTENING in place of CONNECTING, which has no limit in time.
 *
 * A connection that lasted longer than its backoff resets the backoff. States and default times are the peer's
 * (ovs-vswitchd.conf.db(5): inactivity_probe 5 s, max_backoff 8 s).
 */

/** States. */
export type ReconnectState = 'void' | 'backoff' | 'listening' | 'connecting' | 'active' | 'idle';

/** What the owner is to do. */
export type ReconnectAction = 'none' | 'connect' | 'disconnect' | 'probe';

/** Times in ms. */
export interface ReconnectTimes {
  readonly minBackoff: number;
  readonly maxBackoff: number;
  /** 0: no probes. */
  readonly probeInterval: number;
  /** How long one attempt to connect may take, at least. */
  readonly connectTimeout: number;
}

/** The peer's defaults. */
export const RECONNECT_DEFAULTS: ReconnectTimes = {
  minBackoff: 1000,
  maxBackoff: 8000,
  probeInterval: 5000,
  connectTimeout: 1000,
};

/** The machine. One per remote. */
export class Reconnect {
  times: ReconnectTimes;
  /** So many attempts more come without a wait: there are other servers to try. */
  freeTries = 0;
  #state: ReconnectState = 'void';
  #since = 0;
  #backoff = 0;
  #lastActivity = 0;
  #connectedAt = 0;
  #attempts = 0;
  #connections = 0;

  constructor(times: Partial<ReconnectTimes> = {}) {
    this.times = { ...RECONNECT_DEFAULTS, ...times };
  }

  get state(): ReconnectState {
    return this.#state;
  }

  /** The wait after the last failure, ms. */
  get backoff(): number {
    return this.#backoff;
  }

  /** Attempts to connect since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Connections made so far. */
  get connections(): number {
    return this.#connections;
  }

  get connected(): boolean {
    return this.#state === 'active' || this.#state === 'idle';
  }

  /** Starts: the first attempt is due at once. */
  enable(now: number): void {
    if (this.#state === 'void') {
      this.#backoff = 0;
      this.#enter('backoff', now);
    }
  }

  /** Stops; the owner closes what is open. */
  disable(now: number): void {
    this.#enter('void', now);
  }

  /** Forgets the backoff: the next attempt is due at once. */
  hurry(now: number): void {
    if (this.#state === 'backoff') {
      this.#backoff = 0;
      this.#enter('backoff', now);
    }
  }

  /** The owner began an attempt. */
  connecting(now: number): void {
    this.#attempts++;
    this.#enter('connecting', now);
  }

  /** The owner waits for the other side to connect. */
  listening(now: number): void {
    this.#enter('listening', now);
  }

  /** The attempt succeeded: the connection stands. */
  established(now: number): void {
    this.#attempts = 0;
    this.#connections++;
    this.#connectedAt = now;
    this.#lastActivity = now;
    this.#enter('active', now);
  }

  /** The attempt failed, or the connection ended (also by the owner). */
  disconnected(now: number): void {
    if (this.#state === 'void') return;
    if (this.freeTries > 0) {
      this.freeTries--;
      this.#backoff = 0;
      this.#enter('backoff', now);
      return;
    }
    const lasted = this.connected ? now - this.#connectedAt : 0;
    if (this.connected && lasted >= Math.max(this.#backoff, this.times.minBackoff)) {
      this.#backoff = this.times.minBackoff;
    } else this.#grow();
    this.#enter('backoff', now);
  }

  /** Bytes came in. */
  activity(now: number): void {
    this.#lastActivity = now;
    if (this.#state === 'idle') this.#enter('active', now);
  }

  /** When `run` is next worth calling; Infinity when nothing is due. */
  deadline(): number {
    switch (this.#state) {
      case 'void':
      case 'listening':
        return Infinity;
      case 'backoff':
        return this.#since + this.#backoff;
      case 'connecting':
        return this.#since + Math.max(this.times.connectTimeout, this.#backoff);
      case 'active':
        return this.times.probeInterval > 0
          ? Math.max(this.#lastActivity, this.#since) + this.times.probeInterval
          : Infinity;
      case 'idle':
        return this.times.probeInterval > 0 ? this.#since + this.times.probeInterval : Infinity;
    }
  }

  /**
   * What is due at `now`. After 'connect' the owner calls `connecting`; after 'disconnect' it closes and calls
   * `disconnected`; after 'probe' it sends an echo request.
   */
  run(now: number): ReconnectAction {
    if (now < this.deadline()) return 'none';
    switch (this.#state) {
      case 'void':
      case 'listening':
        return 'none';
      case 'backoff':
        return 'connect';
      case 'connecting':
      case 'idle':
        return 'disconnect';
      case 'active':
        this.#enter('idle', now);
        return 'probe';
    }
  }

  #grow(): void {
    const doubled = this.#backoff === 0 ? this.times.minBackoff : this.#backoff * 2;
    this.#backoff = Math.min(doubled, this.times.maxBackoff);
  }

  #enter(state: ReconnectState, now: number): void {
    this.#state = state;
    this.#since = now;
  }
}
