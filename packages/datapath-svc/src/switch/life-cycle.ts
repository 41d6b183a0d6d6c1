/**
 * The life of a port on the host's side of the extensible switch, and of the NIC that is plugged into it. Pure: a
 * table of which event is allowed in which state.
 *
 *     (none) --port-create--> created --nic-create--> nic-created --nic-connect--> connected
 *                                ^                        |   ^                        |
 *                                '------nic-delete--------'   '-----nic-disconnect-----'
 *     created --port-delete--> (none)
 *
 * Frames flow in `connected` alone. A NIC can be pulled (nic-disconnect) and plugged in again; while it is out, the
 * datapath's port of that name stays and is down. A port with a NIC in it cannot be deleted. The order is the one
 * in which a hypervisor's switch tells its extension: a virtual machine starts (port, NIC, connect), is saved or
 * stopped (disconnect, delete), and is removed (port delete).
 */

export type HostPortState = 'created' | 'nic-created' | 'connected';
export type HostPortEvent = 'nic-create' | 'nic-connect' | 'nic-disconnect' | 'nic-delete' | 'port-delete';

const TRANSITIONS = {
  created: { 'nic-create': 'nic-created', 'port-delete': 'gone' },
  'nic-created': { 'nic-connect': 'connected', 'nic-delete': 'created' },
  connected: { 'nic-disconnect': 'nic-created' },
} as const satisfies Record<HostPortState, Partial<Record<HostPortEvent, HostPortState | 'gone'>>>;

/** The state after `event` in `state`; 'gone' when the port ceases to be, undefined when the event is not allowed. */
export function nextState(state: HostPortState, event: HostPortEvent): HostPortState | 'gone' | undefined {
  const row: Partial<Record<HostPortEvent, HostPortState | 'gone'>> = TRANSITIONS[state];
  return row[event];
}
