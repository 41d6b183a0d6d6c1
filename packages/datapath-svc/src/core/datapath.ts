/**
 * One datapath: its ports, flows and connections, and the way of a packet through it, run to completion:
 *
 *     receive -> extract key -> exact-match cache -> tuple-space search -> action program -> ports' send
 *                                   |                     | no flow
 *                                   '--- recirc <---------'---> upcall to the handle of the port's PID, or drop
 *
 * See `vport.ts` for who owns the bytes of a frame and when.
 */
import { W } from '@ovs-node/flow/layout';
import { PacketCmd, VportCmd } from '@ovs-node/netlink/families';
import { Executor } from './actions/execute.js';
import type { CtAction, UserspaceAction } from './actions/program.js';
import type { Program } from './actions/program.js';
import { Conntrack } from './conntrack/conntrack.js';
import type { DatapathCore } from './core.js';
import { DropCounters } from './drops.js';
import { Errno } from './errno.js';
import { hashKey } from './flow-table/exact-cache.js';
import { FlowTable } from './flow-table/flow-table.js';
import { MAX_CONTEXTS, MAX_PORTS } from './limits.js';
import type { Meter } from './meter/meter.js';
import { ctEvents } from './netlink/conntrack.js';
import { vportEvent } from './netlink/vport.js';
import { Packet } from './packet.js';
import type { PacketMeta } from './packet-meta.js';
import { type UpcallArgs, UpcallWriter } from './upcall.js';
import { Vport, VportType } from './vport.js';

/** The local port: internal, named as the datapath. */
export const LOCAL_PORT = 0;

const NO_ACTIONS = new Uint8Array(0);
const MISS: UpcallArgs = { cmd: PacketCmd.MISS, userdata: null, actions: NO_ACTIONS };

/** What `Datapath.addVport` makes a port of. */
export interface VportSpec {
  /** One of `VportType`. */
  readonly type: number;
  readonly name: string;
  /** The number wanted, or null for the lowest free one from 1. */
  readonly portNo: number | null;
  readonly options: Uint8Array | null;
  readonly upcallPids: Uint32Array;
}

export class Datapath {
  readonly core: DatapathCore;
  readonly name: string;
  /** The datapath's number: `dp_ifindex` of its netlink messages. */
  readonly index: number;
  /** OVS_DP_ATTR_USER_FEATURES that userspace asked for. */
  userFeatures = 0;
  /** PIDs for OVS_DP_F_DISPATCH_UPCALL_PER_CPU; empty when not used. */
  perCpuPids: Uint32Array = new Uint32Array(0);
  /** Ports by number, null where there is none. */
  ports: (Vport | null)[] = Array.from<Vport | null>({ length: 16 }).fill(null);
  portCount = 0;
  readonly flows = new FlowTable();
  readonly conntrack: Conntrack;
  readonly meters = new Map<number, Meter>();
  readonly drops = new DropCounters();
  private readonly executor: Executor;
  private readonly upcalls: UpcallWriter;
  private readonly stack: Packet[] = [];

  private constructor(core: DatapathCore, name: string, index: number) {
    this.core = core;
    this.name = name;
    this.index = index;
    this.conntrack = new Conntrack((Math.random() * 0x100000000) | 0);
    this.conntrack.listener = ctEvents(this);
    this.executor = new Executor(this);
    this.upcalls = new UpcallWriter(this);
    for (let i = 0; i < MAX_CONTEXTS; i++) this.stack.push(new Packet());
  }

  /** Makes a datapath with its local port and enters it in `core`; or a positive errno. */
  static create(core: DatapathCore, name: string, index: number, upcallPids: Uint32Array): Datapath | number {
    if (core.byName.has(name)) return Errno.EEXIST;
    const dp = new Datapath(core, name, index);
    const local = dp.addVport({
      type: VportType.INTERNAL,
      name,
      portNo: LOCAL_PORT,
      options: null,
      upcallPids,
    });
    if (typeof local === 'number') return local;
    core.byName.set(name, dp);
    core.byIndex.set(index, dp);
    return dp;
  }

  /** The port with that number, or null. */
  vport(portNo: number): Vport | null {
    return portNo < this.ports.length ? this.ports[portNo] : null;
  }

  /** The port with that name, or null. */
  vportByName(name: string): Vport | null {
    for (const vport of this.ports) if (vport !== null && vport.name === name) return vport;
    return null;
  }

  /**
   * Adds a port: asks the factory for its provider, gives it a number, starts it. Or a positive errno, with nothing
   * changed: EEXIST name in use on any datapath, EBUSY number in use, EFBIG no number left or too large, and the
   * factory's own.
   */
  addVport(spec: VportSpec): Vport | number {
    for (const dp of this.core.byIndex.values()) if (dp.vportByName(spec.name) !== null) return Errno.EEXIST;
    if (this.vportByName(spec.name) !== null) return Errno.EEXIST;
    let portNo = spec.portNo;
    if (portNo === null) {
      portNo = 1;
      while (this.vport(portNo) !== null) portNo++;
    } else if (this.vport(portNo) !== null) return Errno.EBUSY;
    if (portNo >= MAX_PORTS) return Errno.EFBIG;
    const provider = this.core.createProvider({
      datapath: this.name,
      type: spec.type,
      name: spec.name,
      options: spec.options,
    });
    if (typeof provider === 'number') return provider;
    const vport = new Vport(this, portNo, spec, provider);
    vport.upcallPids = spec.upcallPids;
    while (portNo >= this.ports.length) {
      this.ports = this.ports.concat(Array.from<Vport | null>({ length: this.ports.length }).fill(null));
    }
    this.ports[portNo] = vport;
    this.portCount++;
    provider.start(vport);
    return vport;
  }

  /** Deletes a port that is in this datapath: flushes and closes its provider. */
  delVport(vport: Vport): void {
    if (this.vport(vport.portNo) !== vport) return;
    this.core.flushPorts();
    this.ports[vport.portNo] = null;
    this.portCount--;
    vport.provider.close();
  }

  /**
   * For providers: the port's link, address or MTU changed, or its device went away or came back. Tells the handles
   * that joined the vport multicast group.
   */
  vportChanged(vport: Vport): void {
    vportEvent(this, vport, VportCmd.SET);
  }

  /**
   * Runs one received frame to completion. Call between `core.beginBatch` and `core.endBatch`; `vport.ts` says who
   * owns `buf[start - HEADROOM, end)` meanwhile. `meta` is the port's, describes this frame, and may be changed by
   * the core before `receive` returns. Never throws.
   */
  receive(vport: Vport, buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    vport.stats.rxPackets++;
    vport.stats.rxBytes += end - start;
    if (end - start < 14) {
      this.drops.malformed++;
      return;
    }
    const p = this.stack[0];
    p.reset(buf, start, end, meta, vport.portNo);
    this.lookupAndRun(p, 0);
  }

  /** Runs a packet with a new recirculation id; its key is right. For the executor. */
  recirculate(p: Packet, depth: number): void {
    this.lookupAndRun(p, depth);
  }

  /** Runs actions on a packet that userspace sent. `p` is `context(0)`. */
  execute(program: Program, p: Packet, actions: Uint8Array): void {
    this.executor.run(program, p, 0, actions);
  }

  /** The packet context of one level. For the executor. */
  context(depth: number): Packet {
    return this.stack[depth];
  }

  /** Runs `ct(...)`: the packet's key, which must be right, gets its ct fields. */
  track(p: Packet, action: CtAction): void {
    this.conntrack.track(p, action, this.core.now, this.drops);
  }

  /** Sends an upcall for a userspace action. For the executor. */
  upcallAction(p: Packet, action: UserspaceAction, actions: Uint8Array, cut: number): void {
    const pid = action.pid === 0xffffffff && this.perCpuPids.length > 0 ? this.perCpuPids[0] : action.pid;
    // Allocates: this is the slow way, and ends in a message anyway.
    const args = {
      cmd: PacketCmd.ACTION,
      userdata: action.userdata,
      actions: action.withActions ? actions : NO_ACTIONS,
    };
    this.upcalls.send(args, p, pid, cut);
  }

  /** Bounded housekeeping; the milliseconds until it wants the next. */
  tick(now: number): number {
    return this.conntrack.sweep(now);
  }

  /** Deletes all ports, flows and connections. */
  close(): void {
    for (const vport of this.ports) if (vport !== null) this.delVport(vport);
    this.flows.flush();
  }

  private lookupAndRun(p: Packet, depth: number): void {
    const flow = this.flows.lookup(p.key, p.wide);
    if (flow === null) {
      this.miss(p);
      return;
    }
    flow.packets++;
    flow.bytes += p.end - p.start;
    flow.used = this.core.now;
    flow.tcpFlags |= p.key[W.ETH_TYPE] & 0xfff;
    const program = flow.program;
    if (program.onlyOutput >= 0) this.executor.output(p, program.onlyOutput, 0);
    else this.executor.run(program, p, depth, flow.actions);
  }

  private miss(p: Packet): void {
    let pid = 0;
    if (this.perCpuPids.length > 0) pid = this.perCpuPids[0];
    else {
      // A packet that userspace executes may have come in at no port: it is then as if at the local one.
      const vport = this.vport(p.key[W.IN_PORT]) ?? this.vport(LOCAL_PORT);
      if (vport !== null && vport.upcallPids.length > 0) {
        const pids = vport.upcallPids;
        pid = pids.length === 1 ? pids[0] : pids[(hashKey(p.key, p.wide) >>> 0) % pids.length];
      }
    }
    this.upcalls.send(MISS, p, pid, 0x7fffffff);
  }
}
