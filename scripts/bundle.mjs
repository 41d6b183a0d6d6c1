// Bundles each program into one file, dist/<program>.cjs: CommonJS, so that starting a tool reads one file instead of
// hundreds. What a program imports dynamically stays in the file, and is not run until it is needed: `--version` runs
// a few lines of it. V8 still looks at every byte, some 3 ms for 190 KB, which is what `npm run bench:start` shows
// over `node -e 0`; a second file for the rest would save that for `--version` alone and cost every other command.
//
// It bundles what `tsc -b` compiled (packages/*/dist), not the sources: one compiler decides what the code means.
// Usage: node scripts/bundle.mjs [PROGRAM...]
import { build } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROGRAMS, WORKERS } from './programs.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** packages/x/src/a.ts -> packages/x/dist/src/a.js */
const compiled = (entry) =>
  path.join(root, entry.replace(/^(packages\/[^/]+)\/src\//, '$1/dist/src/').replace(/\.ts$/, '.js'));

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

const settings = {
  outdir: path.join(root, 'dist'),
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // import() becomes require() in a promise: the ES module loader is not started for a CommonJS file.
  supported: { 'dynamic-import': false },
  // koffi is native code: it stays in node_modules, and is loaded only by what calls the system directly.
  external: ['koffi'],
  sourcemap: 'external',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'none',
  // Modules find files beside themselves by import.meta.url; in the bundle that is the bundle's own place.
  banner: { js: 'var __bundleUrl=require("node:url").pathToFileURL(__filename).href;' },
  define: { 'import.meta.url': '__bundleUrl' },
  logLevel: 'silent',
};

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
