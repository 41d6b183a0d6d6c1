import test from 'ava';
import { parseMatch } from '@ovs-node/flow/match-text';
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import { encodeMultipart } from '@ovs-node/openflow/messages/reply-parts';
import { FF, type FlowMod, type FlowUpdate, type OfMessage } from '@ovs-node/openflow/messages/types';
import { parseFlow } from '@ovs-node/openflow/text/flow';
import { flowMod, output, watch } from '@ovs-node/openflow/testkit/requests';
import { controllerConfig, makeRig, type Rig, settle, type TestController } from './rig.js';

/** Updates as `EVENT PRIORITY`; pauses by their names. */
function updatesOf(seen: readonly OfMessage[]): string[] {
  const text = (u: FlowUpdate): string => ('match' in u ? `${u.event} ${u.priority}` : u.event);
  return seen.flatMap((msg) => {
    if (msg.type === 'flow_monitor_paused' || msg.type === 'flow_monitor_resumed')
      return [msg.type.slice(13)];
    if (msg.type !== 'multipart_reply' || msg.reply.type !== 'flow_monitor') return [];
    return msg.reply.updates.map(text);
  });
}

for (const version of [1, 4, 5, 6]) {
  const initial = version >= 5 ? 'initial' : 'added';

  test(`version ${version}: flows that there are, then changes: of others whole, the own in short`, async (t) => {
    const rig = await makeRig(t);
    const [a, b] = [await rig.tool(version), await rig.tool(version)];
    await b.send(flowMod({ priority: 1 }));
    t.deepEqual(await a.send(watch({})), []);
    await b.send(flowMod({ priority: 2 }), flowMod({ command: 'delete_strict', priority: 1 }));
    await a.send(flowMod({ priority: 3 }), flowMod({ priority: 4 }));
    t.deepEqual(updatesOf(a.seen), [`${initial} 1`, 'added 2', 'removed 1', 'abbrev', 'abbrev']);
    t.deepEqual(updatesOf(b.seen), []);
  });
}

test('a modification is told of when it changes actions or cookie, an addition always', async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(1), await rig.tool(1)];
  await a.send(watch({}));
  const modify = { command: 'modify' as const, cookieMask: 0n };
  await b.send(
    flowMod({ priority: 1, actions: output(1) }),
    flowMod({ priority: 1, actions: output(1) }),
    flowMod({ ...modify, actions: output(1) }),
    flowMod({ ...modify, actions: output(2) }),
    flowMod({ ...modify, actions: output(2), newCookie: 9n, modifyCookie: true }),
  );
  await a.send();
  t.deepEqual(updatesOf(a.seen), ['added 1', 'added 1', 'modified 1', 'modified 1']);
});

test('of a bridge that begins anew each table is told by itself', async (t) => {
  const rig = await makeRig(t);
  const tool = await rig.tool(5);
  await tool.send(
    watch({}),
    ...[0, 2, 2].map((tableId, priority) => flowMod({ tableId, priority, flags: FF.SEND_FLOW_REM })),
  );
  tool.seen.length = 0;
  rig.manager.configure({ controllers: [], protocols: [], failMode: 'standalone' });
  await tool.send();
  t.is(tool.seen.filter((msg) => msg.type === 'multipart_reply').length, 3);
  t.deepEqual(updatesOf(tool.seen), ['removed 0', 'removed 1', 'removed 2', 'added 0']);
});

test('a monitor of an output port hears of a flow that stops to send there', async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(5), await rig.tool(5)];
  await a.send(watch({ outPort: 2 }));
  const modify = { command: 'modify' as const };
  await b.send(flowMod({ priority: 1, actions: output(1) }));
  await b.send(flowMod({ ...modify, actions: output(2) }), flowMod({ ...modify, actions: output(3) }));
  await b.send(flowMod({ ...modify, actions: output(4) }));
  await a.send();
  t.deepEqual(updatesOf(a.seen), ['modified 1', 'modified 1']);
});

test('requests are carried out whole or not at all, and monitors can be ended', async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(5), await rig.tool(5)];
  t.deepEqual(await a.send(watch({ id: 1 }, { id: 1 })), ['OFPMOFC_MONITOR_EXISTS']);
  t.deepEqual(await a.send(watch({ id: 1, command: 'delete' })), ['OFPMOFC_UNKNOWN_MONITOR']);
  t.deepEqual(await a.send(watch({ id: 1, command: 'modify' })), ['OFPMOFC_UNKNOWN_MONITOR']);
  t.deepEqual(await a.send(watch({ id: 1, command: 'unknown' })), ['OFPMOFC_BAD_COMMAND']);
  t.deepEqual(await a.send(watch({ id: 1 })), []);
  t.deepEqual(await a.send(watch({ id: 1, command: 'delete' }, { id: 2, command: 'delete' })), [
    'OFPMOFC_UNKNOWN_MONITOR',
  ]);
  await b.send(flowMod({ priority: 1 }));
  t.deepEqual(await a.send(watch({ id: 1, command: 'delete' })), []);
  await b.send(flowMod({ priority: 2 }));
  await a.send();
  t.deepEqual(updatesOf(a.seen), ['added 1']);
});

test('before OpenFlow 1.4 a message of its own ends a monitor', async (t) => {
  const rig = await makeRig(t);
  const a = await rig.tool(4);
  t.deepEqual(await a.send({ type: 'flow_monitor_cancel', id: 1 }), ['OFPMOFC_UNKNOWN_MONITOR']);
  t.deepEqual(await a.send(watch({}), { type: 'flow_monitor_cancel', id: 1 }, watch({})), []);
});

test('a failed bundle is not told of', async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(5), await rig.tool(5)];
  await a.send(watch({}));
  rig.ofproto.transaction(1000, () => {
    rig.ofproto.flowMod(makeFlowMod({ command: 'add', priority: 1 }), 1000);
    return undefined;
  });
  await settle();
  const [bundleId, flags] = [1, 3];
  for (const msg of [
    flowMod({ priority: 2 }),
    flowMod({ priority: 3, actions: [{ type: 'group', group: 77 }] }),
  ]) {
    const xid = b.of.nextXid();
    b.of.send({ type: 'bundle_add', bundleId, flags, message: encodeMessage(msg, 5, xid) }, xid);
  }
  const errors = await b.send({ type: 'bundle_control', bundleId, control: 'commit_request', flags });
  t.deepEqual(errors, ['OFPBAC_BAD_OUT_GROUP', 'OFPBFC_MSG_FAILED']);
  await a.send();
  t.deepEqual(updatesOf(a.seen), ['added 1']);
});

test('the changes of one request are one reply, whose parts are as full as they can be, in their order', async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(5), await rig.tool(5)];
  await a.send(watch({}));
  const before = a.seen.length;
  const [bundleId, flags, n] = [1, 3, 3000];
  for (let priority = 0; priority < n; priority++) {
    const message = encodeMessage(flowMod({ priority, actions: output(1) }), 5, 77);
    b.of.send({ type: 'bundle_add', bundleId, flags, message }, 77);
  }
  await b.send({ type: 'bundle_control', bundleId, control: 'commit_request', flags });
  await b.send(flowMod({ command: 'delete' }));
  await a.send();
  const told = a.seen.slice(before).filter((msg) => msg.type === 'multipart_reply');
  const events = updatesOf(told).map((text) => text.split(' '));
  t.deepEqual(
    events.filter(([event]) => event === 'added').map(([, priority]) => Number(priority)),
    Array.from({ length: n }, (_, priority) => priority),
  );
  t.is(events.filter(([event]) => event === 'removed').length, n);
  const ends = told.flatMap(({ more }, i) => (more ? [] : [i]));
  t.is(ends.length, 2);
  const added = told.slice(0, ends[0]! + 1);
  const all = added.flatMap(({ reply }) => (reply.type === 'flow_monitor' ? reply.updates : []));
  const whole = {
    type: 'multipart_reply',
    reply: { type: 'flow_monitor', updates: all },
    more: false,
  } as const;
  t.is(encodeMultipart(whole, 5, 0).length, added.length);
});

test('a monitor of a match hears of flows that match nothing but packets of it', async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(5), await rig.tool(5)];
  await a.send(watch({ match: parseMatch('tcp,nw_src=10.0.0.0/8,tp_dst=80') }));
  const matches = [
    ['tcp,nw_src=10.1.0.0/16,tp_dst=80', true],
    ['tcp,nw_src=10.0.0.0/8,tp_dst=80,tp_src=5,in_port=1', true],
    ['tcp,nw_src=11.1.0.0/16,tp_dst=80', false],
    ['tcp,nw_src=10.1.0.0/16,tp_dst=81', false],
    ['tcp,nw_src=10.0.0.0/7,tp_dst=80', false],
    ['tcp,nw_src=10.1.0.0/16,tp_dst=80/0xfffe', false],
    ['udp,nw_src=10.1.0.0/16,tp_dst=80', false],
    ['nw_src=10.1.0.0/16,ip', false],
    ['', false],
  ] as const;
  await b.send(...matches.map(([text], priority) => flowMod({ priority, match: parseMatch(text) })));
  await b.send(flowMod({ command: 'delete' }));
  await a.send();
  const heard = matches.flatMap(([, isHeard], priority) => (isHeard ? [priority] : []));
  t.deepEqual(updatesOf(a.seen), [
    ...heard.map((priority) => `added ${priority}`),
    ...heard.map((priority) => `removed ${priority}`),
  ]);
});

test("monitors hear of a bundle command by command, and what follows from one is nobody's own change", async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(5), await rig.tool(5)];
  const add = (text: string): OfMessage => ({ type: 'flow_mod', flowMod: parseFlow(text, 'add') });
  await b.send(
    add('priority=1,actions=learn(table=2,delete_learned,cookie=7,eth_dst=eth_src)'),
    add('table=2,cookie=7,priority=2,actions=drop'),
  );
  await a.send(watch({}));
  await b.send(watch({}));
  const before = [a, b].map(({ seen }) => seen.length);
  const [bundleId, flags] = [1, 3];
  for (const msg of [
    { type: 'flow_mod', flowMod: parseFlow('table=0,priority=1', 'delete_strict') } as const,
    add('priority=3,actions=drop'),
  ])
    b.of.send({ type: 'bundle_add', bundleId, flags, message: encodeMessage(msg, 5, 77) }, 77);
  await b.send({ type: 'bundle_control', bundleId, control: 'commit_request', flags });
  await a.send();
  t.deepEqual(
    [a, b].map(({ seen }, i) => updatesOf(seen.slice(before[i]))),
    [
      ['removed 1', 'removed 2', 'added 3'],
      ['abbrev', 'removed 2', 'abbrev'],
    ],
  );
});

/** A controller that the test can keep from reading. */
async function slowReader(rig: Rig, version: number): Promise<TestController> {
  rig.manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const controller = rig.attempts[0]!.accept(version);
  await controller.ready;
  return controller;
}

for (const version of [4, 5]) {
  test(`version ${version}: who does not read is told later what has come of it all, and of removals`, async (t) => {
    const rig = await makeRig(t);
    const slow = await slowReader(rig, version);
    const other = await rig.tool(version);
    await other.send(...[1, 2, 3].map((priority) => flowMod({ priority: 60000 + priority })));
    await slow.send(watch({}));
    t.is(updatesOf(slow.seen).length, 3);
    slow.seen.length = 0;
    slow.stream.pause();
    const many = 4000;
    for (let priority = 0; priority < many; priority++)
      rig.ofproto.flowMod(makeFlowMod({ command: 'add', priority, actions: output(1) }), 1000);
    await settle();
    for (let round = 0; round < 5; round++) {
      for (let priority = 0; priority < many; priority++)
        rig.ofproto.flowMod(makeFlowMod({ command: 'add', priority, actions: output(1 + round) }), 1000);
      await settle();
    }
    await other.send(
      flowMod({ command: 'delete_strict', priority: 60001 }),
      flowMod({ command: 'delete_strict', priority: many - 1 }),
      flowMod({ command: 'modify_strict', priority: 60002, actions: output(2) }),
    );
    const { tables } = rig.ofproto;
    const forEach = tables.forEach.bind(tables);
    let searches = 0;
    tables.forEach = (...how) => {
      searches++;
      forEach(...how);
    };
    slow.stream.resume();
    for (let i = 0; i < 50; i++) await settle();
    await slow.send();
    t.true(searches <= 3, `all flows are looked at ${searches} times`);
    const updates = updatesOf(slow.seen);
    t.deepEqual(
      updates.filter((each) => each === 'paused' || each === 'resumed'),
      ['paused', 'resumed'],
    );
    t.is(updates.at(-1), 'resumed');
    t.true(updates.length < 3 * many, `${updates.length} updates of ${6 * many} changes`);
    const known = new Set([60001, 60002, 60003]);
    for (const update of updates) {
      const [event, priority] = update.split(' ');
      if (event === 'added') known.add(Number(priority));
      else if (event === 'removed') t.true(known.delete(Number(priority)), update);
      else if (event === 'modified') t.true(known.has(Number(priority)), update);
    }
    t.is(known.size, rig.ofproto.tables.size - 4, 'all but the flows of the switch itself');
    t.true(updates.includes('modified 60002'));
  });
}

test('a first answer that is longer than a page is whole, with what changes meanwhile', async (t) => {
  const rig = await makeRig(t);
  const many = 3000;
  const slow = await slowReader(rig, 5);
  for (let priority = 0; priority < many; priority++)
    rig.ofproto.flowMod(makeFlowMod({ command: 'add', priority, actions: output(1) }), 1000);
  slow.stream.pause();
  slow.of.send(watch({}));
  await settle();
  const change = (command: FlowMod['command'], priority: number): void =>
    void rig.ofproto.flowMod(makeFlowMod({ command, priority, actions: output(2) }), 1000);
  change('modify_strict', many - 1);
  change('delete_strict', many - 2);
  change('add', many);
  slow.stream.resume();
  for (let i = 0; i < 50; i++) await settle();
  await slow.send();
  const updates = updatesOf(slow.seen);
  t.is(updates.filter((each) => each.startsWith('initial')).length, many - 1);
  t.true(updates.includes(`added ${many}`));
  t.true(updates.includes(`modified ${many - 1}`));
  t.false(updates.some((each) => each === 'paused' || each === 'resumed'));
});

test('that a flow is gone is told when the monitors have been told, together', async (t) => {
  const rig = await makeRig(t);
  const [a, b] = [await rig.tool(5), await rig.tool(5)];
  const flags = FF.SEND_FLOW_REM;
  await b.send(flowMod({ priority: 1, flags }), flowMod({ priority: 2, flags }));
  await a.send(watch({}));
  a.seen.length = 0;
  // So a tool hears of flows that go.
  await a.send({
    type: 'set_config',
    config: { frag: 'normal', invalidTtlToController: undefined, missSendLen: 128 },
  });
  await b.send(flowMod({ command: 'delete' }));
  await a.send();
  t.deepEqual(
    a.seen.map(({ type }) => type),
    ['multipart_reply', 'flow_removed', 'flow_removed'],
  );
  t.deepEqual(updatesOf(a.seen).toSorted(), ['removed 1', 'removed 2']);
});
