import test from 'ava';
import { OFPP } from '@ovs-node/flow/ports';
import { BUCKET } from '@ovs-node/openflow/messages/group-types';
import { METER, MF, type MeterConfig, type MeterMod } from '@ovs-node/openflow/messages/meter-types';
import { GROUP_ANY } from '@ovs-node/openflow/messages/types';
import { ofprotoCommands } from '../../src/ofproto/appctl.js';
import { bareBridge, Bench, flowLines, mod } from './bench.js';

const UDP =
  'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1000,dst=53)';

function meterMod(command: MeterMod['command'], meterId: number, more: Partial<MeterConfig> = {}): MeterMod {
  const bands = [{ type: 'drop', rate: 1, burstSize: 2, precLevel: 0 }] as const;
  return { command, meter: { meterId, flags: MF.PKTPS | MF.BURST, bands, ...more } };
}

test('packets beyond a meter’s rate are dropped in the datapath, and counted by meter and band', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  t.is(ofproto.meters.apply(meterMod('add', 7), clock.now()), undefined);
  mod(ofproto, 'add', 'in_port=1,actions=meter:7,output:2', clock.now());
  await bench.settle();
  for (let i = 0; i < 5; i++) await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 2 });
  clock.advance(1000);
  await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 3 });
  const [stats] = await ofproto.meters.stats(7, (id) => ofproto.tables.meterUsers(id), clock.now());
  t.deepEqual(
    [stats?.flowCount, stats?.packetInCount, stats?.bands[0]?.packetCount, stats?.durationSec],
    [1, 6n, 3n, 1],
  );
  await bench.close();
});

test('meters are listed in the order of a table that was bigger before', async (t) => {
  const bench = await Bench.open();
  const { meters } = bench.ofproto;
  for (let id = 1; id <= 18; id++) meters.apply(meterMod('add', id), 0);
  for (let id = 1; id <= 16; id++) if (id !== 7 && id !== 12) meters.apply(meterMod('delete', id), 0);
  const listed = (): number[] => meters.select(METER.ALL).map(({ meterId }) => meterId);
  t.deepEqual(listed(), [18, 17, 12, 7]);
  meters.apply(meterMod('add', 1), 0);
  t.deepEqual(listed(), [18, 17, 12, 1, 7]);
  await bench.close();
});

test('a changed meter counts anew; a deleted one takes its flows with it', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  ofproto.meters.apply(meterMod('add', 7), clock.now());
  mod(ofproto, 'add', 'in_port=1,actions=meter:7,output:2', clock.now());
  for (let i = 0; i < 5; i++) await bench.receive('p1', UDP);
  const bands = [{ type: 'drop', rate: 1000, burstSize: 1000, precLevel: 0 }] as const;
  t.is(ofproto.meters.apply(meterMod('modify', 7, { bands }), clock.now()), undefined);
  await bench.settle();
  for (let i = 0; i < 5; i++) await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 7 });
  ofproto.meters.apply(meterMod('delete', METER.ALL), clock.now());
  t.deepEqual(flowLines(ofproto), []);
  await bench.settle();
  t.deepEqual(await bench.dpif.meters.list(), []);
  await bench.close();
});

test('packets to controllers go by the meter that there was when their flow came', (t) => {
  const bridge = bareBridge();
  const meter = (command: MeterMod['command'], id: number): void => {
    t.is(bridge.meters.apply(meterMod(command, id), 0), undefined);
  };
  const send = (): void => mod(bridge, 'add', 'actions=clone(controller(meter_id=9))');
  const { handler } = ofprotoCommands({ backers: () => [bridge.backer], now: () => 0 }).find(
    (row) => row.name === 'ofproto/trace',
  )!;
  const meterUsed = (): string | undefined =>
    /meter\((\d+)\),userspace/.exec(handler(['br0', 'in_port=1']) as string)?.[1];
  send();
  meter('add', 1);
  meter('add', 9);
  t.is(meterUsed(), undefined, 'there was none');
  send();
  t.is(meterUsed(), '1');
  meter('delete', 9);
  t.is(meterUsed(), '1');
  meter('add', METER.CONTROLLER);
  meter('add', 9);
  t.is(meterUsed(), '1', 'which is another meter by now');
  send();
  t.is(meterUsed(), '2');
  meter('delete', 9);
  send();
  t.is(meterUsed(), '1', 'the one of all packets to controllers');
});

test('meter-mods that cannot be change nothing', async (t) => {
  const bench = await Bench.open();
  const { ofproto } = bench;
  const refused = (msg: MeterMod): string | undefined => ofproto.meters.apply(msg, 0)?.name;
  ofproto.meters.apply(meterMod('add', 1), 0);
  t.is(refused(meterMod('add', 1)), 'OFPMMFC_METER_EXISTS');
  t.is(refused(meterMod('modify', 2)), 'OFPMMFC_UNKNOWN_METER');
  t.is(refused(meterMod('add', 0)), 'OFPMMFC_INVALID_METER');
  t.is(refused(meterMod('add', METER.MAX + 1)), 'OFPMMFC_INVALID_METER');
  t.is(refused(meterMod('delete', 9)), undefined);
  const band = { type: 'drop', rate: 1, burstSize: 0, precLevel: 0 } as const;
  const nine = { bands: Array.from({ length: 9 }, () => band) };
  t.is(refused(meterMod('add', 0, nine)), 'OFPMMFC_INVALID_METER');
  for (const more of [{}, { flags: 0 }])
    for (const [command, id] of [['add', 3] as const, ['add', 1] as const, ['modify', 2] as const])
      t.is(refused(meterMod(command, id, { ...nine, ...more })), 'OFPMMFC_OUT_OF_BANDS', 'before all else');
  t.is(refused(meterMod('add', 3, { bands: [{ ...band, type: 'dscp_remark' }] })), 'OFPMMFC_BAD_BAND');
  t.is(refused(meterMod('add', 3, { flags: 0, bands: [] })), 'OFPMMFC_BAD_FLAGS', 'a unit comes first');
  const none = { flags: MF.KBPS | 0x8000, bands: [] };
  t.is(refused(meterMod('add', 3, none)), 'OFPMMFC_OUT_OF_BANDS', 'then bands, then other flags');
  t.is(refused(meterMod('add', 3, { ...none, bands: [{ ...band, rate: 0 }] })), 'OFPMMFC_BAD_RATE');
  t.is(refused(meterMod('add', 3, { ...none, bands: [band] })), 'OFPMMFC_BAD_FLAGS');
  t.is(refused(meterMod('add', METER.CONTROLLER)), undefined, 'the meter of packets to controllers');
  t.throws(() => mod(ofproto, 'add', 'actions=meter:99,output:1'), { message: 'OFPMMFC_INVALID_METER' });
  t.deepEqual(
    ofproto.meters.select(METER.ALL).map((each) => each.meterId),
    [1, METER.CONTROLLER],
  );
  await bench.close();
});

test('a select group spreads connections over its buckets by the datapath’s hash, each always to the same', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  const bucket = (bucketId: number, port: number) => ({
    weight: 1,
    watchPort: OFPP.ANY,
    watchGroup: GROUP_ANY,
    bucketId,
    actions: [{ type: 'output', port, maxLen: 0 }] as const,
  });
  ofproto.groupMod(
    {
      command: 'add',
      groupType: 'select',
      groupId: 1,
      commandBucketId: BUCKET.ALL,
      buckets: [bucket(0, 2), bucket(1, 3)],
      selection: undefined,
    },
    clock.now(),
  );
  mod(ofproto, 'add', 'in_port=1,actions=group:1', clock.now());
  // Ports of UDP do not count, those of TCP do.
  const tcp = (port: number): string =>
    UDP.replace('proto=17', 'proto=6')
      .replace(/udp\(src=\d+/, `tcp(src=${port}`)
      .concat(',tcp_flags(syn)');
  const connections = Array.from({ length: 64 }, (_, i) => tcp(1000 + i));
  for (const flow of connections) await bench.receive('p1', flow);
  const once = await bench.sent();
  t.is(once['p2']! + once['p3']!, 64);
  t.true(once['p2']! > 8 && once['p3']! > 8, 'both have a share');
  for (const flow of connections) await bench.receive('p1', flow);
  t.like(await bench.sent(), { p2: 2 * once['p2']!, p3: 2 * once['p3']! });
  await bench.revalidate();
  const group = ofproto.groups.get(1)!;
  t.is(group.packets, 128);
  t.deepEqual(
    group.counters.map((each) => each.packets),
    [2 * once['p2']!, 2 * once['p3']!],
  );
  await bench.close();
});
