/** Counters that only dummy devices have, so that what shows such counters can be tried without hardware. */
import type { PortStats } from '../dpif/provider.js';

/** Names and values in the order of the names: two that count what is received, and those of the one queue each way. */
export function dummyCounters(port: PortStats): (readonly [name: string, value: number])[] {
  return [
    ['rx_custom_packets_1', port.rxPackets],
    ['rx_custom_packets_2', port.rxPackets],
    ['rx_q0_bytes', port.rxBytes],
    ['rx_q0_packets', port.rxPackets],
    ['tx_q0_bytes', port.txBytes],
    ['tx_q0_packets', port.txPackets],
  ];
}
