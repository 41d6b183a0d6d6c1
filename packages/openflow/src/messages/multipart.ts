/**
 * Multipart messages (statistics messages before OpenFlow 1.3): a table of bodies, requests and replies.
 */
import { fail } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { IPFIX_BODIES } from './extension.js';
import { FLOW_BODIES } from './flow.js';
import { GROUP_BODIES } from './group.js';
import { METER_BODIES } from './meter.js';
import { MONITOR_BODIES } from './monitor.js';
import { PORT_BODIES } from './port.js';
import { QUEUE_BODIES } from './queue.js';
import { type BodyForm, type BodyRow, bodies, type DecodeOptions, emptyBody } from './row.js';
import { TABLE_BODIES } from './table.js';
import type {
  FlowFormat,
  MessageOf,
  MultipartReply,
  MultipartRequest,
  MultipartType,
  ReplyOf,
  RequestOf,
  SwitchDesc,
} from './types.js';
import type { WireForm } from './wire-forms.js';

/** The statistics type that says that a vendor and its own type follow. */
export const STATS_VENDOR = 0xffff;

const DESC: readonly (readonly [keyof SwitchDesc, number])[] = [
  ['mfr', 256],
  ['hw', 256],
  ['sw', 256],
  ['serial', 32],
  ['dp', 256],
];

/** The bodies: one row per kind. */
export const MULTIPART: { readonly [T in MultipartType]: BodyRow<RequestOf<T>, ReplyOf<T>> } = {
  desc: {
    request: emptyBody<RequestOf<'desc'>>(['OFPST_DESC_REQUEST'], { type: 'desc' }),
    reply: bodies<ReplyOf<'desc'>>(
      ['OFPST_DESC_REPLY'],
      (w, { desc }) => {
        for (const [key, size] of DESC) w.string(desc[key], size);
      },
      (r) => {
        const [mfr, hw, sw, serial, dp] = DESC.map(([, size]) => r.string(size));
        return { type: 'desc', desc: { mfr, hw, sw, serial, dp } };
      },
    ),
  },
  ...FLOW_BODIES,
  ...TABLE_BODIES,
  ...PORT_BODIES,
  ...QUEUE_BODIES,
  ...GROUP_BODIES,
  ...METER_BODIES,
  ...MONITOR_BODIES,
  ...IPFIX_BODIES,
};

/** A multipart message as its codec sees it, either way. */
interface Multipart<B> {
  readonly body: B;
  readonly format?: FlowFormat | undefined;
  readonly more: boolean;
}

type AnyRow = BodyRow<MultipartRequest, MultipartReply>;
type AnyForm = BodyForm<MultipartRequest | MultipartReply>;
/** Who is not held to types may ask for a type that there is not. */
const rows = MULTIPART as unknown as Readonly<Record<MultipartType, AnyRow | undefined>>;

const byWire = new Map<WireForm, AnyForm>();
for (const type of Object.keys(MULTIPART) as MultipartType[]) {
  for (const f of [...rows[type]!.request, ...rows[type]!.reply] as AnyForm[]) byWire.set(f.wire, f);
}

/** The form that says a body in a version; undefined: it cannot. */
export function bodyForm(
  type: MultipartType,
  way: 'request' | 'reply',
  format: FlowFormat | undefined,
  version: number,
): BodyForm<MultipartRequest | MultipartReply> | undefined {
  const list = (rows[type]?.[way] ?? []) as readonly AnyForm[];
  const fits = (f: AnyForm): boolean => version >= f.wire.from && version <= f.wire.to;
  return list.find((f) => fits(f) && f.nxm === (format === 'nxm')) ?? list.find((f) => fits(f) && !f.nxm);
}

/** Writes the statistics header of a form and its body. */
export function putMultipart(
  w: Writer,
  f: BodyForm<MultipartRequest | MultipartReply>,
  m: Multipart<MultipartRequest | MultipartReply>,
  version: number,
): void {
  const { vendor, code } = f.wire;
  w.u16(vendor === 0 ? code : STATS_VENDOR).u16(m.more ? 1 : 0);
  if (version > 1) w.zeros(4);
  if (vendor !== 0) {
    w.u32(vendor).u32(code);
    if (version === 1) w.zeros(4);
  }
  f.put(w, m.body, version);
}

/** Reads the body that follows the statistics header of a form. */
export function readMultipartBody(
  r: Reader,
  wire: WireForm,
  version: number,
  options: DecodeOptions,
): { readonly body: MultipartRequest | MultipartReply; readonly format?: FlowFormat } {
  const f = byWire.get(wire);
  if (!f) return fail('OFPBRC_BAD_STAT', wire.name);
  const body = f.read(r, version, options);
  return f.nxm ? { body, format: 'nxm' } : { body };
}

/** The list in a reply that may come in parts. */
const LISTS: { readonly [T in MultipartType]?: Exclude<keyof ReplyOf<T>, 'type'> } = {
  flow: 'flows',
  table: 'tables',
  port: 'ports',
  queue: 'queues',
  port_desc: 'ports',
  group: 'groups',
  group_desc: 'groups',
  meter: 'meters',
  meter_config: 'meters',
  table_features: 'tables',
  table_desc: 'tables',
  queue_desc: 'queues',
  flow_monitor: 'updates',
  ipfix_flow: 'exporters',
};

/** The lists of requests that may come in parts. */
const REQUEST_LISTS: { readonly [T in MultipartType]?: string } = {
  table_features: 'tables',
  flow_monitor: 'monitors',
};

/** The parts of a multipart message, one at least, as one; of bodies without a list the last counts. */
export function joinParts<M extends MessageOf<'multipart_request'> | MessageOf<'multipart_reply'>>(
  parts: readonly M[],
): M {
  const last = parts[parts.length - 1];
  const [field, type, lists] =
    last.type === 'multipart_request'
      ? (['request', last.request.type, REQUEST_LISTS] as const)
      : (['reply', last.reply.type, LISTS as Readonly<Record<string, string>>] as const);
  const key = (lists as Readonly<Record<string, string>>)[type];
  if (key === undefined || parts.length === 1) return last;
  type Lists = Readonly<Record<string, readonly unknown[]>>;
  const bodies = parts.map((m) => (m as unknown as Readonly<Record<string, Lists>>)[field]);
  return { ...last, [field]: { ...bodies[0], [key]: bodies.flatMap((b) => b[key]) } };
}
