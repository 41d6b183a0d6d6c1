/** Random transactions on the test schema. Rows get UUIDs from a small pool, so that operations meet. */
import fc from 'fast-check';
import { type Json, stringifyJson } from 'ovsdb-client/data/json';

export const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const small = fc.integer({ min: -5, max: 12 });
const big = fc.constantFrom<Json>(
  0,
  1,
  -1,
  2 ** 31,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  2n ** 62n,
  -(2n ** 63n),
  2n ** 63n - 1n,
);
const integer = fc.oneof(small, big);
const real = fc.oneof(small, fc.constantFrom(0.5, -1.25, 3.75, 1e10));
const string = fc.constantFrom('', 'a', 'b', 'ab', 'abcd', 'x', 'y', 'é', '"q"', '😀', '\uffee');
const boolean = fc.boolean();
/** A row by its UUID or by the name that the insertion of such a row gives it. */
const refTo = (min: number, max: number): fc.Arbitrary<Json> =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min: 0, max: 3 }))
    .map(([n, kind]): Json => (kind === 0 ? ['named-uuid', `n${n}`] : ['uuid', uuid(n)]));
const leafRef = refTo(10, 14);
const idxRef = refTo(20, 26);

const setOf = (atom: fc.Arbitrary<Json>, max = 4): fc.Arbitrary<Json> =>
  fc.oneof(
    { weight: 1, arbitrary: atom },
    {
      weight: 4,
      arbitrary: fc
        .uniqueArray(atom, { maxLength: max, selector: (value) => stringifyJson(value) })
        .map((atoms): Json => ['set', atoms]),
    },
  );
const mapOf = (key: fc.Arbitrary<Json>, value: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc
    .uniqueArray(fc.tuple(key, value), { maxLength: 4, selector: ([k]) => stringifyJson(k) })
    .map((pairs): Json => ['map', pairs]);

const ALL: Record<string, fc.Arbitrary<Json>> = {
  s: string,
  i: integer,
  r: real,
  b: boolean,
  oi: setOf(small, 1),
  or: setOf(real, 1),
  os: setOf(string, 1),
  is: setOf(integer),
  i3: setOf(small, 3),
  rs: setOf(real),
  ss: setOf(string),
  bs: setOf(boolean, 2),
  e: setOf(fc.constantFrom('x', 'y', 'z', 'w')),
  m: mapOf(string, string),
  mi: mapOf(small, integer),
  m1: fc.oneof(
    fc.constant<Json>(['map', []]),
    fc.tuple(string, small).map((pair): Json => ['map', [pair]]),
  ),
  fixed: string,
  gone: string,
  strong: setOf(leafRef, 3),
  mstrong: mapOf(fc.constantFrom('k1', 'k2'), leafRef),
  weak: setOf(idxRef, 3),
};
const COLUMNS: Record<string, Record<string, fc.Arbitrary<Json>>> = {
  all: ALL,
  leaf: { name: string, next: setOf(leafRef, 1) },
  idx: { name: string, k: small },
};
const FIRST: Record<string, number> = { all: 1, leaf: 10, idx: 20 };

const table = fc.constantFrom('all', 'all', 'leaf', 'idx');

const rowOf = (name: string): fc.Arbitrary<Record<string, Json>> =>
  fc.record(COLUMNS[name]!, { requiredKeys: [] }).map((row) => ({ ...row }) as Record<string, Json>);
const rowId = (name: string): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: 4 }).map((n) => uuid(FIRST[name]! + n));

const FUNCTIONS = ['==', '!=', '<', '<=', '>', '>=', 'includes', 'excludes'];
const MUTATORS = ['+=', '-=', '*=', '/=', '%=', 'insert', 'delete'];

const columnValue = (name: string): fc.Arbitrary<[string, Json]> =>
  fc
    .constantFrom(...Object.keys(COLUMNS[name]!))
    .chain((column) => COLUMNS[name]![column]!.map((value): [string, Json] => [column, value]));

const clause = (name: string): fc.Arbitrary<Json> =>
  fc
    .tuple(columnValue(name), fc.constantFrom(...FUNCTIONS))
    .map(([[column, value], fn]): Json => [column, fn, value]);

const where = (name: string): fc.Arbitrary<Json> =>
  fc.oneof(
    { weight: 4, arbitrary: rowId(name).map((id): Json => [['_uuid', '==', ['uuid', id]]]) },
    { weight: 1, arbitrary: fc.constant<Json>([]) },
    {
      weight: 3,
      arbitrary: fc.array(
        fc.oneof({ weight: 5, arbitrary: clause(name) }, { weight: 1, arbitrary: boolean }),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    },
  );

const mutation = (name: string): fc.Arbitrary<Json> =>
  fc
    .tuple(columnValue(name), fc.constantFrom(...MUTATORS), small)
    .map(([[column, value], mutator, number]): Json => {
      const isArithmetic = mutator !== 'insert' && mutator !== 'delete';
      // The peer 3.1 dies of a negative number times zero (a division by zero in its overflow check).
      const operand = mutator === '*=' && number === 0 ? 1 : number;
      return [column, mutator, isArithmetic ? operand : value];
    });

/** Operations that belong to no table, and mistakes. */
const OTHERS: readonly Json[] = [
  { op: 'comment', comment: 'c' },
  { op: 'commit', durable: true },
  { op: 'commit', durable: false },
  { op: 'abort' },
  { op: 'assert', lock: 'nobody' },
  { op: 'insert', table: 'nope', row: {} },
  { op: 'select', table: 'all', where: [], columns: ['nope'] },
  { op: 'update', table: 'all', where: [], row: { fixed: 'x' } },
  { op: 'delete', table: 'all', where: [], more: 1 },
];

const operation: fc.Arbitrary<Json> = table.chain((name) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.tuple(rowId(name), rowOf(name)).map(([id, row]): Json => {
        const named = { 'uuid-name': `n${Number(id.slice(-12))}` };
        return { op: 'insert', table: name, uuid: id, row, ...named };
      }),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(where(name), rowOf(name))
        .map(([condition, row]): Json => ({ op: 'update', table: name, where: condition, row })),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(where(name), fc.array(mutation(name), { minLength: 1, maxLength: 3 }))
        .map(([condition, mutations]): Json => ({ op: 'mutate', table: name, where: condition, mutations })),
    },
    {
      weight: 2,
      arbitrary: where(name).map((condition): Json => ({ op: 'delete', table: name, where: condition })),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(where(name), fc.subarray(Object.keys(COLUMNS[name]!)))
        .map(([condition, columns]): Json => ({ op: 'select', table: name, where: condition, columns })),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          where(name),
          fc.subarray(Object.keys(COLUMNS[name]!), { minLength: 1, maxLength: 2 }),
          fc.array(rowOf(name), { maxLength: 2 }),
          fc.constantFrom('==', '!='),
        )
        .map(([condition, columns, rows, until]): Json => {
          return { op: 'wait', table: name, where: condition, columns, rows, until, timeout: 0 };
        }),
    },
    { weight: 1, arbitrary: fc.constantFrom<Json>(...OTHERS) },
  ),
);

/** A few transactions in a row. */
export const transactions: fc.Arbitrary<Json[][]> = fc.array(
  fc.array(operation, { minLength: 1, maxLength: 5 }),
  {
    minLength: 1,
    maxLength: 12,
  },
);
