/**
 * What the rest of vswitchd says to a bridge's OpenFlow switch, and hears from it, as plain values.
 */
import type { Action } from '@ovs-node/openflow/actions/types';
import type { Continuation } from '@ovs-node/openflow/messages/continuation';
import type {
  FlowMod,
  FlowRemoved,
  FlowRemovedReason,
  PacketIn,
  PhyPort,
  TableDesc,
  TableStatusReason,
} from '@ovs-node/openflow/messages/types';
import type { Rule } from './rule.js';

/** No datapath port: a patch port, or a port whose device does not exist yet. */
export const ODPP_NONE = 0xffffffff;

/** How a port of the bridge (one interface, or a bond of several) treats VLANs; `vlan_mode` of the Port table. */
export type VlanMode = 'access' | 'trunk' | 'native-tagged' | 'native-untagged' | 'dot1q-tunnel';

/** Configuration of one OpenFlow port. */
export interface PortSpec {
  readonly name: string;
  /** OpenFlow port number; OFPP.LOCAL (0xfffe) for the bridge's own. */
  readonly ofport: number;
  /** Datapath port number, or ODPP_NONE. */
  readonly dpPort: number;
  /** Interface type: `system`, `internal`, `patch`, `dummy`, ... */
  readonly type: string;
  /** As OpenFlow describes the port; its `config` bits (PC) steer translation. */
  readonly phy: PhyPort;
  /** `patch` only: the name of the port at the other end. */
  readonly peer?: string;
}

/** Configuration of one port of the bridge: the interfaces of one row of the Port table. */
export interface BundleSpec {
  readonly name: string;
  /** OpenFlow port numbers of the members. */
  readonly members: readonly number[];
  readonly vlanMode: VlanMode;
  /** Access or native VLAN; -1 when there is none (0 is the VLAN of untagged packets). */
  readonly vlan: number;
  /** VLANs that a trunk carries; undefined: all. */
  readonly trunks: readonly number[] | undefined;
  /** Customers' VLANs that a dot1q-tunnel port admits; undefined: all. */
  readonly customerVlans: readonly number[] | undefined;
  /** Ethernet type of the tag in which a dot1q-tunnel port puts what customers send. */
  readonly tunnelType: number;
  readonly priorityTags: 'no' | 'if-nonzero' | 'always';
  readonly isProtected: boolean;
}

/** Settings of a bridge that steer translation (ovs-vswitchd.conf.db(5), Bridge). */
export interface OfprotoSettings {
  /** Forward reserved multicast (01:80:c2:00:00:0x) in NORMAL; `other_config:forward-bpdu`. */
  forwardBpdu: boolean;
  /** Seconds; `other_config:mac-aging-time`. */
  macAgingTime: number;
  /** `other_config:mac-table-size`. */
  macTableSize: number;
  /** VLANs flooded without learning; `flood_vlans`. */
  floodVlans: readonly number[];
  /** Whether there are collectors of flow samples; tables Flow_Sample_Collector_Set, IPFIX. */
  samplesFlows: boolean;
  frag: 'normal' | 'drop' | 'nx-match';
  missSendLen: number;
}

/** A packet for a controller; connmgr chooses connections, format and length. */
export interface PacketInEvent {
  readonly packetIn: PacketIn;
  /** How to go on with the packet, when the action said to wait for the controller. */
  readonly continuation?: Continuation;
  /** Bytes of the packet to send at most (0xffff: all). */
  readonly maxLen: number;
  /** Of the controllers' ids, the one that gets it (0: the default one). */
  readonly controllerId: number;
}

/** A change of a flow, for good. */
export interface FlowChangeEvent {
  readonly event: 'added' | 'removed' | 'modified';
  /** As it came to be; of a removed flow, as it was. */
  readonly rule: Rule;
  /** Why it went; undefined with other events. */
  readonly reason: FlowRemovedReason | undefined;
  /** The actions that it had, when it has others now, or of the flow that it replaces. */
  readonly oldActions: readonly Action[] | undefined;
  /** Whether nobody has asked for it: it follows from another change. */
  readonly follows: boolean;
}

/** What happens to flows, for flow_removed messages and monitors. */
export interface OfprotoEvents {
  onPacketIn(event: PacketInEvent): void;
  /** Only for flows with FF.SEND_FLOW_REM. */
  onFlowRemoved(removed: FlowRemoved): void;
  onTableStatus?(desc: TableDesc, reason: TableStatusReason): void;
  /** Undefined while nobody monitors flows, which spares the work of finding out what has changed. */
  readonly onFlowChange?: ((change: FlowChangeEvent) => void) | undefined;
  /** Flows are gone, taught by others or of a switch that begins anew, of which `onFlowChange` has told. */
  onFollowed?(): void;
}

/** A flow-mod whose command is to add. */
export type FlowAdd = FlowMod & { readonly command: 'add' };
