/**
 * Command lines of ovs-ofctl, made up and with something wrong in them, are answered as by the peer's, to the letter and
 * without exception. `OFCTL_RUNS=20000 OFCTL_SEED=7 npm test -- packages/ctl-tools/dist/test/ovs-ofctl/command-lines.test.js`
 * runs longer, `npm run fuzz:ofctl` at length, and keeps what it finds in the corpus.
 */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { CommandGenerator } from './differential/generate.js';
import { type CommandLine, compare, report } from './differential/run.js';

const SEED = Number(process.env['OFCTL_SEED'] ?? 1);
const RUNS = Number(process.env['OFCTL_RUNS'] ?? 1500);
const CORPUS = path.resolve(import.meta.dirname, '../../../test/ovs-ofctl/corpus/command-lines.jsonl');

// In turn, as each run takes over the output of the process.
const serial = needing(test.serial, 'peer');

serial('command lines that were once answered otherwise are answered as by the peer', async (t) => {
  t.timeout(120_000);
  const lines = fs
    .readFileSync(CORPUS, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CommandLine);
  t.true(lines.length > 100);
  const differences = await compare(tmpDir(t), lines);
  t.is(differences.length, 0, report(differences));
});

serial('random and mutated command lines are answered as by the peer', async (t) => {
  t.timeout(Math.max(120_000, RUNS * 20));
  const generator = new CommandGenerator(SEED);
  const lines = Array.from({ length: RUNS }, () => generator.command());
  const differences = await compare(tmpDir(t), lines);
  t.is(differences.length, 0, report(differences));
});
