/**
 * Counters of a port that come as properties of its statistics from OpenFlow 1.4 on: those of RFC 2819 and those that
 * a device names itself, in two vendor properties of Intel (openflow/intel-ext.h). Layout behind the property's type and
 * length, all big-endian:
 *
 *     RFC 2819:  experimenter (u32)  subtype 1 (u32)  4 bytes of padding  21 counters (u64)
 *     custom:    experimenter (u32)  subtype 2 (u32)  2 bytes of padding  count (u16)
 *                count times: length of the name (u8), the name, its value (u64)
 */
import { decodeString, encodeString, type Reader, type Writer } from '../wire.js';
import { putProperty } from './property.js';

const UNKNOWN = 0xffffffffffffffffn;
/** Bytes of a name that count; the rest of a longer one is dropped. */
const NAME_LENGTH = 63;

/** Counters of RFC 2819: in the property's order, with the direction and the name that they are printed under. */
export const RFC2819_COUNTERS = [
  ['rx', '1_to_64_packets'],
  ['rx', '65_to_127_packets'],
  ['rx', '128_to_255_packets'],
  ['rx', '256_to_511_packets'],
  ['rx', '512_to_1023_packets'],
  ['rx', '1024_to_1522_packets'],
  ['rx', '1523_to_max_packets'],
  ['tx', '1_to_64_packets'],
  ['tx', '65_to_127_packets'],
  ['tx', '128_to_255_packets'],
  ['tx', '256_to_511_packets'],
  ['tx', '512_to_1023_packets'],
  ['tx', '1024_to_1522_packets'],
  ['tx', '1523_to_max_packets'],
  ['tx', 'multicast_packets'],
  ['rx', 'broadcast_packets'],
  ['tx', 'broadcast_packets'],
  ['rx', 'undersized_errors'],
  ['rx', 'oversize_errors'],
  ['rx', 'rx_fragmented_errors'],
  ['rx', 'rx_jabber_errors'],
] as const;

/** What the properties hold; both absent: nothing is counted. */
export interface PortCounters {
  /** One per row of `RFC2819_COUNTERS`; UINT64_MAX: not counted. */
  readonly rfc2819?: readonly bigint[];
  readonly custom?: readonly (readonly [name: string, value: bigint])[];
}

/** Writes both properties; the one of RFC 2819 is always sent, as the peer does. */
export function putPortCounters(w: Writer, { rfc2819, custom = [] }: PortCounters): void {
  putProperty(w, 'port stats', 'rfc2819', () => {
    w.zeros(4);
    for (let i = 0; i < RFC2819_COUNTERS.length; i++) w.u64(rfc2819?.[i] ?? UNKNOWN);
  });
  if (custom.length === 0) return;
  putProperty(w, 'port stats', 'custom', () => {
    w.zeros(2).u16(custom.length);
    for (const [name, value] of custom) {
      const bytes = encodeString(name).subarray(0, NAME_LENGTH);
      w.u8(bytes.length).bytes(bytes).u64(value);
    }
  });
}

/** Reads what is in one of the properties. */
export function readPortCounters(property: 'rfc2819' | 'custom', r: Reader): PortCounters {
  if (property === 'rfc2819') {
    r.skip(4);
    const rfc2819 = RFC2819_COUNTERS.map(() => r.u64());
    return rfc2819.every((value) => value === UNKNOWN) ? {} : { rfc2819 };
  }
  r.skip(2);
  const custom: [string, bigint][] = [];
  for (let count = r.u16(); count > 0; count--) {
    const name = decodeString(r.bytes(r.u8()).subarray(0, NAME_LENGTH));
    custom.push([name, r.u64()]);
  }
  return { custom };
}
