/**
 * Mixing for the hash tables of the datapath: one multiplication and one rotation per word, and a finish that
 * spreads the entropy to the low bits (the finaliser of MurmurHash3). Not keyed: the tables bound their probe
 * sequences' damage by their load factor, and flows are made by vswitchd, not by strangers.
 */

/** Folds one 32-bit word into `h`. */
export function mix(h: number, word: number): number {
  const x = Math.imul(h ^ word, 0x9e3779b1);
  return (x << 13) | (x >>> 19);
}

/** Makes the low bits of `h` depend on all of it. */
export function finish(h: number): number {
  let x = h ^ (h >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return x ^ (x >>> 16);
}
