/** Small readers of action text. */

/** What C's atoi() makes of a text: the number at its start, 0 for none, in 32 bits. */
export function atoi(text: string): number {
  const digits = /^\s*([-+]?\d+)/.exec(text)?.[1];
  return digits === undefined ? 0 : Number(BigInt.asIntN(32, BigInt(digits)));
}
