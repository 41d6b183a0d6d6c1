/** One bridge at work: its OpenFlow switch, its interfaces in the datapath, and what of them the database is told. */
import { errnoName, strerror } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { OFPP } from '@ovs-node/flow/ports';
import { featuresSpeed } from '@ovs-node/openflow/messages/port';
import type { PhyPort } from '@ovs-node/openflow/messages/types';
import { PC, PS } from '@ovs-node/openflow/messages/types';
import type { DeviceDetails, DpPort, NetdevInfo } from '../dpif/provider.js';
import type { Backer } from '../ofproto/backer.js';
import { Ofproto } from '../ofproto/ofproto.js';
import { ODPP_NONE } from '../ofproto/types.js';
import type { BridgeConfig, InterfaceConfig, PortConfig } from './config.js';
import { datapathIdOf, formatMac, isGlobalMac, macOfUuid, macToBigint, parseMac } from './mac.js';
import type { BridgeState } from './plan.js';
import { isTunnel, notCarried, tunnelProblem } from './tunnel.js';

const log = vlog('bridge');

/** Types of interfaces whose MTU can be asked for. */
const HAS_MTU: ReadonlySet<string> = new Set(['system', 'internal', 'tap']);

const LINK_FEATURES = ['current', 'advertised', 'supported', 'peer'] as const;
const DRIVER = ['name', 'version', 'firmware'] as const;

/** An interface that works. */
export interface LiveInterface {
  readonly config: InterfaceConfig;
  readonly ofport: number;
  /** ODPP_NONE for a patch port and a tunnel. */
  readonly dpPort: number;
  device: NetdevInfo | undefined;
  /** The device's index in the host; 0: it has none, or has gone. */
  ifindex: number;
  /** The device that was there has gone; the port waits for it. */
  isGone: boolean;
}

/** Ports that a datapath keeps across a restart of vswitchd are taken over instead of being added. */
export type Adoptable = ReadonlyMap<string, DpPort>;

export class Bridge implements BridgeState {
  config: BridgeConfig;
  readonly ofproto: Ofproto;
  readonly backer: Backer;
  readonly live = new Map<string, LiveInterface>();
  readonly ports = new Map<string, PortConfig>();
  /** Why an interface does not work, by its name. */
  readonly errors = new Map<string, string>();
  /** The bridge's Ethernet address. */
  mac: Uint8Array;
  /** The bridge's address that its own port was given last; undefined: not known. */
  #localMac: string | undefined;
  readonly #interfaceTypes: ReadonlySet<string>;
  #nextOfport = 1;
  /** What was last said of tables' prefixes, by table. */
  readonly #prefixes = new Map<number, string>();
  /** Numbers that interfaces (by row) had before their device or datapath went away. */
  readonly #remembered = new Map<string, number>();

  constructor(config: BridgeConfig, backer: Backer, interfaceTypes: ReadonlySet<string>, now: number) {
    this.config = config;
    this.#interfaceTypes = interfaceTypes;
    this.backer = backer;
    this.ofproto = new Ofproto(config.name, backer, now);
    this.mac = parseMac(config.hwaddr) ?? macOfUuid(config.uuid);
    log.info(`bridge ${config.name}: using datapath ID ${this.datapathId}`);
  }

  get interfaces(): ReadonlyMap<string, InterfaceConfig> {
    return new Map([...this.live].map(([name, each]) => [name, each.config]));
  }

  get ofports(): ReadonlyMap<string, number> {
    return new Map([...this.live].map(([name, each]) => [name, each.ofport]));
  }

  get datapathId(): string {
    return this.config.datapathId ?? datapathIdOf(this.mac);
  }

  /** Adds an interface; what goes wrong is kept in `errors`. Never rejects. */
  async addInterface(config: InterfaceConfig, adoptable: Adoptable): Promise<void> {
    const { name } = config;
    try {
      if (!this.#interfaceTypes.has(config.type) && !isTunnel(config)) {
        throw new Error(`could not open network device ${name} (${strerror('EAFNOSUPPORT')})`);
      }
      const dpPort = await this.#open(config, adoptable);
      const ofport = this.#number(config);
      const live: LiveInterface = { config, ofport, dpPort, device: undefined, ifindex: 0, isGone: false };
      this.live.set(name, live);
      if (dpPort !== ODPP_NONE) {
        // What cannot be told now will be when the devices are looked at again.
        Object.assign(live, await this.#lookAt(config).catch(() => ({})));
      }
      this.ofproto.addPort({
        name,
        ofport,
        dpPort,
        type: config.type,
        phy: this.#describe(live),
        ...(config.type === 'patch' ? { peer: config.options.get('peer') as string } : {}),
      });
      this.errors.delete(name);
      log.info(`bridge ${this.config.name}: added interface ${name} on port ${ofport & 0xffff}`);
    } catch (error) {
      const text = (error as Error).message;
      // It is tried again and again: once is enough to say why.
      if (this.errors.get(name) !== text) log.warn(text);
      this.errors.set(name, text);
    }
  }

  /** The port's number in the datapath; ODPP_NONE for one that has none. */
  async #open(config: InterfaceConfig, adoptable: Adoptable): Promise<number> {
    if (config.type === 'patch') return this.#checkPatch(config);
    if (!isTunnel(config)) return this.#attach(config, adoptable);
    const problem = tunnelProblem(config);
    if (problem !== undefined) throw new Error(problem);
    log.warn(`${config.name}: ${notCarried(config)}`);
    return ODPP_NONE;
  }

  #checkPatch(config: InterfaceConfig): number {
    const { name, options } = config;
    const peer = options.get('peer');
    if (peer === undefined || peer === '')
      throw new Error(`${name}: patch type requires valid 'peer' argument`);
    if (peer === name) throw new Error(`${name}: patch peer must not be self`);
    return ODPP_NONE;
  }

  async #attach(config: InterfaceConfig, adoptable: Adoptable): Promise<number> {
    const { dpif } = this.backer;
    const { name } = config;
    if (dpif === undefined) {
      throw new Error(`could not add network device ${name} to ofproto (${strerror('ENOTCONN')})`);
    }
    const old = adoptable.get(name);
    if (config.isLocal) this.#localMac = undefined;
    if (old !== undefined) {
      if (old.type === config.type && sameOptions(old.options, config.options)) {
        // The local port's address follows when all ports are there.
        if (!config.isLocal) await this.#setDevice(config, old.portNo);
        return old.portNo;
      }
      await dpif.ports.del(old.portNo);
    }
    if (config.isLocal) this.#localMac = formatMac(this.mac);
    const options = new Map([...config.options, ...this.#deviceOptions(config)]);
    try {
      const wanted = this.config.type === 'dummy' ? await this.#dummyPortNo(name) : undefined;
      return (
        await dpif.ports.add({
          name,
          type: config.type,
          options,
          ...(wanted === undefined ? {} : { portNo: wanted }),
        })
      ).portNo;
    } catch (error) {
      throw new Error(describeFailure(config, error as Error & { code?: string }), { cause: error });
    }
  }

  /** Dummy datapaths number ports by the digits in their names, bridges' own from 100 on, as the peer does. */
  async #dummyPortNo(name: string): Promise<number | undefined> {
    const digits = /\d+/.exec(name)?.[0];
    if (digits === undefined) return undefined;
    const portNo = Number(digits) + (name.startsWith('br') ? 100 : 0);
    const taken = await unlessGone(this.backer.dpif?.ports.get(portNo));
    return portNo > 0 && taken === undefined ? portNo : undefined;
  }

  /** Options that come from columns, and can change while the port is there. */
  #deviceOptions(config: InterfaceConfig): Map<string, string> {
    const options = new Map<string, string>();
    if (config.type === 'internal') {
      const mac = config.isLocal ? formatMac(parseMac(config.mac) ?? this.mac) : config.mac;
      if (mac !== undefined) options.set('mac', mac);
    }
    if (HAS_MTU.has(config.type) && config.mtuRequest !== undefined)
      options.set('mtu_request', String(config.mtuRequest));
    return options;
  }

  /** The OpenFlow number: asked for, or the one that it had, or one that was not used yet. */
  #number(config: InterfaceConfig): number {
    if (config.isLocal) return OFPP.LOCAL;
    const { ofproto } = this;
    for (const wanted of [config.ofportRequest, this.#remembered.get(config.uuid), config.ofportHint]) {
      if (wanted !== undefined && wanted < 0xff00 && ofproto.port(wanted) === undefined) {
        if (wanted >= this.#nextOfport && wanted !== config.ofportRequest) this.#nextOfport = wanted + 1;
        return wanted;
      }
    }
    for (let tries = 0; tries < 0xff00; tries++) {
      const n = this.#nextOfport;
      this.#nextOfport = n + 1 >= 0xff00 ? 1 : n + 1;
      if (ofproto.port(n) === undefined) return n;
    }
    throw new Error(`could not add network device ${config.name} to ofproto (${strerror('EFBIG')})`);
  }

  /** What the host knows of the device of an interface, and its index there. @throws (rejects) when that cannot be told */
  async #lookAt({ name, uuid }: InterfaceConfig): Promise<Pick<LiveInterface, 'device' | 'ifindex'>> {
    const ports = this.backer.dpif?.ports;
    const [device, port] = await Promise.all([
      unlessGone(ports?.netdev(name)),
      unlessGone(ports?.byName(name)),
    ]);
    const ifindex = port?.ifindex ?? 0;
    // A port that is the end of a stream has no address by itself.
    if (device?.mac.every((byte) => byte === 0))
      return { device: { ...device, mac: patchMac(uuid) }, ifindex };
    return { device, ifindex };
  }

  #describe(live: LiveInterface): PhyPort {
    const { config, ofport } = live;
    const { device } = live;
    const link = device?.details?.link;
    const isDown = device !== undefined && !device.up;
    const hasLink = device === undefined || (device.up && device.carrier);
    return {
      portNo: ofport,
      hwAddr: macToBigint(device?.mac ?? (config.isLocal ? this.mac : patchMac(config.uuid))),
      name: config.name,
      config: isDown ? PC.PORT_DOWN : 0,
      state: hasLink ? PS.LIVE : PS.LINK_DOWN,
      curr: link?.current ?? 0,
      advertised: link?.advertised ?? 0,
      supported: link?.supported ?? 0,
      peer: link?.peer ?? 0,
      currSpeed: featuresSpeed(link?.current ?? 0),
      maxSpeed: featuresSpeed(link?.supported ?? 0),
    };
  }

  /**
   * Looks at the devices again, or at the one that `only` names: state changes become port status. True when something
   * changed.
   */
  async refresh(only?: string): Promise<boolean> {
    let changed = false;
    const { dpif } = this.backer;
    for (const live of this.live.values()) {
      if (live.dpPort === ODPP_NONE || (only !== undefined && live.config.name !== only)) continue;
      const seen = await this.#lookAt(live.config).catch(() => undefined);
      // Of a datapath that was let go of meanwhile nothing has been learned.
      if (dpif?.closed === true) return changed;
      if (seen === undefined) continue;
      const { device, ifindex } = seen;
      const isGone = ifindex === 0 && (live.ifindex !== 0 || live.isGone);
      if (isGone && !live.isGone) log.warn(goneText(live.config.name));
      changed ||= ifindex !== live.ifindex;
      live.ifindex = ifindex;
      live.isGone = isGone;
      if (sameDevice(device, live.device)) continue;
      live.device = device;
      const phy = this.ofproto.port(live.ofport)?.phy;
      if (phy === undefined) continue;
      const fresh = this.#describe(live);
      const config = (phy.config & ~PC.PORT_DOWN) | (fresh.config & PC.PORT_DOWN);
      this.ofproto.updatePort(live.ofport, { phy: { ...fresh, config } });
      changed = true;
    }
    return changed;
  }

  /** Changes what can change in place. Never rejects. */
  async changeInterface(config: InterfaceConfig): Promise<void> {
    const live = this.live.get(config.name);
    if (live === undefined) return;
    this.live.set(config.name, { ...live, config });
    const peer = config.options.get('peer');
    if (config.type === 'patch') this.ofproto.updatePort(live.ofport, { peer });
    else if (live.dpPort !== ODPP_NONE) await this.#setDevice(config, live.dpPort);
  }

  /** Gives a device the address and the MTU that are configured. */
  async #setDevice(config: InterfaceConfig, dpPort: number): Promise<void> {
    const options = this.#deviceOptions(config);
    if (options.size === 0) return;
    try {
      await this.backer.dpif?.ports.set(dpPort, options);
    } catch (error) {
      const words = [...options].map(([key, value]) => `${key}=${value}`).join(' ');
      log.warn(`${config.name}: could not set ${words} (${(error as Error).message})`);
    }
  }

  /** Removes an interface; its device stays as it is. Never rejects. */
  async deleteInterface(name: string): Promise<void> {
    const live = this.live.get(name);
    this.errors.delete(name);
    if (live === undefined) return;
    this.forget(name);
    if (live.dpPort === ODPP_NONE) return;
    try {
      await this.backer.dpif?.ports.del(live.dpPort);
    } catch (error) {
      // A device that went away has taken its port with it.
      if ((error as { code?: string }).code !== 'ENODEV')
        log.warn(`could not remove ${name} from datapath (${(error as Error).message})`);
    }
  }

  /** Takes an interface out of the switch whose datapath port is gone already. */
  forget(name: string): void {
    const live = this.live.get(name);
    if (live === undefined) return;
    this.live.delete(name);
    this.#remembered.set(live.config.uuid, live.ofport);
    this.ofproto.delPort(live.ofport);
    log.info(`bridge ${this.config.name}: deleted interface ${name} on port ${live.ofport & 0xffff}`);
  }

  configurePort(config: PortConfig): void {
    this.ports.set(config.name, config);
    const members = config.interfaces
      .map((each) => this.live.get(each.name)?.ofport)
      .filter((each) => each !== undefined);
    if (members.length === 0) {
      this.ofproto.delBundle(config.name);
      return;
    }
    this.ofproto.setBundle({
      name: config.name,
      members,
      vlanMode: config.vlanMode,
      vlan: config.vlan,
      trunks: config.trunks,
      customerVlans: config.customerVlans,
      tunnelType: config.tunnelType,
      priorityTags: config.priorityTags,
      isProtected: config.isProtected,
    });
  }

  deletePort(name: string): void {
    this.ports.delete(name);
    this.ofproto.delBundle(name);
  }

  /** Says which prefixes tables keep track of, where the database chooses anew. */
  #sayPrefixes(config: BridgeConfig): void {
    for (const [id, { prefixes }] of config.tables) {
      if (prefixes === undefined) continue;
      const names = prefixes.length === 0 ? 'none' : prefixes.join(',');
      if (this.#prefixes.get(id) !== names)
        log.info(`bridge ${config.name} table ${id}: Prefix lookup with: ${names}.`);
      this.#prefixes.set(id, names);
    }
  }

  configure(config: BridgeConfig, now: number): void {
    const before = this.datapathId;
    this.config = config;
    this.ofproto.configure(
      {
        forwardBpdu: config.forwardBpdu,
        macAgingTime: config.macAgingTime,
        macTableSize: config.macTableSize,
        floodVlans: config.floodVlans,
        samplesFlows: config.samplesFlows,
      },
      now,
    );
    this.#sayPrefixes(config);
    this.ofproto.tables.configure(new Map(config.tables), now);
    if (this.datapathId !== before) log.info(`bridge ${config.name}: using datapath ID ${this.datapathId}`);
  }

  /** After each round of changes: the bridge's address follows from its ports, and its own port has it. */
  async settle(): Promise<void> {
    this.#forgetUnconfigured();
    const before = this.datapathId;
    this.#chooseMac();
    if (this.datapathId !== before)
      log.info(`bridge ${this.config.name}: using datapath ID ${this.datapathId}`);
    const local = this.live.get(this.config.name);
    const mac = formatMac(this.mac);
    if (local === undefined || local.dpPort === ODPP_NONE || this.#localMac === mac) return;
    this.#localMac = mac;
    await this.#setDevice(local.config, local.dpPort);
  }

  /** Errors and numbers are kept for interfaces that are asked for; a failing one that no longer is ends its retries. */
  #forgetUnconfigured(): void {
    const wanted = [...this.config.ports.values()].flatMap((port) => port.interfaces);
    const names = new Set(wanted.map((each) => each.name));
    const rows = new Set(wanted.map((each) => each.uuid));
    for (const name of this.errors.keys()) if (!names.has(name)) this.errors.delete(name);
    for (const uuid of this.#remembered.keys()) if (!rows.has(uuid)) this.#remembered.delete(uuid);
  }

  /** The lowest vendor's address among the ports', if there is one, is the bridge's. */
  #chooseMac(): void {
    const asked = parseMac(this.config.hwaddr);
    const candidates = [...this.live.values()]
      .filter((each) => !each.config.isLocal && each.config.type === 'system' && each.device !== undefined)
      .map((each) => each.device!.mac)
      .filter(isGlobalMac)
      .map(formatMac)
      .sort();
    this.mac = asked ?? parseMac(candidates[0]) ?? macOfUuid(this.config.uuid);
  }

  async destroy(): Promise<void> {
    for (const name of this.live.keys()) await this.deleteInterface(name);
    this.ofproto.destroy();
  }
}

/** Does a port have these options, whatever the columns of its interface added? */
function sameOptions(have: ReadonlyMap<string, string>, want: ReadonlyMap<string, string>): boolean {
  const own = [...have].filter(([key]) => key !== 'mac' && key !== 'mtu_request');
  return own.length === want.size && own.every(([key, value]) => want.get(key) === value);
}

/** An answer about a device; undefined where there is no such device. @throws (rejects) when that was not answered */
async function unlessGone<T>(answer: Promise<T> | undefined): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (errnoName(error) === 'ENODEV') return undefined;
    throw error;
  }
}

/** What is said of a device that is not there. */
export function goneText(name: string): string {
  return `could not open network device ${name} (${strerror('ENODEV')})`;
}

function sameDevice(a: NetdevInfo | undefined, b: NetdevInfo | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.up === b.up &&
    a.carrier === b.carrier &&
    a.mtu === b.mtu &&
    a.mac.every((byte, i) => byte === b.mac[i]) &&
    sameLink(a.details, b.details)
  );
}

function sameLink(a: DeviceDetails | undefined, b: DeviceDetails | undefined): boolean {
  return (
    a?.linkResets === b?.linkResets &&
    LINK_FEATURES.every((member) => a?.link?.[member] === b?.link?.[member]) &&
    DRIVER.every((member) => a?.driver?.[member] === b?.driver?.[member])
  );
}

/** A port without a device has an address all the same, which stays from start to start. */
export function patchMac(uuid: string): Uint8Array {
  return uuid === '' ? new Uint8Array(6) : macOfUuid(uuid);
}

/** The peer says of a device that cannot be opened something else than of one that cannot be added. */
function describeFailure(config: InterfaceConfig, error: Error & { code?: string }): string {
  const reason = error.code === undefined ? error.message : strerror(error.code);
  if (error.code === 'EINVAL' && config.type === 'stream')
    return `${config.name}: stream type requires valid 'listen' or 'remote' argument`;
  if (error.code === 'ENODEV' && config.type === 'system') return goneText(config.name);
  if (error.code === 'EAFNOSUPPORT') return `could not open network device ${config.name} (${reason})`;
  return `could not add network device ${config.name} to ofproto (${reason})`;
}
