/** Configurations as tests need them, each with what `change` says. */
import type { BridgeConfig, InterfaceConfig, PortConfig } from '../../src/bridge/config.js';

/** What the database says of an interface. */
export function interfaceOf(name: string, change: Partial<InterfaceConfig> = {}): InterfaceConfig {
  return {
    name,
    uuid: `uuid-${name}`,
    type: 'system',
    options: new Map(),
    ofportRequest: undefined,
    ofportHint: undefined,
    mac: undefined,
    mtuRequest: undefined,
    isLocal: false,
    ...change,
  };
}

/** What it says of a port; of one interface unless said otherwise. */
export function port(name: string, change: Partial<PortConfig> = {}): PortConfig {
  return {
    name,
    uuid: `port-${name}`,
    vlanMode: 'trunk',
    vlan: -1,
    trunks: undefined,
    customerVlans: undefined,
    tunnelType: 0x88a8,
    priorityTags: 'no',
    isProtected: false,
    interfaces: [interfaceOf(name)],
    ...change,
  };
}

/** What it says of a bridge, which has its local port too. */
export function bridge(
  name: string,
  ports: readonly PortConfig[],
  change: Partial<BridgeConfig> = {},
): BridgeConfig {
  const local = port(name, { interfaces: [interfaceOf(name, { type: 'internal', isLocal: true })] });
  return {
    name,
    uuid: `bridge-${name}`,
    type: 'system',
    failMode: 'standalone',
    datapathId: undefined,
    hwaddr: undefined,
    protocols: [],
    controllers: [],
    forwardBpdu: false,
    macAgingTime: 300,
    macTableSize: 8192,
    description: {},
    floodVlans: [],
    samplesFlows: false,
    tables: [],
    ports: new Map([local, ...ports].map((each) => [each.name, each])),
    ...change,
  };
}
