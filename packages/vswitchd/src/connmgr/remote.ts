/**
 * A connection that the switch keeps up to a controller: the `Reconnect` machine with a socket and a clock.
 */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage, strerror } from '@ovs-node/common/errors';
import { Reconnect } from '@ovs-node/common/reconnect';
import { connectStream, OPENFLOW_PORT } from '@ovs-node/common/stream';
import { vlog } from '@ovs-node/common/vlog';
import { ConnectionError } from '@ovs-node/openflow/connection-types';
import type { OfMessageType } from '@ovs-node/openflow/messages/types';
import type { ControllerConfig } from '../bridge/config.js';
import type { SwitchConnection } from './connection.js';
import type { ControllerStatus } from './types.js';

const log = vlog('rconn');

/** How often one controller's refusals are logged before that stops until it was reached. */
const TALKATIVE_ATTEMPTS = 4;
/** A controller that is connected for so long has accepted the switch, whatever it says. */
const ADMITTED_AFTER_MS = 30_000;

/** Messages that a controller may send before it has made up its mind about the switch. */
const TENTATIVE: ReadonlySet<OfMessageType> = new Set([
  'hello',
  'error',
  'echo_request',
  'echo_reply',
  'features_request',
  'features_reply',
  'get_config_request',
  'get_config_reply',
  'set_config',
] satisfies OfMessageType[]);

/** What the OpenFlow side does with a stream. */
export interface RemoteHooks {
  /** Speaks OpenFlow on a connected stream. */
  readonly open: (stream: Duplex, events: RemoteEvents) => SwitchConnection;
  /** Connects; replaced in tests. Rejects with an `OvsError`. */
  readonly connect?: (target: string, timeoutMs: number) => Promise<Duplex>;
}

export interface RemoteEvents {
  readonly ready: () => void;
  readonly closed: (reason: Error | undefined) => void;
  readonly activity: () => void;
}

const ROLES = { equal: 'other', primary: 'master', secondary: 'slave' } as const;

/** The default way to connect. */
function connectTarget(target: string, timeoutMs: number): Promise<Duplex> {
  return connectStream(target, { defaultPort: OPENFLOW_PORT, timeoutMs });
}

/** Why a connection has ended, in the words of logs and of the Controller table. */
export function faultText(reason: Error): string {
  return reason instanceof ConnectionError ? strerror(reason.code) : errorMessage(reason);
}

export class Remote {
  config: ControllerConfig;
  /** Whether it was a controller at first, and no service: then it governs the switch, as by the peer. */
  readonly governs: boolean;
  connection: SwitchConnection | undefined;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #hooks: RemoteHooks;
  readonly #fsm: Reconnect;
  #timer: Timer | undefined;
  #attempt = 0;
  #lastConnected: number | undefined;
  #lastDisconnected: number | undefined;
  #lastAdmitted: number;
  /** In this connection the controller has shown that it governs the switch; every message shows it again. */
  #hasCommitted = false;
  #lastError: string | undefined;

  constructor(bridge: string, config: ControllerConfig, clock: Clock, hooks: RemoteHooks) {
    this.config = config;
    this.governs = !config.isService;
    this.#name = `${bridge}<->${config.target}`;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#lastAdmitted = clock.now();
    this.#fsm = new Reconnect(times(config));
    this.#fsm.enable(clock.now());
    this.#run();
  }

  /** Takes over another configuration of the same target. What a connection is (`isService`), the next one is. */
  configure(config: ControllerConfig): void {
    this.config = config;
    if (this.connection) this.#configureConnection(this.connection);
    this.#fsm.times = { ...this.#fsm.times, ...times(config) };
    this.#arm();
  }

  #configureConnection(connection: SwitchConnection): void {
    connection.asyncMessages = this.config.asyncMessages;
    connection.packetLimits = this.config.packetLimits;
  }

  get isConnected(): boolean {
    return this.#fsm.connected;
  }

  /** Whether the controller governs the switch: it has said more than a greeting, or stayed for half a minute. */
  get isAdmitted(): boolean {
    return this.#fsm.connected && this.#lastAdmitted >= (this.#lastConnected ?? Infinity);
  }

  /** How long there has been no controller here that governs the switch, ms. */
  failureDuration(now: number): number {
    return this.isAdmitted ? 0 : now - this.#lastAdmitted;
  }

  /** A request came from the controller. */
  received(type: OfMessageType): void {
    if (TENTATIVE.has(type)) return;
    this.#hasCommitted = true;
    this.#lastAdmitted = this.#clock.now();
  }

  status(): ControllerStatus {
    const now = this.#clock.now();
    const seconds = (since: number): string => String(Math.floor((now - since) / 1000));
    const status = new Map<string, string>(this.isConnected ? this.connection?.packetStatus() : []);
    if (this.#lastError !== undefined) status.set('last_error', this.#lastError);
    if (this.#lastConnected !== undefined) status.set('sec_since_connect', seconds(this.#lastConnected));
    if (this.#lastDisconnected !== undefined)
      status.set('sec_since_disconnect', seconds(this.#lastDisconnected));
    status.set('state', this.#fsm.state.toUpperCase());
    const role = this.isConnected && this.connection ? ROLES[this.connection.role] : undefined;
    return { isConnected: this.isConnected, role, status };
  }

  /** Ends the connection for good. */
  stop(): void {
    this.#fsm.disable(this.#clock.now());
    this.#timer?.cancel();
    this.#attempt++;
    this.connection?.close();
    this.connection = undefined;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const deadline = this.#fsm.deadline();
    if (deadline === Infinity) return;
    this.#timer = this.#clock.setTimer(Math.max(0, deadline - this.#clock.now()), () => this.#run());
  }

  #run(): void {
    switch (this.#fsm.run(this.#clock.now())) {
      case 'connect':
        this.#connect();
        break;
      case 'probe':
        this.connection?.probe();
        break;
      case 'disconnect': {
        const isIdle = this.#fsm.state === 'idle';
        if (isIdle) {
          const seconds = this.#fsm.times.probeInterval / 1000;
          log.err(`${this.#name}: no response to inactivity probe after ${seconds} seconds, disconnecting`);
        }
        const { connection } = this;
        this.#drop('Connection timed out');
        connection?.abort('Connection timed out');
        return;
      }
      case 'none':
        break;
    }
    this.#arm();
  }

  #connect(): void {
    const now = this.#clock.now();
    const attempt = ++this.#attempt;
    this.#fsm.connecting(now);
    this.#say('connecting...');
    const patience = Math.max(1, this.#fsm.deadline() - now);
    (this.#hooks.connect ?? connectTarget)(this.config.target, patience)
      .then(
        (stream) => {
          if (attempt === this.#attempt) this.#open(stream, attempt);
          else stream.destroy();
        },
        (error: unknown) => {
          if (attempt !== this.#attempt) return;
          this.#say(`connection failed (${errorMessage(error)})`, true);
          this.#down(errorMessage(error));
        },
      )
      .catch((error: unknown) => {
        log.err(`${this.#name}: ${errorMessage(error)}`);
        if (attempt === this.#attempt) this.#drop('Protocol error');
      });
  }

  #open(stream: Duplex, attempt: number): void {
    const isCurrent = (): boolean => attempt === this.#attempt;
    this.connection = this.#hooks.open(stream, {
      ready: () => {
        if (!isCurrent()) return;
        const now = this.#clock.now();
        this.#fsm.established(now);
        this.#lastConnected = now;
        this.#hasCommitted = false;
        log.info(`${this.#name}: connected`);
        this.#arm();
      },
      activity: () => {
        if (!isCurrent() || !this.#fsm.connected) return;
        const now = this.#clock.now();
        this.#fsm.activity(now);
        if (now - (this.#lastConnected ?? now) >= ADMITTED_AFTER_MS) this.#hasCommitted = true;
        if (this.#hasCommitted) this.#lastAdmitted = now;
      },
      closed: (reason) => {
        if (!isCurrent()) return;
        const text = reason === undefined ? undefined : faultText(reason);
        this.#say(
          text === undefined ? 'connection closed by peer' : `connection dropped (${text})`,
          text !== undefined,
        );
        this.#drop(text ?? 'End of file');
      },
    });
    this.#configureConnection(this.connection);
  }

  /** The connection is over, or an attempt that somebody took up or nobody answered. */
  #drop(error: string): void {
    this.#lastDisconnected = this.#clock.now();
    this.#down(error);
  }

  /** There is no connection any more, or could not be one. */
  #down(error: string): void {
    const now = this.#clock.now();
    this.#attempt++;
    this.connection = undefined;
    this.#lastError = error;
    this.#fsm.disconnected(now);
    if (this.#fsm.backoff > 0) {
      this.#say(`waiting ${this.#fsm.backoff / 1000} seconds before reconnect`);
      if (this.#fsm.attempts === TALKATIVE_ATTEMPTS) {
        log.info(
          `${this.#name}: continuing to retry connections in the background but suppressing further logging`,
        );
      }
    }
    this.#arm();
  }

  /** Logs an event of connecting, unless it is one of many alike. */
  #say(text: string, isBad = false): void {
    const line = `${this.#name}: ${text}`;
    if (this.#fsm.attempts > TALKATIVE_ATTEMPTS) log.dbg(line);
    else if (isBad) log.warn(line);
    else log.info(line);
  }
}

function times(config: ControllerConfig): { maxBackoff: number; probeInterval: number; minBackoff: number } {
  return {
    minBackoff: 1000,
    maxBackoff: Math.max(1000, config.maxBackoffMs),
    probeInterval: probeInterval(config.probeIntervalMs),
  };
}

/** How often a connection is probed for which so many ms are configured: never for 0, else not more than every 5 s. */
export function probeInterval(configured: number): number {
  return configured === 0 ? 0 : Math.max(5000, configured);
}
