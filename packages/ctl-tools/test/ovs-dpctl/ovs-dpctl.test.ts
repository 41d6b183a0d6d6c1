import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { startPeer } from '@ovs-node/common/testkit/peer';
import { type RunResult, run } from '@ovs-node/common/testkit/programs';
import { needing } from '@ovs-node/common/testkit/require';
import { bindTmp, tmpDir } from '@ovs-node/common/testkit/tmp';
import { createInProcessDatapath } from '@ovs-node/datapath-svc/worker/in-process';
import { serveDevice } from '@ovs-node/netlink/pipe/server';

const MAIN = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../src/ovs-dpctl/main.js');

type Dpctl = (...args: string[]) => Promise<RunResult>;

/** ovs-dpctl in a folder of its own; with a datapath service there, in this process, when `served`. */
async function bench(t: ExecutionContext, served = true): Promise<Dpctl> {
  const dir = tmpDir(t);
  if (served) {
    const datapath = createInProcessDatapath({ worker: false });
    const server = await serveDevice(datapath, `punix:${dir}/ovs-datapath.sock`);
    t.teardown(async () => {
      await server.close();
      await datapath.close();
    });
  }
  return (...args) => run(process.execPath, [MAIN, ...args], { env: bindTmp(dir), cwd: dir });
}

const ok = (stdout: string): RunResult => ({ status: 0, stdout, stderr: '' });
const fails = (stderr: string): RunResult => ({ status: 1, stdout: '', stderr });

test('a datapath is made, shown, filled and removed', async (t) => {
  const dpctl = await bench(t);
  t.deepEqual(await dpctl('dump-dps'), ok(''));
  t.deepEqual(await dpctl('add-dp', 'ovs-system', 'd1,type=dummy'), ok(''));
  const { stdout } = await dpctl('show');
  t.is(stdout.split('\n')[0], 'system@ovs-system:');
  t.true(stdout.includes('\n  lookups: hit:0 missed:0 lost:0\n  flows: 0\n'));
  t.true(stdout.endsWith('  port 0: ovs-system (internal)\n  port 1: d1 (dummy)\n'));
  t.deepEqual(await dpctl('add-flow', 'in_port(d1),eth(),eth_type(0x0806),arp()', '0'), ok(''));
  t.deepEqual(
    await dpctl('dump-flows', '--names'),
    ok(
      'recirc_id(0),in_port(d1),eth(),eth_type(0x0806), packets:0, bytes:0, used:never, actions:ovs-system\n',
    ),
  );
  t.deepEqual(await dpctl('ct-stats-show'), ok('Connections Stats:\n    Total: 0\n'));
  t.deepEqual(await dpctl('flush-conntrack'), ok(''));
  t.deepEqual(await dpctl('del-flows'), ok(''));
  t.deepEqual(await dpctl('dump-flows'), ok(''));
  t.deepEqual(await dpctl('del-dp', 'ovs-system'), ok(''));
  t.deepEqual(
    await dpctl('show', 'ovs-system'),
    fails('ovs-dpctl: opening datapath ovs-system failed (No such device)\n'),
  );
});

test('flows come from a file', async (t) => {
  const dpctl = await bench(t);
  await dpctl('add-dp', 'br');
  const flows = [
    '# a comment',
    'in_port(1),eth(),eth_type(0x0806),arp() 2',
    'add in_port(2),eth(),eth_type(0x0800),ipv4(src=10.0.0.1,frag=no) set(ipv4(ttl=3)),1',
    'delete in_port(1),eth(),eth_type(0x0806),arp()',
    '',
  ].join('\n');
  const file = path.join(tmpDir(t), 'flows');
  fs.writeFileSync(file, flows);
  t.deepEqual(await dpctl('add-flows', file), ok(''));
  t.deepEqual(
    await dpctl('dump-flows'),
    ok(
      'recirc_id(0),in_port(2),eth(),eth_type(0x0800),ipv4(src=10.0.0.1,frag=no), packets:0, bytes:0, used:never, actions:set(ipv4(ttl=3)),1\n',
    ),
  );
  t.deepEqual(
    await dpctl('add-flows', '/nonexistent'),
    fails('ovs-dpctl: Opening file "/nonexistent" failed (No such file or directory)\n'),
  );
});

test('read-only refuses what changes something', async (t) => {
  const dpctl = await bench(t);
  t.deepEqual(
    await dpctl('--read-only', 'add-dp', 'br'),
    fails("ovs-dpctl: 'add-dp' command does not work in read only mode\n"),
  );
  t.deepEqual(await dpctl('--read-only', 'dump-dps'), ok(''));
});

/** What is said when no datapath service runs is what the peer says when its kernel module is not loaded. */
const REFUSED: readonly (readonly string[])[] = [
  ['show', 'foo'],
  ['add-dp', 'foo'],
  ['del-dp', 'foo'],
  ['add-if', 'foo', 'bar'],
  ['dump-flows', 'foo'],
  ['dump-flows'],
  ['dump-conntrack'],
  ['show'],
  ['dump-dps'],
  [],
  ['nonsense'],
  ['--nonsense'],
  ['add-flow'],
  ['del-dp', 'a', 'b', 'c'],
  ['show', 'netdev@x'],
  ['parse-actions', 'bad'],
  ['parse-actions', '1,2'],
];

/** Without log lines, which have a time in them, and without the program's folder, which getopt says. */
const words = (r: RunResult): RunResult => ({
  ...r,
  stderr: r.stderr.replace(/^\d{4}-\d\d-\d\dT.*\n/gm, '').replace(/^\S*\/ovs-dpctl:/gm, 'ovs-dpctl:'),
});

needing(
  test,
  'peer',
  'linux',
)('without a service every command fails as the peer does without its kernel module', async (t) => {
  t.timeout(60_000);
  const dpctl = await bench(t, false);
  const peer = await startPeer(tmpDir(t), { vswitchd: false });
  t.teardown(() => peer.stop());
  for (const args of REFUSED) {
    t.deepEqual(words(await dpctl(...args)), words(await peer.tool('ovs-dpctl', args)), args.join(' '));
  }
});

test('without a service a command fails with one line that says why', async (t) => {
  const dpctl = await bench(t, false);
  t.deepEqual(
    await dpctl('show', 'foo'),
    fails('ovs-dpctl: opening datapath foo failed (No such file or directory)\n'),
  );
  t.deepEqual(await dpctl('add-dp', 'foo'), fails('ovs-dpctl: add_dp (No such file or directory)\n'));
});
