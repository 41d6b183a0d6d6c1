/**
 * How our switch cuts long replies into messages, and how much of a bad request an error quotes: message by message as the
 * peer's does, whose tools print a heading per message.
 */
import type { ExecutionContext } from 'ava';
import {
  connectSwitch,
  encodeMessage,
  makeFlowFilter,
  type MultipartRequest,
  OF10,
  OF13,
  OF15,
  GROUP_ALL,
} from '@ovs-node/openflow';
import { type LabOptions, withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const GROUPS = Array.from({ length: 1500 }, (_, i) => `group_id=${i + 1},type=all,bucket=output:1`).join(
  '\n',
);
const FLOWS = Array.from({ length: 2000 }, (_, i) => `tcp,tp_dst=${i + 1},actions=output:1`).join('\n');
const BRIDGE =
  'add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure protocols=OpenFlow10,OpenFlow13,OpenFlow15';
const REQUESTS: readonly MultipartRequest[] = [
  { type: 'flow', filter: makeFlowFilter() },
  { type: 'group', group: GROUP_ALL },
  { type: 'group_desc', group: GROUP_ALL },
  { type: 'table_features', tables: [] },
];

/** The lengths and flags of the messages that answer a request. */
async function partsOf(target: string, version: number, request: MultipartRequest): Promise<string[]> {
  const parts: string[] = [];
  const connection = await connectSwitch(target, { versions: 1 << version });
  await connection.request({ type: 'multipart_request', request, more: false }, (_, bytes) => {
    parts.push(`${bytes.length} bytes, flags ${bytes[11]}`);
  });
  connection.close();
  return parts;
}

/** The bytes of the error that answers a message as long as one can be. */
async function quote(target: string, version: number, vendor: number): Promise<string> {
  const long = encodeMessage({ type: 'echo_request', data: new Uint8Array(65527).fill(vendor) }, version, 7);
  long[1] = 4;
  let error = '';
  const onMessage = (_: unknown, bytes: Uint8Array): void => {
    error = Buffer.from(bytes).toString('base64');
  };
  const connection = await connectSwitch(target, { versions: 1 << version }, { onMessage });
  connection.sendBytes(long);
  await connection.ask({ type: 'barrier_request' }, 'barrier_reply');
  connection.close();
  return error;
}

async function answers(t: ExecutionContext, side: NonNullable<LabOptions['side']>): Promise<unknown> {
  const options = { side, vswitchdArgs: ['--enable-dummy'], expectedWarnings: [/unknown vendor 0x61616161/] };
  return withSuite(t, options, async (suite, place) => {
    await suite.vsctl(...BRIDGE.split(' '));
    await suite.run('ovs-ofctl', ['add-groups', 'br0', '-'], { input: GROUPS });
    await suite.run('ovs-ofctl', ['add-flows', 'br0', '-'], { input: FLOWS });
    const target = `unix:${place}/br0.mgmt`;
    const all: Record<string, unknown> = {};
    for (const version of [OF10, OF13, OF15]) {
      all[`quote ${version}`] = await quote(target, version, 0x61);
      for (const request of REQUESTS) {
        if (version === OF10 && request.type === 'table_features') continue;
        all[`${request.type} ${version}`] = await partsOf(target, version, request);
      }
    }
    const dump = await suite.ofctl('-O', 'OpenFlow13', 'dump-groups', 'br0');
    return { all, headings: dump.match(/reply/g)?.length };
  });
}

testWith(PEER)(
  "long replies come in the parts that the peer's come in, and errors quote as much of a long request",
  async (t) => {
    t.timeout(120_000);
    t.deepEqual(await answers(t, 'ours'), await answers(t, 'peer'));
  },
);
