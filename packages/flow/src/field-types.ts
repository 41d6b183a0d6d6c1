/**
 * The shape of a row of the field table (`field-table.ts`) and the bits that say which OpenFlow versions can
 * carry a match.
 */

/** How a value is written (ovs-fields(7), "Format"). */
export type FieldFormat =
  | 'decimal'
  | 'hexadecimal'
  | 'ct_state'
  | 'ethernet'
  | 'ipv4'
  | 'ipv6'
  /** An OpenFlow 1.0 port number (16 bits). */
  | 'port'
  /** An OpenFlow 1.1+ port number (32 bits). */
  | 'port_oxm'
  | 'frag'
  | 'tnl_flags'
  | 'tcp_flags'
  | 'packet_type';

/** What a packet or match must be for a field to exist (ovs-fields(7), "Prerequisites"). */
export type Prereq =
  | 'none'
  | 'ethernet'
  | 'arp'
  | 'vlan'
  | 'ipv4'
  | 'ipv6'
  | 'ip'
  | 'nsh'
  | 'ct'
  | 'mpls'
  | 'tcp'
  | 'udp'
  | 'sctp'
  | 'icmpv4'
  | 'icmpv6'
  | 'nd'
  | 'nd_solicit'
  | 'nd_advert';

/** How a version of OpenFlow with a fixed match structure can match a field. */
export type FixedMatch = 'no' | 'exact' | 'cidr' | 'bitwise';

/** One code point of a field in a TLV match (nx_match or OXM). */
export interface FieldCode {
  /** The constant's name, e.g. `NXM_OF_ETH_SRC`. */
  readonly name: string;
  /** `oxm_class`: 0 and 1 are Nicira's, 0x8000 OpenFlow's, 0xffff says that an experimenter id follows. */
  readonly cls: number;
  /** Experimenter id, 0 unless `cls` is 0xffff. */
  readonly experimenter: number;
  /** `oxm_field`, 7 bits. */
  readonly field: number;
  /** The first OpenFlow version, as on the wire (1 is 1.0, 6 is 1.5), that has the code; 7: it is understood, not sent. */
  readonly since: number;
}

/** One field: what parser, printer and codecs derive from. */
export interface FieldRow {
  /** The name that is printed. */
  readonly name: string;
  /** The other name that is accepted, if any. */
  readonly alias?: string;
  /** First bit in the key, counted from the most significant bit of word 0. */
  readonly offset: number;
  /** Bits in the key from `offset` on. */
  readonly keyBits: number;
  /** Width as OpenFlow sees it, which subfields are checked against; mostly `keyBits`. */
  readonly bits: number;
  /** Bits of `keyBits` that a value may have set when these are not the lower `bits` bits. */
  readonly valid?: bigint;
  /** The smallest value that an OpenFlow message may have, where that is not 0. */
  readonly min?: number;
  /** The largest value that an OpenFlow message may have, where that is not all of the width. */
  readonly max?: number;
  /**
   * For a field whose masks have bits that no value has, and keep them in a match, where they tell flows apart: a mask with
   * all bits of `asked` is one of the whole field, takes the value as it is, and leaves `kept` in the match. Whatever else is
   * written to the field in a key, a packet's or what of it matters, has the field's own bits only.
   */
  readonly whole?: { readonly asked: number; readonly kept: number };
  /** A mask is left out in messages only where it has all bits of the wire, also those that no value has. */
  readonly exactOnWire?: true;
  /** Bytes of a value on the wire of a TLV match; its bits beyond `bits` are zero. */
  readonly bytes: number;
  readonly maskable: boolean;
  readonly format: FieldFormat;
  readonly prereq: Prereq;
  /** What a match must be for the field to be sent in it, where that is not what it must be for the field to be understood. */
  readonly sentWhen?: Prereq;
  /**
   * A tunnel option: its length on the wire is that of the value, `bytes` at most, and it has no place in a key
   * (`tun-metadata.ts`). The number is that of the option.
   */
  readonly option?: number;
  /** The peer matches on the one bits of these only: it takes the value for the mask. */
  readonly onesOnly?: true;
  /** Whether actions may set it. */
  readonly writable: boolean;
  readonly of10: FixedMatch;
  readonly of11: FixedMatch;
  /** Code points, the one to prefer in nx_match first; empty for a field with none. */
  readonly nxm?: FieldCode;
  /** OXM codes: the last whose `since` is not after the version spoken is the one to use. */
  readonly oxm: readonly FieldCode[];
}

/** A row of the table as it is used: with its place in the table. */
export interface Field extends FieldRow {
  /** Index in `FIELDS`; stable within one build only. */
  readonly id: number;
}

/**
 * Protocols of an OpenFlow connection, as bits: what a flow can be sent over. Names as `ovs-ofctl
 * --flow-format` and `--protocols` use them; "TID" is with the table id extension.
 */
export const PROTO = {
  OF10_STD: 1 << 0,
  OF10_STD_TID: 1 << 1,
  OF10_NXM: 1 << 2,
  OF10_NXM_TID: 1 << 3,
  OF11_STD: 1 << 4,
  OF12_OXM: 1 << 5,
  OF13_OXM: 1 << 6,
  OF14_OXM: 1 << 7,
  OF15_OXM: 1 << 8,
} as const;

export const PROTO_NONE = 0;
export const PROTO_OF10_STD_ANY = PROTO.OF10_STD | PROTO.OF10_STD_TID;
export const PROTO_OF10_NXM_ANY = PROTO.OF10_NXM | PROTO.OF10_NXM_TID;
export const PROTO_OXM_ANY = PROTO.OF12_OXM | PROTO.OF13_OXM | PROTO.OF14_OXM | PROTO.OF15_OXM;
export const PROTO_NXM_OXM_ANY = PROTO_OF10_NXM_ANY | PROTO_OXM_ANY;
export const PROTO_ANY = PROTO_OF10_STD_ANY | PROTO_OF10_NXM_ANY | PROTO.OF11_STD | PROTO_OXM_ANY;
