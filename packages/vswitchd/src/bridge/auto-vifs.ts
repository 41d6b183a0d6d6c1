/**
 * VIFs that become ports by themselves. With `other_config:auto-add-vifs=BRIDGE` in the Open_vSwitch table, a NIC that
 * connects to the switch with an OVS-port-name becomes a port of that bridge, and leaves with it.
 *
 *     NICs of the host ─┐
 *     rows of the database ─┴─► planAutoVifs() ─► ports to add, ports to delete ─► one transaction
 *
 * Ports that were added so carry `external_ids:auto-vif=true`; no other port is ever deleted. A name that some port has
 * already is left alone: somebody configured that NIC by hand.
 */
import { errorMessage } from '@ovs-node/common/errors';
import { vlog } from '@ovs-node/common/vlog';
import { scalarDatum } from 'ovsdb-client/data/datum';
import { type Transaction, transactUntilDone } from 'ovsdb-client/transaction';
import type { Row } from 'ovsdb-client/vswitch/schema';
import type { DpifProvider } from '../dpif/provider.js';
import type { VswitchReplica } from './config.js';

const log = vlog('bridge');

const KEY = 'auto-add-vifs';
const MARK = 'auto-vif';

/** What of a port matters here. */
export interface PortSeen {
  readonly uuid: string;
  readonly name: string;
  readonly bridge: string;
  readonly isAuto: boolean;
}

export interface AutoVifsPlan {
  readonly add: readonly string[];
  readonly remove: readonly PortSeen[];
}

/**
 * Compares what is with what should be.
 *
 * @param bridge the bridge that takes NICs; undefined: none does, or there is none of that name.
 * @param nics OVS-port-names of the NICs that are connected.
 */
export function planAutoVifs(
  bridge: string | undefined,
  ports: readonly PortSeen[],
  nics: ReadonlySet<string>,
): AutoVifsPlan {
  const byHand = new Set(ports.filter((port) => !port.isAuto).map((port) => port.name));
  const isRight = (port: PortSeen): boolean =>
    port.bridge === bridge && nics.has(port.name) && !byHand.has(port.name);
  const remove = ports.filter((port) => port.isAuto && !isRight(port));
  const taken = new Set(ports.filter((port) => !remove.includes(port)).map((port) => port.name));
  const add = bridge === undefined ? [] : [...nics].filter((name) => !taken.has(name)).toSorted();
  return { add, remove };
}

/** The bridge that the database names, if there is one of that name. */
function wantedBridge(replica: VswitchReplica): Row<'Bridge'> | undefined {
  const [root] = replica.rows('Open_vSwitch');
  const wanted = root?.other_config.get(KEY);
  if (wanted === undefined) return undefined;
  return [...replica.rows('Bridge')].find((row) => row.name === wanted);
}

function portsOf(replica: VswitchReplica): PortSeen[] {
  return [...replica.rows('Bridge')].flatMap((bridge) =>
    bridge.ports.flatMap((uuid) => {
      const row = replica.row('Port', uuid);
      if (row === undefined) return [];
      return [{ uuid, name: row.name, bridge: bridge.name, isAuto: row.external_ids.get(MARK) === 'true' }];
    }),
  );
}

/** Keeps the database in agreement with the NICs that are connected. */
export class AutoVifs {
  readonly #replica: VswitchReplica;
  readonly #provider: (type: string) => DpifProvider | undefined;
  /** NICs by datapath type, as last heard; none for a datapath that is not connected. */
  readonly #nics = new Map<string, ReadonlySet<string>>();
  #running = false;
  #again = false;

  /** @param provider the datapath of a type, once it is in use. */
  constructor(replica: VswitchReplica, provider: (type: string) => DpifProvider | undefined) {
    this.#replica = replica;
    this.#provider = provider;
  }

  /** A datapath was connected: its NICs are followed from now on. Never rejects. */
  async follow(type: string): Promise<void> {
    const provider = this.#provider(type);
    if (provider === undefined) return;
    try {
      await provider.watchNics(() => void this.#look(type, provider));
    } catch (error) {
      log.dbg(`${type}: NICs are not followed: ${errorMessage(error)}`);
      return;
    }
    await this.#look(type, provider);
  }

  /** A datapath was lost: nothing is known of its NICs, and their ports stay. */
  forget(type: string): void {
    this.#nics.delete(type);
  }

  async #look(type: string, provider: DpifProvider): Promise<void> {
    try {
      this.#nics.set(type, await provider.nics());
      this.request();
    } catch (error) {
      log.dbg(`${type}: NICs are not known: ${errorMessage(error)}`);
    }
  }

  /** The database or the NICs changed. */
  request(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#again && this.#replica.lock === 'held') {
        this.#again = false;
        if (this.#plan() !== undefined) await this.#sync();
      }
    } catch (error) {
      log.dbg(`NICs were not made ports: ${errorMessage(error)}`);
    } finally {
      this.#running = false;
    }
  }

  /** What is to be done; undefined: nothing, or not known. */
  #plan(): AutoVifsPlan | undefined {
    const bridge = wantedBridge(this.#replica);
    const nics = bridge === undefined ? new Set<string>() : this.#nics.get(bridge.datapath_type || 'system');
    if (nics === undefined) return undefined;
    const plan = planAutoVifs(bridge?.name, portsOf(this.#replica), nics);
    return plan.add.length + plan.remove.length === 0 ? undefined : plan;
  }

  async #sync(): Promise<void> {
    let plan: AutoVifsPlan | undefined;
    const outcome = await transactUntilDone(this.#replica, (transaction) => {
      plan = this.#plan();
      if (plan !== undefined) carryOut(plan, this.#replica, transaction);
    });
    if (outcome.status === 'error') {
      log.warn(`NICs could not be made ports (${outcome.error.message})`);
      return;
    }
    for (const name of plan?.add ?? []) log.info(`NIC ${name} connected: added as a port`);
    for (const { name } of plan?.remove ?? []) log.info(`port ${name} left with its NIC`);
  }
}

function carryOut(plan: AutoVifsPlan, replica: VswitchReplica, transaction: Transaction): void {
  const bridges = new Map([...replica.rows('Bridge')].map((row) => [row.name, row._uuid]));
  for (const port of plan.remove) {
    transaction.removeFrom('Bridge', bridges.get(port.bridge)!, 'ports', scalarDatum(port.uuid));
    transaction.comment(`ovs-vswitchd: NIC ${port.name} left`);
  }
  for (const name of plan.add) {
    const iface = transaction.insert('Interface');
    transaction.assign('Interface', iface, { name });
    const port = transaction.insert('Port');
    transaction.assign('Port', port, { name, interfaces: [iface], external_ids: new Map([[MARK, 'true']]) });
    transaction.addTo('Bridge', wantedBridge(replica)!._uuid, 'ports', scalarDatum(port));
    transaction.comment(`ovs-vswitchd: NIC ${name} connected`);
  }
}
