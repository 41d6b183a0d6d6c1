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
