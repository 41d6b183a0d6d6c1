/**
 * One bridge as OpenFlow sees it: ports, bundles (the bridge's ports, with their VLAN configuration), flow tables, the
 * MAC learning table, packets out and in. Translation is in `xlate/`, the datapath side in `backer.ts`.
 *
 * Port numbers are OpenFlow 1.1's 32-bit ones (LOCAL is 0xfffffffe); 16-bit reserved ones are accepted where a value
 * comes from outside. Times are ms of the `now` passed in. Nothing here blocks or owns a clock.
 */
import { randomBytes } from 'node:crypto';
import { portFromOf10 } from '@ovs-node/flow/fields';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { OFPP, type PortMap } from '@ovs-node/flow/ports';
import type { Action } from '@ovs-node/openflow/actions/types';
import { OfError } from '@ovs-node/openflow/errors';
import { makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import {
  type AggregateStats,
  FF,
  type FlowFilter,
  type FlowMod,
  type FlowStats,
  type GroupMod,
  type PacketOut,
  PC,
  PR,
  PS,
  type TableStats,
  WHOLE_PACKET,
} from '@ovs-node/openflow/messages/types';
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { Backer } from './backer.js';
import { FlowTables, INTERNAL_TABLE } from './flow-tables.js';
import { GroupTable } from './group-table.js';
import { MacTable } from './mac-learning.js';
import { MeterTable } from './meter-table.js';
import { hashOfPort, Hmap, hmapOrder } from './hmap-order.js';
import { finishPacketOut, startPacketOut, type StartedPacket } from './packet-out.js';
import { Bundle, OfPort } from './ports.js';
import type { Rule } from './rule.js';
import {
  type BundleSpec,
  ODPP_NONE,
  type OfprotoEvents,
  type OfprotoSettings,
  type PortSpec,
} from './types.js';

/** What a bridge does when there is no controller to ask. */
export type FailMode = 'standalone' | 'secure';

/** The switch's own rules: what a table miss becomes. */
export interface InternalRules {
  readonly miss: Rule;
  readonly noPacketIn: Rule;
  readonly dropFrags: Rule;
}

const log = vlog('ofproto');
const rateLimit = new RateLimit(5, 5);

const NO_EVENTS: OfprotoEvents = { onPacketIn: () => {}, onFlowRemoved: () => {} };

export class Ofproto {
  readonly name: string;
  readonly backer: Backer;
  /** Names the bridge in the cookies of datapath actions; new in each run. */
  readonly uuid: Uint8Array = randomBytes(16);
  readonly tables: FlowTables;
  readonly groups: GroupTable;
  readonly meters: MeterTable;
  private readonly named = {
    hasGroup: (id: number) => this.groups.get(id) !== undefined,
    dpMeter: (id: number) => this.meters.dpId(id),
    tunnelOptionBits: (index: number) => this.tables.tlv.bits(index),
  };
  readonly macTable = new MacTable();
  readonly internalRules: InternalRules;
  /** In order of configuration, which is the order of flooding. */
  readonly bundles = new Map<string, Bundle>();
  readonly features = { ctEventmask: false };
  readonly settings: OfprotoSettings = {
    forwardBpdu: false,
    macAgingTime: 300,
    macTableSize: 8192,
    floodVlans: [],
    samplesFlows: false,
    frag: 'normal',
    missSendLen: 128,
  };
  /** Set by the connection manager. */
  events: OfprotoEvents = NO_EVENTS;
  /** A table miss goes to controllers: one of OpenFlow 1.0 to 1.2 is connected. Set by the connection manager. */
  wantsPacketInOnMiss = false;
  /** Names in traces instead of numbers; set while a trace asks for them. */
  traceNames: PortMap | undefined = undefined;
  private readonly byNumber = new Map<number, OfPort>();
  private readonly listed = new Hmap<OfPort>((port) => hashOfPort(port.ofport));
  private readonly byName = new Map<string, OfPort>();
  private floodOrder: OfPort[] | undefined = undefined;
  private listOrder: OfPort[] | undefined = undefined;
  private mode: FailMode = 'standalone';
  private controllers = false;
  private fresh = true;

  constructor(name: string, backer: Backer, now: number) {
    this.name = name;
    this.backer = backer;
    this.meters = new MeterTable({
      ids: backer.meterIds,
      datapath: () => this.backer.dpif?.meters,
      metersChanged: () => this.backer.changed('flow table'),
      meterDeleted: (id, at) => this.tables.removeMeterUsers(id, at),
      failed: (text) => log.warnRl(rateLimit, `bridge ${this.name}: ${text}`),
    });
    this.groups = new GroupTable({
      groupsChanged: () => this.backer.changed('flow table'),
      groupDeleted: (id, at) => this.tables.removeGroupUsers(id, at),
    });
    this.tables = new FlowTables({
      flowRemoved: (rule, reason, at) => {
        if ((rule.flags & FF.SEND_FLOW_REM) !== 0) this.events.onFlowRemoved(rule.removal(reason, at));
      },
      tablesChanged: () => this.backer.changed('flow table'),
      vacancy: (id, reason) => this.events.onTableStatus?.(this.tables.table(id).desc(id), reason),
      flowWatcher: () => this.events.onFlowChange,
      followed: () => this.events.onFollowed?.(),
      ...this.named,
    });
    this.internalRules = this.addInternalRules(now);
    backer.add(this);
  }

  /** Removes the bridge from its backer, and its meters from the datapath. Datapath flows go with the next revalidation. */
  destroy(): void {
    this.meters.clear(0);
    this.backer.remove(this);
  }

  // Ports.

  /** Adds a port, or replaces the one of that number. */
  addPort(spec: PortSpec): OfPort {
    const port = new OfPort({ ...spec, ofport: portFromOf10(spec.ofport) });
    const old = this.byNumber.get(port.ofport);
    if (old) this.delPort(old.ofport);
    this.byNumber.set(port.ofport, port);
    this.listed.add(port);
    this.byName.set(port.name, port);
    this.portsChanged();
    return port;
  }

  /** Removes a port; false when there is none of that number. */
  delPort(ofport: number): boolean {
    const port = this.byNumber.get(portFromOf10(ofport));
    if (!port) return false;
    this.byNumber.delete(port.ofport);
    this.listed.delete(port);
    this.byName.delete(port.name);
    const { bundle } = port;
    if (bundle) {
      bundle.ports.splice(bundle.ports.indexOf(port), 1);
      if (bundle.ports.length === 0) this.macTable.flush(bundle);
    }
    this.portsChanged();
    return true;
  }

  /** Takes over changed properties of a port (datapath port, configuration and state bits, patch peer). */
  updatePort(ofport: number, change: Partial<Pick<OfPort, 'dpPort' | 'phy' | 'peer' | 'type'>>): void {
    const port = this.port(portFromOf10(ofport));
    if (!port) return;
    Object.assign(port, change);
    if (port.bundle) refreshFloodable(port.bundle);
    this.portsChanged();
  }

  /** Sets bits of a port's OpenFlow configuration (OFPT_PORT_MOD). False when there is no such port. */
  setPortConfig(ofport: number, config: number, mask: number): boolean {
    const port = this.port(portFromOf10(ofport));
    if (!port) return false;
    const changed = (port.phy.config & ~mask) | (config & mask);
    const isLive = (changed & PC.PORT_DOWN) === 0 && (port.phy.state & PS.LINK_DOWN) === 0;
    const state = isLive ? port.phy.state | PS.LIVE : port.phy.state & ~PS.LIVE;
    this.updatePort(port.ofport, { phy: { ...port.phy, config: changed, state } });
    return true;
  }

  /** Brings a port's device up or down, as its configuration says now. Rejects with the reason when it cannot be. */
  async turnPort(port: OfPort): Promise<void> {
    if (!port.hasDpPort) return;
    await this.backer.dpif?.ports.setUp(port.dpPort, (port.phy.config & PC.PORT_DOWN) === 0);
  }

  port(ofport: number): OfPort | undefined {
    return this.byNumber.get(ofport);
  }
  portByName(name: string): OfPort | undefined {
    return this.byName.get(name);
  }
  ports(): Iterable<OfPort> {
    return this.byNumber.values();
  }

  /** A number for a new port: the one asked for when it is free, else the lowest free one; undefined: none is left. */
  allocOfport(wanted?: number): number | undefined {
    if (wanted !== undefined && wanted > 0 && wanted < OFPP.MAX && !this.byNumber.has(wanted)) return wanted;
    for (let n = 1; n < OFPP.MAX; n++) if (!this.byNumber.has(n)) return n;
    return undefined;
  }

  /** Names of the ports, for flow text. */
  get portMap(): PortMap {
    return {
      nameToNumber: (name) => this.byName.get(name)?.ofport,
      numberToName: (no) => this.byNumber.get(no)?.name,
    };
  }

  /** Ports in the order in which FLOOD and ALL send to them. */
  portsInFloodOrder(): readonly OfPort[] {
    return (this.floodOrder ??= hmapOrder([...this.byNumber.values()], ({ ofport }) => hashOfPort(ofport)));
  }

  /** Ports in the order in which replies list them. */
  portsInOrder(): readonly OfPort[] {
    return (this.listOrder ??= this.listed.items);
  }

  /** The port at the other end of a patch port, when it exists and points back. */
  patchPeer(port: OfPort): { ofproto: Ofproto; port: OfPort } | undefined {
    return port.peer === undefined ? undefined : this.backer.patchPort(port.peer, port.name);
  }

  /** The PID that upcalls of packets from a port go to. */
  upcallPid(port: OfPort | undefined): number {
    // Of a packet-out there may be no port; it needs somebody to go to all the same.
    return this.backer.upcallPid(port?.dpPort ?? ODPP_NONE);
  }

  // Bundles.

  /** Adds or changes a port of the bridge. Its members must have been added. */
  setBundle(spec: BundleSpec): void {
    let bundle = this.bundles.get(spec.name);
    if (!bundle) this.bundles.set(spec.name, (bundle = new Bundle(spec)));
    else bundle.configure(spec);
    for (const port of bundle.ports) port.bundle = undefined;
    bundle.ports.length = 0;
    for (const ofport of spec.members) {
      const port = this.port(portFromOf10(ofport));
      if (!port) continue;
      if (port.bundle && port.bundle !== bundle) port.bundle.ports.splice(port.bundle.ports.indexOf(port), 1);
      port.bundle = bundle;
      bundle.ports.push(port);
    }
    refreshFloodable(bundle);
    this.backer.changed('ports');
  }

  /** Removes a port of the bridge; its members stay until `delPort`. */
  delBundle(name: string): void {
    const bundle = this.bundles.get(name);
    if (!bundle) return;
    for (const port of bundle.ports) port.bundle = undefined;
    this.bundles.delete(name);
    this.macTable.flush(bundle);
    this.backer.changed('ports');
  }

  // Settings.

  /** Changes settings; those that are not named stay. */
  configure(settings: Partial<OfprotoSettings>, now: number): void {
    Object.assign(this.settings, settings);
    this.macTable.configure(this.settings.macAgingTime, this.settings.macTableSize, now);
    this.macTable.setFloodVlans(this.settings.floodVlans);
    this.backer.changed('configuration');
  }

  get failMode(): FailMode {
    return this.mode;
  }

  /**
   * Sets the fail mode and whether there are controllers. When that means that the bridge is on its own from now on
   * (or no longer is), all flows go, and a standalone bridge gets one that makes it a learning switch.
   */
  setControl(mode: FailMode, hasControllers: boolean, now: number): void {
    const flush =
      this.fresh || this.controllers !== hasControllers || (this.mode !== mode && !hasControllers);
    this.fresh = false;
    this.mode = mode;
    this.controllers = hasControllers;
    if (flush) this.flushFlows(now);
  }

  /** Removes all flows, groups and meters; a standalone bridge without controllers then gets its default flow. */
  flushFlows(now: number): void {
    this.tables.flush(now);
    this.groups.clear(now);
    this.meters.clear(now);
    if (this.mode !== 'standalone' || this.controllers) return;
    this.tables.flowMod(
      makeFlowMod({
        command: 'add',
        priority: 0,
        actions: [{ type: 'output', port: OFPP.NORMAL, maxLen: 0 }],
      }),
      now,
    );
  }

  // Flows.

  /** Carries out a flow-mod. @returns the error to answer with; then nothing has changed. */
  flowMod(fm: FlowMod, now: number): OfError | undefined {
    return this.tables.flowMod(fm, now);
  }

  /** Carries out a group-mod. @returns the error to answer with; then nothing has changed. */
  groupMod(mod: GroupMod, now: number): OfError | undefined {
    return this.groups.apply(mod, now);
  }

  /**
   * Carries out changes of flows and groups as one: all of them, or none when `work` returns an error or throws. Must not
   * wait in between: packets see the tables before or after. Flows of other bridges, which a packet may teach, stay.
   *
   * In the peer what packets of a failed bundle were taught stays, also where the bundle had removed a flow that then
   * comes back: two flows of one match and priority. Nobody can want that of all or nothing.
   */
  transaction<E>(now: number, work: () => E | undefined): E | undefined {
    const restoreGroups = this.groups.snapshot();
    this.tables.begin();
    let isDone = false;
    try {
      const error = work();
      isDone = error === undefined;
      return error;
    } finally {
      if (isDone) this.tables.commit(now);
      else {
        this.tables.rollBack();
        restoreGroups();
      }
    }
  }

  /** The flows that a request selects. Counters are as of the last revalidation: see `Backer.syncStats`. */
  dumpFlows(filter: FlowFilter, now: number): FlowStats[] {
    return this.tables.dump(filter, now);
  }

  aggregate(filter: FlowFilter): AggregateStats {
    return this.tables.aggregate(filter);
  }

  tableStats(): TableStats[] {
    return this.tables.tableStats();
  }

  /** Adds a flow that controllers do not see; its priority must be above 65535. */
  addHiddenFlow(match: Match, priority: number, actions: readonly Action[], now: number): Rule {
    return this.tables.addInternal(0, priority, match, actions, now);
  }

  delHiddenFlow(rule: Rule, now: number): void {
    this.tables.removeInternal(rule, now);
  }

  /** Ages flows and learned stations. @returns when to call again at the latest (ms); undefined: no flow ages. */
  runExpiry(now: number): number | undefined {
    if (this.macTable.run(now)) this.backer.changed('mac learning');
    return this.tables.runExpiry(now);
  }

  // Packets.

  /** Executes a packet-out. @returns the error to answer with; then nothing has changed. */
  packetOut(po: PacketOut, now: number, protocols?: number): OfError | undefined {
    let started: StartedPacket | OfError | undefined;
    const error = this.transaction(now, () => {
      started = startPacketOut(this, po, now, protocols);
      return started instanceof OfError ? started : undefined;
    });
    if (started !== undefined && !(started instanceof OfError)) finishPacketOut(this, started, now);
    return error;
  }

  /**
   * Learns where a station is. A change makes datapath flows be looked at again.
   * @returns the port of the bridge, when that is news.
   */
  learnMac(inPort: number, mac: bigint, vlan: number, isGratArp: boolean, now: number): Bundle | undefined {
    const bundle = this.port(inPort)?.bundle;
    if (!bundle || !this.macTable.update(mac, vlan, bundle, isGratArp, now)) return undefined;
    this.backer.changed('mac learning');
    return bundle;
  }

  /** Adds a learned flow, or lets the one that is there begin its life anew. */
  learnFlow(fm: FlowMod, now: number, limit: number): void {
    const error = this.tables.learn(fm, now, limit);
    if (error) this.learnFailed(error);
  }

  learnFailed(error: OfError): void {
    log.warnRl(rateLimit, `bridge ${this.name}: learned flow refused (${error.toString()})`);
  }

  private portsChanged(): void {
    this.floodOrder = undefined;
    this.listOrder = undefined;
    this.backer.portsChanged();
  }

  private addInternalRules(now: number): InternalRules {
    const add = (id: number, actions: readonly Action[]): Rule => {
      const match = new Match();
      match.key[W.REG] = id;
      match.mask[W.REG] = 0xffffffff;
      return this.tables.addInternal(INTERNAL_TABLE, 0, match, actions, now);
    };
    const toController: Action = {
      type: 'controller',
      maxLen: WHOLE_PACKET,
      reason: PR.IMPLICIT_MISS,
      controllerId: 0,
      userdata: new Uint8Array(0),
      pause: false,
      meterId: 0,
    };
    const rules = { miss: add(1, [toController]), noPacketIn: add(2, []), dropFrags: add(3, []) };
    const stop = new Match();
    stop.mask[W.RECIRC_ID] = 0xffffffff;
    this.tables.addInternal(INTERNAL_TABLE, 2, stop, [], now);
    return rules;
  }
}

function refreshFloodable(bundle: Bundle): void {
  bundle.floodable = bundle.ports.every((port) => (port.phy.config & PC.NO_FLOOD) === 0);
}
