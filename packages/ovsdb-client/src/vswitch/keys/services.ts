/** Keys of the tables of what surrounds forwarding. */
import { type TableKeys, stored, yes } from './key-doc.js';

export const QOS_KEYS = {
  other_config: {
    'max-rate': stored(
      'linux-htb, linux-hfsc: rate shared by all queues, bit/s; by default the speed of the link.',
    ),
    cir: stored('egress-policer, trtcm-policer: rate of traffic that passes, bytes/s.'),
    cbs: stored('egress-policer, trtcm-policer: burst above that rate, bytes.'),
    eir: stored('trtcm-policer: rate of traffic that passes as long as there is room, bytes/s.'),
    ebs: stored('trtcm-policer: burst above that rate, bytes.'),
    perturb: stored('linux-sfq: seconds between changes of the hash. Default 10.'),
    quantum: stored('linux-sfq: bytes a flow may send per turn. Default one MTU.'),
    latency: stored('linux-netem: delay of each packet, microseconds.'),
    limit: stored('linux-netem: packets that may wait. Default 1000.'),
    loss: stored('linux-netem: share of packets lost, percent.'),
  },
} as const satisfies TableKeys<'QoS'>;

export const QUEUE_KEYS = {
  other_config: {
    'min-rate': stored('Bandwidth the queue is sure of, bit/s.'),
    'max-rate': stored('Most bandwidth the queue gets, bit/s.'),
    burst: stored('linux-htb: burst above the rate, bits.'),
    priority: stored('linux-htb: lower numbers get spare bandwidth first.'),
  },
} as const satisfies TableKeys<'Queue'>;

export const MIRROR_KEYS = {
  statistics: {
    tx_packets: stored('Packets copied.'),
    tx_bytes: stored('Bytes copied.'),
  },
} as const satisfies TableKeys<'Mirror'>;

const CONNECTION_STATUS = {
  last_error: yes('Why the last connection could not be made or ended.'),
  state: yes('VOID, BACKOFF, CONNECTING, ACTIVE or IDLE (probing).'),
  sec_since_connect: yes('Seconds since the last connection was made.'),
  sec_since_disconnect: yes('Seconds since the last connection ended.'),
};

export const CONTROLLER_KEYS = {
  other_config: {
    dscp: stored('DSCP value of the packets of the connection. Default 48.'),
  },
  status: {
    ...CONNECTION_STATUS,
    'packet-in-TYPE-bypassed': stored(
      'Packets of a type (miss or action) sent without waiting in the queue.',
    ),
    'packet-in-TYPE-queued': stored('Packets of a type that waited in the queue.'),
    'packet-in-TYPE-dropped': stored('Packets of a type dropped because the queue was full.'),
    'packet-in-TYPE-backlog': stored('Packets of a type that wait now.'),
  },
} as const satisfies TableKeys<'Controller'>;

export const MANAGER_KEYS = {
  other_config: {
    dscp: stored('DSCP value of the packets of the connection. Default 48.'),
  },
  status: {
    ...CONNECTION_STATUS,
    locks_held: yes('Locks the manager holds, with spaces.'),
    locks_waiting: yes('Locks it waits for, with spaces.'),
    locks_lost: stored('Locks that were stolen from it, with spaces.'),
    n_connections: yes('Connections at a target that listens, when they are more than one.'),
    bound_port: yes('Port that a target which listens has, where the system chose it.'),
  },
} as const satisfies TableKeys<'Manager'>;

export const DATAPATH_KEYS = {
  capabilities: {
    max_vlan_headers: yes('VLAN tags that can be matched.'),
    recirc: yes('Recirculation.'),
    lb_output_action: yes('Balancing over bond members by an action.'),
    ct_state: yes('Matching the state of tracked connections.'),
    ct_state_nat: yes('Matching the translated states too.'),
    ct_zone: yes('Matching the zone of connection tracking.'),
    ct_mark: yes('Matching the mark of connections.'),
    ct_label: yes('Matching the label of connections.'),
    ct_orig_tuple: yes('Matching the original direction of IPv4 connections.'),
    ct_orig_tuple6: yes('Matching the original direction of IPv6 connections.'),
    masked_set_action: yes('Setting a part of a field.'),
    tnl_push_pop: yes('Tunnels by pushing and popping headers.'),
    ufid: yes('Flows with unique identifiers.'),
    trunc: yes('Truncation of packets.'),
    nd_ext: yes('Matching the options and flags of IPv6 neighbour discovery.'),
    clone: yes('Actions on a copy of the packet.'),
    sample_nesting: yes('How deep sampling may be nested.'),
    ct_eventmask: yes('Choosing which events of a connection are reported.'),
    ct_clear: yes('Forgetting the state of tracking.'),
    max_hash_alg: yes('The highest number of a hash algorithm it knows.'),
    check_pkt_len: yes('Actions by the length of a packet.'),
    ct_timeout: yes('Timeout policies of connection tracking.'),
    explicit_drop_action: yes('Drops as an action with a reason.'),
    ct_zero_snat: yes('NAT to the address zero, which only resolves clashes of ports.'),
    add_mpls: yes('Adding MPLS headers at any layer.'),
    max_mpls_depth: yes('MPLS labels that can be matched.'),
    ct_flush: yes('Removing connections that match a part of their addresses.'),
  },
} as const satisfies TableKeys<'Datapath'>;

export const CT_TIMEOUT_POLICY_KEYS = {
  timeouts: {
    tcp_syn_sent: stored('After a SYN.'),
    tcp_syn_recv: stored('After SYN and SYN-ACK.'),
    tcp_established: stored('While data flows.'),
    tcp_fin_wait: stored('After a FIN of one end.'),
    tcp_close_wait: stored('After that FIN was acknowledged.'),
    tcp_last_ack: stored('After the FIN of the other end.'),
    tcp_time_wait: stored('After the last acknowledgement.'),
    tcp_close: stored('After an RST.'),
    tcp_syn_sent2: stored('After SYNs of both ends; of the Linux kernel only.'),
    tcp_retransmit: stored('While data is sent again; of the Linux kernel only.'),
    tcp_unack: stored('While data is not acknowledged; of the Linux kernel only.'),
    udp_first: stored('After the first packet; of the userspace datapath.'),
    udp_single: stored('While only one end has sent; in the userspace datapath, more than once.'),
    udp_multiple: stored('When both ends have sent.'),
    icmp_first: stored('After the first packet.'),
    icmp_reply: stored('After a reply.'),
  },
} as const satisfies TableKeys<'CT_Timeout_Policy'>;

export const IPFIX_KEYS = {
  other_config: {
    'enable-tunnel-sampling': stored('Samples tunnel packets with their tunnel headers. Default true.'),
    virtual_obs_id: stored('Text that goes into every record, to tell exporters apart.'),
    'enable-input-sampling': stored('Samples packets that come into the bridge. Default true.'),
    'enable-output-sampling': stored('Samples packets that leave the bridge. Default true.'),
  },
} as const satisfies TableKeys<'IPFIX'>;
