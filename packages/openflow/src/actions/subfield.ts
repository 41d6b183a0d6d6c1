/** Subfields in text (`NXM_NX_REG0[0..15]`, `reg0`, `vlan_tci[13]`) and on the wire. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { fieldNames, FIELDS, mustField } from '@ovs-node/flow/fields';
import type { Field } from '@ovs-node/flow/field-types';
import { parseBits } from '@ovs-node/flow/subfield';
import { WordTable } from '@ovs-node/flow/word-table';
import { refuse } from '../errors.js';
import type { Explain, SubfieldRole } from '../explain.js';
import { isShortHeader, putFieldName } from '../match/headers.js';
import type { Reader, TunnelOptionBits, Writer } from '../wire.js';
import type { Subfield } from './types.js';

/** The name of a field in actions: its NXM (or else OXM) constant, or its plain name when it has none. */
export function fieldCodeName(f: Field): string {
  return (f.nxm ?? f.oxm[0])?.name ?? f.name;
}

function* fieldWords(): Iterable<readonly [string, Field]> {
  yield* fieldNames();
  for (const f of FIELDS) for (const c of f.nxm ? [f.nxm, ...f.oxm] : f.oxm) yield [c.name, f];
}

const WHOLE: readonly Subfield[] = FIELDS.map((f) => ({ field: f.name, ofs: 0, nBits: f.bits }));

/** The whole of a field. */
export function wholeField(f: Field): Subfield {
  return WHOLE[f.id];
}

/** Fields by their names and by the names of their NXM and OXM constants. */
const NAMES = new WordTable(fieldWords());

/** The field of a plain name or the name of a constant, or undefined. */
export function fieldByAnyName(name: string): Field | undefined {
  return NAMES.find(name);
}

/** `NAME[]` that is all of `text`, the form that most subfields have; undefined for any other. */
function parseWhole(text: string): Subfield | undefined {
  if (!text.endsWith('[]')) return undefined;
  const f = NAMES.find(text, 0, text.length - 2);
  return f && wholeField(f);
}

/** Reads a subfield at the start of `text`; `rest` is what follows it. @throws FlowSyntaxError */
export function parseSubfieldPrefix(text: string): { subfield: Subfield; rest: string } {
  const nameEnd = text.search(/[[-]/);
  const name = nameEnd < 0 ? text : text.slice(0, nameEnd);
  const f = NAMES.find(name);
  if (!f) throw new FlowSyntaxError(`${text}: unknown field \`${name}'`);
  if (text[name.length] !== '[') return { subfield: wholeField(f), rest: text.slice(name.length) };
  const { bits, end } = parseBits(text, name.length, f);
  return { subfield: { field: f.name, ofs: bits.ofs, nBits: bits.nBits }, rest: text.slice(end) };
}

/** Reads a subfield that is all of `text`. @throws FlowSyntaxError */
export function parseSubfield(text: string): Subfield {
  const whole = parseWhole(text);
  if (whole) return whole;
  const { subfield, rest } = parseSubfieldPrefix(text);
  if (rest !== '') throw new FlowSyntaxError('unexpected input following field syntax');
  return subfield;
}

/** The text of a subfield. */
export function formatSubfield(s: Subfield): string {
  const f = mustField(s.field);
  const name = fieldCodeName(f);
  if (s.ofs === 0 && s.nBits === f.bits) return `${name}[]`;
  if (s.nBits === 1) return `${name}[${s.ofs}]`;
  return `${name}[${s.ofs}..${s.ofs + s.nBits - 1}]`;
}

/** Writes `ofs << 6 | (n_bits - 1)`. */
export function putOfsNbits(w: Writer, s: Subfield): void {
  w.u16((s.ofs << 6) | (s.nBits - 1));
}

/** The offset and width in such a number. */
export function splitOfsNbits(v: number): { ofs: number; nBits: number } {
  return { ofs: v >> 6, nBits: (v & 0x3f) + 1 };
}

/** Writes the header of a subfield's field. */
export function putSubfieldHeader(w: Writer, s: Subfield): void {
  putFieldName(w, mustField(s.field), 0);
}

/** A subfield of `f`, or OFPBAC_BAD_SET_LEN when there are no such bits. */
export function checkSubfield(
  r: { readonly explain: Explain | undefined; readonly tunnelOptionBits: TunnelOptionBits | undefined },
  role: SubfieldRole,
  f: Field,
  ofs: number,
  nBits: number,
): Subfield {
  const s = { field: f.name, ofs, nBits };
  const bits = (f.option === undefined ? undefined : r.tunnelOptionBits?.(f.option)) ?? f.bits;
  if (nBits > 0 && ofs + nBits <= bits) return s;
  if (nBits === 0) return refuse(r, 'OFPBAC_BAD_SET_LEN', 'no_bits', role, f.name);
  if (ofs >= bits) return refuse(r, 'OFPBAC_BAD_SET_LEN', 'bit_offset', role, f.name, bits, ofs);
  return refuse(r, 'OFPBAC_BAD_SET_LEN', 'bit_range', role, f.name, bits, ofs, nBits);
}

/** Refuses a field that actions cannot set. */
export function checkWritable(r: Reader, f: Field): void {
  if (!f.writable) refuse(r, 'OFPBAC_BAD_SET_ARGUMENT', 'read_only', f.name);
}

/** Whether the header of the subfield's field takes four bytes. */
export function isPlainHeader(s: Subfield): boolean {
  return isShortHeader(mustField(s.field));
}
