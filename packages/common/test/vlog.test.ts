import test from 'ava';
import fs from 'node:fs';
import path from 'node:path';
import { formatLogLine, strftime, type LogRecord } from '../src/vlog-format.js';
import * as vlog from '../src/vlog.js';
import { tmpDir } from '../src/testkit/tmp.js';

const record: LogRecord = {
  program: 'prog',
  subprogram: '',
  module: 'jsonrpc',
  level: 'INFO',
  severity: 6,
  facility: 3,
  serial: 7,
  wall: Date.UTC(2024, 1, 3, 4, 5, 6, 78),
  elapsed: 12.3,
  text: 'hello',
};

test('the default pattern of files', (t) => {
  t.is(
    formatLogLine('%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m', record),
    '2024-02-03T04:05:06.078Z|00007|jsonrpc|INFO|hello',
  );
  t.is(formatLogLine('%c%T', { ...record, subprogram: 'handler5' }), 'jsonrpc(handler5)');
});

test('fields justify and pad; what is unknown stays', (t) => {
  t.is(formatLogLine('[%-8p][%8p][%2p]%%%q', record), '[INFO    ][    INFO][INFO]%%q');
  t.is(formatLogLine('<%B> %A %t %r', record), '<30> prog main 12');
});

test('strftime', (t) => {
  t.is(
    strftime('%h %e %T %y %j %a %A %B %%', record.wall, true),
    'Feb  3 04:05:06 24 034 Sat Saturday February %',
  );
  t.is(strftime('%S.#####', record.wall, true), '06.07800');
});

test.serial('level specifications', (t) => {
  vlog.vlog('alpha');
  t.is(vlog.applyVerbose('alpha:console:dbg'), null);
  t.deepEqual(vlog.getLevels('alpha'), ['dbg', 'info', 'info']);
  t.is(vlog.applyVerbose('file,OFF'), null);
  t.is(vlog.getLevels('alpha')[2], 'off');
  t.is(vlog.applyVerbose('ANY:any:info'), null);
  t.deepEqual(vlog.getLevels('alpha'), ['info', 'info', 'info']);
  t.is(vlog.applyVerbose('alpha'), null);
  t.deepEqual(vlog.getLevels('alpha'), ['dbg', 'dbg', 'dbg']);
  t.is(vlog.applyVerbose('info'), null);
  t.is(vlog.applyVerbose('foo:bar'), 'no destination, level, or module "foo"');
  t.is(vlog.applyVerbose('dbg:off'), 'cannot specify multiple levels');
  t.is(vlog.applyVerbose('file:console'), 'cannot specify multiple destinations');
  t.is(vlog.applyVerbose('alpha:jsonrpc'), 'cannot specify multiple modules');
  t.is(vlog.applyVerbose('PATTERN:x:y'), 'unknown destination "x"');
  t.is(vlog.applyVerbose('ofproto_dpif_xlate:warn'), null, "a module of the peer's that is not loaded here");
  t.deepEqual(vlog.getLevels('alpha'), ['info', 'info', 'info'], 'a wrong specification changes nothing');
});

test.serial('vlog/list as the peer lays it out', (t) => {
  vlog.vlog('dpif_lookup_autovalidator');
  vlog.setLevels('alpha', 'console', 'off');
  const lines = vlog.listLevels().split('\n');
  t.is(lines[0], '                 console    syslog    file');
  t.is(lines[1], '                 -------    ------    ------');
  t.true(lines.includes('alpha              OFF       INFO       INFO'));
  t.true(lines.includes('dpif_lookup_autovalidator  INFO       INFO       INFO'));
});

test.serial('log files: opened, reopened after rotation, quiet when gone', (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'x.log');
  const lines: string[] = [];
  const before = vlog.setConsoleWriter((line) => lines.push(line));
  t.teardown(() => {
    vlog.closeLogFile();
    vlog.setConsoleWriter(before);
  });
  vlog.setLevels(null, 'file', 'info');
  t.true(vlog.openLogFile(file));
  vlog.vlog('beta').info('one');
  vlog.vlog('beta').dbg(() => t.fail('nobody listens to debug'));
  fs.renameSync(file, `${file}.1`);
  vlog.vlog('beta').info('two');
  t.is(vlog.reopenLogFile(), null);
  vlog.vlog('beta').warn('three');
  t.regex(fs.readFileSync(`${file}.1`, 'utf8'), /\|beta\|INFO\|one\n.*\|beta\|INFO\|two\n/s);
  t.regex(fs.readFileSync(file, 'utf8'), /\|vlog\|INFO\|opened log file .*\n.*\|beta\|WARN\|three\n$/s);
  t.false(vlog.openLogFile(path.join(dir, 'no', 'such')));
  t.regex(lines.at(-1)!, /\|vlog\|WARN\|failed to open .*such for logging: No such file or directory\n$/);
});

test('a rate limit lets a burst through, refills, and tells what it dropped', (t) => {
  const limit = new vlog.RateLimit(60, 2);
  t.deepEqual([limit.take(0), limit.take(0), limit.take(0), limit.take(500)], [true, true, false, false]);
  t.true(limit.take(1500));
  t.is(
    limit.report(1500),
    'Dropped 2 log messages in last 1 seconds (most recently, 1 seconds ago) due to excessive rate',
  );
  t.is(limit.report(1500), null);
});
