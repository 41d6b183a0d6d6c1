/**
 * What the switch tells the database: which configuration is applied, numbers and errors of interfaces, what devices
 * are like, counters, and how controllers are connected. Only what differs from the database is written.
 */
import type { NativeValue } from 'ovsdb-client/data/native';
import { transactUntilDone, type Transaction } from 'ovsdb-client/transaction';
import type { Row } from 'ovsdb-client/vswitch/schema';
import type { PortStats } from '../dpif/provider.js';
import { ODPP_NONE } from '../ofproto/types.js';
import { type Bridge, type LiveInterface, goneText } from './bridge.js';
import type { VswitchReplica } from './config.js';
import { formatMac } from './mac.js';

/** How one controller is connected. */
export interface ControllerStatus {
  readonly isConnected: boolean;
  readonly role: 'other' | 'master' | 'slave' | undefined;
  readonly status: ReadonlyMap<string, string>;
}

export interface StatusSource {
  readonly bridges: Iterable<Bridge>;
  readonly controllers: ReadonlyMap<string, ControllerStatus>;
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
    };
    return { ofport: error === undefined ? undefined : -1, error, ...gone, statistics: new Map() };
  }
  const problem = live.isGone ? goneText(name) : patchProblem(bridge, live, bridges);
  return { ofport: live.ofport & 0xffff, error: problem, ...deviceStatus(live) };
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

function deviceStatus({ config, device, dpPort, ifindex }: LiveInterface): Record<string, NativeValue> {
  if (device === undefined)
    return dpPort === ODPP_NONE && config.type === 'patch' ? { link_state: 'up', admin_state: 'up' } : {};
  return {
    admin_state: device.up ? 'up' : 'down',
    link_state: device.up && device.carrier ? 'up' : 'down',
    ifindex: ifindex === 0 ? undefined : ifindex,
    mac_in_use: formatMac(device.mac),
    mtu: config.type === 'patch' ? undefined : device.mtu,
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

/** Writes the counters of every interface that has any. */
export async function writeStatistics(replica: VswitchReplica, bridges: readonly Bridge[]): Promise<void> {
  const rows: { row: Row<'Interface'>; statistics: ReadonlyMap<string, number> }[] = [];
  for (const [dpif, own] of groupByDatapath(bridges)) {
    const stats = new Map((await dpif.ports.dump()).map((port) => [port.name, port.stats]));
    for (const bridge of own) {
      for (const live of bridge.live.values()) {
        const row = replica.row('Interface', live.config.uuid);
        const statistics = statisticsOf(bridge, live, stats.get(live.config.name));
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
  counters: PortStats | undefined,
): ReadonlyMap<string, number> | undefined {
  if (config.type === 'patch') {
    const port = bridge.ofproto.port(ofport);
    return port && new Map(Object.entries(TRAFFIC).map(([name, member]) => [name, port[member]]));
  }
  if (counters === undefined) return undefined;
  const isDummy = bridge.config.type === 'dummy' || config.type === 'dummy';
  const members = Object.entries(isDummy ? TRAFFIC : COUNTERS);
  return new Map(members.map(([name, member]) => [name, counters[member]]));
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
