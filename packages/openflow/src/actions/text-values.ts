/** Small readers of action text. */

const MAX_LONG = 0x7fffffffffffffffn;

/** What C's atoi() makes of a text: the number at its start, 0 for none, at most 63 bits of it, of which 32 count. */
export function atoi(text: string): number {
  const digits = /^[ \t\n\v\f\r]*([-+]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0;
  const value = BigInt(digits.replace('+', ''));
  const kept = value > MAX_LONG ? MAX_LONG : value < -MAX_LONG ? -MAX_LONG - 1n : value;
  return Number(BigInt.asIntN(32, kept));
}
