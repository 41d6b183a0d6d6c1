/** Requests of the cases in answer-cases.ts: whole messages from the text that matters. */
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { parseActions } from '@ovs-node/openflow/actions/text';
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { BUCKET, type Bucket, type GroupMod } from '@ovs-node/openflow/messages/group-types';
import { makeFlowFilter, makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import type { MeterConfig } from '@ovs-node/openflow/messages/meter-types';
import {
  type AsyncMasks,
  type BundleControl,
  type FlowFilter,
  type FlowMod,
  GROUP_ANY,
  type MultipartRequest,
  NO_BUFFER,
  type OfMessage,
  type PortMod,
  type Role,
  type TableMod,
} from '@ovs-node/openflow/messages/types';

/** Ports of the switches, and the hardware addresses that the dummy devices of both have. */
export const PORTS = { 1: 0xaa55aa550002n, 2: 0xaa55aa550003n, 7: 0xaa55aa550004n } as const;

/** A frame of TCP from 10.0.0.`host`. */
export function frame(host = 1): Uint8Array {
  const text =
    'ffffffffffff00112233445508004500002800010000400666cd0a0000010a0000020050005100000001000000025010ffff00000000';
  const bytes = Buffer.from(text, 'hex');
  bytes[29] = host;
  return bytes;
}

/** A flow-mod of a match and actions in text. */
export const flow = (match: string, actions: string, mod: Partial<FlowMod> = {}): OfMessage => ({
  type: 'flow_mod',
  flowMod: makeFlowMod({
    command: 'add',
    priority: 5,
    match: parseMatch(match),
    actions: parseActions(actions),
    ...mod,
  }),
});

export const packetOut = (
  actions: string,
  { inPort = '1', packet = frame(), bufferId = NO_BUFFER } = {},
): OfMessage => ({
  type: 'packet_out',
  packetOut: {
    bufferId,
    match: parseMatch(`in_port=${inPort}`),
    actions: parseActions(actions),
    packet,
  },
});

export const bucket = (bucketId: number, actions: string, weight = 0): Bucket => ({
  weight,
  watchPort: OFPP.ANY,
  watchGroup: GROUP_ANY,
  bucketId,
  actions: parseActions(actions),
});

export const group = (groupId: number, mod: Partial<GroupMod> = {}): OfMessage => ({
  type: 'group_mod',
  groupMod: {
    groupType: 'all',
    groupId,
    buckets: [],
    selection: undefined,
    command: 'add',
    commandBucketId: BUCKET.ALL,
    ...mod,
  },
});

export const meter = (
  command: 'add' | 'modify' | 'delete',
  meterId: number,
  config: Partial<MeterConfig> = {},
): OfMessage => ({
  type: 'meter_mod',
  meterMod: {
    command,
    meter: {
      meterId,
      flags: 1,
      bands: [{ type: 'drop', rate: 1000, burstSize: 0, precLevel: 0 }],
      ...config,
    },
  },
});

export const tableMod = (mod: Partial<TableMod>): OfMessage => ({
  type: 'table_mod',
  tableMod: {
    tableId: 3,
    miss: 'default',
    eviction: undefined,
    evictionFlags: undefined,
    vacancyEvents: undefined,
    vacancy: { down: 0, up: 0, vacancy: 0 },
    ...mod,
  },
});

export const portMod = (portNo: number, mod: Partial<PortMod> = {}): OfMessage => ({
  type: 'port_mod',
  portMod: {
    portNo,
    hwAddr: (PORTS as Readonly<Record<number, bigint>>)[portNo] ?? 0n,
    config: 0,
    mask: 0,
    advertise: 0,
    ...mod,
  },
});

export const ask = (request: MultipartRequest, format: 'nxm' | 'openflow10' = 'openflow10'): OfMessage => ({
  type: 'multipart_request',
  request,
  format,
  more: false,
});

export const filter = (match = '', more: Partial<FlowFilter> = {}): FlowFilter =>
  makeFlowFilter({ match: parseMatch(match), ...more });

export const role = (to: Role, generationId: bigint): OfMessage => ({
  type: 'role_request',
  role: to,
  generationId,
});

/** Asks for packets, and with that for asynchronous messages. */
export const LISTEN: OfMessage = {
  type: 'set_config',
  config: { frag: 'normal', invalidTtlToController: undefined, missSendLen: 128 },
};

export const listenTo = (primary: AsyncMasks, secondary = primary): OfMessage => ({
  type: 'set_async',
  config: { primary, secondary },
});

export const bundle = (control: BundleControl, flags = 3, bundleId = 1): OfMessage => ({
  type: 'bundle_control',
  bundleId,
  control,
  flags,
});

/** A message in a bundle, both with the same xid. */
export function bundled(version: number, message: OfMessage, flags = 3, bundleId = 1): Uint8Array {
  const inner = encodeMessage(message, version, 77);
  return encodeMessage({ type: 'bundle_add', bundleId, flags, message: inner }, version, 77);
}
