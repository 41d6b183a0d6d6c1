/** The tables of what surrounds forwarding: flow tables, QoS, export, controllers, managers, conntrack, keys. */
import type { TableDefinition } from '../definition.js';
import {
  EXTERNAL_IDS,
  INTEGER_MAP,
  STRING_MAP,
  atLeast,
  column,
  integers,
  mapOf,
  one,
  oneOf,
  optional,
  ref,
  setOf,
  status,
  weakRef,
} from './column-types.js';

const UINT8 = integers(0, 255);
const UINT32 = integers(0, 4294967295);
const NOT_MORE_CONFIG = 'Settings that have no column of their own.';

export const FLOW_TABLE = {
  doc: 'Settings of one OpenFlow table.',
  columns: {
    name: column(optional('string'), 'Name of the table that OpenFlow shows.'),
    flow_limit: column(optional(atLeast(0)), 'Most flows the table may hold.'),
    overflow_policy: column(
      optional(oneOf('refuse', 'evict')),
      'What happens to a new flow when the table is full: refused, or another one goes.',
    ),
    groups: column(setOf('string'), 'Fields whose values group flows for a fair choice of what to evict.'),
    prefixes: column(setOf('string', 0, 3), 'Fields for which the classifier keeps prefix tries.'),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

export const QOS = {
  doc: 'How a port shapes its traffic: a discipline and its queues.',
  columns: {
    type: column('string', 'Name of the discipline.'),
    queues: column(mapOf(UINT32, ref('Queue')), 'Queues by the number that OpenFlow uses.'),
    other_config: column(STRING_MAP, NOT_MORE_CONFIG),
    external_ids: EXTERNAL_IDS,
  },
  isRoot: true,
} as const satisfies TableDefinition;

export const QUEUE = {
  doc: 'One queue of a QoS row.',
  columns: {
    dscp: column(optional(integers(0, 63)), 'DSCP value to mark packets of the queue with.'),
    other_config: column(STRING_MAP, NOT_MORE_CONFIG),
    external_ids: EXTERNAL_IDS,
  },
  isRoot: true,
} as const satisfies TableDefinition;

export const MIRROR = {
  doc: 'Sends copies of selected packets to a port or a VLAN.',
  columns: {
    name: column('string', 'Name of the mirror.'),
    select_all: column('boolean', 'Copies every packet of the bridge.'),
    select_src_port: column(setOf(weakRef('Port')), 'Ports whose received packets are copied.'),
    select_dst_port: column(setOf(weakRef('Port')), 'Ports whose sent packets are copied.'),
    select_vlan: column(
      setOf(integers(0, 4095), 0, 4096),
      'VLANs whose packets are copied; empty means all.',
    ),
    output_port: column(optional(weakRef('Port')), 'The port that gets the copies.'),
    output_vlan: column(optional(integers(1, 4095)), 'The VLAN that gets the copies.'),
    snaplen: column(optional(integers(14, 65535)), 'Bytes kept of each copy.'),
    statistics: status(INTEGER_MAP, 'Packets and bytes copied.'),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

export const NETFLOW = {
  doc: 'Export of flow records in NetFlow version 5.',
  columns: {
    targets: column(setOf('string', 1, 'unlimited'), 'Collectors as IP:PORT.'),
    engine_type: column(optional(UINT8), 'Engine type in the records.'),
    engine_id: column(optional(UINT8), 'Engine identifier in the records.'),
    add_id_to_interface: column('boolean', 'Puts bits of the engine identifier into interface numbers.'),
    active_timeout: column(
      one(atLeast(-1)),
      'Seconds between records of a living flow; 0 is the default, -1 never.',
    ),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

export const SFLOW = {
  doc: 'Export of packet samples and counters as sFlow.',
  columns: {
    targets: column(setOf('string', 1, 'unlimited'), 'Collectors as IP:PORT.'),
    sampling: column(optional('integer'), 'One packet of this many is sampled.'),
    polling: column(optional('integer'), 'Seconds between counter samples.'),
    header: column(optional('integer'), 'Bytes of a packet that a sample carries.'),
    agent: column(optional('string'), 'Device whose address names the agent, or that address.'),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

export const IPFIX = {
  doc: 'Export of flow samples as IPFIX, of a bridge or of a collector set.',
  columns: {
    targets: column(setOf('string'), 'Collectors as IP:PORT.'),
    sampling: column(optional(integers(1, 4294967295)), 'One packet of this many is sampled.'),
    obs_domain_id: column(optional(UINT32), 'Observation domain in the records.'),
    obs_point_id: column(optional(UINT32), 'Observation point in the records.'),
    cache_active_timeout: column(
      optional(integers(0, 4200)),
      'Seconds a flow may be collected before its record goes out.',
    ),
    cache_max_flows: column(optional(UINT32), 'Most flows collected at a time; 0 sends each at once.'),
    other_config: column(STRING_MAP, NOT_MORE_CONFIG),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

export const FLOW_SAMPLE_COLLECTOR_SET = {
  doc: 'Names the collectors that the OpenFlow sample action of a bridge sends to.',
  columns: {
    id: column(one(UINT32), 'The number the sample action uses.'),
    bridge: column(one(ref('Bridge')), 'The bridge it is for.'),
    ipfix: column(
      optional(ref('IPFIX')),
      'How and where the samples are exported. With it flows are sampled; nothing is exported yet.',
    ),
    external_ids: EXTERNAL_IDS,
  },
  isRoot: true,
  indexes: [['id', 'bridge']],
} as const satisfies TableDefinition;

const MAX_BACKOFF = column(optional(atLeast(1000)), 'Most milliseconds between two attempts to connect.');
const INACTIVITY_PROBE = column(optional('integer'), 'Milliseconds of silence before a probe; 0 sends none.');
const CONNECTION_MODE = column(
  optional(oneOf('in-band', 'out-of-band')),
  'Whether the connection runs through the bridges it controls.',
);
const IS_CONNECTED = status('boolean', 'Whether a connection is up.');

export const CONTROLLER = {
  doc: 'An OpenFlow controller of a bridge, or a place where one may connect.',
  columns: {
    type: column(
      optional(oneOf('primary', 'service')),
      'A controller in charge, or a mere service connection.',
    ),
    target: column('string', 'How to reach it, such as tcp:IP:PORT, or where to listen, such as ptcp:PORT.'),
    max_backoff: MAX_BACKOFF,
    inactivity_probe: INACTIVITY_PROBE,
    connection_mode: CONNECTION_MODE,
    local_ip: column(optional('string'), 'Address for the local port when the controller is in-band.'),
    local_netmask: column(optional('string'), 'Netmask for local_ip.'),
    local_gateway: column(optional('string'), 'Gateway for local_ip.'),
    enable_async_messages: column(
      optional('boolean'),
      'Whether it gets asynchronous messages from the start.',
    ),
    controller_queue_size: column(
      optional(integers(1, 512)),
      'Packets that may wait for each port when the rate is limited.',
    ),
    controller_rate_limit: column(optional(atLeast(100)), 'Most packets per second sent to it.'),
    controller_burst_limit: column(optional(atLeast(25)), 'Packets above that rate sent at once.'),
    other_config: column(STRING_MAP, NOT_MORE_CONFIG),
    external_ids: EXTERNAL_IDS,
    is_connected: IS_CONNECTED,
    role: status(optional(oneOf('other', 'master', 'slave')), 'The role the controller asked for.'),
    status: status(STRING_MAP, 'State of the connection, its age and last error.'),
  },
} as const satisfies TableDefinition;

export const MANAGER = {
  doc: 'A connection of ovsdb-server to a manager, or a place where it listens for them.',
  columns: {
    target: column('string', 'How to connect, such as ssl:IP:PORT, or where to listen, such as ptcp:PORT.'),
    max_backoff: MAX_BACKOFF,
    inactivity_probe: INACTIVITY_PROBE,
    connection_mode: CONNECTION_MODE,
    other_config: column(STRING_MAP, NOT_MORE_CONFIG),
    external_ids: EXTERNAL_IDS,
    is_connected: IS_CONNECTED,
    status: status(STRING_MAP, 'State of the connection, its age, locks and last error.'),
  },
  indexes: [['target']],
} as const satisfies TableDefinition;

export const DATAPATH = {
  doc: 'Settings and abilities of one datapath type.',
  columns: {
    datapath_version: column('string', 'Version that the datapath reports.'),
    ct_zones: column(mapOf(integers(0, 65535), ref('CT_Zone')), 'Settings of connection tracking zones.'),
    capabilities: column(STRING_MAP, 'What the datapath can do, as the switch found out.'),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

export const CT_ZONE = {
  doc: 'Settings of one connection tracking zone.',
  columns: {
    timeout_policy: column(optional(ref('CT_Timeout_Policy')), 'How long connections of the zone are kept.'),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

const CT_STATES = oneOf(
  'tcp_syn_sent',
  'tcp_syn_recv',
  'tcp_established',
  'tcp_fin_wait',
  'tcp_close_wait',
  'tcp_last_ack',
  'tcp_time_wait',
  'tcp_close',
  'tcp_syn_sent2',
  'tcp_retransmit',
  'tcp_unack',
  'udp_first',
  'udp_single',
  'udp_multiple',
  'icmp_first',
  'icmp_reply',
);

export const CT_TIMEOUT_POLICY = {
  doc: 'How long idle connections are kept in each state.',
  columns: {
    timeouts: column(
      mapOf(CT_STATES, UINT32),
      'Seconds by state; absent ones have the default of the datapath.',
    ),
    external_ids: EXTERNAL_IDS,
  },
} as const satisfies TableDefinition;

export const SSL = {
  doc: 'Keys and certificates for SSL/TLS connections of the switch.',
  columns: {
    private_key: column('string', 'File with the private key, PEM.'),
    certificate: column('string', 'File with the certificate of that key, PEM.'),
    ca_cert: column('string', 'File with the certificates of trusted authorities, PEM.'),
    bootstrap_ca_cert: column(
      'boolean',
      'Takes the authority from the first connection when ca_cert is missing.',
    ),
    external_ids: EXTERNAL_IDS,
  },
  maxRows: 1,
} as const satisfies TableDefinition;

export const AUTO_ATTACH = {
  doc: 'Automatic attachment of a bridge to an IEEE 802.1aq backbone over LLDP.',
  columns: {
    system_name: column('string', 'System name in LLDP messages.'),
    system_description: column('string', 'System description in LLDP messages.'),
    mappings: column(mapOf(integers(0, 16777215), integers(0, 4095)), 'VLANs by service identifier.'),
  },
} as const satisfies TableDefinition;
