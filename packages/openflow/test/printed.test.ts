import test from 'ava';
import { OfError } from '../src/errors.js';
import { decodeHeader, decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { WIRE_FORMS } from '../src/messages/wire-forms.js';
import { printMessage } from '../src/text/message.js';
import { PEER_SENT } from './fixtures/peer-sent.js';
import { PRINTED, REFUSED } from './fixtures/printed.js';

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const emptyProperty = (type: number): string => `${type.toString(16).padStart(4, '0')}000400000000`;

test('every form on the wire has a message among the fixtures', (t) => {
  const have = new Set(PRINTED.map((p) => p.form));
  t.deepEqual(
    Object.keys(WIRE_FORMS).filter((form) => !have.has(form)),
    [],
  );
});

for (const { form, hex, text } of PRINTED) {
  test(`${form} is recognised, printed as the peer prints it, and comes back as it was`, (t) => {
    const bytes = bytesOf(hex);
    const header = decodeHeader(bytes);
    t.is(header instanceof OfError ? header.toString() : header.wire.key, form);
    t.is(printMessage(bytes, { verbosity: 2 }), text);
    const decoded = decodeMessage(bytes, { loose: true });
    if (decoded instanceof OfError) return t.fail(decoded.detail);
    t.is(Buffer.from(encodeMessage(decoded.msg, decoded.version, decoded.xid)).toString('hex'), hex);
  });
}

for (const { form, hex, text } of REFUSED) {
  test(`${form} with a fault is refused in the peer's words: ${hex}`, (t) => {
    const bytes = bytesOf(hex);
    const error = decodeMessage(bytes, { loose: true });
    if (!(error instanceof OfError)) return t.fail('it is taken');
    // What is quoted are the first bytes of the offender.
    t.deepEqual(error.data, bytes);
    t.true(printMessage(bytes, { verbosity: 2 }).startsWith(text));
  });
}

test('instructions that no version has are left out of the features of a table', (t) => {
  // write_metadata, and 35, which is 3 but for 32.
  const properties = ['0000000c000200040023000400000000', ...[2, 4, 6, 8, 10, 12, 14].map(emptyProperty)];
  const table = '008800000000000074616200' + '00'.repeat(52) + properties.join('');
  t.is(
    printMessage(bytesOf(`0613009812345678000c000000000000${table}`), { verbosity: 2 }),
    'OFPST_TABLE_FEATURES reply (OF1.5) (xid=0x12345678):\n  table 0 ("tab"):\n' +
      '    eviction: not supported\n    vacancy events: not supported\n' +
      '    instructions (table miss and others):\n      instructions: write_metadata\n',
  );
});

for (const [form, hex] of PEER_SENT) {
  test(`${form} as the peer sends it is what is sent here: ${hex}`, (t) => {
    const decoded = decodeMessage(bytesOf(hex));
    if (decoded instanceof OfError) return t.fail(decoded.detail);
    t.is(decoded.wire.key as string, form);
    t.is(Buffer.from(encodeMessage(decoded.msg, decoded.version, decoded.xid)).toString('hex'), hex);
  });
}
