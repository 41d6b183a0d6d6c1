import { once } from 'node:events';
import path from 'node:path';
import test from 'ava';
import { connectStream } from '@ovs-node/common/stream';
import { makeFlowFilter, makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import { BUCKET } from '@ovs-node/openflow/messages/group-types';
import { METER } from '@ovs-node/openflow/messages/meter-types';
import { GROUP_ALL } from '@ovs-node/openflow/messages/types';
import type { ControllerConfig } from '../../src/bridge/config.js';
import { targetProblem } from '../../src/connmgr/target.js';
import { controllerConfig, makeRig, settle } from './rig.js';

const refused = (): Error => new Error('Connection refused');

test('a controller that refuses is tried again after 1, 2, 4, 8 and 8 seconds', async (t) => {
  const { manager, attempts, clock } = await makeRig(t);
  manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  for (const [i, wait] of [1000, 2000, 4000, 8000, 8000].entries()) {
    t.is(attempts.length, i + 1);
    attempts[i]!.refuse(refused());
    await settle();
    clock.advance(wait - 1);
    t.is(attempts.length, i + 1);
    clock.advance(1);
  }
  t.is(attempts.length, 6);
  const status = manager.controllerStatus().get('tcp:a');
  t.false(status?.isConnected);
  t.is(status?.role, undefined);
  t.deepEqual(Object.fromEntries(status!.status), { last_error: 'Connection refused', state: 'CONNECTING' });
});

test('a controller that is there and says nothing has been disconnected, one that is not there has not', async (t) => {
  const { manager, attempts, clock } = await makeRig(t);
  manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const status = (): object => Object.fromEntries(manager.controllerStatus().get('tcp:a')!.status);
  attempts[0]!.refuse(refused());
  await settle();
  t.deepEqual(status(), { last_error: 'Connection refused', state: 'BACKOFF' });
  clock.advance(1000);
  attempts[1]!.hold();
  await settle();
  clock.advance(1000);
  t.deepEqual(status(), {
    last_error: 'Connection timed out',
    sec_since_disconnect: '0',
    state: 'BACKOFF',
  });
});

test('a connection is probed when it is silent, and ended when that is not answered', async (t) => {
  const { manager, attempts, clock } = await makeRig(t);
  manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const controller = attempts[0]!.accept(4);
  await controller.ready;
  await controller.send();
  t.deepEqual(Object.fromEntries(manager.controllerStatus().get('tcp:a')!.status), {
    sec_since_connect: '0',
    state: 'ACTIVE',
  });
  // The controller's side answers echo requests by itself.
  clock.advance(5000);
  await controller.send();
  t.true(controller.isOpen);
  controller.stream.removeAllListeners('data');
  clock.advance(5000);
  await settle();
  t.is(manager.controllerStatus().get('tcp:a')!.status.get('state'), 'IDLE');
  clock.advance(5000);
  const status = manager.controllerStatus().get('tcp:a')!;
  t.false(status.isConnected);
  t.is(status.status.get('state'), 'BACKOFF');
  t.is(status.status.get('sec_since_disconnect'), '0');
  t.is(status.status.get('last_error'), 'Connection timed out');
  clock.advance(1000);
  t.is(attempts.length, 2);
});

test('controllers that stay in the configuration keep their connection; others go', async (t) => {
  const { manager, attempts } = await makeRig(t);
  const [a, b] = [controllerConfig('tcp:a'), controllerConfig('tcp:b')];
  manager.configure({ controllers: [a, b], protocols: [], failMode: 'secure' });
  const first = attempts[0]!.accept(4);
  const second = attempts[1]!.accept(4);
  await Promise.all([first.ready, second.ready]);
  manager.configure({
    controllers: [{ ...a, probeIntervalMs: 9000 }],
    protocols: [],
    failMode: 'secure',
  });
  await second.closed;
  t.deepEqual(await first.send(), []);
  t.deepEqual([...manager.controllerStatus().keys()], ['tcp:a']);
  manager.configure({ controllers: [{ ...a, target: 'tcp:c' }], protocols: [], failMode: 'secure' });
  await first.closed;
  t.is(attempts.at(-1)?.target, 'tcp:c');
});

test('a connection outlives the row that asked for it, when another has its target', async (t) => {
  const { manager, attempts } = await makeRig(t);
  const row = controllerConfig('tcp:a');
  manager.configure({ controllers: [row], protocols: [], failMode: 'secure' });
  const controller = attempts[0]!.accept(4);
  await controller.ready;
  await controller.send({ type: 'role_request', role: 'primary', generationId: 1n });
  const controllers = [{ ...row, uuid: 'another', isService: true }];
  manager.configure({ controllers, protocols: [], failMode: 'secure' });
  t.deepEqual(await controller.send(), []);
  t.is(attempts.length, 1);
  const status = manager.controllerStatus();
  t.deepEqual([...status.keys()], ['another']);
  t.is(status.get('another')?.role, 'master');
});

test('when the versions that are spoken change, the switch connects to its controllers anew at once', async (t) => {
  const { manager, attempts } = await makeRig(t);
  const controllers = [controllerConfig('tcp:a')];
  manager.configure({ controllers, protocols: [], failMode: 'secure' });
  const first = attempts[0]!.accept(4);
  await first.ready;
  manager.configure({ controllers, protocols: ['OpenFlow13'], failMode: 'secure' });
  await first.closed;
  t.is(attempts.length, 2);
  await attempts[1]!.accept(4).ready;
});

test('fail-open: after three probe intervals without a controller the bridge is a learning switch', async (t) => {
  const { manager, attempts, clock, ofproto } = await makeRig(t);
  ofproto.setControl('standalone', true, clock.now());
  const normal = (): boolean =>
    ofproto.tables.all().some((rule) => rule.isHidden && rule.priority === 0xf0f0f0 && rule.tableId === 0);
  const controllers = [controllerConfig('tcp:a')];
  manager.configure({ controllers, protocols: [], failMode: 'standalone' });
  attempts[0]!.refuse(refused());
  await settle();
  clock.advance(14_000);
  t.false(normal());
  clock.advance(1000);
  t.true(normal());
  t.deepEqual(ofproto.dumpFlows(makeFlowFilter(), clock.now()), [], 'controllers do not see it');
  // A controller that only greets does not govern the switch yet: it is given a packet to answer.
  attempts.at(-1)!.refuse(refused());
  await settle();
  clock.advance(8000);
  const controller = attempts.at(-1)!.accept(1);
  await controller.ready;
  await settle();
  clock.advance(1000);
  t.true(normal());
  for (let i = 0; i < 3; i++) {
    clock.advance(1000);
    await settle();
  }
  const packet = controller.seen.find((msg) => msg.type === 'packet_in');
  t.true(packet?.type === 'packet_in' && packet.packetIn.packet.length === 42);
  t.true(normal());
  await controller.send();
  clock.advance(1000);
  t.false(normal());
});

test('fail-open: a bridge whose controllers are not probed does without them after a second', async (t) => {
  const { manager, attempts, clock, ofproto } = await makeRig(t);
  ofproto.setControl('standalone', true, clock.now());
  const controllers = [controllerConfig('tcp:a', { probeIntervalMs: 0 })];
  manager.configure({ controllers, protocols: [], failMode: 'standalone' });
  attempts[0]!.refuse(refused());
  await settle();
  const before = ofproto.tables.all().length;
  clock.advance(900);
  t.is(ofproto.tables.all().length, before);
  clock.advance(1000);
  t.is(ofproto.tables.all().length, before + 1);
});

test('a bridge that gets its first controller, or loses its last, begins anew: without flows, groups and meters', async (t) => {
  const { manager, ofproto, clock } = await makeRig(t);
  const fill = (): number => {
    const now = clock.now();
    ofproto.flowMod(makeFlowMod({ command: 'add', priority: 1 }), now);
    ofproto.groupMod(
      {
        command: 'add',
        groupId: 1,
        groupType: 'all',
        buckets: [],
        selection: undefined,
        commandBucketId: BUCKET.ALL,
      },
      now,
    );
    const bands = [{ type: 'drop', rate: 1, burstSize: 0, precLevel: 0 }] as const;
    ofproto.meters.apply({ command: 'add', meter: { meterId: 1, flags: 1, bands } }, now);
    return left();
  };
  const left = (): number =>
    ofproto.dumpFlows(makeFlowFilter(), clock.now()).length +
    ofproto.groups.select(GROUP_ALL).length +
    ofproto.meters.select(METER.ALL).length;
  const service = controllerConfig('tcp:b', { isService: true });
  const configure = (...controllers: ControllerConfig[]): void =>
    manager.configure({ controllers, protocols: [], failMode: 'secure' });
  configure(service);
  t.is(fill(), 3);
  configure();
  t.is(left(), 3);
  configure(controllerConfig('tcp:a'));
  t.is(left(), 0);
  t.is(fill(), 3);
  configure(controllerConfig('tcp:a', { isService: true }));
  t.is(left(), 3, 'it stays what it was');
  configure(service);
  t.is(left(), 0);
});

test('fail-secure: without a controller nothing changes', async (t) => {
  const { manager, attempts, clock, ofproto } = await makeRig(t);
  ofproto.setControl('secure', true, clock.now());
  manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const before = ofproto.tables.all().length;
  attempts[0]!.refuse(refused());
  await settle();
  clock.advance(60_000);
  t.is(ofproto.tables.all().length, before);
});

test('snoopers get copies of what a bridge and its controller say', async (t) => {
  const { manager, attempts, dial } = await makeRig(t);
  const lonely = dial('br0.snoop', 4);
  t.is(await Promise.race([lonely.then(() => 'ready'), settle().then(() => 'not ready')]), 'not ready');
  manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const controller = attempts[0]!.accept(4);
  await controller.ready;
  await controller.send();
  const snooper = await dial('br0.snoop', 4);
  await settle();
  await controller.of.ask({ type: 'features_request' }, 'features_reply');
  while (snooper.seen.length < 2) await settle();
  t.deepEqual(
    snooper.seen.map((msg) => msg.type),
    ['features_request', 'features_reply'],
  );
  controller.of.close();
  await snooper.closed;
  t.pass();
});

test('the database names no sockets but those of the run directory', (t) => {
  const ok = (target: string): boolean => targetProblem(target, 'br0', '/run/ovs') === undefined;
  t.true(ok('tcp:10.0.0.1'));
  t.true(ok('ssl:10.0.0.1:6653'), 'its connection fails and says why');
  t.true(ok('ptcp:'));
  t.true(ok('pssl:'), 'listening fails and says why');
  t.true(ok('ptcp:6653:127.0.0.1'));
  t.true(ok('unix:ctl.sock'));
  t.true(ok('unix:/run/ovs/ctl.sock'));
  t.true(ok('punix:/run/ovs/br0.controller'));
  for (const bad of [
    'unix:/tmp/x',
    'unix:/run/ovs/../x',
    'punix:/run/ovs/br1.x',
    'punix:/run/ovs/br0./x',
    'punix:br0.x',
    'ptcp:x',
    'pssl:x',
    'foo:bar',
    '',
  ]) {
    t.false(ok(bad), bad);
  }
  const onWindows = (target: string): boolean => targetProblem(target, 'br0', 'C:\\run', true) === undefined;
  t.true(onWindows('punix:C:\\run\\br0.controller'));
  t.true(onWindows('punix:C:/run/br0.controller'));
  t.true(onWindows('unix:C:\\run\\ctl.sock'));
  for (const bad of [
    'unix:C:\\x',
    'unix:\\\\.\\pipe\\x',
    'punix:C:\\run\\..\\br0.x',
    'punix:C:\\run\\br0.\\x',
  ])
    t.false(onWindows(bad), bad);
});

test('who connects and says no hello is disconnected after a second', async (t) => {
  const { clock, rundir, tool } = await makeRig(t);
  const mute = await connectStream(`unix:${path.join(rundir, 'br0.mgmt')}`);
  t.teardown(() => void mute.destroy());
  // It has begun to say one.
  mute.write(Uint8Array.of(4, 0));
  await once(mute, 'data');
  const polite = await tool(4);
  clock.advance(999);
  await settle();
  t.false(mute.readableEnded);
  clock.advance(1);
  await once(mute, 'end');
  t.deepEqual(await polite.send(), []);
});
