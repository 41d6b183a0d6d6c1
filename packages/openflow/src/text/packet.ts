/** A packet's fields as text, as they follow a packet-in or packet-out. */
import { extractPacket, failedCheck, newOffsets, OFS } from '@ovs-node/flow/extract';
import { formatFlow } from '@ovs-node/flow/flow-text';
import { type FlowKey, newKey, W } from '@ovs-node/flow/layout';
import type { Explain } from '../explain.js';
import { colorMatch } from './color.js';
import type { PrintOptions } from './message.js';

/** Tells that a packet from a port of the datapath, of which `extractPacket` made `key` and `offsets`, has no IP header that can be. */
export function explainBroken(
  explain: Explain | undefined,
  port: number,
  packet: Uint8Array,
  key: FlowKey,
  offsets: Int32Array,
): void {
  const check = failedCheck(key, offsets);
  if (check !== undefined) explain?.('invalid_packet', check, port, packet);
}

/** One line: the packet's fields, and the checksum of its transport header. `packetType`: see ovs-fields(7). */
export function formatPacket(
  packet: Uint8Array,
  { ports, colors, explain }: Pick<PrintOptions, 'ports' | 'colors' | 'explain'>,
  packetType: number,
): string {
  const key = newKey();
  const offsets = newOffsets();
  key[W.PACKET_TYPE] = packetType;
  extractPacket(packet, key, offsets);
  explainBroken(explain, 0, packet, key, offsets);
  const fields = formatFlow(key, ports);
  let out = colors === undefined ? fields : colorMatch(fields, colors);
  const l4 = offsets[OFS.L4];
  // What follows the IP packet is padding.
  const end = offsets[OFS.END];
  const proto = key[W.NW] >>> 24;
  const type = key[W.ETH_TYPE] >>> 16;
  const ip = type === 0x0800 || type === 0x86dd;
  const sum = (at: number): string => ((packet[at] << 8) | packet[at + 1]).toString(16);
  // By protocol alone: which version of IP goes with it does not matter.
  if (ip && l4 >= 0) {
    if (proto === 6 && l4 + 20 <= end) out += ` tcp_csum:${sum(l4 + 16)}`;
    else if (proto === 17 && l4 + 8 <= end) out += ` udp_csum:${sum(l4 + 6)}`;
    else if (proto === 132 && l4 + 12 <= end) {
      const v = (packet[l4 + 8] << 24) | (packet[l4 + 9] << 16) | (packet[l4 + 10] << 8) | packet[l4 + 11];
      out += ` sctp_csum:${(v >>> 0).toString(16)}`;
    } else if (proto === 1 && l4 + 8 <= end) out += ` icmp_csum:${sum(l4 + 2)}`;
    else if (proto === 58 && l4 + 4 <= end) out += ` icmp6_csum:${sum(l4 + 2)}`;
  }
  return `${out}\n`;
}
