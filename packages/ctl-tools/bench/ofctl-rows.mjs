// Rows of `npm run bench:openflow`: loading flows into a switch and dumping them, by either side's ovs-ofctl on either
// side's switch, or all of one side against all of the other.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkout, dirsAt, Suite } from '../dist/src/lab/suite.js';

const COUNT = 100_000;

const line = (i) =>
  `priority=${i % 1000},tcp,nw_dst=10.${i >> 16}.${(i >> 8) & 255}.${i & 255},tp_dst=${i % 60000},` +
  `actions=mod_dl_dst:02:00:00:00:00:${(i & 255).toString(16).padStart(2, '0')},output:${1 + (i % 2)}\n`;

/** Starts one side's daemons with a bridge; gives what runs a command line with a side's tool, in seconds. */
async function start(dir, daemons) {
  const suiteOf = (side) =>
    new Suite({ root: checkout, side, dirs: dirsAt(dir), vswitchdArgs: ['--enable-dummy'] });
  const suite = suiteOf(daemons);
  await suite.start();
  const bridge =
    'add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure protocols=OpenFlow10,OpenFlow14';
  const made = await suite.run('ovs-vsctl', bridge.split(' '));
  if (made.status !== 0) throw new Error(made.stderr);
  const seconds = (side, args) => {
    const [program, ...before] = suiteOf(side).command('ovs-ofctl');
    const begin = performance.now();
    const stdio = ['ignore', 'ignore', 'inherit'];
    const r = spawnSync(program, [...before, ...args], { env: suite.env, stdio });
    if (r.status !== 0) throw new Error(`ovs-ofctl ${args.join(' ')}: status ${r.status}`);
    return (performance.now() - begin) / 1000;
  };
  return { suite, seconds };
}

/**
 * A row: `args` by each side's tool, on the switch of `daemons`, or each on its own. `loads`: the table is emptied before,
 * which does not count.
 */
function row(daemons, name, args, loads) {
  return {
    name: `${name}, switch of ${daemons}`,
    count: COUNT,
    async prepare(dir) {
      const file = path.join(dir, 'flows');
      fs.writeFileSync(file, Array.from({ length: COUNT }, (_, i) => line(i)).join(''));
      const started = new Map();
      const switchOf = (side) => started.get(daemons === OWN ? side : daemons);
      for (const side of daemons === OWN ? ['ours', 'peer'] : [daemons]) {
        const home = path.join(dir, side);
        fs.mkdirSync(home);
        started.set(side, await start(home, side));
      }
      if (!loads)
        for (const { seconds } of started.values()) seconds('peer', ['--bundle', 'add-flows', 'br0', file]);
      const once = (side) => () => {
        const { seconds } = switchOf(side);
        if (loads) seconds('peer', ['del-flows', 'br0']);
        return seconds(
          side,
          args.map((word) => (word === 'FILE' ? file : word)),
        );
      };
      const end = () => Promise.all([...started.values()].map(({ suite }) => suite.stop()));
      return { ours: once('ours'), peer: once('peer'), end };
    },
  };
}

const OWN = 'its own';

export const OFCTL_ROWS = ['peer', 'ours', OWN].flatMap((daemons) => [
  row(daemons, 'ovs-ofctl add-flows', ['add-flows', 'br0', 'FILE'], true),
  row(daemons, 'ovs-ofctl --bundle add-flows', ['--bundle', 'add-flows', 'br0', 'FILE'], true),
  row(daemons, 'ovs-ofctl dump-flows', ['dump-flows', 'br0'], false),
]);
