/**
 * What the two switches are asked by hand, subject by subject, on fresh connections each time: every kind of message that
 * a switch takes or sends, in every version that has it, and what was once answered otherwise than by the peer.
 */
import { composePacket } from '@ovs-node/flow/compose';
import { parseExactFlow } from '@ovs-node/flow/flow-text';
import { parseMatch } from '@ovs-node/flow/match-text';
import { BUCKET } from '@ovs-node/openflow/messages/group-types';
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { FF, type FlowMod, type OfMessage, type TableFeatures } from '@ovs-node/openflow/messages/types';
import { tableFeatures } from '@ovs-node/openflow/messages/table-features';
import { header } from '@ovs-node/openflow/testkit/header';
import { Random } from '@ovs-node/openflow/testkit/random';
import { ALL_CHANGES, watch } from '@ovs-node/openflow/testkit/requests';
import {
  ask,
  bucket,
  filter,
  flow,
  frame,
  group,
  LISTEN,
  listenTo,
  meter,
  packetOut,
  portMod,
  role,
  tableMod,
} from './answer-requests.js';
import { forgetDuration } from './reply-forms.js';
import type { Answer } from './talk.js';
import { type BothSides, VERSION_NUMBERS } from './both-sides.js';
import { type AnswerCase, inBundle, LEARN, listen, ofExtension, send, XID } from './answer-case.js';
import { BUNDLES } from './bundle-cases.js';
import { MATCHES } from './match-cases.js';
import { PACKETS } from './packet-cases.js';

const SESSIONS: readonly AnswerCase[] = [
  {
    name: 'what a connection is asked first',
    run: async (sides, version) => {
      await send(
        sides,
        version,
        { type: 'echo_request', data: frame() },
        { type: 'echo_reply', data: frame() },
        { type: 'features_request' },
        { type: 'get_config_request' },
        LISTEN,
        { type: 'get_config_request' },
        { type: 'barrier_request' },
      );
      for (const frag of ['drop', 'normal'] as const) {
        const config = { frag, invalidTtlToController: version < 4 ? true : undefined, missSendLen: 5 };
        await send(sides, version, { type: 'set_config', config }, { type: 'get_config_request' });
      }
      // Another hello, one of another version, and types that there are not.
      for (const message of [header(version, 0, 5), header(1 + (version % 6), 0, 5), header(version, 99, 5)])
        await sides.send(version, message);
    },
  },
  {
    name: 'what the extensions set',
    run: async (sides, version) => {
      // In OpenFlow 1.0 it is how these are said; later versions have words of their own, and take these all the same.
      await sides.send(version, ofExtension(flow('tcp,reg0=5', 'drop'), version));
      await sides.send(version, ofExtension(role('equal', 0n), version));
      await send(
        sides,
        version,
        { type: 'set_flow_format', format: 'nxm' },
        { type: 'flow_mod_table_id', enable: true },
        flow('tcp', 'output:1', { tableId: 3 }),
        { type: 'set_packet_in_format', format: 'nxt_packet_in' },
        { type: 'flow_age' },
        { type: 'set_controller_id', controllerId: 7 },
        { type: 'set_controller_id', controllerId: 0 },
      );
    },
  },
  {
    name: 'roles',
    run: async (sides, version) => {
      await listen(sides);
      // Each election is later than those before it.
      const base = BigInt(version * 1000);
      await send(sides, version, role('nochange', base), role('primary', base + 5n));
      await sides.settle();
      for (const other of VERSION_NUMBERS)
        await send(sides, other, role('primary', base + 10n + BigInt(other)));
      await sides.settle();
      await send(sides, version, role('secondary', base + 2n), role('secondary', base + 100n));
      await send(sides, version, flow('in_port=1', 'drop'), role('equal', 0n));
    },
  },
  {
    name: 'roles are told of whatever was asked for',
    versions: [4, 5, 6],
    run: async (sides, version) => {
      const none = { roleStatus: 0 };
      await send(sides, version, LISTEN, listenTo(none), role('primary', BigInt(version * 1000 + 500)));
      const other = version === 4 ? 5 : 4;
      await send(sides, other, role('primary', BigInt(version * 1000 + 501)), role('equal', 0n));
      await sides.settle();
    },
  },
  {
    name: 'asynchronous messages',
    run: async (sides, version) => {
      await send(sides, version, { type: 'get_async_request' });
      const masks = { packetIn: 7, portStatus: 5, flowRemoved: 10, requestForward: 1 };
      const few = { packetIn: 1, portStatus: 3, flowRemoved: 7 };
      await send(sides, version, listenTo(masks, { packetIn: 1 }), { type: 'get_async_request' });
      await send(sides, version, listenTo(few), { type: 'get_async_request' });
      await sides.send(version, ofExtension(listenTo(few), version));
      await send(sides, version, { type: 'get_async_request' });
    },
  },
  {
    name: 'asynchronous messages that the fixed form does not name are not wanted any more',
    run: async (sides, version) => {
      const other = version === 5 ? 6 : 5;
      await send(sides, version, LISTEN, listenTo({ requestForward: 3 }));
      await send(sides, other, group(1));
      await sides.settle();
      await sides.send(
        version,
        ofExtension(listenTo({ packetIn: 7, portStatus: 7, flowRemoved: 7 }), version),
      );
      await send(sides, other, group(2));
      await sides.settle();
    },
  },
];

const FLOWS: readonly AnswerCase[] = [
  {
    name: 'flows are added, changed, shown, deleted, and told of',
    run: async (sides, version) => {
      await listen(sides);
      // The extension's form, on one of the connections that have it.
      if (version === 1) await sides.send(1, { type: 'set_flow_format', format: 'nxm' });
      const flags = FF.SEND_FLOW_REM;
      for (const format of ['openflow10', 'nxm'] as const) {
        const mods: readonly OfMessage[] = [
          flow('in_port=1', 'output:2', { flags, newCookie: 7n, idleTimeout: 100, hardTimeout: 200 }),
          flow('tcp,tp_dst=80', 'output:1,output:7', { flags, tableId: version > 1 ? 3 : 0 }),
          flow('in_port=1', 'output:3', { command: 'modify' }),
          flow('in_port=1', 'output:7', { command: 'modify_strict' }),
          flow('in_port=2', 'drop', { flags: flags | FF.CHECK_OVERLAP, priority: 5 }),
          flow('', 'drop', { flags: flags | FF.CHECK_OVERLAP, priority: 5 }),
        ];
        for (const mod of mods) await sides.send(version, { ...mod, format } as OfMessage);
        for (const each of [filter(), filter('in_port=1'), filter('tcp', { tableId: 3 })]) {
          await sides.send(version, ask({ type: 'flow', filter: each }, format));
          await sides.send(version, ask({ type: 'aggregate', filter: each }, format));
        }
        const strict = flow('in_port=1', 'drop', { command: 'delete_strict' });
        await sides.send(version, { ...strict, format } as OfMessage);
        await sides.send(version, flow('', 'drop', { command: 'delete', tableId: version > 1 ? 0xff : 0 }));
        await sides.settle();
      }
    },
  },
  {
    name: 'flows whose time is over are told of',
    run: async (sides, version) => {
      await listen(sides);
      if (version % 2 === 1) await sides.send(1, { type: 'set_flow_format', format: 'nxm' });
      const flags = FF.SEND_FLOW_REM;
      await sides.send(version, flow('in_port=1', 'drop', { flags, hardTimeout: 1 }));
      await sides.send(version, flow('in_port=2', 'drop', { flags, idleTimeout: 1 }));
      await sides.run('ovs-appctl', 'time/warp', '5000', '500');
      await sides.settle(forgetDuration);
    },
  },
  {
    name: 'tables',
    run: async (sides, version) => {
      for (const miss of ['continue', 'drop', 'controller', 'default'] as const)
        await send(sides, version, tableMod({ miss }), ask({ type: 'table' }));
      await send(sides, version, ask({ type: 'table_features', tables: [] }), ask({ type: 'table_desc' }));
    },
  },
  {
    name: 'features of tables are changed',
    versions: [4, 5, 6],
    run: async (sides, version) => {
      const table = (tableId: number, more: Partial<TableFeatures> = {}): TableFeatures => ({
        ...tableFeatures(tableId, 254, `t${tableId}`, 1_000_000, version),
        command: 'replace',
        ...more,
      });
      const bare = (tableId: number, more: Partial<TableFeatures> = {}): TableFeatures =>
        table(tableId, { command: 'modify', properties: [], ...more });
      const change = (...tables: TableFeatures[]): Promise<Answer> =>
        sides.send(version, ask({ type: 'table_features', tables }));
      for (const tables of [[1], [1, 1], [254], [1, 254], [255], [1, 255]])
        await change(...tables.map((id) => table(id)));
      if (version < 6) return;
      const all = Array.from({ length: 254 }, (_, id) => id);
      await change(...all.map((id) => bare(id, { command: id === 3 ? 'enable' : 'replace' })));
      await change(...all.slice(1).map((id) => bare(id, { command: 'replace' })));
      await change(table(1, { command: 'modify' }), bare(2));
      await change(table(1, { command: 'modify', tableId: 2 }));
      for (const command of ['replace', 'modify', 'enable', 'disable'] as const) {
        await change(bare(1, { command }), bare(2));
        await change(bare(1), bare(2, { command, name: 'two' }));
      }
      for (const tables of [[1, 1], [254], [1, 254]]) await change(...tables.map((id) => bare(id)));
      for (const config of [1, 4, 8, 16]) await change(bare(1, { config }));
      for (const maxEntries of [0, 5, 2_000_000]) await change(bare(1, { maxEntries }));
      await change(bare(1, { metadataMatch: 5n, metadataWrite: 0n, name: 'one' }));
      await change(...all.map((id) => bare(id, { name: '' })));
    },
  },
  {
    name: 'tables make room, by their configuration or by the flags of the property',
    versions: [5, 6],
    run: async (sides, version) => {
      for (const eviction of [true, false]) {
        for (const evictionFlags of [undefined, 0, 1, 2, 3, 7]) {
          await sides.send(version, tableMod({ eviction, evictionFlags }));
          await sides.send(version, ask({ type: 'table_desc' }));
        }
      }
      await sides.send(version, tableMod({ eviction: false }));
    },
  },
  {
    name: 'requests in parts',
    versions: [4, 5, 6],
    run: async (sides, version) => {
      const requests: readonly OfMessage[] = [
        ask({ type: 'desc' }),
        ask({ type: 'flow', filter: filter() }),
        ask({ type: 'port', portNo: 1 }),
        ask({ type: 'group_desc', group: 1 }),
        ask({ type: 'table_features', tables: [] }),
      ];
      for (const [i, request] of requests.entries()) {
        const bytes = encodeMessage(request, version, XID + i);
        const more = Uint8Array.from(bytes);
        more[11] |= 1;
        // Without a body, and with one that is not to be read.
        const empty = Uint8Array.from(more.subarray(0, 16));
        empty.set([0, 16], 2);
        const broken = more.map((byte, at) => (at === 48 ? 0xff : byte));
        const other = encodeMessage(requests[i === 0 ? 1 : 0], version, XID + i);
        for (const parts of [
          [more, bytes],
          [empty, bytes],
          [more, more, bytes],
          [more, other, bytes],
          [broken, bytes],
          [empty, empty],
        ])
          for (const part of parts) await sides.send(version, part);
        // The rest of what is still awaited.
        await sides.send(version, bytes);
      }
      // Lists are joined.
      await sides.send(version, flow('in_port=1', 'drop'));
      for (const id of [1, 2]) {
        const part = encodeMessage(watch({ id }), version, XID);
        part[11] = id === 1 ? 1 : 0;
        await sides.send(version, part);
      }
      await sides.send(version, flow('in_port=2', 'drop'));
      await sides.settle();
    },
  },
  {
    name: 'tables that fill are told of',
    versions: [5, 6],
    run: async (sides, version) => {
      await listen(sides);
      const row = ['--id=@t', 'create', 'flow_table', 'flow_limit=2'];
      const set = ['set', 'bridge', 'br0', 'flow_tables:4=@t'];
      for (const suite of [sides.peer, sides.ours]) await suite.vsctl(...row, '--', ...set);
      const vacancy = { down: 40, up: 60, vacancy: 0 };
      await sides.send(version, tableMod({ tableId: 4, vacancyEvents: true, vacancy }));
      for (const n of [1, 2, 3]) await sides.send(version, flow(`in_port=${n}`, 'drop', { tableId: 4 }));
      await sides.send(version, flow('', 'drop', { command: 'delete', tableId: 4 }));
      // What is learned finds no room either.
      await sides.send(version, flow('', 'drop', { tableId: 4 }));
      await sides.send(version, flow('in_port=1', 'drop', { tableId: 4 }));
      await sides.send(version, packetOut('learn(table=4,NXM_OF_ETH_SRC[])'));
      await inBundle(sides, version, [flow('', 'drop'), packetOut('learn(table=4,NXM_OF_ETH_SRC[])')]);
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
      await sides.settle();
      for (const suite of [sides.peer, sides.ours])
        await suite.vsctl('clear', 'bridge', 'br0', 'flow_tables');
    },
  },
  {
    name: 'flows that make room for others are told of, and which they are',
    run: async (sides, version) => {
      await listen(sides);
      for (const v of [1, 5]) await sides.send(v, watch({ flags: ALL_CHANGES }));
      const limit = async (...row: string[]): Promise<void> => {
        const set = ['set', 'bridge', 'br0', 'flow_tables:0=@t'];
        for (const suite of [sides.peer, sides.ours])
          await suite.vsctl('--id=@t', 'create', 'flow_table', ...row, '--', ...set);
      };
      const add = (n: number, mod: Partial<FlowMod> = {}): Promise<unknown> =>
        sides.send(version, flow(`in_port=${n}`, 'drop', { flags: FF.SEND_FLOW_REM, ...mod }));
      await limit('flow_limit=4', 'overflow_policy=evict');
      const vacancy = { down: 40, up: 60, vacancy: 0 };
      await sides.send(5, tableMod({ tableId: 0, vacancyEvents: true, vacancy }));
      for (let n = 1; n < 11; n++) await add(n, { idleTimeout: 100, importance: n === 9 ? 1 : 0 });
      await sides.settle();
      for (let n = 11; n < 14; n++) await add(n);
      await sides.settle();
      await limit('flow_limit=2', 'overflow_policy=evict');
      await sides.settle();
      for (const n of [14, 15]) await add(n);
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
      // A table that is full already has nothing to tell of until there is much room.
      await sides.send(5, tableMod({ tableId: 0, vacancyEvents: false }));
      await sides.send(5, tableMod({ tableId: 0, vacancyEvents: true, vacancy }));
      await sides.send(version, flow('in_port=15', 'drop', { command: 'delete' }));
      await add(15);
      await sides.settle();
      await sides.send(version, flow('', 'drop', { command: 'delete' }));
      await sides.settle();
      await sides.send(5, tableMod({ tableId: 0, vacancyEvents: false }));
      for (const suite of [sides.peer, sides.ours])
        await suite.vsctl('clear', 'bridge', 'br0', 'flow_tables');
    },
  },
  {
    name: 'flow monitors',
    run: async (sides, version) => {
      for (const v of VERSION_NUMBERS) await sides.send(v, watch({ flags: ALL_CHANGES }));
      await sides.send(version, flow('in_port=1', 'output:2'));
      if (version > 1) {
        const instructions =
          'output:1,clear_actions,write_actions(output:2),write_metadata:1/15,goto_table:4';
        await sides.send(version, flow('in_port=2', instructions));
      }
      await sides.send(version, flow('in_port=1', 'output:7', { command: 'modify' }));
      // What a packet teaches is nobody's own.
      await sides.send(version, packetOut(LEARN));
      await sides.send(version, flow('', 'drop', { command: 'delete', tableId: version > 1 ? 0xff : 0 }));
      await sides.settle();
      for (const id of [1, 1]) await send(sides, version, { type: 'flow_monitor_cancel', id });
    },
  },
];

const ONE_BAND = { type: 'drop', rate: 1000, burstSize: 0, precLevel: 0 } as const;

const GROUPS: readonly AnswerCase[] = [
  {
    name: 'groups',
    run: async (sides, version) => {
      await listen(sides);
      const selection = { method: 'hash', param: 5n, fields: [{ field: 'ip_src', mask: 0xffffffffn }] };
      const two = [bucket(1, 'output:1', 5), bucket(2, 'output:2,group:4', 6)];
      const requests: readonly OfMessage[] = [
        group(3, { groupType: 'select', buckets: two, selection: version % 5 === 1 ? selection : undefined }),
        group(3, { command: 'modify', groupType: 'all', buckets: [bucket(1, 'output:7')] }),
        group(4, { command: 'add_or_modify', buckets: [bucket(1, 'output:7')] }),
        group(4, { command: 'add_or_modify', groupType: 'select', buckets: two }),
        group(4, { command: 'insert_bucket', commandBucketId: 1, buckets: [bucket(7, 'output:7', 9)] }),
        group(4, { command: 'insert_bucket', commandBucketId: BUCKET.LAST, buckets: [bucket(8, 'drop')] }),
        group(4, { command: 'remove_bucket', commandBucketId: 1 }),
        group(4, { command: 'remove_bucket', commandBucketId: 1 }),
        group(5, { groupType: 'indirect', buckets: [bucket(0, 'output:1')] }),
        group(6, {
          groupType: 'fast_failover',
          buckets: [{ ...bucket(0, 'output:1'), watchPort: 1 }],
        }),
        group(5, {}),
        group(99, { command: 'modify' }),
        flow('in_port=1', 'group:3', { flags: FF.SEND_FLOW_REM }),
        packetOut('group:3'),
        // Buckets that stay have counted what they had, and a flow that uses a group twice does so twice.
        group(7, { buckets: [bucket(1, 'output:1'), bucket(2, 'output:2')] }),
        flow('in_port=2', 'group:7,group:7'),
        packetOut('group:7'),
        group(7, { command: 'insert_bucket', commandBucketId: BUCKET.FIRST, buckets: [bucket(9, 'drop')] }),
        group(7, { command: 'remove_bucket', commandBucketId: BUCKET.LAST }),
      ];
      await send(sides, version, ...requests);
      const all = 0xfffffffc;
      for (const request of [
        ask({ type: 'group', group: all }),
        ask({ type: 'group', group: 3 }),
        ask({ type: 'group_desc', group: all }),
        ask({ type: 'group_features' }),
      ])
        await send(sides, version, request);
      await sides.send(version, flow('in_port=2', 'drop'));
      await sides.send(version, watch({}));
      await send(sides, version, group(3, { command: 'delete' }), group(all, { command: 'delete' }));
      await sides.settle();
    },
  },
  {
    name: 'packets to groups without buckets',
    versions: [4, 6],
    run: async (sides, version) => {
      for (const groupType of ['all', 'select', 'indirect', 'fast_failover'] as const) {
        // A bucket may watch a port in two types of groups only, and has to in one.
        const watching = groupType === 'fast_failover' ? { watchPort: 1 } : {};
        await sides.send(6, group(3, { groupType, buckets: [{ ...bucket(0, 'output:1'), ...watching }] }));
        await sides.send(version, packetOut('group:3'));
        await sides.send(6, group(3, { command: 'remove_bucket' }));
        await sides.send(version, packetOut('group:3,output:2'));
        await sides.settle();
        await sides.send(version, ask({ type: 'group', group: 3 }));
        await sides.send(version, ask({ type: 'port', portNo: 2 }));
        await sides.send(6, group(3, { command: 'delete' }));
      }
    },
  },
  {
    name: 'select groups take the same bucket of every packet',
    versions: [6],
    run: async (sides, version) => {
      const buckets = [bucket(1, 'output:2', 3), bucket(2, 'output:7', 2), bucket(3, 'output:1', 1)];
      const fields = [{ field: 'ip_src', mask: 0xffffffffn }];
      const methods = [
        undefined,
        { method: 'dp_hash', param: 5n, fields: [] },
        { method: 'dp_hash', param: 0x100000005n, fields: [] },
        { method: 'hash', param: 7n, fields },
      ];
      const r = new Random(5);
      for (const selection of methods) {
        const select = { groupType: 'select', buckets, selection } as const;
        await sides.send(version, group(3, { command: 'add_or_modify', ...select }));
        await sides.send(version, flow('', 'group:3'));
        // By the length of what they send the ports tell which packets they had.
        for (let i = 0; i < 10; i++) {
          const packets = Array.from({ length: 25 }, (_, n) => randomPacket(r, 60 + 25 * i + n));
          await sides.run('ovs-appctl', 'netdev-dummy/receive', 'p1', ...packets);
          await sides.settle();
          await sides.send(version, ask({ type: 'port', portNo: 0xffffffff }));
        }
        await sides.run('ovs-appctl', 'revalidator/purge');
        await sides.send(version, ask({ type: 'group_desc', group: 3 }));
      }
    },
  },
  {
    name: 'meters',
    versions: [4, 5, 6],
    run: async (sides, version) => {
      await listen(sides);
      await send(
        sides,
        version,
        meter('add', 1),
        meter('add', 1),
        meter('modify', 1, { flags: 2 }),
        meter('modify', 9),
        meter('modify', 9, { bands: Array.from({ length: 9 }, () => ONE_BAND) }),
        flow('in_port=1', 'meter:1,output:2', { flags: FF.SEND_FLOW_REM }),
        flow('in_port=2', 'meter:2,output:2'),
        ask({ type: 'meter', meter: 0xffffffff }),
        ask({ type: 'meter', meter: 9 }),
        ask({ type: 'meter_config', meter: 1 }),
        ask({ type: 'meter_features' }),
      );
      // Packets to controllers go by the meter that there was when their flow came.
      await send(
        sides,
        version,
        flow('', 'controller(max_len=64,meter_id=9)', { tableId: 8 }),
        meter('add', 9),
        packetOut('resubmit(,8)'),
        ask({ type: 'meter', meter: 9 }),
        flow('', 'controller(max_len=64,meter_id=9)', { tableId: 8 }),
        packetOut('resubmit(,8)'),
        ask({ type: 'meter', meter: 9 }),
        flow('', 'drop', { tableId: 8 }),
        meter('delete', 9),
      );
      await sides.settle();
      await send(sides, 5, watch({}));
      if (version < 5) await send(sides, version, watch({}));
      await send(sides, version, meter('delete', 1));
      await sides.settle();
    },
  },
  {
    name: 'labels and classes of MPLS with more bits than there are are shown as they came',
    versions: [2],
    run: async (sides, version) => {
      const actions = [
        { type: 'push_mpls' as const, ethertype: 0x8847 },
        { type: 'set_mpls_label' as const, value: 0x46000005 },
        { type: 'set_mpls_tc' as const, value: 255 },
      ];
      await sides.send(version, group(1, { buckets: [{ ...bucket(0, 'drop'), actions }] }));
      for (const v of VERSION_NUMBERS) await sides.send(v, ask({ type: 'group_desc', group: 1 }));
    },
  },
];

/** A packet of a protocol, with addresses and ports, of so many bytes; in hexadecimal. */
function randomPacket(r: Random, size: number): string {
  const ports = (of: string): string => `${of}_src=${r.below(65536)},${of}_dst=${r.below(65536)}`;
  const ip = (): string => `10.${r.below(256)}.${r.below(256)}.${r.below(256)}`;
  const v6 = (): string => `2001::${r.below(65536).toString(16)}`;
  const v4 = `nw_src=${ip()},nw_dst=${ip()}`;
  const flows = [
    `tcp,${v4},${ports('tcp')}`,
    `udp,${v4},${ports('udp')}`,
    `sctp,${v4},${ports('sctp')}`,
    `icmp,${v4},icmp_type=8`,
    `udp6,ipv6_src=${v6()},ipv6_dst=${v6()},${ports('udp')}`,
    `dl_type=0x9999`,
  ];
  const text = `dl_src=02:00:00:00:00:${10 + r.below(90)},${r.pick(flows)}`;
  return Buffer.from(composePacket(parseExactFlow(text), { size })).toString('hex');
}

const PORT_CASES: readonly AnswerCase[] = [
  {
    name: 'ports',
    run: async (sides, version) => {
      await listen(sides);
      const any = 0xffffffff;
      for (const portNo of [1, 9, 0xfffffffe, any]) {
        await send(sides, version, ask({ type: 'port', portNo }), ask({ type: 'port_desc', portNo }));
        await send(sides, version, ask({ type: 'queue', portNo, queueId: any }));
        await send(sides, version, ask({ type: 'queue_desc', portNo, queueId: any }));
        await send(sides, version, { type: 'queue_get_config_request', portNo });
      }
      // Not to be flooded to, and back.
      for (const config of [0x10, 0]) await send(sides, version, portMod(1, { config, mask: 0x10 }));
      for (const config of [1, 0]) await send(sides, version, portMod(2, { config, mask: 0x7f }));
      await send(sides, version, portMod(9), portMod(1, { hwAddr: 5n }));
      await sides.settle();
    },
  },
  {
    name: 'ports that let nothing in',
    versions: [1, 2, 6],
    run: async (sides, version) => {
      // Of the spanning tree protocol, in no Ethernet type, and in one.
      const stp = Buffer.from('0180c2000000001122334455002642420300'.padEnd(120, '0'), 'hex');
      const typed = Buffer.concat([stp.subarray(0, 12), frame().subarray(12)]);
      for (const config of [0x02, 0x04, 0x08, 0x0c, 0x7f, 0]) {
        await sides.send(version, portMod(1, { config, mask: 0x7f }));
        // The peer goes by it, and knows whether there is a link, when it has come round once more.
        await sides.settle();
        await sides.send(version, ask({ type: 'port_desc', portNo: 1 }));
        for (const packet of [frame(), stp, typed])
          await sides.send(version, packetOut('output:2', { packet }));
        await sides.settle();
        await sides.send(version, ask({ type: 'port', portNo: 2 }));
      }
    },
  },
  {
    name: 'ports whose packets do not go to controllers',
    versions: [2],
    run: async (sides, version) => {
      await listen(sides);
      const receive = async (): Promise<void> => {
        for (const port of ['p1', 'p2']) {
          await sides.run('ovs-appctl', 'revalidator/purge');
          await sides.run('ovs-appctl', 'netdev-dummy/receive', port, Buffer.from(frame()).toString('hex'));
          await sides.settle();
        }
      };
      await sides.send(version, portMod(1, { config: 0x40, mask: 0x40 }));
      await receive();
      await sides.send(version, flow('', 'goto_table:252', { priority: 0 }));
      await sides.send(version, tableMod({ tableId: 252, miss: 'continue' }));
      for (const miss of ['continue', 'drop', 'controller'] as const) {
        await sides.send(version, tableMod({ tableId: 253, miss }));
        await receive();
      }
      await sides.send(version, portMod(1, { mask: 0x40 }));
    },
  },
  {
    name: 'ports come and go',
    versions: [1],
    run: async (sides) => {
      await listen(sides);
      const add = ['add-port', 'br0', 'p9', '--', 'set', 'interface', 'p9', 'type=dummy', 'ofport_request=9'];
      await sides.run('ovs-vsctl', ...add);
      await sides.settle();
      await sides.run('ovs-vsctl', 'del-port', 'p9');
      await sides.settle();
    },
  },
];

const OTHERS: readonly AnswerCase[] = [
  {
    name: 'descriptions, and what IPFIX would have counted',
    run: async (sides, version) => {
      const types = ['desc', 'ipfix_bridge', 'ipfix_flow'] as const;
      await send(sides, version, ...types.map((type) => ask({ type })));
    },
  },
  {
    name: 'tunnel options',
    run: async (sides, version) => {
      const mapping = { optionClass: 0xffff, optionType: 1, optionLen: 4, index: 3 };
      await send(
        sides,
        version,
        { type: 'tlv_table_request' },
        { type: 'tlv_table_mod', command: 'add', mappings: [mapping] },
        { type: 'tlv_table_mod', command: 'add', mappings: [mapping] },
        { type: 'tlv_table_request' },
        { type: 'tlv_table_mod', command: 'delete', mappings: [mapping] },
        { type: 'tlv_table_mod', command: 'clear', mappings: [] },
      );
    },
  },
  {
    name: 'connections are flushed',
    run: async (sides, version) => {
      const nothing = { src: 0n, dst: 0n, srcPort: 0, dstPort: 0, icmpType: 0, icmpCode: 0 };
      const orig = { ...nothing, src: 0xffff0a000001n, srcPort: 5 };
      await send(
        sides,
        version,
        { type: 'ct_flush_zone', zone: 5 },
        { type: 'ct_flush', flush: { ipProto: 6, zone: 5, orig, reply: nothing } },
        { type: 'ct_flush', flush: { ipProto: 0, zone: undefined, orig: nothing, reply: nothing } },
      );
    },
  },
  {
    name: 'what a switch sends is no request',
    run: async (sides, version) => {
      await send(
        sides,
        version,
        { type: 'barrier_reply' },
        { type: 'flow_removed', removed: REMOVED, format: 'openflow10' },
        { type: 'multipart_reply', reply: { type: 'flow', flows: [] }, more: false },
      );
    },
  },
];
const REMOVED = {
  match: parseMatch('in_port=1'),
  cookie: 0n,
  priority: 5,
  reason: 'idle',
  tableId: 0,
  durationSec: 0,
  durationNsec: 0,
  idleTimeout: 0,
  hardTimeout: 0,
  packetCount: 0n,
  byteCount: 0n,
} as const;

export const ANSWER_CASES: readonly AnswerCase[] = [
  ...SESSIONS,
  ...FLOWS,
  ...MATCHES,
  ...GROUPS,
  ...PORT_CASES,
  ...PACKETS,
  ...BUNDLES,
  ...OTHERS,
];

/** Leaves the switches as they were. */
export async function cleanUp(sides: BothSides): Promise<void> {
  await sides.send(5, flow('', 'drop', { command: 'delete', tableId: 0xff }));
  await sides.send(5, group(0xfffffffc, { command: 'delete' }));
  await sides.send(5, meter('delete', 0xffffffff));
  await sides.run('ovs-appctl', 'fdb/flush', 'br0');
}
