/** Bad input, through the programs: one line that says what and where, the peer's status, nothing half done. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { connectStream } from '@ovs-node/common/stream';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

/** Command lines that fail, with the same words on both sides; `DIR` stands for the suite's folder. */
const CASES: readonly (readonly string[])[] = [
  ['ovs-vsctl', '--nonsense'],
  ['ovs-vsctl', 'frobnicate'],
  ['ovs-vsctl', 'add-br'],
  ['ovs-vsctl', 'add-port', 'nobr', 'p0'],
  ['ovs-vsctl', 'del-br', 'nobr'],
  ['ovs-vsctl', 'del-port', 'nope'],
  ['ovs-vsctl', 'list-ports', 'nobr'],
  ['ovs-vsctl', 'port-to-br', 'nope'],
  ['ovs-vsctl', 'add-br', 'br0'],
  ['ovs-vsctl', 'set', 'bridge', 'br0', 'nocolumn=1'],
  ['ovs-vsctl', 'set', 'bridge', 'br0', 'fail_mode=maybe'],
  ['ovs-vsctl', 'set', 'port', 'br0', 'tag=5000'],
  ['ovs-vsctl', 'get', 'bridge', 'nobr', 'name'],
  ['ovs-vsctl', 'list', 'nonsense'],
  ['ovs-vsctl', '--db=unix:DIR/nobody', 'show'],
  ['ovs-vsctl', '--timeout=1', 'wait-until', 'bridge', 'nobr'],
  ['ovs-ofctl', 'add-flow', 'nobr', 'actions=drop'],
  ['ovs-ofctl', 'add-flow', 'br0', 'nonsense=1,actions=drop'],
  ['ovs-ofctl', 'add-flow', 'br0', 'actions=frobnicate'],
  ['ovs-ofctl', 'add-flow', 'br0', 'nw_src=300.0.0.1,actions=drop'],
  ['ovs-ofctl', 'add-flow', 'br0', 'priority=70000,actions=drop'],
  ['ovs-ofctl', 'add-flow', 'br0', 'in_port=1'],
  ['ovs-ofctl', 'dump-flows'],
  ['ovs-ofctl', '--wrong', 'dump-flows', 'br0'],
  ['ovs-ofctl', 'frobnicate', 'br0'],
  ['ovs-ofctl', '--read-only', 'del-flows', 'br0'],
  ['ovs-vsctl', 'set-controller', 'br0', 'foo:1', '--', 'del-controller', 'br0'],
  ['ovs-vsctl', 'add-port', 'br0', 'dd', '--', 'set', 'interface', 'dd', 'type=nosuch', '--', 'comment', 'x'],
  ['ovs-vsctl', 'del-port', 'dd'],
  [
    'ovs-appctl',
    'dpctl/flush-conntrack',
    'ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=17,ct_tp_src=1,ct_tp_dst=2',
  ],
  ['ovs-appctl', 'frobnicate'],
  ['ovs-appctl', '-t', 'nobody', 'version'],
  ['ovs-appctl', '-t', 'DIR/nobody.ctl', 'version'],
  ['ovs-appctl', 'fdb/show', 'nobr'],
  ['ovs-appctl', 'ofproto/trace', 'nobr', 'in_port=1'],
  ['ovsdb-tool', 'create', 'DIR/conf.db'],
  ['ovsdb-tool', 'db-name', 'DIR/notadb'],
  ['ovsdb-tool', 'frobnicate'],
  ['ovsdb-client', 'list-dbs', 'unix:DIR/nobody'],
  ['ovsdb-client', 'frobnicate'],
  ['ovsdb-server', '--remote=punix:DIR/x.sock', 'DIR/missing.db'],
  ['ovsdb-server', '--remote=punix:DIR/x.sock', 'DIR/notadb'],
  ['ovs-vswitchd', '--nonsense'],
];

testWith(PEER)('both sides refuse the same command lines with the same words and status', async (t) => {
  const seen: Record<string, string[]> = { ours: [], peer: [] };
  for (const side of ['ours', 'peer'] as const) {
    await withSuite(
      t,
      { side, vswitchdArgs: ['--enable-dummy'], expectedWarnings: [/./] },
      async (suite, dir) => {
        writeFileSync(join(dir, 'notadb'), 'this is not a database\n');
        await suite.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy');
        for (const [program, ...args] of CASES) {
          const words = args.map((arg) => arg.replace('DIR', dir));
          const result = await suite.run(program as string, words, { timeoutMs: 15_000 });
          const text = result.stderr
            .replaceAll(dir, 'DIR')
            // getopt prints the program as it was called.
            .replace(/^\/usr\/s?bin\//gm, '')
            // Log lines of the console carry a time; their numbers are the process's own.
            .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, 'TIME|N|')
            .replace(/pid \d+|\.\d+\.ctl/g, 'PID');
          (seen[side] as string[]).push(
            `${[program, ...args].join(' ')} -> ${result.status}: ${text}${result.stdout}`,
          );
        }
      },
    );
  }
  const [ours, peer] = [seen['ours'] as string[], seen['peer'] as string[]];
  t.is(ours.length, peer.length);
  const differs = (_: string, i: number): boolean => ours[i] !== peer[i];
  t.deepEqual(ours.filter(differs), peer.filter(differs));
});

test.serial('garbage on any socket ends that connection at most', (t) =>
  withSuite(t, { vswitchdArgs: ['--enable-dummy'], expectedWarnings: [/./] }, async (suite, dir) => {
    await suite.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy');
    const control = suite.daemons.map((daemon) => `${daemon}.${suite.pid(daemon)}.ctl`);
    const sockets = ['db.sock', 'ovs-datapath.sock', 'br0.mgmt', 'br0.snoop', ...control];
    const garbage = [
      Buffer.from('{"id":1,"method":[],"params":{}}]]}}'),
      Buffer.from('{"id":0,"method":"transact","params":["Open_vSwitch",{"op":"nonsense"}]}'),
      Buffer.from('[[[['.repeat(50_000)),
      Buffer.alloc(70_000, 0xff),
      Buffer.from('0100000800000001ffff', 'hex'),
      Buffer.from('0100ffff00000001', 'hex'),
      Buffer.from([0, 0, 0, 4, 1, 5, 0, 0, 0, 0, 0, 0]),
    ];
    for (const name of sockets) {
      for (const bytes of garbage) {
        const socket = await connectStream(`unix:${join(dir, name)}`);
        await new Promise<void>((done) => {
          socket.on('error', () => done());
          socket.on('close', () => done());
          socket.setTimeout(500, () => socket.destroy());
          socket.resume();
          socket.end(bytes);
        });
      }
    }
    for (const daemon of suite.daemons) {
      t.true(suite.alive(daemon), `${daemon} lives`);
      t.is((await suite.run('ovs-appctl', ['-t', daemon, 'version'])).status, 0, `${daemon} answers`);
    }
    await suite.vsctl('add-port', 'br0', 'p1', '--', 'set', 'interface', 'p1', 'type=dummy');
    t.is((await suite.ofctl('dump-flows', 'br0')).includes('actions=NORMAL'), true);
  }),
);
