import test from 'ava';
import { WarpClock } from '../src/warp-clock.js';

test('stopped time stands, and a warp fires what is due in the order of time', async (t) => {
  const clock = new WarpClock();
  clock.stop();
  const start = clock.now();
  t.is(clock.now(), start);
  t.true(Number.isInteger(start), 'with a fraction, 500 ms later may come out as 499.999');
  const fired: string[] = [];
  clock.setTimer(300, () => fired.push(`b at ${clock.now() - start}`));
  clock.setTimer(100, () => {
    fired.push(`a at ${clock.now() - start}`);
    clock.setTimer(50, () => fired.push(`c at ${clock.now() - start}`));
  });
  clock.setTimer(1000, () => fired.push('never'));
  await clock.warp(500);
  t.deepEqual(fired, ['a at 100', 'c at 150', 'b at 300']);
  t.is(clock.now() - start, 500);
});

test('time that was not stopped goes on after a warp', async (t) => {
  const clock = new WarpClock();
  const start = clock.now();
  const fired: string[] = [];
  clock.setTimer(1000, () => fired.push('in the warp'));
  const after = new Promise((done) => clock.setTimer(5050, () => done(fired.push('after it'))));
  await clock.warp(5000, 100);
  t.deepEqual(fired, ['in the warp']);
  await after;
  t.true(clock.now() - start >= 5050);
  t.true(clock.now() - start < 60_000);
});

test('a cancelled timer does not fire', async (t) => {
  const clock = new WarpClock();
  clock.stop();
  const timer = clock.setTimer(10, () => t.fail());
  timer.cancel();
  await clock.warp(20);
  t.pass();
});

test('a warp of days ends: what comes again and again does so a thousand times, and then once more where the warp ends', async (t) => {
  const DAY = 86_400_000;
  const clock = new WarpClock();
  clock.stop();
  const start = clock.now();
  const times: number[] = [];
  const again = (): void => {
    times.push(clock.now() - start);
    clock.setTimer(500, again);
  };
  clock.setTimer(500, again);
  clock.setTimer(30 * DAY - 1, () => t.is(clock.now() - start, 30 * DAY));
  await clock.warp(30 * DAY);
  t.deepEqual(times, [...Array.from({ length: 1000 }, (_, i) => 500 * (i + 1)), 30 * DAY]);
  t.is(clock.now() - start, 30 * DAY);
  times.length = 0;
  await clock.warp(1000);
  t.deepEqual(times, [30 * DAY + 500, 30 * DAY + 1000], 'and then goes on as before');
});
