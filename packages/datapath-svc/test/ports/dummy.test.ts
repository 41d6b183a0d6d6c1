import fs from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { tmpDir } from '@ovs-node/common/testkit/index';
import { VportType } from '@ovs-node/netlink/families';
import { PacketMeta } from '../../src/core/packet-meta.js';
import { findDummy } from '../../src/ports/dummy.js';
import { encodePortOptions } from '../../src/ports/options.js';
import { conforms } from './conformance.js';
import { hex, ones, tcp, udp } from './frames.js';
import { Rig } from './rig.js';

/** The frames in a pcap file, after its header; checks that it is one. */
function readPcap(file: string): string[] {
  const bytes = fs.readFileSync(file);
  if (bytes.readUInt32LE(0) !== 0xa1b2c3d4 || bytes.readUInt32LE(20) !== 1)
    throw new Error('not a capture file');
  const frames: string[] = [];
  for (let at = 24; at < bytes.length;) {
    const length = bytes.readUInt32LE(at + 8);
    frames.push(hex(bytes.subarray(at + 16, at + 16 + length)));
    at += 16 + length;
  }
  return frames;
}

test('a dummy port conforms', async (t) => {
  const file = path.join(tmpDir(t), 'tx.pcap');
  const rig = new Rig('p', VportType.DUMMY, { tx_pcap: file });
  let seen = 0;
  await conforms(
    t,
    {
      rig,
      send: (frames) => frames.forEach((frame) => findDummy(rig.loop, 'p')!.inject(frame)),
      receive: async (count) => {
        await rig.until(() => readPcap(file).length >= seen + count, 'frames in the capture');
        const frames = readPcap(file).slice(seen);
        seen += frames.length;
        return frames;
      },
      close: () => {},
    },
    1514,
  );
});

test('captures: one file for both directions, appended to; a file that cannot be opened is logged', (t) => {
  const dir = tmpDir(t);
  const file = path.join(dir, 'both.pcap');
  for (let i = 0; i < 2; i++) {
    const rig = new Rig('p', VportType.DUMMY, { pcap: file });
    findDummy(rig.loop, 'p')!.inject(udp(20, 1));
    rig.send([udp(20, 2)]);
    rig.close();
  }
  t.deepEqual(readPcap(file), [hex(udp(20, 1)), hex(udp(20, 2)), hex(udp(20, 1)), hex(udp(20, 2))]);
  const rig = new Rig('p', VportType.DUMMY, { tx_pcap: path.join(dir, 'no', 'such') });
  t.is(rig.log.length, 1);
  t.regex(rig.log[0]!, /^warn: p: .*no[/\\]such: could not open/);
  rig.close();
});

test('a port that is down sends and receives nevertheless', (t) => {
  const file = path.join(tmpDir(t), 'tx.pcap');
  const rig = new Rig('p', VportType.DUMMY, { tx_pcap: file });
  const port = findDummy(rig.loop, 'p')!;
  port.setUp(false);
  t.true(port.inject(udp(20, 1)));
  rig.send([udp(20, 2)]);
  t.is(rig.vport.stats.txDropped, 0);
  t.is(rig.vport.stats.rxPackets, 1);
  rig.close();
  t.deepEqual(readPcap(file), [hex(udp(20, 2))]);
});

test('unfinished checksums are finished in the capture', (t) => {
  const file = path.join(tmpDir(t), 'tx.pcap');
  const rig = new Rig('p', VportType.DUMMY, { tx_pcap: file });
  const meta = new PacketMeta();
  meta.csumStart = 34;
  meta.csumOffset = 16;
  rig.send([tcp(100, 0x10)], meta);
  rig.close();
  const sent = Buffer.from(readPcap(file)[0]!, 'hex');
  t.is(ones(sent, 34, sent.length, ones(sent, 26, 34, 6 + sent.length - 34)), 0xffff);
});

test('bad options are refused', (t) => {
  t.throws(() => new Rig('p', VportType.DUMMY, { mac: 'xyz' }), { message: 'errno 22' });
});

test('address and MTU can be changed while a port is in use, other options cannot', (t) => {
  const rig = new Rig('p', VportType.DUMMY, { mac: '02:00:00:00:00:41' });
  const set = (options: Record<string, string>): number =>
    rig.vport.provider.setOptions!(encodePortOptions(Object.entries(options)));
  t.is(hex(rig.port.mac), '020000000041');
  t.is(set({ mac: '02:00:00:00:00:42', mtu_request: '9000' }), 0);
  t.is(hex(rig.port.mac), '020000000042');
  t.is(rig.port.mtu, 9000);
  t.is(set({ mac: '02:00:00:00:00:43', tx_pcap: 'x' }), 95);
  t.is(set({ mac: 'x' }), 22);
  t.is(hex(rig.port.mac), '020000000042');
  rig.close();
});
