/**
 * What the bridges of one datapath type share: the datapath, the frozen translations, and the number that says that
 * translations may come out differently than before.
 */
import { coverageCounter, type CoverageCounter } from '@ovs-node/common/coverage';
import { type FlowKey, W } from '@ovs-node/flow/layout';
import { OFPP } from '@ovs-node/flow/ports';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { Dpif } from '../dpif/provider.js';
import type { Ofproto } from './ofproto.js';
import type { OfPort } from './ports.js';
import { MeterIds } from './meter-table.js';
import { RecircTable } from './recirc.js';
import type { Udpif } from './udpif.js';

/** Handles of traffic control, 1:1 and up (tc(8)). */
const TC_FIRST_QDISC = 0x10000;
const MAX_CLASS = 0xf000;

const log = vlog('ofproto_dpif');
const rateLimit = new RateLimit(5, 5);

/** Why translations may have changed; the peer's words of "reason for revalidation". */
export type ChangeReason = 'flow table' | 'ports' | 'mac learning' | 'configuration';

/** How often each made the revalidator look at all flows. */
const changes: Readonly<Record<ChangeReason, CoverageCounter>> = {
  'flow table': coverageCounter('rev_flow_table'),
  ports: coverageCounter('rev_port_toggled'),
  'mac learning': coverageCounter('rev_mac_learning'),
  configuration: coverageCounter('rev_reconfigure'),
};

export class Backer {
  /** `system`, `netdev`, `dummy`. */
  readonly type: string;
  readonly recirc = new RecircTable();
  /** Numbers of the datapath's meters. */
  readonly meterIds = new MeterIds();
  /** Counts changes; a megaflow translated at an older count is to be looked at again. */
  sequence = 1;
  /** The datapath, while there is one. */
  dpif: Dpif | undefined = undefined;
  /** Upcalls and revalidation; there once a datapath was. */
  udpif: Udpif | undefined = undefined;
  private readonly bridges = new Map<string, Ofproto>();
  private byDpPort: Map<number, { ofproto: Ofproto; port: OfPort }> | undefined = undefined;
  private readonly watchers: (() => void)[] = [];
  /** Recirculation numbers to be let go by the next `runReleases`, and by the one after it. */
  private leaving: (readonly number[])[] = [];
  private leavingLater: (readonly number[])[] = [];

  constructor(type: string) {
    this.type = type;
  }

  /** The name of the datapath that all bridges of this type share. */
  get dpName(): string {
    return `ovs-${this.type}`;
  }

  add(ofproto: Ofproto): void {
    this.bridges.set(ofproto.name, ofproto);
    this.portsChanged();
  }

  remove(ofproto: Ofproto): void {
    if (this.bridges.get(ofproto.name) === ofproto) this.bridges.delete(ofproto.name);
    this.portsChanged();
  }

  ofproto(name: string): Ofproto | undefined {
    return this.bridges.get(name);
  }
  get hasBridges(): boolean {
    return this.bridges.size > 0;
  }
  ofprotos(): Iterable<Ofproto> {
    return this.bridges.values();
  }
  byUuid(uuid: Uint8Array): Ofproto | undefined {
    for (const ofproto of this.bridges.values()) {
      if (ofproto.uuid.every((byte, i) => byte === uuid[i])) return ofproto;
    }
    return undefined;
  }

  /** Says that translations may have changed. */
  changed(reason: ChangeReason): void {
    changes[reason].total++;
    this.sequence++;
    for (const watcher of this.watchers) watcher();
  }

  /** Calls `watcher` at each change (often: it should only take note). */
  onChange(watcher: () => void): void {
    this.watchers.push(watcher);
  }

  portsChanged(): void {
    this.byDpPort = undefined;
    this.changed('ports');
  }

  /** The bridge and port of a datapath port number. */
  portOf(dpPort: number): { ofproto: Ofproto; port: OfPort } | undefined {
    if (!this.byDpPort) {
      this.byDpPort = new Map();
      for (const ofproto of this.bridges.values()) {
        for (const port of ofproto.ports())
          if (port.hasDpPort) this.byDpPort.set(port.dpPort, { ofproto, port });
      }
    }
    return this.byDpPort.get(dpPort);
  }

  /**
   * Where a packet of the datapath came in: the bridge, and the port's OpenFlow number. One that a controller sent as its
   * own came in at no port of the datapath, but comes back under a number that says where it was.
   */
  originOf(key: FlowKey): { readonly ofproto: Ofproto; readonly ofport: number } | undefined {
    const at = this.portOf(key[W.IN_PORT]!);
    if (at) return { ofproto: at.ofproto, ofport: at.port.ofport };
    const state = key[W.RECIRC_ID] === 0 ? undefined : this.recirc.lookup(key[W.RECIRC_ID]!);
    if (state?.inPort !== OFPP.ANY && state?.inPort !== OFPP.CONTROLLER) return undefined;
    const ofproto = this.bridges.get(state.bridge);
    return ofproto && { ofproto, ofport: state.inPort };
  }

  /** The patch port called `name` whose peer is `from`. */
  patchPort(name: string, from: string): { ofproto: Ofproto; port: OfPort } | undefined {
    for (const ofproto of this.bridges.values()) {
      const port = ofproto.portByName(name);
      if (port?.isPatch && port.peer === from) return { ofproto, port };
    }
    return undefined;
  }

  /**
   * The priority that packets of a queue have in the datapath: the queue's own number, or with a datapath of the host a
   * traffic control class under its first qdisc. Undefined: there is none for that queue.
   */
  priorityOf(queue: number): number | undefined {
    if (this.type !== 'system') return queue;
    return queue < MAX_CLASS ? TC_FIRST_QDISC + queue + 1 : undefined;
  }

  upcallPid(dpPort: number): number {
    return this.dpif?.packets.pid(dpPort) ?? 0;
  }

  /** Runs datapath actions on a packet. Failures are logged. */
  executeActions(packet: Uint8Array, key: FlowKey, actions: Uint8Array): void {
    const { dpif } = this;
    if (actions.length === 0 || !dpif) return;
    dpif.packets.execute({ packet, key, actions }).catch((error: unknown) => {
      if (dpif.closed) return;
      log.warnRl(
        rateLimit,
        `${this.dpName}: execute failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  }

  /** Gives a hold of each of these recirculation numbers back after `runReleases` was called twice; keeps `ids`. */
  releaseLater(ids: readonly number[]): void {
    if (ids.length === 0) return;
    for (const id of ids) this.recirc.leave(id);
    this.leavingLater.push(ids);
  }

  /** To be called about once a second, not more often: packets under way may still carry the numbers. */
  runReleases(): void {
    for (const ids of this.leaving) for (const id of ids) this.recirc.forget(id);
    this.leaving = this.leavingLater;
    this.leavingLater = [];
  }
}
