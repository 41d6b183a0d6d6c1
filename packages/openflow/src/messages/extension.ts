/** Nicira's extensions without a standard message like them: tunnel options as fields, connections, IPFIX exporters. */
import { fail, refuse } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import type { CtFlush, CtFlushTuple, IpfixStats, TlvMapping, TlvTableCommand } from './extension-types.js';
import { items } from './multipart-items.js';
import { propertyName, putProperty, readProperty } from './property.js';
import { type BodyRow, bodies, emptyBody, form, type MessageRows } from './row.js';
import type { ReplyOf, RequestOf } from './types.js';
import type { WireFormKey } from './wire-forms.js';

const TLV_COMMANDS: readonly TlvTableCommand[] = ['add', 'delete', 'clear'];
/** Fields tun_metadata0 to tun_metadata63, of at most 124 bytes each. */
const TUN_METADATA_FIELDS = 64;
const MAX_OPTION = 124;

function putMappings(w: Writer, mappings: readonly TlvMapping[]): void {
  for (const m of mappings) w.u16(m.optionClass).u8(m.optionType).u8(m.optionLen).u16(m.index).zeros(2);
}

/** Reads mappings to fields below `nFields`. */
function readMappings(r: Reader, nFields: number): TlvMapping[] {
  const out: TlvMapping[] = [];
  while (r.left > 0) {
    const m = { optionClass: r.u16(), optionType: r.u8(), optionLen: r.u8(), index: r.u16() };
    r.skip(2);
    if (m.optionLen > MAX_OPTION || m.optionLen % 4 !== 0) {
      refuse(r, 'NXTTMFC_BAD_OPT_LEN', 'tlv_length', m.optionLen);
    }
    if (m.index >= nFields) refuse(r, 'NXTTMFC_BAD_FIELD_IDX', 'tlv_index', m.index, (nFields - 1) >>> 0);
    out.push(m);
  }
  return out;
}

const ICMP = 1;
const ICMP6 = 58;

/** A direction of which nothing matters. */
export const ANY_TUPLE: CtFlushTuple = { src: 0n, dst: 0n, srcPort: 0, dstPort: 0, icmpType: 0, icmpCode: 0 };

/** Whether nothing of a tuple matters. */
export function isAnyTuple(t: CtFlushTuple, ipProto: number): boolean {
  const icmp = ipProto === ICMP || ipProto === ICMP6;
  const ports = icmp
    ? t.srcPort === 0 && t.icmpType === 0 && t.icmpCode === 0
    : t.srcPort === 0 && t.dstPort === 0;
  return t.src === 0n && t.dst === 0n && ports;
}

function putTuple(w: Writer, name: 'orig' | 'reply', t: CtFlushTuple, ipProto: number): void {
  if (isAnyTuple(t, ipProto)) return;
  putProperty(w, 'ct flush', name, () => {
    w.zeros(4);
    if (t.src !== 0n) putProperty(w, 'ct tuple', 'src', () => w.big(t.src, 16));
    if (t.dst !== 0n) putProperty(w, 'ct tuple', 'dst', () => w.big(t.dst, 16));
    if (ipProto === ICMP || ipProto === ICMP6) {
      putProperty(w, 'ct tuple', 'icmpId', () => w.u16(t.srcPort).zeros(2));
      putProperty(w, 'ct tuple', 'icmpType', () => w.u8(t.icmpType));
      putProperty(w, 'ct tuple', 'icmpCode', () => w.u8(t.icmpCode));
    } else {
      if (t.srcPort !== 0) putProperty(w, 'ct tuple', 'srcPort', () => w.u16(t.srcPort).zeros(2));
      if (t.dstPort !== 0) putProperty(w, 'ct tuple', 'dstPort', () => w.u16(t.dstPort).zeros(2));
    }
  });
}

/** Whether an address is an IPv4 one in its mapped form. */
export function isIp4(ip: bigint): boolean {
  return ip >> 32n === 0xffffn;
}

type MutableTuple = { -readonly [K in keyof CtFlushTuple]: CtFlushTuple[K] };

/** Whether an address of a flush is an IPv4 one. */
export function hasIp4({ orig, reply }: CtFlush): boolean {
  return [orig.src, orig.dst, reply.src, reply.dst].some(isIp4);
}

/** The destination port, of which ICMP has the lower byte for its type and the upper one for its code. */
function setDstPort(t: MutableTuple, port: number): void {
  t.dstPort = port;
  t.icmpType = port & 0xff;
  t.icmpCode = port >> 8;
}

/**
 * Reads a tuple into `t`, to what it has from one before; an address is of the family of the last one, or one of them
 * is zero.
 */
function readTuple(r: Reader, t: MutableTuple, last: { isIp4: boolean | undefined }): void {
  if (r.left < 4) fail('OFPBPC_BAD_LEN', `tuple of ${r.left} bytes`);
  r.skip(4);
  while (r.left > 0) {
    const p = readProperty(r);
    const address = (): bigint => {
      if (p.length < 20) fail('OFPBPC_BAD_LEN', `property of ${p.length} bytes`);
      const ip = p.body.big(16);
      const family = ip === 0n ? undefined : isIp4(ip);
      if (family !== undefined && last.isIp4 !== undefined && family !== last.isIp4)
        fail('OFPBPC_BAD_VALUE', 'IPv4 and IPv6 addresses');
      last.isIp4 = family;
      return ip;
    };
    const name = propertyName('ct tuple', p);
    if (name === 'src') t.src = address();
    else if (name === 'dst') t.dst = address();
    else if (name === 'srcPort' || name === 'icmpId') t.srcPort = p.body.u16();
    else if (name === 'dstPort') setDstPort(t, p.body.u16());
    else if (name === 'icmpType') setDstPort(t, (t.dstPort & 0xff00) | p.body.u8());
    else if (name === 'icmpCode') setDstPort(t, (t.dstPort & 0xff) | (p.body.u8() << 8));
    // Others are passed over.
  }
}

export const EXTENSION_MESSAGES: MessageRows<
  'tlv_table_mod' | 'tlv_table_request' | 'tlv_table_reply' | 'ct_flush_zone' | 'ct_flush'
> = {
  tlv_table_mod: {
    forms: [
      form(
        'NXT_TLV_TABLE_MOD',
        (w, m) => {
          w.u16(TLV_COMMANDS.indexOf(m.command)).zeros(6);
          putMappings(w, m.mappings);
        },
        (r) => {
          const number = r.u16();
          const command = TLV_COMMANDS[number];
          if (command === undefined) return refuse(r, 'NXTTMFC_BAD_COMMAND', 'tlv_command', number);
          r.skip(6);
          return { type: 'tlv_table_mod', command, mappings: readMappings(r, TUN_METADATA_FIELDS) };
        },
      ),
    ],
  },
  tlv_table_request: {
    forms: [
      form(
        'NXT_TLV_TABLE_REQUEST',
        () => undefined,
        () => ({ type: 'tlv_table_request' }),
      ),
    ],
  },
  tlv_table_reply: {
    forms: [
      form(
        'NXT_TLV_TABLE_REPLY',
        (w, m) => {
          w.u32(m.maxOptionSpace).u16(m.maxFields).zeros(10);
          putMappings(w, m.mappings);
        },
        (r) => {
          const [maxOptionSpace, maxFields] = [r.u32(), r.u16()];
          r.skip(10);
          return { type: 'tlv_table_reply', maxOptionSpace, maxFields, mappings: readMappings(r, maxFields) };
        },
      ),
    ],
  },
  ct_flush_zone: {
    forms: [
      form(
        'NXT_CT_FLUSH_ZONE',
        (w, m) => w.zeros(6).u16(m.zone),
        (r, _version, options) => {
          if (options.loose) r.skip(6);
          else r.zeros(6, 'NXBRC_MUST_BE_ZERO');
          return { type: 'ct_flush_zone', zone: r.u16() };
        },
      ),
    ],
  },
  ct_flush: {
    forms: [
      form(
        'NXT_CT_FLUSH',
        (w, { flush: f }) => {
          w.u8(f.ipProto).zeros(7);
          putTuple(w, 'orig', f.orig, f.ipProto);
          putTuple(w, 'reply', f.reply, f.ipProto);
          if (f.zone !== undefined) putProperty(w, 'ct flush', 'zone', () => w.u16(f.zone!).zeros(2));
        },
        (r) => {
          const ipProto = r.u8();
          r.zeros(7, 'NXBRC_MUST_BE_ZERO');
          const [orig, reply] = [{ ...ANY_TUPLE }, { ...ANY_TUPLE }];
          let zone: number | undefined;
          const last: { isIp4: boolean | undefined } = { isIp4: undefined };
          while (r.left > 0) {
            const p = readProperty(r);
            const name = propertyName('ct flush', p);
            if (name === 'orig') readTuple(p.body, orig, last);
            else if (name === 'reply') readTuple(p.body, reply, last);
            else if (name === 'zone') zone = p.body.u16();
            // Others are passed over.
          }
          const flush = { ipProto, zone, orig, reply };
          const lastIsIp4 = last.isIp4 === true;
          return { type: 'ct_flush', flush: lastIsIp4 === hasIp4(flush) ? flush : { ...flush, lastIsIp4 } };
        },
      ),
    ],
  },
};

const IPFIX_COUNTERS = [
  'totalFlows',
  'currentFlows',
  'packets',
  'ipv4Packets',
  'ipv6Packets',
  'errorPackets',
  'ipv4ErrorPackets',
  'ipv6ErrorPackets',
  'txPackets',
  'txErrors',
] as const;

function putIpfix(w: Writer, s: IpfixStats): void {
  for (const c of IPFIX_COUNTERS) w.u64(s[c]);
  w.u32(s.collectorSetId).zeros(4);
}

function readIpfix(r: Reader): IpfixStats {
  const counters = Object.fromEntries(IPFIX_COUNTERS.map((c) => [c, r.u64()])) as Omit<
    IpfixStats,
    'collectorSetId'
  >;
  const collectorSetId = r.u32();
  r.skip(4);
  return { collectorSetId, ...counters };
}

type IpfixType = 'ipfix_bridge' | 'ipfix_flow';

function ipfixReply<T extends IpfixType>(type: T, key: WireFormKey) {
  return bodies<{ readonly type: T; readonly exporters: readonly IpfixStats[] }>(
    [key],
    (w, p) => w.items(p.exporters, (s) => putIpfix(w, s)),
    (r) =>
      items(
        r,
        () => readIpfix(r),
        (exporters) => ({ type, exporters }),
      ),
  );
}

export const IPFIX_BODIES: { readonly [T in IpfixType]: BodyRow<RequestOf<T>, ReplyOf<T>> } = {
  ipfix_bridge: {
    request: emptyBody<RequestOf<'ipfix_bridge'>>(['NXST_IPFIX_BRIDGE_REQUEST'], { type: 'ipfix_bridge' }),
    reply: ipfixReply('ipfix_bridge', 'NXST_IPFIX_BRIDGE_REPLY'),
  },
  ipfix_flow: {
    request: emptyBody<RequestOf<'ipfix_flow'>>(['NXST_IPFIX_FLOW_REQUEST'], { type: 'ipfix_flow' }),
    reply: ipfixReply('ipfix_flow', 'NXST_IPFIX_FLOW_REPLY'),
  },
};
