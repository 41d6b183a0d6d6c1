import fs from 'node:fs';
import type net from 'node:net';
import path from 'node:path';
import test from 'ava';
import { connectStream } from '@ovs-node/common/stream';
import { FakeClock, tmpDir } from '@ovs-node/common/testkit/index';
import { DeviceError } from '@ovs-node/netlink/device';
import { VportType } from '@ovs-node/netlink/families';
import { createInProcessDatapath } from '../../src/worker/in-process.js';
import { hex, udp } from '../ports/frames.js';
import { Client } from './client.js';

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : 'on the main thread';

  test(`a miss goes up, the flow put for it forwards: ${where}`, async (t) => {
    const capture = path.join(tmpDir(t), 'tx.pcap');
    const datapath = createInProcessDatapath({ worker, dummy: true });
    const client = await Client.open(datapath, 'dp');
    t.is(await client.port('p1', VportType.DUMMY), 1);
    t.is(await client.port('p2', VportType.DUMMY, { tx_pcap: capture }), 2);
    const waiting = client.upcall();
    await datapath.command('netdev-dummy/receive', ['p1', hex(udp(20))]);
    const { packet, key } = await waiting;
    t.is(packet, hex(udp(20)));
    await client.forward(key, 2);
    await datapath.command('netdev-dummy/receive', ['p1', hex(udp(20)), hex(udp(20))]);
    t.is(fs.statSync(capture).size, 24 + 2 * (16 + 62));
    const shown = await datapath.command('switch/show', []);
    t.regex(shown, /^ {2}dp\/p2: dummy, up\n {4}RX .*\n {4}TX packets:2 bytes:124 errors:0 dropped:0$/m);
    const coverage = await datapath.command('coverage/show', []);
    t.regex(coverage, /^Event coverage, avg rate over last: .*\n\d+ events never hit\n$/);
    t.is(
      await datapath.command('coverage/read-counter', ['drop_no_such']).catch(String),
      'Error: No such counter',
    );
    await datapath.close();
  });

  test(`errors reach the caller, and close ends everything: ${where}`, async (t) => {
    const datapath = createInProcessDatapath({ worker, dummy: true });
    const client = await Client.open(datapath, 'dp');
    await t.throwsAsync(client.port('nosuchdevice0', VportType.NETDEV), { message: 'errno 19' });
    await t.throwsAsync(client.port('s', VportType.STREAM), { message: 'errno 22' });
    await t.throwsAsync(datapath.command('netdev-dummy/receive', ['x', '00']), {
      message: 'no such dummy netdev',
    });
    await t.throwsAsync(datapath.command('no/such', []), { message: '"no/such" is not a valid command' });
    await t.throwsAsync(datapath.command('switch/port-create', []), {
      message: /requires at least 1 arguments/,
    });
    const pending = t.throwsAsync(client.handle.readPacket(), { instanceOf: DeviceError });
    let closed = 0;
    client.handle.onClose(() => closed++);
    await datapath.close();
    await pending;
    t.is(closed, 1);
    await t.throwsAsync(datapath.open(), { instanceOf: DeviceError });
  });

  test(`stream ports work: ${where}`, async (t) => {
    const dir = tmpDir(t);
    const datapath = createInProcessDatapath({ worker, dummy: true });
    const client = await Client.open(datapath, 'dp');
    await client.port('vm1', VportType.STREAM, { listen: `unix:${path.join(dir, 'a')}` });
    await client.port('vm2', VportType.STREAM, { listen: `unix:${path.join(dir, 'b')}` });
    const [a, b] = [await connected(path.join(dir, 'a')), await connected(path.join(dir, 'b'))];
    const prefix = Buffer.from([0, 0, 0, 62]);
    a.write(Buffer.concat([prefix, udp(20)]));
    const { packet, key } = await client.upcall();
    t.is(packet, hex(udp(20)));
    await client.forward(key, 2);
    const got = new Promise<Buffer>((resolve) => b.once('data', resolve));
    a.write(Buffer.concat([prefix, udp(20)]));
    t.deepEqual(await got, Buffer.concat([prefix, udp(20)]));
    // From the gear with events back to the blocking one.
    const closed = new Promise((resolve) => a.once('close', resolve));
    await client.delPort(1);
    await client.delPort(2);
    await closed;
    t.is(await client.port('p1', VportType.DUMMY), 1);
    await datapath.close();
  });
}

test('on the main thread, time is the clock that was given', async (t) => {
  const clock = new FakeClock();
  const datapath = createInProcessDatapath({ worker: false, clock });
  const client = await Client.open(datapath, 'dp');
  await client.port('p1', VportType.DUMMY);
  const before = clock.now();
  await datapath.command('netdev-dummy/receive', ['p1', hex(udp(20))]);
  t.is((await client.upcall()).packet, hex(udp(20)));
  t.is(clock.now(), before);
  await datapath.close();
});

/** A connection to a port that may only just be beginning to listen. */
async function connected(file: string): Promise<net.Socket> {
  for (;;) {
    try {
      return await connectStream(`unix:${file}`);
    } catch {
      await new Promise((done) => setImmediate(done));
    }
  }
}
