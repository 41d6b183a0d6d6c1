/**
 * The datapath as vswitchd sees it: what a dpif offers, in facets. There is one implementation (`dpif.ts`), which
 * speaks netlink over a pseudo `Device`; the device is the pipe to `ovs-datapath-svc` (type `system`) or the datapath
 * library in this process (types `netdev` and `dummy`).
 *
 * Everything is asynchronous, any number of calls may be under way, and requests reach the datapath in the order of
 * the calls. A call that fails rejects with an `OvsError` whose `code` is the errno name (`ENODEV`, `EEXIST`, …) and
 * whose message is the datapath's reason, or strerror's text, on one line. When the datapath goes away everything
 * under way rejects with ENOTCONN and the `Dpif` is dead for good: its provider tells `onDisconnected`, later
 * `onConnected`, and its users open a new one and install anew what they need.
 *
 * Byte arrays passed in are read before the call returns. Those handed out are the receiver's to keep.
 */
export type { DeviceCounters, DeviceDetails } from '@ovs-node/netlink/device-details';
import type { DeviceCounters, DeviceDetails } from '@ovs-node/netlink/device-details';
import type { FlowKey } from '@ovs-node/flow/layout';

/** A datapath of some type, and what it takes to keep in touch with all datapaths of that type. */
export interface DpifProvider {
  /** `system`, `netdev`, `dummy`: what stands before the `@` in names of datapaths. */
  readonly type: string;
  readonly connected: boolean;
  /** Called each time the device became reachable. */
  onConnected(listener: () => void): void;
  /** Called each time the device was lost; every `Dpif` of this provider is dead by then. */
  onDisconnected(listener: () => void): void;
  /** The names of all datapaths. */
  list(): Promise<string[]>;
  /** Opens a datapath. ENODEV: it does not exist. */
  open(name: string): Promise<Dpif>;
  /** Creates a datapath with its local port (number 0, internal, of the same name) and opens it. EEXIST: it exists. */
  create(name: string): Promise<Dpif>;
  /** The OVS-port-names of the NICs of the host that are connected to the switch, whether they are ports or not. */
  nics(): Promise<ReadonlySet<string>>;
  /** Calls `changed` when a NIC connected or left, from now until the device is lost. */
  watchNics(changed: () => void): Promise<void>;
  /** Lets go of the device. Datapaths live on. */
  close(): void;
}

/** One open datapath. */
export interface Dpif {
  readonly type: string;
  readonly name: string;
  /** The datapath's number (`dp_ifindex`). */
  readonly index: number;
  readonly ports: DpifPorts;
  readonly flows: DpifFlows;
  readonly packets: DpifPackets;
  readonly conntrack: DpifConntrack;
  readonly meters: DpifMeters;
  /** True once we let go of it or it went away: what was under way fails, and means nothing. */
  readonly closed: boolean;
  stats(): Promise<DpStats>;
  /** Sets OVS_DP_ATTR_USER_FEATURES (`DpFeature` bits). EOPNOTSUPP or EINVAL: the datapath does not have one of them. */
  setFeatures(features: number): Promise<void>;
  /** How many VLAN tags of a packet the datapath is to parse, 0 to 2. When that changes, its flows go. */
  setVlanLimit(limit: number): Promise<void>;
  /** Deletes the datapath with its ports, flows and connections, and closes this object. */
  destroy(): Promise<void>;
  /** Stops upcalls and events and lets go. Idempotent; the datapath lives on. */
  close(): void;
}

/** Counters of a datapath; exact to 2^53. */
export interface DpStats {
  readonly hit: number;
  readonly missed: number;
  readonly lost: number;
  readonly flows: number;
  /** Undefined when the datapath has no megaflows to count. */
  readonly masks?: { readonly hit: number; readonly total: number; readonly cacheHit: number };
  /** OVS_DP_ATTR_USER_FEATURES. */
  readonly userFeatures: number;
}

/** Counters of a port; exact to 2^53. */
export interface PortStats {
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxErrors: number;
  readonly txErrors: number;
  readonly rxDropped: number;
  readonly txDropped: number;
}

/** What is counted for one port: by the datapath, and by the device beyond that. */
export interface PortCounters extends PortStats {
  readonly device?: DeviceCounters;
}

export interface DpPort {
  readonly portNo: number;
  readonly name: string;
  /** As Interface.type says it: `system`, `internal`, `tap`, `dummy`, `stream`, `vxlan`, … */
  readonly type: string;
  readonly options: ReadonlyMap<string, string>;
  readonly stats: PortStats;
  readonly ifindex: number;
}

export interface PortAdd {
  readonly name: string;
  /** Default `system`. */
  readonly type?: string;
  /** The number wanted; a free one when absent. */
  readonly portNo?: number;
  /** Interface.options that the port kind takes. */
  readonly options?: Iterable<readonly [string, string]>;
}

/** What the host knows of a port's device. */
export interface NetdevInfo {
  readonly mac: Uint8Array;
  readonly mtu: number;
  readonly up: boolean;
  /** Something is at the other end. */
  readonly carrier: boolean;
  readonly promisc: boolean;
  /** What only devices of the host have. */
  readonly details?: DeviceDetails;
}

export type PortEvent =
  | { readonly type: 'added' | 'changed'; readonly port: DpPort }
  | { readonly type: 'deleted'; readonly port: DpPort };

export interface DpifPorts {
  /**
   * Adds a port and returns it with its number. Its upcalls go to this dpif if `packets.start` was called. ENODEV: no
   * such device; EBUSY: number taken; EEXIST: name taken; EAFNOSUPPORT: no such type; EFBIG: no number left.
   */
  add(port: PortAdd): Promise<DpPort>;
  /** ENODEV: no such port. */
  del(portNo: number): Promise<void>;
  /** Overrides options: an empty value removes one. Type and number cannot change. */
  set(portNo: number, options: Iterable<readonly [string, string]>): Promise<void>;
  /** Brings the device of a port up or down. EOPNOTSUPP: it has no such state. */
  setUp(portNo: number, up: boolean): Promise<void>;
  get(portNo: number): Promise<DpPort>;
  byName(name: string): Promise<DpPort>;
  /** All ports, by number. */
  dump(): Promise<DpPort[]>;
  /** What the host knows of the device with that name. ENODEV: nothing. */
  netdev(name: string): Promise<NetdevInfo>;
  /** The same of the devices of all ports, by name. */
  netdevs(): Promise<Map<string, NetdevInfo>>;
  /** The counters of all ports, by number. */
  counters(): Promise<Map<number, PortCounters>>;
  /** Calls `listener` for each change of this datapath's ports from now on. */
  watch(listener: (event: PortEvent) => void): Promise<void>;
}

/** A flow key or mask: words of the flow key layout, or netlink attributes (as bytes) that are passed on as they are. */
export type KeyInput = FlowKey | Uint8Array;

export interface FlowPut {
  readonly key: KeyInput;
  /** Absent: exact match. */
  readonly mask?: KeyInput;
  /** Nested OVS_ACTION_ATTR_*; may be empty (drop). Absent in a modification: they stay. */
  readonly actions?: Uint8Array;
  /** 16 bytes; the flow's name from then on. `newUfid()` makes one. */
  readonly ufid?: Uint8Array;
  /** `create`: ENOENT/EEXIST as the name says; `modify`: only an existing flow; `both`: whichever it takes. */
  readonly mode: 'create' | 'modify' | 'both';
  /** Zero the statistics (modification only). */
  readonly clear?: boolean;
  /** Only trying whether it would be accepted. */
  readonly probe?: boolean;
}

/** What names a flow: its UFID, else its key. */
export interface FlowRef {
  readonly ufid?: Uint8Array;
  readonly key?: KeyInput;
}

export interface FlowStats {
  readonly packets: number;
  readonly bytes: number;
  /** Milliseconds since the last packet; -1: there was none. */
  readonly idleMs: number;
  /** Union of the TCP flags seen. */
  readonly tcpFlags: number;
}

/** A flow of the datapath. In a terse dump only UFID and statistics are there, the rest is empty. */
export interface DpFlow {
  readonly ufid: Uint8Array | undefined;
  /** Attribute bytes; `decodeMatch` makes words of them. */
  readonly keyAttrs: Uint8Array;
  /** Attribute bytes; undefined: exact match. */
  readonly maskAttrs: Uint8Array | undefined;
  readonly actions: Uint8Array;
  readonly stats: FlowStats;
}

/** The outcome of one of several operations. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Error };

export interface DpifFlows {
  /** EEXIST, ENOENT (see `mode`), EINVAL with the datapath's reason. */
  put(flow: FlowPut): Promise<void>;
  /** All at once, sent in one go; outcomes in order. Never rejects. */
  putAll(flows: readonly FlowPut[]): Promise<Outcome<void>[]>;
  /** Deletes a flow and resolves to its last statistics. ENOENT: no such flow. */
  del(flow: FlowRef): Promise<FlowStats>;
  delAll(flows: readonly FlowRef[]): Promise<Outcome<FlowStats>[]>;
  get(flow: FlowRef): Promise<DpFlow>;
  /** All flows, in batches as they come. `terse`: UFID and statistics only. One dump runs at a time, others wait. */
  dump(options?: { readonly terse?: boolean }): AsyncIterable<DpFlow[]>;
  /** Deletes every flow. */
  flush(): Promise<void>;
}

export interface Execute {
  /** From the Ethernet header on. */
  readonly packet: Uint8Array;
  /** Metadata and headers; the datapath parses the packet again and takes the metadata from here. */
  readonly key: KeyInput;
  /** Nested OVS_ACTION_ATTR_*. */
  readonly actions: Uint8Array;
  /** Size of the largest fragment of a packet that was reassembled, 0 otherwise. */
  readonly mru?: number;
  /** Of the upcall that the packet came with, if it did. */
  readonly recircs?: number;
  /** Likewise. */
  readonly hash?: number | undefined;
}

export interface Upcall {
  /** `miss`: no flow matched. `action`: a userspace action sent it. */
  readonly type: 'miss' | 'action';
  /** The packet, from the Ethernet header on; a view of the message it came in. */
  readonly packet: Uint8Array;
  /** The key that the datapath extracted; `KEY_WORDS` long, `in_port` is the datapath's port number. */
  readonly key: FlowKey;
  readonly keyAttrs: Uint8Array;
  /** What the userspace action said; empty for a miss. */
  readonly userdata: Uint8Array;
  /** The flow's actions, when the userspace action asked for them. */
  readonly actions: Uint8Array | undefined;
  readonly mru: number;
  /** Bytes of the packet before it was truncated. */
  readonly length: number;
  /** How often it has come back to the flow table: to be given back with it, so that the datapath can limit that. */
  readonly recircs: number;
  /** What the datapath's `hash` goes by, where that is known no more by the packet: to be given back with it. */
  readonly hash: number | undefined;
}

export interface DpifPackets {
  /**
   * Begins to receive upcalls of every port of the datapath, in batches; a batch's upcalls came in that order. The next
   * batch is asked for when `listener` returned, so a slow listener makes the datapath's queue fill and drop.
   */
  start(listener: (upcalls: Upcall[]) => void): Promise<void>;
  /** The PID to put into userspace actions for packets that come in at `portNo`; 0 before `start`. */
  pid(portNo: number): number;
  /** Runs actions on a packet. */
  execute(execution: Execute): Promise<void>;
  executeAll(executions: readonly Execute[]): Promise<Outcome<void>[]>;
}

/** One direction of a connection. Addresses are 4 or 16 bytes; ports and ICMP fields are numbers. */
export type { CtTuple, CtEntry } from '@ovs-node/netlink/conntrack';
import type { CtEntry, CtTupleFilter } from '@ovs-node/netlink/conntrack';

/** What a meter of the datapath limits: to `rate` a second, in kbit or packets, and `burst` at once. */
export interface MeterSpec {
  readonly isKbps: boolean;
  readonly bands: readonly { readonly rate: number; readonly burst: number }[];
}

/** Exact to 2^53. */
export interface TrafficCount {
  readonly packets: number;
  readonly bytes: number;
}

export interface MeterCounters extends TrafficCount {
  /** What each band dropped. */
  readonly bands: readonly TrafficCount[];
}

export interface DpifMeters {
  /** Makes a meter, or gives the one of that number other bands. EFBIG, EINVAL. */
  set(id: number, spec: MeterSpec): Promise<void>;
  /** ENOENT: there is none. */
  del(id: number): Promise<void>;
  get(id: number): Promise<MeterCounters>;
  /** The numbers of all meters. */
  list(): Promise<number[]>;
}

/** What to dump or flush; everything absent: all. */
export interface CtFilter {
  readonly zone?: number;
  readonly orig?: CtTupleFilter;
  readonly reply?: CtTupleFilter;
}

/** A connection came to be committed, or ended. */
export interface CtEvent {
  readonly type: 'new' | 'update' | 'destroy';
  readonly entry: CtEntry;
}

export interface DpifConntrack {
  /** How many connections there are, and how many there may be. */
  stats(): Promise<{ readonly connections: number; readonly maxConnections: number }>;
  /** Calls `listener` for each connection of this datapath that comes or goes from now on. */
  watch(listener: (event: CtEvent) => void): Promise<void>;
  /** Connections, in batches as they come. */
  dump(zone?: number): AsyncIterable<CtEntry[]>;
  /** Deletes the connections that match; every one of the datapath when nothing is said. */
  flush(filter?: CtFilter): Promise<void>;
}
