/** What the switch says of itself. */
import { PEER_VERSION } from '@ovs-node/common/version';
import { CAP, type SwitchDesc, type SwitchFeatures } from '@ovs-node/openflow/messages/types';
import { INTERNAL_TABLE } from '../ofproto/flow-tables.js';
import type { Switchboard } from './switchboard.js';

/** Bits of the actions of OpenFlow 1.0, all of OFPAT10_OUTPUT to OFPAT10_ENQUEUE. */
const ACTIONS_10 = 0xfff;
const MAX_MESSAGE = 0xffff;
const FEATURES_LENGTH = 32;

/** The features reply. Versions up to 1.2 list the ports in it, as many as one message has room for. */
export function switchFeatures(board: Switchboard, version: number): SwitchFeatures {
  const { ofproto, options } = board;
  const room = Math.floor((MAX_MESSAGE - FEATURES_LENGTH) / (version === 1 ? 48 : 64));
  return {
    datapathId: options.datapathId(),
    nBuffers: 0,
    nTables: INTERNAL_TABLE,
    auxiliaryId: 0,
    capabilities:
      CAP.FLOW_STATS |
      CAP.TABLE_STATS |
      CAP.PORT_STATS |
      CAP.GROUP_STATS |
      CAP.QUEUE_STATS |
      CAP.ARP_MATCH_IP |
      (version >= 5 ? CAP.BUNDLES : 0),
    actions: ACTIONS_10,
    ports:
      version <= 3
        ? ofproto
            .portsInOrder()
            .slice(0, room)
            .map((port) => port.phy)
        : [],
  };
}

/** The description, in the peer's words, which programs look at. */
export function switchDesc(board: Switchboard): SwitchDesc {
  return {
    mfr: 'Nicira, Inc.',
    hw: 'Open vSwitch',
    sw: PEER_VERSION,
    serial: 'None',
    dp: 'None',
    ...board.options.description?.(),
  };
}
