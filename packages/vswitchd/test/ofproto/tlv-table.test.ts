import test from 'ava';
import type { TlvMapping } from '@ovs-node/openflow/messages/extension-types';
import { NO_BUFFER } from '@ovs-node/openflow/messages/types';
import { ofprotoCommands } from '../../src/ofproto/appctl.js';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { makeFlowFilter } from '@ovs-node/openflow/messages/flow-mod';
import { ODPP_NONE } from '../../src/ofproto/types.js';
import { Backer } from '../../src/ofproto/backer.js';
import { addPort, bareBridge, flowLines, flowMod, mod } from './bench.js';

const mapping = (index: number, optionType: number, optionLen = 4): TlvMapping => ({
  optionClass: 0xffff,
  optionType,
  optionLen,
  index,
});
const add = (bridge: Ofproto, ...mappings: TlvMapping[]): string | undefined =>
  bridge.tables.tlvMod({ command: 'add', mappings })?.name;
const remove = (bridge: Ofproto, ...indexes: number[]): string | undefined =>
  bridge.tables.tlvMod({ command: 'delete', mappings: indexes.map((index) => mapping(index, 0)) })?.name;
const indexes = (bridge: Ofproto): number[] => bridge.tables.tlv.mappings.map((each) => each.index);

function bridgeWith(...flows: string[]): Ofproto {
  const bridge = bareBridge();
  add(bridge, mapping(0, 0), mapping(5, 1, 8), mapping(40, 2, 16));
  for (const flow of flows) mod(bridge, 'add', flow);
  return bridge;
}

function traced(bridge: Ofproto, flow: string): string[] {
  const command = ofprotoCommands({ backers: () => [bridge.backer], now: () => 0 }).find(
    (row) => row.name === 'ofproto/trace',
  )!;
  const text = command.handler(['br0', flow]) as string;
  return [/Megaflow: (.*)/.exec(text)![1]!, /Datapath actions: (.*)/.exec(text)![1]!];
}

test('mappings are added all or none, each option and each field once, within 256 bytes', (t) => {
  const bridge = bareBridge();
  t.is(add(bridge, mapping(0, 0)), undefined);
  t.is(add(bridge, mapping(0, 1)), 'NXTTMFC_ALREADY_MAPPED');
  t.is(add(bridge, mapping(2, 2), mapping(1, 0, 8)), 'NXTTMFC_DUP_ENTRY');
  t.deepEqual(indexes(bridge), [0]);
  t.is(add(bridge, mapping(1, 1, 124), mapping(2, 2, 124)), undefined);
  t.is(add(bridge, mapping(3, 3), mapping(4, 4)), 'NXTTMFC_TABLE_FULL');
  t.is(add(bridge, mapping(63, 3)), undefined);
  t.is(add(bridge, mapping(5, 5, 0)), undefined, 'an option may have no bytes');
  t.deepEqual(indexes(bridge), [0, 1, 2, 5, 63]);
  t.is(remove(bridge, 1, 9), undefined, 'what is not mapped does not matter');
  t.is(add(bridge, mapping(1, 7, 64), mapping(3, 8, 60)), undefined, 'into the gap');
  t.is(bridge.tables.tlvMod({ command: 'clear', mappings: [] }), undefined);
  t.true(bridge.tables.tlv.isEmpty);
});

test('a mapping that a flow uses, in its match or inside of its actions, stays', (t) => {
  const bridge = bridgeWith(
    'tun_metadata0=1,actions=1',
    'in_port=2,actions=clone(set_field:1->tun_metadata5)',
  );
  t.is(remove(bridge, 40, 0), 'NXTTMFC_INVALID_TLV_DEL');
  t.is(remove(bridge, 5), 'NXTTMFC_INVALID_TLV_DEL');
  t.is(bridge.tables.tlvMod({ command: 'clear', mappings: [] })?.name, 'NXTTMFC_INVALID_TLV_DEL');
  t.deepEqual(indexes(bridge), [0, 5, 40]);
  mod(bridge, 'delete', 'tun_metadata0=1');
  t.is(remove(bridge, 0), undefined);
});

for (const actions of [
  'learn(NXM_NX_TUN_METADATA0[])',
  'learn(tun_metadata5=5)',
  'push:tun_metadata5[]',
  'pop:tun_metadata0[32..39]',
  'output:tun_metadata0[1..32]',
]) {
  test(`actions name bits that options have: ${actions}`, (t) => {
    const bridge = bridgeWith();
    t.is(bridge.flowMod(flowMod('add', `actions=${actions}`), 0)?.name, 'OFPBAC_BAD_SET_LEN');
    t.is(add(bridge, mapping(1, 7, 16)), undefined);
    const longer = actions.replace(/[05](?=[[=])/, '1');
    const fits = !longer.includes('[]') && !longer.includes('=');
    t.is(
      bridge.flowMod(flowMod('add', `actions=${longer}`), 0)?.name,
      fits ? undefined : 'OFPBAC_BAD_SET_LEN',
    );
  });
}

test('flows name options that are mapped only, and are found by them', (t) => {
  const bridge = bridgeWith(
    'tun_metadata0=0x1234,actions=1',
    'tun_metadata0=0x12/0xff,actions=2',
    'actions=3',
  );
  const refused = (command: 'add' | 'delete' | 'modify', text: string): void => {
    t.is(bridge.flowMod(flowMod(command, text), 0)?.name, 'NXFMFC_INVALID_TLV_FIELD', text);
    t.is(flowLines(bridge).length, 3);
  };
  refused('add', 'tun_metadata9=1,actions=drop');
  refused('add', 'in_port=1,actions=move:NXM_OF_ETH_DST[0..15]->NXM_NX_TUN_METADATA9[0..15]');
  refused('delete', 'tun_metadata9=1');
  refused('modify', 'tun_metadata9=1,actions=drop');
  const found = (text: string): number =>
    bridge.dumpFlows(makeFlowFilter({ match: flowMod('delete', text).match }), 0).length;
  t.is(found('tun_metadata0=0x1234'), 1);
  t.is(found('tun_metadata0'), 2);
  t.is(found('tun_metadata5'), 0);
  mod(bridge, 'add', 'tun_metadata0=0x1234,actions=4');
  mod(bridge, 'delete', 'tun_metadata0=0x12/0xff');
  t.deepEqual(flowLines(bridge), [
    'table=0 n_packets=0 priority=32768,tun_metadata0=0x1234 actions=output:4',
    'table=0 n_packets=0 priority=32768, actions=output:3',
  ]);
});

test('options go through the tables with the packet, and megaflows say what mattered of them', (t) => {
  const bridge = bridgeWith(
    'priority=10,tun_metadata0=0x1234,tun_metadata5=0x7/0xff,actions=1',
    'priority=20,tun_metadata40=0x112233445566778899/0xffff000000000000ffff,actions=2',
    'priority=5,in_port=1,actions=load:0x55->NXM_NX_TUN_METADATA0[0..15],push:NXM_NX_TUN_METADATA0[0..7],pop:NXM_NX_TUN_METADATA5[32..39],resubmit(,1)',
    'priority=5,in_port=2,actions=set_field:0x55->tun_metadata0,delete_field:tun_metadata0,resubmit(,1)',
    'table=1,tun_metadata5=0x5500000000/0xffffffffff,actions=3',
    'table=1,priority=1,actions=4',
  );
  const tunnel = 'recirc_id=0,eth,tun_id=0,tun_src=0.0.0.0,tun_dst=1.2.3.4,tun_tos=0,tun_flags=-df-csum-key,';
  t.deepEqual(traced(bridge, 'tun_metadata0=0x1234,tun_metadata5=0xaa07,tun_dst=1.2.3.4'), [
    `${tunnel}tun_metadata0=0x1234,tun_metadata5=0x7/0xff,tun_metadata40=NP,in_port=ANY,dl_type=0x0000`,
    '1',
  ]);
  t.is(traced(bridge, 'tun_metadata40=0x552233445566778899')[1], 'drop');
  t.is(traced(bridge, 'tun_metadata40=0x112233005566778899')[1], '2');
  t.is(traced(bridge, 'in_port=1')[1], '3');
  t.is(traced(bridge, 'in_port=2')[1], '4');
  t.deepEqual(traced(bridge, 'in_port=1'), ['recirc_id=0,eth,in_port=1,dl_type=0x0000', '3']);
});

test('a packet-out may name options that stand for nothing', (t) => {
  const bridge = bridgeWith();
  const { match, actions } = flowMod(
    'add',
    'in_port=1,actions=set_field:1->tun_metadata9,move:NXM_NX_TUN_METADATA9[0..15]->NXM_NX_REG0[0..15],output:2',
  );
  t.is(bridge.packetOut({ bufferId: NO_BUFFER, match, actions, packet: new Uint8Array(60) }, 0), undefined);
});

test('tunnel options do not cross a patch port, and are there again behind it', (t) => {
  const backer = new Backer('dummy');
  const a = bareBridge(2, 'br0', backer);
  const b = bareBridge(0, 'br1', backer);
  addPort(a, { ofport: 11, name: 'pa', dpPort: ODPP_NONE, type: 'patch', peer: 'pb' });
  addPort(b, { ofport: 12, name: 'pb', dpPort: ODPP_NONE, type: 'patch', peer: 'pa' });
  addPort(b, { ofport: 3, name: 'b3', dpPort: 3 });
  for (const bridge of [a, b]) add(bridge, mapping(0, 0));
  mod(a, 'add', 'in_port=1,actions=set_field:5->tun_metadata0,11,resubmit(,1)');
  mod(a, 'add', 'table=1,tun_metadata0=5,actions=2');
  mod(b, 'add', 'priority=10,tun_metadata0=5,actions=drop');
  mod(b, 'add', 'priority=9,actions=set_field:7->tun_metadata0,3');
  t.deepEqual(traced(a, 'in_port=1'), ['recirc_id=0,eth,in_port=1,dl_type=0x0000', '3,2']);
});
