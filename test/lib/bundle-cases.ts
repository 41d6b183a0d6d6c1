/** Cases of answer-cases.ts: bundles of messages. */
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { ask, bucket, bundle, bundled, filter, flow, group, packetOut, portMod } from './answer-requests.js';
import { type AnswerCase, inBundle, LEARN, listen, WITH_BUNDLES, XID } from './answer-case.js';

export const BUNDLES: readonly AnswerCase[] = [
  {
    name: 'bundles: what can be in one',
    versions: WITH_BUNDLES,
    run: async (sides, version) => {
      await listen(sides);
      const messages = [
        flow('in_port=1', 'output:2'),
        group(3, { buckets: [bucket(1, 'output:1')] }),
        portMod(1, { config: 0x10, mask: 0x10 }),
        packetOut('output:2'),
      ];
      for (const flags of [0, 1, 2, 3]) await inBundle(sides, version, messages, flags);
      await inBundle(sides, version, [group(3, { command: 'delete' }), portMod(1, { mask: 0x10 })], 0);
      await inBundle(sides, version, [portMod(99)], 0);
      await sides.send(version, bundled(version, { type: 'barrier_request' }));
      await sides.settle();
    },
  },
  {
    name: 'bundles: what cannot be is not taken',
    versions: WITH_BUNDLES,
    run: async (sides, version) => {
      await inBundle(sides, version, [
        packetOut('output:2', { inPort: 'IN_PORT' }),
        packetOut('output:2', { bufferId: 5 }),
        packetOut('dec_mpls_ttl'),
        flow('in_port=1', 'output:2', { bufferId: 5 }),
        flow('in_port=1', 'output:2', { tableId: 254 }),
        flow('in_port=1', 'mod_nw_ttl:5'),
      ]);
      for (const bad of [
        packetOut('group:9'),
        flow('in_port=1', 'group:9'),
        flow('in_port=1', 'meter:9'),
        group(9, { command: 'modify' }),
      ])
        await inBundle(sides, version, [flow('in_port=2', 'output:2'), bad]);
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
    },
  },
  {
    name: 'bundles: opened, closed, discarded, in order and out of it',
    versions: WITH_BUNDLES,
    run: async (sides, version) => {
      for (const control of [
        'unknown',
        'open_reply',
        'open_request',
        'open_request',
        'close_request',
        'commit_request',
        'open_request',
        'close_request',
        'close_request',
        'open_request',
        'discard_request',
        'discard_request',
        'open_request',
        'close_request',
        'commit_request',
      ] as const)
        await sides.send(version, bundle(control));
    },
  },
  {
    name: 'bundles and requests in parts that are left alone are given up, when the database says',
    versions: WITH_BUNDLES,
    run: async (sides, version) => {
      const key = 'other_config:bundle-idle-timeout';
      for (const timeout of ['3', '0', '20']) {
        await sides.run('ovs-vsctl', 'set', 'open_vswitch', '.', `${key}=${timeout}`);
        await sides.send(version, bundle('open_request'));
        const part = encodeMessage(ask({ type: 'desc' }), version, XID);
        part[11] = 1;
        await sides.send(version, part);
        for (const ms of ['2000', '6000', '9000', '9000']) {
          await sides.run('ovs-appctl', 'time/warp', ms, '1000');
          await sides.settle();
        }
      }
      await sides.run('ovs-vsctl', 'clear', 'open_vswitch', '.', 'other_config');
    },
  },
  {
    name: 'bundles: a packet goes through the tables as those before it leave them',
    versions: WITH_BUNDLES,
    run: async (sides, version) => {
      await inBundle(sides, version, [
        packetOut('resubmit(,0)'),
        flow('in_port=1', 'output:2'),
        packetOut('resubmit(,0)'),
        flow('in_port=1', 'output:7'),
        packetOut('resubmit(,0)'),
        flow('', 'drop', { command: 'delete' }),
        packetOut('resubmit(,0)'),
        flow('in_port=1', 'output:2,output:7'),
        packetOut(`${LEARN},resubmit(,9)`),
        flow('', 'output:2', { tableId: 9, priority: 1 }),
        packetOut('resubmit(,9)'),
      ]);
      // And through groups and ports as they are.
      const buckets = [bucket(1, 'output:1')];
      const isolate = portMod(1, { config: 0x20, mask: 0x20 });
      await inBundle(
        sides,
        version,
        [group(3, { buckets }), isolate, packetOut('group:3', { inPort: '2' })],
        0,
      );
      await inBundle(sides, version, [portMod(1, { mask: 0x20 }), group(3, { command: 'delete' })], 0);
      for (const request of [
        ask({ type: 'flow', filter: filter() }),
        ask({ type: 'table' }),
        ask({ type: 'port', portNo: 0xffffffff }),
      ])
        await sides.send(version, request);
    },
  },
  {
    name: 'bundles: a packet that cannot be sent fails one, which leaves no trace',
    versions: WITH_BUNDLES,
    run: async (sides, version) => {
      await sides.send(version, flow('', 'NORMAL,resubmit(,6)', { tableId: 6 }));
      const packets = [packetOut('resubmit(,6)'), packetOut('NORMAL')];
      await inBundle(sides, version, [flow('in_port=1', 'drop'), ...packets, flow('in_port=2', 'drop')]);
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
      await sides.send(version, ask({ type: 'table' }));
      await sides.run('ovs-appctl', 'fdb/show', 'br0');
    },
  },
];
