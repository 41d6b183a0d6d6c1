/** Somebody who watches flows change and does not read for a while: what a switch tells it then. */
import net from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { OfError } from '@ovs-node/openflow/errors';
import { decodeMessage, encodeMessage } from '@ovs-node/openflow/messages/codec';
import { header } from '@ovs-node/openflow/testkit/header';
import { watch } from '@ovs-node/openflow/testkit/requests';
import { takeMessages } from '@ovs-node/openflow/testkit/take-messages';
import { flow } from './answer-requests.js';
import { Talk } from './talk.js';

/** Flows that are changed while nobody reads: updates of them fill all buffers there are. */
const FLOWS = 8000;
const XID = 9;

export interface SlowReading {
  /** The flows told of, by their cookie, each once. */
  readonly flows: readonly bigint[];
  /** That monitoring paused and went on, in their order. */
  readonly pauses: readonly string[];
}

/** Watches all flows of a bridge, and reads on when many have been added. */
export async function readSlowly(suite: Suite, bridge: string, version: number): Promise<SlowReading> {
  const socket = net.connect(join(suite.dirs.run, `${bridge}.mgmt`));
  socket.write(Buffer.concat([header(version, 0, 1), encodeMessage(watch({}), version, XID)]));
  // The hello and the first answer; then nothing for now.
  await once(socket, 'data');
  await new Promise((resolve) => setTimeout(resolve, 100));
  socket.pause();
  const other = new Talk(suite, bridge, version);
  const adds = Array.from({ length: FLOWS }, (_, n) =>
    encodeMessage(
      flow(`in_port=${n}`, 'output:1,output:2,output:7,output:1,output:2', { newCookie: BigInt(n + 1) }),
      version,
      n,
    ),
  );
  await other.send(Buffer.concat(adds), 1);
  other.close();
  const reading = await readToEnd(socket);
  socket.destroy();
  return reading;
}

/** Reads until all flows have been told of and monitoring goes on, or nothing comes any more. */
async function readToEnd(socket: net.Socket): Promise<SlowReading> {
  const flows = new Set<bigint>();
  const pauses: string[] = [];
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = takeMessages(Buffer.concat([rest, chunk]), (message) => note(message, flows, pauses));
  });
  socket.resume();
  const isDone = (): boolean => flows.size === FLOWS && pauses.at(-1) === 'resumed';
  for (let n = 0; n < 100 && !isDone(); n++) await new Promise((resolve) => setTimeout(resolve, 100));
  return { flows: [...flows].sort((a, b) => Number(a - b)), pauses };
}

function note(message: Uint8Array, flows: Set<bigint>, pauses: string[]): void {
  const decoded = decodeMessage(message);
  if (decoded instanceof OfError) return;
  const { msg } = decoded;
  if (msg.type === 'flow_monitor_paused' || msg.type === 'flow_monitor_resumed')
    pauses.push(msg.type.slice('flow_monitor_'.length));
  if (msg.type !== 'multipart_reply' || msg.reply.type !== 'flow_monitor') return;
  for (const update of msg.reply.updates) {
    if (update.event === 'paused' || update.event === 'resumed') pauses.push(update.event);
    else if (update.event === 'added') flows.add(update.cookie);
  }
}
