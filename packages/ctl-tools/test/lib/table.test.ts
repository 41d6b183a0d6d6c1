import test from 'ava';
import { parseCommandLine } from '@ovs-node/common/getopt';
import { mapDatum, scalarDatum, setDatum } from 'ovsdb-client/data/datum';
import type { ColumnType } from 'ovsdb-client/data/type';
import {
  TABLE_FORMATS,
  type Table,
  type TableStyle,
  formatTable,
  prettyJson,
  tableGap,
  tableOptions,
} from '../../src/lib/table.js';

const STRING: ColumnType = { key: { type: 'string' }, min: 1, max: 1 };
const SET: ColumnType = { key: { type: 'string' }, min: 0, max: Infinity };
const MAP: ColumnType = { key: { type: 'string' }, value: { type: 'integer' }, min: 0, max: Infinity };

const TABLE: Table = {
  columns: ['name', 'tags', 'ids'],
  rows: [
    [
      { type: STRING, datum: scalarDatum('a b') },
      { type: SET, datum: setDatum(['x', 'y']) },
      { type: MAP, datum: mapDatum([['k', 1]]) },
    ],
    [
      { type: STRING, datum: scalarDatum('<é"&,') },
      { type: SET, datum: setDatum([]) },
      { type: MAP, datum: mapDatum([]) },
    ],
  ],
};

const style = (...args: string[]): TableStyle => {
  const chosen: TableStyle = { format: 'table', cells: 'string', headings: true, pretty: false };
  parseCommandLine({ name: 'x', options: tableOptions(chosen) }, args);
  return chosen;
};
const print = (table: Table, ...args: string[]): string => formatTable(table, style(...args));

test('table: columns as wide as their widest cell, counted in characters', (t) => {
  t.is(
    print(TABLE),
    ['name     tags   ids', '-------- ------ -----', '"a b"    [x, y] {k=1}', '"<é\\"&," []     {}', ''].join(
      '\n',
    ),
  );
});

test('table: empty cells at the end leave no spaces', (t) => {
  t.is(
    print({
      columns: ['a', 'b', 'c'],
      rows: [
        ['1', '', '3'],
        ['1', '', ''],
      ],
    }),
    'a b c\n- - -\n1   3\n1\n',
  );
});

test('table: without headings, with a caption, cut to a width', (t) => {
  const table = { caption: 'T', columns: ['long heading', 'b'], rows: [['123', '123456']] };
  t.is(print(table, '--no-headings'), 'T\n123 123456\n');
  t.is(print(table, '--max-column-width=4'), 'T\nlong heading b\n------------ ----\n123          1234\n');
  t.is(print(table, '--max-column-width=2', '--no-headings'), 'T\n12 12\n');
});

test('list: a line a column, an empty line between records', (t) => {
  t.is(
    print(TABLE, '--format=list'),
    [
      'name                : "a b"',
      'tags                : [x, y]',
      'ids                 : {k=1}',
      '',
      'name                : "<é\\"&,"',
      'tags                : []',
      'ids                 : {}',
      '',
    ].join('\n'),
  );
  t.is(print(TABLE, '--bare'), 'a b\nx y\nk=1\n\n<é"&,\n\n\n');
  t.is(print({ columns: ['a'], rows: [] }, '-f', 'list'), '');
});

test('csv: quotes where commas, quotes or line breaks are', (t) => {
  t.is(
    print(
      {
        columns: ['a,b', 'c'],
        rows: [
          ['x"y', 'line\nbreak'],
          ['plain', ''],
        ],
      },
      '-f',
      'csv',
    ),
    '"a,b",c\n"x""y","line\nbreak"\nplain,\n',
  );
});

test('html: everything escaped', (t) => {
  t.is(
    print({ caption: 'C&A', columns: ['<a>'], rows: [['"b"']] }, '--format=html'),
    [
      '<table border=1>',
      '    <caption>C&amp;A</caption>',
      '  <tr>',
      '    <th>&lt;a&gt;</th>',
      '  </tr>',
      '  <tr>',
      '    <td>&quot;b&quot;</td>',
      '  </tr>',
      '</table>',
      '',
    ].join('\n'),
  );
});

test('json: data in the form of the protocol', (t) => {
  t.deepEqual(JSON.parse(print({ ...TABLE, caption: 'T' }, '--format=json')), {
    caption: 'T',
    headings: ['name', 'tags', 'ids'],
    data: [
      ['a b', ['set', ['x', 'y']], ['map', [['k', 1]]]],
      ['<é"&,', ['set', []], ['map', []]],
    ],
  });
});

test('pretty JSON: members sorted, closing brackets at the ends of lines', (t) => {
  t.is(
    prettyJson({ b: [1, ['x']], a: {}, c: [] }),
    '{\n  "a": {},\n  "b": [\n    1,\n    [\n      "x"]],\n  "c": []}',
  );
});

test('an unknown format is refused in the words of the peer', (t) => {
  t.throws(() => style('--format=nope'), { message: 'unknown output format "nope"' });
  t.throws(() => style('--data=nope'), { message: 'unknown data format "nope"' });
});

test('json: what is nothing is null, text is a string, and JSON is itself; in text JSON is only what is', (t) => {
  const table = { columns: ['a', 'b', 'c'], rows: [['x', undefined, { json: ['y', 1] }]] };
  t.is(print(table, '--format=json'), '{"data":[["x",null,["y",1]]],"headings":["a","b","c"]}\n');
  t.is(print(table, '--format=csv', '--data=json'), 'a,b,c\nx,,"[""y"",1]"\n');
});

test('between tables there is an empty line for people, and none for programs', (t) => {
  t.deepEqual(
    TABLE_FORMATS.map((format) => tableGap(style(`--format=${format}`))),
    ['\n', '\n', '', '\n', ''],
  );
});
