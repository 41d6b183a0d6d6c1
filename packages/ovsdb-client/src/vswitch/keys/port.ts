/** Keys of table Port. */
import { type TableKeys, stored, yes } from './key-doc.js';

export const PORT_KEYS = {
  external_ids: {
    'fake-bridge-*': yes('The external IDs of the bridge that a port with fake_bridge stands for.'),
  },
  other_config: {
    'qinq-ethtype': yes(
      'Ethernet type of the outer tag of a dot1q-tunnel port: 802.1ad (the default) or 802.1q.',
    ),
    'priority-tags': yes(
      'Whether packets of VLAN 0 leave with a tag: never, if-nonzero (when a priority is set), or always.',
    ),
    'bond-hash-basis': stored('Seed of the hash that balances flows; equal seeds choose alike.'),
    'lb-output-action': stored('Balances by one datapath action that looks up the member, balance-tcp only.'),
    'bond-primary': stored('Member that an active-backup bond uses whenever it is up.'),
    'all-members-active': stored(
      'Accepts multicast and broadcast on all members, not just on the active one.',
    ),
    'bond-detect-mode': stored('How a member is seen to be down: carrier, or polled by miimon.'),
    'bond-miimon-interval': stored('Milliseconds between two polls of miimon.'),
    'bond-rebalance-interval': stored('Milliseconds between rebalancings of flows; 0 never. Default 10000.'),
    'lacp-system-id': stored('Ethernet address that identifies the switch in LACP.'),
    'lacp-system-priority': stored('LACP priority of the switch, 1 to 65535; the lower decides.'),
    'lacp-time': stored(
      'How often LACP messages are wanted: fast is each second, slow each 30. Default slow.',
    ),
    'lacp-fallback-ab': stored('Works as active-backup while the other side speaks no LACP.'),
    'stp-enable': stored('Takes part in the STP of the bridge. Default true.'),
    'stp-port-num': stored('STP number of the port, 1 to 255; all ports of a bridge have one, or none.'),
    'stp-port-priority': stored('STP priority of the port, 0 to 255. Default 128.'),
    'stp-path-cost': stored('STP cost of the port, by default from its speed.'),
    'rstp-enable': stored('Takes part in the RSTP of the bridge. Default true.'),
    'rstp-port-priority': stored('RSTP priority of the port, a multiple of 16 up to 240. Default 128.'),
    'rstp-port-num': stored('RSTP number of the port, 1 to 4095.'),
    'rstp-path-cost': stored('RSTP cost of the port, by default from its speed.'),
    'rstp-port-admin-edge': stored('Counts as the edge of the network until proved otherwise.'),
    'rstp-port-auto-edge': stored('Finds out by itself whether it is at the edge. Default true.'),
    'rstp-port-mcheck': stored('Sends RSTP messages for a while to see whether STP is still needed.'),
    'mcast-snooping-flood': stored('Gets all multicast packets, members or not.'),
    'mcast-snooping-flood-reports': stored('Gets the membership reports of other ports.'),
    transient: stored('Removed by start scripts when the host boots.'),
  },
  status: {
    stp_port_id: stored('STP priority and number of the port.'),
    stp_state: stored('disabled, blocking, listening, learning or forwarding.'),
    stp_sec_in_state: stored('Seconds since the STP state changed.'),
    stp_role: stored('root, designated or alternate.'),
  },
  rstp_status: {
    rstp_port_id: stored('RSTP priority and number of the port.'),
    rstp_port_role: stored('Root, Designated, Alternate, Backup or Disabled.'),
    rstp_port_state: stored('Disabled, Discarding, Learning or Forwarding.'),
    rstp_designated_bridge_id: stored('Bridge that is designated on the segment.'),
    rstp_designated_port_id: stored('Port that is designated on the segment.'),
    rstp_designated_path_cost: stored('Cost of the way to the root that it announces.'),
  },
  rstp_statistics: {
    rstp_tx_count: stored('RSTP messages sent.'),
    rstp_rx_count: stored('RSTP messages received.'),
    rstp_error_count: stored('RSTP messages that were malformed.'),
    rstp_uptime: stored('Seconds that RSTP has run on the port.'),
  },
  statistics: {
    stp_tx_count: stored('STP messages sent.'),
    stp_rx_count: stored('STP messages received.'),
    stp_error_count: stored('STP messages that were malformed.'),
  },
} as const satisfies TableKeys<'Port'>;
