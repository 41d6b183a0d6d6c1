/**
 * Properties, the TLVs in which OpenFlow 1.4 and later (and some extensions) say what is optional: type, length
 * without padding, body, padding to 8 bytes. With the experimenter type an experimenter id and its own type follow.
 */
import { type ErrorName, fail } from '../errors.js';
import type { PropertyHolder } from '../explain.js';
import type { Reader, Writer } from '../wire.js';

export interface Property {
  readonly type: number;
  /** Of an experimenter's property, whose `type` is the experimenter's own. */
  readonly experimenter: number | undefined;
  /** The body, after the experimenter's header where there is one. */
  readonly body: Reader;
  /** Length as said, header included. */
  readonly length: number;
}

/** Writes a property whose body `put` writes; its length field excludes padding, as it is on the wire. */
export function putProperty(w: Writer, type: number, put: () => void): void {
  const start = w.length;
  w.u16(type).u16(0);
  put();
  w.setU16(start + 2, w.length - start);
  w.pad(8, start);
}

const EXPERIMENTER_MIN = 0xfffe;

/**
 * Reads the next property with its padding. Types from `experimenterFrom` up are experimenters'.
 * A length that is wrong fails with `error`.
 */
export function readProperty(
  r: Reader,
  error: ErrorName = 'OFPBPC_BAD_LEN',
  experimenterFrom = EXPERIMENTER_MIN + 1,
): Property {
  if (r.left < 4) fail(error, `${r.left} bytes of a property`);
  const type = r.u16();
  const length = r.u16();
  if (length < 4) fail(error, `property of ${length} bytes`);
  const padded = (length + 7) & ~7;
  if (padded - 4 > r.left) fail(error, `property of ${length} bytes in ${r.left + 4}`);
  const all = r.sub(padded - 4, error);
  const body = all.sub(length - 4, error);
  if (type < experimenterFrom) return { type, experimenter: undefined, body, length };
  if (length < 12) fail('OFPBPC_BAD_LEN', `experimenter property of ${length} bytes`);
  const experimenter = body.u32();
  if (experimenter === 0) fail('OFPBPC_BAD_EXPERIMENTER', 'experimenter 0');
  return { type: body.u32(), experimenter, body, length };
}

/** Refuses a property that is not known to its `holder`; passes over it if `loose`. */
export function unknownProperty(p: Property, holder: PropertyHolder, loose: boolean): void {
  p.body.explain?.('unknown_property', holder, p.type, p.experimenter, loose);
  if (loose) return;
  if (p.experimenter !== undefined)
    fail('OFPBPC_BAD_EXP_TYPE', `property of 0x${p.experimenter.toString(16)}`);
  fail('OFPBPC_BAD_TYPE', `property ${p.type}`);
}
