import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { needing, runProgram, tmpDir } from '@ovs-node/common/testkit/index';
import { quoteUnit, unitText } from '../../src/ovs-service/systemd.js';
import { SERVICES } from '../../src/ovs-service/table.js';
import { quoteWindows } from '../../src/ovs-service/windows.js';

const unit = (root: string, name: string): string => path.join(root, 'etc/systemd/system', `${name}.service`);
/** Where files go without OVS_… in the environment. */
const PLAIN = { OVS_RUNDIR: '', OVS_LOGDIR: '', OVS_DBDIR: '', OVS_SYSCONFDIR: '' };

test('words of a Windows command line are quoted as the C runtime reads them', (t) => {
  for (const [word, text] of [
    ['plain', 'plain'],
    ['', '""'],
    ['C:\\Program Files\\ovs', '"C:\\Program Files\\ovs"'],
    ['C:\\with space\\', '"C:\\with space\\\\"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['back\\"slash', '"back\\\\\\"slash"'],
    ['no\\quote', 'no\\quote'],
  ] as const)
    t.is(quoteWindows(word), text);
});

test('words of a unit are quoted as systemd reads them', (t) => {
  for (const [word, text] of [
    ['/usr/bin/node', '/usr/bin/node'],
    ['100%', '100%%'],
    ['a$b', 'a$$b'],
    ['/opt/open vswitch/bin', '"/opt/open vswitch/bin"'],
    ['say "hi"', '"say \\"hi\\""'],
  ] as const)
    t.is(quoteUnit(word), text);
});

test('the switch starts after database and datapath, and each unit knows its pidfile', (t) => {
  const [, , vswitchd] = SERVICES;
  const text = unitText(vswitchd, '/etc/openvswitch/conf.db', ['/usr/local/bin/ovs-vswitchd']);
  t.regex(text, /^Wants=ovsdb-server\.service ovs-datapath-svc\.service$/m);
  t.regex(text, /^After=ovsdb-server\.service ovs-datapath-svc\.service$/m);
  t.regex(text, /^PIDFile=.*\/ovs-vswitchd\.pid$/m);
  t.regex(text, /^ExecStart=\/usr\/local\/bin\/ovs-vswitchd -vconsole:off .*--detach --no-chdir$/m);
});

needing(test, 'linux')(
  '--root: units and an initialized database below a folder, removed again',
  async (t) => {
    const root = tmpDir(t);
    const service = (command: string) => runProgram('ovs-service', ['--root', root, command], { env: PLAIN });
    const installed = await service('install');
    t.is(installed.stderr, '');
    t.is(installed.status, 0);
    for (const { name } of SERVICES) t.true(fs.existsSync(unit(root, name)));
    const database = path.join(root, 'etc/openvswitch/conf.db');
    const rows = await runProgram('ovsdb-tool', [
      'query',
      database,
      '["Open_vSwitch",{"op":"select","table":"Open_vSwitch","where":[],"columns":["bridges"]}]',
    ]);
    t.is(rows.stdout, '[{"rows":[{"bridges":["set",[]]}]}]\n');
    t.is((await service('install')).status, 0, 'again: units are written anew, the database stays');
    t.deepEqual(await service('start'), {
      status: 1,
      stdout: '',
      stderr: 'ovs-service: --root: "start" is only for the system that runs\n',
    });
    t.is((await service('uninstall')).status, 0);
    for (const { name } of SERVICES) t.false(fs.existsSync(unit(root, name)));
    t.true(fs.existsSync(database));
  },
);

needing(test, 'linux')("somebody else's unit is not replaced, and nothing else is made", async (t) => {
  const root = tmpDir(t);
  const foreign = unit(root, 'ovs-vswitchd');
  fs.mkdirSync(path.dirname(foreign), { recursive: true });
  fs.writeFileSync(foreign, '[Unit]\n');
  const result = await runProgram('ovs-service', ['install', '--root', root], { env: PLAIN });
  t.deepEqual(result, {
    status: 1,
    stdout: '',
    stderr: `ovs-service: ${foreign}: not made by ovs-service\n`,
  });
  t.deepEqual(fs.readdirSync(root), ['etc']);
  t.deepEqual(fs.readdirSync(path.join(root, 'etc')), ['systemd']);
});

const analyze = spawnSync('systemd-analyze', ['--version']).error === undefined ? test : test.skip;
analyze('systemd finds nothing wrong with the units (needs systemd-analyze)', async (t) => {
  const root = tmpDir(t);
  await runProgram('ovs-service', ['--root', root, 'install'], { env: PLAIN });
  const files = SERVICES.map(({ name }) => unit(root, name));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], {
    encoding: 'utf8',
  });
  t.is(stderr, '');
  t.is(status, 0);
});

test('commands and options are checked', async (t) => {
  for (const [args, text] of [
    [[], 'missing command name; use --help for help'],
    [['nope'], "unknown command 'nope'; use --help for help"],
    [['start', 'x'], "'start' command takes at most 0 arguments"],
  ] as const)
    t.deepEqual(await runProgram('ovs-service', args), {
      status: 1,
      stdout: '',
      stderr: `ovs-service: ${text}\n`,
    });
});
