/** ovsdb-client, command line by command line: whoever's tool and whoever's server, the text is the peer's. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Side, type Suite, runCommand, waitFor } from '@ovs-node/ctl-tools/lab/suite';
import { TABLE_FORMATS } from '@ovs-node/ctl-tools/lib/table';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { comparedWithPeer, play } from './lib/transcript.js';
import { words } from './lib/vsctl-script.js';

/** Each line sees what those before it did; a line of ovs-vsctl is there for what it does. */
const SCRIPT = String.raw`
ovs-vsctl --no-wait add-br b1 -- set bridge b1 external-ids:a=b other-config:x="y z"
ovs-vsctl --no-wait add-br b2 -- add-port b2 p1 tag=7 trunks=1,2,3
ovsdb-client list-dbs
ovsdb-client list-dbs x
ovsdb-client list-dbs x y
ovsdb-client get-schema
ovsdb-client get-schema Open_vSwitch
ovsdb-client get-schema nodb
ovsdb-client get-schema x y
ovsdb-client get-schema-version
ovsdb-client get-schema-cksum
ovsdb-client list-tables
ovsdb-client list-tables --format=csv
ovsdb-client list-tables x y
ovsdb-client list-columns
ovsdb-client list-columns Bridge
ovsdb-client list-columns Open_vSwitch Bridge
ovsdb-client list-columns nope
ovsdb-client list-columns a b c
ovsdb-client dump
ovsdb-client dump Bridge
ovsdb-client dump Open_vSwitch Bridge name
ovsdb-client dump Bridge name external_ids
ovsdb-client dump Bridge nocol
ovsdb-client dump nodb
ovsdb-client dump x y z
ovsdb-client --format=list dump Bridge name other_config
ovsdb-client --format=html dump Bridge name external_ids
ovsdb-client --format=csv dump Bridge name other_config
ovsdb-client --format=json dump Bridge name
ovsdb-client --pretty --format=json dump Bridge name external_ids
ovsdb-client --data=json dump Bridge name external_ids
ovsdb-client --data=bare dump Port name trunks
ovsdb-client --format=json dump Open_vSwitch
ovsdb-client --data=json list-tables
ovsdb-client --data=json list-columns Bridge
ovsdb-client --data=json --timeout=1 monitor Bridge name,external_ids
ovsdb-client --no-headings dump Bridge name
ovsdb-client --format=nope dump
ovsdb-client --data=nope dump
ovsdb-client transact ["Open_vSwitch",'{"op":"select","table":"Bridge","where":[["name","==","b1"]],"columns":["name","external_ids"]}]'
ovsdb-client --pretty transact '["Open_vSwitch",{"op":"select","table":"Bridge","where":[["name","==","b1"]],"columns":["ports","external_ids"]}]'
ovsdb-client transact '["Open_vSwitch",{"op":"insert","table":"Port","row":{"name":"x"}}]'
ovsdb-client transact '["Open_vSwitch",{"op":"update","table":"Bridge","where":[],"row":{"fail_mode":"nope"}}]'
ovsdb-client transact '["Open_vSwitch",{"op":"x"}]'
ovsdb-client transact '["Open_vSwitch",{"op":"comment","comment":"hello"},{"op":"abort"}]'
ovsdb-client transact '["Open_vSwitch"]'
ovsdb-client transact '["nodb"]'
ovsdb-client transact '[]'
ovsdb-client transact '{}'
ovsdb-client transact '[1]'
ovsdb-client transact 'x'
ovsdb-client transact "'"
ovsdb-client transact '["a" "b"]'
ovsdb-client transact '[1,2'
ovsdb-client transact '["a"] x'
ovsdb-client transact ''
ovsdb-client transact a b c
ovsdb-client transact
ovsdb-client query '["Open_vSwitch",{"op":"update","table":"Bridge","where":[],"row":{"fail_mode":"secure"}}]'
ovsdb-client query '["Open_vSwitch",{"op":"select","table":"Bridge","where":[],"columns":["fail_mode"]}]'
ovsdb-client query '["Open_vSwitch",{"op":"insert","table":"Manager","row":{"target":"x"}}]'
ovsdb-client query '[]'
ovsdb-client query '['
ovsdb-client needs-conversion /usr/share/openvswitch/vswitch.ovsschema
ovsdb-client needs-conversion /nonexistent
ovsdb-client needs-conversion /etc/passwd
ovsdb-client --timeout=1 monitor Bridge name,external_ids
ovsdb-client --timeout=1 --format=csv monitor Open_vSwitch Port name tag,trunks
ovsdb-client --timeout=1 monitor ALL
ovsdb-client --timeout=1 monitor Bridge !initial
ovsdb-client --timeout=1 monitor-cond '[["name","==","b1"]]' Bridge name,external_ids
ovsdb-client --timeout=1 monitor-cond-since '[["name","!=","b1"]]' Bridge name
ovsdb-client --timeout=1 monitor-cond-since 00000000-0000-0000-0000-000000000001 '[true]' Bridge name external_ids
ovsdb-client monitor-cond
ovsdb-client monitor-cond x Bridge
ovsdb-client monitor-cond '[]' nope
ovsdb-client monitor-cond '[]' Bridge nocol
ovsdb-client monitor-cond '[["q"]]' Bridge
ovsdb-client monitor-cond '[["nocol","==",1]]' Bridge
ovsdb-client monitor-cond '[["name","==",1]]' Bridge
ovsdb-client monitor-cond '[["name","zz","a"]]' Bridge
ovsdb-client monitor-cond '[]' Bridge name external_ids
ovsdb-client lock
ovsdb-client lock a b
ovsdb-client --timeout=1 lock L
ovsdb-client --timeout=1 steal M
ovsdb-client monitor
ovsdb-client monitor nope
ovsdb-client monitor Bridge nocol
ovsdb-client monitor Bridge name,nocol
ovsdb-client --format=html dump Bridge _uuid ports external_ids
ovsdb-client --format=html list-columns Bridge
ovsdb-client --timestamp --timeout=1 monitor Bridge name
ovsdb-client --timestamp --timeout=1 --format=csv monitor Port name tag
ovsdb-client --timestamp --timeout=1 --format=list monitor-cond '[["name","==","b1"]]' Bridge name
ovsdb-client --timestamp --timeout=1 --format=html monitor-cond-since '[]' Bridge name
ovsdb-client --timestamp list-tables
ovsdb-client backup a b
ovsdb-client backup nodb
ovsdb-client restore a b c
ovsdb-client restore nodb
ovsdb-client convert
ovsdb-client convert /nonexistent
ovsdb-client convert /etc/passwd
ovsdb-client convert /usr/share/openvswitch/vswitch.ovsschema
ovsdb-client get-schema-version
ovsdb-client dump Bridge name external_ids
ovsdb-client wait
ovsdb-client wait a
ovsdb-client wait Open_vSwitch added
ovsdb-client wait Open_vSwitch connected
ovsdb-client wait Open_vSwitch foo
ovsdb-client wait nodb removed
ovsdb-client --timeout=1 wait nodb added
ovsdb-client --timeout=1 wait Open_vSwitch removed
ovsdb-client wait a b c d
ovsdb-client unlock
ovsdb-client --leader-only list-dbs
ovsdb-client --no-leader-only list-dbs
ovsdb-client --timeout=1 ptcp:0:127.0.0.1 list-dbs
ovsdb-client unix:/nonexistent list-dbs
ovsdb-client list-dbs unix:/nonexistent
ovsdb-client list-dbs unix:/nonexistent x
ovsdb-client list-dbs foo:bar
ovsdb-client get-schema foo:bar x
ovsdb-client dump tcp:1:2:3
ovsdb-client list-dbs ptcp:99999
ovsdb-client --timeout=1 list-dbs ptcp:47653:127.0.0.1
ovsdb-client transact unix:/nonexistent []
ovsdb-client transact a []
ovsdb-client transact a b c
ovsdb-client query unix:/nonexistent x
ovsdb-client convert unix:/nonexistent nofile
ovsdb-client needs-conversion nofile
ovsdb-client wait a b c
ovsdb-client lock unix:/nonexistent a b
ovsdb-client list-dbs tcp:127.0.0.1:1
ovsdb-client --timeout=x list-dbs
ovsdb-client --timeout=0 list-dbs
ovsdb-client --bogus
ovsdb-client frobnicate
ovsdb-client
`;

const LINES = SCRIPT.slice(1, -1).split('\n').map(words);

/** Takes out what differs from run to run; rows, and tables of a list, have no order in the peer. */
function normalize(text: string, dir: string): string {
  return text
    .replaceAll(dir, 'DIR')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/^\d{4}-\d\d-\d\dT[\d:]+Z\|\d+\|/gm, 'TIME|')
    .replace(/^\/\S*\/(?=ovsdb-client: )/gm, '')
    .replace(/\b[0-9a-f]{8}(?=<\/a>)/g, 'UUID')
    .replace(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/gm, 'TIME')
    .split('\n')
    .toSorted()
    .join('\n');
}

/** What `told` makes of a database of one side's server, and of the other side's tools. */
async function withDatabase(
  t: ExecutionContext,
  daemons: Side,
  tools: Side,
  told: (suite: Suite, toolbox: Suite, dir: string) => Promise<string[]>,
): Promise<string[]> {
  return withSuite(t, { side: daemons, start: false }, (suite, dir) =>
    withSuite(t, { side: tools, start: false }, async (toolbox) => {
      await suite.createDatabase();
      await suite.startDetached('ovsdb-server');
      await suite.vsctl('--no-wait', 'init');
      return told(suite, toolbox, dir);
    }),
  );
}

/** Runs a program with its output in a file: a process that it leaves in the background keeps it open. */
async function intoFile(
  output: string,
  suite: Suite,
  toolbox: Suite,
  program: string,
  ...args: string[]
): Promise<void> {
  const words = [...toolbox.command(program), ...args].map((word) => `'${word}'`).join(' ');
  await runCommand('/bin/sh', ['-c', `${words} > ${output} 2>&1`], { env: suite.env });
}

comparedWithPeer(
  (tools, daemons) =>
    `ovsdb-client of ${tools} on ovsdb-server of ${daemons}: every command line as the peer's`,
  (t, daemons, tools) =>
    withDatabase(t, daemons, tools, (suite, toolbox, dir) =>
      play(suite, toolbox, LINES, ({ stdout, stderr }) => normalize(stdout + stderr, dir)),
    ),
);

/** What a monitor in each format and kind tells of two changes. */
comparedWithPeer(
  (tools, daemons) =>
    `ovsdb-client monitor of ${tools} on ovsdb-server of ${daemons}: changes in every format`,
  (t, daemons, tools) =>
    withDatabase(t, daemons, tools, async (suite, toolbox, dir) => {
      const told: string[] = [];
      for (const what of [
        ['monitor', 'Open_vSwitch'],
        ['monitor-cond', 'Open_vSwitch', '[true]'],
        ['monitor-cond-since', 'Open_vSwitch', '[true]'],
      ]) {
        for (const style of [...TABLE_FORMATS.map((format) => `--format=${format}`), '--data=json']) {
          await suite.vsctl('--no-wait', 'set', 'open', '.', 'external_ids:a=0');
          const args = ['-vconsole:off', style, ...what, 'Open_vSwitch', 'next_cfg,external_ids'];
          const output = join(dir, `output${told.length}`);
          await intoFile(output, suite, toolbox, 'ovsdb-client', '--detach', '--pidfile', ...args);
          const pid = readFileSync(join(dir, 'ovsdb-client.pid'), 'utf8').trim();
          for (const value of ['1', '2']) {
            const seen = readFileSync(output).length;
            await suite.vsctl('--no-wait', 'set', 'open', '.', `external_ids:a=${value}`);
            await waitFor('the change', () => readFileSync(output).length > seen);
          }
          await suite.appctl('-t', join(dir, `ovsdb-client.${pid}.ctl`), 'exit');
          told.push(`${args.join(' ')}\n${normalize(readFileSync(output, 'utf8'), dir)}`);
        }
      }
      return told;
    }),
);

/** `program < file`, the file as standard input. */
async function piped(suite: Suite, toolbox: Suite, file: string, ...args: string[]): Promise<string> {
  const [program, ...before] = toolbox.command('ovsdb-client');
  const words = [program, ...before, ...args].map((word) => `'${word}'`).join(' ');
  const { stdout, stderr, status } = await runCommand('/bin/sh', ['-c', `${words} < '${file}'`], {
    env: suite.env,
  });
  return `${stdout}${stderr}status ${status}`;
}

const SMALL =
  '{"name":"Small","version":"1.0.0","tables":{"A":{"columns":{"s":{"type":"string"},"b":{"type":{"key":{"type":"uuid","refTable":"B"},"min":0,"max":"unlimited"}},"e":{"type":"integer","ephemeral":true}},"isRoot":true},"B":{"columns":{"i":{"type":"integer"}}}}}';
const FILL = `["Small",{"op":"insert","table":"B","row":{"i":7},"uuid-name":"x"},{"op":"insert","table":"A","row":{"s":"one","b":["named-uuid","x"],"e":5}},{"op":"insert","table":"A","row":{"s":"two"}}]`;

/** Backup, restore with and without --force, convert: on one server, by one side's tools; what each says. */
async function saveAndRestore(t: ExecutionContext, daemons: Side, tools: Side): Promise<string[]> {
  return withSuite(t, { side: daemons, start: false }, (suite, dir) =>
    withSuite(t, { side: tools, start: false }, async (toolbox) => {
      const write = (name: string, text: string): string => {
        writeFileSync(join(dir, name), text);
        return join(dir, name);
      };
      const told: string[] = [];
      const run = async (program: string, ...args: string[]): Promise<string> => {
        const [file, ...before] = toolbox.command(program);
        const { stdout, stderr, status } = await runCommand(file, [...before, ...args], { env: suite.env });
        told.push(`${args.join(' ')}\n${stdout}${stderr}status ${status}`);
        return stdout;
      };
      const restore = async (file: string, ...args: string[]): Promise<void> => {
        told.push(await piped(suite, toolbox, file, ...args));
      };
      const schema = write('small.ovsschema', SMALL);
      await run('ovsdb-tool', 'create', join(dir, 'conf.db'), schema);
      await suite.startDetached('ovsdb-server');
      await run('ovsdb-client', 'transact', FILL);
      const backup = write('backup', await run('ovsdb-client', 'backup'));
      told.pop(); // The order of columns and rows is not the same.
      await run(
        'ovsdb-tool',
        'query',
        backup,
        '["Small",{"op":"select","table":"A","where":[["s","==","one"]],"columns":["s","e"]}]',
      );
      await run('ovsdb-client', 'transact', '["Small",{"op":"delete","table":"A","where":[]}]');
      await restore(backup, 'restore');
      await run('ovsdb-client', 'dump');
      await restore(backup, 'restore', 'Small');
      await restore('/dev/null', 'restore');
      await restore('/etc/passwd', 'restore');
      await restore(schema, 'restore');
      const newer = write(
        'newer.ovsschema',
        SMALL.replace('1.0.0', '1.1.0').replace('"s":', '"t":{"type":"string"},"s":'),
      );
      await run('ovsdb-client', 'needs-conversion', newer);
      await run('ovsdb-client', 'convert', newer);
      await run('ovsdb-client', 'get-schema-version');
      await run('ovsdb-client', 'dump');
      await restore(backup, 'restore');
      await restore(backup, '--force', 'restore');
      await run('ovsdb-client', 'dump');
      await run('ovsdb-client', 'convert', write('bad.ovsschema', SMALL.replace('1.0.0', 'x')));
      await run('ovsdb-client', 'get-schema-version');
      return told.map((text) => normalize(text, dir).replaceAll(toolbox.dirs.run, 'DIR'));
    }),
  );
}

comparedWithPeer(
  (tools, daemons) =>
    `backup, restore and convert by ovsdb-client of ${tools} on ovsdb-server of ${daemons}: as the peer's`,
  saveAndRestore,
);

testWith(PEER)(
  'ovsdb-client --detach follows the server in the background, with a control socket',
  async (t) => {
    for (const side of ['ours', 'peer'] as const) {
      await withSuite(t, { side: 'ours', start: false }, (suite, dir) =>
        withSuite(t, { side, start: false }, async (toolbox) => {
          await suite.createDatabase();
          await suite.startDetached('ovsdb-server');
          let runs = 0;
          let output = '';
          const run = async (program: string, ...args: string[]): Promise<string> => {
            output = join(dir, `output${runs++}`);
            await intoFile(output, suite, toolbox, program, ...args);
            return readFileSync(output, 'utf8');
          };
          const start = async (...args: string[]): Promise<[output: string, target: string]> => {
            const text = await run('ovsdb-client', '--detach', '--pidfile', ...args);
            const pid = readFileSync(join(dir, 'ovsdb-client.pid'), 'utf8').trim();
            return [text, join(dir, `ovsdb-client.${pid}.ctl`)];
          };
          t.regex(
            await run('ovsdb-client', '--detach', '--pidfile', 'monitor', 'Bridge', 'nocol'),
            /does not have a column named "nocol"\n$/,
          );
          const [monitored, monitor] = await start('--format=csv', 'monitor', 'Bridge', 'name');
          t.is(monitored, '');
          await suite.vsctl('--no-wait', 'add-br', 'br0');
          // The update is on its way when the command that caused it has returned.
          await waitFor('the insertion', () => readFileSync(output, 'utf8') !== '');
          t.regex(readFileSync(output, 'utf8'), /^row,action,name\n[0-9a-f-]{36},insert,br0\n$/);
          t.is(await run('ovs-appctl', '-t', monitor, 'exit'), '');
          const [locked, locks] = await start('lock', 'L');
          t.is(locked, '{"locked":true}\n');
          const printed = output;
          t.is(await run('ovs-appctl', '-t', locks, 'lock', 'M'), '');
          t.is(await run('ovs-appctl', '-t', locks, 'unlock', 'M'), '');
          t.is(await run('ovs-appctl', '-t', locks, 'exit'), '');
          t.is(readFileSync(printed, 'utf8'), '{"locked":true}\n{"locked":true}\n{}\n');
        }),
      );
    }
  },
);
