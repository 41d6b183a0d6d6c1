import fc from 'fast-check';
import test from 'ava';
import { DeviceOp } from '@ovs-node/netlink/device';
import { decodeAttrs } from '@ovs-node/netlink/attr-table';
import { Act } from '@ovs-node/netlink/action-attrs';
import { Family, FLOW_ATTRS, FlowCmd, PACKET_ATTRS, PacketCmd } from '@ovs-node/netlink/families';
import { ATTRS_OFFSET, MsgReader, NlMsgType } from '@ovs-node/netlink/messages';
import { attrs, Bench } from './kit.js';
import { tcp, udp } from './frames.js';

const TYPES = [...Object.values(Family), 0x100, 0x101, 0x102, 0x105, 16, 0, 65535];

/** A message whose headers are likely and whose attributes are anything. */
const attribute: fc.Arbitrary<number[]> = fc
  .tuple(
    fc.integer({ min: 0, max: 30 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.option(fc.integer({ min: 0, max: 70 })),
  )
  .map(([type, payload, lie]) => {
    const length = lie ?? payload.length + 4;
    const bytes = [length & 255, length >> 8, type, 0, ...payload];
    while (bytes.length % 4 !== 0) bytes.push(0);
    return bytes;
  });
const message = fc
  .tuple(
    fc.constantFrom(...TYPES),
    fc.constantFrom(1, 0x301, 0x405, 5, 0x0d),
    fc.integer({ min: 0, max: 8 }),
    fc.integer({ min: 0, max: 2 }),
    fc.array(attribute, { maxLength: 5 }),
    fc.option(fc.integer({ min: 0, max: 100 })),
  )
  .map(([type, flags, cmd, dp, list, lie]) => {
    const body = list.flat();
    const length = lie ?? 24 + body.length;
    return Uint8Array.from([
      length & 255,
      length >> 8,
      0,
      0,
      type & 255,
      type >> 8,
      flags & 255,
      flags >> 8,
      1,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      cmd,
      1,
      0,
      0,
      dp,
      0,
      0,
      0,
      ...body,
    ]);
  });

/** Every message of a reply must be one. */
function wellFormed(reply: Uint8Array): boolean {
  const msg = new MsgReader(reply);
  while (msg.next());
  return !msg.malformed;
}

test('whatever a client writes, it is answered or refused, and the datapath goes on', (t) => {
  const b = new Bench();
  b.vport(b.datapath('dp'), 'p1');
  const op = fc.constantFrom(DeviceOp.TRANSACT, DeviceOp.WRITE, 0x999);
  fc.assert(
    fc.property(fc.oneof(message, fc.uint8Array({ maxLength: 64 })), op, (request, code) => {
      const { errno, reply } = b.op(code, request);
      if (errno === 0 && !wellFormed(reply)) return false;
      const read = b.op(DeviceOp.READ, new Uint8Array(0));
      return read.errno !== 0 || wellFormed(read.reply);
    }),
    { numRuns: 5000 },
  );
  // The clients' deletions may have taken the first one: a new one works as ever.
  const again = b.datapath('again');
  b.subscribe();
  const q1 = b.vport(again, 'q1');
  b.upcalls();
  b.receive(q1, udp('10.0.0.1', '10.0.0.2', 1, 2));
  t.is(b.upcalls().length, 1);
});

test('flows and packets with any key and mask bits changed never throw', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const frames = [
    udp('10.0.0.1', '10.0.0.2', 1, 2),
    tcp({ src: 'fc00::1', dst: 'fc00::2', sport: 1, dport: 2, flags: 'S', seq: 1 }),
  ];
  const keys = frames.map((frame) => {
    b.receive(p1, frame);
    return decodeAttrs(PACKET_ATTRS, b.upcalls()[0], ATTRS_OFFSET).KEY!;
  });
  const actions = attrs((w) => w.putU32(Act.OUTPUT, 1));
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 });
  let accepted = 0;
  fc.assert(
    fc.property(fc.constantFrom(0, 1), changes, changes, (which, inKey, inMask) => {
      const key = keys[which].slice();
      const mask = keys[which].slice();
      for (const [at, value] of inKey) key[at % key.length] = value;
      for (const [at, value] of inMask) mask[at % mask.length] = value;
      const put = b.message(Family.FLOW, FlowCmd.NEW, dp.index, FLOW_ATTRS, {
        KEY: key,
        MASK: mask,
        ACTIONS: actions,
      });
      const exec = b.message(Family.PACKET, PacketCmd.EXECUTE, dp.index, PACKET_ATTRS, {
        KEY: key,
        PACKET: Buffer.from(frames[which], 'hex'),
        ACTIONS: actions,
      });
      for (const request of [put, exec]) {
        const { errno, reply } = b.op(DeviceOp.TRANSACT, request);
        const msg = new MsgReader(reply);
        if (errno !== 0 || !msg.next() || msg.type !== NlMsgType.ERROR) return false;
        if (new DataView(reply.buffer, reply.byteOffset).getInt32(16, true) === 0) accepted++;
      }
      for (const frame of frames) b.receive(p1, frame);
      b.upcalls();
      return true;
    }),
    { numRuns: 1000 },
  );
  t.true(accepted > 0);
});
