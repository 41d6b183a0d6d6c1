/**
 * What travels beside a frame and is not in its bytes: the offload state of a `virtio_net_hdr` and the two marks.
 * A port keeps one `PacketMeta`, fills it before `Datapath.receive` and may reuse it for the next frame. The core
 * changes it while actions run (a pushed VLAN tag moves `csumStart`) and passes it to `PortProvider.send`.
 */

/** `gsoType` values: those of `virtio_net_hdr.gso_type` (linux/virtio_net.h). */
export const Gso = {
  NONE: 0,
  TCPV4: 1,
  UDP: 3,
  TCPV6: 4,
  UDP_L4: 5,
  /** May be added to a TCP type: the segments carry ECN. */
  ECN: 0x80,
} as const;

export class PacketMeta {
  /** One of `Gso`; `NONE` for an ordinary frame. */
  gsoType = 0;
  /** Payload bytes of each segment, when `gsoType` is set. */
  gsoSize = 0;
  /** Bytes of all headers of a giant frame, from the start of the frame; a hint, 0 when not known. */
  hdrLen = 0;
  /**
   * Where the checksummed region starts, in bytes from the start of the frame, or -1 when the checksum in the frame
   * is complete. When it is not (VIRTIO_NET_HDR_F_NEEDS_CSUM), the checksum field holds the folded, uncomplemented
   * sum of the pseudo header, and the region runs from here to the end of the frame.
   */
  csumStart = -1;
  /** Where the checksum field is, in bytes from `csumStart`. */
  csumOffset = 0;
  /** True when the device vouches for the checksum (VIRTIO_NET_HDR_F_DATA_VALID). */
  csumValid = false;
  /** `skb_priority`: queue chosen by set_queue; 0 by default. */
  priority = 0;
  /** `pkt_mark`. */
  mark = 0;

  /** Back to an ordinary frame without offloads and marks. */
  reset(): void {
    this.gsoType = 0;
    this.gsoSize = 0;
    this.hdrLen = 0;
    this.csumStart = -1;
    this.csumOffset = 0;
    this.csumValid = false;
    this.priority = 0;
    this.mark = 0;
  }

  /** Takes over all fields of `other`. */
  copyFrom(other: PacketMeta): void {
    this.gsoType = other.gsoType;
    this.gsoSize = other.gsoSize;
    this.hdrLen = other.hdrLen;
    this.csumStart = other.csumStart;
    this.csumOffset = other.csumOffset;
    this.csumValid = other.csumValid;
    this.priority = other.priority;
    this.mark = other.mark;
  }
}
