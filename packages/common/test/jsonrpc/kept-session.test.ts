import test, { type ExecutionContext } from 'ava';
import path from 'node:path';
import { KeptSession } from '../../src/jsonrpc/kept-session.js';
import { JsonRpcSession } from '../../src/jsonrpc/session.js';
import { connectStream, listenStream } from '../../src/stream.js';
import { FakeClock } from '../../src/testkit/fake-clock.js';
import { tmpDir } from '../../src/testkit/tmp.js';
import { observeLog, setLevels } from '../../src/vlog.js';

setLevels(null, 'console', 'off');

/** What module reconnect says from now on. */
function watch(t: ExecutionContext): string[] {
  const lines: string[] = [];
  observeLog(({ module, level, text }) => {
    if (module === 'reconnect') lines.push(`${level} ${text.replace(/^\S+: /, '')}`);
  });
  t.teardown(() => observeLog(null));
  return lines;
}

interface Kept {
  readonly clock: FakeClock;
  readonly kept: KeptSession;
  /** The next loss, and whether it is the last. */
  readonly lost: () => Promise<[string, boolean]>;
  readonly opened: () => Promise<JsonRpcSession>;
}

function keep(
  t: ExecutionContext,
  remotes: string[],
  more: { retry?: boolean; probeInterval?: number } = {},
): Kept {
  const clock = new FakeClock();
  const waiting: { lost: ((v: [string, boolean]) => void)[]; opened: ((s: JsonRpcSession) => void)[] } = {
    lost: [],
    opened: [],
  };
  const kept = new KeptSession({
    remotes,
    clock,
    ...(more.retry === undefined ? {} : { retry: more.retry }),
    times: more.probeInterval === undefined ? {} : { probeInterval: more.probeInterval },
    onOpen: (session) => waiting.opened.splice(0).forEach((tell) => tell(session)),
    onLost: (error, isFinal) => waiting.lost.splice(0).forEach((tell) => tell([error.message, isFinal])),
  });
  t.teardown(() => kept.close());
  return {
    clock,
    kept,
    lost: () => new Promise((resolve) => waiting.lost.push(resolve)),
    opened: () => new Promise((resolve) => waiting.opened.push(resolve)),
  };
}

/** Serves at `file`; `accepted` resolves to the other end of the first connection. */
async function serve(t: ExecutionContext, file: string): Promise<{ accepted: Promise<JsonRpcSession> }> {
  let accept: (session: JsonRpcSession) => void;
  const accepted = new Promise<JsonRpcSession>((resolve) => (accept = resolve));
  const listener = await listenStream(`punix:${file}`, (socket) => accept(new JsonRpcSession(socket)));
  t.teardown(() => listener.close());
  return { accepted };
}

test.serial('failures are told in the words of the peer, until they are many', async (t) => {
  const file = path.join(tmpDir(t), 's');
  const { clock, kept, lost, opened } = keep(t, [`unix:${file}`]);
  const lines = watch(t);
  let failed = lost();
  kept.start();
  t.deepEqual(await failed, ['No such file or directory', false]);
  for (const wait of [1000, 2000, 4000, 8000, 8000]) {
    failed = lost();
    clock.advance(wait);
    await failed;
  }
  const attempt = ['INFO connecting...', 'INFO connection attempt failed (No such file or directory)'];
  t.deepEqual(lines.splice(0), [
    ...attempt,
    ...attempt,
    'INFO waiting 2 seconds before reconnect',
    ...attempt,
    'INFO waiting 4 seconds before reconnect',
    ...attempt,
    'INFO continuing to reconnect in the background but suppressing further logging',
  ]);
  const server = await serve(t, file);
  const open = opened();
  clock.advance(8000);
  await open;
  failed = lost();
  (await server.accepted).close();
  t.deepEqual(await failed, ['connection closed by peer', false]);
  t.deepEqual(lines, [
    'INFO connected',
    'INFO connection closed by peer',
    'INFO continuing to reconnect in the background but suppressing further logging',
  ]);
});

test.serial('silence is probed, and ends the connection when it goes on', async (t) => {
  const file = path.join(tmpDir(t), 's');
  const server = await serve(t, file);
  const { clock, kept, lost, opened } = keep(t, [`unix:${file}`], { probeInterval: 5000 });
  const open = opened();
  kept.start();
  await open;
  const other = await server.accepted;
  const asked = new Promise<void>((resolve) => other.onActivity(resolve));
  clock.advance(5000);
  await asked;
  other.setReading(false);
  const lines = watch(t);
  const failed = lost();
  // The answer may have come before it stopped reading, and then another probe goes unanswered.
  clock.advance(5000);
  clock.advance(5000);
  t.deepEqual(await failed, ['Connection timed out', false]);
  t.true(lines.includes('ERR no response to inactivity probe after 5 seconds, disconnecting'));
  t.true(lines.includes('WARN connection dropped (Connection timed out)'));
});

test.serial('without retry each remote is tried once', async (t) => {
  const dir = tmpDir(t);
  const { clock, kept, lost } = keep(t, [`unix:${dir}/a`, `unix:${dir}/b`], { retry: false });
  const first = lost();
  kept.start();
  t.deepEqual(await first, ['No such file or directory', false]);
  const second = lost();
  clock.advance(0);
  t.deepEqual(await second, ['No such file or directory', true]);
  t.is(clock.pending, 0);
});

test.serial(
  'at a passive name it waits for a server to connect, without limit, and again when that one leaves',
  async (t) => {
    const lines = watch(t);
    const name = `unix:${path.join(tmpDir(t), 'sock')}`;
    const { clock, kept, opened, lost } = keep(t, [`p${name}`]);
    kept.start();
    clock.advance(1_000_000);
    const dial = async (): Promise<JsonRpcSession> => {
      for (;;) {
        try {
          return new JsonRpcSession(await connectStream(name), { name: 'server' });
        } catch {
          await new Promise((done) => setImmediate(done));
        }
      }
    };
    for (let round = 0; round < 2; round++) {
      const open = opened();
      const server = await dial();
      t.truthy(await open);
      const gone = lost();
      server.close();
      t.is((await gone)[1], false);
      clock.advance(1_000_000);
    }
    t.deepEqual(lines.slice(0, 3), ['INFO listening...', 'INFO connected', 'INFO connection closed by peer']);
  },
);
