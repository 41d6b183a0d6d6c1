/** In what order flows lie that were changed in transactions, and which of them loose commands see: as the peer's (3.1). */
import test from 'ava';
import type { FlowModCommand } from '@ovs-node/openflow/messages/types';
import { parseFlow } from '@ovs-node/openflow/text/flow';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { formatActionList, formatRuleMatch } from '../../src/ofproto/rule-text.js';
import { bareBridge } from './bench.js';

/** A command of a transaction, as in the files of `ovs-ofctl bundle`. */
type Command = `${'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict'} ${string}`;

interface Row {
  readonly name: string;
  /** What is there before, and what goes again before the transaction. */
  readonly before?: readonly Command[];
  readonly commands: readonly Command[];
  /** What `ovs-ofctl --no-stats dump-flows` of the peer shows. */
  readonly flows: readonly string[];
}

/** Flows of masks that differ, by falling priority: what is put behind the others as long as there is room. */
const falling = (n: number): Command[] =>
  Array.from({ length: n }, (_, i) => `add priority=${50 - i},reg${i}=1,actions=1` as const);
const fallen = (from: number, to: number, actions: string): string[] =>
  Array.from(
    { length: to - from },
    (_, i) => `priority=${50 - from - i},reg${from + i}=0x1 actions=${actions}`,
  );

const ROWS: readonly Row[] = [
  {
    name: 'masks stay as they came where their highest priorities come to be the same',
    commands: [
      'add priority=1,in_port=1,actions=1',
      'add priority=1,dl_vlan=1,actions=1',
      'add priority=3,dl_vlan=2,actions=1',
      'add priority=3,in_port=2,actions=1',
    ],
    flows: [
      'priority=1,in_port=1 actions=output:1',
      'priority=3,in_port=2 actions=output:1',
      'priority=1,dl_vlan=1 actions=output:1',
      'priority=3,dl_vlan=2 actions=output:1',
    ],
  },
  {
    name: 'what was deleted keeps the place of its mask',
    before: [
      'add priority=1,in_port=1,actions=1',
      'add priority=1,dl_vlan=1,actions=1',
      'add priority=1,ip,actions=1',
    ],
    commands: [
      'delete ',
      'add priority=1,ip,actions=1',
      'add priority=1,in_port=1,actions=1',
      'add priority=1,dl_vlan=1,actions=1',
    ],
    flows: [
      'priority=1,in_port=1 actions=output:1',
      'priority=1,dl_vlan=1 actions=output:1',
      'priority=1,ip actions=output:1',
    ],
  },
  {
    name: 'a loose command sees flows that were added while there was room for their masks',
    commands: [...falling(6), 'modify actions=9'],
    flows: [...fallen(0, 4, 'output:9'), ...fallen(4, 6, 'output:1')],
  },
  {
    name: 'there is more room where there were more masks',
    before: [...falling(7), 'delete '],
    commands: [...falling(13), 'modify actions=9'],
    flows: [...fallen(0, 11, 'output:9'), ...fallen(11, 13, 'output:1')],
  },
  {
    name: 'there is less room where masks went one by one',
    before: [
      ...falling(7),
      ...falling(7).map((_, i) => `delete_strict priority=${50 - i},reg${i}=1` as const),
    ],
    commands: [...falling(7), 'modify actions=9'],
    flows: [...fallen(0, 5, 'output:9'), ...fallen(5, 7, 'output:1')],
  },
  {
    name: 'a mask of a higher priority is not seen at once, flows of masks that are there are',
    before: ['add priority=5,in_port=1,actions=1'],
    commands: [
      'add priority=6,in_port=1,dl_vlan=1,actions=1',
      'add priority=7,in_port=2,actions=1',
      'modify actions=9',
      'delete in_port=1',
    ],
    flows: ['priority=7,in_port=2 actions=output:9', 'priority=6,in_port=1,dl_vlan=1 actions=output:1'],
  },
  {
    name: 'overlaps are looked for among flows that are seen',
    commands: [
      'add priority=5,in_port=1,actions=1',
      'add priority=6,ip,nw_src=1.1.1.1,actions=1',
      'add check_overlap,priority=6,ip,actions=1',
    ],
    flows: [
      'priority=6,ip,nw_src=1.1.1.1 actions=output:1',
      'priority=6,ip actions=output:1',
      'priority=5,in_port=1 actions=output:1',
    ],
  },
];

/** The flows of table 0 that controllers see, in the order of a dump. */
function shown(bridge: Ofproto): string[] {
  return bridge.tables
    .all()
    .filter(({ tableId, isHidden }) => tableId === 0 && !isHidden)
    .map(
      (rule) =>
        `priority=${rule.priority},${formatRuleMatch(rule, undefined)} actions=${formatActionList(rule.actions, undefined)}`,
    );
}

function run(bridge: Ofproto, command: Command): void {
  const [, name, text] = /^(\w+) (.*)$/.exec(command)!;
  const error = bridge.flowMod(parseFlow(text!, name as FlowModCommand), 0);
  if (error) throw error;
}

for (const { name, before = [], commands, flows } of ROWS) {
  test(name, (t) => {
    const bridge = bareBridge();
    for (const command of before) run(bridge, command);
    bridge.tables.begin();
    for (const command of commands) run(bridge, command);
    bridge.tables.commit(0);
    t.deepEqual(shown(bridge), flows);
  });
}

test('a packet sees all flows of its transaction, and so do commands behind it', (t) => {
  const bridge = bareBridge();
  bridge.tables.begin();
  for (const command of falling(6)) run(bridge, command);
  bridge.tables.publish();
  run(bridge, 'modify actions=9');
  bridge.tables.commit(0);
  t.deepEqual(shown(bridge), fallen(0, 6, 'output:9'));
});

test('what a failed transaction added leaves room', (t) => {
  const bridge = bareBridge();
  bridge.tables.begin();
  for (const command of falling(6)) run(bridge, command);
  bridge.tables.rollBack();
  bridge.tables.begin();
  for (const command of [...falling(12), 'modify actions=9' as const]) run(bridge, command);
  bridge.tables.commit(0);
  t.deepEqual(shown(bridge), [...fallen(0, 10, 'output:9'), ...fallen(10, 12, 'output:1')]);
});

test('flows of a cookie stay when a flow that would have taken them with it was never there', (t) => {
  const bridge = bareBridge();
  run(bridge, 'add table=2,cookie=7,priority=1,actions=1');
  bridge.tables.begin();
  run(bridge, 'add priority=1,actions=learn(table=2,delete_learned,cookie=7,eth_dst=eth_src)');
  bridge.tables.rollBack();
  run(bridge, 'add priority=2,actions=1');
  t.is(bridge.tables.table(2).classifier.size, 1);
});

test('flows go with their teacher also when another comes in the same transaction, behind that it goes', (t) => {
  const bridge = bareBridge();
  const teacher = 'actions=learn(table=2,delete_learned,cookie=7,eth_dst=eth_src)';
  const left = (...commands: Command[]): number => {
    run(bridge, 'delete ');
    run(bridge, `add priority=1,${teacher}`);
    run(bridge, 'add table=2,cookie=7,priority=9,actions=1');
    bridge.tables.begin();
    for (const command of commands) run(bridge, command);
    bridge.tables.commit(0);
    return bridge.tables.table(2).classifier.size;
  };
  t.is(left('delete_strict priority=1', `add priority=2,${teacher}`), 0);
  t.is(left(`add priority=2,${teacher}`, 'delete_strict priority=1'), 1);
  t.is(left(`add priority=1,${teacher}`), 1);
});
