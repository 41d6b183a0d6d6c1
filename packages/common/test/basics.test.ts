import test from 'ava';
import path from 'node:path';
import { setLongTimer } from '../src/clock.js';
import { findCommand, type CommandSpec } from '../src/command.js';
import { absName, dirs, defaultDbRemote } from '../src/dirs.js';
import { OvsError, errnoName, errorMessage, linuxErrnoName, strerror } from '../src/errors.js';
import { beganAfter } from '../src/process.js';
import { FakeClock } from '../src/testkit/fake-clock.js';
import { parseTimeout } from '../src/tool.js';
import fs from 'node:fs';

test('system errors speak as the C library does', (t) => {
  const error = t.throws(() => fs.readFileSync('/no/such'));
  t.is(errnoName(error), 'ENOENT');
  t.is(strerror(error), 'No such file or directory');
  t.is(strerror('ECONNREFUSED'), 'Connection refused');
  t.is(errnoName({ errno: -13 }), 'EACCES');
  t.is(errnoName(new Error('x')), 'EIO');
  t.is(linuxErrnoName(95), 'EOPNOTSUPP');
  t.is(linuxErrnoName(9999), 'E9999');
  t.is(errorMessage(new OvsError('two\n  lines')), 'two lines');
});

test.serial('directories come from the environment, each time', (t) => {
  const saved = { ...process.env };
  t.teardown(() => {
    process.env = saved;
  });
  for (const name of ['OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR', 'OVS_PKGDATADIR'])
    delete process.env[name];
  const prefix = process.platform === 'win32' ? 'C:/openvswitch' : '';
  t.is(dirs.rundir, `${prefix}/var/run/openvswitch`);
  t.is(dirs.dbdir, `${prefix}/etc/openvswitch`);
  t.is(defaultDbRemote(), `unix:${prefix}/var/run/openvswitch/db.sock`);
  process.env['OVS_SYSCONFDIR'] = '/s';
  t.is(dirs.dbdir, path.join('/s', 'openvswitch'));
  process.env['OVS_DBDIR'] = '/d';
  t.is(dirs.dbdir, '/d');
  process.env['OVS_RUNDIR'] = '';
  t.not(dirs.rundir, '');
  t.is(absName('/r', 'x.pid'), '/r/x.pid');
  t.is(absName('/r', '/x.pid'), '/x.pid');
});

test('a process is not younger than now; when it began is known on Windows', (t) => {
  t.false(beganAfter(process.pid, Date.now()));
  t.is(beganAfter(process.pid, 0), process.platform === 'win32');
});

const table: CommandSpec<null, string>[] = [
  { name: 'show', usage: 'SWITCH', min: 1, max: 1, run: (_c, args) => args.join() },
];

test('commands are found and counted in the words of the tools', (t) => {
  const { spec, args } = findCommand(table, ['show', 'br0']);
  t.is(spec.run(null, args), 'br0');
  for (const [words, message] of [
    [[], 'missing command name; use --help for help'],
    [['foo'], "unknown command 'foo'; use --help for help"],
    [['show'], "'show' command requires at least 1 arguments"],
    [['show', 'a', 'b'], "'show' command takes at most 1 arguments"],
  ] as const) {
    t.throws(() => findCommand(table, words), { message });
  }
});

test('a fake clock fires timers at their time, in order, also those set on the way', (t) => {
  const clock = new FakeClock(100);
  const fired: [string, number][] = [];
  const note = (name: string) => () => void fired.push([name, clock.now()]);
  clock.setTimer(20, note('b'));
  clock.setTimer(10, () => {
    note('a')();
    clock.setTimer(5, note('c'));
  });
  clock.setTimer(15, note('never')).cancel();
  clock.advance(19);
  clock.advance(1);
  t.deepEqual(fired, [
    ['a', 110],
    ['c', 115],
    ['b', 120],
  ]);
  t.is(clock.wall() - Date.UTC(2024, 0, 1), 20);
});

test('time limits', (t) => {
  t.is(parseTimeout('30'), 30);
  t.is(parseTimeout(' +30'), 30);
  for (const bad of ['0', 'x', '-1', '1.5', '', '99999999999']) {
    t.throws(() => parseTimeout(bad), { message: `value ${bad} on -t or --timeout is invalid` });
    t.throws(() => parseTimeout('', 'T'), { message: 'value  on -T or --timeout is invalid' });
  }
});

test.serial('a timer of more than 24 days fires when they are over, and one without end never', (t) => {
  const { setTimeout: real, clearTimeout: realClear } = globalThis;
  t.teardown(() => Object.assign(globalThis, { setTimeout: real, clearTimeout: realClear }));
  const set: { ms: number; fn: () => void }[] = [];
  const cleared: unknown[] = [];
  Object.assign(globalThis, {
    setTimeout: (fn: () => void, ms: number) => set.push({ ms, fn }),
    clearTimeout: (handle: unknown) => cleared.push(handle),
  });
  const fired: string[] = [];
  const next = (): number => {
    const { ms, fn } = set.at(-1)!;
    fn();
    return ms;
  };
  setLongTimer(60 * 86_400_000, () => fired.push('60 days'));
  t.deepEqual([next(), next(), next()], [0x7fffffff, 0x7fffffff, 60 * 86_400_000 - 2 * 0x7fffffff]);
  t.deepEqual(fired, ['60 days']);
  const timer = setLongTimer(Infinity, () => fired.push('never'));
  for (let i = 0; i < 1000; i++) t.is(next(), 0x7fffffff);
  timer.cancel();
  t.is(cleared.at(-1), set.length);
  setLongTimer(-5, () => fired.push('at once'));
  t.is(next(), 0);
  t.deepEqual(fired, ['60 days', 'at once']);
});
