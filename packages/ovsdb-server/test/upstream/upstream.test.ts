import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { JsonRpcSession } from '@ovs-node/common/jsonrpc/session';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { type Json, type JsonObject, canonicalJson } from 'ovsdb-client/data/json';
import { OvsdbServer } from '../../src/server.js';
import { createDatabaseFile } from '../../src/storage/standalone.js';
import { call, connect, startPeerServer } from '../lib/client.js';
import { TEST_SCHEMA_JSON, testSchema } from '../lib/schema.js';

const put = (name: string, k = 0): Json => ({ op: 'insert', table: 'idx', row: { name, k } });
const select: Json = { op: 'select', table: 'idx', where: [], columns: ['_uuid', '_version', 'name', 'k'] };

interface Side {
  readonly server: OvsdbServer;
  readonly session: JsonRpcSession;
  readonly socket: string;
}

async function side(t: ExecutionContext, dir: string, name: string, relayOf?: string): Promise<Side> {
  const server = new OvsdbServer();
  if (relayOf === undefined) {
    const file = path.join(dir, `${name}.db`);
    createDatabaseFile(file, testSchema());
    server.addDatabase(file);
  } else server.addDatabase(`relay:T:${relayOf}`);
  const socket = path.join(dir, `${name}.sock`);
  await server.remotes.add(`punix:${socket}`);
  t.teardown(() => server.close());
  const session = await connect(socket);
  await call(session, 'set_db_change_aware', [true]);
  return { server, session, socket };
}

/** Asks until the answer is as wanted; fails after some seconds. */
async function until(t: ExecutionContext, ask: () => Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await ask()) {
      t.pass();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.fail(what);
}

const rows = async (session: JsonRpcSession): Promise<string> => {
  const reply = await call(session, 'transact', ['T', select]);
  if (!Array.isArray(reply)) return canonicalJson(reply);
  const [{ rows: found }] = reply as [{ rows: JsonObject[] }];
  return found.map(canonicalJson).sort().join('\n');
};
const same = (a: Side, b: Side) => async (): Promise<boolean> =>
  (await rows(a.session)) === (await rows(b.session));

test('a backup holds what the active server holds, takes no changes, and becomes active when told', async (t) => {
  const dir = tmpDir(t);
  const active = await side(t, dir, 'a');
  const backup = await side(t, dir, 'b');
  await call(active.session, 'transact', ['T', put('before')]);
  await call(backup.session, 'transact', ['T', put('only here')]);
  backup.server.backup.source = `unix:${active.socket}`;
  backup.server.backup.setExcludedTables('T:leaf');
  backup.server.backup.start();
  await until(t, same(active, backup), 'the first contents');
  t.is(
    backup.server.backup.status(),
    `state: backup\nreplicating: unix:${active.socket}\ndatabase: T\nexclude: T:leaf\n`,
  );
  await call(active.session, 'transact', ['T', put('after', 1)]);
  await call(active.session, 'transact', [
    'T',
    { op: 'delete', table: 'idx', where: [['name', '==', 'before']] },
  ]);
  await until(t, same(active, backup), 'later changes');
  t.deepEqual(await call(backup.session, 'transact', ['T', put('x')]), [
    {
      error: 'not allowed',
      details: 'insert operation not allowed when database server is in read only mode',
    },
  ]);
  t.deepEqual(await call(backup.session, 'lock', ['l']), {
    rpcError: 'lock and unlock methods not allowed, DB server is read only.',
  });
  // A connection that is lost is made again.
  for (const session of active.server.sessions) if (session.rpc !== undefined) session.rpc.close();
  const again = await connect(active.socket);
  await call(again, 'transact', ['T', put('missed', 2)]);
  await until(t, async () => (await rows(again)) === (await rows(backup.session)), 'what was missed');
  backup.server.backup.stop();
  t.is(backup.server.backup.status(), 'state: active\n');
  t.truthy(((await call(backup.session, 'transact', ['T', put('own')])) as [JsonObject])[0]['uuid']);
});

test('a server does not replicate itself', async (t) => {
  const dir = tmpDir(t);
  const one = await side(t, dir, 'a');
  one.server.backup.source = `unix:${one.socket}`;
  one.server.backup.start();
  t.true(one.server.readOnly);
  await until(t, () => Promise.resolve(!one.server.readOnly), 'active again');
});

test('a relay serves what its source holds, and hands changes on', async (t) => {
  const dir = tmpDir(t);
  const source = await side(t, dir, 'a');
  await call(source.session, 'transact', ['T', put('x')]);
  const relay = await side(t, dir, 'r', `unix:${source.socket}`);
  await until(t, same(source, relay), 'the first contents');
  const notes: unknown[] = [];
  relay.session.onNotification((method, params) => notes.push([method, params]));
  await call(relay.session, 'monitor', ['T', 'm', { idx: [{ columns: ['name'] }] }]);
  const [{ uuid }] = (await call(relay.session, 'transact', ['T', put('y', 1)])) as [
    { uuid: [string, string] },
  ];
  // The client hears of its change before it gets the reply, as from any server.
  t.deepEqual(notes, [['update', ['m', { idx: { [uuid[1]]: { new: { name: 'y' } } } }]]]);
  t.is(await rows(relay.session), await rows(source.session), 'versions, too');
  const failed = (await call(relay.session, 'transact', ['T', put('y', 1)])) as [JsonObject, JsonObject];
  t.is(failed[1]['error'], 'constraint violation');
  // Without its source it serves what it has; changes wait, and may be canceled.
  await source.server.remotes.remove(`punix:${source.socket}`);
  await until(t, () => Promise.resolve(source.server.sessions.size === 0), 'the source is gone');
  t.regex(await rows(relay.session), /"y"/);
  const { id, result } = relay.session.requestWithId('transact', ['T', put('canceled')]);
  const waiting = call(relay.session, 'transact', ['T', put('waits', 5)]);
  relay.session.notify('cancel', [id]);
  await t.throwsAsync(result, { message: 'canceled' });
  await source.server.remotes.add(`punix:${source.socket}`);
  t.is(((await waiting) as Json[]).length, 1);
  t.regex(await rows(relay.session), /"waits"/);
  t.notRegex(await rows(relay.session), /canceled/);
});

test('a relay follows a conversion of its source', async (t) => {
  const dir = tmpDir(t);
  const source = await side(t, dir, 'a');
  const relay = await side(t, dir, 'r', `unix:${source.socket}`);
  await until(t, same(source, relay), 'the first contents');
  await call(relay.session, 'monitor', ['T', 'm', { idx: [{}] }]);
  const notes: unknown[] = [];
  relay.session.onNotification((method, params) => notes.push([method, params]));
  const schema = { ...TEST_SCHEMA_JSON, version: '2.0.0' };
  t.deepEqual(await call(source.session, 'convert', ['T', schema]), {});
  const version = async (): Promise<boolean> =>
    ((await call(relay.session, 'get_schema', ['T'])) as JsonObject)['version'] === '2.0.0';
  await until(t, version, 'the new schema');
  t.deepEqual(notes, [['monitor_canceled', ['m']]]);
  await call(relay.session, 'transact', ['T', put('new')]);
  t.is(await rows(relay.session), await rows(source.session));
});

needing(test, 'peer')('backup and relay work with the peer’s server as their source', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'peer.db');
  createDatabaseFile(file, testSchema());
  const peer = startPeerServer(dir, file);
  t.teardown(() => peer.stop());
  const source = await connect(peer.socket);
  t.teardown(() => source.close());
  await call(source, 'transact', ['T', put('x')]);
  const relay = await side(t, dir, 'r', `unix:${peer.socket}`);
  const backup = await side(t, dir, 'b');
  backup.server.backup.source = `unix:${peer.socket}`;
  backup.server.backup.start();
  const equal = (other: Side) => async (): Promise<boolean> =>
    (await rows(source)) === (await rows(other.session));
  await until(t, equal(relay), 'relay: the first contents');
  await call(relay.session, 'transact', ['T', put('y', 1)]);
  await call(source, 'transact', [
    'T',
    { op: 'update', table: 'idx', where: [['k', '==', 0]], row: { k: 7 } },
  ]);
  await until(t, equal(relay), 'relay: changes');
  await until(t, equal(backup), 'backup: changes');
});
