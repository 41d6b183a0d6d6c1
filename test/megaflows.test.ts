/**
 * What flow tables tell apart, the datapath's flows tell apart: each packet of a list comes twice to each flow of another,
 * the second time to what the datapath has made of the first, and the flow counts as many as with the peer.
 */
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { ofBothSides, withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE = 'br0';
const FRAME = 'in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a)';

const ipv4 = (
  proto: number,
  layer4: string,
  { src = '10.0.0.1', tos = 0, ttl = 64, frag = 'no' } = {},
): string =>
  `${FRAME},eth_type(0x0800),ipv4(src=${src},dst=10.0.0.2,proto=${proto},tos=${tos},ttl=${ttl},frag=${frag})${layer4}`;
const ipv6 = (
  proto: number,
  layer4: string,
  { src = '::1', label = '0', tclass = 0, frag = 'no' } = {},
): string =>
  `${FRAME},eth_type(0x86dd),ipv6(src=${src},dst=::2,label=${label},proto=${proto},tclass=${tclass},hlimit=64,frag=${frag})${layer4}`;
const arp = (type: string, fields: string): string => `${FRAME},eth_type(${type}),arp(${fields})`;
const mpls = (type: string, fields: string): string => `${FRAME},eth_type(${type}),mpls(${fields})`;
const vlan = (tci: string): string =>
  `${FRAME},eth_type(0x8100),vlan(${tci}),encap(eth_type(0x0800),ipv4(src=1.1.1.1,dst=2.2.2.2,proto=6,tos=0,ttl=64,frag=no),tcp(src=1,dst=2))`;
const neighbor = (type: number, target: string, sll: number, tll: number): string =>
  ipv6(
    58,
    `,icmpv6(type=${type},code=0),nd(target=${target},sll=00:00:00:00:00:0${sll},tll=00:00:00:00:00:0${tll})`,
  );

const PACKETS: readonly string[] = [
  ...['8,code=0', '8,code=1', '0,code=0'].map((type) => ipv4(1, `,icmp(type=${type})`)),
  ...['0x2', '0x10'].map((flags) => ipv4(6, `,tcp(src=1,dst=2),tcp_flags(${flags})`)),
  ipv4(6, ',tcp(src=1,dst=3)'),
  ipv4(17, ',udp(src=1,dst=2)'),
  ipv4(17, ',udp(src=2,dst=2)', { tos: 5 }),
  ipv4(17, ',udp(src=2,dst=2)', { ttl: 1 }),
  ipv4(17, ',udp(src=2,dst=2)', { frag: 'first' }),
  ipv4(17, '', { frag: 'later' }),
  ipv4(17, ',udp(src=2,dst=2)', { src: '10.0.0.9' }),
  ipv4(132, ',sctp(src=1,dst=2)'),
  ipv4(2, ''),
  ...['128,code=0', '128,code=1', '1,code=4'].map((type) => ipv6(58, `,icmpv6(type=${type})`)),
  neighbor(135, '::3', 1, 0),
  neighbor(135, '::4', 2, 0),
  neighbor(136, '::4', 0, 2),
  neighbor(136, '::3', 0, 1),
  ipv6(6, ',tcp(src=1,dst=2)'),
  ipv6(6, ',tcp(src=1,dst=2)', { label: '0x5' }),
  ipv6(17, ',udp(src=1,dst=2)', { tclass: 8 }),
  ipv6(17, ',udp(src=1,dst=2)', { src: '::9', frag: 'first' }),
  ipv6(44, '', { src: '::9', frag: 'later' }),
  arp('0x0806', 'sip=1.1.1.1,tip=2.2.2.2,op=1,sha=00:00:00:00:00:01,tha=00:00:00:00:00:02'),
  arp('0x0806', 'sip=1.1.1.1,tip=2.2.2.3,op=2,sha=00:00:00:00:00:01,tha=00:00:00:00:00:02'),
  arp('0x0806', 'sip=1.1.1.2,tip=2.2.2.2,op=1,sha=00:00:00:00:00:03,tha=00:00:00:00:00:02'),
  arp('0x8035', 'sip=1.1.1.2,tip=2.2.2.2,op=1,sha=00:00:00:00:00:03,tha=00:00:00:00:00:02'),
  mpls('0x8847', 'label=100,tc=0,ttl=64,bos=1'),
  mpls('0x8847', 'label=101,tc=0,ttl=64,bos=1'),
  mpls('0x8847', 'label=100,tc=3,ttl=63,bos=0'),
  mpls('0x8848', 'label=100,tc=3,ttl=63,bos=1'),
  `${FRAME},eth_type(0x1234)`,
  `${FRAME},eth_type(0x88cc)`,
  'in_port(1),eth(src=50:54:00:00:00:09,dst=01:00:00:00:00:01),eth_type(0x1234)',
  ...['vid=5,pcp=0', 'vid=5,pcp=3', 'vid=6,pcp=0', 'vid=0,pcp=3'].map(vlan),
];

const MATCHES: readonly string[] = [
  '',
  'ip',
  'mpls',
  ...['icmp_type=8', 'icmp_code=0', 'icmp_code=1,nw_src=10.0.0.0/29'].map((match) => `icmp,${match}`),
  ...['tcp_flags=+syn', 'tp_dst=2', 'tp_src=0/0xfffe'].map((match) => `tcp,${match}`),
  'sctp,tp_dst=2',
  ...['nw_tos=4', 'nw_ecn=1', 'nw_ttl=1', 'nw_frag=later', 'nw_frag=first'].map((match) => `ip,${match}`),
  ...['nw_src=10.0.0.8/29', 'nw_dst=10.0.0.2', 'dl_vlan=6,nw_src=1.1.1.1'].map((match) => `ip,${match}`),
  ...['', ',icmp_type=128', ',icmp_code=1', ',icmp_type=135,icmp_code=0'].map((match) => `icmp6${match}`),
  ...['nd_target=::3', 'nd_target=::4/126', 'nd_sll=00:00:00:00:00:02'].map(
    (match) => `icmp6,icmp_type=135,${match}`,
  ),
  ...['nd_target=::3', 'nd_tll=00:00:00:00:00:02'].map((match) => `icmp6,icmp_type=136,${match}`),
  ...['ipv6_label=5', 'ipv6_src=::8/125', 'nw_tos=8', 'nw_frag=later'].map((match) => `ipv6,${match}`),
  ...['arp_op=2', 'arp_spa=1.1.1.2', 'arp_tpa=2.2.2.0/31', 'arp_sha=00:00:00:00:00:03'].map(
    (match) => `arp,${match}`,
  ),
  ...['mpls_label=100', 'mpls_tc=3', 'mpls_bos=0', 'mpls_ttl=63'].map((match) => `mpls,${match}`),
  'dl_type=0x1234',
  'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00',
  'dl_vlan=5',
  'dl_vlan_pcp=3',
  'vlan_tci=0',
  'vlan_tci=0x1005/0x1001',
  'vlan_tci=0x1000/0x1000',
];

/** What each flow has counted. */
async function told(suite: Suite): Promise<string[]> {
  await addDummyBridge(suite, BRIDGE);
  const lines: string[] = [];
  for (const match of MATCHES) {
    const input = `delete\n${match}${match && ','}actions=2\n`;
    const { stderr } = await suite.run('ovs-ofctl', ['add-flows', BRIDGE, '-'], { input });
    await suite.appctl('dpctl/del-flows');
    for (let i = 0; i < 2; i++) await suite.appctl('netdev-dummy/receive', 'p1', ...PACKETS);
    await suite.appctl('revalidator/wait');
    const counted = /n_packets=\d+, n_bytes=\d+/.exec(await suite.ofctl('dump-flows', BRIDGE))?.[0];
    lines.push(`${match}: ${counted}${stderr}`);
  }
  return lines;
}

testWith(PEER)('what flow tables tell apart, flows of the datapath tell apart', async (t) => {
  const [wanted, lines] = await ofBothSides(t, told);
  t.deepEqual(lines, wanted);
});

testWith()(
  'who asks for the target of neighbour discovery is not answered for messages that have none',
  async (t) => {
    const counted = await withSuite(t, { side: 'ours', vswitchdArgs: ['--enable-dummy'] }, async (suite) => {
      await addDummyBridge(suite, BRIDGE);
      await suite.ofctl('add-flow', BRIDGE, 'icmp6,icmp_type=135,nd_target=::3,actions=2');
      const packets = [
        ipv6(58, ',icmpv6(type=135,code=1)'),
        neighbor(135, '::3', 1, 0),
        neighbor(135, '::4', 1, 0),
      ];
      for (const packet of [...packets, ...packets]) {
        await suite.appctl('netdev-dummy/receive', 'p1', packet);
        await suite.appctl('revalidator/wait');
      }
      return suite.ofctl('dump-flows', BRIDGE);
    });
    t.regex(counted, /n_packets=2,/);
  },
);

testWith(PEER)('packets with and without tags get datapath flows of their own', async (t) => {
  const frames = [
    `${FRAME},eth_type(0x1234)`,
    ...[5, 6].map((vid) => vlan(`vid=${vid},pcp=1`)),
    vlan('vid=5,pcp=2'),
  ];
  const [wanted, flows] = await ofBothSides(t, async (suite) => {
    await addDummyBridge(suite, BRIDGE);
    await suite.ofctl('add-flow', BRIDGE, 'actions=2');
    for (const frame of [...frames, ...frames]) {
      await suite.appctl('netdev-dummy/receive', 'p1', frame);
      await suite.appctl('revalidator/wait');
    }
    return (await suite.appctl('dpctl/dump-flows')).split('\n').toSorted();
  });
  t.deepEqual(flows, wanted);
  t.is(flows.filter((flow) => /packets:[13],/.test(flow)).length, 3);
});
