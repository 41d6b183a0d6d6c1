/**
 * Counters of a port that come as properties of its statistics from OpenFlow 1.4 on: those of RFC 2819 and those that
 * a device names itself, in two vendor properties of Intel (openflow/intel-ext.h). Layout behind the property's type and
 * length, all big-endian:
 *
 *     RFC 2819:  experimenter (u32)  subtype 1 (u32)  4 bytes of padding  21 counters (u64)
 *     custom:    experimenter (u32)  subtype 2 (u32)  2 bytes of padding  count (u16)
 *                count times: length of the name (u8), the name, its value (u64)
 */
import type { Writer } from '../wire.js';
import { fail } from '../errors.js';
import { type Property, putProperty, unknownProperty } from './property.js';

const EXPERIMENTER = 0xffff;
const INTEL_VENDOR = 0xaa01;
const RFC2819 = 1;
const CUSTOM = 2;
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

/** Of the property with its header. */
const RFC2819_LENGTH = 16 + 8 * RFC2819_COUNTERS.length;

/** What the properties hold; both absent: nothing is counted. */
export interface PortCounters {
  /** One per row of `RFC2819_COUNTERS`; UINT64_MAX: not counted. */
  readonly rfc2819?: readonly bigint[];
  readonly custom?: readonly (readonly [name: string, value: bigint])[];
}

function property(w: Writer, subtype: number, body: () => void): void {
  putProperty(w, EXPERIMENTER, () => {
    w.u32(INTEL_VENDOR).u32(subtype);
    body();
  });
}

/** Writes both properties; the one of RFC 2819 is always sent, as the peer does. */
export function putPortCounters(w: Writer, { rfc2819, custom = [] }: PortCounters): void {
  property(w, RFC2819, () => {
    w.zeros(4);
    for (let i = 0; i < RFC2819_COUNTERS.length; i++) w.u64(rfc2819?.[i] ?? UNKNOWN);
  });
  if (custom.length === 0) return;
  property(w, CUSTOM, () => {
    w.zeros(2).u16(custom.length);
    for (const [name, value] of custom) {
      const bytes = new TextEncoder().encode(name).subarray(0, NAME_LENGTH);
      w.u8(bytes.length).bytes(bytes).u64(value);
    }
  });
}

/** Reads an experimenter's property; what is not known gives nothing. */
export function readPortCounters(p: Property): PortCounters {
  const { type: subtype, experimenter, body: r, length } = p;
  const isKnown = experimenter === INTEL_VENDOR && (subtype === RFC2819 || subtype === CUSTOM);
  if (!isKnown) {
    unknownProperty(p, 'port stats', true);
    return {};
  }
  if (subtype === RFC2819) {
    if (length !== RFC2819_LENGTH) fail('OFPBPC_BAD_LEN', `property of ${length} bytes`);
    r.skip(4);
    const rfc2819 = RFC2819_COUNTERS.map(() => r.u64());
    return rfc2819.every((value) => value === UNKNOWN) ? {} : { rfc2819 };
  }
  r.skip(2);
  const custom: [string, bigint][] = [];
  for (let count = r.u16(); count > 0; count--) {
    const name = new TextDecoder().decode(r.bytes(r.u8()).subarray(0, NAME_LENGTH));
    custom.push([name, r.u64()]);
  }
  return { custom };
}
