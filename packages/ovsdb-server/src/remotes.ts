/**
 * Remotes: where the server listens and connects. A passive remote is a listener and its sessions, an active one is
 * a connection that is made again, with a growing pause, whenever it ends.
 */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import {
  type Listener,
  connectStream,
  isActiveName,
  isPassiveName,
  listenStream,
} from '@ovs-node/common/stream';
import { vlog } from '@ovs-node/common/vlog';
import type { DatabaseSession } from './session/session.js';

const log = vlog('ovsdb_jsonrpc_server');
const reconnectLog = vlog('reconnect');

export interface RemoteOptions {
  /** Most milliseconds between attempts to connect. */
  readonly maxBackoffMs: number;
  /** Milliseconds of silence before an echo is sent; 0: never. */
  readonly probeMs: number;
  readonly readOnly: boolean;
}

/** Options of a remote that says nothing: probes only where the network may lose a peer silently. */
export function defaultRemoteOptions(name: string): RemoteOptions {
  const needsProbes = !name.startsWith('unix:') && !name.startsWith('punix:');
  return { maxBackoffMs: 8000, probeMs: needsProbes ? 5000 : 0, readOnly: false };
}

/** Makes the session of a connection. */
export type NewSession = (stream: Duplex, name: string, readOnly: boolean) => DatabaseSession;

/** The state of a remote, for Manager rows. */
export interface RemoteStatus {
  readonly isConnected: boolean;
  readonly state: 'ACTIVE' | 'BACKOFF' | 'CONNECTING' | 'VOID';
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
  options: RemoteOptions;
  readonly #clock: Clock;
  readonly #newSession: NewSession;
  readonly #sessions = new Set<DatabaseSession>();
  #listener: Listener | undefined;
  #timer: Timer | undefined;
  #closed = false;
  #connecting = false;
  #backoffMs = 1000;
  #connectedAt: number | undefined;
  #disconnectedAt: number | undefined;
  #lastError: string | undefined;

  constructor(name: string, options: RemoteOptions, clock: Clock, newSession: NewSession) {
    this.name = name;
    this.options = options;
    this.#clock = clock;
    this.#newSession = newSession;
  }

  /** Starts to listen or to connect; failures are logged and tried again. */
  async start(): Promise<void> {
    if (isPassiveName(this.name)) await this.#listen();
    else if (isActiveName(this.name)) void this.#connect();
    else {
      this.#lastError = 'Address family not supported by protocol';
      log.err(`${this.name}: not a connection method that is supported`);
    }
  }

  async #listen(): Promise<void> {
    try {
      const listener = await listenStream(this.name, (socket, name) => {
        this.#add(socket, name);
      });
      if (this.#closed) await listener.close();
      else this.#listener = listener;
    } catch (error) {
      this.#lastError = errorMessage(error);
      log.err(`${this.name}: listen failed: ${errorMessage(error)}`);
      if (!this.#closed) this.#timer = this.#clock.setTimer(1000, () => void this.#listen());
    }
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    reconnectLog.info(`${this.name}: connecting...`);
    try {
      const socket = await connectStream(this.name, { timeoutMs: Math.max(1000, this.#backoffMs) });
      this.#connecting = false;
      if (this.#closed) {
        socket.destroy();
        return;
      }
      reconnectLog.info(`${this.name}: connected`);
      this.#backoffMs = 1000;
      const session = this.#add(socket, this.name);
      session.rpc.onClose((reason) => {
        this.#lastError = errorMessage(reason);
        this.#again(`connection dropped (${errorMessage(reason)})`);
      });
    } catch (error) {
      this.#connecting = false;
      this.#lastError = errorMessage(error);
      this.#again(`connection attempt failed (${errorMessage(error)})`);
    }
  }

  #again(reason: string): void {
    if (this.#closed) return;
    reconnectLog.info(`${this.name}: ${reason}`);
    const wait = Math.min(this.#backoffMs, this.options.maxBackoffMs);
    this.#backoffMs = Math.min(wait * 2, this.options.maxBackoffMs);
    this.#timer = this.#clock.setTimer(wait, () => void this.#connect());
  }

  #add(stream: Duplex, name: string): DatabaseSession {
    const session = this.#newSession(stream, name, this.options.readOnly);
    this.#sessions.add(session);
    this.#connectedAt = this.#clock.now();
    const stopProbes = this.#probe(session);
    session.rpc.onClose(() => {
      stopProbes();
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
      const { probeMs } = this.options;
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
          `${session.rpc.name}: no response to inactivity probe after ${this.options.probeMs / 1000} seconds, disconnecting`,
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
      state:
        connections > 0 || this.#listener !== undefined
          ? 'ACTIVE'
          : this.#connecting
            ? 'CONNECTING'
            : 'BACKOFF',
      connections,
      boundPort: this.#listener?.port ?? 0,
      connectedAt: this.#connectedAt,
      disconnectedAt: this.#disconnectedAt,
      lastError: this.#lastError,
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
    for (const session of this.#sessions) session.rpc.close();
    await this.#listener?.close();
  }
}
