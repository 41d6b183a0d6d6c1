import test from 'ava';
import { OFPP } from '@ovs-node/flow/ports';
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { makeFlowFilter, makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import {
  ALL_TABLES,
  type BundleControl,
  COOKIE_NONE,
  type FlowMod,
  type MultipartReply,
  type OfMessage,
  PR,
  type TableFeatures,
  type TableFeaturesCommand,
} from '@ovs-node/openflow/messages/types';
import { parseFlow } from '@ovs-node/openflow/text/flow';
import { parseGroup } from '@ovs-node/openflow/text/parse-group';
import { controllerConfig, makeRig, settle, type TestController } from './rig.js';

function flow(priority: number, more: Partial<FlowMod> = {}): OfMessage {
  return { type: 'flow_mod', flowMod: makeFlowMod({ command: 'add', priority, newCookie: 5n, ...more }) };
}

/** The pages of an answer. */
async function ask(controller: TestController, msg: OfMessage): Promise<MultipartReply[]> {
  const replies: MultipartReply[] = [];
  await controller.of.request(msg, ({ msg: reply }) => {
    if (reply.type === 'multipart_reply') replies.push(reply.reply);
  });
  return replies;
}

for (const version of [1, 4]) {
  test(`version ${version}: a tool adds flows, dumps them and reads what the switch is`, async (t) => {
    const { tool } = await makeRig(t);
    const controller = await tool(version);
    t.deepEqual(await controller.send(flow(7), flow(8, { tableId: version === 1 ? ALL_TABLES : 3 })), []);
    const { features } = await controller.of.ask({ type: 'features_request' }, 'features_reply');
    t.is(features.datapathId, 0x1234n);
    t.is(features.nTables, 254);
    t.is(features.ports.length, version === 1 ? 5 : 0);
    const [flows] = await ask(controller, {
      type: 'multipart_request',
      request: { type: 'flow', filter: makeFlowFilter() },
      more: false,
    });
    t.true(flows?.type === 'flow');
    if (flows?.type !== 'flow') return;
    t.deepEqual(
      flows.flows.map((each) => each.priority).sort((a, b) => a - b),
      [7, 8],
    );
    t.deepEqual(new Set(flows.flows.map((each) => each.cookie)), new Set([5n]));
    const [desc] = await ask(controller, {
      type: 'multipart_request',
      request: { type: 'desc' },
      more: false,
    });
    t.true(desc?.type === 'desc' && desc.desc.mfr === 'Nicira, Inc.');
  });

  test(`version ${version}: a request that cannot be carried out is answered with its error and changes nothing`, async (t) => {
    const { tool, ofproto } = await makeRig(t);
    const controller = await tool(version);
    t.deepEqual(await controller.send(flow(1, { bufferId: 77 })), ['OFPBRC_BUFFER_UNKNOWN']);
    t.deepEqual(
      await controller.send({
        type: 'port_mod',
        portMod: { portNo: 99, hwAddr: 0n, config: 0, mask: 0, advertise: 0 },
      }),
      ['OFPPMFC_BAD_PORT'],
    );
    t.deepEqual(
      await controller.send({
        type: 'port_mod',
        portMod: { portNo: 1, hwAddr: 9n, config: 0, mask: 0, advertise: 0 },
      }),
      ['OFPPMFC_BAD_HW_ADDR'],
    );
    t.deepEqual(await controller.send({ type: 'barrier_reply' }), ['OFPBRC_BAD_TYPE']);
    t.deepEqual(ofproto.dumpFlows(makeFlowFilter(), 0), []);
    t.true(controller.isOpen);
  });
}

test('an error quotes the request that it is about, and the connection lives on', async (t) => {
  const { tool } = await makeRig(t);
  const controller = await tool(4);
  const request = encodeMessage(flow(1, { bufferId: 5 }), 4, 0xabcd);
  controller.of.sendBytes(request);
  await controller.send();
  const [error] = controller.seen;
  t.true(error?.type === 'error');
  if (error?.type !== 'error') return;
  t.deepEqual([...error.error.data.subarray(0, 64)], [...request.subarray(0, 64)]);
  // Type 99, and a length that is no header's: the first is refused, the second ends the connection.
  controller.of.sendBytes(Uint8Array.of(4, 99, 0, 8, 0, 0, 0, 1));
  t.deepEqual(await controller.send(), ['OFPBRC_BAD_TYPE']);
  controller.of.sendBytes(Uint8Array.of(4, 5, 0, 4, 0, 0, 0, 1));
  await controller.closed;
  t.is((await (await tool(4)).of.ask({ type: 'features_request' }, 'features_reply')).features.nTables, 254);
});

test('requests are carried out in order, also while statistics wait', async (t) => {
  let release: () => void = () => {};
  const { tool, clock } = await makeRig(t, {
    syncStats: () => new Promise((resolve) => (release = resolve)),
  });
  const controller = await tool(4);
  await controller.send(flow(1));
  const dump = ask(controller, {
    type: 'multipart_request',
    request: { type: 'flow', filter: makeFlowFilter() },
    more: false,
  });
  controller.of.send(flow(2));
  const later = controller.send();
  await settle();
  release();
  const [before] = await dump;
  t.true(
    before?.type === 'flow' && before.flows.length === 1,
    'the flow added after the request is not in the answer',
  );
  t.deepEqual(await later, []);
  // A datapath that does not answer is not waited for.
  clock.advance(1000);
  const second = ask(controller, {
    type: 'multipart_request',
    request: { type: 'flow', filter: makeFlowFilter() },
    more: false,
  });
  await settle();
  clock.advance(250);
  const [after] = await second;
  t.true(after?.type === 'flow' && after.flows.length === 2);
});

test('a reader that does not read costs a bounded amount of memory, and gets all when it reads again', async (t) => {
  const { manager, ofproto, attempts } = await makeRig(t);
  manager.configure({ controllers: [controllerConfig('tcp:a')], protocols: [], failMode: 'secure' });
  const controller = attempts[0]!.accept(4);
  await controller.ready;
  const adds = Array.from({ length: 10_000 }, (_, i) => flow(i, { tableId: 1 }));
  t.deepEqual(await controller.send(...adds), []);
  let taken = 0;
  const { tables } = ofproto;
  const original = tables.forEach.bind(tables);
  tables.forEach = (filter, visit) => {
    original(filter, (rule) => {
      const stats = rule.stats.bind(rule);
      rule.stats = (now) => {
        taken++;
        return stats(now);
      };
      visit(rule);
    });
  };
  controller.stream.pause();
  const dump = ask(controller, {
    type: 'multipart_request',
    request: { type: 'flow', filter: makeFlowFilter() },
    more: false,
  });
  await settle();
  t.true(taken > 0 && taken < 10_000, `${taken} flows were made`);
  controller.stream.resume();
  const replies = await dump;
  const flows = replies.flatMap((reply) => (reply.type === 'flow' ? [...reply.flows] : []));
  t.is(flows.length, 10_000);
});

test('table features say of each of 254 tables what it can do, and take names', async (t) => {
  const { tool } = await makeRig(t);
  const controller = await tool(4);
  const replies = await ask(controller, {
    type: 'multipart_request',
    request: { type: 'table_features', tables: [] },
    more: false,
  });
  const tables = replies.flatMap((reply) => (reply.type === 'table_features' ? [...reply.tables] : []));
  t.deepEqual(
    tables.map((each) => each.tableId),
    Array.from({ length: 254 }, (_, i) => i),
  );
  const nextTables = (id: number): number =>
    tables[id]!.properties.find((each) => each.type === 2)!.body.length;
  t.is(nextTables(0), 253);
  t.is(nextTables(253), 0);
  // In OpenFlow 1.3 there is only the command to replace them all, in which none may be missing; 1.5 changes some.
  const newer = await tool(6);
  const [first, second] = [tables[0]!, tables[1]!];
  const own = { ...first, tableId: 254 };
  const bare = (features: TableFeatures, command: TableFeaturesCommand): TableFeatures => ({
    ...features,
    command,
    properties: [],
  });
  const change = (of: typeof newer, changed: readonly TableFeatures[]): ReturnType<typeof ask> =>
    ask(of, {
      type: 'multipart_request',
      request: { type: 'table_features', tables: changed },
      more: false,
    });
  const some: readonly (readonly [
    what: string,
    error: string | undefined,
    of: typeof newer,
    ...changed: TableFeatures[],
  ])[] = [
    ['one of them', 'OFPTFFC_EPERM', controller, first],
    ['none of them', 'OFPTFFC_BAD_TABLE', controller, first, { ...first, tableId: 255 }],
    ['one of them twice', 'NXTFFC_DUP_TABLE', controller, own, second, own],
    ['one of them, to be replaced', 'OFPTFFC_EPERM', newer, bare(first, 'replace')],
    ['one of them, to be enabled', 'OFPTFFC_EPERM', newer, bare(first, 'enable'), bare(second, 'modify')],
    ["the switch's own", 'OFPTFFC_EPERM', newer, bare(own, 'modify')],
    ['its size', 'OFPTFFC_EPERM', newer, bare({ ...first, maxEntries: 5 }, 'modify')],
    ['its configuration', 'OFPTFFC_EPERM', newer, bare({ ...first, config: 4 }, 'modify')],
    ['metadata', undefined, newer, bare({ ...first, metadataMatch: 0n, name: 'first' }, 'modify')],
    ['as the first says', undefined, newer, bare(first, 'modify'), bare({ ...second, name: 'x' }, 'enable')],
    [
      'all',
      undefined,
      newer,
      ...tables.map((each) => bare({ ...each, name: `t${each.tableId}` }, 'replace')),
    ],
  ];
  for (const [what, error, of, ...changed] of some) {
    if (error !== undefined) {
      t.is((await t.throwsAsync(change(of, changed))).message, error, what);
      continue;
    }
    const replied = (await change(of, changed)).flatMap((each) =>
      each.type === 'table_features' ? [...each.tables] : [],
    );
    for (const { tableId, name } of changed) t.is(replied[tableId]?.name, name, what);
  }
});

test('port statistics: of the datapath, of patch ports their own, and how long the port is there', async (t) => {
  const counters = {
    rxPackets: 1,
    txPackets: 2,
    rxBytes: 3,
    txBytes: 4,
    rxErrors: 5,
    txErrors: 6,
    rxDropped: 7,
    txDropped: 8,
  };
  const { tool, manager, clock, ofproto } = await makeRig(t, {
    portStats: async () => new Map([[1, counters]]),
  });
  manager.portsChanged();
  ofproto.addPort({
    name: 'pp',
    ofport: 9,
    dpPort: 0xffffffff,
    type: 'patch',
    phy: ofproto.port(1)!.phy,
    peer: 'x',
  });
  clock.advance(2500);
  const controller = await tool(4);
  const [reply] = await ask(controller, {
    type: 'multipart_request',
    request: { type: 'port', portNo: OFPP.ANY },
    more: false,
  });
  if (reply?.type !== 'port') return t.fail();
  const of = (portNo: number) => reply.ports.find((each) => each.portNo === portNo)!;
  t.is(of(1).rxPackets, 1n);
  t.is(of(1).txBytes, 4n);
  t.is(of(1).rxErrors, 0xffffffffffffffffn, 'a dummy device does not count errors');
  t.deepEqual([of(1).durationSec, of(1).durationNsec], [2, 500_000_000]);
  t.is(of(2).rxPackets, 0xffffffffffffffffn, 'the datapath does not know it');
  t.is(of(9).rxErrors, 0xffffffffffffffffn, 'not counted');
  const [none] = await ask(controller, {
    type: 'multipart_request',
    request: { type: 'port', portNo: 77 },
    more: false,
  });
  t.true(none?.type === 'port' && none.ports.length === 0);
});

test('versions: when what the bridge allows changes all connections are closed, and the rest is refused', async (t) => {
  const { tool, manager } = await makeRig(t);
  const [old, allowed] = [await tool(1), await tool(4)];
  const config = { controllers: [], protocols: ['OpenFlow13', 'OpenFlow14'], failMode: 'secure' } as const;
  manager.configure(config);
  await Promise.all([old.closed, allowed.closed]);
  const again = await tool(4);
  manager.configure(config);
  t.deepEqual(await again.send(), [], 'nothing has changed');
  const refused = tool(1);
  t.is(await Promise.race([refused.then(() => 'ready'), settle().then(() => 'not ready')]), 'not ready');
});

test('OpenFlow 1.0 flow-mods name a table only when that was agreed on', async (t) => {
  const { tool, ofproto } = await makeRig(t);
  const controller = await tool(1);
  const mod = { ...flow(1, { tableId: 9, newCookie: COOKIE_NONE - 1n }), withTableId: true } as OfMessage;
  t.deepEqual(await controller.send(mod), ['OFPFMFC_BAD_COMMAND']);
  t.deepEqual(await controller.send({ type: 'flow_mod_table_id', enable: true }, mod), []);
  t.deepEqual(
    ofproto.dumpFlows(makeFlowFilter(), 0).map((each) => each.tableId),
    [9],
  );
});

/** A control message of bundle 1. */
const control = (kind: BundleControl): OfMessage => ({
  type: 'bundle_control',
  bundleId: 1,
  control: kind,
  flags: 3,
});

test('a bundle is carried out whole, or its failing message is answered with its own error', async (t) => {
  const { tool, ofproto } = await makeRig(t);
  const controller = await tool(5);
  const put = async (msg: OfMessage, ...errors: string[]): Promise<void> => {
    // The message in it has the version and the xid of the one around it.
    const message = encodeMessage(msg, 5, 77);
    controller.of.send({ type: 'bundle_add', bundleId: 1, flags: 3, message }, 77);
    t.deepEqual(await controller.send(), errors);
  };
  const size = ofproto.tables.size;
  await controller.send(control('open_request'));
  await put(flow(1));
  await put(flow(2));
  t.is(ofproto.tables.size, size, 'nothing is visible yet');
  t.deepEqual(await controller.send(control('commit_request')), []);
  t.is(ofproto.tables.size, size + 2);

  await controller.send(control('open_request'));
  await put(flow(3));
  // What can never be is not taken.
  await put(flow(4, { bufferId: 77 }), 'OFPBRC_BUFFER_UNKNOWN');
  await put(flow(4, { actions: [{ type: 'group', group: 9 }] }));
  t.deepEqual(await controller.send(control('commit_request')), [
    'OFPBAC_BAD_OUT_GROUP',
    'OFPBFC_MSG_FAILED',
  ]);
  t.is(ofproto.tables.size, size + 2, 'the flow before the failing one is not there either');
  t.deepEqual(await controller.send(control('commit_request')), ['OFPBFC_BAD_ID']);
});

test('a flow of a bundle finds what is there at its commit, when its life begins', async (t) => {
  const { tool, ofproto, clock } = await makeRig(t);
  const controller = await tool(5);
  const same = { match: parseFlow('tcp,tcp_dst=7,actions=drop', 'add').match };
  const add = (more: Partial<FlowMod>): OfMessage => ({
    type: 'bundle_add',
    bundleId: 1,
    flags: 3,
    message: encodeMessage(flow(9, { ...same, ...more }), 5, 77),
  });
  await controller.send(flow(9, { ...same, newCookie: 5n }), control('open_request'));
  controller.of.send(add({ newCookie: COOKIE_NONE, actions: [{ type: 'group', group: 3 }] }), 77);
  t.deepEqual(await controller.send(), []);
  clock.advance(3000);
  // The last flow of its mask goes, another comes, and so does the group.
  const other: OfMessage = flow(9, { ...same, newCookie: 6n });
  const groupMod = parseGroup('group_id=3,type=all', 'add').groupMod;
  t.deepEqual(
    await controller.send(flow(9, { command: 'delete' }), other, { type: 'group_mod', groupMod }),
    [],
  );
  t.deepEqual(await controller.send(control('commit_request')), []);
  const [found] = ofproto.dumpFlows(makeFlowFilter(same), clock.now());
  t.like(found, { cookie: 6n, durationSec: 0, actions: [{ type: 'group', group: 3 }] });
});

test('a bundle that is left alone, and a request whose rest does not come, are given up', async (t) => {
  const { tool, clock } = await makeRig(t);
  const controller = await tool(5);
  const flags = 3;
  controller.of.send({ type: 'bundle_control', bundleId: 1, control: 'open_request', flags }, 55);
  controller.of.send(
    { type: 'multipart_request', request: { type: 'table_features', tables: [] }, more: true },
    66,
  );
  t.deepEqual(await controller.send(), []);
  clock.advance(1000);
  t.deepEqual(await controller.send(), ['OFPBRC_MULTIPART_REQUEST_TIMEOUT']);
  clock.advance(8999);
  t.deepEqual(await controller.send(), []);
  clock.advance(1);
  t.deepEqual(await controller.send(), ['OFPBFC_TIMEOUT']);
});

test('how long a bundle may be left alone is looked up each time', async (t) => {
  let bundleIdleMs: number | undefined = 3000;
  const { tool, clock } = await makeRig(t, { bundleIdleMs: () => bundleIdleMs });
  const controller = await tool(5);
  const open = async (bundleId: number): Promise<void> => {
    controller.of.send({ type: 'bundle_control', bundleId, control: 'open_request', flags: 3 });
    t.deepEqual(await controller.send(), []);
  };
  await open(1);
  clock.advance(2999);
  t.deepEqual(await controller.send(), []);
  clock.advance(1);
  t.deepEqual(await controller.send(), ['OFPBFC_TIMEOUT']);
  bundleIdleMs = 1000;
  await open(2);
  clock.advance(1000);
  t.deepEqual(await controller.send(), ['OFPBFC_TIMEOUT']);
});

test('who asks for asynchronous messages gets them, and packets with an invalid TTL are one kind of them', async (t) => {
  const { tool } = await makeRig(t);
  const controller = await tool(3);
  const config = async () =>
    (await controller.of.ask({ type: 'get_config_request' }, 'get_config_reply')).config;
  t.is((await config()).missSendLen, 0);
  const masks = { packetIn: 1 << PR.INVALID_TTL, portStatus: 0, flowRemoved: 0 };
  await controller.send({ type: 'set_async', config: { primary: masks, secondary: masks } });
  t.like(await config(), { missSendLen: 128, invalidTtlToController: true });
  await controller.send({
    type: 'set_config',
    config: { frag: 'normal', invalidTtlToController: false, missSendLen: 9 },
  });
  t.like(await config(), { missSendLen: 9, invalidTtlToController: false });
});

test('since OpenFlow 1.4 the masks of all kinds of messages are said', async (t) => {
  const { tool } = await makeRig(t);
  const controller = await tool(5);
  const { config } = await controller.of.ask({ type: 'get_async_request' }, 'get_async_reply');
  t.like(config.primary, { roleStatus: 0, tableStatus: 0, requestForward: 0 });
  await controller.send({ type: 'set_async', config: { primary: { requestForward: 3 }, secondary: {} } });
  const requestForward = async (): Promise<number | undefined> =>
    (await controller.of.ask({ type: 'get_async_request' }, 'get_async_reply')).config.primary.requestForward;
  t.is(await requestForward(), 3);
  // The extension's form says all there is to say.
  const header = '05040028000000010000232000000013';
  controller.of.sendBytes(Buffer.from(header + '00000001'.repeat(6), 'hex'));
  t.is(await requestForward(), 0);
});
