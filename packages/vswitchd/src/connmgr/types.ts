/** What the rest of vswitchd tells a connection manager, and hears from it, as plain values. */
import type { Duplex } from 'node:stream';
import type { Clock } from '@ovs-node/common/clock';
import type { SwitchDesc } from '@ovs-node/openflow/messages/types';
import type { ControllerConfig } from '../bridge/config.js';
import type { PortCounters } from '../dpif/provider.js';
import type { FailMode, Ofproto } from '../ofproto/ofproto.js';

export interface ConnectionManagerOptions {
  /** The switch that connections speak to. The manager sets its `events` and `wantsPacketInOnMiss`. */
  readonly ofproto: Ofproto;
  readonly clock: Clock;
  /** Absolute directory of the management and snoop sockets. */
  readonly rundir: string;
  /** Asked each time it is sent: it may change with the ports. */
  readonly datapathId: () => bigint;
  /** How long a bundle may be left alone, ms, as the database says now; by default ten seconds. */
  readonly bundleIdleMs?: () => number | undefined;
  /** Parts of the switch description that differ from the peer's (other_config:dp-desc, dp-sn). */
  readonly description?: () => Partial<SwitchDesc>;
  /** Counters of the datapath's ports by datapath port number; by default asked of the backer's datapath. */
  readonly portStats?: () => Promise<ReadonlyMap<number, PortCounters>>;
  /** Brings the flows' counters up to date; by default the backer does. Statistics are answered after it settled, or without it after 250 ms. */
  readonly syncStats?: () => Promise<void>;
  /** Connects to a controller; for tests. */
  readonly connect?: (target: string, timeoutMs: number) => Promise<Duplex>;
}

/** The part of a bridge's configuration that connections depend on. */
export interface ConnectionConfig {
  readonly controllers: readonly ControllerConfig[];
  /** Names of OpenFlow versions; empty: all that are supported. */
  readonly protocols: readonly string[];
  readonly failMode: FailMode;
}

/** What the Controller table says of one controller. */
export interface ControllerStatus {
  readonly isConnected: boolean;
  readonly role: 'other' | 'master' | 'slave' | undefined;
  readonly status: ReadonlyMap<string, string>;
}
