/**
 * Generated messages of every row and version, and mutations of them, are printed as the peer prints them, or refused
 * in its words. Seeds are fixed;
 * `OPENFLOW_RUNS=400 OPENFLOW_SEED=7 npm test -- packages/openflow/dist/test/peer-print.test.js` runs long: 500,000 messages.
 */
import test, { type ExecutionContext } from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { printMessage } from '../src/text/message.js';
import { type Case, cases } from './lib/cases.js';
import { spoil } from '../src/testkit/mutate.js';
import { peerTexts } from './lib/peer-print.js';
import { Random } from '../src/testkit/random.js';
import { quietParsers } from './lib/quiet.js';

const RUNS = Number(process.env['OPENFLOW_RUNS'] ?? 4);
/** Seeds of CI; a long run counts on from its own. */
const SEEDS =
  process.env['OPENFLOW_SEED'] === undefined
    ? [106, 108, 110]
    : [0, 1, 2].map((i) => Number(process.env['OPENFLOW_SEED']) + i);
const PAGE = 1500;

quietParsers();

/** Fails for messages that are not printed alike, in hex; says how many there were. */
async function compare(t: ExecutionContext, list: Iterable<Case>, more: number): Promise<number> {
  const dir = tmpDir(t);
  const bad: string[] = [];
  let count = 0;
  const flush = async (page: readonly Case[]): Promise<void> => {
    const texts = await peerTexts(
      dir,
      page.map((c) => c.bytes),
      more,
    );
    page.forEach(({ what, bytes }, i) => {
      const ours = printMessage(bytes, { verbosity: 2 + more });
      if (ours !== texts[i]) bad.push(`${what}: ${Buffer.from(bytes).toString('hex')}`);
    });
    count += page.length;
  };
  let page: Case[] = [];
  for (const each of list) {
    page.push(each);
    if (page.length < PAGE) continue;
    await flush(page);
    page = [];
  }
  await flush(page);
  t.deepEqual(bad, []);
  return count;
}

for (const more of [0, 1]) {
  needing(test, 'peer')(
    `generated messages are printed as the peer does, verbosity ${2 + more}`,
    async (t) => {
      t.timeout(30 * 60_000);
      const count = await compare(
        t,
        cases(new Random(SEEDS[more]), RUNS, (bytes) => bytes),
        more,
      );
      t.true(count > 300 * RUNS);
    },
  );
}

for (const seed of SEEDS) {
  needing(test, 'peer')(
    `mutated messages are printed or refused in the peer's words, seed ${seed}`,
    async (t) => {
      t.timeout(30 * 60_000);
      const r = new Random(seed);
      const count = await compare(
        t,
        cases(r, RUNS, (bytes, before) => spoil(r, bytes, before)),
        seed % 2,
      );
      t.true(count > 300 * RUNS);
    },
  );
}
