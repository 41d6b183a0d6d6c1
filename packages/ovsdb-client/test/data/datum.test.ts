import test from 'ava';
import fc from 'fast-check';
import { compareStrings } from '../../src/data/atom.js';
import {
  type Datum,
  EMPTY_DATUM,
  applyDatumDiff,
  compareData,
  datumDiff,
  datumDifference,
  datumEquals,
  datumExcludes,
  datumIncludes,
  datumUnion,
  mapDatum,
  mapGet,
  setDatum,
} from '../../src/data/datum.js';
import { datumFromJson, datumToJson } from '../../src/data/datum-json.js';
import type { ColumnType } from '../../src/data/type.js';

const SET: ColumnType = { key: { type: 'string' }, min: 0, max: Infinity };
const MAP: ColumnType = { key: { type: 'string' }, value: { type: 'integer' }, min: 0, max: Infinity };

const set = fc.array(fc.string({ maxLength: 2 }), { maxLength: 8 }).map((atoms) => setDatum(atoms));
const map = fc
  .array(fc.tuple(fc.string({ maxLength: 1 }), fc.integer({ min: 0, max: 3 })), { maxLength: 8 })
  .map((entries) => mapDatum(entries));
const datum: fc.Arbitrary<[ColumnType, Datum, Datum]> = fc.oneof(
  fc.tuple(set, set).map(([a, b]): [ColumnType, Datum, Datum] => [SET, a, b]),
  fc.tuple(map, map).map(([a, b]): [ColumnType, Datum, Datum] => [MAP, a, b]),
);

test('a difference turns the old value into the new one', (t) => {
  fc.assert(
    fc.property(datum, ([, a, b]) => {
      const diff = datumDiff(a, b);
      t.true(datumEquals(applyDatumDiff(a, diff), b));
      t.is(diff.keys.length === 0, datumEquals(a, b));
    }),
  );
});

test('union, difference, includes and excludes agree with each other', (t) => {
  fc.assert(
    fc.property(datum, ([, a, b]) => {
      t.true(datumIncludes(datumUnion(a, b), a));
      t.true(datumIncludes(datumUnion(b, a), b));
      t.true(datumExcludes(datumDifference(a, b), b));
      t.is(datumDifference(a, b) === a, datumExcludes(a, b));
      t.true(datumEquals(datumUnion(a, EMPTY_DATUM), a));
    }),
  );
});

test('data survive JSON', (t) => {
  fc.assert(
    fc.property(datum, ([type, a, b]) => {
      t.true(datumEquals(datumFromJson(type, datumToJson(type, a)), a));
      t.is(Math.sign(compareData(a, b)) + Math.sign(compareData(b, a)), 0);
    }),
  );
});

test('look-up in maps finds what is there', (t) => {
  const entries = mapDatum([
    ['b', 2],
    ['a', 1],
    ['b', 3],
  ]);
  t.deepEqual(
    [entries.keys, entries.values],
    [
      ['a', 'b'],
      [1, 3],
    ],
  );
  t.is(mapGet(entries, 'b'), 3);
  t.is(mapGet(entries, 'c'), undefined);
});

test('strings are ordered by code point, as their UTF-8 bytes are', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      t.is(Math.sign(compareStrings(a, b)), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }),
  );
  t.true(compareStrings('\uffee', '😀') < 0);
});
