import test from 'ava';
import {
  peerPath,
  needing,
  runProgram,
  run,
  startPeer,
  tmpDir,
  bindTmp,
} from '@ovs-node/common/testkit/index';
import { UnixctlServer } from '@ovs-node/common/unixctl';
import fs from 'node:fs';
import path from 'node:path';

/** Time stamps differ; everything else must not. */
const plain = (text: string): string => text.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z/gm, 'TIME');

test('runs a command of a server given by its socket, and reports its errors', async (t) => {
  const dir = tmpDir(t);
  const socket = path.join(dir, 'x.ctl');
  const server = new UnixctlServer('some-daemon');
  server.register('add', 'A B', 2, 2, (args) => String(Number(args[0]) + Number(args[1])));
  server.register('never', '', 0, 0, () => new Promise(() => {}));
  await server.listen(socket);
  t.teardown(() => server.close());
  const appctl = (...args: string[]) => runProgram('ovs-appctl', ['-t', socket, ...args]);
  t.deepEqual(await appctl('version'), {
    status: 0,
    stdout: 'some-daemon (Open vSwitch) 3.1.0\n',
    stderr: '',
  });
  t.deepEqual(await appctl('add', '1', '2'), { status: 0, stdout: '3\n', stderr: '' });
  t.deepEqual(await appctl('add', '1'), {
    status: 2,
    stdout: '',
    stderr: `"add" command requires at least 2 arguments\novs-appctl: ${socket}: server returned an error\n`,
  });
  const late = await appctl('-T', '1', 'never');
  t.is(late.status, 142);
  t.is(plain(late.stderr), 'TIME|00001|fatal_signal|WARN|terminating with signal 14 (Alarm clock)\n');
});

const LINES = [
  '',
  '-t',
  '-x',
  '--foo',
  '--v',
  '--t',
  '--he=3',
  '-h',
  '--help',
  '-V',
  '--version',
  'version',
  '-t foo version',
  '-t /x/y.ctl version',
  '--timeout=0 version',
  '-T x version',
  '-t ovsdb-server version',
  '-tovsdb-server -T5 version',
  '--target=ovsdb-server vlog/list',
  '-t ovsdb-server vlog/list-pattern',
  '-t ovsdb-server foo',
  '-t ovsdb-server vlog/set foo',
  '-t ovsdb-server vlog/set',
  '-t ovsdb-server list-commands',
  '-t dead version',
  '-t bad version',
  '-t mine version',
  '-vfoo version',
  '-vconsole:off -t foo version',
  '-t ovsdb-server -- version -x',
  '-vjsonrpc -t ovsdb-server version -x',
  '--log-file=/x/y version',
  '-vPATTERN:console:%p%m -t foo version',
  '--option',
  '-o version',
  '-e version -t ovsdb-server',
  '-t ovsdb-server --target=foo version',
  '-T0 version',
  '-T 1.5 version',
  '-Vh',
  '--syslog-method=foo version',
  '--syslog-target=1 -t foo version',
  '-t ovsdb-server vlog/set PATTERN',
  '-t ovsdb-server vlog/set PATTERN:foo:bar',
  '-t ovsdb-server vlog/set FACILITY:x',
  '-t ovsdb-server vlog/set PATTERN:any:%p|%m',
  '-t ovsdb-server vlog/list-pattern',
  '-t ovsdb-server vlog/disable-rate-limit nope',
  '-t ovsdb-server vlog/disable-rate-limit any',
  '-t ovsdb-server vlog/reopen',
  '-t ovsdb-server vlog/close',
];

needing(test, 'peer')('says and does what the peer does, line by line', async (t) => {
  const dir = tmpDir();
  const peer = await startPeer(dir, { vswitchd: false });
  t.teardown(async () => {
    await peer.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });
  fs.writeFileSync(path.join(dir, 'dead.pid'), '999999\n');
  fs.writeFileSync(path.join(dir, 'bad.pid'), 'x\n');
  fs.writeFileSync(path.join(dir, 'mine.pid'), `${process.pid}\n`);
  for (const line of LINES) {
    const args = line.split(' ').filter((word) => word !== '');
    const theirs = await run('ovs-appctl', args, {
      env: { ...bindTmp(dir), PATH: path.dirname(peerPath('ovs-appctl')!) },
    });
    const ours = await runProgram('ovs-appctl', args, { env: bindTmp(dir) });
    t.deepEqual({ ...ours, stderr: plain(ours.stderr) }, { ...theirs, stderr: plain(theirs.stderr) }, line);
  }
});
