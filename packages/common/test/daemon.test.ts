import test, { type ExecutionContext } from 'ava';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { exitWords, RestartPolicy } from '../src/daemon-monitor.js';
import { peerPath } from '../src/testkit/peer.js';
import { run, type RunResult } from '../src/testkit/programs.js';
import { needing } from '../src/testkit/require.js';
import { bindTmp, tmpDir } from '../src/testkit/tmp.js';
import { unixctlCall } from '../src/unixctl-client.js';

const isWindows = process.platform === 'win32';
const script = fileURLToPath(new URL('./programs/demo-daemon.js', import.meta.url));

interface Demo {
  readonly dir: string;
  readonly cwd: string;
  readonly pidfile: string;
  start(...args: string[]): Promise<RunResult>;
  call(command: string, ...args: string[]): Promise<string>;
  pid(): number;
}

function demo(t: ExecutionContext): Demo {
  const dir = tmpDir();
  // Windows removes no folder that a process is in.
  const cwd = isWindows ? path.dirname(script) : dir;
  const pidfile = `${dir}/demo-daemon.pid`;
  const pid = (): number => Number(fs.readFileSync(pidfile, 'utf8'));
  t.teardown(() => {
    if (fs.existsSync(pidfile)) process.kill(pid(), 'SIGKILL');
    // Windows keeps what a process that is ending still has open. Not `rmSync`: it would never remove what such a process
    // adds between its look at the folder and its removal.
    return fs.promises.rm(dir, { recursive: true, force: true, maxRetries: 30 });
  });
  return {
    dir,
    cwd,
    pidfile,
    pid,
    start: (...args) => run(process.execPath, [script, ...args], { env: bindTmp(dir), cwd }),
    call: async (command, ...args) =>
      (await unixctlCall(path.join(dir, `demo-daemon.${pid()}.ctl`), command, args)).text,
  };
}

async function until(t: ExecutionContext, what: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1500; i++) {
    if (await what()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.fail('waited too long');
}

test('--detach returns when the daemon serves; exit stops it and removes its files', async (t) => {
  const d = demo(t);
  const result = await d.start('-vconsole:off', '--detach', '--pidfile', '--log-file');
  t.deepEqual(result, { status: 0, stdout: '', stderr: '' });
  t.is(fs.readFileSync(d.pidfile, 'utf8'), `${d.pid()}\n`);
  t.is(await d.call('version'), 'demo-daemon (Open vSwitch) 3.1.0\n');
  // A daemon of Unix leaves its folder, which else could not be unmounted.
  t.is(await d.call('cwd'), isWindows ? `${d.cwd}\n` : '/\n');
  t.is(await d.call('echo', 'a', 'b c'), 'a|b c\n');
  t.is(await d.call('slow'), 'late\n');
  t.is(await d.call('echo'), '"echo" command requires at least 1 arguments\n');
  t.is(await d.call('echo', '1', '2', '3', '4'), '"echo" command takes at most 3 arguments\n');
  t.is(
    await d.call('foo'),
    '"foo" is not a valid command (use "list-commands" to see a list of valid commands)\n',
  );
  t.is(await d.call('vlog/set', 'foo'), 'no destination, level, or module "foo"\n');
  t.regex(
    await d.call('list-commands'),
    /^The available commands are:\n.*\n {2}echo {20}ARG\.\.\.\n {2}exit {20}\n/s,
  );
  const log = fs.readFileSync(path.join(d.dir, 'demo-daemon.log'), 'utf8');
  t.regex(
    log,
    /\|00001\|vlog\|INFO\|opened log file .*\n.*\|demo_daemon\|INFO\|demo-daemon \(Open vSwitch\) 3\.1\.0\n$/s,
  );
  t.is(await d.call('exit'), '');
  await until(t, () => !fs.existsSync(d.pidfile));
  await until(t, () => !fs.readdirSync(d.dir).some((f) => f.endsWith('.ctl')));
});

test('--detach passes on the error and the status of a daemon that cannot start', async (t) => {
  const d = demo(t);
  const result = await d.start('--detach', '--pidfile', '--fail=no way');
  t.deepEqual(result, { status: 3, stdout: '', stderr: 'demo-daemon: no way\n' });
  t.deepEqual(fs.readdirSync(d.dir), []);
  // A named pipe needs no folder.
  if (!isWindows)
    t.like(await d.start('--detach', '--unixctl=/no/such.ctl', '-vconsole:off'), {
      status: 1,
      stderr: 'demo-daemon: /no/such.ctl: could not initialize control socket (No such file or directory)\n',
    });
  t.like(await d.start('--detach', '--foo'), {
    status: 1,
    stderr: "demo-daemon: unrecognized option '--foo'\n",
  });
  t.like(await d.start('--detach', '--pidfile=/no/such.pid'), {
    status: 1,
    stderr: 'demo-daemon: /no/such.pid.tmp: create failed (No such file or directory)\n',
  });
  t.like(await d.start('--detach', '--help'), { status: 0, stdout: 'demo-daemon: for tests\n' });
});

test('a second one is refused, a stale pidfile is not in the way', async (t) => {
  const d = demo(t);
  fs.writeFileSync(d.pidfile, '999999\n');
  t.like(await d.start('--detach', '--pidfile', '--no-chdir', '-vconsole:off'), { status: 0, stderr: '' });
  t.is(await d.call('cwd'), `${d.cwd}\n`);
  t.deepEqual(await d.start('--detach', '--pidfile', '-vconsole:off'), {
    status: 1,
    stdout: '',
    stderr: `demo-daemon: ${d.pidfile}: already running as pid ${d.pid()}, aborting\n`,
  });
  t.is(await d.call('exit'), '');
  await until(t, () => !fs.existsSync(d.pidfile));
});

needing(test, 'unix')('SIGTERM ends it in order, with the signal as its status', async (t) => {
  const d = demo(t);
  const mark = path.join(d.dir, 'mark');
  const ended = d.start('--pidfile', `--mark=${mark}`, '--log-file');
  await until(t, () => fs.readdirSync(d.dir).some((f) => f.endsWith('.ctl')) && fs.existsSync(d.pidfile));
  await d.call('version');
  process.kill(d.pid(), 'SIGTERM');
  t.is((await ended).status, 143);
  t.is(fs.readFileSync(mark, 'utf8'), 'stopped\n');
  t.deepEqual(fs.readdirSync(d.dir).sort(), ['demo-daemon.log', 'mark']);
  t.regex(
    fs.readFileSync(path.join(d.dir, 'demo-daemon.log'), 'utf8'),
    /fatal_signal\|WARN\|terminating with signal 15 \(Terminated\)\n/,
  );
});

test('--monitor starts a crashed daemon again, says so in its log, and ends with it', async (t) => {
  const d = demo(t);
  t.like(await d.start('-vconsole:off', '--detach', '--monitor', '--pidfile', '--log-file'), {
    status: 0,
    stderr: '',
  });
  const first = d.pid();
  await d.call('crash');
  // Until the second one serves there is no pidfile, the first one's, or no control socket.
  await until(t, async () => {
    try {
      return d.pid() !== first && (await d.call('exit')) === '';
    } catch {
      return false;
    }
  });
  await until(t, () => !fs.existsSync(d.pidfile));
  const log = (): string => fs.readFileSync(path.join(d.dir, 'demo-daemon.log'), 'utf8');
  await until(t, () => log().includes(', exiting\n'));
  const words = isWindows ? 'exit status 70' : 'killed (Aborted)';
  t.regex(
    log(),
    new RegExp(
      `daemon_unix\\(monitor\\)\\|ERR\\|1 crashes: pid ${first} died, ${words.replace(/[()]/g, '\\$&')}, restarting\\n`,
    ),
  );
  t.regex(log(), /daemon_unix\(monitor\)\|INFO\|pid \d+ died, exit status 0, exiting\n$/);
});

needing(
  test,
  'peer',
  'linux',
)("the peer's ovs-appctl talks to it through its pidfile", async (t) => {
  const d = demo(t);
  t.is((await d.start('--detach', '--pidfile', '-vconsole:off')).status, 0);
  const appctl = (...args: string[]): Promise<RunResult> =>
    run(peerPath('ovs-appctl')!, ['-t', 'demo-daemon', ...args], { env: bindTmp(d.dir) });
  t.deepEqual(await appctl('version'), {
    status: 0,
    stdout: 'demo-daemon (Open vSwitch) 3.1.0\n',
    stderr: '',
  });
  t.deepEqual(await appctl('nope'), {
    status: 2,
    stdout: '',
    stderr:
      '"nope" is not a valid command (use "list-commands" to see a list of valid commands)\n' +
      'ovs-appctl: demo-daemon: server returned an error\n',
  });
  t.is((await appctl('exit')).status, 0);
  await until(t, () => !fs.existsSync(d.pidfile));
});

test('a daemon that crashes again is not started twice within ten seconds', (t) => {
  const policy = new RestartPolicy();
  t.is(policy.status, 'healthy');
  t.is(policy.crashed(5000, 17, exitWords(null, 'SIGSEGV')), 0);
  policy.restarted(5000);
  t.is(policy.crashed(8000, 18, exitWords(70, null)), 7000);
  t.is(policy.status, '2 crashes: pid 18 died, exit status 70');
  policy.restarted(15_000);
  t.is(policy.crashed(25_000, 19, exitWords(null, 'SIGABRT')), 0);
  t.is(policy.status, '3 crashes: pid 19 died, killed (Aborted)');
});

needing(
  test,
  'root',
  'linux',
)('--user: another user, with what the peer keeps of capabilities', async (t) => {
  for (const more of [[], ['--monitor']]) {
    const d = demo(t);
    fs.chmodSync(d.dir, 0o777);
    const { status, stderr } = await d.start(
      '-vconsole:off',
      '--detach',
      '--pidfile',
      '--log-file',
      '--user=nobody',
      ...more,
    );
    t.deepEqual([status, stderr], [0, '']);
    const proc = fs.readFileSync(`/proc/${d.pid()}/status`, 'utf8');
    const { uid, gid } = fs.statSync(d.pidfile);
    t.true(uid !== 0 && gid !== 0);
    t.regex(proc, new RegExp(`^Uid:(\\t${uid}){4}$`, 'm'));
    t.regex(proc, new RegExp(`^Gid:(\\t${gid}){4}$`, 'm'));
    t.regex(proc, /^Groups:\s*$/m);
    // CAP_NET_BIND_SERVICE and CAP_IPC_LOCK; nothing for what it starts.
    t.regex(proc, /^CapPrm:\t0000000000004400$/m);
    t.regex(proc, /^CapEff:\t0000000000004400$/m);
    for (const none of ['CapInh', 'CapAmb']) t.regex(proc, new RegExp(`^${none}:\\t0{16}$`, 'm'));
    t.is(fs.statSync(path.join(d.dir, 'demo-daemon.log')).uid, uid);
    t.is(await d.call('exit'), '');
    await until(t, () => !fs.existsSync(d.pidfile));
  }
});

needing(
  test,
  'root',
  'linux',
)('--user refuses in the words of the peer', async (t) => {
  const d = demo(t);
  const refused = async (user: string, ...more: string[]): Promise<string> => {
    const { status, stderr } = await d.start('-vconsole:off', `--user=${user}`, ...more);
    t.is(status, 1);
    return stderr.replaceAll(d.dir, 'DIR');
  };
  t.is(await refused('nosuch'), 'demo-daemon: (null): user nosuch not found, aborting.\n');
  t.is(
    await refused('nobody:nosuch', '--pidfile'),
    'demo-daemon: DIR/demo-daemon.pid: group nosuch not found, aborting.\n',
  );
  t.is(
    await refused(':daemon', '--pidfile', '--detach', '--monitor'),
    'demo-daemon: DIR/demo-daemon.pid: Invalid --user option :daemon (user root is not in group daemon), aborting.\n',
  );
});

needing(test, 'linux')(
  'ps shows a daemon as its command line, and a monitor as what it watches',
  async (t) => {
    const d = demo(t);
    t.is((await d.start('--detach', '--monitor', '--pidfile', '-vconsole:off')).status, 0);
    const read = (pid: number | string, what: string): string =>
      fs.readFileSync(`/proc/${pid}/${what}`, 'latin1').replace(/[\0 ]+$/, '');
    t.is(read(d.pid(), 'cmdline'), 'demo-daemon --detach --monitor --pidfile -vconsole:off');
    t.is(read(d.pid(), 'comm'), 'demo-daemon\n');
    const parent = /^PPid:\t(\d+)$/m.exec(read(d.pid(), 'status'))![1]!;
    t.is(read(parent, 'cmdline'), `demo-daemon: monitoring pid ${d.pid()} (healthy)`);
    t.is(await d.call('exit'), '');
    await until(t, () => !fs.existsSync(d.pidfile));
  },
);
