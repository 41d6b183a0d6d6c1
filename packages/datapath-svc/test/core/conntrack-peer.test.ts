/** Asks the installed peer what the fixture of `conntrack.test.ts` says, packet by packet. */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { checkoutRoot, needing, startPeer, tmpDir } from '@ovs-node/common/testkit/index';
import { SEQUENCES } from './conntrack-sequences.js';

const FLOWS = `
table=0,ip,action=ct(table=1,zone=5)
table=0,ipv6,action=ct(table=1,zone=5)
table=1,priority=10,ct_state=+new+trk,ip,action=move:NXM_NX_CT_STATE[0..7]->NXM_OF_ETH_SRC[0..7],ct(commit,zone=5),2
table=1,priority=10,ct_state=+new+trk,ipv6,action=move:NXM_NX_CT_STATE[0..7]->NXM_OF_ETH_SRC[0..7],ct(commit,zone=5),2
table=1,priority=1,action=move:NXM_NX_CT_STATE[0..7]->NXM_OF_ETH_SRC[0..7],2
`;

/** Last byte of the source address of each frame in a pcap file: there the flows above put ct_state. */
function states(file: string): number[] {
  const bytes = fs.readFileSync(file);
  const all: number[] = [];
  for (let at = 24; at + 16 <= bytes.length;) {
    const size = bytes.readUInt32LE(at + 8);
    if (at + 16 + size > bytes.length) break;
    all.push(bytes[at + 16 + 11]);
    at += 16 + size;
  }
  return all;
}

needing(test, 'peer')('the fixture is what the peer does', async (t) => {
  t.timeout(100_000);
  const dir = tmpDir(t);
  const peer = await startPeer(dir);
  t.teardown(() => peer.stop());
  const must = async (name: string, args: string[], input = ''): Promise<string> => {
    const { status, stdout, stderr } = await peer.tool(name, args, { input });
    if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const pcap = path.join(dir, 'p2.pcap');
  const port = (name: string): string[] => [
    '--',
    'add-port',
    'br0',
    name,
    '--',
    'set',
    'interface',
    name,
    'type=dummy',
  ];
  await must('ovs-vsctl', [
    'add-br',
    'br0',
    '--',
    'set',
    'bridge',
    'br0',
    'datapath_type=dummy',
    'fail-mode=secure',
    ...port('p1'),
    ...port('p2'),
  ]);
  await must('ovs-vsctl', [
    'set',
    'interface',
    'p1',
    'ofport_request=1',
    '--',
    'set',
    'interface',
    'p2',
    'ofport_request=2',
    `options:tx_pcap=${pcap}`,
  ]);
  await must('ovs-ofctl', ['add-flows', 'br0', '-'], FLOWS);
  await must('ovs-appctl', ['time/stop']);
  const result: Record<string, { states: number[]; dump: string[] }> = {};
  for (const [name, steps] of SEQUENCES) {
    const seen: number[] = [];
    for (const step of steps) {
      if ('warp' in step) {
        await must('ovs-appctl', ['time/warp', String(step.warp)]);
        continue;
      }
      const before = states(pcap).length;
      await must('ovs-appctl', ['netdev-dummy/receive', 'p1', step.frame]);
      for (let i = 0; i < 500 && states(pcap).length === before; i++)
        await new Promise((done) => setTimeout(done, 5));
      seen.push(states(pcap)[before] ?? -1);
    }
    const dump = (await must('ovs-appctl', ['dpctl/dump-conntrack', '-s'])).trim();
    result[name] = { states: seen, dump: dump === '' ? [] : dump.split('\n').sort() };
    await must('ovs-appctl', ['dpctl/flush-conntrack']);
  }
  const fixture = path.join(checkoutRoot(), 'packages/datapath-svc/test/core/fixtures/conntrack-peer.json');
  t.deepEqual(result, JSON.parse(fs.readFileSync(fixture, 'utf8')));
});
