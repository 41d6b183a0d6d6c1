/**
 * TLV matches, byte for byte, as text: `NXM_OF_ETH_TYPE(0800), NXM_OF_IP_SRC_W(c0a80000/ffff0000)`. What the text says
 * goes on the wire as it is, right or wrong: for looking at the codecs (parse-nxm, parse-oxm of ovs-ofctl).
 */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { fieldByCode, fieldByCodeName } from '@ovs-node/flow/fields';
import type { Field, FieldCode } from '@ovs-node/flow/field-types';
import { TUN_METADATA_BYTES } from '@ovs-node/flow/tun-metadata';
import { type FieldHeader, readFieldHeader } from '../match/headers.js';
import type { Explain } from '../explain.js';
import { Reader, Writer } from '../wire.js';

/** The one code in a TLV match that is no field: the cookie that nx_match can ask for, 8 bytes. */
const COOKIE: FieldCode = { name: 'NXM_NX_COOKIE', cls: 1, experimenter: 0, field: 30, since: 1 };
const COOKIE_BYTES = 8;
const EXPERIMENTER = 0xffff;

interface Header {
  readonly code: FieldCode;
  readonly bytes: number;
  readonly masked: boolean;
  /** Of as many bytes as are given. */
  readonly variable: boolean;
}

function codeOf(f: Field, name: string): FieldCode {
  return (f.nxm?.name === name ? f.nxm : f.oxm.find((c) => c.name === name)) as FieldCode;
}

function headerOf(f: Field, name: string, masked: boolean): Header {
  return { code: codeOf(f, name), bytes: f.bytes, masked, variable: f.option !== undefined };
}

/** The header that a name stands for, or 8 hexadecimal digits spell. */
function headerByName(name: string): Header | undefined {
  if (name === COOKIE.name) return { code: COOKIE, bytes: COOKIE_BYTES, masked: false, variable: false };
  if (name === `${COOKIE.name}_W`)
    return { code: COOKIE, bytes: COOKIE_BYTES, masked: true, variable: false };
  const exact = fieldByCodeName(name);
  if (exact) return headerOf(exact, name, false);
  if (name.endsWith('_W')) {
    const base = name.slice(0, -2);
    const f = fieldByCodeName(base);
    return f?.maskable ? headerOf(f, base, true) : undefined;
  }
  if (!/^[0-9a-fA-F]{8}$/.test(name)) return undefined;
  const n = Number.parseInt(name, 16);
  const masked = ((n >>> 8) & 1) !== 0;
  const code = { name, cls: n >>> 16, experimenter: 0, field: (n >>> 9) & 0x7f, since: 1 };
  const length = (n & 0xff) - (code.cls === EXPERIMENTER ? 4 : 0);
  return { code, bytes: masked ? Math.trunc(length / 2) : length, masked, variable: false };
}

/** Reads bytes in hexadecimal at `at`, as many as there are; blanks and dots between and behind them are passed over. */
function hexBytes(text: string, at: number): { bytes: Uint8Array; end: number } {
  const run = /^(?:[ .\t\r\n]*[0-9a-fA-F]{2})*[ .\t\r\n]*/.exec(text.slice(at))![0];
  return {
    bytes: new Uint8Array(Buffer.from(run.replace(/[^0-9a-fA-F]/g, ''), 'hex')),
    end: at + run.length,
  };
}

/** The bytes that `text` spells, without padding. @throws FlowSyntaxError */
export function parseNxMatch(text: string): Uint8Array {
  const w = new Writer();
  if (text === '<any>') return w.finish();
  let at = 0;
  for (;;) {
    at += /^[, ]*/.exec(text.slice(at))![0].length;
    if (at >= text.length) return w.finish();
    const open = text.indexOf('(', at);
    if (open < 0) throw new FlowSyntaxError(`${text}: missing ( at end of nx_match`);
    const name = text.slice(at, open);
    const h = headerByName(name);
    if (!h) throw new FlowSyntaxError(`${text}: unknown field \`${name}'`);
    const experimenter = h.code.cls === EXPERIMENTER;
    const value = hexBytes(text, open + 1);
    const n = value.bytes.length;
    if (h.variable && n > h.bytes)
      throw new FlowSyntaxError(`expected to read at most ${h.bytes} bytes but got ${n}`);
    if (!h.variable && n !== h.bytes)
      throw new FlowSyntaxError(`expected to read ${h.bytes} bytes but got ${n}`);
    w.u16(h.code.cls)
      .u8((h.code.field << 1) | (h.masked ? 1 : 0))
      .u8(n * (h.masked ? 2 : 1) + (experimenter ? 4 : 0));
    if (experimenter) w.u32(h.code.experimenter);
    w.bytes(value.bytes);
    at = value.end;
    if (h.masked) {
      if (text[at] !== '/') throw new FlowSyntaxError(`${text}: missing / in masked field ${name}`);
      const mask = hexBytes(text, at + 1);
      if (mask.bytes.length !== n)
        throw new FlowSyntaxError(`${text.slice(mask.end, mask.end + 2)}: hex digits expected`);
      w.bytes(mask.bytes);
      at = mask.end;
    }
    if (text[at] !== ')') throw new FlowSyntaxError(`${text}: missing ) following field ${name}`);
    at++;
  }
}

function nameOf(cls: number, field: number, experimenter: number, length: number): string {
  if (cls === COOKIE.cls && field === COOKIE.field && length >= COOKIE_BYTES) return COOKIE.name;
  const f = fieldByCode(cls, field, experimenter);
  const codes = f ? [...(f.nxm ? [f.nxm] : []), ...f.oxm] : [];
  const code = codes.find((c) => c.cls === cls && c.field === field && c.experimenter === experimenter);
  return code?.name ?? `${cls}:${field}`;
}

/** Has a value bits where its mask has none? */
function outsideMask(bytes: Uint8Array): boolean {
  const n = bytes.length >> 1;
  for (let i = 0; i < n; i++) if ((bytes[i] & ~bytes[n + i]) !== 0) return true;
  return false;
}

const isOption = (h: FieldHeader): boolean => h.field?.option !== undefined;

/** A tunnel option stands at the right of the room for the longest one; of that the peer shows the first bytes. */
function shifted(value: Uint8Array): Uint8Array {
  const room = new Uint8Array(TUN_METADATA_BYTES);
  room.set(value.subarray(0, room.length), Math.max(room.length - value.length, 0));
  return room.subarray(0, value.length);
}

/**
 * The text of the fields in `bytes`, which are whole (a codec made them); `<any>` when there are none. It ends before a
 * value that its mask does not cover.
 */
export function formatNxMatch(bytes: Uint8Array, explain?: Explain): string {
  const r = new Reader(bytes);
  const out: string[] = [];
  while (r.left > 0) {
    const h = readFieldHeader(r);
    const name = nameOf(h.cls, h.code, h.experimenter, h.length);
    const value = r.bytes(h.length);
    if (h.masked && outsideMask(value)) {
      explain?.('wildcarded_bits', h);
      return out.join(', ') + (r.left > 0 ? `<${r.left} invalid bytes>` : '');
    }
    const half = h.length >> 1;
    const parts = h.masked ? [value.subarray(0, half), value.subarray(half)] : [value];
    const hex = parts.map((part) => Buffer.from(isOption(h) ? shifted(part) : part).toString('hex'));
    out.push(`${name}${h.masked ? '_W' : ''}(${hex.join('/')})`);
  }
  return out.length === 0 ? '<any>' : out.join(', ');
}
