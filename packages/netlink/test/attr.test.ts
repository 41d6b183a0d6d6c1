import test from 'ava';
import fc from 'fast-check';
import { NetlinkError, NlReader, NlWriter } from '../src/attr.js';
import { type AttrValues, decodeAttrs, encodeAttrs } from '../src/attr-table.js';
import { VPORT_ATTRS } from '../src/families.js';
import {
  MsgReader,
  NlMsgType,
  beginMessage,
  ctMsgType,
  endMessage,
  isCtMsgType,
  putDone,
  putError,
  readError,
} from '../src/messages.js';

const hex = (w: NlWriter): string => Buffer.from(w.view()).toString('hex');

test('attributes have the layout of struct nlattr', (t) => {
  const w = new NlWriter(4);
  w.putU8(1, 0xab);
  w.putU16(2, 0x1234);
  w.putU32(3, 0x12345678);
  w.putU64(4, 0x1122334455667788n);
  w.putBe16(5, 0x1234);
  w.putBe32(6, 0x12345678);
  w.putString(7, 'ab');
  w.putFlag(8);
  w.nested(9, () => w.putU8(1, 1));
  t.is(
    hex(w),
    '05000100ab000000' +
      '0600020034120000' +
      '0800030078563412' +
      '0c0004008877665544332211' +
      '0600050012340000' +
      '0800060012345678' +
      '0700070061620000' +
      '04000800' +
      '0c0009000500010001000000',
  );
});

test('a payload that does not fit is refused', (t) => {
  const w = new NlWriter();
  t.is(t.throws(() => w.putBytes(1, new Uint8Array(65532)), { instanceOf: NetlinkError }).errno, 90);
  const mark = w.startNested(1);
  for (let i = 0; i < 9000; i++) w.putU32(1, i);
  t.throws(() => w.endNested(mark), { instanceOf: NetlinkError });
});

test('the reader stops where lengths leave the range', (t) => {
  for (const bad of ['03000100', '0900010000000000', '0800010000', '000000', '04000100ff']) {
    const r = new NlReader(new Uint8Array(Buffer.from(bad, 'hex')));
    while (r.next());
    t.true(r.malformed, bad);
  }
  const unpadded = new NlReader(new Uint8Array(Buffer.from('0800020001000000050001007f', 'hex')));
  t.true(unpadded.next());
  t.true(unpadded.next());
  t.is(unpadded.u8(), 0x7f);
  t.false(unpadded.next());
  t.false(unpadded.malformed, 'the last attribute may lack its padding');
});

test('the reader stays inside whatever it is given', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const r = new NlReader(bytes);
      let seen = 0;
      while (r.next()) {
        if (r.offset + r.length > bytes.length || r.length < 0) throw new Error('out of range');
        r.string();
        r.bytes();
        seen++;
      }
      return seen <= bytes.length / 4;
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('a table encodes and decodes its values', (t) => {
  const values: AttrValues<typeof VPORT_ATTRS> = {
    PORT_NO: 7,
    TYPE: 2,
    NAME: 'eth0',
    OPTIONS: Uint8Array.of(1, 2, 3, 4),
    UPCALL_PID: [5, 6],
    STATS: new Uint8Array(64).fill(9),
  };
  const w = new NlWriter();
  encodeAttrs(w, VPORT_ATTRS, values);
  t.deepEqual(decodeAttrs(VPORT_ATTRS, w.bytes()), values);
});

test('a table refuses bad lengths and skips what it does not know', (t) => {
  const w = new NlWriter();
  w.putU16(1, 7);
  t.throws(() => decodeAttrs(VPORT_ATTRS, w.bytes()), {
    message: 'netlink attribute PORT_NO has bad length 2',
  });
  w.reset().putU32(200, 1);
  t.deepEqual(decodeAttrs(VPORT_ATTRS, w.bytes()), {});
});

test('decoding random bytes by a table throws nothing but NetlinkError', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      try {
        decodeAttrs(VPORT_ATTRS, bytes);
      } catch (error) {
        if (!(error instanceof NetlinkError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('messages follow one another, with their headers', (t) => {
  const w = new NlWriter();
  const first = beginMessage(w, 20, 5, 77, 1234, 1, 1, 6);
  w.putU8(1, 9);
  endMessage(w, first);
  putError(w, w.bytes(), 19, 'no such thing');
  putDone(w, 77, 1234);
  const msg = new MsgReader(w.bytes());
  t.true(msg.next());
  t.deepEqual(
    [msg.type, msg.flags, msg.seq, msg.pid, msg.cmd, msg.version, msg.dpIfindex, msg.attrs],
    [20, 5, 77, 1234, 1, 1, 6, 24],
  );
  t.true(msg.next());
  t.is(msg.type, NlMsgType.ERROR);
  t.deepEqual(readError(msg), { errno: 19, text: 'no such thing' });
  t.true(msg.next());
  t.is(msg.type, NlMsgType.DONE);
  t.false(msg.next());
  t.false(msg.malformed);
  t.true(isCtMsgType(ctMsgType(2)));
  t.false(isCtMsgType(20));
});

test('the message reader stays inside whatever it is given', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      const msg = new MsgReader(bytes);
      while (msg.next()) {
        if (msg.end > bytes.length) throw new Error('out of range');
        try {
          readError(msg);
        } catch (error) {
          if (!(error instanceof NetlinkError)) throw error;
        }
      }
    }),
    { numRuns: 3000 },
  );
  t.pass();
});
