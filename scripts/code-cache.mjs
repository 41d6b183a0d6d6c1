// Compiles the bundles in dist/ and keeps the code beside them, dist/NAME.cjs.cache, for bin/load.cjs. Each program runs
// once, with --help, so that what it runs on its way up is compiled, too. Done by `npm run build`, by the Node.js that
// runs it: for another one the code does not count.
// Usage: node scripts/code-cache.mjs [PROGRAM...]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { root } from './bundle-settings.mjs';
import { PROGRAMS } from './programs.mjs';

const self = fileURLToPath(import.meta.url);
const load = createRequire(import.meta.url)('../bin/load.cjs');

/** Runs a program in this process, to its end, and writes the code that it has by then. */
function keepCode(name) {
  process.argv.splice(1, process.argv.length, path.join(root, 'bin', name), '--help');
  load(name, (script, file) => {
    process.on('exit', () => {
      const { mtimeMs, size } = fs.statSync(file);
      const code = script.createCachedData();
      const header = Buffer.alloc(load.HEADER);
      header.writeDoubleLE(mtimeMs, 0);
      header.writeDoubleLE(size, 8);
      fs.writeFileSync(`${file}.cache`, Buffer.concat([header, code]));
    });
  });
}

/** Keeps the code of bundles, each compiled in a process of its own. */
export function keepCodeOf(names) {
  for (const name of names) {
    const { status, stderr } = spawnSync(process.execPath, [self, '--in-process', name], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    // Programs only start slower without.
    if (status !== 0) console.error(`code cache: ${name}: status ${status}: ${stderr}`);
  }
}

if (process.argv[1] === self) {
  const wanted = process.argv.slice(2);
  if (wanted[0] === '--in-process') keepCode(wanted[1]);
  else keepCodeOf(wanted.length > 0 ? wanted : Object.keys(PROGRAMS));
}
