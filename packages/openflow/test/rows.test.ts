/**
 * Each form of message and each error has a good and a bad fixture in bytes, with the peer's text, and these are read,
 * printed and written as by the peer. Fields and actions have theirs in fields-actions.test.ts.
 */
import test from 'ava';
import { ERRORS } from '../src/error-table.js';
import { OfError } from '../src/errors.js';
import { decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { WIRE_FORMS } from '../src/messages/wire-forms.js';
import { printMessage } from '../src/text/message.js';
import { fixtureRows } from './lib/fixtures.js';
import { quietParsers } from './lib/quiet.js';

quietParsers();

/** Made by scripts/record-openflow-rows.mjs. */
const rows = fixtureRows('rows.tsv');

test('messages of each row are printed, or refused, as by the peer', (t) => {
  for (const [row, , bytes, text] of rows) {
    t.is(printMessage(Buffer.from(bytes, 'hex'), { verbosity: 2 }), JSON.parse(text), row);
  }
});

test('what is read of a good message is written in the same bytes', (t) => {
  for (const [row, quality, bytes] of rows) {
    if (quality !== 'good') continue;
    const decoded = decodeMessage(Buffer.from(bytes, 'hex'), { loose: true });
    if (decoded instanceof OfError) t.fail(`${row}: ${decoded.name}`);
    else
      t.is(Buffer.from(encodeMessage(decoded.msg, decoded.version, decoded.xid)).toString('hex'), bytes, row);
  }
});

function missing(table: string, names: readonly string[], quality: 'good' | 'bad'): string[] {
  const have = new Set(rows.filter(([, q]) => (q === 'read' ? 'good' : q) === quality).map(([row]) => row));
  return names.map((name) => `${table} ${name}`).filter((row) => !have.has(row));
}

const TABLES = {
  message: Object.keys(WIRE_FORMS),
  error: Object.keys(ERRORS),
} as const;

for (const [table, names] of Object.entries(TABLES)) {
  for (const quality of ['good', 'bad'] as const) {
    test(`each ${table} has a ${quality} fixture in bytes`, (t) => {
      t.deepEqual(missing(table, names, quality), []);
    });
  }
}
