/**
 * Control commands of the OpenFlow switches: `ofproto/*`, `fdb/*`, `dpif/*`, `upcall/*`, `revalidator/*`,
 * `bridge/dump-flows` (ovs-vswitchd(8)). Texts are the peer's.
 */
import { formatMac, parseMac } from '@ovs-node/flow/addr-text';
import { formatMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import type { UnixctlCommand } from '@ovs-node/common/unixctl';
import type { Backer } from './backer.js';
import { dumpBridgeFlows, showBacker, sortedBy } from './dpif-text.js';
import type { Ofproto } from './ofproto.js';
import { formatActionList } from './rule-text.js';
import { showFeatures } from './support.js';
import { traceCommand } from './trace-command.js';

/** What the commands work on. */
export interface OfprotoRegistry {
  backers(): Iterable<Backer>;
  /** ms, of the clock that the bridges live by. */
  now(): number;
}

/** The commands, to be registered with the daemon's control server. */
export function ofprotoCommands(registry: OfprotoRegistry): UnixctlCommand[] {
  const bridges = (): Ofproto[] => [...registry.backers()].flatMap((backer) => [...backer.ofprotos()]);
  const sortedBridges = (): Ofproto[] => sortedBy(bridges(), (each) => each.name);
  const find = (name: string | undefined, failure = 'no such bridge'): Ofproto => {
    const ofproto = bridges().find((each) => each.name === name);
    if (!ofproto) throw new Error(failure);
    return ofproto;
  };
  /** One bridge, or all when none is named. */
  const some = (name: string | undefined): Ofproto[] => (name === undefined ? bridges() : [find(name)]);
  const udpifs = () => [...registry.backers()].flatMap((backer) => backer.udpif ?? []);
  const sortedBackers = (): Backer[] => sortedBy([...registry.backers()], (each) => each.type);

  return [
    row('ofproto/list', '', 0, 0, () => lines(sortedBridges().map((each) => each.name))),
    row(
      'ofproto/trace',
      '{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]',
      1,
      Infinity,
      (args) => traceCommand(registry.backers(), args, registry.now(), false),
    ),
    row(
      'ofproto/trace-packet-out',
      '[-consistent] {[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet] actions',
      2,
      Infinity,
      (args) => traceCommand(registry.backers(), args, registry.now(), true),
    ),
    row('fdb/show', 'bridge', 1, 1, ([name]) => showMacs(find(name), registry.now())),
    row('fdb/flush', '[bridge]', 0, 1, ([name]) => {
      for (const ofproto of some(name)) {
        if (ofproto.macTable.flush()) ofproto.backer.changed('mac learning');
      }
      return 'table successfully flushed';
    }),
    row('fdb/stats-show', 'bridge', 1, 1, ([name]) => showMacStats(find(name))),
    row('fdb/stats-clear', '[bridge]', 0, 1, ([name]) => {
      for (const ofproto of some(name)) ofproto.macTable.clearStats();
      return 'statistics successfully cleared';
    }),
    row('fdb/add', 'bridge port vlan mac', 4, 4, ([name, port, vlan, mac]) => {
      const ofproto = find(name);
      const bundle = ofproto.portByName(port!)?.bundle;
      if (!bundle) throw new Error('software error, odp port is present but no ofp port');
      const address = parseMac(mac!);
      if (address === undefined) throw new Error('bad MAC address');
      ofproto.macTable.addStatic(address, leadingNumber(vlan!), bundle);
      ofproto.backer.changed('mac learning');
      return '';
    }),
    row('fdb/del', 'bridge vlan mac', 3, 3, ([name, vlan, mac]) => {
      const ofproto = find(name);
      const address = parseMac(mac!);
      if (address === undefined) throw new Error('bad MAC address');
      if (!ofproto.macTable.delStatic(address, leadingNumber(vlan!)))
        throw new Error('could not find static mac entry');
      ofproto.backer.changed('mac learning');
      return '';
    }),
    row('dpif/dump-dps', '', 0, 0, () =>
      lines(sortedBridges().map((each) => `${each.backer.type}@${each.name}`)),
    ),
    row('dpif/show', '', 0, 0, async () => (await Promise.all(sortedBackers().map(showBacker))).join('')),
    row('dpif/show-dp-features', 'bridge', 1, 1, ([name]) => {
      find(name);
      return showFeatures();
    }),
    row('dpif/dump-flows', '[-m] [--names | --no-names] bridge', 1, 3, (args) => {
      const verbose = args.some((arg) => arg === '-m' || arg === '--more');
      let names = verbose;
      for (const arg of args) if (arg === '--names' || arg === '--no-names') names = arg === '--names';
      return dumpBridgeFlows(find(args[args.length - 1]), verbose, names);
    }),
    row('bridge/dump-flows', '[--offload-stats] bridge', 1, 2, (args) => {
      const offload = args[0] === '--offload-stats';
      return dumpAllFlows(find(args[args.length - 1], 'Unknown bridge'), offload, registry.now());
    }),
    row('revalidator/wait', '', 0, 0, async () => {
      await Promise.all(udpifs().map((udpif) => udpif.wait()));
      // Now that it is known when flows were used last.
      for (const ofproto of bridges()) ofproto.runExpiry(registry.now());
      return '';
    }),
    row('revalidator/purge', '', 0, 0, async () => {
      await Promise.all(udpifs().map((udpif) => udpif.purge()));
      return '';
    }),
    row('upcall/show', '', 0, 0, () =>
      sortedBackers()
        .map((backer) => showUpcalls(backer))
        .join(''),
    ),
    ...([true, false] as const).map((on) =>
      row(`upcall/${on ? 'enable' : 'disable'}-megaflows`, '', 0, 0, async () => {
        for (const udpif of udpifs()) {
          udpif.upcalls.megaflows = on;
          await udpif.purge();
        }
        return `megaflows ${on ? 'enabled' : 'disabled'}\n`;
      }),
    ),
    row('upcall/set-flow-limit', 'flow-limit-number', 1, 1, ([text]) => {
      const limit = leadingNumber(text!);
      for (const udpif of udpifs()) udpif.upcalls.flowLimit = limit;
      return `set flow_limit to ${limit}\n`;
    }),
  ];
}

function row(
  name: string,
  usage: string,
  min: number,
  max: number,
  handler: (args: string[]) => string | Promise<string>,
): UnixctlCommand {
  return { name, usage, min, max, handler };
}

function lines(items: readonly string[]): string {
  return items.map((item) => `${item}\n`).join('');
}

/** As C's atoi: the digits that the text begins with, else 0. */
function leadingNumber(text: string): number {
  const n = Number.parseInt(text, 10);
  return Number.isNaN(n) ? 0 : n;
}

function showMacs(ofproto: Ofproto, now: number): string {
  let text = ' port  VLAN  MAC                Age\n';
  for (const entry of ofproto.macTable) {
    const ofport = entry.port.ports[0]?.ofport;
    const port = ofport === undefined ? '?' : ofport === OFPP.LOCAL ? 'LOCAL' : String(ofport);
    const age = entry.isStatic ? 'static' : String(ofproto.macTable.age(entry, now)).padStart(3);
    text += `${port.padStart(5)}  ${String(entry.vlan).padStart(4)}  ${formatMac(entry.mac)}  ${age}\n`;
  }
  return text;
}

function showMacStats(ofproto: Ofproto): string {
  const table = ofproto.macTable;
  return lines([
    `Statistics for bridge "${ofproto.name}":`,
    `  Current/maximum MAC entries in the table: ${table.size}/${table.maxEntries}`,
    `  Current static MAC entries in the table : ${table.staticCount}`,
    `  Total number of learned MAC entries     : ${table.learned}`,
    `  Total number of expired MAC entries     : ${table.expired}`,
    `  Total number of evicted MAC entries     : ${table.evicted}`,
    `  Total number of port moved MAC entries  : ${table.moved}`,
  ]);
}

function showUpcalls(backer: Backer): string {
  const { udpif } = backer;
  if (!udpif) return '';
  const { flows, average, maximum, dumpDuration } = udpif.revalidator.stats;
  return lines([
    `${backer.type}@${backer.dpName}:`,
    `  flows         : (current ${flows}) (avg ${average}) (max ${maximum}) (limit ${udpif.upcalls.flowLimit})`,
    `  dump duration : ${dumpDuration}ms`,
    `  ufid enabled : true`,
    '',
    `  1: (keys ${udpif.ukeys.size})`,
  ]);
}

/** Every flow with those of the switch itself; counters, match and actions. */
function dumpAllFlows(ofproto: Ofproto, offload: boolean, now: number): string {
  let text = '';
  for (const rule of ofproto.tables.all()) {
    const table = rule.tableId === 0 ? '' : `table_id=${rule.tableId}, `;
    const { durationSec } = rule.stats(now);
    const offloaded = offload ? 'n_offload_packets=0, n_offload_bytes=0, ' : '';
    const match = formatMatch(rule.match(), { priority: rule.priority });
    // The reason of the table-miss rule has no name.
    const isMiss = rule === ofproto.internalRules.miss;
    const actions = isMiss ? 'controller(reason=)' : formatActionList(rule.actions, undefined);
    text += `${table}duration=${durationSec}s, n_packets=${rule.packets}, n_bytes=${rule.bytes}, ${offloaded}${match},actions=${actions}\n`;
  }
  return text;
}
