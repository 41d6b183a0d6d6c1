// What a tool costs to start: `bin/ovs-vsctl --version` beside `node -e 0`, interleaved, medians of one run.
// Usage: node scripts/bench-start.mjs [ROUNDS] [PROGRAM]
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const rounds = Number(process.argv[2] ?? 31);
const program = process.argv[3] ?? 'ovs-vsctl';
const env = { ...process.env };
// Reading extra certificates costs Node 20 some 40 ms at each start, on both sides, and would hide the difference.
delete env.NODE_EXTRA_CA_CERTS;

function once(args) {
  const begin = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  if (status !== 0) {
    console.error(`bench-start: ${args.join(' ')}: status ${status}: ${stderr}`);
    process.exit(1);
  }
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const tool = [path.join(root, 'bin', program), '--version'];
const times = { node: [], tool: [] };
once(tool);
once(['-e', '0']);
for (let i = 0; i < rounds; i++) {
  times.node.push(once(['-e', '0']));
  times.tool.push(once(tool));
}
const node = median(times.node);
const ours = median(times.tool);
console.log(`node -e 0             ${node.toFixed(1)} ms`);
console.log(`${`${program} --version`.padEnd(21)} ${ours.toFixed(1)} ms`);
console.log(
  `ratio                 ${(ours / node).toFixed(2)} (limit 1.30; medians of ${rounds} interleaved runs)`,
);
if (ours / node > 1.3) process.exitCode = 1;
