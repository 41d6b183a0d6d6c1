/** Cases of answer-cases.ts: packets that come, are sent, wait and go on. */
import { ask, bucket, filter, flow, frame, group, packetOut } from './answer-requests.js';
import { type AnswerCase, LEARN, listen } from './answer-case.js';

/** Bytes behind the addresses of a frame: tags that end early, or are many; other headers that are not whole. */
const STRANGE_FRAMES = [
  '8100 81000000 8100200108 88a8 88a800018100 88a80001810000 8100100181000002 88a8000181000002810000',
  '88a8000181000002810000030800 810000018100000281000003810000040800',
  '0800 08004500001c 86dd6000 0806 8847 88470000 0005 0600',
].flatMap((line) => line.split(' '));

const LABELLED =
  'ffffffffffffaa550102030486dd6001234500083a4000000000000000000000000000000001000000000000000000000000000000028700000000000000';
/** A ping of 10.0.0.1 to 10.0.0.2, its answer, and that 10.0.0.2 cannot be reached. */
const ETHERNET = '0000000000020000000000010800';
const PING_IP = '4500001c00000000400166df0a0000010a0000020800f7fd00010001';
const PING = `${ETHERNET}${PING_IP}`;
const PONG = `${ETHERNET}4500001c00000000400166df0a0000020a0000010000fffd00010001`;
const UNREACHABLE = `${ETHERNET}4500003800000000400166c30a0000020a0000010301fcfe00000000${PING_IP}`;
/** TCP of 10.0.0.1 to 10.0.0.2 whose beginning nobody has seen, UDP there, and back. */
const TCP_DATA = `${ETHERNET}45000028123400004006549a0a0000010a00000203e8005000000002000000655010ffff97330000`;
const UDP = `${ETHERNET}4500002012340000401154970a0000010a000002003514e9000cd2af01020304`;
const UDP_BACK = `${ETHERNET}4500002012340000401154970a0000020a00000114e90035000cd2af01020304`;

export const PACKETS: readonly AnswerCase[] = [
  {
    name: 'what is learned of a field that does not fill its bytes is what flows say of it',
    versions: [2, 5],
    run: async (sides, version) => {
      const whole = 'learn(table=1,priority=5,eth_type=0x86dd,NXM_NX_IPV6_LABEL[])';
      const parts = whole.replace('table=1', 'table=2').replace('[])', '[0..9],NXM_NX_IPV6_LABEL[10..19])');
      const packet = Buffer.from(LABELLED, 'hex');
      await sides.send(version, packetOut(`${whole},${parts}`, { packet }));
      for (const tableId of [1, 2])
        await sides.send(version, flow('ipv6,ipv6_label=0x12345', 'output:1', { priority: 5, tableId }));
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
    },
  },
  {
    name: 'packets come in each form',
    run: async (sides, version) => {
      await listen(sides);
      for (const format of ['standard', 'nxt_packet_in', 'nxt_packet_in2'] as const) {
        await sides.send(version, { type: 'set_packet_in_format', format });
        await sides.send(version, packetOut('controller'));
        await sides.send(version, packetOut('load:5->NXM_NX_REG0[],controller(userdata=01.02,max_len=20)'));
        await sides.send(version, flow('', 'controller', { priority: 0, tableId: version > 1 ? 7 : 0 }));
        await sides.send(version, packetOut(`resubmit(,${version > 1 ? 7 : 0})`));
        await sides.send(version, packetOut('resubmit(,11)'));
        await sides.settle();
      }
    },
  },
  {
    name: 'packets wait, and go on',
    run: async (sides, version) => {
      await listen(sides);
      await sides.send(version, { type: 'set_packet_in_format', format: 'nxt_packet_in2' });
      // Of this connection alone.
      await sides.send(version, { type: 'set_controller_id', controllerId: 5 });
      await sides.send(
        version,
        packetOut('load:7->NXM_NX_REG1[],controller(pause,id=5),push:NXM_NX_REG1[],output:2'),
      );
      await sides.settle();
      await sides.resume(version);
      await sides.send(version, packetOut(`controller(pause,id=5),${LEARN},resubmit(,9)`));
      await sides.settle();
      await sides.resume(version);
      // It comes from no port, and notes are not remembered.
      await sides.send(
        version,
        packetOut('controller(pause,id=5),note:01.02,output:2,note:03', { inPort: 'ANY' }),
      );
      await sides.settle();
      await sides.resume(version);
      await sides.send(version, ask({ type: 'flow', filter: filter() }, 'nxm'));
      await sides.send(version, ask({ type: 'table' }));
      await sides.send(version, ask({ type: 'port', portNo: 2 }));
    },
  },
  {
    name: 'packets that a controller sends come to controllers as such, whatever they go through',
    versions: [2, 4, 6],
    run: async (sides, version) => {
      await listen(sides);
      await sides.send(version, group(3, { groupType: 'indirect', buckets: [bucket(0, 'controller')] }));
      await sides.send(version, flow('', 'write_actions(controller)', { tableId: 7 }));
      for (const actions of ['group:3', 'resubmit(,7)', 'clone(group:3)']) {
        await sides.send(version, packetOut(actions));
        await sides.settle();
      }
    },
  },
  {
    name: 'packets that the datapath brings back, wherever they come from',
    versions: [2, 4, 6],
    run: async (sides, version) => {
      await sides.send(version, group(3, { groupType: 'select', buckets: [bucket(0, 'output:2', 3)] }));
      for (const inPort of ['1', 'ANY', 'CONTROLLER', 'LOCAL', '55']) {
        await sides.send(version, packetOut('group:3', { inPort }));
        await sides.settle();
        await sides.send(version, ask({ type: 'group', group: 3 }));
      }
    },
  },
  {
    name: 'packets in other packets',
    versions: [4, 5, 6],
    run: async (sides, version) => {
      await listen(sides);
      for (const actions of [
        'decap(),controller',
        'encap(nsh(md_type=1)),controller',
        'encap(nsh(md_type=1)),decap(),controller',
        'encap(nsh(md_type=2,tlv(0x1000,10,0x12345678))),dec_nsh_ttl,encap(ethernet),controller',
        'encap(mpls),encap(ethernet),decap(packet_type(ns=0,type=0)),controller',
        'push_mpls:0x8847,decap(),controller',
      ])
        await sides.send(version, packetOut(actions));
      await sides.settle();
    },
  },
  {
    name: 'packets come back from the datapath as often as they may',
    versions: [4],
    run: async (sides, version) => {
      for (let table = 0; table < 9; table++)
        await sides.send(version, flow('ip', `ct(table=${table + 1},zone=${table})`, { tableId: table }));
      // By way of flows that are made for it, and of those that are there.
      for (let i = 0; i < 2; i++) {
        await sides.run('ovs-appctl', 'netdev-dummy/receive', 'p1', Buffer.from(frame()).toString('hex'));
        await sides.settle();
      }
      await sides.run('ovs-appctl', 'revalidator/wait');
      await sides.send(version, packetOut('resubmit(,0)'));
      await sides.settle();
      await sides.run('ovs-appctl', 'revalidator/wait');
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
      await sides.run('ovs-appctl', 'revalidator/purge');
    },
  },
  {
    name: 'the answer that a switch makes of a ping is of its connection, as are errors, with no address to translate',
    versions: [4],
    run: async (sides, version) => {
      const answer = 'set_field:10.0.0.2->nw_src,set_field:10.0.0.1->nw_dst';
      await sides.send(version, flow('icmp', 'ct(table=1,zone=1)'));
      for (const [last, change] of [
        [2, answer],
        [3, `${answer},set_field:0->icmp_type`],
      ] as const) {
        for (const state of ['+new', '+est-rpl', '+rpl-rel', '+rel', '+inv'])
          await sides.send(version, flow(`icmp,ct_state=${state}`, 'output:2', { tableId: last }));
        for (const [state, commit] of [
          ['+new', 'ct(commit,zone=1)'],
          ['-new', 'ct(commit,zone=1,nat)'],
        ] as const) {
          const actions = `${commit},${change},ct(table=${last},zone=1)`;
          await sides.send(version, flow(`icmp,ct_state=${state}`, actions, { tableId: 1 }));
        }
        for (const packet of [PING, PONG, UNREACHABLE]) {
          await sides.run('ovs-appctl', 'netdev-dummy/receive', 'p1', packet);
          await sides.settle();
        }
        await sides.run('ovs-appctl', 'revalidator/wait');
        await sides.run('ovs-appctl', 'dpctl/dump-conntrack');
        await sides.run('ovs-appctl', 'revalidator/purge');
        await sides.run('ovs-appctl', 'dpctl/flush-conntrack');
      }
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
    },
  },
  {
    name: 'what a packet is to its connection is not asked again in its zone, but with other addresses, ports or types of ICMP',
    versions: [4],
    run: async (sides, version) => {
      const states = ['+new', '+est-rpl', '+est+rpl', '+inv'];
      for (const state of states)
        await sides.send(version, flow(`ip,ct_state=${state}`, 'output:2', { tableId: 1 }));
      const answer = 'set_field:10.0.0.2->nw_src,set_field:10.0.0.1->nw_dst';
      const last = 'ct(table=1,zone=1)';
      for (const actions of [
        `ct(commit,zone=1),${last}`,
        `ct(commit,force,zone=1),${last}`,
        `ct(commit,zone=1),ct(zone=1,nat),${last}`,
        `ct(commit,zone=1),ct(zone=2),${last}`,
        `ct(commit,zone=1),dec_ttl,${last}`,
        `ct(commit,zone=1),${answer},${last}`,
        `ct(commit,zone=1),set_field:10.0.0.1->nw_src,${last}`,
      ]) {
        await sides.send(version, flow('ip', actions));
        for (const packet of [TCP_DATA, UDP, UDP, UDP_BACK, UDP, PING, PONG, PING]) {
          await sides.run('ovs-appctl', 'netdev-dummy/receive', 'p1', packet);
          await sides.settle();
        }
        await sides.run('ovs-appctl', 'revalidator/wait');
        await sides.send(version, ask({ type: 'flow', filter: filter() }));
        await sides.run('ovs-appctl', 'revalidator/purge');
        await sides.run('ovs-appctl', 'dpctl/flush-conntrack');
      }
      const turn = 'set_field:5353->udp_src,set_field:53->udp_dst';
      await sides.send(version, flow('udp', `ct(commit,zone=1),${answer},${turn},${last}`));
      await sides.send(version, flow('icmp', `ct(commit,zone=1),set_field:0->icmp_type,${last}`));
      for (const packet of [UDP, UDP, UDP, PING, PING, PING])
        await sides.run('ovs-appctl', 'netdev-dummy/receive', 'p1', packet);
      await sides.run('ovs-appctl', 'revalidator/wait');
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
    },
  },
  {
    name: 'frames that end early, or have more tags than are looked at, are sent on',
    versions: [4],
    run: async (sides, version) => {
      await sides.send(version, flow('', 'output:2'));
      for (const rest of STRANGE_FRAMES) {
        await sides.run('ovs-appctl', 'netdev-dummy/receive', 'p1', `ffffffffffff001122334455${rest}`);
        await sides.settle();
        await sides.send(version, ask({ type: 'port', portNo: 2 }));
        // Each has a megaflow of its own: what one has counted for several packets is told some time later.
        await sides.run('ovs-appctl', 'revalidator/purge');
      }
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
    },
  },
  {
    name: 'packets that cannot be sent leave no trace',
    run: async (sides, version) => {
      const deep = version > 1 ? 6 : 0;
      await sides.send(version, flow('', `${LEARN},NORMAL,resubmit(,${deep})`, { tableId: deep }));
      for (const packet of [
        packetOut(`resubmit(,${deep})`),
        packetOut('output:2', { bufferId: 5 }),
        packetOut('output:2', { inPort: 'IN_PORT' }),
        packetOut('dec_mpls_ttl'),
        packetOut(`${LEARN},group:9`),
      ])
        await sides.send(version, packet);
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
      await sides.send(version, ask({ type: 'table' }));
      await sides.run('ovs-appctl', 'fdb/show', 'br0');
    },
  },
  {
    name: 'the limit of what is learned is not for what a controller sends',
    run: async (sides, version) => {
      const learn =
        'learn(table=9,limit=1,cookie=0x5,eth_type=0x800,NXM_OF_IP_SRC[],output:NXM_OF_IN_PORT[],result_dst=NXM_NX_REG0[0]),output:NXM_NX_REG0[0..15]';
      for (const host of [1, 2, 3])
        await sides.send(version, packetOut(learn, { packet: frame(host), inPort: '2' }));
      await sides.send(version, ask({ type: 'flow', filter: filter() }));
      await sides.send(version, ask({ type: 'port', portNo: 1 }));
    },
  },
];
