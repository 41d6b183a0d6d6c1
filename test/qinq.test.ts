/** Ports that put the VLANs of customers into one of their own, and others beside them: NORMAL does with tags as by the peer. */
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { ofBothSides } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE = 'br0';
const PORTS: readonly (readonly string[])[] = [
  ['vlan_mode=dot1q-tunnel', 'tag=100'],
  ['vlan_mode=dot1q-tunnel', 'tag=100', 'cvlans=10,20', 'other_config:qinq-ethtype=802.1q'],
  ['trunks=100,200'],
  ['tag=10'],
  ['vlan_mode=native-untagged', 'tag=100'],
  ['vlan_mode=native-tagged', 'tag=100', 'trunks=100,10'],
];
const TAGS: readonly string[] = [
  '',
  '8100000a',
  '81000064',
  '88a80064',
  '81000000',
  '8100a000',
  '88a800648100000a',
  '810000648100000a',
  '88a800c88100000a',
  '8100000a88a80064',
  '88a800648100000a8100000b',
];
const KNOWN = '500000000009';
const PAYLOAD = '08004500001c00000000401100000a0000010a0000020008000900080000';

async function told(suite: Suite): Promise<string[]> {
  const settings = ['datapath_type=dummy', 'other_config:hwaddr=aa:55:aa:55:00:01'];
  await suite.vsctl('add-br', BRIDGE, '--', 'set', 'bridge', BRIDGE, ...settings);
  for (const [i, port] of PORTS.entries()) {
    const name = `p${i + 1}`;
    const type = ['--', 'set', 'interface', name, 'type=dummy', `ofport_request=${i + 1}`];
    await suite.vsctl('add-port', BRIDGE, name, ...port, ...type);
  }
  await suite.appctl('time/stop');
  await suite.appctl('fdb/add', BRIDGE, 'p2', '100', '50:00:00:00:00:09');
  const lines: string[] = [];
  for (const limit of ['1', '2']) {
    await suite.vsctl('set', 'open', '.', `other_config:vlan-limit=${limit}`);
    for (const i of PORTS.keys())
      for (const tags of TAGS)
        for (const to of i === 2 ? ['ffffffffffff', KNOWN] : ['ffffffffffff']) {
          const frame = `${to}50540000000${i}${tags}${PAYLOAD}`;
          const trace = await suite.appctl('ofproto/trace', BRIDGE, `in_port=${i + 1}`, frame);
          lines.push(`limit ${limit}, port ${i + 1}, tags ${tags}: ${trace}`);
        }
  }
  return lines;
}

testWith(PEER)('tags of VLANs in VLANs come and go by the modes of ports as by the peer', async (t) => {
  const [wanted, lines] = await ofBothSides(t, told);
  t.deepEqual(lines, wanted);
});
