/**
 * A session of dpctl commands and what Open vSwitch 3.1 answers, word for word. The test runs it on this project's
 * dpctl, and, where the peer is installed, on the peer's as well, so that the answers stay true.
 */
export type Step = readonly [command: string, answer: string];

const ETH = 'eth(src=50:54:00:00:00:09,dst=50:54:00:00:00:0a)';
const IP = `in_port(1),${ETH},eth_type(0x0800)`;
const EINVAL = 'Invalid argument';

/** add-flow, dump-flows without its first line, del-flows. */
const shown = (flow: string, actions: string, line: string): readonly Step[] => [
  [`add-flow|${flow}|${actions}`, ''],
  ['dump-flows', `flow-dump from the main thread:\n${line}\n`],
  ['del-flows', ''],
];

const NEVER = 'packets:0, bytes:0, used:never';

export const SCRIPT: readonly Step[] = [
  ['dump-dps', ''],
  ['dump-flows', `ovs-vswitchd: no datapaths exist\novs-vswitchd: datapath not found (${EINVAL})\n`],
  ['add-dp|dummy@x', ''],
  ['add-dp|dummy@x', 'ovs-vswitchd: add_dp (File exists)\n'],
  ['add-dp|bad@x', 'ovs-vswitchd: add_dp (Address family not supported by protocol)\n'],
  ['dump-dps', 'dummy@x\n'],
  ['show', 'dummy@x:\n  lookups: hit:0 missed:0 lost:0\n  flows: 0\n  port 0: x (dummy-internal)\n'],
  ['show|dummy@foo', 'ovs-vswitchd: opening datapath dummy@foo failed (No such device)\n'],
  ['add-if|dummy@x|d1,type=dummy', ''],
  ['add-if|dummy@x|d1,type=dummy', 'ovs-vswitchd: adding d1 to dummy@x failed (File exists)\n'],
  ['add-if|dummy@x|d2,type=dummy,port_no=7,a=b', ''],
  [
    'add-if|dummy@x|d3,type=dummy,port_no=7',
    'ovs-vswitchd: adding d3 to dummy@x failed (Device or resource busy)\n',
  ],
  [
    'add-if|dummy@x|d3,type=dummy,port_no=x',
    'ovs-vswitchd: adding d3 to dummy@x failed (Device or resource busy)\n',
  ],
  [
    'add-if|dummy@x|d3,type=bad',
    'ovs-vswitchd: d3: failed to open network device (Address family not supported by protocol)\n',
  ],
  ['add-if|dummy@nodp|d3', 'ovs-vswitchd: opening datapath (No such device)\n'],
  ['set-if|dummy@x|d2,type=tap', "ovs-vswitchd: d2: can't change type from dummy to tap\n"],
  ['set-if|dummy@x|d2,port_no=8', "ovs-vswitchd: d2: can't change port number from 7 to 8\n"],
  ['set-if|dummy@x|nope,c=d', 'ovs-vswitchd: nope: failed to query port in dummy@x (No such device)\n'],
  ['del-if|dummy@x|nope', 'ovs-vswitchd: no port named nope\n'],
  ['del-if|dummy@x|99', 'ovs-vswitchd: deleting port 99 from dummy@x failed (No such device)\n'],
  [
    'show|-s|dummy@x',
    'dummy@x:\n  lookups: hit:0 missed:0 lost:0\n  flows: 0\n' +
      ['0: x (dummy-internal)', '1: d1 (dummy)', '7: d2 (dummy)']
        .map(
          (port) =>
            `  port ${port}\n    RX packets:0 errors:? dropped:? overruns:? frame:?\n` +
            '    TX packets:0 errors:? dropped:? aborted:? carrier:?\n    collisions:?\n    RX bytes:0  TX bytes:0\n',
        )
        .join(''),
  ],
  ['del-if|dummy@x|7', ''],
  ...shown(
    'in_port(1),eth(),eth_type(0x0806),arp()',
    '2',
    `recirc_id(0),in_port(1),eth(),eth_type(0x0806), ${NEVER}, actions:2`,
  ),
  ...shown(
    `${IP},ipv4(src=10.0.0.2/255.255.0.0,proto=6,frag=no),tcp(src=8/0xff00,dst=9),tcp_flags(+syn-ack)`,
    'set(ipv4(src=1.2.3.4)),push_vlan(vid=5,pcp=0),2',
    `recirc_id(0),${IP},ipv4(src=10.0.0.2/255.255.0.0,proto=6,frag=no),tcp(src=8/0xff00,dst=9),tcp_flags(+syn-ack), ${NEVER}, actions:set(ipv4(src=1.2.3.4)),push_vlan(vid=5,pcp=0),2`,
  ),
  ...shown(
    `recirc_id(0x5),ct_state(+new+trk),ct_zone(0x5),ct_mark(0x1/0xff),ct_label(0x1/0xf),${IP},ipv4(proto=17,frag=no),udp(src=1)`,
    'ct(commit,zone=1,mark=0x1/0xff,label=0x1/0xf),recirc(6)',
    `ct_state(+new+trk),ct_zone(0x5),ct_mark(0x1/0xff),ct_label(0x1/0xf),recirc_id(0x5),${IP},ipv4(proto=17,frag=no),udp(src=1), ${NEVER}, actions:ct(commit,zone=1,mark=0x1/0xff,label=0x1/0xf),recirc(0x6)`,
  ),
  ...shown(
    `in_port(1),${ETH},eth_type(0x8100),vlan(vid=5/0xff,pcp=3/0x1,cfi=1),encap(eth_type(0x0800),ipv4(frag=no))`,
    'pop_vlan,2',
    `recirc_id(0),in_port(1),${ETH},eth_type(0x8100),vlan(vid=5/0xff,pcp=3/0x1),encap(eth_type(0x0800),ipv4(frag=no)), ${NEVER}, actions:pop_vlan,2`,
  ),
  ...shown(
    `ct_state(0x21/0x3f),ct_tuple4(src=1.2.3.4,dst=5.6.7.8,proto=6,tp_src=1,tp_dst=2),${IP},ipv4(frag=later)`,
    'drop',
    `ct_state(+new-est-rel-rpl-inv+trk),ct_tuple4(src=1.2.3.4,dst=5.6.7.8,proto=6,tp_src=1,tp_dst=2),recirc_id(0),${IP},ipv4(frag=later), ${NEVER}, actions:drop`,
  ),
  ...shown(
    `in_port(1),${ETH},eth_type(0x86dd),ipv6(src=fe80::1/ffff::,label=0x5/0xf,proto=58,tclass=0x5/0xf,hlimit=5,frag=no),icmpv6(type=135,code=0),nd(target=fe80::1,sll=00:01:02:03:04:05,tll=00:01:02:03:04:05/ff:00:00:00:00:00)`,
    '1',
    `recirc_id(0),in_port(1),${ETH},eth_type(0x86dd),ipv6(src=fe80::1/ffff::,label=0x5/0xf,proto=58,tclass=0x5/0xf,hlimit=5,frag=no),icmpv6(type=135,code=0),nd(target=fe80::1,sll=00:01:02:03:04:05,tll=00:01:02:03:04:05/ff:00:00:00:00:00), ${NEVER}, actions:1`,
  ),
  ...shown(
    `skb_priority(0x5/0xff),skb_mark(0x5),dp_hash(0x5/0xff),in_port(1),${ETH},eth_type(0x1234)`,
    '1',
    `skb_priority(0x5/0xff),skb_mark(0x5),recirc_id(0),dp_hash(0x5/0xff),in_port(1),${ETH},eth_type(0x1234), ${NEVER}, actions:1`,
  ),
  ['add-flow|in_port(1),bad(5)|1', `ovs-vswitchd: parsing flow key (syntax error at bad(5)) (${EINVAL})\n`],
  [
    'add-flow|in_port(nope)|1',
    `ovs-vswitchd: parsing flow key (syntax error at in_port(nope)) (${EINVAL})\n`,
  ],
  [
    `add-flow|in_port(1),${ETH},eth_type(0x0806),arp(op=1|1`,
    `ovs-vswitchd: parsing flow key (syntax error at arp(op=1) (${EINVAL})\n`,
  ],
  [`add-flow|in_port(1),eth(),eth_type(0x0806),arp()|foo`, `ovs-vswitchd: parsing actions (${EINVAL})\n`],
  [`add-flow|in_port(1),${ETH},eth_type(0x0800)|1`, `ovs-vswitchd: updating flow table (${EINVAL})\n`],
  [`add-flow|in_port(1),in_port(2),${ETH}|1`, `ovs-vswitchd: updating flow table (${EINVAL})\n`],
  [`add-flow|in_port(1),${ETH},eth_type(0x0806),ipv4()|1`, `ovs-vswitchd: updating flow table (${EINVAL})\n`],
  [
    'add-flow|nodp|in_port(1),eth(),eth_type(0x0806),arp()|2',
    `ovs-vswitchd: datapath not found (${EINVAL})\n`,
  ],
  ['add-flow|in_port(1),eth(),eth_type(0x0806),arp()|2', ''],
  ['add-flow|in_port(1),eth(),eth_type(0x0806),arp()|2', 'ovs-vswitchd: updating flow table (File exists)\n'],
  ['mod-flow|-s|in_port(1),eth(),eth_type(0x0806),arp()|1', `${NEVER}\n`],
  [
    'mod-flow|in_port(2),eth(),eth_type(0x0806),arp()|2',
    'ovs-vswitchd: updating flow table (No such file or directory)\n',
  ],
  ['mod-flow|--may-create|in_port(2),eth(),eth_type(0x0806),arp()|2', ''],
  [
    'del-flow|in_port(3),eth(),eth_type(0x0806),arp()',
    'ovs-vswitchd: deleting flow (No such file or directory)\nPerhaps you need to specify a UFID?\n',
  ],
  ['del-flow|-s|in_port(2),eth(),eth_type(0x0806),arp()', `${NEVER}\n`],
  ['dump-flows|filter=in_port=2', ''],
  ['dump-flows|filter=foo', 'ovs-vswitchd: Failed to parse filter (foo: unknown field foo)\n'],
  ['dump-flows|type=foo', `ovs-vswitchd: Failed to parse type (foo) (${EINVAL})\n`],
  ['del-flow|in_port(1),eth(),eth_type(0x0806),arp()', ''],
  ['add-flow|ufid:01020304-0506-0708-090a-0b0c0d0e0f10,in_port(1),eth(),eth_type(0x0806),arp()|2', ''],
  [
    'get-flow|ufid:01020304-0506-0708-090a-0b0c0d0e0f10',
    `recirc_id(0),in_port(1),eth(),eth_type(0x0806), ${NEVER}, actions:2\n`,
  ],
  ['del-flows', ''],
  [
    'get-flow|ufid:01020304-0506-0708-090a-0b0c0d0e0f10',
    'ovs-vswitchd: getting flow (No such file or directory)\n',
  ],
  [
    'parse-actions|ct(force_commit,zone=5,helper=ftp,nat(src=1.1.1.1-2.2.2.2:10-20,persistent,hash))',
    'ct(force_commit,zone=5,helper=ftp,nat(src=1.1.1.1-2.2.2.2:10-20,persistent,hash))\n',
  ],
  ['parse-actions|bad', `ovs-vswitchd: odp_actions_from_string (${EINVAL})\n`],
  ['dump-conntrack', ''],
  ['dump-conntrack|zone=1', ''],
  ['ct-stats-show', 'Connections Stats:\n    Total: 0\n'],
  ['ct-get-nconns', '0\n'],
  ['ct-get-maxconns', '3000000\n'],
  ['flush-conntrack', ''],
  ['flush-conntrack|zone=5', ''],
  ['flush-conntrack|zone=x', `ovs-vswitchd: failed to parse zone (${EINVAL})\n`],
  ['flush-conntrack|foo', `ovs-vswitchd: field foo missing value (${EINVAL})\n`],
  [
    'flush-conntrack|ct_nw_src=10.0.0.1,ct_nw_proto=17,foo=1',
    `ovs-vswitchd: invalid conntrack tuple field: foo (${EINVAL})\n`,
  ],
  ['flush-conntrack|ct_nw_src=10.0.0', `ovs-vswitchd: failed to parse field ct_nw_src (${EINVAL})\n`],
  ['add-dp|dummy@y', ''],
  [
    'dump-flows',
    `ovs-vswitchd: multiple datapaths, specify one\novs-vswitchd: datapath not found (${EINVAL})\n`,
  ],
  ['del-dp|dummy@y', ''],
  ['del-dp|dummy@y', 'ovs-vswitchd: opening datapath (No such device)\n'],
  ['del-flow', '"dpctl/del-flow" command requires at least 1 arguments'],
  ['show|-x', 'Unrecognized option -x'],
  ['dump-flows|--foo', 'Unrecognized option --foo'],
];
