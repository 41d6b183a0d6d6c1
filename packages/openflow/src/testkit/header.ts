/** A message that is nothing but a header. */
export function header(version: number, type: number, xid: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = version;
  bytes[1] = type;
  bytes.writeUInt16BE(8, 2);
  bytes.writeUInt32BE(xid, 4);
  return bytes;
}
