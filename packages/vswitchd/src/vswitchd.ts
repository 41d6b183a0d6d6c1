/**
 * ovs-vswitchd whole: the replica of the database, the datapaths, the switch that carries plans out, the OpenFlow
 * connections of each bridge, and the timers between them.
 */
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { reportMemory } from '@ovs-node/common/memory';
import { setTlsConfig } from '@ovs-node/common/tls-config';
import { vlog } from '@ovs-node/common/vlog';
import { type LockState, Replica } from 'ovsdb-client/replica/replica';
import { vswitchSchema } from 'ovsdb-client/vswitch/schema';
import { AutoVifs } from './bridge/auto-vifs.js';
import type { Bridge } from './bridge/bridge.js';
import { type SwitchConfig, type VswitchReplica, readConfig } from './bridge/config.js';
import { type DatapathsOptions, Datapaths } from './bridge/datapaths.js';
import { writeStatistics, writeStatus } from './bridge/status.js';
import { Switch } from './bridge/switch.js';
import { ConnectionManager } from './connmgr/connection-manager.js';
import type { ControllerStatus } from './connmgr/types.js';

const log = vlog('vswitchd');

/** Held by the one switch that serves a database. */
const LOCK = 'ovs_vswitchd';
/** How often controller states are told. */
const STATUS_INTERVAL_MS = 1000;
/** How often all devices are looked at, although the datapath tells of their changes. */
const REFRESH_INTERVAL_MS = 5000;
/** How often flows and learned addresses age. */
const EXPIRY_INTERVAL_MS = 1000;

export interface VswitchdOptions extends DatapathsOptions {
  readonly remote: string;
  readonly clock: Clock;
  readonly rundir: string;
  /** What `datapath_types` and `iface_types` of the database say. */
  readonly datapathTypes: readonly string[];
  readonly interfaceTypes: readonly string[];
}

export class Vswitchd {
  readonly replica: VswitchReplica;
  readonly datapaths: Datapaths;
  readonly switch: Switch;
  readonly connections = new Map<string, ConnectionManager>();
  readonly #options: VswitchdOptions;
  readonly #autoVifs: AutoVifs;
  readonly #timers = new Set<Timer>();
  #config: SwitchConfig | undefined;
  /** What `next_cfg` was when the configuration being applied was read. */
  #nextCfg: number | undefined;
  #appliedCfg: number | undefined;
  #writing = false;
  #writeAgain = false;
  #applied: () => void = () => undefined;
  #stopped = false;

  constructor(options: VswitchdOptions) {
    this.#options = options;
    this.replica = new Replica({
      remote: options.remote,
      database: 'Open_vSwitch',
      schema: vswitchSchema(),
      lock: LOCK,
      clock: options.clock,
    });
    this.datapaths = new Datapaths({ ...options, maxIdleMs: () => this.#config?.maxIdleMs });
    this.switch = new Switch(this.datapaths, options.clock, {
      interfaceTypes: new Set(options.interfaceTypes),
      config: () => this.#readConfig(),
      applied: () => this.#wasApplied(),
      bridgeAdded: (bridge) => this.#bridgeAdded(bridge),
      bridgeConfigured: (bridge) => this.#bridgeConfigured(bridge),
      bridgeRemoved: (bridge) => this.#bridgeRemoved(bridge),
    });
    this.datapaths.onPortChanged((type, name) => {
      this.#refresh(type, name).catch((error: unknown) => log.dbg(`${name}: ${errorMessage(error)}`));
    });
    reportMemory((add) => this.#reportMemory(add));
    // Before the connections of bridges that the same change asks for.
    this.replica.onChange(() => this.#configureTls());
    // What we write ourselves comes back as well: the plan for it is empty.
    this.replica.onChange(() => this.switch.request());
    this.#autoVifs = new AutoVifs(this.replica, (type) => this.datapaths.provider(type));
    this.datapaths.onReady((type) => void this.#autoVifs.follow(type));
    this.datapaths.onLost((type) => this.#autoVifs.forget(type));
    this.replica.onChange(() => this.#autoVifs.request());
    this.replica.onLock((lock) => this.#locked(lock));
  }

  /** The SSL table. Files that change later are read again by the connections that need them. */
  #configureTls(): void {
    const [root] = this.replica.rows('Open_vSwitch');
    const ssl = this.replica.row('SSL', root?.ssl);
    if (ssl === undefined) return;
    setTlsConfig({
      privateKey: ssl.private_key,
      certificate: ssl.certificate,
      caCert: ssl.ca_cert,
      bootstrap: ssl.bootstrap_ca_cert,
    });
  }

  #reportMemory(add: (name: string, count: number) => void): void {
    for (const table of this.replica.schema?.tables.values() ?? []) {
      add('idl-cells-Open_vSwitch', this.replica.table(table.name).size * table.columns.length);
    }
    for (const { ofproto, live } of this.switch.bridges.values()) {
      add('ports', live.size);
      add('rules', ofproto.tables.size);
    }
    for (const { udpif } of new Set([...this.switch.bridges.values()].map(({ backer }) => backer))) {
      if (udpif === undefined) continue;
      add('handlers', 1);
      add('revalidators', 1);
      if (udpif.ukeys.size > 0) add('udpif keys', udpif.ukeys.size);
    }
    for (const { size } of this.connections.values()) if (size > 0) add('ofconns', size);
  }

  /** The clock that bridges live by. */
  get clock(): Clock {
    return this.#options.clock;
  }

  /** Resolves when the first configuration has been applied. */
  start(): Promise<void> {
    const first = new Promise<void>((done) => (this.#applied = done));
    this.replica.start();
    this.#every(STATUS_INTERVAL_MS, () => this.#writeStatus());
    this.#every(REFRESH_INTERVAL_MS, () => this.#refresh());
    this.#every(EXPIRY_INTERVAL_MS, () => this.#expire());
    this.#every(
      () => this.#config?.statsIntervalMs ?? 5000,
      () => this.#statistics(),
    );
    return first;
  }

  /** Removes all bridges from their datapaths, which `stop` would leave there. */
  async cleanUp(): Promise<void> {
    this.switch.stop();
    for (const bridge of this.switch.bridges.values()) await bridge.destroy();
  }

  /** Stops, leaving the datapath as it is, so that what flows goes on flowing. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.cancel();
    this.switch.stop();
    for (const connections of this.connections.values()) await connections.close();
    this.datapaths.stop();
    this.replica.close();
  }

  #every(interval: number | (() => number), work: () => Promise<void> | void): void {
    let timer: Timer;
    const arm = (): void => {
      timer = this.#options.clock.setTimer(
        typeof interval === 'number' ? interval : interval(),
        () => void run(),
      );
      this.#timers.add(timer);
    };
    const run = async (): Promise<void> => {
      this.#timers.delete(timer);
      try {
        await work();
      } catch (error) {
        log.dbg(`periodic work: ${errorMessage(error)}`);
      }
      if (!this.#stopped) arm();
    };
    arm();
  }

  #locked(lock: LockState): void {
    if (lock === 'waiting') {
      const { pid } = process;
      vlog('bridge').err(
        `another ovs-vswitchd process is running, disabling this process (pid ${pid}) until it goes away`,
      );
    } else if (lock === 'held') {
      this.switch.request();
      this.#autoVifs.request();
    }
  }

  /** Whether the database is ours to follow and to write to. */
  get #isInCharge(): boolean {
    return this.replica.state === 'live' && this.replica.lock === 'held';
  }

  #readConfig(): SwitchConfig | undefined {
    if (!this.#isInCharge) return undefined;
    const [root] = this.replica.rows('Open_vSwitch');
    this.#nextCfg = root?.next_cfg;
    this.#config = readConfig(this.replica);
    return this.#config;
  }

  #wasApplied(): void {
    this.#appliedCfg = this.#nextCfg;
    for (const connections of this.connections.values()) connections.portsChanged();
    void this.#writeStatus().then(() => this.#applied());
  }

  #bridgeAdded(bridge: Bridge): void {
    const { clock, rundir } = this.#options;
    const connections = new ConnectionManager({
      ofproto: bridge.ofproto,
      clock,
      rundir,
      datapathId: () => BigInt(`0x${bridge.datapathId}`),
      bundleIdleMs: () => this.#config?.bundleIdleMs,
      description: () => bridge.config.description,
    });
    this.connections.set(bridge.config.name, connections);
    connections.listen().catch((error: unknown) => {
      log.warn(`${bridge.config.name}: could not listen for OpenFlow connections (${errorMessage(error)})`);
    });
  }

  #bridgeConfigured(bridge: Bridge): void {
    const { controllers, protocols, failMode } = bridge.config;
    this.connections.get(bridge.config.name)?.configure({ controllers, protocols, failMode });
  }

  #bridgeRemoved(bridge: Bridge): void {
    const connections = this.connections.get(bridge.config.name);
    this.connections.delete(bridge.config.name);
    void connections?.close();
  }

  /** Writes the status; calls while a write is under way become one more write after it. */
  async #writeStatus(): Promise<void> {
    this.#writeAgain = true;
    if (this.#writing) return;
    this.#writing = true;
    try {
      while (this.#writeAgain && !this.#stopped && this.#isInCharge) {
        this.#writeAgain = false;
        await writeStatus(this.replica, {
          bridges: this.switch.bridges.values(),
          controllers: this.#controllerStatus(),
          hasDatapath: (type) => this.datapaths.backer(type)?.dpif !== undefined,
          root: {
            datapath_types: [...this.#options.datapathTypes].sort(),
            iface_types: [...this.#options.interfaceTypes].sort(),
            dpdk_initialized: false,
            dpdk_version: 'none',
          },
          curCfg: this.#appliedCfg,
        });
      }
    } catch (error) {
      log.dbg(`status not written: ${errorMessage(error)}`);
    } finally {
      this.#writing = false;
    }
  }

  #controllerStatus(): Map<string, ControllerStatus> {
    return new Map([...this.connections.values()].flatMap((each) => [...each.controllerStatus()]));
  }

  /** Looks at the devices of all interfaces, or at the one of this name. */
  async #refresh(type?: string, name?: string): Promise<void> {
    if (!this.#isInCharge) return;
    let changed = false;
    for (const bridge of this.switch.bridges.values()) {
      if (type !== undefined && bridge.config.type !== type) continue;
      if (!(await bridge.refresh(name))) continue;
      changed = true;
      this.connections.get(bridge.config.name)?.portsChanged();
    }
    // The status of all ports is looked through: not for each of many that are added, of which nothing is new.
    if (changed || name === undefined) await this.#writeStatus();
  }

  #expire(): void {
    const now = this.#options.clock.now();
    for (const bridge of this.switch.bridges.values()) bridge.ofproto.runExpiry(now);
    for (const backer of this.datapaths.backers()) backer.runReleases();
  }

  async #statistics(): Promise<void> {
    if (this.#isInCharge) await writeStatistics(this.replica, [...this.switch.bridges.values()]);
  }
}
