/**
 * Internet checksums kept right while header bytes change (RFC 1624: HC' = ~(~HC + ~m + m')).
 * All values are 16-bit quantities in network order as numbers; `at` is the position of the checksum field.
 */

/** Folds a sum of 16-bit words (up to 2^31) to 16 bits. */
function fold(sum: number): number {
  const s = (sum & 0xffff) + (sum >>> 16);
  return (s & 0xffff) + (s >>> 16);
}

/** Updates the complete checksum at `at` for a 32-bit word that changes from `old` to `now`. */
export function update32(buf: Uint8Array, at: number, old: number, now: number): void {
  const sum =
    (~((buf[at] << 8) | buf[at + 1]) & 0xffff) +
    (~(old >>> 16) & 0xffff) +
    (~old & 0xffff) +
    (now >>> 16) +
    (now & 0xffff);
  const check = ~fold(sum) & 0xffff;
  buf[at] = check >>> 8;
  buf[at + 1] = check;
}

/** Updates the complete checksum at `at` for a 16-bit word that changes from `old` to `now`. */
export function update16(buf: Uint8Array, at: number, old: number, now: number): void {
  const sum = (~((buf[at] << 8) | buf[at + 1]) & 0xffff) + (~old & 0xffff) + now;
  const check = ~fold(sum) & 0xffff;
  buf[at] = check >>> 8;
  buf[at + 1] = check;
}

/**
 * Updates the partial checksum at `at` (the folded sum of the pseudo header, not complemented, as the virtio header's
 * NEEDS_CSUM leaves it) for a 32-bit word of the pseudo header that changes from `old` to `now`.
 */
export function updatePartial32(buf: Uint8Array, at: number, old: number, now: number): void {
  const sum =
    ((buf[at] << 8) | buf[at + 1]) +
    (~(old >>> 16) & 0xffff) +
    (~old & 0xffff) +
    (now >>> 16) +
    (now & 0xffff);
  const check = fold(sum);
  buf[at] = check >>> 8;
  buf[at + 1] = check;
}

/** What a byte that leaves the register of a CRC32c (RFC 9260, appendix A) does to it, bits in the order of the wire. */
const CRC32C = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  return crc;
});

/**
 * Updates the CRC32c at `at` for a 32-bit word at the start of the `length` bytes that it covers, of which `changed` are the
 * bits that have changed: the CRC is linear, so that all other bytes count as zeros.
 */
export function updateCrc32c(buf: Uint8Array, at: number, changed: number, length: number): void {
  let crc = 0;
  for (let shift = 24; shift >= 0; shift -= 8) crc = CRC32C[(crc ^ (changed >>> shift)) & 0xff] ^ (crc >>> 8);
  for (let i = 4; i < length; i++) crc = CRC32C[crc & 0xff] ^ (crc >>> 8);
  for (let i = 0; i < 4; i++) buf[at + i] ^= crc >>> (8 * i);
}
