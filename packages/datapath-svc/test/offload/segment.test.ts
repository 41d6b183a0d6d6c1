import test from 'ava';
import fc from 'fast-check';
import { PacketMeta } from '../../src/core/packet-meta.js';
import { sum16 } from '../../src/offload/checksum.js';
import { FrameFinisher } from '../../src/offload/finish.js';
import { hex, ones, tcp, udp } from '../ports/frames.js';

function finish(frame: Uint8Array, meta: PacketMeta): Uint8Array[] | null {
  const finisher = new FrameFinisher();
  if (!finisher.begin(frame, 0, frame.length, meta)) return null;
  const frames: Uint8Array[] = [];
  while (finisher.next()) frames.push(finisher.bytes.slice(finisher.start, finisher.end));
  return frames;
}

function gso(type: number, size: number): PacketMeta {
  const meta = new PacketMeta();
  meta.gsoType = type;
  meta.gsoSize = size;
  return meta;
}

test('sums agree with a slow sum, at every alignment', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(0xffff), fc.nat(5), (bytes, initial, skip) => {
      const start = Math.min(skip, bytes.length);
      return sum16(bytes, start, bytes.length, initial) === ones(bytes, start, bytes.length, initial);
    }),
  );
  t.is(
    sum16(new Uint8Array(65535).fill(0xff), 0, 65535, 0xffff),
    ones(new Uint8Array(65535).fill(0xff), 0, 65535, 0xffff),
  );
});

test('an ordinary frame passes through, where it lies', (t) => {
  const finisher = new FrameFinisher();
  const frame = udp(30);
  t.true(finisher.begin(frame, 0, frame.length, new PacketMeta()));
  t.true(finisher.next());
  t.is(finisher.bytes, frame);
  t.false(finisher.next());
});

for (const [name, v6, tag] of [
  ['IPv4', false, undefined],
  ['IPv6', true, undefined],
  ['IPv4 in a VLAN', false, 100],
  ['IPv6 in a VLAN', true, 100],
] as const) {
  test(`TCP over ${name}: segments hold the payload in order, with right headers`, (t) => {
    const size = 1000;
    const flags = 0x80 | 0x18 | 0x01;
    const giant = tcp(3500, flags, v6, tag);
    const before = hex(giant);
    const frames = finish(giant, gso(v6 ? 4 : 1, size))!;
    t.is(hex(giant), before, 'the giant is not written to');
    const l3 = tag === undefined ? 14 : 18;
    const l4 = l3 + (v6 ? 40 : 20);
    t.deepEqual(
      frames.map((frame) => frame.length - l4 - 20),
      [1000, 1000, 1000, 500],
    );
    t.is(frames.map((frame) => hex(frame.subarray(l4 + 20))).join(''), hex(giant.subarray(l4 + 20)));
    frames.forEach((frame, i) => {
      const view = new DataView(frame.buffer);
      const length = frame.length - l4;
      t.is(hex(frame.subarray(0, l3)), hex(giant.subarray(0, l3)));
      if (v6) t.is(view.getUint16(l3 + 4), length);
      else {
        t.is(view.getUint16(l3 + 2), 20 + length);
        t.is(view.getUint16(l3 + 4), (0xfffe + i) & 0xffff, 'identification counts up');
        t.is(ones(frame, l3, l3 + 20, 0), 0xffff, 'IP checksum');
      }
      t.is(view.getUint32(l4 + 4), (0xfffffff0 + i * size) >>> 0, 'sequence number, past the wrap');
      const last = i === frames.length - 1;
      t.is(frame[l4 + 13], 0x10 | (i === 0 ? 0x80 : 0) | (last ? 0x09 : 0), 'flags');
      const pseudo = ones(frame, l3 + (v6 ? 8 : 12), l3 + (v6 ? 40 : 20), 6 + length);
      t.is(ones(frame, l4, frame.length, pseudo), 0xffff, 'TCP checksum');
    });
  });
}

test('UDP: each segment is a datagram', (t) => {
  const frames = finish(udp(2500), gso(5, 1200))!;
  t.deepEqual(
    frames.map((frame) => frame.length - 42),
    [1200, 1200, 100],
  );
  for (const frame of frames) {
    const length = frame.length - 34;
    t.is(new DataView(frame.buffer).getUint16(38), length);
    t.is(ones(frame, 34, frame.length, ones(frame, 26, 34, 17 + length)), 0xffff);
    t.is(ones(frame, 14, 34, 0), 0xffff);
  }
});

test('what is not what its metadata says is refused', (t) => {
  t.is(finish(tcp(3000, 0x10), gso(5, 1000)), null, 'TCP as UDP');
  t.is(finish(tcp(3000, 0x10), gso(1, 0)), null, 'no segment size');
  t.is(finish(tcp(3000, 0x10), gso(3, 1000)), null, 'UFO');
  t.is(finish(tcp(3000, 0x10).subarray(0, 50), gso(1, 1000)), null, 'cut short');
  const meta = new PacketMeta();
  meta.csumStart = 60;
  meta.csumOffset = 16;
  t.is(finish(udp(20), meta), null, 'checksum past the end');
});

test('hostile frames never throw, and never loop', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.constantFrom(0, 1, 3, 4, 5, 0x81, 255),
      fc.integer({ min: 0, max: 70 }),
      fc.integer({ min: -1, max: 130 }),
      fc.nat(130),
      fc.constantFrom(0x0800, 0x86dd, 0x8100, 0),
      (bytes, type, size, start, offset, ethType) => {
        if (bytes.length >= 14 && ethType !== 0) {
          bytes[12] = ethType >> 8;
          bytes[13] = ethType & 0xff;
        }
        const meta = gso(type, size);
        meta.csumStart = start;
        meta.csumOffset = offset;
        const frames = finish(bytes, meta);
        return frames === null || frames.length <= bytes.length + 1;
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});
