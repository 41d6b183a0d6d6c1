/** ovs-ofctl, command line by command line: whoever's tool and whoever's daemons, the text is the peer's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, dirsAt, runCommand, type Side, Suite } from '@ovs-node/ctl-tools/lab/suite';
import { OFFLINE_SCRIPT, type ScriptLine } from './lib/ofctl-script.js';
import { PEER, testWith } from './lib/requires.js';

/** Modules of the peer that explain on the console what they could not decode; the answer itself is compared. */
const EXPLAINS = /^TIME\|(?:ofp_\w+|nx_match|stream_\w+)\|.*\n/gm;

/** Takes out what differs from run to run and from machine to machine. */
function normalize(text: string, dir: string): string {
  return (
    text
      .replaceAll(dir, 'DIR')
      .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, 'TIME|')
      .replace(EXPLAINS, '')
      // getopt puts the path of the program first, the rest of the peer its name.
      .replace(/^\/\S*\/(?=ovs-ofctl: )/gm, '')
      .replace(/duration=[0-9.]+s/g, 'duration=Xs')
      .replace(/(idle_age|hard_age)=\d+/g, '$1=X')
      .replace(/time=[0-9.]+ ms/g, 'time=X ms')
  );
}

/** Runs a script with the tools of one side in the environment of a suite. */
async function play(script: readonly ScriptLine[], tools: Suite, env: Suite, dir: string): Promise<string[]> {
  const texts: string[] = [];
  for (const { words, input } of script) {
    const [file, ...before] = tools.command(words[0] as string);
    const args = [...before, ...words.slice(1)];
    const { stdout, stderr, status } = await runCommand(file, args, {
      env: env.env,
      input,
      timeoutMs: 10_000,
    });
    const text = `${normalize(stdout, dir)}---\n${normalize(stderr, dir)}status ${status}`;
    texts.push(`$ ${words.join(' ')}${input === '' ? '' : ` <<< ${JSON.stringify(input)}`}\n${text}`);
  }
  return texts;
}

function suiteIn(dir: string, side: Side): Suite {
  return new Suite({ root: checkout, side, dirs: dirsAt(dir), vswitchdArgs: [] });
}

testWith(PEER)('ovs-ofctl without a switch: every command line as the peer', async (t) => {
  t.timeout(240_000);
  const dir = mkdtempSync(join(tmpdir(), 'ovs-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const [ours, theirs] = [suiteIn(dir, 'ours'), suiteIn(dir, 'peer')];
  const got = await play(OFFLINE_SCRIPT, ours, ours, dir);
  const wanted = await play(OFFLINE_SCRIPT, theirs, ours, dir);
  for (const [i, text] of got.entries())
    if (text !== wanted[i]) t.log(`${text}\n--- the peer ---\n${wanted[i]}`);
  t.deepEqual(got, wanted);
});
