/**
 * Flows sent one by one, without a limit of time, for which the tool may stand still until each is answered: what it says
 * of switches that do this and that meanwhile, as the peer's does.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'ava';
import { checkoutRoot, needing, peerPath, run, tmpDir } from '@ovs-node/common/testkit/index';
import { takeMessages } from '@ovs-node/openflow/testkit/take-messages';

const needingPeer = needing(test, 'peer');
const OURS = [process.execPath, path.join(checkoutRoot(), 'bin/ovs-ofctl')];
const HELLO = 0;
const FLOW_MOD = 14;
const BARRIER_REQUEST = 18;

/** An OpenFlow 1.0 message. */
function message(type: number, xid: number, body = ''): Buffer {
  const bytes = Buffer.concat([Buffer.from([1, type, 0, 0, 0, 0, 0, 0]), Buffer.from(body, 'hex')]);
  bytes.writeUInt16BE(bytes.length, 2);
  bytes.writeUInt32BE(xid, 4);
  return bytes;
}
const xidOf = (request: Buffer): number => request.readUInt32BE(4);
const barrierReply = (request: Buffer): Buffer => message(19, xidOf(request));
const errorFor = (request: Buffer): Buffer =>
  message(1, xidOf(request), `00030000${request.toString('hex').slice(0, 128)}`);

/** What a switch does at the n-th flow, the first being 0, and at the barrier behind it; nothing: it waits. */
type Behaviour = (n: number, request: Buffer, socket: net.Socket) => void;

const obeys: Behaviour = (_n, request, socket) => {
  if (request[1] === BARRIER_REQUEST) socket.write(barrierReply(request));
};

/** At flow 1, or at the barrier behind it, something else than at the others. */
const atFlow1 =
  (type: number, act: (request: Buffer, socket: net.Socket) => void): Behaviour =>
  (n, request, socket) => {
    if (n === 1 && request[1] === type) act(request, socket);
    else obeys(n, request, socket);
  };

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  'takes them': obeys,
  'refuses one': atFlow1(FLOW_MOD, (request, socket) => void socket.write(errorFor(request))),
  'answers the barrier with an error': atFlow1(
    BARRIER_REQUEST,
    (request, socket) => void socket.write(errorFor(request)),
  ),
  'hangs up': atFlow1(BARRIER_REQUEST, (_request, socket) => void socket.end()),
  'hangs up in the middle of a reply': atFlow1(
    BARRIER_REQUEST,
    (request, socket) => void socket.end(barrierReply(request).subarray(0, 5)),
  ),
  'answers in two pieces': atFlow1(BARRIER_REQUEST, (request, socket) => {
    socket.write(barrierReply(request).subarray(0, 5));
    setTimeout(() => socket.write(barrierReply(request).subarray(5)), 50);
  }),
  'asks for an echo first, and tells of a port': atFlow1(BARRIER_REQUEST, (request, socket) => {
    const port = `00${'00'.repeat(7)}0001${'11'.repeat(6)}${'61'.repeat(4)}${'00'.repeat(36)}`;
    socket.write(Buffer.concat([message(2, 77, 'abcd'), message(12, 0, port), barrierReply(request)]));
  }),
  'takes its time': atFlow1(BARRIER_REQUEST, (request, socket) => {
    setTimeout(() => socket.write(barrierReply(request)), 300);
  }),
};

interface Fake {
  readonly dir: string;
  /** Types of the messages that came over each connection. */
  readonly seen: number[][];
}

async function fakeSwitch(t: Parameters<typeof tmpDir>[0] & object, behave: Behaviour): Promise<Fake> {
  const dir = tmpDir(t);
  const seen: number[][] = [];
  const server = net.createServer((socket) => {
    const types: number[] = [];
    seen.push(types);
    let flows = -1;
    let buffered: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      buffered = takeMessages(Buffer.concat([buffered, data]), (borrowed) => {
        const request = Buffer.from(borrowed);
        types.push(request[1]!);
        if (request[1] === HELLO) socket.write(message(HELLO, 1));
        if (request[1] === FLOW_MOD) flows++;
        if (request[1] === FLOW_MOD || request[1] === BARRIER_REQUEST) behave(flows, request, socket);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(path.join(dir, 'br0.mgmt'), resolve));
  t.teardown(() => void server.close());
  fs.writeFileSync(path.join(dir, 'flows'), [1, 2, 3].map((n) => `in_port=${n},actions=drop\n`).join(''));
  return { dir, seen };
}

const LINE = ['--no-names', '-O', 'OpenFlow10', 'add-flows', 'br0'];

for (const [what, behave] of Object.entries(BEHAVIOURS)) {
  needingPeer(`a switch that ${what}`, async (t) => {
    const { dir, seen } = await fakeSwitch(t, behave);
    const said = async ([file, ...before]: readonly string[]): Promise<unknown> => {
      const words = [...before, ...LINE, path.join(dir, 'flows')];
      const { status, stdout, stderr } = await run(file!, words, { cwd: dir, env: { OVS_RUNDIR: dir } });
      return { status, stdout, stderr: stderr.replace(/^\S+Z\|\d+\|/gm, '') };
    };
    const ours = await said(OURS);
    t.deepEqual(ours, await said([peerPath('ovs-ofctl')!]));
    // Echo requests are left unanswered meanwhile, as by the peer.
    t.deepEqual(seen[0], seen[1]);
  });
}

needing(test, 'unix')(
  'who waits for an answer in vain ends by signals, and when its time is up',
  async (t) => {
    for (const [signal, ...options] of [['SIGINT'], ['SIGTERM'], ['SIGALRM', '-t', '1']]) {
      let waits = (): void => undefined;
      const isWaiting = new Promise<void>((resolve) => (waits = resolve));
      const { dir } = await fakeSwitch(t, () => waits());
      const child = spawn(OURS[0]!, [OURS[1]!, ...options, ...LINE, path.join(dir, 'flows')], {
        env: { ...process.env, OVS_RUNDIR: dir },
        stdio: 'ignore',
      });
      await isWaiting;
      if (options.length === 0) child.kill(signal as NodeJS.Signals);
      t.deepEqual(await once(child, 'exit'), [null, signal]);
    }
  },
);
