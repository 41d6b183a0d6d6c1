/**
 * Messages of every kind and version, whole and spoilt, are answered by the switch with the peer's errors, byte for
 * byte, and cost the connection where they cost the peer's. What the peer would not survive is listed in
 * lib/switch-answers.ts. `ANSWERS_MESSAGES=50000 ANSWERS_SEED=7 npm test -- test/dist/switch-answers.test.js` runs long.
 */
import { addDummyBridge } from './lib/dummy-bridge.js';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { compareAnswers } from './lib/switch-answers.js';

/** What is said of messages that are shorter than their header, or in a version that is another or unknown. */
const BAD_HEADERS =
  /\|ERR\|(?:received too-short ofp_header|Dropped \d+ log messages|.*: received OpenFlow version 0x\w+ != expected|cannot encode error for unknown OpenFlow version)/;

const MESSAGES = Number(process.env['ANSWERS_MESSAGES'] ?? 4000);
const SEED = Number(process.env['ANSWERS_SEED'] ?? 3);
const BRIDGE = 'br0';

const peerTest = testWith(PEER);

peerTest('messages, good and bad, are answered with the errors of the peer', async (t) => {
  t.timeout(60 * 60_000);
  const dummy = { vswitchdArgs: ['--enable-dummy'] };
  // Of what is wrong with requests a switch may warn; errors of its own it has none.
  await withSuite(t, { ...dummy, expectedWarnings: [/\|WARN\|/, BAD_HEADERS] }, (ours) =>
    withSuite(t, { ...dummy, side: 'peer' }, async (peer) => {
      for (const suite of [ours, peer]) await addDummyBridge(suite, BRIDGE);
      const { sent, refused, differences } = await compareAnswers(peer, ours, BRIDGE, {
        seed: SEED,
        messages: MESSAGES,
      });
      t.log(`${refused} of ${sent} refused by both`);
      t.true(refused > sent / 3);
      t.deepEqual(differences, []);
    }),
  );
});
