import test from 'ava';
import { schemaFromJson } from '../../src/schema.js';
import type { Json } from '../../src/data/json.js';

const column = (type: Json): Json => ({
  name: 'D',
  version: '1.2.3',
  tables: { t: { columns: { c: { type } } } },
});

const BAD: readonly (readonly [string, Json, RegExp])[] = [
  ['not an object', [1], /Parsing database schema failed: Object expected\./],
  ['no name', {}, /Required 'name' member is missing/],
  ['a bad version', { name: 'D', version: 'x', tables: {} }, /schema version "x" not in format x\.y\.z/],
  ['an unknown type', column('float'), /"float" is not an atomic-type/],
  ['min above max', column({ key: 'string', min: 2 }), /constraint checks/],
  [
    'minInteger above maxInteger',
    column({ key: { type: 'integer', minInteger: 2, maxInteger: 1 } }),
    /exceeds/,
  ],
  [
    'a reference to no table',
    column({ key: { type: 'uuid', refTable: 'q' } }),
    /refers to undefined table q/,
  ],
  ['a bad refType', column({ key: { type: 'uuid', refTable: 't', refType: 'x' } }), /refType must be/],
  ['a reserved name', { name: 'D', tables: { _t: { columns: { c: { type: 'string' } } } } }, /reserved/],
  ['no columns', { name: 'D', tables: { t: { columns: {} } } }, /at least one column/],
  [
    'an unknown member',
    { name: 'D', tables: {}, extra: 1 },
    /Member 'extra' is present but not allowed here/,
  ],
  [
    'an index of an ephemeral column',
    { name: 'D', tables: { t: { columns: { c: { type: 'string', ephemeral: true } }, indexes: [['c']] } } },
    /may not be indexed/,
  ],
];

for (const [what, json, message] of BAD) {
  test(`a schema with ${what} is refused`, (t) => {
    t.throws(() => schemaFromJson(json), { message });
  });
}
