/**
 * Repeats for later packets of a megaflow what its translation did for the first one: count, and learn stations.
 */
import type { CacheEntry, Traffic } from './xlate/context.js';
import { endsConnection } from './xlate/fin-timeout.js';

/** Credits `traffic` (some packets) to everything in `cache`. */
export function credit(cache: readonly CacheEntry[], traffic: Traffic, now: number): void {
  for (const entry of cache) {
    switch (entry.type) {
      case 'rule':
        entry.rule.credit(traffic.packets, traffic.bytes, traffic.used);
        break;
      case 'table':
        if (entry.matched) entry.table.matched += traffic.packets;
        else entry.table.missed += traffic.packets;
        break;
      case 'fin-timeout':
        if (endsConnection(traffic.tcpFlags)) entry.tables.reduceTimeouts(entry.rule, entry.idle, entry.hard);
        break;
      case 'group':
        entry.group.credit(entry.index, traffic.packets, traffic.bytes);
        break;
      case 'patch':
        entry.from.txPackets += traffic.packets;
        entry.from.txBytes += traffic.bytes;
        entry.to.rxPackets += traffic.packets;
        entry.to.rxBytes += traffic.bytes;
        break;
      case 'learn-flow':
        entry.ofproto.learnFlow(entry.flowMod, now, entry.limit);
        break;
      case 'learn-mac':
        entry.ofproto.learnMac(entry.inPort, entry.mac, entry.vlan, entry.isGratArp, now);
    }
  }
}
