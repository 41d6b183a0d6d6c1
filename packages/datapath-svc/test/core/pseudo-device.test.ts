import test from 'ava';
import { FakeClock } from '@ovs-node/common/testkit/index';
import { DeviceError } from '@ovs-node/netlink/device';
import { Family, FLOW_ATTRS, FlowCmd, WIN_CONTROL_ATTRS, WinControlCmd } from '@ovs-node/netlink/families';
import { MsgReader, NlFlag, NlMsgType } from '@ovs-node/netlink/messages';
import { Act } from '@ovs-node/netlink/action-attrs';
import { DP_WORDS, W } from '@ovs-node/flow/layout';
import { Flow } from '../../src/core/flow-table/flow.js';
import { keyId } from '../../src/core/flow-table/flow-table.js';
import { compileActions } from '../../src/core/actions/compile.js';
import { createLocalDevice } from '../../src/core/pseudo-device.js';
import { udp } from './frames.js';
import { attrs, Bench } from './kit.js';

test('handles have PIDs of their own; reads pend; closing rejects what is pended', async (t) => {
  const b = new Bench();
  const device = createLocalDevice(b.core, new FakeClock());
  const one = await device.open();
  const two = await device.open();
  t.not(one.pid, two.pid);
  const pended = one.readPacket();
  let closed = 0;
  one.onClose(() => closed++);
  one.close();
  const error = await t.throwsAsync(pended, { instanceOf: DeviceError });
  t.is(error!.errno, 107);
  t.is(closed, 1);
  await t.throwsAsync(one.transact(new Uint8Array(24)), { instanceOf: DeviceError });
  await t.throwsAsync(two.read(), { instanceOf: DeviceError });
  two.close();
});

test('upcalls go to the handle of the port, through the promise', async (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  const device = createLocalDevice(b.core, new FakeClock());
  const handle = await device.open();
  const p1 = b.vport(dp, 'p1', handle.pid);
  await handle.write(
    b.message(Family.WIN_CONTROL, WinControlCmd.PACKET_SUBSCRIBE_REQ, 0, WIN_CONTROL_ATTRS, {
      PACKET_SUBSCRIBE: 1,
      PACKET_PID: handle.pid,
    }),
  );
  const read = handle.readPacket();
  b.receive(p1, udp('10.0.0.1', '10.0.0.2', 1, 2));
  b.receive(p1, udp('10.0.0.1', '10.0.0.2', 1, 3));
  const first = new MsgReader(await read);
  t.true(first.next());
  t.is(first.type, Family.PACKET);
  t.is(first.pid, handle.pid);
  const second = new MsgReader(await handle.readPacket());
  t.true(second.next());
  t.false(second.next());
  handle.close();
});

test('housekeeping runs while a handle is open, and expires connections', async (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  const clock = new FakeClock();
  const device = createLocalDevice(b.core, clock);
  const handle = await device.open();
  t.is(clock.pending, 1);
  const frame = Buffer.from(udp('10.0.0.1', '10.0.0.2', 1, 2), 'hex');
  const p = dp.context(0);
  const { PacketMeta } = await import('../../src/core/packet-meta.js');
  p.reset(frame, 0, frame.length, new PacketMeta(), 1);
  const commit = {
    commit: true,
    force: false,
    nat: false,
    zone: 0,
    helper: 0,
    markValue: 0,
    markMask: 0,
    label: null,
    labelMask: null,
  };
  b.core.now = clock.now();
  dp.track(p, commit);
  t.is(dp.conntrack.table.count, 1);
  clock.advance(59_000);
  t.is(dp.conntrack.table.count, 1);
  clock.advance(3000);
  t.is(dp.conntrack.table.count, 0);
  handle.close();
  t.is(clock.pending, 0);
});

test('a dump of many flows comes in parts, and survives changes on the way', async (t) => {
  const b = new Bench();
  const dp = b.datapath('dp');
  const actions = attrs((w) => w.putU32(Act.OUTPUT, 1));
  const mask = new Uint32Array(DP_WORDS);
  mask[W.NW_SRC] = 0xffffffff;
  for (let i = 0; i < 2000; i++) {
    const key = new Uint32Array(DP_WORDS);
    key[W.NW_SRC] = i;
    dp.flows.insert(new Flow(key, mask, null, keyId(key), actions, compileActions(actions, key)));
  }
  const device = createLocalDevice(b.core, new FakeClock());
  const handle = await device.open();
  await handle.write(b.message(Family.FLOW, FlowCmd.GET, dp.index, FLOW_ATTRS, {}, NlFlag.DUMP));
  let parts = 0;
  let flows = 0;
  for (let done = false; !done;) {
    const part = await handle.read();
    t.true(part.length < 70_000);
    if (++parts === 1) for (const flow of [...dp.flows.flows()].slice(-100)) dp.flows.remove(flow);
    const msg = new MsgReader(part);
    while (msg.next()) {
      if (msg.type === NlMsgType.DONE) done = true;
      else flows++;
    }
    t.false(msg.malformed);
  }
  t.true(parts > 2);
  t.is(flows, 1900);
  handle.close();
});
