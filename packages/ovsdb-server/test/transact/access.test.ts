import test from 'ava';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import { schemaFromJson } from 'ovsdb-client/schema';
import { Database } from '../../src/database/database.js';
import type { Identity } from '../../src/transact/access.js';
import { execute } from '../../src/transact/execute.js';

const strings = { type: { key: 'string', min: 0, max: 'unlimited' } };
const map = { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } };
const reference = { type: 'uuid', refTable: 'RBAC_Permission', refType: 'weak' };
const SCHEMA = {
  name: 'R',
  version: '1.0.0',
  tables: {
    RBAC_Role: {
      isRoot: true,
      columns: {
        name: { type: 'string' },
        permissions: { type: { key: 'string', value: reference, min: 0, max: 'unlimited' } },
      },
    },
    RBAC_Permission: {
      isRoot: true,
      columns: {
        table: { type: 'string' },
        authorization: strings,
        insert_delete: { type: 'boolean' },
        update: strings,
      },
    },
    Chassis: {
      isRoot: true,
      columns: { name: { type: 'string' }, hostname: { type: 'string' }, options: map },
    },
    Open: { isRoot: true, columns: { x: { type: 'integer' }, owner: map } },
    Other: { isRoot: true, columns: { x: { type: 'integer' } } },
  },
} as unknown as JsonObject;

function database(): Database {
  const made = new Database(schemaFromJson(SCHEMA));
  const permission = (name: string, row: JsonObject): Json => ({
    op: 'insert',
    table: 'RBAC_Permission',
    'uuid-name': name,
    row,
  });
  execute(made, [
    permission('c', {
      authorization: 'name',
      insert_delete: true,
      update: ['set', ['hostname', 'options:a']],
    }),
    permission('o', { authorization: ['set', ['', 'owner:id']], insert_delete: false, update: 'x' }),
    {
      op: 'insert',
      table: 'RBAC_Role',
      row: {
        name: 'hv',
        permissions: [
          'map',
          [
            ['Chassis', ['named-uuid', 'c']],
            ['Open', ['named-uuid', 'o']],
          ],
        ],
      },
    },
    { op: 'insert', table: 'Open', row: {} },
    { op: 'insert', table: 'Chassis', row: { name: 'other' } },
  ]);
  return made;
}

const one = (db: Database, identity: Identity | undefined, operation: Json): JsonObject => {
  const result = execute(db, [operation], { identity });
  if (result.status !== 'done') throw new Error('pending');
  return result.results[0] as JsonObject;
};

const refusal = (what: string, table: string, client = 'c1'): Json => ({
  error: 'permission error',
  details: `RBAC rules for client "${client}" role "hv" prohibit ${what} table "${table}".`,
});

test('a role allows what its permissions say, and nothing else', (t) => {
  const db = database();
  const me: Identity = { role: 'hv', clientId: 'c1' };
  const mine = [['name', '==', 'c1']];
  const ok: Json[] = [
    { op: 'insert', table: 'Chassis', row: { name: 'c1' } },
    { op: 'update', table: 'Chassis', where: mine, row: { hostname: 'h' } },
    { op: 'mutate', table: 'Open', where: [], mutations: [['x', '+=', 1]] },
    { op: 'select', table: 'Other', where: [] },
    // Nothing is what everybody may change.
    { op: 'update', table: 'Chassis', where: [['name', '==', 'none']], row: { name: 'z' } },
  ];
  for (const operation of ok) t.is(one(db, me, operation)['error'], undefined, JSON.stringify(operation));
  const refused: [Json, Json][] = [
    [{ op: 'insert', table: 'Chassis', row: { name: 'c2' } }, refusal('row insertion into', 'Chassis')],
    [
      { op: 'update', table: 'Chassis', where: [], row: { hostname: 'h' } },
      refusal('modification of', 'Chassis'),
    ],
    [
      { op: 'update', table: 'Chassis', where: mine, row: { name: 'c1' } },
      refusal('modification of', 'Chassis'),
    ],
    [
      {
        op: 'mutate',
        table: 'Chassis',
        where: mine,
        mutations: [['options', 'insert', ['map', [['a', 'b']]]]],
      },
      refusal('mutate operation on', 'Chassis'),
    ],
    [{ op: 'delete', table: 'Chassis', where: [] }, refusal('row deletion from', 'Chassis')],
    [{ op: 'insert', table: 'Open', row: {} }, refusal('row insertion into', 'Open')],
    [{ op: 'delete', table: 'Open', where: [] }, refusal('row deletion from', 'Open')],
    [{ op: 'delete', table: 'Other', where: [] }, refusal('row deletion from', 'Other')],
    [{ op: 'delete', table: 'RBAC_Role', where: [] }, refusal('row deletion from', 'RBAC_Role')],
  ];
  for (const [operation, error] of refused) t.deepEqual(one(db, me, operation), error as JsonObject);
  t.deepEqual(one(db, me, { op: 'delete', table: 'Chassis', where: mine }), { count: 1 });
});

test('who shows no certificate may change nothing, who has no role everything', (t) => {
  const db = database();
  const change: Json = { op: 'update', table: 'Open', where: [], row: { x: 1 } };
  t.deepEqual(
    one(db, { role: 'hv', clientId: undefined }, change),
    refusal('modification of', 'Open', '(null)') as JsonObject,
  );
  t.is(one(db, { role: 'unknown', clientId: 'c1' }, change)['error'], 'permission error');
  t.deepEqual(one(db, { role: '', clientId: undefined }, change), { count: 1 });
  t.deepEqual(one(db, undefined, change), { count: 1 });
});
