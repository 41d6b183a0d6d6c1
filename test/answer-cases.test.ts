/**
 * Every kind of OpenFlow message, in every version that has it, by hand: to the same requests the switch answers as the
 * peer's, byte for byte, and sends the same by itself. lib/answer-cases.ts says what is asked.
 */
import { OfError } from '@ovs-node/openflow/errors';
import { decodeHeader } from '@ovs-node/openflow/messages/codec';
import { WIRE_FORMS } from '@ovs-node/openflow/messages/wire-forms';
import { ANSWER_CASES, cleanUp } from './lib/answer-cases.js';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { BothSides, VERSION_NUMBERS } from './lib/both-sides.js';
import { HELLOS, saidTo } from './lib/hellos.js';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { readSlowly } from './lib/slow-reader.js';

const BRIDGE = 'br0';

const IPFIX = 'there is none to ask about: the requests are refused, by both in the same words';
const SLOW = 'monitors are paused for slow readers: the last test here';
/** Forms that are seen in no case, in some version at least, and why. */
const UNSEEN: Readonly<Record<string, string>> = {
  NXT_FLOW_REMOVED: 'the format of flows that the extension sets is one of OpenFlow 1.0',
  NXST_IPFIX_BRIDGE_REQUEST: IPFIX,
  NXST_IPFIX_BRIDGE_REPLY: IPFIX,
  NXST_IPFIX_FLOW_REQUEST: IPFIX,
  NXST_IPFIX_FLOW_REPLY: IPFIX,
  ONFT13_FLOW_MONITOR_PAUSED: SLOW,
  ONFT13_FLOW_MONITOR_RESUMED: SLOW,
  NXT_FLOW_MONITOR_PAUSED: SLOW,
  NXT_FLOW_MONITOR_RESUMED: SLOW,
};

testWith(PEER)('requests of every kind are answered as by the peer', async (t) => {
  t.timeout(10 * 60_000);
  const dummy = { vswitchdArgs: ['--enable-dummy'] };
  const seen = new Set<string>();
  const differences = await withSuite(t, { ...dummy, expectedWarnings: [/\|WARN\|/] }, (ours) =>
    withSuite(t, { ...dummy, side: 'peer' }, async (peer) => {
      for (const suite of [ours, peer]) await addDummyBridge(suite, BRIDGE);
      const sides = new BothSides(peer, ours, BRIDGE);
      sides.onPeer = (message) => {
        const known = decodeHeader(message);
        if (!(known instanceof OfError)) seen.add(`${known.wire.key} ${message[0]}`);
      };
      for (const { name, versions = VERSION_NUMBERS, run } of ANSWER_CASES) {
        for (const version of versions) {
          await sides.begin(`${name}, asked in version ${version}`);
          await run(sides, version);
          await sides.settle();
          await cleanUp(sides);
        }
      }
      sides.close();
      return sides.differences;
    }),
  );
  t.deepEqual(differences, []);
  const all = Object.entries(WIRE_FORMS).flatMap(([key, [from, to]]) =>
    VERSION_NUMBERS.filter((v) => v >= from && v <= to).map((v) => `${key} ${v}`),
  );
  const missing = all.filter((each) => !seen.has(each) && !Object.hasOwn(UNSEEN, each.split(' ')[0]));
  t.deepEqual(missing, [], 'forms that were neither taken nor sent');
});

testWith(PEER)('what is said first is answered as by the peer', async (t) => {
  const dummy = { vswitchdArgs: ['--enable-dummy'] };
  const expectedWarnings = [/\|WARN\|/, /\|vconn(?:_stream)?\|ERR\|/];
  await withSuite(t, { ...dummy, expectedWarnings }, (ours) =>
    withSuite(t, { ...dummy, side: 'peer' }, async (peer) => {
      for (const suite of [ours, peer]) await addDummyBridge(suite, BRIDGE);
      for (const [what, bytes] of Object.entries(HELLOS)) {
        const [theirs, mine] = await Promise.all([peer, ours].map((suite) => saidTo(suite, BRIDGE, bytes)));
        t.is(mine, theirs, what);
      }
    }),
  );
});

testWith(PEER)('who reads slowly is told that monitoring pauses, and of all flows in the end', async (t) => {
  t.timeout(5 * 60_000);
  for (const side of ['peer', 'ours'] as const) {
    await withSuite(t, { side, vswitchdArgs: ['--enable-dummy'] }, async (suite) => {
      await addDummyBridge(suite, BRIDGE);
      for (const version of VERSION_NUMBERS) {
        const { flows, pauses } = await readSlowly(suite, BRIDGE, version);
        t.is(flows.length, 8000, `${side}, version ${version}`);
        t.true(pauses.length >= 2);
        // How often is a matter of buffers.
        t.deepEqual(
          pauses,
          pauses.map((_, i) => (i % 2 === 0 ? 'paused' : 'resumed')),
        );
        await suite.ofctl('-OOpenFlow13', 'del-flows', BRIDGE);
      }
    });
  }
});
