/** Nicira's extensions as text: mappings of tunnel options (add-tlv-map), tuples of connections (ct-flush). */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { scanWrapped } from '@ovs-node/flow/int-text';
import type { TlvMapping } from '../messages/extension-types.js';

/** A number as scanf("%i") reads it. */
const NUMBER = '([ \\t]*[-+]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*))';
const MAPPING = new RegExp(`^,?\\{class=${NUMBER},type=${NUMBER},len=${NUMBER}\\}->tun_metadata${NUMBER}`);

/**
 * Reads `{class=0xffff,type=0,len=4}->tun_metadata0`, as many as there are, with a comma between or nothing. Numbers
 * count modulo what their place in the message holds.
 *
 * @throws FlowSyntaxError with the peer's words.
 */
export function parseTlvMappings(text: string): TlvMapping[] {
  const mappings: TlvMapping[] = [];
  let rest = text;
  while (rest !== '') {
    const m = MAPPING.exec(rest);
    if (!m) throw new FlowSyntaxError('invalid tlv mapping');
    const number = (i: number, bits: number): number =>
      Number(BigInt.asUintN(bits, scanWrapped(m[i])!.value));
    mappings.push({
      optionClass: number(1, 16),
      optionType: number(2, 8),
      optionLen: number(3, 8),
      index: number(4, 16),
    });
    rest = rest.slice(m[0].length);
  }
  return mappings;
}
