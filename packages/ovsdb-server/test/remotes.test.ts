import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { FakeClock, tmpDir } from '@ovs-node/common/testkit/index';
import { JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { connectStream } from '@ovs-node/common/stream';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import { vswitchSchema } from 'ovsdb-client/vswitch/schema';
import { OvsdbServer } from '../src/server.js';
import { createDatabaseFile, readDatabase } from '../src/storage/standalone.js';
import { execute } from '../src/transact/execute.js';
import { call, connect } from './lib/client.js';

function start(t: ExecutionContext): { server: OvsdbServer; clock: FakeClock; file: string; dir: string } {
  const dir = tmpDir(t);
  const file = path.join(dir, 'conf.db');
  createDatabaseFile(file, vswitchSchema());
  const clock = new FakeClock();
  const server = new OvsdbServer({ clock });
  server.addDatabase(file);
  t.teardown(() => server.close());
  return { server, clock, file, dir };
}

function run(server: OvsdbServer, ...operations: Json[]): Json[] {
  const result = execute(server.database('Open_vSwitch')!.database, operations);
  if (result.status !== 'done') throw new Error('pending');
  return result.results;
}

/** What runs in setImmediate and behind it. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

const manager = (target: string): Json[] => [
  { op: 'insert', table: 'Manager', 'uuid-name': 'm', row: { target } },
  { op: 'insert', table: 'Open_vSwitch', row: { manager_options: ['named-uuid', 'm'] } },
];

test('a remote named by a database row listens, tells its state in that row, and goes with it', async (t) => {
  const { server, clock } = start(t);
  await server.remotes.add('db:Open_vSwitch,Open_vSwitch,manager_options');
  run(server, ...manager('ptcp:0:127.0.0.1'));
  await settle();
  clock.advance(2500);
  const select: Json = { op: 'select', table: 'Manager', where: [], columns: ['is_connected', 'status'] };
  const [{ rows }] = run(server, select) as unknown as [
    { rows: { is_connected: boolean; status: Json[][] }[] },
  ];
  t.false(rows[0]!.is_connected);
  const status = new Map(rows[0]!.status[1] as [string, string][]);
  t.false(status.has('state'), 'which only connections have');
  const port = status.get('bound_port')!;
  const session = new JsonRpcSession(await connectStream(`tcp:127.0.0.1:${port}`));
  t.deepEqual(await call(session, 'list_dbs', []), ['Open_vSwitch', '_Server']);
  clock.advance(2500);
  const [after] = run(server, select) as unknown as [{ rows: { is_connected: boolean }[] }];
  t.true(after.rows[0]!.is_connected);
  run(server, { op: 'delete', table: 'Open_vSwitch', where: [] });
  await settle();
  await t.throwsAsync(connectStream(`tcp:127.0.0.1:${port}`), { code: 'ECONNREFUSED' });
  t.true(session.closed);
});

test('a connection that is silent is probed, and ended when it does not answer', async (t) => {
  const { server, clock } = start(t);
  await server.remotes.add('ptcp:0:127.0.0.1');
  const { boundPort } = [...server.remotes.remotes.values()][0]!.status();
  const socket = await connectStream(`tcp:127.0.0.1:${boundPort}`);
  let received = '';
  let closed = false;
  socket.on('data', (bytes: Buffer) => (received += bytes.toString()));
  socket.on('close', () => (closed = true));
  await settle();
  clock.advance(5000);
  await settle();
  t.regex(received, /"method":"echo"/);
  t.false(closed);
  clock.advance(5000);
  await settle();
  t.true(closed);
});

const BAD = [
  ['db:Open_vSwitch', 'invalid syntax'],
  ['db:Nope,Open_vSwitch,manager_options', 'no database named Nope'],
  ['db:Open_vSwitch,Nope,manager_options', 'no table named Nope'],
  ['db:Open_vSwitch,Bridge,nope', 'table "Bridge" has no column "nope"'],
] as const;

for (const [name, problem] of BAD) {
  test(`${name} is refused`, async (t) => {
    const { server } = start(t);
    await t.throwsAsync(server.remotes.add(name), { message: `"${name}": ${problem}` });
    t.deepEqual(server.remotes.list(), []);
  });
}

test('conversion keeps what the new schema has a place for, in memory and in the file', async (t) => {
  const { server, file, dir } = start(t);
  await server.remotes.add(`punix:${dir}/s`);
  run(server, { op: 'insert', table: 'QoS', row: { type: 'x', external_ids: ['map', [['a', 'b']]] } });
  const unaware = await connect(`${dir}/s`);
  const session = await connect(`${dir}/s`);
  await call(session, 'set_db_change_aware', [true]);
  const schema = {
    name: 'Open_vSwitch',
    version: '9.0.0',
    tables: { QoS: { columns: { type: { type: 'string' }, more: { type: 'integer' } } } },
  };
  t.deepEqual(await call(session, 'convert', ['Open_vSwitch', schema]), {});
  await settle();
  t.true(unaware.closed);
  const select: Json = { op: 'select', table: 'QoS', where: [], columns: ['type', 'more'] };
  t.deepEqual(await call(session, 'transact', ['Open_vSwitch', select]), [
    { rows: [{ type: 'x', more: 0 }] },
  ]);
  await call(session, 'transact', [
    'Open_vSwitch',
    { op: 'update', table: 'QoS', where: [], row: { more: 5 } },
  ]);
  session.close();
  t.is(readDatabase(file).schema.version, '9.0.0');
  const reply = (await call(await connect(`${dir}/s`), 'convert', [
    'Open_vSwitch',
    { name: 'x' },
  ])) as JsonObject;
  t.true('rpcError' in reply);
});
