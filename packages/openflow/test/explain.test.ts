/**
 * What is wrong with messages is told as the peer tells it. Seeds are fixed; `OPENFLOW_RUNS=40 OPENFLOW_SEED=7 npm test --
 * packages/openflow/dist/test/explain.test.js` runs long.
 */
import test, { type ExecutionContext } from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { getLevels, setConsoleWriter, setLevels, vlog } from '@ovs-node/common/vlog';
import { type Explain, type ExplanationKey, EXPLANATIONS, explainLater } from '../src/explain.js';
import { explainToLog } from '../src/explain-log.js';
import { decodeMessage } from '../src/messages/codec.js';
import { printMessage } from '../src/text/message.js';
import { spoil } from '../src/testkit/mutate.js';
import { Random } from '../src/testkit/random.js';
import { bundled, EXPLAINED } from './fixtures/explained.js';
import { type Case, cases } from './lib/cases.js';
import { oursTells, peerTells, type Told } from './lib/peer-explain.js';

const RUNS = Number(process.env['OPENFLOW_RUNS'] ?? 4);
/** Modules that tell things to who debugs; the others do not only tell of messages. */
const MATCH_MODULES = [
  'flow',
  'nx_match',
  'ofp_connection',
  'ofp_packet',
  'ofp_port',
  'ofp_queue',
  'ofp_table',
  'ox_stat',
];

const SEED = Number(process.env['OPENFLOW_SEED'] ?? 31);

/** Has messages printed by both; fails where they tell different things. Gives how many they had anything to tell of. */
async function compare(
  t: ExecutionContext,
  list: readonly Case[],
  levels: readonly string[] = [],
): Promise<number> {
  const peer = await peerTells(
    tmpDir(t),
    list.map(({ bytes }) => bytes),
    levels,
  );
  const bad = list.flatMap(({ what, bytes }, i) => {
    const [ours, theirs] = [oursTells(bytes), peer[i]];
    if (ours.text === theirs.text && ours.log === theirs.log) return [];
    const show = ({ text, log }: Told): string => `${text}${log}`;
    return [`${what}: ${Buffer.from(bytes).toString('hex')}\n  peer: ${show(theirs)}\n  ours: ${show(ours)}`];
  });
  t.deepEqual(bad, []);
  return peer.filter(({ log }) => log !== '').length;
}

/** Mutated messages of every kind and version. */
function spoilt(seed: number): Case[] {
  const r = new Random(seed);
  return [...cases(r, RUNS, (bytes, before) => spoil(r, bytes, before))];
}

// The levels of the log are the process's.
const serial = needing(test.serial, 'peer');

serial("what is wrong with mutated messages is told in the peer's words", async (t) => {
  t.timeout(30 * 60_000);
  t.true((await compare(t, spoilt(SEED))) > 100 * RUNS);
});

serial('handmade messages with each thing wrong are told of as by the peer', async (t) => {
  t.timeout(5 * 60_000);
  await compare(t, EXPLAINED);
});

test('each thing that is told is told of a handmade message', (t) => {
  const seen = new Set<string>();
  const explain = ((key: ExplanationKey) => void seen.add(key)) as Explain;
  for (const { bytes } of EXPLAINED) {
    printMessage(bytes, { verbosity: 2, explain });
    // A switch is stricter.
    decodeMessage(bytes, { tableId: false, explain });
  }
  t.deepEqual(
    Object.keys(EXPLANATIONS).filter((key) => !seen.has(key)),
    [],
  );
});

serial('what is told again and again is told as often as by the peer', async (t) => {
  t.timeout(5 * 60_000);
  const often = ({ what, bytes }: Case): Case => ({
    what: `${what}, often`,
    bytes: Buffer.concat(Array.from({ length: 9 }, () => bytes)),
  });
  // What counts together, and what does not.
  const both = often({
    what: 'a hello in a bundle and no message in a bundle',
    bytes: Buffer.concat([bundled(5, [5, 0, 0, 8, 0, 0, 0, 1]), bundled(5, [5, 99, 0, 8, 0, 0, 0, 1])]),
  });
  await compare(t, [...EXPLAINED.map(often), both]);
});

serial('what only interests who debugs is told to him alone', async (t) => {
  t.timeout(30 * 60_000);
  const before = MATCH_MODULES.map((module) => [module, getLevels(module)[0]] as const);
  for (const module of MATCH_MODULES) setLevels(module, 'console', 'dbg');
  t.teardown(() => {
    for (const [module, level] of before) setLevels(module, 'console', level);
  });
  const list = [...spoilt(SEED + 1), ...EXPLAINED];
  t.true(
    (await compare(
      t,
      list,
      MATCH_MODULES.map((module) => `-v${module}:console:dbg`),
    )) >
      100 * RUNS,
  );
});

/** A request for features, with something after it. */
const STRANGE = Uint8Array.of(1, 5, 0, 9, 0, 0, 0, 1, 0);
const ABOUT_STRANGE =
  'ofp_msgs|WARN|received OFPT_FEATURES_REQUEST with incorrect length 9 (expected length 8)\n';

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
