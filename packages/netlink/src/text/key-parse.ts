/** Datapath flow keys from text, as ovs-dpctl(8) has it: the inverse of `key-format.ts`, and what people abbreviate. */
import { OvsError } from '@ovs-node/common/errors';
import { CT_STATE_FLAGS, TCP_FLAGS } from '@ovs-node/flow/flags-text';
import { type FlowKey, MAX_LABELS } from '@ovs-node/flow/layout';
import { NetlinkError, NlWriter } from '../attr.js';
import { keyOf } from '../key.js';
import { KEY_ATTRS as K, NSH_KEY_ATTRS as N, TUNNEL_KEY_ATTRS as T, VXLAN_EXT_ATTRS } from '../key-attrs.js';
import { TunFlag } from '../key-nests.js';
import { DEC, FRAG, type Format, HEX, hexBytes, readNumber } from './formats.js';
import { formatDpKey, TUNNEL_FIELDS } from './key-format.js';
import {
  type DpPortNames,
  type StructText,
  TUNNEL_FLAG_NAMES,
  scalarByName,
  structByName,
} from './key-table.js';

/** A parsed key: attribute bytes of key and mask (both empty for an empty text), and the UFID if the text had one. */
export interface ParsedKey {
  readonly key: Uint8Array;
  readonly mask: Uint8Array;
  readonly ufid: Uint8Array | undefined;
}

/** Two writers that get the same attributes: values and masks. */
interface Pair {
  readonly key: NlWriter;
  readonly mask: NlWriter;
}

/** Thrown inside one attribute; the caller knows where that began. */
class Bad extends Error {}

/** More VLAN tags than any key holds. */
const MAX_ENCAP = 4;

const DELIMITERS = ', \t\r\n';

/**
 * Parses a flow. Throws `OvsError` EINVAL, `syntax error at …` with the rest of the text from the attribute that it did
 * not understand.
 *
 * @param isExact masks are not understood.
 */
export function parseDpKey(text: string, ports?: DpPortNames, isExact = false): ParsedKey {
  return parseLevel(text, ports, 0, isExact);
}

/**
 * The key that people have written, of the attributes that `parseDpKey` made of it: what is missing is zero, and what is too
 * much is passed over. @throws NetlinkError that says what is wrong, and with which key
 */
export function writtenKey(attrs: Uint8Array): FlowKey {
  try {
    return keyOf(attrs, true);
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    throw new NetlinkError(error.errno, `${error.message}; the flow key in error is: ${formatDpKey(attrs)}`);
  }
}

function parseLevel(text: string, ports: DpPortNames | undefined, depth: number, isExact = false): ParsedKey {
  const pair: Pair = { key: new NlWriter(), mask: new NlWriter() };
  let ufid: Uint8Array | undefined;
  let at = 0;
  for (;;) {
    while (at < text.length && DELIMITERS.includes(text[at]!)) at++;
    if (at >= text.length) break;
    const start = at;
    try {
      const u = /^ufid:([0-9a-fA-F-]{32,36})(?=[, \t\r\n]|$)/.exec(text.slice(at));
      if (u !== null) {
        ufid = parseUfid(u[1]!);
        at += u[0].length;
        continue;
      }
      const m = /^([a-z][a-z0-9_]*)\(/.exec(text.slice(at));
      if (m === null) throw new Bad();
      const end = closing(text, at + m[0].length);
      if (isExact && text.slice(at, end).includes('/')) throw new Bad();
      parseAttr(m[1]!, text.slice(at + m[0].length, end), pair, ports, depth);
      at = end + 1;
    } catch (error) {
      if (error instanceof Bad) throw new OvsError(`syntax error at ${text.slice(start)}`, 'EINVAL');
      throw error;
    }
  }
  return { key: pair.key.bytes(), mask: pair.mask.bytes(), ufid };
}

/** A UFID: 32 hexadecimal digits, with or without dashes as in a UUID. Undefined when the text is none. */
export function parseUfid(text: string): Uint8Array | undefined {
  const digits = text.replaceAll('-', '');
  return digits.length === 32 ? hexBytes(digits) : undefined;
}

/** The index of the parenthesis that closes what was opened just before `at`. */
function closing(text: string, at: number): number {
  let depth = 1;
  for (let i = at; i < text.length; i++) {
    if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  throw new Bad();
}

/** `name=value` and `name(…)` items of a body, separated by commas outside parentheses. */
function items(body: string): string[] {
  const list: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= body.length; i++) {
    const c = body[i];
    if (c === '(' || c === '{') depth++;
    else if (c === ')' || c === '}') depth--;
    else if ((c === ',' && depth === 0) || c === undefined) {
      const item = body.slice(start, i).trim();
      if (item !== '') list.push(item);
      start = i + 1;
    }
  }
  return list;
}

/** Splits `name=value`, or throws. */
function assignment(item: string): [string, string] {
  const eq = item.indexOf('=');
  if (eq <= 0) throw new Bad();
  return [item.slice(0, eq).trim(), item.slice(eq + 1).trim()];
}

/** Reads `value[/mask]`; without a mask all of its bits are 1. */
function readMasked(
  format: Format,
  text: string,
  value: Uint8Array,
  mask: Uint8Array,
  at: number,
  n: number,
): void {
  const slash = text.indexOf('/');
  const v = slash < 0 ? text : text.slice(0, slash);
  if (!format.read(v, value, at, n)) throw new Bad();
  if (slash >= 0) {
    // A fragment's mask is a number; every other mask reads as its value does.
    const how = format === FRAG ? HEX : format;
    if (!how.read(text.slice(slash + 1), mask, at, n)) throw new Bad();
    return;
  }
  const bits = format.bits ?? 8 * n;
  for (let i = 0; i < n; i++) {
    const left = bits - 8 * (n - 1 - i);
    mask[at + i] = left >= 8 ? 0xff : left <= 0 ? 0 : (1 << left) - 1;
  }
}

function parseStruct(row: StructText, body: string): { value: Uint8Array; mask: Uint8Array } {
  const value = new Uint8Array(row.len);
  const mask = new Uint8Array(row.len);
  for (const item of items(body)) {
    const [name, text] = assignment(item);
    const field = row.fields.find((f) => f.name === name || f.alias === name);
    if (field === undefined) throw new Bad();
    readMasked(field.format, text, value, mask, field.at, field.n);
  }
  return { value, mask };
}

function reversed(bytes: Uint8Array): Uint8Array {
  return bytes.reverse();
}

function parseAttr(
  name: string,
  body: string,
  out: Pair,
  ports: DpPortNames | undefined,
  depth: number,
): void {
  const put = (code: number, value: Uint8Array, mask: Uint8Array): void => {
    out.key.putBytes(code, value);
    out.mask.putBytes(code, mask);
  };
  const struct = structByName.get(name);
  if (struct !== undefined) {
    const { value, mask } = parseStruct(struct, body);
    put(struct.code, value, mask);
    return;
  }
  const scalar = scalarByName.get(name);
  if (scalar !== undefined) {
    const value = new Uint8Array(scalar.len);
    const mask = new Uint8Array(scalar.len);
    // A recirculation id cannot be masked.
    if (name === 'recirc_id' && body.includes('/')) throw new Bad();
    readMasked(scalar.format, body.trim(), value, mask, 0, scalar.len);
    put(scalar.code, scalar.host ? reversed(value) : value, scalar.host ? reversed(mask) : mask);
    return;
  }
  switch (name) {
    case 'in_port': {
      const value = new Uint8Array(4);
      const mask = new Uint8Array(4).fill(0xff);
      const portNo = ports?.numberOf(body.trim());
      if (/^[0-9]/.test(body.trim()) || portNo === undefined) readMasked(DEC, body.trim(), value, mask, 0, 4);
      else new DataView(value.buffer).setUint32(0, portNo);
      put(K.IN_PORT.code, reversed(value), reversed(mask));
      return;
    }
    case 'ct_state': {
      const { value, mask } = parseFlags(CT_STATE_FLAGS.names, body, 0xff);
      put(K.CT_STATE.code, Uint8Array.of(value, 0, 0, 0), Uint8Array.of(mask, 0, 0, 0));
      return;
    }
    case 'tcp_flags': {
      const { value, mask } = parseFlags(TCP_FLAGS.names, body, 0xfff);
      put(K.TCP_FLAGS.code, Uint8Array.of(value >> 8, value), Uint8Array.of(mask >> 8, mask));
      return;
    }
    case 'eth_type': {
      const value = new Uint8Array(2);
      const mask = new Uint8Array(2);
      readMasked(HEX, body.trim(), value, mask, 0, 2);
      // eth_type(0/0xffff): no type, an 802.2 frame.
      if (value[0] === 0 && value[1] === 0 && mask[0] === 0xff && mask[1] === 0xff) {
        out.mask.putBytes(K.ETHERTYPE.code, mask);
      } else put(K.ETHERTYPE.code, value, mask);
      return;
    }
    case 'vlan':
      return parseVlan(body, put);
    case 'mpls':
      return parseMpls(body, put);
    case 'tunnel':
      return parseTunnel(body, out);
    case 'nsh':
      return parseNsh(body, out);
    case 'encap': {
      if (depth >= MAX_ENCAP) throw new Bad();
      const inner = parseLevel(body, ports, depth + 1);
      put(K.ENCAP.code, inner.key, inner.mask);
      return;
    }
    default:
      throw new Bad();
  }
}

type Put = (code: number, value: Uint8Array, mask: Uint8Array) => void;

/** `+a-b`, `a|b`, a number, or `number/mask`. */
function parseFlags(names: readonly string[], body: string, exact: number): { value: number; mask: number } {
  const text = body.trim();
  if (/^[0-9]/.test(text)) {
    const [v, m] = text.split('/');
    const value = Number(readNumber(v!, 32));
    const mask = m === undefined ? exact : Number(readNumber(m, 32));
    if (value < 0 || mask < 0 || (value | mask) & ~exact) throw new Bad();
    return { value, mask };
  }
  const bit = (name: string): number => {
    const i = names.indexOf(name);
    if (i < 0) throw new Bad();
    return 1 << i;
  };
  let value = 0;
  let mask = 0;
  if (/^[+-]/.test(text)) {
    for (const [, sign, name] of text.matchAll(/([+-])([^+-]*)/g)) {
      mask |= bit(name!);
      if (sign === '+') value |= bit(name!);
    }
    return { value, mask };
  }
  if (text !== '') for (const name of text.split('|')) value |= bit(name);
  return { value, mask: exact };
}

/** One number with an optional mask, below `2 ** bits`. */
function number(text: string, bits: number): { value: number; mask: number } {
  const [v, m, more] = text.split('/');
  const value = Number(readNumber(v!, bits));
  const mask = m === undefined ? 2 ** bits - 1 : Number(readNumber(m, bits));
  if (value < 0 || mask < 0 || more !== undefined) throw new Bad();
  return { value, mask };
}

function parseVlan(body: string, put: Put): void {
  let tci = 0x1000;
  let mask = 0x1000;
  for (const item of items(body)) {
    const [name, text] = assignment(item);
    const [shift, bits] =
      name === 'vid' ? [0, 12] : name === 'pcp' ? [13, 3] : name === 'cfi' ? [12, 1] : [-1, 0];
    if (shift < 0) throw new Bad();
    const n = number(text, bits);
    tci = (tci & ~((2 ** bits - 1) << shift)) | (n.value << shift);
    mask = (mask & ~((2 ** bits - 1) << shift)) | (n.mask << shift);
  }
  put(K.VLAN.code, Uint8Array.of(tci >> 8, tci), Uint8Array.of(mask >> 8, mask));
}

const MPLS_PARTS: Readonly<Record<string, readonly [shift: number, bits: number]>> = {
  label: [12, 20],
  tc: [9, 3],
  ttl: [0, 8],
  bos: [8, 1],
};

function parseMpls(body: string, put: Put): void {
  const values: number[] = [];
  const masks: number[] = [];
  for (const item of items(body)) {
    const [name, text] = assignment(item);
    const part = MPLS_PARTS[name];
    if (part === undefined) throw new Bad();
    // Each label begins a stack entry.
    if (name === 'label' || values.length === 0) {
      if (values.length === MAX_LABELS) throw new Bad();
      values.push(0);
      masks.push(0);
    }
    const n = number(text, part[1]);
    values[values.length - 1]! |= n.value << part[0];
    masks[masks.length - 1]! |= n.mask << part[0];
  }
  if (values.length === 0) {
    values.push(0);
    masks.push(0);
  }
  put(K.MPLS.code, be32s(values), be32s(masks));
}

function be32s(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((v, i) => view.setUint32(4 * i, v >>> 0));
  return bytes;
}

function parseTunnel(body: string, out: Pair): void {
  const key = out.key.startNested(K.TUNNEL.code);
  const mask = out.mask.startNested(K.TUNNEL.code);
  let flags: { value: number; mask: number } | undefined;
  let hasId = false;
  let hasTtl = false;
  for (const item of items(body)) {
    const call = /^([a-z]+)\((.*)\)$/s.exec(item);
    if (call?.[1] === 'flags') {
      flags = parseFlags(TUNNEL_FLAG_NAMES, call[2]!, 15);
      continue;
    }
    if (call?.[1] === 'vxlan') {
      parseVxlan(call[2]!, out);
      continue;
    }
    if (call?.[1] === 'geneve' || call?.[1] === 'erspan' || call?.[1] === 'gtpu') {
      throw new OvsError(`${call[1]} options of tunnels are not supported yet`, 'EOPNOTSUPP');
    }
    const [name, text] = assignment(item);
    const field = TUNNEL_FIELDS.find((f) => f[0] === name);
    if (field === undefined) throw new Bad();
    const [, code, n, format] = field;
    const v = new Uint8Array(n);
    const m = new Uint8Array(n);
    readMasked(format, text, v, m, 0, n);
    hasId ||= code === T.ID.code;
    hasTtl ||= code === T.TTL.code;
    out.key.putBytes(code, v);
    out.mask.putBytes(code, m);
  }
  if (!hasTtl) out.key.putU8(T.TTL.code, 0);
  if (flags !== undefined) {
    putTunnelFlags(out.key, flags.value, hasId);
    putTunnelFlags(out.mask, flags.mask, hasId);
  }
  out.key.endNested(key);
  out.mask.endNested(mask);
}

function putTunnelFlags(w: NlWriter, flags: number, hasId: boolean): void {
  if (flags & TunFlag.DF) w.putFlag(T.DONT_FRAGMENT.code);
  if (flags & TunFlag.CSUM) w.putFlag(T.CSUM.code);
  if (flags & TunFlag.OAM) w.putFlag(T.OAM.code);
  // The key flag is the presence of the tunnel id.
  if (flags & TunFlag.KEY && !hasId) w.putBe64(T.ID.code, 0n);
}

function parseVxlan(body: string, out: Pair): void {
  const m = /^gbp\((.*)\)$/s.exec(body.trim());
  if (m === null) throw new Bad();
  let value = 0;
  let mask = 0;
  for (const item of items(m[1]!)) {
    const [name, text] = assignment(item);
    const [shift, bits] = name === 'id' ? [0, 16] : name === 'flags' ? [16, 8] : [-1, 0];
    if (shift < 0) throw new Bad();
    const n = number(text, bits);
    value |= n.value << shift;
    mask |= n.mask << shift;
  }
  out.key.nested(T.VXLAN_OPTS.code, (w) => w.putU32(VXLAN_EXT_ATTRS.GBP.code, value));
  out.mask.nested(T.VXLAN_OPTS.code, (w) => w.putU32(VXLAN_EXT_ATTRS.GBP.code, mask));
}

const NSH_MAX_MD2 = 248;
const NSH_FIELDS: Readonly<Record<string, readonly [md1: boolean, at: number, n: number]>> = {
  flags: [false, 0, 1],
  ttl: [false, 1, 1],
  mdtype: [false, 2, 1],
  np: [false, 3, 1],
  spi: [false, 4, 3],
  si: [false, 7, 1],
  c1: [true, 0, 4],
  c2: [true, 4, 4],
  c3: [true, 8, 4],
  c4: [true, 12, 4],
};

function parseNsh(body: string, out: Pair): void {
  const base = [new Uint8Array(8), new Uint8Array(8)] as const;
  const md1 = [new Uint8Array(16), new Uint8Array(16)] as const;
  let md2: Uint8Array | undefined;
  for (const item of items(body)) {
    const [name, text] = assignment(item);
    if (name === 'md2') {
      // A number without leading zeros, of whole words.
      const digits = text.replace(/^0x/, '').replace(/^0+/, '');
      md2 = hexBytes(digits.padStart(8 * Math.ceil(digits.length / 8), '0'));
      if (md2 === undefined || md2.length > NSH_MAX_MD2) throw new Bad();
      continue;
    }
    const place = NSH_FIELDS[name];
    if (place === undefined) throw new Bad();
    const [v, m] = place[0] ? md1 : base;
    readMasked(DEC, text, v, m, place[1], place[2]);
  }
  const hasMd1 = base[0][2] === 1;
  [out.key, out.mask].forEach((w, i) =>
    w.nested(K.NSH.code, () => {
      w.putBytes(N.BASE.code, base[i]!);
      if (hasMd1) w.putBytes(N.MD1.code, md1[i]!);
      // Variable metadata can be pushed, not matched.
      else if (md2 !== undefined && w === out.key) w.putBytes(N.MD2.code, md2);
    }),
  );
}
