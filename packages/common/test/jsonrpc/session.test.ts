import test from 'ava';
import fc from 'fast-check';
import { Duplex } from 'node:stream';
import { libraryEngine } from '../../src/jsonrpc/adapter.js';
import { plainEngine } from '../../src/jsonrpc/dispatcher.js';
import type { RpcEngine } from '../../src/jsonrpc/rpc.js';
import { JsonRpcError, JsonRpcSession } from '../../src/jsonrpc/session.js';
import { setLevels } from '../../src/vlog.js';

setLevels(null, 'console', 'off');

/** Two ends of a connection in memory. `sent` keeps what each end wrote. */
function pair(): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  for (let i = 0; i < 2; i++) {
    ends.push(
      new Duplex({
        read() {},
        write(chunk: Buffer, _encoding, done) {
          ends[1 - i]!.push(chunk);
          done();
        },
        final(done) {
          ends[1 - i]!.push(null);
          done();
        },
      }),
    );
  }
  return [ends[0]!, ends[1]!];
}

/** The other end as raw text. */
function raw(engine: RpcEngine): {
  session: JsonRpcSession;
  write: (text: string) => void;
  read: () => string;
  settle: () => Promise<void>;
} {
  const [a, b] = pair();
  let text = '';
  b.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return {
    session: new JsonRpcSession(a, { engine }),
    write: (t) => void b.write(t),
    read: () => text,
    settle: async () => {
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

for (const [name, engine] of [
  ['dispatcher', plainEngine],
  ['json-rpc-2.0', libraryEngine],
] as const) {
  test(`${name}: requests, replies and errors cross in both directions`, async (t) => {
    const [a, b] = pair();
    const left = new JsonRpcSession(a, { engine });
    const right = new JsonRpcSession(b, { engine });
    right.onRequest((method, params) => {
      if (method === 'sum') return (params as number[]).reduce((x, y) => x + y, 0);
      if (method === 'later') return Promise.resolve({ done: params });
      throw new JsonRpcError({ error: 'not supported', details: method });
    });
    left.onRequest(() => 'from left');
    t.is(await left.request('sum', [1, 2, 3]), 6);
    t.deepEqual(await left.request('later', ['x']), { done: ['x'] });
    t.is(await right.request('any', []), 'from left');
    const error = await t.throwsAsync(left.request('nope', []), { instanceOf: JsonRpcError });
    t.deepEqual(error.error, { error: 'not supported', details: 'nope' });
    const reason = t.throwsAsync(left.request('later', []).then(() => right.request('never', [])));
    left.close();
    right.close();
    await reason;
    await t.throwsAsync(left.request('sum', []), { message: 'connection closed' });
  });

  test(`${name}: the wire is JSON-RPC 1.0; ids of any kind come back; echo is answered`, async (t) => {
    const { session, write, read, settle } = raw(engine);
    session.onRequest((method) => {
      if (method === 'good') return null;
      throw new Error('bad');
    });
    write('{"method":"echo","params":["x",1],"id":"echo"}{"method":"good","params":[],"id":[{"a":1}]} ');
    write('{"method":"wrong","params":[],"id":0}');
    await settle();
    t.is(
      read(),
      '{"id":"echo","result":["x",1],"error":null}{"id":[{"a":1}],"result":null,"error":null}{"id":0,"result":null,"error":"bad"}',
    );
  });

  test(`${name}: a reply goes out before the next request is started; a promise holds nobody up`, async (t) => {
    const { session, write, read, settle } = raw(engine);
    let release = (): void => {};
    session.onRequest((method) => {
      if (method === 'monitor') return 'initial';
      if (method === 'wait') return new Promise((resolve) => (release = () => resolve('waited')));
      session.notify('update', [method]);
      return 'done';
    });
    write(
      '{"method":"wait","params":[],"id":0}{"method":"monitor","params":[],"id":1}{"method":"transact","params":[],"id":2}',
    );
    await settle();
    release();
    await settle();
    t.deepEqual(
      read()
        .split(/(?<=\})(?=\{)/)
        .map(
          (text) =>
            (JSON.parse(text) as { id: unknown; method?: string }).method ??
            (JSON.parse(text) as { id: unknown }).id,
        ),
      [1, 'update', 2, 0],
    );
  });

  for (const bad of [
    '[1]',
    '{"foo":1}',
    '{"method":1,"params":[],"id":1}',
    '{"method":"x","id":1}',
    '{"method":"x","params":{},"id":1}',
    '{"id":1}',
    '{"method":"x","params":[],"id":1,',
    '{"a" 1}',
    'hello',
  ]) {
    test(`${name}: ends the connection, answering what came before: ${bad}`, async (t) => {
      const { session, write, read, settle } = raw(engine);
      session.onRequest(() => 1);
      let reason: Error | null = null;
      session.onClose((error) => (reason = error));
      write(`{"method":"x","params":[],"id":1}${bad}`);
      if (bad.endsWith(',')) write('}');
      await settle();
      t.is(read(), '{"id":1,"result":1,"error":null}');
      t.truthy(reason);
      t.true(session.closed);
    });
  }

  test(`${name}: a reply nobody asked for is ignored; pending requests are rejected when the other end goes`, async (t) => {
    const { session, write, settle } = raw(engine);
    write('{"id":99,"result":1,"error":null}');
    await settle();
    t.false(session.closed);
    const [a, b] = pair();
    const s = new JsonRpcSession(a, { engine });
    b.resume();
    const pending = t.throwsAsync(s.request('x', []), { message: 'connection closed by peer' });
    b.end();
    await pending;
  });

  test(`${name}: a reader that does not read is disconnected`, async (t) => {
    const stuck = new Duplex({ read() {}, write() {} });
    const session = new JsonRpcSession(stuck, { engine, maxBacklog: 10_000 });
    const closed = new Promise<Error>((resolve) => session.onClose(resolve));
    for (let i = 0; i < 20; i++) session.notify('update', ['x'.repeat(1000)]);
    t.is((await closed).message, 'send backlog too long');
  });

  test(`${name}: no bytes make a session throw; it answers or ends`, async (t) => {
    const piece = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constantFrom(
        '{"method":"echo","params":[],"id":1}',
        '{"id":0,"result":1}',
        '{"method":',
        '"params":[]',
        '}',
        '{',
        '\\"',
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            piece.map((text) => Buffer.from(text)),
            fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          ),
        ),
        async (chunks) => {
          const [a, b] = pair();
          b.resume();
          const session = new JsonRpcSession(a, { engine });
          for (const chunk of chunks) if (!session.closed) a.push(chunk);
          await new Promise((resolve) => setImmediate(resolve));
          session.close();
          // A throw in a stream's handler would have failed the test as an uncaught exception by now.
          t.is(await session.request('x', []).catch(() => 'rejected'), 'rejected');
        },
      ),
      { numRuns: 200 },
    );
  });
}
