/**
 * Datapaths by type, each with its provider and its backer: opened (or created) when the device is reachable, and
 * given to the backer, which the bridges share.
 */
import type { Clock } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { getVlanLimit, setVlanLimit } from '@ovs-node/flow/extract';
import type { DeviceProvider } from '../dpif/dpif.js';
import type { Dpif, DpPort } from '../dpif/provider.js';
import { Backer } from '../ofproto/backer.js';
import { Udpif } from '../ofproto/udpif.js';
import type { Bridge } from './bridge.js';

const log = vlog('dpif');

export interface DatapathsOptions {
  readonly clock: Clock;
  /** Makes the provider of a datapath type; undefined for a type that this process does not have. */
  readonly provider: (type: string) => DeviceProvider | undefined;
  /** How long a datapath flow may be idle, ms, as the database says now. */
  readonly maxIdleMs?: () => number | undefined;
}

interface Entry {
  readonly backer: Backer;
  readonly provider: DeviceProvider;
  /** The first attempt to connect, successful or not. */
  started: Promise<void>;
  opening: Promise<void> | undefined;
  /** Upcalls and revalidation. */
  readonly udpif: Udpif;
  /** Ports that were there when the datapath was opened and nobody has claimed yet. */
  found: Map<string, DpPort>;
}

export class Datapaths {
  readonly #options: DatapathsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #ready: ((type: string) => void)[] = [];
  readonly #lost: ((type: string) => void)[] = [];
  readonly #gone: ((type: string, name: string) => void)[] = [];
  readonly #changed: ((type: string, name: string) => void)[] = [];

  constructor(options: DatapathsOptions) {
    this.#options = options;
  }

  /** A datapath of this type was opened. */
  onReady(listener: (type: string) => void): void {
    this.#ready.push(listener);
  }
  onLost(listener: (type: string) => void): void {
    this.#lost.push(listener);
  }
  /** A port left a datapath without our doing. */
  onPortGone(listener: (type: string, name: string) => void): void {
    this.#gone.push(listener);
  }

  /** A port's device changed: went up or down, got another address or MTU. */
  onPortChanged(listener: (type: string, name: string) => void): void {
    this.#changed.push(listener);
  }

  backers(): Backer[] {
    return [...this.#entries.values()].map((entry) => entry.backer);
  }

  /** The backer of a type that `prepare` was told of; undefined when the type is unknown. */
  backer(type: string): Backer | undefined {
    return this.#entries.get(type)?.backer;
  }

  types(): string[] {
    return [...this.#entries.keys()];
  }

  /** What handles upcalls and revalidates, by datapath type. */
  udpifs(): Udpif[] {
    return [...this.#entries.values()].map((entry) => entry.udpif);
  }

  provider(type: string): DeviceProvider | undefined {
    return this.#entries.get(type)?.provider;
  }

  adoptable(type: string): ReadonlyMap<string, DpPort> {
    return this.#entries.get(type)?.found ?? new Map();
  }

  /** Sees to it that datapaths of these types are being served, and waits for the first attempt of each. */
  async prepare(types: ReadonlySet<string>): Promise<void> {
    for (const type of types) if (!this.#entries.has(type)) this.#add(type);
    await Promise.all([...this.#entries.values()].map((entry) => entry.started.then(() => entry.opening)));
  }

  /** How many VLAN tags of packets are parsed (0 to 2), here and in the datapaths. */
  async limitVlans(limit: number): Promise<void> {
    if (limit === getVlanLimit()) return;
    setVlanLimit(limit);
    for (const { backer } of this.#entries.values()) {
      await backer.dpif?.setVlanLimit(limit);
      backer.changed('configuration');
    }
  }

  #add(type: string): void {
    const provider = this.#options.provider(type);
    if (provider === undefined) return;
    const backer = new Backer(type);
    const entry: Entry = {
      backer,
      udpif: new Udpif(backer, this.#options.clock, this.#options.maxIdleMs),
      provider,
      started: Promise.resolve(),
      opening: undefined,
      found: new Map(),
    };
    this.#entries.set(type, entry);
    provider.onConnected(() => {
      entry.opening = this.#openDatapath(type, entry);
    });
    provider.onDisconnected(() => this.#close(type, entry));
    entry.started = provider.start();
  }

  async #openDatapath(type: string, entry: Entry): Promise<void> {
    const { backer, provider } = entry;
    try {
      const dpif = await openOrCreate(provider, backer.dpName);
      await dpif.setVlanLimit(getVlanLimit());
      entry.found = new Map((await dpif.ports.dump()).map((port) => [port.name, port]));
      await dpif.ports.watch((event) => {
        const listeners = event.type === 'deleted' ? this.#gone : this.#changed;
        for (const listener of listeners) listener(type, event.port.name);
      });
      await entry.udpif.attach(dpif);
      await this.#installMeters(entry, dpif);
      for (const listener of this.#ready) listener(type);
    } catch (error) {
      log.warn(`${type}@${backer.dpName}: failed to open datapath (${errorMessage(error)})`);
    }
  }

  /** Meters of an earlier run go, those that the bridges have come (again). */
  async #installMeters({ backer }: Entry, dpif: Dpif): Promise<void> {
    await Promise.all((await dpif.meters.list()).map((id) => dpif.meters.del(id)));
    for (const ofproto of backer.ofprotos()) ofproto.meters.install();
  }

  #close(type: string, entry: Entry): void {
    entry.udpif.detach();
    entry.found.clear();
    for (const listener of this.#lost) listener(type);
  }

  /** Deletes ports that were found in a datapath and belong to no bridge. */
  async sweep(bridges: Iterable<Bridge>): Promise<void> {
    const all = [...bridges];
    for (const [type, entry] of this.#entries) {
      if (entry.found.size === 0) continue;
      for (const port of entry.found.values()) {
        const isClaimed = all.some((bridge) => bridge.config.type === type && bridge.live.has(port.name));
        // The datapath's own port has its name and number 0.
        if (isClaimed || port.portNo === 0) continue;
        await entry.backer.dpif?.ports.del(port.portNo).catch((error: unknown) => {
          log.warn(`${type}: could not remove stale port ${port.name} (${errorMessage(error)})`);
        });
      }
      entry.found.clear();
    }
  }

  /** Lets go of all datapaths; those of the service live on. */
  stop(): void {
    for (const { udpif, provider } of this.#entries.values()) {
      udpif.detach();
      provider.close();
    }
  }
}

async function openOrCreate(provider: DeviceProvider, name: string): Promise<Dpif> {
  try {
    return await provider.open(name);
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENODEV') throw error;
    return provider.create(name);
  }
}
