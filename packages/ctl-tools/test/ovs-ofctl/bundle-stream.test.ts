/**
 * Flows of a file go into a bundle while they are read. What is printed of a file and a switch, one of which or both are
 * not as they should be, is what the peer prints, which reads the file first.
 */
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { good } from '../lib/unruly-rows.js';
import { bundle, control } from '../lib/unruly-bundle-rows.js';
import { type Answers, OURS, PEERS, shown, unrulySwitch } from '../lib/unruly-switch.js';

const needingPeer = needing(test.serial, 'peer');

const COUNT = 3000;
const flows = Array.from(
  { length: COUNT },
  (_, i) => `tcp,nw_dst=10.0.${i >> 8}.${i & 255},tp_dst=${i},actions=output:${1 + (i % 9)}`,
);
/** The flows with another in place of number `at`. */
const but = (at: number, line: string): string => flows.with(at, line).join('\n');

const FILES: Readonly<Record<string, string>> = {
  good: `# flows\n\n${flows.join('\n')}\n`,
  empty: '# none\n',
  'wrong-last': but(COUNT - 1, 'tcp,nosuch=1,actions=drop'),
  'wrong-first': but(0, 'tcp,actions=nosuch'),
  'wrong-twice': `${but(COUNT - 1, 'actions=nosuch')}\nactions=neither`,
  // What only OpenFlow 1.0 has no objection to, and what only 1.5 has.
  'old-last': but(COUNT - 1, 'actions=mod_nw_src:1.2.3.4'),
  'old-first': but(0, 'actions=mod_nw_src:1.2.3.4'),
  'old-then-wrong': `${but(10, 'actions=mod_nw_src:1.2.3.4')}\nactions=nosuch`,
  'old-and-new': `${but(10, 'actions=mod_nw_src:1.2.3.4')}\nactions=write_actions(meter:1)`,
};

/** What the switch says of its names: it has one table, with no more than the properties that have to be, and no ports. */
const TABLE_FEATURES = 12;
const NAMES: Readonly<Record<number, string>> = {
  [TABLE_FEATURES]: `0080${'00'.repeat(62)}${['00', '02', '04', '06', '08', '0a', '0c', '0e'].map((type) => `00${type}000400000000`).join('')}`,
};

/** Answers from message `n` of a connection on. */
const from =
  (n: number, answers: Answers): Answers =>
  (q) =>
    q.index === n ? answers(q) : q.index > n ? [] : bundle({})(q);

const SWITCHES: Readonly<Record<string, Answers>> = {
  'takes all': bundle({}),
  'refuses the bundle': bundle({ open: (q) => [q.error(17, 2)] }),
  'refuses each flow': bundle({ add: (q) => [q.error(1, 1)] }),
  'refuses the last but one': bundle({ add: (q) => (q.index === COUNT - 1 ? [q.error(5, 1)] : []) }),
  'refuses the commit': bundle({ commit: (q) => [q.error(17, 15)] }),
  'answers the open wrongly': bundle({ open: (q) => [control(q, { id: 1 })] }),
  'hangs up at the open': bundle({ open: () => ['end'] }),
  'hangs up at the barrier': bundle({ barrier: () => ['end'] }),
  'hangs up in between': from(700, () => ['end']),
  'agrees on no version': (q) => (q.index < 0 ? [q.say(0, '', { version: 9 }), 'end'] : [good(q)]),
  'hangs up at once': (q) => (q.index < 0 ? [q.error(0, 0), 'end'] : []),
};

const OPTIONS = ['', '--no-names', '-O OpenFlow13', '-O OpenFlow10', '-O OpenFlow14,OpenFlow15', '-F nxm'];

for (const [what, answers] of Object.entries(SWITCHES)) {
  needingPeer(`a bundle from a file to a switch that ${what}: told as by the peer`, async (t) => {
    t.timeout(300_000);
    const dir = tmpDir(t);
    for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(dir, name), text);
    const sw = await unrulySwitch(t, dir);
    for (const file of Object.keys(FILES)) {
      for (const option of file === 'good' || file === 'old-last' ? OPTIONS : OPTIONS.slice(0, 1)) {
        const words = `${option} --bundle add-flows br0 ${file}`.trim().split(' ');
        const seen = [];
        for (const program of [PEERS, OURS]) {
          // Names are asked for first.
          sw.answerWith((q) =>
            q.stats === undefined ? answers(q) : [q.part(q.stats, NAMES[q.stats] ?? '')],
          );
          const { status, stdout, stderr } = await shown(program, words, dir);
          // A file that is wrong is sent in part, and no more than that; who has hung up may still be told to discard it.
          const all = file === 'good' && !what.startsWith('hangs up');
          const sent = sw.heard().filter((each) => all || isCommit(each));
          seen.push({ status, stdout, stderr, sent });
        }
        t.deepEqual(seen[1], seen[0], words.join(' '));
        // Or it would be the same for another reason.
        if (file === 'good' && option === '')
          t.true(told(what, seen[1]), JSON.stringify(seen[1]).slice(-500));
      }
    }
  });
}

/** What comes of the good file. */
function told(what: string, { status, stderr }: { status: number | null; stderr: string }): boolean {
  if (what === 'takes all') return status === 0 && stderr === '';
  if (what === 'refuses each flow')
    return status === 1 && stderr.split('Error OFPBRC_BAD_TYPE').length === COUNT + 1;
  return status === 1 && stderr !== '';
}

/** Is it the message that makes a bundle count? */
const isCommit = (hex: string): boolean => /^0[5-6]21.{12}00000000(0004|0005)/.test(hex);

test('a switch that refuses at length, and takes no more before that is heard, is heard', async (t) => {
  // The peer's tool and such a switch wait for each other.
  const dir = tmpDir(t);
  fs.writeFileSync(path.join(dir, 'good'), FILES['good']);
  const sw = await unrulySwitch(t, dir);
  const answers = bundle({ add: (q) => [q.say(1, `00010001${'00'.repeat(2000)}`)] });
  for (const names of ['--names', '--no-names']) {
    sw.answerWith((q) => (q.stats === undefined ? answers(q) : [q.part(q.stats, NAMES[q.stats] ?? '')]));
    const seen = await shown(OURS, ['--bundle', names, 'add-flows', 'br0', 'good'], dir);
    t.true(told('refuses each flow', seen), seen.stderr.slice(-500));
  }
});

needingPeer('a bundle from a file to a bridge that is not there: told as by the peer', async (t) => {
  const dir = tmpDir(t);
  for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(dir, name), text);
  for (const file of Object.keys(FILES)) {
    for (const names of ['--names', '--no-names']) {
      const words = ['--bundle', names, 'add-flows', 'br0', file];
      t.deepEqual(await shown(OURS, words, dir), await shown(PEERS, words, dir), words.join(' '));
    }
  }
});
