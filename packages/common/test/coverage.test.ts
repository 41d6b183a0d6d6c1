import test from 'ava';
import { Coverage, SAMPLE_MS } from '../src/coverage.js';
import { MemoryWatch, memoryUsage, reportMemory } from '../src/memory.js';

const line = (text: string, name: string): string | undefined =>
  text.split('\n').find((each) => each.startsWith(name));

test('counters show totals and rates as the peer lays them out', (t) => {
  const coverage = new Coverage();
  const hits = coverage.counter('util_xalloc');
  coverage.counter('lockfile_error');
  t.is(coverage.counter('util_xalloc'), hits);
  coverage.sample(1000);
  hits.total += 19744;
  coverage.sample(1000 + SAMPLE_MS - 1);
  t.is(
    line(coverage.show(), 'util_xalloc'),
    'util_xalloc                0.0/sec     0.000/sec        0.0000/sec   total: 19744',
  );
  coverage.sample(1000 + SAMPLE_MS);
  hits.total += 39;
  // Of the peer's running ovsdb-server, after five seconds.
  t.is(
    line(coverage.show(), 'util_xalloc'),
    'util_xalloc              3948.8/sec   329.067/sec        5.4844/sec   total: 19783',
  );
  t.regex(
    coverage.show(),
    /^Event coverage, avg rate over last: 5 seconds, last minute, last hour, {2}hash=[0-9a-f]{8}:\n/,
  );
  t.true(coverage.show().endsWith('\n1 events never hit\n'));
  t.is(coverage.read('util_xalloc'), '19783\n');
  t.is(coverage.read('lockfile_error'), '0\n');
  t.throws(() => coverage.read('foo'), { message: 'No such counter' });
});

test('rates forget: five seconds, a minute, an hour', (t) => {
  const coverage = new Coverage();
  const hits = coverage.counter('x');
  coverage.sample(0);
  hits.total = 3600;
  const rates = (now: number): string => {
    coverage.sample(now);
    return /([\d.]+)\/sec +([\d.]+)\/sec +([\d.]+)\/sec/.exec(coverage.show())!.slice(1).join(' ');
  };
  t.is(rates(5000), '720.0 60.000 1.0000');
  t.is(rates(10_000), '0.0 60.000 1.0000');
  t.is(rates(60_000), '0.0 60.000 1.0000');
  t.is(rates(65_000), '0.0 0.000 1.0000');
  t.is(rates(3_600_000), '0.0 0.000 1.0000');
  t.is(rates(3_665_000), '0.0 0.000 0.0000');
  // A process that stood still for days catches up with an hour.
  hits.total += 5;
  t.is(rates(1e9), '0.0 0.000 0.0000');
});

test('memory usage is added up over who reports it, by name', (t) => {
  const ends = [
    reportMemory((add) => {
      add('rules', 5);
      add('ports', 1);
    }),
    reportMemory((add) => add('rules', 2)),
  ];
  t.is(memoryUsage(), 'ports:1 rules:7');
  for (const end of ends) end();
  t.is(memoryUsage(), '');
});

test('memory is told ten seconds after the start, and when it has grown by half', (t) => {
  const watch = new MemoryWatch();
  t.is(watch.check(10_004, 20_000), '20000 kB peak resident set size after 10.0 seconds');
  t.is(watch.check(20_000, 29_999), null);
  t.is(
    watch.check(40_104, 31_000),
    'peak resident set size grew 55% in last 30.1 seconds, from 20000 kB to 31000 kB',
  );
  t.is(watch.check(50_000, 40_000), null);
});
