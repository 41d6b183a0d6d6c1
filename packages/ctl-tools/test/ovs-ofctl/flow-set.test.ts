import test from 'ava';
import { parseFlowProtocols } from '@ovs-node/openflow/text/flow';
import { formatMatch } from '@ovs-node/flow/match-text';
import { ALL_TABLES } from '@ovs-node/openflow/messages/types';
import { replacements } from '../../src/ovs-ofctl/flow-set-commands.js';
import { FlowSet, formatVersion, sameVersion } from '../../src/ovs-ofctl/flow-set.js';

function add(set: FlowSet, source: 0 | 1, text: string): void {
  const f = parseFlowProtocols(text, 'add').flowMod;
  const { newCookie: cookie, idleTimeout, hardTimeout, importance, flags, actions } = f;
  const version = { cookie, idleTimeout, hardTimeout, importance, flags, actions };
  set.add(source, f.tableId === ALL_TABLES ? 0 : f.tableId, f.match, f.priority, version);
}

test('flows come by table, then by mask of falling highest priority, then by arrival', (t) => {
  const set = new FlowSet();
  add(set, 0, 'table=3,actions=drop');
  add(set, 0, 'in_port=1,actions=2');
  add(set, 0, 'priority=5,tcp,actions=normal');
  add(set, 0, 'arp,actions=2');
  add(set, 1, 'in_port=2,actions=2');
  add(set, 1, 'priority=6,udp,actions=normal');
  const text = [...set.entries()].map((e) => formatVersion(e, (e.versions[0] ?? e.versions[1])!, {}));
  t.deepEqual(text, [
    'in_port=1 actions=output:2',
    'in_port=2 actions=output:2',
    'arp actions=output:2',
    'priority=5,tcp actions=NORMAL',
    'priority=6,udp actions=NORMAL',
    'table=3  actions=drop',
  ]);
});

test('flows are replaced table by table, what goes before what comes, as by the peer', (t) => {
  const set = new FlowSet();
  const [file, sw] = [0, 1] as const;
  for (const flow of ['in_port=1,actions=2', 'in_port=2,actions=2', 'table=1,in_port=1,actions=2'])
    add(set, file, flow);
  for (const flow of ['in_port=2,actions=2', 'in_port=3,actions=2', 'table=1,arp,actions=2'])
    add(set, sw, flow);
  const plan = (readd: boolean): string[] =>
    replacements(set, readd).map((f) => `${f.command} ${f.tableId} ${formatMatch(f.match)}`);
  t.deepEqual(plan(false), [
    'delete_strict 0 in_port=3',
    'add 0 in_port=1',
    'delete_strict 1 arp',
    'add 1 in_port=1',
  ]);
  t.deepEqual(plan(true).slice(0, 3), ['delete_strict 0 in_port=3', 'add 0 in_port=1', 'add 0 in_port=2']);
});

test('a flow of both sources is one entry; flags do not make a difference, what it does and its cookie do', (t) => {
  const same = (a: string, b: string): boolean => {
    const set = new FlowSet();
    add(set, 0, a);
    add(set, 1, b);
    const entries = [...set.entries()];
    t.is(entries.length, 1);
    const [x, y] = entries[0].versions;
    return sameVersion(x!, y!);
  };
  t.true(same('in_port=1,send_flow_rem,actions=2', 'in_port=1,actions=output:2'));
  t.false(same('in_port=1,actions=2', 'in_port=1,actions=3'));
  t.false(same('in_port=1,actions=2', 'cookie=1,in_port=1,actions=2'));
  t.false(same('in_port=1,actions=2', 'idle_timeout=1,in_port=1,actions=2'));
});

test('what differs in cookie and times is said between match and actions', (t) => {
  const set = new FlowSet();
  add(set, 0, 'priority=7,ip,cookie=5,idle_timeout=1,hard_timeout=2,importance=3,actions=drop');
  const [entry] = [...set.entries()];
  t.is(
    formatVersion(entry, entry.versions[0]!, {}),
    'priority=7,ip cookie=0x5 idle_timeout=1 hard_timeout=2 importance=3 actions=drop',
  );
});
