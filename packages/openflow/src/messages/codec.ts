/**
 * The message table and the two loops over it: `encodeMessage` and `decodeMessage`. A message starts with 8 bytes:
 * version, type, length, xid; a vendor's with the vendor and a subtype after them.
 */
import { fail, guard, OfError } from '../errors.js';
import { Reader, Writer } from '../wire.js';
import { FLOW_MESSAGES } from './flow.js';
import {
  pages,
  putMultipartReply,
  putMultipartRequest,
  readMultipartReply,
  readMultipartRequest,
} from './multipart.js';
import { PACKET_MESSAGES } from './packet.js';
import {
  type DecodeOptions,
  type MessageForm,
  type MessageRow,
  type MessageTable,
  NX_VENDOR,
  std,
} from './row.js';
import { SWITCH_MESSAGES } from './switch.js';
import type { MessageOf, OfMessage, OfMessageType } from './types.js';

export type { DecodeOptions } from './row.js';

export const HEADER_LENGTH = 8;
const VENDOR_TYPE = 4;
/** The length field has 16 bits. */
export const MAX_LENGTH = 0xffff;

export const MESSAGES: MessageTable = {
  ...SWITCH_MESSAGES,
  ...PACKET_MESSAGES,
  ...FLOW_MESSAGES,
  multipart_request: {
    forms: [
      [1, 1, 16],
      [2, 6, 18],
    ].map(([from, to, code]) =>
      std<MessageOf<'multipart_request'>>(from, to, code, putMultipartRequest, (r, version) => ({
        type: 'multipart_request',
        ...readMultipartRequest(r, version),
      })),
    ),
  },
  multipart_reply: {
    forms: [
      [1, 1, 17],
      [2, 6, 19],
    ].map(([from, to, code]) =>
      std<MessageOf<'multipart_reply'>>(from, to, code, putMultipartReply, (r, version) => ({
        type: 'multipart_reply',
        ...readMultipartReply(r, version),
      })),
    ),
  },
};

type AnyForm = MessageForm<OfMessage>;

const forms = (type: OfMessageType): readonly AnyForm[] =>
  (MESSAGES[type] as unknown as MessageRow<OfMessage>).forms;

/** By version and, for the standard ones, code; a Map with numbers for keys is as quick as it gets. */
const decoders = new Map<number, AnyForm>();
const decoderKey = (version: number, vendor: number, code: number): number =>
  vendor === 0 ? version * 256 + code : (version + 7) * 0x100000000 + code;
for (const type of Object.keys(MESSAGES) as OfMessageType[]) {
  for (const form of forms(type)) {
    for (let v = form.from; v <= Math.min(form.to, 6); v++)
      decoders.set(decoderKey(v, form.vendor, form.code), form);
  }
}

/** A message that `version` cannot say. */
export class UnencodableError extends Error {}

/** A message longer than the length field can say. */
export class OversizeError extends Error {}

/**
 * The bytes of a message; the caller owns them.
 *
 * @throws UnencodableError when the version has no such message, OversizeError when it is longer than 65535 bytes
 * (`encodeMultipart` cuts replies into pages).
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
  for (const form of forms(msg.type)) {
    if (version < form.from || version > form.to || (form.when && !form.when(msg, version))) continue;
    w.u8(version)
      .u8(form.vendor === 0 ? form.code : VENDOR_TYPE)
      .u16(0)
      .u32(xid);
    if (form.vendor !== 0) w.u32(form.vendor).u32(form.code);
    form.encode(w, msg, version);
    const length = w.length - start;
    if (length > MAX_LENGTH) throw new OversizeError(`message ${msg.type} of ${length} bytes`);
    w.setU16(start + 2, length);
    return;
  }
  throw new UnencodableError(`OpenFlow version ${version} has no message ${msg.type}`);
}

/** The bytes of a multipart reply as one or more messages, all but the last with the "more" flag. */
export function encodeMultipart(
  msg: MessageOf<'multipart_reply'>,
  version: number,
  xid: number,
): Uint8Array[] {
  const list = pages(msg.reply);
  if (!list) return [encodeMessage(msg, version, xid)];
  const out: Uint8Array[] = [];
  const cut = (from: number, to: number, more: boolean): void => {
    let bytes: Uint8Array | undefined;
    try {
      bytes = encodeMessage({ ...msg, reply: list.slice(from, to), more }, version, xid);
    } catch (e) {
      if (!(e instanceof OversizeError) || to - from < 2) throw e;
    }
    if (bytes) {
      out.push(bytes);
      return;
    }
    const middle = (from + to) >> 1;
    cut(from, middle, true);
    cut(middle, to, more);
  };
  // Pages start small enough to fit mostly, so that cutting is rare.
  const page = 256;
  for (let at = 0; at === 0 || at < list.count; at += page) {
    cut(at, Math.min(at + page, list.count), at + page < list.count || msg.more);
  }
  return out;
}

export interface Decoded {
  readonly version: number;
  readonly xid: number;
  readonly msg: OfMessage;
}

/**
 * The message in `bytes`, exactly one with its header, or why it is none: an `OfError` that quotes its first bytes.
 * Nothing is thrown, and the value shares no memory with `bytes`.
 */
export function decodeMessage(bytes: Uint8Array, options: DecodeOptions = {}): Decoded | OfError {
  const decoded = guard(() => decode(bytes, options));
  return decoded instanceof OfError ? decoded.quoting(bytes) : decoded;
}

function decode(bytes: Uint8Array, options: DecodeOptions): Decoded {
  const r = new Reader(bytes);
  if (r.left < HEADER_LENGTH) fail('OFPBRC_BAD_LEN', `message of ${r.left} bytes`);
  const version = r.u8();
  const type = r.u8();
  const length = r.u16();
  const xid = r.u32();
  if (length !== bytes.length)
    fail('OFPBRC_BAD_LEN', `length ${length} of a message of ${bytes.length} bytes`);
  // A hello may come in a version that is not known.
  const known = version >= 1 && version <= 6;
  if (!known && type !== 0) fail('OFPBRC_BAD_VERSION', `version ${version}`);
  let vendor = 0;
  let code = type;
  if (type === VENDOR_TYPE) {
    vendor = r.u32();
    code = r.u32();
    if (vendor !== NX_VENDOR) fail('OFPBRC_BAD_VENDOR', `vendor 0x${vendor.toString(16)}`);
  }
  const form = decoders.get(decoderKey(known ? version : 6, vendor, code));
  if (!form)
    return fail(vendor === 0 ? 'OFPBRC_BAD_TYPE' : 'OFPBRC_BAD_SUBTYPE', `message ${vendor}:${code}`);
  return { version, xid, msg: form.decode(r, version, options) };
}
