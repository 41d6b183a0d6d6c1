// Compiles the bundles in dist/ and keeps the code beside them, dist/NAME.cjs.cache, for bin/load.cjs. Each program runs
// with --help, so that what it runs on its way up is compiled, too, some with more (WARM_UPS). Done by `npm run build`, by the Node.js that
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

/**
 * What is run of a program besides --help, so that what such commands run is compiled, too: none needs a daemon, which is
 * not there either. Status and output do not matter.
 */
const WARM_UPS = {
  'ovs-ofctl': [
    ['parse-flow', 'priority=1,ip,in_port=1,nw_src=10.0.0.1,actions=output:2'],
    ['dump-flows', 'unix:/nonexistent'],
    // NXST_FLOW reply: priority=1,ip,in_port=1,nw_src=10.0.0.1 actions=output:2
    [
      'ofp-print',
      '0111006800000004ffff000000002320000000000000000000500000000000010000000000010000000000140001ffff00000000' +
        '000000000000000000000001000000000000004200000002000100000602080000000e040a000001000000000000000800020000',
    ],
  ],
};

const EXIT = new Error('exit');

/** Runs a program in this process up to where it would exit. */
function runOnce(words, run) {
  return new Promise((resolve) => {
    process.argv.splice(2, process.argv.length, ...words);
    process.exit = () => {
      resolve();
      throw EXIT;
    };
    run();
  });
}

/** Runs a program in this process, command line by command line, and writes the code that it has by then. */
async function keepCode(name) {
  const { exit } = process;
  for (const end of ['unhandledRejection', 'uncaughtException']) {
    process.on(end, (error) => {
      if (error === EXIT) return;
      console.error(error);
      exit(1);
    });
  }
  process.argv[1] = path.join(root, 'bin', name);
  const { file, script, run } = load.open(name, true);
  for (const words of [['--help'], ...(WARM_UPS[name] ?? [])]) await runOnce(words, run);
  const { mtimeMs, size } = fs.statSync(file);
  const header = Buffer.alloc(load.HEADER);
  header.writeDoubleLE(mtimeMs, 0);
  header.writeDoubleLE(size, 8);
  fs.writeFileSync(`${file}.cache`, Buffer.concat([header, script.createCachedData()]));
  exit(0);
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
  if (wanted[0] === '--in-process') await keepCode(wanted[1]);
  else keepCodeOf(wanted.length > 0 ? wanted : Object.keys(PROGRAMS));
}
