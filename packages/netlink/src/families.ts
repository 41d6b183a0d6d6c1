/**
 * The families of the pseudo device as tables: fixed type numbers, commands, attributes
 * (pseudo-device facts; linux/openvswitch.h; linux/netfilter/nfnetlink_conntrack.h).
 * Conntrack's own attributes are in `conntrack-attrs.ts`, the flow key's in `key-attrs.ts`, actions' in
 * `action-attrs.ts`.
 */
import type { AttrTable } from './attr-table.js';

/** Netlink message types: the family ids are fixed, there is no controller to ask. */
export const Family = {
  WIN_CONTROL: 17,
  DATAPATH: 18,
  PACKET: 19,
  VPORT: 20,
  FLOW: 21,
  WIN_NETDEV: 22,
  CT_LIMIT: 24,
  METER: 25,
} as const;
export type Family = (typeof Family)[keyof typeof Family];

/** `nlmsg_type` of a conntrack message is `NFNL_SUBSYS_CTNETLINK << 8 | command`. */
export const NFNL_SUBSYS_CTNETLINK = 1;

/** The interface versions that go into `genlmsghdr.version`. */
export const FamilyVersion = {
  DATAPATH: 2,
  PACKET: 1,
  VPORT: 1,
  FLOW: 1,
  CT_LIMIT: 1,
  METER: 1,
  WIN_CONTROL: 1,
  WIN_NETDEV: 1,
} as const;

/** Multicast groups that a handle can join (MC_SUBSCRIBE_REQ). */
export const McGroup = {
  CT_NEW: 1,
  CT_UPDATE: 2,
  CT_DESTROY: 3,
  CT_EXP_NEW: 4,
  CT_EXP_UPDATE: 5,
  CT_EXP_DESTROY: 6,
  VPORT: 101,
  /** This project's: NICs of the host that connect to the switch and leave it. */
  NIC: 110,
} as const;

// ovs_datapath

export const DpCmd = { NEW: 1, DEL: 2, GET: 3, SET: 4 } as const;
export const DP_ATTRS = {
  NAME: { code: 1, kind: 'string', maxLen: 256 },
  UPCALL_PID: { code: 2, kind: 'u32' },
  /** struct ovs_dp_stats: u64 hit, missed, lost, flows. */
  STATS: { code: 3, kind: 'bytes', len: 32 },
  /** struct ovs_dp_megaflow_stats: u64 mask_hit, u32 masks, u32 pad, u64 cache_hit, u64 pad. */
  MEGAFLOW_STATS: { code: 4, kind: 'bytes', len: 32 },
  USER_FEATURES: { code: 5, kind: 'u32' },
  PAD: { code: 6, kind: 'bytes', pad: true },
  MASKS_CACHE_SIZE: { code: 7, kind: 'u32' },
  PER_CPU_PIDS: { code: 8, kind: 'u32s' },
  IFINDEX: { code: 9, kind: 'u32' },
  /** This project's: how many VLAN tags of a packet are parsed, 0 to 2; the kernel's datapath always parses two. */
  VLAN_LIMIT: { code: 100, kind: 'u8' },
} as const satisfies AttrTable;

/** OVS_DP_ATTR_USER_FEATURES bits. */
export const DpFeature = {
  UNALIGNED: 1,
  VPORT_PIDS: 2,
  TC_RECIRC_SHARING: 4,
  DISPATCH_UPCALL_PER_CPU: 8,
} as const;

// ovs_packet

export const PacketCmd = { MISS: 1, ACTION: 2, EXECUTE: 3 } as const;
export const PACKET_ATTRS = {
  PACKET: { code: 1, kind: 'bytes' },
  KEY: { code: 2, kind: 'nested' },
  ACTIONS: { code: 3, kind: 'nested' },
  USERDATA: { code: 4, kind: 'bytes' },
  EGRESS_TUN_KEY: { code: 5, kind: 'nested' },
  PROBE: { code: 8, kind: 'flag' },
  MRU: { code: 9, kind: 'u16' },
  LEN: { code: 10, kind: 'u32' },
  HASH: { code: 11, kind: 'u64' },
  /**
   * This project's: how often the packet has come back to the flow table. Who executes a packet that came up gives it
   * back, or one that goes round would never come to an end.
   */
  RECIRCS: { code: 100, kind: 'u8' },
  /** This project's, any number of times: bytes that follow those of ACTIONS, for actions that no attribute can hold. */
  MORE_ACTIONS: { code: 101, kind: 'bytes' },
} as const satisfies AttrTable;

// ovs_vport

export const VportCmd = { NEW: 1, DEL: 2, GET: 3, SET: 4 } as const;
/**
 * OVS_VPORT_TYPE_*: the kernel's, then this project's port kinds. The numbers from 100 on are its own: the Linux
 * datapath knows them as "netdev", but a userspace datapath has to be told how to open the device.
 */
export const VportType = {
  NETDEV: 1,
  INTERNAL: 2,
  GRE: 3,
  VXLAN: 4,
  GENEVE: 5,
  STT: 104,
  TAP: 110,
  DUMMY: 111,
  STREAM: 112,
} as const;
export type VportType = (typeof VportType)[keyof typeof VportType];
/** The port type names of `ovs-dpctl add-if` and of Interface.type, by vport type. */
export const VPORT_TYPE_NAMES: Readonly<Record<number, string>> = {
  [VportType.NETDEV]: 'system',
  [VportType.INTERNAL]: 'internal',
  [VportType.GRE]: 'gre',
  [VportType.VXLAN]: 'vxlan',
  [VportType.GENEVE]: 'geneve',
  [VportType.STT]: 'stt',
  [VportType.TAP]: 'tap',
  [VportType.DUMMY]: 'dummy',
  [VportType.STREAM]: 'stream',
};
export const VPORT_ATTRS = {
  PORT_NO: { code: 1, kind: 'u32' },
  TYPE: { code: 2, kind: 'u32' },
  NAME: { code: 3, kind: 'string', maxLen: 256 },
  OPTIONS: { code: 4, kind: 'nested' },
  UPCALL_PID: { code: 5, kind: 'u32s' },
  /** struct ovs_vport_stats: u64 rx_packets, tx_packets, rx_bytes, tx_bytes, rx_errors, tx_errors, rx_dropped, tx_dropped. */
  STATS: { code: 6, kind: 'bytes', len: 64 },
  PAD: { code: 7, kind: 'bytes', pad: true },
  IFINDEX: { code: 8, kind: 'u32' },
  NETNSID: { code: 9, kind: 'u32' },
} as const satisfies AttrTable;

/** Inside OVS_VPORT_ATTR_OPTIONS. The codes from 100 on are this project's, for port kinds that it adds. */
export const VPORT_OPTIONS = {
  DST_PORT: { code: 1, kind: 'u16' },
  EXTENSION: { code: 2, kind: 'nested' },
  /** One `key=value` of Interface.options that this port kind takes; repeated, so walked by hand. */
  OPTION: { code: 100, kind: 'string', maxLen: 4096 },
} as const satisfies AttrTable;

// ovs_flow

export const FlowCmd = { NEW: 1, DEL: 2, GET: 3, SET: 4 } as const;
export const FLOW_ATTRS = {
  KEY: { code: 1, kind: 'nested' },
  ACTIONS: { code: 2, kind: 'nested' },
  /** struct ovs_flow_stats: u64 packets, bytes. */
  STATS: { code: 3, kind: 'bytes', len: 16 },
  TCP_FLAGS: { code: 4, kind: 'u8' },
  /** Milliseconds on the monotonic clock that both sides share (`hostMonotonicMs`; a fake one in tests). */
  USED: { code: 5, kind: 'u64' },
  CLEAR: { code: 6, kind: 'flag' },
  MASK: { code: 7, kind: 'nested' },
  PROBE: { code: 8, kind: 'flag' },
  UFID: { code: 9, kind: 'bytes', maxLen: 16 },
  UFID_FLAGS: { code: 10, kind: 'u32' },
  PAD: { code: 11, kind: 'bytes', pad: true },
} as const satisfies AttrTable;
export const UfidFlag = { OMIT_KEY: 1, OMIT_MASK: 2, OMIT_ACTIONS: 4 } as const;

// ovs_win_control

export const WinControlCmd = {
  WIN_PEND_REQ: 0,
  WIN_PEND_PACKET_REQ: 1,
  MC_SUBSCRIBE_REQ: 2,
  PACKET_SUBSCRIBE_REQ: 3,
  EVENT_NOTIFY: 4,
  READ_NOTIFY: 5,
  SOCK_PROP: 6,
} as const;
export const WIN_CONTROL_ATTRS = {
  MCAST_GRP: { code: 0, kind: 'u32' },
  MCAST_JOIN: { code: 1, kind: 'u8' },
  PACKET_SUBSCRIBE: { code: 2, kind: 'u8' },
  PACKET_PID: { code: 3, kind: 'u32' },
} as const satisfies AttrTable;
export const SOCK_PROP_ATTRS = {
  SOCK_PROTO: { code: 0, kind: 'u32' },
  SOCK_PID: { code: 1, kind: 'u32' },
} as const satisfies AttrTable;

// ovs_win_netdev

/**
 * From 100 on this project's: SET brings a port's device up or down (PORT_NO, bit 0 of IF_FLAGS). NICs of the host's side of the switch that are connected, by OVS-port-name, in a datapath
 * or not. NIC_GET is a dump; NIC_NEW and NIC_DEL are the events of group NIC. They carry NAME alone.
 */
export const WinNetdevCmd = { GET: 1, NIC_NEW: 100, NIC_DEL: 101, NIC_GET: 102, SET: 103 } as const;
export const WIN_NETDEV_ATTRS = {
  PORT_NO: { code: 1, kind: 'u32' },
  TYPE: { code: 2, kind: 'u32' },
  NAME: { code: 3, kind: 'string', maxLen: 256 },
  MAC_ADDR: { code: 4, kind: 'bytes', len: 6 },
  MTU: { code: 5, kind: 'u32' },
  /** Bit 0 up, bit 1 promiscuous; ours: bit 2 running. */
  IF_FLAGS: { code: 6, kind: 'u32' },
  /** What only devices of the host have; the codes from 100 on are this project's. */
  LINK: { code: 100, kind: 'nested' },
  DRIVER: { code: 101, kind: 'nested' },
  COUNTERS: { code: 102, kind: 'nested' },
} as const satisfies AttrTable;
/** Inside LINK: four sets of features, the bits of OpenFlow's `ofp_port_features` (1.1 and later), and link changes. */
export const WIN_NETDEV_LINK_ATTRS = {
  CURRENT: { code: 1, kind: 'u32' },
  ADVERTISED: { code: 2, kind: 'u32' },
  SUPPORTED: { code: 3, kind: 'u32' },
  PEER: { code: 4, kind: 'u32' },
  /** How often the link came or went since the port was made. */
  RESETS: { code: 5, kind: 'u32' },
} as const satisfies AttrTable;
export const WIN_NETDEV_DRIVER_ATTRS = {
  NAME: { code: 1, kind: 'string', maxLen: 64 },
  VERSION: { code: 2, kind: 'string', maxLen: 64 },
  FIRMWARE: { code: 3, kind: 'string', maxLen: 64 },
} as const satisfies AttrTable;
/** Inside COUNTERS: what the device counts beyond what its port in the datapath does. */
export const WIN_NETDEV_COUNTER_ATTRS = {
  RX_MULTICAST: { code: 1, kind: 'u64' },
  COLLISIONS: { code: 2, kind: 'u64' },
  RX_OVER_ERR: { code: 3, kind: 'u64' },
  RX_CRC_ERR: { code: 4, kind: 'u64' },
  RX_FRAME_ERR: { code: 5, kind: 'u64' },
  RX_MISSED: { code: 6, kind: 'u64' },
} as const satisfies AttrTable;
/** Bit of IF_FLAGS: the device has a link, or somebody at the other end. */
export const WIN_NETDEV_RUNNING = 4;

// ovs_meter

export const MeterCmd = { FEATURES: 1, SET: 2, DEL: 3, GET: 4 } as const;
export const METER_ATTRS = {
  ID: { code: 1, kind: 'u32' },
  KBPS: { code: 2, kind: 'flag' },
  STATS: { code: 3, kind: 'bytes', len: 16 },
  BANDS: { code: 4, kind: 'nested' },
  USED: { code: 5, kind: 'u64' },
  CLEAR: { code: 6, kind: 'flag' },
  MAX_METERS: { code: 7, kind: 'u32' },
  MAX_BANDS: { code: 8, kind: 'u32' },
  PAD: { code: 9, kind: 'bytes', pad: true },
} as const satisfies AttrTable;
/** OVS_METER_BAND_TYPE_DROP, the one type of band. */
export const METER_BAND_DROP = 1;
export const METER_BAND_ATTRS = {
  TYPE: { code: 1, kind: 'u32' },
  RATE: { code: 2, kind: 'u32' },
  BURST: { code: 3, kind: 'u32' },
  STATS: { code: 4, kind: 'bytes', len: 16 },
} as const satisfies AttrTable;

// ovs_ct_limit

export const CtLimitCmd = { SET: 1, DEL: 2, GET: 3 } as const;
export const CT_LIMIT_ATTRS = {
  /** An array of struct ovs_zone_limit: i32 zone (-1: the default), u32 limit, u32 count. */
  ZONE_LIMIT: { code: 1, kind: 'bytes' },
} as const satisfies AttrTable;
