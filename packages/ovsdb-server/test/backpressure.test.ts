import net from 'node:net';
import path from 'node:path';
import test from 'ava';
import { socketPath, tmpDir } from '@ovs-node/common/testkit/index';
import type { Json, JsonObject } from 'ovsdb-client/data/json';
import { JsonSplitter } from '@ovs-node/common/jsonrpc/framing';
import { OvsdbServer } from '../src/server.js';
import { createDatabaseFile } from '../src/storage/standalone.js';
import { call, connect } from './lib/client.js';
import { testSchema } from './lib/schema.js';

test('a monitor that does not read costs bounded memory, delays nobody, and is told the sum when it reads', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 't.db');
  createDatabaseFile(file, testSchema());
  const server = new OvsdbServer({ noDiff: true });
  server.addDatabase(file);
  await server.remotes.add(`punix:${dir}/s`);
  t.teardown(() => server.close());
  const writer = await connect(`${dir}/s`);
  const text = 'x'.repeat(10_000);
  const row = { s: text, i3: 1 };
  await call(writer, 'transact', ['T', { op: 'insert', table: 'all', row }]);

  const stuck = net.connect(socketPath(`${dir}/s`));
  t.teardown(() => stuck.destroy());
  const received: JsonObject[] = [];
  const splitter = new JsonSplitter((json) => received.push(JSON.parse(json) as JsonObject));
  stuck.on('data', (bytes: Buffer) => splitter.push(bytes));
  stuck.write('{"id":1,"method":"monitor_cond","params":["T","m",{"all":[{"columns":["s","i"]}]}]}');
  while (received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  stuck.pause();

  let worst = 0;
  const updates = 600;
  for (let i = 1; i <= updates; i++) {
    const change: Json = { op: 'update', table: 'all', where: [], row: { s: `${text}${i}`, i } };
    t.is(((await call(writer, 'transact', ['T', change])) as Json[]).length, 1);
    for (const session of server.sessions) worst = Math.max(worst, session.rpc.backlog);
  }
  // 6 MB of updates were to be told; what waits is what was under way when the monitor stopped reading.
  t.true(worst < 256 * 1024, `${worst} bytes waited`);

  const last = (): unknown => {
    const params = received.at(-1)!['params'] as unknown as [
      string,
      { all: Record<string, { modify: JsonObject }> },
    ];
    return params === undefined ? undefined : Object.values(params[1].all)[0]!.modify['i'];
  };
  stuck.resume();
  for (let i = 0; i < 400 && last() !== updates; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  t.is(last(), updates);
  t.true(received.length < updates / 2, `${received.length} messages for ${updates} updates`);
});

test('who does not read replies is not read from either', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 't.db');
  createDatabaseFile(file, testSchema());
  const server = new OvsdbServer();
  server.addDatabase(file);
  await server.remotes.add(`punix:${dir}/s`);
  t.teardown(() => server.close());
  const other = await connect(`${dir}/s`);
  const rows = Array.from({ length: 100 }, (): Json => {
    return { op: 'insert', table: 'all', row: { s: 'x'.repeat(10_000), i3: 1 } };
  });
  await call(other, 'transact', ['T', ...rows]);
  const greedy = net.connect(socketPath(`${dir}/s`));
  t.teardown(() => greedy.destroy());
  greedy.pause();
  // 1 MB of reply each.
  const request = '{"id":1,"method":"transact","params":["T",{"op":"select","table":"all","where":[]}]}';
  for (let i = 0; i < 50; i++) greedy.write(request);
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    t.deepEqual(await call(other, 'echo', []), []);
  }
  const waiting = Math.max(...[...server.sessions].map((session) => session.rpc.backlog));
  t.true(waiting < 16 << 20, `${waiting} bytes wait`);
  // Once it reads, everything is answered.
  let replies = 0;
  const splitter = new JsonSplitter(() => replies++);
  greedy.on('data', (bytes: Buffer) => splitter.push(bytes));
  greedy.resume();
  for (let i = 0; i < 2000 && replies < 50; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  t.is(replies, 50);
});
