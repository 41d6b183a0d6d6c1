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
