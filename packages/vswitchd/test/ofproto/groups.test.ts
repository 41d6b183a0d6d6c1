import { readFileSync } from 'node:fs';
import test from 'ava';
import { OFPP } from '@ovs-node/flow/ports';
import { parseActions } from '@ovs-node/openflow/actions/text';
import { BUCKET, type Bucket, type GroupMod, type GroupType } from '@ovs-node/openflow/messages/group-types';
import { GROUP_ANY, NO_BUFFER, PC } from '@ovs-node/openflow/messages/types';
import { ofprotoCommands } from '../../src/ofproto/appctl.js';
import { Group } from '../../src/ofproto/group.js';
import { ALL_GROUPS } from '../../src/ofproto/group-table.js';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { bareBridge, flowLines, flowMod, mod } from './bench.js';

function bucket(bucketId: number, actions: string, more: Partial<Bucket> = {}): Bucket {
  return {
    weight: 1,
    watchPort: OFPP.ANY,
    watchGroup: GROUP_ANY,
    bucketId,
    actions: parseActions(actions),
    ...more,
  };
}

function groupMod(
  groupId: number,
  groupType: GroupType,
  buckets: readonly Bucket[],
  more: Partial<GroupMod> = {},
): GroupMod {
  return {
    command: 'add',
    groupType,
    groupId,
    commandBucketId: BUCKET.ALL,
    buckets,
    selection: undefined,
    ...more,
  };
}

const hash = (method: string, ...fields: string[]): GroupMod['selection'] => ({
  method,
  param: 0n,
  fields: fields.map((field) => ({ field, mask: (1n << 128n) - 1n })),
});
const TO_23 = [bucket(0, 'output:2'), bucket(1, 'output:3')];

/** The groups with which the peer made the fixture. */
const GROUPS: readonly GroupMod[] = [
  groupMod(1, 'all', [bucket(0, 'set_field:00:00:00:00:00:01->eth_dst,output:2'), bucket(1, 'output:3')]),
  groupMod(2, 'indirect', [bucket(0, 'set_field:00:00:00:00:00:01->eth_dst,output:2')]),
  groupMod(3, 'fast_failover', [
    bucket(0, 'output:2', { watchPort: 2 }),
    bucket(1, 'output:3', { watchPort: 3 }),
  ]),
  groupMod(4, 'select', TO_23),
  groupMod(5, 'select', TO_23, { selection: hash('hash', 'nw_src', 'nw_dst', 'tcp_src') }),
  groupMod(6, 'select', [bucket(0, 'output:2', { weight: 3 }), bucket(1, 'output:3')], {
    selection: hash('dp_hash'),
  }),
  groupMod(7, 'all', [bucket(0, 'group:2'), bucket(1, 'resubmit(,7)')]),
  groupMod(8, 'all', []),
  groupMod(9, 'fast_failover', [bucket(0, 'output:5', { watchPort: 5 })]),
  groupMod(11, 'select', TO_23, { selection: hash('hash') }),
];

function bridgeWithGroups(): Ofproto {
  const bridge = bareBridge(5);
  for (const each of GROUPS) {
    const error = bridge.groupMod(each, 0);
    if (error) throw new Error(error.toString());
  }
  bridge.setPortConfig(5, PC.PORT_DOWN, PC.PORT_DOWN);
  return bridge;
}

const withoutNumbers = (text: string): string =>
  text.replaceAll(/recirc\((0x[0-9a-f]+|N)\)/g, 'recirc(N)').trimEnd();

test('traces through groups of every type are the peer’s', (t) => {
  const url = new URL('../../../test/ofproto/fixtures/groups.json', import.meta.url);
  const { traces } = JSON.parse(readFileSync(url, 'utf8')) as { traces: { port: number; text: string }[] };
  const bridge = bridgeWithGroups();
  const command = ofprotoCommands({ backers: () => [bridge.backer], now: () => 0 }).find(
    (row) => row.name === 'ofproto/trace',
  )!;
  for (const { groupId: g } of GROUPS) {
    mod(bridge, 'add', `in_port=1,tcp,tp_dst=${g},actions=group:${g},output:4`);
    mod(bridge, 'add', `in_port=1,tcp,tp_dst=10${g},actions=write_actions(group:${g})`);
  }
  const flow =
    'in_port=1,tcp,dl_src=50:54:00:00:00:01,dl_dst=50:54:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,tcp_src=1000';
  for (const { port, text } of traces) {
    const traced = command.handler(['br0', `${flow},tcp_dst=${port}`]) as string;
    t.is(withoutNumbers(traced.split('\n').slice(2).join('\n')), withoutNumbers(text), `group ${port}`);
  }
  t.is(bridge.backer.recirc.size, 0);
});

test('a bucket that weighs nothing is not selected', (t) => {
  const bridge = bareBridge(3);
  bridge.groupMod(groupMod(1, 'select', [bucket(0, 'output:2', { weight: 0 })]), 0);
  mod(bridge, 'add', 'in_port=1,actions=group:1');
  const command = ofprotoCommands({ backers: () => [bridge.backer], now: () => 0 }).find(
    (row) => row.name === 'ofproto/trace',
  )!;
  const text = command.handler(['br0', 'in_port=1,tcp']) as string;
  t.regex(text, /-> bucket 0: not live due to \n +-> no live bucket\n/, 'in the words of the peer');
  t.regex(text, /Datapath actions: drop$/m);
});

test('what a bucket puts on the stack is there after it, for the buckets behind it, too', (t) => {
  const bridge = bareBridge(3);
  bridge.groupMod(groupMod(1, 'all', [bucket(0, 'resubmit(,5)'), bucket(1, 'resubmit(,6)')]), 0);
  mod(bridge, 'add', 'table=5,actions=set_field:5->reg0,push:reg0,set_field:6->reg0,push:reg0');
  mod(bridge, 'add', 'table=6,actions=pop:reg1,output:reg1');
  mod(bridge, 'add', 'table=0,actions=group:1,pop:reg2');
  const command = ofprotoCommands({ backers: () => [bridge.backer], now: () => 0 }).find(
    (row) => row.name === 'ofproto/trace',
  )!;
  const text = command.handler(['br0', 'in_port=1,tcp']) as string;
  t.regex(text, /-> NXM_NX_REG1\[\] is now 0x6$/m);
  t.regex(text, /-> NXM_NX_REG2\[\] is now 0x5$/m);
});

test('a bucket is not live for want of a group in the words that it is not for want of a port', (t) => {
  const bridge = bareBridge(3);
  bridge.groupMod(groupMod(2, 'fast_failover', []), 0);
  bridge.groupMod(groupMod(1, 'fast_failover', [bucket(0, 'output:2', { watchPort: 7, watchGroup: 2 })]), 0);
  mod(bridge, 'add', 'in_port=1,actions=group:1');
  const command = ofprotoCommands({ backers: () => [bridge.backer], now: () => 0 }).find(
    (row) => row.name === 'ofproto/trace',
  )!;
  const text = command.handler(['br0', 'in_port=1,tcp']) as string;
  t.regex(text, /-> bucket 0: not live due to port 7 and port 2\n +-> no live bucket\n/, 'as by the peer');
});

test('a group counts a packet once, however many buckets take a copy, and none that finds no live bucket', (t) => {
  const bridge = bareBridge(3);
  bridge.groupMod(groupMod(1, 'all', TO_23), 0);
  bridge.groupMod(groupMod(2, 'fast_failover', [bucket(0, 'output:2', { watchPort: 9 })]), 0);
  const { match, actions } = flowMod('add', 'in_port=1,actions=group:1,group:2');
  bridge.packetOut({ bufferId: NO_BUFFER, match, actions, packet: new Uint8Array(60) }, 0);
  const counts = (id: number): bigint[] => {
    const { packetCount, buckets } = bridge.groups.get(id)!.stats(0, 0);
    return [packetCount, ...buckets.map((each) => each.packetCount)];
  };
  t.deepEqual(counts(1), [1n, 1n, 1n]);
  t.deepEqual(counts(2), [0n, 0n]);
});

test('hash values are spread over buckets by weight, the first bucket first', (t) => {
  const shares = (...weights: number[]): number[] => {
    const buckets = weights.map((weight, i) => bucket(i, 'output:2', { weight }));
    const { choice } = new Group({ groupId: 1, groupType: 'select', buckets, selection: undefined }, 0);
    if (choice?.by !== 'dp_hash') return [];
    return weights.map((_, i) => choice.map.filter((at) => at === i).length);
  };
  t.deepEqual(shares(1, 1), [8, 8]);
  t.deepEqual(shares(3, 1), [12, 4]);
  t.deepEqual(shares(1, 0), [16, 0]);
  t.deepEqual(shares(1, 31), [1, 31]);
  t.deepEqual(shares(1, 1000), [], 'too many values: the packet is hashed here');
  t.deepEqual(shares(0, 0), []);
});

test('group-mods that cannot be change nothing', (t) => {
  const bridge = bridgeWithGroups();
  const before = JSON.stringify(bridge.groups.select(ALL_GROUPS).map((group) => group.desc.buckets.length));
  const refused = (groupMod: GroupMod): string | undefined => bridge.groupMod(groupMod, 0)?.name;
  t.is(refused(groupMod(1, 'all', [])), 'OFPGMFC_GROUP_EXISTS');
  t.is(refused(groupMod(99, 'all', [], { command: 'modify' })), 'OFPGMFC_UNKNOWN_GROUP');
  t.is(refused(groupMod(99, 'all', [], { command: 'insert_bucket' })), 'OFPGMFC_UNKNOWN_GROUP');
  t.is(refused(groupMod(0xffffff01, 'all', [])), 'OFPGMFC_INVALID_GROUP');
  const insert = { command: 'insert_bucket', commandBucketId: BUCKET.LAST } as const;
  t.is(refused(groupMod(1, 'all', [bucket(1, 'output:1')], insert)), 'OFPGMFC_BUCKET_EXISTS');
  t.is(
    refused(groupMod(1, 'all', [bucket(9, 'output:1')], { ...insert, commandBucketId: 7 })),
    'OFPGMFC_UNKNOWN_BUCKET',
  );
  t.is(
    refused(groupMod(1, 'all', [], { command: 'remove_bucket', commandBucketId: 7 })),
    'OFPGMFC_UNKNOWN_BUCKET',
  );
  t.is(refused(groupMod(99, 'all', [], { command: 'delete' })), undefined, 'nothing to delete is no error');
  t.is(JSON.stringify(bridge.groups.select(ALL_GROUPS).map((group) => group.desc.buckets.length)), before);
});

test('buckets are inserted and removed where the command says', (t) => {
  const bridge = bridgeWithGroups();
  const ids = (): number[] => bridge.groups.get(1)!.buckets.map((each) => each.bucketId);
  const insert = (at: number, id: number): void => {
    const buckets = [bucket(id, 'output:1')];
    t.is(
      bridge.groupMod(groupMod(1, 'all', buckets, { command: 'insert_bucket', commandBucketId: at }), 0),
      undefined,
    );
  };
  insert(BUCKET.FIRST, 10);
  insert(BUCKET.LAST, 11);
  insert(0, 12);
  t.deepEqual(ids(), [10, 0, 12, 1, 11]);
  for (const at of [BUCKET.FIRST, BUCKET.LAST, 12]) {
    bridge.groupMod(groupMod(1, 'all', [], { command: 'remove_bucket', commandBucketId: at }), 0);
  }
  t.deepEqual(ids(), [0, 1]);
  t.is(bridge.groups.get(1)!.type, 'all');
  bridge.groupMod(groupMod(1, 'all', [], { command: 'remove_bucket', commandBucketId: BUCKET.ALL }), 0);
  t.deepEqual(ids(), []);
});

test('buckets that stay when others come or go have counted what they had, the group begins anew', (t) => {
  const bridge = bareBridge(3);
  bridge.groupMod(groupMod(1, 'all', TO_23), 0);
  const { match, actions } = flowMod('add', 'in_port=1,actions=group:1');
  const counts = (): bigint[] => {
    bridge.packetOut({ bufferId: NO_BUFFER, match, actions, packet: new Uint8Array(60) }, 0);
    const { packetCount, buckets } = bridge.groups.get(1)!.stats(0, 0);
    return [packetCount, ...buckets.map((each) => each.packetCount)];
  };
  const change = (command: GroupMod['command'], commandBucketId: number, buckets = TO_23): void =>
    void bridge.groupMod(groupMod(1, 'all', buckets, { command, commandBucketId }), 0);
  t.deepEqual(counts(), [1n, 1n, 1n]);
  change('insert_bucket', BUCKET.FIRST, [bucket(7, 'output:2')]);
  t.deepEqual(counts(), [1n, 1n, 2n, 2n]);
  change('remove_bucket', 0, []);
  t.deepEqual(counts(), [1n, 2n, 3n]);
  change('modify', BUCKET.ALL);
  t.deepEqual(counts(), [1n, 1n, 1n]);
});

test('flows need their group, are counted as its users, and go with it', (t) => {
  const bridge = bridgeWithGroups();
  t.throws(() => mod(bridge, 'add', 'actions=group:77'), { message: 'OFPBAC_BAD_OUT_GROUP' });
  mod(bridge, 'add', 'in_port=1,actions=group:1,group:2');
  mod(bridge, 'add', 'in_port=2,actions=write_actions(group:1)');
  mod(bridge, 'add', 'in_port=3,actions=output:1');
  t.is(bridge.tables.groupUsers(1), 2);
  mod(bridge, 'modify', 'in_port=2,actions=output:9');
  t.is(bridge.tables.groupUsers(1), 1);
  mod(bridge, 'add', 'in_port=4,actions=group:1,group:1');
  t.is(bridge.tables.groupUsers(1), 3, 'one that uses it twice counts twice');
  mod(bridge, 'modify', 'in_port=4,actions=output:9');
  t.is(bridge.tables.groupUsers(1), 1);
  mod(bridge, 'delete', 'in_port=4,actions=drop');
  mod(bridge, 'delete', 'actions=drop', 0, { outGroup: 3 });
  t.is(flowLines(bridge).length, 3);
  bridge.groupMod(groupMod(2, 'all', [], { command: 'delete' }), 0);
  t.is(flowLines(bridge).length, 2);
  t.is(bridge.tables.groupUsers(1), 0);
});

test('a transaction is carried out whole or not at all', (t) => {
  const bridge = bridgeWithGroups();
  const removed: string[] = [];
  bridge.events.onFlowRemoved = ({ reason }) => void removed.push(reason);
  mod(bridge, 'add', 'priority=1,in_port=1,actions=output:2', 0, { flags: 1 });
  mod(bridge, 'add', 'priority=2,in_port=1,actions=group:1', 0, { flags: 1 });
  const state = (): string[] => [
    // What was put back is last in the order of a dump.
    ...flowLines(bridge).toSorted(),
    ...bridge.groups.select(ALL_GROUPS).map((group) => `${group.id} ${bridge.tables.groupUsers(group.id)}`),
  ];
  const before = state();
  const change = (): void => {
    mod(bridge, 'add', 'priority=1,in_port=1,actions=output:3');
    mod(bridge, 'add', 'priority=9,actions=group:3');
    mod(bridge, 'modify', 'in_port=1,actions=output:4');
    bridge.groupMod(groupMod(1, 'all', [], { command: 'delete' }), 0);
    bridge.groupMod(groupMod(50, 'all', []), 0);
    mod(bridge, 'add', 'actions=group:50');
    mod(bridge, 'delete', 'in_port=1');
  };
  t.is(
    bridge.transaction(1000, () => (change(), 'refused')),
    'refused',
  );
  t.deepEqual(state(), before);
  t.throws(() =>
    bridge.transaction(1000, () => {
      change();
      throw new Error('a fault');
    }),
  );
  t.deepEqual(state(), before);
  t.deepEqual(removed, [], 'nobody was told');
  t.is(
    bridge.transaction(1000, () => change()),
    undefined,
  );
  t.notDeepEqual(state(), before);
  t.deepEqual(removed, ['delete'], 'a flow that another took the place of is not told of');
});
