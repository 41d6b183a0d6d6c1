/** What comes is cut into messages, whatever pieces it comes in; who keeps one finds it as it was. */
import test from 'ava';
import { type Intake, KeptIntake, LentIntake } from '../src/intake.js';

/** A message of `length` bytes, all but the header `fill`. */
function message(length: number, fill: number): Buffer {
  const bytes = Buffer.alloc(length, fill);
  bytes.writeUInt16BE(length, 2);
  return bytes;
}

const LENGTHS = [8, 65_535, 9, 40_000, 65_535, 65_528, 8, 8, 1000, 65_535, 65_535, 12];
const MESSAGES = LENGTHS.map((length, i) => message(length, i + 1));
const STREAM = Buffer.concat(MESSAGES);

/** The whole messages there are. */
function* whole(intake: Intake): Generator<Buffer> {
  for (;;) {
    const length = intake.firstLength();
    if (length === undefined || intake.size < length) return;
    yield intake.take(length);
  }
}

for (const piece of [1, 3, 4, 5, 8, 1000, 65_535, 65_536, 200_000, STREAM.length]) {
  test(`pieces of ${piece} bytes, of which the sender keeps none, become messages that can be kept`, (t) => {
    const intake = new KeptIntake();
    const got: Buffer[] = [];
    for (let at = 0; at < STREAM.length; at += piece) {
      intake.add(Buffer.from(STREAM.subarray(at, at + piece)));
      got.push(...whole(intake));
    }
    t.deepEqual(got, MESSAGES);
    t.is(intake.size, 0);
  });

  test(`pieces of ${piece} bytes that were only lent become messages, each as it was until it is given back`, (t) => {
    const intake = new LentIntake();
    const lender = Buffer.alloc(piece);
    let count = 0;
    let held: Buffer | undefined;
    for (let at = 0; at < STREAM.length; at += piece) {
      // The last message is still out while more comes.
      intake.add(lender.subarray(0, STREAM.copy(lender, 0, at, at + piece)));
      lender.fill(0xee);
      if (held) t.true(held.equals(MESSAGES[count - 1]!));
      for (const bytes of whole(intake)) {
        t.true(bytes.equals(MESSAGES[count]!), `message ${count}`);
        count++;
        held = bytes;
        if (count % 2 === 0) {
          held = undefined;
          intake.release();
        }
      }
    }
    t.is(count, MESSAGES.length);
    t.is(intake.size, 0);
  });
}

test('what waits is forgotten', (t) => {
  for (const intake of [new KeptIntake(), new LentIntake()]) {
    intake.add(Buffer.from(STREAM.subarray(0, 70_000)));
    intake.take(8);
    intake.clear();
    t.is(intake.size, 0);
    t.is(intake.firstLength(), undefined);
    intake.add(Buffer.from(MESSAGES[2]!));
    t.deepEqual([...whole(intake)], [MESSAGES[2]!]);
  }
});
