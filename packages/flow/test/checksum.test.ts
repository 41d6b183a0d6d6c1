import test from 'ava';
import fc from 'fast-check';
import { checksum, foldSum, sumBytes, updateChecksum16, updateChecksum32 } from '../src/checksum.js';

test('the example of RFC 1071', (t) => {
  const bytes = Uint8Array.from([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
  t.is(foldSum(sumBytes(bytes, 0, 8)), 0xddf2);
  t.is(checksum(bytes, 0, 8), 0x220d);
});

test('an odd last byte counts as if a zero followed', (t) => {
  t.is(checksum(Uint8Array.from([1, 2, 3]), 0, 3), checksum(Uint8Array.from([1, 2, 3, 0]), 0, 4));
});

test('sums beyond 32 bits fold as the same sum folded on the way', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (sum) => {
      const expected = sum === 0 ? 0 : sum % 65535 || 65535;
      t.is(foldSum(sum), expected);
    }),
  );
});

test('an incremental update gives the checksum of the changed bytes', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.nat(4),
      fc.nat(0xffffffff),
      (bytes, word, value) => {
        const at = word * 4;
        const before = checksum(bytes, 0, 20);
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        const from = view.getUint32(at);
        view.setUint32(at, value);
        const after = checksum(bytes, 0, 20);
        // One's complement has two zeros; a header is never all zeros, so they mean the same.
        const same = (a: number, b: number): boolean => a % 65535 === b % 65535;
        t.true(same(updateChecksum32(before, from, value), after));
        const half = updateChecksum16(before, from >>> 16, value >>> 16);
        t.true(same(updateChecksum16(half, from & 0xffff, value & 0xffff), after));
      },
    ),
  );
});
