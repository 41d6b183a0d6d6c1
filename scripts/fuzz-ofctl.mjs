// npm run fuzz:ofctl -- [--runs=N] [--seed=N]: command lines of ovs-ofctl, most of them with something wrong in them,
// through ours and the peer's. Those that are not answered alike are shown, and go into the corpus that a test runs
// from then on.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { option } from './fuzz-option.mjs';

const root = resolve(import.meta.dirname, '..');
const lib = join(root, 'packages/ctl-tools/dist/test/ovs-ofctl/differential');
const corpus = 'packages/ctl-tools/test/ovs-ofctl/corpus/command-lines.jsonl';
const { compare, report } = await import(join(lib, 'run.js'));
const { CommandGenerator } = await import(join(lib, 'generate.js'));

const BATCH = 1000;
/** Differences shown and kept: one mistake makes many. */
const MOST = 20;
const runs = option('runs', 10_000);
const seed = option('seed', Date.now() % 0x100000000);
const generator = new CommandGenerator(seed);
const dir = mkdtempSync(join(tmpdir(), 'ovs-fuzz-'));
const differences = [];
for (let done = 0; done < runs; done += BATCH) {
  const lines = Array.from({ length: Math.min(BATCH, runs - done) }, () => generator.command());
  differences.push(...(await compare(dir, lines)));
}
rmSync(dir, { recursive: true });
if (differences.length > 0) {
  console.log(report(differences, MOST));
  const all = join(tmpdir(), `fuzz-ofctl-${seed}.json`);
  writeFileSync(all, JSON.stringify(differences, null, 1));
  if (!process.argv.includes('--keep=no')) {
    const kept = differences.slice(0, MOST).map(({ line }) => `${JSON.stringify(line)}\n`);
    appendFileSync(join(root, corpus), kept.join(''));
    console.log(`fuzz-ofctl: ${kept.length} of them are in ${corpus} now, all in ${all}`);
  }
  process.exitCode = 1;
}
console.log(`fuzz-ofctl: ${runs} command lines, ${differences.length} answered otherwise (seed ${seed})`);
