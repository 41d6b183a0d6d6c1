/** Values of Nicira's extensions: tunnel options as fields, flushing of connections, statistics of IPFIX exporters. */

/** A tunnel option (Geneve) that the field `tun_metadata<index>` stands for. */
export interface TlvMapping {
  readonly optionClass: number;
  readonly optionType: number;
  /** Bytes, a multiple of 4. */
  readonly optionLen: number;
  readonly index: number;
}

export type TlvTableCommand = 'add' | 'delete' | 'clear';

/** One direction of a connection; what is undefined does not matter. Ports in host order. */
export interface CtFlushTuple {
  /** An IPv6 address, or an IPv4 one in its mapped form (::ffff:0:0/96). */
  readonly src: bigint;
  readonly dst: bigint;
  /** Ports, or with ICMP `srcPort` is the id. */
  readonly srcPort: number;
  readonly dstPort: number;
  readonly icmpType: number;
  readonly icmpCode: number;
}

export interface CtFlush {
  readonly ipProto: number;
  readonly zone: number | undefined;
  readonly orig: CtFlushTuple;
  readonly reply: CtFlushTuple;
  /**
   * As received: whether the last address is an IPv4 one, after which the peer names all of them. Absent: as is any of
   * them.
   */
  readonly lastIsIp4?: boolean;
}

export interface IpfixStats {
  /** 0 for a bridge's exporter. */
  readonly collectorSetId: number;
  readonly totalFlows: bigint;
  readonly currentFlows: bigint;
  readonly packets: bigint;
  readonly ipv4Packets: bigint;
  readonly ipv6Packets: bigint;
  readonly errorPackets: bigint;
  readonly ipv4ErrorPackets: bigint;
  readonly ipv6ErrorPackets: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
}
