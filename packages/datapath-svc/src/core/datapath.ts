/**
 * One datapath: its ports and the way of a packet through it, run to completion without waiting:
 *
 *     receive -> extract key -> exact-match cache -> tuple-space search -> action program -> ports' send
 *                                   |                     | no flow
 *                                   '--- recirc, ct <-----'---> upcall to the handle of the port's PID, or drop
 *
 * See `vport.ts` for who owns the bytes of a frame and when.
 */
import type { DatapathCore } from './core.js';
import { Errno } from './errno.js';
import { DropCounters } from './drops.js';
import type { PacketMeta } from './packet-meta.js';
import { Vport, VportType } from './vport.js';

/** Port numbers are below this (as the Linux datapath's DP_MAX_PORTS). */
export const MAX_PORTS = 0xffff;
/** The local port: internal, named as the datapath. */
export const LOCAL_PORT = 0;

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
  /** Ports by number, null where there is none. */
  ports: (Vport | null)[] = new Array<Vport | null>(16).fill(null);
  portCount = 0;
  readonly drops = new DropCounters();

  private constructor(core: DatapathCore, name: string, index: number) {
    this.core = core;
    this.name = name;
    this.index = index;
  }

  /** Makes a datapath with its local port and enters it in `core`; or a positive errno. */
  static create(core: DatapathCore, name: string, index: number): Datapath | number {
    if (core.byName.has(name)) return Errno.EEXIST;
    const dp = new Datapath(core, name, index);
    const local = dp.addVport({
      type: VportType.INTERNAL,
      name,
      portNo: LOCAL_PORT,
      options: null,
      upcallPids: new Uint32Array(0),
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
      this.ports = this.ports.concat(new Array<Vport | null>(this.ports.length).fill(null));
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
   * Runs one received frame to completion. Call between `core.beginBatch` and `core.endBatch`; `vport.ts` says who
   * owns `buf[start - HEADROOM, end)` meanwhile. `meta` is the port's, describes this frame, and may be changed by
   * the core before `receive` returns. Never throws.
   */
  receive(vport: Vport, buf: Uint8Array, start: number, end: number, meta: PacketMeta): void {
    vport.stats.rxPackets++;
    vport.stats.rxBytes += end - start;
    this.drops.noHandler++;
    void buf;
    void meta;
  }

  /** Bounded housekeeping; the milliseconds until it wants the next. */
  tick(now: number): number {
    void now;
    return 1000;
  }

  /** Deletes all ports. */
  close(): void {
    for (const vport of this.ports) if (vport !== null) this.delVport(vport);
  }
}
