/**
 * Packets that people write down, for a dummy port to receive and for `ofproto/trace`: what is taken, refused, and made of
 * it is as by the peer, where much is missing, too.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readPcap } from '@ovs-node/flow/pcap';
import type { Side, Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE = 'br0';
const HEX = 'aabbccddeeff0011223344550800';
const MACS = 'eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a)';
const FRAME = `in_port(1),${MACS}`;
const OTHER = `${FRAME},eth_type(0x1234)`;
const IPV4 = 'ipv4(src=1.2.3.4,dst=1.2.3.5,proto=6,tos=0,ttl=64,frag=no)';
const IPV6 = 'ipv6(src=::1,dst=::2,label=0,proto=58,tclass=0,hlimit=64,frag=no)';

/** Flows, whole and not. */
const FLOWS: readonly string[] = [
  '',
  ' ',
  'in_port(1)',
  FRAME,
  `${FRAME},eth_type(0x0800)`,
  `${FRAME},eth_type(0x0806)`,
  `${FRAME},eth_type(0x86dd)`,
  `${FRAME},eth_type(0x8847)`,
  `${FRAME},eth_type(0x894f)`,
  `${FRAME},eth_type(0x0800),${IPV4}`,
  `${FRAME},eth_type(0x0800),tcp(src=1,dst=2)`,
  `${FRAME},eth_type(0x0800),${IPV4.replace('frag=no', 'frag=later')},tcp(src=1,dst=2)`,
  `${FRAME},eth_type(0x86dd),${IPV6}`,
  `${FRAME},eth_type(0x86dd),${IPV6},icmpv6(type=135,code=0)`,
  `in_port(1),eth_type(0x0800),${IPV4}`,
  'in_port(1),eth_type(0x1234)',
  'in_port(1),vlan(vid=9,pcp=0)',
  `${FRAME},vlan(vid=9,pcp=0)`,
  `${FRAME},eth_type(0x8100)`,
  `${FRAME},eth_type(0x8100),vlan(vid=9,pcp=0)`,
  `${FRAME},eth_type(0x8100),vlan(vid=9,pcp=0),encap(eth_type(0x0800))`,
  `${FRAME},eth_type(0x8100),vlan(vid=9,pcp=0),encap(eth_type(0x1234)`,
  `${FRAME},eth_type(0x8847),mpls(label=1,tc=0,ttl=64,bos=1)`,
  `${FRAME},eth_type(0x8847),mpls(label=1,tc=0,ttl=64,bos=0)`,
  `${FRAME},eth_type(0x8847),mpls(label=1,tc=0,ttl=64,bos=1,label=2,tc=0,ttl=64,bos=1)`,
  `${FRAME},eth_type(0x8847),mpls(${[1, 2, 3, 4].map((n) => `label=${n},tc=0,ttl=64,bos=${n >> 2}`).join(',')})`,
  `${FRAME},eth_type(0x5)`,
  `${FRAME},eth_type(0x0806),arp(sip=1.1.1.1,tip=2.2.2.2,op=256,sha=00:00:00:00:00:01,tha=00:00:00:00:00:02)`,
  'in_port(1),tcp(src=1,dst=2)',
  `${FRAME},tcp(src=1,dst=2)`,
  `in_port(1),packet_type(ns=1,id=0x800),${MACS},eth_type(0x0800)`,
  'in_port(1),packet_type(ns=1,id=0x800),eth_type(0x86dd)',
  'in_port(1),packet_type(ns=0,id=0),eth_type(0x86dd)',
  `${OTHER},`,
  `in_port(1),foo(1)`,
  `${FRAME.slice(0, -3)},eth_type(0x1234)`,
];

/** What follows the name of the port. */
const RECEIVED: readonly (readonly string[])[] = [
  ...FLOWS.map((flow) => [flow]),
  [],
  ['0'],
  ['zz'],
  [HEX],
  [HEX.toUpperCase()],
  [HEX.slice(0, -2)],
  [`${HEX}0`],
  [`0x${HEX}`],
  [HEX.match(/../g)!.join(' ')],
  // What comes before what is wrong is received.
  [HEX, ''],
  [HEX, `${HEX}0`],
  [HEX, 'zz'],
  [HEX, OTHER],
  [HEX, '--len', '100'],
  ['--len', '5', HEX],
  [OTHER, '--len', '100'],
  ...['x', '0', '1', '13', '-5', '14x', '100000'].map((length) => [OTHER, '--len', length]),
  ['--qid', '0', HEX],
  ['--qid', 'x', HEX],
  ['--qid', '1', HEX],
  ['--qid', '-1', HEX],
  ['--qid', '0'],
  ['--qid', HEX],
  ['--qid'],
  [HEX, '--qid'],
  [`${FRAME.replace('09,', '09/ff:ff:ff:00:00:00,')},eth_type(0x1234)`],
  ['in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a)/00,eth_type(0x1234)'],
];

/** Each command with its status, its words, and the frames that left then. */
async function told(suite: Suite, dir: string): Promise<string[]> {
  const capture = join(dir, 'p2.pcap');
  await addDummyBridge(suite, BRIDGE);
  await suite.vsctl('set', 'interface', 'p2', `options:tx_pcap=${capture}`);
  await suite.ofctl('add-flow', BRIDGE, 'actions=2');
  const frames = (): string[] =>
    existsSync(capture)
      ? Array.from(readPcap(readFileSync(capture)), ({ data }) => Buffer.from(data).toString('hex'))
      : [];
  const lines: string[] = [];
  const ask = async (...words: string[]): Promise<void> => {
    const before = frames().length;
    const { status, stdout, stderr } = await suite.run('ovs-appctl', words);
    let came = frames();
    for (let tries = 0; tries < 20; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      const now = frames();
      if (isDeepStrictEqual(now, came)) break;
      came = now;
    }
    lines.push([words.join(' '), status, stdout, stderr, ...came.slice(before)].join('\n'));
  };
  for (const words of RECEIVED) await ask('netdev-dummy/receive', 'p1', ...words);
  for (const port of ['nosuch', BRIDGE]) await ask('netdev-dummy/receive', port, HEX);
  for (const flow of FLOWS) {
    await ask('ofproto/trace', 'ovs-dummy', flow);
    await ask('ofproto/trace', BRIDGE, flow);
  }
  for (const text of ['foo(1)', `${OTHER},in_port=2`]) await ask('ofproto/trace', BRIDGE, text);
  return lines;
}

testWith(PEER)('packets that people write down are taken as by the peer', async (t) => {
  t.timeout(5 * 60_000);
  const of = (side: Side): Promise<string[]> =>
    withSuite(t, { side, vswitchdArgs: ['--enable-dummy'], expectedWarnings: [/\|WARN\|/] }, told);
  const wanted = await of('peer');
  const lines = await of('ours');
  t.deepEqual(lines, wanted);
});
