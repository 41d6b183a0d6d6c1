/** Datapath actions as text, to the letter of ovs-dpctl(8). One row per action prints it. */
import { altHex } from '@ovs-node/flow/int-text';
import {
  ACTION_ATTRS as A,
  CHECK_PKT_LEN_ATTRS,
  CT_ACTION_ATTRS,
  DEC_TTL_ATTRS,
  NAT_ATTRS,
  SAMPLE_ATTRS,
  USERSPACE_ATTRS,
} from '../action-attrs.js';
import { NetlinkError, NlReader, NlWriter } from '../attr.js';
import { decodeAttrs } from '../attr-table.js';
import { KEY_ATTRS as K, NSH_KEY_ATTRS } from '../key-attrs.js';
import { formatUserdata } from './cookie-text.js';
import { IP4, IP6, MAC, WIDE, hexText } from './formats.js';
import { formatDpKey, formatSetKey } from './key-format.js';
import type { DpPortNames } from './key-table.js';

const EMPTY = new Uint8Array(0);

/** Prints a payload whose length was checked against the row's, if the row has one. */
type Print = (b: Uint8Array, ports: DpPortNames | undefined) => string;
interface Row {
  readonly attr: { readonly code: number; readonly len?: number };
  /** Payload length, when it is not the attribute table's. */
  readonly len?: number;
  readonly print: Print;
}

const u32 = (b: Uint8Array, at = 0): number =>
  new DataView(b.buffer, b.byteOffset, b.length).getUint32(at, true);
const be16 = (b: Uint8Array, at = 0): number => (b[at]! << 8) | b[at + 1]!;
const be32 = (b: Uint8Array, at = 0): number =>
  new DataView(b.buffer, b.byteOffset, b.length).getUint32(at, false);
const hex4 = (n: number): string => `0x${n.toString(16).padStart(4, '0')}`;

function port(no: number, ports: DpPortNames | undefined): string {
  return ports?.nameOf(no) ?? String(no);
}

function lse(n: number): string {
  return `label=${n >>> 12},tc=${(n >> 9) & 7},ttl=${n & 0xff},bos=${(n >> 8) & 1}`;
}

const ROWS: readonly Row[] = [
  { attr: A.OUTPUT, len: 4, print: (b, ports) => port(u32(b), ports) },
  { attr: A.USERSPACE, print: userspace },
  { attr: A.SET, print: (b) => set(b, false) },
  { attr: A.SET_MASKED, print: (b) => set(b, true) },
  { attr: A.PUSH_VLAN, print: pushVlan },
  { attr: A.POP_VLAN, len: 0, print: () => 'pop_vlan' },
  { attr: A.SAMPLE, print: sample },
  { attr: A.RECIRC, len: 4, print: (b) => `recirc(${altHex(u32(b))})` },
  {
    attr: A.HASH,
    print: (b) => {
      const alg = u32(b);
      return alg === 0
        ? `hash(l4(${u32(b, 4)}))`
        : alg === 1
          ? `hash(sym_l4(${u32(b, 4)}))`
          : `hash(Unknown hash algorithm(${alg}))`;
    },
  },
  { attr: A.PUSH_MPLS, print: (b) => `push_mpls(${lse(be32(b))},eth_type=0x${be16(b, 4).toString(16)})` },
  { attr: A.POP_MPLS, len: 2, print: (b) => `pop_mpls(eth_type=0x${be16(b).toString(16)})` },
  { attr: A.ADD_MPLS, print: (b) => `add_mpls(${lse(be32(b))},eth_type=0x${be16(b, 4).toString(16)})` },
  { attr: A.CT, print: ct },
  { attr: A.TRUNC, len: 4, print: (b) => `trunc(${u32(b)})` },
  { attr: A.PUSH_ETH, print: (b) => `push_eth(src=${MAC.value(b, 0, 6)},dst=${MAC.value(b, 6, 6)})` },
  { attr: A.POP_ETH, len: 0, print: () => 'pop_eth' },
  { attr: A.CT_CLEAR, len: 0, print: () => 'ct_clear' },
  { attr: A.PUSH_NSH, print: pushNsh },
  { attr: A.POP_NSH, len: 0, print: () => 'pop_nsh()' },
  { attr: A.METER, len: 4, print: (b) => `meter(${u32(b)})` },
  { attr: A.CLONE, print: (b, ports) => `clone(${formatDpActions(b, ports)})` },
  {
    attr: A.CHECK_PKT_LEN,
    print: (b, ports) => {
      const a = decodeAttrs(CHECK_PKT_LEN_ATTRS, b);
      const gt = formatDpActions(a.ACTIONS_IF_GREATER ?? EMPTY, ports);
      const le = formatDpActions(a.ACTIONS_IF_LESS_EQUAL ?? EMPTY, ports);
      return `check_pkt_len(size=${a.PKT_LEN ?? 0},gt(${gt}),le(${le}))`;
    },
  },
  {
    attr: A.DEC_TTL,
    print: (b, ports) =>
      `dec_ttl(le_1(${formatDpActions(decodeAttrs(DEC_TTL_ATTRS, b).ACTION ?? EMPTY, ports)}))`,
  },
  { attr: A.DROP, len: 4, print: () => 'drop' },
];
const rows = new Map(ROWS.map((row) => [row.attr.code, row]));

function pushVlan(b: Uint8Array): string {
  const tpid = be16(b);
  const tci = be16(b, 2);
  const type = tpid === 0x8100 ? '' : `tpid=${hex4(tpid)},`;
  return `push_vlan(${type}vid=${tci & 0xfff},pcp=${tci >> 13}${tci & 0x1000 ? '' : ',cfi=0'})`;
}

function set(b: Uint8Array, masked: boolean): string {
  const r = new NlReader(b);
  if (!r.next()) return 'set()';
  const payload = r.bytes();
  if (!masked || r.length % 2 !== 0)
    return `set(${r.type === 16 ? formatDpKey(b) : formatSetKey(r.type, payload, null)})`;
  if (r.type === K.NSH.code) return `set(${formatSetNsh(payload)})`;
  const half = payload.length / 2;
  return `set(${formatSetKey(r.type, payload.subarray(0, half), payload.subarray(half))})`;
}

function pushNsh(b: Uint8Array): string {
  const text = `push_${formatSetKey(K.NSH.code, b, null)}`;
  const { BASE: base, MD2: md2 = EMPTY } = decodeAttrs(NSH_KEY_ATTRS, b);
  return base?.[2] === 2 ? `${text.slice(0, -1)},md2=${WIDE.value(md2, 0, md2.length)})` : text;
}

/** Value and mask lie within each attribute of the nest. */
function formatSetNsh(nest: Uint8Array): string {
  const [value, mask] = [new NlWriter(64), new NlWriter(64)];
  const r = new NlReader(nest);
  let hasMd1 = false;
  while (r.next()) {
    const both = r.bytes();
    hasMd1 ||= r.type === NSH_KEY_ATTRS.MD1.code;
    value.putBytes(r.type, both.subarray(0, both.length / 2));
    mask.putBytes(r.type, both.subarray(both.length / 2));
  }
  if (!hasMd1) {
    // As in the peer, contexts of which nothing is said are shown.
    value.putBytes(NSH_KEY_ATTRS.MD1.code, new Uint8Array(NSH_KEY_ATTRS.MD1.len));
    mask.putBytes(NSH_KEY_ATTRS.MD1.code, new Uint8Array(NSH_KEY_ATTRS.MD1.len).fill(0xff));
  }
  return formatSetKey(K.NSH.code, value.bytes(), mask.bytes());
}

function userspace(b: Uint8Array, ports: DpPortNames | undefined): string {
  const a = decodeAttrs(USERSPACE_ATTRS, b);
  const parts = [`userspace(pid=${a.PID ?? 0}`];
  if (a.USERDATA !== undefined) parts.push(formatUserdata(a.USERDATA, ports));
  if (a.ACTIONS) parts.push('actions');
  if (a.EGRESS_TUN_PORT !== undefined) parts.push(`tunnel_out_port=${port(a.EGRESS_TUN_PORT, ports)}`);
  return `${parts.join(',')})`;
}

function sample(b: Uint8Array, ports: DpPortNames | undefined): string {
  const a = decodeAttrs(SAMPLE_ATTRS, b);
  const percent = (100 * (a.PROBABILITY ?? 0)) / 0xffffffff;
  return `sample(sample=${percent.toFixed(1)}%,actions(${formatDpActions(a.ACTIONS ?? EMPTY, ports)}))`;
}

function ct(b: Uint8Array): string {
  const a = decodeAttrs(CT_ACTION_ATTRS, b);
  const parts: string[] = [];
  if (a.FORCE_COMMIT) parts.push('force_commit');
  else if (a.COMMIT) parts.push('commit');
  if (a.ZONE) parts.push(`zone=${a.ZONE}`);
  if (a.MARK) parts.push(`mark=${altHex(BigInt(u32(a.MARK)))}/${altHex(BigInt(u32(a.MARK, 4)))}`);
  if (a.LABELS) {
    const mask = a.LABELS.subarray(16);
    const all = mask.every((byte) => byte === 0xff);
    parts.push(`label=${WIDE.value(a.LABELS, 0, 16)}${all ? '' : `/${WIDE.value(mask, 0, 16)}`}`);
  }
  if (a.HELPER !== undefined) parts.push(`helper=${a.HELPER}`);
  if (a.TIMEOUT !== undefined) parts.push(`timeout=${a.TIMEOUT}`);
  if (a.NAT !== undefined) parts.push(nat(a.NAT));
  return parts.length === 0 ? 'ct' : `ct(${parts.join(',')})`;
}

function nat(b: Uint8Array): string {
  const a = decodeAttrs(NAT_ATTRS, b);
  if (!a.SRC && !a.DST) return 'nat';
  let text = a.SRC ? 'src' : 'dst';
  const min = a.IP_MIN;
  if (min !== undefined) {
    const max = a.IP_MAX ?? min;
    const v6 = min.length === 16;
    const hasPorts = a.PROTO_MIN !== undefined && a.PROTO_MIN !== 0;
    const show = (ip: Uint8Array): string => {
      if (ip.length !== (v6 ? 16 : 4)) return hexText(ip);
      if (!v6) return IP4.value(ip, 0, 4);
      return hasPorts ? `[${IP6.value(ip, 0, 16)}]` : IP6.value(ip, 0, 16);
    };
    text += `=${show(min)}${Buffer.compare(min, max) === 0 ? '' : `-${show(max)}`}`;
  }
  if (a.PROTO_MIN !== undefined && a.PROTO_MIN !== 0) {
    text += `${min === undefined ? '=' : ''}:${a.PROTO_MIN}`;
    if (a.PROTO_MAX !== undefined && a.PROTO_MAX > a.PROTO_MIN) text += `-${a.PROTO_MAX}`;
  }
  if (min !== undefined || a.PROTO_MIN !== undefined) {
    if (a.PERSISTENT) text += ',persistent';
    if (a.PROTO_HASH) text += ',hash';
    if (a.PROTO_RANDOM) text += ',random';
  }
  return `nat(${text})`;
}

/**
 * An action list as text; an empty one is `drop`. Ports are shown by name where `ports` has one. Attributes that are
 * not known or malformed are shown as `actionN(hex)`; nothing throws.
 */
export function formatDpActions(actions: Uint8Array, ports?: DpPortNames): string {
  if (depth > MAX_DEPTH) return '…';
  depth++;
  try {
    return formatList(actions, ports);
  } finally {
    depth--;
  }
}

/** Lists nested deeper than any datapath takes them are not shown. */
const MAX_DEPTH = 32;
let depth = 0;

function formatList(actions: Uint8Array, ports: DpPortNames | undefined): string {
  const parts: string[] = [];
  const r = new NlReader(actions);
  while (r.next()) {
    const row = rows.get(r.type);
    const want = row?.len ?? row?.attr.len;
    if (row === undefined || (want !== undefined && r.length !== want)) {
      parts.push(`action${r.type}(${hexText(r.bytes())})`);
      continue;
    }
    try {
      parts.push(row.print(r.bytes(), ports));
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      parts.push(`action${r.type}(${hexText(r.bytes())})`);
    }
  }
  if (r.malformed) parts.push('<malformed>');
  return parts.length === 0 ? 'drop' : parts.join(',');
}
