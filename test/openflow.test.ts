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
import {
  type AsyncMasks,
  type MultipartRequest,
  type OfMessage,
  type Role,
} from '@ovs-node/openflow/messages/types';
import { FMF } from '@ovs-node/openflow/messages/monitor-types';
import { ALL_CHANGES, flowMod, output, watch } from '@ovs-node/openflow/testkit/requests';
import { tableMod } from './lib/answer-requests.js';
import { Conversation } from './lib/conversation.js';
import { withSuite } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';
import { sameTexts } from './lib/transcript.js';

/** One subject: what is said to a switch with ports 1 to 3, in the versions that have it. */
interface Subject {
  readonly name: string;
  readonly versions: readonly number[];
  readonly run: (c: Conversation) => Promise<void>;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

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
      for (const flags of [ALL_CHANGES, ALL_CHANGES | FMF.ONLY_OWN]) {
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
      await pause(3500);
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

const LISTEN: OfMessage = {
  type: 'set_config',
  config: { frag: 'normal', invalidTtlToController: undefined, missSendLen: 128 },
};
const role = (to: Role, generationId: bigint): OfMessage => ({
  type: 'role_request',
  role: to,
  generationId,
});
const ask = (request: MultipartRequest): OfMessage => ({ type: 'multipart_request', request, more: false });

const CONTROLLERS: readonly Subject[] = [
  {
    name: 'roles: what a secondary may not do, stale generations',
    versions: [1, 4, 5, 6],
    run: async (c) => {
      c.send(role('primary', 5n), role('secondary', 4n), role('secondary', 6n), flowMod({ priority: 3 }));
      c.send(role('equal', 3n), role('primary', 5n), role('nochange', 0n));
      await c.settle();
    },
  },
  {
    name: 'roles: the primary that was hears that it is none any more',
    versions: [4],
    run: async (c) => {
      c.send(LISTEN, role('primary', 10n));
      await c.settle();
      const other = await Conversation.open(c.suite, c.bridge, c.version);
      other.send(role('primary', 11n));
      await other.settle();
      await c.settle();
      other.close();
    },
  },
  {
    name: 'asynchronous messages: what is left out stays',
    versions: [5, 6],
    run: async (c) => {
      const set = (masks: AsyncMasks): OfMessage => ({
        type: 'set_async',
        config: { primary: masks, secondary: masks },
      });
      c.send({ type: 'get_async_request' }, set({ requestForward: 3 }), { type: 'get_async_request' });
      c.send(set({ tableStatus: 0x18, packetIn: 1 }), { type: 'get_async_request' });
      await c.settle();
    },
  },
  {
    name: 'requests of others about groups and meters are passed on to those who ask for it',
    versions: [5, 6],
    run: async (c) => {
      const masks = { requestForward: 3 };
      c.send(LISTEN, { type: 'set_async', config: { primary: masks, secondary: masks } });
      await c.settle();
      await c.ofctl('add-group', 'group_id=5,type=all,bucket=output:1');
      await c.ofctl('del-groups');
      await c.ofctl('add-meter', 'meter=1,kbps,band=type=drop,rate=5');
      await c.ofctl('del-meters');
    },
  },
];

const TABLES: readonly Subject[] = [
  {
    name: 'tables: misses of OpenFlow 1.1 and 1.2',
    versions: [2, 3, 4],
    run: async (c) => {
      for (const tableId of [3, 253, 254]) c.send(tableMod({ tableId, miss: 'continue' }));
      c.send(tableMod({ tableId: 255, miss: 'controller' }));
      await c.settle();
    },
  },
  {
    name: 'tables: eviction and vacancy events',
    versions: [5, 6],
    run: async (c) => {
      const vacancy = { down: 10, up: 30, vacancy: 0 };
      c.send(tableMod({ eviction: true, vacancyEvents: true, vacancy }), tableMod({ tableId: 254 }));
      c.send(ask({ type: 'table_desc' }));
      c.send(tableMod({ eviction: false, vacancyEvents: false }), ask({ type: 'table_desc' }));
      await c.settle();
    },
  },
  {
    name: 'tables: a limit, its thresholds, and which flow makes room',
    versions: [5, 6],
    run: async (c) => {
      const { suite } = c;
      const masks = { tableStatus: 0x18, flowRemoved: 0x3f };
      const row = ['--id=@t', 'create', 'flow_table', 'name=first', 'flow_limit=4'];
      await suite.vsctl('set', 'bridge', 'br0', 'flow_tables:0=@t', '--', ...row);
      const vacancy = { down: 30, up: 60, vacancy: 0 };
      c.send(LISTEN, { type: 'set_async', config: { primary: masks, secondary: {} } });
      c.send(tableMod({ tableId: 0, vacancyEvents: true, vacancy }));
      await c.settle();
      for (let i = 1; i <= 5; i++) await c.ofctl('add-flow', `table=first,in_port=${i},actions=drop`);
      await c.ofctl('del-flows');
      await suite.vsctl('set', 'flow_table', 'first', 'overflow_policy=evict', 'groups="in_port"');
      await c.ofctl('add-flow', 'in_port=1,send_flow_rem,actions=drop');
      await c.ofctl('add-flow', 'importance=5,idle_timeout=99,in_port=2,tcp,send_flow_rem,actions=drop');
      await c.ofctl('add-flow', 'importance=4,idle_timeout=900,in_port=2,udp,send_flow_rem,actions=drop');
      await c.ofctl('add-flow', 'importance=4,hard_timeout=500,in_port=2,sctp,send_flow_rem,actions=drop');
      for (let i = 5; i <= 8; i++) await c.ofctl('add-flow', `in_port=${i},send_flow_rem,actions=drop`);
      await suite.vsctl('clear', 'bridge', 'br0', 'flow_tables');
      await c.ofctl('dump-flows');
      c.send(tableMod({ tableId: 0, eviction: false, vacancyEvents: false }));
      await c.settle();
    },
  },
  {
    name: 'queues of ports without any',
    versions: [1, 2, 4, 5, 6],
    run: async (c) => {
      for (const portNo of [1, 9, OFPP.LOCAL])
        for (const queueId of [0, 5, 0xffffffff]) c.send(ask({ type: 'queue', portNo, queueId }));
      for (const portNo of [1, 9]) {
        if (c.version < 5) c.send({ type: 'queue_get_config_request', portNo });
        else c.send(ask({ type: 'queue_desc', portNo, queueId: 0xffffffff }));
      }
      await c.settle();
    },
  },
];

const UDP =
  'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1,dst=2)';

const REFUSALS: readonly Subject[] = [
  {
    name: "flows of the switch's own, and on its own fields, in a bundle and by themselves",
    versions: [1, 5],
    run: async (c) => {
      const own = ['recirc_id=5', 'recirc_id=0/1', 'dp_hash=5', 'table=254'];
      // That a packet is not the rest of another may be asked for.
      for (const flow of [...own.map((each) => `${each},actions=drop`), 'recirc_id=0,actions=drop']) {
        for (const command of ['add-flow', 'mod-flows']) {
          await c.ofctl(command, flow);
          await c.ofctl(`--bundle ${command}`, flow);
        }
      }
      await c.ofctl('del-flows', 'recirc_id=5');
      await c.ofctl('--bundle del-flows', 'table=254');
      await c.ofctl('dump-flows');
    },
  },
  {
    name: 'one group asked for by its number',
    versions: [1, 4, 6],
    run: async (c) => {
      await c.ofctl('add-group', 'group_id=5,type=all,bucket=output:1');
      await c.ofctl('add-group', 'group_id=6,type=all,bucket=output:2');
      for (const group of ['5', '7']) await c.ofctl('dump-groups', group);
    },
  },
  {
    name: 'tables say what they do with misses, in statistics',
    versions: [2, 3],
    run: async (c) => {
      for (const miss of ['continue', 'drop', 'controller'] as const) {
        c.send(tableMod({ tableId: 7, miss }), ask({ type: 'table' }));
        await c.settle();
      }
    },
  },
];

const OPTIONS: readonly Subject[] = [
  {
    name: 'tunnel options: what they are called, and flows that name them',
    versions: [1, 4, 6],
    run: async (c) => {
      const map = (
        command: string,
        ...mappings: [type: number, len: number, index: number][]
      ): Promise<void> =>
        c.ofctl(
          command,
          mappings.map(([type, len, i]) => `{class=0xffff,type=${type},len=${len}}->tun_metadata${i}`).join(),
        );
      await map('add-tlv-map', [0, 4, 0], [1, 8, 5], [2, 16, 40]);
      await map('add-tlv-map', [3, 4, 7], [4, 4, 0]);
      await map('add-tlv-map', [0, 4, 7]);
      await map('add-tlv-map', [7, 124, 7], [8, 124, 8]);
      await c.ofctl('dump-tlv-map');
      const flows = [
        'tun_metadata0=0x1234,tun_metadata5=0x7/0xff,actions=output:1',
        'tun_metadata0=0x123456789,actions=output:2',
        'tun_metadata40,actions=output:3',
        'tun_metadata9=1,actions=drop',
        'in_port=1,actions=set_field:5->tun_metadata9',
        'in_port=1,actions=set_field:5->tun_metadata0,delete_field:tun_metadata0,push:NXM_NX_TUN_METADATA5[0..15]',
      ];
      for (const flow of flows) await c.ofctl('add-flow', flow);
      await c.ofctl('dump-flows', 'tun_metadata0=0x1234/0xffff');
      await c.ofctl('dump-aggregate', 'tun_metadata9=1');
      await c.ofctl('dump-flows');
      await map('del-tlv-map', [0, 4, 0]);
      await c.ofctl('del-tlv-map');
      await c.ofctl('del-flows', 'tun_metadata9=1');
      await c.ofctl('del-flows');
      // The peer lets go of deleted flows, and of the options that they name, a little later.
      await pause(200);
      await map('del-tlv-map', [0, 4, 0], [1, 4, 1]);
      await c.ofctl('dump-tlv-map');
      await c.ofctl('del-tlv-map');
    },
  },
];

const PACKETS: readonly Subject[] = [
  {
    name: 'packets that wait for their controller',
    versions: [1, 4, 6],
    run: async (c) => {
      const flow = (text: string): Promise<void> => c.ofctl('add-flow', text);
      await flow('cookie=5,in_port=1,ip,actions=load:7->NXM_NX_REG0[],resubmit(,5),output:4');
      await flow(
        'table=5,cookie=8,ip,actions=push:NXM_NX_REG0[0..11],controller(pause,userdata=01.02),resubmit(,6),dec_ttl,output:2',
      );
      await flow('table=6,cookie=9,ip,actions=pop:NXM_NX_REG1[],resubmit(,7),load:1->NXM_NX_REG2[]');
      await flow('table=7,ct_state=-trk,ip,actions=ct(table=7,zone=3)');
      await flow('table=7,cookie=10,ct_state=+trk,ip,actions=controller(pause,max_len=9),controller');
      c.send(LISTEN, { type: 'set_packet_in_format', format: 'nxt_packet_in2' });
      await c.settle();
      for (const resumes of [false, true]) {
        c.resumes = resumes;
        await c.suite.appctl('netdev-dummy/receive', 'p1', UDP);
        await pause(300);
      }
      c.resumes = false;
      await c.settle();
    },
  },
  {
    name: 'packets that wait, with options of a tunnel',
    versions: [1, 2, 3, 4, 5, 6],
    run: async (c) => {
      const options = '{class=1,type=0,len=4}->tun_metadata0,{class=1,type=1,len=8}->tun_metadata1';
      await c.ofctl('add-tlv-map', `${options},{class=2,type=0,len=124}->tun_metadata5`);
      const flow = (text: string): Promise<void> => c.ofctl('add-flow', text);
      await flow(
        'in_port=1,actions=set_field:0x11223344->tun_metadata0,set_field:0->tun_metadata1,set_field:7->tun_id,' +
          'controller(pause,userdata=01.02),resubmit(,1)',
      );
      await flow('in_port=2,actions=set_field:7->tun_metadata5,controller(pause),resubmit(,1)');
      await flow('in_port=CONTROLLER,actions=controller(pause),resubmit(,1)');
      await flow('table=1,tun_metadata0=0x11223344,tun_metadata1=0/0xff,tun_id=7,actions=controller');
      await flow('table=1,tun_metadata5=7,actions=controller');
      await flow('table=1,tun_metadata1=0x8/0xff,actions=controller');
      c.showsBytes = true;
      for (const format of ['standard', 'nxt_packet_in', 'nxt_packet_in2'] as const) {
        c.send(LISTEN, { type: 'set_packet_in_format', format });
        await c.settle();
        c.resumes = format === 'nxt_packet_in2';
        for (const port of ['p1', 'p2']) {
          await c.suite.appctl('netdev-dummy/receive', port, UDP);
          await pause(100);
        }
        const tunnel = c.version === 6 ? 'tun_metadata1=8,tun_id=5,' : '';
        await c.ofctl(
          'packet-out',
          `in_port=CONTROLLER,${tunnel}packet=50540000000a5054000000091234,actions=TABLE`,
        );
        await pause(200);
      }
      c.resumes = c.showsBytes = false;
      await c.settle();
      await c.ofctl('dump-flows', 'table=1');
      await c.ofctl('del-flows');
      await c.ofctl('del-tlv-map');
    },
  },
  {
    name: 'continuations that are none',
    versions: [1, 5],
    run: async (c) => {
      const packetIn = {
        bufferId: 0xffffffff,
        totalLen: 60,
        reason: 1,
        tableId: 0,
        cookie: 0n,
        match: new Match(),
        packet: new Uint8Array(60),
      };
      c.send({ type: 'resume', packetIn });
      for (const text of [
        '',
        '8000001431323334313233343132333431323334',
        '8000000831323334',
        '80f1000831323334',
      ])
        c.send({ type: 'resume', packetIn: { ...packetIn, continuation: Buffer.from(text, 'hex') } });
      await c.settle();
    },
  },
];

/** Actions for tests of a switch, which both take with dummy datapaths, and which no ovs-ofctl reads. */
const DEBUGGING: readonly (readonly string[])[] = [
  ['in_port=1,actions=output:2,debug_recirc,output:3'],
  ['in_port=1,actions=debug_slow,output:2'],
  ['in_port=1,actions=debug_recirc'],
  ['in_port=1,actions=debug_slow'],
  ['in_port=1,ip,actions=set_field:5->reg0,dec_ttl,debug_recirc,dec_ttl,output:2'],
  [
    'in_port=1,actions=resubmit(,1),output:3',
    'table=1,ip,actions=debug_recirc,set_field:1.2.3.4->nw_dst,output:2',
  ],
  [
    'in_port=1,actions=output:2,debug_slow,resubmit(,1)',
    'table=1,actions=debug_recirc,resubmit(,2)',
    'table=2,actions=controller,debug_slow,output:3',
  ],
  ['in_port=1,actions=clone(debug_recirc,output:3),output:2'],
  [
    'in_port=1,ip,actions=ct(commit,table=1)',
    'table=1,ip,actions=debug_recirc,ct(table=2)',
    'table=2,actions=3',
  ],
];

/** Samples of flows: shares, ports, directions, sets of collectors that there are not. */
const SAMPLING: readonly string[] = [
  'sample(probability=12345,collector_set_id=1,obs_domain_id=3,obs_point_id=4),output:2',
  'sample(probability=65535,collector_set_id=77),output:2',
  'sample(probability=65535,collector_set_id=1,sampling_port=2),output:2',
  'sample(probability=9,collector_set_id=1,sampling_port=1),output:2',
  'sample(probability=65535,collector_set_id=1,sampling_port=99),output:2',
  'sample(probability=1,collector_set_id=1,sampling_port=CONTROLLER)',
  'sample(probability=1,collector_set_id=4294967295,obs_point_id=4294967295,sampling_port=LOCAL)',
  'dec_ttl,sample(probability=65535,collector_set_id=1,sampling_port=2,ingress),output:2',
  'push_vlan:0x8100,sample(probability=6,collector_set_id=1,sampling_port=3,egress),output:3',
  'clone(sample(probability=65535,collector_set_id=1),set_field:5->nw_ttl,output:3),output:2',
];
const COLLECTORS = '-- --id=@br get bridge br0 -- create Flow_Sample_Collector_Set id=1 bridge=@br';
const EXPORTER = '-- --id=@i create IPFIX targets="127.0.0.1:4739"';

const TRANSLATED: readonly Subject[] = [
  {
    name: 'samples of flows',
    versions: [4],
    run: async (c) => {
      // No collectors; a set without an exporter; a set with one; none again.
      const steps = [
        [],
        COLLECTORS,
        '--all destroy Flow_Sample_Collector_Set',
        `${EXPORTER} ${COLLECTORS} ipfix=@i`,
      ];
      for (const step of [...steps, '--all destroy Flow_Sample_Collector_Set -- --all destroy IPFIX']) {
        if (typeof step === 'string') await c.suite.vsctl(...step.split(' '));
        for (const actions of SAMPLING) {
          await c.ofctl('add-flow', `in_port=1,ip,actions=${actions}`);
          await c.appctl('ofproto/trace', 'br0', 'in_port=1,tcp,nw_ttl=9');
        }
      }
    },
  },
  {
    name: 'actions for tests',
    versions: [1, 4],
    run: async (c) => {
      for (const flows of DEBUGGING) {
        for (const flow of flows) await c.ofctl('add-flow', flow);
        await c.appctl('ofproto/trace', 'br0', 'in_port=1,tcp,nw_ttl=9');
        // Slow packets are counted once. Of those that go round and round there are as many as each datapath lets.
        if (flows[0] !== 'in_port=1,actions=debug_recirc')
          for (let i = 0; i < 3; i++) await c.suite.appctl('netdev-dummy/receive', 'p1', UDP);
        await pause(1200);
        await c.ofctl('dump-aggregate');
        await c.ofctl('del-flows');
      }
    },
  },
];

const SUBJECTS: readonly Subject[] = [
  ...MONITORS,
  ...CONTROLLERS,
  ...TABLES,
  ...REFUSALS,
  ...OPTIONS,
  ...PACKETS,
  ...TRANSLATED,
];

testWith(PEER)("requests are answered as the peer's switch answers them", async (t) => {
  t.timeout(240_000);
  const texts: Record<string, string[]> = {};
  for (const side of ['ours', 'peer'] as const) {
    // One of the refused requests is told of, as by the peer.
    const expectedWarnings = [/\|ofp_actions\|WARN\|bad action at offset 0 \(NXFMFC_INVALID_TLV_FIELD\):$/];
    await withSuite(t, { side, vswitchdArgs: ['--enable-dummy'], expectedWarnings }, async (suite) => {
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
          await c.settle();
          got.push(`${name}, version ${version}\n${c.text()}`);
          await c.ofctl('del-flows');
          if (version > 1) await c.ofctl('del-groups');
          if (version >= 4) await c.ofctl('del-meters');
          c.close();
        }
      }
    });
  }
  sameTexts(t, texts['ours']!, texts['peer']!);
});
