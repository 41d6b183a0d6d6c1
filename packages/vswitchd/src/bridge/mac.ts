/** Ethernet addresses of bridges and the datapath IDs that come from them (ovs-vswitchd.conf.db(5), Bridge). */
import { formatMacBytes as formatMac, parseMacBytes } from '@ovs-node/flow/addr-text';

export { formatMac };

/** Bytes of `aa:bb:cc:dd:ee:ff`; undefined for another text, for a multicast address and for all zeros. */
export function parseMac(text: string | undefined): Uint8Array | undefined {
  const bytes = parseMacBytes(text);
  return bytes === undefined || (bytes[0]! & 1) !== 0 || bytes.every((byte) => byte === 0)
    ? undefined
    : bytes;
}

export function macToBigint(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/**
 * The address that a bridge has when nothing else gives it one: the first six bytes of its row's UUID as the peer
 * holds them in memory (32-bit little-endian words), made a locally administered unicast address.
 */
export function macOfUuid(uuid: string): Uint8Array {
  const digits = uuid.replaceAll('-', '');
  const bytes = [3, 2, 1, 0, 7, 6].map((i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
  bytes[0] = (bytes[0]! & ~1) | 2;
  return Uint8Array.from(bytes);
}

/** May this address of a port become its bridge's? Only one that a vendor gave. */
export function isGlobalMac(bytes: Uint8Array): boolean {
  return (bytes[0]! & 3) === 0 && bytes.some((byte) => byte !== 0);
}

/** The datapath ID, 16 hexadecimal digits, of a bridge with this address. */
export function datapathIdOf(mac: Uint8Array): string {
  return formatMac(mac).replaceAll(':', '').padStart(16, '0');
}
