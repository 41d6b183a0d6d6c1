/** Small readers of action text. */
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
