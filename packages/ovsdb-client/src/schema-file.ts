/** The text of a schema file: indented JSON with a checksum of itself. */
import { type Json, type JsonObject, isJsonArray, isJsonObject, stringifyJson } from './data/json.js';

/**
 * The text of a `.ovsschema` file. Its `cksum` member is that of the POSIX `cksum` command over the text with the
 * member taken out (as the schema check of Open vSwitch computes it): "CRC LENGTH".
 */
export function schemaFileText(schema: JsonObject): string {
  const { cksum: _cksum, tables, ...head } = schema;
  const bare = `${layout({ ...head, tables: tables ?? {} }, 0)}\n`;
  const place = bare.indexOf(' "tables":');
  const [before, after] = [bare.slice(0, place), bare.slice(place)];
  const sum = posixCksum(Buffer.from(`${before} \n${after}`));
  return `${before} "cksum": "${sum}",\n${after}`;
}

/** One member per line down to the columns; what is inside of a column stays on one line. */
function layout(json: Json | undefined, depth: number): string {
  if (!isJsonObject(json) || depth >= 5 || (depth === 4 && 'type' in json)) return inline(json ?? null);
  const pad = ' '.repeat(depth + 1);
  const members = Object.entries(json).map(([key, value]) => `${pad}"${key}": ${layout(value, depth + 1)}`);
  return `{\n${members.join(',\n')}}`;
}

function inline(json: Json): string {
  if (isJsonArray(json)) return `[${json.map(inline).join(', ')}]`;
  if (!isJsonObject(json)) return stringifyJson(json);
  const members = Object.entries(json).map(([key, value]) => `"${key}": ${inline(value ?? null)}`);
  return `{${members.join(', ')}}`;
}

/** "CRC LENGTH" as the POSIX `cksum` command prints it: CRC-32 of polynomial 04C11DB7, length appended. */
export function posixCksum(bytes: Uint8Array): string {
  let crc = 0;
  for (const byte of bytes) crc = crcByte(crc, byte);
  for (let n = bytes.length; n > 0; n = Math.floor(n / 256)) crc = crcByte(crc, n & 0xff);
  return `${~crc >>> 0} ${bytes.length}`;
}

function crcByte(crc: number, byte: number): number {
  let next = crc ^ (byte << 24);
  for (let bit = 0; bit < 8; bit++) next = next & 0x80000000 ? (next << 1) ^ 0x04c11db7 : next << 1;
  return next;
}
