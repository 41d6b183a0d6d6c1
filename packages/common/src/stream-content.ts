/** What the first bytes of a stream look like, to tell a user who connects one protocol's client to another's server. Pure. */

export type StreamContent = 'JSON-RPC' | 'OpenFlow' | 'SSL';

/** A handshake record of TLS (RFC 8446 section 5.1): its type, and the major version 3. */
const TLS_HANDSHAKE = 0x16;
/** OpenFlow 1.0 to 1.5 begin with a hello, type 0, of at least a header. */
const MAX_OPENFLOW_VERSION = 6;

/** @param bytes what came first; a few are enough. Undefined for anything else, or when they are too few to tell. */
export function guessContent(bytes: Uint8Array): StreamContent | undefined {
  const [first, second = 0, lengthHigh = 0, lengthLow = 0] = bytes;
  if (first === TLS_HANDSHAKE && second === 3) return 'SSL';
  if (first === 0x7b) return 'JSON-RPC';
  const isVersion = first !== undefined && first >= 1 && first <= MAX_OPENFLOW_VERSION;
  return isVersion && second === 0 && lengthHigh * 256 + lengthLow >= 8 ? 'OpenFlow' : undefined;
}
