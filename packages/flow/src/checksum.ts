/**
 * The Internet checksum (RFC 1071), its incremental update (RFC 1624) and the pseudo headers of IPv4 (RFC 793)
 * and IPv6 (RFC 8200, 8.1). Hot path: no allocation. Sums are plain numbers: a partial sum stays below 2^53 for
 * any buffer, and `foldSum` brings it to 16 bits.
 */

/** Partial sum of `buf[start, end)` as 16-bit big-endian words, an odd last byte padded with 0; add to `sum`. */
export function sumBytes(buf: Uint8Array, start: number, end: number, sum = 0): number {
  let s = sum;
  let i = start;
  const even = end - ((end - start) & 1);
  for (; i < even; i += 2) s += (buf[i]! << 8) | buf[i + 1]!;
  if (even < end) s += buf[even]! << 8;
  return s;
}

/** Folds a partial sum to 16 bits with end-around carry. */
export function foldSum(sum: number): number {
  // Beyond 32 bits the bitwise operators would drop carries, so divide first.
  let s = sum > 0xffffffff ? (sum % 0x100000000) + Math.floor(sum / 0x100000000) : sum;
  while (s > 0xffff) s = (s & 0xffff) + (s >>> 16) + (s > 0xffffffff ? 1 : 0);
  return s;
}

/** The checksum field's value for a partial sum: its one's complement. */
export function finishSum(sum: number): number {
  return ~foldSum(sum) & 0xffff;
}

/** The checksum of `buf[start, end)`; 0 when the checksum in it is right. */
export function checksum(buf: Uint8Array, start: number, end: number): number {
  return finishSum(sumBytes(buf, start, end));
}

/** Partial sum of the IPv4 pseudo header; addresses are 32-bit numbers, `length` is that of the L4 segment. */
export function pseudoIpv4(src: number, dst: number, proto: number, length: number): number {
  return (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + proto + length;
}

/** Partial sum of the pseudo header of the IPv6 header at `ip` of `buf`, addresses read from there. */
export function pseudoIpv6(buf: Uint8Array, ip: number, proto: number, length: number): number {
  return sumBytes(buf, ip + 8, ip + 40, proto + (length >>> 16) + (length & 0xffff));
}

/** The checksum after a 16-bit word it covers went from `from` to `to` (RFC 1624, equation 3). */
export function updateChecksum16(sum: number, from: number, to: number): number {
  let s = (~sum & 0xffff) + (~from & 0xffff) + (to & 0xffff);
  s = (s & 0xffff) + (s >>> 16);
  s = (s & 0xffff) + (s >>> 16);
  return ~s & 0xffff;
}

/** `updateChecksum16` for a 32-bit word at an even offset. */
export function updateChecksum32(sum: number, from: number, to: number): number {
  let s =
    (~sum & 0xffff) + (~from & 0xffff) + ((~from >>> 16) & 0xffff) + (to & 0xffff) + ((to >>> 16) & 0xffff);
  s = (s & 0xffff) + (s >>> 16);
  s = (s & 0xffff) + (s >>> 16);
  return ~s & 0xffff;
}
