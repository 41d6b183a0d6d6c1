/** Bridges for tests: alone, or on a dummy datapath in this process under a fake clock. */
import { FakeClock } from '@ovs-node/common/testkit/fake-clock';
import { createInProcessDatapath, type InProcessDatapath } from '@ovs-node/datapath-svc/worker/in-process';
import { composePacket, formatPacketHex } from '@ovs-node/flow/compose';
import { Match } from '@ovs-node/flow/match';
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { keyOf } from '@ovs-node/netlink/key';
import { formatDpActions } from '@ovs-node/netlink/text/actions-format';
import { formatDpKey } from '@ovs-node/netlink/text/key-format';
import { parseDpKey } from '@ovs-node/netlink/text/key-parse';
import { parseActions } from '@ovs-node/openflow/actions/text';
import type { OfError } from '@ovs-node/openflow/errors';
import { makeFlowFilter, makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import {
  ALL_TABLES,
  type FlowMod,
  type FlowModCommand,
  type PhyPort,
} from '@ovs-node/openflow/messages/types';
import { DeviceProvider } from '../../src/dpif/dpif.js';
import type { Dpif } from '../../src/dpif/provider.js';
import { Backer } from '../../src/ofproto/backer.js';
import { Ofproto } from '../../src/ofproto/ofproto.js';
import { formatActionList, formatRuleMatch } from '../../src/ofproto/rule-text.js';
import type { BundleSpec } from '../../src/ofproto/types.js';
import { Udpif } from '../../src/ofproto/udpif.js';

/** The port's description with nothing but number and name. */
export function phy(portNo: number, name: string, config = 0): PhyPort {
  return {
    portNo,
    hwAddr: 0n,
    name,
    config,
    state: 0,
    curr: 0,
    advertised: 0,
    supported: 0,
    peer: 0,
    currSpeed: 0,
    maxSpeed: 0,
  };
}

export interface TestPort {
  readonly ofport: number;
  readonly name: string;
  readonly dpPort: number;
  readonly type?: string;
  readonly peer?: string;
  readonly bundle?: Partial<BundleSpec>;
}

/** Adds a port and its bundle to a bridge; a trunk of all VLANs unless said otherwise. */
export function addPort(ofproto: Ofproto, port: TestPort): void {
  const { ofport, name, dpPort, type = 'dummy', peer } = port;
  ofproto.addPort({
    name,
    ofport,
    dpPort,
    type,
    phy: phy(ofport, name),
    ...(peer === undefined ? {} : { peer }),
  });
  ofproto.setBundle({
    name,
    members: [ofport],
    vlanMode: 'trunk',
    vlan: -1,
    trunks: undefined,
    customerVlans: undefined,
    tunnelType: 0x88a8,
    priorityTags: 'no',
    isProtected: false,
    ...port.bundle,
  });
}

/** A bridge with a local port (datapath port 100) and ports 1..n named p1..pn, without flows. */
export function bareBridge(ports = 4, name = 'br0', backer = new Backer('dummy')): Ofproto {
  const ofproto = new Ofproto(name, backer, 0);
  addPort(ofproto, { ofport: OFPP.LOCAL, name, dpPort: 100, type: 'internal' });
  for (let i = 1; i <= ports; i++) addPort(ofproto, { ofport: i, name: `p${i}`, dpPort: i });
  ofproto.setControl('secure', false, 0);
  return ofproto;
}

/** A flow-mod from flow text as `ovs-ofctl` takes it (the words needed here). */
export function flowMod(command: FlowModCommand, text: string, more: Partial<FlowMod> = {}): FlowMod {
  const at = text.indexOf('actions=');
  const head = at < 0 ? text : text.slice(0, at);
  const numbers: Record<string, number> = { priority: 0x8000, table: command === 'add' ? 0 : ALL_TABLES };
  let cookie = 0n;
  const words = head.split(/,(?![^(]*\))/).filter((word) => {
    const [key = '', value = ''] = word.trim().split('=');
    if (key === 'cookie') cookie = BigInt(value);
    else if (['priority', 'table', 'idle_timeout', 'hard_timeout'].includes(key))
      numbers[key] = Number(value);
    else return word.trim() !== '';
    return false;
  });
  return makeFlowMod({
    command,
    match: words.length === 0 ? new Match() : parseMatch(words.join(',')),
    priority: numbers['priority']!,
    newCookie: cookie,
    tableId: numbers['table']!,
    idleTimeout: numbers['idle_timeout'] ?? 0,
    hardTimeout: numbers['hard_timeout'] ?? 0,
    actions: at < 0 ? [] : parseActions(text.slice(at + 8)),
    ...more,
  });
}

/** Carries out a flow-mod given as text; throws its error. */
export function mod(
  ofproto: Ofproto,
  command: FlowModCommand,
  text: string,
  now = 0,
  more: Partial<FlowMod> = {},
): void {
  const error: OfError | undefined = ofproto.flowMod(flowMod(command, text, more), now);
  if (error) throw new Error(error.name ?? 'error');
}

/** Every flow as a line, tables in order: `table priority match n_packets actions`. */
export function flowLines(ofproto: Ofproto): string[] {
  const lines: string[] = [];
  ofproto.tables.forEach(makeFlowFilter(), (rule) => {
    lines.push(
      `table=${rule.tableId} n_packets=${rule.packets} priority=${rule.priority},${formatRuleMatch(rule, undefined)} actions=${formatActionList(rule.actions, undefined)}`,
    );
  });
  return lines;
}

/** A bridge on a dummy datapath. */
export class Bench {
  readonly clock: FakeClock;
  readonly datapath: InProcessDatapath;
  readonly backer: Backer;
  readonly ofproto: Ofproto;
  readonly dpif: Dpif;
  readonly udpif: Udpif;
  private readonly provider: DeviceProvider;

  private constructor(
    clock: FakeClock,
    datapath: InProcessDatapath,
    provider: DeviceProvider,
    backer: Backer,
    ofproto: Ofproto,
    dpif: Dpif,
    udpif: Udpif,
  ) {
    this.clock = clock;
    this.datapath = datapath;
    this.provider = provider;
    this.backer = backer;
    this.ofproto = ofproto;
    this.dpif = dpif;
    this.udpif = udpif;
  }

  /** @param maxIdleMs what the database says of idle datapath flows. @param type of the bridge's datapath, to translation. */
  static async open(ports = 3, maxIdleMs?: () => number | undefined, type = 'dummy'): Promise<Bench> {
    const clock = new FakeClock(1000);
    const datapath = createInProcessDatapath({ worker: false, clock });
    const provider = new DeviceProvider({
      type: 'dummy',
      device: datapath,
      clock,
      usedNow: () => clock.now(),
    });
    await provider.connect();
    const dpif = await provider.create('ovs-dummy');
    const backer = new Backer(type);
    const ofproto = new Ofproto('br0', backer, clock.now());
    const local = await dpif.ports.add({ name: 'br0', type: 'internal' });
    addPort(ofproto, { ofport: OFPP.LOCAL, name: 'br0', dpPort: local.portNo, type: 'internal' });
    for (let i = 1; i <= ports; i++) {
      const port = await dpif.ports.add({ name: `p${i}`, type: 'dummy' });
      addPort(ofproto, { ofport: i, name: `p${i}`, dpPort: port.portNo });
    }
    ofproto.setControl('secure', false, clock.now());
    const udpif = new Udpif(backer, clock, maxIdleMs);
    await udpif.attach(dpif);
    return new Bench(clock, datapath, provider, backer, ofproto, dpif, udpif);
  }

  async close(): Promise<void> {
    this.udpif.stop();
    this.provider.close();
    await this.datapath.close();
  }

  /** Lets everything under way come to rest. */
  async settle(): Promise<void> {
    for (let i = 0; i < 30; i++) await new Promise((done) => setImmediate(done));
  }

  /** A packet, given as datapath flow text, comes in at a port. */
  async receive(port: string, flow: string): Promise<void> {
    const packet = composePacket(keyOf(parseDpKey(flow).key));
    await this.datapath.command('netdev-dummy/receive', [port, formatPacketHex(packet)]);
    await this.settle();
  }

  /** One revalidation round. */
  async revalidate(): Promise<void> {
    await this.udpif.wait();
    await this.settle();
  }

  /** Packets sent by each port, by name. */
  async sent(): Promise<Record<string, number>> {
    const ports = await this.dpif.ports.dump();
    return Object.fromEntries(
      ports.filter((p) => p.name !== 'ovs-dummy').map((p) => [p.name, p.stats.txPackets]),
    );
  }

  /** Datapath flows as sorted lines: key, packets, actions. */
  async dpFlows(): Promise<string[]> {
    const lines: string[] = [];
    for await (const batch of this.dpif.flows.dump()) {
      for (const flow of batch) {
        lines.push(
          `${formatDpKey(flow.keyAttrs, flow.maskAttrs)} packets:${flow.stats.packets} actions:${formatDpActions(flow.actions)}`,
        );
      }
    }
    return lines.sort();
  }
}
