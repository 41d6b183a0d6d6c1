import test, { type Implementation } from 'ava';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { pipeAccess, sidText } from '../src/pipe-security.js';
import { OvsError, strerror } from '../src/errors.js';
import { guessContent } from '../src/stream-content.js';
import { setConsoleWriter, setLevels } from '../src/vlog.js';
import { connectStream, listenStream } from '../src/stream.js';
import { parseActive, parsePassive, pipeName } from '../src/stream-name.js';
import { needing } from '../src/testkit/require.js';
import { tmpDir } from '../src/testkit/tmp.js';

setLevels(null, 'console', 'off');

test('names', (t) => {
  t.deepEqual(parseActive('tcp:1.2.3.4:'), { kind: 'tcp', host: '1.2.3.4', port: 6640, hasPort: false });
  t.deepEqual(parseActive('tcp:[::1]:7'), { kind: 'tcp', host: '::1', port: 7, hasPort: true });
  t.deepEqual(parseActive('unix:/a/b:c'), { kind: 'unix', path: '/a/b:c' });
  t.deepEqual(parsePassive('ptcp:'), { kind: 'tcp', host: '0.0.0.0', port: 6640, hasPort: false });
  t.deepEqual(parsePassive('ptcp:0:127.0.0.1'), { kind: 'tcp', host: '127.0.0.1', port: 0, hasPort: true });
  t.deepEqual(parsePassive('ptcp:5:[::1]'), { kind: 'tcp', host: '::1', port: 5, hasPort: true });
  t.is(pipeName('C:\\x/run\\db.sock'), '\\\\.\\pipe\\Cxrundb.sock');
  t.is(pipeName('C:/x/run/.\\..\\db.sock'), '\\\\.\\pipe\\Cxdb.sock');
  t.is(pipeName('\\\\.\\pipe\\vm1'), '\\\\.\\pipe\\vm1');
  for (const bad of ['', 'foo:bar', 'tcp:', 'tcp:h:99999', 'tcp:h:x', 'punix:x']) {
    t.throws(() => parseActive(bad), { code: 'EAFNOSUPPORT' }, bad);
  }
  t.deepEqual(parseActive('ssl:h:1'), { kind: 'ssl', host: 'h', port: 1, hasPort: true });
  t.deepEqual(parsePassive('pssl:', 6653), { kind: 'ssl', host: '0.0.0.0', port: 6653, hasPort: false });
  t.deepEqual(parseActive('tcp:[fe80::1%eth0]:1'), {
    kind: 'tcp',
    host: 'fe80::1%eth0',
    port: 1,
    hasPort: true,
  });
  t.throws(() => parsePassive('ptcp:0:::1'), { message: '0:::1: port must be specified' });
});

async function roundTrip(name: string): Promise<string> {
  const socket = await connectStream(name);
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once('close', () => reject(new OvsError('closed before it answered', 'EPIPE')));
    socket.once('data', (d: Buffer) => {
      resolve(d.toString());
      socket.destroy();
    });
    socket.write('hello');
  });
}

const echo = (socket: net.Socket): void => {
  socket.on('error', () => {});
  socket.on('data', (d: Buffer) => socket.write(d));
};

test('TCP with a port the system chooses', async (t) => {
  const listener = await listenStream('ptcp:0:127.0.0.1', echo);
  t.is(listener.name, `ptcp:${listener.port}:127.0.0.1`);
  t.is(await roundTrip(`tcp:127.0.0.1:${listener.port}`), 'hello');
  await listener.close();
  await t.throwsAsync(connectStream(`tcp:127.0.0.1:${listener.port}`), {
    code: 'ECONNREFUSED',
    message: 'Connection refused',
  });
});

needing(test, 'linux')(
  'Unix sockets: mode, removal, stale ones replaced, live ones and files refused',
  async (t) => {
    const dir = tmpDir(t);
    const file = path.join(dir, 's');
    await t.throwsAsync(connectStream(`unix:${file}`), {
      code: 'ENOENT',
      message: 'No such file or directory',
    });
    const first = await listenStream(`punix:${file}`, echo);
    t.is(fs.statSync(file).mode & 0o777, 0o750);
    await t.throwsAsync(listenStream(`punix:${file}`, echo), { code: 'EADDRINUSE' });
    t.is(await roundTrip(`unix:${file}`), 'hello');
    fs.linkSync(file, `${file}2`);
    await first.close();
    t.false(fs.existsSync(file));
    await t.throwsAsync(connectStream(`unix:${file}2`), { code: 'ECONNREFUSED' });
    const second = await listenStream(`punix:${file}2`, echo);
    t.is(await roundTrip(`unix:${file}2`), 'hello');
    await second.close();
    fs.writeFileSync(file, 'precious');
    await t.throwsAsync(listenStream(`punix:${file}`, echo), { code: 'EADDRINUSE' });
    t.is(fs.readFileSync(file, 'utf8'), 'precious');
    await t.throwsAsync(listenStream(`punix:${dir}/no/s`, echo), { code: 'ENOENT' });
  },
);

needing(test, 'linux')(
  'the socket of a process that accepts and drops, being killed, is replaced',
  async (t) => {
    const file = path.join(tmpDir(t), 's');
    const dying = net.createServer((socket) => {
      socket.destroy();
      dying.close();
    });
    await new Promise<void>((resolve) => dying.listen(`${file}1`, resolve));
    // The file stays when the server closes, as it does for one that is killed.
    fs.linkSync(`${file}1`, file);
    const listener = await listenStream(`punix:${file}`, echo);
    t.is(await roundTrip(`unix:${file}`), 'hello');
    await listener.close();
  },
);

needing(test, 'linux')('paths longer than the kernel allows', async (t) => {
  const dir = path.join(tmpDir(t), 'd'.repeat(120));
  fs.mkdirSync(dir);
  const file = path.join(dir, 'db.sock');
  const listener = await listenStream(`punix:${file}`, echo);
  t.true(fs.statSync(file).isSocket());
  t.is(await roundTrip(`unix:${file}`), 'hello');
  await listener.close();
  t.false(fs.existsSync(file));
  await t.throwsAsync(connectStream(`unix:${file}`), { code: 'ENOENT' });
  await t.throwsAsync(listenStream(`punix:${dir}/${'x'.repeat(120)}`, echo), { code: 'ENOENT' });
  // Longer than any other name that the socket has while it does not listen yet.
  const longest = path.join(dir, 'y'.repeat(84));
  const second = await listenStream(`punix:${longest}`, echo);
  t.is(await roundTrip(`unix:${longest}`), 'hello');
  await second.close();
  t.deepEqual(fs.readdirSync(dir), []);
});

needing(test, 'linux')('a relative name is relative to the run directory', async (t) => {
  const before = process.env['OVS_RUNDIR'];
  process.env['OVS_RUNDIR'] = tmpDir(t);
  const listener = await listenStream('punix:rel.sock', echo);
  t.true(fs.existsSync(path.join(process.env['OVS_RUNDIR'], 'rel.sock')));
  t.is(await roundTrip('unix:rel.sock'), 'hello');
  await listener.close();
  if (before === undefined) delete process.env['OVS_RUNDIR'];
  else process.env['OVS_RUNDIR'] = before;
});

needing(
  test,
  'root',
  'linux',
)('a stranger of this machine cannot connect', async (t) => {
  const dir = tmpDir(t);
  fs.chmodSync(dir, 0o755);
  const file = path.join(dir, 's');
  const listener = await listenStream(`punix:${file}`, echo);
  const script = `require('net').connect(${JSON.stringify(file)}).on('error', (e) => console.log(e.code)).on('connect', () => console.log('in'))`;
  const asNobody = { uid: 65534, gid: 65534, encoding: 'utf8' } as const;
  const stranger = spawn(process.execPath, ['-e', script], {
    ...asNobody,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise<string>((resolve) => {
    stranger.stdout.once('data', (d: Buffer) => resolve(d.toString()));
  });
  stranger.kill();
  t.is(said, 'EACCES\n');
  await listener.close();
});

test('more connections than a listener takes are turned away, until there is room', async (t) => {
  const listener = await listenStream('ptcp:0:127.0.0.1', echo, { maxConnections: 1 });
  const name = `tcp:127.0.0.1:${listener.port}`;
  const first = await connectStream(name);
  const ended = (socket: net.Socket): Promise<void> =>
    new Promise((resolve) => {
      socket.on('error', () => {});
      socket.once('close', () => resolve());
      socket.resume();
    });
  await ended(await connectStream(name));
  first.end();
  await ended(first);
  t.is(await roundTrip(name), 'hello');
  await listener.close();
});

test('IPv6, with a scope, and what is no address', async (t) => {
  const listener = await listenStream('ptcp:0:[::1]', echo);
  t.is(await roundTrip(`tcp:[::1]:${listener.port}`), 'hello');
  if (process.platform === 'linux') t.is(await roundTrip(`tcp:[::1%lo]:${listener.port}`), 'hello');
  await listener.close();
  const noAddress = { code: 'EAFNOSUPPORT', message: 'Address family not supported by protocol' };
  await t.throwsAsync(connectStream('tcp:a:b:c'), noAddress);
  if (process.platform === 'linux') await t.throwsAsync(connectStream('tcp:[::1%nosuch]:1'), noAddress);
});

const windows = (title: string, run: Implementation<[]>): void =>
  process.platform === 'win32' ? test.serial(title, run) : test.skip(`${title} (needs Windows)`, run);

windows('a pipe has a file that says it is served, and one server', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'x.ctl');
  const first = await listenStream(`punix:${file}`, echo);
  t.is(fs.readFileSync(file, 'utf8'), `${process.pid}\n`);
  await t.throwsAsync(listenStream(`punix:${file}`, echo), { code: 'EADDRINUSE' });
  t.is(await roundTrip(`unix:${file}`), 'hello');
  await first.close();
  t.false(fs.existsSync(file));
  // What a killed server leaves is not in the way.
  fs.writeFileSync(file, '999999\n');
  const second = await listenStream(`punix:${file}`, echo);
  t.is(await roundTrip(`unix:${file}`), 'hello');
  await second.close();
});

windows('who connects as soon as a pipe listens is served', async (t) => {
  const dir = tmpDir(t);
  let served = 0;
  // Whatever the turn of this process at which somebody connects, he finds no pipe or is answered.
  for (let turns = 0; turns < 24; turns++) {
    const file = path.join(dir, `${turns}.ctl`);
    const listener = listenStream(`punix:${file}`, echo);
    for (let i = 0; i < turns; i++) await Promise.resolve();
    const answer = await roundTrip(`unix:${file}`).catch((error: NodeJS.ErrnoException) => error.code);
    t.true(answer === 'hello' || answer === 'ENOENT', `after ${turns} turns: ${answer}`);
    if (answer === 'hello') served++;
    await (await listener).close();
  }
  t.true(served > 0);
});

windows('a pipe is for SYSTEM, administrators and who made it, and not for the network', async (t) => {
  const file = path.join(tmpDir(t), 'y.ctl');
  const listener = await listenStream(`punix:${file}`, echo);
  t.regex(
    pipeAccess(pipeName(file)),
    /^D:P\(D;;[^;]+;;;NU\)\(A;;[^;]+;;;SY\)\(A;;[^;]+;;;BA\)\(A;;[^;]+;;;(S-1-[-\d]+|[A-Z]{2})\)$/,
  );
  t.is(await roundTrip(`unix:${file}`), 'hello');
  await listener.close();
});

test('who speaks another protocol is known by the first bytes', (t) => {
  const of = (hex: string) => guessContent(Buffer.from(hex, 'hex'));
  t.is(of('160301017c010001'), 'SSL');
  t.is(of('0100000800000001'), 'OpenFlow');
  t.is(of('0600001000000001'), 'OpenFlow');
  t.is(of('7b226964223a'), 'JSON-RPC');
  for (const other of ['', '16', '1602', '0700000800000000', '0100000700000000', '474554'])
    t.is(of(other), undefined);
});

test('a security identifier in words', (t) => {
  const bytes = Buffer.from('010500000000000515000000010000000200000003000000e9030000', 'hex');
  t.is(sidText(bytes), 'S-1-5-21-1-2-3-1001');
  t.is(sidText(Buffer.from('010100000000000512000000', 'hex')), 'S-1-5-18');
});

/** Where no socket can be, the error to tell of, and what of it is logged; PATH is the path, which begins with DIR/. */
const NO_PLACES: readonly (readonly [path: string, code: string, ...log: string[]])[] = [
  ['DIR/dir', 'EISDIR', 'socket_util_unix|WARN|unlinking "PATH": Is a directory'],
  ['DIR/dir/', 'EISDIR', 'socket_util_unix|WARN|unlinking "PATH": Is a directory'],
  ['DIR/file/x', 'ENOTDIR', 'socket_util_unix|WARN|unlinking "PATH": Not a directory'],
  ['DIR/none/x', 'ENOENT'],
  ['/proc/self/x', 'ENOENT'],
  [
    `DIR/${'x'.repeat(120)}`,
    'ENOENT',
    'socket_util_unix|WARN|Unix socket name PATH is longer than maximum 107 bytes',
  ],
];
needing(test, 'linux')(
  'where there can be no socket, the log says so in the words of the peer',
  async (t) => {
    const dir = tmpDir(t);
    fs.mkdirSync(`${dir}/dir`);
    fs.writeFileSync(`${dir}/file`, '');
    const lines: string[] = [];
    setLevels(null, 'console', 'warn');
    const before = setConsoleWriter((line) => lines.push(line.replace(/^.*?\|\d+\|(.*)\n$/, '$1')));
    try {
      for (const [where, code, ...log] of NO_PLACES) {
        const file = where.replace('DIR', dir);
        await t.throwsAsync(listenStream(`punix:${file}`, echo), { code });
        t.deepEqual(lines.splice(0), [
          ...log.map((line) => line.replace('PATH', file)),
          `fatal_signal|WARN|could not unlink "${file}" (${strerror(code)})`,
          `stream_unix|ERR|${file}: binding failed: ${strerror(code)}`,
        ]);
      }
      // That a name is too long is said once a minute.
      await t.throwsAsync(connectStream(`unix:${dir}/${'x'.repeat(120)}`), { code: 'ENAMETOOLONG' });
      t.deepEqual(lines, []);
    } finally {
      setConsoleWriter(before);
      setLevels(null, 'console', 'off');
    }
  },
);
