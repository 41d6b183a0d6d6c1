import net from 'node:net';
import path from 'node:path';
import test from 'ava';
import { socketPath, tmpDir } from '@ovs-node/common/testkit/index';
import { VportType } from '@ovs-node/netlink/families';
import { conforms, type Wire } from './conformance.js';
import { hex, udp } from './frames.js';
import { Rig } from './rig.js';

/** The other end of a stream port: what QEMU would be. */
class Far {
  readonly frames: string[] = [];
  closed = false;
  #bytes = Buffer.alloc(0);
  readonly socket: net.Socket;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => (this.closed = true));
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readUInt32BE(0)) {
        const length = this.#bytes.readUInt32BE(0);
        this.frames.push(hex(this.#bytes.subarray(4, 4 + length)));
        this.#bytes = this.#bytes.subarray(4 + length);
      }
    });
  }

  send(frames: readonly Uint8Array[]): void {
    for (const frame of frames) {
      const prefix = Buffer.alloc(4);
      prefix.writeUInt32BE(frame.length);
      this.socket.write(Buffer.concat([prefix, frame]));
    }
  }
}

function wire(rig: Rig, far: () => Far, close: () => void): Wire {
  return {
    rig,
    send: (frames) => far().send(frames),
    receive: async (count) => {
      await rig.until(() => far().frames.length >= count, `${count} frames at the far end`);
      return far().frames.splice(0);
    },
    close,
  };
}

function listen(where: net.ListenOptions): Promise<{ server: net.Server; far: () => Far }> {
  let far: Far | undefined;
  const server = net.createServer((socket) => (far = new Far(socket)));
  return new Promise((resolve) => server.listen(where, () => resolve({ server, far: () => far! })));
}

const unixPath = (dir: string): string => socketPath(path.join(dir, 's'));

test('a listening stream port over a Unix socket conforms', async (t) => {
  const file = path.join(tmpDir(t), 's');
  const rig = new Rig('vm1', VportType.STREAM, { listen: `unix:${file}` });
  const far = await connect(rig, { path: unixPath(path.dirname(file)) });
  await conforms(
    t,
    wire(
      rig,
      () => far,
      () => void far.socket.destroy(),
    ),
    65535,
  );
});

test('a stream port that connects by TCP conforms', async (t) => {
  const { server, far } = await listen({ port: 0, host: '127.0.0.1' });
  const rig = new Rig('vm1', VportType.STREAM, {
    remote: `tcp:127.0.0.1:${(server.address() as net.AddressInfo).port}`,
  });
  await rig.until(() => far() !== undefined, 'the connection');
  await conforms(
    t,
    wire(rig, far, () => void server.close(() => {})),
    65535,
  );
});

test('a stream port connects again after the other end went away, and comes up late', async (t) => {
  const file = unixPath(tmpDir(t));
  const rig = new Rig('vm1', VportType.STREAM, { path: file });
  t.false(rig.port.carrier);
  rig.send([udp(20)]);
  t.is(rig.vport.stats.txDropped, 1);
  const { server, far } = await listen({ path: file });
  await rig.until(() => rig.port.carrier, 'the link');
  far().socket.destroy();
  await rig.until(() => !rig.port.carrier, 'the loss of the link');
  t.not(rig.port.error, '');
  await rig.until(() => rig.port.carrier, 'the link again');
  far().send([udp(20)]);
  t.deepEqual(await rig.received(1), [hex(udp(20))]);
  rig.close();
  server.close();
});

test('a second connection is turned away, the first goes on', async (t) => {
  const dir = tmpDir(t);
  const rig = new Rig('vm1', VportType.STREAM, { listen: `unix:${path.join(dir, 's')}` });
  const first = await connect(rig, { path: unixPath(dir) });
  await rig.until(() => rig.port.carrier, 'the link');
  const second = await connect(rig, { path: unixPath(dir) });
  await rig.until(() => second.closed, 'the end of the second connection');
  first.send([udp(20)]);
  t.deepEqual(await rig.received(1), [hex(udp(20))]);
  first.socket.destroy();
  await rig.until(() => !rig.port.carrier, 'the loss of the link');
  const third = await connect(rig, { path: unixPath(dir) });
  await rig.until(() => rig.port.carrier, 'the link');
  third.socket.destroy();
  rig.close();
});

test('a frame length that cannot be ends the connection; a frame too short for Ethernet is counted', async (t) => {
  for (const [bytes, closes] of [
    [Buffer.from('00000000', 'hex'), true],
    [Buffer.from('00020000', 'hex'), true],
    [Buffer.from('474554202f', 'hex'), true],
    [Buffer.concat([Buffer.from('0000000d', 'hex'), Buffer.alloc(13)]), false],
  ] as const) {
    const dir = tmpDir(t);
    const rig = new Rig('vm1', VportType.STREAM, { listen: `unix:${path.join(dir, 's')}` });
    const far = await connect(rig, { path: unixPath(dir) });
    far.socket.write(bytes);
    await rig.until(() => rig.vport.stats.rxErrors === 1, 'the error');
    if (closes) await rig.until(() => far.closed, 'the end of the connection');
    else {
      far.send([udp(30)]);
      t.deepEqual(await rig.received(1), [hex(udp(30))]);
    }
    t.is(rig.vport.stats.rxPackets, closes ? 0 : 1);
    far.socket.destroy();
    rig.close();
  }
});

test('frames in pieces of any size are put together', async (t) => {
  const dir = tmpDir(t);
  const rig = new Rig('vm1', VportType.STREAM, { listen: `unix:${path.join(dir, 's')}` });
  const far = await connect(rig, { path: unixPath(dir) });
  const frames = [udp(18, 1), udp(1400, 2), udp(60, 3)];
  const bytes = Buffer.concat(
    frames.flatMap((frame) => [
      Buffer.from([0, 0, frame.length >> 8, frame.length & 0xff]),
      Buffer.from(frame),
    ]),
  );
  const chunks: Buffer[] = [];
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 501 || 3)
    chunks.push(bytes.subarray(at, at + size));
  for (const chunk of chunks) {
    far.socket.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.deepEqual(await rig.received(3), frames.map(hex));
  far.socket.destroy();
  rig.close();
});

test('what the other end does not read is dropped beyond a bound', async (t) => {
  const dir = tmpDir(t);
  const rig = new Rig('vm1', VportType.STREAM, { listen: `unix:${path.join(dir, 's')}` });
  const far = await connect(rig, { path: unixPath(dir) });
  await rig.until(() => rig.port.carrier, 'the link');
  far.socket.pause();
  const frames = Array.from({ length: 3000 }, (_, id) => udp(1400, id));
  rig.send(frames);
  const { txDropped } = rig.vport.stats;
  t.true(txDropped > 1000 && txDropped < 3000, `${txDropped} dropped`);
  far.socket.resume();
  await rig.until(() => far.frames.length === 3000 - txDropped, 'the rest');
  t.is(far.frames[0], hex(frames[0]!));
  far.socket.destroy();
  rig.close();
});

test('options must say exactly one place', (t) => {
  for (const options of [
    {},
    { listen: 'unix:a', remote: 'unix:b' },
    { listen: 'tcp:host' },
    { remote: 'tcp:host' },
    { remote: 'ssl:host:1' },
    { listen: 'nonsense' },
    { listen: 'unix:x', mac: '1' },
  ] as Record<string, string>[]) {
    t.throws(
      () => new Rig('vm1', VportType.STREAM, options),
      { message: 'errno 22' },
      JSON.stringify(options),
    );
  }
});

test('a port deleted while it begins to listen, and added again at once, listens', async (t) => {
  const dir = tmpDir(t);
  const options = { listen: `unix:${path.join(dir, 's')}` };
  const rig = new Rig('vm1', VportType.STREAM, options);
  let vport = rig.vport;
  for (let i = 0; i < 20; i++) {
    if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    vport.datapath.delVport(vport);
    vport = rig.add('vm1', VportType.STREAM, options);
  }
  const far = await connect(rig, { path: unixPath(dir) });
  rig.connect(vport.portNo, rig.recorder.vport!.portNo);
  far.send([udp(20)]);
  t.deepEqual(await rig.received(1), [hex(udp(20))]);
  far.socket.destroy();
  rig.close();
});

/** A connection to the port; it may take the port a moment to listen. */
async function connect(rig: Rig, where: { path: string }): Promise<Far> {
  let far: Far | undefined;
  const attempt = (): void => {
    const socket = net.connect(where);
    socket.once('connect', () => (far = new Far(socket)));
    socket.once('error', () => setTimeout(attempt, 10));
  };
  attempt();
  await rig.until(() => far !== undefined, 'the connection');
  return far!;
}
