import { OfError } from '../errors.js';
import { Reader } from '../wire.js';
import { decodeHeader } from './codec.js';
import { readName } from './table.js';

/** Bytes of an entry before its properties (OpenFlow 1.3, section 7.3.5.5). */
const ENTRY_BASE = 64;

/**
 * The numbers and names of tables in a reply of table features, `message`, which is borrowed: without the properties,
 * some 1,500 bytes of each of 254 tables, which who wants the names does not want. Empty for any other message; an entry
 * that is cut or too short ends the list.
 */
export function tableNames(message: Uint8Array): readonly (readonly [tableId: number, name: string])[] {
  const header = decodeHeader(message);
  if (header instanceof OfError || !header.wire.key.endsWith('_TABLE_FEATURES_REPLY')) return [];
  const names: [number, string][] = [];
  const r = new Reader(message, header.bodyAt);
  while (r.left >= ENTRY_BASE) {
    const length = r.u16();
    if (length < ENTRY_BASE || length - 2 > r.left) break;
    const entry = r.sub(length - 2);
    const tableId = entry.u8();
    entry.skip(5);
    names.push([tableId, readName(entry)]);
  }
  return names;
}
