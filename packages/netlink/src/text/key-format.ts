/**
 * Datapath flow keys as text, to the letter of ovs-dpctl(8): `recirc_id(0),in_port(1),eth(src=…),…`.
 *
 * Works on the attribute bytes, since which attributes there are is part of what is shown. Fields that the mask leaves
 * out are left out, unless `verbose` (-m) asks for `value/0`.
 */
import { CT_STATE_FLAGS, TCP_FLAGS } from '@ovs-node/flow/flags-text';
import { altHex } from '@ovs-node/flow/int-text';
import { NlReader } from '../attr.js';
import { isZero } from '../bytes.js';
import { KEY_ATTRS as K, NSH_KEY_ATTRS as N, TUNNEL_KEY_ATTRS as T, VXLAN_EXT_ATTRS } from '../key-attrs.js';
import { TunFlag } from '../key-nests.js';
import { hexText, DEC, HEX, PLAIN_HEX, IP4, IP6, WIDE, type Format } from './formats.js';
import {
  type DpPortNames,
  type StructText,
  TUNNEL_FLAG_NAMES,
  scalarByCode,
  structByCode,
} from './key-table.js';

export interface KeyTextOptions {
  /** Show wildcarded fields too (-m). */
  readonly verbose?: boolean;
  /** Show ports by name. */
  readonly ports?: DpPortNames | undefined;
}

/** The attributes of one nest, by code; the last of a repeated one. */
type Attrs = Map<number, Uint8Array>;

function attrsOf(bytes: Uint8Array): { list: [number, Uint8Array][]; map: Attrs } {
  const list: [number, Uint8Array][] = [];
  const r = new NlReader(bytes);
  while (r.next()) list.push([r.type, r.bytes()]);
  return { list, map: new Map(list) };
}

/** Whether all bits of the `bits` lowest are 1 (or of all bytes). */
function isExact(mask: Uint8Array, at = 0, n = mask.length, bits = 8 * n): boolean {
  for (let i = 0; i < n; i++) {
    const left = bits - 8 * (n - 1 - i);
    const want = left >= 8 ? 0xff : left <= 0 ? 0 : (1 << left) - 1;
    if ((mask[at + i]! & want) !== want) return false;
  }
  return true;
}

/**
 * `value/mask` of one field; undefined when it is not shown. A field without a mask (null) is exact.
 */
function field(
  format: Format,
  value: Uint8Array,
  mask: Uint8Array | null,
  at: number,
  n: number,
  verbose: boolean,
): string | undefined {
  if (mask === null || isExact(mask, at, n, format.bits ?? 8 * n)) return format.value(value, at, n);
  if (isZero(mask, at, n) && !verbose) return undefined;
  return `${format.value(value, at, n)}/${format.mask(mask, at, n)}`;
}

function structFields(row: StructText, value: Uint8Array, mask: Uint8Array | null, verbose: boolean): string {
  const parts: string[] = [];
  for (const f of row.fields) {
    // The fragment type is shown only where it is matched.
    const text = field(f.format, value, mask, f.at, f.n, verbose && f.name !== 'frag');
    if (text !== undefined) parts.push(`${f.name}=${text}`);
  }
  return parts.join(',');
}

function flagNames(names: readonly string[], flags: number): string {
  return names.filter((_, i) => flags & (1 << i)).join('|') || '0';
}

function maskedFlags(names: readonly string[], flags: number, mask: number): string {
  return names.map((name, i) => (mask & (1 << i) ? (flags & (1 << i) ? '+' : '-') + name : '')).join('');
}

function swap(bytes: Uint8Array): Uint8Array {
  return bytes.slice().reverse();
}

/** One attribute as `name(…)`; `mask` null: exact. */
function formatAttr(
  code: number,
  value: Uint8Array,
  mask: Uint8Array | null,
  verbose: boolean,
  ports: DpPortNames | undefined,
): string {
  const struct = structByCode.get(code);
  if (struct !== undefined) {
    if (value.length !== struct.len) return badLength(code, value);
    return `${struct.name}(${structFields(struct, value, mask, verbose)})`;
  }
  const scalar = scalarByCode.get(code);
  if (scalar !== undefined) {
    if (value.length !== scalar.len) return badLength(code, value);
    const v = scalar.host ? swap(value) : value;
    const m = scalar.host && mask !== null ? swap(mask) : mask;
    return `${scalar.name}(${field(scalar.format, v, m, 0, v.length, true)})`;
  }
  switch (code) {
    case K.IN_PORT.code: {
      if (value.length !== 4) return badLength(code, value);
      const v = swap(value);
      const name = ports?.nameOf(Number(DEC.value(v, 0, 4)));
      if (name !== undefined && (mask === null || isExact(mask))) return `in_port(${name})`;
      return `in_port(${field(DEC, v, mask === null ? null : swap(mask), 0, 4, true)})`;
    }
    case K.CT_STATE.code: {
      if (value.length !== 4) return badLength(code, value);
      if (mask === null) return `ct_state(${altHex(value[0]!)})`;
      if (verbose || mask[0] === 0) return `ct_state(${altHex(value[0]!)}/${altHex(mask[0]!)})`;
      return `ct_state(${maskedFlags(CT_STATE_FLAGS.names, value[0]!, mask[0]!)})`;
    }
    case K.TCP_FLAGS.code: {
      if (value.length !== 2) return badLength(code, value);
      const v = ((value[0]! << 8) | value[1]!) & 0xfff;
      const m = mask === null ? 0xfff : ((mask[0]! << 8) | mask[1]!) & 0xfff;
      if (m === 0xfff) return `tcp_flags(${flagNames(TCP_FLAGS.names, v)})`;
      if (m === 0) return 'tcp_flags(0/0)';
      return `tcp_flags(${maskedFlags(TCP_FLAGS.names, v, m)})`;
    }
    case K.ETHERTYPE.code: {
      if (value.length !== 2) return badLength(code, value);
      const text = `0x${HEX.value(value, 0, 2).replace(/^0x/, '').padStart(4, '0')}`;
      return `eth_type(${text}${mask === null || isExact(mask) ? '' : `/${HEX.mask(mask, 0, 2)}`})`;
    }
    case K.VLAN.code:
      return value.length === 2 ? formatVlan(value, mask, verbose) : badLength(code, value);
    case K.MPLS.code:
      return formatMpls(value, mask);
    case K.TUNNEL.code:
      return `tunnel(${formatTunnel(value, mask, verbose)})`;
    case K.NSH.code:
      return `nsh(${formatNsh(value, mask, verbose)})`;
    default:
      return `key${code}(${Buffer.from(value).toString('hex')})`;
  }
}

function badLength(code: number, value: Uint8Array): string {
  return `key${code}(bad length ${value.length})`;
}

function formatVlan(value: Uint8Array, mask: Uint8Array | null, verbose: boolean): string {
  const tci = (value[0]! << 8) | value[1]!;
  const m = mask === null ? 0xffff : (mask[0]! << 8) | mask[1]!;
  const part = (name: string, v: number, bits: number, ones: number): string | undefined =>
    verbose || v !== 0 || bits !== 0
      ? `${name}=${v}${bits === ones ? '' : `/0x${bits.toString(16)}`}`
      : undefined;
  const parts = [part('vid', tci & 0xfff, m & 0xfff, 0xfff), part('pcp', tci >> 13, m >> 13, 7)];
  if ((tci & 0x1000) === 0) parts.push('cfi=0');
  return `vlan(${parts.filter((p) => p !== undefined).join(',')})`;
}

function formatMpls(value: Uint8Array, mask: Uint8Array | null): string {
  const parts: string[] = [];
  const exact = mask === null || isExact(mask);
  for (let at = 0; at + 4 <= value.length; at += 4) {
    const lse = Number(DEC.value(value, at, 4));
    const m = exact || at + 4 > mask.length ? 0xffffffff : Number(DEC.value(mask, at, 4));
    const label = `label=${lse >>> 12}`;
    const tc = `tc=${(lse >> 9) & 7}`;
    const ttl = `ttl=${lse & 0xff}`;
    const bos = `bos=${(lse >> 8) & 1}`;
    if (exact) parts.push(label, tc, ttl, bos);
    else {
      parts.push(
        `${label}/0x${(m >>> 12).toString(16)}`,
        `${tc}/${((m >> 9) & 7).toString(16)}`,
        `${ttl}/0x${(m & 0xff).toString(16)}`,
        `${bos}/${(m >> 8) & 1}`,
      );
    }
  }
  return `mpls(${parts.join(',')})`;
}

const TUNNEL_FIELDS: readonly (readonly [name: string, code: number, n: number, format: Format])[] = [
  ['tun_id', T.ID.code, 8, WIDE],
  ['src', T.IPV4_SRC.code, 4, IP4],
  ['dst', T.IPV4_DST.code, 4, IP4],
  ['ipv6_src', T.IPV6_SRC.code, 16, IP6],
  ['ipv6_dst', T.IPV6_DST.code, 16, IP6],
  ['tos', T.TOS.code, 1, HEX],
  ['ttl', T.TTL.code, 1, DEC],
  ['tp_src', T.TP_SRC.code, 2, DEC],
  ['tp_dst', T.TP_DST.code, 2, DEC],
];
export { TUNNEL_FIELDS };

const ALL_TUNNEL_FLAGS = TunFlag.OAM | TunFlag.DF | TunFlag.CSUM | TunFlag.KEY;

/** Flags of a tunnel nest: each is an attribute of its own, the key flag the presence of the tunnel id. */
function tunnelFlags(attrs: Attrs): number {
  return (
    (attrs.has(T.OAM.code) ? TunFlag.OAM : 0) |
    (attrs.has(T.DONT_FRAGMENT.code) ? TunFlag.DF : 0) |
    (attrs.has(T.CSUM.code) ? TunFlag.CSUM : 0) |
    (attrs.has(T.ID.code) ? TunFlag.KEY : 0)
  );
}

function formatTunnel(value: Uint8Array, mask: Uint8Array | null, verbose: boolean): string {
  const v = attrsOf(value).map;
  const m = mask === null ? null : attrsOf(mask).map;
  const parts: string[] = [];
  for (const [name, code, n, format] of TUNNEL_FIELDS) {
    const maskBytes = m === null ? null : (m.get(code) ?? new Uint8Array(n));
    let bytes = v.get(code);
    if (bytes === undefined) {
      // Zero is not written into a key, but may be matched.
      if (maskBytes === null || isZero(maskBytes)) continue;
      bytes = new Uint8Array(n);
    }
    if (bytes.length !== n || (maskBytes !== null && maskBytes.length !== n)) continue;
    const text = field(format, bytes, maskBytes, 0, n, verbose);
    if (text !== undefined) parts.push(`${name}=${text}`);
  }
  const vxlan = v.get(T.VXLAN_OPTS.code);
  if (vxlan !== undefined)
    parts.push(
      formatVxlan(vxlan, m === null ? null : (m.get(T.VXLAN_OPTS.code) ?? new Uint8Array(0)), verbose),
    );
  const geneve = v.get(T.GENEVE_OPTS.code);
  if (geneve !== undefined) parts.push(`geneve(${Buffer.from(geneve).toString('hex')})`);
  const flags = tunnelFlags(v);
  if (m === null) parts.push(`flags(${flagNames(TUNNEL_FLAG_NAMES, flags)})`);
  else {
    const flagMask = tunnelFlags(m);
    if (flagMask === ALL_TUNNEL_FLAGS) parts.push(`flags(${flagNames(TUNNEL_FLAG_NAMES, flags)})`);
    else if (flagMask !== 0) parts.push(`flags(${maskedFlags(TUNNEL_FLAG_NAMES, flags, flagMask)})`);
    else if (verbose) parts.push(`flags(${altHex(flags)}/0)`);
  }
  return parts.join(',');
}

function formatVxlan(value: Uint8Array, mask: Uint8Array | null, verbose: boolean): string {
  const gbp = attrsOf(value).map.get(VXLAN_EXT_ATTRS.GBP.code);
  if (gbp?.length !== 4) return 'vxlan()';
  const m = mask === null ? null : (attrsOf(mask).map.get(VXLAN_EXT_ATTRS.GBP.code) ?? new Uint8Array(4));
  // Flags << 16 | id, as a little-endian number.
  const id = field(DEC, swap(gbp.subarray(0, 2)), m === null ? null : swap(m.subarray(0, 2)), 0, 2, verbose);
  const flags = field(HEX, gbp.subarray(2, 3), m === null ? null : m.subarray(2, 3), 0, 1, verbose);
  const parts = [id === undefined ? '' : `id=${id}`, flags === undefined ? '' : `flags=${flags}`].filter(
    Boolean,
  );
  return `vxlan(gbp(${parts.join(',')}))`;
}

const padded: Format['mask'] = (b, at, n) => `0x${hexText(b.subarray(at, at + n))}`;
const PADDED_BYTE: Format = { ...PLAIN_HEX, value: padded, mask: padded };
const PADDED_MASK: Format = { ...PLAIN_HEX, mask: padded };

function formatNsh(value: Uint8Array, mask: Uint8Array | null, verbose: boolean): string {
  const v = attrsOf(value).map;
  const m = mask === null ? null : attrsOf(mask).map;
  const base = v.get(N.BASE.code);
  if (base?.length !== 8) return '';
  const mb = m === null ? null : (m.get(N.BASE.code) ?? new Uint8Array(8));
  const parts: string[] = [];
  const add = (name: string, text: string | undefined): void => {
    if (text !== undefined) parts.push(`${name}=${text}`);
  };
  const at = (ofs: number): string | undefined => {
    const bits = mb === null ? 0xff : mb[ofs]!;
    return field(bits === 0xff ? DEC : PADDED_BYTE, base, mb, ofs, 1, verbose);
  };
  add('flags', at(0));
  add('ttl', at(1));
  add('mdtype', at(2));
  add('np', at(3));
  const spi = Uint8Array.of(0, ...base.subarray(4, 7));
  add(
    'spi',
    field(
      { ...PADDED_MASK, bits: 24 },
      spi,
      mb === null ? null : Uint8Array.of(0, ...mb.subarray(4, 7)),
      0,
      4,
      verbose,
    ),
  );
  add('si', at(7));
  const md1 = v.get(N.MD1.code);
  if (md1?.length === 16) {
    const mm = m === null ? null : (m.get(N.MD1.code) ?? new Uint8Array(16));
    for (let i = 0; i < 4; i++) add(`c${i + 1}`, field(PADDED_MASK, md1, mm, 4 * i, 4, verbose));
  }
  return parts.join(',');
}

/**
 * A key with its mask as text. `mask` undefined: an exact key, shown without masks (as in upcalls and set actions).
 * Malformed attributes are shown as far as they go; nothing throws.
 */
export function formatDpKey(key: Uint8Array, mask?: Uint8Array, options: KeyTextOptions = {}): string {
  return formatLevel(key, mask, options, 0);
}

/** More VLAN tags than any key holds; what is nested deeper is not shown. */
const MAX_ENCAP = 4;

function formatLevel(
  key: Uint8Array,
  mask: Uint8Array | undefined,
  options: KeyTextOptions,
  depth: number,
): string {
  const { list, map } = attrsOf(key);
  const masks = mask === undefined ? null : attrsOf(mask).map;
  const verbose = options.verbose ?? false;
  const parts: string[] = [];
  // Where the packet type says that it is an Ethernet packet, an all-wild eth() need not.
  const typeMask = masks?.get(K.PACKET_TYPE.code);
  const hasType =
    map.has(K.PACKET_TYPE.code) && (masks === null || (typeMask !== undefined && !isZero(typeMask)));
  for (const [code, value] of list) {
    if (code === K.ENCAP.code) {
      const inner = masks === null ? undefined : (masks.get(code) ?? new Uint8Array(0));
      // Of an 802.2 frame in a VLAN there is nothing to show, not even what its mask says.
      if (value.length === 0) {
        parts.push('encap()');
        continue;
      }
      parts.push(`encap(${depth < MAX_ENCAP ? formatLevel(value, inner, options, depth + 1) : '…'})`);
      continue;
    }
    let m: Uint8Array | null = null;
    if (masks !== null) {
      m = masks.get(code) ?? null;
      if (m === null || (m.length !== value.length && code !== K.TUNNEL.code && code !== K.NSH.code)) {
        m = code === K.TUNNEL.code || code === K.NSH.code ? new Uint8Array(0) : new Uint8Array(value.length);
      }
      // Flags that are neither set nor matched are not shown even by -m.
      if (code === K.TCP_FLAGS.code && isZero(m) && isZero(value)) continue;
      const isEthernetness = code === K.ETHERNET.code && !hasType;
      const isShown = isEthernetness || code === K.VLAN.code || code === K.NSH.code;
      if (!verbose && !isShown && isWild(code, m)) continue;
    }
    parts.push(formatAttr(code, value, m, verbose, options.ports));
  }
  // An 802.2 frame has no Ethernet type, and its mask says so.
  if (masks?.has(K.ETHERTYPE.code) && !map.has(K.ETHERTYPE.code)) parts.push('eth_type(0/0xffff)');
  return parts.join(',');
}

function isWild(code: number, mask: Uint8Array): boolean {
  if (code !== K.TUNNEL.code) return isZero(mask);
  const attrs = attrsOf(mask).map;
  return tunnelFlags(attrs) === 0 && [...attrs.values()].every((bytes) => isZero(bytes));
}

/** One key attribute of a set action: `ipv4(src=…)`. `mask` null: every field is set. */
export function formatSetKey(code: number, value: Uint8Array, mask: Uint8Array | null): string {
  return formatAttr(code, value, mask, false, undefined);
}
