import path from 'node:path';
import test from 'ava';
import { FakeClock } from '@ovs-node/common/testkit/fake-clock';
import { tmpDir } from '@ovs-node/common/testkit/tmp';
import { createInProcessDatapath } from '@ovs-node/datapath-svc/worker/in-process';
import { PipeDevice } from '@ovs-node/netlink/pipe/client';
import { serveDevice } from '@ovs-node/netlink/pipe/server';
import { W } from '@ovs-node/flow/layout';
import { parseDpActions } from '@ovs-node/netlink/text/actions-parse';
import { parseDpKey } from '@ovs-node/netlink/text/key-parse';
import { DeviceProvider } from '../../src/dpif/dpif.js';
import { newUfid } from '../../src/dpif/flows.js';
import type { CtEvent, DpFlow, PortEvent, Upcall } from '../../src/dpif/provider.js';
import { makeRig, TRANSPORTS, tcpFrame, until } from './rig.js';

const codeOf = (error: unknown): string => (error as { code: string }).code;
const all = async (batches: AsyncIterable<DpFlow[]>): Promise<DpFlow[]> => {
  const list: DpFlow[] = [];
  for await (const batch of batches) list.push(...batch);
  return list;
};

for (const transport of TRANSPORTS) {
  test(`${transport}: datapaths are created, listed, opened and destroyed`, async (t) => {
    const { provider } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await provider.create('other');
    t.deepEqual(await provider.list(), ['br', 'other']);
    t.is((await provider.open('br')).index, dp.index);
    t.is(codeOf(await t.throwsAsync(provider.create('br'))), 'EEXIST');
    t.is(codeOf(await t.throwsAsync(provider.open('none'))), 'ENODEV');
    const stats = await dp.stats();
    t.is(stats.flows, 0);
    await dp.destroy();
    t.deepEqual(await provider.list(), ['other']);
  });

  test(`${transport}: ports are added, found, told of and deleted`, async (t) => {
    const { provider } = await makeRig(t, transport);
    const dp = await provider.create('br');
    const events: PortEvent[] = [];
    await dp.ports.watch((event) => events.push(event));
    const p1 = await dp.ports.add({ name: 'p1', type: 'dummy' });
    const p7 = await dp.ports.add({ name: 'p7', type: 'dummy', portNo: 7 });
    t.deepEqual([p1.portNo, p7.portNo], [1, 7]);
    t.is((await dp.ports.byName('p7')).portNo, 7);
    t.is((await dp.ports.get(1)).name, 'p1');
    t.deepEqual(
      (await dp.ports.dump()).map((p) => `${p.portNo} ${p.name} ${p.type}`),
      ['0 br internal', '1 p1 dummy', '7 p7 dummy'],
    );
    t.is(codeOf(await t.throwsAsync(dp.ports.add({ name: 'p1', type: 'dummy' }))), 'EEXIST');
    t.is(codeOf(await t.throwsAsync(dp.ports.add({ name: 'x', type: 'dummy', portNo: 7 }))), 'EBUSY');
    t.is(codeOf(await t.throwsAsync(dp.ports.add({ name: 'x', type: 'nonsense' }))), 'EAFNOSUPPORT');
    t.is((await dp.ports.netdev('p1')).mac.length, 6);
    await dp.ports.del(7);
    t.is(codeOf(await t.throwsAsync(dp.ports.byName('p7'))), 'ENODEV');
    await until(() => events.length === 3);
    t.deepEqual(
      events.map((e) => `${e.type} ${e.port.name}`),
      ['added p1', 'added p7', 'deleted p7'],
    );
  });

  test(`${transport}: flows are put, matched, aged, dumped and deleted`, async (t) => {
    const { provider, clock, receive } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await dp.ports.add({ name: 'p1', type: 'dummy' });
    await dp.ports.add({ name: 'p2', type: 'dummy' });
    const { key, mask } = parseDpKey('in_port(1),eth(),eth_type(0x0800),ipv4(proto=6,frag=no),tcp()');
    const actions = parseDpActions('2');
    const ufid = newUfid();
    await dp.flows.put({ key, mask, actions, ufid, mode: 'create' });
    t.is(codeOf(await t.throwsAsync(dp.flows.put({ key, mask, actions, ufid, mode: 'create' }))), 'EEXIST');
    await receive('p1', tcpFrame());
    clock.advance(1500);
    const [flow] = await all(dp.flows.dump());
    t.deepEqual(flow!.stats, { packets: 1, bytes: 54, idleMs: 1500, tcpFlags: 2 });
    t.deepEqual(flow!.actions, actions);
    t.deepEqual(flow!.ufid, ufid);
    const [terse] = await all(dp.flows.dump({ terse: true }));
    t.is(terse!.keyAttrs.length, 0);
    t.is(terse!.stats.packets, 1);
    t.is((await dp.ports.get(2)).stats.txPackets, 1);

    await dp.flows.put({ key, mask, actions: parseDpActions('drop'), ufid, mode: 'modify', clear: true });
    t.is((await dp.flows.get({ ufid })).actions.length, 0);
    t.is((await dp.flows.get({ ufid })).stats.packets, 0);
    t.is((await dp.flows.del({ ufid })).packets, 0);
    t.is(codeOf(await t.throwsAsync(dp.flows.get({ ufid }))), 'ENOENT');
    t.is(codeOf(await t.throwsAsync(dp.flows.put({ key, mask, actions, ufid, mode: 'modify' }))), 'ENOENT');
  });

  test(`${transport}: a batch of flow operations has an outcome for each`, async (t) => {
    const { provider } = await makeRig(t, transport);
    const dp = await provider.create('br');
    const flows = Array.from({ length: 300 }, (_, i) => {
      const { key, mask } = parseDpKey(`in_port(${i}),eth(),eth_type(0x0806),arp()`);
      return { key, mask, actions: new Uint8Array(0), ufid: newUfid(), mode: 'create' as const };
    });
    const outcomes = await dp.flows.putAll([...flows, flows[5]!]);
    t.is(outcomes.filter((o) => o.ok).length, 300);
    const last = outcomes.at(-1)!;
    t.is(!last.ok && codeOf(last.error), 'EEXIST');
    t.is((await all(dp.flows.dump())).length, 300);
    t.true((await dp.flows.delAll(flows.map(({ ufid }) => ({ ufid })))).every((o) => o.ok));
    await dp.flows.putAll(flows);
    await dp.flows.flush();
    t.is((await dp.stats()).flows, 0);
  });

  test(`${transport}: misses and userspace actions come up, with key and userdata`, async (t) => {
    const { provider, receive } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await dp.ports.add({ name: 'before', type: 'dummy', portNo: 1 });
    const upcalls: Upcall[] = [];
    await dp.packets.start((batch) => upcalls.push(...batch));
    await dp.ports.add({ name: 'after', type: 'dummy', portNo: 2 });
    await receive('before', tcpFrame());
    await receive('after', tcpFrame());
    await until(() => upcalls.length === 2);
    t.deepEqual(
      upcalls.map((u) => [u.type, u.key[W.IN_PORT], u.key[W.NW]! >>> 24, u.packet.length, u.length]),
      [
        ['miss', 1, 6, 54, 54],
        ['miss', 2, 6, 54, 54],
      ],
    );
    t.is(Buffer.from(upcalls[0]!.packet).toString('hex'), tcpFrame());

    upcalls.length = 0;
    const pid = dp.packets.pid(1);
    t.true(pid > 0);
    const { key, mask } = parseDpKey('in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)');
    await dp.flows.put({
      key,
      mask,
      actions: parseDpActions(`userspace(pid=${pid},userdata(0102030405060708),actions)`),
      mode: 'create',
    });
    await receive('before', tcpFrame());
    await until(() => upcalls.length === 1);
    t.is(upcalls.length, 1);
    t.is(upcalls[0]!.type, 'action');
    t.deepEqual([...upcalls[0]!.userdata], [1, 2, 3, 4, 5, 6, 7, 8]);
    t.truthy(upcalls[0]!.actions);
  });

  test(`${transport}: a packet is executed with the metadata of its key`, async (t) => {
    const { provider } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await dp.ports.add({ name: 'p1', type: 'dummy' });
    await dp.ports.add({ name: 'p2', type: 'dummy' });
    const upcalls: Upcall[] = [];
    await dp.packets.start((batch) => upcalls.push(...batch));
    const packet = new Uint8Array(Buffer.from(tcpFrame(), 'hex'));
    const { key } = parseDpKey(
      'in_port(1),eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=6,ttl=64,frag=no),tcp(src=1000,dst=80)',
    );
    await dp.packets.execute({ packet, key, actions: parseDpActions('2,push_vlan(vid=5,pcp=0),2') });
    const { stats } = await dp.ports.get(2);
    t.deepEqual([stats.txPackets, stats.txBytes], [2, 54 + 58]);
    // More than an attribute holds, and more than two.
    const many = Buffer.concat(Array.from({ length: 20_000 }, () => parseDpActions('2')));
    await dp.packets.execute({ packet, key, actions: new Uint8Array(many) });
    t.is((await dp.ports.get(2)).stats.txPackets, 20_002);
    const error = await t.throwsAsync(
      dp.packets.execute({ packet, key, actions: Uint8Array.of(8, 0, 99, 0, 1, 0, 0, 0) }),
    );
    t.is(codeOf(error), 'EINVAL');
  });

  test(`${transport}: a flow has as many actions as an attribute holds`, async (t) => {
    const { provider } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await dp.ports.add({ name: 'p1', type: 'dummy' });
    const { key, mask } = parseDpKey('in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)');
    const actions = new Uint8Array(Buffer.concat(Array.from({ length: 8191 }, () => parseDpActions('1'))));
    await dp.flows.put({ key, mask, actions, mode: 'create' });
    t.deepEqual(
      (await all(dp.flows.dump())).map((flow) => flow.actions.length),
      [65528],
    );
  });

  test(`${transport}: connections are dumped and flushed by zone and tuple`, async (t) => {
    const { provider, receive } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await dp.ports.add({ name: 'p1', type: 'dummy' });
    const { key, mask } = parseDpKey('in_port(1),eth(),eth_type(0x0800),ipv4(frag=no)');
    await dp.flows.put({ key, mask, actions: parseDpActions('ct(commit,zone=5)'), mode: 'create' });
    const events: CtEvent[] = [];
    await dp.conntrack.watch((event) => events.push(event));
    for (let port = 1; port <= 20; port++) await receive('p1', tcpFrame(2, 1000 + port));
    const count = async (zone?: number): Promise<number> => {
      let n = 0;
      for await (const batch of dp.conntrack.dump(zone)) n += batch.length;
      return n;
    };
    await until(() => events.length === 20);
    t.deepEqual([...new Set(events.map((e) => `${e.type} ${e.entry.zone}`))], ['new 5']);
    t.is((await dp.conntrack.stats()).connections, 20);
    t.is(await count(), 20);
    t.is(await count(5), 20);
    t.is(await count(6), 0);
    await dp.conntrack.flush({ zone: 5, orig: { proto: 6, sport: 1001 } });
    t.is(await count(), 19);
    await dp.conntrack.flush({ zone: 5, reply: { dport: 1002 } });
    t.is(await count(), 18);
    await dp.conntrack.flush({ orig: { proto: 17 } });
    t.is(await count(), 18, 'a protocol alone is something to ask for');
    await dp.conntrack.flush({ orig: { proto: 6, sport: 1003, dport: 0 }, reply: { proto: 6, sport: 0 } });
    t.is(await count(), 17, 'in all zones, and what is zero is not asked for');
    await dp.conntrack.flush({ zone: 6 });
    t.is(await count(), 17);
    await dp.conntrack.flush({ zone: 5 });
    t.is(await count(), 0);
    await until(() => events.length === 40);
    t.is(events.filter((e) => e.type === 'destroy').length, 20);
  });

  test(`${transport}: two dumps at once both run to their end`, async (t) => {
    const { provider } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await dp.flows.putAll(
      Array.from({ length: 2000 }, (_, i) => {
        const { key, mask } = parseDpKey(`in_port(${i}),eth(),eth_type(0x0806),arp()`);
        return { key, mask, actions: new Uint8Array(0), mode: 'create' as const };
      }),
    );
    const [a, b] = await Promise.all([all(dp.flows.dump()), all(dp.flows.dump())]);
    t.is(a.length, 2000);
    t.is(b.length, 2000);
    for await (const batch of dp.flows.dump()) {
      t.true(batch.length < 2000);
      break;
    }
    t.is((await all(dp.flows.dump())).length, 2000, 'a dump that was left does not disturb the next');
  });

  test(`${transport}: when the datapath goes away the dpif is dead and the provider says so`, async (t) => {
    const { provider, datapath } = await makeRig(t, transport);
    const dp = await provider.create('br');
    let lost = 0;
    provider.onDisconnected(() => lost++);
    await dp.packets.start(() => {});
    await datapath.close();
    await until(() => lost > 0);
    t.is(lost, 1);
    t.false(provider.connected);
    t.is(codeOf(await t.throwsAsync(dp.stats())), 'ENOTCONN');
    t.is(codeOf(await t.throwsAsync(provider.list())), 'ENOTCONN');
  });

  test(`${transport}: closing a dpif ends its upcalls but not the provider`, async (t) => {
    const { provider, receive } = await makeRig(t, transport);
    const dp = await provider.create('br');
    await dp.ports.add({ name: 'p1', type: 'dummy' });
    let n = 0;
    await dp.packets.start((batch) => (n += batch.length));
    dp.close();
    await receive('p1', tcpFrame());
    await provider.list();
    t.is(n, 0);
    t.true(provider.connected);
    t.deepEqual(await provider.list(), ['br']);
  });
}

test('a provider that was started connects again when the service is back', async (t) => {
  const clock = new FakeClock(0);
  const file = path.join(tmpDir(t), 'dp.sock');
  const provider = new DeviceProvider({ type: 'dummy', device: new PipeDevice(`unix:${file}`), clock });
  const seen: string[] = [];
  provider.onConnected(() => seen.push('connected'));
  provider.onDisconnected(() => seen.push('disconnected'));
  await provider.start();
  t.deepEqual(seen, [], 'nobody serves yet');
  for (let round = 1; round <= 2; round++) {
    const datapath = createInProcessDatapath({ worker: false, clock });
    const server = await serveDevice(datapath, `punix:${file}`);
    clock.advance(500);
    await until(() => provider.connected);
    const dp = await provider.create('br');
    await server.close();
    await until(() => !provider.connected);
    t.is(seen.join(' '), Array.from({ length: round }, () => 'connected disconnected').join(' '));
    t.true(dp.closed);
    t.is(codeOf(await t.throwsAsync(dp.stats())), 'ENOTCONN');
    await datapath.close();
  }
  provider.close();
  clock.advance(10_000);
  t.is(clock.pending, 0);
});
