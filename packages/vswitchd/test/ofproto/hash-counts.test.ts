import test from 'ava';
import fc from 'fast-check';
import { HashCounts } from '../../src/ofproto/hash-counts.js';

test('counts hashes as a map of them does, whatever places they share', (t) => {
  // Few hashes and many steps: they meet, and what is taken out makes others move.
  const hash = fc.oneof(
    fc.integer({ min: -40, max: 40 }),
    fc.constantFrom(0x7fffffff, -0x80000000, -1 << 16),
  );
  const step = fc.record({ add: fc.boolean(), hash });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const counts = new HashCounts();
      const model = new Map<number, number>();
      for (const { add, hash } of steps) {
        const before = model.get(hash) ?? 0;
        if (add) counts.add(hash);
        else counts.remove(hash);
        const now = Math.max(0, before + (add ? 1 : -1));
        if (now === 0) model.delete(hash);
        else model.set(hash, now);
        t.is(counts.size, model.size);
      }
      for (let h = -41; h <= 41; h++) t.is(counts.has(h), model.has(h));
    }),
    { numRuns: 1000 },
  );
});

test('grows and shrinks with what it holds', (t) => {
  const counts = new HashCounts();
  for (let i = 0; i < 50_000; i++) counts.add(Math.imul(i, 0x01000193));
  t.is(counts.size, 50_000);
  for (let i = 0; i < 50_000; i++) t.true(counts.has(Math.imul(i, 0x01000193)));
  for (let i = 0; i < 49_999; i++) counts.remove(Math.imul(i, 0x01000193));
  t.is(counts.size, 1);
  t.false(counts.has(0));
  t.true(counts.has(Math.imul(49_999, 0x01000193)));
  t.true(counts.places <= 64, `${counts.places} places for one hash`);
});
