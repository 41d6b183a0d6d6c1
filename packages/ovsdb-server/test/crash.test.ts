import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from 'fast-check';
import { bindTmp, socketPath, tmpDir } from '@ovs-node/common/testkit/index';
import type { Json } from 'ovsdb-client/data/json';
import { OvsdbServer } from '../src/server.js';
import { createDatabaseFile, readDatabase } from '../src/storage/standalone.js';
import { call, connect } from './lib/client.js';
import { testSchema } from './lib/schema.js';

const PROGRAM = fileURLToPath(new URL('../src/programs/ovsdb-server.js', import.meta.url));

function present(file: string): Set<number> {
  const table = readDatabase(file).tables.get('all')!;
  const { index } = table.schema.columnByName.get('i')!;
  return new Set([...table.slots.values()].map((slot) => slot.row!.cells[index]!.keys[0] as number));
}

test('a server killed under load loses nothing it has answered, and compaction changes nothing of that', async (t) => {
  t.timeout(60_000);
  const dir = tmpDir(t);
  const file = path.join(dir, 't.db');
  createDatabaseFile(file, testSchema());
  const acknowledged = new Set<number>();
  let next = 0;
  for (const ms of [40, 90, 150, 210]) {
    const socket = path.join(dir, `s${ms}`);
    const args = [PROGRAM, `--remote=punix:${socket}`, '-vconsole:off', `--unixctl=${dir}/c${ms}`, file];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...bindTmp(dir) },
      stdio: 'ignore',
    });
    const session = await connect(socket);
    const closed = new Promise<void>((resolve) => session.onClose(() => resolve()));
    const worker = async (): Promise<void> => {
      for (;;) {
        const n = next++;
        const reply = await call(session, 'transact', [
          'T',
          { op: 'insert', table: 'all', row: { i: n, i3: 1 } },
        ]);
        if (Array.isArray(reply)) acknowledged.add(n);
      }
    };
    const workers = [1, 2, 3].map(() => worker().catch(() => {}));
    // A busy machine takes its time to begin.
    const before = acknowledged.size;
    while (acknowledged.size === before) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, ms));
    child.kill('SIGKILL');
    await Promise.all([closed, ...workers]);
    const found = present(file);
    for (const n of acknowledged) if (!found.has(n)) t.fail(`row ${n} is lost`);
    // Cut at a random byte behind the schema: the next server must come up all the same.
    fs.appendFileSync(file, `OVSDB JSON ${ms} 0000`);
    if (ms === 90) {
      const server = new OvsdbServer();
      await server.addDatabase(file)!.file!.compact();
      await server.close();
    }
  }
  t.true(acknowledged.size > 0);
});

test('a server killed while it compacts under load loses nothing it has answered', async (t) => {
  t.timeout(60_000);
  const dir = tmpDir(t);
  const file = path.join(dir, 't.db');
  createDatabaseFile(file, testSchema());
  const acknowledged = new Set<number>();
  let next = 0;
  let compactions = 0;
  for (const ms of [60, 110, 170, 230, 310]) {
    const socket = path.join(dir, `s${ms}`);
    const control = path.join(dir, `c${ms}`);
    const args = [PROGRAM, `--remote=punix:${socket}`, '-vconsole:off', `--unixctl=${control}`, file];
    const child = spawn(process.execPath, args, {
      env: { ...process.env, ...bindTmp(dir) },
      stdio: 'ignore',
    });
    const session = await connect(socket);
    const ctl = await connect(control);
    const closed = new Promise<void>((resolve) => session.onClose(() => resolve()));
    const rows = (n: number): Json[] =>
      Array.from({ length: 20 }, (_, i): Json => {
        return { op: 'insert', table: 'all', row: { i: n, s: `${i} ${'x'.repeat(500)}`, i3: 1 } };
      });
    const worker = async (): Promise<void> => {
      for (;;) {
        const n = next++;
        const durable: Json[] = n % 3 === 0 ? [{ op: 'commit', durable: true }] : [];
        const reply = await call(session, 'transact', ['T', ...rows(n), ...durable]);
        if (Array.isArray(reply)) acknowledged.add(n);
      }
    };
    const compactor = async (): Promise<void> => {
      for (;;) {
        await ctl.request('ovsdb-server/compact', []);
        compactions++;
      }
    };
    const before = compactions;
    const workers = [worker(), worker(), compactor()].map((work) => work.catch(() => {}));
    // A busy machine takes its time to begin.
    while (compactions === before) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, ms));
    child.kill('SIGKILL');
    await Promise.all([closed, ...workers]);
    const found = present(file);
    for (const n of acknowledged) if (!found.has(n)) t.fail(`row ${n} is lost`);
  }
  t.true(
    acknowledged.size > 0 && compactions > 0,
    `${acknowledged.size} answers, ${compactions} compactions`,
  );
});

test('garbage on the wire ends its connection only', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 't.db');
  createDatabaseFile(file, testSchema());
  const server = new OvsdbServer();
  server.addDatabase(file);
  await server.remotes.add(`punix:${dir}/s`);
  const good = await connect(`${dir}/s`);
  const json = fc.json({ maxDepth: 4 });
  const message = fc.oneof(
    json,
    fc.string({ unit: 'binary' }),
    fc
      .tuple(
        fc.constantFrom(
          'transact',
          'monitor',
          'monitor_cond',
          'monitor_cond_since',
          'lock',
          'convert',
          'cancel',
        ),
        json,
        json,
      )
      .map(([method, a, b]) => `{"id":1,"method":"${method}","params":["T",${a},${b}]}`),
    fc
      .tuple(fc.constantFrom('insert', 'select', 'update', 'mutate', 'delete', 'wait'), json, json)
      .map(
        ([op, a, b]) =>
          `{"id":1,"method":"transact","params":["T",{"op":"${op}","table":"all","where":${a},"row":${b},"columns":${a},` +
          `"mutations":${b},"until":"==","rows":${a},"timeout":0}]}`,
      ),
  );
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 5 }), async (messages) => {
        const socket = net.connect(socketPath(`${dir}/s`));
        socket.on('error', () => {});
        await new Promise((resolve) => socket.write(messages.join('\n'), resolve));
        t.deepEqual(await call(good, 'echo', ['x']), ['x']);
        socket.destroy();
      }),
      { numRuns: 200 },
    );
    const [{ rows }] = (await call(good, 'transact', ['T', { op: 'select', table: 'all', where: [] }])) as [
      { rows: Json[] },
    ];
    t.true(Array.isArray(rows));
  } finally {
    good.close();
    await server.close();
  }
});
