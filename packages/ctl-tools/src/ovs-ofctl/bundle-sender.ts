/**
 * Sends messages as one transaction (OpenFlow 1.4, section 6.9), and says of each that was refused why. A switch that does
 * not keep to the protocol is told from one that refuses, as by the peer: a reply that is not the one asked for ends the
 * bundle where it is.
 */
import { FatalError, strerror } from '@ovs-node/common/errors';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeMessage, encodeMessage, putMessage, xidOf } from '@ovs-node/openflow/messages/codec';
import { BUNDLE_CONTROLS } from '@ovs-node/openflow/messages/bundle';
import { BF } from '@ovs-node/openflow/messages/types';
import { printMessage } from '@ovs-node/openflow/text/message';
import { Writer } from '@ovs-node/openflow/wire';
import { type OfctlContext, type Switch, talkingTo } from './context.js';
import { conversationFailure, headerOf, nameOf } from './exchange.js';

/** Messages to send. */
export interface BundledMessages {
  readonly count: number;
  /**
   * The bytes of message `i`, fastest in turn; they are used before another is asked for. Undefined: there is none, which
   * `check` tells of.
   */
  encode(i: number, version: number, xid: number): Uint8Array | undefined;
  /** Throws what is wrong with the messages, those not yet asked for too: it goes before whatever the switch says. */
  check?(): Promise<void>;
}

/** The one bundle of a connection. */
const BUNDLE_ID = 0;
const BUNDLE_FLAGS = BF.ATOMIC | BF.ORDERED;
/** Bytes that may wait to be taken by the switch before more are made. */
const MAX_QUEUED = 1 << 20;

/**
 * Bytes that are sent without hearing what the switch says meanwhile, which fit into what a system keeps for a socket. A
 * switch that refuses more and is not heard would wait for that, and no longer take what is sent.
 */
const MAX_UNHEARD = 1 << 16;

type Asked = 'open_request' | 'commit_request' | 'discard_request';

/** Whether an error message has an error that there is. What has none counts as refused all the same, but stops nothing. */
function hasName(bytes: Uint8Array): boolean {
  const decoded = decodeMessage(bytes);
  return (
    !(decoded instanceof OfError) && decoded.msg.type === 'error' && decoded.msg.error.name !== undefined
  );
}

/** Whether `reply` is the one to a request about the bundle. An error is put to `errors`. */
function isAnswered(c: OfctlContext, asked: Asked, reply: Uint8Array, errors: Uint8Array[]): boolean {
  const name = nameOf(headerOf(reply, c.explain));
  if (name === 'OFPT_ERROR') {
    errors.push(reply);
    return !hasName(reply);
  }
  if (name !== 'OFPT_BUNDLE_CONTROL' && name !== 'ONFT_BUNDLE_CONTROL') return false;
  const decoded = decodeMessage(reply);
  if (decoded instanceof OfError || decoded.msg.type !== 'bundle_control') return false;
  const { bundleId, control } = decoded.msg;
  return bundleId === BUNDLE_ID && control === BUNDLE_CONTROLS[BUNDLE_CONTROLS.indexOf(asked) + 1];
}

/** Sends messages as one transaction; what is refused of it, or not answered as it should be, ends the program. */
export async function sendBundle(c: OfctlContext, sw: Switch, mods: BundledMessages): Promise<void> {
  const { connection, exchange } = sw;
  const { version } = connection;
  const xids = Array.from({ length: mods.count }, () => connection.nextXid());
  /** Of messages in the bundle, too, which come before a reply. */
  const errors: Uint8Array[] = [];
  const ask = async (control: Asked): Promise<boolean> => {
    const reply = await exchange.transact(
      { type: 'bundle_control', bundleId: BUNDLE_ID, control, flags: BUNDLE_FLAGS },
      undefined,
      errors,
    );
    return isAnswered(c, control, reply, errors);
  };
  let failure: Error | undefined = new FatalError(`talking to ${sw.streamName} (${strerror('EPROTO')})`);
  try {
    if (await ask('open_request')) {
      const barrier = connection.nextXid();
      const writer = new Writer();
      let size = 0;
      let answered: Promise<Uint8Array> | undefined;
      for (const [i, xid] of xids.entries()) {
        const message = mods.encode(i, version, xid);
        if (message === undefined) break;
        writer.clear();
        const add = { type: 'bundle_add', bundleId: BUNDLE_ID, flags: BUNDLE_FLAGS, message } as const;
        putMessage(writer, add, version, xid);
        connection.sendSoon(writer.borrow());
        size += writer.length;
        if (size > MAX_UNHEARD && answered === undefined) {
          answered = exchange.receiveReply(barrier, errors);
          // Of its failure is heard below.
          answered.catch(() => undefined);
        }
        if (connection.queued > MAX_QUEUED) await connection.drained();
      }
      connection.flush();
      await mods.check?.();
      // Whatever comes as its reply: all before it has been seen to.
      if (answered === undefined) {
        await exchange.transact({ type: 'barrier_request' }, barrier, errors);
      } else {
        connection.sendSoon(encodeMessage({ type: 'barrier_request' }, version, barrier));
        connection.flush();
        await answered;
      }
      // A message that was refused already leaves nothing to commit.
      if (errors.length > 0) await ask('discard_request').catch(() => undefined);
      else if (await ask('commit_request')) failure = undefined;
    }
  } catch (e) {
    failure = conversationFailure(talkingTo(sw), e);
  }
  await mods.check?.();
  // Errors come in the order of the messages. Where they do not, what they quote has to do.
  let last = -1;
  await tellErrors(c, sw, errors, (xid) => {
    last = xids.indexOf(xid, last + 1);
    return last < 0 ? undefined : mods.encode(last, version, xid);
  });
  if (failure) throw failure;
}

/** The message that an error quotes, without the bundle it was put into. */
function innermost(bytes: Uint8Array): Uint8Array {
  const decoded = decodeMessage(bytes);
  return !(decoded instanceof OfError) && decoded.msg.type === 'bundle_add' ? decoded.msg.message : bytes;
}

/**
 * Prints errors, each with what it is about.
 *
 * @param sent the message of the bundle with a transaction id.
 */
async function tellErrors(
  c: OfctlContext,
  sw: Switch,
  errors: readonly Uint8Array[],
  sent: (xid: number) => Uint8Array | undefined,
): Promise<void> {
  if (errors.length === 0) return;
  const options = await c.printOptions(sw.streamName, 1);
  for (const bytes of errors) {
    const decoded = decodeMessage(bytes);
    if (decoded instanceof OfError || decoded.msg.type !== 'error' || decoded.msg.error.name === undefined) {
      process.stderr.write('***decode error***');
      continue;
    }
    const { error } = decoded.msg;
    const about = sent(xidOf(bytes)) ?? innermost(error.data);
    process.stderr.write(`Error ${error.toString()} for: ${printMessage(about, options)}`);
  }
}
