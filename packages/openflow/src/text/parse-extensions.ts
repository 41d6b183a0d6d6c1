/** Nicira's extensions as text: mappings of tunnel options (add-tlv-map), tuples of connections (ct-flush). */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import type { TlvMapping } from '../messages/extension-types.js';

const MAPPING =
  /^\{\s*class\s*=\s*(0x[0-9a-fA-F]+|\d+)\s*,\s*type\s*=\s*(0x[0-9a-fA-F]+|\d+)\s*,\s*len\s*=\s*(0x[0-9a-fA-F]+|\d+)\s*\}\s*->\s*tun_metadata(\d+)/;

/**
 * Reads `{class=0xffff,type=0,len=4}->tun_metadata0`, as many as there are, apart by commas or blanks.
 *
 * @throws FlowSyntaxError with the peer's words.
 */
export function parseTlvMappings(text: string): TlvMapping[] {
  const mappings: TlvMapping[] = [];
  let rest = text.replace(/^[,\s]+/, '');
  while (rest !== '') {
    const m = MAPPING.exec(rest);
    if (!m) throw new FlowSyntaxError('invalid tlv mapping');
    mappings.push({
      optionClass: Number(m[1]) & 0xffff,
      optionType: Number(m[2]) & 0xff,
      optionLen: Number(m[3]) & 0xff,
      index: Number(m[4]) & 0xffff,
    });
    rest = rest.slice(m[0].length).replace(/^[,\s]+/, '');
  }
  return mappings;
}
