/**
 * What is printed, logged and returned of switches that do not keep to the protocol, or say much at once: as by the peer.
 */
import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import {
  type Answers,
  OPTIONS,
  OURS,
  PEERS,
  shown,
  type UnrulySwitch,
  unrulySwitch,
} from '../lib/unruly-switch.js';
import { randomAnswers } from '../lib/unruly-random.js';
import { BUNDLE_FILES, BUNDLE_ROWS } from '../lib/unruly-bundle-rows.js';
import { ALL_COMMANDS, ROWS } from '../lib/unruly-rows.js';
import { MONITOR_ROWS } from '../lib/unruly-monitor-rows.js';
import { PORT_ROWS } from '../lib/unruly-port-rows.js';
import { TABLE_ROWS } from '../lib/unruly-table-rows.js';

// In turn: the switch has no time for who is late.
const needingPeer = needing(test.serial, 'peer');

/** What each program shows of a command line, and sends to a switch that answers the same. */
async function compare(
  t: ExecutionContext,
  sw: UnrulySwitch,
  dir: string,
  command: string,
  answers: () => Answers,
  options: readonly string[] = OPTIONS,
  lines = /^/,
): Promise<void> {
  const words = [...options, ...command.split(' ').map((word) => (word === '@' ? 'br0' : word))];
  const seen = [];
  for (const program of [PEERS, OURS]) {
    sw.answerWith(answers());
    const { status, stdout, stderr } = await shown(program, words, dir);
    // What the peer itself does not survive is no example. (A time-out is.)
    if (program === PEERS && status !== null && status >= 128 && status !== TIMED_OUT) return;
    const printed = stdout.split('\n').filter((line) => lines.test(line));
    seen.push({ status, printed, stderr, sent: sw.heard() });
  }
  t.deepEqual(seen[1], seen[0], command);
}

/** The status of who is ended by the alarm that `-t` sets. */
const TIMED_OUT = 128 + 14;

for (const { what, commands, answers, options, lines } of [
  ...ROWS,
  ...TABLE_ROWS,
  ...PORT_ROWS,
  ...MONITOR_ROWS,
  ...BUNDLE_ROWS,
]) {
  needingPeer(`of a switch that ${what} the same is told as by the peer`, async (t) => {
    t.timeout(300_000);
    const dir = tmpDir(t);
    for (const [name, text] of Object.entries(BUNDLE_FILES)) fs.writeFileSync(path.join(dir, name), text);
    const sw = await unrulySwitch(t, dir);
    for (const command of commands) await compare(t, sw, dir, command, () => answers, options, lines);
  });
}

const SEED = Number(process.env['UNRULY_SEED'] ?? 1);
const RUNS = Number(process.env['UNRULY_RUNS'] ?? 100);

needingPeer('of a switch that answers by lot the same is told as by the peer', async (t) => {
  t.timeout(60 * 60_000);
  const dir = tmpDir(t);
  const sw = await unrulySwitch(t, dir);
  for (let i = 0; i < RUNS; i++) {
    const command = ALL_COMMANDS[(SEED * 7 + i * 31) % ALL_COMMANDS.length];
    await compare(t, sw, dir, command, () => randomAnswers(SEED * 100_000 + i));
  }
});
