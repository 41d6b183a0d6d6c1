import { FlowSyntaxError } from './errors.js';
import { fieldByCodeName, fieldByName } from './fields.js';
import type { Field } from './field-types.js';
import { scanInt32 } from './int-text.js';
import { scanNumber, stop } from './scan.js';

/** `FIELD[]`, `FIELD[bit]` and `FIELD[start..end]`: a run of bits of a field (ovs-actions(7)). */
export interface FieldBits {
  readonly field: Field;
  /** First bit, 0 is the least significant. */
  readonly ofs: number;
  readonly nBits: number;
}

/**
 * Reads `[]`, `[bit]` or `[start..end]` of `field` at `text[at]`. Returns it with the index of the first character
 * after `]`. Throws FlowSyntaxError in the peer's words, which quote all of `text`.
 */
export function parseBits(text: string, at: number, field: Field): { bits: FieldBits; end: number } {
  return parsePlainBits(text, at, field) ?? parseAnyBits(text, at, field);
}

/** Digits that are right, which is what nearly all are. */
function parsePlainBits(
  text: string,
  at: number,
  field: Field,
): { bits: FieldBits; end: number } | undefined {
  const start = scanNumber(text, at + 1, text.length);
  if (text.charCodeAt(at) !== 91 || start < 0) return undefined;
  let last = start;
  if (text.startsWith('..', stop())) last = scanNumber(text, stop() + 2, text.length);
  if (last < start || last >= field.bits || text.charCodeAt(stop()) !== 93) return undefined;
  if (text.charCodeAt(at + 2) === 120) return undefined;
  return { bits: { field, ofs: start, nBits: last - start + 1 }, end: stop() + 1 };
}

function parseAnyBits(text: string, at: number, field: Field): { bits: FieldBits; end: number } {
  // Numbers are signed, as scanf("%d") has them.
  const range = /^\[(?:([-+]?[0-9]+)(?:\.\.([-+]?[0-9]+))?)?\]/.exec(text.slice(at));
  if (range === null) {
    throw new FlowSyntaxError(`${text}: syntax error expecting [] or [<bit>] or [<start>..<end>]`);
  }
  const start = range[1] === undefined ? 0 : scanInt32(range[1]);
  const last = range[1] === undefined ? field.bits - 1 : range[2] === undefined ? start : scanInt32(range[2]);
  const check = (which: string, bit: number): void => {
    if (bit >= 0 && bit < field.bits) return;
    throw new FlowSyntaxError(
      `${text}: ${which} bit ${bit} is not valid because field is only ${field.bits} bits wide`,
    );
  };
  if (start > last) {
    throw new FlowSyntaxError(`${text}: starting bit ${start} is after ending bit ${last}`);
  }
  check('starting', start);
  check('ending', last);
  return { bits: { field, ofs: start, nBits: last - start + 1 }, end: at + range[0].length };
}

/**
 * Reads a subfield that is the whole of `text`; the field is a name (`reg0`) or a code's name (`NXM_NX_REG0`).
 * Throws FlowSyntaxError in the peer's words.
 */
export function parseSubfield(text: string): FieldBits {
  const open = text.search(/[[-]/);
  const nameEnd = open < 0 ? text.length : open;
  const name = text.slice(0, nameEnd);
  const field = fieldByCodeName(name) ?? fieldByName(name);
  if (field === undefined) throw new FlowSyntaxError(`${text}: unknown field \`${name}'`);
  const { bits, end } = parseBits(text, nameEnd, field);
  if (end < text.length) throw new FlowSyntaxError('unexpected input following field syntax');
  return bits;
}
