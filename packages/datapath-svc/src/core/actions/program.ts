/**
 * Compiled actions: one flat run of 32-bit words, an operation code followed by its operands, ended by `Op.END`.
 * What does not fit into words (user data, conntrack parameters, nested action lists, long field values) is in
 * `constants`, `nested` or `data`, referred to by index. `compile.ts` makes programs, `execute.ts` runs them.
 */

/** Operation codes; the comment gives the operands. Values and masks are 32-bit words in the key's bit order. */
export const Op = {
  END: 0,
  /** port number */
  OUTPUT: 1,
  /** index of a `UserspaceAction` */
  USERSPACE: 2,
  /** TPID << 16 | TCI */
  PUSH_VLAN: 3,
  POP_VLAN: 4,
  /** offset in `data` of 12 bytes of value (dst, src) and 12 of mask */
  SET_ETH: 5,
  /** src, src mask, dst, dst mask, tos << 8 | ttl, its mask */
  SET_IPV4: 6,
  /** offset in `data` of 40 bytes of value (src, dst, be32 label, unused, tclass, hlimit, unused) and 40 of mask */
  SET_IPV6: 7,
  /** protocol, src << 16 | dst, its mask */
  SET_PORTS: 8,
  /** type << 8 | code, its mask; for ICMP and ICMPv6 alike */
  SET_ICMP: 9,
  /** offset in `data` of 22 bytes of value (be32 sip, be32 tip, be16 op, sha, tha) and 22 of mask */
  SET_ARP: 10,
  /** offset in `data` of 28 bytes of value (target, sll, tll) and 28 of mask */
  SET_ND: 11,
  /** value, mask */
  SET_PRIORITY: 12,
  /** value, mask */
  SET_MARK: 13,
  /** recirculation id */
  RECIRC: 14,
  /** algorithm, basis; `TUPLE` comes before it, where the packet is as it came in */
  HASH: 15,
  /** index of a `CtAction` */
  CT: 16,
  CT_CLEAR: 17,
  /** reason code */
  DROP: 18,
  /** bytes of the packet as it is now that the next output keeps */
  TRUNC: 19,
  /** probability of 2^32 - 1, index in `nested` */
  SAMPLE: 20,
  /** index in `nested` */
  CLONE: 21,
  /** length, index in `nested` when the packet is longer, index when not */
  CHECK_PKT_LEN: 22,
  /** number of the meter */
  METER: 23,
  /** label stack entry, Ethernet type */
  PUSH_MPLS: 24,
  /** Ethernet type */
  POP_MPLS: 25,
  /** label stack entry, its mask */
  SET_MPLS: 26,
  /** label stack entry, Ethernet type; before the whole packet */
  ADD_MPLS: 27,
  /** offset in `data` of 12 bytes: destination, source */
  PUSH_ETH: 28,
  POP_ETH: 29,
  /** offset in `data`, bytes of the header */
  PUSH_NSH: 30,
  POP_NSH: 31,
  /** offset in `data` of 24 bytes of value (flags, ttl, two that are not set, path, contexts) and 24 of mask */
  SET_NSH: 32,
  /** keeps the hash of the packet as it came in */
  TUPLE: 33,
} as const;

/** `userspace(...)`. */
export interface UserspaceAction {
  readonly pid: number;
  readonly userdata: Uint8Array | null;
  /** Send the flow's whole action list along. */
  readonly withActions: boolean;
  readonly egressPort: number | null;
}

/**
 * `ct(...)`. Marks and labels are null when the action does not set them; labels are words, most significant first. The
 * helper is a number of `helpers.ts`.
 */
export interface CtAction {
  readonly commit: boolean;
  readonly force: boolean;
  /** Whether a connection that has been translated is to be translated: the packet is looked up again after that. */
  readonly nat: boolean;
  readonly zone: number;
  readonly helper: number;
  readonly markValue: number;
  readonly markMask: number;
  readonly label: Uint32Array | null;
  readonly labelMask: Uint32Array | null;
}

export class Program {
  readonly code: Int32Array;
  readonly data: Uint8Array;
  readonly userspace: readonly UserspaceAction[];
  readonly ct: readonly CtAction[];
  readonly nested: readonly Program[];
  /** The port when the program is one output and nothing else, otherwise -1: the fast way. */
  readonly onlyOutput: number;

  constructor(
    code: Int32Array,
    data: Uint8Array,
    userspace: readonly UserspaceAction[],
    ct: readonly CtAction[],
    nested: readonly Program[],
  ) {
    this.code = code;
    this.data = data;
    this.userspace = userspace;
    this.ct = ct;
    this.nested = nested;
    this.onlyOutput = code.length === 3 && code[0] === Op.OUTPUT ? code[1] : -1;
  }
}
