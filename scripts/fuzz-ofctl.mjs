// npm run fuzz:ofctl -- [--runs=N] [--seed=N]: command lines of ovs-ofctl, half of them with something wrong in them,
// through ours and the peer's. What they do not answer alike is written to a file, and its first part shown.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const lib = join(root, 'packages/ctl-tools/dist/test/ovs-ofctl/differential');
const { compare, report } = await import(join(lib, 'run.js'));
const { CommandGenerator } = await import(join(lib, 'generate.js'));

function option(name, otherwise) {
  const text = process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  return text === undefined ? otherwise : Number(text);
}

const BATCH = 1000;
const SHOWN = 20;
const runs = option('runs', 10_000);
const seed = option('seed', Date.now() % 0x100000000);
const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice(7);
const generator = new CommandGenerator(seed);
const dir = mkdtempSync(join(tmpdir(), 'ovs-fuzz-'));
const differences = [];
for (let done = 0; done < runs; done += BATCH) {
  let lines = Array.from({ length: Math.min(BATCH, runs - done) }, () => generator.command());
  if (only) lines = lines.filter((l) => l.args.includes(only));
  differences.push(...(await compare(dir, lines)));
}
rmSync(dir, { recursive: true });
console.log(report(differences, SHOWN));
console.log(`fuzz-ofctl: ${runs} command lines, ${differences.length} answered otherwise (seed ${seed})`);
if (differences.length > 0) {
  const file = join(tmpdir(), `fuzz-ofctl-${seed}.json`);
  writeFileSync(file, JSON.stringify(differences, null, 1));
  console.log(`fuzz-ofctl: all of them are in ${file}`);
  process.exitCode = 1;
}
