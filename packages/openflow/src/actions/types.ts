/**
 * OpenFlow actions and instructions as plain values, one shape per action whatever the version on the wire.
 * The names of `type` are those that ovs-actions(7) uses; codecs, text and translation all switch on them.
 * Port numbers are the 32-bit ones of OpenFlow 1.1 and later (`OFPP` in `@ovs-node/flow/ports`).
 */
import type { HashFields } from '@ovs-node/flow/hash-fields';

/** A run of `nBits` bits of a field, from bit `ofs` (0 is the least significant). `field` is a name of the field table. */
export interface Subfield {
  readonly field: string;
  readonly ofs: number;
  readonly nBits: number;
}

/** An action or instruction, one shape each; text as in ovs-actions(7) is its other form (`parseActions`). */
export type Action =
  | { readonly type: 'output'; readonly port: number; readonly maxLen: number }
  | {
      readonly type: 'output_reg';
      readonly src: Subfield;
      readonly maxLen: number;
      /** It came in the newer of its forms, in which it is sent again. */
      readonly isNewForm?: true;
    }
  | { readonly type: 'output_trunc'; readonly port: number; readonly maxLen: number }
  | {
      readonly type: 'controller';
      readonly maxLen: number;
      readonly reason: number;
      readonly controllerId: number;
      readonly userdata: Uint8Array;
      readonly pause: boolean;
      readonly meterId: number;
      /** It came in the newer of its forms, in which it is sent again. */
      readonly isNewForm?: true;
    }
  | { readonly type: 'enqueue'; readonly port: number; readonly queue: number }
  | ({ readonly type: 'bundle' } & HashChoice<BundleAlgorithm> & {
        readonly members: readonly number[];
      })
  | ({ readonly type: 'bundle_load' } & HashChoice<BundleAlgorithm> & {
        readonly members: readonly number[];
        /** Where the number of the chosen member goes; at least 16 bits. */
        readonly dst: Subfield;
      })
  /** Stores the number of one of `nLinks` links, from 0, in `dst`. */
  | ({ readonly type: 'multipath' } & HashChoice<'modulo_n' | 'hash_threshold' | 'hrw' | 'iter_hash'> & {
        readonly nLinks: number;
        readonly arg: number;
        readonly dst: Subfield;
      })
  | { readonly type: 'group'; readonly group: number }
  | { readonly type: 'set_queue'; readonly queue: number }
  | { readonly type: 'pop_queue' }
  /** `form` is what the writer said: OpenFlow 1.1 and later call it `pop_vlan`. */
  | { readonly type: 'strip_vlan'; readonly form?: 'pop_vlan' }
  | { readonly type: 'push_vlan'; readonly ethertype: number }
  | {
      readonly type: 'set_vlan_vid';
      readonly vid: number;
      readonly pushIfNeeded: boolean;
      readonly hasVlan: boolean;
    }
  | {
      readonly type: 'set_vlan_pcp';
      readonly pcp: number;
      readonly pushIfNeeded: boolean;
      readonly hasVlan: boolean;
    }
  | { readonly type: 'set_eth_src' | 'set_eth_dst'; readonly mac: bigint }
  | { readonly type: 'set_ipv4_src' | 'set_ipv4_dst'; readonly ip: number }
  | { readonly type: 'set_ip_dscp'; readonly dscp: number }
  | { readonly type: 'set_ip_ecn'; readonly ecn: number }
  | { readonly type: 'set_ip_ttl'; readonly ttl: number }
  /** `proto`: the IP protocol of the flow, which OpenFlow 1.2 and later need to name the field; `check.ts` sets it. */
  | { readonly type: 'set_l4_src_port' | 'set_l4_dst_port'; readonly port: number; readonly proto?: number }
  /**
   * `ids`: controllers to tell of an expired TTL; empty is plain `dec_ttl`, which means controller 0, or, with `listed`,
   * a list of none.
   */
  | { readonly type: 'dec_ttl'; readonly ids: readonly number[]; readonly listed?: true }
  | { readonly type: 'push_mpls' | 'pop_mpls'; readonly ethertype: number }
  | { readonly type: 'set_mpls_label' | 'set_mpls_tc' | 'set_mpls_ttl'; readonly value: number }
  | { readonly type: 'dec_mpls_ttl' }
  | { readonly type: 'set_tunnel'; readonly tunId: bigint; readonly wide: boolean }
  /**
   * `form` is what the writer said, which text and wire keep; all mean the same. `load` and `load2` are the Nicira
   * actions, of which only the first has a text of its own.
   */
  | {
      readonly type: 'set_field';
      readonly field: string;
      readonly value: bigint;
      readonly mask: bigint;
      readonly form: 'set_field' | 'load' | 'load2';
      /** Of `vlan_tci`: the packet is known to have a tag, and OpenFlow 1.1 need not push one. */
      readonly hasVlan?: boolean;
    }
  /** `isCopy`: it came as copy-field, of OpenFlow 1.5 or of the extension of 1.3, and goes to 1.3 as such. */
  | { readonly type: 'move'; readonly src: Subfield; readonly dst: Subfield; readonly isCopy?: true }
  | { readonly type: 'push' | 'pop'; readonly subfield: Subfield }
  /** Only fields of tunnel metadata can be deleted. */
  | { readonly type: 'delete_field'; readonly field: string }
  /** Packet types are `namespace << 16 | type`. */
  | {
      readonly type: 'encap';
      readonly packetType: number;
      readonly properties: readonly EncapProperty[];
      /** The size of the header, which nobody uses, as it came; 0 when absent. */
      readonly headerSize?: number;
    }
  | { readonly type: 'decap'; readonly packetType: number }
  | { readonly type: 'dec_nsh_ttl' }
  | {
      readonly type: 'sample';
      /** Out of 65535. */
      readonly probability: number;
      readonly collectorSet: number;
      readonly obsDomain: number;
      readonly obsPoint: number;
      /** `OFPP.ANY`: none. */
      readonly samplingPort: number;
      readonly direction: 'ingress' | 'egress' | undefined;
      /** Which of its newer forms it came in, where an older one could say it, too; it is sent again in that. */
      readonly form?: 2 | 3;
    }
  /** Stores in the bit `dst` whether the packet has more than `pktLen` bytes. */
  | { readonly type: 'check_pkt_larger'; readonly pktLen: number; readonly dst: Subfield }
  | {
      readonly type: 'resubmit';
      readonly inPort: number;
      readonly table: number;
      readonly withCtOrig: boolean;
      readonly form: 'resubmit' | 'resubmit_table';
    }
  /** For tests of a switch; encoded, and refused by whoever is not a test. */
  | { readonly type: 'debug_recirc' | 'debug_slow' }
  | { readonly type: 'note'; readonly data: Uint8Array }
  | { readonly type: 'exit' }
  | { readonly type: 'fin_timeout'; readonly idle: number; readonly hard: number }
  | { readonly type: 'conjunction'; readonly id: number; readonly clause: number; readonly nClauses: number }
  | {
      readonly type: 'ct';
      readonly commit: boolean;
      readonly force: boolean;
      /** Flags that mean nothing, which are kept. */
      readonly otherFlags?: number;
      /** The zone: a number, or the bits of a field that hold it. */
      readonly zone: number | Subfield;
      /** 255: no recirculation. */
      readonly recircTable: number;
      /** 0, 21 (ftp) or 69 (tftp). */
      readonly alg: number;
      readonly actions: readonly Action[];
    }
  | { readonly type: 'nat'; readonly nat: NatSpec }
  | { readonly type: 'ct_clear' }
  | { readonly type: 'clone'; readonly actions: readonly Action[] }
  | { readonly type: 'learn'; readonly learn: LearnSpec }
  // Instructions of OpenFlow 1.1 and later.
  | { readonly type: 'meter'; readonly meter: number }
  | { readonly type: 'clear_actions' }
  | { readonly type: 'write_actions'; readonly actions: readonly Action[] }
  | { readonly type: 'write_metadata'; readonly metadata: bigint; readonly mask: bigint }
  | { readonly type: 'goto_table'; readonly table: number };

/** What `nat(...)` inside `ct(...)` says; all undefined: `nat` alone, which only applies an existing binding. */
export interface NatSpec {
  readonly dir?: 'src' | 'dst';
  readonly persistent: boolean;
  readonly hash: boolean;
  readonly random: boolean;
  /** Address family and range; 32-bit or 128-bit numbers. A maximum of 0 is none: only the minimum counts. */
  readonly addr?: { readonly family: 4 | 6; readonly min: bigint; readonly max: bigint };
  /** Not sent without an address. */
  readonly port?: { readonly min: number; readonly max: number };
}

/** The learn action (ovs-actions(7)). */
export interface LearnSpec {
  readonly idleTimeout: number;
  readonly hardTimeout: number;
  readonly priority: number;
  readonly cookie: bigint;
  readonly flags: number;
  readonly table: number;
  readonly finIdleTimeout: number;
  readonly finHardTimeout: number;
  readonly limit: number;
  readonly resultDst?: Subfield;
  readonly specs: readonly LearnFlowSpec[];
}

/** One thing that a learned flow matches or does. */
export interface LearnFlowSpec {
  readonly nBits: number;
  readonly src: { readonly field: Subfield } | { readonly value: bigint };
  readonly dst: 'match' | 'load' | 'output';
  readonly dstField?: Subfield;
}

/** A number has no name: the peer takes any, and keeps it. */
export type BundleAlgorithm = 'active_backup' | 'hrw' | number;

/** What an action that hashes says of the hash. */
interface HashChoice<Algorithm> {
  readonly fields: HashFields | number;
  readonly basis: number;
  readonly algorithm: Algorithm;
}

/** A property of the header that `encap` pushes: those of NSH are all there are. */
export type EncapProperty =
  | { readonly mdType: number }
  | {
      readonly tlv: {
        readonly cls: number;
        readonly type: number;
        readonly data: Uint8Array;
        /** What came behind the data, up to 8 bytes; zeros when absent. */
        readonly padding?: Uint8Array;
      };
    };

/** The `type` of each action. */
export type ActionType = Action['type'];
type Narrow<A, T> = A extends { readonly type: infer U }
  ? T extends U
    ? A & { readonly type: T }
    : never
  : never;
/** The member of `Action` with that `type`. */
export type ActionOf<T extends ActionType> = Narrow<Action, T>;
