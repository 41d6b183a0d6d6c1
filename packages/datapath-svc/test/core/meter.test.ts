import test from 'ava';
import { Meter } from '../../src/core/meter/meter.js';

/** How many of `count` packets pass, `gapMs` apart from `start` on. */
function passed(meter: Meter, count: number, length: number, start: number, gapMs: number): number {
  let n = 0;
  for (let i = 0; i < count; i++) if (meter.pass(length, start + i * gapMs)) n++;
  return n;
}

test('packets beyond the burst are dropped, and tokens come back with time', (t) => {
  const meter = new Meter(false, [{ rate: 1, burst: 2 }], 0);
  t.is(passed(meter, 5, 14, 0, 0), 2);
  t.deepEqual([meter.packets, meter.bytes, meter.bands[0]!.packets, meter.bands[0]!.bytes], [5, 70, 3, 42]);
  t.is(passed(meter, 1, 14, 999, 0), 0);
  t.is(passed(meter, 1, 14, 1000, 0), 1);
  t.is(passed(meter, 5, 14, 60_000, 0), 2, 'no more than the burst');
});

test('a rate in kbit/s counts bits', (t) => {
  // 8 kbit/s are 1000 bytes a second.
  const meter = new Meter(true, [{ rate: 8, burst: 8 }], 0);
  t.is(passed(meter, 20, 100, 0, 0), 10);
  t.is(passed(meter, 100, 100, 0, 10), 9, '100 bytes come back in 100 ms');
});

test('of the bands that are exceeded the one with the highest rate counts', (t) => {
  const meter = new Meter(
    false,
    [
      { rate: 10, burst: 1 },
      { rate: 20, burst: 2 },
    ],
    0,
  );
  t.is(passed(meter, 4, 60, 0, 0), 1);
  t.deepEqual(
    meter.bands.map((band) => band.packets),
    [1, 2],
  );
});

test('a clock that stands still or goes back gives no tokens', (t) => {
  const meter = new Meter(false, [{ rate: 1000, burst: 1 }], 1000);
  t.is(passed(meter, 1, 60, 1000, 0), 1);
  t.is(passed(meter, 3, 60, 500, 0), 0);
});
