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

test('a cancelled timer does not fire', async (t) => {
  const clock = new WarpClock();
  clock.stop();
  const timer = clock.setTimer(10, () => t.fail());
  timer.cancel();
  await clock.warp(20);
  t.pass();
});
