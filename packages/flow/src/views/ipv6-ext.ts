import { u16 } from './bytes.js';

/**
 * IPv6 extension headers (RFC 8200, section 4), between the fixed header and the transport header.
 *
 *     0 next header  1 length (8-byte units beyond the first; AH: 4-byte units minus 2)  2 data
 *     fragment: 0 next header  1 reserved  2 offset:13 res:2 M:1  4 identification
 */

/** What a walk over the extension headers found. */
export interface Ipv6Transport {
  /** Protocol of the transport header; 44 for a later fragment. */
  readonly proto: number;
  /** Where it begins. */
  readonly offset: number;
  /** Fragment offset in units of 8 bytes, and the "more fragments" flag, when there is a fragment header. */
  readonly fragment?: { readonly offset: number; readonly more: boolean; readonly id: number };
}

/** Walks from `nextHeader` at `offset` up to `end`; undefined when a header does not fit. Work is bounded by the packet. */
export function walkIpv6Extensions(
  buf: Uint8Array,
  nextHeader: number,
  offset: number,
  end: number,
): Ipv6Transport | undefined {
  let proto = nextHeader;
  let at = offset;
  let fragment: Ipv6Transport['fragment'];
  while (proto === 0 || proto === 43 || proto === 44 || proto === 51 || proto === 60) {
    if (end > buf.length || end - at < 8) return undefined;
    const next = buf[at]!;
    if (proto === 44) {
      const word = u16(buf, at + 2);
      fragment = {
        offset: word >> 3,
        more: (word & 1) !== 0,
        id: u16(buf, at + 4) * 65536 + u16(buf, at + 6),
      };
      at += 8;
      if (fragment.offset !== 0) return { proto: 44, offset: at, fragment };
    } else {
      const length = proto === 51 ? (buf[at + 1]! + 2) << 2 : (buf[at + 1]! + 1) << 3;
      if (end - at < length) return undefined;
      at += length;
    }
    proto = next;
  }
  return fragment === undefined ? { proto, offset: at } : { proto, offset: at, fragment };
}
