/** The ports facet: ovs_vport and ovs_win_netdev requests. */
import { coverageCounter } from '@ovs-node/common/coverage';
import { NlReader, NlWriter } from '@ovs-node/netlink/attr';
import { decodeAttrs, encodeAttrs } from '@ovs-node/netlink/attr-table';
import {
  Family,
  FamilyVersion,
  McGroup,
  VPORT_ATTRS,
  VPORT_OPTIONS,
  VPORT_TYPE_NAMES,
  VportCmd,
  VportType,
  WIN_NETDEV_ATTRS,
  WinNetdevCmd,
} from '@ovs-node/netlink/families';
import { type MsgReader, NlFlag } from '@ovs-node/netlink/messages';
import { netdevOf } from './netdev.js';
import type {
  DpifPorts,
  DpPort,
  NetdevInfo,
  PortAdd,
  PortCounters,
  PortEvent,
  PortStats,
} from './provider.js';
import { type NetlinkSession, type RequestHead, errnoError, nextOfDump } from './session.js';

const typeByName = new Map(Object.entries(VPORT_TYPE_NAMES).map(([code, name]) => [name, Number(code)]));
// The names that the userspace datapath types use for the port kinds of the datapath.
typeByName.set('dummy-internal', VportType.INTERNAL);
typeByName.set('', VportType.NETDEV);

/** Struct ovs_vport_stats, 64 bytes. */
function statsOf(bytes: Uint8Array | undefined): PortStats {
  const r = new NlReader(bytes ?? new Uint8Array(64));
  r.offset = 0;
  return {
    rxPackets: r.u64n(0),
    txPackets: r.u64n(8),
    rxBytes: r.u64n(16),
    txBytes: r.u64n(24),
    rxErrors: r.u64n(32),
    txErrors: r.u64n(40),
    rxDropped: r.u64n(48),
    txDropped: r.u64n(56),
  };
}

function optionsOf(bytes: Uint8Array | undefined): Map<string, string> {
  const options = new Map<string, string>();
  if (bytes === undefined) return options;
  const r = new NlReader(bytes);
  while (r.next()) {
    if (r.type === VPORT_OPTIONS.DST_PORT.code && r.length === 2) options.set('dst_port', String(r.u16()));
    if (r.type !== VPORT_OPTIONS.OPTION.code) continue;
    const text = r.string();
    const eq = text.indexOf('=');
    if (eq > 0) options.set(text.slice(0, eq), text.slice(eq + 1));
  }
  return options;
}

function putOptions(w: NlWriter, options: Iterable<readonly [string, string]> | undefined): void {
  const list = [...(options ?? [])];
  if (list.length === 0) return;
  w.nested(VPORT_ATTRS.OPTIONS.code, () => {
    for (const [key, value] of list) {
      if (key === 'dst_port' && /^\d+$/.test(value)) w.putU16(VPORT_OPTIONS.DST_PORT.code, Number(value));
      w.putString(VPORT_OPTIONS.OPTION.code, `${key}=${value}`);
    }
  });
}

const portAdd = coverageCounter('dpif_port_add');
const portDel = coverageCounter('dpif_port_del');

/** Decodes the vport message at which `msg` stands. Throws `NetlinkError` when it is malformed. */
export function portOf(msg: MsgReader): DpPort {
  const a = decodeAttrs(VPORT_ATTRS, msg.buf, msg.attrs, msg.end);
  const type = a.TYPE ?? 0;
  return {
    portNo: a.PORT_NO ?? 0,
    name: a.NAME ?? '',
    type: VPORT_TYPE_NAMES[type] ?? `type${type}`,
    options: optionsOf(a.OPTIONS),
    stats: statsOf(a.STATS),
    ifindex: a.IFINDEX ?? 0,
  };
}

export class Ports implements DpifPorts {
  readonly #session: NetlinkSession;
  readonly #index: number;
  readonly #listeners: ((event: PortEvent) => void)[] = [];
  #onEvent: ((msg: MsgReader) => void) | null = null;
  /** PIDs that new ports send upcalls to; empty before upcalls are wanted. */
  #pids: readonly number[] = [];

  constructor(session: NetlinkSession, index: number) {
    this.#session = session;
    this.#index = index;
  }

  #head(cmd: number, flags = 0): RequestHead {
    return { type: Family.VPORT, cmd, version: FamilyVersion.VPORT, dpIfindex: this.#index, flags };
  }

  async add(port: PortAdd): Promise<DpPort> {
    portAdd.total++;
    const type = typeByName.get(port.type ?? 'system');
    if (type === undefined) throw errnoError(97, `unsupported port type '${port.type}'`);
    const reply = await this.#session.query(this.#head(VportCmd.NEW, NlFlag.ECHO), (w) => {
      encodeAttrs(w, VPORT_ATTRS, {
        NAME: port.name,
        TYPE: type,
        UPCALL_PID: this.#pids.length > 0 ? this.#pids : [0],
      });
      if (port.portNo !== undefined) w.putU32(VPORT_ATTRS.PORT_NO.code, port.portNo);
      putOptions(w, port.options);
    });
    return portOf(reply);
  }

  async del(portNo: number): Promise<void> {
    portDel.total++;
    await this.#session.transact(this.#head(VportCmd.DEL), (w) => w.putU32(VPORT_ATTRS.PORT_NO.code, portNo));
  }

  async set(portNo: number, options: Iterable<readonly [string, string]>): Promise<void> {
    const merged = new Map((await this.get(portNo)).options);
    for (const [key, value] of options) {
      if (value === '') merged.delete(key);
      else merged.set(key, value);
    }
    await this.#session.transact(this.#head(VportCmd.SET), (w) => {
      w.putU32(VPORT_ATTRS.PORT_NO.code, portNo);
      putOptions(w, merged);
    });
  }

  async setUp(portNo: number, up: boolean): Promise<void> {
    await this.#session.transact(this.#netdevHead(WinNetdevCmd.SET), (w) =>
      encodeAttrs(w, WIN_NETDEV_ATTRS, { PORT_NO: portNo, IF_FLAGS: up ? 1 : 0 }),
    );
  }

  async get(portNo: number): Promise<DpPort> {
    return portOf(
      await this.#session.query(this.#head(VportCmd.GET), (w) => w.putU32(VPORT_ATTRS.PORT_NO.code, portNo)),
    );
  }

  async byName(name: string): Promise<DpPort> {
    return portOf(
      await this.#session.query(this.#head(VportCmd.GET), (w) => w.putString(VPORT_ATTRS.NAME.code, name)),
    );
  }

  async dump(): Promise<DpPort[]> {
    const ports: DpPort[] = [];
    for await (const part of this.#session.dump(this.#head(VportCmd.GET), () => {})) {
      while (nextOfDump(part)) ports.push(portOf(part));
    }
    return ports.toSorted((a, b) => a.portNo - b.portNo);
  }

  async netdev(name: string): Promise<NetdevInfo> {
    const msg = await this.#session.query(this.#netdevHead(), (w) =>
      w.putString(WIN_NETDEV_ATTRS.NAME.code, name),
    );
    return netdevOf(msg).info;
  }

  async netdevs(): Promise<Map<string, NetdevInfo>> {
    const devices = new Map<string, NetdevInfo>();
    for await (const part of this.#session.dump(this.#netdevHead(), () => {})) {
      while (nextOfDump(part)) {
        const { name, info } = netdevOf(part);
        devices.set(name, info);
      }
    }
    return devices;
  }

  async counters(): Promise<Map<number, PortCounters>> {
    const [ports, devices] = await Promise.all([this.dump(), this.netdevs()]);
    return new Map(
      ports.map(({ portNo, name, stats }) => {
        const device = devices.get(name)?.details?.counters;
        return [portNo, { ...stats, ...(device && { device }) }];
      }),
    );
  }

  #netdevHead(cmd: number = WinNetdevCmd.GET): RequestHead {
    return {
      type: Family.WIN_NETDEV,
      cmd,
      version: FamilyVersion.WIN_NETDEV,
      dpIfindex: this.#index,
    };
  }

  async watch(listener: (event: PortEvent) => void): Promise<void> {
    this.#listeners.push(listener);
    if (this.#onEvent !== null) return;
    this.#onEvent = (msg) => {
      if (msg.type !== Family.VPORT || msg.dpIfindex !== this.#index) return;
      const type = msg.cmd === VportCmd.NEW ? 'added' : msg.cmd === VportCmd.DEL ? 'deleted' : 'changed';
      const port = portOf(msg);
      for (const tell of this.#listeners) tell({ type, port });
    };
    await this.#session.listen(McGroup.VPORT, this.#onEvent);
  }

  /** Makes every port, now and later, send its upcalls to `pids`. */
  async setUpcallPids(pids: readonly number[]): Promise<void> {
    this.#pids = pids;
    const ports = await this.dump();
    await Promise.all(
      ports.map((port) =>
        this.#session
          .transact(this.#head(VportCmd.SET), (w) =>
            encodeAttrs(w, VPORT_ATTRS, { PORT_NO: port.portNo, UPCALL_PID: pids }),
          )
          // The port may be gone by now.
          .catch((error: unknown) => {
            if ((error as { code?: string }).code !== 'ENODEV') throw error;
          }),
      ),
    );
  }

  close(): void {
    if (this.#onEvent !== null) this.#session.unlisten(this.#onEvent);
    this.#listeners.length = 0;
  }
}
