/**
 * OpenFlow ports of one bridge and the bundles (Port rows) they belong to.
 */
import { type BundleSpec, ODPP_NONE, type PortSpec } from './types.js';
import type { PhyPort } from '@ovs-node/openflow/messages/types';

/** One OpenFlow port. Counters are those of packets that only translation sees (patch ports); packets, bytes. */
export class OfPort {
  readonly name: string;
  readonly ofport: number;
  dpPort: number;
  type: string;
  phy: PhyPort;
  peer: string | undefined;
  bundle: Bundle | undefined = undefined;
  rxPackets = 0;
  rxBytes = 0;
  txPackets = 0;
  txBytes = 0;

  constructor(spec: PortSpec) {
    this.name = spec.name;
    this.ofport = spec.ofport;
    this.dpPort = spec.dpPort;
    this.type = spec.type;
    this.phy = spec.phy;
    this.peer = spec.peer;
  }

  get isPatch(): boolean {
    return this.type === 'patch';
  }
  get hasDpPort(): boolean {
    return this.dpPort !== ODPP_NONE;
  }
}

/** A port of the bridge: VLAN configuration and member ports. */
export class Bundle {
  readonly name: string;
  spec: BundleSpec;
  readonly ports: OfPort[] = [];
  /** One byte per VLAN: whether a trunk carries it; undefined: all of them. */
  trunks: Uint8Array | undefined = undefined;
  /** The same for customers' VLANs that a dot1q-tunnel port admits. */
  customerVlans: Uint8Array | undefined = undefined;
  /** False for a member whose `config` says NO_FLOOD. */
  floodable = true;

  constructor(spec: BundleSpec) {
    this.name = spec.name;
    this.spec = spec;
    this.configure(spec);
  }

  /** Takes over a changed configuration, apart from the members. */
  configure(spec: BundleSpec): void {
    this.spec = spec;
    this.customerVlans = spec.customerVlans && setOfVlans(spec.customerVlans);
    const isNative = spec.vlanMode === 'native-tagged' || spec.vlanMode === 'native-untagged';
    if (spec.trunks === undefined && !(isNative && spec.vlan !== 0)) {
      this.trunks = undefined;
      return;
    }
    this.trunks = spec.trunks === undefined ? new Uint8Array(4096).fill(1) : setOfVlans(spec.trunks);
    if (isNative && spec.vlan !== 0) {
      // Untagged packets are of the native VLAN there, which always belongs to the port; so none is of VLAN 0.
      this.trunks[spec.vlan] = 1;
      this.trunks[0] = 0;
    }
  }
}

function setOfVlans(vlans: readonly number[]): Uint8Array {
  const set = new Uint8Array(4096);
  for (const vlan of vlans) if (vlan >= 0 && vlan < set.length) set[vlan] = 1;
  return set;
}
