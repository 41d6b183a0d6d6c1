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
import { WHOLE_PACKET } from '@ovs-node/openflow/messages/types';
import { VERSIONS, versionFromName } from '@ovs-node/openflow/version';
import type { ControllerConfig } from '../bridge/config.js';
import type { PacketInEvent } from '../ofproto/types.js';
import { SwitchConnection } from './connection.js';
import { FailOpen } from './fail-open.js';
import { handleRequest, refusal } from './handlers.js';
import { Remote, type RemoteEvents } from './remote.js';
import { Service, type ServiceConfig } from './service.js';
import { Snoops } from './snoop.js';
import { Switchboard } from './switchboard.js';
import { targetProblem } from './target.js';
import type { ConnectionConfig, ConnectionManagerOptions, ControllerStatus } from './types.js';

export type { ConnectionConfig, ConnectionManagerOptions, ControllerStatus } from './types.js';

const log = vlog('connmgr');

const TICK_MS = 1000;
/** Tools at BRIDGE.mgmt are not probed, and get all that they ask for. */
const MANAGEMENT: ServiceConfig = {
  probeIntervalMs: 0,
  asyncMessages: true,
  packetLimits: { rate: 0, burst: 0 },
};
/** Offered when the bridge's `protocols` are empty. */
const DEFAULT_VERSIONS = VERSIONS.reduce((bits, { version }) => bits | (1 << version), 0);

export class ConnectionManager {
  readonly #options: ConnectionManagerOptions;
  readonly #board: Switchboard;
  readonly #bridge: string;
  readonly #snoops: Snoops;
  readonly #failOpen: FailOpen;
  readonly #mgmt: Service;
  /** By their targets, which make them what they are: rows of the Controller table may take the place of others. */
  readonly #remotes = new Map<string, Remote>();
  readonly #services = new Map<string, Service>();
  #failMode: ConnectionConfig['failMode'] = 'standalone';
  /** Versions that the bridge is to speak, none where it says nothing of them. */
  #protocols = 0;
  #problems: ReadonlySet<string> = new Set();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ConnectionManagerOptions) {
    const { ofproto, rundir } = options;
    this.#options = options;
    this.#board = new Switchboard(options);
    this.#bridge = ofproto.name;
    this.#failOpen = new FailOpen(ofproto, (packetIn) =>
      this.#packetIn({ packetIn, maxLen: WHOLE_PACKET, controllerId: 0 }),
    );
    this.#snoops = new Snoops(
      this.#bridge,
      () => this.#versions,
      () => this.#primaries(),
    );
    this.#mgmt = this.#service(`punix:${path.join(rundir, `${this.#bridge}.mgmt`)}`, MANAGEMENT);
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
    const wanted = new Map(this.#usable(config.controllers).map((each) => [each.target, each]));
    for (const [target, remote] of this.#remotes) if (!wanted.has(target)) this.#drop(target, remote);
    for (const [target, service] of this.#services) {
      if (wanted.has(target)) continue;
      this.#services.delete(target);
      void service.close();
    }
    this.#setProtocols(config.protocols);
    for (const [target, each] of wanted) {
      const known = this.#remotes.get(target) ?? this.#services.get(target);
      if (known) known.configure(each);
      else if (isPassiveName(target)) this.#addService(each);
      else this.#addRemote(each);
    }
    const hasControllers = this.#governors.length > 0;
    this.#options.ofproto.setControl(config.failMode, hasControllers, this.#options.clock.now());
    this.portsChanged();
    this.#tick();
  }

  /** The controllers that govern the switch. */
  get #governors(): readonly Remote[] {
    return [...this.#remotes.values()].filter((each) => each.governs);
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

  /** Takes over the versions to speak. Where they change, all connections begin anew, whatever they speak. */
  #setProtocols(names: readonly string[]): void {
    let protocols = 0;
    for (const name of names) {
      const version = versionFromName(name);
      if (version !== undefined) protocols |= 1 << version;
    }
    if (this.#protocols === protocols) return;
    this.#protocols = protocols;
    for (const service of [this.#mgmt, ...this.#services.values()]) service.disconnect();
    for (const remote of this.#remotes.values()) {
      const { target } = remote.config;
      log.info(
        `${this.#bridge}: Changes to controller "${target}" expects re-initialization: Re-initializing now.`,
      );
      remote.stop();
      this.#addRemote(remote.config);
    }
  }

  /** Bitmap of the versions that are spoken. */
  get #versions(): number {
    return this.#protocols === 0 ? DEFAULT_VERSIONS : this.#protocols;
  }

  #drop(target: string, remote: Remote): void {
    log.info(`${this.#bridge}: removed primary controller "${target}"`);
    this.#remotes.delete(target);
    remote.stop();
  }

  #addRemote(config: ControllerConfig): void {
    const { target } = config;
    log.info(`${this.#bridge}: added ${config.isService ? 'service' : 'primary'} controller "${target}"`);
    const remote: Remote = new Remote(this.#bridge, config, this.#options.clock, {
      open: (stream, events) => this.#open(stream, `${this.#bridge}<->${target}`, events, remote),
      ...(this.#options.connect ? { connect: this.#options.connect } : {}),
    });
    this.#remotes.set(target, remote);
  }

  #addService(config: ControllerConfig): void {
    log.info(`${this.#bridge}: added service controller "${config.target}"`);
    const service = this.#service(config.target, config);
    this.#services.set(config.target, service);
    void service.listen();
  }

  #service(target: string, { probeIntervalMs, asyncMessages, packetLimits }: ServiceConfig): Service {
    return new Service({
      target,
      bridge: this.#bridge,
      clock: this.#options.clock,
      probeIntervalMs,
      asyncMessages,
      packetLimits,
      open: (stream, name, events) => this.#open(stream, name, events),
    });
  }

  /** @param remote whom the switch has connected to; undefined: who has connected to it. */
  #open(stream: Duplex, name: string, events: RemoteEvents, remote?: Remote): SwitchConnection {
    const board = this.#board;
    const isPrimary = remote !== undefined && !remote.config.isService;
    return new SwitchConnection(stream, {
      name,
      kind: isPrimary ? 'primary' : 'service',
      versions: this.#versions,
      refuses: refusal,
      clock: this.#options.clock,
      tunnelOptionBits: (index) => board.ofproto.tables.tlv.bits(index),
      bundleIdleMs: this.#options.bundleIdleMs,
      handle: (msg, context) => {
        remote?.received(msg.type);
        return handleRequest(board, msg, context);
      },
      onReady: (connection) => {
        board.connections.add(connection);
        this.#updateMisses(isPrimary);
        events.ready();
      },
      onClose: (connection, reason) => {
        board.connections.delete(connection);
        board.monitors.ended(connection);
        this.#updateMisses(isPrimary);
        this.#snoops.ended(connection);
        events.closed(reason);
      },
      onActivity: events.activity,
      ...(isPrimary
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
    const governors = this.#governors;
    this.#failOpen.run(this.#failMode, governors, this.#options.clock.now());
    if (governors.length > 0) this.#timer = this.#options.clock.setTimer(TICK_MS, () => this.#tick());
  }

  /** What to say of each controller, by the UUID of its row. */
  controllerStatus(): Map<string, ControllerStatus> {
    return new Map([...this.#remotes.values()].map((remote) => [remote.config.uuid, remote.status()]));
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
