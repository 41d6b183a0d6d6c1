/**
 * Each form of message and of action and each instruction, in each version that has it, each error and each property has a
 * good and a bad fixture in bytes, with the peer's text, and these are read, printed and written as by the peer. Fields and
 * actions have theirs in fields-actions.test.ts.
 */
import test from 'ava';
import { INSTRUCTION_ROWS } from '../src/actions/instruction-table.js';
import { ERRORS } from '../src/error-table.js';
import { OfError } from '../src/errors.js';
import { decodeMessage, encodeMessage } from '../src/messages/codec.js';
import { WIRE_FORMS } from '../src/messages/wire-forms.js';
import { printMessage } from '../src/text/message.js';
import { fixtureRows } from './lib/fixtures.js';
import { formRows } from './lib/form-rows.js';
import { PROPERTY_ROWS } from './lib/property-cases.js';
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

/** Row, with the version of a message and of an action's form. */
const have = new Set(
  rows.map(([row, quality, bytes]) => {
    const version = /^(message|form|instruction) /.test(row!) ? ` ${parseInt(bytes!.slice(0, 2), 16)}` : '';
    return `${row}${version} ${quality === 'bad' ? 'bad' : 'good'}`;
  }),
);

const TABLES: Readonly<Record<string, readonly string[]>> = {
  message: Object.entries(WIRE_FORMS).flatMap(([key, [from, to]]) =>
    [1, 2, 3, 4, 5, 6].filter((v) => v >= from && v <= to).map((v) => `message ${key} ${v}`),
  ),
  form: formRows().map(({ row, version }) => `${row} ${version}`),
  instruction: INSTRUCTION_ROWS.flatMap(([kind, { from, to }]) =>
    [2, 3, 4, 5, 6].filter((v) => v >= from && v <= to).map((v) => `instruction ${kind} ${v}`),
  ),
  error: Object.keys(ERRORS).map((name) => `error ${name}`),
  property: PROPERTY_ROWS.map(([holder, name]) => `property ${holder}: ${name}`),
};

/** Rows without a fixture, and why. */
const WITHOUT: Readonly<Record<string, (row: string) => boolean>> = {
  'bad message: of these any bytes are good': (row) =>
    /^message OFPT_(HELLO|ECHO_REQUEST|ECHO_REPLY) /.test(row),
  'good form: these are not read, but where dummies are': (row) =>
    /^form (debug_recirc|debug_slow) /.test(row),
  'good form: these are read from OpenFlow 1.3 on': (row) =>
    /^form (encap|decap|dec_nsh_ttl) .* [123]$/.test(row),
  'good form: it needs a match on tracked connections, which OpenFlow 1.1 has not': (row) =>
    row === 'form resubmit 2320/44 2',
  'good form: it is within ct only; fields-actions.test.ts has it': (row) => row.startsWith('form nat '),
  'good property: this one is ours, which the peer passes over; continuation.test.ts has it': (row) =>
    row === 'property continuation: instruction',
};

for (const [table, wanted] of Object.entries(TABLES)) {
  for (const quality of ['good', 'bad'] as const) {
    test(`each ${table} has a ${quality} fixture in bytes`, (t) => {
      const missing = wanted.filter((row) => !have.has(`${row} ${quality}`));
      const excuses = Object.entries(WITHOUT).filter(([why]) => why.startsWith(`${quality} ${table}: `));
      t.deepEqual(
        missing,
        wanted.filter((row) => excuses.some(([, excuse]) => excuse(row))),
      );
    });
  }
}
