// Compiles the bundles in dist/ and keeps the code beside them, dist/NAME.cjs.cache, for bin/load.cjs. Each program runs
// with --help, so that what it runs on its way up is compiled, too, some with more (WARM_UPS). Done by `npm run build`,
// with the Node.js that runs it: for another one the code does not count.
// Usage: node scripts/code-cache.mjs [PROGRAM...]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { root } from './bundle-settings.mjs';
import { PROGRAMS } from './programs.mjs';

const self = fileURLToPath(import.meta.url);
const load = createRequire(import.meta.url)('../bin/load.cjs');

/** Flows in the files below: more than it takes for their shape to be found (packages/openflow/src/shapes). */
const FLOWS = 40;
const flowNumbers = Array.from({ length: FLOWS }, (_, i) => i + 1);

/** Flows as text. */
const flowLines = () =>
  flowNumbers.map((i) => `priority=${i},ip,nw_src=10.0.0.${i},actions=output:2\n`).join('');

/** The same as a reply to dump-flows, NXST_FLOW with entries of 72 bytes. */
function flowReply() {
  const hex = (n, bytes) => n.toString(16).padStart(2 * bytes, '0');
  const zeros = (bytes) => hex(0, bytes);
  const match = (i) => `000006020800 00000e040a0000${hex(i, 1)} ${zeros(2)}`;
  const entries = flowNumbers.map(
    (i) =>
      `${hex(72, 2)}${zeros(2)} 00000001${zeros(4)} ${hex(i, 2)}${zeros(4)}000e00010001 ${zeros(24)} ${match(i)} 0000000800020000`,
  );
  const header = `0111${hex(24 + 72 * FLOWS, 2)}00000001 ffff0000 00002320${zeros(8)}`;
  return Buffer.from([header, ...entries].join('').replaceAll(' ', ''), 'hex');
}

/**
 * What is run of a program besides --help, so that what such commands run is compiled, too. None needs a daemon, which is
 * not there either; status and output do not matter. FILE holds the content.
 */
const WARM_UPS = {
  'ovs-ofctl': [
    { words: ['parse-flow', 'priority=1,ip,in_port=1,nw_src=10.0.0.1,actions=output:2'] },
    { words: ['dump-flows', 'unix:/nonexistent'] },
    { words: ['parse-flows', 'FILE'], content: flowLines },
    { words: ['ofp-parse', 'FILE'], content: flowReply },
  ],
};

/** Calls `use` with a command line whose FILE there is meanwhile. */
async function withFile({ words, content }, use) {
  if (content === undefined) return use(words);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'ovs-build-'));
  const file = path.join(dir, 'input');
  try {
    fs.writeFileSync(file, content());
    return await use(words.map((word) => (word === 'FILE' ? file : word)));
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
}

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
  for (const line of [{ words: ['--help'] }, ...(WARM_UPS[name] ?? [])])
    await withFile(line, (words) => runOnce(words, run));
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
