/** Table numbers and names in text. */
import { vlog } from '@ovs-node/common/vlog';
import { readDecimal } from '@ovs-node/flow/int-text';
import { formatName } from '@ovs-node/flow/ports';
import type { TableMap } from '../actions/row.js';
import { readPlain } from './numbers.js';

const log = vlog('ofp_table');

/** The table of `text`, 0 to 255 or a name (which may be in double quotes), or undefined. */
export function readTable(text: string, tables?: TableMap): number | undefined {
  const plain = readPlain(text);
  if (plain >= 0 && plain <= 255 && text.charCodeAt(1) !== 120) return plain;
  if (text.startsWith('-')) {
    log.warn(`Negative value ${text} is not a valid table number.`);
    return undefined;
  }
  const n = readDecimal(text);
  if (n <= 255) return n;
  if (n <= 0xffffffff) {
    log.warn(`table ${n} is outside the supported range 0 through 255`);
    return undefined;
  }
  const name = unquote(text);
  // As with the peer, a string that is none is table 0.
  return name === undefined ? 0 : tables?.nameToNumber(name);
}

/** The name in a JSON string, or `text` itself; undefined for a string that has something wrong in it. */
function unquote(text: string): string | undefined {
  if (!text.startsWith('"')) return text;
  try {
    const v: unknown = JSON.parse(text);
    return typeof v === 'string' ? v : undefined;
  } catch {
    return undefined;
  }
}

/** The name of a table as `formatName` has it, or its number. */
export function formatTable(table: number, tables?: TableMap): string {
  const name = tables?.numberToName(table);
  return name === undefined ? String(table) : formatName(name);
}
