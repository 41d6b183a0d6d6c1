// Runs the tests that the build compiled: the packages' own (no privilege needed) and the suite's through its
// programs (root and the peer's packages where they are there). Arguments go to ava: `npm test -- FILE…`.
// Ends in one line of totals; a test that is skipped names what it lacks.
import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const args = process.argv.slice(2);
const ava = spawn(process.execPath, [join(root, 'node_modules/ava/entrypoints/cli.mjs'), ...args], {
  cwd: root,
  stdio: ['inherit', 'pipe', 'inherit'],
  env: { ...process.env, NODE_EXTRA_CA_CERTS: '', FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
});

let tail = '';
// ava's summary names those that passed only when all did.
let passed = 0;
ava.stdout.setEncoding('utf8').on('data', (chunk) => {
  process.stdout.write(chunk);
  passed += chunk.split(/[✔√]/).length - 1;
  tail = (tail + chunk).slice(-4000);
});
ava.on('close', (status) => {
  const count = (pattern) => Number(tail.match(pattern)?.[1] ?? 0);
  const failed = count(/(\d+) tests? failed/) + count(/(\d+) uncaught exceptions?/);
  const skipped = count(/(\d+) tests? skipped/);
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = status ?? 1;
});
