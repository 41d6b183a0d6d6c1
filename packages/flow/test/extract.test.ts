import test from 'ava';
import fc from 'fast-check';
import { composePacket, formatPacketHex, parsePacketHex } from '../src/compose.js';
import { extractKey, newOffsets, OFS } from '../src/extract.js';
import { formatFlow, parseExactFlow } from '../src/flow-text.js';
import { newKey, W } from '../src/layout.js';
import { setLevels } from '@ovs-node/common/vlog';
import { fixture, textOrError } from './fixtures.js';

// Reading a 16-bit reserved port warns, as it should.
setLevels('ofp_port', null, 'off');

test('packets, damaged ones too, have the fields that the peer sees', (t) => {
  const key = newKey();
  const offsets = newOffsets();
  for (const [hex, flow] of fixture('packets.tsv')) {
    const bytes = Uint8Array.from(Buffer.from(hex!, 'hex'));
    key[W.IN_PORT] = 1;
    extractKey(bytes, 0, bytes.length, key, offsets);
    t.is(formatFlow(key), flow!, hex);
  }
});

test('a flow is read, refused and printed as ofproto/trace does', (t) => {
  const ports = {
    nameToNumber: (name: string) => ({ p1: 1, 'p-2': 2 })[name],
    numberToName: () => undefined,
  };
  for (const [text, expected] of fixture('flows.tsv')) {
    t.is(
      textOrError(() => formatFlow(parseExactFlow(text!, ports))),
      expected!,
      text,
    );
  }
});

test('composed packets are the peer’s, byte for byte, and have the flow they are made from', (t) => {
  for (const [text, hex] of fixture('compose.tsv')) {
    const key = parseExactFlow(text!);
    const packet = composePacket(key);
    t.is(formatPacketHex(packet), hex!, text);
  }
  const key = parseExactFlow(
    'in_port=3,tcp,dl_vlan=7,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_ttl=64,tcp_src=5,tcp_dst=80',
  );
  const again = newKey();
  again[W.IN_PORT] = 3;
  const packet = composePacket(key, { size: 200 });
  t.is(packet.length, 200);
  extractKey(packet, 0, packet.length, again, newOffsets());
  t.is(formatFlow(again), formatFlow(key));
});

test('no bytes make extraction throw, leave the frame, or depend on what the key held before', (t) => {
  const start = Buffer.from('020000000001020000000002', 'hex');
  const types = ['0800', '86dd', '0806', '8847', '894f', '8100', '88a8', '0005'].map((h) =>
    Buffer.from(h, 'hex'),
  );
  const used = newKey();
  const usedOffsets = newOffsets();
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.uint8Array({ maxLength: 120 }), (type, rest) => {
      const frame = Buffer.concat([start, type, rest]);
      const buf = new Uint8Array(frame.length + 64).fill(0xee);
      buf.set(frame, 32);
      const fresh = newKey();
      const offsets = newOffsets();
      extractKey(buf, 32, 32 + frame.length, fresh, offsets);
      extractKey(buf, 32, 32 + frame.length, used, usedOffsets);
      t.deepEqual(used, fresh);
      for (const slot of [OFS.L2_5, OFS.L3, OFS.L4, OFS.PAYLOAD, OFS.END]) {
        const at = offsets[slot]!;
        if (at !== -1 && (at < 32 || at > 32 + frame.length)) return false;
      }
      // The bytes around the frame must not matter.
      const clean = newKey();
      extractKey(Uint8Array.from(frame), 0, frame.length, clean, newOffsets());
      return clean.every((word, i) => word === fresh[i]);
    }),
    { numRuns: 3000 },
  );
});

test('packet text must be whole bytes of at least an Ethernet header', (t) => {
  t.throws(() => parsePacketHex('zz'), { message: 'Trailing garbage in packet data' });
  t.throws(() => parsePacketHex('0102'), { message: 'Packet data too short for Ethernet' });
  t.is(parsePacketHex('01 02 03 04 05 06 07 08 09 0a 0b 0c 0800').length, 14);
});
