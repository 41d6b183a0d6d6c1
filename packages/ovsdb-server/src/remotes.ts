/**
 * Remotes: where the server listens and connects. A passive remote is a listener and its sessions, an active one is
 * a connection that is made again, with a growing pause, whenever it ends.
 */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { type Listener, isPassiveName, listenStream } from '@ovs-node/common/stream';
import { vlog } from '@ovs-node/common/vlog';
import type { ClientSettings, DatabaseSession } from './session/session.js';
import { ActiveConnection, type ConnectionState } from './upstream/active-connection.js';

const log = vlog('ovsdb_jsonrpc_server');
const reconnectLog = vlog('reconnect');

export interface RemoteOptions {
  /** Most milliseconds between attempts to connect. */
  readonly maxBackoffMs: number;
  /** Milliseconds of silence before an echo is sent; 0: never. */
  readonly probeMs: number;
  readonly readOnly: boolean;
  /** What its clients are, where roles decide what is allowed; "": no role. */
  readonly role: string;
}

/** Options of a remote that says nothing: probes only where the network may lose a peer silently. */
export function defaultRemoteOptions(name: string): RemoteOptions {
  const needsProbes = !name.startsWith('unix:') && !name.startsWith('punix:');
  return { maxBackoffMs: 8000, probeMs: needsProbes ? 5000 : 0, readOnly: false, role: '' };
}

/** Makes the session of a connection. */
export type NewSession = (stream: Duplex, name: string, settings: () => ClientSettings) => DatabaseSession;

/** The state of a remote, for Manager rows. */
export interface RemoteStatus {
  readonly isConnected: boolean;
  /** Undefined where it listens. */
  readonly state: ConnectionState | undefined;
  readonly connections: number;
  readonly boundPort: number;
  /** Clock times of the last connect and disconnect. */
  readonly connectedAt: number | undefined;
  readonly disconnectedAt: number | undefined;
  readonly lastError: string | undefined;
  readonly locks: { held: string[]; waiting: string[] };
}

export class Remote {
  readonly name: string;
  #options: RemoteOptions;
  readonly #clock: Clock;
  readonly #newSession: NewSession;
  readonly #sessions = new Set<DatabaseSession>();
  #listener: Listener | undefined;
  #active: ActiveConnection | undefined;
  #timer: Timer | undefined;
  #closed = false;
  #connectedAt: number | undefined;
  #disconnectedAt: number | undefined;
  #lastError: string | undefined;

  constructor(name: string, options: RemoteOptions, clock: Clock, newSession: NewSession) {
    this.name = name;
    this.#options = options;
    this.#clock = clock;
    this.#newSession = newSession;
  }

  /** Changes what the database says of the remote; connections stay. */
  setOptions(options: RemoteOptions): void {
    this.#options = options;
    this.#active?.setTimes({ maxBackoff: options.maxBackoffMs, probeInterval: options.probeMs });
  }

  /** Starts to listen or to connect; failures are logged and tried again. */
  async start(): Promise<void> {
    if (isPassiveName(this.name)) await this.#listen();
    else this.#connect();
  }

  async #listen(): Promise<void> {
    try {
      const listener = await listenStream(this.name, (socket, name) => {
        const session = this.#add(socket, name);
        const stopProbes = this.#probe(session);
        session.rpc.onClose(stopProbes);
      });
      if (this.#closed) await listener.close();
      else this.#listener = listener;
    } catch (error) {
      this.#lastError = errorMessage(error);
      log.err(`${this.name}: listen failed: ${errorMessage(error)}`);
      if (!this.#closed) this.#timer = this.#clock.setTimer(1000, () => void this.#listen());
    }
  }

  #connect(): void {
    const { maxBackoffMs, probeMs } = this.#options;
    this.#active = new ActiveConnection([this.name], this.#clock, {
      open: (stream, name) => this.#add(stream, name).rpc,
      times: { maxBackoff: maxBackoffMs, probeInterval: probeMs },
    });
  }

  #add(stream: Duplex, name: string): DatabaseSession {
    const session = this.#newSession(stream, name, () => this.#options);
    this.#sessions.add(session);
    this.#connectedAt = this.#clock.now();
    session.rpc.onClose(() => {
      this.#sessions.delete(session);
      this.#disconnectedAt = this.#clock.now();
    });
    return session;
  }

  /** Sends an echo after silence and ends the connection when that is not answered either. */
  #probe(session: DatabaseSession): () => void {
    let timer: Timer | undefined;
    let active = false;
    let probed = false;
    const arm = (): void => {
      timer?.cancel();
      timer = undefined;
      const { probeMs } = this.#options;
      if (probeMs > 0) timer = this.#clock.setTimer(probeMs, expired, true);
    };
    const expired = (): void => {
      if (active) {
        active = false;
        probed = false;
        arm();
        return;
      }
      if (probed) {
        reconnectLog.err(
          `${session.rpc.name}: no response to inactivity probe after ${this.#options.probeMs / 1000} seconds, disconnecting`,
        );
        session.rpc.close(new Error('no response to inactivity probe'));
        return;
      }
      probed = true;
      session.rpc.request('echo', []).catch(() => {});
      arm();
    };
    // Re-arming a timer per message would cost more than the message: activity is noted, the timer looks at it.
    session.rpc.onActivity(() => {
      active = true;
    });
    arm();
    return () => timer?.cancel();
  }

  get sessions(): ReadonlySet<DatabaseSession> {
    return this.#sessions;
  }

  /** An active remote whose connection does not stand. */
  get isIdleActive(): boolean {
    return this.#active !== undefined && this.#sessions.size === 0;
  }

  status(): RemoteStatus {
    const connections = this.#sessions.size;
    const locks = { held: [] as string[], waiting: [] as string[] };
    for (const session of this.#sessions) {
      const own = session.lockStatus();
      locks.held.push(...own.held);
      locks.waiting.push(...own.waiting);
    }
    return {
      isConnected: connections > 0,
      state: this.#active?.state,
      connections,
      boundPort: this.#listener?.port ?? 0,
      connectedAt: this.#connectedAt,
      disconnectedAt: this.#disconnectedAt,
      lastError: this.#active?.lastError ?? this.#lastError,
      locks,
    };
  }

  /** Ends every connection; active ones are made again. */
  reconnect(reason: string): void {
    for (const session of this.#sessions) session.rpc.close(new Error(reason));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#active?.close();
    for (const session of this.#sessions) session.rpc.close();
    await this.#listener?.close();
  }
}
