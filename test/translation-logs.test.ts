/**
 * What is wrong with flow tables, as the switch sees it when a packet comes, is logged as by the peer: the resources that
 * one packet may use, stacks and label stacks, VLANs that a port does not let in, outputs that lead nowhere.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE = 'br0';
const packet = (headers: string, rest = 'tcp(src=8,dst=9)'): string =>
  `in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),${headers}ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,tos=0,ttl=64,frag=no),${rest}`;
const TCP = packet('eth_type(0x0800),');
const VLAN = `${packet('eth_type(0x8100),vlan(vid=9,pcp=0),encap(eth_type(0x0800),')})`;

/** So many tables, in each of which `actions` go on with the next. */
const tables = (count: number, actions: (next: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => `flow add table=${i},actions=${actions(i + 1)}`);
const PUSHES = 'push:NXM_NX_XXREG0[],'.repeat(60);

/** Lines of a bundle, the packet that comes then, and what is set of its port before. */
const CASES: Readonly<
  Record<string, { bundle: readonly string[]; packet?: string; port?: readonly string[] }>
> = {
  'tables without end': { bundle: ['flow add actions=resubmit(,0)'] },
  'tables without end that change the packet': {
    bundle: [
      'flow add table=0,tcp,actions=set_field:5->reg3,set_field:99->tcp_dst,goto_table:1',
      'flow add table=1,actions=set_field:7->metadata,resubmit(,1)',
    ],
  },
  'tables without end that send the packet': {
    bundle: ['flow add actions=set_field:50:00:00:00:00:01->eth_dst,2,set_field:9->reg1,resubmit(,0)'],
  },
  'groups without end': {
    bundle: [
      'group add group_id=1,type=all',
      'group add group_id=2,type=all,bucket=actions=group:1',
      'group modify group_id=1,type=all,bucket=actions=group:2',
      'flow add actions=group:1',
    ],
  },
  'too many tables': { bundle: tables(14, (next) => `resubmit(,${next}),resubmit(,${next})`) },
  'too much on the stack': { bundle: tables(8, (next) => `${PUSHES}resubmit(,${next}),resubmit(,${next})`) },
  'too many actions': {
    bundle: tables(
      3,
      (next) =>
        `${'set_field:0:0:0:0:0:1->eth_dst,2,set_field:0:0:0:0:0:2->eth_dst,2,'.repeat(500)}resubmit(,${next})`,
    ),
  },
  'a packet that comes back without end': { bundle: ['flow add ip,actions=ct(table=0)'] },
  'nothing on the stack': { bundle: ['flow add actions=pop:NXM_NX_REG0[]'] },
  'too many labels': { bundle: [`flow add actions=${'push_mpls:0x8847,'.repeat(4)}2`] },
  'output to where it came from': { bundle: ['flow add actions=1,2'] },
  // Of a group that is not there nothing is told.
  'a group that is not there, and output to where it came from': {
    bundle: [
      'group add group_id=1,type=all,bucket=actions=group:77,bucket=actions=1',
      'flow add actions=group:1',
    ],
  },
  'truncated output to a patch port': { bundle: ['flow add actions=output(port=11,max_len=100),2'] },
  'truncated output to no port': { bundle: ['flow add actions=output(port=77,max_len=100),2'] },
  'truncated output to the port by the name of all': {
    bundle: ['flow add actions=output(port=in_port,max_len=100),2'],
  },
  'truncated output to where it came from': { bundle: ['flow add actions=output(port=1,max_len=100),2'] },
  'a tag at an access port': { bundle: ['flow add actions=normal'], packet: VLAN, port: ['tag=5'] },
  'a tag that is not trunked': { bundle: ['flow add actions=normal'], packet: VLAN, port: ['trunks=5'] },
  'no tag where one is trunked': { bundle: ['flow add actions=normal'], port: ['trunks=5'] },
};

/** Modules that tell of translations; what goes on in the peer's own books is no part of it. */
const TELLS = /\|ofproto_dpif_(?:xlate|upcall)\||\|dpif_netdev\|WARN\|/;
const NOT_OURS = /upcall_cb failure/;

/** What a log tells from `start` on, without time and number. */
function told(suite: Suite, start: number): { lines: string[]; end: number } {
  const text = readFileSync(join(suite.dirs.log, 'ovs-vswitchd.log'), 'latin1');
  const lines: string[] = [];
  let isTelling = false;
  for (const line of text.slice(start, text.lastIndexOf('\n')).split('\n')) {
    if (/^\d{4}-\d\d-\d\dT/.test(line)) isTelling = TELLS.test(line) && !NOT_OURS.test(line);
    if (isTelling) lines.push(line.replace(/^\d\S*?\|\d+\|/, ''));
  }
  return { lines, end: text.lastIndexOf('\n') + 1 };
}

testWith(PEER)('what is wrong with flow tables is logged as by the peer, at the same rate', async (t) => {
  t.timeout(10 * 60_000);
  const dummy = { vswitchdArgs: ['--enable-dummy'] };
  await withSuite(t, { ...dummy, expectedWarnings: [/\|WARN\|/] }, (ours, dir) =>
    withSuite(t, { ...dummy, side: 'peer' }, async (peer) => {
      const sides = [peer, ours];
      const file = join(dir, 'flows');
      let starts = [0, 0];
      /** What both tell of packets that meet these flows. */
      const tell = async (bundle: readonly string[], packets: readonly string[]): Promise<string[][]> => {
        writeFileSync(file, `flow delete\ngroup delete group_id=all\n${bundle.join('\n')}\n`);
        for (const suite of sides) {
          await suite.ofctl('-O', 'OpenFlow15', 'bundle', BRIDGE, file);
          // Datapath flows follow the tables before packets come; to look at them again tells of nothing.
          await suite.appctl('revalidator/purge');
        }
        starts = sides.map((suite, i) => told(suite, starts[i]).end);
        for (const suite of sides)
          for (const each of packets) await suite.appctl('netdev-dummy/receive', 'p1', each);
        for (let tries = 0; ; tries++) {
          const [theirs, mine] = sides.map((suite, i) => told(suite, starts[i]).lines);
          if ((theirs.length > 0 && isDeepStrictEqual(theirs, mine)) || tries > 40) return [theirs, mine];
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      };
      for (const suite of sides) {
        await addDummyBridge(suite, BRIDGE);
        const patch = (port: string, other: string): string[] => [
          '--',
          'set',
          'interface',
          port,
          'type=patch',
          `options:peer=${other}`,
        ];
        await suite.vsctl('add-br', 'br1', '--', 'set', 'bridge', 'br1', 'datapath_type=dummy');
        await suite.vsctl('add-port', BRIDGE, 'pa', ...patch('pa', 'pb'), 'ofport_request=11');
        await suite.vsctl('add-port', 'br1', 'pb', ...patch('pb', 'pa'));
      }
      // Time stands still: what may be logged in a minute is logged once.
      const each = (from: number): string[] =>
        Array.from({ length: 9 }, (_, i) => packet('eth_type(0x0800),', `tcp(src=8,dst=${from + i})`));
      const look = 'move:NXM_OF_TCP_DST[]->NXM_NX_REG0[0..15]';
      for (const [what, actions, from, lines] of [
        ['errors', `${look},resubmit(,0)`, 1000, 5],
        ['oddities', `${look},1`, 2000, 5],
      ] as const) {
        const [theirs, mine] = await tell([`flow add tcp,actions=${actions}`], each(from));
        t.is(mine.filter((line) => line.startsWith('ofproto_dpif_xlate')).length, lines, what);
        t.deepEqual(mine, theirs, what);
      }
      for (const suite of sides) await suite.appctl('vlog/disable-rate-limit');
      for (const [what, { bundle, packet: comes = TCP, port = [] }] of Object.entries(CASES)) {
        for (const suite of sides) if (port.length > 0) await suite.vsctl('set', 'port', 'p1', ...port);
        const [theirs, mine] = await tell(bundle, [comes]);
        for (const suite of sides)
          if (port.length > 0) await suite.vsctl('clear', 'port', 'p1', ...port.map((s) => s.split('=')[0]));
        t.not(theirs.length, 0, what);
        t.deepEqual(mine, theirs, what);
      }
    }),
  );
});
