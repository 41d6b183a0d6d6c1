/** The attributes of a flow key as text: which fields stand in `name(…)`, and where in the payload they are. */
import { KEY_ATTRS as K } from '../key-attrs.js';
import { DEC, FRAG, type Format, HEX, IP4, IP6, LABEL, MAC, WIDE } from './formats.js';

/** One field of `name(field=value/mask,…)`. */
export interface TextField {
  readonly name: string;
  /** Another name that is read, but not written. */
  readonly alias?: string;
  readonly at: number;
  readonly n: number;
  readonly format: Format;
}

/** An attribute that is a structure. */
export interface StructText {
  readonly code: number;
  readonly name: string;
  readonly len: number;
  readonly fields: readonly TextField[];
}

const f = (name: string, at: number, n: number, format: Format, alias?: string): TextField =>
  alias === undefined ? { name, at, n, format } : { name, at, n, format, alias };

const ports = [f('src', 0, 2, DEC), f('dst', 2, 2, DEC)];
const icmp = [f('type', 0, 1, DEC), f('code', 1, 1, DEC)];

export const STRUCTS: readonly StructText[] = [
  { ...row(K.ETHERNET), name: 'eth', fields: [f('src', 0, 6, MAC), f('dst', 6, 6, MAC)] },
  {
    ...row(K.IPV4),
    name: 'ipv4',
    fields: [
      f('src', 0, 4, IP4),
      f('dst', 4, 4, IP4),
      f('proto', 8, 1, DEC),
      f('tos', 9, 1, HEX),
      f('ttl', 10, 1, DEC),
      f('frag', 11, 1, FRAG),
    ],
  },
  {
    ...row(K.IPV6),
    name: 'ipv6',
    fields: [
      f('src', 0, 16, IP6),
      f('dst', 16, 16, IP6),
      f('label', 32, 4, LABEL),
      f('proto', 36, 1, DEC),
      f('tclass', 37, 1, HEX),
      f('hlimit', 38, 1, DEC),
      f('frag', 39, 1, FRAG),
    ],
  },
  { ...row(K.TCP), name: 'tcp', fields: ports },
  { ...row(K.UDP), name: 'udp', fields: ports },
  { ...row(K.SCTP), name: 'sctp', fields: ports },
  { ...row(K.ICMP), name: 'icmp', fields: icmp },
  { ...row(K.ICMPV6), name: 'icmpv6', fields: icmp },
  {
    ...row(K.ARP),
    name: 'arp',
    fields: [
      f('sip', 0, 4, IP4),
      f('tip', 4, 4, IP4),
      f('op', 8, 2, DEC),
      f('sha', 10, 6, MAC),
      f('tha', 16, 6, MAC),
    ],
  },
  { ...row(K.ND), name: 'nd', fields: [f('target', 0, 16, IP6), f('sll', 16, 6, MAC), f('tll', 22, 6, MAC)] },
  {
    ...row(K.CT_ORIG_TUPLE_IPV4),
    name: 'ct_tuple4',
    fields: [
      f('src', 0, 4, IP4),
      f('dst', 4, 4, IP4),
      f('proto', 12, 1, DEC),
      f('tp_src', 8, 2, DEC, 'src_port'),
      f('tp_dst', 10, 2, DEC, 'dst_port'),
    ],
  },
  {
    ...row(K.CT_ORIG_TUPLE_IPV6),
    name: 'ct_tuple6',
    fields: [
      f('src', 0, 16, IP6),
      f('dst', 16, 16, IP6),
      f('proto', 36, 1, DEC),
      f('src_port', 32, 2, DEC, 'tp_src'),
      f('dst_port', 34, 2, DEC, 'tp_dst'),
    ],
  },
  { ...row(K.PACKET_TYPE, 4), name: 'packet_type', fields: [f('ns', 0, 2, DEC), f('id', 2, 2, HEX)] },
];

/** An attribute that is one number: `name(value/mask)`. `host`: little-endian payload. */
export interface ScalarText {
  readonly code: number;
  readonly name: string;
  readonly len: number;
  readonly host: boolean;
  readonly format: Format;
}

export const SCALARS: readonly ScalarText[] = [
  { ...row(K.PRIORITY, 4), name: 'skb_priority', host: true, format: HEX },
  { ...row(K.SKB_MARK, 4), name: 'skb_mark', host: true, format: HEX },
  { ...row(K.CT_ZONE, 2), name: 'ct_zone', host: true, format: HEX },
  { ...row(K.CT_MARK, 4), name: 'ct_mark', host: true, format: HEX },
  { ...row(K.CT_LABELS), name: 'ct_label', host: false, format: WIDE },
  { ...row(K.RECIRC_ID, 4), name: 'recirc_id', host: true, format: HEX },
  { ...row(K.DP_HASH, 4), name: 'dp_hash', host: true, format: HEX },
];

function row(
  attr: { readonly code: number; readonly len?: number },
  len = attr.len!,
): { code: number; len: number } {
  return { code: attr.code, len };
}

export const structByCode = new Map(STRUCTS.map((s) => [s.code, s]));
export const structByName = new Map(STRUCTS.map((s) => [s.name, s]));
export const scalarByCode = new Map(SCALARS.map((s) => [s.code, s]));
export const scalarByName = new Map(SCALARS.map((s) => [s.name, s]));

/** Bits of the tunnel flags, as text; the attribute that stands for each is in `TUNNEL_KEY_ATTRS`. */
export const TUNNEL_FLAG_NAMES = ['oam', 'df', 'csum', 'key'] as const;

/** Names of datapath ports, where text may use them instead of numbers. */
export interface DpPortNames {
  nameOf(portNo: number): string | undefined;
  numberOf(name: string): number | undefined;
}
