import test from 'ava';
import { ZERO_UUID } from '../../src/data/uuid.js';
import { schemaFromJson } from '../../src/schema.js';
import { SCHEMA, nextChange, nextState, setup, uuid } from './fake-server.js';

const [A, B, C] = [uuid(1), uuid(2), uuid(3)];
const TXN = uuid(9);
const initial = {
  Thing: {
    [A]: { initial: { name: 'a', n: 1, tags: ['set', ['x', 'y']] } },
    [B]: { initial: { name: 'b' } },
  },
};
const since =
  (contents: unknown, found = false, id = TXN) =>
  (): unknown => [found, id, contents];
const ID = ['monid', 'db'];

test('first contents by monitor_cond_since: typed rows, one change of inserts', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  const change = nextChange(replica);
  replica.start();
  await replica.ready();
  t.deepEqual(await change, ['Thing insert 1', 'Thing insert 2']);
  t.deepEqual(replica.row('Thing', A), {
    _uuid: A,
    name: 'a',
    n: 1,
    tags: ['x', 'y'],
    ids: new Map(),
    parts: [],
  });
  t.is([...replica.rows('Thing')].length, 2);
  t.is(replica.row('Thing', C), undefined);
  t.is([...replica.rows('Nonsense')].length, 0);
  t.deepEqual(server.requests[0], [
    'monitor_cond_since',
    [
      'db',
      ID,
      {
        Part: [{ columns: ['label'] }],
        Thing: [{ columns: ['ids', 'n', 'name', 'parts', 'tags'] }],
      },
      ZERO_UUID,
    ],
  ]);
});

test('only selected tables and columns are asked for, and only those that the server has', async (t) => {
  const { server, replica } = await setup(t, {
    tables: { Thing: ['name', 'later_column'], Later_Table: '*' },
  });
  server.answers.set('monitor_cond_since', since({}));
  replica.start();
  await replica.ready();
  t.deepEqual(server.requests[0]![1][2], { Thing: [{ columns: ['name'] }] });
});

test('columns that the server lacks read as the defaults of the definition given', async (t) => {
  const tables = { Thing: { columns: { ...SCHEMA.tables.Thing.columns, color: { type: 'string' } } } };
  const { server, replica } = await setup(t, {
    schema: schemaFromJson({ ...SCHEMA, tables: { ...SCHEMA.tables, ...tables } }),
  });
  server.answers.set('monitor_cond_since', since(initial));
  replica.start();
  await replica.ready();
  t.like(replica.row('Thing', A), { name: 'a', color: '' });
});

test('update3: differences of sets and maps, new values of scalars, insertions, deletions', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  replica.start();
  await replica.ready();
  const change = nextChange(replica);
  const kept = replica.row('Thing', A);
  server.session.notify('update3', [
    ID,
    uuid(8),
    {
      Thing: {
        [A]: { modify: { tags: ['set', ['y', 'z']], n: 2, ids: ['map', [['k', 'v']]] } },
        [B]: { delete: null },
        [C]: { insert: { name: 'c' } },
      },
    },
  ]);
  t.deepEqual(await change, ['Thing modify 1', 'Thing delete 2', 'Thing insert 3']);
  t.like(replica.row('Thing', A), { n: 2, tags: ['x', 'z'], ids: new Map([['k', 'v']]) });
  t.like(kept, { n: 1, tags: ['x', 'y'] }, 'a row that was read does not change');
  t.is(replica.row('Thing', B), undefined);
  t.like(replica.row('Thing', C), { name: 'c', n: 0 });
});

test('update2, after a fallback to monitor_cond', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor_cond', () => initial);
  replica.start();
  await replica.ready();
  t.deepEqual(
    server.requests.map(([method]) => method),
    ['monitor_cond_since', 'monitor_cond'],
  );
  const change = nextChange(replica);
  server.session.notify('update2', [ID, { Thing: { [A]: { modify: { name: 'aa' } } } }]);
  t.deepEqual(await change, ['Thing modify 1']);
  t.like(replica.row('Thing', A), { name: 'aa', n: 1 });
});

test('update, after a fallback to plain monitor', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor', () => ({ Thing: { [A]: { new: { name: 'a', n: 1 } } } }));
  replica.start();
  await replica.ready();
  t.is(server.requests.at(-1)![0], 'monitor');
  const modified = nextChange(replica);
  server.session.notify('update', [
    ID,
    { Thing: { [A]: { old: { n: 1 }, new: { name: 'a', n: 7 } }, [B]: { new: { name: 'b' } } } },
  ]);
  t.deepEqual(await modified, ['Thing modify 1', 'Thing insert 2']);
  t.like(replica.row('Thing', A), { name: 'a', n: 7 });
  const deleted = nextChange(replica);
  server.session.notify('update', [ID, { Thing: { [A]: { old: { name: 'a', n: 7 } } } }]);
  t.deepEqual(await deleted, ['Thing delete 1']);
});

test('updates that overtake the reply that starts the monitor are applied after it', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor_cond_since', (_params, session) => {
    session.notify('update3', [ID, uuid(8), { Thing: { [A]: { modify: { n: 5 } } } }]);
    return [false, TXN, initial];
  });
  replica.start();
  await replica.ready();
  t.like(replica.row('Thing', A), { name: 'a', n: 5 });
});

test('notifications of other monitors and methods are passed over', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  replica.start();
  await replica.ready();
  const change = nextChange(replica);
  server.session.notify('update3', [['other', 'db'], uuid(8), { Thing: { [A]: { delete: null } } }]);
  server.session.notify('locked', ['x']);
  server.session.notify('update3', [ID, uuid(8), { Thing: { [B]: { delete: null } } }]);
  t.deepEqual(await change, ['Thing delete 2']);
  t.is(replica.state, 'live');
});

test('after a reconnect, a server that knows the last transaction sends what came after it', async (t) => {
  const { server, clock, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  replica.start();
  await replica.ready();
  const moved = nextChange(replica);
  server.session.notify('update3', [ID, uuid(8), { Thing: { [A]: { modify: { n: 2 } } } }]);
  await moved;
  const row = replica.row('Thing', B);
  server.answers.set('monitor_cond_since', since({ Thing: { [A]: { modify: { n: 3 } } } }, true, uuid(7)));
  const lost = nextState(replica, 'connecting');
  server.session.close();
  await lost;
  t.like(replica.row('Thing', A), { n: 2 }, 'contents stay readable');
  const change = nextChange(replica);
  const live = nextState(replica, 'live');
  clock.advance(1000);
  t.deepEqual(await change, ['Thing modify 1']);
  await live;
  t.is(server.requests.at(-1)![1][3], uuid(8));
  t.like(replica.row('Thing', A), { name: 'a', n: 3 });
  t.is(replica.row('Thing', B), row, 'an unchanged row is the same object');
});

test('after a reconnect, a server that does not know it sends everything, and listeners get the difference', async (t) => {
  const { server, clock, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  replica.start();
  await replica.ready();
  const row = replica.row('Thing', A);
  const lost = nextState(replica, 'connecting');
  server.session.close();
  await lost;
  server.answers.set(
    'monitor_cond_since',
    since({ Thing: { [A]: initial.Thing[A]!, [C]: { initial: { name: 'c' } } } }),
  );
  const change = nextChange(replica);
  clock.advance(1000);
  t.deepEqual(await change, ['Thing insert 3', 'Thing delete 2']);
  t.is(replica.row('Thing', A), row);
});

test('after a reconnect to a changed schema, rows take its form', async (t) => {
  const { server, clock, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  replica.start();
  await replica.ready();
  const columns = { aaa: { type: 'integer' }, name: { type: 'string' }, n: { type: 'string' } };
  server.answers.set('get_schema', () => ({
    ...SCHEMA,
    version: '2.0.0',
    tables: { Thing: { isRoot: true, columns } },
  }));
  server.answers.set(
    'monitor_cond_since',
    since({ Thing: { [A]: { initial: { name: 'a', n: 'one' } }, [B]: { initial: { name: 'b' } } } }),
  );
  const lost = nextState(replica, 'connecting');
  server.session.close();
  await lost;
  const change = nextChange(replica);
  clock.advance(1000);
  t.deepEqual(await change, ['Thing modify 1']);
  t.is(server.requests.at(-1)![1][3], ZERO_UUID, 'it does not resume');
  t.deepEqual(replica.row('Thing', A), { _uuid: A, aaa: 0, n: 'one', name: 'a' });
});

for (const [what, method, params] of [
  ['a modification of a row that is not there', 'update3', [uuid(8), { Thing: { [C]: { modify: {} } } }]],
  ['an unknown table', 'update3', [uuid(8), { Nonsense: {} }]],
  ['an unknown column', 'update3', [uuid(8), { Thing: { [A]: { modify: { q: 1 } } } }]],
  ['a value of the wrong type', 'update3', [uuid(8), { Thing: { [A]: { modify: { n: 'x' } } } }]],
  ['a row that is no UUID', 'update3', [uuid(8), { Thing: { x: { delete: null } } }]],
  ['no updates', 'update3', [uuid(8)]],
  ['no transaction', 'update3', [null, {}]],
] as const) {
  test(`an update with ${what} changes nothing, and the replica begins again`, async (t) => {
    const { server, clock, replica } = await setup(t);
    server.answers.set('monitor_cond_since', since(initial));
    replica.start();
    await replica.ready();
    const before = [...replica.rows('Thing')];
    const lost = nextState(replica, 'connecting');
    server.session.notify(method, [ID, ...params]);
    await lost;
    t.deepEqual([...replica.rows('Thing')], before);
    const live = nextState(replica, 'live');
    clock.advance(1000);
    await live;
    t.is(server.requests.at(-1)![1][3], ZERO_UUID, 'from the beginning');
  });
}

test('a reply that is no <found, id, updates> is an error', async (t) => {
  const { server, replica } = await setup(t, { retry: false });
  server.answers.set('monitor_cond_since', () => ({ Thing: {} }));
  replica.start();
  await t.throwsAsync(replica.ready(), { message: /^syntax error: monitor_cond_since: reply is not/ });
});

test('without retry, a refused connection closes the replica; ready rejects, again as well', async (t) => {
  const { server, replica } = await setup(t, { retry: false });
  await server.stopListening();
  replica.start();
  await t.throwsAsync(replica.ready());
  t.is(replica.state, 'closed');
  await t.throwsAsync(replica.ready());
});

test('without retry, an error reply closes the replica with it', async (t) => {
  const { server, replica } = await setup(t, { retry: false });
  server.answers.delete('get_schema');
  replica.start();
  await t.throwsAsync(replica.ready(), { message: 'unknown method: get_schema' });
});

test('waits double up to the limit, and a connection resets them', async (t) => {
  const { server, clock, replica } = await setup(t, { maxBackoffMs: 4000 });
  server.answers.set('monitor_cond_since', since(initial));
  await server.stopListening();
  replica.start();
  const failed = async (): Promise<void> => {
    let error: Error | undefined;
    while (error === undefined) error = await nextState(replica, 'connecting');
  };
  await failed();
  for (const wait of [1000, 2000, 4000]) {
    const again = failed();
    clock.advance(wait - 1);
    t.is(clock.pending, 1, `nothing before ${wait} ms`);
    clock.advance(1);
    await again;
  }
  await server.listen();
  const live = nextState(replica, 'live');
  clock.advance(4000);
  await live;
  // One that did not last as long as the wait before it would not.
  clock.advance(4000);
  const lost = failed();
  server.session.close();
  await lost;
  const back = nextState(replica, 'live');
  clock.advance(1000);
  await back;
  t.is(replica.state, 'live');
});

test('several remotes are tried in turn', async (t) => {
  const { server, clock, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since({}));
  const both = new (replica.constructor as typeof import('../../src/replica/replica.js').Replica)({
    remote: `unix:${server.name}.none,unix:${server.name}`,
    database: 'db',
    clock,
  });
  t.teardown(() => both.close());
  let error: Error | undefined;
  both.start();
  while (error === undefined) error = await nextState(both, 'connecting');
  const live = nextState(both, 'live');
  // At once: there is another to try.
  clock.advance(0);
  await live;
  t.is(both.state, 'live');
});

test('an idle connection is probed; the answer keeps it, no answer ends it', async (t) => {
  const { server, clock, replica } = await setup(t, { probeIntervalMs: 1000 });
  server.answers.set('monitor_cond_since', since(initial));
  server.answers.set('echo', (params) => params);
  replica.start();
  await replica.ready();
  clock.advance(999);
  t.false(server.requests.some(([method]) => method === 'echo'));
  clock.advance(1);
  await server.requested('echo');
  // The echo was answered when what follows it has been.
  await replica.request('echo', []);
  const probed = server.requests.length;
  server.answers.set('echo', () => new Promise(() => undefined));
  clock.advance(1000);
  await server.requested('echo', probed);
  t.is(replica.state, 'live');
  const lost = nextState(replica, 'connecting');
  clock.advance(1000);
  t.is((await lost)?.message, 'Connection timed out');
});

test('a server that accepts and never answers is found out', async (t) => {
  const { server, clock, replica } = await setup(t, { probeIntervalMs: 1000 });
  server.answers.set('get_schema', () => new Promise(() => undefined));
  server.answers.set('echo', () => new Promise(() => undefined));
  const monitoring = nextState(replica, 'monitoring');
  replica.start();
  await monitoring;
  const lost = nextState(replica, 'connecting');
  clock.advance(1000);
  await server.requested('echo');
  clock.advance(1000);
  t.is((await lost)?.message, 'Connection timed out');
});

test('no probes when their interval is 0', async (t) => {
  const { server, clock, replica } = await setup(t, { probeIntervalMs: 0 });
  server.answers.set('monitor_cond_since', since(initial));
  replica.start();
  await replica.ready();
  t.is(clock.pending, 0);
});

test('closed while it connects, it stays closed', async (t) => {
  const { clock, replica, server } = await setup(t);
  const ready = replica.ready();
  replica.start();
  replica.close();
  await t.throwsAsync(ready, { message: 'canceled: replica closed' });
  t.is(replica.state, 'closed');
  t.is(clock.pending, 0);
  t.is(server.requests.length, 0);
});

test('closed by a listener of its first contents, it never becomes live and keeps no timer', async (t) => {
  const { server, clock, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  const states: string[] = [];
  replica.onState((state) => states.push(state));
  const closed = nextState(replica, 'closed');
  replica.onChange(() => replica.close());
  replica.start();
  await closed;
  // Whatever would follow the change follows in microtasks.
  await new Promise(setImmediate);
  t.deepEqual(states, ['connecting', 'monitoring', 'closed']);
  t.is(clock.pending, 0);
  t.is([...replica.rows('Thing')].length, 2, 'contents stay');
});

test('a listener that throws harms neither the replica nor other listeners', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  replica.onChange(() => {
    throw new Error('a bug of the user');
  });
  const change = nextChange(replica);
  replica.start();
  await replica.ready();
  t.is((await change).length, 2);
});

test('requests: replies, errors as OvsdbError, and none without a connection', async (t) => {
  const { server, replica } = await setup(t);
  server.answers.set('monitor_cond_since', since(initial));
  server.answers.set('list_dbs', () => ['db']);
  await t.throwsAsync(replica.request('list_dbs', []), { message: 'canceled: not connected' });
  replica.start();
  await replica.ready();
  t.deepEqual(await replica.request('list_dbs', []), ['db']);
  await t.throwsAsync(replica.request('nonsense', []), {
    name: 'OvsdbError',
    message: 'unknown method: nonsense',
  });
});
