import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { FakeClock, needing, run, tmpDir } from '@ovs-node/common/testkit/index';
import { OvsdbError } from 'ovsdb-client/data/error';
import type { Json } from 'ovsdb-client/data/json';
import { HostedDatabase } from '../../src/database/hosted.js';
import { FileDatabase, createDatabaseFile, readDatabase } from '../../src/storage/standalone.js';
import { execute } from '../../src/transact/execute.js';
import { testSchema } from '../lib/schema.js';

function open(file: string, damage: OvsdbError[] = []): FileDatabase {
  return FileDatabase.open(file, {
    clock: new FakeClock(0, 1_700_000_000_000),
    onDamage: (error) => damage.push(error),
  });
}

const insert = (n: number): Json => ({ op: 'insert', table: 'all', row: { s: `row ${n}`, i: n, i3: 1 } });
const names = (db: FileDatabase['database']): string[] => {
  const table = db.tables.get('all')!;
  const index = table.schema.columnByName.get('s')!.index;
  return [...table.slots.values()].map((slot) => slot.row!.cells[index]!.keys[0] as string).sort();
};

async function makeLog(file: string, n: number): Promise<number[]> {
  createDatabaseFile(file, testSchema());
  const db = open(file);
  const ends = [fs.statSync(file).size];
  for (let i = 0; i < n; i++) {
    execute(db.database, [insert(i)]);
    ends.push(fs.statSync(file).size);
  }
  await db.close();
  return ends;
}

test('a log cut at any byte loads its good prefix, and can be appended to', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'a.db');
  const ends = await makeLog(file, 4);
  const bytes = fs.readFileSync(file);
  for (let size = ends[0]!; size <= bytes.length; size++) {
    fs.writeFileSync(file, bytes.subarray(0, size));
    const damage: OvsdbError[] = [];
    const db = open(file, damage);
    const complete = ends.filter((end) => end <= size).length - 1;
    t.deepEqual(names(db.database), ['row 0', 'row 1', 'row 2', 'row 3'].slice(0, complete));
    t.is(damage.length, ends.includes(size) ? 0 : 1);
    execute(db.database, [insert(9)]);
    await db.close();
    t.deepEqual(
      names(readDatabase(file)),
      ['row 0', 'row 1', 'row 2', 'row 3'].slice(0, complete).concat('row 9'),
    );
  }
});

test('a log cut inside of its schema is no database', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  const ends = await makeLog(file, 1);
  const bytes = fs.readFileSync(file);
  for (let size = 0; size < ends[0]!; size += 7) {
    fs.writeFileSync(file, bytes.subarray(0, size));
    t.throws(() => open(file), { instanceOf: OvsdbError });
  }
});

test('a flipped bit anywhere behind the schema loses nothing before it', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  const ends = await makeLog(file, 3);
  const bytes = fs.readFileSync(file);
  for (let at = ends[0]!; at < bytes.length; at += 5) {
    const bad = Buffer.from(bytes);
    bad[at]! ^= 1;
    fs.writeFileSync(file, bad);
    const damage: OvsdbError[] = [];
    const db = open(file, damage);
    const complete = ends.filter((end) => end <= at).length - 1;
    t.deepEqual(names(db.database), ['row 0', 'row 1', 'row 2'].slice(0, complete));
    t.is(damage.length, 1);
    await db.close();
  }
});

test('a record that does not fit the schema is damage, and changes nothing by half', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  await makeLog(file, 1);
  const { encodeRecord } = await import('../../src/storage/log-reader.js');
  const uuid = '00000000-0000-4000-8000-000000000001';
  fs.appendFileSync(file, encodeRecord(`{"all":{"${uuid}":{"s":"new","i3":1}},"nosuch":{}}`));
  const damage: OvsdbError[] = [];
  const db = open(file, damage);
  t.deepEqual(names(db.database), ['row 0']);
  t.is(damage[0]!.tag, 'unknown table');
  await db.close();
});

test('one file is opened once only', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  await makeLog(file, 0);
  const db = open(file);
  t.throws(() => open(file), { message: /failed to lock lockfile/ });
  await db.close();
  await open(file).close();
});

needing(test, 'unix')('compaction keeps the contents, and a symbolic link stays one', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'real.db');
  const link = path.join(dir, 'link.db');
  await makeLog(file, 3);
  fs.symlinkSync(file, link);
  const db = open(link);
  execute(db.database, [{ op: 'delete', table: 'all', where: [['i', '==', 1]] }]);
  const before = db.size;
  await db.compact();
  t.true(db.size < before);
  execute(db.database, [insert(7)]);
  await db.close();
  t.true(fs.lstatSync(link).isSymbolicLink());
  t.deepEqual(names(readDatabase(file)), ['row 0', 'row 2', 'row 7']);
});

test('syncs of one turn share one fsync, and those that come while it runs the next', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  await makeLog(file, 0);
  const db = open(file);
  const first = db.database.sync!();
  t.is(db.database.sync!(), first);
  await new Promise(setImmediate);
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  const second = db.database.sync!();
  t.not(second, first);
  t.is(db.database.sync!(), second);
  await Promise.all([first, second]);
  await db.close();
});

needing(test, 'peer')('the peer’s ovsdb-tool reads what is written here', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  await makeLog(file, 2);
  const db = open(file);
  execute(db.database, [
    { op: 'comment', comment: 'by test' },
    { op: 'mutate', table: 'all', where: [], mutations: [['is', 'insert', ['set', [1, 2]]]] },
  ]);
  execute(db.database, [{ op: 'mutate', table: 'all', where: [], mutations: [['is', 'delete', 1]] }]);
  await db.close();
  const query = '["T",{"op":"select","table":"all","where":[],"columns":["s","is"]}]';
  const { stdout, stderr } = await run('ovsdb-tool', ['query', file, query]);
  t.is(stderr, '');
  const [{ rows }] = JSON.parse(stdout) as [{ rows: { s: string; is: number }[] }];
  t.deepEqual(
    rows.sort((a, b) => (a.s < b.s ? -1 : 1)),
    [
      { s: 'row 0', is: 2 },
      { s: 'row 1', is: 2 },
    ],
  );
  const log = await run('ovsdb-tool', ['show-log', file]);
  t.regex(log.stdout, /record 3: .* "by test"/);
});

test('a log that has grown is compacted by itself, at most every ten minutes, though the clock on the wall is set back', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  createDatabaseFile(file, testSchema());
  const clock = new FakeClock();
  let setBack = 0;
  const db = FileDatabase.open(file, {
    clock: { now: () => clock.now(), wall: () => clock.wall() - setBack },
    onDamage: () => t.fail(),
  });
  const hosted = new HostedDatabase(db.database, db, clock);
  const requester = { holdsLock: () => false, readOnly: false, identity: undefined };
  const text = 'x'.repeat(1 << 20);
  const update = (n: number): unknown =>
    hosted.submit(
      [{ op: 'update', table: 'all', where: [['i', '==', 0]], row: { s: `${text}${n}` } }],
      requester,
    );
  hosted.submit([insert(0)], requester);
  for (let i = 0; i < 12; i++) update(i);
  clock.advance(10 * 60 * 1000);
  setBack = 365 * 24 * 60 * 60 * 1000;
  update(12);
  await db.compacted();
  t.true(db.size > 13 << 20, 'before a hundred commits');
  for (let i = 0; i < 100; i++) hosted.submit([insert(i + 100)], requester);
  await db.compacted();
  t.true(db.size < 2 << 20);
  for (let i = 0; i < 100; i++) hosted.submit([insert(i + 300)], requester);
  for (let i = 0; i < 12; i++) update(i);
  await db.compacted();
  t.true(db.size > 12 << 20, 'within ten minutes');
  await hosted.close();
  t.is(names(readDatabase(file)).length, 201);
});

test('commits made while a compaction writes are in the new log, and a crash before its end leaves the old one', async (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'a.db');
  createDatabaseFile(file, testSchema());
  const db = open(file);
  execute(
    db.database,
    Array.from({ length: 3000 }, (_, i) => insert(i)),
  );
  execute(db.database, [{ op: 'delete', table: 'all', where: [['i', '<', 1000]] }]);
  const compaction = db.compact();
  const copies: number[] = [];
  let done = false;
  void compaction.then(() => (done = true));
  for (let i = 0; !done; i++) {
    execute(db.database, [insert(10_000 + i)]);
    // What a crash would leave now.
    fs.copyFileSync(file, `${file}.crash`);
    copies.push(names(readDatabase(`${file}.crash`)).length - 2001 - i);
    await new Promise(setImmediate);
  }
  t.true(copies.length > 2, 'the event loop was free meanwhile');
  t.true(copies.every((difference) => difference === 0));
  t.false(fs.existsSync(`${file}.tmp`));
  const text = fs.readFileSync(file, 'utf8');
  t.regex(text, /"_comment":"compacting database online"/);
  t.notRegex(text, /"row 5"/);
  const count = names(db.database).length;
  await db.close();
  t.is(names(readDatabase(file)).length, count);
});

test('a compaction ends without a trace when the file is closed', async (t) => {
  const file = path.join(tmpDir(t), 'a.db');
  createDatabaseFile(file, testSchema());
  const db = open(file);
  execute(
    db.database,
    Array.from({ length: 3000 }, (_, i) => insert(i)),
  );
  const compaction = t.throwsAsync(db.compact());
  await db.close();
  await compaction;
  t.false(fs.existsSync(`${file}.tmp`));
  t.is(names(readDatabase(file)).length, 3000);
});
