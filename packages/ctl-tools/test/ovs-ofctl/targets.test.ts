/** Names of switches, good and bad, and what becomes of connections whose other side says strange things: as the peer. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'ava';
import { checkoutRoot, needing, peerPath, run, tmpDir } from '@ovs-node/common/testkit/index';
import { takeMessages } from '@ovs-node/openflow/testkit/take-messages';

const needingPeer = needing(test, 'peer');

/** A program with the words before its own. */
type Command = readonly [file: string, ...words: string[]];
const OURS: Command = [process.execPath, path.join(checkoutRoot(), 'bin/ovs-ofctl')];
const PEERS: Command = [peerPath('ovs-ofctl') ?? ''];

interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const OPTIONS = ['-t', '5', ...['ofctl', 'vconn', 'stream_unix'].map((m) => `-v${m}:console:dbg`)];

/** What a program says of a command line, run in `dir`, which is also where bridges would be. */
async function answer(
  [file, ...before]: Command,
  words: readonly string[],
  dir: string,
  options: readonly string[] = OPTIONS,
): Promise<Answer> {
  const { status, stdout, stderr } = await run(file, [...before, ...options, ...words], {
    cwd: dir,
    env: { OVS_RUNDIR: dir },
  });
  return { status, stdout, stderr: stderr.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, '') };
}

const LONG = 'a'.repeat(130);

/** RUNDIR is where the tools look for bridges. */
const NAMES = [
  'tcp:',
  'tcp::',
  'tcp:[',
  'tcp:[]',
  'tcp:[]:1',
  'tcp:[::1]',
  'tcp:[::1]:',
  'tcp:[::1]::1',
  'tcp:[::1]1',
  'tcp:[::1',

  'tcp:[[::1]]:1',
  'tcp:[::1%lo]:1',
  'tcp:[::1%nope]:1',
  'tcp:[::1%]:1',
  'tcp:[::1%lo%lo]:1',
  'tcp:[::g]:1',
  'tcp:::1',

  'tcp:127.0.0.1',
  'tcp:127.0.0.1:',
  'tcp:127.0.0.1:1',
  'tcp:127.0.0.1:65536',
  'tcp:127.0.0.1:-1',
  'tcp:127.0.0.1:+1',

  'tcp:127.0.0.1: 1',
  'tcp:127.0.0.1:1 ',
  'tcp:127.0.0.1:1x',
  'tcp:127.0.0.1:http',
  'tcp:127.0.0.1:1:2',
  'tcp:127.1:1',

  'tcp:1:1',
  'tcp:0x7f.1:1',
  'tcp:127.0.0.01:1',
  'tcp:localhost:1',
  'tcp:]1',
  'tcp',
  'TCP:127.0.0.1:1',
  'foo:',
  ':',

  'ssl:',
  'ssl:127.0.0.1',
  'ssl:[::1]',
  'ssl:[::1',
  'ssl:a:b:c',
  'ssl:127.0.0.1:x',
  'ptcp:',
  'punix:x',
  'fd:0',

  'unix:',
  'unix:none',
  'unix:RUNDIR/none',
  'unix:plain',
  'unix:RUNDIR/plain/x',
  `unix:/${LONG}`,
  `unix:RUNDIR/${LONG}/b`,

  'none',
  'plain',
  './plain',
  'RUNDIR/plain',
  'file',
  '/',
  '.',
  'plain/x',
  'a@b',
  'a@b@c',
  'br0@',
  '@',
  LONG,
];

needingPeer('names of switches that are none are refused as by the peer', async (t) => {
  t.timeout(120_000);
  const dir = tmpDir(t);
  fs.writeFileSync(path.join(dir, 'plain'), '');
  fs.writeFileSync(path.join(dir, 'file.mgmt'), '');
  for (const name of NAMES) {
    const words = ['show', name.replace('RUNDIR', dir)];
    const [ours, peers] = await Promise.all([answer(OURS, words, dir), answer(PEERS, words, dir)]);
    t.deepEqual(ours, peers, name);
  }
});

/** What the other side says when it is connected to, in hexadecimal, before it hangs up. */
const FIRST_WORDS = [
  '',
  '0100000800000001',
  '010000080000',
  '06000008000000ff',
  '0600001000000001000100080000000e',
  '06000010000000010001000800000000',
  '060000100000000100010008000000fe',
  '0100000c0000000101020304',
  '06000010000000010001000caabbccdd',
  '000000080000000a',
  '0100000000000000',
  '01000007000000',
  '0102000800000005',
  '0101001400000001000000005765206e6f206c696b',
  '010000080000000101050008',
];

for (const versions of ['OpenFlow10', 'OpenFlow13,OpenFlow14']) {
  needingPeer(`strange first words of a switch are told of as by the peer, ${versions}`, async (t) => {
    t.timeout(60_000);
    const dir = tmpDir(t);
    const server = net.createServer();
    let words = Buffer.alloc(0);
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      // Behind the tool's hello: what it meets does not depend on who is quicker.
      socket.once('data', () => socket.end(words));
    });
    await new Promise<void>((resolve) => server.listen(path.join(dir, 'br0.mgmt'), resolve));
    t.teardown(() => server.close());
    for (const hex of FIRST_WORDS) {
      words = Buffer.from(hex, 'hex');
      const line = ['-O', versions, 'show', 'br0'];
      t.deepEqual(await answer(OURS, line, dir), await answer(PEERS, line, dir), hex);
    }
  });
}

/** What an unruly switch does with the first request. */
const UNRULY: Readonly<Record<string, (request: Buffer) => { readonly bytes: Buffer; readonly end?: true }>> =
  {
    'hangs up': () => ({ bytes: Buffer.alloc(0), end: true }),
    'hangs up in the middle of a reply': (request) => ({ bytes: request.subarray(0, 5), end: true }),
    'answers with an error': (request) => ({ bytes: reply(request, 1, [0, 1, 0, 5]) }),
    'answers with the reply to a barrier': (request) => ({
      bytes: reply(request, request[0] === 1 ? 19 : 21),
    }),
    'answers in another version and hangs up': (request) => {
      const bytes = reply(request, 4);
      bytes[0] = 9;
      return { bytes, end: true };
    },
  };

/** A message with the version and the transaction id of a request. */
function reply(request: Buffer, type: number, body: readonly number[] = []): Buffer {
  const bytes = Buffer.concat([request.subarray(0, 8), Buffer.from(body)]);
  bytes[1] = type;
  bytes.writeUInt16BE(bytes.length, 2);
  return bytes;
}

/** `@` is the switch. What is left out asks for numbers that are drawn by lot, or waits for a second answer. */
const REQUESTS = [
  'show @',
  'dump-desc @',
  'dump-tables @',
  'get-frags @',
  'set-frags @ drop',
  'dump-ports @',
  'dump-ports @ p1',
  'dump-ports-desc @',
  'dump-flows @ tcp',
  'dump-aggregate @ tcp',
  'add-flow @ actions=drop',
  'mod-port @ p1 up',
  'mod-table @ 0 controller',
  'probe @',
  'queue-get-config @ 1',
  '--names dump-flows @',
  'replace-flows @ -',
  '-O OpenFlow13 show @',
  '-O OpenFlow13 dump-flows @',
  '-O OpenFlow13 --names dump-flows @',
  '-O OpenFlow13 --no-names add-flow @ actions=drop',
  '-O OpenFlow13 add-group @ group_id=1,type=all',
  '-O OpenFlow13 dump-groups @',
  '-O OpenFlow13 dump-meters @',
  '-O OpenFlow13 dump-table-features @',
  '-O OpenFlow14 dump-table-desc @',
  '-O OpenFlow14 mod-table @ 0 evict',
  '-O OpenFlow13 diff-flows @ /dev/null',
];

for (const [what, answerOf] of Object.entries(UNRULY)) {
  needingPeer(`of a switch that ${what} the same is said as by the peer`, async (t) => {
    t.timeout(120_000);
    const dir = tmpDir(t);
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      let buffered: Buffer = Buffer.alloc(0);
      socket.on('data', (data: Buffer) => {
        buffered = takeMessages(Buffer.concat([buffered, data]), (request) => {
          if (request[1] === 1) return;
          const { bytes, end } = request[1] === 0 ? { bytes: request } : answerOf(Buffer.from(request));
          socket.write(bytes);
          // Late enough for what is said of it not to depend on who is quicker.
          if (end === true) setTimeout(() => socket.end(), 100);
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(path.join(dir, 'br0.mgmt'), resolve));
    t.teardown(() => server.close());
    const options = ['-t', '2'];
    for (const request of REQUESTS) {
      const words = request.split(' ').map((word) => (word === '@' ? 'br0' : word));
      const [ours, peers] = await Promise.all([
        answer(OURS, words, dir, options),
        answer(PEERS, words, dir, options),
      ]);
      t.deepEqual(ours, peers, request);
    }
  });
}
