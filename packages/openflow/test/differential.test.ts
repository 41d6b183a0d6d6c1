import test from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { parseFlowProtocols } from '../src/text/flow.js';
import { PROTOCOLS } from '../src/text/protocols.js';
import { compareFlows, compareMessages, encodeFlow, report } from './differential/compare.js';
import { FlowGenerator } from '../src/testkit/flow-generator.js';

/** FLOW_SEED and FLOW_RUNS make other and longer runs: FLOW_RUNS=50000 npm test -- packages/openflow/dist/test/differential.test.js */
const SEED = Number(process.env['FLOW_SEED'] ?? 1);
const RUNS = Number(process.env['FLOW_RUNS'] ?? 600);

needing(test, 'peer')(
  'random flows are read, sent and printed as by the peer, in each protocol',
  async (t) => {
    const generator = new FlowGenerator(SEED);
    const flows = Array.from({ length: RUNS }, () => generator.flow());
    const differences = await compareFlows(tmpDir(t), flows);
    t.is(differences.length, 0, report(differences));
  },
);

/** What a header is said to be after its fields is another thing. */
const SAID_OTHERWISE = [
  'tcp,ip_proto=7,tcp_dst=65535',
  'icmp,icmp_code=9,ip_proto=6',
  'ip,nw_src=1.2.3.4,dl_type=0x1234',
  'ip,nw_src=1.2.3.4/8,dl_type=0x86dd',
  'arp,arp_op=1,arp_tpa=1.1.1.1,dl_type=0x8847',
  'mpls,mpls_label=5,dl_type=0x800',
];

needing(test, 'peer')(
  'fields of headers that are then said to be others are sent as by the peer',
  async (t) => {
    // OpenFlow 1.1 alone has no other way to send them.
    const flows = SAID_OTHERWISE.map((match) => `${match},actions=write_metadata:5`);
    const differences = await compareFlows(tmpDir(t), flows);
    t.is(differences.length, 0, report(differences));
  },
);

needing(test, 'peer')('mutated flow-mods are printed or refused as by the peer', async (t) => {
  const generator = new FlowGenerator(SEED + 1);
  const list: Uint8Array[] = [];
  while (list.length < RUNS) {
    let parsed;
    try {
      parsed = parseFlowProtocols(generator.flow(), 'add');
    } catch {
      continue;
    }
    const { version } = generator.pick(PROTOCOLS);
    const bytes = encodeFlow(parsed.flowMod, parsed.usable, version, list.length + 1);
    if (bytes === undefined || bytes.length > 1000) continue;
    // The header stays: what is cut off or of another kind is a matter of framing.
    const from = bytes[1] === 4 ? 16 : 8;
    for (let n = generator.below(4); n > 0; n--) {
      bytes[from + generator.below(bytes.length - from)] = generator.pick([0, 1, 255, generator.below(256)]);
    }
    list.push(bytes);
  }
  const differences = await compareMessages(tmpDir(t), list);
  t.is(differences.length, 0, report(differences));
});
