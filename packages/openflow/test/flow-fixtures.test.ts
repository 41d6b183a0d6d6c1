import { readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { setLevels } from '@ovs-node/common/vlog';
import { parseFlowProtocols } from '../src/text/flow.js';
import { printMessage } from '../src/text/message.js';
import { encodeFlow } from './differential/compare.js';

for (const module of ['ofp_port', 'ofp_match', 'ofp_actions', 'meta_flow']) setLevels(module, null, 'off');

/** Flows of each action and field, good and bad, as the peer's ovs-ofctl sends and prints them. */
const file = path.resolve(import.meta.dirname, '../../test/fixtures/flows.tsv');
const rows = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .map((line) => line.split('\t'));

test('flows that the peer refuses are refused in its words', (t) => {
  let count = 0;
  for (const [flow, , outcome] of rows) {
    if (!outcome.startsWith('error: ')) continue;
    count++;
    const e = t.throws(() => parseFlowProtocols(flow, 'add'), undefined, flow);
    t.is(e?.message, outcome.slice('error: '.length), flow);
  }
  t.true(count > 200, `${count} flows`);
});

for (const version of ['10', '11', '12', '13', '15']) {
  test(`flows are the same bytes, and these the same text, as with the peer: OpenFlow${version}`, (t) => {
    let count = 0;
    for (const [flow, v, bytes, text] of rows) {
      if (v !== version) continue;
      count++;
      const { flowMod, usable } = parseFlowProtocols(flow, 'add');
      const encoded = encodeFlow(flowMod, usable, Number(version) - 9, 1);
      t.is(Buffer.from(encoded ?? []).toString('hex'), bytes, flow);
      t.is(printMessage(Buffer.from(bytes, 'hex')).split('\n')[0], text, flow);
    }
    t.true(count > 50, `${count} flows`);
  });
}
