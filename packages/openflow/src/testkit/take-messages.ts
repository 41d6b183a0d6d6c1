const HEADER_LENGTH = 8;

/**
 * Cuts a stream's bytes so far into messages and gives each to `each`, borrowed.
 *
 * @returns the bytes after the last whole message, to which what comes next is to be added.
 */
export function takeMessages(bytes: Buffer, each: (message: Buffer) => void): Buffer {
  let rest = bytes;
  while (rest.length >= HEADER_LENGTH) {
    const length = rest.readUInt16BE(2);
    if (length < HEADER_LENGTH) throw new Error(`a message of ${length} bytes`);
    if (length > rest.length) break;
    each(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return rest;
}
