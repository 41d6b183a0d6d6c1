/** Keys of table Bridge. */
import { type TableKeys, stored, yes } from './key-doc.js';

export const BRIDGE_KEYS = {
  external_ids: {
    'bridge-id': yes('Identifier of the bridge among others; for outside programs.'),
  },
  other_config: {
    'datapath-id': yes('OpenFlow datapath identifier to take: 16 hex digits, or a number with 0x; not zero.'),
    'dp-desc': yes('Description that OpenFlow gives of the datapath, at most 255 characters.'),
    'dp-sn': yes('Serial number that OpenFlow gives of the datapath, at most 31 characters.'),
    'disable-in-band': stored('Sets up no hidden flows for in-band controllers and managers.'),
    'in-band-queue': stored('Queue for the traffic of in-band control.'),
    'controller-queue-size': stored('Packets that may wait for the controllers, 1 to 512. Default 100.'),
    hwaddr: yes('Ethernet address of the local port, and with it the default datapath identifier.'),
    'forward-bpdu': yes(
      'Forwards frames to the reserved addresses 01:80:c2:00:00:0x that NORMAL would drop.',
    ),
    'mac-aging-time': yes('Seconds a learned address is kept without traffic. Default 300, at least 15.'),
    'mac-table-size': yes('Most learned addresses. Default 8192, at least 10.'),
    'stp-system-id': stored('Ethernet address that identifies the bridge in STP.'),
    'stp-priority': stored('STP priority of the bridge; the lowest becomes root. Default 32768.'),
    'stp-hello-time': stored('Seconds between STP hellos, 1 to 10. Default 2.'),
    'stp-max-age': stored('Seconds STP information is valid, 6 to 40. Default 20.'),
    'stp-forward-delay': stored(
      'Seconds a port listens and learns each before it forwards, 4 to 30. Default 15.',
    ),
    'rstp-address': stored('Ethernet address that identifies the bridge in RSTP.'),
    'rstp-priority': stored('RSTP priority of the bridge, a multiple of 4096. Default 32768.'),
    'rstp-ageing-time': stored('Seconds a learned address is kept while RSTP runs. Default 300.'),
    'rstp-force-protocol-version': stored('0 speaks STP to everybody, 2 is RSTP. Default 2.'),
    'rstp-max-age': stored('Seconds RSTP information is valid, 6 to 40. Default 20.'),
    'rstp-forward-delay': stored('Seconds of listening and learning towards STP neighbours. Default 15.'),
    'rstp-transmit-hold-count': stored('Most RSTP messages a port sends per second, 1 to 10. Default 6.'),
    'mcast-snooping-aging-time': stored(
      'Seconds a multicast group member is kept without a report. Default 300.',
    ),
    'mcast-snooping-table-size': stored('Most groups that snooping learns. Default 2048.'),
    'mcast-snooping-disable-flood-unregistered': stored(
      'Sends packets of groups without members only to multicast routers.',
    ),
  },
  status: {
    stp_bridge_id: stored('Priority and address of the bridge in STP.'),
    stp_designated_root: stored('Priority and address of the root of the spanning tree.'),
    stp_root_path_cost: stored('Cost of the way to the root.'),
  },
  rstp_status: {
    rstp_bridge_id: stored('Priority and address of the bridge in RSTP.'),
    rstp_root_id: stored('Priority and address of the root.'),
    rstp_root_path_cost: stored('Cost of the way to the root.'),
    rstp_designated_id: stored('Bridge that the root port hears from.'),
    rstp_designated_port_id: stored('Port of that bridge.'),
    rstp_bridge_port_id: stored('Port of this bridge that leads to the root.'),
  },
} as const satisfies TableKeys<'Bridge'>;
