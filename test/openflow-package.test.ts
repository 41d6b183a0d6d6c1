/**
 * Package openflow as others get it: packed with npm, installed from the tarballs into an empty folder without a network.
 * What it exports and the types of that are checked by a program of all of them, and the README's examples run as they
 * stand, with either side's switch.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { connectSwitch, NO_BUFFER, OF13, parseMatch, PR } from '@ovs-node/openflow';
import { withSuite } from './lib/lab.js';
import { compileIn, installPacked, runIn } from './lib/packed.js';
import { PEER, testWith } from './lib/requires.js';

const PACKAGES = [
  'packages/common',
  'packages/flow',
  'packages/openflow',
  'node_modules/debug',
  'node_modules/ms',
  'node_modules/json-rpc-2.0',
  'node_modules/koffi',
];

const PROGRAM = `import {
  BUCKET, connectSwitch, decodeMessage, encodeMessage, ErrorReply, errorNumbers, FlowSyntaxError, formatActions, formatMatch, formatMessage, formatPort,
  GROUP_ALL, inPortOf, makeFlowMod, makeGroupMod, Match, matchedValue, METER, OF10, OF13, OF15, OfConnection, OfError, type OfMessage, OFPP, parseActions, parseFlow,
  parseMatch, type PortMap, printMessage, setTlsConfig, type TlsConfig, UnencodableError, versionFromName, versionName,
} from '@ovs-node/openflow';

const match: Match = parseMatch('tcp,nw_dst=10.0.0.0/8');
const flowMod = makeFlowMod({ command: 'add', priority: 5, match, actions: parseActions('output:2,LOCAL') });
const bytes = encodeMessage({ type: 'flow_mod', flowMod }, OF13, 1);
const decoded = decodeMessage(bytes);
if (decoded instanceof OfError) throw new Error(decoded.name);
const message: OfMessage = decoded.msg;
// A message is known by its type.
if (message.type === 'flow_mod') {
  const port: number | undefined = message.flowMod.actions[0]?.type === 'output' ? message.flowMod.actions[0].port : undefined;
  console.log(formatMatch(message.flowMod.match), port, formatActions(message.flowMod.actions));
}
try {
  encodeMessage({ type: 'barrier_request' }, OF15, 1);
  encodeMessage({ type: 'set_flow_format', format: 'nxm' }, OF15, 1);
} catch (e) {
  console.log(e instanceof UnencodableError);
}
console.log(errorNumbers('OFPBRC_BAD_LEN', OF10), versionFromName('OpenFlow13'), versionName(OF15), OFPP.LOCAL);
console.log(BUCKET.ALL, METER.ALL, parseFlow('in_port=1,actions=drop', 'add').priority);
process.stdout.write(printMessage(bytes));
const ports: PortMap = { nameToNumber: (name) => (name === 'eth0' ? 3 : undefined), numberToName: () => 'eth0' };
const named = parseFlow('table=1,in_port=LOCAL,actions=output:eth0', 'add', { ports });
process.stdout.write(formatMessage({ type: 'flow_mod', flowMod: named }, OF13, 2, { ports }));
try {
  parseFlow('tcp', 'add');
} catch (e) {
  console.log(e instanceof FlowSyntaxError, formatPort(OFPP.LOCAL));
}
const keys: TlsConfig = { caCert: 'none' };
setTlsConfig(keys);
try {
  await connectSwitch('unix:/nonexistent/br0.mgmt', { versions: 1 << OF13 });
} catch (e) {
  console.log((e as NodeJS.ErrnoException).code);
}

// A switch of this program's own: it has no flows, and refuses what it is asked for first.
const { createServer } = await import('node:net');
const server = createServer((socket) => {
  const connection: OfConnection = new OfConnection(socket, { versions: 1 << OF15 }, {
    onMessage: ({ msg, xid }) => {
      if (msg.type === 'barrier_request') connection.send({ type: 'barrier_reply' }, xid);
      else connection.send({ type: 'error', error: new OfError('OFPBRC_EPERM', '', new Uint8Array(0)) }, xid);
    },
  });
});
server.listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const target = \`tcp:127.0.0.1:\${(server.address() as { port: number }).port}\`;
const connection = await connectSwitch(target, { versions: (1 << OF13) | (1 << OF15) });
console.log(versionName(connection.version));
try {
  await connection.ask({ type: 'features_request' }, 'features_reply');
} catch (e) {
  if (e instanceof ErrorReply) console.log(e.error.name);
}
await connection.ask({ type: 'barrier_request' }, 'barrier_reply');
try {
  // What statistics give is known by what is asked for.
  const { groups } = await connection.statistics({ type: 'group_desc', group: GROUP_ALL });
  const id: number | undefined = groups[0]?.groupId;
  console.log(id);
} catch (e) {
  console.log(e instanceof ErrorReply);
}
const groupMod = makeGroupMod({ command: 'add', groupId: 1, buckets: [{ actions: parseActions('output:2') }] });
try {
  await connection.carryOut({ type: 'group_mod', groupMod }, { type: 'flow_mod', flowMod });
} catch (e) {
  console.log(String((e as ErrorReply).error), inPortOf(parseMatch('in_port=7')), matchedValue(match, 'nw_dst')?.mask);
}
connection.close();
try {
  await connectSwitch(target, { versions: 1 << OF10 });
} catch (e) {
  console.log((e as Error).message);
}
server.close();

// What the types have to refuse.
export function wrong(): void {
  // @ts-expect-error no such message
  encodeMessage({ type: 'barrier' }, OF13, 1);
  // @ts-expect-error a flow-mod without what it is to do
  encodeMessage({ type: 'flow_mod', flowMod: { match } }, OF13, 1);
  // @ts-expect-error no such action
  makeFlowMod({ command: 'add', priority: 5, actions: [{ type: 'outputs', port: 1 }] });
  // @ts-expect-error statistics of another kind
  void connection.statistics({ type: 'port', portNo: 1 }).then(({ flows }) => flows);
  // @ts-expect-error no such error
  errorNumbers('OFPBRC_BAD', OF10);
}
`;

const PRINTED = `tcp,nw_dst=10.0.0.0/8 2 output:2,LOCAL
true
{ vendor: 0, type: 1, code: 6 } 4 OpenFlow15 4294967294
4294967295 4294967295 32768
OFPT_FLOW_MOD (OF1.3) (xid=0x1): ADD priority=5,tcp,nw_dst=10.0.0.0/8 actions=output:2,LOCAL
OFPT_FLOW_MOD (OF1.3) (xid=0x2): ADD table:1 in_port=LOCAL actions=output:eth0
true LOCAL
ENOENT
OpenFlow15
OFPBRC_EPERM
true
OFPBRC_EPERM 7 4278190080n
version negotiation failed (we support version 0x01, peer supports version 0x06)
`;

/** The line that a program prints first. */
async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  while (!text.includes('\n')) text += String(await once(child.stdout!, 'data'));
  return text.trim();
}

/** The README's examples, in their order. */
function examples(app: string): readonly string[] {
  const readme = readFileSync(join(app, 'node_modules/@ovs-node/openflow/README.md'), 'utf8');
  return [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code], i) => {
    const file = join(app, `example${i}.js`);
    writeFileSync(file, code!);
    return file;
  });
}

/** What a stranger sends a controller: a packet that came in nowhere. It lives on. */
async function sendStrange(target: string): Promise<void> {
  const connection = await connectSwitch(target, { versions: 1 << OF13 });
  const match = parseMatch('metadata=1');
  const rest = { bufferId: NO_BUFFER, totalLen: 14, reason: PR.NO_MATCH, tableId: 0, cookie: 0n };
  const packetIn = { ...rest, match, packet: new Uint8Array(14) };
  connection.send({ type: 'packet_in', packetIn, format: 'standard' });
  await connection.ask({ type: 'echo_request', data: new Uint8Array(0) }, 'echo_reply');
  connection.close();
}

const BRIDGE =
  'add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure -- add-port br0 p1 -- set interface p1 type=dummy';

async function runExamples(t: ExecutionContext, app: string): Promise<void> {
  const [asks, learns] = examples(app) as [string, string];
  for (const side of ['peer', 'ours'] as const) {
    await withSuite(t, { side, vswitchdArgs: ['--enable-dummy'] }, async (suite, place) => {
      await suite.vsctl(
        ...BRIDGE.split(' '),
        '--',
        'add-port',
        'br0',
        'p2',
        '--',
        'set',
        'interface',
        'p2',
        'type=dummy',
      );
      const printed = await runIn(t, app, process.execPath, [asks], { SWITCH: `unix:${place}/br0.mgmt` });
      t.is(printed, '254 tables\ntable=1, priority=7,tcp,tp_dst=80 actions=output:1\n', side);

      await suite.ofctl('del-flows', 'br0');
      const child = spawn(process.execPath, [learns], { cwd: app, env: { ...process.env, PORT: '0' } });
      t.teardown(() => child.kill());
      const port = (await firstLine(child)).replace('waiting at ', '');
      await sendStrange(`tcp:127.0.0.1:${port}`);
      const controller = ['set-controller', 'br0', `tcp:127.0.0.1:${port}`];
      await suite.vsctl(...controller, '--', 'set', 'controller', 'br0', 'connection_mode=out-of-band');
      const flooded = async (): Promise<boolean> => {
        await suite.appctl('netdev-dummy/receive', 'p1', '50540000000a5054000000091234');
        return /tx pkts=[1-9]/.test(await suite.ofctl('dump-ports', 'br0', 'p2'));
      };
      for (let i = 0; i < 100 && !(await flooded()); i++) await sleep(100);
      t.true(await flooded(), `${side}: a packet comes out of the other port`);
      const learned = async (): Promise<boolean> => {
        await suite.appctl('netdev-dummy/receive', 'p2', '50540000000950540000000a1234');
        return /dl_dst=50:54:00:00:00:09 actions=output:[0-9]/.test(await suite.ofctl('dump-flows', 'br0'));
      };
      for (let i = 0; i < 100 && !(await learned()); i++) await sleep(100);
      t.true(await learned(), `${side}: the way back is learned`);
      child.kill();
    });
  }
}

testWith(PEER)(
  'packed and installed in an empty folder, the library has its types and its README is true',
  async (t) => {
    t.timeout(240_000);
    const app = await installPacked(t, PACKAGES);
    t.deepEqual(readdirSync(join(app, 'node_modules/@ovs-node')).toSorted(), ['common', 'flow', 'openflow']);
    writeFileSync(join(app, 'program.ts'), PROGRAM);
    await compileIn(t, app, 'program.ts');
    t.is(await runIn(t, app, process.execPath, ['program.js']), PRINTED);
    await runExamples(t, app);
    rmSync(join(app, 'node_modules'), { recursive: true });
  },
);
