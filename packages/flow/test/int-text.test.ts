import test from 'ava';
import { BLANKS, readDecimal, scanU64, scanWrapped, skipBlanks } from '../src/int-text.js';

test('blanks are what isspace() has, and no others', (t) => {
  const blanks = ' \t\n\v\f\r';
  for (let c = 0; c < 0x100; c++) {
    const text = String.fromCharCode(c);
    const isBlank = blanks.includes(text);
    t.is(skipBlanks(`-${text}x`, 1), isBlank ? 2 : 1, `character ${c}`);
    t.is(new RegExp(`^${BLANKS}$`).test(text), isBlank, `character ${c}`);
  }
  t.is(skipBlanks(blanks), blanks.length);
});

test('a decimal number may have blanks and a plus before it, and nothing else', (t) => {
  for (const text of ['12', ' \t\n\v\f\r12', '+12', ' +12', '012']) t.is(readDecimal(text), 12, text);
  for (const text of ['', ' ', '+', '-12', '+ 12', '12 ', '0x12', '1e1', '1.0', '\u00a012', '1_0'])
    t.is(readDecimal(text), NaN, text);
});

test('numbers of any base are read behind blanks, from where they start', (t) => {
  t.deepEqual(scanU64('x \t-0x10,', 1), { value: (1n << 64n) - 16n, end: 8 });
  t.deepEqual(scanWrapped('x \t017z', 1), { value: 15n, end: 6 });
  t.is(scanWrapped('x \t', 1), undefined);
});
