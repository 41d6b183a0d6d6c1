import { FlowSyntaxError } from './errors.js';
import { fieldByCodeName, fieldByName } from './fields.js';
import type { Field } from './field-types.js';

/** `FIELD[]`, `FIELD[bit]` and `FIELD[start..end]`: a run of bits of a field (ovs-actions(7)). */
export interface FieldBits {
  readonly field: Field;
  /** First bit, 0 is the least significant. */
  readonly ofs: number;
  readonly nBits: number;
}

/**
 * Reads a subfield at the start of `text`; the field is a name (`reg0`) or a code's name (`NXM_NX_REG0`).
 * Returns it with the index of the first character after `]`. Throws FlowSyntaxError in the peer's words.
 */
export function parseSubfieldAt(text: string): { bits: FieldBits; end: number } {
  const open = text.indexOf('[');
  const nameEnd = open < 0 ? text.length : open;
  const name = text.slice(0, nameEnd);
  const field = fieldByCodeName(name) ?? fieldByName(name);
  if (field === undefined) throw new FlowSyntaxError(`${text}: unknown field \`${name}'`);
  const range = /^\[(?:([0-9]+)(?:\.\.([0-9]+))?)?\]/.exec(text.slice(nameEnd));
  if (range === null) {
    throw new FlowSyntaxError(`${text}: syntax error expecting [] or [<bit>] or [<start>..<end>]`);
  }
  const start = range[1] === undefined ? 0 : Number(range[1]);
  const last = range[1] === undefined ? field.bits - 1 : range[2] === undefined ? start : Number(range[2]);
  if (start > last) {
    throw new FlowSyntaxError(`${text}: starting bit ${start} is after ending bit ${last}`);
  }
  if (start >= field.bits) {
    throw new FlowSyntaxError(
      `${text}: starting bit ${start} is not valid because field is only ${field.bits} bits wide`,
    );
  }
  if (last >= field.bits) {
    throw new FlowSyntaxError(
      `${text}: ending bit ${last} is not valid because field is only ${field.bits} bits wide`,
    );
  }
  return { bits: { field, ofs: start, nBits: last - start + 1 }, end: nameEnd + range[0].length };
}

/** A subfield that is the whole of `text`. */
export function parseSubfield(text: string): FieldBits {
  const { bits, end } = parseSubfieldAt(text);
  if (end < text.length) throw new FlowSyntaxError('unexpected input following field syntax');
  return bits;
}
