import test from 'ava';
import fc from 'fast-check';
import { jsonSyntaxError } from '../../src/data/json-check.js';

/** Texts and what the peer's ovsdb-client says of them. */
const WRONG: readonly (readonly [string, number, string])[] = [
  ['', 0, 'empty input stream'],
  [' ', 1, 'empty input stream'],
  ["'", 0, "invalid character '''"],
  ['[éa]', 1, 'invalid character U+00c3'],
  ['5', 1, 'syntax error at beginning of input'],
  ['"abc"', 4, 'syntax error at beginning of input'],
  ['x', 1, "invalid keyword 'x'"],
  ['[tru]', 4, "invalid keyword 'tru'"],
  ['[a_b]', 2, "invalid keyword 'a'"],
  ['[True]', 1, "invalid character 'T'"],
  ['["a"] x', 7, "invalid keyword 'x'"],
  ['[1x]', 3, "invalid keyword 'x'"],
  ['[1] [2]', 4, 'trailing garbage at end of input'],
  ['[],', 2, 'trailing garbage at end of input'],
  ['[', 1, 'unexpected end of input'],
  ['{"a":', 5, 'unexpected end of input'],
  ['[1,2', 5, 'unexpected end of input'],
  ['["abc', 5, 'unexpected end of input in quoted string'],
  ['["a\\', 4, 'unexpected end of input in quoted string'],
  ['["a" "b"]', 7, "syntax error expecting ']' or ','"],
  ['[1}', 2, "syntax error expecting ']' or ','"],
  ['{"a":1 "b"}', 9, "syntax error expecting '}' or ','"],
  ['{"a" 1}', 6, "syntax error parsing object expecting ':'"],
  ['{"a":1,}', 7, 'syntax error parsing object expecting string'],
  ['{1:2}', 2, 'syntax error parsing object expecting string'],
  ['[1,]', 3, 'syntax error expecting value'],
  ['{"a"::1}', 5, 'syntax error expecting value'],
  [' [}', 2, 'syntax error expecting value'],
  ['[-]', 2, "'-' must be followed by digit"],
  ['[01]', 3, 'leading zeros not allowed'],
  ['[1.x]', 3, 'decimal point must be followed by digit'],
  ['[1.5e]', 5, 'exponent must contain at least one digit'],
  ['[1-2]', 4, 'syntax error in number'],
  ['[1e999]', 6, 'number outside valid range'],
  ['["\\x"]', 4, 'bad escape \\x'],
  ['["\\u12"]', 6, 'quoted string ends within \\u escape'],
  ['["\\u12zz"]', 8, 'malformed \\u escape'],
  ['["\\u0000"]', 8, 'null bytes not supported in quoted strings'],
  ['["\\ud800x"]', 9, 'malformed escaped surrogate pair'],
  ['["\\ud800\\u0041"]', 14, 'second half of escaped surrogate pair is not trailing surrogate'],
  ['["a\nb"]', 3, 'U+000A must be escaped in quoted string'],
  ['['.repeat(1001), 1000, 'input exceeds maximum nesting depth 1000'],
];

test('errors and their places are the peer’s', (t) => {
  for (const [text, at, message] of WRONG)
    t.is(jsonSyntaxError(text), `line 0, column ${at}, byte ${at}: ${message}`, text);
});

test('lines and columns count from 0', (t) => {
  t.is(jsonSyntaxError('[\n x]'), "line 1, column 2, byte 4: invalid keyword 'x'");
});

test('what JSON.stringify writes is right, and what JSON.parse refuses is wrong', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.json()), fc.array(fc.string())), (parts) => {
      const text = `[${parts.join(',')}]`;
      let isRight = true;
      try {
        JSON.parse(text);
      } catch {
        isRight = false;
      }
      // Beyond JSON: no NUL, no lone surrogate, no number without a double.
      if (isRight && /\\u0000|\\ud[89ab]|[eE]\d{3}/i.test(text)) return true;
      return (jsonSyntaxError(text) === undefined) === isRight;
    }),
  );
  t.pass();
});
