import test from 'ava';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import type { FlowMod, TableMod } from '@ovs-node/openflow/messages/types';
import type { TableSettings } from '../../src/ofproto/flow-table.js';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { bareBridge } from './bench.js';

const limited = (limit: number, more: Partial<TableSettings> = {}): Map<number, TableSettings> =>
  new Map([[0, { name: '', limit, evicts: false, groups: [], prefixes: undefined, ...more }]]);

function add(bridge: Ofproto, inPort: number, mod: Partial<FlowMod> = {}): string | undefined {
  const match = new Match();
  [match.key[W.IN_PORT], match.mask[W.IN_PORT]] = [inPort, 0xffffffff];
  return bridge.flowMod(makeFlowMod({ command: 'add', priority: 1, match, ...mod }), 1000)?.name;
}

function ports(bridge: Ofproto): number[] {
  return bridge.tables
    .all()
    .filter((rule) => rule.tableId === 0)
    .map((rule) => rule.match().key[W.IN_PORT]!)
    .sort((a, b) => a - b);
}

const tableMod = (more: Partial<TableMod>): TableMod => ({
  tableId: 0,
  miss: 'default',
  eviction: undefined,
  evictionFlags: undefined,
  vacancyEvents: undefined,
  vacancy: { down: 0, up: 0, vacancy: 0 },
  ...more,
});

test('a full table refuses a flow, but not one that takes the place of another', (t) => {
  const bridge = bareBridge();
  bridge.tables.configure(limited(2), 1000);
  t.is(add(bridge, 1), undefined);
  t.is(add(bridge, 2), undefined);
  t.is(add(bridge, 3), 'OFPFMFC_TABLE_FULL');
  t.is(add(bridge, 2), undefined);
  t.is(add(bridge, 3, { tableId: 1 }), undefined, 'other tables have no limit');
  bridge.tables.configure(new Map(), 1000);
  t.is(add(bridge, 3), undefined);
});

test('the flow of least importance that has a timeout makes room, among equals the one that expires first', (t) => {
  const bridge = bareBridge();
  bridge.tables.configure(limited(4), 1000);
  t.is(bridge.tables.tableMod(tableMod({ eviction: true })), undefined);
  add(bridge, 1);
  add(bridge, 2, { idleTimeout: 100, importance: 5 });
  add(bridge, 3, { idleTimeout: 900, importance: 4 });
  add(bridge, 4, { hardTimeout: 500, importance: 4 });
  t.is(add(bridge, 5), undefined);
  t.deepEqual(ports(bridge), [1, 2, 3, 5]);
  add(bridge, 6);
  t.deepEqual(ports(bridge), [1, 2, 5, 6]);
  add(bridge, 7);
  t.is(add(bridge, 8), 'OFPFMFC_TABLE_FULL', 'flows without a timeout stay');
  t.deepEqual(ports(bridge), [1, 5, 6, 7]);
});

test('of flows that expire together the first makes room, then the last that came', (t) => {
  const bridge = bareBridge();
  bridge.tables.configure(limited(4, { evicts: true }), 1000);
  for (let i = 1; i <= 10; i++) add(bridge, i, { idleTimeout: 100 });
  t.deepEqual(ports(bridge), [2, 3, 9, 10]);
});

test('a flow may be given a timeout that lets it make room', (t) => {
  const bridge = bareBridge();
  bridge.tables.configure(limited(1, { evicts: true }), 1000);
  add(bridge, 1);
  t.is(add(bridge, 2), 'OFPFMFC_TABLE_FULL');
  for (const rule of bridge.tables.all()) if (rule.tableId === 0) bridge.tables.reduceTimeouts(rule, 5, 0);
  t.is(add(bridge, 2), undefined);
  t.deepEqual(ports(bridge), [2]);
});

test('one flow makes room for one, also where there are too many', (t) => {
  const bridge = bareBridge();
  for (let i = 1; i <= 3; i++) add(bridge, i, i === 3 ? { idleTimeout: 100 } : {});
  bridge.tables.configure(limited(1), 1000);
  bridge.tables.tableMod(tableMod({ eviction: true }));
  t.is(add(bridge, 4), undefined);
  t.deepEqual(ports(bridge), [1, 2, 4]);
  t.is(add(bridge, 5), 'OFPFMFC_TABLE_FULL');
});

test('the biggest group gives way', (t) => {
  const bridge = bareBridge();
  const groups = [{ field: 'in_port', ofs: 0, nBits: 1 }];
  bridge.tables.configure(limited(3, { evicts: true, groups }), 1000);
  add(bridge, 1, { idleTimeout: 10 });
  add(bridge, 2, { idleTimeout: 30 });
  add(bridge, 4, { idleTimeout: 20 });
  add(bridge, 6, { idleTimeout: 20 });
  t.deepEqual(ports(bridge), [1, 2, 6]);
});

test('a lower limit evicts what may go', (t) => {
  const bridge = bareBridge();
  for (let i = 1; i <= 4; i++) add(bridge, i, i < 3 ? {} : { idleTimeout: i });
  bridge.tables.configure(limited(1, { evicts: true }), 1000);
  t.deepEqual(ports(bridge), [1, 2]);
});

test('vacancy is told of once on the way down and once on the way up, not of what a failed transaction did', (t) => {
  const bridge = bareBridge();
  const events: string[] = [];
  bridge.events = {
    onPacketIn: () => undefined,
    onFlowRemoved: () => undefined,
    onTableStatus: (desc, reason) => events.push(`${reason} ${desc.vacancy.vacancy}`),
  };
  bridge.tables.configure(limited(10), 1000);
  bridge.tables.tableMod(tableMod({ vacancyEvents: true, vacancy: { down: 30, up: 60, vacancy: 0 } }));
  for (let i = 1; i <= 10; i++) add(bridge, i);
  t.deepEqual(events.splice(0), ['vacancy_down 20']);
  bridge.transaction(1000, () => {
    bridge.flowMod(makeFlowMod({ command: 'delete', priority: 0 }), 1000);
    return 'no';
  });
  t.deepEqual(events.splice(0), []);
  bridge.flowMod(makeFlowMod({ command: 'delete', priority: 0 }), 1000);
  t.deepEqual(events.splice(0), ['vacancy_up 100']);
  // Thresholds and limits may change what is true of a table, but are no event.
  for (let i = 1; i <= 10; i++) add(bridge, i, i < 10 ? {} : { idleTimeout: 100 });
  t.deepEqual(events.splice(0), ['vacancy_down 20']);
  bridge.tables.tableMod(tableMod({ vacancyEvents: true, vacancy: { down: 0, up: 0, vacancy: 0 } }));
  bridge.tables.configure(limited(20), 1000);
  t.deepEqual(events.splice(0), []);
  // What makes room for a flow leaves as much of it as there was.
  bridge.tables.configure(limited(10), 1000);
  bridge.tables.tableMod(
    tableMod({ eviction: true, vacancyEvents: true, vacancy: { down: 5, up: 5, vacancy: 0 } }),
  );
  t.is(add(bridge, 11, { idleTimeout: 100 }), undefined);
  t.deepEqual(events.splice(0), []);
  bridge.tables.configure(limited(9, { evicts: true }), 1000);
  t.deepEqual(events, []);
  const vacancies = [0, 9, 10, 40].map((limit) => {
    bridge.tables.configure(limited(limit), 1000);
    return bridge.tables.table(0).vacancy;
  });
  t.deepEqual(vacancies, [100, 0, 10, 77], 'a table that takes no flows counts as empty');
});

test("the switch's own tables are not for controllers to configure", (t) => {
  const bridge = bareBridge();
  t.is(bridge.tables.tableMod(tableMod({ tableId: 254 }))?.name, 'OFPTMFC_EPERM');
  t.is(bridge.tables.tableMod(tableMod({ tableId: 255, miss: 'drop' })), undefined);
  t.is(bridge.tables.table(7).miss, 'drop');
});
