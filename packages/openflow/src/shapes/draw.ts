/** Values tried for each span of a shape that is looked for, and of all of them together. */
export const TRIES = 6;
export const ROUNDS = 12;

/** Values to try shapes with: the same each time, so that a shape that is found once is always found. */
export class Draw {
  private state = 0x2545f491;

  /** The next of the numbers below `n`, which is at most 2^32. */
  below(n: number): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.state / 0x100000000) * n);
  }

  /** A number as eight bytes: of `n` 0 the least, of 1 the greatest, else one of any length. */
  number(low: number, high: number, n: number): Uint8Array {
    const reach = Math.min(high - low + 1, 2 ** this.below(54));
    const drawn = low + Math.floor((this.below(0x100000000) / 0x100000000) * reach);
    const v = n === 0 ? low : n === 1 ? high : drawn;
    const out = new Uint8Array(8);
    for (let i = 7, left = v; i >= 0; i--, left = Math.floor(left / 256)) out[i] = left;
    return out;
  }

  /** An address: of `n` 0 zeros, of 1 ones, else one with zeros in it, more often than not. */
  bytes(width: number, n: number): Uint8Array {
    const out = Uint8Array.from({ length: width }, () => (n === 0 ? 0 : n === 1 ? 0xff : this.below(256)));
    if (n > 1) out.fill(0, this.below(width), this.below(width));
    if (n > 8) out.fill(0, 0, this.below(width));
    return out;
  }
}
