/** ovs-vsctl, command line by command line: whoever's tool and whoever's daemons, the text is the peer's. */
import type { ExecutionContext } from 'ava';
import { type Side, type Suite, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { VSCTL_SCRIPT } from './lib/vsctl-script.js';

const peerTest = testWith(PEER);

/** Takes out what differs from run to run, and brings into an order what has none. */
function normalize(args: readonly string[], text: string, dir: string): string {
  const plain = text
    .replaceAll(dir, 'DIR')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    // Time and number of a log line: the peer counts lines that went elsewhere.
    .replace(/^\d{4}-\d\d-\d\dT[\d:]+Z\|\d+\|/gm, 'TIME|')
    // getopt puts the path of the program first, the rest of the peer its name.
    .replace(/^\/\S*\/(?=ovs-vsctl: )/gm, '')
    .replace(/"[0-9a-f]{16}"/g, '"DPID"')
    .replace(/ovs_version: .*/g, 'ovs_version: V')
    .replace(/^(iface_types +): .*/gm, '$1: TYPES')
    .replace(/^(bond_active_slave +): .*/gm, '$1: MAC');
  if (args.includes('show')) return tree(plain.split('\n'), 0).join('\n');
  // Rows come in the order of the peer's hash table: as lists, records are sorted, else lines.
  if (/: .*\n\n/.test(plain))
    return plain
      .split('\n\n')
      .map((part) => part.trim())
      .toSorted()
      .join('\n\n');
  return plain.split('\n').toSorted().join('\n');
}

/** A text whose structure is its indentation, with the branches of each level in order. */
function tree(lines: readonly string[], depth: number): string[] {
  const branches: string[][] = [];
  for (const line of lines) {
    if (/^ */.exec(line)![0].length > depth) branches.at(-1)?.push(line);
    else branches.push([line]);
  }
  return branches
    .map(([head, ...rest]) => [head as string, ...(rest.length === 0 ? [] : tree(rest, depth + 4))])
    .toSorted((a, b) => (a.join('\n') < b.join('\n') ? -1 : 1))
    .flat();
}

/** What `tools` say to the whole script, run against the daemons of `daemons`. */
async function transcript(t: ExecutionContext, daemons: Side, tools: Side): Promise<string[]> {
  const lines: string[] = [];
  await withSuite(
    t,
    { side: daemons, vswitchdArgs: ['--enable-dummy'], expectedWarnings: EXPECTED_WARNINGS },
    (suite, dir) =>
      withSuite(t, { side: tools, start: false }, async (toolbox) => {
        const [file, ...before] = toolbox.command('ovs-vsctl');
        for (const args of VSCTL_SCRIPT) {
          const result = await runCommand(file, [...before, ...args], { env: suite.env, timeoutMs: 10_000 });
          const text = normalize(args, result.stdout + result.stderr, dir);
          lines.push(`$ ovs-vsctl ${args.join(' ')}\n${text}\nstatus ${result.status}`);
        }
      }),
  );
  return lines;
}

/** The script adds bonds, interfaces that do not exist, a bridge with a bad name, and controllers that nobody is. */
const EXPECTED_WARNINGS = [
  /\|bridge\|WARN\|port \w+: bonds are not supported yet/,
  /\|bridge\|WARN\|could not open network device (px|a1|a2) \(No such device\)$/,
  /\|bridge\|WARN\|ignoring bridge with invalid name "a\/b"$/,
  /\|rconn\|WARN\|br\d<->tcp:127\.0\.0\.1:\d+: connection failed \(Connection refused\)$/,
];

let reference: Promise<string[]> | undefined;

for (const [daemons, tools] of [
  ['peer', 'ours'],
  ['ours', 'ours'],
  ['ours', 'peer'],
] as const satisfies readonly (readonly [Side, Side])[]) {
  peerTest(`ovs-vsctl of ${tools} on daemons of ${daemons}: every command line as the peer's`, async (t) => {
    reference ??= transcript(t, 'peer', 'peer');
    const wanted = await reference;
    const got = await transcript(t, daemons, tools);
    const different = got.flatMap((text, i) =>
      text === wanted[i] ? [] : [{ got: text, wanted: wanted[i] }],
    );
    for (const each of different) t.log(`${each.got}\n--- the peer ---\n${each.wanted}`);
    t.is(different.length, 0, `of ${got.length}`);
  });
}

/** Lines of the peer's help for commands that are not here (the README lists them). */
const NOT_HERE = /^(Auto Attach commands:|  (add|del|get)-aa-mapping .*)\n/gm;

peerTest('ovs-vsctl --help: the text of the peer', async (t) => {
  await withSuite(t, { side: 'ours', start: false }, (ours, dir) =>
    withSuite(t, { side: 'peer', start: false }, async (peer) => {
      const help = async (suite: Suite): Promise<string> => {
        const [file, ...before] = suite.command('ovs-vsctl');
        const { stdout } = await runCommand(file, [...before, '--help'], {
          env: { ...ours.env, OVS_RUNDIR: dir },
        });
        return stdout;
      };
      t.is(
        await help(ours),
        (await help(peer)).replace(NOT_HERE, '').replace('\n\nSwitch commands', '\nSwitch commands'),
      );
    }),
  );
});
