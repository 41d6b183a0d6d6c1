import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { createServer } from 'node:tls';
import test from 'ava';
import { run, tmpDir } from '@ovs-node/common/testkit/index';
import { makeCa, makeCertificate } from '@ovs-node/common/testkit/certificates';
import { needing } from '@ovs-node/common/testkit/require';
import { listenStream } from '@ovs-node/common/stream';
import { setTlsConfig } from '@ovs-node/common/tls-config';
import { setLevels } from '@ovs-node/common/vlog';

const MODULE = new URL('../src/connect.js', import.meta.url).href;

test('who never says hello, nor hangs up, is given up, and keeps no process from ending', async (t) => {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const target = `tcp:127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const program = `import { connectSwitch } from '${MODULE}';
    await connectSwitch('${target}', { versions: 2, timeoutMs: 100 }).catch((e) => console.log(e.code, e.message));`;
  const { stdout, status } = await run(process.execPath, ['--input-type=module', '-e', program]);
  t.deepEqual([stdout, status], [`ETIMEDOUT ${target}: no hello in 0.1 s\n`, 0]);
});

test('who hangs up before it has said hello is told of', async (t) => {
  const { connectSwitch } = await import('../src/connect.js');
  const name = path.join(tmpDir(t), 'sock');
  const listener = await listenStream(`punix:${name}`, (socket) => void socket.end());
  t.teardown(() => listener.close());
  await t.throwsAsync(connectSwitch(`unix:${name}`, { versions: 2 }), {
    code: 'EOF',
    message: `unix:${name}: closed before a version was agreed on`,
  });
});

test('who is to be waited for without end, or for a month, is waited for', async (t) => {
  const name = path.join(tmpDir(t), 'sock');
  const hello = Uint8Array.of(1, 0, 0, 8, 0, 0, 0, 1);
  const listener = await listenStream(`punix:${name}`, (socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end());
    socket.resume().write(hello);
  });
  t.teardown(() => listener.close());
  const program = `import { connectSwitch } from '${MODULE}';
    for (const timeoutMs of [Infinity, 30 * 86_400_000])
      (await connectSwitch('unix:${name}', { versions: 2, timeoutMs })).close();`;
  const { stderr, status } = await run(process.execPath, ['--input-type=module', '-e', program]);
  t.deepEqual([stderr, status], ['', 0], 'Node.js makes 1 ms of what its timers cannot be');
});

test('versions that there are not are refused before anything is sent', async (t) => {
  const { connectSwitch } = await import('../src/connect.js');
  const name = path.join(tmpDir(t), 'sock');
  const listener = await listenStream(`punix:${name}`, () => t.fail('connected'));
  t.teardown(() => listener.close());
  // None, a number in the place of its bit, one that is to come.
  for (const versions of [0, 3, 1 << 7])
    await t.throwsAsync(connectSwitch(`unix:${name}`, { versions }), {
      code: 'EPROTONOSUPPORT',
      message: `unix:${name}: versions ${versions} are not of OpenFlow 1.0 to 1.5, of which 1.3 is 1 << OF13`,
    });
});

const NOWHERE: readonly (readonly [target: string, code: string, why: string])[] = [
  ['unix:/nonexistent/sock', 'ENOENT', 'No such file or directory'],
  ['tcp:127.0.0.1:1', 'ECONNREFUSED', 'Connection refused'],
  ...['br0', 'ptcp:6653', 'tcp:localhost:99999'].map(
    (target) =>
      [
        target,
        'EAFNOSUPPORT',
        'neither tcp:HOST[:PORT], ssl:HOST[:PORT] nor unix:PATH, or a host that has no address',
      ] as const,
  ),
  [
    'ssl:127.0.0.1:1',
    'ENOPROTOOPT',
    'TLS has no private key, certificate or CA certificate yet (setTlsConfig)',
  ],
];

test.serial('who cannot connect is told where to and why', async (t) => {
  setLevels(null, null, 'off');
  const { connectSwitch } = await import('../src/connect.js');
  for (const [target, code, why] of NOWHERE)
    await t.throwsAsync(connectSwitch(target, { versions: 2 }), { code, message: `${target}: ${why}` });
});

needing(test.serial, 'openssl')('who connects by TLS to a stranger is told so', async (t) => {
  const { connectSwitch } = await import('../src/connect.js');
  const dir = tmpDir(t);
  const [ca, other] = [makeCa(dir, 'ca'), makeCa(dir, 'other')];
  const keys = makeCertificate(dir, 'switch', other);
  const options = { key: readFileSync(keys.key), cert: readFileSync(keys.cert) };
  const server = createServer(options, (socket) => void socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const { key, cert } = makeCertificate(dir, 'controller', ca);
  setTlsConfig({ privateKey: key, certificate: cert, caCert: ca.cert });
  const target = `ssl:127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  await t.throwsAsync(connectSwitch(target, { versions: 2 }), {
    code: 'EPROTO',
    message: `${target}: Protocol error (error:0A000086:SSL routines::certificate verify failed)`,
  });
});
