/** A switch of made-up answers behind `OfConnection`, to be asked by either ovs-ofctl. */
import { listenStream } from '@ovs-node/common/stream';
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { parseActions } from '../src/actions/text.js';
import { OfConnection } from '../src/connection.js';
import { OfError } from '../src/errors.js';
import { tableFeatures } from '../src/messages/table-features.js';
import type { Decoded } from '../src/messages/codec.js';
import {
  CAP,
  type FlowMod,
  type FlowStats,
  type MultipartReply,
  type MultipartRequest,
  type OfMessage,
  PC,
  PF,
  type PhyPort,
  type PortStats,
  PS,
} from '../src/messages/types.js';

export const PORTS: readonly PhyPort[] = [
  {
    portNo: 1,
    hwAddr: 0x001122334455n,
    name: 'eth0',
    config: PC.NO_FLOOD | PC.PORT_DOWN,
    state: PS.LINK_DOWN,
    curr: PF.FD_10GB | PF.COPPER | PF.AUTONEG,
    advertised: PF.FD_100MB | PF.FD_1GB | PF.PAUSE,
    supported: PF.HD_10MB | PF.FD_1GB | PF.FIBER | PF.PAUSE_ASYM,
    peer: 0,
    currSpeed: 10000000,
    maxSpeed: 1000000,
  },
  {
    portNo: OFPP.LOCAL,
    hwAddr: 0xfffefdfcfbfan,
    name: 'br-test',
    config: PC.NO_PACKET_IN | PC.NO_RECV,
    state: PS.LIVE,
    curr: 0,
    advertised: 0,
    supported: 0,
    peer: PF.FD_10MB,
    currSpeed: 0,
    maxSpeed: 0,
  },
];

export function portStats(portNo: number, unknown: boolean): PortStats {
  const all = unknown ? 0xffffffffffffffffn : 0n;
  return {
    portNo,
    rxPackets: 1n,
    txPackets: 2n,
    rxBytes: 12345678901234n,
    txBytes: 4n,
    rxDropped: 5n | all,
    txDropped: 6n | all,
    rxErrors: 7n | all,
    txErrors: 8n,
    rxFrameErr: 9n,
    rxOverErr: 10n,
    rxCrcErr: 11n | all,
    collisions: 12n,
    durationSec: 77,
    durationNsec: 120000000,
  };
}

function flow(matchText: string, actions: string, more: Partial<FlowStats> = {}): FlowStats {
  return {
    match: parseMatch(matchText),
    tableId: 0,
    priority: 0x8000,
    cookie: 0n,
    idleTimeout: 0,
    hardTimeout: 0,
    importance: 0,
    flags: 0,
    durationSec: 5,
    durationNsec: 123000000,
    idleAge: 3,
    hardAge: 4,
    packetCount: 10n,
    byteCount: 1000n,
    actions: parseActions(actions),
    ...more,
  };
}

export const FLOWS: readonly FlowStats[] = [
  flow('in_port=1', 'output:2', { cookie: 0x1234567890abcdefn, priority: 7 }),
  flow('tcp,nw_src=10.0.0.0/8,tp_dst=80', 'drop', { tableId: 3, idleTimeout: 5, hardTimeout: 9, flags: 1 }),
  flow('dl_vlan=5,dl_vlan_pcp=2,arp,arp_op=1,arp_spa=1.2.3.4', 'NORMAL', { hardAge: 5 }),
  flow('reg0=5,metadata=0x7/0xff,ipv6,ipv6_dst=fe80::/10', 'set_field:7->reg1,resubmit(,5)', {
    idleAge: -1,
    durationNsec: 0,
  }),
  flow('', 'CONTROLLER:128', { priority: 0 }),
];

const MORE_FLOWS = 3000;

export interface MiniSwitch {
  readonly flowMods: FlowMod[];
  readonly messages: OfMessage[];
  readonly connections: OfConnection[];
  close(): Promise<void>;
}

function multipart(request: MultipartRequest, version: number, many: boolean): MultipartReply | undefined {
  switch (request.type) {
    case 'desc':
      return { type: 'desc', desc: { mfr: 'M', hw: 'H', sw: 'S', serial: 'N', dp: 'D D' } };
    case 'flow':
      return {
        type: 'flow',
        flows: many
          ? Array.from({ length: MORE_FLOWS }, (_, i) =>
              flow(`tcp,nw_src=10.0.${i >> 8}.${i & 255}`, 'output:1'),
            )
          : FLOWS,
      };
    case 'aggregate':
      return { type: 'aggregate', stats: { packetCount: 7n, byteCount: 8n, flowCount: 9 } };
    case 'port':
      return { type: 'port', ports: [portStats(1, true), portStats(OFPP.LOCAL, false), portStats(12, true)] };
    case 'queue':
      return {
        type: 'queue',
        queues: [
          {
            portNo: 1,
            queueId: 3,
            txBytes: 1n,
            txPackets: 2n,
            txErrors: 3n,
            durationSec: 4,
            durationNsec: 5000000,
          },
        ],
      };
    case 'port_desc':
      return { type: 'port_desc', ports: PORTS };
    case 'table':
      return {
        type: 'table',
        tables: Array.from({ length: 5 }, (_, i) => ({
          tableId: i,
          name: i === 3 ? 'third' : '',
          wildcards: i === 4 ? 0x3ffff0 : 0x3fffff,
          maxEntries: 1000,
          activeCount: i === 1 ? 5 : 0,
          lookupCount: 0n,
          matchedCount: 0n,
        })),
      };
    case 'table_features':
      return {
        type: 'table_features',
        tables: Array.from({ length: 5 }, (_, i) =>
          tableFeatures(i, 5, i === 3 ? 'third' : '', 1000, version),
        ),
      };
    default:
      return undefined;
  }
}

/** Listens at `name` (`punix:FILE`) for connections that speak `versions`. `many`: a flow table of many pages. */
export async function startMiniSwitch(name: string, versions: number, many = false): Promise<MiniSwitch> {
  const state = { flowMods: [] as FlowMod[], messages: [] as OfMessage[], connections: [] as OfConnection[] };
  let frag: 'normal' | 'drop' = 'normal';
  const answer = (c: OfConnection, { msg, xid }: Decoded): void => {
    state.messages.push(msg);
    switch (msg.type) {
      case 'features_request':
        c.send(
          {
            type: 'features_reply',
            features: {
              datapathId: 0x1122334455667788n,
              nBuffers: 256,
              nTables: 5,
              auxiliaryId: 0,
              capabilities:
                CAP.FLOW_STATS | CAP.TABLE_STATS | CAP.PORT_STATS | CAP.ARP_MATCH_IP | CAP.GROUP_STATS,
              actions: 0xfff,
              ports: PORTS,
            },
          },
          xid,
        );
        break;
      case 'get_config_request':
        c.send(
          { type: 'get_config_reply', config: { frag, invalidTtlToController: false, missSendLen: 99 } },
          xid,
        );
        break;
      case 'set_config':
        if (msg.config.frag === 'drop' || msg.config.frag === 'normal') frag = msg.config.frag;
        break;
      case 'barrier_request':
        c.send({ type: 'barrier_reply' }, xid);
        break;
      case 'flow_mod':
        if (msg.flowMod.priority === 666) {
          c.send({ type: 'error', error: new OfError('OFPFMFC_TABLE_FULL', '', new Uint8Array(0)) }, xid);
        } else state.flowMods.push(msg.flowMod);
        break;
      case 'flow_mod_table_id':
        c.tableIdExtension = msg.enable;
        break;
      case 'multipart_request': {
        const reply = multipart(msg.request, c.version, many);
        if (!reply) c.send({ type: 'error', error: new OfError('OFPBRC_BAD_STAT') }, xid);
        else
          c.send(
            { type: 'multipart_reply', reply, more: false, ...(msg.format ? { format: msg.format } : {}) },
            xid,
          );
        break;
      }
      default:
    }
  };
  const listener = await listenStream(name, (socket) => {
    const c: OfConnection = new OfConnection(
      socket,
      { versions, answerErrors: true },
      { onMessage: (decoded) => answer(c, decoded), onClose: () => undefined },
    );
    state.connections.push(c);
  });
  return {
    ...state,
    close: async () => {
      for (const c of state.connections) c.close();
      await listener.close();
    },
  };
}
