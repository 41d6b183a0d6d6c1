/** Either side's tools drive the other side's daemons, and one script gives one text on both. */
import type { RunResult } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { type CommandLine, comparedWithPeer, play } from './lib/transcript.js';

/** Commands over a dummy bridge, whose output must not depend on whose program answers. */
const SCRIPT: readonly CommandLine[] = [
  [
    'ovs-vsctl',
    'add-br',
    'br0',
    '--',
    'set',
    'bridge',
    'br0',
    'datapath_type=dummy',
    'other_config:hwaddr=aa:55:aa:55:00:00',
    'other_config:datapath-id=0000aa55aa550000',
  ],
  ...[1, 2, 3].map((n) => [
    'ovs-vsctl',
    'add-port',
    'br0',
    `p${n}`,
    '--',
    'set',
    'interface',
    `p${n}`,
    'type=dummy',
    `ofport_request=${n}`,
  ]),
  ['ovs-vsctl', 'show'],
  ['ovs-vsctl', 'list-br'],
  ['ovs-vsctl', 'list-ports', 'br0'],
  ['ovs-vsctl', 'port-to-br', 'p2'],
  ['ovs-vsctl', 'set', 'port', 'p3', 'tag=9'],
  ['ovs-vsctl', 'get', 'port', 'p3', 'tag'],
  ['ovs-vsctl', 'get', 'interface', 'p2', 'ofport', 'type', 'options'],
  ['ovs-vsctl', '--columns=name,tag,trunks', 'list', 'port', 'p3'],
  ['ovs-vsctl', '--format=csv', '--columns=name,ofport', 'find', 'interface', 'type=dummy'],
  ['ovs-vsctl', '--format=json', '--columns=name,ofport', 'find', 'interface', 'name=p1'],
  ['ovs-vsctl', 'set-fail-mode', 'br0', 'secure', '--', 'get-fail-mode', 'br0'],
  ['ovs-vsctl', 'del-fail-mode', 'br0'],
  ['ovs-vsctl', 'br-exists', 'br0'],
  ['ovs-vsctl', 'br-exists', 'nobr'],
  ['ovs-ofctl', 'dump-flows', 'br0'],
  [
    'ovs-ofctl',
    'add-flow',
    'br0',
    'priority=5,tcp,nw_dst=10.0.0.0/8,tp_dst=80,actions=mod_dl_dst:00:00:00:00:00:09,output:2',
  ],
  [
    'ovs-ofctl',
    'add-flow',
    'br0',
    'table=1,ct_state=+trk+new,ip,actions=ct(commit,zone=7,exec(set_field:0x5->ct_mark)),resubmit(,2)',
  ],
  ['ovs-ofctl', 'add-flow', 'br0', 'dl_vlan=9,actions=strip_vlan,in_port'],
  [
    'ovs-ofctl',
    '-O',
    'OpenFlow13',
    'add-flow',
    'br0',
    'table=2,ipv6,actions=set_field:2001:db8::1->ipv6_src,goto_table:3',
  ],
  [
    'ovs-ofctl',
    'add-flow',
    'br0',
    'table=4,tcp,actions=fin_timeout(idle_timeout=5),multipath(symmetric_l3l4,5,hrw,9,0,NXM_NX_REG0[]),bundle(eth_src,0,hrw,ofport,members:2,3)',
  ],
  [
    'ovs-ofctl',
    'add-flow',
    'br0',
    'table=5,actions=learn(table=6,limit=3,result_dst=NXM_NX_REG0[0],fin_idle_timeout=3,NXM_OF_ETH_DST[]),bundle_load(nw_src,0,hrw,ofport,NXM_NX_REG1[],members:2,3)',
  ],
  ['ovs-ofctl', '--no-stats', 'dump-flows', 'br0'],
  ['ovs-ofctl', '-O', 'OpenFlow13', '--no-stats', '--sort', 'dump-flows', 'br0'],
  ['ovs-ofctl', 'mod-flows', 'br0', 'tcp,actions=output:3'],
  ['ovs-ofctl', '--strict', 'del-flows', 'br0', 'dl_vlan=9,priority=32768'],
  ['ovs-ofctl', '--no-stats', 'dump-flows', 'br0', 'tcp'],
  ['ovs-ofctl', 'show', 'br0'],
  ['ovs-ofctl', '-O', 'OpenFlow13', 'dump-ports-desc', 'br0'],
  ['ovs-ofctl', 'dump-ports', 'br0', 'p1'],
  ['ovs-ofctl', 'dump-aggregate', 'br0'],
  ['ovs-appctl', 'ofproto/trace', 'br0', 'in_port=1,tcp,nw_src=10.0.0.1,nw_dst=10.0.0.2,tp_dst=80'],
  ['ovs-appctl', 'ofproto/trace', 'br0', 'in_port=1,udp,nw_src=10.0.0.1,nw_dst=10.0.0.2'],
  ['ovs-appctl', 'fdb/show', 'br0'],
  ['ovs-appctl', 'dpif/show'],
  ['ovs-appctl', 'dpif/dump-flows', 'br0'],
  ['ovs-appctl', 'dpctl/dump-flows'],
  ['ovs-appctl', 'memory/show'],
  ['ovs-vsctl', 'del-port', 'p3'],
  ['ovs-vsctl', 'del-br', 'br0'],
  ['ovs-vsctl', 'list-br'],
];

/** What differs from run to run is taken out; rows that refer to each other come in the order of random UUIDs. */
function textOf({ stdout, stderr }: RunResult, line: CommandLine): string {
  const unordered = line.includes('show') || line.includes('find');
  const text = (unordered ? stdout.split('\n').toSorted().join('\n') : stdout) + stderr;
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/duration=[\d.]+s/g, 'duration=T')
    .replace(/idle_age=\d+/g, 'idle_age=T')
    .replace(/ovs_version: .*/g, 'ovs_version: V');
}

comparedWithPeer(
  (tools, daemons) => `${tools} tools with ${daemons} daemons print what the peer's with the peer's print`,
  (t, daemons, tools) =>
    withSuite(t, { side: daemons, vswitchdArgs: ['--enable-dummy'] }, (suite) =>
      withSuite(t, { side: tools, start: false }, (toolbox) => play(suite, toolbox, SCRIPT, textOf)),
    ),
);
