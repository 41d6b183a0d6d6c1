import test from 'ava';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { BlockingStream } from '../src/stream-blocking.js';
import { connectStream } from '../src/stream.js';
import { needing } from '../src/testkit/require.js';
import { type TestContext, tmpDir } from '../src/testkit/tmp.js';

/** The other side stands in a process of its own, or it would stand still, too. */
async function connectEcho(t: Pick<TestContext, 'teardown'>): Promise<net.Socket> {
  const file = path.join(tmpDir(t), 'echo.sock');
  const server = fork(path.join(import.meta.dirname, 'programs/echo-server.js'), [file]);
  t.teardown(() => void server.kill());
  await once(server, 'message');
  const socket = await connectStream(`unix:${file}`);
  t.teardown(() => void socket.destroy());
  socket.on('error', () => {});
  return socket;
}

// Windows' pipes have no descriptor.
const posix = needing(test, 'unix');

posix('a stream is written and read by calls that wait', async (t) => {
  const socket = await connectEcho(t);
  const blocking = BlockingStream.take(socket)!;
  for (const text of ['one', 'two']) {
    blocking.write(Buffer.from(text));
    t.is(blocking.read()?.toString(), text);
  }
  const long = Buffer.alloc(300_000, 'x');
  blocking.write(long.subarray(0, 100_000));
  let length = 0;
  while (length < 100_000) length += blocking.read()!.length;
  t.is(length, 100_000);
});

posix('it goes on as a stream afterwards', async (t) => {
  const socket = await connectEcho(t);
  const blocking = BlockingStream.take(socket)!;
  blocking.write(Buffer.from('still'));
  t.is(blocking.read()?.toString(), 'still');
  blocking.release();
  socket.write('moving');
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  t.is(bytes.toString(), 'moving');
});

posix('what is read stays as it is when more is read', async (t) => {
  const blocking = BlockingStream.take(await connectEcho(t))!;
  blocking.write(Buffer.from('first'));
  const first = blocking.read();
  blocking.write(Buffer.from('other'));
  blocking.read();
  t.is(first?.toString(), 'first');
});

posix('the end, orderly and not', async (t) => {
  const orderly = BlockingStream.take(await connectEcho(t))!;
  orderly.write(Buffer.from('bye'));
  t.is(orderly.read()?.toString(), 'so long');
  t.is(orderly.read(), undefined);

  const dropped = BlockingStream.take(await connectEcho(t))!;
  dropped.write(Buffer.from('die'));
  // What a Unix socket tells of it depends on what it has not read.
  const end = (): unknown => {
    try {
      return dropped.read() ?? 'end';
    } catch (e) {
      return (e as NodeJS.ErrnoException).code;
    }
  };
  t.true(['end', 'ECONNRESET'].includes(end() as string));
  t.throws(() => dropped.write(Buffer.from('x')), { code: 'EPIPE' });
});

posix('streams that cannot be taken', async (t) => {
  t.is(BlockingStream.take(new PassThrough()), undefined, 'no socket');
  t.is(BlockingStream.take(new net.Socket()), undefined, 'not connected');
  const socket = await connectEcho(t);
  socket.pause();
  socket.unshift(Buffer.from('x'));
  t.is(BlockingStream.take(socket), undefined, 'something is to be delivered first');
});
