import test from 'ava';
import { Act } from '@ovs-node/netlink/action-attrs';
import { decodeAttrs } from '@ovs-node/netlink/attr-table';
import {
  DP_ATTRS,
  DpCmd,
  FLOW_ATTRS,
  Family,
  FlowCmd,
  McGroup,
  PACKET_ATTRS,
  PacketCmd,
  VPORT_ATTRS,
  VportCmd,
} from '@ovs-node/netlink/families';
import { ATTRS_OFFSET, MsgReader, NlFlag, NlMsgType } from '@ovs-node/netlink/messages';
import { DeviceOp } from '@ovs-node/netlink/device';
import { completeMask, encodeKey, encodeMask, keyOf } from '@ovs-node/netlink/key';
import { type FlowKey, newKey, W } from '@ovs-node/flow/layout';
import { NlWriter } from '@ovs-node/netlink/attr';
import { MAX_NESTING } from '../../src/core/limits.js';
import { attrs, Bench } from './kit.js';

const UDP =
  '0242ac1100030242ac1100020800' +
  '4500002000010000401100000a0000010a000002'.replace('4011' + '0000', '401166ca') +
  '0035d431000c00000102030400000000';

test('a miss goes up, and the flow put for it forwards', (t) => {
  const b = new Bench();
  const dp = b.datapath('ovs-system');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2');
  b.receive(p1, UDP);
  const [upcall] = b.upcalls();
  const msg = new MsgReader(upcall);
  t.true(msg.next());
  t.is(msg.type, Family.PACKET);
  t.is(msg.cmd, PacketCmd.MISS);
  const up = decodeAttrs(PACKET_ATTRS, upcall, ATTRS_OFFSET);
  t.is(Buffer.from(up.PACKET!).toString('hex'), UDP);
  const ufid = Uint8Array.from({ length: 16 }, (_, i) => i);
  b.flow(
    dp,
    up.KEY!,
    null,
    attrs((w) => w.putU32(Act.OUTPUT, 2)),
    ufid,
  );
  t.is(p2.sent.length, 0);
  b.receive(p1, UDP);
  b.receive(p1, UDP);
  t.deepEqual(p2.take(), [UDP, UDP]);
  t.is(b.upcalls().length, 0);
  t.is(dp.flows.cacheHits, 1);
  t.is(dp.flows.hits, 2);
  const dumped = b.dump(b.message(Family.FLOW, FlowCmd.GET, dp.index, FLOW_ATTRS, {}, NlFlag.DUMP));
  t.is(dumped.length, 1);
  const flow = decodeAttrs(FLOW_ATTRS, dumped[0], ATTRS_OFFSET);
  t.deepEqual(flow.KEY, up.KEY);
  t.deepEqual(flow.UFID, ufid);
  t.is(new DataView(flow.STATS!.slice().buffer).getBigUint64(0, true), 2n);
  // Deleted: packets miss again, and the caches do not bring it back.
  b.transact(b.message(Family.FLOW, FlowCmd.DEL, dp.index, FLOW_ATTRS, { UFID: ufid }));
  b.receive(p1, UDP);
  t.is(b.upcalls().length, 1);
  t.is(p2.sent.length, 0);
});

test('tags of VLANs beyond the limit are payload, and with another limit all flows go', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2');
  const tagged = `${UDP.slice(0, 24)}88a800148100000a${UDP.slice(24)}`;
  const limit = (n: number) =>
    b.transact(b.message(Family.DATAPATH, DpCmd.SET, dp.index, DP_ATTRS, { VLAN_LIMIT: n }));
  const keyOfNext = (): FlowKey => {
    b.receive(p1, tagged);
    return keyOf(decodeAttrs(PACKET_ATTRS, b.upcalls()[0]!, ATTRS_OFFSET).KEY!);
  };
  const seen = (n: number): string[] => {
    limit(n);
    const key = keyOfNext();
    return [W.VLAN0, W.VLAN1, W.ETH_TYPE].map((word) => key[word]!.toString(16));
  };
  t.deepEqual(seen(0), ['0', '0', '88a80000']);
  t.deepEqual(seen(1), ['88a81014', '0', '81000000']);
  const key = keyOfNext();
  const mask = newKey();
  completeMask(key, mask);
  b.flow(
    dp,
    attrs((w) => encodeKey(w, key)),
    attrs((w) => encodeMask(w, key, mask)),
    attrs((w) => w.putU32(Act.OUTPUT, 2)),
  );
  const other = tagged.replace('8100000a', '8100000b');
  b.receive(p1, other);
  t.deepEqual(p2.take(), [other]);
  limit(1);
  t.is(dp.flows.size, 1);
  t.deepEqual(seen(2), ['88a81014', '8100100a', '8000000']);
  t.is(dp.flows.size, 0);
  t.throws(() => limit(3), { message: 'errno 22: 3 VLAN tags are more than can be parsed' });
});

test('an upcall is dropped and counted without handler, subscription or room', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2', 0);
  b.receive(p1, UDP);
  t.is(dp.drops.upcallLost, 1);
  b.receive(p2, UDP);
  t.is(dp.drops.noHandler, 1);
  b.subscribe();
  for (let i = 0; i < 5000; i++) b.receive(p1, UDP);
  t.true(b.handle.upcalls.lost > 0);
  t.is(dp.drops.upcallLost, 1 + b.handle.upcalls.lost);
  t.is(b.upcalls().length + b.handle.upcalls.lost, 5000);
});

test('pended reads complete when a packet comes', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  b.handle.op(DeviceOp.READ_PACKET, 42, new Uint8Array(0), b.now);
  t.is(b.completions.length, 0);
  b.receive(p1, UDP);
  t.is(b.completions.length, 1);
  t.is(b.completions[0].tag, 42);
});

test('a frame modified after an output was queued twice leaves the first intact', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2');
  const p3 = b.vport(dp, 'p3');
  b.receive(p1, UDP);
  const key = decodeAttrs(PACKET_ATTRS, b.upcalls()[0], ATTRS_OFFSET).KEY!;
  const actions = attrs((w) => {
    w.putU32(Act.OUTPUT, 2);
    w.putBytes(Act.PUSH_VLAN, Uint8Array.of(0x81, 0, 0x10, 0x64));
    w.putU32(Act.OUTPUT, 3);
    w.putFlag(Act.POP_VLAN);
    w.putU32(Act.OUTPUT, 2);
  });
  b.flow(dp, key, null, actions);
  b.receive(p1, UDP);
  t.deepEqual(p2.take(), [UDP, UDP]);
  t.deepEqual(p3.take(), [`${UDP.slice(0, 24)}81000064${UDP.slice(24)}`]);
});

test('ports: numbers, duplicates, events, deletion', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.join(McGroup.VPORT);
  const p1 = b.vport(dp, 'p1');
  t.is(p1.vport!.portNo, 1);
  t.throws(() => b.vport(dp, 'p1'), { message: /^errno 17/ });
  t.throws(() => b.vport(dp, 'bad1'), { message: /^errno 19/ });
  t.is(dp.portCount, 2);
  b.transact(b.message(Family.VPORT, VportCmd.DEL, dp.index, VPORT_ATTRS, { PORT_NO: 1 }));
  t.true(p1.closed);
  const events = new MsgReader(b.op(DeviceOp.READ_EVENT, new Uint8Array(0)).reply);
  t.true(events.next());
  t.is(events.cmd, VportCmd.NEW);
  t.true(events.next());
  t.is(events.cmd, VportCmd.DEL);
  t.throws(() => b.transact(b.message(Family.VPORT, VportCmd.DEL, dp.index, VPORT_ATTRS, { PORT_NO: 0 })), {
    message: /^errno 22/,
  });
  t.is(b.dump(b.message(Family.VPORT, VportCmd.GET, dp.index, VPORT_ATTRS, {}, NlFlag.DUMP)).length, 1);
});

test('several requests in one operation are answered in order; too many, or broken ones, do nothing', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  const del = (no: number): Uint8Array =>
    b.message(Family.VPORT, VportCmd.DEL, dp.index, VPORT_ATTRS, { PORT_NO: no });
  b.vport(dp, 'p1');
  b.vport(dp, 'p2');
  const both = b.op(DeviceOp.TRANSACT, Buffer.concat([del(1), del(7), del(2)]));
  const kinds: number[] = [];
  const msg = new MsgReader(both.reply);
  while (msg.next()) kinds.push(msg.type);
  t.deepEqual(kinds, [Family.VPORT, NlMsgType.ERROR, Family.VPORT]);
  t.is(dp.portCount, 1);
  b.vport(dp, 'p3');
  t.is(b.op(DeviceOp.TRANSACT, Buffer.concat([del(1), Uint8Array.of(1, 2, 3, 4)])).errno, 22);
  t.is(b.op(DeviceOp.TRANSACT, Buffer.concat(Array.from({ length: 1025 }, () => del(1)))).errno, 7);
  t.is(dp.portCount, 2);
  // By WRITE, what is no dump fails as an operation; a failed dump is read.
  t.is(b.op(DeviceOp.WRITE, del(1)).errno, 95);
  t.is(b.op(DeviceOp.READ, new Uint8Array(0)).errno, 22);
  const dump = b.message(Family.VPORT, VportCmd.GET, 99, VPORT_ATTRS, {}, NlFlag.DUMP);
  t.throws(() => b.dump(dump), { message: /^errno 19/ });
});

test('a packet comes back to the flow table six times, also by way of userspace, and no more', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2');
  const again = (id: number): Uint8Array =>
    attrs((w) => {
      w.putU32(Act.OUTPUT, 2);
      w.putU32(Act.RECIRC, id);
    });
  b.receive(p1, UDP);
  for (let round = 0; round <= 6; round++) {
    const up = decodeAttrs(PACKET_ATTRS, b.upcalls()[0], ATTRS_OFFSET);
    t.is(up.RECIRCS ?? 0, round);
    const values = { ...up, ACTIONS: again(round + 1) };
    b.flow(dp, up.KEY!, null, again(round + 1));
    b.transact(b.message(Family.PACKET, PacketCmd.EXECUTE, dp.index, PACKET_ATTRS, values));
  }
  t.deepEqual(b.upcalls(), []);
  t.is(dp.drops.recircLimit, 1);
  t.is(p2.take().length, 7);
  // With all flows there it is the same.
  b.receive(p1, UDP);
  t.is(p2.take().length, 7);
  t.is(dp.drops.recircLimit, 2);
  t.deepEqual(b.upcalls(), []);
});

test('lists in lists are as deep as they may be, whatever comes back out of them', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2');
  const nested = (w: NlWriter, depth: number, id: number): void => {
    if (depth > 0) w.nested(Act.CLONE, () => nested(w, depth - 1, id));
    else {
      w.putU32(Act.RECIRC, id);
      w.putU32(Act.OUTPUT, 2);
    }
  };
  b.receive(p1, UDP);
  for (let round = 0; round <= 6; round++) {
    const { KEY } = decodeAttrs(PACKET_ATTRS, b.upcalls()[0], ATTRS_OFFSET);
    b.flow(
      dp,
      KEY!,
      null,
      attrs((w) => nested(w, MAX_NESTING, round + 1)),
    );
    b.receive(p1, UDP);
    t.is(p2.take().length, round + 1);
  }
  t.is(dp.drops.recircLimit, 1);
});
