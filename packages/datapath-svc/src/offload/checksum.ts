/**
 * The Internet checksum (RFC 1071) over byte ranges, and what is needed to complete one that the sender left to the
 * device: bulk work on whole payloads, in software, for outputs that cannot take a `virtio_net_hdr`.
 */

/**
 * The 16-bit ones' complement sum of `buf[start, end)` and `initial`, folded, not complemented. An odd last byte
 * counts as the high half of a word. Ranges up to 64 KiB.
 */
export function sum16(buf: Uint8Array, start: number, end: number, initial: number): number {
  // At most 32768 words of 16 bits and `initial`: below 2^31, so no fold is needed on the way.
  let high = 0;
  let low = initial;
  const even = start + ((end - start) & ~1);
  for (let i = start; i < even; i += 2) {
    high += buf[i]!;
    low += buf[i + 1]!;
  }
  let sum = high * 256 + low;
  if (even < end) sum += buf[even]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/**
 * Complete the checksum of `buf[start, end)` whose field, `field` bytes into `buf`, holds the folded sum of the
 * pseudo header (VIRTIO_NET_HDR_F_NEEDS_CSUM). `from` is where the covered bytes begin. A result of zero is stored
 * as 0xffff, which means the same and is what UDP wants.
 */
export function completeChecksum(buf: Uint8Array, from: number, end: number, field: number): void {
  const sum = ~sum16(buf, from, end, 0) & 0xffff;
  const stored = sum === 0 ? 0xffff : sum;
  buf[field] = stored >>> 8;
  buf[field + 1] = stored;
}
