/** The known keys of every map column of the Open_vSwitch database. */
import type { TableName } from '../schema.js';
import { BRIDGE_KEYS } from './bridge.js';
import { INTERFACE_KEYS } from './interface.js';
import type { TableKeys } from './key-doc.js';
import { OPEN_VSWITCH_KEYS } from './open-vswitch.js';
import { PORT_KEYS } from './port.js';
import * as services from './services.js';

export type { ColumnKeys, KeyDoc, Support, TableKeys } from './key-doc.js';

/** By table and column. A map column that is not here has no key that means something to the switch. */
export const VSWITCH_KEYS = {
  Open_vSwitch: OPEN_VSWITCH_KEYS,
  Bridge: BRIDGE_KEYS,
  Port: PORT_KEYS,
  Interface: INTERFACE_KEYS,
  QoS: services.QOS_KEYS,
  Queue: services.QUEUE_KEYS,
  Mirror: services.MIRROR_KEYS,
  Controller: services.CONTROLLER_KEYS,
  Manager: services.MANAGER_KEYS,
  Datapath: services.DATAPATH_KEYS,
  CT_Timeout_Policy: services.CT_TIMEOUT_POLICY_KEYS,
  IPFIX: services.IPFIX_KEYS,
} as const satisfies { readonly [T in TableName]?: TableKeys<T> };
