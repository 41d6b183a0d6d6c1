/** Which bucket of a select group packets take by the datapath's hash is as by the peer, whatever was changed of them before. */
import type { Side, Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE = 'br0';
/** Fewer than a dummy port of the peer takes at a time. */
const PACKETS = 90;
const BUCKETS = [100, 100, 50, 150]
  .map((weight, i) => `bucket=bucket_id:${i},weight:${weight},actions=2`)
  .join(',');
/** What happens to packets until they come to the group, which those of table 1 do. */
const CHANGES: readonly string[] = [
  'group:1',
  'set_field:99->tcp_dst,group:1',
  'set_field:99->tcp_src,set_field:1.2.3.4->ip_src,group:1',
  'set_field:1.2.3.4->ip_dst,group:1',
  'move:tcp_src->tcp_dst,group:1',
  'push_vlan:0x8100,set_field:4101->vlan_vid,group:1',
  'push_mpls:0x8847,group:1',
  'ct(table=1)',
  'set_field:99->tcp_dst,ct(table=1)',
  'set_field:99->tcp_src,set_field:1.2.3.4->ip_src,clone(ct(table=1,zone=3)),2',
  'push_mpls:0x8847,pop_mpls:0x0800,ct(table=1)',
];

const packet = (i: number): string =>
  `in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),eth_type(0x0800),ipv4(src=10.0.0.${i},dst=10.0.1.${(i * 7) % 250},proto=6,tos=0,ttl=64,frag=no),tcp(src=${1000 + i},dst=${i * 13})`;

/** Packets of each bucket, and of all before them, for a change of what they are. */
async function taken(suite: Suite, change: string): Promise<string> {
  const ofctl = (...words: string[]): Promise<string> => suite.ofctl('-O', 'OpenFlow15', ...words);
  await ofctl('del-groups', BRIDGE);
  await ofctl('add-group', BRIDGE, `group_id=1,type=select,selection_method=dp_hash,${BUCKETS}`);
  await ofctl('add-flow', BRIDGE, `tcp,actions=${change}`);
  await ofctl('add-flow', BRIDGE, 'table=1,tcp,actions=group:1');
  // Neither side has datapath flows of the change before.
  await suite.appctl('revalidator/purge');
  const packets = Array.from({ length: PACKETS }, (_, i) => packet(i + 1));
  await suite.appctl('netdev-dummy/receive', 'p1', ...packets);
  let counts = '';
  // Statistics come as the datapath's flows are looked at.
  for (let tries = 0; tries < 100 && !counts.startsWith(`${PACKETS} `); tries++) {
    await suite.appctl('time/warp', '600');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const stats = await ofctl('dump-group-stats', BRIDGE);
    counts = Array.from(stats.matchAll(/packet_count=(\d+)/g), ([, n]) => n).join(' ');
  }
  return counts;
}

/** The same for each change. The peer does not always count all packets that come at once: it is asked again then. */
async function takenOfEach(suite: Suite): Promise<string[]> {
  await addDummyBridge(suite, BRIDGE);
  const texts: string[] = [];
  for (const change of CHANGES) {
    let counts = await taken(suite, change);
    for (let again = 0; suite.side === 'peer' && again < 3 && !counts.startsWith(`${PACKETS} `); again++)
      counts = await taken(suite, change);
    texts.push(`${change} ${counts}`);
  }
  return texts;
}

testWith(PEER)('packets take the bucket that they take by the peer, as they came in', async (t) => {
  t.timeout(5 * 60_000);
  const of = (side: Side): Promise<string[]> =>
    withSuite(t, { side, vswitchdArgs: ['--enable-dummy'] }, takenOfEach);
  t.deepEqual(await of('ours'), await of('peer'));
});
