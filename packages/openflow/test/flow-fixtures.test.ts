import test from 'ava';
import { parseFlowProtocols } from '../src/text/flow.js';
import { printMessage } from '../src/text/message.js';
import { encodeFlow } from './differential/compare.js';
import { fixtureRows } from './lib/fixtures.js';
import { quietParsers } from './lib/quiet.js';

quietParsers();

/** Flows of each action and field, good and bad, as the peer's ovs-ofctl sends and prints them. */
const rows = fixtureRows('flows.tsv');

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
