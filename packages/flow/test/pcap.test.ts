import test from 'ava';
import { pcapHeader, pcapRecord, readPcap } from '../src/pcap.js';

test('what is written is read back, up to a record that is cut short', (t) => {
  const a = pcapRecord(Uint8Array.from([1, 2, 3]), 1700000000123.5);
  const b = pcapRecord(Uint8Array.from([4]), 1700000001000);
  const file = Buffer.concat([pcapHeader(), a, b]);
  t.deepEqual(
    readPcap(file).map((r) => [r.time, r.length, [...r.data]]),
    [
      [1700000000123.5, 3, [1, 2, 3]],
      [1700000001000, 1, [4]],
    ],
  );
  t.is(readPcap(file.subarray(0, file.length - 1)).length, 1);
});

test('a file that is no capture is refused', (t) => {
  t.throws(() => readPcap(new Uint8Array(24)), { message: 'not a pcap file: magic 0x00000000' });
  t.throws(() => readPcap(new Uint8Array(3)), { message: 'not a pcap file: 3 bytes' });
});

test('big-endian captures in nanoseconds are read', (t) => {
  const file = Buffer.from(
    'a1b23c4d0002000400000000000000000000ffff00000001' + '00000001000f4240000000020000000a0102',
    'hex',
  );
  t.deepEqual(
    readPcap(file).map((r) => [r.time, r.length, r.data.length]),
    [[1001, 10, 2]],
  );
});
