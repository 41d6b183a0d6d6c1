/** Every class, code, length and mask bit of a header in a set-field is refused, or not, as the peer does. */
import test from 'ava';
import { needing, peerPath, run } from '@ovs-node/common/testkit/index';
import { decodeActions } from '../src/actions/codec.js';
import { OfError } from '../src/errors.js';
import { Random } from '../src/testkit/random.js';

const CLASSES = [0, 1, 2, 0x1234, 0x8000, 0x8001, 0xfffe, 0xffff];
const EXPERIMENTER = 0xffff;
const EXPERIMENTERS = [0x2320, 0x4f4e4600, 0x005ad650, 0x12345678];
const LENGTHS = [0, 1, 2, 3, 4, 5, 6, 8, 12, 16, 20, 124, 128, 248, 255];

/** A set-field of zeros with this header, padded to 8 bytes, in hexadecimal. */
function setField(cls: number, code: number, length: number, experimenter: number): string {
  const head = Buffer.alloc(cls === EXPERIMENTER ? 8 : 4);
  head.writeUInt16BE(cls, 0);
  head[2] = code;
  head[3] = length;
  if (cls === EXPERIMENTER) head.writeUInt32BE(experimenter, 4);
  const bytes = Buffer.alloc((4 + 4 + length + 7) & ~7);
  bytes.writeUInt16BE(25, 0);
  bytes.writeUInt16BE(bytes.length, 2);
  head.copy(bytes, 4);
  return bytes.toString('hex');
}

needing(test, 'peer')('a set-field of a field that there is not has the error of the peer', async (t) => {
  t.timeout(120_000);
  const r = new Random(5);
  const lines: string[] = [];
  for (const cls of CLASSES) {
    for (let code = 0; code < 256; code++) {
      for (const length of LENGTHS) {
        const experimenters = cls === EXPERIMENTER ? EXPERIMENTERS : [0];
        for (const id of experimenters) lines.push(setField(cls, code, Math.max(length, id && 4), id));
      }
    }
  }
  for (let i = 0; i < 20_000; i++) lines.push(setField(r.below(65535), r.below(256), r.below(256), 0));
  const input = `${lines.join('\n')}\n`;
  const { stdout } = await run(peerPath('ovs-ofctl')!, ['parse-actions', 'OpenFlow15'], { input });
  const answers = stdout.split('\n\n').slice(0, -1);
  t.is(answers.length, lines.length);
  const bad = lines.filter((hex, i) => {
    const ours = decodeActions(Buffer.from(hex, 'hex'), 6);
    const theirs = /^bad OpenFlow15 actions: (.*)$/m.exec(answers[i])?.[1];
    return (ours instanceof OfError ? ours.name : undefined) !== theirs;
  });
  t.deepEqual(bad, []);
});
