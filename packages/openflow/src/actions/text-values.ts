/** Small readers of action text. */
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { skipBlanks } from '@ovs-node/flow/int-text';

const MAX_LONG = 0x7fffffffffffffffn;

/** What C's atoi() makes of a text: the number at its start, 0 for none, at most 63 bits of it, of which 32 count. */
export function atoi(text: string): number {
  const digits = /^[-+]?\d+/.exec(text.slice(skipBlanks(text)))?.[0];
  if (digits === undefined) return 0;
  const value = BigInt(digits);
  const kept = value > MAX_LONG ? MAX_LONG : value < -MAX_LONG ? -MAX_LONG - 1n : value;
  return Number(BigInt.asIntN(32, kept));
}

/** The parts of `VALUE->FIELD`, neither of them looked at but that the field has a name. @throws FlowSyntaxError */
export function splitArrow(arg: string): { value: string; field: string } {
  const arrow = arg.indexOf('->');
  if (arrow < 0) throw new FlowSyntaxError(`${arg}: missing \`->'`);
  const field = arg.slice(arrow + 2);
  if (field === '') throw new FlowSyntaxError(`${arg}: missing field name following \`->'`);
  return { value: arg.slice(0, arrow), field };
}
