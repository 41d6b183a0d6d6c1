/**
 * `struct virtio_net_hdr` (linux/virtio_net.h), little-endian as packet sockets and TAP devices on our hosts have it:
 * the offload state of a frame, between the kernel and `PacketMeta`.
 *
 *      0       1          2            4             6               8
 *     | flags | gso_type | hdr_len u16 | gso_size u16 | csum_start u16 | csum_offset u16 |
 *
 * Both directions work on 16-bit words (`at` counts them), because a header is 2-byte aligned wherever we meet one.
 */

import type { PacketMeta } from '../../core/packet-meta.js';

export const VNET_HEADER = 10;
const NEEDS_CSUM = 1;
const DATA_VALID = 2;

/** Fill the offload fields of `meta` from the header at 16-bit word `at`. An all-zero header is an ordinary frame. */
export function readVnetHeader(halves: Uint16Array, at: number, meta: PacketMeta): void {
  meta.reset();
  const first = halves[at]!;
  if (first === 0) return;
  const flags = first & 0xff;
  if ((flags & NEEDS_CSUM) !== 0) {
    meta.csumStart = halves[at + 3]!;
    meta.csumOffset = halves[at + 4]!;
  } else if ((flags & DATA_VALID) !== 0) meta.csumValid = true;
  const gsoType = first >>> 8;
  if (gsoType !== 0) {
    meta.gsoType = gsoType;
    meta.hdrLen = halves[at + 1]!;
    meta.gsoSize = halves[at + 2]!;
  }
}

/** Write the header for `meta` at 16-bit word `at`. */
export function writeVnetHeader(halves: Uint16Array, at: number, meta: PacketMeta): void {
  const partial = meta.csumStart >= 0;
  halves[at] = (meta.gsoType << 8) | (partial ? NEEDS_CSUM : meta.csumValid ? DATA_VALID : 0);
  halves[at + 1] = meta.gsoType !== 0 ? meta.hdrLen : 0;
  halves[at + 2] = meta.gsoType !== 0 ? meta.gsoSize : 0;
  halves[at + 3] = partial ? meta.csumStart : 0;
  halves[at + 4] = partial ? meta.csumOffset : 0;
}
