/**
 * What is wrong with messages is told by the log of the switch as by the peer's, and the error that it is answered with.
 * `LOGS_MESSAGES=20000 LOGS_SEED=7 npm test -- test/dist/switch-logs.test.js` runs long.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { generate, KINDS } from '@ovs-node/openflow/testkit/diff-run';
import { header } from '@ovs-node/openflow/testkit/header';
import { spoil } from '@ovs-node/openflow/testkit/mutate';
import { Random } from '@ovs-node/openflow/testkit/random';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { askBoth, isForNeither } from './lib/switch-answers.js';
import { Talk } from './lib/talk.js';

const MESSAGES = Number(process.env['LOGS_MESSAGES'] ?? 1500);
const SEED = Number(process.env['LOGS_SEED'] ?? 5);
const BRIDGE = 'br0';
const ECHO_REQUEST = 2;
const LONGEST = 2000;

/** Modules that tell of messages. */
const TELLS =
  /^\S+\|\d+\|(?:ofp_\w+|nx_match|ox_stat|meta_flow|bundle)\|(?:WARN|INFO)\||^[0-9a-f]{8} {2}|connmgr\|INFO\|.* sending (?!OFPBFC_TIMEOUT)/;

/** Lines of a log that tell of messages, with those that tell of `errors` answers, which come when the peer writes them. */
async function toldOf(
  suite: Suite,
  start: number,
  errors: number,
): Promise<{ lines: string[]; end: number }> {
  for (let tries = 0; ; tries++) {
    const all = told(suite, start);
    if (all.lines.filter((line) => line.startsWith('connmgr|')).length >= errors || tries > 200) return all;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Lines of a log that tell of messages, from `start` on, without time and number. */
function told(suite: Suite, start: number): { lines: string[]; end: number } {
  const file = readFileSync(join(suite.dirs.log, 'ovs-vswitchd.log'));
  // A line may be there in part only.
  const text = file.subarray(0, file.lastIndexOf('\n') + 1);
  const lines = text
    .subarray(start)
    .toString('latin1')
    .split('\n')
    .filter((line) => TELLS.test(line))
    .map((line) => line.replace(/^\d\S*?\|\d+\|/, '').replace(/#\d+/, '#N'));
  return { lines, end: text.length };
}

testWith(PEER)('what is wrong with messages is logged as by the peer', async (t) => {
  t.timeout(60 * 60_000);
  const dummy = { vswitchdArgs: ['--enable-dummy'] };
  await withSuite(t, { ...dummy, expectedWarnings: [/\|WARN\|/] }, (ours) =>
    withSuite(t, { ...dummy, side: 'peer' }, async (peer) => {
      for (const suite of [ours, peer]) {
        await suite.vsctl(
          'add-br',
          BRIDGE,
          '--',
          'set',
          'bridge',
          BRIDGE,
          'datapath_type=dummy',
          'fail_mode=secure',
        );
        await suite.appctl('vlog/disable-rate-limit');
      }
      const r = new Random(SEED);
      const talks = [1, 2, 3, 4, 5, 6].map(
        (v) => [new Talk(peer, BRIDGE, v), new Talk(ours, BRIDGE, v)] as const,
      );
      // Until a connection has carried something like this, the peer reads all twice.
      for (const [i, pair] of talks.entries())
        for (const talk of pair) await talk.send(header(i + 1, ECHO_REQUEST, 1), 2);
      const starts = [told(peer, 0).end, told(ours, 0).end];
      const differences: string[] = [];
      let before: Uint8Array = new Uint8Array(8);
      let tellings = 0;
      for (let sent = 0; sent < MESSAGES;) {
        const version = 1 + r.below(6);
        const valid = generate(r, r.pick(KINDS), version);
        if (!valid || valid.length > LONGEST) continue;
        const message = Uint8Array.from(spoil(r, valid, before));
        before = valid;
        message[0] = version;
        new DataView(message.buffer).setUint32(4, 0x10000000 + ++sent);
        if (isForNeither(message)) continue;
        const [talk, ourTalk] = talks[version - 1];
        const [theirs, mine] = await askBoth(talk, ourTalk, message, 0xbb000000 + sent);
        const a = await toldOf(peer, starts[0], theirs?.errors.length ?? 0);
        const b = await toldOf(ours, starts[1], mine.errors.length);
        [starts[0], starts[1]] = [a.end, b.end];
        if (theirs === undefined) continue;
        if (a.lines.length > 0) tellings++;
        if (a.lines.join('\n') === b.lines.join('\n')) continue;
        differences.push(
          `version ${version}: ${Buffer.from(message).toString('hex')}\n  peer: ${a.lines.join('\n  ')}\n  ours: ${b.lines.join('\n  ')}`,
        );
      }
      for (const pair of talks) for (const talk of pair) talk.close();
      t.true(tellings > MESSAGES / 3);
      t.deepEqual(differences, []);
    }),
  );
});
