import { readFileSync } from 'node:fs';
import test from 'ava';
import { ofprotoCommands } from '../../src/ofproto/appctl.js';
import { Backer } from '../../src/ofproto/backer.js';
import type { Ofproto } from '../../src/ofproto/ofproto.js';
import { OFPP } from '@ovs-node/flow/ports';
import { choosePrefixes } from '../../src/ofproto/prefix-fields.js';
import { ODPP_NONE, type BundleSpec } from '../../src/ofproto/types.js';
import { addPort, bareBridge, mod } from './bench.js';

function fixture<T>(name: string): T {
  return JSON.parse(
    readFileSync(new URL(`../../../test/ofproto/fixtures/${name}`, import.meta.url), 'utf8'),
  ) as T;
}

/** Recirculation numbers depend on what was traced before. */
function withoutNumbers(text: string): string {
  return text
    .replaceAll(/recirc_id=(0x[1-9a-f][0-9a-f]*|[1-9]\d*)/g, 'recirc_id=N')
    .replaceAll(/recirc\(0x[0-9a-f]+\)/g, 'recirc(N)')
    .trimEnd();
}

function tracer(backer: Backer, name = 'ofproto/trace'): (args: readonly string[]) => string {
  const command = ofprotoCommands({ backers: () => [backer], now: () => 0 }).find(
    (row) => row.name === name,
  )!;
  return (args) => command.handler([...args]) as string;
}

interface RandomTable {
  readonly flows: readonly string[];
  readonly traces: readonly { readonly packet: string; readonly text: string }[];
}

for (const [name, what, atLeast] of [
  ['traces.json', 'random tables', 100],
  ['mpls.json', 'random tables that push, pop and set labels and check lengths', 80],
  ['encap.json', 'random tables that put headers on and take them off', 60],
] as const) {
  test(`traces of random packets through ${what} are the peer’s`, (t) => {
    let n = 0;
    for (const { flows, traces } of fixture<RandomTable[]>(name)) {
      const bridge = bareBridge();
      for (const flow of flows) mod(bridge, 'add', flow);
      const run = tracer(bridge.backer);
      for (const { packet, text } of traces) {
        t.is(withoutNumbers(run(['br0', packet])), withoutNumbers(text), packet);
        n++;
      }
      t.is(bridge.backer.recirc.size, 0);
    }
    t.true(n > atLeast);
  });
}

interface FlowTraces {
  readonly flow: string;
  readonly traces: RandomTable['traces'];
}

test('actions that choose by a hash, fin_timeout and learn trace as the peer’s', (t) => {
  for (const { flow, traces } of fixture<FlowTraces[]>('choices.json')) {
    const bridge = bareBridge();
    mod(bridge, 'add', flow);
    const run = tracer(bridge.backer);
    for (const { packet, text } of traces) t.is(run(['br0', packet]).trimEnd(), text.trimEnd(), packet);
  }
});

interface PrefixTraces {
  readonly prefixes: readonly string[];
  readonly flows: readonly string[];
  readonly traces: readonly { readonly packet: string; readonly megaflow: string }[];
}

test('megaflows are as broad as the peer’s with the same prefixes, chosen before the flows come or after', (t) => {
  for (const { prefixes, flows, traces } of fixture<PrefixTraces[]>('prefixes.json')) {
    const { fields } = choosePrefixes(prefixes);
    const settings = { name: '', limit: undefined, evicts: false, groups: [], prefixes: fields };
    for (const isEarly of [true, false]) {
      const bridge = bareBridge();
      const choose = (): void => bridge.tables.configure(new Map([[0, settings]]), 0);
      if (isEarly) choose();
      for (const flow of flows) mod(bridge, 'add', flow);
      if (!isEarly) choose();
      const run = tracer(bridge.backer);
      for (const { packet, megaflow } of traces)
        t.is(/^Megaflow: .*$/m.exec(run(['br0', packet]))?.[0], megaflow, `${prefixes.join()}: ${packet}`);
    }
  }
});

interface NormalFixture {
  readonly modes: Readonly<Record<string, Partial<BundleSpec>>>;
  readonly dp: Readonly<Record<string, number>>;
  readonly flows: readonly (readonly [bridge: string, flow: string])[];
  readonly traces: readonly { readonly args: readonly string[]; readonly text: string }[];
}

test('NORMAL with VLAN modes, learning and patch ports traces as the peer’s', (t) => {
  const { modes, dp, flows, traces } = fixture<NormalFixture>('normal.json');
  const backer = new Backer('dummy');
  const vb = bareBridge(0, 'vb', backer);
  vb.updatePort(0xfffffffe, { dpPort: dp['vb']! });
  for (const [name, bundle] of Object.entries(modes)) {
    addPort(vb, { ofport: Number(name.slice(1)), name, dpPort: dp[name]!, bundle });
  }
  addPort(vb, { ofport: 11, name: 'pa', dpPort: ODPP_NONE, type: 'patch', peer: 'pb' });
  const vc = bareBridge(0, 'vc', backer);
  vc.updatePort(0xfffffffe, { dpPort: dp['vc']! });
  addPort(vc, { ofport: 12, name: 'pb', dpPort: ODPP_NONE, type: 'patch', peer: 'pa' });
  addPort(vc, { ofport: 1, name: 'w1', dpPort: dp['w1']! });
  const bridges: Readonly<Record<string, Ofproto>> = { vb, vc };
  for (const [bridge, flow] of flows) mod(bridges[bridge]!, 'add', flow);
  const run = tracer(backer);
  for (const { args, text } of traces) t.is(run(args).trimEnd(), text.trimEnd(), args.join(' '));
});

interface CornerFixture {
  readonly dp: Readonly<Record<string, number>>;
  readonly cases: readonly {
    readonly what: string;
    readonly flows: readonly (readonly [bridge: string, flow: string])[];
    readonly traces: readonly { readonly args: readonly string[]; readonly text: string }[];
  }[];
}

function traceOrRefusal(backer: Backer, [name, ...args]: readonly string[]): string {
  try {
    return tracer(backer, name)(args);
  } catch (error) {
    return `refused: ${(error as Error).message}`;
  }
}

const { dp: cornerPorts, cases: corners } = fixture<CornerFixture>('corners.json');
for (const { what, flows, traces } of corners) {
  test(`traces as by the peer: ${what}`, (t) => {
    const backer = new Backer('dummy');
    const br0 = bareBridge(0, 'br0', backer);
    const br1 = bareBridge(0, 'br1', backer);
    for (const bridge of [br0, br1]) bridge.updatePort(OFPP.LOCAL, { dpPort: cornerPorts[bridge.name]! });
    for (const ofport of [1, 2]) {
      addPort(br0, { ofport, name: `p${ofport}`, dpPort: cornerPorts[`p${ofport}`]! });
    }
    addPort(br0, { ofport: 11, name: 'pa', dpPort: ODPP_NONE, type: 'patch', peer: 'pb' });
    addPort(br1, { ofport: 12, name: 'pb', dpPort: ODPP_NONE, type: 'patch', peer: 'pa' });
    addPort(br1, { ofport: 1, name: 'w1', dpPort: cornerPorts['w1']! });
    for (const [bridge, flow] of flows) mod(bridge === 'br0' ? br0 : br1, 'add', flow);
    for (const { args, text } of traces) {
      t.is(withoutNumbers(traceOrRefusal(backer, args)), withoutNumbers(text), args.join(' '));
    }
  });
}

test('what cannot be traced is refused in the peer’s words', (t) => {
  const run = tracer(bareBridge().backer);
  const refused = (message: string, ...args: string[]): void => {
    t.throws(() => run(args), { message });
  };
  refused('nobr: unknown bridge', 'nobr', 'in_port=1');
  refused('Bad openflow flow syntax: bad=1: unknown field bad', 'br0', 'bad=1');
  refused('syntax error at foo (or the bridge name was omitted)', 'foo');
  refused('Trailing garbage in packet data', 'br0', 'in_port=1', 'zz');
  refused('Missing argument for option --ct-next', 'br0', 'in_port=1', '--ct-next');
  refused('foo: unknown connection tracking state flag', 'br0', 'in_port=1', '--ct-next', 'foo');
  refused('--foo: unknown option', 'br0', 'in_port=1', '--foo');
  refused(
    'no OpenFlow port for datapath port 77',
    'in_port(77),eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x1234)',
  );
});

test('a packet that comes round for ever is traced for a while', (t) => {
  const bridge = bareBridge();
  mod(bridge, 'add', 'ip,actions=ct(table=0)');
  const text = tracer(bridge.backer)(['br0', 'in_port=1,ip']);
  t.is(text.match(/^recirc\(/gm)?.length, 1024);
  t.regex(text, /\nThe packet comes round more than 1024 times: the rest is not traced\.\n$/);
  t.is(bridge.backer.recirc.size, 0);
});
