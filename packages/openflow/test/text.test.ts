import test from 'ava';
import { colorActions, colorMatch, parseColors } from '../src/text/color.js';
import { FlowSyntaxError } from '@ovs-node/flow/errors';
import { formatPort, OFPP, type PortMap } from '@ovs-node/flow/ports';
import { checkActions } from '../src/actions/check.js';
import { formatActions, parseActions } from '../src/actions/text.js';
import { parseMatch } from '@ovs-node/flow/match-text';
import { formatDuration, formatFlow, parseFlow, parseFlowProtocols, splitCommand } from '../src/text/flow.js';
import { formatProtocols, protocolsFromName } from '../src/text/protocols.js';
import { hexDump } from '../src/text/hex-dump.js';
import { parseKeyValues } from '@ovs-node/flow/key-value';
import { splitGroupCommand } from '../src/text/parse-group.js';
import { groupNames } from '../src/text/print-table.js';
import { FLOWS } from './mini-switch.js';

const PORTS: PortMap = {
  nameToNumber: (name) => ({ eth0: 1, 'my-port': 2 })[name],
  numberToName: (n) => ({ 1: 'eth0', 2: 'my-port' })[n],
};

/** Action text as written, and as printed when that differs. */
const ACTIONS: readonly (readonly [text: string, printed?: string])[] = [
  ['drop'],
  ['', 'drop'],
  ['1,2', 'output:1,output:2'],
  ['output:1 output:2', 'output:1,output:2'],
  ['local,in_port,normal,flood,all', 'LOCAL,IN_PORT,NORMAL,FLOOD,ALL'],
  ['controller', 'CONTROLLER:65535'],
  ['controller(reason=no_match,max_len=10,id=3)'],
  ['controller(userdata=01.02.ff,pause)'],
  ['enqueue(1,2)', 'enqueue:1:2'],
  ['output(port=1,max_len=100)'],
  ['output:reg0[0..15]', 'output:NXM_NX_REG0[0..15]'],
  ['pop_vlan,strip_vlan'],
  ['push_vlan:0x88a8'],
  ['mod_vlan_vid:7,set_vlan_pcp:3'],
  ['mod_dl_src:00:11:22:33:44:55'],
  ['mod_dl_src:0x1:100:2:3:4:5', 'mod_dl_src:01:00:02:03:04:05'],
  ['dec_ttl(1,2),dec_ttl'],
  ['load:5->reg0', 'load:0x5->NXM_NX_REG0[]'],
  ['load:0->reg0[3..5]', 'load:0->NXM_NX_REG0[3..5]'],
  ['load:1->reg0[+1..3]', 'load:0x1->NXM_NX_REG0[1..3]'],
  ['set_field:5/7->reg0', 'set_field:0x5/0x7->reg0'],
  ['set_field:10.0.0.1->nw_src', 'set_field:10.0.0.1->ip_src'],
  ['move:NXM_NX_REG0[0..5]->NXM_NX_REG1[3..8]'],
  ['push:NXM_NX_REG0[0..5],pop:NXM_NX_REG0[]'],
  ['resubmit:1,resubmit(,3),resubmit(1,2),resubmit(,4,ct)'],
  ['note:00112233', 'note:00.11.22.33'],
  ['ct'],
  ['ct(commit,force,zone=5,exec(load:0x1->NXM_NX_CT_MARK[]))'],
  ['ct(commit,zone=NXM_NX_REG0[0..15],nat(src=1.2.3.4-1.2.3.9:10-20,random))'],
  ['ct(commit,nat(dst=[fe80::1]:80)),ct(nat,table=3)', 'ct(commit,nat(dst=[fe80::1]:80)),ct(table=3,nat)'],
  ['clone(output:1,clone(output:2))'],
  ['learn(table=2,idle_timeout=10,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])'],
  ['meter:5,output:1,clear_actions,write_actions(output:1,group:5),write_metadata:0x5/0x7,goto_table:7'],
  ['conjunction(5,1/2)'],
  ['fin_timeout(idle_timeout=5,hard_timeout=6)'],
  ['set_tunnel:0x5,set_tunnel64:0x1234567890,set_queue:5,pop_queue,exit,ct_clear,group:7'],
];
for (const [text, printed] of ACTIONS) {
  test(`actions=${text}`, (t) => {
    const once = formatActions(parseActions(text));
    t.is(once, printed ?? (text === 'ct' ? 'ct()' : text));
    t.is(formatActions(parseActions(once)), once, 'what is printed means the same');
  });
}

/** Text that is refused, and the peer's words. */
const REFUSED: readonly (readonly [flow: string, message: string])[] = [
  ['actions=foo', 'unknown action foo'],
  ['actions=output:foo', 'foo: output to unknown port'],
  ['actions=drop,output:1', '"drop" must not be accompanied by any other action or instruction'],
  ['actions=load:0x12->reg0[0..3]', '0x12->reg0[0..3]: value 0x12 does not fit into 4 bits'],
  [
    'actions=load:1->reg0[-1..3]',
    'reg0[-1..3]: starting bit -1 is not valid because field is only 32 bits wide',
  ],
  ['actions=set_field:5', "5: missing `->'"],
  ['actions=set_field:5->foo', 'foo is not a valid OXM field name'],
  [
    'actions=move:reg0[0..5]->reg1',
    'reg0[0..5]->reg1: source field is 6 bits wide but destination is 32 bits wide',
  ],
  ['actions=resubmit()', 'at least one "in_port" or "table" must be specified on resubmit'],
  [
    'actions=goto_table:3,output:1',
    'invalid instruction ordering: apply_actions must appear before goto_table, for OpenFlow 1.1+ compatibility',
  ],
  // Actions are looked at one after the other, and behind a conjunction no more.
  [
    'actions=mod_nw_tos:4,meter:1,conjunction(2,1/2)',
    'invalid instruction ordering: meter must appear before apply_actions, for OpenFlow 1.1+ compatibility',
  ],
  [
    'actions=note:01,conjunction(2,1/2),mod_nw_tos:4,meter:1',
    '"conjunction" actions may be used along with "note" but not any other kind of action (such as the "mod_nw_tos" action used here)',
  ],
  ['actions=clone(1,meter:1)', "clone action doesn't support nested action meter"],
  ['actions=write_actions(clear_actions)', 'clear_actions instruction not allowed here'],
  ['actions=conjunction(5,3/2)', 'clause index must be less than or equal to number of clauses'],
  ['ip,actions=ct(force)', '"force" flag requires "commit" flag.'],
  ['ip,actions=ct(commit,exec(output:1))', "ct action doesn't support nested action output"],
  ['actions=ct(commit)', 'actions are invalid with specified match (OFPBAC_MATCH_INCONSISTENT)'],
  ['actions=none', 'actions are invalid with specified match (OFPBAC_BAD_OUT_PORT)'],
  ['table=3,actions=goto_table:3', 'actions are invalid with specified match (OFPBIC_BAD_TABLE_ID)'],
  ['in_port=1', 'must specify an action'],
  ['foo,actions=1', 'field foo missing value'],
  ['foo=1,actions=1', 'unknown keyword foo'],
  ['priority=70000,actions=1', 'invalid priority "70000"'],
  ['cookie=5/7,actions=1', 'flow additions cannot use a cookie mask'],
  ['table=foo,actions=1', 'unknown table "foo"'],
];
for (const [flow, message] of REFUSED) {
  test(`${flow} is refused`, (t) => {
    t.throws(() => parseFlow(flow, 'add'), { instanceOf: FlowSyntaxError, message });
  });
}

/** How many of an action a list can have at most: what the peer said to one more was `input too big`. */
const MOST: readonly (readonly [action: string, most: number])[] = [
  ['output:1', 4095],
  ['output:NXM_NX_REG0[]', 2730],
  ['output(port=1,max_len=100)', 4095],
  ['controller', 4095],
  ['controller(meter_id=3)', 2730],
  ['controller(userdata=01.02.03.04.05.06.07.08)', 2047],
  ['controller(userdata=01.02.03.04.05.06.07.08.09)', 1638],
  ['enqueue:1:2', 4095],
  ['bundle(eth_src,50,active_backup,ofport,members:1,2)', 1365],
  ['bundle(eth_src,50,active_backup,ofport,members:1,2,3)', 1170],
  ['bundle_load(eth_src,50,active_backup,ofport,NXM_NX_REG0[],members:1)', 1365],
  ['mod_vlan_vid:1', 8191],
  ['mod_dl_src:00:11:22:33:44:55', 4095],
  ['mod_nw_src:1.2.3.4', 8191],
  ['mod_tp_dst:1', 8191],
  ['set_field:1->reg0', 2047],
  ['set_field:1->xxreg0', 1365],
  ['load:1->NXM_NX_REG0[3..7]', 2047],
  ['set_field:1/1->tun_metadata0', 240],
  ['move:NXM_NX_REG0[]->NXM_NX_REG1[]', 1638],
  ['push:NXM_NX_REG0[]', 2730],
  ['dec_ttl', 4095],
  ['dec_ttl(1,2,3,4)', 4095],
  ['dec_ttl(1,2,3,4,5)', 2730],
  ['set_mpls_label:1', 8191],
  ['set_tunnel:1', 4095],
  ['resubmit(1,2)', 4095],
  ['learn(table=1)', 1365],
  ['learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])', 744],
  ['learn(table=1,in_port=1,eth_type=2048)', 455],
  ['learn(table=1,load:1->NXM_NX_XXREG0[])', 630],
  ['conjunction(1,1/2)', 4095],
  ['multipath(eth_src,50,modulo_n,1,0,NXM_NX_REG0[])', 1638],
  ['note:01.02.03.04.05.06.07.08', 2730],
  ['note:01.02.03.04.05.06.07.08.09', 2047],
  ['exit', 8191],
  ['sample(probability=1)', 2047],
  ['clone()', 8191],
  ['clone(clone(output:1),ct(commit))', 1023],
  ['ct(commit,exec(load:1->NXM_NX_CT_MARK[]))', 1023],
  ['ct(commit,nat(src=1.2.3.4))', 819],
  ['encap(ethernet)', 4095],
  ['encap(nsh(md_type=1))', 2730],
  ['encap(nsh(md_type=2,tlv(0x1000,10,0x12345678)))', 1638],
  ['encap(nsh(md_type=2,tlv(0x1000,1,0x112233445566778899)))', 1365],
  ['decap()', 8191],
  ['check_pkt_larger(100)->NXM_NX_REG0[0]', 2047],
  ['delete_field:tun_metadata0', 4095],
];
for (const [action, most] of MOST) {
  test(`a list can have ${most} of ${action}`, (t) => {
    const list = (n: number): string => Array.from({ length: n }, () => action).join(',');
    t.is(parseActions(list(most)).length, most);
    t.throws(() => parseActions(list(most + 1)), { instanceOf: FlowSyntaxError, message: 'input too big' });
  });
}

/** Instructions, of which a list can have one each: what is behind them and fits no more. */
for (const [instruction, room] of [
  ['meter:1', 16],
  ['clear_actions', 8],
  ['write_actions(output:1)', 24],
  ['write_metadata:1', 24],
] as const) {
  test(`${instruction} takes ${room} bytes of a list`, (t) => {
    const fits = [...Array.from({ length: (65528 - room) / 8 }, () => 'exit'), instruction];
    const refusal = (list: string[]) =>
      t.throws(() => parseActions(list.join(',')), { instanceOf: FlowSyntaxError }).message;
    t.is(refusal(['exit', ...fits, 'bogus']), 'input too big');
    t.is(refusal([...fits, 'bogus']), 'unknown action bogus');
  });
}

test('what is wrong behind too many actions is not looked at', (t) => {
  const many = Array.from({ length: 4096 }, () => 'output:1').join(',');
  for (const text of [`${many},bogus`, `clone(${many},bogus)`, `write_actions(${many}),bogus`])
    t.throws(() => parseActions(text), { instanceOf: FlowSyntaxError, message: 'input too big' });
});

test('members of a bundle beyond the most are not looked at', (t) => {
  const members = Array.from({ length: 2048 }, () => '1').join(',');
  const [a] = parseActions(`bundle(eth_src,50,active_backup,ofport,members:${members},bad)`);
  t.is(a.type === 'bundle' && a.members.length, 2048);
});

test('port names in actions', (t) => {
  const actions = parseActions('eth0,output:"my-port",enqueue:eth0:3,resubmit(eth0,2)', PORTS);
  t.is(formatActions(actions), 'output:1,output:2,enqueue:1:3,resubmit(1,2)');
  t.is(formatActions(actions, PORTS), 'output:eth0,output:"my-port",enqueue:eth0:3,resubmit(eth0,2)');
});

test('names of letters and digits are printed as they are, others in quotes', (t) => {
  for (const [name, printed] of [
    ['e1', 'e1'],
    ['in_port', '"in_port"'],
    ['_x', '"_x"'],
    ['9x', '"9x"'],
    ['a"b', String.raw`"a\"b"`],
  ])
    t.is(formatPort(5, { nameToNumber: () => 5, numberToName: () => name }), printed);
});

test('protocols that can carry a flow', (t) => {
  const usable = (text: string): string => formatProtocols(parseFlowProtocols(text, 'add').usable);
  t.is(usable('actions=1'), 'any');
  t.is(usable('table=3,actions=1'), 'OXM,OpenFlow10+table_id,NXM+table_id,OpenFlow11');
  t.is(usable('reg0=5,actions=1'), 'NXM,OXM');
  t.is(usable('actions=push_vlan:0x8100'), 'OXM,OpenFlow11');
  t.is(usable('actions=meter:3'), 'OXM-OpenFlow13,OXM-OpenFlow14,OXM-OpenFlow15');
  t.is(usable('actions=mod_tp_src:80'), 'OpenFlow10,NXM');
});

test('names of protocols lead back', (t) => {
  for (const name of ['any', 'OpenFlow10', 'NXM', 'OXM', 'NXM+table_id', 'OXM-OpenFlow13', 'OpenFlow11']) {
    t.is(formatProtocols(protocolsFromName(name.toLowerCase())), name);
  }
  t.is(protocolsFromName('foo'), 0);
});

test('a flow is printed with and without statistics', (t) => {
  t.is(
    formatFlow(FLOWS[1]),
    'cookie=0x0, duration=5.123s, table=3, n_packets=10, n_bytes=1000, idle_timeout=5, hard_timeout=9, send_flow_rem idle_age=3, hard_age=4, tcp,nw_src=10.0.0.0/8,tp_dst=80 actions=drop',
  );
  t.is(
    formatFlow(FLOWS[0], { stats: false, ports: PORTS }),
    'cookie=0x1234567890abcdef, priority=7,in_port=eth0 actions=output:"my-port"',
  );
});

test('durations', (t) => {
  t.is(formatDuration(5, 0), '5s');
  t.is(formatDuration(5, 120000000), '5.120s');
  t.is(formatDuration(0, 1), '0.000000001s');
  t.is(formatDuration(1, 23456000), '1.023456s');
});

test('a cookie to match and a cookie to set', (t) => {
  const f = parseFlow('cookie=1/-1,cookie=2,actions=normal', 'modify');
  t.is(f.cookie, 1n);
  t.is(f.cookieMask, 0xffffffffffffffffn);
  t.is(f.newCookie, 2n);
  t.true(f.modifyCookie);
  t.is(parseFlow('actions=1', 'modify').newCookie, 0n);
  t.is(parseFlow('out_port=5', 'delete').outPort, 5);
  t.is(parseFlow('', 'delete').outPort, OFPP.ANY);
});

test('a line may start with its command', (t) => {
  t.deepEqual(splitCommand('delete tcp'), { command: 'delete', from: 6 });
  t.deepEqual(splitCommand('modify_strict tcp,actions=1'), { command: 'modify_strict', from: 13 });
  t.deepEqual(splitCommand(' in_port=1,actions=2'), { command: 'add', from: 1 });
  t.deepEqual(splitCommand('x delete_strict', 2), { command: 'delete_strict', from: 15 });
  t.deepEqual(
    splitCommand('deleted', 0, 6),
    { command: 'delete', from: 6 },
    'a line ends where its file goes on',
  );
  t.deepEqual(splitCommand('del,tcp'), { command: 'delete', from: 3 }, 'cut short, and before a comma');
  t.deepEqual(splitCommand('delete_s tcp'), { command: 'delete_strict', from: 8 });
  t.deepEqual(splitCommand('m tcp'), { command: 'modify', from: 1 });
  t.deepEqual(splitCommand('\vadd tcp'), { command: 'add', from: 0 });
  t.deepEqual(splitGroupCommand('r group_id=1'), { command: 'remove_bucket', rest: ' group_id=1' });
  t.deepEqual(splitGroupCommand('add_,group_id=1'), { command: 'add_or_modify', rest: ',group_id=1' });
  t.deepEqual(splitGroupCommand('mod_ group_id=1'), { command: 'add', rest: 'mod_ group_id=1' });
});

test('key and value syntax', (t) => {
  t.deepEqual(parseKeyValues('a, b=1:2 c(d(e),f)->g,h:i(j,k) l('), [
    { key: 'a', value: '' },
    { key: 'b', value: '1:2' },
    { key: 'c', value: 'd(e),f)->g' },
    { key: 'h', value: 'i(j,k)' },
    { key: 'l', value: '' },
  ]);
});

test('VLAN actions learn whether there is a tag', (t) => {
  const vlan = (match: string, actions: string): unknown =>
    checkActions(parseActions(actions), parseMatch(match)).actions.map((a) => 'hasVlan' in a && a.hasVlan);
  t.deepEqual(vlan('dl_vlan=5', 'mod_vlan_vid:6'), [true]);
  t.deepEqual(vlan('', 'mod_vlan_vid:6,mod_vlan_pcp:1'), [false, true]);
  t.deepEqual(vlan('dl_vlan=5', 'strip_vlan,mod_vlan_vid:6'), [false, false]);
});

test('bytes are dumped as the peer does', (t) => {
  t.is(
    hexDump(Uint8Array.from([0x41, 0, 0x7f])),
    '00000000  41 00 7f                                        |A..             |\n',
  );
});

test('names with a common first word are put together', (t) => {
  t.is(groupNames(['in_port', 'eth_src', 'eth_dst', 'ip_src']), 'in_port eth_{src,dst} ip_src');
});

test('colors are put around words and leave the text as it is', (t) => {
  const colors = parseColors('pm=1:sp=:nosuch=3:vl=x');
  t.is(colors.vl, '32');
  const on = (sgr: string, text: string): string => `\u001b[${sgr}m\u001b[K${text}\u001b[m\u001b[K`;
  t.is(
    colorActions('mod_vlan_vid:5,output:1,resubmit(,4),strip_vlan,drop', colors),
    `${on('1', 'mod_vlan_vid:')}5,${on('', 'output:')}1,${on('35', 'resubmit(')},4${on('35', ')')},${on('32', 'strip_vlan')},${on('34', 'drop')}`,
  );
  t.is(
    colorMatch('priority=7,tcp,in_port="odd, name",tp_dst=80', colors),
    `${on('', 'priority=')}7,${on('32', 'tcp')},${on('1', 'in_port=')}"odd, name",${on('1', 'tp_dst=')}80`,
  );
});
