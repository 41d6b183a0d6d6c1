import test from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { compareFlows, report } from './differential/compare.js';
import { FlowGenerator } from './differential/generate.js';

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
