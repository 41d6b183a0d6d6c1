/** Lines that come over a pipe in their own time: what is wrong with one is told at once, as by the peer. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import test from 'ava';
import { checkoutRoot, needing, peerPath, run, tmpDir } from '@ovs-node/common/testkit/index';

const needingPeer = needing(test, 'peer');
const OURS = [process.execPath, path.join(checkoutRoot(), 'bin/ovs-ofctl')];

interface Case {
  readonly words: readonly string[];
  /** What is written before the rest of the text is waited for. */
  readonly written: string;
}

/** A switch that is not talked to: the text is wrong before. */
const NOBODY = 'tcp:127.0.0.1:1';

const CASES: readonly Case[] = [
  { words: ['parse-flows', '-'], written: 'actions=drop\n# nothing\nfoo\n' },
  { words: ['parse-flows', '/dev/stdin'], written: 'actions=drop\n\nfoo\nactions=drop' },
  { words: ['diff-flows', '/dev/stdin', '/dev/null'], written: 'actions=drop\nfoo\n' },
  { words: ['replace-flows', NOBODY, '/dev/stdin'], written: 'foo\n' },
  { words: ['--no-names', 'add-flow', NOBODY, '-'], written: 'actions=drop\nfoo\n' },
  { words: ['--no-names', 'add-flows', NOBODY, '-'], written: 'actions=drop\nfoo\n' },
  { words: ['--no-names', '--bundle', 'add-flows', NOBODY, '-'], written: 'actions=drop\nfoo\n' },
  { words: ['--no-names', 'mod-flows', NOBODY, '-'], written: 'actions=drop\nfoo\n' },
  { words: ['--no-names', 'del-flows', NOBODY, '-'], written: 'table=1\nfoo\n' },
  { words: ['--no-names', 'add-groups', NOBODY, '-'], written: 'group_id=1,type=all\nfoo\n' },
  { words: ['--no-names', 'mod-group', NOBODY, '-'], written: 'group_id=1,type=all\nfoo\n' },
  { words: ['--no-names', 'bundle', NOBODY, '-'], written: 'flow actions=drop\nfoo\n' },
  { words: ['parse-nxm'], written: '# a comment\nNXM_OF_IN_PORT(0001)\n\nNXM_OF(1)\n' },
  { words: ['parse-oxm', 'OpenFlow12'], written: 'OXM_OF_IN_PORT(00000001)\nOXM(1)\n' },
  { words: ['parse-actions', 'OpenFlow10'], written: '0000000800010000\nno hex\n' },
  { words: ['parse-instructions', 'OpenFlow13'], written: '# none\nno hex\n' },
  { words: ['parse-ofp10-match'], written: '00\n' },
  { words: ['parse-ofp11-match'], written: 'no hex\n' },
  { words: ['ofp-print', '-'], written: '0102\n0304\n' },
];

/** What a program says that is left waiting for the rest of its standard input, after a minute of which it is killed. */
function untilItEnds([file, ...before]: readonly string[], { words, written }: Case): Promise<unknown> {
  return new Promise((resolve) => {
    const child = spawn(file!, [...before, ...words], { timeout: 60_000 });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString('latin1')));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString('latin1')));
    child.stdin.on('error', () => undefined);
    child.stdin.write(written);
    child.once('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

for (const { words, written } of CASES) {
  needingPeer(`${words.join(' ')}: ends at the line that is its last`, async (t) => {
    const [ours, peers] = await Promise.all(
      [OURS, [peerPath('ovs-ofctl')!]].map((program) => untilItEnds(program, { words, written })),
    );
    t.deepEqual(ours, peers);
    t.like(peers, { signal: null });
  });
}

needing(test, 'unix')('what a line says is printed before the next one comes', async (t) => {
  const child = spawn(OURS[0]!, [OURS[1]!, 'parse-nxm'], { timeout: 60_000 });
  let printed = '';
  const line = (text: string): Promise<string> => {
    child.stdin.write(text);
    return new Promise((resolve) => {
      child.stdout.once('data', (data: Buffer) => resolve((printed += data.toString())));
      child.once('close', () => resolve(printed));
    });
  };
  t.is(await line('NXM_OF_IN_PORT(0001)\n'), 'NXM_OF_IN_PORT(0001)\n');
  // A line that is not whole waits for its end.
  child.stdin.write('NXM_OF_IN_');
  t.is(await line('PORT(0002)\n'), 'NXM_OF_IN_PORT(0001)\nNXM_OF_IN_PORT(0002)\n');
  child.stdin.end();
});

needingPeer(
  'a text longer than a pipe holds is read like a file, again where the protocol comes late',
  async (t) => {
    const flows = Array.from({ length: 5000 }, (_, i) => `priority=${i},tcp,actions=output:${i}\n`);
    // What only later protocols can say stands near the end.
    flows.push('in_port=1,actions=set_field:2->reg1,goto_table:3\n', 'actions=drop');
    const input = flows.join('');
    const dir = tmpDir(t);
    const parsed = ([file, ...before]: readonly string[]): Promise<unknown> =>
      run(file!, [...before, '-O', 'OpenFlow10,OpenFlow13', 'parse-flows', '-'], { cwd: dir, input });
    t.deepEqual(await parsed(OURS), await parsed([peerPath('ovs-ofctl')!]));
  },
);
