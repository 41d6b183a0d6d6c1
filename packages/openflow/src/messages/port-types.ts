/** Ports and their queues as values. */
import type { PortCounters } from './port-counters.js';

/** Bits of `PhyPort.config` (OpenFlow 1.0's OFPPC_*; 1.1 and later keep bits 0, 2, 5 and 6). */
export const PC = {
  PORT_DOWN: 1,
  NO_STP: 2,
  NO_RECV: 4,
  NO_RECV_STP: 8,
  NO_FLOOD: 16,
  NO_FWD: 32,
  NO_PACKET_IN: 64,
} as const;

/** Bits of `PhyPort.state`: OpenFlow 1.1's OFPPS_*, and from bit 8 OpenFlow 1.0's STP state. */
export const PS = {
  LINK_DOWN: 1,
  BLOCKED: 2,
  LIVE: 4,
  STP_LISTEN: 0 << 8,
  STP_LEARN: 1 << 8,
  STP_FORWARD: 2 << 8,
  STP_BLOCK: 3 << 8,
  STP_MASK: 3 << 8,
} as const;

export { PORT_FEATURES as PF } from '@ovs-node/flow/port-features';

/** A port with its state; features as bits of `PF`, whatever the version. */
export interface PhyPort {
  readonly portNo: number;
  readonly hwAddr: bigint;
  /** At most 15 bytes of UTF-8 on the wire; longer ones are cut there. */
  readonly name: string;
  /** Bits of `PC`. */
  readonly config: number;
  /** Bits of `PS`. */
  readonly state: number;
  /** What it does now, as the three below in bits of `PF`. */
  readonly curr: number;
  /** What it offers to the other end. */
  readonly advertised: number;
  /** What it could do. */
  readonly supported: number;
  /** What the other end offers. */
  readonly peer: number;
  /** kbit/s, as `maxSpeed`; OpenFlow 1.1 and later, 0 where it is not known. */
  readonly currSpeed: number;
  readonly maxSpeed: number;
}

/** A change of a port; `config` and `mask` are bits of `PC`. */
export interface PortMod {
  readonly portNo: number;
  /** Must be the port's own, lest another port that has got the number is changed. */
  readonly hwAddr: bigint;
  readonly config: number;
  readonly mask: number;
  /** What the port is to offer to the other end, in bits of `PF`; 0: as before. */
  readonly advertise: number;
}

/** What a port has counted; all ones where it does not count. */
export interface PortStats extends PortCounters {
  readonly portNo: number;
  readonly rxPackets: bigint;
  readonly txPackets: bigint;
  readonly rxBytes: bigint;
  readonly txBytes: bigint;
  readonly rxDropped: bigint;
  readonly txDropped: bigint;
  readonly rxErrors: bigint;
  readonly txErrors: bigint;
  /** Received packets that do not end with a byte. */
  readonly rxFrameErr: bigint;
  /** Received packets for which there was no room. */
  readonly rxOverErr: bigint;
  /** Received packets with a wrong checksum. */
  readonly rxCrcErr: bigint;
  readonly collisions: bigint;
  /** For how long there has been the port: whole seconds, or `UNKNOWN_DURATION`. */
  readonly durationSec: number;
  /** What is over the whole seconds, in nanoseconds. */
  readonly durationNsec: number;
}

/** What a queue has counted. */
export interface QueueStats {
  readonly portNo: number;
  readonly queueId: number;
  readonly txBytes: bigint;
  readonly txPackets: bigint;
  readonly txErrors: bigint;
  readonly durationSec: number;
  readonly durationNsec: number;
}

/** A queue's guarantees, in tenths of a percent; more than 1000: not in force, undefined: not told. */
export interface QueueConfig {
  readonly portNo: number;
  readonly queueId: number;
  readonly minRate: number | undefined;
  readonly maxRate: number | undefined;
}
