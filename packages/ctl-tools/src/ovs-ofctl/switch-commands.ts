/** Commands about a switch as a whole and its ports: show, dump-*, mod-port, fragments, probe, ping. */
import { FatalError } from '@ovs-node/common/errors';
import { readDecimal } from '@ovs-node/flow/int-text';
import { OFPP } from '@ovs-node/flow/ports';
import { decodeMessage, encodeMessage, HEADER_LENGTH, xidOf } from '@ovs-node/openflow/messages/codec';
import { OfError } from '@ovs-node/openflow/errors';
import { printMessage } from '@ovs-node/openflow/text/message';
import { FRAG_MODES } from '@ovs-node/openflow/messages/switch';
import {
  type MultipartRequest,
  type OfMessage,
  PC,
  type PhyPort,
  type SwitchConfig,
  QUEUE_ALL,
} from '@ovs-node/openflow/messages/types';
import type { OfctlContext, Switch } from './context.js';
import { conversationFailure, headerOf, nameOf } from './exchange.js';
import { findPort, hasPorts, multipart } from './parts.js';

/** Sends a statistics request of no content and prints the replies. */
export async function dumpStats(c: OfctlContext, target: string, request: MultipartRequest): Promise<void> {
  await c.dump(await c.connect(target), multipart(request));
}

export async function show(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  const reply = await c.transact(sw, { type: 'features_request' }, `talking to ${target}`);
  process.stdout.write(printMessage(reply, c.plainOptions(1)));
  if (!hasPorts(reply)) await c.dump(sw, multipart({ type: 'port_desc', portNo: OFPP.ANY }));
  sw.connection.close();
  await c.dump(await c.connect(target), { type: 'get_config_request' });
}

export async function dumpPorts(c: OfctlContext, [target, port]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  const portNo = port === undefined ? OFPP.ANY : await c.portNumber(target, port);
  await c.dump(sw, { type: 'multipart_request', request: { type: 'port', portNo }, more: false });
}

export async function dumpPortsDesc(c: OfctlContext, [target, port]: readonly string[]): Promise<void> {
  const sw = await c.connect(target);
  const portNo = port === undefined ? OFPP.ANY : await c.portNumber(target, port);
  await c.dump(sw, { type: 'multipart_request', request: { type: 'port_desc', portNo }, more: false });
}

export async function queueStats(c: OfctlContext, [target, port, queue]: readonly string[]): Promise<void> {
  const all = (text: string | undefined): boolean =>
    text === undefined || text === '' || text.toUpperCase() === 'ALL';
  const sw = await c.connect(target);
  const portNo = all(port) ? OFPP.ANY : await c.portNumber(target, port);
  const queueId = all(queue) ? QUEUE_ALL : Number.parseInt(queue, 10) >>> 0;
  await c.dump(sw, { type: 'multipart_request', request: { type: 'queue', portNo, queueId }, more: false });
}

/** What mod-port's words do to a port's configuration: [bits, on]. */
const PORT_WORDS: Readonly<Record<string, readonly [bits: number, on: boolean]>> = {
  up: [PC.PORT_DOWN, false],
  down: [PC.PORT_DOWN, true],
  stp: [PC.NO_STP, false],
  receive: [PC.NO_RECV, false],
  'receive-stp': [PC.NO_RECV_STP, false],
  flood: [PC.NO_FLOOD, false],
  forward: [PC.NO_FWD, false],
  'packet-in': [PC.NO_PACKET_IN, false],
};

function portWord(text: string): readonly [bits: number, on: boolean] | undefined {
  const word = text.toLowerCase();
  const plain = Object.hasOwn(PORT_WORDS, word) ? PORT_WORDS[word] : undefined;
  if (plain) return plain;
  const positive = word.replace(/^no-?/, '');
  if (positive === word || !Object.hasOwn(PORT_WORDS, positive)) return undefined;
  const [bits, on] = PORT_WORDS[positive];
  return [bits, !on];
}

async function portOf(c: OfctlContext, target: string, text: string): Promise<PhyPort> {
  const sw = await c.connect(target);
  // Numbers of OpenFlow 1.0 are taken without a word.
  const digits = readDecimal(text);
  const number = digits >= 0xff00 && digits <= 0xffff ? digits + 0xffff0000 : digits;
  const found = await findPort(c, sw, (p) => (Number.isNaN(number) ? p.name === text : p.portNo === number));
  if (!found) throw new FatalError(`${target}: couldn't find port \`${text}'`);
  sw.connection.close();
  return found;
}

export async function modPort(c: OfctlContext, [target, port, word]: readonly string[]): Promise<void> {
  const change = portWord(word);
  const { portNo, hwAddr } = await portOf(c, target, port);
  if (!change) throw new FatalError(`unknown mod-port command '${word}'`);
  const [mask, on] = change;
  const sw = await c.connect(target);
  await c.noReply(sw, {
    type: 'port_mod',
    portMod: { portNo, hwAddr, config: on ? mask : 0, mask, advertise: 0 },
  });
}

/** The configuration of a switch. @throws FatalError */
export async function fetchConfig(c: OfctlContext, sw: Switch): Promise<SwitchConfig> {
  const reply = await c.transact(sw, { type: 'get_config_request' });
  // What else came is not looked into.
  const isConfig = nameOf(headerOf(reply, c.explain)) === 'OFPT_GET_CONFIG_REPLY';
  const decoded = isConfig ? decodeMessage(reply, { explain: c.explain }) : undefined;
  if (decoded === undefined || decoded instanceof OfError || decoded.msg.type !== 'get_config_reply')
    throw new FatalError(`${sw.streamName}: bad reply to config request`);
  return decoded.msg.config;
}

export async function getFrags(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const config = await fetchConfig(c, await c.connect(target));
  process.stdout.write(`${config.frag}\n`);
}

export async function setFrags(c: OfctlContext, [target, mode]: readonly string[]): Promise<void> {
  const frag = FRAG_MODES.find((m) => m === mode.toLowerCase());
  if (!frag) throw new FatalError(`${mode}: unknown fragment handling mode`);
  const sw = await c.connect(target);
  const config = await fetchConfig(c, sw);
  if (config.frag === frag) return;
  await c.noReply(sw, { type: 'set_config', config: { ...config, frag } });
  const after = await fetchConfig(c, sw);
  if (after.frag !== frag) {
    throw new FatalError(
      `${target}: setting fragment handling mode failed (this switch probably doesn't support mode "${frag}")`,
    );
  }
}

/** Sends an echo request and resolves to what answers it. @param lost what is said when nothing does. */
async function echo(sw: Switch, msg: OfMessage, lost: string, xid?: number): Promise<Uint8Array> {
  try {
    return await sw.exchange.transact(msg, xid);
  } catch (e) {
    throw conversationFailure(lost, e);
  }
}

const echoRequest = (data: Uint8Array): OfMessage => ({ type: 'echo_request', data });

export async function probe(c: OfctlContext, [target]: readonly string[]): Promise<void> {
  const request = echoRequest(new Uint8Array(0));
  const reply = await echo(await c.connect(target), request, `talking to ${target}`, 0);
  // Any message that is nothing but a header will do.
  if (reply.length !== HEADER_LENGTH) throw new FatalError('reply does not match request');
}

const MAX_PAYLOAD = 65535 - 8;

export async function ping(c: OfctlContext, [target, size]: readonly string[]): Promise<void> {
  const bytes = size === undefined ? 64 : Number.parseInt(size, 10) || 0;
  if (!(bytes >= 0 && bytes <= MAX_PAYLOAD))
    throw new FatalError(`payload must be between 0 and ${MAX_PAYLOAD} bytes`);
  const sw = await c.connect(target);
  for (let i = 0; i < 10; i++) {
    const data = crypto.getRandomValues(new Uint8Array(bytes));
    const start = process.hrtime.bigint();
    const msg = echoRequest(data);
    const reply = await echo(sw, msg, 'transact');
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    const header = headerOf(reply, c.explain);
    const body = header instanceof OfError ? reply : reply.subarray(header.bodyAt);
    if (nameOf(header) !== 'OFPT_ECHO_REPLY' || Buffer.compare(body, data) !== 0) {
      const request = encodeMessage(msg, sw.connection.version, xidOf(reply));
      // Of both the peer prints the memory that is behind them, by mistake.
      const [sent, came] = [request, reply].map((bytes) => printMessage(bytes, c.plainOptions(2)));
      process.stdout.write(`Reply does not match request.  Request:\n${sent}Reply:\n${came}`);
    }
    process.stdout.write(
      `${body.length} bytes from ${target}: xid=${xidOf(reply).toString(16).padStart(8, '0')} time=${ms.toFixed(1)} ms\n`,
    );
  }
}

/** benchmark: how many echoes of a size go there and back in a second. */
export async function benchmark(c: OfctlContext, [target, size, number]: readonly string[]): Promise<void> {
  const bytes = Number.parseInt(size, 10) || 0;
  if (bytes < 0 || bytes > MAX_PAYLOAD)
    throw new FatalError(`payload must be between 0 and ${MAX_PAYLOAD} bytes`);
  const count = Number.parseInt(number, 10) || 0;
  const message = bytes + HEADER_LENGTH;
  process.stdout.write(
    `Sending ${count} packets * ${message} bytes (with header) = ${count * message} bytes total\n`,
  );
  const sw = await c.connect(target);
  const msg = echoRequest(new Uint8Array(bytes));
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) await echo(sw, msg, 'transact');
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  const rate = (n: number): string => (count === 0 ? '-nan' : ((n * 1000) / ms).toFixed(0));
  process.stdout.write(
    `Finished in ${ms.toFixed(1)} ms (${rate(count)} packets/s) (${rate(count * message)} bytes/s)\n`,
  );
}
