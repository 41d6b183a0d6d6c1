/**
 * Queues of ports. Nothing shapes traffic yet, so each port has the one queue, number 0, that the peer shows for a port
 * without QoS: nothing is guaranteed, and nothing counted.
 */
import { OFPP } from '@ovs-node/flow/ports';
import { OfError } from '@ovs-node/openflow/errors';
import {
  type QueueConfig,
  type QueueStats,
  QUEUE_ALL,
  UNKNOWN_COUNT,
  UNKNOWN_DURATION,
} from '@ovs-node/openflow/messages/types';
import type { OfPort } from '../ofproto/ports.js';
import type { Switchboard } from './switchboard.js';

/** The ports whose queues a request is about, or why it is about none. */
export function queuePorts(
  { ofproto }: Switchboard,
  portNo: number,
  queueId: number,
): readonly OfPort[] | OfError {
  const isAny = portNo === OFPP.ANY;
  const ports = ofproto.portsInOrder().filter((port) => isAny || port.ofport === portNo);
  if (ports.length === 0 && !isAny) return new OfError('OFPQOFC_BAD_PORT', `port ${portNo}`);
  if (queueId !== QUEUE_ALL && queueId !== 0) return new OfError('OFPQOFC_BAD_QUEUE', `queue ${queueId}`);
  return ports;
}

export function queueConfig(port: OfPort): QueueConfig {
  return { portNo: port.ofport, queueId: 0, minRate: undefined, maxRate: undefined };
}

export function queueStats(port: OfPort): QueueStats {
  return {
    portNo: port.ofport,
    queueId: 0,
    txBytes: UNKNOWN_COUNT,
    txPackets: UNKNOWN_COUNT,
    txErrors: UNKNOWN_COUNT,
    durationSec: UNKNOWN_DURATION,
    durationNsec: UNKNOWN_DURATION,
  };
}
