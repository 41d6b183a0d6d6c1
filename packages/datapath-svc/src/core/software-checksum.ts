/**
 * Completes a checksum that an offload was to complete: the field holds the folded sum of the pseudo header, the
 * region `buf[from, end)` holds the rest. Writes to `buf`. Does nothing when the field does not lie in the region.
 */
export function completeChecksum(buf: Uint8Array, from: number, offset: number, end: number): void {
  if (from + offset + 2 > end) return;
  let sum = 0;
  let at = from;
  for (; at + 1 < end; at += 2) sum += (buf[at] << 8) | buf[at + 1];
  if (at < end) sum += buf[at] << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  let check = ~sum & 0xffff;
  // As a UDP checksum 0 would mean none; for TCP both forms are the same number.
  if (check === 0) check = 0xffff;
  buf[from + offset] = check >>> 8;
  buf[from + offset + 1] = check;
}
