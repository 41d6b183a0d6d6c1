/**
 * The datapath actions as netlink attributes (linux/openvswitch.h). The canonical form of an action list, everywhere
 * in this project, is the bytes of its nested OVS_ACTION_ATTR_* attributes: translation composes them with
 * `NlWriter`, the datapath compiles them, text is made from and parsed to them.
 */
import type { AttrTable } from './attr-table.js';

/** OVS_ACTION_ATTR_*. `DROP` is userspace's: an explicit drop with a reason code. */
export const ACTION_ATTRS = {
  OUTPUT: { code: 1, kind: 'u32' },
  USERSPACE: { code: 2, kind: 'nested' },
  /** One OVS_KEY_ATTR_*. */
  SET: { code: 3, kind: 'nested' },
  /** struct ovs_action_push_vlan: be16 tpid, be16 tci (the CFI bit set). */
  PUSH_VLAN: { code: 4, kind: 'bytes', len: 4 },
  POP_VLAN: { code: 5, kind: 'flag' },
  SAMPLE: { code: 6, kind: 'nested' },
  RECIRC: { code: 7, kind: 'u32' },
  /** struct ovs_action_hash: u32 algorithm, u32 basis. */
  HASH: { code: 8, kind: 'bytes', len: 8 },
  /** struct ovs_action_push_mpls: be32 lse, be16 ethertype, 2 bytes of padding. */
  PUSH_MPLS: { code: 9, kind: 'bytes', len: 8 },
  POP_MPLS: { code: 10, kind: 'be16' },
  /** One OVS_KEY_ATTR_* whose payload is value, then mask, of equal length. */
  SET_MASKED: { code: 11, kind: 'nested' },
  CT: { code: 12, kind: 'nested' },
  TRUNC: { code: 13, kind: 'u32' },
  /** struct ovs_action_push_eth: source then destination address. */
  PUSH_ETH: { code: 14, kind: 'bytes', len: 12 },
  POP_ETH: { code: 15, kind: 'flag' },
  CT_CLEAR: { code: 16, kind: 'flag' },
  PUSH_NSH: { code: 17, kind: 'nested' },
  POP_NSH: { code: 18, kind: 'flag' },
  METER: { code: 19, kind: 'u32' },
  CLONE: { code: 20, kind: 'nested' },
  CHECK_PKT_LEN: { code: 21, kind: 'nested' },
  /** struct ovs_action_add_mpls: be32 lse, be16 ethertype, u16 flags. */
  ADD_MPLS: { code: 22, kind: 'bytes', len: 8 },
  DEC_TTL: { code: 23, kind: 'nested' },
  DROP: { code: 24, kind: 'u32' },
} as const satisfies AttrTable;

export const USERSPACE_ATTRS = {
  PID: { code: 1, kind: 'u32' },
  USERDATA: { code: 2, kind: 'bytes' },
  EGRESS_TUN_PORT: { code: 3, kind: 'u32' },
  ACTIONS: { code: 4, kind: 'flag' },
} as const satisfies AttrTable;

export const SAMPLE_ATTRS = {
  PROBABILITY: { code: 1, kind: 'u32' },
  ACTIONS: { code: 2, kind: 'nested' },
} as const satisfies AttrTable;

export const CT_ACTION_ATTRS = {
  COMMIT: { code: 1, kind: 'flag' },
  ZONE: { code: 2, kind: 'u16' },
  /** u32 value, u32 mask. */
  MARK: { code: 3, kind: 'bytes', len: 8 },
  /** 16 bytes of value, 16 of mask; network order. */
  LABELS: { code: 4, kind: 'bytes', len: 32 },
  HELPER: { code: 5, kind: 'string', maxLen: 16 },
  NAT: { code: 6, kind: 'nested' },
  FORCE_COMMIT: { code: 7, kind: 'flag' },
  EVENTMASK: { code: 8, kind: 'u32' },
  TIMEOUT: { code: 9, kind: 'string', maxLen: 32 },
} as const satisfies AttrTable;

export const NAT_ATTRS = {
  SRC: { code: 1, kind: 'flag' },
  DST: { code: 2, kind: 'flag' },
  /** 4 or 16 bytes, network order. */
  IP_MIN: { code: 3, kind: 'bytes', maxLen: 16 },
  IP_MAX: { code: 4, kind: 'bytes', maxLen: 16 },
  PROTO_MIN: { code: 5, kind: 'u16' },
  PROTO_MAX: { code: 6, kind: 'u16' },
  PERSISTENT: { code: 7, kind: 'flag' },
  PROTO_HASH: { code: 8, kind: 'flag' },
  PROTO_RANDOM: { code: 9, kind: 'flag' },
} as const satisfies AttrTable;

export const CHECK_PKT_LEN_ATTRS = {
  PKT_LEN: { code: 1, kind: 'u16' },
  ACTIONS_IF_GREATER: { code: 2, kind: 'nested' },
  ACTIONS_IF_LESS_EQUAL: { code: 3, kind: 'nested' },
} as const satisfies AttrTable;

export const DEC_TTL_ATTRS = {
  ACTION: { code: 1, kind: 'nested' },
} as const satisfies AttrTable;

/** The codes of OVS_ACTION_ATTR_* as plain numbers, for `NlWriter` and for compiling: `Act.OUTPUT === 1`. */
export const Act = codes(ACTION_ATTRS);
export const UserspaceAttr = codes(USERSPACE_ATTRS);
export const SampleAttr = codes(SAMPLE_ATTRS);
export const CtAct = codes(CT_ACTION_ATTRS);
export const NatAttr = codes(NAT_ATTRS);
export const CheckPktLenAttr = codes(CHECK_PKT_LEN_ATTRS);

function codes<T extends AttrTable>(table: T): { readonly [K in keyof T]: T[K]['code'] } {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.code])) as {
    [K in keyof T]: T[K]['code'];
  };
}
