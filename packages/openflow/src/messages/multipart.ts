/**
 * Multipart messages (statistics messages before OpenFlow 1.3): a table of bodies, requests and replies, and the
 * paging of replies that do not fit into one message.
 */
import { fail } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { putFlowFilter, putFlowStats, readFlowFilter, readFlowStats } from './flow.js';
import { putPhyPort, putPortNo, putPortStats, readPhyPort, readPortNo, readPortStats } from './port.js';
import type {
  FlowFormat,
  MultipartReply,
  MultipartRequest,
  QueueStats,
  SwitchDesc,
  TableFeatures,
  TableStats,
} from './types.js';

export const STATS_VENDOR = 0xffff;

interface Body<Q, P> {
  readonly code: number;
  readonly from: number;
  readonly to: number;
  /** Nicira subtype of the OpenFlow 1.0 extension that says the same with nx_match. */
  readonly nx?: number;
  readonly putRequest: (w: Writer, request: Q, version: number, nxm: boolean) => void;
  readonly readRequest: (r: Reader, version: number, nxm: boolean) => Q;
  readonly putReply?: (w: Writer, reply: P, version: number, nxm: boolean) => void;
  readonly readReply?: (r: Reader, version: number, nxm: boolean) => P;
}

export type MultipartType = MultipartRequest['type'];
type RequestOf<T> = MultipartRequest extends infer R
  ? R extends { type: infer U }
    ? T extends U
      ? R
      : never
    : never
  : never;
type ReplyOf<T> = Extract<MultipartReply, { type: T }>;

/** Reads items until the end. */
function items<T>(r: Reader, read: () => T): T[] {
  const out: T[] = [];
  while (r.left > 0) out.push(read());
  return out;
}

const nothing = (): void => undefined;

const QUEUE_PAD: Readonly<Record<number, number>> = { 1: 2 };

function putQueueStats(w: Writer, q: QueueStats, version: number): void {
  const start = w.length;
  if (version >= 5) w.u16(0).zeros(6);
  putPortNo(w, q.portNo, version);
  w.zeros(QUEUE_PAD[version] ?? 0)
    .u32(q.queueId)
    .u64(q.txBytes)
    .u64(q.txPackets)
    .u64(q.txErrors);
  if (version >= 4) w.u32(q.durationSec).u32(q.durationNsec);
  if (version >= 5) w.setU16(start, w.length - start);
}

function readQueueStats(r: Reader, version: number): QueueStats {
  if (version >= 5) {
    const length = r.u16();
    if (length < 48) fail('OFPBRC_BAD_LEN', `queue statistics of ${length} bytes`);
    r.skip(6);
  }
  const portNo = readPortNo(r, version);
  r.skip(QUEUE_PAD[version] ?? 0);
  const queueId = r.u32();
  const [txBytes, txPackets, txErrors] = [r.u64(), r.u64(), r.u64()];
  const durationSec = version >= 4 ? r.u32() : 0xffffffff;
  const durationNsec = version >= 4 ? r.u32() : 0xffffffff;
  return { portNo, queueId, txBytes, txPackets, txErrors, durationSec, durationNsec };
}

/** What a table can do, in the bitmaps of OpenFlow 1.1's and 1.2's table statistics: fields and actions by number. */
const OXM12_MATCH = 0x101ffffffffdn;
const OXM12_SET = 0xffffffbddn;
const ACTIONS12 = 0x3ff8001;
const INSTRUCTIONS = 0x3e;

function putTableStats(w: Writer, t: TableStats, version: number): void {
  w.u8(t.tableId);
  if (version === 1) {
    w.zeros(3).string(t.name, 32).u32(t.wildcards).u32(t.maxEntries).u32(t.activeCount);
  } else if (version === 2) {
    // Fields that can be wildcarded and matched, instructions, actions to write and to apply, configuration.
    w.zeros(7)
      .string(t.name, 32)
      .u32(0xfbff)
      .u32(0xfbff)
      .u32(INSTRUCTIONS)
      .u32(0x1ffe7ff)
      .u32(0x1ffe7ff)
      .u32(0);
    w.u32(t.maxEntries).u32(t.activeCount);
  } else if (version === 3) {
    w.zeros(7).string(t.name, 32).u64(OXM12_MATCH).u64(OXM12_MATCH).u32(ACTIONS12).u32(ACTIONS12);
    w.u64(OXM12_SET)
      .u64(OXM12_SET)
      .u64(0xffffffffffffffffn)
      .u64(0xffffffffffffffffn)
      .u32(INSTRUCTIONS)
      .u32(0);
    w.u32(t.maxEntries).u32(t.activeCount);
  } else {
    w.zeros(3).u32(t.activeCount);
  }
  w.u64(t.lookupCount).u64(t.matchedCount);
}

function readTableStats(r: Reader, version: number): TableStats {
  const tableId = r.u8();
  let name = '';
  let wildcards = 0;
  let maxEntries = 0;
  if (version <= 3) {
    r.skip(version === 1 ? 3 : 7);
    name = r.string(32);
    if (version === 1) wildcards = r.u32();
    else r.skip(version === 2 ? 24 : 64);
    maxEntries = r.u32();
  } else {
    r.skip(3);
  }
  const activeCount = r.u32();
  const [lookupCount, matchedCount] = [r.u64(), r.u64()];
  return { tableId, name, wildcards, maxEntries, activeCount, lookupCount, matchedCount };
}

const DESC: readonly (readonly [keyof SwitchDesc, number])[] = [
  ['mfr', 256],
  ['hw', 256],
  ['sw', 256],
  ['serial', 32],
  ['dp', 256],
];

function putTableFeatures(w: Writer, t: TableFeatures): void {
  const start = w.length;
  w.u16(0).u8(t.tableId).zeros(5).string(t.name, 32).u64(t.metadataMatch).u64(t.metadataWrite);
  w.u32(t.config).u32(t.maxEntries);
  for (const p of t.properties) {
    w.u16(p.type)
      .u16(4 + p.body.length)
      .bytes(p.body)
      .pad(8, start);
  }
  w.setU16(start, w.length - start);
}

function readTableFeatures(reader: Reader): TableFeatures {
  const length = reader.u16();
  if (length < 64) fail('OFPTFFC_BAD_TABLE', `table features of ${length} bytes`);
  const r = reader.sub(length - 2);
  const tableId = r.u8();
  r.skip(5);
  const name = r.string(32);
  const [metadataMatch, metadataWrite] = [r.u64(), r.u64()];
  const [config, maxEntries] = [r.u32(), r.u32()];
  const properties: { type: number; body: Uint8Array }[] = [];
  while (r.left > 0) {
    const type = r.u16();
    const len = r.u16();
    if (len < 4) fail('OFPBPC_BAD_LEN', `property of ${len} bytes`);
    properties.push({ type, body: r.sub(len - 4, 'OFPBPC_BAD_LEN').rest() });
    r.skip(Math.min(r.left, (8 - (len % 8)) % 8));
  }
  return { tableId, name, metadataMatch, metadataWrite, config, maxEntries, properties };
}

const numberBody = <T extends string, K extends string>(
  type: T,
  key: K,
): {
  putRequest: (w: Writer, q: { [P in K]: number }) => void;
  readRequest: (r: Reader) => { type: T } & { [P in K]: number };
} => ({
  putRequest: (w, q) => w.u32(q[key]).zeros(4),
  readRequest: (r) => {
    const n = r.u32();
    r.skip(4);
    return { type, [key]: n } as { type: T } & { [P in K]: number };
  },
});

/** The bodies. A type without `putReply` is one whose replies this library does not have yet. */
export const MULTIPART: { readonly [T in MultipartType]: Body<RequestOf<T>, ReplyOf<T>> } = {
  desc: {
    code: 0,
    from: 1,
    to: 6,
    putRequest: nothing,
    readRequest: () => ({ type: 'desc' }),
    putReply: (w, { desc }) => {
      for (const [key, size] of DESC) w.string(desc[key], size);
    },
    readReply: (r) => {
      const [mfr, hw, sw, serial, dp] = DESC.map(([, size]) => r.string(size));
      return { type: 'desc', desc: { mfr, hw, sw, serial, dp } };
    },
  },
  flow: {
    code: 1,
    from: 1,
    to: 5,
    nx: 0,
    putRequest: (w, q, version, nxm) => putFlowFilter(w, q.filter, version, nxm),
    readRequest: (r, version, nxm) => ({ type: 'flow', filter: readFlowFilter(r, version, nxm) }),
    putReply: (w, p, version, nxm) => {
      for (const f of p.flows) putFlowStats(w, f, version, nxm);
    },
    readReply: (r, version, nxm) => ({ type: 'flow', flows: items(r, () => readFlowStats(r, version, nxm)) }),
  },
  aggregate: {
    code: 2,
    from: 1,
    to: 5,
    nx: 1,
    putRequest: (w, q, version, nxm) => putFlowFilter(w, q.filter, version, nxm),
    readRequest: (r, version, nxm) => ({ type: 'aggregate', filter: readFlowFilter(r, version, nxm) }),
    putReply: (w, { stats: s }) => w.u64(s.packetCount).u64(s.byteCount).u32(s.flowCount).zeros(4),
    readReply: (r) => {
      const [packetCount, byteCount, flowCount] = [r.u64(), r.u64(), r.u32()];
      r.skip(4);
      return { type: 'aggregate', stats: { packetCount, byteCount, flowCount } };
    },
  },
  table: {
    code: 3,
    from: 1,
    to: 6,
    putRequest: nothing,
    readRequest: () => ({ type: 'table' }),
    putReply: (w, p, version) => {
      for (const t of p.tables) putTableStats(w, t, version);
    },
    readReply: (r, version) => ({ type: 'table', tables: items(r, () => readTableStats(r, version)) }),
  },
  port: {
    code: 4,
    from: 1,
    to: 6,
    putRequest: (w, q, version) => {
      putPortNo(w, q.portNo, version);
      w.zeros(version === 1 ? 6 : 4);
    },
    readRequest: (r, version) => {
      const portNo = readPortNo(r, version);
      r.skip(version === 1 ? 6 : 4);
      return { type: 'port', portNo };
    },
    putReply: (w, p, version) => {
      for (const s of p.ports) putPortStats(w, s, version);
    },
    readReply: (r, version) => ({ type: 'port', ports: items(r, () => readPortStats(r, version)) }),
  },
  queue: {
    code: 5,
    from: 1,
    to: 6,
    putRequest: (w, q, version) => {
      putPortNo(w, q.portNo, version);
      w.zeros(QUEUE_PAD[version] ?? 0).u32(q.queueId);
    },
    readRequest: (r, version) => {
      const portNo = readPortNo(r, version);
      r.skip(QUEUE_PAD[version] ?? 0);
      return { type: 'queue', portNo, queueId: r.u32() };
    },
    putReply: (w, p, version) => {
      for (const q of p.queues) putQueueStats(w, q, version);
    },
    readReply: (r, version) => ({ type: 'queue', queues: items(r, () => readQueueStats(r, version)) }),
  },
  group: { code: 6, from: 2, to: 6, ...numberBody('group', 'group') },
  group_desc: {
    code: 7,
    from: 2,
    to: 6,
    putRequest: (w, q, version) => {
      if (version >= 6) w.u32(q.group).zeros(4);
    },
    readRequest: (r, version) => {
      if (version < 6) return { type: 'group_desc', group: 0xfffffffc };
      const group = r.u32();
      r.skip(4);
      return { type: 'group_desc', group };
    },
  },
  group_features: {
    code: 8,
    from: 3,
    to: 6,
    putRequest: nothing,
    readRequest: () => ({ type: 'group_features' }),
  },
  meter: { code: 9, from: 4, to: 6, ...numberBody('meter', 'meter') },
  meter_config: { code: 10, from: 4, to: 6, ...numberBody('meter_config', 'meter') },
  meter_features: {
    code: 11,
    from: 4,
    to: 6,
    putRequest: nothing,
    readRequest: () => ({ type: 'meter_features' }),
  },
  table_features: {
    code: 12,
    from: 4,
    to: 6,
    putRequest: (w, q) => {
      for (const t of q.tables) putTableFeatures(w, t);
    },
    readRequest: (r) => ({ type: 'table_features', tables: items(r, () => readTableFeatures(r)) }),
    putReply: (w, p) => {
      for (const t of p.tables) putTableFeatures(w, t);
    },
    readReply: (r) => ({ type: 'table_features', tables: items(r, () => readTableFeatures(r)) }),
  },
  port_desc: {
    code: 13,
    from: 1,
    to: 6,
    putRequest: (w, q, version) => {
      if (version >= 6) w.u32(q.portNo).zeros(4);
    },
    readRequest: (r, version) => {
      if (version < 6) return { type: 'port_desc', portNo: 0xffffffff };
      const portNo = readPortNo(r, version);
      r.skip(4);
      return { type: 'port_desc', portNo };
    },
    putReply: (w, p, version) => {
      for (const port of p.ports) putPhyPort(w, port, version);
    },
    readReply: (r, version) => ({ type: 'port_desc', ports: items(r, () => readPhyPort(r, version)) }),
  },
  table_desc: { code: 14, from: 5, to: 6, putRequest: nothing, readRequest: () => ({ type: 'table_desc' }) },
};

type AnyBody = Body<MultipartRequest, MultipartReply>;

/** The body of a type, untyped. */
export function multipartBody(type: MultipartType): AnyBody {
  return MULTIPART[type] as unknown as AnyBody;
}

/** Reads which body a statistics message has: its type, or the Nicira subtype of one. */
function readKind(
  r: Reader,
  version: number,
): { type: MultipartType; body: AnyBody; nxm: boolean; more: boolean } {
  const code = r.u16();
  const more = (r.u16() & 1) !== 0;
  const found = (test: (b: AnyBody) => boolean): MultipartType | undefined =>
    (Object.keys(MULTIPART) as MultipartType[]).find((t) => {
      const b = multipartBody(t);
      return test(b) && version >= b.from && version <= b.to;
    });
  if (code === STATS_VENDOR) {
    if (version > 1) r.skip(4);
    const vendor = r.u32();
    if (vendor !== 0x2320) fail('OFPBRC_BAD_VENDOR', `vendor 0x${vendor.toString(16)}`);
    const subtype = r.u32();
    if (version === 1) r.skip(4);
    const type = version === 1 ? found((b) => b.nx === subtype) : undefined;
    if (type === undefined) return fail('OFPBRC_BAD_SUBTYPE', `subtype ${subtype}`);
    return { type, body: multipartBody(type), nxm: true, more };
  }
  if (version > 1) r.skip(4);
  const type = found((b) => b.code === code);
  if (type === undefined) return fail('OFPBRC_BAD_STAT', `statistics type ${code}`);
  return { type, body: multipartBody(type), nxm: false, more };
}

/** Writes the header of a body; where the flags are is 2 bytes after its start. */
function putKind(w: Writer, body: AnyBody, version: number, nxm: boolean, more: boolean): void {
  if (nxm && version === 1 && body.nx !== undefined) {
    w.u16(STATS_VENDOR)
      .u16(more ? 1 : 0)
      .u32(0x2320)
      .u32(body.nx)
      .zeros(4);
    return;
  }
  w.u16(body.code).u16(more ? 1 : 0);
  if (version > 1) w.zeros(4);
}

export function putMultipartRequest(
  w: Writer,
  m: { request: MultipartRequest; format?: FlowFormat; more: boolean },
  version: number,
): void {
  const body = multipartBody(m.request.type);
  const nxm = m.format === 'nxm' && version === 1 && body.nx !== undefined;
  putKind(w, body, version, nxm, m.more);
  body.putRequest(w, m.request, version, nxm);
}

export function readMultipartRequest(
  r: Reader,
  version: number,
): { request: MultipartRequest; format?: FlowFormat; more: boolean } {
  const { body, nxm, more } = readKind(r, version);
  const request = body.readRequest(r, version, nxm);
  if (r.left > 0) fail('OFPBRC_BAD_LEN', `${r.left} bytes after a request`);
  return { request, more, ...(nxm ? { format: 'nxm' } : {}) };
}

export function putMultipartReply(
  w: Writer,
  m: { reply: MultipartReply; format?: FlowFormat; more: boolean },
  version: number,
): void {
  const body = multipartBody(m.reply.type);
  const nxm = m.format === 'nxm' && version === 1 && body.nx !== undefined;
  putKind(w, body, version, nxm, m.more);
  body.putReply?.(w, m.reply, version, nxm);
}

export function readMultipartReply(
  r: Reader,
  version: number,
): { reply: MultipartReply; format?: FlowFormat; more: boolean } {
  const { type, body, nxm, more } = readKind(r, version);
  if (!body.readReply) return fail('OFPBRC_BAD_STAT', `reply of type ${type} is not supported`);
  return { reply: body.readReply(r, version, nxm), more, ...(nxm ? { format: 'nxm' } : {}) };
}

/** The list in a reply that may be cut into pages, and how to make a reply of part of it. */
export function pages(
  reply: MultipartReply,
): { count: number; slice: (from: number, to: number) => MultipartReply } | undefined {
  switch (reply.type) {
    case 'flow':
      return {
        count: reply.flows.length,
        slice: (a, b) => ({ type: 'flow', flows: reply.flows.slice(a, b) }),
      };
    case 'table':
      return {
        count: reply.tables.length,
        slice: (a, b) => ({ type: 'table', tables: reply.tables.slice(a, b) }),
      };
    case 'port':
      return {
        count: reply.ports.length,
        slice: (a, b) => ({ type: 'port', ports: reply.ports.slice(a, b) }),
      };
    case 'queue':
      return {
        count: reply.queues.length,
        slice: (a, b) => ({ type: 'queue', queues: reply.queues.slice(a, b) }),
      };
    case 'port_desc':
      return {
        count: reply.ports.length,
        slice: (a, b) => ({ type: 'port_desc', ports: reply.ports.slice(a, b) }),
      };
    case 'table_features':
      return {
        count: reply.tables.length,
        slice: (a, b) => ({ type: 'table_features', tables: reply.tables.slice(a, b) }),
      };
    default:
      return undefined;
  }
}
