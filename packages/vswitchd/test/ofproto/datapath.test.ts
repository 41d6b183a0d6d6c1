import test from 'ava';
import { composePacket } from '@ovs-node/flow/compose';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { formatMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import { keyOf } from '@ovs-node/netlink/key';
import { parseDpKey } from '@ovs-node/netlink/text/key-parse';
import { parseActions } from '@ovs-node/openflow/actions/text';
import type { OfError } from '@ovs-node/openflow/errors';
import {
  type Continuation,
  decodeContinuation,
  encodeContinuation,
} from '@ovs-node/openflow/messages/continuation';
import { NO_BUFFER } from '@ovs-node/openflow/messages/types';
import type { Rule } from '../../src/ofproto/rule.js';
import { resume } from '../../src/ofproto/resume.js';
import type { PacketInEvent } from '../../src/ofproto/types.js';
import { ofprotoCommands } from '../../src/ofproto/appctl.js';
import { Bench, flowLines, mod } from './bench.js';

const UDP =
  'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';

test('a missed packet is forwarded and leaves a megaflow; later packets are counted to the flow', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  mod(ofproto, 'add', 'priority=10,in_port=1,actions=2', clock.now());
  await bench.settle();
  await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p1: 0, p2: 1, p3: 0 });
  const flows = await bench.dpFlows();
  t.is(flows.length, 1);
  t.regex(flows[0]!, /in_port\(2\).*eth_type\(0x0800\).*packets:0 actions:3/);
  for (let i = 0; i < 3; i++) await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 4 });
  await bench.revalidate();
  t.deepEqual(flowLines(ofproto), ['table=0 n_packets=4 priority=10,in_port=1 actions=output:2']);
  await bench.close();
});

test('a changed flow table changes the megaflow, and an idle one goes', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  mod(ofproto, 'add', 'in_port=1,actions=2', clock.now());
  await bench.receive('p1', UDP);
  await bench.revalidate();
  mod(ofproto, 'add', 'in_port=1,actions=3', clock.now());
  await bench.revalidate();
  t.regex((await bench.dpFlows())[0]!, /actions:4$/);
  await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 1, p3: 1 });
  clock.advance(9000);
  await bench.revalidate();
  t.is((await bench.dpFlows()).length, 1);
  clock.advance(2000);
  await bench.revalidate();
  t.deepEqual(await bench.dpFlows(), []);
  t.is(bench.udpif.ukeys.size, 0);
  await bench.close();
});

test('a megaflow may be idle for as long as the database says', async (t) => {
  let maxIdleMs: number | undefined = 2000;
  const bench = await Bench.open(3, () => maxIdleMs);
  const { ofproto, clock } = bench;
  mod(ofproto, 'add', 'in_port=1,actions=2', clock.now());
  for (const left of [0, 1]) {
    await bench.receive('p1', UDP);
    clock.advance(3000);
    await bench.revalidate();
    t.is((await bench.dpFlows()).length, left);
    maxIdleMs = undefined;
  }
  await bench.close();
});

test('all else has its turn while thousands of datapath flows are looked at, or removed', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock, udpif } = bench;
  const move = 'move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15]';
  mod(ofproto, 'add', `udp,actions=${move},2`, clock.now());
  for (let port = 0; port < 4000; port++)
    await bench.datapath.command('netdev-dummy/receive', ['p1', UDP.replace('src=1,', `src=${port},`)]);
  await bench.settle();
  t.is(udpif.ukeys.size, 4000);
  /** Turns that others have while something is done. */
  const turnsOf = async (work: Promise<void>): Promise<number> => {
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns++;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await work;
    isOver = true;
    return turns;
  };
  mod(ofproto, 'add', `udp,actions=${move},3`, clock.now());
  const [looked, removed] = [await turnsOf(udpif.wait()), await turnsOf(udpif.purge())];
  t.true(looked >= 2 && removed >= 7, `turns: ${looked}, ${removed}`);
  t.is(udpif.ukeys.size, 0);
  t.deepEqual(await bench.dpFlows(), []);
  t.deepEqual(
    flowLines(ofproto).map((line) => /n_packets=\d+/.exec(line)?.[0]),
    ['n_packets=4000'],
  );
  await bench.close();
});

for (const [type, flows] of [
  ['system', 2],
  // There the number of the VLAN counts, too.
  ['dummy', 3],
] as const)
  test(`${type}: packets with and without a tag have megaflows of their own where nobody asks for tags`, async (t) => {
    const bench = await Bench.open(3, undefined, type);
    mod(bench.ofproto, 'add', 'ip,actions=2', bench.clock.now());
    const [frame, network] = UDP.split('eth_type(0x0800)');
    const tagged = (vid: number): string =>
      `${frame}eth_type(0x8100),vlan(vid=${vid},pcp=0),encap(eth_type(0x0800)${network})`;
    for (let round = 0; round < 2; round++)
      for (const packet of [UDP, tagged(5), tagged(6)]) await bench.receive('p1', packet);
    t.like(await bench.sent(), { p2: 6 });
    const seen = await bench.dpFlows();
    t.is(seen.length, flows);
    t.true(seen.every((flow) => !flow.includes('packets:0 ')));
    await bench.close();
  });

test('NORMAL learns: what was flooded goes to one port once its station was heard', async (t) => {
  const bench = await Bench.open();
  mod(bench.ofproto, 'add', 'actions=NORMAL', bench.clock.now());
  const a = 'in_port(1),eth(src=50:54:00:00:00:0a,dst=50:54:00:00:00:0b),eth_type(0x1234)';
  const b = 'in_port(2),eth(src=50:54:00:00:00:0b,dst=50:54:00:00:00:0a),eth_type(0x1234)';
  await bench.receive('p1', a);
  t.like(await bench.sent(), { br0: 1, p1: 0, p2: 1, p3: 1 });
  await bench.receive('p2', b);
  t.like(await bench.sent(), { p1: 1, p3: 1 });
  await bench.revalidate();
  await bench.receive('p1', a);
  t.like(await bench.sent(), { p1: 1, p2: 2, p3: 1 });
  await bench.close();
});

test('controller actions give packet-ins with the metadata of the pipeline', async (t) => {
  const bench = await Bench.open();
  const events: PacketInEvent[] = [];
  bench.ofproto.events = { onPacketIn: (event) => void events.push(event), onFlowRemoved: () => undefined };
  mod(
    bench.ofproto,
    'add',
    'cookie=0x55,in_port=1,actions=load:0x7->NXM_NX_REG3[],controller(max_len=20,id=3)',
    bench.clock.now(),
  );
  await bench.receive('p1', UDP);
  t.is(events.length, 1);
  const [{ packetIn, maxLen, controllerId }] = events as [PacketInEvent];
  t.is(packetIn.packet.length, packetIn.totalLen);
  t.is(packetIn.cookie, 0x55n);
  t.is(packetIn.tableId, 0);
  t.is(maxLen, 20);
  t.is(controllerId, 3);
  t.is(packetIn.match.key[0], 1);
  t.is(packetIn.match.key[79 + 3], 7);
  await bench.close();
});

test('addresses of a tunnel are told as a whole', async (t) => {
  const bench = await Bench.open();
  const events: PacketInEvent[] = [];
  bench.ofproto.events = { onPacketIn: (event) => void events.push(event), onFlowRemoved: () => undefined };
  const tunnel = 'set_field:fe80::1->tun_ipv6_dst,set_field:7->tun_gbp_id';
  mod(bench.ofproto, 'add', `in_port=1,actions=${tunnel},controller`, bench.clock.now());
  await bench.receive('p1', UDP);
  t.is(formatMatch(events[0]!.packetIn.match), 'tun_ipv6_dst=fe80::1,tun_gbp_id=7,in_port=1');
  await bench.close();
});

test('of connection tracking a packet-in tells in the table that it sends to', async (t) => {
  const bench = await Bench.open();
  const events: PacketInEvent[] = [];
  bench.ofproto.events = { onPacketIn: (event) => void events.push(event), onFlowRemoved: () => undefined };
  mod(bench.ofproto, 'add', 'udp,actions=ct(commit,table=1),controller', bench.clock.now());
  mod(bench.ofproto, 'add', 'table=1,actions=controller', bench.clock.now());
  await bench.receive('p1', UDP);
  t.deepEqual(
    events.map(({ packetIn }) => packetIn.tableId + formatMatch(packetIn.match)),
    [
      '0in_port=1',
      '1ct_state=new|trk,ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=17,ct_tp_src=1,ct_tp_dst=2,ip,in_port=1',
    ],
  );
  await bench.close();
});

test('a packet that is traced goes through the datapath, but to no port', async (t) => {
  const bench = await Bench.open();
  const { ofproto, backer, clock } = bench;
  const events: PacketInEvent[] = [];
  ofproto.events = { onPacketIn: (event) => void events.push(event), onFlowRemoved: () => undefined };
  mod(ofproto, 'add', 'udp,in_port=1,actions=clone(ct(commit),2),controller(id=3),ct(table=1)', clock.now());
  mod(ofproto, 'add', 'table=1,actions=controller(id=4),3', clock.now());
  const trace = ofprotoCommands({ backers: () => [backer], now: () => clock.now() }).find(
    ({ name }) => name === 'ofproto/trace',
  )!;
  void trace.handler(['br0', 'in_port=1,udp', '-generate']);
  await bench.settle();
  t.deepEqual(
    events.map(({ controllerId }) => controllerId),
    [3, 4],
    'the second comes back from connection tracking',
  );
  t.is(events[1]!.packetIn.match.mask[W.CT_STATE], 0, 'of which only the trace knows');
  t.deepEqual(await bench.sent(), { br0: 0, p1: 0, p2: 0, p3: 0 });
  t.deepEqual(await bench.dpFlows(), []);
  void trace.handler(['br0', 'in_port=1,udp']);
  await bench.settle();
  t.is(events.length, 2, 'without a packet nothing happens');
  mod(ofproto, 'add', 'in_port=2,actions=controller(id=5)', clock.now());
  void trace.handler(['br0', 'in_port=2', '-generate']);
  await bench.settle();
  t.is(events[2]?.controllerId, 5, 'nor does a packet need a type');
  await bench.close();
});

test('a paused packet goes on where it was when it comes back, changed as the controller likes', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  const events: PacketInEvent[] = [];
  ofproto.events = { onPacketIn: (event) => void events.push(event), onFlowRemoved: () => undefined };
  const flow = (text: string): void => mod(ofproto, 'add', text, clock.now());
  flow('cookie=5,in_port=1,actions=load:2->NXM_NX_REG0[],resubmit(,4),output:NXM_NX_REG0[]');
  flow(
    'table=4,cookie=6,actions=push:NXM_NX_REG0[],controller(pause,userdata=01.02),pop:NXM_NX_REG1[],clear_actions,write_actions(output:3)',
  );
  await bench.receive('p1', UDP);
  t.deepEqual(await bench.sent(), { br0: 0, p1: 0, p2: 0, p3: 0 });
  const [{ packetIn, continuation }] = events as [PacketInEvent];
  t.like(packetIn, { cookie: 5n, tableId: 0, userdata: Uint8Array.from([1, 2]) });
  t.is(packetIn.match.key[W.REG], 2);
  t.deepEqual(continuation?.stack, [{ value: 2n, bytes: 4 }]);
  t.deepEqual(
    continuation?.actions.map((each) => each.type),
    ['pop', 'clear_actions', 'write_actions', 'unroll_xlate', 'output_reg'],
  );
  const bytes = encodeContinuation(continuation!, 4);
  const back = decodeContinuation(bytes, 4) as Continuation;
  t.is(resume(ofproto, packetIn, back, clock.now()), undefined);
  await bench.settle();
  t.like(await bench.sent(), { p2: 1, p3: 1 });
  const { match } = packetIn;
  const metadata = new Match(Uint32Array.from(match.key), Uint32Array.from(match.mask));
  metadata.key[W.REG] = 3;
  t.is(resume(ofproto, { ...packetIn, match: metadata }, back, clock.now()), undefined);
  await bench.settle();
  t.like(await bench.sent(), { p2: 1, p3: 3 });
  const stale = { ...back, bridge: new Uint8Array(16) };
  t.is(resume(ofproto, packetIn, stale, clock.now())?.name, 'NXR_STALE');
  await bench.close();
});

test('a packet goes through connection tracking and comes back to the next table', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  mod(ofproto, 'add', 'table=0,ip,actions=ct(table=1)', clock.now());
  mod(ofproto, 'add', 'table=1,ct_state=+trk+new,ip,in_port=1,actions=ct(commit),2', clock.now());
  mod(ofproto, 'add', 'table=1,ct_state=+trk+est,ip,actions=NORMAL', clock.now());
  await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 1 });
  const reply = UDP.replace('in_port(1)', 'in_port(2)')
    .replace('src=50:54:00:00:00:01,dst=50:54:00:00:00:02', 'src=50:54:00:00:00:02,dst=50:54:00:00:00:01')
    .replace('src=10.0.0.1,dst=10.0.0.2', 'src=10.0.0.2,dst=10.0.0.1')
    .replace('udp(src=1,dst=2)', 'udp(src=2,dst=1)');
  await bench.receive('p2', reply);
  t.like(await bench.sent(), { p1: 1, p3: 1 });
  await bench.revalidate();
  t.deepEqual(flowLines(ofproto), [
    'table=0 n_packets=2 priority=32768,ip actions=ct(table=1)',
    'table=1 n_packets=1 priority=32768,ct_state=+new+trk,ip,in_port=1 actions=ct(commit),output:2',
    'table=1 n_packets=1 priority=32768,ct_state=+est+trk,ip actions=NORMAL',
  ]);
  await bench.close();
});

test('flows of an earlier run are removed', async (t) => {
  const bench = await Bench.open();
  const { dpif } = bench;
  mod(bench.ofproto, 'add', 'in_port=1,actions=2', bench.clock.now());
  await bench.receive('p1', UDP);
  t.is((await bench.dpFlows()).length, 1);
  bench.udpif.detach();
  t.is((await bench.dpFlows()).length, 1);
  bench.backer.dpif = dpif;
  await bench.udpif.revalidator.run(dpif, () => bench.clock.now());
  t.deepEqual(await bench.dpFlows(), []);
  await bench.close();
});

test('learn adds a flow for the first packet, and later packets keep it', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  mod(
    ofproto,
    'add',
    'table=0,actions=learn(table=1,hard_timeout=20,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[]),resubmit(,1)',
    clock.now(),
  );
  await bench.receive('p1', UDP);
  const learned = (): string[] => flowLines(ofproto).filter((line) => line.startsWith('table=1'));
  t.deepEqual(learned(), ['table=1 n_packets=0 priority=32768,dl_dst=50:54:00:00:00:01 actions=output:1']);
  await bench.revalidate();
  clock.advance(15_000);
  await bench.receive('p1', UDP);
  await bench.revalidate();
  clock.advance(10_000);
  ofproto.runExpiry(clock.now());
  t.is(learned().length, 1);
  clock.advance(15_000);
  ofproto.runExpiry(clock.now());
  t.deepEqual(learned(), []);
  await bench.close();
});

test('what the first packet of a datapath flow teaches holds for the next', async (t) => {
  const bench = await Bench.open();
  const learn = 'learn(table=0,priority=1,NXM_OF_ETH_SRC[],output:NXM_NX_REG0[0..15])';
  mod(
    bench.ofproto,
    'add',
    `priority=0,actions=load:3->NXM_NX_REG0[0..15],${learn},output:2`,
    bench.clock.now(),
  );
  await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 1, p3: 0 });
  await bench.revalidate();
  await bench.receive('p1', UDP);
  t.like(await bench.sent(), { p2: 1, p3: 1 });
  await bench.close();
});

test('learn tells the flow whether there was room for one more', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  const learn = 'learn(table=1,limit=2,cookie=9,result_dst=NXM_NX_REG0[0],NXM_OF_ETH_SRC[])';
  mod(ofproto, 'add', `table=0,actions=${learn},load:1->NXM_NX_REG0[1],output:NXM_NX_REG0[]`, clock.now());
  const from = (n: number): Promise<void> => bench.receive('p1', UDP.replace('00:01', `00:0${n}`));
  for (const n of [1, 2, 3]) await from(n);
  t.like(await bench.sent(), { p2: 1, p3: 2 });
  t.is(ofproto.tables.table(1).classifier.size, 2);
  await bench.revalidate();
  t.is((await bench.dpFlows()).length, 3);
  mod(ofproto, 'delete', 'table=1', clock.now());
  await bench.revalidate();
  t.is((await bench.dpFlows()).length, 0, 'only a packet can tell whether there is room now');
  await from(3);
  t.like(await bench.sent(), { p2: 1, p3: 3 });
  await bench.close();
});

test('fin_timeout shortens the timeouts of a flow once its connection has ended', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  const TCP = UDP.replace('proto=17', 'proto=6').replace('udp(src=1,dst=2)', 'tcp(src=1,dst=2),tcp_flags(');
  const flow = 'tcp,idle_timeout=60,actions=fin_timeout(idle_timeout=10,hard_timeout=20),2';
  mod(ofproto, 'add', flow, clock.now());
  const [rule] = ofproto.tables.all().filter((each) => each.tableId === 0) as [Rule];
  const timeouts = (): number[] => [rule.idleTimeout, rule.hardTimeout];
  await bench.receive('p1', `${TCP}0x002)`);
  t.deepEqual(timeouts(), [60, 0]);
  await bench.receive('p1', `${TCP}0x011)`);
  await bench.revalidate();
  t.deepEqual(timeouts(), [10, 20]);
  clock.advance(11_000);
  ofproto.runExpiry(clock.now());
  t.deepEqual(flowLines(ofproto), []);
  // The first packet of a megaflow counts as well.
  mod(ofproto, 'add', flow, clock.now());
  await bench.revalidate();
  await bench.receive('p1', `${TCP}0x014)`);
  const [again] = ofproto.tables.all().filter((each) => each.tableId === 0) as [Rule];
  t.deepEqual([again.idleTimeout, again.hardTimeout], [10, 20]);
  await bench.close();
});

test('a change elsewhere leaves megaflows as they are, VLAN tags included', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  mod(ofproto, 'add', 'priority=1,actions=NORMAL', clock.now());
  mod(ofproto, 'add', 'in_port=3,dl_vlan=5,actions=mod_vlan_pcp:3,1', clock.now());
  const tagged = (port: number): string =>
    `in_port(${port}),eth(src=50:54:00:00:00:0${port},dst=50:54:00:00:00:0f),eth_type(0x8100),vlan(vid=5,pcp=0),encap(eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2))`;
  await bench.receive('p1', tagged(1));
  await bench.receive('p3', tagged(3));
  await bench.revalidate();
  const before = await bench.dpFlows();
  t.is(before.length, 2);
  t.true(before.some((line) => line.endsWith('actions:pop_vlan,push_vlan(vid=5,pcp=3),2')));
  mod(ofproto, 'add', 'table=9,actions=drop', clock.now());
  await bench.revalidate();
  t.deepEqual(await bench.dpFlows(), before);
  await bench.close();
});

test('a packet-out goes through the actions, or through the tables when they say so', async (t) => {
  const bench = await Bench.open();
  const { ofproto, clock } = bench;
  mod(ofproto, 'add', 'priority=1,udp,actions=3', clock.now());
  const packet = composePacket(keyOf(parseDpKey(UDP).key));
  const send = (inPort: number, actions: string): OfError | undefined => {
    const match = new Match();
    match.key[0] = inPort;
    match.mask[0] = 0xffffffff;
    return ofproto.packetOut(
      { bufferId: NO_BUFFER, match, actions: parseActions(actions), packet },
      clock.now(),
    );
  };
  t.is(send(OFPP.CONTROLLER, '1,2'), undefined);
  await bench.settle();
  t.like(await bench.sent(), { p1: 1, p2: 1, p3: 0 });
  t.is(send(1, 'FLOOD'), undefined);
  await bench.settle();
  t.like(await bench.sent(), { p1: 1, p2: 2, p3: 1 });
  t.is(send(1, 'TABLE'), undefined);
  await bench.settle();
  t.like(await bench.sent(), { p1: 1, p2: 2, p3: 2 });
  t.deepEqual(flowLines(ofproto), ['table=0 n_packets=1 priority=1,udp actions=output:3']);
  t.is(send(OFPP.NORMAL, '1')?.name, 'OFPBRC_BAD_PORT');
  t.is(send(1, 'group:1')?.name, 'OFPBAC_BAD_OUT_GROUP');
  await bench.close();
});
