/** `ovs-ofctl monitor --detach` and its control commands, beside the peer's on the peer's switch. */
import fs from 'node:fs';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  checkoutRoot,
  needing,
  type Peer,
  peerPath,
  run,
  startPeer,
  tmpDir,
} from '@ovs-node/common/testkit/index';

type Command = readonly string[];
const ours: Command = [process.execPath, path.join(checkoutRoot(), 'bin/ovs-ofctl')];
const theirs: Command = [peerPath('ovs-ofctl') ?? ''];

const PACKET = 'packet=505400000007505400000005080000';

/** Lines for `ovs-appctl -t ovs-ofctl`, or for `ovs-vsctl`; each after the one before it. */
const SCRIPT: readonly (readonly string[])[] = [
  ['ofctl/send', '0105000800000001'],
  ['ofctl/barrier'],
  ['ofctl/send', '0105'],
  ['ofctl/send', '01050008000000zz'],
  ['ofctl/send'],
  ['ofctl/send', '0105000900000001'],
  ['ofctl/packet-out', `in_port=1 ${PACKET} actions=controller`],
  ['ofctl/barrier'],
  ['ofctl/packet-out', `in_port=1 ${PACKET} reg0=5 actions=2`],
  ['ofctl/packet-out', ''],
  ['ofctl/packet-out', 'in_port=1 packet=00 actions=2'],
  ['ofctl/block'],
  ['ofctl/block'],
  ['ofctl/send', '010200090000000311'],
  ['ofctl/unblock'],
  ['ofctl/unblock'],
  ['ofctl/barrier'],
  ['ofctl/set-output-file', '/nonexistent/file'],
  ['ofctl/set-output-file', 'OUT'],
  ['ofctl/barrier'],
  ['exit'],
];

/**
 * What follows `monitor br0`, a script, and how it is started. A daemon's console is off: what is logged is seen of one in
 * the foreground. Of one that is unread nobody reads what it prints.
 */
type Scenario = readonly [
  words: readonly string[],
  script: typeof SCRIPT,
  start?: 'in the foreground' | 'unread',
];

/** Looks whether a file is there, or gone, for as long as a busy machine may take. */
async function waitForFile(file: string, isThere: boolean): Promise<void> {
  for (let i = 0; i < 1500 && fs.existsSync(file) !== isThere; i++)
    await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Runs the script; the text of all there is to see. */
async function transcript(
  t: ExecutionContext,
  peer: Peer,
  ofctl: Command,
  [words, script, how]: Scenario,
): Promise<string> {
  const dir = tmpDir(t);
  const [out, err] = [path.join(dir, 'out'), path.join(dir, 'err')];
  // The daemon goes on printing to the standard error it was started with: a file, or its starter would wait for it.
  const detach = how === undefined ? ['--detach'] : [];
  const args = [...ofctl, 'monitor', 'br0', ...words, ...detach, '--pidfile', '--no-chdir'];
  const start = {
    detached: `exec "$@" 2>${err}`,
    'in the foreground': `"$@" >&- 2>${err} &`,
    unread: `"$@" 2>&1 >&- | : > ${err} &`,
  }[how ?? 'detached'];
  const started = await run('sh', ['-c', start, 'sh', ...args], { env: peer.env });
  const pidfile = path.join(peer.dir, 'ovs-ofctl.pid');
  await waitForFile(pidfile, true);
  const pid = fs.readFileSync(pidfile, 'utf8').trim();
  await waitForFile(path.join(peer.dir, `ovs-ofctl.${pid}.ctl`), true);
  let text = `start ${started.status} ${started.stdout}\n`;
  for (const line of script) {
    const args = line.map((word) => (word === 'OUT' ? out : word));
    const r = line[0]!.endsWith('-br')
      ? await peer.tool('ovs-vsctl', args)
      : await peer.tool('ovs-appctl', ['-t', 'ovs-ofctl', ...args]);
    text += `$ ${line.join(' ')}\n${r.stdout}${r.stderr}= ${r.status}\n`;
    // What comes of a packet comes when it does.
    if (line[0] === 'ofctl/packet-out') await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await waitForFile(pidfile, false);
  text += `pidfile left: ${fs.existsSync(pidfile)}\n`;
  return `${text}${fs.readFileSync(err, 'utf8')}= standard error\n${fs.readFileSync(out, 'utf8')}`;
}

/** Packets that wait for their controller, with user data, long and short, on a connection of OpenFlow 1.0. */
const RESUMED: Scenario = [
  ['resume', '-m'],
  [
    ['ofctl/set-output-file', 'OUT'],
    ['ofctl/packet-out', `in_port=2 ${PACKET} actions=load:5->NXM_NX_REG0[],push:NXM_NX_REG0[],TABLE`],
    ['ofctl/barrier'],
    ['ofctl/packet-out', `in_port=1 ${PACKET} actions=TABLE`],
    ['ofctl/barrier'],
    ['exit'],
  ],
];

/** What is logged goes to the file of what is printed. */
const LOGGED: Scenario = [
  ['65534'],
  [
    ['vlog/set', 'PATTERN:console:%c|%p|%m'],
    ['ofctl/barrier'],
    ['ofctl/set-output-file', 'OUT'],
    ['vlog/set', 'vconn:console:dbg'],
    ['ofctl/barrier'],
    ['vlog/set', 'vconn:console:off'],
    ['exit'],
  ],
  'in the foreground',
];

/** It goes on when nobody reads it; what ends it is told where all else is. */
const UNREAD: Scenario = [
  ['65534'],
  [
    ['ofctl/barrier'],
    ['vlog/set', 'vconn:console:dbg'],
    ['ofctl/barrier'],
    ['vlog/set', 'vconn:console:off'],
    ['ofctl/set-output-file', 'OUT'],
    ['ofctl/barrier'],
    ['del-br', 'br0'],
    ['add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=dummy'],
  ],
  'unread',
];

/** Names are asked for once, when there is something to print, and let what comes meanwhile wait. */
const NAMED: Scenario = [
  ['--names', '-m'],
  [
    ['ofctl/set-output-file', 'OUT'],
    ['ofctl/send', '010f0020000000070001aa55aa55000100000000000000000000000000000000'],
    ['ofctl/block'],
    ['ofctl/packet-out', `in_port=p1 ${PACKET} actions=output:p2`],
    ['ofctl/send', '0112000800000009', '0112000800000010'],
    ['ofctl/unblock'],
    ['ofctl/barrier'],
    ['ofctl/packet-out', `in_port="p2" ${PACKET} actions=controller`],
    ['ofctl/barrier'],
    ['exit'],
  ],
];

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'its control commands': [['65534'], SCRIPT],
  'packets that it sends back': RESUMED,
  'names of its ports': NAMED,
  'where its log goes': LOGGED,
  'nobody to read it': UNREAD,
};

needing(
  test,
  'peer',
  'unix',
)('monitor --detach, its control commands, and packets that it sends back: as the peer', async (t) => {
  t.timeout(60_000);
  const peer = await startPeer(tmpDir(t));
  t.teardown(() => peer.stop());
  const bridge =
    'add-br br0 -- set bridge br0 datapath_type=dummy fail_mode=secure -- add-port br0 p1 -- set int p1 type=dummy ofport_request=1 -- add-port br0 p2 -- set int p2 type=dummy ofport_request=2';
  t.is((await peer.tool('ovs-vsctl', bridge.split(' '))).status, 0);
  const flows = [
    'in_port=1,actions=controller(pause,userdata=01.02,max_len=9),resubmit(,1)',
    'in_port=2,actions=controller(pause,userdata=03),resubmit(,1)',
    'table=1,actions=controller(userdata=04)',
  ];
  for (const flow of flows) t.is((await peer.tool('ovs-ofctl', ['add-flow', 'br0', flow])).status, 0);
  for (const [name, scenario] of Object.entries(SCENARIOS))
    t.is(await transcript(t, peer, ours, scenario), await transcript(t, peer, theirs, scenario), name);
});

/** Words of a daemon that cannot be as they say. */
const IMPOSSIBLE: readonly (readonly string[])[] = [
  ['--unixctl=/nonexistent/ü.ctl'],
  ['--detach', '--unixctl=/nonexistent/x.ctl'],
  ['--pidfile=/nonexistent/ü.pid', '--unixctl=/nonexistent/x.ctl'],
  ['--detach', '--pidfile=/nonexistent/x.pid'],
];

needing(
  test,
  'peer',
  'unix',
)(
  'what the switch says is told before what is wrong with the pidfile and the control socket: as by the peer',
  async (t) => {
    t.timeout(60_000);
    const peer = await startPeer(tmpDir(t));
    t.teardown(() => peer.stop());
    await peer.tool('ovs-vsctl', 'add-br br0 -- set bridge br0 datapath_type=dummy'.split(' '));
    const told = async (ofctl: Command, words: readonly string[]): Promise<string> => {
      const { status, stderr } = await run(ofctl[0]!, [...ofctl.slice(1), ...words], { env: peer.env });
      return `${status} ${stderr.replaceAll(/^.*?Z\|/gm, '')}`;
    };
    const targets = [
      ['monitor', 'nobr'],
      ['snoop', 'nobr'],
      ['monitor', 'br0', 'nonsense'],
      ['monitor', 'br0', 'watch:nonsense'],
      ['monitor', 'br0', '65534'],
    ];
    for (const target of targets) {
      for (const words of IMPOSSIBLE) {
        const all = [...target, ...words];
        t.is(await told(ours, all), await told(theirs, all), all.join(' '));
      }
    }
  },
);
