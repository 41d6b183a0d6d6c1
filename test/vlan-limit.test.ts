/**
 * `other_config:vlan-limit`: how many VLAN tags of a packet flows see, and what becomes of packets with more, is as by the
 * peer: in traces, in what the flow tables count, in the frames that come out, and in the datapath's flows.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readPcap } from '@ovs-node/flow/pcap';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { ofBothSides } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE = 'br0';
const MACS = '50540000000a505400000009';
const IPV4 = '08004500001c00000000401100000a0000010a0000020008000900080000';

/** Frames by how they are tagged, outermost first. */
const FRAMES: Readonly<Record<string, string>> = {
  none: `${MACS}${IPV4}`,
  'VLAN 10': `${MACS}8100000a${IPV4}`,
  'VLAN 10 in VLAN 20': `${MACS}88a800148100200a${IPV4}`,
  'the same of one kind': `${MACS}810000148100000a${IPV4}`,
  'three deep': `${MACS}88a80014810000158100000a${IPV4}`,
  'the inner one is cut': `${MACS}810000148100`,
  'what the inner one has in it is cut': `${MACS}810000148100000a`,
};

/** Flows that see the tags, or the packet in them. */
const PIPELINES: Readonly<Record<string, readonly string[]>> = {
  ip: ['priority=2,ip,actions=2', 'priority=1,actions=7'],
  'ip in a VLAN': [
    'priority=2,ip,dl_vlan=20,actions=2',
    'priority=1,dl_vlan=20,actions=7',
    'priority=0,actions=2,7',
  ],
  'the type of the inner tag': ['priority=2,dl_type=0x8100,actions=2', 'vlan_tci=0x1000/0x1000,actions=7'],
  'both tags go': [
    'table=0,actions=strip_vlan,resubmit(,1)',
    'table=1,actions=strip_vlan,resubmit(,2)',
    'table=2,priority=1,ip,nw_dst=10.0.0.2,actions=2',
    'table=2,priority=0,actions=7',
  ],
  'a tag more': ['actions=push_vlan:0x88a8,set_field:4126->vlan_vid,2'],
  'after connection tracking': [
    'table=0,priority=1,ip,actions=strip_vlan,ct(table=1)',
    'table=0,priority=0,actions=7',
    'table=1,priority=1,ip,actions=2',
    'table=1,priority=0,actions=7',
  ],
  normal: ['actions=normal'],
};

/** Settings, one after the other: nothing, and what stands for one, two and all. */
const LIMITS: readonly string[] = ['', '0', '1', '3', '-1', 'x'];

/** Everything that is to be the same, in order. */
async function told(suite: Suite, dir: string): Promise<string[]> {
  const lines: string[] = [];
  await addDummyBridge(suite, BRIDGE);
  const captures = ['p2', 'p7'].map((port) => [port, join(dir, `${port}.pcap`)] as const);
  for (const [port, file] of captures) await suite.vsctl('set', 'interface', port, `options:tx_pcap=${file}`);
  const sent = captures.map(() => 0);
  const framesSince = (i: number): string => {
    const frames = readPcap(readFileSync(captures[i]![1]));
    const fresh = frames.slice(sent[i]).map(({ data }) => Buffer.from(data).toString('hex'));
    sent[i] = frames.length;
    return fresh.join(' ');
  };
  const limitTo = (limit: string): Promise<string> =>
    limit === ''
      ? suite.vsctl('remove', 'open', '.', 'other_config', 'vlan-limit')
      : suite.vsctl('set', 'open', '.', `other_config:vlan-limit=${limit}`);
  for (const [name, flows] of Object.entries(PIPELINES)) {
    await suite.ofctl('del-flows', BRIDGE);
    for (const flow of flows) {
      const version = flow.includes('push_vlan') ? 'OpenFlow13' : 'OpenFlow10';
      await suite.ofctl('-O', version, 'add-flow', BRIDGE, flow);
    }
    for (const limit of name === 'ip' ? LIMITS : ['', '2']) {
      await limitTo(limit);
      for (const [tags, frame] of Object.entries(FRAMES)) {
        // Each comes to the flow tables.
        await suite.appctl('dpctl/del-flows');
        await suite.appctl('netdev-dummy/receive', 'p1', frame);
        const trace = await suite.appctl('ofproto/trace', BRIDGE, 'in_port=1', frame);
        lines.push(
          `limit ${limit}, ${name}, ${tags}: ${trace.replaceAll(/(recirc(?:_id)?[=(])0x\w+/g, '$1N')}`,
        );
      }
      await suite.appctl('revalidator/wait');
      const counted = await suite.ofctl('dump-flows', BRIDGE);
      lines.push(counted.replaceAll(/duration=[^,]*, |cookie=[^,]*, /g, ''));
      lines.push(...captures.map(([port], i) => `${port}: ${framesSince(i)}`));
    }
  }
  return lines;
}

testWith(PEER)('packets with more tags than the limit are of the type of the next one', async (t) => {
  const [wanted, lines] = await ofBothSides(t, told);
  t.deepEqual(lines, wanted);
});
