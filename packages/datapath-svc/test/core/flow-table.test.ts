import fc from 'fast-check';
import test from 'ava';
import { DP_WORDS, HOT_WORDS, W } from '@ovs-node/flow/layout';
import { Program, Op } from '../../src/core/actions/program.js';
import { ExactCache, hashKey } from '../../src/core/flow-table/exact-cache.js';
import { Flow } from '../../src/core/flow-table/flow.js';
import { FlowTable, keyId } from '../../src/core/flow-table/flow-table.js';

const drop = new Program(Int32Array.of(Op.END), new Uint8Array(0), [], [], []);

function flowOf(key: Uint32Array, mask: Uint32Array, id = keyId(key)): Flow {
  return new Flow(key, mask, null, id, new Uint8Array(8), drop);
}

/** The naive classifier: every flow, one after the other. */
function linear(flows: Iterable<Flow>, key: Uint32Array): Flow[] {
  return [...flows].filter((flow) => flow.key.every((word, i) => ((word ^ key[i]) & flow.mask[i]) === 0));
}

/** Words with few values, so that keys and masks collide. */
const WORDS = [W.IN_PORT, W.ETH_TYPE, W.NW_SRC, W.NW_DST, W.TP, W.IPV6_SRC, W.TUN_ID] as const;
const VALUES = [0, 1, 0x80000000, 0xffffffff, 0x0a000001];
const words = fc.array(fc.constantFrom(...VALUES), { minLength: WORDS.length, maxLength: WORDS.length });

function wordsOf(list: number[]): Uint32Array {
  const key = new Uint32Array(DP_WORDS);
  list.forEach((value, i) => (key[WORDS[i]] = value));
  return key;
}

const isWide = (key: Uint32Array): boolean => key.subarray(HOT_WORDS).some((word) => word !== 0);

type Command =
  | { op: 'add'; key: number[]; mask: number[] }
  | { op: 'remove'; n: number }
  | { op: 'look'; key: number[] }
  | { op: 'flush' };
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ op: fc.constant('add' as const), key: words, mask: words }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('remove' as const), n: fc.nat() }) },
  { weight: 8, arbitrary: fc.record({ op: fc.constant('look' as const), key: words }) },
  { weight: 1, arbitrary: fc.constant({ op: 'flush' as const }) },
);

test('look-ups with caches agree with a linear search, whatever was added and removed', (t) => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
      const table = new FlowTable();
      let live: Flow[] = [];
      for (const c of commands) {
        if (c.op === 'flush') {
          table.flush();
          live = [];
        } else if (c.op === 'remove') {
          if (live.length > 0) table.remove(live.splice(c.n % live.length, 1)[0]);
        } else if (c.op === 'add') {
          const key = wordsOf(c.key);
          if (table.get(keyId(key)) !== undefined) continue;
          const flow = flowOf(key, wordsOf(c.mask));
          // As vswitchd keeps to: no two flows match the same packet unless one is a copy of the other.
          const overlaps = live.some((other) =>
            other.key.every((word, i) => ((word ^ flow.key[i]) & other.mask[i] & flow.mask[i]) === 0),
          );
          if (overlaps) continue;
          if (table.insert(flow) !== 0) return false;
          live.push(flow);
        } else {
          const key = wordsOf(c.key);
          const found = table.lookup(key, isWide(key));
          const want = linear(live, key);
          if (want.length > 1 || found !== (want[0] ?? null)) return false;
        }
      }
      return table.size === live.length && table.maskCount === new Set(live.map((f) => f.mask.join())).size;
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('thousands of flows under one mask, half of them removed', (t) => {
  const table = new FlowTable();
  const mask = new Uint32Array(DP_WORDS);
  mask[W.NW_SRC] = 0xffffffff;
  mask[W.IN_PORT] = 0xffffffff;
  const flows: Flow[] = [];
  for (let i = 0; i < 5000; i++) {
    const key = new Uint32Array(DP_WORDS);
    key[W.NW_SRC] = i * 65521;
    key[W.IN_PORT] = i % 3;
    flows.push(flowOf(key, mask));
    t.is(table.insert(flows[i]), 0);
  }
  for (let i = 0; i < 5000; i += 2) table.remove(flows[i]);
  const wrong = flows.filter((flow, i) => table.lookup(flow.key, false) !== (i % 2 === 0 ? null : flow));
  t.deepEqual(wrong, []);
  t.is(table.maskCount, 1);
  t.true(table.cachedCount > 2000);
  for (const flow of flows) table.remove(flow);
  t.true(table.cachedCount < 1024, `the caches keep ${table.cachedCount} flows that are gone`);
  t.is(table.maskCount, 0);
  t.is(table.size, 0);
  t.is(table.actionBytes, 0);
});

test('limits: flows, and the same masked key twice', (t) => {
  const table = new FlowTable();
  table.limit = 2;
  const mask = new Uint32Array(DP_WORDS).fill(0xffffffff, 0, 1);
  const key = (port: number, other: number): Uint32Array => {
    const words = new Uint32Array(DP_WORDS);
    words[W.IN_PORT] = port;
    words[W.TP] = other;
    return words;
  };
  t.is(table.insert(flowOf(key(1, 0), mask)), 0);
  t.is(table.insert(flowOf(key(1, 5), mask)), 17);
  t.is(table.insert(flowOf(key(2, 0), mask)), 0);
  t.is(table.insert(flowOf(key(3, 0), mask)), 27);
});

test('the exact-match cache keeps two of a set, the last used first', (t) => {
  const cache = new ExactCache(1, HOT_WORDS);
  const mask = new Uint32Array(DP_WORDS);
  const keys = [1, 2, 3].map((n) => {
    const key = new Uint32Array(DP_WORDS);
    key[W.TP] = n;
    return key;
  });
  const flows = keys.map((key) => flowOf(key, mask));
  const look = (n: number): Flow | null => cache.lookup(keys[n], hashKey(keys[n], false));
  const put = (n: number): void => cache.insert(keys[n], hashKey(keys[n], false), flows[n]);
  put(0);
  put(1);
  t.is(look(0), flows[0]);
  put(2);
  t.deepEqual([look(0), look(1), look(2)], [flows[0], null, flows[2]]);
  flows[2].dead = true;
  t.is(look(2), null);
});
