/** ovs-ofctl, command line by command line: whoever's tool and whoever's daemons, the text is the peer's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, dirsAt, runCommand, type Side, Suite } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import {
  OFFLINE_SCRIPT,
  OTHER_SCRIPT,
  type ScriptLine,
  versionScript,
  VERSIONS,
} from './lib/ofctl-script.js';
import { PEER, testWith } from './lib/requires.js';
import { sameTexts } from './lib/transcript.js';

/** Commands whose answer comes in the order of the switch's hash tables, which differs from time to time. */
const UNORDERED = /dump-groups|dump-group-stats|dump-meters|meter-stats|--no-stats --sort dump-flows/;
/** Where the log of the conversation shows it, too. */
const UNORDERED_LOGS = /dump-groups|dump-group-stats|dump-meters|meter-stats|replace-flows|--sort dump-flows/;

/** What a conversation with a switch is told of by: the stream, the connection, each message. */
const CONVERSATION = ['ofctl', 'vconn', 'stream_unix'].map((module) => `-v${module}:console:dbg`);

/** Takes out what differs from run to run and from machine to machine. */
function normalize(text: string, dir: string): string {
  return (
    text
      .replaceAll(dir, 'DIR')
      .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|\d+\|/gm, 'TIME|')
      // getopt puts the path of the program first, the rest of the peer its name.
      .replace(/^\/\S*\/(?=ovs-ofctl: )/gm, '')
      .replace(/duration=[0-9.]+s/g, 'duration=Xs')
      .replace(/duration:[0-9.]+s/g, 'duration:Xs')
      // There only when a flow was changed a second ago or more.
      .replace(/ hard_age=\d+,/g, '')
      .replace(/idle_age=\d+/g, 'idle_age=X')
      .replace(/Finished in .*/g, 'Finished')
      .replace(/aa:55:aa:55:00:[0-9a-f]{2}/g, 'MAC')
      .replace(/time=[0-9.]+ ms/g, 'time=X ms')
      // The switch counts them for all its connections.
      .replace(/(received: OFPT_HELLO (?:\(OF1.\d\) )?)\(xid=0x[0-9a-f]+\)/g, '$1(xid=X)')
      .replace(/lookup=\d+, matched=\d+/g, 'lookup=X')
  );
}

/** Runs a script with the tools of one side in the environment of a suite. */
async function play(
  script: readonly ScriptLine[],
  tools: Suite,
  env: Suite,
  dir: string,
  options: readonly string[] = [],
): Promise<string[]> {
  const texts: string[] = [];
  for (const { words, input } of script) {
    const [file, ...toolArgs] = tools.command(words[0] as string);
    const before = words[0] === 'ovs-ofctl' ? [...toolArgs, ...options] : toolArgs;
    const args = [...before, ...words.slice(1).map((word) => word.replace('RUNDIR', env.dirs.run))];
    const { stdout, stderr, status } = await runCommand(file, args, {
      env: env.env,
      input,
      timeoutMs: 10_000,
    });
    const printed = normalize(stdout, dir);
    const shown = UNORDERED.test(words.join(' ')) ? printed.split('\n').toSorted().join('\n') : printed;
    const told = options.length > 0 && UNORDERED_LOGS.test(words.join(' ')) ? '' : normalize(stderr, dir);
    const text = `${shown}---\n${told}status ${status}`;
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
  sameTexts(t, got, wanted);
});

/** Makes bridge br0 anew, with its ports, by the tools of the side that runs it. */
async function makeBridge(suite: Suite): Promise<void> {
  const ovsVsctl = async (...args: string[]): Promise<void> => {
    const { status, stderr } = await suite.run('ovs-vsctl', args);
    if (status !== 0) throw new Error(`ovs-vsctl ${args.join(' ')}: ${stderr}`);
  };
  await ovsVsctl('--if-exists', 'del-br', 'br0');
  const bridge = [
    'datapath_type=dummy',
    'fail_mode=secure',
    `protocols=${VERSIONS.join(',')}`,
    'other_config:hwaddr=aa:55:aa:55:00:00',
    'other_config:datapath-id=0000aa55aa550000',
  ];
  const ports = ['p1', 'p2', 'odd name'].flatMap((name, i) =>
    `-- add-port br0 NAME -- set interface NAME type=dummy ofport_request=${i + 1}`
      .split(' ')
      .map((word) => word.replace('NAME', name)),
  );
  await ovsVsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', ...bridge, ...ports);
}

/** Both tools do `script` on a switch, each on a bridge of its own, and say the same. */
function sameOnSwitch(
  side: Side,
  name: string,
  script: readonly ScriptLine[],
  options: readonly string[] = [],
): void {
  testWith(PEER)(
    `ovs-ofctl on the switch of ${side}, ${name}: every command line as the peer's tool`,
    (t) => {
      t.timeout(400_000);
      return withSuite(
        t,
        { side, vswitchdArgs: ['--enable-dummy'], expectedWarnings: [/./] },
        async (suite, dir) => {
          const transcripts: string[][] = [];
          for (const tools of ['peer', 'ours'] as const) {
            await makeBridge(suite);
            transcripts.push(await play(script, suiteIn(dir, tools), suite, dir, options));
          }
          const [wanted, got] = transcripts;
          sameTexts(t, got, wanted);
        },
      );
    },
  );
}

for (const version of VERSIONS) sameOnSwitch('peer', version, versionScript(version));
sameOnSwitch('peer', 'versions mixed', OTHER_SCRIPT);
// Some of the versions: what differs between them is how messages are printed, which other tests compare.
for (const version of ['OpenFlow10', 'OpenFlow14'] as const)
  sameOnSwitch('peer', `${version}, the conversation`, versionScript(version), CONVERSATION);
// Whatever a switch of ours answers, both tools print it the same way.
for (const version of VERSIONS) sameOnSwitch('ours', version, versionScript(version));
