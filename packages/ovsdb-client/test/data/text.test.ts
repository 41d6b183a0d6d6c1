import test from 'ava';
import fc from 'fast-check';
import { formatReal } from '../../src/data/atom-format.js';
import { datumEquals, mapDatum, setDatum } from '../../src/data/datum.js';
import { formatBareDatum, formatDatum, parseDatum } from '../../src/data/datum-text.js';
import type { ColumnType } from '../../src/data/type.js';
import { vswitchSchema } from '../../src/vswitch/schema.js';

const typeOf = (table: string, column: string): ColumnType =>
  vswitchSchema().tables.get(table)!.columnByName.get(column)!.type;

// Column, text, what the peer's `ovs-vsctl set … -- get …` prints.
const GOOD = [
  ['Bridge', 'other_config', 'a=b', '{a=b}'],
  ['Bridge', 'other_config', '{a=b, c=d}', '{a=b, c=d}'],
  ['Bridge', 'other_config', 'a=b c=d', '{a=b, c=d}'],
  ['Bridge', 'other_config', 'a = b', '{a=b}'],
  ['Bridge', 'other_config', 'a="b c"', '{a="b c"}'],
  ['Bridge', 'other_config', 'a=\\n', '{a=n}'],
  ['Bridge', 'other_config', 'a="\\n"', '{a="\\n"}'],
  ['Bridge', 'other_config', '{}', '{}'],
  ['Bridge', 'other_config', '"a"="tr\\"ue"', '{a="tr\\"ue"}'],
  ['Port', 'trunks', '1 2', '[1, 2]'],
  ['Port', 'trunks', '1-3,7', '[1, 2, 3, 7]'],
  ['Port', 'tag', '[]', '[]'],
  ['Port', 'tag', '[5]', '5'],
  ['Bridge', 'stp_enable', 'on', 'true'],
  ['Bridge', 'datapath_type', '"true"', '"true"'],
  ['Bridge', 'datapath_type', 'a.b-c_1', 'a.b-c_1'],
  ['Bridge', 'datapath_type', '1a', '"1a"'],
  ['Bridge', 'datapath_type', 'é', '"é"'],
  [
    'Bridge',
    'datapath_type',
    '00000000-0000-0000-0000-000000000001',
    '"00000000-0000-0000-0000-000000000001"',
  ],
] as const;

for (const [table, column, text, printed] of GOOD) {
  test(`${column}=${text} reads as ${printed}`, (t) => {
    t.is(formatDatum(typeOf(table, column), parseDatum(typeOf(table, column), text)), printed);
  });
}

// Column, text, the peer's line.
const BAD = [
  ['Bridge', 'other_config', '{a=b', '{a=b: missing "}" at end of data'],
  ['Bridge', 'other_config', 'a=b}', 'a=b}: unexpected "}" parsing map of (string, string) pairs'],
  ['Bridge', 'other_config', 'a', 'a: syntax error at "'],
  [
    'Bridge',
    'other_config',
    'a=',
    'An empty string is not valid as input; use "" to represent the empty string',
  ],
  ['Bridge', 'other_config', 'a=b,,c=d', 'a=b,,c=d: unexpected "," parsing map of (string, string) pairs'],
  ['Bridge', 'other_config', 'a=b,a=c', 'a=b,a=c: map contains duplicate key'],
  ['Bridge', 'other_config', 'a="b', '"b: quoted string extends past end of argument'],
  ['Bridge', 'other_config', 'a="\\q"', '"\\q": bad escape \\q'],
  ['Bridge', 'other_config', '{a=b}x', '{a=b}x: trailing garbage after "}"'],
  ['Port', 'trunks', '9-5', '"9-5" is not a valid range. Range end cannot be before start.'],
  ['Port', 'trunks', '1.5', '"1.5" is not a valid integer or range'],
  ['Port', 'trunks', '1,1', '1,1: set contains duplicate value'],
  ['Port', 'trunks', '4096', 'constraint violation: 4096 is not in the valid range 0 to 4095 (inclusive)'],
  ['Port', 'tag', '5,6', '5,6: 2 value(s) specified but the maximum number is 1'],
  ['Bridge', 'ports', 'x', '"x" is not a valid UUID'],
  [
    'Interface',
    'cfm_remote_mpids',
    '1-9999',
    'constraint violation: Range "1-9999" is too big. Maximum allowed size is 4096.',
  ],
] as const;

for (const [table, column, text, message] of BAD) {
  test(`${column}=${text} is refused`, (t) => {
    t.throws(() => parseDatum(typeOf(table, column), text), { message });
  });
}

test('every set and map of strings survives its text', (t) => {
  const set: ColumnType = { key: { type: 'string' }, min: 0, max: Infinity };
  const map: ColumnType = { key: { type: 'string' }, value: { type: 'string' }, min: 0, max: Infinity };
  const string = fc.string({ unit: 'grapheme', maxLength: 5 });
  fc.assert(
    fc.property(fc.array(string), fc.array(fc.tuple(string, string)), (atoms, entries) => {
      const a = setDatum(atoms);
      t.true(datumEquals(parseDatum(set, formatDatum(set, a)), a));
      const b = mapDatum(entries);
      t.true(datumEquals(parseDatum(map, formatDatum(map, b)), b));
    }),
  );
});

test('bare text has neither quotes nor brackets', (t) => {
  const type = typeOf('Bridge', 'other_config');
  t.is(formatBareDatum(type, parseDatum(type, 'a="b c",d=e')), 'a=b c d=e');
});

test('reals print as %.15g does', (t) => {
  const cases: [number, string][] = [
    [0.1, '0.1'],
    [0.1 + 0.2, '0.3'],
    [1e300, '1e+300'],
    [1e-5, '1e-05'],
    [123456789012345, '123456789012345'],
    [1234567890123456, '1.23456789012346e+15'],
    [100, '100'],
    [-2.5, '-2.5'],
    [0, '0'],
  ];
  for (const [value, text] of cases) t.is(formatReal(value), text);
});
