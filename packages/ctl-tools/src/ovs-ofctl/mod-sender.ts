/**
 * Sends what changes a switch: flow, group and packet-out messages, either one by one with a barrier behind each, which
 * stops at the first error, or with --bundle as one transaction (OpenFlow 1.4, section 6.9).
 */
import { FatalError, strerror } from '@ovs-node/common/errors';
import { OfError } from '@ovs-node/openflow/errors';
import {
  decodeMessage,
  encodeMessage,
  putMessage,
  UnencodableError,
} from '@ovs-node/openflow/messages/codec';
import { BF, type BundleControl, type FlowMod, type MessageOf } from '@ovs-node/openflow/messages/types';
import { printMessage } from '@ovs-node/openflow/text/message';
import { protocolRow } from '@ovs-node/openflow/text/protocols';
import { Writer } from '@ovs-node/openflow/wire';
import { type OfctlContext, type Switch, talkingTo } from './context.js';
import { conversationFailure, headerOf, isErrorMessage } from './exchange.js';

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

/** Messages to send, taken once each and in order. */
interface Mods {
  readonly count: number;
  /** The bytes of message `i`; they are used before the next is asked for. */
  encode(i: number, version: number, xid: number): Uint8Array;
}

function modsOf(messages: readonly ModMessage[]): Mods {
  return {
    count: messages.length,
    encode: (i, version, xid) => encodeOrFail(messages[i], version, xid),
  };
}

/** Messages that are bytes already, one after the other, but for their transaction ids. */
function encodedMods(bytes: Uint8Array, count: number): Mods {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  return {
    count,
    encode: (_i, _version, xid) => {
      const from = at;
      at += view.getUint16(from + 2);
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

async function sendAll(
  c: OfctlContext,
  sw: Switch,
  mods: Mods,
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
      return { bytes, xid };
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

/** The one bundle of a connection. */
const BUNDLE_ID = 0;
const BUNDLE_FLAGS = BF.ATOMIC | BF.ORDERED;
/** Bytes that may wait to be taken by the switch before more are made. */
const MAX_QUEUED = 1 << 20;

/** Sends messages as one transaction. */
async function sendBundle(c: OfctlContext, sw: Switch, mods: Mods): Promise<void> {
  const { connection } = sw;
  const { version } = connection;
  const xids = Array.from({ length: mods.count }, () => connection.nextXid());
  const errors: Uint8Array[] = [];
  const control = (type: BundleControl): MessageOf<'bundle_control'> => ({
    type: 'bundle_control',
    bundleId: BUNDLE_ID,
    control: type,
    flags: BUNDLE_FLAGS,
  });
  /** Sends a request; errors come as its reply, or before it, of messages in the bundle. */
  const ask = async (request: MessageOf<'bundle_control' | 'barrier_request'>): Promise<void> => {
    const reply = await sw.exchange.transact(request, undefined, errors);
    if (isErrorMessage(headerOf(reply, c.explain))) errors.push(reply);
  };
  try {
    await ask(control('open_request'));
    if (errors.length === 0) {
      const writer = new Writer();
      for (const [i, xid] of xids.entries()) {
        const message = mods.encode(i, version, xid);
        writer.clear();
        const add = { type: 'bundle_add', bundleId: BUNDLE_ID, flags: BUNDLE_FLAGS, message } as const;
        putMessage(writer, add, version, xid);
        connection.sendSoon(writer.borrow());
        if (connection.queued > MAX_QUEUED) await connection.drained();
      }
      connection.flush();
      await ask({ type: 'barrier_request' });
      // A message that was refused already leaves nothing to commit.
      await ask(control(errors.length === 0 ? 'commit_request' : 'discard_request'));
    }
  } catch (e) {
    throw conversationFailure(talkingTo(sw), e);
  }
  if (errors.length > 0) throw await bundleFailure(c, sw, errors);
}

/** The message that an error quotes, without the bundle it was put into. */
function innermost(bytes: Uint8Array): Uint8Array {
  const decoded = decodeMessage(bytes);
  return !(decoded instanceof OfError) && decoded.msg.type === 'bundle_add' ? decoded.msg.message : bytes;
}

/** What to throw when parts of a bundle were refused: each is printed with what it was. */
async function bundleFailure(c: OfctlContext, sw: Switch, errors: readonly Uint8Array[]): Promise<Error> {
  const options = await c.printOptions(sw.streamName, 1);
  for (const bytes of errors) {
    const decoded = decodeMessage(bytes);
    if (decoded instanceof OfError || decoded.msg.type !== 'error') continue;
    const { error } = decoded.msg;
    process.stderr.write(`Error ${error.toString()} for: ${printMessage(innermost(error.data), options)}`);
  }
  return new FatalError(`talking to ${sw.streamName} (${strerror('EPROTO')})`);
}
