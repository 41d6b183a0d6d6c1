/** Devices of the host: AF_PACKET and TAP. Needs root; makes veth pairs named `h8t…`, and removes them. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { needing, tmpDir } from '@ovs-node/common/testkit/index';
import { VportType } from '@ovs-node/netlink/families';
import { PacketMeta } from '../../src/core/packet-meta.js';
import { VportStats } from '../../src/core/vport.js';
import { encodePortOptions } from '../../src/ports/options.js';
import type { Port } from '../../src/ports/provider.js';
import { createInProcessDatapath } from '../../src/worker/in-process.js';
import { Client } from '../worker/client.js';
import { conforms, type Wire } from './conformance.js';
import { hex, ones, tcp, udp } from './frames.js';
import { Rig } from './rig.js';

let serial = 0;
const unique = (): string => `h8t${process.pid % 100000}${String.fromCharCode(97 + serial++)}`;

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Two connected devices, up and quiet (no IPv6, so nothing but the test's frames is on the wire). */
function veth(t: ExecutionContext, mtu = 1500): [string, string] {
  const pair: [string, string] = [unique(), unique()];
  ip('link', 'add', pair[0], 'type', 'veth', 'peer', 'name', pair[1]);
  t.teardown(() => {
    try {
      ip('link', 'del', pair[0]);
    } catch {
      // The test deleted it.
    }
  });
  for (const name of pair) {
    quiet(name);
    ip('link', 'set', name, 'mtu', String(mtu), 'up');
  }
  return pair;
}

function quiet(name: string): void {
  execFileSync('sysctl', ['-qw', `net.ipv6.conf.${name}.disable_ipv6=1`]);
}

/** The far end as a rig of its own, with a device port. */
function wireTo(rig: Rig, far: Rig): Wire {
  return {
    rig,
    send: (frames) => far.send(frames),
    receive: (count) => far.received(count),
    close: () => far.close(),
  };
}

const rootTest = needing(test, 'linux', 'root');

rootTest('a device port conforms', async (t) => {
  const [near, far] = veth(t);
  await conforms(t, wireTo(new Rig(near, VportType.NETDEV), new Rig(far, VportType.NETDEV)), 1514);
});

rootTest('a device port with jumbo frames, longer than a slot of the ring, conforms', async (t) => {
  const [near, far] = veth(t, 9000);
  const rig = new Rig(near, VportType.NETDEV);
  t.is(rig.port.mtu, 9000);
  await conforms(t, wireTo(rig, new Rig(far, VportType.NETDEV)), 9014);
});

rootTest('a TAP port conforms', async (t) => {
  const name = unique();
  const rig = new Rig(name, VportType.TAP, { mac: '02:11:22:33:44:55', mtu_request: '1400' });
  t.is(hex(rig.port.mac), '021122334455');
  t.is(rig.port.mtu, 1400);
  t.is(rig.port.flags, 0, 'down until somebody brings it up');
  rig.send([udp(20)]);
  t.is(rig.vport.stats.txDropped, 1);
  Object.assign(rig.vport.stats, new VportStats());
  quiet(name);
  ip('link', 'set', name, 'up');
  rig.port.refresh(0);
  await conforms(t, wireTo(rig, new Rig(name, VportType.NETDEV)), 1414);
  t.throws(() => ip('link', 'show', name), undefined, 'the device is gone with its port');
});

rootTest('a VLAN tag that the kernel strips is put back, and giants keep their offload state', async (t) => {
  const [near, far] = veth(t);
  const rig = new Rig(near, VportType.NETDEV);
  const other = new Rig(far, VportType.NETDEV);
  const tagged = Uint8Array.from([
    ...udp(100).subarray(0, 12),
    0x81,
    0,
    0x60,
    0x64,
    ...udp(100).subarray(12),
  ]);
  other.send([tagged]);
  t.deepEqual(await rig.received(1), [hex(tagged)]);

  for (const tag of [undefined, 0x0064]) {
    const giant = tcp(20000, 0x18, false, tag);
    const meta = new PacketMeta();
    meta.gsoType = 1;
    meta.gsoSize = 1448;
    meta.csumStart = tag === undefined ? 34 : 38;
    meta.csumOffset = 16;
    meta.hdrLen = meta.csumStart + 20;
    rig.recorder.metas.length = 0;
    other.send([giant], meta);
    t.deepEqual(await rig.received(1), [hex(giant)]);
    const got = rig.recorder.metas.at(-1)!;
    t.is(got.gsoType, 1);
    t.is(got.gsoSize, 1448);
    t.is(got.csumStart, meta.csumStart);
    t.is(got.csumOffset, 16);
  }
  rig.close();
  other.close();
});

rootTest('giants reach a TAP whole', async (t) => {
  const name = unique();
  const rig = new Rig(name, VportType.TAP);
  quiet(name);
  ip('link', 'set', name, 'up');
  const far = new Rig(name, VportType.NETDEV);
  const meta = new PacketMeta();
  meta.gsoType = 1;
  meta.gsoSize = 1000;
  meta.csumStart = 34;
  meta.csumOffset = 16;
  meta.hdrLen = 54;
  rig.send([tcp(5000, 0x18)], meta);
  const [frame] = await far.received(1);
  t.is(frame, hex(tcp(5000, 0x18)));
  t.is(far.recorder.metas.at(-1)!.gsoSize, 1000);
  rig.close();
  far.close();
});

rootTest('a device that goes away leaves its port down; one that comes back is taken up again', async (t) => {
  const [near, far] = veth(t);
  const rig = new Rig(near, VportType.NETDEV);
  await rig.until(() => rig.port.carrier, 'the link');
  ip('link', 'del', near);
  rig.loop.wait(0);
  rig.port.refresh(0);
  t.false(rig.port.carrier);
  t.is(rig.port.error, `${near}: No such device`);
  t.is(rig.port.ifindex, 0);
  rig.send([udp(20)]);
  t.is(rig.vport.stats.txDropped, 1);
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
  for (const name of [near, far]) {
    quiet(name);
    ip('link', 'set', name, 'up');
  }
  rig.port.refresh(0);
  t.is(rig.port.error, '');
  const other = new Rig(far, VportType.NETDEV);
  other.send([udp(20)]);
  t.deepEqual(await rig.received(1), [hex(udp(20))]);
  rig.close();
  other.close();
});

rootTest('a TAP that somebody deletes is made again', async (t) => {
  const name = unique();
  const rig = new Rig(name, VportType.TAP);
  ip('link', 'del', name);
  rig.port.refresh(0);
  t.is(rig.port.error, `${name}: No such device`);
  rig.port.refresh(0);
  t.is(rig.port.error, '');
  ip('link', 'show', name);
  rig.close();
});

rootTest('carrier and administrative state are seen', async (t) => {
  const [near, far] = veth(t);
  const rig = new Rig(near, VportType.NETDEV);
  ip('link', 'set', far, 'down');
  // The kernel may tell of a carrier later than of a flag.
  const noCarrier = (): boolean => {
    rig.port.refresh(0);
    return !rig.port.carrier;
  };
  await rig.until(noCarrier, 'the loss of the carrier');
  t.is(rig.port.flags, 3);
  ip('link', 'set', near, 'down');
  rig.port.refresh(0);
  t.is(rig.port.flags, 2);
  rig.send([udp(20)]);
  t.is(rig.vport.stats.txDropped, 1);
  rig.close();
});

rootTest('no such device, no Ethernet device, a name that cannot be, a TAP that is something else', (t) => {
  const [near] = veth(t);
  t.throws(() => new Rig('h8tnone', VportType.NETDEV), { message: 'errno 19' });
  t.throws(() => new Rig('a/b', VportType.NETDEV), { message: 'errno 19' });
  t.throws(() => new Rig('lo', VportType.NETDEV), { message: 'errno 22' });
  t.throws(() => new Rig('longer-than-fifteen', VportType.TAP), { message: 'errno 22' });
  t.throws(() => new Rig(near, VportType.TAP), { message: 'errno 22' });
  t.throws(() => new Rig('h8tx', VportType.TAP, { mtu_request: '12' }), { message: 'errno 22' });
});

rootTest('frames too long for the device are counted, and do not stop the ones after them', async (t) => {
  const [near, far] = veth(t);
  const rig = new Rig(near, VportType.NETDEV);
  const other = new Rig(far, VportType.NETDEV);
  rig.send([udp(20, 1), udp(4000, 2), udp(20, 3)]);
  t.deepEqual(await other.received(2), [hex(udp(20, 1)), hex(udp(20, 3))]);
  t.is(rig.vport.stats.txErrors, 1);
  rig.close();
  other.close();
});

rootTest('a giant from a device reaches a stream port in segments, with checksums', async (t) => {
  const [near, far] = veth(t);
  const rig = new Rig(near, VportType.NETDEV);
  const other = new Rig(far, VportType.NETDEV);
  const file = path.join(tmpDir(t), 's');
  const stream = rig.add('vm', VportType.STREAM, { listen: `unix:${file}` });
  await rig.until(() => fs.existsSync(file), 'the socket');
  const socket = net.connect(file);
  t.teardown(() => socket.destroy());
  await rig.until(() => (stream.provider as Port).carrier, 'the connection');
  // From the device to the stream, in place of the recorder.
  rig.connect(rig.vport.portNo, stream.portNo);
  let bytes = Buffer.alloc(0);
  socket.on('data', (chunk) => (bytes = Buffer.concat([bytes, chunk])));
  const meta = new PacketMeta();
  meta.gsoType = 1;
  meta.gsoSize = 1000;
  meta.csumStart = 34;
  meta.csumOffset = 16;
  meta.hdrLen = 54;
  other.send([tcp(2500, 0x18)], meta);
  await rig.until(() => bytes.length >= 2500 + 3 * 58, 'the segments');
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const frame = bytes.subarray(at + 4, at + 4 + length);
    lengths.push(length - 54);
    t.is(ones(frame, 34, length, ones(frame, 26, 34, 6 + length - 34)), 0xffff);
    at += 4 + length;
  }
  t.deepEqual(lengths, [1000, 1000, 500]);
  rig.close();
  other.close();
});

rootTest('a worker moves frames between devices, and goes on while stream ports come and go', async (t) => {
  const [a, farA] = veth(t);
  const [b, farB] = veth(t);
  const datapath = createInProcessDatapath({ worker: true, dummy: true });
  const client = await Client.open(datapath, 'dp');
  const ports = [await client.port(a, VportType.NETDEV), await client.port(b, VportType.NETDEV)];
  const [left, right] = [new Rig(farA, VportType.NETDEV), new Rig(farB, VportType.NETDEV)];
  left.send([udp(50)]);
  const { packet, key } = await client.upcall();
  t.is(packet, hex(udp(50)));
  await client.forward(key, ports[1]!);
  const burst = Array.from({ length: 500 }, () => udp(50));
  left.send(burst);
  t.deepEqual(await right.received(500), burst.map(hex));
  const stream = await client.port('s', VportType.STREAM, { listen: `unix:${path.join(tmpDir(t), 's')}` });
  left.send(burst);
  t.deepEqual(await right.received(500), burst.map(hex));
  await client.delPort(stream);
  left.send(burst);
  t.deepEqual(await right.received(500), burst.map(hex));
  left.close();
  right.close();
  await datapath.close();
});

rootTest('address and MTU can be changed while a port is in use', (t) => {
  const name = unique();
  const tap = new Rig(name, VportType.TAP);
  const set = (rig: Rig, options: Record<string, string>): number =>
    rig.vport.provider.setOptions!(encodePortOptions(Object.entries(options)));
  t.is(set(tap, { mac: '02:00:00:00:00:42', mtu_request: '1300' }), 0);
  t.is(hex(tap.port.mac), '020000000042');
  t.is(tap.port.mtu, 1300);
  t.is(fs.readFileSync(`/sys/class/net/${name}/address`, 'utf8'), '02:00:00:00:00:42\n');
  t.is(set(tap, { mac: '01:00:5e:00:00:01' }), 99, 'a group address');
  t.is(set(tap, { mtu_request: 'many' }), 22);
  t.is(tap.port.mtu, 1300);
  tap.close();
  const [near] = veth(t);
  const device = new Rig(near, VportType.NETDEV, { mtu_request: '1400' });
  t.is(device.port.mtu, 1400);
  t.is(set(device, { mtu_request: '1200' }), 0);
  t.is(fs.readFileSync(`/sys/class/net/${near}/mtu`, 'utf8'), '1200\n');
  device.close();
});
