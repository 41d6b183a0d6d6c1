import test, { type ExecutionContext } from 'ava';
import { EMPTY_DATUM, mapDatum, scalarDatum, setDatum } from '../src/data/datum.js';
import type { Json } from '../src/data/json.js';
import type { Replica } from '../src/replica/replica.js';
import { Transaction, changedSince, transactUntilDone } from '../src/transaction.js';
import { type FakeServer, setup, uuid } from './replica/fake-server.js';

const [A, B, P] = [uuid(1), uuid(2), uuid(3)];
const ID = ['monid', 'db'];
const contents = {
  Thing: {
    [A]: {
      initial: { name: 'a', n: 1, tags: ['set', ['x', 'y']], ids: ['map', [['k', 'v']]], parts: ['uuid', P] },
    },
    [B]: { initial: { name: 'b' } },
  },
  Part: { [P]: { initial: { label: 'p' } } },
};

async function live(t: ExecutionContext): Promise<{ server: FakeServer; replica: Replica }> {
  const { server, replica } = await setup(t, { retry: false });
  server.answers.set('monitor_cond_since', () => [false, uuid(9), contents]);
  replica.start();
  await replica.ready();
  return { server, replica };
}

/** The name under which a new row goes into the operations. */
const symbol = (id: string): string => `row${id.replaceAll('-', '_')}`;
const where = (id: string): Json => [['_uuid', '==', ['uuid', id]]];

test('nothing changed: nothing is sent, whatever else was asked', async (t) => {
  const { server, replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.comment('nothing');
  transaction.increment('Thing', A, 'n');
  transaction.verify('Thing', A, 'name');
  transaction.set('Thing', A, 'name', scalarDatum('a'));
  transaction.addTo('Thing', A, 'tags', setDatum(['x']));
  transaction.removeFrom('Thing', A, 'tags', setDatum(['z']));
  t.deepEqual(await transaction.commit(), { status: 'unchanged' });
  t.false(server.requests.some(([method]) => method === 'transact'));
});

test('a change is seen through the transaction and nowhere else', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.set('Thing', A, 'n', scalarDatum(5));
  const id = transaction.insert('Thing');
  transaction.delete('Thing', B);
  t.deepEqual(transaction.datum('Thing', A, 'n'), scalarDatum(5));
  t.deepEqual(
    [...transaction.rows('Thing')].map((row) => row.uuid),
    [A, id],
  );
  t.is(transaction.get('Thing', B), undefined);
  t.like(replica.row('Thing', A), { n: 1 });
  t.is(replica.table('Thing').size, 2);
  t.deepEqual(transaction.operations(), [
    { op: 'update', table: 'Thing', where: where(A), row: { n: 5 } },
    { op: 'insert', table: 'Thing', row: {}, 'uuid-name': symbol(id) },
    { op: 'delete', table: 'Thing', where: where(B) },
  ]);
});

test('a row that is inserted and deleted leaves nothing', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.delete('Thing', transaction.insert('Thing'));
  t.deepEqual(transaction.operations(), []);
});

test('deleting a row of a table that is not root is left to the server', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.removeFrom('Thing', A, 'parts', scalarDatum(P));
  transaction.delete('Part', P);
  t.deepEqual(transaction.operations(), [
    { op: 'mutate', table: 'Thing', where: where(A), mutations: [['parts', 'delete', ['uuid', P]]] },
  ]);
});

test('sets and maps change by mutation: other elements may change meanwhile', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.addTo('Thing', A, 'tags', setDatum(['z']));
  transaction.removeFrom('Thing', A, 'tags', setDatum(['x']));
  transaction.addTo('Thing', A, 'ids', mapDatum([['k', 'w']]));
  transaction.removeFrom('Thing', B, 'ids', setDatum(['q']));
  t.deepEqual(transaction.datum('Thing', A, 'tags'), setDatum(['y', 'z']));
  t.deepEqual(transaction.datum('Thing', A, 'ids'), mapDatum([['k', 'w']]));
  t.deepEqual(transaction.operations(), [
    {
      op: 'mutate',
      table: 'Thing',
      where: where(A),
      mutations: [
        ['tags', 'insert', 'z'],
        ['tags', 'delete', 'x'],
        // "insert" keeps the value of a key that is there.
        ['ids', 'delete', 'k'],
        ['ids', 'insert', ['map', [['k', 'w']]]],
      ],
    },
  ]);
});

test('without replacing, a pair whose key is there is left as it is', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.addTo('Thing', A, 'ids', mapDatum([['k', 'w']]), false);
  t.deepEqual(transaction.operations(), []);
});

test('an assignment takes the place of mutations, and later changes go into it', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.addTo('Thing', A, 'tags', setDatum(['z']));
  transaction.set('Thing', A, 'tags', setDatum(['q']));
  transaction.addTo('Thing', A, 'tags', setDatum(['r']));
  t.deepEqual(transaction.operations(), [
    { op: 'update', table: 'Thing', where: where(A), row: { tags: ['set', ['q', 'r']] } },
  ]);
});

test('a reference to a row that is inserted later goes by its name', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  const id = uuid(7);
  transaction.addTo('Thing', A, 'parts', scalarDatum(id));
  const thing = transaction.insert('Thing');
  transaction.set('Thing', thing, 'parts', setDatum([P, id]));
  transaction.insert('Part', id);
  t.deepEqual(transaction.operations(), [
    {
      op: 'mutate',
      table: 'Thing',
      where: where(A),
      mutations: [['parts', 'insert', ['named-uuid', symbol(id)]]],
    },
    {
      op: 'insert',
      table: 'Thing',
      row: {
        parts: [
          'set',
          [
            ['uuid', P],
            ['named-uuid', symbol(id)],
          ],
        ],
      },
      'uuid-name': symbol(thing),
    },
    { op: 'insert', table: 'Part', row: {}, 'uuid-name': symbol(id) },
  ]);
});

test('assign: plain values, checked; columns that the schema lacks are passed over', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  const id = transaction.insert('Thing');
  transaction.assign('Thing', id, { name: 'n', tags: ['t'], ids: new Map([['a', 'b']]), later: 1 });
  t.like(transaction.operations()[0], { row: { name: 'n', tags: 't', ids: ['map', [['a', 'b']]] } });
  t.throws(() => transaction.assign('Thing', id, { n: 'x' }), { name: 'OvsdbError' });
  t.throws(() => transaction.set('Thing', id, 'later', EMPTY_DATUM), { message: /^unknown column/ });
  t.throws(() => transaction.insert('Later'), { message: /^unknown table/ });
});

test('verify, increment, comment: waits first, the rest last', async (t) => {
  const { replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.comment('one');
  transaction.comment('two');
  transaction.increment('Thing', B, 'n');
  transaction.set('Thing', A, 'name', scalarDatum('aa'));
  transaction.verify('Thing', A, 'name');
  transaction.verify('Thing', A, 'tags');
  t.deepEqual(transaction.operations(), [
    {
      op: 'wait',
      table: 'Thing',
      where: where(A),
      columns: ['name', 'tags'],
      until: '==',
      rows: [{ name: 'a', tags: ['set', ['x', 'y']] }],
      timeout: 0,
    },
    { op: 'update', table: 'Thing', where: where(A), row: { name: 'aa' } },
    { op: 'mutate', table: 'Thing', where: where(B), mutations: [['n', '+=', 1]] },
    { op: 'select', table: 'Thing', where: where(B), columns: ['n'] },
    { op: 'comment', comment: 'one\ntwo' },
  ]);
});

test('verify stands for what was read, even when an update came in between', async (t) => {
  const { server, replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.set('Thing', A, 'n', scalarDatum(2));
  const seen = replica.changeNumber;
  server.session.notify('update3', [ID, uuid(8), { Thing: { [A]: { modify: { n: 50 } } } }]);
  await changedSince(replica, seen);
  transaction.verify('Thing', A, 'n');
  t.like(transaction.operations()[0], { op: 'wait', rows: [{ n: 1 }] });
});

test('the outcome tells the incremented value and the lasting UUIDs of new rows', async (t) => {
  const { server, replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.increment('Thing', A, 'n');
  const id = transaction.insert('Thing');
  server.answers.set('transact', () => [{ uuid: ['uuid', uuid(6)] }, { count: 1 }, { rows: [{ n: 2 }] }]);
  t.deepEqual(await transaction.commit(), { status: 'success', incremented: 2 });
  t.is(transaction.insertedUuid(id), uuid(6));
  t.is((await server.requested('transact'))[0], 'db');
});

test('a dry run is aborted by its last operation, which is success', async (t) => {
  const { server, replica } = await live(t);
  const transaction = new Transaction(replica);
  transaction.setDryRun();
  transaction.set('Thing', A, 'n', scalarDatum(2));
  server.answers.set('transact', () => [{ count: 1 }, { error: 'aborted', details: 'aborted by request' }]);
  t.deepEqual(await transaction.commit(), { status: 'success' });
  t.deepEqual((await server.requested('transact')).at(-1), { op: 'abort' });
});

test('an error of an operation, or of the commit behind the last, is the outcome', async (t) => {
  const { server, replica } = await live(t);
  for (const reply of [
    [{ error: 'constraint violation', details: 'd' }],
    [{ count: 1 }, { error: 'constraint violation', details: 'd' }],
  ]) {
    const transaction = new Transaction(replica);
    transaction.set('Thing', A, 'n', scalarDatum(2));
    server.answers.set('transact', () => reply);
    t.like(await transaction.commit(), {
      status: 'error',
      error: { tag: 'constraint violation', details: 'd' },
    });
  }
});

test('an error reply to the request is the outcome; a lost connection rejects', async (t) => {
  const { server, replica } = await live(t);
  const change = (): Transaction => {
    const transaction = new Transaction(replica);
    transaction.set('Thing', A, 'n', scalarDatum(2));
    return transaction;
  };
  t.like(await change().commit(), { status: 'error', error: { tag: 'unknown method' } });
  server.answers.set('transact', (_params, session) => {
    session.close();
    return new Promise(() => undefined);
  });
  await t.throwsAsync(change().commit());
});

test('a verify that fails is repeated on the new contents', async (t) => {
  const { server, replica } = await live(t);
  const values: Json[] = [];
  server.answers.set('transact', (params, session) => {
    const [, wait, update] = params as [Json, { rows: [{ n: number }] }, { row: { n: number } }];
    values.push([wait.rows[0].n, update.row.n]);
    if (wait.rows[0].n !== 1) return [{}, { count: 1 }];
    session.notify('update3', [ID, uuid(8), { Thing: { [A]: { modify: { n: 10 } } } }]);
    return [{ error: 'timed out', details: '"wait" timed out' }, null];
  });
  const outcome = await transactUntilDone(replica, (transaction) => {
    transaction.verify('Thing', A, 'n');
    const n = Number(transaction.datum('Thing', A, 'n').keys[0]);
    transaction.set('Thing', A, 'n', scalarDatum(n + 1));
  });
  t.deepEqual(outcome, { status: 'success' });
  t.deepEqual(values, [
    [1, 2],
    [10, 11],
  ]);
});

test('waiting for a change ends when the replica is closed', async (t) => {
  const { replica } = await live(t);
  const waiting = changedSince(replica, replica.changeNumber);
  replica.close();
  await t.throwsAsync(waiting, { message: 'canceled: replica closed' });
  await t.throwsAsync(changedSince(replica, replica.changeNumber), { message: 'canceled: replica closed' });
});
