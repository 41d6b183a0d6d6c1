import test from 'ava';
import fc from 'fast-check';
import { type Json, canonicalJson, parseJson, stringifyJson } from '../../src/data/json.js';

test('integers outside of the safe range survive both ways', (t) => {
  const text =
    '{"a":[9223372036854775807,-9223372036854775808,9007199254740991,1.5],"s":"12345678901234567890"}';
  const value = parseJson(text) as { a: Json[]; s: string };
  t.deepEqual(value.a, [9223372036854775807n, -9223372036854775808n, 9007199254740991, 1.5]);
  t.is(value.s, '12345678901234567890');
  t.is(stringifyJson(value), text);
});

test('strings that look like the marks of large integers keep their meaning', (t) => {
  const value = ['\u0001int:5', '\u0001int:\u0001int:1', 12345678901234567890n];
  t.deepEqual(parseJson(stringifyJson(value)), value);
});

test('large integers inside strings and after escapes are left alone', (t) => {
  for (const text of [
    '"\\"12345678901234567890"',
    '["\\\\",12345678901234567890]',
    '"a\\u0001int:12345678901234567890"',
  ]) {
    t.is(stringifyJson(parseJson(text)).replace('\\u0001', '\\u0001'), text);
  }
});

test('text that is not JSON is refused with or without large integers', (t) => {
  for (const text of ['', '{', '[1,]', '12345678901234567890]', '{"a":12345678901234567890', '01', '-']) {
    t.throws(() => parseJson(text), { instanceOf: SyntaxError }, text);
  }
});

test('canonical text sorts members', (t) => {
  t.is(canonicalJson({ b: 1, a: { d: null, c: [true] } }), '{"a":{"c":[true],"d":null},"b":1}');
});

test('any JSON value with 64-bit integers survives', (t) => {
  // A string with U+0000 in it is refused, as the peer does.
  const text = (constraints: fc.StringConstraints = {}): fc.Arbitrary<string> =>
    fc.string(constraints).filter((string) => !string.includes('\0'));
  const atom = fc.oneof(
    text({ unit: 'binary' }),
    fc
      .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
      .map((n) => (Number.isSafeInteger(Number(n)) ? Number(n) : n)),
    fc.boolean(),
    fc.constant(null),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      atom,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text(), tie('value'), { maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(value as fc.Arbitrary<Json>, (json) => {
      t.is(canonicalJson(parseJson(stringifyJson(json))), canonicalJson(json));
    }),
  );
});
