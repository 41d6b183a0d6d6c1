import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { needing, run, tmpDir } from '@ovs-node/common/testkit/index';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import { vswitchSchema } from 'ovsdb-client/vswitch/schema';
import { OvsdbServer } from '../src/server.js';
import { createDatabaseFile } from '../src/storage/standalone.js';
import { call, connect } from './lib/client.js';
import { testSchema } from './lib/schema.js';

interface Fixture {
  readonly server: OvsdbServer;
  readonly socket: string;
  readonly client: () => Promise<{ session: JsonRpcSession; notes: [string, Json[]][] }>;
}

async function start(t: ExecutionContext): Promise<Fixture> {
  const dir = tmpDir(t);
  const file = path.join(dir, 't.db');
  createDatabaseFile(file, testSchema());
  const server = new OvsdbServer();
  server.addDatabase(file);
  const socket = path.join(dir, 's');
  await server.remotes.add(`punix:${socket}`);
  t.teardown(() => server.close());
  return {
    server,
    socket,
    client: async () => {
      const session = await connect(socket);
      const notes: [string, Json[]][] = [];
      session.onNotification((method, params) => notes.push([method, params as Json[]]));
      t.teardown(() => session.close());
      return { session, notes };
    },
  };
}

const put = (name: string, k = 0): Json => ({ op: 'insert', table: 'idx', row: { name, k } });

test('a waiting transaction runs when its condition comes true', async (t) => {
  const { client } = await start(t);
  const a = await client();
  const b = await client();
  const wait: Json = {
    op: 'wait',
    table: 'idx',
    where: [],
    columns: ['name'],
    until: '==',
    rows: [{ name: 'x' }],
  };
  const waiting = call(a.session, 'transact', ['T', wait, { op: 'comment', comment: 'c' }]);
  // Others are served meanwhile, the same client too.
  t.deepEqual(await call(a.session, 'list_dbs', []), ['T', '_Server']);
  await call(b.session, 'transact', ['T', put('x')]);
  t.deepEqual(await waiting, [{}, {}]);
});

test('a waiting transaction can be canceled and ends at its timeout', async (t) => {
  const { client } = await start(t);
  const { session } = await client();
  const wait: JsonObject = { op: 'wait', table: 'idx', where: [], columns: ['name'], until: '!=', rows: [] };
  const { id, result } = session.requestWithId('transact', ['T', wait]);
  session.notify('cancel', [id]);
  await t.throwsAsync(result, { message: 'canceled' });
  t.deepEqual(await call(session, 'transact', ['T', { ...wait, timeout: 20 }]), [
    { details: '"wait" timed out after 20 ms', error: 'timed out' },
  ]);
});

test('updates come before the reply, equal for equal monitors', async (t) => {
  const { client } = await start(t);
  const a = await client();
  const b = await client();
  const request = { idx: [{ columns: ['name', 'k'] }] };
  t.deepEqual(await call(a.session, 'monitor_cond', ['T', 'm', request]), {});
  t.deepEqual(await call(b.session, 'monitor_cond', ['T', ['n', 1], request]), {});
  const [{ uuid }] = (await call(a.session, 'transact', ['T', put('x', 3)])) as [{ uuid: [string, string] }];
  const updates = { idx: { [uuid[1]]: { insert: { name: 'x', k: 3 } } } };
  t.deepEqual(a.notes, [['update2', ['m', updates]]]);
  await call(b.session, 'echo', []);
  t.deepEqual(b.notes, [['update2', [['n', 1], updates]]]);
});

test('locks queue, pass on, and are stolen', async (t) => {
  const { client } = await start(t);
  const a = await client();
  const b = await client();
  const assert = ['T', { op: 'assert', lock: 'l' }];
  t.deepEqual(await call(a.session, 'lock', ['l']), { locked: true });
  t.deepEqual(await call(b.session, 'lock', ['l']), { locked: false });
  t.deepEqual(await call(a.session, 'transact', assert), [{}]);
  t.deepEqual(await call(a.session, 'unlock', ['l']), {});
  await call(b.session, 'echo', []);
  t.deepEqual(b.notes, [['locked', ['l']]]);
  t.deepEqual(await call(a.session, 'steal', ['l']), { locked: true });
  await call(b.session, 'echo', []);
  t.deepEqual(b.notes[1], ['stolen', ['l']]);
  a.session.close();
  for (let i = 0; i < 50 && b.notes.length < 3; i++) await call(b.session, 'list_dbs', []);
  t.deepEqual(b.notes[2], ['locked', ['l']]);
});

test('a durable commit is answered after the disk has it', async (t) => {
  const { client, server } = await start(t);
  const { session } = await client();
  let synced = 0;
  const { database } = server.database('T')!;
  const sync = database.sync!;
  database.sync = async () => {
    await sync();
    synced++;
  };
  const commit: Json = { op: 'commit', durable: true };
  const results = await call(session, 'transact', ['T', put('x'), commit]);
  t.is((results as Json[]).length, 2);
  t.is(synced, 1);
});

test('the _Server database follows the list of databases', async (t) => {
  const { client, server } = await start(t);
  const { session, notes } = await client();
  await call(session, 'set_db_change_aware', [true]);
  const initial = await call(session, 'monitor', [
    '_Server',
    null,
    { Database: { columns: ['name', 'model'] } },
  ]);
  t.is(Object.keys((initial as { Database: object }).Database).length, 2);
  const file = path.join(tmpDir(t), 'o.db');
  createDatabaseFile(file, vswitchSchema());
  server.addDatabase(file);
  t.deepEqual(await call(session, 'list_dbs', []), ['Open_vSwitch', 'T', '_Server']);
  t.is(notes.length, 1);
  t.true(server.removeDatabase('Open_vSwitch'));
  t.deepEqual(await call(session, 'list_dbs', []), ['T', '_Server']);
  t.is(notes.length, 2);
});

test('bad requests are answered and the connection lives', async (t) => {
  const { client } = await start(t);
  const { session } = await client();
  const bad: [string, Json[]][] = [
    ['nosuch', []],
    ['transact', []],
    ['transact', ['nope']],
    ['transact', [null]],
    ['monitor', ['T', 'm']],
    ['monitor', ['T', 'm', []]],
    ['monitor', ['T', 'm', { idx: [[]] }]],
    ['monitor_cond_since', ['T', 'm', {}, 'x']],
    ['monitor_cond_change', [1]],
    ['monitor_cancel', []],
    ['lock', []],
    ['unlock', [{}]],
    ['get_schema', [1, 2]],
    ['set_db_change_aware', ['x']],
    ['convert', ['T']],
  ];
  for (const [method, params] of bad) {
    const reply = (await call(session, method, params)) as JsonObject;
    t.true('rpcError' in reply, `${method} ${JSON.stringify(params)}`);
  }
  const operations: Json[] = [
    null,
    1,
    [],
    {},
    { op: 1 },
    { op: 'insert' },
    { op: 'select', table: 'idx', where: [[]] },
  ];
  for (const operation of operations) {
    const [result] = (await call(session, 'transact', ['T', operation])) as [JsonObject];
    t.is(typeof result['error'], 'string');
  }
});

needing(test, 'peer')('the peer’s ovs-vsctl works on this server', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'conf.db');
  createDatabaseFile(file, vswitchSchema());
  const server = new OvsdbServer();
  server.addDatabase(file);
  await server.remotes.add(`punix:${dir}/db.sock`);
  t.teardown(() => server.close());
  const vsctl = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await run('ovs-vsctl', [
      `--db=unix:${dir}/db.sock`,
      '--no-wait',
      ...args,
    ]);
    t.is(stderr, '');
    t.is(status, 0);
    return stdout;
  };
  await vsctl('init');
  await vsctl(
    'add-br',
    'br0',
    '--',
    'add-port',
    'br0',
    'p1',
    'tag=5',
    '--',
    'set',
    'bridge',
    'br0',
    'other_config:a=b',
  );
  t.is(await vsctl('list-ports', 'br0'), 'p1\n');
  t.is(await vsctl('get', 'port', 'p1', 'tag', '--', 'get', 'bridge', 'br0', 'other_config'), '5\n{a=b}\n');
  t.regex(
    await vsctl('show'),
    / {4}Bridge br0\n(?:.*\n)* {8}Port br0\n {12}Interface br0\n {16}type: internal/,
  );
  await vsctl('del-br', 'br0');
  t.is(await vsctl('list', 'interface'), '');
});

test('a client that comes back gets what it missed', async (t) => {
  const { client } = await start(t);
  const request = { idx: [{ columns: ['name', 'k'] }] };
  const zero = '00000000-0000-0000-0000-000000000000';
  const a = await client();
  const first = (await call(a.session, 'monitor_cond_since', ['T', 'm', request, zero])) as [
    boolean,
    string,
    Json,
  ];
  t.deepEqual([first[0], first[2]], [false, {}]);
  const [{ uuid }] = (await call(a.session, 'transact', ['T', put('x', 3)])) as [{ uuid: [string, string] }];
  const seen = a.notes[0]![1][1]!;
  a.session.close();
  const b = await client();
  await call(b.session, 'transact', [
    'T',
    put('y'),
    { op: 'mutate', table: 'idx', where: [], mutations: [['k', '+=', 1]] },
  ]);
  await call(b.session, 'transact', ['T', { op: 'delete', table: 'idx', where: [['name', '==', 'y']] }]);
  const c = await client();
  const missed = (await call(c.session, 'monitor_cond_since', ['T', 'm', request, seen])) as [
    boolean,
    string,
    Json,
  ];
  t.deepEqual([missed[0], missed[2]], [true, { idx: { [uuid[1]]: { modify: { k: 4 } } } }]);
  const now = (await call(c.session, 'monitor_cond_since', ['T', 'n', request, missed[1]])) as [
    boolean,
    string,
    Json,
  ];
  t.deepEqual(now, [true, missed[1], {}]);
  const lost = (await call(c.session, 'monitor_cond_since', ['T', 'o', request, uuid[1]])) as [
    boolean,
    string,
    Json,
  ];
  t.false(lost[0]);
});
