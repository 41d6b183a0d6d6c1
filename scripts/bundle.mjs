// Bundles each program into one file, dist/<program>.cjs: CommonJS, so that starting a tool reads one file instead of
// hundreds. What a program imports dynamically stays in the file, and is not run until it is needed: `--version` runs
// a few lines of it. The code that V8 makes of a bundle is kept beside it (code-cache.mjs).
//
// It bundles what `tsc -b` compiled (packages/*/dist), not the sources: one compiler decides what the code means.
// Usage: node scripts/bundle.mjs [PROGRAM...]
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { compiled, root, settings } from './bundle-settings.mjs';
import { keepCodeOf } from './code-cache.mjs';
import { PROGRAMS, WORKERS } from './programs.mjs';

const wanted = process.argv.slice(2);
const entryPoints = {};
for (const [name, entry] of Object.entries(PROGRAMS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const file = compiled(entry);
  if (fs.existsSync(file)) entryPoints[name] = file;
  else console.log(`bundle: skipped ${name}: no ${path.relative(root, file)}`);
}
for (const [name, entries] of Object.entries(WORKERS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const file = entries.map(compiled).find((f) => fs.existsSync(f));
  if (file) entryPoints[name] = file;
  else console.log(`bundle: skipped ${name}: no ${entries[0]}`);
}

let failed = false;
for (const [name, file] of Object.entries(entryPoints)) {
  try {
    await build({ ...settings, entryPoints: { [name]: file } });
  } catch (error) {
    failed = true;
    const first = error.errors?.[0];
    const where = first?.location ? ` (${first.location.file}:${first.location.line})` : '';
    console.error(`bundle: ${name}: ${first?.text ?? error.message}${where}`);
  }
}
if (failed) process.exitCode = 1;
else keepCodeOf(Object.keys(entryPoints).filter((name) => Object.hasOwn(PROGRAMS, name)));
