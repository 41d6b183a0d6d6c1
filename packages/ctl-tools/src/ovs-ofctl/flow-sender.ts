/** Sends flow modifications to a switch: one by one with a barrier behind each, which stops at the first error. */
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import type { FlowMod, MessageOf } from '@ovs-node/openflow/messages/types';
import { protocolRow } from '@ovs-node/openflow/text/protocols';
import { type OfctlContext, type Switch, transactFailure } from './context.js';

/** The flow-mod message for a protocol. */
export function flowModMessage(flowMod: FlowMod, protocol: number): MessageOf<'flow_mod'> {
  const row = protocolRow(protocol);
  return {
    type: 'flow_mod',
    flowMod,
    ...(row.version === 1 ? { format: row.nxm ? 'nxm' : 'openflow10', withTableId: row.tableId } : {}),
  };
}

/**
 * @param order when messages get their transaction ids, which errors show: each before its barrier, or all of them
 * before the first barrier.
 */
export async function sendFlowMods(
  c: OfctlContext,
  sw: Switch,
  flowMods: readonly FlowMod[],
  order: 'encoded in turn' | 'encoded first' = 'encoded in turn',
): Promise<void> {
  const { connection, protocol } = sw;
  const xids = order === 'encoded first' ? flowMods.map(() => connection.nextXid()) : undefined;
  let i = 0;
  let error;
  try {
    error = await connection.sendInTurn(() => {
      if (i >= flowMods.length) return undefined;
      const xid = xids?.[i] ?? connection.nextXid();
      const bytes = encodeMessage(flowModMessage(flowMods[i], protocol), connection.version, xid);
      i++;
      return { bytes, xid };
    });
  } catch (e) {
    throw transactFailure(sw.name, e);
  }
  if (error) throw await c.requestFailure(sw, error);
}
