/** Reads of bytes that the caller has checked to be there. */

/** A number of 32 bits in little-endian order, which is that of every host we run on: netlink's order. */
export function u32(buf: Uint8Array, at: number): number {
  return (buf[at]! | (buf[at + 1]! << 8) | (buf[at + 2]! << 16) | (buf[at + 3]! << 24)) >>> 0;
}

/** Whether `n` bytes are all 0. */
export function isZero(buf: Uint8Array, at = 0, n = buf.length): boolean {
  for (let i = 0; i < n; i++) if (buf[at + i] !== 0) return false;
  return true;
}
