/**
 * Ports of a datapath, in two halves: `Vport` is the core's record (number, counters, where upcalls go), and
 * `PortProvider` is what moves frames (AF_PACKET, TAP, dummy, stream, …).
 *
 * Frames, buffers and batches
 * ---------------------------
 *     core.beginBatch(now)
 *       dp.receive(vport, buf, start, end, meta)      any number of times, from any ports
 *     core.endBatch()                                 calls flush() of every provider that was sent to
 *
 * - `buf` is any `Uint8Array`, such as a view of a port's whole ring; the frame is `buf[start, end)`. At least
 *   `HEADROOM` bytes before `start` are the frame's as well: the core may write there (a pushed tag).
 * - From `receive` until `endBatch` returns, `buf[start - HEADROOM, end)` belongs to the core: the port must not give
 *   the ring slot back earlier, for outputs send straight from it. The core changes frames in place, but never
 *   after it passed them to a `send` in this batch: an action that modifies a frame already queued works on a copy
 *   in the core's arena (copy-on-write).
 * - `send` queues (or sends at once). It must not write to `buf`, neither to the frame nor to its headroom, because
 *   another port may have queued the same bytes: a port that must complete a checksum or segment does so in memory
 *   of its own. Bytes stay valid until `flush` returned.
 * - When the arena runs full, the core flushes the providers in the middle of a batch.
 */
export { VportType } from '@ovs-node/netlink/families';
import type { DeviceDetails } from '@ovs-node/netlink/device-details';
import type { PacketMeta } from './packet-meta.js';
import type { Datapath } from './datapath.js';

/** Bytes before each received frame that belong to it. */
export const HEADROOM = 64;

/** Counters of `struct ovs_vport_stats`. The core counts what it receives and sends; providers count the errors. */
export class VportStats {
  rxPackets = 0;
  txPackets = 0;
  rxBytes = 0;
  txBytes = 0;
  rxErrors = 0;
  txErrors = 0;
  rxDropped = 0;
  txDropped = 0;
}

/** What moves the frames of one port. Everything is synchronous and must not throw. */
export interface PortProvider {
  /** Ethernet address, 6 bytes; zeros when the port has none. */
  readonly mac: Uint8Array;
  /** Bytes of payload a frame may have beyond its Ethernet header. */
  readonly mtu: number;
  /** Up (bit 0) and promiscuous (bit 1), as OVS_WIN_NETDEV_ATTR_IF_FLAGS. */
  readonly flags: number;
  /** False: nothing is at the other end (no link, nobody connected). Absent: there is always something. */
  readonly carrier?: boolean;
  /** Interface index in the host, 0 when it has none. */
  readonly ifindex: number;
  /** Asks the host; a few system calls, for the control path. Absent: no device of the host. */
  details?(): DeviceDetails | undefined;
  /** Called once, when the port has its number; `vport.datapath.receive(vport, …)` is allowed from here on. */
  start(vport: Vport): void;
  /**
   * Queues the frame `buf[start, end)` for transmission; see the rules above. `meta` is the core's and may change
   * after the call: copy what is needed. What cannot be sent is counted in `vport.stats.txDropped` or `txErrors`.
   */
  send(buf: Uint8Array, start: number, end: number, meta: PacketMeta): void;
  /**
   * Takes new options (payload of OVS_VPORT_ATTR_OPTIONS, the provider's to keep): 0, or a positive errno with nothing
   * changed. Absent when the options of this kind of port cannot be changed.
   */
  setOptions?(options: Uint8Array): number;
  /** Brings the device up or down: 0, or a positive errno. Absent: the port has no such state. */
  setUp?(up: boolean): number;
  /** Sends what is queued. Called at the end of a batch when `send` was called in it. */
  flush(): void;
  /** The port is being deleted: stop receiving and release everything. Called once. */
  close(): void;
}

/** What OVS_VPORT_CMD_NEW asked for. */
export interface PortRequest {
  /** Name of the datapath the port is for. */
  readonly datapath: string;
  /** One of `VportType` (packages/netlink/src/families.ts). */
  readonly type: number;
  readonly name: string;
  /** Payload of OVS_VPORT_ATTR_OPTIONS, or null. A private copy: the factory may keep it. */
  readonly options: Uint8Array | null;
}

/** Makes providers. Injected by the program around the core. */
export interface PortFactory {
  /**
   * The provider for `request`, or a positive errno (ENODEV no such device, EAFNOSUPPORT type not known, EINVAL
   * options, EPERM, …), in which case nothing was kept. Must not throw and not wait: a port that has to connect
   * first is returned at once and is down until then.
   */
  create(request: PortRequest): PortProvider | number;
  /** Names by which connected NICs of the host can be created as ports of type NETDEV. Absent: none are known. */
  nics?(): Iterable<string>;
}

/** One port of one datapath. */
export class Vport {
  readonly datapath: Datapath;
  readonly portNo: number;
  readonly type: number;
  readonly name: string;
  /** Payload of OVS_VPORT_ATTR_OPTIONS as last set. */
  options: Uint8Array | null;
  readonly provider: PortProvider;
  readonly stats = new VportStats();
  /** PIDs of the handles that get upcalls for packets of this port; empty or [0]: none, misses are dropped. */
  upcallPids: Uint32Array = new Uint32Array(0);
  /** True from the first `send` of a batch until the flush. */
  dirty = false;

  constructor(
    datapath: Datapath,
    portNo: number,
    request: { type: number; name: string; options: Uint8Array | null },
    provider: PortProvider,
  ) {
    this.datapath = datapath;
    this.portNo = portNo;
    this.type = request.type;
    this.name = request.name;
    this.options = request.options;
    this.provider = provider;
  }
}
