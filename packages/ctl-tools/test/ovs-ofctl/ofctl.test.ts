/** ovs-ofctl beside the peer's: the same words, status and effects, without a switch and with the peer's. */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { pcapHeader, pcapRecord } from '@ovs-node/flow/pcap';
import {
  peerPath,
  needing,
  run,
  type RunResult,
  startPeer,
  tmpDir,
  checkoutRoot,
} from '@ovs-node/common/testkit/index';

const OURS = path.join(checkoutRoot(), 'packages/ctl-tools/dist/src/ovs-ofctl/main.js');

const ofctl = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> =>
  run(process.execPath, [OURS, ...args], { env });
const peerOfctl = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> =>
  run(peerPath('ovs-ofctl')!, args, { env });

/** What differs from run to run, and the path that glibc puts before an option's error. */
function plain(r: RunResult): { status: number; stdout: string; stderr: string } {
  const same = (s: string): string =>
    s
      .replace(/duration=[0-9.]+s/g, 'duration=Xs')
      .replace(/idle_age=\d+/g, 'idle_age=X')
      .replace(/time=[0-9.]+ ms/g, 'time=X')
      .replace(/^\S+ovs-ofctl: /gm, 'ovs-ofctl: ')
      .replace(/^\d{4}-\d\d-\d\dT\S+\|\d+\|/gm, '');
  return { status: r.status, stdout: same(r.stdout), stderr: same(r.stderr) };
}

needing(
  test,
  'peer',
  'linux',
)('of a version that nobody can read nothing more is said, as by the peer', async (t) => {
  for (const how of ['"$@" > /dev/full', '{ sleep 1; exec "$@"; } | :']) {
    const told = async (...words: readonly string[]): Promise<readonly unknown[]> => {
      const script = `set -o pipefail\n${how}`;
      const { status, stdout, stderr } = await run('bash', ['-c', script, 'bash', ...words, '--version']);
      return [status, stdout, stderr];
    };
    t.deepEqual(await told(process.execPath, OURS), await told(peerPath('ovs-ofctl')!), how);
  }
});

test('without a switch: words and status of errors', async (t) => {
  const dir = tmpDir(t);
  const env = { OVS_RUNDIR: dir };
  const cases: readonly (readonly [args: readonly string[], stderr: string])[] = [
    [['show', 'br0'], 'ovs-ofctl: br0 is not a bridge or a socket\n'],
    [['nonsense'], "ovs-ofctl: unknown command 'nonsense'; use --help for help\n"],
    [[], 'ovs-ofctl: missing command name; use --help for help\n'],
    [['show'], "ovs-ofctl: 'show' command requires at least 1 arguments\n"],
    [['--nonsense'], "ovs-ofctl: unrecognized option '--nonsense'\n"],
    [['-O', 'OpenFlow20', 'show', 'br0'], 'ovs-ofctl: Unknown OpenFlow version: "OpenFlow20"\n'],
    [['-F', 'foo', 'show', 'br0'], 'ovs-ofctl: foo: unknown flow protocol\n'],
    [['--sort=foo', 'dump-flows', 'br0'], 'ovs-ofctl: foo: unknown field name\n'],
    [['parse-flow', 'actions=foo'], 'ovs-ofctl: unknown action foo\n'],
    [
      ['--read-only', 'add-flow', 'br0', 'actions=1'],
      "ovs-ofctl: 'add-flow' command does not work in read only mode\n",
    ],
    [['dump-groups', 'br0'], 'ovs-ofctl: br0 is not a bridge or a socket\n'],
  ];
  for (const [args, stderr] of cases) {
    const r = await ofctl(args, env);
    t.is(r.stderr, stderr);
    t.is(r.status, 1);
    t.is(r.stdout, '');
  }
});

test('parse-flow and ofp-print need no switch', async (t) => {
  const flow = await ofctl(['parse-flow', 'table=3,tcp,tp_dst=80,actions=mod_vlan_vid:5,output:1']);
  t.is(
    flow.stdout,
    'usable protocols: OXM,OpenFlow10+table_id,NXM+table_id,OpenFlow11\nchosen protocol: OpenFlow10+table_id\n' +
      'OFPT_FLOW_MOD (xid=0x1): ADD table:3 tcp,tp_dst=80 actions=mod_vlan_vid:5,output:1\n',
  );
  t.is((await ofctl(['ofp-print', '0105000800000001'])).stdout, 'OFPT_FEATURES_REQUEST (xid=0x1):\n');
});

/** Commands that leave the switch as it is, or change it the same way twice. */
const COMMANDS: readonly (readonly string[])[] = [
  ['show', 'br0'],
  ['-O', 'OpenFlow13', 'show', 'br0'],
  ['dump-flows', 'br0'],
  ['--names', 'dump-flows', 'br0'],
  ['--no-stats', 'dump-flows', 'br0'],
  ['--sort', 'dump-flows', 'br0'],
  ['--rsort=tcp_dst', '--names', 'dump-flows', 'br0'],
  ['dump-flows', 'br0', 'tcp'],
  ['dump-flows', 'br0', 'table=3,out_port=p1'],
  ['dump-flows', 'br0', 'cookie=0x5/-1'],
  ['-O', 'OpenFlow11', 'dump-flows', 'br0'],
  ['-O', 'OpenFlow12', 'dump-flows', 'br0'],
  ['-O', 'OpenFlow13', 'dump-flows', 'br0'],
  ['-O', 'OpenFlow14', 'dump-flows', 'br0'],
  ['-F', 'openflow10', 'dump-flows', 'br0'],
  ['dump-aggregate', 'br0'],
  ['-O', 'OpenFlow13', 'dump-aggregate', 'br0', 'tcp'],
  ['dump-tables', 'br0'],
  ['-O', 'OpenFlow13', 'dump-tables', 'br0'],
  ['dump-ports', 'br0'],
  ['dump-ports', 'br0', 'p1'],
  ['-O', 'OpenFlow13', 'dump-ports', 'br0', '2'],
  ['dump-ports', 'br0', 'nosuch'],
  ['dump-ports-desc', 'br0'],
  ['-O', 'OpenFlow13', 'dump-group-stats', 'br0', ''],
  ['-O', 'OpenFlow13', 'dump-ports-desc', 'br0'],
  ['dump-desc', 'br0'],
  ['queue-stats', 'br0', 'p1'],
  ['get-frags', 'br0'],
  ['set-frags', 'br0', 'reassemble'],
  ['set-frags', 'br0', 'foo'],
  ['probe', 'br0'],
  ['ping', 'br0', '10'],
  ['mod-port', 'br0', 'p9', 'up'],
  ['mod-port', 'br0', 'p1', 'foo'],
  ['add-flow', 'br0', 'check_overlap,priority=7,tcp,actions=1'],
  ['-O', 'OpenFlow13', 'add-flow', 'br0', 'check_overlap,priority=7,tcp,actions=1'],
  ['add-flow', 'br0', 'in_port=nosuch,actions=1'],
  ['add-flows', 'br0', '/nonexistent'],
  // Directories can be opened, and have nothing in them.
  ['add-flows', 'br0', '/'],
  ['--bundle', 'add-flows', 'br0', '/'],
  ['parse-flows', '/'],
  ['diff-flows', '/', 'br0'],
  // What the file has in it does not say in which flow format the switch is asked.
  ['diff-flows', '@flows', 'br0'],
  ['-F', 'OpenFlow10', 'diff-flows', '@flows', 'br0'],
  ['-F', 'OpenFlow10+table_id', 'diff-flows', '@flows', 'br0'],
  ['-O', 'OpenFlow11,OpenFlow10', 'diff-flows', 'br0', '@flows'],
  ['-F', 'OpenFlow10', 'replace-flows', 'br0', '@flows'],
  ['ofp-parse', '/'],
  ['ofp-parse-pcap', '/'],
  ['parse-pcap', '/'],
  ['packet-out', 'br0', 'in_port=1 packet=505400000007505400000005080000 actions=2'],
  ['packet-out', 'br0', 'in_port=1 actions=2'],
  ['-F', 'nxm', '-O', 'OpenFlow13', 'show', 'br0'],
];

needing(test, 'peer')('ofp-parse reads files of any length as the peer does, cut anywhere', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'messages');
  // Echo requests of lengths that end before, at and behind whatever is read at once.
  const lengths = [8, 9, 65_535, 65_535, 12, 65_528, 8, 65_535, 131, 40_000, 65_535, 65_535, 8];
  const bytes = Buffer.concat(
    lengths.map((length, i) => {
      const message = Buffer.alloc(length, i);
      message.set([1, 2, length >> 8, length & 255, 0, 0, 0, i]);
      return message;
    }),
  );
  const short = Buffer.from([1, 2, 0, 7, 0, 0, 0, 0]);
  const contents = [
    bytes,
    ...[1, 7, 8, 20, 65_540, 131_072, 131_079].map((cut) => bytes.subarray(0, bytes.length - cut)),
    Buffer.concat([bytes, short, bytes]),
    Buffer.alloc(0),
  ];
  for (const content of contents) {
    fs.writeFileSync(file, content);
    const theirs = plain(await peerOfctl(['ofp-parse', file]));
    t.deepEqual(plain(await ofctl(['ofp-parse', file])), theirs, `${content.length} bytes`);
  }
});

const ETHERNET = '001122334455 0066778899aa ';
/** Packets, of which some have no IP header that can be. */
const PACKETS: Readonly<Record<string, string>> = {
  good: `${ETHERNET}0800 4500001c0000000040110000 0a0000010a000002 0001000200080000`,
  short: `${ETHERNET}0800 45454545454545454545`,
  'too much said': `${ETHERNET}0800 450000640000000040110000 0a0000010a000002`,
  'ipv6 short': `${ETHERNET}86dd 6060606060606060606060606060606060606060`,
  'ipv6 behind a tag': `${ETHERNET}81000001 86dd 60000000 0064 11 40 ${'01'.repeat(32)}`,
  arp: `${ETHERNET}0806 00000000`,
};
const packetOf = (name: string): Buffer => Buffer.from(PACKETS[name].replaceAll(' ', ''), 'hex');

needing(test, 'peer')(
  'packets of captures, broken ones too, are read and told of as by the peer',
  async (t) => {
    t.timeout(60_000);
    const dir = tmpDir(t);
    const file = path.join(dir, 'capture');
    const capture = (...packets: Buffer[]): Buffer =>
      Buffer.concat([pcapHeader(), ...packets.map((packet) => pcapRecord(packet, 0))]);
    const all = Object.keys(PACKETS).map(packetOf);
    const captures = [
      capture(...all),
      // A packet of no bytes ends a capture, as one that is cut off does.
      capture(packetOf('good'), Buffer.alloc(0), packetOf('good')),
      capture(...all).subarray(0, -3),
      capture(...Array.from({ length: 9 }, () => packetOf('short'))),
    ];
    for (const [i, content] of captures.entries()) {
      fs.writeFileSync(file, content);
      for (const command of ['parse-pcap', 'ofp-parse-pcap']) {
        const args = ['-vflow:console:dbg', command, file];
        t.deepEqual(plain(await ofctl(args)), plain(await peerOfctl(args)), `${command}, capture ${i}`);
      }
    }
    const parsePacket = async (...program: string[]): Promise<unknown> => {
      const words = ['-c', 'exec "$@" <"$FILE"', 'sh', ...program, '-vflow:console:dbg', 'parse-packet'];
      return plain(await run('/bin/sh', words, { env: { FILE: file } }));
    };
    for (const name of Object.keys(PACKETS)) {
      fs.writeFileSync(file, packetOf(name));
      t.deepEqual(
        await parsePacket(process.execPath, OURS),
        await parsePacket(peerPath('ovs-ofctl')!),
        `parse-packet, ${name}`,
      );
    }
  },
);

/** Files that diff-flows is asked to compare with one that says `ip,actions=1`. */
const COMPARED = [
  // What a switch would be told in normal form is compared as it is.
  'tp_dst=80,actions=1\n',
  'in_port=65535,actions=1\n',
  'tcp,actions=learn(tcp_dst=80)\n',
  // Lines end at a byte of zero.
  '\0\nip\0,foo,actions=1\n',
  'ip,actions=1\0foo\n\0\n',
];

needing(test, 'peer')('files of flows are compared as by the peer', async (t) => {
  t.timeout(60_000);
  const dir = tmpDir(t);
  const [one, other] = [path.join(dir, 'one'), path.join(dir, 'other')];
  fs.writeFileSync(other, 'ip,actions=1\n');
  for (const text of COMPARED) {
    fs.writeFileSync(one, text);
    const args = ['diff-flows', one, other];
    t.deepEqual(plain(await ofctl(args)), plain(await peerOfctl(args)), JSON.stringify(text));
  }
});

/** Lines of a bundle's file, of which some are refused for the word in front. */
const BUNDLE_LINES = [
  'fl ip,actions=1',
  'flow,ip,actions=1',
  'flow, add ip,actions=1',
  'flow mod ip,actions=1',
  'flow d ip,actions=1',
  ',ip,actions=1',
  'ip,actions=1',
  'g a group_id=1,type=all',
  'group mod group_id=x',
  'group i group_id=1,type=all',
  'p in_port=1',
  '\vflow ip,actions=1',
];

needing(test, 'peer')(
  "words in front of a bundle's lines are cut short and ended as with the peer",
  async (t) => {
    t.timeout(60_000);
    const dir = tmpDir(t);
    const file = path.join(dir, 'lines');
    for (const line of BUNDLE_LINES) {
      fs.writeFileSync(file, `${line}\n`);
      const args = ['--no-names', 'bundle', 'br0', file];
      const theirs = plain(await peerOfctl(args, { OVS_RUNDIR: dir }));
      t.deepEqual(plain(await ofctl(args, { OVS_RUNDIR: dir })), theirs, line);
    }
  },
);

needing(test, 'peer')("against the peer's switch: the peer's output to the letter", async (t) => {
  t.timeout(110000);
  const dir = tmpDir(t);
  const peer = await startPeer(dir);
  t.teardown(() => peer.stop());
  const all = 'OpenFlow10,OpenFlow11,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15';
  const bridge = `add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure protocols=${all} -- add-port br0 p1 -- set int p1 type=dummy ofport_request=1 -- add-port br0 p2 -- set int p2 type=dummy ofport_request=2`;
  t.is((await peer.tool('ovs-vsctl', bridge.split(' '))).status, 0);
  const file = path.join(dir, 'flows');
  fs.writeFileSync(
    file,
    '# a table\npriority=7,ip,actions=2\n\nadd table=3,priority=5,tcp,tcp_dst=80,actions=mod_vlan_vid:5,output:p1,resubmit(,4),ct(commit,zone=3,nat(src=1.2.3.4))\ncookie=5,in_port=p2,actions=drop\n',
  );
  t.is((await ofctl(['add-flows', 'br0', file], peer.env)).stderr, '');
  const flows = path.join(dir, 'more flows');
  fs.writeFileSync(flows, 'table=3,reg0=1,actions=write_metadata:1\nactions=drop\n');
  for (const command of COMMANDS) {
    const args = command.map((word) => (word === '@flows' ? flows : word));
    const theirs = plain(await peerOfctl(args, peer.env));
    const ours = plain(await ofctl(args, peer.env));
    t.deepEqual(ours, theirs, args.join(' '));
  }
  t.is((await ofctl(['--strict', 'del-flows', 'br0', 'priority=7,ip'], peer.env)).status, 0);
  t.is((await ofctl(['mod-flows', 'br0', 'in_port=p2,actions=p1'], peer.env)).status, 0);
  const { stdout } = await peerOfctl(['--no-stats', 'dump-flows', 'br0'], peer.env);
  t.is(
    stdout,
    ' in_port=2 actions=output:1\n table=3, priority=5,tcp,tp_dst=80 actions=mod_vlan_vid:5,output:1,resubmit(,4),ct(commit,zone=3,nat(src=1.2.3.4))\n',
  );
});
