/**
 * The datapath library's root: all datapaths, the handles open on the pseudo device, and the batch in progress.
 * Single-threaded and synchronous; it owns no clock, socket or thread. The program around it (a worker loop, or the
 * in-process device) calls in with `now`, in milliseconds of one monotonic clock.
 */
import { MAX_VLANS, setVlanLimit } from '@ovs-node/flow/extract';
import { KERNEL_ENCODING, type KeyEncoding } from '@ovs-node/netlink/key';
import { Arena } from './arena.js';
import { Datapath } from './datapath.js';
import { Errno } from './errno.js';
import { Handle, type HandleSink } from './handle.js';
import { MAX_DATAPATHS } from './limits.js';
import type { PortFactory, PortRequest, Vport } from './vport.js';

export interface CoreOptions {
  readonly ports: PortFactory;
  /**
   * Memory for frames that the core copies (`size` bytes, zeroed or not). A port that needs addresses gives memory
   * whose address it knows. The default is ordinary heap memory.
   */
  readonly allocArena?: (size: number) => Uint8Array;
  /** How keys are encoded in messages: as the kernel's datapath (the default), or with PACKET_TYPE as userspace ones. */
  readonly keyEncoding?: KeyEncoding;
  /** A packet was dropped that came back to the flow table once too often. */
  readonly onRecircLimit?: () => void;
}

export class DatapathCore {
  readonly ports: PortFactory;
  readonly arena: Arena;
  readonly keyEncoding: KeyEncoding;
  readonly onRecircLimit: () => void;
  /** Datapaths by name and by number (`dp_ifindex`). */
  readonly byName = new Map<string, Datapath>();
  readonly byIndex = new Map<number, Datapath>();
  /** Time of the batch in progress, in milliseconds. */
  now = 0;
  closed = false;
  private readonly handles = new Map<number, Handle>();
  private nextPid = 1;
  private nextIndex = 1;
  private depth = 0;
  /** Of this core: the process may have changed its own before it tells. */
  private vlanLimit = MAX_VLANS;
  private readonly dirtyPorts: Vport[] = [];
  private readonly dirtyHandles: Handle[] = [];

  constructor(options: CoreOptions) {
    this.ports = options.ports;
    this.keyEncoding = options.keyEncoding ?? KERNEL_ENCODING;
    this.onRecircLimit = options.onRecircLimit ?? (() => {});
    this.arena = new Arena(options.allocArena ?? ((size) => new Uint8Array(size)), () => this.flushPorts());
  }

  /** Begins a batch, or one within a batch in progress: only the outermost `endBatch` flushes. */
  beginBatch(now: number): void {
    this.now = now;
    this.depth++;
  }

  /** Ends a batch: flushes the ports that were sent to, and completes pended reads of upcalls and events. */
  endBatch(): void {
    if (--this.depth > 0) return;
    this.flushPorts();
    this.arena.reset();
    const handles = this.dirtyHandles;
    for (let i = 0; i < handles.length; i++) {
      handles[i].dirty = false;
      handles[i].pump();
    }
    handles.length = 0;
  }

  /** Remembers that `vport` has frames queued. */
  markPort(vport: Vport): void {
    vport.dirty = true;
    this.dirtyPorts.push(vport);
  }

  /** Remembers that `handle` has messages to be read. */
  markHandle(handle: Handle): void {
    if (handle.dirty) return;
    handle.dirty = true;
    this.dirtyHandles.push(handle);
  }

  /** Flushes the ports that were sent to. */
  flushPorts(): void {
    const ports = this.dirtyPorts;
    for (let i = 0; i < ports.length; i++) {
      ports[i].dirty = false;
      ports[i].provider.flush();
    }
    ports.length = 0;
  }

  /** Opens a handle; its completions go to `sink`. */
  openHandle(sink: HandleSink): Handle {
    while (this.handles.has(this.nextPid)) this.nextPid = (this.nextPid + 1) >>> 0 || 1;
    const handle = new Handle(this, this.nextPid, sink);
    this.nextPid = (this.nextPid + 1) >>> 0 || 1;
    this.handles.set(handle.pid, handle);
    return handle;
  }

  /** The open handle with that PID. */
  handle(pid: number): Handle | undefined {
    return this.handles.get(pid);
  }

  /** Called by a handle that closes. */
  forgetHandle(handle: Handle): void {
    this.handles.delete(handle.pid);
  }

  /** Queues `message` for every handle that joined the multicast group; they share the bytes. */
  multicast(group: number, message: Uint8Array): void {
    for (const handle of this.handles.values()) {
      if (!handle.groups.has(group)) continue;
      handle.events.push(message);
      this.markHandle(handle);
    }
  }

  /** Whether anybody joined the multicast group: spares building the message. */
  hasListeners(group: number): boolean {
    for (const handle of this.handles.values()) if (handle.groups.has(group)) return true;
    return false;
  }

  /** Makes a datapath with its local port, an internal one of the same name; or a positive errno (EFBIG: too many). */
  addDatapath(name: string, upcallPids: Uint32Array = new Uint32Array(0)): Datapath | number {
    if (this.byName.size >= MAX_DATAPATHS) return Errno.EFBIG;
    const dp = Datapath.create(this, name, this.nextIndex, upcallPids);
    if (dp instanceof Datapath) this.nextIndex++;
    return dp;
  }

  /** Closes all ports of `dp` and forgets it. */
  delDatapath(dp: Datapath): void {
    dp.close();
    this.byName.delete(dp.name);
    this.byIndex.delete(dp.index);
  }

  /** How many VLAN tags of a packet are parsed. When that changes, packets are others to flows: all flows go. */
  limitVlans(limit: number): void {
    if (limit === this.vlanLimit) return;
    this.vlanLimit = limit;
    setVlanLimit(limit);
    for (const dp of this.byIndex.values()) dp.flows.flush();
  }

  /** Housekeeping, a bounded amount each time: conntrack expiry. Returns the milliseconds until the next call. */
  tick(now: number): number {
    let next = 1000;
    this.beginBatch(now);
    for (const dp of this.byIndex.values()) next = Math.min(next, dp.tick(now));
    this.endBatch();
    return next;
  }

  /** Makes the provider of a port. */
  createProvider(request: PortRequest): ReturnType<PortFactory['create']> {
    return this.ports.create(request);
  }

  /** Closes every handle and datapath. */
  close(): void {
    this.closed = true;
    for (const handle of this.handles.values()) handle.close();
    for (const dp of this.byIndex.values()) this.delDatapath(dp);
  }
}
