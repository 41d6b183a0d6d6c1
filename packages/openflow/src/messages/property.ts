/**
 * Properties, the TLVs in which OpenFlow 1.4 and later (and some extensions) say what is optional: type, length
 * without padding, body, padding to 8 bytes. With the experimenter type an experimenter id and its own type follow.
 */
import { type ErrorName, fail } from '../errors.js';
import type { Reader, Writer } from '../wire.js';
import { PROPERTIES, type PropertyHolder, type PropertyName, type PropertyRow } from './property-table.js';

export interface Property {
  readonly type: number;
  /** Of an experimenter's property, whose `type` is the experimenter's own. */
  readonly experimenter: number | undefined;
  /** The body, after the experimenter's header where there is one. */
  readonly body: Reader;
  /** Length as said, header included. */
  readonly length: number;
}

/** The rows of a holder, by their names. */
function rowsOf(holder: PropertyHolder): Readonly<Record<string, PropertyRow>> {
  return PROPERTIES[holder].rows;
}

/** The number of a property. */
export function propertyType<H extends PropertyHolder>(holder: H, name: PropertyName<H>): number {
  return rowsOf(holder)[name]!.type;
}

/** Writes a property whose body `put` writes. */
export function putProperty<H extends PropertyHolder>(
  w: Writer,
  holder: H,
  name: PropertyName<H>,
  put: () => void,
): void {
  const { type, experimenter } = rowsOf(holder)[name]!;
  putPropertyOf(w, type, experimenter, put);
}

/** Writes a property by its numbers; its length field excludes padding, as it is on the wire. */
export function putPropertyOf(
  w: Writer,
  type: number,
  experimenter: number | undefined,
  put: () => void,
): void {
  const start = w.length;
  if (experimenter === undefined) w.u16(type).u16(0);
  else w.u16(EXPERIMENTER).u16(0).u32(experimenter).u32(type);
  put();
  w.setU16(start + 2, w.length - start);
  w.pad(8, start);
}

/**
 * The name of a property of `holder`; undefined when it has none such. Fails for one that is not as long as it always is.
 */
export function propertyName<H extends PropertyHolder>(
  holder: H,
  { type, experimenter, length }: Property,
): PropertyName<H> | undefined {
  const rows = rowsOf(holder);
  for (const name in rows) {
    const row = rows[name]!;
    if (row.type !== type || row.experimenter !== experimenter) continue;
    if (row.length !== undefined && row.length !== length)
      fail('OFPBPC_BAD_LEN', `property of ${length} bytes`);
    return name as PropertyName<H>;
  }
  return undefined;
}

/** The type of experimenters' properties. */
const EXPERIMENTER = 0xffff;

/**
 * Reads the next property with its padding. Types from `experimenterFrom` up are experimenters'.
 * A length that is wrong fails with `error`.
 */
export function readProperty(
  r: Reader,
  error: ErrorName = 'OFPBPC_BAD_LEN',
  experimenterFrom = EXPERIMENTER,
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
