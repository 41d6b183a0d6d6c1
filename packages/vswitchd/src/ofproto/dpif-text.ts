/** Datapath flows and ports as `dpif/*` commands print them. */
import { W } from '@ovs-node/flow/layout';
import { keyOf } from '@ovs-node/netlink/key';
import { formatDpActions } from '@ovs-node/netlink/text/actions-format';
import { formatFlowStats, formatUfid } from '@ovs-node/netlink/text/flow-format';
import { formatDpKey } from '@ovs-node/netlink/text/key-format';
import type { DpPortNames } from '@ovs-node/netlink/text/key-table';
import type { DpFlow } from '../dpif/provider.js';
import type { Backer } from './backer.js';
import type { Ofproto } from './ofproto.js';
import type { OfPort } from './ports.js';

/** Names of a backer's datapath ports. */
export function dpPortNames(backer: Backer): DpPortNames {
  const byName = new Map<string, number>();
  for (const ofproto of backer.ofprotos()) {
    for (const port of ofproto.ports()) if (port.hasDpPort) byName.set(port.name, port.dpPort);
  }
  return {
    nameOf: (port: number) => backer.portOf(port)?.port.name,
    numberOf: (name: string) => byName.get(name),
  };
}

/** A datapath flow as one line, without a newline. */
export function formatDpFlow(flow: DpFlow, verbose: boolean, ports: DpPortNames | undefined): string {
  const ufid = verbose && flow.ufid ? `${formatUfid(flow.ufid)} ` : '';
  const key = formatDpKey(flow.keyAttrs, flow.maskAttrs, { verbose, ports });
  return `${ufid}${key}, ${formatFlowStats(flow.stats)}, actions:${formatDpActions(flow.actions, ports)}`;
}

/** `dpif/dump-flows`: the datapath's flows whose packets come in at ports of the bridge. */
export async function dumpBridgeFlows(ofproto: Ofproto, verbose: boolean, names: boolean): Promise<string> {
  const { backer } = ofproto;
  if (!backer.dpif) throw new Error(`${backer.dpName}: the datapath is not connected`);
  const ports = names ? dpPortNames(backer) : undefined;
  let text = '';
  for await (const batch of backer.dpif.flows.dump()) {
    for (const flow of batch) {
      const at = backer.portOf(keyOf(flow.keyAttrs)[W.IN_PORT]!);
      if (at?.ofproto === ofproto) text += `${formatDpFlow(flow, verbose, ports)}\n`;
    }
  }
  return text;
}

/** `dpif/show`: a datapath's counters, its bridges, and their ports with both numbers. */
export async function showBacker(backer: Backer): Promise<string> {
  const stats = backer.dpif ? await backer.dpif.stats() : { hit: 0, missed: 0 };
  let text = `${backer.type}@${backer.dpName}: hit:${stats.hit} missed:${stats.missed}\n`;
  for (const ofproto of sortedBy([...backer.ofprotos()], (each) => each.name)) {
    text += `  ${ofproto.name}:\n`;
    for (const port of sortedBy([...ofproto.ports()], (each) => each.name)) {
      text += `    ${port.name} ${port.ofport & 0xffff}/${port.hasDpPort ? port.dpPort : 'none'}: (${typeText(backer, port)})\n`;
    }
  }
  return text;
}

/** The kind of device, as the peer calls it, and its configuration. */
function typeText(backer: Backer, port: OfPort): string {
  if (port.isPatch) return `patch: peer=${port.peer ?? ''}`;
  if (port.type !== 'internal') return port.type;
  return backer.type === 'dummy' ? 'dummy-internal' : backer.type === 'netdev' ? 'tap' : 'internal';
}

/** Sorted by bytes of a name. */
export function sortedBy<T>(items: T[], name: (item: T) => string): T[] {
  return items.sort((a, b) => (name(a) < name(b) ? -1 : name(a) > name(b) ? 1 : 0));
}
