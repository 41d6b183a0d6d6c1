/**
 * The userdata of `userspace(…)` as text. vswitchd puts a record of this layout there (host order, little-endian; its
 * `user-cookie.ts` has the fields it uses as values):
 *
 *      0 u16 type   2 u16 in_port   4..20 bridge UUID   20.. by type:
 *      1 sFlow        20 be16 vlan_tci   24 u32 output
 *      2 slow_path    24 u32 reason bits
 *      3 flow_sample  20 u16 probability  24 u32 collector_set_id  28 u32 obs_domain_id  32 u32 obs_point_id
 *                     36 u32 output_port  40 u32 direction (1 ingress, 2 egress)
 *      4 ipfix        20 u32 output_port
 *      5 controller   20 u8 dont_send  21 u8 continuation  22 u16 reason  24 u32 recirc_id  28 be64 rule_cookie
 *                     36 u16 controller_id  38 u16 max_len
 */
import { altHex } from '@ovs-node/flow/int-text';
import type { DpPortNames } from './key-table.js';
import { hexBytes, hexText, readNumber } from './formats.js';

export const COOKIE_BYTES = 44;

/** Reasons of the slow path, by bit. */
export const SLOW_PATH_NAMES = ['cfm', 'bfd', 'lacp', 'stp', 'lldp', 'action', 'match'] as const;
const SLOW_PATH_BITS = (1 << SLOW_PATH_NAMES.length) - 1;

/** One field of a record: name, place, and how the number looks. */
interface Field {
  readonly name: string;
  readonly at: number;
  readonly bits: 8 | 16 | 32 | 64;
  readonly hex?: true;
  readonly be?: true;
  /** A port of the datapath, which may have a name. */
  readonly isPort?: true;
}
interface Kind {
  readonly type: number;
  readonly name: string;
  readonly fields: readonly Field[];
}

const KINDS: readonly Kind[] = [
  {
    type: 3,
    name: 'flow_sample',
    fields: [
      { name: 'probability', at: 20, bits: 16 },
      { name: 'collector_set_id', at: 24, bits: 32 },
      { name: 'obs_domain_id', at: 28, bits: 32 },
      { name: 'obs_point_id', at: 32, bits: 32 },
      { name: 'output_port', at: 36, bits: 32, isPort: true },
    ],
  },
  { type: 4, name: 'ipfix', fields: [{ name: 'output_port', at: 20, bits: 32, isPort: true }] },
  {
    type: 5,
    name: 'controller',
    fields: [
      { name: 'reason', at: 22, bits: 16 },
      { name: 'dont_send', at: 20, bits: 8 },
      { name: 'continuation', at: 21, bits: 8 },
      { name: 'recirc_id', at: 24, bits: 32 },
      { name: 'rule_cookie', at: 28, bits: 64, hex: true, be: true },
      { name: 'controller_id', at: 36, bits: 16 },
      { name: 'max_len', at: 38, bits: 16 },
    ],
  },
];

function get(view: DataView, f: Field): bigint {
  switch (f.bits) {
    case 8:
      return BigInt(view.getUint8(f.at));
    case 16:
      return BigInt(view.getUint16(f.at, !f.be));
    case 32:
      return BigInt(view.getUint32(f.at, !f.be));
    case 64:
      return view.getBigUint64(f.at, !f.be);
  }
}

function set(view: DataView, f: Field, v: bigint): void {
  switch (f.bits) {
    case 8:
      return view.setUint8(f.at, Number(v));
    case 16:
      return view.setUint16(f.at, Number(v), !f.be);
    case 32:
      return view.setUint32(f.at, Number(v), !f.be);
    case 64:
      return view.setBigUint64(f.at, v, !f.be);
  }
}

/** `slow_path(…)`, `controller(…)` and so on, or `userdata(hex)` for what is no record. */
export function formatUserdata(bytes: Uint8Array, ports?: DpPortNames): string {
  const raw = `userdata(${hexText(bytes)})`;
  if (bytes.length < COOKIE_BYTES) return raw;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.getUint16(0, true);
  if (type === 1) {
    const tci = view.getUint16(20, false);
    return `sFlow(vid=${tci & 0xfff},pcp=${tci >> 13},output=${view.getUint32(24, true)})`;
  }
  if (type === 2) {
    const reason = view.getUint32(24, true);
    const names: string[] = SLOW_PATH_NAMES.filter((_, i) => reason & (1 << i));
    const rest = reason & ~SLOW_PATH_BITS;
    if (rest !== 0) names.push(altHex(rest >>> 0));
    return `slow_path(${names.join(',') || '0'})`;
  }
  const kind = KINDS.find((k) => k.type === type);
  if (kind === undefined) return raw;
  const parts = kind.fields.map((f) => {
    const value = get(view, f);
    const name = f.isPort ? ports?.nameOf(Number(value)) : undefined;
    return `${f.name}=${name ?? (f.hex ? altHex(value) : value)}`;
  });
  const direction = type === 3 ? view.getUint32(40, true) : 0;
  if (direction === 1) parts.push('ingress');
  else if (direction === 2) parts.push('egress');
  return `${kind.name}(${parts.join(',')})`;
}

/** Reads `name(body)` of a `userspace` action into its userdata; undefined when it is not understood. */
export function parseUserdata(name: string, body: string): Uint8Array | undefined {
  if (name === 'userdata') {
    const bytes = hexBytes(body.trim());
    if (bytes === undefined) return undefined;
    // At least eight bytes, as old datapaths want it and the peer does it.
    const padded = new Uint8Array(Math.max(8, bytes.length));
    padded.set(bytes);
    return padded;
  }
  const bytes = new Uint8Array(COOKIE_BYTES);
  const view = new DataView(bytes.buffer);
  if (name === 'slow_path') {
    view.setUint16(0, 2, true);
    let reason = 0;
    for (const word of body.split(/[,|]/).map((s) => s.trim())) {
      const i = (SLOW_PATH_NAMES as readonly string[]).indexOf(word);
      const n = i >= 0 ? 1n << BigInt(i) : word === '' ? 0n : readNumber(word, SLOW_PATH_NAMES.length);
      if (n < 0n) return undefined;
      reason |= Number(n);
    }
    view.setUint32(24, reason, true);
    return bytes;
  }
  const values = new Map<string, bigint>();
  for (const item of body.split(',')) {
    const [key, text] = item.trim().split('=');
    const v = text === undefined ? 1n : readNumber(text, 64);
    if (v < 0n || key === undefined) return undefined;
    values.set(key, v);
  }
  const take = (key: string, bits: number): bigint | undefined => {
    const v = values.get(key);
    values.delete(key);
    return v === undefined || v >> BigInt(bits) !== 0n ? undefined : v;
  };
  if (name === 'sFlow') {
    const [vid, pcp, output] = [take('vid', 12), take('pcp', 3), take('output', 32)];
    if (vid === undefined || pcp === undefined || output === undefined || values.size > 0) return undefined;
    view.setUint16(0, 1, true);
    const tci = Number(vid) | (Number(pcp) << 13);
    view.setUint16(20, tci === 0 ? 0 : tci | 0x1000, false);
    view.setUint32(24, Number(output), true);
    return bytes;
  }
  const kind = KINDS.find((k) => k.name === name);
  if (kind === undefined) return undefined;
  view.setUint16(0, kind.type, true);
  for (const f of kind.fields) {
    const v = take(f.name, f.bits);
    if (v === undefined) return undefined;
    set(view, f, v);
  }
  if (kind.type === 3) {
    const direction = take('ingress', 1) === 1n ? 1 : take('egress', 1) === 1n ? 2 : 0;
    view.setUint32(40, direction, true);
  }
  return values.size > 0 ? undefined : bytes;
}
