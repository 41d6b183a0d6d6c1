/** ovs-vsctl, command line by command line: whoever's tool and whoever's daemons, the text is the peer's. */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { checkoutRoot, peerPath, tmpDir } from '@ovs-node/common/testkit/index';
import { type Suite, runCommand } from '@ovs-node/ctl-tools/lab/suite';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { comparedWithPeer, play } from './lib/transcript.js';
import { VSCTL_SCRIPT } from './lib/vsctl-script.js';

const peerTest = testWith(PEER);

const SCRIPT = VSCTL_SCRIPT.map((args) => ['ovs-vsctl', ...args]);

/** Takes out what differs from run to run, and brings into an order what has none. */
function normalize(line: readonly string[], text: string, dir: string): string {
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
    .replace(/^(bond_active_slave +): .*/gm, '$1: MAC')
    // Told of every 5 seconds: a busy machine may get that far.
    .replace(/^(statistics +): \{tx_bytes=0, tx_packets=0\}$/gm, '$1: {}');
  if (line.includes('show')) return tree(plain.split('\n'), 0).join('\n');
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

/** The script adds bonds, interfaces that do not exist, a bridge with a bad name, and controllers that nobody is. */
const EXPECTED_WARNINGS = [
  // set-ssl names files that are not there.
  /\|stream_ssl\|ERR\|(SSL_use_\w+_file|failed to load client certificates from \w): error:/,
  /\|bridge\|WARN\|port \w+: bonds are not supported yet/,
  /\|bridge\|WARN\|could not open network device (px|a1|a2) \(No such device\)$/,
  /\|bridge\|WARN\|ignoring bridge with invalid name "a\/b"$/,
  /\|rconn\|WARN\|br\d<->tcp:127\.0\.0\.1:\d+: connection failed \(Connection refused\)$/,
];

comparedWithPeer(
  (tools, daemons) => `ovs-vsctl of ${tools} on daemons of ${daemons}: every command line as the peer's`,
  (t, daemons, tools) =>
    withSuite(
      t,
      { side: daemons, vswitchdArgs: ['--enable-dummy'], expectedWarnings: EXPECTED_WARNINGS },
      (suite, dir) =>
        withSuite(t, { side: tools, start: false }, (toolbox) =>
          play(suite, toolbox, SCRIPT, ({ stdout, stderr }, line) => normalize(line, stdout + stderr, dir)),
        ),
    ),
);

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
      t.is(await help(ours), await help(peer));
    }),
  );
});

/** Commands whose arguments the peer does not tell. */
const UNTOLD = /^(.*,(?:add-zone-tp|del-zone-tp|list-zone-tp|list-dp-cap),).*$/gm;

peerTest('ovs-vsctl --commands, --options: what completion reads is what the peer has', async (t) => {
  await withSuite(t, { side: 'ours', start: false }, (ours) =>
    withSuite(t, { side: 'peer', start: false }, async (peer) => {
      for (const option of ['--commands', '--options']) {
        const text = async (suite: Suite): Promise<string[]> => {
          const [file, ...before] = suite.command('ovs-vsctl');
          const { stdout } = await runCommand(file, [...before, option], { env: ours.env });
          return stdout.replace(UNTOLD, '$1').split('\n').toSorted();
        };
        t.deepEqual(await text(ours), await text(peer));
      }
    }),
  );
});

/** Command lines that fail without a server. */
const WRONG: readonly (readonly string[])[] = [
  [],
  ['no-such-command'],
  ['add-br'],
  ['get', 'bridge'],
  ['list-br', '--no-such-option'],
  ['--may-exist', 'list-br'],
  ['--no-such-option', 'list-br'],
  ['--timeout=x', 'list-br'],
  ['--format=x', 'list', 'bridge'],
  ['--db=unix:/nonexistent', 'list-br'],
  ['--db=tcp:x', 'list-br'],
  ['--db=what:', 'list-br'],
];

peerTest('ovs-vsctl tells the log what is wrong', async (t) => {
  const dir = tmpDir(t);
  const told = async ([file, ...before]: readonly string[], words: readonly string[]): Promise<unknown> => {
    const log = path.join(dir, 'log');
    const { status, stderr } = await runCommand(file!, [...before, `--log-file=${log}`, ...words]);
    const text = readFileSync(log, 'latin1');
    rmSync(log);
    return [status, stderr, text].map((part) =>
      String(part)
        .replace(/^\d{4}\S*Z\|/gm, '')
        .replace(log, 'LOG')
        .replace(/^\/\S*\/(?=ovs-vsctl: )/, ''),
    );
  };
  const ours = [process.execPath, path.join(checkoutRoot(), 'bin/ovs-vsctl')];
  for (const words of WRONG)
    t.deepEqual(await told(ours, words), await told([peerPath('ovs-vsctl')!], words), words.join(' '));
});

peerTest('ovs-vsctl tells the log and the database who changed what', async (t) => {
  await withSuite(t, { side: 'peer', start: false }, async (daemons) => {
    await daemons.createDatabase();
    await daemons.startDetached('ovsdb-server');
    await daemons.vsctl('--no-wait', 'init');
    const lines: string[][] = [];
    for (const side of ['ours', 'peer'] as const) {
      await withSuite(t, { side, start: false }, async (tools) => {
        const [file, ...before] = tools.command('ovs-vsctl');
        const level = '-vvsctl:console:info';
        const run = async (...args: string[]): Promise<string> =>
          (await runCommand(file, [...before, '--no-wait', level, ...args], { env: daemons.env })).stderr;
        const texts = [
          await run('set', 'open', '.', `external_ids:a=it's "${side.length}" \\ x`, 'external_ids:b=$;'),
          await run('get-ssl'),
          await run('list-br', '--', 'del-ssl'),
        ];
        const log = await runCommand('ovsdb-tool', ['show-log', `${daemons.dirs.db}/conf.db`], {
          env: daemons.env,
        });
        const comment = log.stdout.trimEnd().split('\n').at(-1)!;
        lines.push(
          [...texts, comment].map((text) =>
            text.replace(/^\d{4}\S*Z\|\d+|^record \d+: \S+ \S+/gm, '').replaceAll('/usr/bin/', ''),
          ),
        );
      });
    }
    t.deepEqual(lines[0], lines[1]);
    t.regex(
      lines[0]![0]!,
      /\|vsctl\|INFO\|Called as ovs-vsctl --no-wait .* "external_ids:a=it's \\"4\\" \\\\ x" external_ids:b=\$;\n$/,
    );
  });
});
