/**
 * The OpenFlow connections of one bridge: who connects to it, whom it connects to, and what they are told.
 *
 *     BRIDGE.mgmt, ptcp:, punix: ──► Service ─┐                    ┌─► handlers ─► Ofproto
 *     tcp:, unix: (Controller)   ──► Remote  ─┴─► SwitchConnection ┤
 *     BRIDGE.snoop ──► Snoops ◄──── copies of ────── (primary)     └─◄ packet-in, port status, flow-removed
 */
import path from 'node:path';
import type { Duplex } from 'node:stream';
import type { Timer } from '@ovs-node/common/clock';
import { isPassiveName } from '@ovs-node/common/stream';
import { vlog } from '@ovs-node/common/vlog';
import { VERSIONS, versionFromName } from '@ovs-node/openflow/version';
import type { ControllerConfig } from '../bridge/config.js';
import type { PacketInEvent } from '../ofproto/types.js';
import { SwitchConnection } from './connection.js';
import { FailOpen } from './fail-open.js';
import { handleRequest, refusal } from './handlers.js';
import { Remote, type RemoteEvents, type RemoteHooks } from './remote.js';
import { Service } from './service.js';
import { Snoops } from './snoop.js';
import { Switchboard } from './switchboard.js';
import { targetProblem } from './target.js';
import type { ConnectionConfig, ConnectionManagerOptions, ControllerStatus } from './types.js';

export type { ConnectionConfig, ConnectionManagerOptions, ControllerStatus } from './types.js';

const log = vlog('connmgr');

const TICK_MS = 1000;
/** Offered when the bridge's `protocols` are empty. */
const DEFAULT_VERSIONS = VERSIONS.reduce((bits, { version }) => bits | (1 << version), 0);

export class ConnectionManager {
  readonly #options: ConnectionManagerOptions;
  readonly #board: Switchboard;
  readonly #bridge: string;
  readonly #snoops: Snoops;
  readonly #failOpen: FailOpen;
  readonly #mgmt: Service;
  /** By the UUID of their row of the Controller table. */
  readonly #remotes = new Map<string, Remote>();
  readonly #services = new Map<string, Service>();
  #failMode: ConnectionConfig['failMode'] = 'standalone';
  #versions = DEFAULT_VERSIONS;
  #problems: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ConnectionManagerOptions) {
    const { ofproto, rundir } = options;
    this.#options = options;
    this.#board = new Switchboard(options);
    this.#bridge = ofproto.name;
    this.#failOpen = new FailOpen(ofproto, (packetIn) =>
      this.#packetIn({ packetIn, maxLen: 0xffff, controllerId: 0 }),
    );
    this.#snoops = new Snoops(
      this.#bridge,
      () => this.#versions,
      () => this.#primaries(),
    );
    this.#mgmt = this.#service(`punix:${path.join(rundir, `${this.#bridge}.mgmt`)}`, 0, true);
    const board = this.#board;
    ofproto.events = {
      onPacketIn: (event) => this.#packetIn(event),
      onFlowRemoved: (removed) => {
        board.monitors.afterwards(() => {
          for (const each of board.connections) each.flowRemoved(removed);
        });
      },
      onTableStatus: (desc, reason) => {
        for (const each of this.#board.connections) each.tableStatus(reason, desc);
      },
      get onFlowChange() {
        return board.monitors.watcher;
      },
      onFollowed: () => board.monitors.flush(),
    };
  }

  /** Listens at BRIDGE.mgmt and BRIDGE.snoop in the run directory. Failures are logged; never rejects. */
  async listen(): Promise<void> {
    const snoop = `punix:${path.join(this.#options.rundir, `${this.#bridge}.snoop`)}`;
    await Promise.all([this.#mgmt.listen(), this.#snoops.listen(snoop)]);
  }

  /** Takes over a changed configuration: connects to new controllers, lets go of old ones. */
  configure(config: ConnectionConfig): void {
    this.#failMode = config.failMode;
    this.#setVersions(config.protocols);
    const wanted = new Map(this.#usable(config.controllers).map((each) => [each.uuid, each]));
    for (const [uuid, remote] of this.#remotes) {
      const now = wanted.get(uuid);
      if (now !== undefined && isSameController(remote.config, now)) remote.configure(now);
      else this.#drop(uuid, remote);
    }
    for (const [uuid, service] of this.#services) {
      if (wanted.get(uuid)?.target === service.target) continue;
      this.#services.delete(uuid);
      void service.close();
    }
    for (const [uuid, each] of wanted) {
      if (isPassiveName(each.target)) this.#addService(uuid, each);
      else if (!this.#remotes.has(uuid)) this.#addRemote(uuid, each);
    }
    this.portsChanged();
    this.#tick();
  }

  /** The controllers whose targets are fine; each problem is said once. */
  #usable(controllers: readonly ControllerConfig[]): ControllerConfig[] {
    const problems = new Set<string>();
    const usable = controllers.filter(({ target }) => {
      const problem = targetProblem(target, this.#bridge, this.#options.rundir);
      if (problem !== undefined) problems.add(problem);
      return problem === undefined;
    });
    for (const problem of problems) if (!this.#problems.has(problem)) log.warn(problem);
    this.#problems = problems;
    return usable;
  }

  #setVersions(protocols: readonly string[]): void {
    let versions = 0;
    for (const name of protocols) {
      const version = versionFromName(name);
      if (version !== undefined) versions |= 1 << version;
    }
    this.#versions = versions === 0 ? DEFAULT_VERSIONS : versions;
    for (const each of this.#board.connections) {
      if ((this.#versions & (1 << each.version)) === 0) each.close();
    }
  }

  #drop(uuid: string, remote: Remote): void {
    log.info(`${this.#bridge}: removed primary controller "${remote.config.target}"`);
    this.#remotes.delete(uuid);
    remote.stop();
  }

  #addRemote(uuid: string, config: ControllerConfig): void {
    log.info(
      `${this.#bridge}: added ${config.isService ? 'service' : 'primary'} controller "${config.target}"`,
    );
    const hooks: RemoteHooks = {
      open: (stream, events) =>
        this.#open(stream, `${this.#bridge}<->${config.target}`, events, {
          isPrimary: !config.isService,
          asyncMessages: config.asyncMessages,
          remote: () => this.#remotes.get(uuid),
        }),
      ...(this.#options.connect ? { connect: this.#options.connect } : {}),
    };
    this.#remotes.set(uuid, new Remote(this.#bridge, config, this.#options.clock, hooks));
  }

  #addService(uuid: string, config: ControllerConfig): void {
    if (this.#services.has(uuid)) return;
    log.info(`${this.#bridge}: added service controller "${config.target}"`);
    const service = this.#service(config.target, config.probeIntervalMs, config.asyncMessages);
    this.#services.set(uuid, service);
    void service.listen();
  }

  #service(target: string, probeIntervalMs: number, asyncMessages: boolean): Service {
    return new Service({
      target,
      bridge: this.#bridge,
      clock: this.#options.clock,
      probeIntervalMs,
      open: (stream, name, events) => this.#open(stream, name, events, { isPrimary: false, asyncMessages }),
    });
  }

  #open(
    stream: Duplex,
    name: string,
    events: RemoteEvents,
    kind: { isPrimary: boolean; asyncMessages: boolean; remote?: () => Remote | undefined },
  ): SwitchConnection {
    const board = this.#board;
    return new SwitchConnection(stream, {
      name,
      kind: kind.isPrimary ? 'primary' : 'service',
      versions: this.#versions,
      asyncMessages: kind.asyncMessages,
      refuses: refusal,
      clock: this.#options.clock,
      hasTunnelOption: (index) => board.ofproto.tables.tlv.has(index),
      bundleIdleMs: this.#options.bundleIdleMs,
      handle: (msg, context) => {
        kind.remote?.()?.received(msg.type);
        return handleRequest(board, msg, context);
      },
      onReady: (connection) => {
        board.connections.add(connection);
        this.#updateMisses(kind.isPrimary);
        events.ready();
      },
      onClose: (connection, reason) => {
        board.connections.delete(connection);
        board.monitors.ended(connection);
        this.#updateMisses(kind.isPrimary);
        this.#snoops.ended(connection);
        events.closed(reason);
      },
      onActivity: events.activity,
      ...(kind.isPrimary
        ? { onCopy: (from: SwitchConnection, bytes: Uint8Array) => this.#snoops.copy(from, bytes) }
        : {}),
    });
  }

  #packetIn(event: PacketInEvent): void {
    for (const each of this.#board.connections) each.packetIn(event);
  }

  /** Tools come and go: only controllers are worth a new look at all datapath flows. */
  #updateMisses(isPrimary: boolean): void {
    if (!this.#closed) this.#board.updateMisses(isPrimary);
  }

  *#primaries(): Iterable<SwitchConnection> {
    for (const { connection } of this.#remotes.values()) if (connection?.isUp) yield connection;
  }

  #tick(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#closed) return;
    const governors = [...this.#remotes.values()].filter((each) => !each.config.isService);
    this.#failOpen.run(this.#failMode, governors, this.#options.clock.now());
    if (governors.length > 0) this.#timer = this.#options.clock.setTimer(TICK_MS, () => this.#tick());
  }

  /** What to say of each controller, by the UUID of its row. */
  controllerStatus(): Map<string, ControllerStatus> {
    return new Map([...this.#remotes].map(([uuid, remote]) => [uuid, remote.status()]));
  }

  /** Compares the switch's ports with what controllers know of them, and tells them what is new. */
  portsChanged(): void {
    const board = this.#board;
    board.ports.update(this.#options.clock.now(), (change, phy, before) =>
      board.portStatus(change, phy, before),
    );
  }

  /** How many connections there are. */
  get size(): number {
    return this.#board.connections.size;
  }

  /** Ends all connections and stops listening. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    const { ofproto } = this.#options;
    ofproto.events = { onPacketIn: () => {}, onFlowRemoved: () => {} };
    for (const remote of this.#remotes.values()) remote.stop();
    this.#remotes.clear();
    const services = [this.#mgmt, ...this.#services.values()];
    this.#services.clear();
    await Promise.all([this.#snoops.close(), ...services.map((each) => each.close())]);
  }
}

/** Whether a connection to one controller also serves the other configuration. */
function isSameController(a: ControllerConfig, b: ControllerConfig): boolean {
  return a.target === b.target && a.isService === b.isService && a.asyncMessages === b.asyncMessages;
}
