// npm run bench:openflow [-- --rounds=N] [-- --only=TEXT]: prints the rows of `rows.mjs` as a table for docs/benchmarks.md.
// Rounds of both sides are interleaved; a rate is the median of its rounds, a ratio the median of the rounds' ratios.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { OFCTL_ROWS } from '../../ctl-tools/bench/ofctl-rows.mjs';
import { PEER, ROWS } from './rows.mjs';

// Node.js reads these certificates at each start, which is no part of the programs.
delete process.env.NODE_EXTRA_CA_CERTS;

const USAGE = `usage: npm run bench:openflow [-- [--rounds=N] [--only=TEXT]]
  --rounds=N   rounds of each row, 7 unless said
  --only=TEXT  rows whose names have TEXT in them
`;
const unknown = process.argv.slice(2).find((arg) => !/^--(?:rounds=[1-9]\d*|only=.*)$/.test(arg));
if (unknown !== undefined) {
  const asked = unknown === '--help';
  (asked ? process.stdout : process.stderr).write(asked ? USAGE : `${unknown}: not an option\n${USAGE}`);
  process.exit(asked ? 0 : 1);
}
const option = (name, otherwise) =>
  process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3) ?? otherwise;
const rounds = Number(option('rounds', 7));
const only = option('only', '');

function median(list) {
  const sorted = list.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const version = existsSync(PEER) ? spawnSync(PEER, ['--version'], { encoding: 'utf8' }).stdout : '';
const peer = /\d+\.\d+\.\d+/.exec(version)?.[0] ?? 'not there';
const date = new Date().toISOString().slice(0, 10);
console.log(
  `### ${date}, ${os.cpus()[0].model.trim()}, ${os.cpus().length} cores, ${os.type()} ${os.release()}, Node.js ${process.version}, peer ${peer}\n`,
);
console.log(`${rounds} rounds; load average before: ${os.loadavg()[0].toFixed(2)}.\n`);
console.log('| measurement | ours | peer | unit | ratio |');
console.log('| --- | --- | --- | --- | --- |');
for (const row of [...ROWS, ...OFCTL_ROWS]) {
  if (!row.name.includes(only)) continue;
  const dir = mkdtempSync(join(os.tmpdir(), 'bench-openflow-'));
  try {
    const sides = await Promise.resolve(row.prepare(dir));
    const withPeer = sides.peer !== undefined && version !== '';
    const times = { ours: [], peer: [] };
    // One round of each warms files and code up, and does not count.
    for (let round = -1; round < rounds; round++) {
      for (const side of ['ours', 'peer']) {
        if (side === 'peer' && !withPeer) continue;
        const seconds = await Promise.resolve(sides[side]());
        if (round >= 0) times[side].push(seconds);
      }
    }
    await Promise.resolve(sides.end?.());
    const rate = (list) => (row.count / median(list) / 1000).toFixed(0);
    const ratio = withPeer ? median(times.ours.map((t, i) => times.peer[i] / t)).toFixed(2) : '';
    console.log(
      `| ${row.name} | ${rate(times.ours)} | ${withPeer ? rate(times.peer) : ''} | thousands/s | ${ratio} |`,
    );
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
