import net from 'node:net';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { socketPath } from '@ovs-node/common/testkit/index';
import { NetlinkError } from '../../src/attr.js';
import { type Device, DeviceError, type DeviceHandle, DeviceOp } from '../../src/device.js';
import { PipeDevice } from '../../src/pipe/client.js';
import { FRAME_HEADER, FrameReader, MAX_FRAME } from '../../src/pipe/frame.js';
import { serveDevice } from '../../src/pipe/server.js';

/** A device that echoes transactions, dumps what was written byte by byte, and lets the test feed packets. */
class EchoHandle implements DeviceHandle {
  readonly pid: number;
  closed = false;
  written: Uint8Array = new Uint8Array(0);
  readonly packets: ((packet: Uint8Array) => void)[] = [];
  constructor(pid: number) {
    this.pid = pid;
  }
  transact(request: Uint8Array): Promise<Uint8Array> {
    if (request[0] === 0xee) return Promise.reject(new DeviceError(95, 'no'));
    return Promise.resolve(request);
  }
  write(request: Uint8Array): Promise<void> {
    this.written = request;
    return Promise.resolve();
  }
  read(): Promise<Uint8Array> {
    const part = this.written.subarray(0, 1);
    this.written = this.written.subarray(1);
    return Promise.resolve(part);
  }
  readEvent(): Promise<Uint8Array> {
    return new Promise(() => {});
  }
  readPacket(): Promise<Uint8Array> {
    return new Promise((resolve) => this.packets.push(resolve));
  }
  onClose(): void {}
  close(): void {
    this.closed = true;
  }
}

class EchoDevice implements Device {
  readonly handles: EchoHandle[] = [];
  open(): Promise<DeviceHandle> {
    const handle = new EchoHandle(7000 + this.handles.length);
    this.handles.push(handle);
    return Promise.resolve(handle);
  }
}

function place(t: { teardown(fn: () => void): void }): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'pipe-'));
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }));
  return path.join(dir, 'dp.sock');
}

async function served(t: {
  teardown(fn: () => void): void;
}): Promise<{ device: EchoDevice; file: string; bad: string[]; readonly close: () => Promise<void> }> {
  const file = place(t);
  const device = new EchoDevice();
  const bad: string[] = [];
  const server = await serveDevice(device, `punix:${file}`, { onBadClient: (reason) => bad.push(reason) });
  t.teardown(() => void server.close());
  return { device, file, bad, close: () => server.close() };
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 100_000 && !condition(); i++) await new Promise(setImmediate);
};

test('each connection is a handle with its own PID', async (t) => {
  const { file } = await served(t);
  const pipe = new PipeDevice(`unix:${file}`);
  const [a, b] = await Promise.all([pipe.open(), pipe.open()]);
  t.deepEqual(
    [a.pid, b.pid].toSorted((x, y) => x - y),
    [7000, 7001],
  );
  a.close();
  b.close();
});

test('many transactions at once each get their own reply', async (t) => {
  const { file } = await served(t);
  const handle = await new PipeDevice(`unix:${file}`).open();
  const sizes = Array.from({ length: 3000 }, (_, i) => 4 + (i % 300));
  const replies = await Promise.all(sizes.map((n, i) => handle.transact(new Uint8Array(n).fill(i & 0x7f))));
  t.true(replies.every((r, i) => r.length === sizes[i] && r[0] === (i & 0x7f)));
  handle.close();
});

test('a message of many chunks arrives whole, a too long one is refused here', async (t) => {
  const { file } = await served(t);
  const handle = await new PipeDevice(`unix:${file}`).open();
  const big = new Uint8Array(MAX_FRAME - FRAME_HEADER).map((_, i) => i & 0x7f);
  t.deepEqual(await handle.transact(big), big);
  const error = await t.throwsAsync(handle.transact(new Uint8Array(MAX_FRAME)), { instanceOf: DeviceError });
  t.is(error.errno, 90);
  handle.close();
});

test('a dump is written, then read in parts', async (t) => {
  const { file } = await served(t);
  const handle = await new PipeDevice(`unix:${file}`).open();
  await handle.write(Uint8Array.of(1, 2));
  t.deepEqual([...(await handle.read())], [1]);
  t.deepEqual([...(await handle.read())], [2]);
  handle.close();
});

test('an operation that fails rejects with its errno and the handle lives on', async (t) => {
  const { file } = await served(t);
  const handle = await new PipeDevice(`unix:${file}`).open();
  const error = await t.throwsAsync(handle.transact(Uint8Array.of(0xee)), { instanceOf: DeviceError });
  t.is(error.errno, 95);
  t.is((await t.throwsAsync(handle.transact(new Uint8Array(0)), { instanceOf: DeviceError })).errno, 22);
  t.deepEqual([...(await handle.transact(Uint8Array.of(5)))], [5]);
  handle.close();
});

test('reads of packets wait, in order, and more than 64 are refused', async (t) => {
  const { file, device } = await served(t);
  const handle = await new PipeDevice(`unix:${file}`).open();
  const reads = Array.from({ length: 64 }, () => handle.readPacket());
  const error = await t.throwsAsync(handle.readPacket(), { instanceOf: DeviceError });
  t.is(error.errno, 105);
  device.handles[0]!.packets.forEach((deliver, i) => deliver(Uint8Array.of(i)));
  t.deepEqual(
    (await Promise.all(reads)).map((p) => p[0]),
    Array.from({ length: 64 }, (_, i) => i),
  );
  handle.close();
});

test('when the service goes away everything pending rejects, then the close listener runs', async (t) => {
  const { file, close } = await served(t);
  const handle = await new PipeDevice(`unix:${file}`).open();
  const order: string[] = [];
  const waiting = handle
    .readPacket()
    .catch((error: unknown) => order.push(`rejected ${(error as DeviceError).errno}`));
  const closed = new Promise<void>((resolve) => handle.onClose(resolve)).then(() => order.push('closed'));
  await close();
  await Promise.all([waiting, closed]);
  t.deepEqual(order, ['rejected 107', 'closed']);
  await t.throwsAsync(handle.transact(Uint8Array.of(1)), { instanceOf: DeviceError });
  const error = await t.throwsAsync(new PipeDevice(`unix:${file}`).open(), { instanceOf: DeviceError });
  t.true(error.errno === 2 || error.errno === 111);
});

test('closing a handle closes it at the service', async (t) => {
  const { file, device } = await served(t);
  const handle = await new PipeDevice(`unix:${file}`).open();
  handle.close();
  await until(() => device.handles[0]!.closed);
  t.true(device.handles[0]!.closed);
});

test('a malformed frame ends that connection and no other', async (t) => {
  const { file, device, bad } = await served(t);
  const good = await new PipeDevice(`unix:${file}`).open();
  for (const bytes of [
    Buffer.from('ffffffff0001000001000000', 'hex'),
    Buffer.from('0b0000000001000001000000', 'hex'),
    Buffer.from('0c0000000001050001000000', 'hex'),
  ]) {
    const socket = net.connect(socketPath(file));
    socket.on('error', () => {});
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', () => {});
    socket.write(bytes);
    await ended;
  }
  t.deepEqual(bad, ['pipe frame of 4294967295 bytes', 'pipe frame of 11 bytes', 'request with status 5']);
  t.deepEqual([...(await good.transact(Uint8Array.of(9)))], [9]);
  t.is(device.handles.filter((h) => h.closed).length, 3);
  good.close();
});

test('a client that does not read is not read either', async (t) => {
  const { file, device } = await served(t);
  const socket = net.connect(socketPath(file));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  await until(() => device.handles.length === 1);
  let started = 0;
  const handle = device.handles[0]!;
  handle.transact = (request) => {
    started++;
    return Promise.resolve(request);
  };
  const frame = Buffer.alloc(64 * 1024);
  frame.writeUInt32LE(frame.length, 0);
  frame.writeUInt16LE(DeviceOp.TRANSACT, 4);
  // 128 MiB of requests; what is answered piles up until the bound, and then nothing more is taken in.
  for (let i = 0; i < 2048; i++) socket.write(frame);
  // Done when many turns of the event loop have brought nothing more.
  for (let idle = 0, seen = 0; idle < 2000; idle++) {
    if (started !== seen) idle = 0;
    seen = started;
    await new Promise(setImmediate);
  }
  t.true(started > 100);
  t.true(started < 400, `${started} requests were run`);
  // When the client reads, all of them are answered.
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await until(() => bytes === 2048 * frame.length);
  t.is(started, 2048);
  socket.destroy();
});

test('an operation that does not exist is answered with EOPNOTSUPP', async (t) => {
  const { file } = await served(t);
  const socket = net.connect(socketPath(file));
  const reply = new Promise<number[]>((resolve) => {
    const reader = new FrameReader((op, status, tag) => resolve([op, status, tag]));
    socket.on('data', (chunk) => reader.push(chunk));
  });
  socket.write(Buffer.from('0c0000002001000009000000', 'hex'));
  t.deepEqual(await reply, [0x120, 95, 9]);
  socket.destroy();
});

test('random bytes give frames within bounds, or end the stream', (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
      let taken = 0;
      const reader = new FrameReader(
        (_op, _status, _tag, payload) => (taken += FRAME_HEADER + payload.length),
      );
      try {
        for (const chunk of chunks) reader.push(chunk);
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error;
      }
      return taken <= chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('frames are found whatever the cuts between chunks', (t) => {
  const seen: string[] = [];
  const make = (op: number, tag: number, n: number): Buffer => {
    const b = Buffer.alloc(FRAME_HEADER + n, tag);
    b.writeUInt32LE(b.length, 0);
    b.writeUInt16LE(op, 4);
    b.writeUInt16LE(0, 6);
    b.writeUInt32LE(tag, 8);
    return b;
  };
  const stream = Buffer.concat([
    make(DeviceOp.WRITE, 1, 5),
    make(DeviceOp.READ, 2, 0),
    make(DeviceOp.TRANSACT, 3, 40),
  ]);
  const want = ['260 1 5', '257 2 0', '261 3 40'];
  for (let step = 1; step <= stream.length; step++) {
    const reader = new FrameReader((op, _status, tag, payload) =>
      seen.push(`${op} ${tag} ${payload.length}`),
    );
    for (let at = 0; at < stream.length; at += step) reader.push(stream.subarray(at, at + step));
    t.deepEqual(seen.splice(0), want);
  }
});
