import test from 'ava';
import { parseMatch } from '@ovs-node/flow/match-text';
import { OFPP } from '@ovs-node/flow/ports';
import {
  COOKIE_NONE,
  FF,
  type FlowMod,
  type FlowRemoved,
  NO_BUFFER,
  type PacketOut,
} from '@ovs-node/openflow/messages/types';
import { type ErrorName, OfError } from '@ovs-node/openflow/errors';
import { makeFlowFilter } from '@ovs-node/openflow/messages/flow-mod';
import { finishPacketOut, type StartedPacket, startPacketOut } from '../../src/ofproto/packet-out.js';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { bareBridge, flowLines, flowMod, mod } from './bench.js';

test('modify changes what matches loosely, strictly only its twin, and adds when there is nothing', (t) => {
  const bridge = bareBridge();
  mod(bridge, 'add', 'priority=5,in_port=1,actions=1');
  mod(bridge, 'add', 'priority=5,in_port=1,tcp,actions=1');
  mod(bridge, 'modify', 'in_port=1,actions=2');
  t.deepEqual(flowLines(bridge), [
    'table=0 n_packets=0 priority=5,in_port=1 actions=output:2',
    'table=0 n_packets=0 priority=5,tcp,in_port=1 actions=output:2',
  ]);
  mod(bridge, 'modify_strict', 'priority=5,in_port=1,actions=3');
  mod(bridge, 'modify', 'table=0,in_port=4,actions=4', 0, { newCookie: 0xffffffffffffffffn });
  mod(bridge, 'modify', 'table=0,in_port=3,actions=4');
  t.deepEqual(
    flowLines(bridge),
    [
      'table=0 n_packets=0 priority=5,in_port=1 actions=output:3',
      'table=0 n_packets=0 priority=32768,in_port=3 actions=output:4',
      'table=0 n_packets=0 priority=5,tcp,in_port=1 actions=output:2',
    ].sort((a, b) => lineOrder(flowLines(bridge), a) - lineOrder(flowLines(bridge), b)),
  );
});

function lineOrder(lines: readonly string[], line: string): number {
  return lines.indexOf(line);
}

test('an added flow without a cookie keeps that of the flow whose place it takes', (t) => {
  const bridge = bareBridge();
  const add = (newCookie: bigint): bigint => {
    bridge.flowMod({ ...flowMod('add', 'in_port=1,actions=2'), newCookie }, 0);
    return bridge.dumpFlows(makeFlowFilter(), 0)[0]!.cookie;
  };
  t.is(add(COOKIE_NONE), COOKIE_NONE, 'all ones when there is none');
  t.is(add(5n), 5n);
  t.is(add(COOKIE_NONE), 5n);
});

test('learned flows send to ports, and to the reserved ones that stand for ports', (t) => {
  const learned = (reg: string): string => {
    const bridge = bareBridge();
    const text = `in_port=1,actions=load:${reg}->NXM_NX_REG0[],learn(table=1,output:NXM_NX_REG0[])`;
    const { match, actions } = flowMod('add', text);
    bridge.packetOut({ bufferId: NO_BUFFER, match, actions, packet: new Uint8Array(60) }, 0);
    return flowLines(bridge)[0]!.replace(/.*actions=(output:)?/, '');
  };
  const values = [
    '5',
    '0xfeff',
    '0xff00',
    '0xfff8',
    '0xfffa',
    '0xfffb',
    '0xfffc',
    '0xfffd',
    '0xfffe',
    '0x10005',
  ];
  const expected = '5 65279 drop 65528 drop 65531 65532 drop 65534 drop';
  t.is(values.map(learned).join(' '), expected, 'as the peer');
});

const NO_ROOM = { name: '', limit: 0, evicts: false, groups: [], prefixes: undefined };

/** A packet-out through table 0. */
const throughTable0 = (): PacketOut => {
  const { match, actions } = flowMod('add', 'in_port=1,actions=resubmit(,0)');
  return { bufferId: NO_BUFFER, match, actions, packet: new Uint8Array(60) };
};

test('a packet-out that goes round in circles is refused, and leaves no trace', (t) => {
  const bridge = bareBridge();
  mod(bridge, 'add', 'in_port=1,actions=learn(table=1,in_port=1),resubmit(,0),resubmit(,0)');
  const before = flowLines(bridge);
  t.is(bridge.packetOut(throughTable0(), 0)?.name, 'OFPFMFC_UNKNOWN');
  t.deepEqual(flowLines(bridge), before);
  t.is(bridge.tableStats()[0]!.lookupCount, 0n);
});

test('a packet-out that teaches too much is refused, and teaches nothing', (t) => {
  const bridge = bareBridge();
  bridge.tables.configure(new Map([[2, NO_ROOM]]), 0);
  mod(bridge, 'add', 'in_port=1,actions=learn(table=1,in_port=1),learn(table=2,in_port=1)');
  const before = flowLines(bridge);
  t.is(bridge.packetOut(throughTable0(), 0)?.name, 'OFPFMFC_TABLE_FULL');
  t.deepEqual(flowLines(bridge), before);
  bridge.tables.configure(new Map(), 0);
  t.is(bridge.packetOut(throughTable0(), 0), undefined);
  t.is(flowLines(bridge).length, 3);
});

test('what packets were taught in a transaction that fails is taken back', (t) => {
  const bridge = bareBridge();
  mod(bridge, 'add', 'table=1,in_port=1,hard_timeout=10,actions=output:1');
  mod(bridge, 'add', 'in_port=1,actions=learn(table=1,in_port=1,hard_timeout=10,output:NXM_OF_IN_PORT[])');
  const before = flowLines(bridge);
  const commands = [
    undefined,
    flowMod('add', 'table=1,priority=32768,in_port=1,hard_timeout=10,actions=output:1'),
    flowMod('delete', 'table=1'),
  ];
  for (const command of commands) {
    const failed = bridge.transaction(5000, () => {
      if (command) t.is(bridge.flowMod(command, 5000), undefined);
      const started = startPacketOut(bridge, throughTable0(), 5000);
      t.false(started instanceof OfError);
      t.is(flowLines(bridge).length, before.length);
      return new OfError('OFPBFC_MSG_FAILED', '');
    });
    t.is(failed?.name, 'OFPBFC_MSG_FAILED');
    t.deepEqual(flowLines(bridge), before);
  }
  // Nor does it live longer for it.
  bridge.runExpiry(11_000);
  t.is(flowLines(bridge).length, before.length - 1);
});

test('a packet is counted in the flow that has taken the place of the one that it matched', (t) => {
  const counted = (...commands: FlowMod[]): number[] => {
    const bridge = bareBridge();
    mod(bridge, 'add', 'in_port=1,actions=output:2');
    bridge.packetOut(throughTable0(), 0);
    let started: StartedPacket | OfError | undefined;
    bridge.transaction(0, () => {
      started = startPacketOut(bridge, throughTable0(), 0);
      for (const command of commands) t.is(bridge.flowMod(command, 0), undefined);
      return undefined;
    });
    t.false(started === undefined || started instanceof OfError);
    if (started !== undefined && !(started instanceof OfError)) finishPacketOut(bridge, started, 0);
    return bridge.dumpFlows(makeFlowFilter(), 0).map(({ packetCount }) => Number(packetCount));
  };
  const add = flowMod('add', 'in_port=1,actions=output:3');
  t.deepEqual(counted(), [2]);
  t.deepEqual(counted(add), [2]);
  t.deepEqual(
    counted(flowMod('modify', 'actions=output:3'), add, flowMod('modify', 'actions=output:4')),
    [2],
  );
  t.deepEqual(counted({ ...add, flags: FF.RESET_COUNTS }), [0]);
  t.deepEqual(counted({ ...add, flags: FF.RESET_COUNTS }, flowMod('modify', 'actions=output:4')), [0]);
  t.deepEqual(counted(flowMod('delete', ''), add), [0]);
  // However often it changes.
  t.deepEqual(counted(...Array.from({ length: 20_000 }, () => add)), [2]);
});

test('the limit of a learn action is not for what controllers send', (t) => {
  const bridge = bareBridge();
  const text = 'in_port=1,actions=learn(table=1,limit=1,cookie=5,NXM_OF_IN_PORT[])';
  for (const inPort of [1, 2]) {
    const { match, actions } = flowMod('add', text.replace('in_port=1', `in_port=${inPort}`));
    t.is(bridge.packetOut({ bufferId: NO_BUFFER, match, actions, packet: new Uint8Array(60) }, 0), undefined);
  }
  t.is(flowLines(bridge).length, 2);
});

test('delete looks at match, cookie and output port', (t) => {
  const bridge = bareBridge();
  for (const port of [1, 2, 3]) mod(bridge, 'add', `cookie=${port},in_port=${port},actions=${port + 10}`);
  mod(bridge, 'delete', '', 0, { cookie: 1n, cookieMask: 0xffffffffffffffffn });
  mod(bridge, 'delete', '', 0, { outPort: 12 });
  t.deepEqual(flowLines(bridge), ['table=0 n_packets=0 priority=32768,in_port=3 actions=output:13']);
  mod(bridge, 'delete_strict', 'priority=1,in_port=3');
  t.is(flowLines(bridge).length, 1);
  mod(bridge, 'delete_strict', 'in_port=3');
  t.deepEqual(flowLines(bridge), []);
});

test("a whole cookie finds the switch's own flows, which stay", (t) => {
  const bridge = bareBridge();
  const whole = { cookie: 0n, cookieMask: 0xffffffffffffffffn };
  const cookies = (more: object): bigint[] =>
    bridge.tables.dump(makeFlowFilter(more), 0).map(({ cookie }) => cookie);
  const own = cookies({ tableId: 254 }).length;
  t.true(own > 0);
  mod(bridge, 'add', 'in_port=1,actions=1');
  mod(bridge, 'add', 'cookie=5,in_port=2,actions=1');
  t.is(cookies(whole).length, own + 1);
  t.is(cookies({}).length, 2);
  mod(bridge, 'delete', '', 0, whole);
  t.is(cookies(whole).length, own);
  for (const command of ['delete', 'modify'] as const) {
    t.is(bridge.flowMod(flowMod(command, 'actions=1', whole), 0)?.name, 'OFPBRC_EPERM');
  }
  t.is(bridge.flowMod(flowMod('delete_strict', 'table=254,priority=2,recirc_id=0'), 0)?.name, 'OFPBRC_EPERM');
  t.is(cookies({ tableId: 254 }).length, own);
});

/** The priorities of the flows of a cookie, in the order in which commands have them. */
function ofCookie(bridge: Ofproto, cookie: bigint, more: object = {}): number[] {
  const filter = makeFlowFilter({ cookie, cookieMask: 0xffffffffffffffffn, ...more });
  return bridge.tables.dump(filter, 0).map(({ priority }) => priority);
}

test('flows of a whole cookie come as in the index of the peer: the first one, then from new to old', (t) => {
  const bridge = bareBridge();
  const told = { flags: FF.SEND_FLOW_REM };
  const place = (n: number): string => `table=${n % 3},priority=${n},in_port=${n & 1}`;
  for (let n = 1; n <= 6; n++) mod(bridge, 'add', `cookie=5,${place(n)},actions=1`, 0, told);
  mod(bridge, 'add', 'cookie=6,priority=9,actions=1');
  t.deepEqual(ofCookie(bridge, 5n), [1, 6, 5, 4, 3, 2]);
  t.deepEqual(ofCookie(bridge, 5n, { tableId: 0 }), [6, 3]);
  t.deepEqual(ofCookie(bridge, 5n, { match: parseMatch('in_port=1') }), [1, 5, 3]);
  // One that is changed is new.
  mod(bridge, 'modify_strict', `cookie=5,${place(3)},actions=2`);
  t.deepEqual(ofCookie(bridge, 5n), [1, 3, 6, 5, 4, 2]);
  // Behind the first one that leaves comes the next.
  mod(bridge, 'delete_strict', place(1));
  mod(bridge, 'add', `cookie=5,${place(7)},actions=1`, 0, told);
  t.deepEqual(ofCookie(bridge, 5n), [3, 7, 6, 5, 4, 2]);
  const removed: number[] = [];
  bridge.events = {
    onPacketIn: () => undefined,
    onFlowRemoved: ({ priority }) => void removed.push(priority),
  };
  mod(bridge, 'delete', '', 0, { cookie: 5n, cookieMask: 0xffffffffffffffffn });
  t.deepEqual(removed, [3, 7, 6, 5, 4, 2]);
  t.deepEqual(ofCookie(bridge, 5n), []);
});

test('what a transaction that failed had changed lies in front of the flows of its cookie', (t) => {
  const bridge = bareBridge();
  for (let n = 1; n <= 4; n++) mod(bridge, 'add', `cookie=5,priority=${n},actions=1`);
  bridge.tables.begin();
  mod(bridge, 'modify_strict', 'cookie=5,priority=2,actions=2');
  mod(bridge, 'add', 'cookie=5,priority=5,actions=2');
  mod(bridge, 'delete_strict', 'priority=4');
  bridge.tables.rollBack();
  t.deepEqual(ofCookie(bridge, 5n), [1, 2, 4, 3]);
});

test('what a transaction that failed had changed is where it was among the flows of its table', (t) => {
  const bridge = bareBridge();
  const order = (): number[] =>
    bridge.tables
      .all()
      .filter(({ tableId }) => tableId === 0)
      .map(({ priority }) => priority);
  for (let n = 1; n <= 6; n++) mod(bridge, 'add', `cookie=${n},priority=${n},actions=1`);
  const before = order();
  bridge.tables.begin();
  mod(bridge, 'modify_strict', 'priority=3,actions=2');
  mod(bridge, 'delete_strict', 'priority=2');
  mod(bridge, 'add', 'priority=9,actions=2');
  mod(bridge, 'add', 'priority=4,actions=2');
  mod(bridge, 'delete_strict', 'priority=1');
  bridge.tables.rollBack();
  t.deepEqual(order(), before);
  bridge.tables.begin();
  mod(bridge, 'delete', '');
  mod(bridge, 'add', 'priority=9,actions=2');
  bridge.tables.rollBack();
  t.deepEqual(order(), before);
});

test('what a flow-mod may not do is refused and changes nothing', (t) => {
  const bridge = bareBridge();
  mod(bridge, 'add', 'priority=7,in_port=1,actions=1');
  const refused = (name: ErrorName, text: string, more = {}): void => {
    t.is(bridge.flowMod(flowMod('add', text, more), 0)?.name, name, text);
    t.deepEqual(flowLines(bridge), ['table=0 n_packets=0 priority=7,in_port=1 actions=output:1']);
  };
  refused('OFPFMFC_OVERLAP', 'priority=7,tcp,actions=2', { flags: FF.CHECK_OVERLAP });
  refused('OFPBRC_EPERM', 'table=254,actions=1');
  refused('OFPBAC_BAD_OUT_GROUP', 'actions=group:1');
  refused('OFPMMFC_INVALID_METER', 'actions=meter:1,2');
});

test('flows expire, and say so when asked to', (t) => {
  const bridge = bareBridge();
  const removed: FlowRemoved[] = [];
  bridge.events = { onPacketIn: () => undefined, onFlowRemoved: (flow) => void removed.push(flow) };
  mod(bridge, 'add', 'in_port=1,idle_timeout=5,actions=1', 0, { flags: FF.SEND_FLOW_REM });
  mod(bridge, 'add', 'in_port=2,hard_timeout=10,actions=1', 0, { flags: FF.SEND_FLOW_REM });
  mod(bridge, 'add', 'in_port=3,actions=1', 0, { flags: FF.SEND_FLOW_REM });
  t.is(bridge.runExpiry(5000), 5001);
  t.is(bridge.runExpiry(5001), 10001);
  t.is(bridge.runExpiry(10001), undefined);
  mod(bridge, 'delete', 'in_port=3', 12500);
  t.deepEqual(
    removed.map(({ reason, durationSec, durationNsec }) => [reason, durationSec, durationNsec]),
    [
      ['idle', 5, 1e6],
      ['hard', 10, 1e6],
      ['delete', 12, 5e8],
    ],
  );
});

test('the age of a flow is counted up to 65535 s, how long it has been there without end', (t) => {
  const bridge = bareBridge();
  mod(bridge, 'add', 'in_port=1,actions=drop');
  const days = 100 * 86_400;
  bridge.tables.forEach(makeFlowFilter(), (rule) => {
    // As the peer's: seen after time/warp 8640000000.
    const { durationSec, durationNsec, idleAge, hardAge } = rule.stats(days * 1000);
    t.deepEqual([durationSec, durationNsec, idleAge, hardAge], [days, 0, 65535, 65535]);
    t.is(rule.stats(65_000_000).idleAge, 65_000);
  });
  t.plan(2);
});

test('a bridge on its own is a learning switch unless it is to be secure', (t) => {
  const bridge = bareBridge();
  t.deepEqual(flowLines(bridge), []);
  bridge.setControl('standalone', false, 0);
  t.deepEqual(flowLines(bridge), ['table=0 n_packets=0 priority=0, actions=NORMAL']);
  bridge.setControl('standalone', true, 0);
  t.deepEqual(flowLines(bridge), []);
});

test('stations age, and a full table evicts those of its fullest port', (t) => {
  const bridge = bareBridge();
  bridge.configure({ macTableSize: 10 }, 0);
  for (let i = 0; i < 10; i++) bridge.learnMac(1, BigInt(2 + 2 * i), 0, false, i);
  bridge.learnMac(2, 0x200n, 0, false, 20);
  t.is(bridge.macTable.size, 10);
  t.is(bridge.macTable.evicted, 1);
  t.is(bridge.macTable.lookup(2n, 0, 20), undefined);
  t.is(bridge.macTable.lookup(0x200n, 0, 20)?.name, 'p2');
  t.is(bridge.macTable.lookup(0x200n, 1, 20), undefined);
  bridge.runExpiry(300_020);
  t.is(bridge.macTable.size, 0);
  t.is(bridge.port(OFPP.LOCAL)?.name, 'br0');
});
