import test from 'ava';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { strftime } from '../src/strftime.js';
import { formatLogLine, type LogRecord } from '../src/vlog-format.js';
import * as vlog from '../src/vlog.js';
import { vlogOptions } from '../src/vlog-options.js';
import { applyVerbose, setRateLimiting } from '../src/vlog-spec.js';
import { FatalError } from '../src/errors.js';
import { tryKoffi } from '../src/koffi.js';
import { needing } from '../src/testkit/require.js';
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

// What the peer's ovs-vsctl printed for the same patterns.
test('fields justify and pad, what is unknown is its letter', (t) => {
  t.is(formatLogLine('[%-8p][%8p][%2p]%%%q', record), '[INFO    ][    INFO][INFO]%q');
  t.is(formatLogLine('%05p|%-05p|%05N|%5N|%-5N|%N', record), '0INFO|INFO0|00007|    7|7    |7');
  t.is(formatLogLine('<%B> %A %t %r', record), '<30> prog main 12');
  t.is(formatLogLine('x%%|%5%|%5n|%{foo}', record), 'x%|    %|    \n|{foo}');
  t.is(formatLogLine('%-T|%5T|%', record), '|     |');
  t.is(formatLogLine('%D{|%m', record), '|02');
  t.is(formatLogLine('%D', record), '2024-02-03 04:05:06.078');
});

test('strftime', (t) => {
  t.is(
    strftime('%h %e %T %y %j %a %A %B %%', record.wall, true),
    'Feb  3 04:05:06 24 034 Sat Saturday February %',
  );
  t.is(strftime('%S.#####', record.wall, true), '06.07800');
  t.is(strftime('##%%#', record.wall, true), '07%0');
  const late = Date.UTC(2026, 10, 28, 12, 36, 3, 510);
  t.is(
    strftime('%a%A%b%B%C%y%j%p%I%U%w%W%V%G%g%u%x%X%c%h%R%r%Z%z%e%k%l%P|%s', late, true),
    'SatSaturdayNovNovember2026332PM124764748202626611/28/2612:36:03Sat Nov 28 12:36:03 2026Nov12:3612:36:03 PMGMT+0000281212pm|1795869363',
  );
  // The first days of a year may be of the last week of the year before, by ISO 8601.
  t.is(strftime('%G-%V %U %W', Date.UTC(2027, 0, 1), true), '2026-53 00 00');
});

test.serial('level specifications', (t) => {
  vlog.vlog('alpha');
  t.is(applyVerbose('alpha:console:dbg'), null);
  t.deepEqual(vlog.getLevels('alpha'), ['dbg', 'info', 'info']);
  t.is(applyVerbose('file,OFF'), null);
  t.is(vlog.getLevels('alpha')[2], 'off');
  t.is(applyVerbose('ANY:any:info'), null);
  t.deepEqual(vlog.getLevels('alpha'), ['info', 'info', 'info']);
  t.is(applyVerbose('alpha'), null);
  t.deepEqual(vlog.getLevels('alpha'), ['dbg', 'dbg', 'dbg']);
  t.is(applyVerbose('info'), null);
  t.is(applyVerbose('foo:bar'), 'no destination, level, or module "foo"');
  t.is(applyVerbose('dbg:off'), 'cannot specify multiple levels');
  t.is(applyVerbose('file:console'), 'cannot specify multiple destinations');
  t.is(applyVerbose('alpha:jsonrpc'), 'cannot specify multiple modules');
  t.is(applyVerbose('PATTERN:x:y'), 'unknown destination "x"');
  t.is(applyVerbose('PATTERN::%m'), 'unknown destination "%m"');
  t.is(applyVerbose('pattern'), 'missing destination');
  t.is(applyVerbose('file:PATTERN:x'), 'no destination, level, or module "PATTERN"');
  t.is(applyVerbose('FACILITY:foo'), 'invalid facility');
  t.is(applyVerbose('FACILITY'), 'invalid facility');
  t.is(applyVerbose('facility:LOCAL0'), null);
  t.is(applyVerbose('ofproto_dpif_xlate:warn'), null, "a module of the peer's that is not loaded here");
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

test('a log file has to be there for who names it', (t) => {
  const lines: string[] = [];
  const before = vlog.setConsoleWriter((line) => lines.push(line));
  t.teardown(() => vlog.setConsoleWriter(before));
  const { apply } = vlogOptions.find(({ name }) => name === 'log-file')!;
  t.notThrows(() => apply(undefined, 'no/such'));
  t.throws(() => apply(path.join(tmpDir(t), 'no', 'such'), 'program'), { instanceOf: FatalError });
  t.is(lines.filter((line) => /\|WARN\|failed to open .*such/.test(line)).length, 2);
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

test.serial('patterns by destination, all of them by any', (t) => {
  const before = vlog.listPatterns();
  t.is(applyVerbose('PATTERN:FILE:%m|x:y'), null);
  t.regex(vlog.listPatterns(), /^FILE {5}none {30}%m\|x:y$/m);
  t.is(applyVerbose('PATTERN:any:%p %m'), null);
  t.is(vlog.listPatterns().match(/%p %m$/gm)?.length, 3);
  for (const line of before.trim().split('\n').slice(2)) {
    const [, name, pattern] = /^(\S+) .* {2,}(\S.*)$/.exec(line)!;
    applyVerbose(`PATTERN:${name}:${pattern}`);
  }
  t.is(vlog.listPatterns(), before);
});

test.serial('rate limits are switched by module, or all', (t) => {
  t.is(setRateLimiting(['foo'], false), 'unknown module');
  t.is(setRateLimiting(['jsonrpc', 'foo'], false), 'unknown module');
  t.false(vlog.vlog('jsonrpc').rateLimited);
  t.is(setRateLimiting(['ANY'], true), null);
  t.true(vlog.vlog('jsonrpc').rateLimited);
  t.is(setRateLimiting([], false), null);
  t.false(vlog.vlog('a_new_one').rateLimited);
  t.is(setRateLimiting([], true), null);
});

test.serial('what is tried is not logged, but counted, and takes no tokens of a rate limit', (t) => {
  const log = vlog.vlog('trial');
  vlog.setLevels('trial', null, 'info');
  const limit = new vlog.RateLimit(1, 1);
  const told: string[] = [];
  vlog.observeLog((each) => void told.push(each.text));
  t.teardown(() => vlog.observeLog(null));
  const tried = vlog.unlogged(() => {
    log.info('one');
    log.dbg('none');
    log.infoRl(limit, 'two');
    return log.passes(limit, 'info');
  });
  t.deepEqual(tried, { value: false, messages: 3 });
  t.deepEqual(told, []);
  t.true(log.passes(limit, 'info'));
  t.false(log.passes(limit, 'info'));
  log.info('after');
  t.deepEqual(told, ['after']);
  t.throws(() => vlog.unlogged(() => fs.readFileSync('/nonexistent')));
  log.info('still');
  t.deepEqual(told, ['after', 'still']);
});

test.serial('the system log gets each line, with its severity and facility', (t) => {
  const got: unknown[] = [];
  vlog.setSystemLog((...message) => void got.push(message));
  const beta = vlog.vlog('beta');
  applyVerbose('PATTERN:syslog:%c|%m');
  applyVerbose('beta:syslog:dbg');
  beta.warn('two\nlines');
  beta.dbg('small');
  applyVerbose('FACILITY:local3');
  beta.emer('end');
  t.deepEqual(got, [
    [4, 16, 'beta|two'],
    [4, 16, 'lines'],
    [7, 16, 'beta|small'],
    [1, 19, 'beta|end'],
  ]);
  vlog.setSyslogMethod('null');
  t.throws(() => vlog.setSyslogMethod('foo'), { message: "unsupported syslog method 'foo'" });
});

test.serial('syslog over UDP, at once', async (t) => {
  const server = dgram.createSocket('udp4');
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const next = (): Promise<string> =>
    new Promise((resolve) => server.once('message', (bytes) => resolve(bytes.toString())));
  applyVerbose('PATTERN:syslog:%c|%m');
  applyVerbose('FACILITY:daemon');
  vlog.setSyslogMethod(`udp:127.0.0.1:${server.address().port}`);
  vlog.vlog('beta').warn('hello');
  t.is(await next(), '<28>beta|hello');
  vlog.setSyslogMethod('null');
  vlog.setSyslogTarget(`127.0.0.1:${server.address().port}`);
  vlog.vlog('beta').warn('again');
  t.regex(await next(), /^<28>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ \S+ \d+ beta - \ufeffagain$/);
});

needing(test.serial, 'linux')('syslog by a datagram socket in the file system, whoever listens', (t) => {
  const file = path.join(tmpDir(t), 'log');
  vlog.setSyslogMethod(`unix:${file}`);
  vlog.vlog('beta').warn('nobody hears');
  const library = tryKoffi()!.load(null);
  const fd = library.func('int socket(int, int, int)')(1, 2, 0) as number;
  t.teardown(() => fs.closeSync(fd));
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1);
  address.write(file, 2);
  t.is(library.func('int bind(int, const uint8_t *, uint32_t)')(fd, address, address.length), 0);
  vlog.vlog('beta').warn('hello');
  const bytes = Buffer.alloc(100);
  const MSG_DONTWAIT = 0x40;
  const recv = library.func('intptr_t recv(int, uint8_t *, size_t, int)');
  const length = Number(recv(fd, bytes, bytes.length, MSG_DONTWAIT));
  t.is(bytes.subarray(0, length).toString(), '<28>beta|hello');
  vlog.setSyslogMethod('null');
});
