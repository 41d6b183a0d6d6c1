/** Frames through flow tables come out of either side's switch with the same bytes, at the same ports. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { readPcap } from '@ovs-node/flow/pcap';
import type { Side, Suite } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { sameTexts } from './lib/transcript.js';

const PORTS = [1, 2, 3];
const MACS = '0200000000fe02000000000';
const IPV4 = '4568002012340000091100000a0000010a00000200010002000c000001020304';
const IPV6 = `62800000000c1109${'fe80'.padEnd(31, '0')}1${'fe80'.padEnd(31, '0')}200010002000c123401020304`;
/** Entries of a label stack: label, class, TTL, and the bottom's bit. */
const entry = (label: number, tc: number, ttl: number, bos = 0): string =>
  (label * 4096 + tc * 512 + bos * 256 + ttl).toString(16).padStart(8, '0');
const ONE = entry(100, 3, 9, 1);
const TWO = entry(7, 1, 5) + ONE;
/** A service header with metadata of type 1; what it carries, by its number. */
const NSH_MD1 = (next: number): string => `0fc6010${next}00012345${'11223344'.repeat(4)}`;
const FOUR = entry(1, 1, 3) + entry(2, 2, 4) + TWO;

/** Flows, and what follows the addresses of frames that go through them. Each case has a source address of its own. */
const CASES: readonly (readonly [flows: readonly string[], frames: readonly string[]])[] = [
  [
    ['actions=push_mpls:0x8847,output:2,set_mpls_label(9),push_mpls:0x8848,set_mpls_ttl(3),output:3'],
    [
      `0800${IPV4}`,
      `86dd${IPV6}`,
      `81006005${'0800'}${IPV4}`,
      `8847${ONE}${IPV4}`,
      '123400'.padEnd(100, '0'),
    ],
  ],
  [
    ['mpls,actions=dec_mpls_ttl,set_mpls_tc(5),output:2,pop_mpls:0x8847,output:3'],
    [`8847${ONE}${IPV4}`, `8847${TWO}${IPV4}`, `8847${FOUR}${IPV6}`, `81006005${'8848'}${TWO}${IPV4}`],
  ],
  [
    // What comes up is read anew.
    [
      'mpls,actions=pop_mpls:0x0800,output:3,resubmit(,1)',
      'table=1,ip,actions=dec_ttl,mod_nw_src:1.2.3.4,mod_tp_dst:99,output:2',
      'table=1,actions=mod_vlan_vid:7,output:2',
    ],
    [`8847${ONE}${IPV4}`, `81006005${'8847'}${ONE}${IPV4}`, `8847${TWO}${IPV4}`, `8847${ONE}`],
  ],
  [
    // What a clone does is undone after it.
    [
      'ip,actions=clone(push_mpls:0x8847,output(port=2,max_len=40)),output:3',
      'mpls,actions=push_mpls:0x8847,3',
    ],
    [`0800${IPV4}`, `8847${FOUR}${IPV4}`],
  ],
  [
    [
      'actions=check_pkt_larger(60)->NXM_NX_REG0[0],resubmit(,2),output:3,check_pkt_larger(0)->NXM_NX_REG1[0],resubmit(,5)',
      'table=2,reg0=1,actions=mod_vlan_vid:6,output:2',
      'table=2,reg0=0,ip,actions=dec_ttl,output:2',
      'table=5,reg1=1,actions=mod_vlan_vid:8,output:2',
    ],
    [`0800${IPV4}`, `86dd${IPV6}`],
  ],
  [
    [
      'ip,actions=sample(probability=65535,collector_set_id=1,obs_domain_id=2,obs_point_id=3),output:2',
      'priority=1,actions=sample(probability=1,collector_set_id=1,obs_domain_id=2,obs_point_id=3,sampling_port=2,egress)',
    ],
    [`0800${IPV4}`, `86dd${IPV6}`],
  ],
  [
    // Service headers with fixed and variable metadata, one inside another, and before a packet without Ethernet header.
    [
      'ip,actions=clone(encap(nsh(md_type=2,tlv(0x1000,10,0x1234567890))),encap(ethernet),output:3),encap(nsh),set_field:0x123->nsh_spi,set_field:5->nsh_c2,encap(ethernet),set_field:02:00:00:00:00:09->eth_dst,output:2',
      'ipv6,actions=decap(),encap(nsh),set_field:3->nsh_flags,encap(nsh),set_field:9->nsh_ttl,dec_nsh_ttl,encap(ethernet),output:2',
    ],
    [`0800${IPV4}`, `86dd${IPV6}`, `81006005${'0800'}${IPV4}`],
  ],
  [
    [
      'dl_type=0x894f,actions=dec_nsh_ttl,set_field:7->nsh_c4,set_field:2->nsh_flags,set_field:8->nsh_si,output:3,decap(),decap(),resubmit(,3)',
      'table=3,packet_type=(1,0x800),actions=dec_ttl,set_field:1.2.3.4->ip_src,encap(ethernet),set_field:02:00:00:00:00:09->eth_src,output:2',
      'table=3,packet_type=(1,0x894f),actions=encap(ethernet),output:2',
      'table=3,priority=1,packet_type=(0,0),actions=output:2',
    ],
    [
      `894f${NSH_MD1(1)}${IPV4}`,
      `894f${NSH_MD1(3)}0200000000aa0200000000bb0800${IPV4}`,
      `894f${NSH_MD1(4)}${NSH_MD1(1)}${IPV4}`,
      `894f0f85020100012345000100081122334455667788${IPV4}`,
      `894f${NSH_MD1(9)}${IPV4}`,
      `894f${NSH_MD1(1).slice(0, 20)}`,
    ],
  ],
  [
    // An Ethernet header is taken off and another put on.
    [
      'ip,actions=clone(decap(),encap(ethernet),set_field:02:00:00:00:00:09->eth_src,output:3),dec_ttl,output:2',
      'arp,actions=decap(),encap(ethernet),set_field:02:00:00:00:00:08->eth_dst,output(port=2,max_len=30)',
    ],
    [
      `0800${IPV4}`,
      `81006005${'0800'}${IPV4}`,
      `0806000108000604000102000000000${'1'.repeat(9)}${'00'.repeat(9)}0a000002`,
    ],
  ],
  [
    // Labels before the Ethernet header, and a frame found below a label.
    [
      'ip,actions=encap(mpls),set_field:7->mpls_label,encap(ethernet),set_field:02:00:00:00:00:09->eth_dst,output:2',
      'ipv6,actions=decap(),encap(mpls_mc),encap(mpls),encap(ethernet),output:2',
      'mpls,actions=decap(),decap(packet_type(ns=0,type=0)),resubmit(,4)',
      'table=4,actions=output:3',
    ],
    [`0800${IPV4}`, `86dd${IPV6}`, `8847${ONE}0200000000aa0200000000bb0800${IPV4}`],
  ],
];
/** Goes out of every port after all others. */
const LAST = `02000000000102000000ffff9999${'00'.repeat(46)}`;

async function capturedFrames(suite: Suite, dir: string): Promise<string[]> {
  const capture = (n: number): string => join(dir, `p${n}.pcap`);
  await suite.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy', 'fail_mode=secure');
  for (const n of PORTS) {
    const options = `options:tx_pcap=${capture(n)}`;
    const set = ['set', 'interface', `p${n}`, 'type=dummy', `ofport_request=${n}`, options];
    await suite.vsctl('add-port', 'br0', `p${n}`, '--', ...set);
  }
  await suite.ofctl('add-flow', 'br0', 'priority=60000,dl_type=0x9999,actions=in_port,2,3');
  for (const [i, [flows]] of CASES.entries()) {
    for (const flow of flows) {
      const from = flow.startsWith('table=') ? '' : `dl_src=02:00:00:00:00:0${i},`;
      const version = /encap|decap|packet_type/.test(flow) ? 'OpenFlow15' : 'OpenFlow10';
      await suite.ofctl('-O', version, 'add-flow', 'br0', from + flow);
    }
  }
  for (const [i, [, frames]] of CASES.entries()) {
    for (const frame of frames) await suite.appctl('netdev-dummy/receive', 'p1', `${MACS}${i}${frame}`);
  }
  await suite.appctl('netdev-dummy/receive', 'p1', LAST);
  const captured = (n: number): string[] =>
    existsSync(capture(n))
      ? readPcap(readFileSync(capture(n))).map((record) => Buffer.from(record.data).toString('hex'))
      : [];
  const deadline = Date.now() + 10_000;
  while (!PORTS.every((n) => captured(n).at(-1)?.startsWith(LAST)) && Date.now() < deadline)
    await setTimeout(20);
  return PORTS.flatMap((n) => captured(n).map((frame) => `port ${n}: ${frame}`));
}

testWith(PEER)(
  'frames through labels, service headers, lengths and samples come out as the peer’s',
  async (t) => {
    // Packets with too many labels are told of, as by the peer.
    const expectedWarnings = [/\|ofproto_dpif_xlate\|WARN\|dropping packet on which an MPLS /];
    const of = (side: Side): Promise<string[]> =>
      withSuite(t, { side, vswitchdArgs: ['--enable-dummy'], expectedWarnings }, capturedFrames);
    const wanted = await of('peer');
    t.true(wanted.length > 45);
    sameTexts(t, await of('ours'), wanted);
  },
);
