import test from 'ava';
import fc from 'fast-check';
import { JsonSplitter } from '../../src/jsonrpc/framing.js';

function split(
  bytes: Buffer,
  sizes: readonly number[],
  limits?: { maxBytes: number; maxDepth: number },
): string[] {
  const texts: string[] = [];
  const splitter = new JsonSplitter((text) => texts.push(text), limits);
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes.length === 0 ? bytes.length : Math.max(1, sizes[i % sizes.length]!);
    splitter.push(bytes.subarray(at, at + size));
    at += size;
  }
  return texts;
}

test('texts come out whole, however the stream is cut', (t) => {
  const value = fc.jsonValue({ maxDepth: 4, noUnicodeString: false });
  const message = fc.oneof(fc.dictionary(fc.string({ unit: 'grapheme' }), value), fc.array(value));
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (messages, sizes) => {
        const texts = messages.map((m) => JSON.stringify(m));
        t.deepEqual(split(Buffer.from(texts.join('')), sizes), texts);
        t.deepEqual(split(Buffer.from(texts.join(' \r\n\t')), sizes), texts);
      },
    ),
    { numRuns: 300 },
  );
});

test('braces, quotes and backslashes inside strings do not count', (t) => {
  const texts = ['{"a":"}\\"{\\\\"}', '["\\\\\\"]","é日本😀"]'];
  for (const size of [1, 2, 3, 1000]) t.deepEqual(split(Buffer.from(texts.join('')), [size]), texts);
});

for (const [name, input, pattern] of [
  ['a number between texts', '{} 7', /byte 0x37 between JSON texts/],
  ['a closing bracket', ']', /between JSON texts/],
  ['a bare word', 'garbage', /byte 0x67/],
  ['too deep', '['.repeat(6), /deeper than 5/],
  ['too long', `{"a":"${'x'.repeat(100)}"}`, /longer than 50 bytes/],
  ['not UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), /not UTF-8/],
] as const) {
  test(`ends the stream: ${name}`, (t) => {
    for (const sizes of [[], [1]]) {
      const bytes = typeof input === 'string' ? Buffer.from(input) : input;
      t.throws(() => split(bytes, sizes, { maxBytes: 50, maxDepth: 5 }), { message: pattern });
    }
  });
}

test('an endless text is cut off at the limit, not kept', (t) => {
  const splitter = new JsonSplitter(() => t.fail(), { maxBytes: 1000, maxDepth: 5 });
  splitter.push(Buffer.from('["'));
  t.throws(() => {
    for (let i = 0; i < 100; i++) splitter.push(Buffer.alloc(100, 0x61));
  });
  t.true(splitter.pending <= 1100);
});
