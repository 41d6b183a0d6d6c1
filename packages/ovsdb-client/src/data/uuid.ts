/**
 * UUIDs as 36-character lower-case strings.
 *
 * Strings were chosen over two or four integers: they are Map keys as they are, `===` compares them, JSON needs
 * no conversion, and the lexicographic order of the text is the order of the 128-bit number.
 */

export const ZERO_UUID = '00000000-0000-0000-0000-000000000000';

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
const LOWER_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A random (version 4) UUID. */
export function newUuid(): string {
  // Loaded here: what only reads a database starts 3 ms sooner without it.
  return process.getBuiltinModule('node:crypto').randomUUID();
}

/** The canonical form of a complete UUID text, or undefined when it is not one. */
export function parseUuid(text: string): string | undefined {
  if (LOWER_UUID.test(text)) return text;
  return UUID.test(text) ? text.toLowerCase() : undefined;
}

/**
 * How much of `text` could be the start of a UUID: true when all of it is (as `ovs-vsctl` accepts abbreviated
 * UUIDs, at least 4 digits), with hyphens at their places.
 */
export function isPartialUuid(text: string): boolean {
  if (text.length < 4 || text.length > 36) return false;
  for (let i = 0; i < text.length; i++) {
    const isHyphenPlace = i === 8 || i === 13 || i === 18 || i === 23;
    if (isHyphenPlace ? text[i] !== '-' : !/[0-9a-fA-F]/.test(text[i]!)) return false;
  }
  return true;
}
