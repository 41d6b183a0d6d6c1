/**
 * Attributes as rows of typed tables: a table says name, code and kind of each attribute of one scope (a family, a
 * nest), and the value type, the encoder and the checked decoder derive from it. For the control plane; per-upcall
 * and per-packet code uses `NlReader` and `NlWriter` by hand with the codes of the same tables.
 */
import { NetlinkError, NlReader, type NlWriter } from './attr.js';

/** What an attribute's payload is; the value's JavaScript type follows from it. */
export interface KindValue {
  flag: true;
  u8: number;
  u16: number;
  u32: number;
  u64: bigint;
  be16: number;
  be32: number;
  be64: bigint;
  /** UTF-8 with or without a terminating zero when read, with one when written. */
  string: string;
  /** Any bytes; `len` or `maxLen` of the row bounds them. Lent when read. */
  bytes: Uint8Array;
  /** An attribute list, still encoded (walked by its own table). Lent when read. */
  nested: Uint8Array;
  /** A list of u32. */
  u32s: readonly number[];
}
export type Kind = keyof KindValue;

export interface AttrRow {
  readonly code: number;
  readonly kind: Kind;
  /** Exact payload length of a `bytes` attribute. */
  readonly len?: number;
  /** Longest payload of a `bytes`, `string` or `u32s` attribute. */
  readonly maxLen?: number;
  /** Ignored when read, never written (alignment padding). */
  readonly pad?: true;
}
export type AttrTable = Readonly<Record<string, AttrRow>>;

/** The values of a table: every attribute optional, each of its kind's type. */
export type AttrValues<T extends AttrTable> = { -readonly [K in keyof T]?: KindValue[T[K]['kind']] };

const FIXED: Partial<Record<Kind, number>> = { u8: 1, u16: 2, u32: 4, u64: 8, be16: 2, be32: 4, be64: 8 };

const byCode = new WeakMap<AttrTable, Map<number, string>>();
function codesOf(table: AttrTable): Map<number, string> {
  let map = byCode.get(table);
  if (map === undefined) {
    map = new Map(Object.entries(table).map(([name, row]) => [row.code, name]));
    byCode.set(table, map);
  }
  return map;
}

/** The name of an attribute code, for error texts and traces; its number when the table does not have it. */
export function attrName(table: AttrTable, code: number): string {
  return codesOf(table).get(code) ?? String(code);
}

/**
 * Decodes the attribute list `buf[start, end)`. Unknown attributes are skipped (netlink's rule: families grow), a
 * repeated one takes its last value. Byte strings and nests share the memory of `buf`.
 * Throws `NetlinkError` EINVAL, naming the attribute, when a length is wrong or the list is malformed.
 */
export function decodeAttrs<T extends AttrTable>(
  table: T,
  buf: Uint8Array,
  start = 0,
  end = buf.length,
): AttrValues<T> {
  const names = codesOf(table);
  const values: Record<string, unknown> = {};
  const r = new NlReader(buf, start, end);
  while (r.next()) {
    const name = names.get(r.type);
    if (name === undefined) continue;
    const row = table[name]!;
    if (row.pad) continue;
    const want = FIXED[row.kind] ?? row.len;
    if (want !== undefined ? r.length !== want : r.length > (row.maxLen ?? 0xffff)) {
      throw new NetlinkError(22, `netlink attribute ${name} has bad length ${r.length}`);
    }
    values[name] = readKind(r, row.kind, name);
  }
  if (r.malformed) throw new NetlinkError(22, `malformed netlink attribute list`);
  return values as AttrValues<T>;
}

function readKind(r: NlReader, kind: Kind, name: string): unknown {
  switch (kind) {
    case 'flag':
      return true;
    case 'u8':
      return r.u8();
    case 'u16':
      return r.u16();
    case 'u32':
      return r.u32();
    case 'u64':
      return r.u64();
    case 'be16':
      return r.be16();
    case 'be32':
      return r.be32();
    case 'be64':
      return r.be64();
    case 'string':
      return r.string();
    case 'bytes':
    case 'nested':
      return r.bytes();
    case 'u32s': {
      if (r.length % 4 !== 0)
        throw new NetlinkError(22, `netlink attribute ${name} has bad length ${r.length}`);
      const list: number[] = [];
      for (let at = 0; at < r.length; at += 4) list.push(r.u32(at));
      return list;
    }
  }
}

/**
 * Appends the given values as attributes, in the order of the table's rows. Values that are `undefined` and flags
 * are absent when not `true`. Throws `NetlinkError` EMSGSIZE when a payload does not fit.
 */
export function encodeAttrs<T extends AttrTable>(w: NlWriter, table: T, values: AttrValues<T>): void {
  for (const [name, row] of Object.entries(table)) {
    const value = (values as Record<string, unknown>)[name];
    if (value !== undefined) writeKind(w, row, value);
  }
}

function writeKind(w: NlWriter, row: AttrRow, value: unknown): void {
  const { code } = row;
  switch (row.kind) {
    case 'flag':
      return w.putFlag(code);
    case 'u8':
      return w.putU8(code, value as number);
    case 'u16':
      return w.putU16(code, value as number);
    case 'u32':
      return w.putU32(code, value as number);
    case 'u64':
      return w.putU64(code, value as bigint);
    case 'be16':
      return w.putBe16(code, value as number);
    case 'be32':
      return w.putBe32(code, value as number);
    case 'be64':
      return w.putBe64(code, value as bigint);
    case 'string':
      return w.putString(code, value as string);
    case 'bytes':
    case 'nested':
      return w.putBytes(code, value as Uint8Array);
    case 'u32s': {
      const mark = w.startNested(code);
      for (const v of value as readonly number[]) w.rawU32(v);
      return w.endNested(mark);
    }
  }
}
