/**
 * What a connection's requests may reach beyond the connection itself: the switch, and the other connections, as far
 * as roles and port changes concern them.
 */
import { RateLimit, vlog } from '@ovs-node/common/vlog';
import type { PhyPort } from '@ovs-node/openflow/messages/types';
import { OfError } from '@ovs-node/openflow/errors';
import { NO_GENERATION } from '@ovs-node/openflow/messages/setup';
import type { CtFilter, PortCounters } from '../dpif/provider.js';
import type { Ofproto } from '../ofproto/ofproto.js';
import type { SwitchConnection } from './connection.js';
import { FlowMonitors } from './flow-monitors.js';
import type { Forwarded } from './forwarded.js';
import { type PortChange, PortWatch } from './port-watch.js';
import type { ConnectionManagerOptions } from './types.js';

const log = vlog('connmgr');
const rate = new RateLimit(5, 5);

/** How long a statistics request waits for the counters. */
const SYNC_PATIENCE_MS = 250;
/** Counters that are so old are good enough: who asks again and again does not make the datapath be read each time. */
const FRESH_MS = 100;

export class Switchboard {
  readonly options: ConnectionManagerOptions;
  readonly connections = new Set<SwitchConnection>();
  readonly ports: PortWatch;
  readonly monitors: FlowMonitors;
  /** The generation of primary and secondary roles that was seen last (OpenFlow 1.3, section 6.3.4). */
  #generation: bigint | undefined;
  #synced = -Infinity;

  constructor(options: ConnectionManagerOptions) {
    this.options = options;
    this.ports = new PortWatch(options.ofproto);
    this.monitors = new FlowMonitors(() => options.ofproto.tables);
  }

  get ofproto(): Ofproto {
    return this.options.ofproto;
  }
  get now(): number {
    return this.options.clock.now();
  }

  /**
   * Finds out anew whether a packet that no flow matches goes to a controller. To be called whenever that may have
   * changed. @param isLasting false to leave the datapath flows that there are as they are.
   */
  updateMisses(isLasting: boolean): void {
    const wanted = [...this.connections].some((each) => each.wantsMisses);
    if (this.ofproto.wantsPacketInOnMiss === wanted) return;
    this.ofproto.wantsPacketInOnMiss = wanted;
    if (isLasting) this.ofproto.backer.changed('configuration');
  }

  /** The generation that the last election had. */
  get generation(): bigint | undefined {
    return this.#generation;
  }

  /** Takes a generation over; false when it is older than the last one (they wrap around). */
  advanceGeneration(id: bigint): boolean {
    if (this.#generation !== undefined && BigInt.asIntN(64, id - this.#generation) < 0n) return false;
    this.#generation = id;
    return true;
  }

  /** Gives a connection a role. There is one primary: the one there was becomes secondary. */
  setRole(connection: SwitchConnection, role: SwitchConnection['role']): void {
    if (role === 'primary') {
      for (const other of this.connections)
        if (other !== connection && other.role === 'primary') {
          other.role = 'secondary';
          other.roleStatus('primary_request', this.#generation ?? NO_GENERATION);
        }
    }
    connection.role = role;
  }

  /** Tells other connections of a change of groups or meters, as they asked. */
  forward(forwarded: Forwarded, source: SwitchConnection, xid: number): void {
    for (const each of this.connections) if (each !== source) each.forward(forwarded, xid);
  }

  /** Removes connections from the datapath. Resolves to the error to answer with. */
  async flushConnections(filter: CtFilter): Promise<OfError | undefined> {
    const conntrack = this.ofproto.backer.dpif?.conntrack;
    if (conntrack === undefined) return new OfError('OFPBRC_EPERM', 'no connection tracking here');
    try {
      await conntrack.flush(filter);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') this.#complain('connections', error);
    }
    return undefined;
  }

  /**
   * Tells all connections of a port, but for the one that changed it before OpenFlow 1.5.
   * @param before what it was, if it was there.
   */
  portStatus(reason: PortChange, port: PhyPort, before?: PhyPort, source?: SwitchConnection): void {
    for (const each of this.connections) {
      if (each !== source || each.version >= 6) each.portStatus(reason, port, before);
    }
  }

  /** Waits, but not for long, until the flows' counters are up to date. */
  async syncStats(): Promise<void> {
    const { udpif } = this.ofproto.backer;
    const sync = this.options.syncStats ?? (udpif && (() => udpif.wait()));
    if (sync === undefined || this.now - this.#synced < FRESH_MS) return;
    this.#synced = this.now;
    let timer: { cancel(): void } | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = this.options.clock.setTimer(SYNC_PATIENCE_MS, resolve);
    });
    await Promise.race([sync().catch((e: unknown) => this.#complain('flow statistics', e)), patience]);
    timer?.cancel();
  }

  /** Counters by datapath port; none when the datapath does not answer. */
  async portStats(): Promise<ReadonlyMap<number, PortCounters>> {
    try {
      if (this.options.portStats) return await this.options.portStats();
      return (await this.ofproto.backer.dpif?.ports.counters()) ?? new Map<number, PortCounters>();
    } catch (error) {
      this.#complain('port statistics', error);
      return new Map();
    }
  }

  #complain(what: string, error: unknown): void {
    log.warnRl(
      rate,
      `${this.ofproto.name}: ${what}: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
