/**
 * Whole tables, long enough for their flows to be read and printed by shapes: what both tools make of one text, and
 * what either says of it when it is in either's switch.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { checkout, dirsAt, Suite } from '@ovs-node/ctl-tools/lab/suite';
import { PEER, testWith } from './lib/requires.js';
import { type CommandLine, comparedWithPeer, play, sameTexts } from './lib/transcript.js';
import { withSuite } from './lib/lab.js';

const dir = mkdtempSync(join(tmpdir(), 'ovs-tables-'));
test.after.always(() => rmSync(dir, { recursive: true, force: true }));

const hex = (n: number): string => (n & 255).toString(16).padStart(2, '0');

/** Flow `i` of a table: each kind in turn, each with values of its own, some of them at their limits. */
const PLAIN: readonly ((i: number) => string)[] = [
  (i) =>
    `table=${i % 254},priority=${(i * 77) % 65536},tcp,nw_dst=10.${i & 255}.0.${i % 7}/16,tp_dst=${i},actions=output:${1 + (i % 3)}`,
  (i) =>
    `priority=${i},dl_src=00:11:22:00:${hex(i >> 8)}:${hex(i)},dl_vlan=${i % 4095},actions=strip_vlan,mod_dl_dst:${hex(i)}:00:00:00:00:01,output:${i % 65280}`,
  (i) =>
    `idle_timeout=${(i % 300) * 200},hard_timeout=${(i % 3) * 300},priority=${i},in_port=${i % 65280},arp,arp_tpa=10.0.${i & 255}.${i & 15},arp_op=${i % 4},actions=NORMAL`,
  (i) =>
    `cookie=0x${i.toString(16)},priority=${i},icmp,nw_src=${i & 255}.1.2.3,actions=mod_nw_dst:0.0.0.${i & 255},mod_tp_dst:${i},controller`,
];
const EXTENDED: readonly ((i: number) => string)[] = [
  ...PLAIN,
  (i) =>
    `table=${i % 100},priority=${i},ip,ct_state=+trk+est,ct_zone=${i},reg${i % 3}=${i % 12}/0xff,metadata=0x${i.toString(16)},actions=load:0x${hex(i)}->NXM_NX_REG1[0..15],resubmit(,${(i % 100) + 1})`,
  (i) =>
    `table=${i % 50},priority=${i},udp6,ipv6_src=2001:db8:${i.toString(16)}::${(i & 15).toString(16)},ipv6_dst=fe80::/64,udp_dst=${i},actions=ct(commit,zone=${i % 5},table=${i % 254},exec(set_field:${i % 11}->ct_mark)),set_field:00:01:02:03:04:${hex(i)}->eth_dst`,
  (i) =>
    `priority=${i},tun_id=0x${i.toString(16)},tun_src=1.2.3.${i & 255},xreg1=0x${i.toString(16)},actions=set_tunnel:0x${i.toString(16)},set_field:${i % 13}->reg4,move:NXM_OF_IN_PORT[]->NXM_NX_REG3[0..15],note:0${i % 10}`,
];

const table = (kinds: readonly ((i: number) => string)[], from: number, n: number): string[] =>
  Array.from({ length: n }, (_, i) => kinds[i % kinds.length](from + i * 13));

/** Files whose flows can be in a table, and files with something special about them. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  plain: table(PLAIN, 0, 1200),
  extended: table(EXTENDED, 5, 2100),
  // The protocol that all can go by is known late.
  late: [...table(PLAIN, 3, 400), 'metadata=5,actions=drop', ...table(EXTENDED, 7, 300)],
  // Comments, blanks and other commands between flows.
  mixed: table(PLAIN, 1, 600).flatMap((line, i) =>
    i % 50 === 7 ? ['# nothing', '', `  ${line} # said`, `\t${line}  `] : [line],
  ),
  // What is not in normal form is told of, five times.
  abnormal: table(PLAIN, 1, 600).flatMap((line, i) =>
    i % 60 === 59 ? [line, `nw_src=10.0.0.${i},actions=drop`] : [line],
  ),
  bad: [...table(PLAIN, 1, 300), 'priority=65536,actions=drop'],
  value: [
    ...table(PLAIN, 0, 300),
    'priority=1,dl_src=00:11:22:00:00:01,dl_vlan=4096,actions=strip_vlan,mod_dl_dst:00:00:00:00:00:01,output:3',
  ],
  port: [
    ...table(PLAIN, 0, 300),
    'priority=1,dl_src=00:11:22:00:00:01,dl_vlan=5,actions=strip_vlan,mod_dl_dst:00:00:00:00:00:01,output:65533',
  ],
};
for (const [name, lines] of Object.entries(FILES)) writeFileSync(join(dir, name), `${lines.join('\n')}\n`);

/** Without when it was logged. */
const logged = (text: string): string => text.replace(/^\S+\|\d+\|/gm, '');

testWith(PEER)('parse-flows prints of a long table what the peer prints', async (t) => {
  const [ours, peer] = (['ours', 'peer'] as const).map(
    (side) => new Suite({ root: checkout, side, dirs: dirsAt(dir) }),
  );
  const script: CommandLine[] = Object.keys(FILES).flatMap((name) =>
    [[], ['-O', 'OpenFlow13'], ['-O', 'OpenFlow15'], ['-F', 'nxm'], ['-m']].map((more) => [
      'ovs-ofctl',
      ...more,
      'parse-flows',
      join(dir, name),
    ]),
  );
  const textOf = (r: { stdout: string; stderr: string }): string => `${r.stdout}${logged(r.stderr)}`;
  sameTexts(t, await play(ours, ours, script, textOf), await play(peer, peer, script, textOf));
});

/** A dump, without what differs from run to run. */
const settled = (text: string): string =>
  text.replace(/\(xid=0x[0-9a-f]+\)|duration=[0-9.]+s|, (?:idle|hard)_age=\d+/g, '');

comparedWithPeer(
  (tools, daemons) => `a long table is loaded and dumped: ${tools}'s tools, ${daemons}'s daemons`,
  (t, daemons, tools) =>
    withSuite(t, { side: daemons, vswitchdArgs: ['--enable-dummy'] }, async (suite) => {
      const toolbox = new Suite({ root: checkout, side: tools, dirs: suite.dirs });
      const versions = 'OpenFlow10,OpenFlow12,OpenFlow13,OpenFlow14,OpenFlow15';
      const commands: CommandLine[] = [
        [
          'ovs-vsctl',
          'add-br',
          'br0',
          '--',
          'set',
          'bridge',
          'br0',
          'datapath_type=dummy',
          `protocols=${versions}`,
        ],
      ];
      for (const name of Object.keys(FILES)) {
        for (const how of [[], ['--bundle', '-O', 'OpenFlow14']]) {
          commands.push(
            ['ovs-ofctl', 'del-flows', 'br0'],
            ['ovs-ofctl', ...how, 'add-flows', 'br0', join(dir, name)],
            ['ovs-ofctl', 'dump-aggregate', 'br0'],
          );
        }
        for (const version of versions.split(',')) {
          commands.push(['ovs-ofctl', '-O', version, 'dump-flows', 'br0']);
        }
        commands.push(
          ['ovs-ofctl', '-m', 'dump-flows', 'br0', 'ip'],
          ['ovs-ofctl', '--no-stats', 'dump-flows', 'br0'],
        );
      }
      return play(suite, toolbox, commands, (r) => settled(`${r.stdout}${logged(r.stderr)}`));
    }),
);
