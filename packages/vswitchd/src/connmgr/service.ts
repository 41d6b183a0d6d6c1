/** A place where the switch is connected to: BRIDGE.mgmt, or a passive target of the Controller table. */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { Reconnect } from '@ovs-node/common/reconnect';
import { type Listener, listenStream, OPENFLOW_PORT } from '@ovs-node/common/stream';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { SwitchConnection } from './connection.js';
import type { PacketLimits } from './packet-limiter.js';
import { faultText, probeInterval, type RemoteEvents } from './remote.js';

const log = vlog('connmgr');
const rconnLog = vlog('rconn');
const rate = new RateLimit(5, 5);

/** Connections that one place takes at a time. */
export const MAX_CONNECTIONS = 512;
/** How long a connection may be without a hello: one that says nothing would take the place of another for ever. */
const HELLO_MS = 1000;
/** How long until a place that could not be listened at is tried again. */
const RETRY_MS = 5000;

let serial = 0;

export interface ServiceOptions {
  /** `punix:FILE` or `ptcp:[PORT][:HOST]`. */
  readonly target: string;
  readonly bridge: string;
  readonly clock: Clock;
  /** How long the other side may be silent before it is asked whether it is there; 0: forever. */
  readonly probeIntervalMs: number;
  /** False: connections get no asynchronous messages unless they ask for them. */
  readonly asyncMessages: boolean;
  readonly packetLimits: PacketLimits;
  /** Speaks OpenFlow on an accepted stream. */
  readonly open: (stream: Duplex, name: string, events: RemoteEvents) => SwitchConnection;
}

/** What the database says of connections that somebody else begins. */
export type ServiceConfig = Pick<ServiceOptions, 'probeIntervalMs' | 'asyncMessages' | 'packetLimits'>;

export class Service {
  readonly target: string;
  #options: ServiceOptions;
  readonly #connections = new Set<SwitchConnection>();
  #listener: Listener | undefined;
  #listening: Promise<void> | undefined;
  #retry: Timer | undefined;
  #closed = false;

  constructor(options: ServiceOptions) {
    this.target = options.target;
    this.#options = options;
  }

  /** Connections that stand. */
  get connections(): ReadonlySet<SwitchConnection> {
    return this.#connections;
  }

  /** Listens; what fails is logged, and tried again later. Never rejects. */
  listen(): Promise<void> {
    this.#listening ??= this.#listen();
    return this.#listening;
  }

  async #listen(): Promise<void> {
    const { clock, bridge } = this.#options;
    try {
      const listener = await listenStream(this.target, (socket) => this.accept(socket), {
        defaultPort: OPENFLOW_PORT,
      });
      if (this.#closed) await listener.close();
      else this.#listener = listener;
    } catch (error) {
      log.warnRl(rate, `${bridge}: listening on ${this.target} failed (${errorMessage(error)})`);
      if (this.#closed) return;
      this.#retry = clock.setTimer(RETRY_MS, () => {
        this.#listening = undefined;
        void this.listen();
      });
    }
  }

  /** Takes a connected stream. */
  accept(stream: Duplex): void {
    if (this.#closed || this.#connections.size >= MAX_CONNECTIONS) {
      stream.on('error', () => {});
      stream.destroy();
      log.warnRl(rate, `${this.#options.bridge}: too many connections to ${this.target}`);
      return;
    }
    const { clock, bridge, open, probeIntervalMs } = this.#options;
    const name = `${bridge}<->${this.target.startsWith('punix:') ? 'unix' : 'tcp'}#${serial++}`;
    const fsm = new Reconnect({ probeInterval: probeInterval(probeIntervalMs) });
    let timer: Timer | undefined;
    let isLate = false;
    const abandon = (): void => {
      if (connection.isUp || connection.isClosed) return;
      isLate = true;
      connection.abort('Connection timed out');
    };
    // What has come while this process was busy is read before.
    const hello = clock.setTimer(HELLO_MS, () => setImmediate(abandon));
    const arm = (): void => {
      timer?.cancel();
      const deadline = fsm.deadline();
      timer = deadline === Infinity ? undefined : clock.setTimer(Math.max(0, deadline - clock.now()), run);
    };
    const run = (): void => {
      const action = fsm.run(clock.now());
      if (action === 'disconnect') {
        connection.abort('Connection timed out');
        return;
      }
      if (action === 'probe') connection.probe();
      arm();
    };
    const connection = open(stream, name, {
      ready: () => {
        hello.cancel();
        fsm.established(clock.now());
        arm();
      },
      activity: () => fsm.activity(clock.now()),
      closed: (reason) => {
        hello.cancel();
        timer?.cancel();
        fsm.disable(clock.now());
        this.#connections.delete(connection);
        if (isLate) rconnLog.infoRl(rate, `${name}: connection timed out`);
        else if (reason !== undefined)
          rconnLog.warnRl(rate, `${name}: connection dropped (${faultText(reason)})`);
      },
    });
    this.#connections.add(connection);
    this.#configureConnection(connection);
  }

  #configureConnection(connection: SwitchConnection): void {
    connection.asyncMessages = this.#options.asyncMessages;
    connection.packetLimits = this.#options.packetLimits;
  }

  /** Takes over another configuration; how connections that stand are probed stays. */
  configure(config: ServiceConfig): void {
    const { probeIntervalMs, asyncMessages, packetLimits } = config;
    this.#options = { ...this.#options, probeIntervalMs, asyncMessages, packetLimits };
    for (const connection of this.#connections) this.#configureConnection(connection);
  }

  /** Ends the connections that stand. */
  disconnect(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Stops listening and ends the connections. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.cancel();
    await this.#listening;
    this.disconnect();
    await this.#listener?.close();
  }
}
