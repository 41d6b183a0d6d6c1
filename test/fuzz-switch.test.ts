/** Some thousand generated OpenFlow messages, good and bad, to a live switch: see scripts/fuzz-switch.mjs. */
import { join } from 'node:path';
import { checkout, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { testWith } from './lib/requires.js';

const linuxTest = testWith({ name: 'Linux', met: process.platform === 'linux' });

linuxTest('a switch outlives messages of every kind and version, whole and mutated', async (t) => {
  t.timeout(120_000);
  const line = [join(checkout, 'scripts/fuzz-switch.mjs'), '--messages=6000', '--seed=3'];
  const { status, stdout, stderr } = await runCommand(process.execPath, line, { timeoutMs: 110_000 });
  t.is(status, 0, stderr);
  t.regex(stdout, /^fuzz-switch: 600\d messages, \d{3,} refused/);
});
