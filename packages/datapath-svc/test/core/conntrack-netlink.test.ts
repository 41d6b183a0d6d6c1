import test from 'ava';
import { Act, CtAct } from '@ovs-node/netlink/action-attrs';
import { decodeAttrs } from '@ovs-node/netlink/attr-table';
import { CTA, CTA_STATS_GLOBAL, CtCmd, Ips, PeerTcpState } from '@ovs-node/netlink/conntrack-attrs';
import { type CtTuple, decodeConntrack, encodeTuple } from '@ovs-node/netlink/conntrack';
import { NlWriter } from '@ovs-node/netlink/attr';
import { McGroup, PACKET_ATTRS } from '@ovs-node/netlink/families';
import { ATTRS_OFFSET, ctMsgType, MsgReader, NlFlag } from '@ovs-node/netlink/messages';
import { DeviceOp } from '@ovs-node/netlink/device';
import { W } from '@ovs-node/flow/layout';
import { keyOf } from '@ovs-node/netlink/key';
import { attrs, Bench, type RecordingPort } from './kit.js';
import { tcp, udp } from './frames.js';

const commit = (zone: number, port: number): Uint8Array =>
  attrs((w) => {
    w.nested(Act.CT, () => {
      w.putFlag(CtAct.COMMIT);
      w.putU16(CtAct.ZONE, zone);
      w.putString(CtAct.HELPER, 'ftp');
    });
    w.putU32(Act.OUTPUT, port);
  });

/** A datapath that commits whatever comes in on p1 and p2, in zone 9 and with a helper, and passes it on. */
function firewall(b: Bench): { p1: RecordingPort; p2: RecordingPort } {
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2');
  for (const [port, out] of [
    [p1, 2],
    [p2, 1],
  ] as const) {
    b.receive(port, udp('10.0.0.1', '10.0.0.2', 1, 2));
    const key = decodeAttrs(PACKET_ATTRS, b.upcalls()[0], ATTRS_OFFSET).KEY!;
    const mask = attrs((w) => {
      w.putU32(3, 0xffffffff);
      w.putBe16(6, 0xffff);
    });
    b.flow(b.core.byName.get('dp')!, key, mask, commit(9, out));
  }
  return { p1, p2 };
}

test('dump, single look-up, events, delete by tuple, by zone, flush', (t) => {
  const b = new Bench();
  const { p1, p2 } = firewall(b);
  b.join(McGroup.CT_NEW);
  b.join(McGroup.CT_DESTROY);
  b.receive(p1, tcp({ src: '10.0.0.1', dst: '10.0.0.2', sport: 10, dport: 80, flags: 'S', seq: 1 }));
  b.receive(
    p2,
    tcp({ src: '10.0.0.2', dst: '10.0.0.1', sport: 80, dport: 10, flags: 'SA', seq: 100, ack: 2 }),
  );
  b.receive(p1, udp('10.0.0.1', '10.0.0.2', 5, 6));
  t.is(p2.sent.length, 2);
  const dump = b
    .dump(b.message(ctMsgType(CtCmd.GET), 0, 1, CTA, {}, NlFlag.DUMP))
    .map((m) => decodeConntrack(m, ATTRS_OFFSET));
  t.is(dump.length, 2);
  const [first] = dump;
  t.is(first.zone, 9);
  t.is(first.orig.sport, 10);
  t.is(first.helper, 'ftp');
  t.deepEqual(first.tcp!.peerStates, { orig: PeerTcpState.ESTABLISHED, reply: PeerTcpState.SYN_SENT });
  t.is(first.countersOrig!.packets, 1n);
  t.is(first.countersReply!.packets, 1n);
  t.is(first.status & Ips.SEEN_REPLY, Ips.SEEN_REPLY);
  t.is(b.dump(b.message(ctMsgType(CtCmd.GET), 0, 1, CTA, { ZONE: 8 }, NlFlag.DUMP)).length, 0);

  const stats = decodeAttrs(
    CTA_STATS_GLOBAL,
    b.transact(b.message(ctMsgType(CtCmd.GET_STATS), 0, 1, CTA, {})).bytes(),
    ATTRS_OFFSET,
  );
  t.is(stats.ENTRIES, 2);

  const tupleAttrs = (tuple: CtTuple): Uint8Array => {
    const w = new NlWriter();
    encodeTuple(w, CTA.TUPLE_ORIG.code, tuple);
    return w.bytes().slice(4);
  };
  const del = (zone: number): Uint8Array =>
    b.message(ctMsgType(CtCmd.DELETE), 0, 1, CTA, { TUPLE_ORIG: tupleAttrs(first.orig), ZONE: zone });
  t.throws(() => b.transact(del(8)), { message: /^errno 2:/ });
  b.transact(del(9));
  t.is(b.core.byIndex.get(1)!.conntrack.table.count, 1);
  b.transact(b.message(ctMsgType(CtCmd.DELETE), 0, 1, CTA, { ZONE: 3 }));
  t.is(b.core.byIndex.get(1)!.conntrack.table.count, 1);
  b.transact(b.message(ctMsgType(CtCmd.DELETE), 0, 1, CTA, {}));
  t.is(b.core.byIndex.get(1)!.conntrack.table.count, 0);

  const kinds: number[] = [];
  while (b.handle.events.length > 0) {
    const msg = new MsgReader(b.op(DeviceOp.READ_EVENT, new Uint8Array(0)).reply);
    while (msg.next()) kinds.push(msg.type);
  }
  const [made, gone] = [ctMsgType(CtCmd.NEW), ctMsgType(CtCmd.DELETE)];
  t.deepEqual(kinds, [made, made, gone, gone]);
});

test('recirculation looks up by ct_state; the miss tells it', (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  b.subscribe();
  const p1 = b.vport(dp, 'p1');
  const p2 = b.vport(dp, 'p2');
  const frame = udp('10.0.0.1', '10.0.0.2', 1, 2);
  b.receive(p1, frame);
  const key = decodeAttrs(PACKET_ATTRS, b.upcalls()[0], ATTRS_OFFSET).KEY!;
  const track = attrs((w) => {
    w.nested(Act.CT, () => w.putU16(CtAct.ZONE, 3));
    w.putU32(Act.RECIRC, 77);
  });
  b.flow(dp, key, null, track);
  b.receive(p1, frame);
  const again = decodeAttrs(PACKET_ATTRS, b.upcalls()[0], ATTRS_OFFSET).KEY!;
  const words = keyOf(again);
  t.is(words[W.RECIRC_ID], 77);
  t.is(words[W.CT_STATE], 0x21);
  t.is(words[W.CT_ZONE] >>> 16, 3);
  t.is(words[W.CT_NW_SRC], 0x0a000001);
  b.flow(dp, again, null, commit(3, 2));
  b.receive(p1, frame);
  t.deepEqual(p2.take(), [frame]);
  t.is(dp.conntrack.table.count, 1);
});
