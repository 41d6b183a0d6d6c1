/** Commands of Nicira's extensions: TLV map, flushing of connections, statistics of IPFIX; and queue-get-config. */
import { FatalError } from '@ovs-node/common/errors';
import { PROTO_NXM_OXM_ANY } from '@ovs-node/flow/field-types';
import { skipBlanks } from '@ovs-node/flow/int-text';
import { OFPP } from '@ovs-node/flow/ports';
import type { CtFlushTuple, TlvTableCommand } from '@ovs-node/openflow/messages/extension-types';
import { QUEUE_ALL } from '@ovs-node/openflow/messages/types';
import { parseTlvMappings } from '@ovs-node/openflow/text/parse-extensions';
import type { CtTupleFilter } from '@ovs-node/netlink/conntrack';
import { parseCtTuples } from '@ovs-node/netlink/text/conntrack-text';
import { OF10, OF14 } from '@ovs-node/openflow/version';
import { readNumber } from '@ovs-node/openflow/text/numbers';
import type { OfctlContext } from './context.js';
import { parseOrFail } from './flow-commands.js';

/** add-tlv-map, del-tlv-map. */
export async function tlvMap(
  c: OfctlContext,
  [target, text]: readonly string[],
  command: TlvTableCommand,
): Promise<void> {
  const mappings = parseOrFail(() => parseTlvMappings(text ?? ''));
  const sw = await c.connectForFlowMods(target, PROTO_NXM_OXM_ANY);
  await c.noReply(sw, {
    type: 'tlv_table_mod',
    command: text === undefined ? 'clear' : command,
    mappings,
  });
}

export async function dumpTlvMap(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  await c.dump(await c.connect(target), { type: 'tlv_table_request' });
}

export async function ctFlushZone(c: OfctlContext, [target, text]: readonly string[]): Promise<void> {
  const zone = Number(readNumber(text) ?? -1n);
  if (zone < 0 || zone > 0xffff) throw new FatalError(`invalid zone_id "${text}"`);
  await c.noReply(await c.connect(target), { type: 'ct_flush_zone', zone });
}

/** An address as 128 bits: an IPv4 one in its mapped form (RFC 4291, section 2.5.5.2). */
function addressBits(bytes: Uint8Array | undefined): bigint {
  if (!bytes || bytes.every((b) => b === 0)) return 0n;
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  return bytes.length === 4 ? (0xffffn << 32n) | value : value;
}

/** Reads the tuples of a connection; '' is any. */
function ctTuples(texts: readonly string[]): CtTupleFilter[] {
  try {
    return parseCtTuples(texts);
  } catch (e) {
    throw new FatalError(`Failed to parse ct-tuple: ${(e as Error).message}`);
  }
}

function flushTuple(t: CtTupleFilter): CtFlushTuple {
  return {
    src: addressBits(t.src),
    dst: addressBits(t.dst),
    srcPort: t.sport ?? t.icmpId ?? 0,
    dstPort: t.dport ?? 0,
    icmpType: t.icmpType ?? 0,
    icmpCode: t.icmpCode ?? 0,
  };
}

export async function ctFlush(c: OfctlContext, [target, ...words]: readonly string[]): Promise<void> {
  let zone: number | undefined;
  if (words[0]?.startsWith('zone=')) {
    // Read as scanf("%hu") does: modulo 2^16, up to what is no digit.
    const digits = /^[-+]?\d+/.exec(words[0].slice(skipBlanks(words[0], 'zone='.length)))?.[0];
    if (digits === undefined) throw new FatalError('Failed to parse zone');
    zone = Number(BigInt.asUintN(16, BigInt(digits)));
    words.shift();
  }
  const [orig, reply] = ctTuples([words[0] ?? '', words[1] ?? '']);
  const sw = await c.connect(target);
  await c.noReply(sw, {
    type: 'ct_flush',
    flush: {
      ipProto: reply.proto ?? orig.proto ?? 0,
      zone,
      orig: flushTuple(orig),
      reply: flushTuple(reply),
    },
  });
}

/** queue-get-config: what queues guarantee. Before 1.4 all queues of a port, in 1.0 port by port. */
export async function queueGetConfig(
  c: OfctlContext,
  [target, port, queue]: readonly string[],
): Promise<void> {
  // The manual has ANY for both; the peer knows a queue of that name as little as any other, which makes it 0.
  const isSaid = (text: string | undefined, word: string): boolean =>
    text !== undefined && text.toUpperCase() !== word;
  const portNo = isSaid(port, 'ANY') ? await c.portNumber(target, port) : OFPP.ANY;
  const queueId = !isSaid(queue, 'ALL') ? QUEUE_ALL : Number.parseInt(queue, 10) >>> 0;
  const sw = await c.connect(target);
  const { version } = sw.connection;
  if (version >= OF14) {
    const request = { type: 'queue_desc', portNo, queueId } as const;
    await c.dump(sw, { type: 'multipart_request', request, more: false });
    return;
  }
  const ports =
    version === OF10 && portNo === OFPP.ANY
      ? (await c.portsOf(target)).map((p) => p.portNo).filter((n) => n < OFPP.MAX)
      : [portNo];
  for (const each of ports) await c.dump(sw, { type: 'queue_get_config_request', portNo: each });
}
