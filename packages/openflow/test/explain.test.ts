/**
 * What is wrong with messages is told as the peer tells it. Seeds are fixed; `OPENFLOW_RUNS=40 OPENFLOW_SEED=7 npm test --
 * packages/openflow/dist/test/explain.test.js` runs long.
 */
import test from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { setConsoleWriter, vlog } from '@ovs-node/common/vlog';
import { EXPLANATIONS, explainLater } from '../src/explain.js';
import { explainToLog } from '../src/explain-log.js';
import { decodeMessage } from '../src/messages/codec.js';
import { spoil } from '../src/testkit/mutate.js';
import { Random } from '../src/testkit/random.js';
import { cases } from './lib/cases.js';
import { oursTells, peerTells } from './lib/peer-explain.js';

const RUNS = Number(process.env['OPENFLOW_RUNS'] ?? 4);
const SEED = Number(process.env['OPENFLOW_SEED'] ?? 31);

const MODULES: ReadonlySet<string> = new Set(Object.values(EXPLANATIONS).map(({ module }) => module));

/** Lines of the modules that tell of messages so far. */
const known = (log: string): string =>
  log
    .split('\n')
    .filter((line) => MODULES.has(line.slice(0, line.indexOf('|'))))
    .join('\n');

needing(test.serial, 'peer')("what is wrong with mutated messages is told in the peer's words", async (t) => {
  t.timeout(30 * 60_000);
  const r = new Random(SEED);
  const list = [...cases(r, RUNS, (bytes, before) => spoil(r, bytes, before))];
  const peer = await peerTells(
    tmpDir(t),
    list.map(({ bytes }) => bytes),
  );
  const bad = list.flatMap(({ what, bytes }, i) => {
    const [ours, theirs] = [known(oursTells(bytes).log), known(peer[i].log)];
    if (ours === theirs) return [];
    return [`${what}: ${Buffer.from(bytes).toString('hex')}\n  peer: ${theirs}\n  ours: ${ours}`];
  });
  t.deepEqual(bad, []);
  t.true(peer.filter(({ log }) => log !== '').length > 100 * RUNS);
});

/** A vendor's message, of a vendor that nobody knows. */
const STRANGE = Uint8Array.of(1, 4, 0, 16, 0, 0, 0, 1, 0, 0, 0x99, 0x99, 0, 0, 0, 1);
const ABOUT_STRANGE = 'ofp_msgs|WARN|OpenFlow message has unknown vendor 0x9999\n';

/** What the log tells while `body` runs. */
function logged(body: () => void): string {
  let log = '';
  const writer = setConsoleWriter((line) => (log += line.replace(/^[^|]*\|\d+\|/, '')));
  try {
    body();
  } finally {
    setConsoleWriter(writer);
  }
  return log;
}

test.serial('who does not ask is told nothing', (t) => {
  t.is(
    logged(() => decodeMessage(STRANGE)),
    '',
  );
});

test.serial('one module tells five things a minute, and another as many', (t) => {
  const explain = explainToLog();
  const log = logged(() => {
    for (let i = 0; i < 20; i++) decodeMessage(STRANGE, { explain });
  });
  t.is(log, ABOUT_STRANGE.repeat(5));
  const { rateLimited } = vlog('ofp_msgs');
  t.true(rateLimited);
});

test.serial('an explanation that was kept is told when asked for, or never', (t) => {
  const explain = explainToLog();
  const later = explainLater(explain);
  t.is(
    logged(() => decodeMessage(STRANGE, { explain: later.explain })),
    '',
  );
  t.is(logged(later.tell), ABOUT_STRANGE);
});
