/**
 * Sends what changes a switch: flow, group and packet-out messages, either one by one with a barrier behind each, which
 * stops at the first error, or with --bundle as one transaction (OpenFlow 1.4, section 6.9).
 */
import { FatalError } from '@ovs-node/common/errors';
import { encodeMessage, UnencodableError } from '@ovs-node/openflow/messages/codec';
import type { FlowMod, MessageOf } from '@ovs-node/openflow/messages/types';
import { protocolRow } from '@ovs-node/openflow/text/protocols';
import { type BundledMessages, sendBundle } from './bundle-sender.js';
import { type OfctlContext, type Switch, talkingTo } from './context.js';
import { conversationFailure } from './exchange.js';
import type { FlowStream } from './flow-stream.js';

/** A message that can be sent here: one that has no reply. */
export type ModMessage = MessageOf<'flow_mod' | 'group_mod' | 'packet_out'>;

/** The flow-mod message for a protocol. */
export function flowModMessage(flowMod: FlowMod, protocol: number): MessageOf<'flow_mod'> {
  const row = protocolRow(protocol);
  return {
    type: 'flow_mod',
    flowMod,
    ...(row.version === 1 ? { format: row.nxm ? 'nxm' : 'openflow10', withTableId: row.tableId } : {}),
  };
}

/** The words for a message that the version in use cannot say. */
function unencodable(message: ModMessage, e: UnencodableError): FatalError {
  const command = message.type === 'group_mod' ? message.groupMod.command : undefined;
  if (command === 'insert_bucket' || command === 'remove_bucket') {
    return new FatalError(`${command.replace('_', '-')} needs OpenFlow 1.5 or later ('-O OpenFlow15')`);
  }
  return new FatalError(e.message);
}

function encodeOrFail(message: ModMessage, version: number, xid: number): Uint8Array {
  try {
    return encodeMessage(message, version, xid);
  } catch (e) {
    throw e instanceof UnencodableError ? unencodable(message, e) : e;
  }
}

function modsOf(messages: readonly ModMessage[]): BundledMessages {
  return {
    count: messages.length,
    encode: (i, version, xid) => encodeOrFail(messages[i], version, xid),
  };
}

/** Messages that are bytes already, one after the other, but for their transaction ids. */
function encodedMods(bytes: Uint8Array, count: number): BundledMessages {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let next = 0;
  let at = 0;
  return {
    count,
    encode: (i, _version, xid) => {
      if (i < next) next = at = 0;
      for (; next < i; next++) at += view.getUint16(at + 2);
      const from = at;
      at += view.getUint16(from + 2);
      next++;
      view.setUint32(from + 4, xid);
      return bytes.subarray(from, at);
    },
  };
}

/**
 * Sends messages to a switch; an error ends the program.
 *
 * @param order when messages get their transaction ids, which errors show: each before its barrier, or all of them
 * before the first barrier. Those of a bundle are always made first.
 */
export async function sendMods(
  c: OfctlContext,
  sw: Switch,
  messages: readonly ModMessage[],
  order: 'encoded in turn' | 'encoded first' = 'encoded in turn',
): Promise<void> {
  await sendAll(c, sw, modsOf(messages), order);
}

/** Sends flow-mods that are encoded already, one after the other; their transaction ids are set here. */
export function sendEncoded(c: OfctlContext, sw: Switch, messages: Uint8Array, count: number): Promise<void> {
  return sendAll(c, sw, encodedMods(messages, count), 'encoded in turn');
}

/** Sends flows as a bundle while they are read. @param check throws what is wrong with any of them. */
export function sendStream(
  c: OfctlContext,
  sw: Switch,
  flows: FlowStream,
  check: () => Promise<void>,
): Promise<void> {
  return sendBundle(c, sw, {
    count: flows.count,
    encode: (i, _version, xid) => flows.message(i, xid),
    check,
  });
}

async function sendAll(
  c: OfctlContext,
  sw: Switch,
  mods: BundledMessages,
  order: 'encoded in turn' | 'encoded first',
): Promise<void> {
  if (c.settings.bundle) {
    await sendBundle(c, sw, mods);
    return;
  }
  const { connection } = sw;
  const xids =
    order === 'encoded first' ? Array.from({ length: mods.count }, () => connection.nextXid()) : undefined;
  let i = 0;
  let reply;
  try {
    reply = await sw.exchange.sendInTurn(() => {
      if (i >= mods.count) return undefined;
      const xid = xids?.[i] ?? connection.nextXid();
      const bytes = mods.encode(i, connection.version, xid);
      i++;
      return bytes && { bytes, xid };
    }, !c.isTimed);
  } catch (e) {
    throw conversationFailure(talkingTo(sw), e);
  }
  if (reply) throw await c.refused(sw, reply);
}

/** Flow modifications, in the format of the connection. */
export function sendFlowMods(
  c: OfctlContext,
  sw: Switch,
  flowMods: readonly FlowMod[],
  order: 'encoded in turn' | 'encoded first' = 'encoded in turn',
): Promise<void> {
  return sendMods(
    c,
    sw,
    flowMods.map((f) => flowModMessage(f, sw.protocol)),
    order,
  );
}
