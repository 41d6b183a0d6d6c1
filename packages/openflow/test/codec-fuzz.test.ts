import test from 'ava';
import fc from 'fast-check';
import { decodeActions, decodeInstructions } from '../src/actions/codec.js';
import { parseActions } from '../src/actions/text.js';
import { decodeMatchFields } from '../src/match/nxm.js';
import { decodeMessage } from '../src/messages/codec.js';
import { OfError } from '../src/errors.js';
import { printMessage } from '../src/text/message.js';
import { FLOW_MODS } from './fixtures/flow-mods.js';

const RUNS = 3000;
const samples = FLOW_MODS.map(([, hex]) => new Uint8Array(Buffer.from(hex, 'hex')));

/** A message with some bytes changed, its length field kept right most of the time. */
const mutated = fc
  .tuple(
    fc.nat(samples.length - 1),
    fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
    fc.nat(400),
    fc.boolean(),
  )
  .map(([i, changes, cut, fix]) => {
    const bytes = samples[i].slice(0, cut < 8 ? undefined : cut);
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    if (fix) {
      bytes[2] = bytes.length >> 8;
      bytes[3] = bytes.length & 255;
    }
    return bytes;
  });

test('a mutated message decodes or is refused, and is printed', (t) => {
  fc.assert(
    fc.property(mutated, (bytes) => {
      decodeMessage(bytes);
      printMessage(bytes, { verbosity: 3 });
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

test('bytes of any kind decode or are refused', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.nat(40),
      fc.uint8Array({ maxLength: 200 }),
      (version, type, body) => {
        const bytes = new Uint8Array(8 + body.length);
        bytes.set([version, type, bytes.length >> 8, bytes.length & 255]);
        bytes.set(body, 8);
        decodeMessage(bytes);
        printMessage(bytes, { verbosity: 2 });
      },
    ),
    { numRuns: RUNS },
  );
  t.pass();
});

test('a Nicira message or statistics reply of any content decodes or is refused', (t) => {
  const vendor = fc.tuple(fc.nat(50), fc.uint8Array({ maxLength: 120 }), fc.constantFrom(4, 16, 17, 18, 19));
  fc.assert(
    fc.property(vendor, fc.integer({ min: 1, max: 6 }), ([subtype, body, type], version) => {
      const bytes = new Uint8Array(24 + body.length);
      bytes.set([version, type, bytes.length >> 8, bytes.length & 255]);
      bytes.set(type === 4 ? [0, 0, 0x23, 0x20, 0, 0, 0, subtype] : [0, subtype, 0, 0, 0, 0, 0, 0], 8);
      bytes.set(body, 24);
      decodeMessage(bytes);
      printMessage(bytes, { verbosity: 2 });
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

test('actions, instructions and matches of any bytes are values or errors', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 96 }), fc.integer({ min: 1, max: 6 }), (bytes, version) => {
      for (const v of [
        decodeActions(bytes, version),
        decodeInstructions(bytes, version),
        decodeMatchFields(bytes),
      ]) {
        if (v instanceof OfError && v.name === undefined) throw new Error('an error without a name');
      }
    }),
    { numRuns: RUNS },
  );
  t.pass();
});

/** NXAST_CLONE in NXAST_CLONE, so many deep. */
function clones(depth: number): Uint8Array {
  let inner = new Uint8Array(0);
  for (let i = 0; i < depth; i++) {
    const outer = new Uint8Array(16 + inner.length);
    outer.set([0xff, 0xff, outer.length >> 8, outer.length & 255, 0, 0, 0x23, 0x20, 0, 42]);
    outer.set(inner, 16);
    inner = outer;
  }
  return inner;
}

test('actions are nested as deep as they can be written, and not without end', (t) => {
  const text = `${'clone('.repeat(99)}drop${')'.repeat(99)}`;
  const deep = decodeActions(clones(99), 1);
  t.false(deep instanceof OfError);
  t.deepEqual(deep, parseActions(text));
  t.throws(() => parseActions(`clone(${text})`), { message: 'Action nested too deeply' });
  for (const depth of [100, 4000]) {
    const decoded = decodeActions(clones(depth), 1);
    t.is(decoded instanceof OfError && decoded.name, 'OFPBAC_TOO_MANY');
  }
});
