/**
 * The one dpif: datapaths over a pseudo `Device`. `DeviceProvider` keeps (and, when asked to, regains) the connection;
 * `DeviceDpif` is one open datapath, alive as long as the connection is.
 */
import type { Clock, Timer } from '@ovs-node/common/clock';
import { errorMessage } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { NlReader } from '@ovs-node/netlink/attr';
import { decodeAttrs, encodeAttrs } from '@ovs-node/netlink/attr-table';
import type { Device } from '@ovs-node/netlink/device';
import { DP_ATTRS, DpCmd, DpFeature, Family, FamilyVersion } from '@ovs-node/netlink/families';
import { KERNEL_ENCODING, USERSPACE_ENCODING } from '@ovs-node/netlink/key';
import { type MsgReader, NlFlag } from '@ovs-node/netlink/messages';
import { hostMonotonicMs } from '@ovs-node/netlink/monotonic';
import { Conntrack } from './conntrack.js';
import { Flows } from './flows.js';
import { Meters } from './meters.js';
import { listNics, watchNics } from './nics.js';
import { Packets } from './packets.js';
import { Ports } from './ports.js';
import type { Dpif, DpifProvider, DpStats } from './provider.js';
import { NetlinkSession, type RequestHead, errnoError, nextOfDump } from './session.js';

const log = vlog('dpif');
/** Between attempts to reach a datapath service that is not there. */
const RETRY_MS = 500;

export interface ProviderOptions {
  /** `system`, `netdev`, `dummy`. */
  readonly type: string;
  readonly device: Device;
  /** Needed to reconnect (`start`). */
  readonly clock?: Clock;
  /** The clock of OVS_FLOW_ATTR_USED; the host's monotonic one by default. An in-process datapath's own clock else. */
  readonly usedNow?: () => number;
}

function head(cmd: number, dpIfindex = 0, flags = 0): RequestHead {
  return { type: Family.DATAPATH, cmd, version: FamilyVersion.DATAPATH, dpIfindex, flags };
}

function nameOf(msg: MsgReader): string {
  return decodeAttrs(DP_ATTRS, msg.buf, msg.attrs, msg.end).NAME ?? '';
}

/** Datapaths over a device. Either `connect` once (a tool), or `start` and be told of connections (a daemon). */
export class DeviceProvider implements DpifProvider {
  readonly type: string;
  readonly #options: ProviderOptions;
  readonly #up: (() => void)[] = [];
  readonly #down: (() => void)[] = [];
  readonly #open = new Set<DeviceDpif>();
  #session: NetlinkSession | null = null;
  #started = false;
  #closed = false;
  #retry: Timer | null = null;
  #complained = false;

  constructor(options: ProviderOptions) {
    this.type = options.type;
    this.#options = options;
  }

  get connected(): boolean {
    return this.#session !== null;
  }

  onConnected(listener: () => void): void {
    this.#up.push(listener);
  }

  onDisconnected(listener: () => void): void {
    this.#down.push(listener);
  }

  /** Connects once. Rejects with the `OvsError` of the device: ECONNREFUSED, ENOENT… when nobody serves it. */
  async connect(): Promise<void> {
    const session = await NetlinkSession.open(this.#options.device, () => this.#lost(session));
    if (this.#closed) {
      session.close();
      throw errnoError(107);
    }
    this.#session = session;
    this.#complained = false;
    for (const listener of this.#up) listener();
  }

  /** Connects, and connects again whenever the connection is lost, until `close`. Never rejects. */
  async start(): Promise<void> {
    this.#started = true;
    this.#retry = null;
    try {
      await this.connect();
    } catch (error) {
      if (this.#closed) return;
      if (!this.#complained)
        log.warn(`${this.type} datapath: connection attempt failed (${errorMessage(error)})`);
      this.#complained = true;
      this.#retryLater();
    }
  }

  #retryLater(): void {
    const { clock } = this.#options;
    if (clock === undefined) throw new Error('a provider that reconnects needs a clock');
    this.#retry = clock.setTimer(RETRY_MS, () => void this.start());
  }

  #lost(session: NetlinkSession): void {
    if (this.#session !== session) return;
    this.#session = null;
    for (const dpif of this.#open) dpif.close();
    this.#open.clear();
    for (const listener of this.#down) listener();
    if (!this.#started || this.#closed) return;
    log.warn(`${this.type} datapath: connection lost`);
    this.#retryLater();
  }

  #live(): NetlinkSession {
    if (this.#session === null) throw errnoError(107);
    return this.#session;
  }

  async list(): Promise<string[]> {
    const names: string[] = [];
    for await (const part of this.#live().dump(head(DpCmd.GET), () => {})) {
      while (nextOfDump(part)) names.push(nameOf(part));
    }
    return names.toSorted();
  }

  async nics(): Promise<ReadonlySet<string>> {
    return listNics(this.#live());
  }

  async watchNics(changed: () => void): Promise<void> {
    return watchNics(this.#live(), changed);
  }

  async open(name: string): Promise<Dpif> {
    const session = this.#live();
    return this.#dpif(
      session,
      await session.query(head(DpCmd.GET), (w) => w.putString(DP_ATTRS.NAME.code, name)),
    );
  }

  async create(name: string): Promise<Dpif> {
    const session = this.#live();
    const msg = await session.query(head(DpCmd.NEW, 0, NlFlag.ECHO), (w) =>
      encodeAttrs(w, DP_ATTRS, {
        NAME: name,
        UPCALL_PID: 0,
        USER_FEATURES: DpFeature.UNALIGNED | DpFeature.VPORT_PIDS,
      }),
    );
    return this.#dpif(session, msg);
  }

  #dpif(session: NetlinkSession, msg: MsgReader): DeviceDpif {
    const dpif = new DeviceDpif(this.#options, session, nameOf(msg), msg.dpIfindex, () =>
      this.#open.delete(dpif),
    );
    this.#open.add(dpif);
    return dpif;
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#session?.close();
  }
}

class DeviceDpif implements Dpif {
  readonly type: string;
  readonly name: string;
  readonly index: number;
  readonly ports: Ports;
  readonly flows: Flows;
  readonly packets: Packets;
  readonly conntrack: Conntrack;
  readonly meters: Meters;
  readonly #session: NetlinkSession;
  readonly #onClose: () => void;
  #closed = false;

  constructor(
    options: ProviderOptions,
    session: NetlinkSession,
    name: string,
    index: number,
    onClose: () => void,
  ) {
    const encoding = options.type === 'system' ? KERNEL_ENCODING : USERSPACE_ENCODING;
    this.type = options.type;
    this.name = name;
    this.index = index;
    this.#session = session;
    this.#onClose = onClose;
    this.ports = new Ports(session, index);
    this.flows = new Flows(session, index, encoding, options.usedNow ?? hostMonotonicMs);
    this.packets = new Packets(session, options.device, index, this.ports, encoding);
    this.conntrack = new Conntrack(session, index);
    this.meters = new Meters(session, index);
  }

  get closed(): boolean {
    return this.#closed;
  }

  async stats(): Promise<DpStats> {
    const msg = await this.#session.query(head(DpCmd.GET, this.index), () => {});
    const a = decodeAttrs(DP_ATTRS, msg.buf, msg.attrs, msg.end);
    const r = new NlReader(a.STATS ?? new Uint8Array(32));
    r.offset = 0;
    const stats = {
      hit: r.u64n(0),
      missed: r.u64n(8),
      lost: r.u64n(16),
      flows: r.u64n(24),
      userFeatures: a.USER_FEATURES ?? 0,
    };
    if (a.MEGAFLOW_STATS === undefined) return stats;
    r.reset(a.MEGAFLOW_STATS).offset = 0;
    return { ...stats, masks: { hit: r.u64n(0), total: r.u32(8), cacheHit: r.u64n(16) } };
  }

  async setFeatures(features: number): Promise<void> {
    await this.#session.transact(head(DpCmd.SET, this.index), (w) =>
      encodeAttrs(w, DP_ATTRS, { USER_FEATURES: features }),
    );
  }

  async setVlanLimit(limit: number): Promise<void> {
    await this.#session.transact(head(DpCmd.SET, this.index), (w) =>
      encodeAttrs(w, DP_ATTRS, { VLAN_LIMIT: limit }),
    );
  }

  async destroy(): Promise<void> {
    await this.#session.transact(head(DpCmd.DEL, this.index), () => {});
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.packets.close();
    this.ports.close();
    this.conntrack.close();
    this.#onClose();
  }
}
