/** Text of `switch/show`. */

import type { SwitchPort } from '../switch/switch.js';
import type { DatapathThread } from './thread.js';

/** Host-added and user-added ports with their state, and the declared host ports. */
export function showSwitch(thread: DatapathThread): string {
  const { hostAdded, userAdded } = thread.switch;
  const lines = [`host-added ports: ${hostAdded.size}`, ...portLines(thread, hostAdded)];
  lines.push(`user-added ports: ${userAdded.size}`, ...portLines(thread, userAdded));
  const declared = [...thread.switch.hostPorts()];
  lines.push(`declared host ports: ${declared.length}`);
  for (const port of declared) {
    lines.push(
      `  ${port.name}: OVS-port-name "${port.ovsPortName}", ${port.state}${port.inUse ? ', in use' : ''}`,
    );
  }
  return lines.join('\n');
}

function portLines(thread: DatapathThread, table: Iterable<SwitchPort>): string[] {
  const lines: string[] = [];
  for (const { datapath, name, port } of table) {
    const vport = thread.core.byName.get(datapath)?.vportByName(name);
    const state = port.carrier ? 'up' : 'down';
    const error = port.error === '' ? '' : ` (${port.error})`;
    lines.push(`  ${datapath}/${name}: ${port.describe()}, ${state}${error}`);
    if (!vport) continue;
    const s = vport.stats;
    lines.push(
      `    RX packets:${s.rxPackets} bytes:${s.rxBytes} errors:${s.rxErrors} dropped:${s.rxDropped}`,
      `    TX packets:${s.txPackets} bytes:${s.txBytes} errors:${s.txErrors} dropped:${s.txDropped}`,
    );
  }
  return lines;
}
