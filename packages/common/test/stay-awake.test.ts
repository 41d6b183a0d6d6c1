import test from 'ava';
import { wakefulness } from '../src/stay-awake.js';

/** A loop whose rounds take 40 µs. */
function fakeLoop() {
  let now = 0;
  const waiting: (() => void)[] = [];
  const stayAwake = wakefulness(
    () => now,
    (look) => void waiting.push(look),
  );
  /** Runs rounds until nobody wants another; how many. */
  const rounds = (): number => {
    for (let n = 0; ; n++) {
      const look = waiting.shift();
      if (look === undefined) return n;
      now += 0.04;
      look();
    }
  };
  return { stayAwake, rounds, waiting };
}

test('the loop looks for input for a tenth of a millisecond after an answer, and then sleeps', (t) => {
  const { stayAwake, rounds } = fakeLoop();
  stayAwake();
  t.is(rounds(), 3);
  t.is(rounds(), 0);
  stayAwake();
  t.is(rounds(), 3);
});

test('several answers in one round ask for one look, and each has its time', (t) => {
  const { stayAwake, rounds, waiting } = fakeLoop();
  stayAwake();
  stayAwake();
  t.is(waiting.length, 1);
  waiting.push(stayAwake);
  t.is(rounds(), 5, 'one look, the answer, and three looks after it');
});
