/** Actions that change the type of a packet, or belong to a type that they make: encap, decap, dec_nsh_ttl. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { PROTO } from '@ovs-node/flow/field-types';
import { altHex } from '@ovs-node/flow/int-text';
import { KeyValueCursor } from '@ovs-node/flow/key-value';
import { fail } from '../errors.js';
import { parseU16, parseU8 } from '../text/numbers.js';
import type { Reader } from '../wire.js';
import { type ActionRows, nx, padded, type ParseContext, type WireForm } from './row.js';
import type { Action, ActionOf, EncapProperty } from './types.js';

/** Packet types (namespace << 16 | type, ovs-fields(7), "packet_type"). */
export const PACKET_TYPE = {
  ETHERNET: 0x00000000,
  NSH: 0x0001894f,
  MPLS: 0x00018847,
  MPLS_MC: 0x00018848,
  /** In decap: whatever is inside. */
  NEXT: 0x0000fffe,
} as const;

const HEADERS: Readonly<Record<string, number>> = {
  nsh: PACKET_TYPE.NSH,
  mpls: PACKET_TYPE.MPLS,
  mpls_mc: PACKET_TYPE.MPLS_MC,
  ethernet: PACKET_TYPE.ETHERNET,
};
const HEADER_NAMES = new Map(Object.entries(HEADERS).map(([name, type]) => [type, name]));

/** Class of the properties of NSH, and their types. */
const NSH_CLASS = 4;
const MD_TYPE = 1;
const TLV = 2;

const OF13_UP = PROTO.OF13_OXM | PROTO.OF14_OXM | PROTO.OF15_OXM;

/** `0xCLASS,TYPE,0xBYTES`, as scanf("0x%x,%d,0x%[0-9a-fA-F]") reads it. */
function parseTlv(text: string): EncapProperty {
  const m = /^0x([0-9a-fA-F]+),(\d+),0x([0-9a-fA-F]+)/.exec(text);
  if (!m) throw new FlowSyntaxError(`Invalid NSH TLV header: ${text}`);
  const cls = Number(BigInt.asUintN(16, BigInt(`0x${m[1]}`)));
  const type = Number(BigInt.asUintN(8, BigInt(m[2])));
  // A digit without a partner is dropped.
  const data = Uint8Array.from(Buffer.from(m[3].slice(0, m[3].length & ~1), 'hex'));
  return { tlv: { cls, type, data } };
}

function parseProperties(header: number, text: string): EncapProperty[] {
  const out: EncapProperty[] = [];
  const at = new KeyValueCursor(text);
  while (at.next()) {
    const { key, value } = at;
    if (header === PACKET_TYPE.NSH && (key === 'md_type' || key === 'tlv') && value === '')
      throw new FlowSyntaxError('Value missing for encap property');
    if (header === PACKET_TYPE.NSH && key === 'md_type') {
      const mdType = parseU8(value, 'md_type');
      if (mdType !== 1 && mdType !== 2) throw new FlowSyntaxError('invalid md_type');
      out.push({ mdType });
    } else if (header === PACKET_TYPE.NSH && key === 'tlv') {
      out.push(parseTlv(value));
    } else {
      throw new FlowSyntaxError(`Invalid property: ${key}`);
    }
  }
  return out;
}

function parseEncap(arg: string, c: ParseContext): Action {
  c.usable &= OF13_UP;
  const at = new KeyValueCursor(arg);
  if (!at.next()) throw new FlowSyntaxError('Missing encap hdr: ');
  const packetType = Object.hasOwn(HEADERS, at.key) ? HEADERS[at.key] : undefined;
  // The peer names what follows the header, which is nothing.
  if (packetType === undefined) throw new FlowSyntaxError(`Encap hdr not supported: ${at.value}`);
  return { type: 'encap', packetType, properties: parseProperties(packetType, at.value) };
}

function formatProperty(p: EncapProperty): string {
  if ('mdType' in p) return `md_type=${p.mdType}`;
  const { cls, type, data } = p.tlv;
  const value = BigInt(`0x0${Buffer.from(data).toString('hex')}`);
  return `tlv(0x${cls.toString(16).padStart(4, '0')},${type},${altHex(value)})`;
}

function formatEncap(a: ActionOf<'encap'>): string {
  const properties = a.properties.length === 0 ? '' : `(${a.properties.map(formatProperty).join(',')})`;
  return `encap(${HEADER_NAMES.get(a.packetType) ?? ''}${properties})`;
}

function readProperty(r: Reader): EncapProperty {
  const [cls, type, length] = [r.u16(), r.u8(), r.u8()];
  if (length < 4) fail('OFPBAC_BAD_LEN', `encap property of ${length} bytes`);
  const padding = (8 - (length % 8)) % 8;
  if (length - 4 + padding > r.left) fail('OFPBAC_BAD_LEN', `encap property of ${length} bytes`);
  const start = r.pos;
  const body = r.sub(length - 4, 'OFPBAC_BAD_LEN');
  r.skip(padding);
  if (cls !== NSH_CLASS) return fail('NXBAC_UNKNOWN_ED_PROP', `encap property class ${cls}`);
  if (type === MD_TYPE) {
    if (length + padding !== 8) fail('NXBAC_BAD_ED_PROP', `MD type of ${length} bytes`);
    // However short it says it is, and whatever the type.
    return { mdType: r.buf[start] };
  }
  if (type !== TLV) return fail('NXBAC_UNKNOWN_ED_PROP', `encap property type ${type}`);
  if (body.left < 4) fail('NXBAC_BAD_ED_PROP', `TLV of ${body.left} bytes`);
  const [tlvClass, tlvType, n] = [body.u16(), body.u8(), body.u8()];
  // The padding of the data counts in.
  if (length !== 8 + ((n + 7) & ~7)) fail('NXBAC_BAD_ED_PROP', `TLV of ${n} bytes`);
  const tlv = { cls: tlvClass, type: tlvType, data: body.bytes(n) };
  const behind = body.rest();
  return { tlv: behind.some((byte) => byte !== 0) ? { ...tlv, padding: behind } : tlv };
}

/** A form that all versions send and only 1.3 and later understand. */
function fromOf13<A extends Action>(form: WireForm<A>): readonly WireForm<A>[] {
  return [
    { ...form, to: 3, unread: true },
    { ...form, from: 4 },
  ];
}

function parseDecap(arg: string): Action {
  const outer = new KeyValueCursor(arg);
  if (!outer.next()) return { type: 'decap', packetType: PACKET_TYPE.NEXT };
  if (outer.key !== 'packet_type') throw new FlowSyntaxError(`Invalid decap argument: ${outer.key}`);
  const at = new KeyValueCursor(outer.value);
  const attribute = (name: string): string => {
    if (at.next() && at.key === name) return at.value;
    throw new FlowSyntaxError(`Missing packet_type attribute ${name}`);
  };
  const ns = parseU16(attribute('ns'), 'ns');
  if (ns > 1) throw new FlowSyntaxError(`Unsupported ns value: ${ns}`);
  const type = parseU16(attribute('type'), 'type');
  return { type: 'decap', packetType: ((ns << 16) | type) >>> 0 };
}

export const PACKET_TYPE_ACTIONS: ActionRows<'encap' | 'decap' | 'dec_nsh_ttl'> = {
  encap: {
    wire: fromOf13<ActionOf<'encap'>>(
      nx(
        46,
        undefined,
        (r) => {
          const headerSize = r.u16();
          const packetType = r.u32();
          if (!HEADER_NAMES.has(packetType)) fail('NXBAC_BAD_HEADER_TYPE', `packet type ${packetType}`);
          const properties: EncapProperty[] = [];
          while (r.left > 0) properties.push(readProperty(r));
          const encap = { type: 'encap', packetType, properties } as const;
          return headerSize === 0 ? encap : { ...encap, headerSize };
        },
        (w, a) => {
          const start = w.length - 10;
          w.u16(a.headerSize ?? 0).u32(a.packetType);
          for (const p of a.properties) {
            w.u16(NSH_CLASS);
            if ('mdType' in p) {
              w.u8(MD_TYPE).u8(5).u8(p.mdType);
            } else {
              const { cls, type, data, padding } = p.tlv;
              // The peer counts the padding of this one in.
              w.u8(TLV).u8(8 + 8 * Math.ceil(data.length / 8));
              w.u16(cls).u8(type).u8(data.length).bytes(data);
              if (padding) w.bytes(padding);
            }
            w.pad(8, start);
          }
        },
      ),
    ),
    parse: { encap: parseEncap },
    format: formatEncap,
    room: (a) => a.properties.reduce((sum, p) => sum + ('tlv' in p ? 8 + padded(p.tlv.data.length) : 8), 16),
  },
  decap: {
    wire: fromOf13<ActionOf<'decap'>>(
      nx(
        47,
        undefined,
        (r) => {
          r.skip(2);
          const packetType = r.u32();
          if (r.left > 0) fail('NXBAC_UNKNOWN_ED_PROP', 'property of decap');
          return { type: 'decap', packetType };
        },
        (w, a) => w.zeros(2).u32(a.packetType),
      ),
    ),
    parse: { decap: parseDecap },
    format: (a) => {
      if (a.packetType === PACKET_TYPE.NEXT) return 'decap()';
      return `decap(packet_type(ns=${a.packetType >>> 16},type=${altHex(a.packetType & 0xffff)}))`;
    },
  },
  dec_nsh_ttl: {
    wire: fromOf13<ActionOf<'dec_nsh_ttl'>>(
      nx(
        48,
        16,
        () => ({ type: 'dec_nsh_ttl' }),
        () => undefined,
      ),
    ),
    parse: { dec_nsh_ttl: () => ({ type: 'dec_nsh_ttl' }) },
    format: () => 'dec_nsh_ttl',
  },
};
