import test from 'ava';
import { W } from '@ovs-node/flow/layout';
import { Match } from '@ovs-node/flow/match';
import { LEARN } from '@ovs-node/openflow/actions/learn';
import type { Action } from '@ovs-node/openflow/actions/types';
import { makeFlowMod } from '@ovs-node/openflow/messages/flow-mod';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { bareBridge } from './bench.js';

function inPort(port: number): Match {
  const match = new Match();
  [match.key[W.IN_PORT], match.mask[W.IN_PORT]] = [port, 0xffffffff];
  return match;
}

function teach(table: number, cookie: bigint, more: { limit?: number } = {}): Action {
  return {
    type: 'learn',
    learn: {
      idleTimeout: 0,
      hardTimeout: 0,
      priority: 1,
      cookie,
      flags: LEARN.DELETE_LEARNED,
      table,
      finIdleTimeout: 0,
      finHardTimeout: 0,
      limit: 0,
      specs: [],
      ...more,
    },
  };
}

function add(bridge: Ofproto, tableId: number, port: number, actions: Action[] = [], newCookie = 0n): void {
  const mod = makeFlowMod({ command: 'add', priority: 1, match: inPort(port), tableId, actions, newCookie });
  bridge.flowMod(mod, 1000);
}

const remove = (bridge: Ofproto, tableId: number, port: number): void =>
  void bridge.flowMod(
    makeFlowMod({ command: 'delete_strict', priority: 1, match: inPort(port), tableId }),
    1000,
  );

const sizes = (bridge: Ofproto, ...ids: number[]): number[] =>
  ids.map((id) => bridge.tables.table(id).classifier.size);

test('learned flows go with the last flow that teaches them, and what they taught with them', (t) => {
  const bridge = bareBridge();
  add(bridge, 0, 1, [teach(1, 7n)]);
  add(bridge, 0, 2, [teach(1, 7n)]);
  add(bridge, 1, 1, [teach(2, 8n)], 7n);
  add(bridge, 1, 2, [], 9n);
  add(bridge, 2, 1, [], 8n);
  remove(bridge, 0, 1);
  t.deepEqual(sizes(bridge, 0, 1, 2), [1, 2, 1]);
  add(bridge, 0, 2, [teach(1, 7n)]);
  t.deepEqual(sizes(bridge, 0, 1, 2), [1, 2, 1], 'replaced by one that teaches the same');
  bridge.transaction(1000, () => {
    remove(bridge, 0, 2);
    return 'refused';
  });
  t.deepEqual(sizes(bridge, 0, 1, 2), [1, 2, 1], 'a transaction that fails');
  add(bridge, 0, 2);
  t.deepEqual(sizes(bridge, 0, 1, 2), [1, 1, 0], 'replaced by one that teaches nothing');
});

test('a limit keeps flows from being learned, not those there are from being kept alive', (t) => {
  const bridge = bareBridge();
  const learn = (port: number, now: number): void => {
    const mod = { match: inPort(port), tableId: 1, newCookie: 7n, idleTimeout: 10 };
    bridge.learnFlow(makeFlowMod({ command: 'modify_strict', priority: 1, ...mod }), now, 2);
  };
  for (const port of [1, 2, 3]) learn(port, 1000);
  t.deepEqual(sizes(bridge, 1), [2]);
  learn(1, 9000);
  t.is(bridge.tables.find(1, inPort(1), 1)?.modified, 9000);
  remove(bridge, 1, 2);
  learn(3, 9000);
  t.deepEqual(sizes(bridge, 1), [2]);
});
