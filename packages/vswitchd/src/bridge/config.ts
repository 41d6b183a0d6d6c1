/**
 * The configuration that the database asks for, as plain values: what `plan.ts` compares with what is.
 *
 * Rows are read through a replica's typed rows; nothing here has effects. A value that the schema admits but that
 * makes no sense (a port without interfaces, one name twice) is passed over, and `problems` says so.
 */
import { errorMessage } from '@ovs-node/common/errors';
import { MAX_VLANS } from '@ovs-node/flow/extract';
import type { Replica } from 'ovsdb-client/replica/replica';
import type { Row, TableName } from 'ovsdb-client/vswitch/schema';
import { parseSubfield } from '@ovs-node/openflow/actions/subfield';
import type { Subfield } from '@ovs-node/openflow/actions/types';
import { DEFAULT_BUNDLE_IDLE } from '../connmgr/bundles.js';
import type { PacketLimits } from '../connmgr/packet-limiter.js';
import type { TableSettings } from '../ofproto/flow-table.js';
import { choosePrefixes } from '../ofproto/prefix-fields.js';
import { DEFAULT_MAX_IDLE } from '../ofproto/revalidate.js';
import type { BundleSpec } from '../ofproto/types.js';

/** Ethernet types of VLAN tags. */
const DOT1Q = 0x8100;
const DOT1AD = 0x88a8;

/** The replica of an Open_vSwitch database. */
export type VswitchReplica = Replica<{ [T in TableName]: Row<T> }>;

export interface InterfaceConfig {
  readonly name: string;
  readonly uuid: string;
  /** As in the database, `''` being `system`; the bridge's own port is always `internal`. */
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  readonly ofportRequest: number | undefined;
  /** The number that it had when the database last heard of it: kept across restarts where it is free. */
  readonly ofportHint: number | undefined;
  readonly mac: string | undefined;
  readonly mtuRequest: number | undefined;
  /** The bridge's own port, `OFPP_LOCAL`. */
  readonly isLocal: boolean;
}

export interface PortConfig extends Omit<BundleSpec, 'members'> {
  readonly uuid: string;
  readonly interfaces: readonly InterfaceConfig[];
}

export interface ControllerConfig {
  readonly uuid: string;
  readonly target: string;
  readonly maxBackoffMs: number;
  readonly probeIntervalMs: number;
  readonly isService: boolean;
  readonly asyncMessages: boolean;
  readonly packetLimits: PacketLimits;
}

export interface BridgeConfig {
  readonly name: string;
  readonly uuid: string;
  /** `system`, `netdev`, `dummy`. */
  readonly type: string;
  readonly failMode: 'standalone' | 'secure';
  /** 16 hexadecimal digits, when the user asked for one. */
  readonly datapathId: string | undefined;
  /** What OpenFlow says of the datapath, where the user says it. */
  readonly description: { readonly dp?: string; readonly serial?: string };
  readonly hwaddr: string | undefined;
  /** OpenFlow versions by the names of the `protocols` column; empty: the default ones. */
  readonly protocols: readonly string[];
  readonly controllers: readonly ControllerConfig[];
  readonly forwardBpdu: boolean;
  readonly macAgingTime: number;
  readonly macTableSize: number;
  readonly floodVlans: readonly number[];
  /** Whether there are collectors for what `sample` actions take. */
  readonly samplesFlows: boolean;
  /** Settings of single OpenFlow tables, by number. */
  readonly tables: readonly (readonly [number, TableSettings])[];
  readonly ports: ReadonlyMap<string, PortConfig>;
}

export interface SwitchConfig {
  readonly bridges: ReadonlyMap<string, BridgeConfig>;
  readonly maxIdleMs: number;
  /** How long a bundle of OpenFlow messages may be left alone. */
  readonly bundleIdleMs: number;
  /** VLAN tags that packets are parsed for. */
  readonly vlanLimit: number;
  readonly statsIntervalMs: number;
  readonly problems: readonly string[];
}

/** What the database asks for. */
export function readConfig(replica: VswitchReplica): SwitchConfig {
  const problems: string[] = [];
  const bridges = new Map<string, BridgeConfig>();
  const [root] = replica.rows('Open_vSwitch');
  for (const uuid of root?.bridges ?? []) {
    const row = replica.row('Bridge', uuid);
    if (row === undefined) continue;
    if (bridges.has(row.name)) problems.push(`bridge ${row.name} specified twice`);
    else if (/[/\\]/.test(row.name)) problems.push(`ignoring bridge with invalid name "${row.name}"`);
    else bridges.set(row.name, readBridge(replica, row, problems));
  }
  const other = root?.other_config;
  return {
    bridges,
    maxIdleMs: integer(other?.get('max-idle'), DEFAULT_MAX_IDLE, 500),
    bundleIdleMs: secondsAsMs(other?.get('bundle-idle-timeout'), DEFAULT_BUNDLE_IDLE),
    vlanLimit: vlanLimit(other?.get('vlan-limit')),
    statsIntervalMs: integer(other?.get('stats-update-interval'), 5000, 5000),
    problems,
  };
}

/** One where nothing is said, for controllers that know of no more; all that there can be where it is 0 or less. */
function vlanLimit(text: string | undefined): number {
  const limit = text !== undefined && /^-?\d+$/.test(text) ? Number(text) : 1;
  return limit <= 0 ? MAX_VLANS : Math.min(limit, MAX_VLANS);
}

/** The ms that a number of seconds is; 0 is as good as no number. */
function secondsAsMs(text: string | undefined, otherwise: number): number {
  return integer(text, 0, 0) * 1000 || otherwise;
}

function integer(text: string | undefined, otherwise: number, least: number): number {
  return text !== undefined && /^\d+$/.test(text) ? Math.max(least, Number(text)) : otherwise;
}

function readBridge(replica: VswitchReplica, row: Row<'Bridge'>, problems: string[]): BridgeConfig {
  const ports = new Map<string, PortConfig>();
  const taken = new Set<string>();
  for (const uuid of row.ports) {
    const port = replica.row('Port', uuid);
    if (port === undefined) continue;
    if (ports.has(port.name)) {
      problems.push(`bridge ${row.name}: ${port.name} specified twice as bridge port`);
      continue;
    }
    ports.set(port.name, readPort(replica, row.name, port, taken, problems));
  }
  // A bridge always has its own port, whether the database names it or not.
  if (!ports.has(row.name)) ports.set(row.name, localPort(row.name));
  const other = row.other_config;
  return {
    name: row.name,
    uuid: row._uuid,
    type: row.datapath_type === '' ? 'system' : row.datapath_type,
    failMode: row.fail_mode ?? 'standalone',
    datapathId: datapathId(other.get('datapath-id')),
    description: description(other.get('dp-desc'), other.get('dp-sn')),
    hwaddr: other.get('hwaddr'),
    protocols: row.protocols,
    controllers: row.controller
      .map((uuid) => replica.row('Controller', uuid))
      .filter((each) => each !== undefined)
      .map(readController),
    forwardBpdu: other.get('forward-bpdu') === 'true',
    macAgingTime: integer(other.get('mac-aging-time'), 300, 15),
    macTableSize: integer(other.get('mac-table-size'), 8192, 10),
    floodVlans: row.flood_vlans,
    samplesFlows: [...replica.rows('Flow_Sample_Collector_Set')].some(
      (set) => set.bridge === row._uuid && set.ipfix !== undefined,
    ),
    tables: readTables(replica, row, problems),
    ports,
  };
}

function readTables(
  replica: VswitchReplica,
  bridge: Row<'Bridge'>,
  problems: string[],
): [number, TableSettings][] {
  const tables: [number, TableSettings][] = [];
  for (const [id, uuid] of bridge.flow_tables) {
    const row = replica.row('Flow_Table', uuid);
    if (row === undefined) continue;
    const prefixes = choosePrefixes(row.prefixes);
    const settings = {
      name: row.name ?? '',
      limit: row.flow_limit,
      evicts: row.overflow_policy === 'evict',
      groups: row.groups.flatMap((text) =>
        subfield(text, (why) =>
          problems.push(`bridge ${bridge.name} table ${id}: error parsing 'groups' (${why})`),
        ),
      ),
      prefixes: prefixes.fields,
    };
    for (const problem of prefixes.problems) problems.push(`bridge ${bridge.name}: ${problem}`);
    tables.push([id, settings]);
  }
  return tables;
}

/** Specifications that make no sense are passed over, as the manual says. */
function subfield(text: string, failed: (why: string) => void): Subfield[] {
  try {
    return [parseSubfield(text)];
  } catch (error) {
    failed(errorMessage(error));
    return [];
  }
}

function datapathId(text: string | undefined): string | undefined {
  const digits = text?.replace(/^0x/i, '');
  return digits !== undefined && /^[0-9a-f]{1,16}$/i.test(digits) && !/^0*$/.test(digits)
    ? digits.toLowerCase().padStart(16, '0')
    : undefined;
}

function readController(row: Row<'Controller'>): ControllerConfig {
  return {
    uuid: row._uuid,
    target: row.target,
    maxBackoffMs: row.max_backoff ?? 8000,
    probeIntervalMs: row.inactivity_probe ?? 5000,
    // Passive targets are listened on for service controllers, such as ovs-ofctl.
    isService: row.target.startsWith('p') || row.type === 'service',
    asyncMessages: row.enable_async_messages ?? true,
    packetLimits: { rate: row.controller_rate_limit ?? 0, burst: row.controller_burst_limit ?? 0 },
  };
}

function localPort(name: string): PortConfig {
  return {
    name,
    uuid: '',
    vlanMode: 'trunk',
    vlan: -1,
    trunks: undefined,
    customerVlans: undefined,
    tunnelType: DOT1AD,
    priorityTags: 'no',
    isProtected: false,
    interfaces: [
      {
        name,
        uuid: '',
        type: 'internal',
        options: new Map(),
        ofportRequest: undefined,
        ofportHint: undefined,
        mac: undefined,
        mtuRequest: undefined,
        isLocal: true,
      },
    ],
  };
}

function readPort(
  replica: VswitchReplica,
  bridge: string,
  row: Row<'Port'>,
  taken: Set<string>,
  problems: string[],
): PortConfig {
  const interfaces: InterfaceConfig[] = [];
  for (const uuid of row.interfaces) {
    const each = replica.row('Interface', uuid);
    if (each === undefined) continue;
    if (taken.has(each.name)) {
      problems.push(`bridge ${bridge}: interface ${each.name} in two ports, ignoring the second`);
      continue;
    }
    taken.add(each.name);
    interfaces.push(readInterface(bridge, each));
  }
  if (interfaces.length > 1) {
    problems.push(
      `port ${row.name}: bonds are not supported yet, its interfaces are forwarded to as one flooded port`,
    );
  }
  const vlanMode = row.vlan_mode ?? (row.tag === undefined ? 'trunk' : 'access');
  const priorityTags = row.other_config.get('priority-tags');
  return {
    name: row.name,
    uuid: row._uuid,
    vlanMode,
    vlan: vlanMode === 'trunk' ? -1 : (row.tag ?? 0),
    trunks: vlanMode === 'access' || row.trunks.length === 0 ? undefined : row.trunks,
    customerVlans: row.cvlans.length === 0 ? undefined : row.cvlans,
    tunnelType: row.other_config.get('qinq-ethtype') === '802.1q' ? DOT1Q : DOT1AD,
    priorityTags:
      priorityTags === 'if-nonzero' || priorityTags === 'true'
        ? 'if-nonzero'
        : priorityTags === 'always'
          ? 'always'
          : 'no',
    isProtected: row.protected,
    interfaces,
  };
}

function readInterface(bridge: string, row: Row<'Interface'>): InterfaceConfig {
  const isLocal = row.name === bridge;
  return {
    name: row.name,
    uuid: row._uuid,
    type: isLocal ? 'internal' : row.type === '' ? 'system' : row.type,
    options: row.options,
    ofportRequest: row.ofport_request,
    ofportHint: row.ofport !== undefined && row.ofport > 0 ? row.ofport : undefined,
    mac: row.mac,
    mtuRequest: row.mtu_request,
    isLocal,
  };
}

function description(dp: string | undefined, serial: string | undefined): BridgeConfig['description'] {
  return { ...(dp === undefined ? {} : { dp }), ...(serial === undefined ? {} : { serial }) };
}
