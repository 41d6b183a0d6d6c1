import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { limited } from '../../src/replica/call.js';

test('a call without end, or of a month, is not over at once', async (t) => {
  const warnings: string[] = [];
  const note = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  for (const timeoutMs of [Infinity, 30 * 86_400_000])
    t.is(await limited(nextTurn('answer'), { timeoutMs }), 'answer');
  await nextTurn();
  t.deepEqual(warnings, [], 'Node.js makes 1 ms of what its timers cannot be');
});

test('a call that is over is given up, once', async (t) => {
  const given: string[] = [];
  await t.throwsAsync(
    limited(new Promise(() => undefined), { timeoutMs: 0 }, () => given.push('given up')),
    { message: /no answer within 0 ms/ },
  );
  t.deepEqual(given, ['given up']);
});
