import test, { type ExecutionContext } from 'ava';
import { setLevels } from '@ovs-node/common/vlog';
import type { Replica } from 'ovsdb-client/replica/replica';
import { schemaFromJson } from 'ovsdb-client/schema';
import { Transaction } from 'ovsdb-client/transaction';
import { parseCommands } from '../../src/lib/ctl-command.js';
import { TryAgain, databaseCommands } from '../../src/lib/db-commands.js';
import { DbContext, findColumnByName, findReadableColumn, findTable } from '../../src/lib/db-context.js';
import { type Table, formatTable } from '../../src/lib/table.js';

setLevels(null, 'console', 'off');

const map = { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } };
const SCHEMA = schemaFromJson({
  name: 'db',
  version: '1.0.0',
  tables: {
    Thing: {
      isRoot: true,
      columns: {
        name: { type: 'string', mutable: false },
        n: { type: { key: { type: 'integer', minInteger: 0, maxInteger: 99 }, min: 0, max: 1 } },
        tags: { type: { key: 'string', min: 0, max: 'unlimited' } },
        tail_end: { type: 'boolean' },
        other_config: map,
        parts: { type: { key: { type: 'uuid', refTable: 'Part' }, min: 0, max: 'unlimited' } },
      },
    },
    Thingy: { isRoot: true, columns: { x: { type: 'string' } } },
    Part: { columns: { label: { type: 'string' } } },
  },
});
const NAMES = [
  { table: 'Thing', nameTable: 'Thing', nameColumn: 'name' },
  { table: 'Part', nameTable: 'Thing', nameColumn: 'name', refColumn: 'parts' },
  { table: 'Thingy' },
];
const COMMANDS = databaseCommands(SCHEMA, NAMES);

/** An empty database, in which the commands of one transaction see what those before them did. */
class Lab {
  readonly context: DbContext;

  constructor(...lines: string[]) {
    const replica = { schema: SCHEMA, table: () => new Map() } as unknown as Replica;
    this.context = new DbContext(replica, new Transaction(replica), NAMES);
    for (const line of lines) this.run(line);
  }

  /** What a command prints; words are separated by spaces, `_` in a value stands for one. */
  run(line: string): string {
    const [call] = parseCommands(COMMANDS, line.split(' '), []);
    const output = call!.command.run(this.context, call!);
    if (typeof output === 'function') return '';
    return typeof output === 'object' ? names(output) : (output ?? '');
  }
}

const names = (table: Table): string =>
  formatTable(table, { format: 'csv', cells: 'bare', headings: false, pretty: false })
    .trim()
    .split('\n')
    .toSorted()
    .join(' ');

const lab = (): Lab =>
  new Lab(
    'create Thing name=a n=5 tags=x,y other_config:k=v other_config:l=w',
    'create Thing name=b tags=x tail_end=true',
    'create Thing name=c n=50',
  );

for (const [condition, found] of [
  ['name=a', 'a'],
  ['name!=a', 'b c'],
  ['n<10', 'a b'],
  ['n>=5', 'a c'],
  ['n>5', 'c'],
  ['n<=5', 'a b'],
  ['n=[]', 'b'],
  ['n!=[]', 'a c'],
  ['tags=[]', 'c'],
  ['tags=y,x', 'a'],
  ['tags{=}x', 'b'],
  ['tags{!=}x', 'a c'],
  ['tags{<}x,y', 'b c'],
  ['tags{>}x', 'a'],
  ['tags{<=}x', 'b c'],
  ['tags{>=}x', 'a b'],
  ['tags{in}x', 'b c'],
  ['tags{not-in}x', 'c'],
  ['tail_end=true', 'b'],
  ['tail=true', 'b'],
  ['other_config:k=v', 'a'],
  ['other_config:k!=v', ''],
  ['other-config:k{=}[]', 'b c'],
  ['other_config={k=v,l=w}', 'a'],
] as const) {
  test(`find: ${condition}`, (t) => {
    t.is(lab().run(`--columns=name find Thing ${condition}`), found);
  });
}

test('find: all conditions hold', (t) => {
  t.is(lab().run('--columns=name find Thing n!=[] tags{>=}x'), 'a');
});

const refused = (t: ExecutionContext, line: string, message: string): void => {
  const error = t.throws(() => lab().run(line), undefined, line);
  t.is(error?.message, message, line);
};

test('conditions and columns that are wrong', (t) => {
  for (const [line, message] of [
    [
      'find Thing name',
      'name: argument does not end in "=", "!=", "<", ">", "<=", ">=", "{=}", "{!=}", "{<}", "{>}", "{<=}", "{>=}", "{in}", or "{not-in}" followed by a value.',
    ],
    ['find Thing name:k=v', 'cannot specify key to check for non-map column name'],
    ['find Thing nope=1', 'Thing does not contain a column whose name matches "nope"'],
    ['find Thing _uuid=x', 'Thing does not contain a column whose name matches "_uuid"'],
    ['find Thing ta=x', 'Thing contains more than one column whose name matches "ta": tags, tail_end'],
    ['find Thing =x', '=x: missing column name'],
    ['--columns= list Thing', 'must specify at least one column name'],
    ['list Nope', 'unknown table "Nope"'],
    ['list T', '"T" matches multiple table names: Thing, Thingy'],
    ['get Thing a name:k', 'cannot specify key to get for non-map column name'],
    ['get Thing a name=x', 'name=x: trailing garbage "=x" in argument'],
    ['get Thing z name', 'no row "z" in table Thing'],
    ['get Thing a other_config:z', 'no key "z" in Thing record "a" column other_config'],
    ['set Thing a n:k=1', 'cannot specify key to set for non-map column n'],
    ['set Thing a n', 'n: argument does not end in "=" followed by a value.'],
    [
      'clear Thing a tail_end',
      '"clear" operation cannot be applied to column tail_end of table Thing, which is not allowed to be empty',
    ],
    ['add Thing a name x', 'cannot modify read-only column name in table Thing'],
  ] as const)
    refused(t, line, message);
});

test('names: exact before abbreviated, case and - _ alike', (t) => {
  t.is(findTable(SCHEMA, 'thing').name, 'Thing');
  t.is(findTable(SCHEMA, 'thingy').name, 'Thingy');
  t.is(findTable(SCHEMA, 'p').name, 'Part');
  const thing = findTable(SCHEMA, 'Thing');
  t.is(findColumnByName(thing, 'OTHER-C').name, 'other_config');
  t.is(findColumnByName(thing, 'n').name, 'n', 'although "name" begins with it');
  t.is(findReadableColumn(thing, '_uuid').name, '_uuid');
});

test('get: columns and keys, a line each; --if-exists', (t) => {
  t.is(lab().run('get Thing a name n tags other_config:k'), 'a\n5\n[x, y]\nv\n');
  t.is(lab().run('--if-exists get Thing a other_config:z'), '\n');
  t.is(lab().run('--if-exists get Thing z name'), '');
});

test('set, add, remove, clear change what later commands see', (t) => {
  const here = lab();
  here.run('set Thing a n=7 other_config:k=q');
  t.is(here.run('get Thing a n other_config'), '7\n{k=q, l=w}\n');
  here.run('add Thing a tags z x');
  t.is(here.run('get Thing a tags'), '[x, y, z]\n');
  here.run('add Thing a other_config k=other m=n');
  t.is(here.run('get Thing a other_config'), '{k=q, l=w, m=n}\n');
  here.run('remove Thing a other_config k l=no');
  t.is(here.run('get Thing a other_config'), '{l=w, m=n}\n');
  here.run('remove Thing a tags x z q');
  here.run('clear Thing a n other_config');
  t.is(here.run('get Thing a tags n other_config'), '[y]\n[]\n{}\n');
});

test('destroy: by name, all, absent ones', (t) => {
  const here = lab();
  here.run('destroy Thing a');
  t.is(here.run('--columns=name list Thing'), 'b c');
  here.run('--if-exists destroy Thing a');
  refused(t, 'destroy Thing z', 'no row "z" in table Thing');
  refused(t, '--all destroy Thing a', '--all and records argument should not be specified together');
  here.run('--all destroy Thing');
  t.is(here.run('--columns=name list Thing'), '');
});

test('records: by UUID, by its beginning, as ".", through a row that refers to it', (t) => {
  const here = lab();
  const uuid = here.run('get Thing b _uuid').trim();
  t.is(here.run(`get Thing ${uuid} name`), 'b\n');
  t.is(here.run(`get Thing ${uuid.slice(0, 30)} name`), 'b\n');
  here.run('create Thingy x=only');
  t.is(here.run('get Thingy . x'), 'only\n');
  here.run('create Thingy x=second');
  t.throws(() => here.run('get Thingy . x'), { message: 'no row "." in table Thingy' });
  here.run('--id=@p create Part label=p');
  here.run('set Thing b parts=@p');
  t.is(here.run('get Part b label'), 'p\n');
});

test('--id: referred to before or after, and no more than once', (t) => {
  const here = lab();
  here.run('set Thing a parts=@p');
  t.throws(() => here.context.checkSymbols(), {
    message: 'row id "@p" is referenced but never created (e.g. with "-- --id=@p create ...")',
  });
  here.run('--id=@p create Part label=late');
  here.context.checkSymbols();
  t.is(here.run('get Part a label'), 'late\n');
  t.throws(() => here.run('--id=@p create Part label=again'), {
    message: 'row id "@p" may only be specified on one --id option',
  });
  t.throws(() => here.run('--id=p create Part label=x'), { message: 'row id "p" does not begin with "@"' });
});

test('wait-until asks to be tried again until its conditions hold', (t) => {
  const here = lab();
  here.run('wait-until Thing a n=5');
  t.throws(() => here.run('wait-until Thing a n=6'), { instanceOf: TryAgain });
  t.throws(() => here.run('wait-until Thing z'), { instanceOf: TryAgain });
});
