/** Counters of OpenFlow ports, put together from the datapath's and from what translation counted. */
import { OFPP } from '@ovs-node/flow/ports';
import { type PortStats, UNKNOWN_COUNT } from '@ovs-node/openflow/messages/types';
import type { PortCounters, PortStats as DpPortStats } from '../dpif/provider.js';
import { dummyCounters } from '../ofproto/dummy-counters.js';
import type { OfPort } from '../ofproto/ports.js';
import type { Switchboard } from './switchboard.js';

/** Counters of one port, or of all (OFPP.ANY), in the order of a port dump. */
export async function portStatistics(board: Switchboard, portNo: number): Promise<PortStats[]> {
  const counters = await board.portStats();
  const { now } = board;
  return board.ofproto
    .portsInOrder()
    .filter((port) => portNo === OFPP.ANY || port.ofport === portNo)
    .map((port) => {
      const isDummy = port.type === 'dummy' || board.ofproto.backer.type === 'dummy';
      return describe(port, counters.get(port.dpPort), isDummy, board.ports.age(port.ofport, now));
    });
}

function describe(port: OfPort, counters: PortCounters | undefined, isDummy: boolean, age = 0): PortStats {
  const duration = {
    durationSec: Math.floor(age / 1000),
    durationNsec: Math.floor((age % 1000) * 1e6),
  };
  // Patch ports and dummy devices count packets and bytes, and no more; what is absent counts nothing.
  const errors = counters !== undefined && !isDummy ? 0n : UNKNOWN_COUNT;
  const device = counters?.device;
  const rare = {
    rxFrameErr: device === undefined ? errors : BigInt(device.rxFrameErr),
    rxOverErr: device === undefined ? errors : BigInt(device.rxOverErr),
    rxCrcErr: device === undefined ? errors : BigInt(device.rxCrcErr),
    collisions: device === undefined ? errors : BigInt(device.collisions),
  };
  const read = (own: number, name: keyof DpPortStats): bigint =>
    port.isPatch ? BigInt(own) : counters === undefined ? UNKNOWN_COUNT : BigInt(counters[name]);
  const error = (name: keyof DpPortStats): bigint =>
    errors === UNKNOWN_COUNT ? UNKNOWN_COUNT : BigInt(counters![name]);
  return {
    portNo: port.ofport,
    rxPackets: read(port.rxPackets, 'rxPackets'),
    txPackets: read(port.txPackets, 'txPackets'),
    rxBytes: read(port.rxBytes, 'rxBytes'),
    txBytes: read(port.txBytes, 'txBytes'),
    rxDropped: error('rxDropped'),
    txDropped: error('txDropped'),
    rxErrors: error('rxErrors'),
    txErrors: error('txErrors'),
    ...rare,
    ...duration,
    ...(isDummy && counters !== undefined
      ? { custom: dummyCounters(counters).map(([k, v]) => [k, BigInt(v)]) }
      : {}),
  };
}
