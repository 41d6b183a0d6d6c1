/**
 * The message table and the two loops over it: `encodeMessage` and `decodeMessage`. A message starts with 8 bytes:
 * version, type, length, xid; a vendor's with the vendor and a subtype after them.
 */
import { DecodeFailure, type ErrorName, fail, guard, OfError, refuse } from '../errors.js';
import type { Explain } from '../explain.js';
import { isVersion, VERSIONS } from '../version.js';
import { Reader, Writer } from '../wire.js';
import { BUNDLE_MESSAGES } from './bundle.js';
import { EXTENSION_MESSAGES } from './extension.js';
import { FLOW_MESSAGES } from './flow.js';
import { GROUP_MESSAGES } from './group.js';
import { kindName } from './kind-names.js';
import { METER_MESSAGES } from './meter.js';
import { MONITOR_MESSAGES } from './monitor.js';
import { bodyForm, MULTIPART, putMultipart, readMultipartBody, STATS_VENDOR } from './multipart.js';
import { PACKET_MESSAGES } from './packet.js';
import { QUEUE_MESSAGES } from './queue.js';
import { FORWARD_MESSAGES } from './requestforward.js';
import type { DecodeOptions, MessageForm, MessageRow, MessageTable } from './row.js';
import { SETUP_MESSAGES } from './setup.js';
import { SWITCH_MESSAGES } from './switch.js';
import { TABLE_MESSAGES } from './table.js';
import type { FlowFormat, MultipartReply, MultipartRequest, OfMessage, OfMessageType } from './types.js';
import { tooWide } from './widths.js';
import { findWireForm, fitsWireForm, NX_VENDOR, ONF_VENDOR, type WireForm } from './wire-forms.js';

export type { DecodeOptions } from './row.js';

export const HEADER_LENGTH = 8;

/** The transaction id of a message, of which its header has to be there. */
export function xidOf(bytes: Uint8Array): number {
  return ((bytes[4] << 24) | (bytes[5] << 16) | (bytes[6] << 8) | bytes[7]) >>> 0;
}

const VENDOR_TYPE = 4;
/** The length field has 16 bits. */
export const MAX_LENGTH = 0xffff;

/** Message types of statistics (multipart) requests; replies are one more. */
const statsType = (version: number): number => (version === 1 ? 16 : 18);

/** All messages but multipart ones, whose bodies are rows of their own (`MULTIPART`). */
export const MESSAGES: Omit<MessageTable, 'multipart_request' | 'multipart_reply'> = {
  ...SWITCH_MESSAGES,
  ...SETUP_MESSAGES,
  ...PACKET_MESSAGES,
  ...FLOW_MESSAGES,
  ...GROUP_MESSAGES,
  ...METER_MESSAGES,
  ...TABLE_MESSAGES,
  ...QUEUE_MESSAGES,
  ...BUNDLE_MESSAGES,
  ...MONITOR_MESSAGES,
  ...FORWARD_MESSAGES,
  ...EXTENSION_MESSAGES,
};

type AnyForm = MessageForm<OfMessage>;
/** Who is not held to types may ask for a type that there is not. */
const rows = MESSAGES as unknown as Readonly<Record<OfMessageType, MessageRow<OfMessage> | undefined>>;

const decoders = new Map<WireForm, AnyForm>();
const types = new Map<WireForm, OfMessageType>();
for (const type of Object.keys(MESSAGES) as OfMessageType[]) {
  for (const form of rows[type]!.forms) {
    decoders.set(form.wire, form);
    types.set(form.wire, type);
  }
}

/** A message that `version` cannot say, or with a number that is wider than what it goes in. */
export class UnencodableError extends Error {
  override name = 'UnencodableError';
}

/** A message longer than the length field can say. */
export class OversizeError extends Error {
  override name = 'OversizeError';
}

/** The form on the wire in which `msg` goes in `version`; undefined: the version has none. */
export function wireFormOf(msg: OfMessage, version: number): WireForm | undefined {
  if (msg.type === 'multipart_request')
    return bodyForm(msg.request.type, 'request', msg.format, version)?.wire;
  if (msg.type === 'multipart_reply') return bodyForm(msg.reply.type, 'reply', msg.format, version)?.wire;
  return messageForm(msg, version)?.wire;
}

function messageForm(msg: OfMessage, version: number): AnyForm | undefined {
  for (const form of rows[msg.type]?.forms ?? []) {
    const { wire, when } = form;
    if (version >= wire.from && version <= wire.to && (!when || when(msg, version))) return form;
  }
  return undefined;
}

/**
 * The bytes of a message; the caller owns them.
 *
 * @throws UnencodableError when the version has no such message or a flow-mod, group-mod, meter-mod or port-mod has a number
 * that does not fit, OversizeError when it is longer than 65535 bytes (`encodeMultipart` cuts replies).
 */
export function encodeMessage(msg: OfMessage, version: number, xid: number): Uint8Array {
  // One buffer serves all messages but those inside of others.
  const w = spare ?? new Writer();
  spare = undefined;
  try {
    w.clear();
    putMessage(w, msg, version, xid);
    return w.finish();
  } finally {
    spare = w;
  }
}

let spare: Writer | undefined = new Writer(1024);

/** Writes a message after what `w` has already: `encodeMessage` without a copy. */
export function putMessage(w: Writer, msg: OfMessage, version: number, xid: number): void {
  const start = w.length;
  putUnmeasured(w, msg, version, xid);
  const length = w.length - start;
  if (length > MAX_LENGTH) throw new OversizeError(`message ${msg.type} of ${length} bytes`);
  w.setU16(start + 2, length);
}

/** Writes a message of whatever length, which its header does not say yet. */
export function putUnmeasured(w: Writer, msg: OfMessage, version: number, xid: number): void {
  const start = w.length;
  const unencodable = (what: string): never => {
    const name = isVersion(version) ? `OpenFlow 1.${version - 1}` : `version ${version} of OpenFlow`;
    throw new UnencodableError(`${name} has no message ${what}`);
  };
  w.u8(version).u8(0).u16(0).u32(xid);
  if (msg.type === 'multipart_request' || msg.type === 'multipart_reply') {
    const isRequest = msg.type === 'multipart_request';
    const body = isRequest ? msg.request : msg.reply;
    const form = bodyForm(body.type, isRequest ? 'request' : 'reply', msg.format, version);
    if (!form) return unencodable(`${msg.type} ${body.type}`);
    w.setU8(start + 1, statsType(version) + (isRequest ? 0 : 1));
    putMultipart(w, form, { body, more: msg.more }, version);
  } else {
    const form = messageForm(msg, version);
    if (!form) return unencodable(msg.type);
    const misfit = tooWide(msg);
    if (misfit !== undefined) throw new UnencodableError(`${msg.type}: ${misfit}`);
    const { vendor, code } = form.wire;
    w.setU8(start + 1, vendor === 0 ? code : VENDOR_TYPE);
    if (vendor !== 0) w.u32(vendor).u32(code);
    form.encode(w, msg, version);
  }
}

/** A message that was read. */
export interface Decoded {
  readonly version: number;
  readonly xid: number;
  readonly msg: OfMessage;
  /** The form it came in. */
  readonly wire: WireForm;
}

/** The error with which messages of a type are refused whatever is in them; undefined when they are looked into. */
export type Refusal = (type: OfMessageType) => OfError | undefined;

/**
 * The message in `bytes`, exactly one with its header, or why it is none: an `OfError` that quotes its first bytes.
 * Nothing is thrown, and the value shares no memory with `bytes`, but that of a bundle_add, whose message is lent.
 */
export function decodeMessage(
  bytes: Uint8Array,
  options: DecodeOptions = {},
  refuses?: Refusal,
): Decoded | OfError {
  const decoded = guard(() => decode(bytes, options, refuses));
  return decoded instanceof OfError ? decoded.quoting(bytes) : decoded;
}

/** What the header of a message says. */
export interface Header {
  readonly wire: WireForm;
  /** Statistics: whether more parts follow. */
  readonly more: boolean;
  /** Where the body starts. */
  readonly bodyAt: number;
}

/** The type of the messages that have a form on the wire. */
function messageType(wire: WireForm): OfMessageType {
  if (wire.stats !== undefined) return wire.stats === 'request' ? 'multipart_request' : 'multipart_reply';
  return types.get(wire)!;
}

/**
 * What the header in `bytes` says, or why it is none, which `explain` is told. The bytes may be the start of a message
 * only; the length of its body is not looked at.
 */
export function decodeHeader(bytes: Uint8Array, explain?: Explain): Header | OfError {
  return guard(() => readHeader(new Reader(bytes, 0, bytes.length, 'OFPBRC_BAD_LEN', explain)));
}

/** Whether a message with a header may have `length` bytes. */
export function fitsHeader({ wire, bodyAt }: Header, length: number, explain?: Explain): boolean {
  if (fitsWireForm(wire, length - bodyAt)) return true;
  explain?.('message_length', wire.name, length, bodyAt + wire.base, wire.step);
  return false;
}

/** The error for statistics that are not known; a version that is not known has none. */
function unknownStats(vendor: number, isKnown: boolean): ErrorName {
  if (vendor !== 0) return 'OFPBRC_BAD_SUBTYPE';
  return isKnown ? 'OFPBRC_BAD_STAT' : 'OFPBRC_BAD_TYPE';
}

const isKnownVersion = (version: number): boolean => VERSIONS.some((v) => v.version === version);

function readHeader(r: Reader): Header {
  if (r.left < HEADER_LENGTH) fail('OFPBRC_BAD_LEN', `message of ${r.left} bytes`);
  const version = r.u8();
  const type = r.u8();
  r.skip(6);
  let vendor = 0;
  const stats = type - statsType(version);
  const isStats = stats === 0 || stats === 1;
  const readVendor = (need: number): void => {
    if (r.left < need) fail('OFPBRC_BAD_LEN', `vendor's header of ${r.left} bytes`);
    vendor = r.u32();
    if (vendor !== NX_VENDOR && (vendor !== ONF_VENDOR || (isStats && version === 1)))
      refuse(r, 'OFPBRC_BAD_VENDOR', 'unknown_vendor', vendor);
  };
  if (isStats) {
    let code = r.u16();
    const more = (r.u16() & 1) !== 0;
    if (version !== 1) r.skip(4);
    if (code === STATS_VENDOR) {
      // Of OpenFlow 1.0's the vendor is looked at before the rest of its header is missed.
      readVendor(version === 1 ? 4 : 8);
      code = r.u32();
      if (version === 1) r.skip(4);
    }
    const wire = findWireForm(version, vendor, code, stats === 0 ? 'request' : 'reply');
    if (!wire) {
      const isKnown = isKnownVersion(version);
      const stat = isKnown ? (vendor === 0 ? code : STATS_VENDOR) : undefined;
      const numbers = { version, type, stat, vendor, subtype: code };
      return refuse(r, unknownStats(vendor, isKnown), 'unknown_message', numbers);
    }
    return { wire, more, bodyAt: r.pos };
  }
  let code = type;
  if (type === VENDOR_TYPE) {
    readVendor(8);
    code = r.u32();
  }
  const wire = findWireForm(version, vendor, code, undefined);
  if (!wire) {
    const numbers = { version, type, stat: undefined, vendor, subtype: code };
    return refuse(r, vendor === 0 ? 'OFPBRC_BAD_TYPE' : 'OFPBRC_BAD_SUBTYPE', 'unknown_message', numbers);
  }
  return { wire, more: false, bodyAt: r.pos };
}

/** Messages in which the names of tunnel options are looked up: not those of actions that are carried out at once. */
const NAMING: ReadonlySet<WireForm> = new Set(
  [
    ...MESSAGES.flow_mod.forms,
    ...MESSAGES.resume.forms,
    ...MULTIPART.flow.request,
    ...MULTIPART.aggregate.request,
  ].map(({ wire }) => wire),
);

function decode(bytes: Uint8Array, options: DecodeOptions, refuses?: Refusal): Decoded | OfError {
  const { explain } = options;
  const r = new Reader(bytes, 0, bytes.length, 'OFPBRC_BAD_LEN', explain);
  const header = readHeader(r);
  const { wire, more } = header;
  const version = bytes[0];
  const length = (bytes[2] << 8) | bytes[3];
  const xid = ((bytes[4] << 24) | (bytes[5] << 16) | (bytes[6] << 8) | bytes[7]) >>> 0;
  // A request put together of parts may be longer than its header can say.
  if (length !== Math.min(bytes.length, MAX_LENGTH))
    fail('OFPBRC_BAD_LEN', `length ${length} of a message of ${bytes.length} bytes`);
  // Of a request for statistics that has no body at all, a switch of the peer's does not tell.
  const isNoRequest = wire.stats === 'request' && r.left === 0 && !options.loose;
  if (!fitsHeader(header, bytes.length, isNoRequest ? undefined : explain))
    fail('OFPBRC_BAD_LEN', `${wire.name} of ${bytes.length} bytes`);
  const refused = refuses?.(messageType(wire));
  if (refused) return refused;
  if (NAMING.has(wire)) r.tunnelOptionBits = options.tunnelOptionBits;
  if (wire.stats === undefined) {
    const msg = decoders.get(wire)!.decode(r, version, options);
    if (msg.type === 'requestforward') checkForwarded(msg.message, version, options);
    else if (msg.type === 'bundle_add') checkBundled(msg.message, options);
    return { version, xid, msg, wire };
  }
  const isRequest = wire.stats === 'request';
  const message = (part: { body: MultipartRequest | MultipartReply; format?: FlowFormat }): OfMessage => {
    const { body, ...rest } = part;
    return isRequest
      ? { type: 'multipart_request', request: body as MultipartRequest, more, ...rest }
      : { type: 'multipart_reply', reply: body as MultipartReply, more, ...rest };
  };
  try {
    return { version, xid, msg: message(readMultipartBody(r, wire, version, options)), wire };
  } catch (e) {
    if (e instanceof DecodeFailure && e.partial)
      e.error.partial = message({ body: e.partial as MultipartReply });
    throw e;
  }
}

/** Names of the requests that are forwarded. */
const FORWARDED: ReadonlySet<string> = new Set(['OFPT_GROUP_MOD', 'NXT_GROUP_MOD', 'OFPT_METER_MOD']);

/** Fails when a forwarded request is bad or none that is forwarded. */
function checkForwarded(bytes: Uint8Array, version: number, options: DecodeOptions): void {
  if (bytes[0] !== version)
    fail('OFPBRC_BAD_VERSION', `version ${bytes[0]} in a message of version ${version}`);
  const header = readHeader(new Reader(bytes, 0, bytes.length, 'OFPBRC_BAD_LEN', options.explain));
  const { wire } = header;
  if (!fitsHeader(header, bytes.length, options.explain)) fail('OFPBRC_BAD_LEN', `${wire.name} forwarded`);
  if (!FORWARDED.has(wire.name)) fail('OFPBFC_MSG_UNSUP', `${wire.name} is not forwarded`);
  decode(bytes, options);
}

/** What a bundle can hold: requests that change something and can be taken back. */
const BUNDLED: readonly string[] = [
  'OFPT_FLOW_MOD',
  'NXT_FLOW_MOD',
  'OFPT_GROUP_MOD',
  'NXT_GROUP_MOD',
  'OFPT_PORT_MOD',
  'OFPT_PACKET_OUT',
];

/** Fails when a message cannot be in a bundle; whether it is a good one shows when it is decoded. */
function checkBundled(bytes: Uint8Array, { explain }: DecodeOptions): void {
  const header = decodeHeader(bytes, explain);
  const error = header instanceof OfError ? header.name! : 'OFPBRC_BAD_LEN';
  const good = !(header instanceof OfError) && fitsHeader(header, bytes.length, explain);
  if (!good) return refuse({ explain }, 'OFPBFC_MSG_UNSUP', 'bundled_unparsable', error);
  const { name } = header.wire;
  if (!BUNDLED.includes(name)) refuse({ explain }, 'OFPBFC_MSG_UNSUP', 'bundled_kind', kindName(name));
}
