/**
 * OpenFlow messages as plain values: one shape per message, whatever the version on the wire. A value holds what
 * a message means; where versions say the same thing in different ways (flow formats, port numbers of 16 and 32
 * bits, statistics requests and multipart requests) the codecs translate.
 *
 * Conventions: port numbers are the 32-bit ones of OpenFlow 1.1 (`OFPP` in `@ovs-node/flow/ports`), the OpenFlow 1.0
 * codecs map the reserved ones to and from 16 bits; 64-bit counters and cookies are bigints, all ones meaning
 * unknown (`UNKNOWN_COUNT`); Ethernet addresses are bigints; byte arrays own their memory (decoding copies out of the
 * network buffer).
 */
import type { Match } from '@ovs-node/flow/match';
import type { Action } from '../actions/types.js';
import type { OfError } from '../errors.js';
import type { CtFlush, IpfixStats, TlvMapping, TlvTableCommand } from './extension-types.js';
import type { AggregateStats, FlowFilter, FlowMod, FlowRemoved, FlowStats } from './flow-types.js';
import type { GroupFeatures, GroupMod, GroupStats, ReceivedGroupDesc } from './group-types.js';
import type { MeterConfig, MeterFeatures, MeterMod, MeterStats } from './meter-types.js';
import type { FlowMonitorRequest, FlowUpdate } from './monitor-types.js';
import type { PhyPort, PortMod, PortStats, QueueConfig, QueueStats } from './port-types.js';
import type { TableDesc, TableFeatures, TableMod, TableStats, TableStatusReason } from './table-types.js';

export type * from './extension-types.js';
export * from './flow-types.js';
export type * from './group-types.js';
export type * from './meter-types.js';
export type * from './monitor-types.js';
export * from './port-types.js';
export type * from './table-types.js';

/** No buffer: the packet is in the message. */
export const NO_BUFFER = 0xffffffff;
/** Every table (deletions and statistics), or in OpenFlow 1.0 the switch's choice (additions). */
export const ALL_TABLES = 0xff;
/** Every group. */
export const GROUP_ALL = 0xfffffffc;
/** No group, or any. */
export const GROUP_ANY = 0xffffffff;
/** Every queue, in requests. */
export const QUEUE_ALL = 0xffffffff;
/** How much of a packet a controller gets that is to get all of it, without a buffer: OFPCML_NO_BUFFER. */
export const WHOLE_PACKET = 0xffff;
/** What a counter says that is not kept. */
export const UNKNOWN_COUNT = 0xffffffffffffffffn;
/** What both parts of a duration say that is not known. */
export const UNKNOWN_DURATION = 0xffffffff;
/** A cookie that means "leave the cookie as it is" in a modification. */
export const COOKIE_NONE = 0xffffffffffffffffn;

/** Switch capabilities: OpenFlow 1.0's and 1.1's OFPC_* bits in one space. */
export const CAP = {
  FLOW_STATS: 1,
  TABLE_STATS: 2,
  PORT_STATS: 4,
  GROUP_STATS: 8,
  IP_REASM: 32,
  QUEUE_STATS: 64,
  ARP_MATCH_IP: 128,
  PORT_BLOCKED: 256,
  BUNDLES: 512,
  FLOW_MONITORING: 1024,
  /** OpenFlow 1.0 only; 0x8 on its wire. */
  STP: 0x80000000,
} as const;

/** Who a switch is and what it can. */
export interface SwitchFeatures {
  /** 64 bits: by convention the low 48 are an Ethernet address of the switch. */
  readonly datapathId: bigint;
  /** How many packets it can keep for the controller. */
  readonly nBuffers: number;
  readonly nTables: number;
  /** 0: the main connection; OpenFlow 1.3 and later. */
  readonly auxiliaryId: number;
  /** Bits of `CAP`. */
  readonly capabilities: number;
  /** OpenFlow 1.0: a bitmap of OFPAT10_*. */
  readonly actions: number;
  /** OpenFlow 1.0 to 1.2; empty from 1.3 on, where port descriptions say it. */
  readonly ports: readonly PhyPort[];
}

/** What becomes of fragments. */
export type FragMode = 'normal' | 'drop' | 'reassemble' | 'nx-match';

/** How a switch is configured. */
export interface SwitchConfig {
  readonly frag: FragMode;
  /** OpenFlow 1.1 and 1.2 (and the peer's 1.0); undefined: the version cannot say it. */
  readonly invalidTtlToController: boolean | undefined;
  /** Of a packet that goes to the controller, so many bytes at most are sent. */
  readonly missSendLen: number;
}

/** Why a packet came to the controller; the numbers are OpenFlow 1.4's OFPR_*. */
export const PR = {
  NO_MATCH: 0,
  ACTION: 1,
  INVALID_TTL: 2,
  ACTION_SET: 3,
  GROUP: 4,
  PACKET_OUT: 5,
  /** Never on the wire: an action outside the table-miss flow; becomes ACTION. */
  EXPLICIT_MISS: 6,
  IMPLICIT_MISS: 7,
} as const;

/** A packet for the controller. */
export interface PacketIn {
  /** By which the switch knows the packet that it keeps, or NO_BUFFER. */
  readonly bufferId: number;
  /** Length of the packet before it was cut to `packet`. */
  readonly totalLen: number;
  /** One of `PR`. */
  readonly reason: number;
  readonly tableId: number;
  /** Of the flow that sent it; all ones where there was none. */
  readonly cookie: bigint;
  /** Metadata of the packet: in_port at least. */
  readonly match: Match;
  readonly packet: Uint8Array;
  /** What the `controller` action gave along; NXT_PACKET_IN2 only. */
  readonly userdata?: Uint8Array;
  /** A paused packet's way through the tables, to be sent back in a `resume` message; NXT_PACKET_IN2 only. */
  readonly continuation?: Uint8Array;
}

/** How a switch sends packets in: the version's own message, or one of the extensions. */
export type PacketInFormat = 'standard' | 'nxt_packet_in' | 'nxt_packet_in2';
/** How OpenFlow 1.0 flow messages match: `openflow10`, or Nicira's extensible match. */
export type FlowFormat = 'openflow10' | 'nxm';

/** A packet for the switch to do actions to. */
export interface PacketOut {
  /** The packet that the switch keeps, or NO_BUFFER: `packet` is it. */
  readonly bufferId: number;
  /** Metadata: in_port at least. */
  readonly match: Match;
  readonly actions: readonly Action[];
  readonly packet: Uint8Array;
}

/** What a controller may: all as others, all alone, or only look. */
export type Role = 'nochange' | 'equal' | 'primary' | 'secondary';

/** Who made a switch. */
export interface SwitchDesc {
  readonly mfr: string;
  readonly hw: string;
  readonly sw: string;
  readonly serial: string;
  readonly dp: string;
}

/** Which asynchronous messages a connection wants, one bit per reason, for primary/equal and for secondary roles. */
export interface AsyncConfig {
  readonly primary: AsyncMasks;
  readonly secondary: AsyncMasks;
}
/** What is left out stays as it is (OpenFlow 1.4 and later); before, the first three are always there, the others never. */
export interface AsyncMasks {
  readonly packetIn?: number;
  readonly portStatus?: number;
  readonly flowRemoved?: number;
  readonly roleStatus?: number;
  readonly tableStatus?: number;
  readonly requestForward?: number;
}

/** Why a role changed. */
export type RoleReason = 'primary_request' | 'config' | 'experimenter' | 'unknown';

/** A command of bundles, or the answer to one. */
export type BundleControl =
  | 'open_request'
  | 'open_reply'
  | 'close_request'
  | 'close_reply'
  | 'commit_request'
  | 'commit_reply'
  | 'discard_request'
  | 'discard_reply'
  /** A number without a meaning, which a switch refuses; it looks at the flags, too. */
  | 'unknown';

/** Bits of a bundle's flags: OFPBF_*. */
export const BF = { ATOMIC: 1, ORDERED: 2 } as const;

/** A body of a multipart (statistics) message. `type` names it; replies hold as many items as one message fits. */
export type MultipartRequest =
  | { readonly type: 'desc' }
  | { readonly type: 'flow'; readonly filter: FlowFilter }
  | { readonly type: 'aggregate'; readonly filter: FlowFilter }
  | { readonly type: 'table' }
  | { readonly type: 'port'; readonly portNo: number }
  | { readonly type: 'queue'; readonly portNo: number; readonly queueId: number }
  | { readonly type: 'port_desc'; readonly portNo: number }
  | { readonly type: 'group' | 'group_desc'; readonly group: number }
  | { readonly type: 'group_features' }
  | { readonly type: 'meter' | 'meter_config'; readonly meter: number }
  | { readonly type: 'meter_features' }
  | { readonly type: 'table_features'; readonly tables: readonly TableFeatures[] }
  | { readonly type: 'table_desc' }
  /** OpenFlow 1.4 and later; before, a message of its own. */
  | { readonly type: 'queue_desc'; readonly portNo: number; readonly queueId: number }
  | { readonly type: 'flow_monitor'; readonly monitors: readonly FlowMonitorRequest[] }
  | { readonly type: 'ipfix_bridge' | 'ipfix_flow' };

/** Statistics as they come, known by their `type`. */
export type MultipartReply =
  | { readonly type: 'desc'; readonly desc: SwitchDesc }
  | { readonly type: 'flow'; readonly flows: readonly FlowStats[] }
  | { readonly type: 'aggregate'; readonly stats: AggregateStats }
  | { readonly type: 'table'; readonly tables: readonly TableStats[] }
  | { readonly type: 'port'; readonly ports: readonly PortStats[] }
  | { readonly type: 'queue'; readonly queues: readonly QueueStats[] }
  | { readonly type: 'port_desc'; readonly ports: readonly PhyPort[] }
  | { readonly type: 'group'; readonly groups: readonly GroupStats[] }
  | { readonly type: 'group_desc'; readonly groups: readonly ReceivedGroupDesc[] }
  | { readonly type: 'group_features'; readonly features: GroupFeatures }
  | { readonly type: 'meter'; readonly meters: readonly MeterStats[] }
  | { readonly type: 'meter_config'; readonly meters: readonly MeterConfig[] }
  | { readonly type: 'meter_features'; readonly features: MeterFeatures }
  | { readonly type: 'table_features'; readonly tables: readonly TableFeatures[] }
  | {
      readonly type: 'table_desc';
      readonly tables: readonly TableDesc[];
      /** Of a reply that cannot be read to its end: the table that is at fault, as far as it was read. */
      readonly begun?: TableDesc;
    }
  | { readonly type: 'queue_desc'; readonly queues: readonly QueueConfig[] }
  | { readonly type: 'flow_monitor'; readonly updates: readonly FlowUpdate[] }
  | { readonly type: 'ipfix_bridge' | 'ipfix_flow'; readonly exporters: readonly IpfixStats[] };

/** The `type` of each kind of statistics. */
export type MultipartType = MultipartRequest['type'];
/** The members of a union that may have that `type`, with it. */
type Narrow<M, T> = M extends { readonly type: infer U }
  ? T extends U
    ? M & { readonly type: T }
    : never
  : never;
/** The member of `MultipartRequest` with that `type`. */
export type RequestOf<T extends MultipartType> = Narrow<MultipartRequest, T>;
/** The member of `MultipartReply` with that `type`. */
export type ReplyOf<T extends MultipartType> = Narrow<MultipartReply, T>;

/** A message of any version, known by its `type`; docs/openflow-fields.md says which version has which. */
export type OfMessage =
  /** Bit n of `versions` set: version n (on the wire) is supported. `hasUnknown`: it says more that is not understood. */
  | { readonly type: 'hello'; readonly versions: number; readonly hasUnknown?: boolean }
  | { readonly type: 'error'; readonly error: OfError }
  | { readonly type: 'echo_request' | 'echo_reply'; readonly data: Uint8Array }
  | { readonly type: 'features_request' | 'get_config_request' | 'barrier_request' | 'barrier_reply' }
  | { readonly type: 'features_reply'; readonly features: SwitchFeatures }
  | { readonly type: 'get_config_reply' | 'set_config'; readonly config: SwitchConfig }
  | { readonly type: 'packet_in'; readonly packetIn: PacketIn; readonly format: PacketInFormat }
  | { readonly type: 'packet_out'; readonly packetOut: PacketOut }
  /** `format` is the flow format that OpenFlow 1.0 uses; other versions have one and leave it out. */
  | {
      readonly type: 'flow_mod';
      readonly flowMod: FlowMod;
      readonly format?: FlowFormat;
      readonly withTableId?: boolean;
    }
  | { readonly type: 'flow_removed'; readonly removed: FlowRemoved; readonly format?: FlowFormat }
  | { readonly type: 'port_status'; readonly reason: 'add' | 'delete' | 'modify'; readonly port: PhyPort }
  | { readonly type: 'port_mod'; readonly portMod: PortMod }
  | { readonly type: 'table_mod'; readonly tableMod: TableMod }
  | { readonly type: 'group_mod'; readonly groupMod: GroupMod }
  | { readonly type: 'meter_mod'; readonly meterMod: MeterMod }
  /** OpenFlow 1.0 to 1.3. */
  | { readonly type: 'queue_get_config_request'; readonly portNo: number }
  | {
      readonly type: 'queue_get_config_reply';
      readonly portNo: number;
      readonly queues: readonly QueueConfig[];
    }
  | {
      readonly type: 'role_status';
      readonly role: Role;
      readonly reason: RoleReason;
      readonly generationId: bigint;
    }
  | { readonly type: 'table_status'; readonly reason: TableStatusReason; readonly desc: TableDesc }
  /** A group-mod or meter-mod of another controller, as a whole message of this version. */
  | { readonly type: 'requestforward'; readonly message: Uint8Array }
  | {
      readonly type: 'bundle_control';
      readonly bundleId: number;
      readonly control: BundleControl;
      readonly flags: number;
    }
  /** `message` is a whole message, of the version and the xid of the one it is in; decode it with `decodeMessage`. */
  | {
      readonly type: 'bundle_add';
      readonly bundleId: number;
      readonly flags: number;
      /** Decoded: borrowed from the bytes that it came in. */
      readonly message: Uint8Array;
    }
  /** Before OpenFlow 1.4. */
  | { readonly type: 'flow_monitor_cancel'; readonly id: number }
  | { readonly type: 'flow_monitor_paused' | 'flow_monitor_resumed' }
  | {
      readonly type: 'role_request' | 'role_reply';
      readonly role: Role;
      readonly generationId: bigint | undefined;
      /** Since OpenFlow 1.2, which has roles itself: in the form of the extension. */
      readonly isExtension?: boolean;
    }
  | {
      readonly type: 'multipart_request';
      readonly request: MultipartRequest;
      readonly format?: FlowFormat;
      readonly more: boolean;
    }
  | {
      readonly type: 'multipart_reply';
      readonly reply: MultipartReply;
      readonly format?: FlowFormat;
      readonly more: boolean;
    }
  | { readonly type: 'get_async_request' }
  | { readonly type: 'get_async_reply'; readonly config: AsyncConfig }
  /** `isWhole`: what is not said, as the fixed form cannot, is not wanted; otherwise it stays as it is. */
  | { readonly type: 'set_async'; readonly config: AsyncConfig; readonly isWhole?: boolean }
  // Nicira extensions.
  | { readonly type: 'set_flow_format'; readonly format: FlowFormat | 'unknown' }
  | { readonly type: 'flow_mod_table_id'; readonly enable: boolean }
  | { readonly type: 'set_packet_in_format'; readonly format: PacketInFormat }
  | { readonly type: 'flow_age' }
  | { readonly type: 'set_controller_id'; readonly controllerId: number }
  | { readonly type: 'resume'; readonly packetIn: PacketIn }
  | {
      readonly type: 'tlv_table_mod';
      readonly command: TlvTableCommand;
      readonly mappings: readonly TlvMapping[];
    }
  | { readonly type: 'tlv_table_request' }
  | {
      readonly type: 'tlv_table_reply';
      readonly maxOptionSpace: number;
      readonly maxFields: number;
      readonly mappings: readonly TlvMapping[];
    }
  | { readonly type: 'ct_flush_zone'; readonly zone: number }
  | { readonly type: 'ct_flush'; readonly flush: CtFlush };

/** The `type` of each message. */
export type OfMessageType = OfMessage['type'];
/** The member of `OfMessage` with that `type`. */
export type MessageOf<T extends OfMessageType> = Narrow<OfMessage, T>;
