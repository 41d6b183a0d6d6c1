/**
 * Generated messages of every row and version, and mutations of them, are printed as the peer prints them. Seeds are
 * fixed; `OPENFLOW_RUNS=200 OPENFLOW_SEED=7 npm test -- packages/openflow/dist/test/peer-print.test.js` runs long.
 */
import test from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { printMessage } from '../src/text/message.js';
import { generate, KINDS, mutate } from './lib/diff-run.js';
import { peerTexts } from './lib/peer-print.js';
import { Random } from './lib/random.js';

const RUNS = Number(process.env['OPENFLOW_RUNS'] ?? 1);
/** Seeds of CI; a long run counts on from its own. */
const SEEDS =
  process.env['OPENFLOW_SEED'] === undefined
    ? [106, 108, 110]
    : [0, 1, 2].map((i) => Number(process.env['OPENFLOW_SEED']) + i);

interface Case {
  readonly what: string;
  readonly bytes: Uint8Array;
}

/** `runs` messages of each kind in each version that has it. */
function cases(r: Random, runs: number, change: (bytes: Uint8Array) => Uint8Array): Case[] {
  const out: Case[] = [];
  for (let run = 0; run < runs; run++) {
    for (const kind of KINDS) {
      for (let version = 1; version <= 6; version++) {
        const bytes = generate(r, kind, version);
        if (bytes) out.push({ what: `${kind} in version ${version}`, bytes: change(bytes) });
      }
    }
  }
  return out;
}

/** Messages that are not printed alike, in hex. */
async function differences(dir: string, list: readonly Case[], more: number): Promise<string[]> {
  const bad: string[] = [];
  const PAGE = 1500;
  for (let at = 0; at < list.length; at += PAGE) {
    const page = list.slice(at, at + PAGE);
    const texts = await peerTexts(
      dir,
      page.map((c) => c.bytes),
      more,
    );
    page.forEach(({ what, bytes }, i) => {
      if (printMessage(bytes, { verbosity: 2 + more }) === texts[i]) return;
      bad.push(`${what}: ${Buffer.from(bytes).toString('hex')}`);
    });
  }
  return bad;
}

for (const more of [0, 1]) {
  needing(test, 'peer')(
    `generated messages are printed as the peer does, verbosity ${2 + more}`,
    async (t) => {
      const list = cases(new Random(SEEDS[more]), RUNS, (bytes) => bytes);
      t.true(list.length > 400 * RUNS);
      t.deepEqual(await differences(tmpDir(t), list, more), []);
    },
  );
}

for (const seed of SEEDS) {
  needing(test, 'peer')(
    `mutated messages are printed or refused in the peer's words, seed ${seed}`,
    async (t) => {
      const r = new Random(seed);
      const list = cases(r, RUNS, (bytes) => mutate(r, bytes));
      t.deepEqual(await differences(tmpDir(t), list, 0), []);
    },
  );
}
