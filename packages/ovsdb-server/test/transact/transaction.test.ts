import test from 'ava';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import { canonicalJson } from 'ovsdb-client/data/json';
import { Database } from '../../src/database/database.js';
import { execute } from '../../src/transact/execute.js';
import { testSchema } from '../lib/schema.js';

function run(db: Database, ...operations: Json[]): Json[] {
  const result = execute(db, operations);
  if (result.status !== 'done') throw new Error('pending');
  return result.results;
}

/** Rows of a table in these columns. */
function rows(db: Database, table: string, ...columns: string[]): string[] {
  const [result] = run(db, { op: 'select', table, where: [], columns });
  return ((result as JsonObject)['rows'] as Json[]).map((row) => canonicalJson(row)).sort();
}

const leaf = (name: string): JsonObject => ({
  op: 'insert',
  table: 'leaf',
  'uuid-name': name,
  row: { name },
});
const all = (s: string, row: JsonObject): JsonObject => ({
  op: 'insert',
  table: 'all',
  row: { s, i3: 1, ...row },
});
const named = (name: string): Json => ['named-uuid', name];

test('a row of a non-root table goes with its last strong reference', (t) => {
  const db = new Database(testSchema());
  run(db, all('a', { strong: named('x') }), all('b', { strong: named('x') }), leaf('x'), leaf('lonely'));
  t.deepEqual(rows(db, 'leaf', 'name'), ['{"name":"x"}']);
  run(db, { op: 'delete', table: 'all', where: [['s', '==', 'a']] });
  t.deepEqual(rows(db, 'leaf', 'name'), ['{"name":"x"}']);
  run(db, { op: 'update', table: 'all', where: [], row: { strong: ['set', []] } });
  t.deepEqual(rows(db, 'leaf', 'name'), []);
});

test('chains are collected to their end', (t) => {
  const db = new Database(testSchema());
  const chain = ['p', 'q', 'r'].map((name, i, list) => ({
    op: 'insert',
    table: 'leaf',
    'uuid-name': name,
    row: i + 1 < list.length ? { name, next: named(list[i + 1]!) } : { name },
  }));
  run(db, all('a', { strong: named('p') }), ...chain);
  t.is(rows(db, 'leaf', 'name').length, 3);
  run(db, { op: 'delete', table: 'all', where: [] });
  t.is(rows(db, 'leaf', 'name').length, 0);
});

test('a row that is referred to cannot be deleted, and a failed transaction leaves nothing behind', (t) => {
  const db = new Database(testSchema());
  run(db, all('a', { strong: named('x') }), leaf('x'));
  const results = run(db, { op: 'delete', table: 'leaf', where: [] });
  t.is((results[1] as JsonObject)['error'], 'referential integrity violation');
  t.deepEqual(rows(db, 'leaf', 'name'), ['{"name":"x"}']);
  // The counts were put back: the same fails again, and works with the reference gone.
  t.is(run(db, { op: 'delete', table: 'leaf', where: [] }).length, 2);
  t.is(
    run(
      db,
      { op: 'delete', table: 'leaf', where: [] },
      { op: 'update', table: 'all', where: [], row: { strong: ['set', []] } },
    ).length,
    2,
  );
  t.deepEqual(rows(db, 'leaf', 'name'), []);
});

test('weak references vanish with their row, also within one transaction', (t) => {
  const db = new Database(testSchema());
  run(db, all('a', { weak: named('i') }), {
    op: 'insert',
    table: 'idx',
    'uuid-name': 'i',
    row: { name: 'i' },
  });
  t.is(rows(db, 'all', 'weak').length, 1);
  run(
    db,
    { op: 'delete', table: 'idx', where: [] },
    { op: 'update', table: 'all', where: [], row: { i: 4 } },
  );
  t.deepEqual(rows(db, 'all', 'i', 'weak'), ['{"i":4,"weak":["set",[]]}']);
});

test('an aborted deletion brings weak references back to work', (t) => {
  const db = new Database(testSchema());
  run(db, all('a', { weak: named('i') }), {
    op: 'insert',
    table: 'idx',
    'uuid-name': 'i',
    row: { name: 'i' },
  });
  run(db, { op: 'delete', table: 'idx', where: [] }, { op: 'abort' });
  run(db, { op: 'delete', table: 'idx', where: [] });
  t.deepEqual(rows(db, 'all', 'weak'), ['{"weak":["set",[]]}']);
});

test('indexes follow swaps within a transaction and failed transactions', (t) => {
  const db = new Database(testSchema());
  const put = (name: string): JsonObject => ({ op: 'insert', table: 'idx', row: { name } });
  const rename = (from: string, to: string): JsonObject => ({
    op: 'update',
    table: 'idx',
    where: [['name', '==', from]],
    row: { name: to },
  });
  run(db, put('a'), put('b'));
  t.is(run(db, rename('a', 't'), rename('b', 'a'), rename('t', 'b')).length, 3);
  t.is(run(db, rename('a', 'b')).length, 2);
  t.is(run(db, put('a')).length, 2);
  t.is(run(db, put('c')).length, 1);
});

test('row limits count what is there at the end', (t) => {
  const db = new Database(testSchema());
  const put = (name: string): JsonObject => ({ op: 'insert', table: 'idx', row: { name } });
  run(db, put('1'), put('2'), put('3'), put('4'), put('5'));
  t.is((run(db, put('6'))[1] as JsonObject)['error'], 'constraint violation');
  t.is(run(db, put('6'), { op: 'delete', table: 'idx', where: [['name', '==', '1']] }).length, 2);
});

test('a commit that cannot be stored is undone and told', (t) => {
  const db = new Database(testSchema());
  run(db, all('a', {}));
  db.persist = () => {
    throw new Error('disk on fire');
  };
  t.throws(() => run(db, all('b', {})), { message: 'disk on fire' });
  db.persist = undefined;
  t.deepEqual(rows(db, 'all', 's'), ['{"s":"a"}']);
});

test('64-bit integers are exact', (t) => {
  const db = new Database(testSchema());
  run(db, all('a', { i: 2n ** 62n }));
  const add = (n: Json): Json[] =>
    run(db, { op: 'mutate', table: 'all', where: [], mutations: [['i', '+=', n]] });
  add(2n ** 62n - 1n);
  t.deepEqual(rows(db, 'all', 'i'), ['{"i":9223372036854775807}']);
  t.is((add(1)[0] as JsonObject)['error'], 'range error');
  run(db, { op: 'mutate', table: 'all', where: [], mutations: [['i', '-=', 2n ** 63n - 8n]] });
  t.deepEqual(rows(db, 'all', 'i'), ['{"i":7}']);
});
