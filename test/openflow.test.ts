/**
 * The switch's side of OpenFlow, conversation by conversation: to the same requests the same answers as the peer's
 * switch, in each version.
 */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { OFPP } from '@ovs-node/flow/ports';
import { encodeMessage } from '@ovs-node/openflow/messages/codec';
import { makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import {
  type FlowMod,
  type FlowMonitorRequest,
  GROUP_ANY,
  type OfMessage,
} from '@ovs-node/openflow/messages/types';
import { FMF } from '@ovs-node/openflow/messages/monitor-types';
import { Conversation } from './lib/conversation.js';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

/** One subject: what is said to a switch with ports 1 to 3, in the versions that have it. */
interface Subject {
  readonly name: string;
  readonly versions: readonly number[];
  readonly run: (c: Conversation) => Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const ALL = FMF.INITIAL | FMF.ADD | FMF.REMOVED | FMF.MODIFY | FMF.INSTRUCTIONS;

function watch(...monitors: Partial<FlowMonitorRequest>[]): OfMessage {
  const common = {
    id: 1,
    command: 'add' as const,
    flags: ALL,
    outPort: OFPP.ANY,
    outGroup: GROUP_ANY,
    tableId: 0xff,
    match: new Match(),
  };
  return {
    type: 'multipart_request',
    request: { type: 'flow_monitor', monitors: monitors.map((each) => ({ ...common, ...each })) },
    more: false,
  };
}

const flowMod = (mod: Partial<FlowMod>): OfMessage => ({
  type: 'flow_mod',
  flowMod: makeFlowMod({ command: 'add', priority: 0, ...mod }),
});
const output = (port: number) => [{ type: 'output' as const, port, maxLen: 0 }];

const MONITORS: readonly Subject[] = [
  {
    name: 'flow monitors: changes of others',
    versions: [1, 4, 5, 6],
    run: async (c) => {
      await c.ofctl('add-flow', 'table=1,cookie=7,priority=5,tcp,tp_dst=80,actions=output:2');
      await c.ofctl('add-flow', 'ip,actions=output:3');
      c.send(watch({}));
      await c.settle();
      for (let i = 0; i < 2; i++)
        await c.ofctl('add-flow', 'idle_timeout=7,hard_timeout=8,in_port=1,actions=output:2');
      await c.ofctl('mod-flows', 'actions=output:1');
      await c.ofctl('--strict mod-flows', 'in_port=1,actions=output:1');
      await c.ofctl('mod-flows', 'cookie=9,tcp,actions=output:1');
      await c.ofctl('del-flows', 'out_port=1');
    },
  },
  {
    name: 'flow monitors: what they select',
    versions: [1, 4, 5, 6],
    run: async (c) => {
      await c.ofctl('add-flow', 'in_port=1,actions=output:2');
      const ip = new Match();
      [ip.key[W.ETH_TYPE], ip.mask[W.ETH_TYPE]] = [0x0800_0000, 0xffff_0000];
      c.send(
        watch({ outPort: 2 }, { id: 2, tableId: 3, flags: FMF.REMOVED }, { id: 3, match: ip, tableId: 1 }),
      );
      await c.settle();
      await c.ofctl('mod-flows', 'actions=output:3');
      await c.ofctl('mod-flows', 'actions=output:2');
      await c.ofctl('add-flow', 'in_port=1,actions=output:3');
      await c.ofctl('add-flow', 'table=3,in_port=1,actions=output:3');
      await c.ofctl('add-flow', 'table=1,tcp,actions=output:3');
      await c.ofctl('add-flow', 'table=1,arp,actions=output:3');
    },
  },
  {
    name: "flow monitors: the connection's own changes are abbreviated, or not",
    versions: [1, 4, 5, 6],
    run: async (c) => {
      for (const flags of [ALL, ALL | FMF.ONLY_OWN]) {
        c.send(watch({ id: flags, flags }));
        c.send(flowMod({ priority: 1 }), flowMod({ priority: 2 }));
        c.send(flowMod({ command: 'modify', actions: output(2) }));
        c.send(flowMod({ command: 'delete' }), flowMod({ command: 'delete' }));
        await c.settle();
      }
    },
  },
  {
    name: 'flow monitors: flows of a group that goes',
    versions: [4, 5, 6],
    run: async (c) => {
      await c.ofctl('add-group', 'group_id=5,type=all,bucket=output:1');
      c.send(watch(c.version >= 5 ? { outGroup: 5 } : {}));
      await c.ofctl('add-flow', 'in_port=1,actions=group:5');
      await c.ofctl('add-flow', 'in_port=2,actions=output:1');
      await c.ofctl('del-groups', 'group_id=5');
    },
  },
  {
    name: 'flow monitors: a bundle that fails is not told of, one that is carried out once',
    versions: [4, 5, 6],
    run: async (c) => {
      const file = join(c.suite.dirs.run, 'flows');
      c.send(watch({}));
      await c.settle();
      writeFileSync(file, 'in_port=1,actions=1\nin_port=2,actions=2\nmodify actions=3\ndelete in_port=1\n');
      await c.ofctl('--bundle add-flows', file);
      writeFileSync(file, 'in_port=3,actions=1\nin_port=2,actions=group:99\n');
      await c.ofctl('--bundle add-flows', file);
      const [bundleId, flags] = [3, 3];
      c.send({ type: 'bundle_control', bundleId, control: 'open_request', flags });
      for (const priority of [1, 2]) {
        const message = encodeMessage(flowMod({ priority }), c.version, c.nextXid);
        c.send({ type: 'bundle_add', bundleId, flags, message });
      }
      c.send({ type: 'bundle_control', bundleId, control: 'commit_request', flags });
      await c.settle();
    },
  },
  {
    name: 'flow monitors: flows whose time is over',
    versions: [1, 5],
    run: async (c) => {
      c.send(watch({}));
      await c.settle();
      await c.ofctl('add-flow', 'in_port=1,hard_timeout=1,actions=output:1');
      await pause(2200);
    },
  },
  {
    name: 'flow monitors: commands',
    versions: [5, 6],
    run: async (c) => {
      c.send(flowMod({ priority: 7 }), watch({}), watch({ command: 'modify', flags: FMF.ADD }));
      c.send(watch({ command: 'delete' }), watch({}));
      await c.settle();
    },
  },
];

const SUBJECTS: readonly Subject[] = [...MONITORS];

testWith(PEER)("requests are answered as the peer's switch answers them", async (t) => {
  t.timeout(240_000);
  const texts: Record<string, string[]> = {};
  for (const side of ['ours', 'peer'] as const) {
    await withSuite(t, { side, vswitchdArgs: ['--enable-dummy'] }, async (suite) => {
      const ports = [1, 2, 3].flatMap((n) => [
        '--',
        'add-port',
        'br0',
        `p${n}`,
        '--',
        'set',
        'interface',
        `p${n}`,
        'type=dummy',
        `ofport_request=${n}`,
      ]);
      const bridge = ['datapath_type=dummy', 'fail_mode=secure', 'other_config:hwaddr=aa:55:aa:55:00:00'];
      await suite.vsctl('add-br', 'br0', '--', 'set', 'bridge', 'br0', ...bridge, ...ports);
      const got: string[] = (texts[side] = []);
      for (const { name, versions, run } of SUBJECTS) {
        for (const version of versions) {
          const c = await Conversation.open(suite, 'br0', version);
          await run(c);
          got.push(`${name}, version ${version}\n${c.text()}`);
          await c.ofctl('del-flows');
          if (version > 1) await c.ofctl('del-groups');
          c.close();
        }
      }
    });
  }
  for (const [i, text] of texts['ours']!.entries())
    if (text !== texts['peer']![i]) t.log(`${text}\n--- the peer ---\n${texts['peer']![i]}`);
  t.deepEqual(texts['ours'], texts['peer']);
});
