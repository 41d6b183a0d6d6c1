import test from 'ava';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { parseMatch } from '@ovs-node/flow/match-text';
import { PC, PS, PR } from '@ovs-node/openflow/messages/types';
import { phy } from '../ofproto/bench.js';
import { controllerConfig, makeRig, packetIn, type Rig, type TestController } from './rig.js';

const event = (reason: number = PR.ACTION, controllerId = 0) => ({
  packetIn: packetIn(reason),
  maxLen: 0xffff,
  controllerId,
});

async function primary(rig: Rig, target: string, version: number): Promise<TestController> {
  const controller = rig.attempts.find((each) => each.target === target)!.accept(version);
  await controller.ready;
  await controller.send();
  return controller;
}

/** Two controllers. */
async function pair(
  t: Parameters<typeof makeRig>[0],
  version: number,
): Promise<[Rig, TestController, TestController]> {
  const rig = await makeRig(t);
  rig.manager.configure({
    controllers: [controllerConfig('tcp:a'), controllerConfig('tcp:b')],
    protocols: [],
    failMode: 'secure',
  });
  return [rig, await primary(rig, 'tcp:a', version), await primary(rig, 'tcp:b', version)];
}

const setLength = (missSendLen: number) =>
  ({
    type: 'set_config',
    config: { frag: 'normal', invalidTtlToController: undefined, missSendLen },
  }) as const;

test('a tool gets asynchronous messages when it asked for a length, a controller at once', async (t) => {
  const rig = await makeRig(t);
  rig.manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const controller = await primary(rig, 'tcp:a', 4);
  const tool = await rig.tool(4);
  rig.ofproto.events.onPacketIn(event());
  t.deepEqual(await tool.received(), []);
  t.deepEqual(await controller.received(), ['packet_in']);
  await tool.send(setLength(16));
  rig.ofproto.events.onPacketIn(event(PR.EXPLICIT_MISS));
  t.deepEqual(await tool.received(), ['packet_in']);
  const [msg] = tool.seen;
  t.true(msg?.type === 'packet_in' && msg.packetIn.packet.length === 100, 'whole, as nothing is buffered');
});

test('packets go to the controllers of their id, for reasons that these asked for', async (t) => {
  const [rig, a, b] = await pair(t, 4);
  await b.send({ type: 'set_controller_id', controllerId: 7 });
  rig.ofproto.events.onPacketIn(event(PR.ACTION, 7));
  t.deepEqual(await a.received(), []);
  t.deepEqual(await b.received(), ['packet_in']);
  const masks = { packetIn: 1 << PR.NO_MATCH, portStatus: 0, flowRemoved: 0 };
  await a.send({ type: 'set_async', config: { primary: masks, secondary: masks } });
  for (const reason of [PR.ACTION, PR.EXPLICIT_MISS, PR.INVALID_TTL])
    rig.ofproto.events.onPacketIn(event(reason));
  t.deepEqual(await a.received(), ['packet_in'], 'an explicit miss is a no-match to OpenFlow 1.3');
  const reply = await a.of.ask({ type: 'get_async_request' }, 'get_async_reply');
  t.deepEqual(reply.config.primary, masks);
});

test('who asks for misses gets those that a flow sends, in every version', async (t) => {
  for (const version of [1, 3, 5]) {
    const [rig, a, b] = await pair(t, version);
    for (const [controller, reason] of [
      [a, PR.NO_MATCH],
      [b, PR.ACTION],
    ] as const) {
      const masks = { packetIn: 1 << reason, portStatus: 0, flowRemoved: 0 };
      await controller.send({ type: 'set_async', config: { primary: masks, secondary: masks } });
    }
    rig.ofproto.events.onPacketIn(event(PR.EXPLICIT_MISS));
    t.deepEqual(await a.received(), ['packet_in']);
    t.deepEqual(await b.received(), []);
  }
});

test('formats of packets: of the version, and of both extensions', async (t) => {
  const rig = await makeRig(t);
  for (const version of [1, 4]) {
    const tool = await rig.tool(version);
    await tool.send(setLength(128));
    for (const format of ['standard', 'nxt_packet_in', 'nxt_packet_in2'] as const) {
      await tool.send({ type: 'set_packet_in_format', format });
      rig.ofproto.events.onPacketIn({
        ...event(),
        packetIn: packetIn(PR.ACTION, { cookie: 0x99n, userdata: Uint8Array.of(1, 2) }),
      });
      await tool.send();
      const msg = tool.seen.at(-1);
      if (msg?.type !== 'packet_in') return t.fail(format);
      t.is(msg.format, format);
      if (format !== 'standard' || version === 4) t.is(msg.packetIn.cookie, 0x99n);
      t.deepEqual(msg.packetIn.userdata, format === 'nxt_packet_in2' ? Uint8Array.of(1, 2) : undefined);
    }
  }
});

test('one controller is primary: others become secondary, may not change anything, and hear of ports only', async (t) => {
  const [rig, a, b] = await pair(t, 4);
  const ask = (c: TestController, role: 'primary' | 'secondary' | 'nochange', generationId?: bigint) =>
    c.of.ask({ type: 'role_request', role, generationId }, 'role_reply');
  t.is((await ask(a, 'primary', 5n)).role, 'primary');
  t.is((await ask(b, 'primary', 6n)).role, 'primary');
  t.is((await ask(a, 'nochange')).role, 'secondary');
  const stale = await t.throwsAsync(ask(a, 'primary', 5n));
  t.is(stale.message, 'OFPRRFC_STALE');
  const portMod = { portNo: 1, hwAddr: 0n, config: PC.NO_FWD, mask: PC.NO_FWD, advertise: 0 };
  t.deepEqual(await a.send({ type: 'port_mod', portMod }), ['OFPBRC_IS_SECONDARY']);
  a.seen.length = 0;
  t.deepEqual(await b.send({ type: 'port_mod', portMod }), []);
  rig.ofproto.events.onPacketIn(event());
  t.deepEqual(await a.received(), ['port_status'], 'told of a port');
  t.deepEqual(await b.received(), ['packet_in'], 'not told of what it did itself');
  t.deepEqual(rig.manager.controllerStatus().get('tcp:b')?.role, 'master');
  t.deepEqual(rig.manager.controllerStatus().get('tcp:a')?.role, 'slave');
});

test('ports that come, change and go are told, once each', async (t) => {
  const rig = await makeRig(t);
  rig.manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const a = await primary(rig, 'tcp:a', 1);
  rig.ofproto.addPort({ name: 'new', ofport: 42, dpPort: 42, type: 'dummy', phy: phy(42, 'new') });
  rig.manager.portsChanged();
  rig.manager.portsChanged();
  rig.ofproto.updatePort(42, { phy: phy(42, 'new', PC.PORT_DOWN) });
  rig.ofproto.updatePort(42, { dpPort: 43 });
  rig.manager.portsChanged();
  rig.ofproto.delPort(42);
  rig.manager.portsChanged();
  await a.send();
  t.deepEqual(
    a.seen.map((msg) =>
      msg.type === 'port_status' ? `${msg.reason} ${msg.port.name} ${msg.port.config}` : msg.type,
    ),
    ['add new 0', 'modify new 1', 'delete new 1'],
  );
});

test('of a port that loses its link it is told first that it is not live', async (t) => {
  const rig = await makeRig(t);
  rig.manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const a = await primary(rig, 'tcp:a', 4);
  const live = { ...phy(42, 'new'), state: PS.LIVE };
  rig.ofproto.addPort({ name: 'new', ofport: 42, dpPort: 42, type: 'dummy', phy: live });
  rig.manager.portsChanged();
  rig.ofproto.updatePort(42, { phy: { ...live, config: PC.PORT_DOWN, state: PS.LINK_DOWN } });
  rig.manager.portsChanged();
  rig.ofproto.updatePort(42, { phy: live });
  rig.manager.portsChanged();
  await a.send();
  t.deepEqual(
    a.seen.map((msg) =>
      msg.type === 'port_status' ? `${msg.reason} ${msg.port.config} ${msg.port.state}` : msg.type,
    ),
    ['add 0 0', 'modify 0 4', 'modify 0 0', 'modify 1 1', 'modify 0 4'],
  );
});

test('flows that end are told in the format of the connection', async (t) => {
  const rig = await makeRig(t);
  const tool = await rig.tool(1);
  await tool.send(setLength(1), { type: 'set_flow_format', format: 'nxm' });
  const removed = {
    match: new Match(),
    cookie: 3n,
    priority: 4,
    reason: 'idle',
    tableId: 5,
    durationSec: 1,
    durationNsec: 0,
    idleTimeout: 1,
    hardTimeout: 0,
    packetCount: 8n,
    byteCount: 9n,
  } as const;
  rig.ofproto.events.onFlowRemoved(removed);
  await tool.send();
  const [msg] = tool.seen;
  t.true(msg?.type === 'flow_removed' && msg.format === 'nxm' && msg.removed.tableId === 5);
});

test('table misses go to controllers of OpenFlow 1.0 to 1.2 only', async (t) => {
  const rig = await makeRig(t);
  t.false(rig.ofproto.wantsPacketInOnMiss);
  rig.manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const a = await primary(rig, 'tcp:a', 1);
  t.true(rig.ofproto.wantsPacketInOnMiss);
  await a.send({ type: 'set_controller_id', controllerId: 3 });
  t.false(rig.ofproto.wantsPacketInOnMiss);
  await a.send({ type: 'set_controller_id', controllerId: 0 });
  t.true(rig.ofproto.wantsPacketInOnMiss);
  rig.manager.configure({ controllers: [], protocols: [], failMode: 'secure' });
  await a.closed;
  t.false(rig.ofproto.wantsPacketInOnMiss);
  rig.manager.configure({ controllers: [controllerConfig('tcp:b')], protocols: [], failMode: 'secure' });
  await primary(rig, 'tcp:b', 4);
  t.false(rig.ofproto.wantsPacketInOnMiss);
});

test('a controller that the database denies asynchronous messages gets none until it asks', async (t) => {
  const rig = await makeRig(t);
  const configure = (asyncMessages: boolean): void => {
    const controllers = [controllerConfig('tcp:a', { asyncMessages })];
    rig.manager.configure({ controllers, protocols: [], failMode: 'secure' });
  };
  configure(false);
  const a = await primary(rig, 'tcp:a', 4);
  rig.ofproto.events.onPacketIn(event());
  t.deepEqual(await a.received(), []);
  configure(true);
  rig.ofproto.events.onPacketIn(event());
  t.deepEqual(await a.received(), ['packet_in'], 'the database has changed its mind');
  configure(false);
  const all = { packetIn: 7, portStatus: 7, flowRemoved: 7 };
  await a.send({ type: 'set_async', config: { primary: all, secondary: all } });
  rig.ofproto.events.onPacketIn(event());
  t.deepEqual(await a.received(), ['packet_in', 'packet_in']);
});

test('who is no longer the primary controller is told the generation, or that there was none yet', async (t) => {
  const [, a, b] = await pair(t, 5);
  for (const generationId of [undefined, 7n]) {
    const isExtension = generationId === undefined;
    for (const each of [a, b])
      await each.send({ type: 'role_request', role: 'primary', generationId, isExtension });
    await a.received();
    const status = a.seen.find((msg) => msg.type === 'role_status');
    t.like(status, { role: 'secondary', generationId: generationId ?? 2n ** 64n - 1n });
    a.seen.length = 0;
  }
});

test('packets to a controller are as many as its limits allow: some wait, ports take turns, others are lost', async (t) => {
  const rig = await makeRig(t);
  const configure = (rate: number): void => {
    const controllers = [controllerConfig('tcp:a', { packetLimits: { rate, burst: 25 } })];
    rig.manager.configure({ controllers, protocols: [], failMode: 'secure' });
  };
  configure(100);
  const a = await primary(rig, 'tcp:a', 4);
  const send = (count: number, port: number, reason: number = PR.ACTION): void => {
    const match = parseMatch(`in_port=${port}`);
    for (let i = 0; i < count; i++)
      rig.ofproto.events.onPacketIn({ packetIn: packetIn(reason, { match }), maxLen: 0, controllerId: 0 });
  };
  const portsOf = async (): Promise<string> => {
    await a.received();
    const ports = a.seen.flatMap((msg) =>
      msg.type === 'packet_in' ? [msg.packetIn.match.key[W.IN_PORT]] : [],
    );
    a.seen.length = 0;
    return ports.join('');
  };
  send(20, 1);
  send(20, 2);
  send(20, 3);
  // Misses have limits of their own.
  send(5, 4, PR.NO_MATCH);
  send(2, 4, PR.EXPLICIT_MISS);
  t.is(await portsOf(), '1'.repeat(20) + '2'.repeat(5) + '4'.repeat(7));
  rig.clock.advance(10);
  t.is(await portsOf(), '2');
  rig.clock.advance(1000);
  t.is(await portsOf(), '32'.repeat(11) + '33');
  const status = rig.manager.controllerStatus().get('tcp:a')?.status;
  const counts = ['backlog', 'bypassed', 'queued', 'dropped'].map((each) =>
    status?.get(`packet-in-action-${each}`),
  );
  t.deepEqual(counts, ['0', '25', '35', '10']);
  t.is(status?.get('packet-in-miss-bypassed'), '7');
  configure(0);
  send(100, 1);
  t.is(await portsOf(), '1'.repeat(100));
});
