/** The program ovs-datapath-svc, as compiled: options, files, control socket, pipe, ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { connectStream } from '@ovs-node/common/stream';
import { needing, run, socketPath, tmpDir } from '@ovs-node/common/testkit/index';
import { unixctlCall } from '@ovs-node/common/unixctl-client';
import { VportType } from '@ovs-node/netlink/families';
import { PipeDevice } from '@ovs-node/netlink/pipe/client';
import { hex, udp } from './ports/frames.js';
import { Client } from './worker/client.js';

const PROGRAM = fileURLToPath(new URL('../src/programs/ovs-datapath-svc.js', import.meta.url));
const environment = (dir: string): Record<string, string> => ({ OVS_RUNDIR: dir, OVS_LOGDIR: dir });

/** Starts the service in `dir` and waits for its socket; its exit status and standard error when it ends. */
async function start(
  t: ExecutionContext,
  dir: string,
  env: Record<string, string> = {},
  ...args: string[]
): Promise<{
  child: ChildProcess;
  control: string;
  ended: Promise<{ status: number | null; signal: string | null; stderr: string }>;
}> {
  const child = spawn(process.execPath, [PROGRAM, '-vconsole:err', '--unixctl=ctl', ...args], {
    env: { ...process.env, ...environment(dir), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ status: number | null; signal: string | null; stderr: string }>((resolve) =>
    child.once('close', (status, signal) => resolve({ status, signal, stderr })),
  );
  t.teardown(() => child.kill('SIGKILL'));
  while (child.exitCode === null && !(await serves(path.join(dir, 'ovs-datapath.sock'))))
    await new Promise((resolve) => setTimeout(resolve, 10));
  return { child, control: path.join(dir, 'ctl'), ended };
}

/** Does somebody listen there? A named pipe is no file that could be looked for. */
async function serves(socket: string): Promise<boolean> {
  try {
    (await connectStream(`unix:${socket}`)).destroy();
    return true;
  } catch {
    return false;
  }
}

const call = async (control: string, command: string, ...args: string[]): Promise<string> => {
  const reply = await unixctlCall(control, command, args);
  return JSON.stringify(reply);
};

test('packets cross it by the pipe; a client that dies leaves ports and flows; exit ends it', async (t) => {
  const dir = tmpDir(t);
  const { control, ended } = await start(t, dir);
  const device = new PipeDevice(`unix:${path.join(dir, 'ovs-datapath.sock')}`);
  const capture = path.join(dir, 'tx.pcap');
  const client = await Client.open(device, 'dp');
  await client.port('p1', VportType.DUMMY);
  await client.port('p2', VportType.DUMMY, { tx_pcap: capture });
  const waiting = client.upcall();
  await call(control, 'netdev-dummy/receive', 'p1', hex(udp(20)));
  await client.forward((await waiting).key, 2);
  client.handle.close();
  await call(control, 'netdev-dummy/receive', 'p1', hex(udp(20)));
  t.is(fs.statSync(capture).size, 24 + 16 + 62);
  t.regex(await call(control, 'switch/show'), /dp\/p2: dummy, up/);
  await call(control, 'exit');
  t.deepEqual(await ended, { status: 0, signal: null, stderr: '' });
  t.false(fs.existsSync(path.join(dir, 'ovs-datapath.sock')));
});

needing(test, 'unix')('SIGTERM ends it cleanly while handles wait', async (t) => {
  const dir = tmpDir(t);
  const { child, ended } = await start(t, dir, {}, '--pidfile');
  const device = new PipeDevice(`unix:${path.join(dir, 'ovs-datapath.sock')}`);
  const client = await Client.open(device, 'dp');
  const waiting = t.throwsAsync(client.handle.readPacket());
  t.is(fs.readFileSync(path.join(dir, 'ovs-datapath-svc.pid'), 'utf8'), `${child.pid}\n`);
  child.kill('SIGTERM');
  t.like(await ended, { signal: 'SIGTERM', stderr: '' });
  await waiting;
  t.deepEqual(fs.readdirSync(dir), []);
});

test('garbage on the pipe ends that connection, not the service', async (t) => {
  const dir = tmpDir(t);
  const { control, ended } = await start(t, dir);
  for (const garbage of ['GET / HTTP/1.0\r\n\r\n', '\0'.repeat(100), '\xff'.repeat(100)]) {
    await new Promise<void>((resolve) => {
      const file = path.join(dir, 'ovs-datapath.sock');
      const socket = net.connect(socketPath(file));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.end(Buffer.from(garbage, 'latin1'));
    });
  }
  const device = new PipeDevice(`unix:${path.join(dir, 'ovs-datapath.sock')}`);
  await Client.open(device, 'dp');
  await call(control, 'exit');
  t.is((await ended).status, 0);
});

test('mistakes on the command line: one line, status 1', async (t) => {
  const dir = tmpDir(t);
  const at = (args: string[]) => run(process.execPath, [PROGRAM, ...args], { env: environment(dir) });
  for (const [args, text] of [
    [['x'], 'ovs-datapath-svc: no non-option arguments accepted; use --help for usage\n'],
    [['--nonsense'], "ovs-datapath-svc: unrecognized option '--nonsense'\n"],
    [
      ['--device=ptcp:1', '-vconsole:off'],
      'ovs-datapath-svc: ptcp:1: the pseudo device is served at a Unix socket or named pipe only\n',
    ],
    // A named pipe needs no folder.
    ...(process.platform === 'win32'
      ? []
      : ([
          [
            ['--device=punix:/nonexistent/x', '-vconsole:off'],
            'ovs-datapath-svc: punix:/nonexistent/x: could not serve the pseudo device (No such file or directory)\n',
          ],
        ] as const)),
  ] as const) {
    const { status, stderr } = await at([...args]);
    t.is(status, 1, args.join(' '));
    t.is(stderr, text);
  }
  const { control, ended } = await start(t, dir);
  const second = await at(['--unixctl=ctl2', '-vconsole:off']);
  t.is(second.status, 1);
  t.regex(second.stderr, /could not serve the pseudo device \(Address already in use\)\n$/);
  await call(control, 'exit');
  await ended;
});

test('without koffi there are dummies and streams, and an error for the rest', async (t) => {
  const dir = tmpDir(t);
  const preload = path.join(dir, 'no-koffi.cjs');
  fs.writeFileSync(
    preload,
    `const M = require('node:module'), resolve = M._resolveFilename;
     M._resolveFilename = function (name, ...rest) {
       if (name === 'koffi') throw new Error("Cannot find module 'koffi'");
       return resolve.call(this, name, ...rest);
     };`,
  );
  const child = await start(t, dir, { NODE_OPTIONS: `--require=${preload.replaceAll('\\', '/')}` });
  const client = await Client.open(new PipeDevice(`unix:${path.join(dir, 'ovs-datapath.sock')}`), 'dp');
  await t.throwsAsync(client.port('lo', VportType.NETDEV), { message: 'errno 19' });
  await t.throwsAsync(client.port('br0', VportType.INTERNAL), { message: 'errno 95' });
  await client.port('p1', VportType.DUMMY);
  await client.port('vm1', VportType.STREAM, { listen: `unix:${path.join(dir, 'vm1')}` });
  const waiting = client.upcall();
  await call(child.control, 'netdev-dummy/receive', 'p1', hex(udp(20)));
  t.is((await waiting).packet, hex(udp(20)));
  await call(child.control, 'exit');
  t.is((await child.ended).status, 0);
});
