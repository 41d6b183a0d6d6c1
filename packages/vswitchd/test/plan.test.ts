import test from 'ava';
import type { BridgeConfig, PortConfig, SwitchConfig } from '../src/bridge/config.js';
import { type BridgeState, plan } from '../src/bridge/plan.js';
import { bridge, interfaceOf, port } from './bridge/configs.js';

function wanted(...bridges: BridgeConfig[]): SwitchConfig {
  return {
    bridges: new Map(bridges.map((each) => [each.name, each])),
    maxIdleMs: 10_000,
    bundleIdleMs: 10_000,
    vlanLimit: 1,
    statsIntervalMs: 5000,
    problems: [],
  };
}

/** The state in which everything that `config` asks for works; ports are numbered from 1 in their order. */
function state(config: BridgeConfig): Map<string, BridgeState> {
  const interfaces = new Map(
    [...config.ports.values()].flatMap((each) => each.interfaces.map((it) => [it.name, it] as const)),
  );
  const ofports = new Map([...interfaces.values()].map((it, i) => [it.name, it.isLocal ? 65534 : i]));
  return new Map([[config.name, { config, interfaces, ports: config.ports, ofports }]]);
}

/** Steps in a form that is easy to compare. */
function words(steps: ReturnType<typeof plan>): string[] {
  return steps.map((step) => {
    switch (step.do) {
      case 'delete bridge':
        return `${step.do} ${step.bridge}`;
      case 'delete port':
        return `${step.do} ${step.port}`;
      case 'delete interface':
        return `${step.do} ${step.name}`;
      case 'create bridge':
      case 'configure bridge':
        return `${step.do} ${step.bridge.name}`;
      default:
        return `${step.do} ${step.config.name}`;
    }
  });
}

test('a new bridge is created, then its ports in the order of their hashes, then it is configured', (t) => {
  t.deepEqual(words(plan(new Map(), wanted(bridge('br0', [port('p2'), port('p1')])))), [
    'create bridge br0',
    'add interface p2',
    'configure port p2',
    'add interface br0',
    'configure port br0',
    'add interface p1',
    'configure port p1',
    'configure bridge br0',
  ]);
});

test('an interface that asks for a number comes before those that take any', (t) => {
  const ports = [port('a'), port('z', { interfaces: [interfaceOf('z', { ofportRequest: 1 })] })];
  const steps = words(plan(new Map(), wanted(bridge('br0', ports))));
  t.true(steps.indexOf('add interface z') < steps.indexOf('add interface a'));
});

test('what is as it is asked for gives no steps', (t) => {
  const config = bridge('br0', [port('p1')]);
  t.deepEqual(plan(state(config), wanted(config)), []);
});

test('a changed VLAN configures the port and leaves its interface alone', (t) => {
  const before = bridge('br0', [port('p1')]);
  const after = bridge('br0', [port('p1', { vlanMode: 'access', vlan: 7 })]);
  t.deepEqual(words(plan(state(before), wanted(after))), ['configure port p1']);
});

test('a changed type makes the interface anew, removals before additions', (t) => {
  const before = bridge('br0', [port('p1')]);
  const after = bridge('br0', [port('p1', { interfaces: [interfaceOf('p1', { type: 'tap' })] })]);
  t.deepEqual(words(plan(state(before), wanted(after))), [
    'delete interface p1',
    'add interface p1',
    'configure port p1',
  ]);
});

test('a patch port gets another peer in place', (t) => {
  const patch = (peer: string): PortConfig =>
    port('p1', { interfaces: [interfaceOf('p1', { type: 'patch', options: new Map([['peer', peer]]) })] });
  const steps = plan(state(bridge('br0', [patch('x')])), wanted(bridge('br0', [patch('y')])));
  t.deepEqual(words(steps), ['change interface p1']);
});

test('an interface that failed is tried again', (t) => {
  const config = bridge('br0', [port('p1')]);
  const now = state(config);
  const { interfaces, ...rest } = now.get('br0') as BridgeState;
  now.set('br0', { ...rest, interfaces: new Map([...interfaces].filter(([name]) => name !== 'p1')) });
  t.deepEqual(words(plan(now, wanted(config))), ['add interface p1', 'configure port p1']);
});

test('a bridge that changes its datapath type is deleted and created', (t) => {
  const before = bridge('br0', []);
  const steps = words(plan(state(before), wanted(bridge('br0', [], { type: 'netdev' }))));
  t.deepEqual(steps.slice(0, 2), ['delete bridge br0', 'create bridge br0']);
});

test('a bridge that is gone from the configuration is deleted', (t) => {
  t.deepEqual(words(plan(state(bridge('br0', [port('p1')])), wanted())), ['delete bridge br0']);
});

/** A bridge with p1 on port 1 and p2 on port 2, then asked for with other numbers. */
function renumber(before: readonly [string, number?][], after: readonly [string, number?][]): string[] {
  const make = (asked: readonly [string, number?][]): BridgeConfig =>
    bridge(
      'br0',
      asked.map(([name, ofportRequest]) =>
        port(name, { interfaces: [interfaceOf(name, { ofportRequest })] }),
      ),
    );
  return words(plan(state(make(before)), wanted(make(after)))).filter((step) => step.includes('interface'));
}

test('an interface that asks for another number gets it, and who did not ask makes way', (t) => {
  t.deepEqual(renumber([['p1'], ['p2']], [['p1', 2], ['p2']]), [
    'delete interface p1',
    'delete interface p2',
    'add interface p1',
    'add interface p2',
  ]);
});

test('asking for the number that it has, or for one that another asked for, moves nobody', (t) => {
  t.deepEqual(renumber([['p1'], ['p2']], [['p1', 1], ['p2']]), []);
  t.deepEqual(
    renumber(
      [['p1'], ['p2', 2]],
      [
        ['p1', 2],
        ['p2', 2],
      ],
    ),
    [],
  );
  t.deepEqual(renumber([['p1', 1], ['p2']], [['p1'], ['p2']]), []);
});
