/**
 * Headers of TLV match fields (nx_match and OXM): which code point a field has in a version, and the header on the
 * wire: class (16 bits), field (7), hasmask (1), length (8), then an experimenter id when the class is 0xffff, which
 * the length counts (OpenFlow 1.3, section 7.2.3.2).
 */
import { fieldByCode, FIELDS } from '@ovs-node/flow/fields';
import type { Field, FieldCode } from '@ovs-node/flow/field-types';
import type { ErrorName } from '../error-table.js';
import { fail, refuse } from '../errors.js';
import type { Reader, Writer } from '../wire.js';

const EXPERIMENTER = 0xffff;

/** The code of `f` to send in `version`; 0 asks for the one that Nicira actions use in all versions. */
export function fieldCode(f: Field, version: number): FieldCode | undefined {
  if (version < 3) return f.nxm ?? f.oxm[0];
  let best: FieldCode | undefined;
  for (const c of f.oxm) if (c.since <= version) best = c;
  return best ?? f.nxm ?? f.oxm[0];
}

/** A header as 32 bits, and the experimenter id that follows it or 0. */
interface HeaderWords {
  readonly exact: number;
  readonly masked: number;
  readonly experimenter: number;
}

/** The code of a field that has none: the peer writes zeros for it, and a length. */
const NO_CODE: Pick<FieldCode, 'cls' | 'field' | 'experimenter'> = { cls: 0, field: 0, experimenter: 0 };

function headerWords(f: Field, version: number): HeaderWords {
  const code = fieldCode(f, version) ?? NO_CODE;
  const extra = headerLength(code) - 4;
  const words = (masked: 0 | 1): number => {
    const length = (masked + 1) * f.bytes + extra;
    return ((code.cls << 16) | (code.field << 9) | (masked << 8) | length) >>> 0;
  };
  return { exact: words(0), masked: words(1), experimenter: code.experimenter };
}

/** By field id and version; those of a field are made when it is first written, as most never are. */
const HEADERS: (readonly HeaderWords[] | undefined)[] = FIELDS.map(() => undefined);

function headersOf(f: Field): readonly HeaderWords[] {
  return (HEADERS[f.id] ??= Array.from({ length: 7 }, (_, version) => headerWords(f, version)));
}

/** Bytes of a header. */
export function headerLength(code: Pick<FieldCode, 'cls'>): number {
  return code.cls === EXPERIMENTER ? 8 : 4;
}

/** Bytes of the header that `putFieldHeader` writes. */
export function fieldHeaderLength(f: Field, version: number): number {
  return headersOf(f)[version].experimenter === 0 ? 4 : 8;
}

/**
 * Writes the header of a field whose value (and mask) of `bytes` bytes follow. Only tunnel options are of other lengths
 * than their rows say.
 */
export function putFieldHeader(w: Writer, f: Field, version: number, masked = false, bytes = f.bytes): void {
  const h = headersOf(f)[version];
  const shorter = (f.bytes - bytes) * (masked ? 2 : 1);
  w.u32((masked ? h.masked : h.exact) - shorter);
  if (h.experimenter !== 0) w.u32(h.experimenter);
}

/** Writes the header of a field that an action only names: zeros for one without a code. */
export function putFieldName(w: Writer, f: Field, version: number): void {
  if (fieldCode(f, version) === undefined) w.u32(0);
  else putFieldHeader(w, f, version);
}

/** Whether the header of a field takes four bytes: those of experimenters have an id behind, some fields have none. */
export function isShortHeader(f: Field): boolean {
  const code = fieldCode(f, 0);
  return code !== undefined && headerLength(code) === 4;
}

/** Writes the header as the learn action has it, in four bytes: zeros for a field whose header has more. */
export function putShortHeader(w: Writer, f: Field): void {
  w.u32(isShortHeader(f) ? headersOf(f)[0].exact : 0);
}

/**
 * Whether the bytes that a header announces are those of the field: any number of a tunnel option's; an odd one beside
 * value and mask is let pass.
 */
export function isLengthOf(h: FieldHeader, f: Field): boolean {
  return f.option !== undefined || (h.masked ? h.length >> 1 : h.length) === f.bytes;
}

/** A header as read. `field` is undefined when no field has that code. */
export interface FieldHeader {
  readonly cls: number;
  readonly code: number;
  readonly masked: boolean;
  /** Bytes of value and mask that follow. */
  readonly length: number;
  readonly experimenter: number;
  readonly field: Field | undefined;
}

const LONGEST_VALUE = 127;

/** Headers of four bytes that say all there is to know of their field, by the four bytes: one object for each, for good. */
const PLAIN_HEADERS = new Map<number, FieldHeader>();

/** Reads a header; fails with OFPBMC_BAD_LEN when it is cut. */
export function readFieldHeader(r: Reader): FieldHeader {
  const { left } = r;
  if (left < 4) refuse(r, 'OFPBMC_BAD_LEN', 'partial_field', left);
  const word = r.peekI32();
  const plain = PLAIN_HEADERS.get(word);
  if (plain !== undefined) {
    r.skip(4);
    return plain;
  }
  const cls = r.u16();
  const code = r.u8();
  let length = r.u8();
  let experimenter = 0;
  if (cls === EXPERIMENTER) {
    if (left < 8) refuse(r, 'OFPBMC_BAD_LEN', 'partial_field', left);
    experimenter = r.u32();
    length -= 4;
    if (length < 0) {
      const numbers = { cls, code: code >> 1, masked: (code & 1) !== 0, length, experimenter };
      refuse(r, 'OFPBMC_BAD_LEN', 'short_field', numbers);
    }
  }
  const masked = (code & 1) !== 0;
  // A value longer than any field's is none of one.
  const isField = (masked ? length >> 1 : length) <= LONGEST_VALUE;
  const field = isField ? fieldByCode(cls, code >> 1, experimenter) : undefined;
  if (
    field?.option !== undefined &&
    r.tunnelOptionBits !== undefined &&
    r.tunnelOptionBits(field.option) === undefined
  )
    fail('NXFMFC_INVALID_TLV_FIELD', `${field.name} stands for no option`);
  const header = { cls, code: code >> 1, masked, length, experimenter, field };
  if (field !== undefined && field.option === undefined && cls !== EXPERIMENTER && isLengthOf(header, field))
    PLAIN_HEADERS.set(word, header);
  return header;
}

/** Reads a value or a mask of `length` bytes: of a tunnel option that is longer than any can be, what there is room for. */
export function readFieldBytes(r: Reader, f: Field, length: number): bigint {
  const value = r.big(Math.min(length, f.bytes));
  r.skip(Math.max(length - f.bytes, 0));
  return value;
}

/** Reads what `putShortHeader` writes. */
export function readShortHeader(r: Reader): Field {
  return readFieldName(r, 'OFPBAC_BAD_SET_TYPE');
}

/**
 * Reads a header that only names a field, as in actions: known, of the right length. Actions with room for four bytes
 * of it have `unknown` for an error, and no eye for masks; the newer ones have the errors of matches, and take no mask.
 */
export function readFieldName(r: Reader, unknown: ErrorName = 'OFPBMC_BAD_FIELD'): Field {
  const plain = unknown !== 'OFPBMC_BAD_FIELD';
  if (plain && r.peekU32() >>> 16 === EXPERIMENTER) fail(unknown, 'experimenter field');
  const h = readFieldHeader(r);
  if (!h.field || !isLengthOf(h, h.field)) {
    if (!plain) r.explain?.('unknown_field', h);
    return fail(unknown, `unknown field ${h.cls}:${h.code} of ${h.length} bytes`);
  }
  if (h.masked && !plain) fail('OFPBMC_BAD_MASK', `mask in the name of field ${h.field.name}`);
  return h.field;
}
