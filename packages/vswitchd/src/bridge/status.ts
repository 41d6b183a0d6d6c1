/**
 * What the switch tells the database: which configuration is applied, numbers and errors of interfaces, what devices
 * are like, counters, and how controllers are connected. Only what differs from the database is written.
 */
import { featuresSpeed } from '@ovs-node/openflow/messages/port';
import { PF } from '@ovs-node/openflow/messages/types';
import type { NativeValue } from 'ovsdb-client/data/native';
import { transactUntilDone, type Transaction } from 'ovsdb-client/transaction';
import type { Row } from 'ovsdb-client/vswitch/schema';
import type { DeviceCounters, DeviceDetails, PortCounters, PortStats } from '../dpif/provider.js';
import { dummyCounters } from '../ofproto/dummy-counters.js';
import { capabilities } from '../ofproto/support.js';
import { ODPP_NONE } from '../ofproto/types.js';
import { type Bridge, type LiveInterface, goneText, patchMac } from './bridge.js';
import type { VswitchReplica } from './config.js';
import type { ControllerStatus } from '../connmgr/types.js';
import { formatMac } from './mac.js';
import { isTunnel, notCarried } from './tunnel.js';

export interface StatusSource {
  readonly bridges: Iterable<Bridge>;
  readonly controllers: ReadonlyMap<string, ControllerStatus>;
  /** Whether there is a datapath of a type. */
  readonly hasDatapath: (type: string) => boolean;
  /** Constant columns of the Open_vSwitch row. */
  readonly root: Readonly<Record<string, NativeValue>>;
  /** The configuration number that is applied; undefined: leave `cur_cfg` alone. */
  readonly curCfg: number | undefined;
}

/** Writes what changed; resolves when the database has it. Rejects when the connection is lost meanwhile. */
export async function writeStatus(replica: VswitchReplica, source: StatusSource): Promise<void> {
  await transactUntilDone(replica, (transaction) => {
    const bridges = [...source.bridges];
    for (const bridge of bridges) writeBridge(replica, transaction, bridge, bridges);
    for (const [uuid, status] of source.controllers) writeController(replica, transaction, uuid, status);
    const [root] = replica.rows('Open_vSwitch');
    if (root === undefined) return;
    writeDatapaths(replica, transaction, root, source.hasDatapath);
    write(transaction, 'Open_vSwitch', root, source.root);
    if (source.curCfg !== undefined) write(transaction, 'Open_vSwitch', root, { cur_cfg: source.curCfg });
  });
}

/** Assigns the columns whose value is another one than the row's. */
function write(
  transaction: Transaction,
  table: string,
  row: { readonly _uuid: string },
  values: Readonly<Record<string, NativeValue>>,
): void {
  const have = row as unknown as Readonly<Record<string, NativeValue>>;
  const changed = Object.entries(values).filter(
    ([column, value]) => column in have && !same(have[column], value),
  );
  if (changed.length > 0) transaction.assign(table, row._uuid, Object.fromEntries(changed));
}

function same(a: NativeValue, b: NativeValue): boolean {
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((each, i) => each === b[i]);
  return a === b;
}

/** What the datapaths can do that the database has rows of. */
function writeDatapaths(
  replica: VswitchReplica,
  transaction: Transaction,
  root: Row<'Open_vSwitch'>,
  hasDatapath: StatusSource['hasDatapath'],
): void {
  for (const [type, uuid] of root.datapaths) {
    const row = replica.row('Datapath', uuid);
    if (row !== undefined && hasDatapath(type))
      write(transaction, 'Datapath', row, { capabilities: capabilities() });
  }
}

function writeBridge(
  replica: VswitchReplica,
  transaction: Transaction,
  bridge: Bridge,
  bridges: readonly Bridge[],
): void {
  const row = replica.row('Bridge', bridge.config.uuid);
  if (row === undefined) return;
  write(transaction, 'Bridge', row, { datapath_id: bridge.datapathId, datapath_version: '<built-in>' });
  for (const port of bridge.config.ports.values()) {
    for (const { name, uuid } of port.interfaces) {
      const interfaceRow = replica.row('Interface', uuid);
      if (interfaceRow === undefined) continue;
      write(transaction, 'Interface', interfaceRow, interfaceStatus(bridge, name, bridges));
    }
  }
}

/** Columns of an interface that works, or does not. */
function interfaceStatus(
  bridge: Bridge,
  name: string,
  bridges: readonly Bridge[],
): Record<string, NativeValue> {
  const live = bridge.live.get(name);
  const error = bridge.errors.get(name);
  if (live === undefined) {
    const gone = {
      admin_state: undefined,
      link_state: undefined,
      mac_in_use: undefined,
      mtu: undefined,
      ifindex: undefined,
      ...linkStatus(undefined),
    };
    return { ofport: error === undefined ? undefined : -1, error, ...gone, statistics: new Map() };
  }
  const problem = live.isGone ? goneText(name) : portProblem(bridge, live, bridges);
  return { ofport: live.ofport & 0xffff, error: problem, ...deviceStatus(live) };
}

/** Why a port that has no device leads nowhere. */
function portProblem(bridge: Bridge, live: LiveInterface, bridges: readonly Bridge[]): string | undefined {
  return isTunnel(live.config) ? notCarried(live.config) : patchProblem(bridge, live, bridges);
}

/** Why a patch port leads nowhere: its peer is not there, is of another datapath, or is not its peer. */
function patchProblem(
  { config: { type } }: Bridge,
  { config }: LiveInterface,
  bridges: readonly Bridge[],
): string | undefined {
  if (config.type !== 'patch') return undefined;
  const peer = config.options.get('peer') ?? '';
  const isUsable = bridges.some(
    (each) => each.config.type === type && each.live.get(peer)?.config.options.get('peer') === config.name,
  );
  return isUsable ? undefined : `No usable peer '${peer}' exists in '${type}' datapath.`;
}

function deviceStatus({
  config,
  device,
  dpPort,
  ifindex,
  isGone,
}: LiveInterface): Record<string, NativeValue> {
  if (device === undefined) {
    if (dpPort !== ODPP_NONE || config.type !== 'patch') return {};
    const mac = formatMac(patchMac(config.uuid));
    return { link_state: 'up', admin_state: 'up', link_resets: 0, ifindex: 0, mac_in_use: mac };
  }
  return {
    admin_state: device.up ? 'up' : 'down',
    link_state: device.up && device.carrier ? 'up' : 'down',
    // What is no device of the host has number 0.
    ifindex: isGone ? undefined : ifindex,
    mac_in_use: formatMac(device.mac),
    mtu: config.type === 'patch' ? undefined : device.mtu,
    ...linkStatus(device.details),
    link_resets: device.details?.linkResets ?? 0,
  };
}

/** Full duplex at some speed (ofp_port_features). */
const FULL_DUPLEX = PF.FD_10MB | PF.FD_100MB | PF.FD_1GB | PF.FD_10GB | PF.FD_40GB | PF.FD_100GB | PF.FD_1TB;

/** What the device says of its link and its driver. */
function linkStatus(details: DeviceDetails | undefined): Record<string, NativeValue> {
  const { link, driver } = details ?? {};
  const kbps = featuresSpeed(link?.current ?? 0);
  const status = new Map<string, string>();
  if (driver !== undefined) {
    status.set('driver_name', driver.name);
    status.set('driver_version', driver.version);
    status.set('firmware_version', driver.firmware);
  }
  return {
    duplex: kbps === 0 ? undefined : ((link?.current ?? 0) & FULL_DUPLEX) === 0 ? 'half' : 'full',
    link_speed: kbps === 0 ? undefined : kbps * 1000,
    status,
  };
}

function writeController(
  replica: VswitchReplica,
  transaction: Transaction,
  uuid: string,
  status: ControllerStatus,
): void {
  const row = replica.row('Controller', uuid);
  if (row === undefined) return;
  write(transaction, 'Controller', row, {
    is_connected: status.isConnected,
    role: status.role,
    status: status.status,
  });
}

/** What every port counts. */
const TRAFFIC = {
  rx_packets: 'rxPackets',
  rx_bytes: 'rxBytes',
  tx_packets: 'txPackets',
  tx_bytes: 'txBytes',
} as const satisfies Record<string, keyof PortStats>;

/** What devices count beyond that; dummies do not. */
const COUNTERS = {
  ...TRAFFIC,
  rx_dropped: 'rxDropped',
  tx_dropped: 'txDropped',
  rx_errors: 'rxErrors',
  tx_errors: 'txErrors',
} as const satisfies Record<string, keyof PortStats>;

/** What devices of the host count themselves. */
const DEVICE_COUNTERS = {
  collisions: 'collisions',
  rx_crc_err: 'rxCrcErr',
  rx_frame_err: 'rxFrameErr',
  rx_missed_errors: 'rxMissed',
  rx_multicast_packets: 'rxMulticast',
  rx_over_err: 'rxOverErr',
} as const satisfies Record<string, keyof DeviceCounters>;

/** Writes the counters of every interface that has any. */
export async function writeStatistics(replica: VswitchReplica, bridges: readonly Bridge[]): Promise<void> {
  const rows: { row: Row<'Interface'>; statistics: ReadonlyMap<string, number> }[] = [];
  for (const [dpif, own] of groupByDatapath(bridges)) {
    const counters = await dpif.ports.counters();
    for (const bridge of own) {
      for (const live of bridge.live.values()) {
        const row = replica.row('Interface', live.config.uuid);
        const statistics = statisticsOf(bridge, live, counters.get(live.dpPort));
        if (row !== undefined && statistics !== undefined) rows.push({ row, statistics });
      }
    }
  }
  await transactUntilDone(replica, (transaction) => {
    for (const { row, statistics } of rows) {
      const now = replica.row('Interface', row._uuid);
      if (now !== undefined) write(transaction, 'Interface', now, { statistics });
    }
  });
}

/** The counters of one interface; undefined when it has none. Those of a patch port are its bridge's. */
function statisticsOf(
  bridge: Bridge,
  { config, ofport }: LiveInterface,
  counters: PortCounters | undefined,
): ReadonlyMap<string, number> | undefined {
  if (config.type === 'patch') {
    const port = bridge.ofproto.port(ofport);
    return port && new Map(Object.entries(TRAFFIC).map(([name, member]) => [name, port[member]]));
  }
  if (counters === undefined) return undefined;
  const isDummy = bridge.config.type === 'dummy' || config.type === 'dummy';
  const named = <T extends object>(names: Readonly<Record<string, keyof T>>, values: T) =>
    Object.entries(names).map(([name, member]) => [name, Number(values[member])] as const);
  if (isDummy) return new Map([...named(TRAFFIC, counters), ...dummyCounters(counters)]);
  const { device } = counters;
  return new Map([...named(COUNTERS, counters), ...(device ? named(DEVICE_COUNTERS, device) : [])]);
}

function groupByDatapath(bridges: readonly Bridge[]): Map<NonNullable<Bridge['backer']['dpif']>, Bridge[]> {
  const groups = new Map<NonNullable<Bridge['backer']['dpif']>, Bridge[]>();
  for (const bridge of bridges) {
    const { dpif } = bridge.backer;
    if (dpif === undefined) continue;
    const group = groups.get(dpif);
    if (group === undefined) groups.set(dpif, [bridge]);
    else group.push(bridge);
  }
  return groups;
}
