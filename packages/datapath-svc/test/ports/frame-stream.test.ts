import test from 'ava';
import fc from 'fast-check';
import { FrameParser } from '../../src/ports/frame-stream.js';

/** Feeds `bytes` in chunks of the given sizes; the frames that came out. */
function parse(
  bytes: Uint8Array,
  sizes: readonly number[],
  maxFrame: number,
): { frames: string[]; broken: boolean } {
  const parser = new FrameParser(maxFrame);
  const memory = new Uint8Array(maxFrame);
  const frames: string[] = [];
  let turn = 0;
  for (let from = 0; from < bytes.length;) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn++ % sizes.length]!;
    const chunk = bytes.subarray(from, from + size);
    from += size;
    for (let pos = 0; pos < chunk.length;) {
      pos = parser.feed(chunk, pos, memory, 0);
      if (parser.broken) return { frames, broken: true };
      if (parser.length > 0) frames.push(Buffer.from(memory.subarray(0, parser.length)).toString('hex'));
    }
  }
  return { frames, broken: false };
}

test('frames come out whole however the stream is cut', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
      (frames, sizes) => {
        const stream = Buffer.concat(
          frames.flatMap((frame) => [
            Buffer.from([0, 0, frame.length >> 8, frame.length & 0xff]),
            Buffer.from(frame),
          ]),
        );
        const expected = frames.map((frame) => Buffer.from(frame).toString('hex'));
        const { frames: got, broken } = parse(stream, sizes, 300);
        return !broken && JSON.stringify(got) === JSON.stringify(expected);
      },
    ),
  );
  t.pass();
});

test('a length of zero, or beyond the longest, breaks the stream', (t) => {
  t.true(parse(Uint8Array.of(0, 0, 0, 0), [], 100).broken);
  t.true(parse(Uint8Array.of(0, 0, 0, 101), [], 100).broken);
  t.true(parse(Uint8Array.of(0xff, 0xff, 0xff, 0xff), [1], 100).broken);
  t.false(parse(Uint8Array.of(0, 0, 0, 100), [], 100).broken);
});

test('hostile streams never throw, and give no frame longer than the longest', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 40 }), (bytes, size) =>
      parse(bytes, [size], 64).frames.every((frame) => frame.length <= 128),
    ),
  );
  t.pass();
});
