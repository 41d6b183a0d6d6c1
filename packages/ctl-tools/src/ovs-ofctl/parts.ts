/** The ports and the tables of a switch, one by one, from replies that may be of many parts. */
import { FatalError } from '@ovs-node/common/errors';
import { OFPP } from '@ovs-node/flow/ports';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeMessage, wireFormOf } from '@ovs-node/openflow/messages/codec';
import { findWireForm } from '@ovs-node/openflow/messages/wire-forms';
import type { TableFeatures, TableStats } from '@ovs-node/openflow/messages/table-types';
import type { MessageOf, MultipartReply, MultipartRequest, PhyPort } from '@ovs-node/openflow/messages/types';
import { OF10, OF12 } from '@ovs-node/openflow/version';
import type { OfctlContext, Switch } from './context.js';
import { conversationFailure, headerOf, nameOf, LOST_REPLY, UNSENT } from './exchange.js';

/** A message about `request`. */
export const multipart = (request: MultipartRequest): MessageOf<'multipart_request'> => ({
  type: 'multipart_request',
  request,
  more: false,
});

/** The name of the form in which a multipart request is answered. */
export function replyKey(request: MessageOf<'multipart_request'>, version: number): string | undefined {
  const wire = wireFormOf(request, version);
  return wire && findWireForm(version, wire.vendor, wire.code, 'reply')?.key;
}

/**
 * Sends a multipart request and yields the bodies of the reply's parts, those of another type or that cannot be read
 * excepted, which end the program.
 */
async function* partsOf<T extends MultipartReply['type']>(
  c: OfctlContext,
  { exchange }: Switch,
  request: MultipartRequest & { readonly type: T },
): AsyncGenerator<{ reply: MultipartReply & { readonly type: T }; failure: (() => FatalError) | undefined }> {
  const asked = multipart(request);
  const wanted = replyKey(asked, exchange.connection.version);
  const xid = await exchange.send(asked).catch((e: unknown) => {
    throw conversationFailure(UNSENT, e);
  });
  for (let more = true; more;) {
    const bytes = await exchange.receiveXid(xid).catch((e: unknown) => {
      throw conversationFailure(LOST_REPLY, e);
    });
    const header = headerOf(bytes, c.explain);
    if (header instanceof OfError) throw c.badReply(bytes);
    // What else came is not looked into: saying what is wrong with it logs, too.
    if (header.wire.key !== wanted) throw c.badReply(bytes.subarray(header.bodyAt));
    const decoded = decodeMessage(bytes, { explain: c.explain });
    const msg = decoded instanceof OfError ? decoded.partial : decoded.msg;
    // Made only for who has taken all that is before, for the same reason.
    const failure =
      decoded instanceof OfError
        ? (): FatalError => c.badReply(bytes.subarray(decoded.at ?? header.bodyAt))
        : undefined;
    if (msg?.type !== 'multipart_reply' || msg.reply.type !== request.type)
      throw failure?.() ?? c.badReply(bytes.subarray(header.bodyAt));
    yield { reply: msg.reply as MultipartReply & { readonly type: T }, failure };
    more = header.more;
  }
}

/** Bytes of a port before OpenFlow 1.3. */
const PORT_BYTES = { 10: 48, 11: 64 } as const;

/** Whether a features reply has all ports: not when there may have been no room for another. */
export function hasPorts(bytes: Uint8Array): boolean {
  const [version] = bytes;
  if (version > OF12) return false;
  return bytes.length + (version === OF10 ? PORT_BYTES[10] : PORT_BYTES[11]) <= 0xffff;
}

/** What one message says of ports, and why it says no more. */
interface PortsPart {
  readonly ports: readonly PhyPort[];
  readonly failure: (() => FatalError) | undefined;
}

async function* portParts(c: OfctlContext, sw: Switch): AsyncGenerator<PortsPart> {
  if (sw.connection.version <= OF12) {
    const bytes = await c.transact(sw, { type: 'features_request' });
    const header = headerOf(bytes, c.explain);
    if (nameOf(header) !== 'OFPT_FEATURES_REPLY')
      throw new FatalError(`${sw.streamName}: received bad features reply`);
    if (hasPorts(bytes)) {
      const decoded = decodeMessage(bytes, { explain: c.explain });
      const msg = decoded instanceof OfError ? decoded.partial : decoded.msg;
      yield {
        ports: msg?.type === 'features_reply' ? msg.features.ports : [],
        failure: decoded instanceof OfError ? () => c.badReply(bytes.subarray(decoded.at ?? 0)) : undefined,
      };
      return;
    }
  }
  for await (const { reply, failure } of partsOf(c, sw, { type: 'port_desc', portNo: OFPP.ANY }))
    yield { ports: reply.ports, failure };
}

/** The ports of a switch. A failure ends the program when the ports before it have been taken. */
export async function* eachPort(c: OfctlContext, sw: Switch): AsyncGenerator<PhyPort> {
  for await (const { ports, failure } of portParts(c, sw)) {
    yield* ports;
    if (failure) throw failure();
  }
}

/** The first of a switch's ports that is `wanted`. What comes behind it is read, and may be wrong about ports only. */
export async function findPort(
  c: OfctlContext,
  sw: Switch,
  wanted: (port: PhyPort) => boolean,
): Promise<PhyPort | undefined> {
  let found: PhyPort | undefined;
  for await (const { ports, failure } of portParts(c, sw)) {
    if (found) continue;
    found = ports.find(wanted);
    if (!found && failure) throw failure();
  }
  return found;
}

/**
 * The tables of a switch: before 1.3 what their statistics say, which has their names, from then on their features.
 */
export async function* eachTable(c: OfctlContext, sw: Switch): AsyncGenerator<TableStats | TableFeatures> {
  const parts =
    sw.connection.version > OF12
      ? partsOf(c, sw, { type: 'table_features', tables: [] })
      : partsOf(c, sw, { type: 'table' });
  for await (const { reply, failure } of parts) {
    yield* reply.tables;
    if (failure) throw failure();
  }
}
