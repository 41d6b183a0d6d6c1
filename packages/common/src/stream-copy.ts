/** What a socket reads into a buffer of its own, and hands on as copies. */

/** Bytes taken from the system at once. */
export const READ_PIECE = 1 << 16;

/** Copies of so many bytes are made without a view of them, which takes longer to make than they to copy. */
const SHORT = 64;

/** The first `length` bytes of `bytes`, the caller's. */
export function copyOf(bytes: Uint8Array, length: number): Buffer {
  if (length > SHORT) return Buffer.from(bytes.subarray(0, length));
  const copy = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[i]!;
  return copy;
}
