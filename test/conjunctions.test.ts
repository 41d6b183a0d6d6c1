/**
 * What either side makes of packets in tables of conjunctions: whole ones and others, several at a priority, hidden ones,
 * parts that disagree, and flows in between. Tables are drawn by lot, the same each time; a packet goes through all.
 */
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { ofBothSides } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const BRIDGE = 'br0';
const N_TABLES = 120;
const N_FLOWS = 24;
/** How many tables a packet can be resubmitted to by one flow. */
const TABLES_AT_ONCE = 60;

const MATCHES = [
  '',
  'ip,',
  'tcp,',
  'in_port=1,',
  'in_port=2,',
  'reg0=0,',
  ...['10.0.0.1', '10.0.0.2/31'].flatMap((address) => [`ip,nw_src=${address},`, `ip,nw_dst=${address},`]),
  ...['80', '80/0xfffe'].map((port) => `tcp,tp_dst=${port},`),
  'tcp,nw_src=10.0.0.1,tp_dst=80,',
  'ip,nw_src=10.0.0.2,nw_dst=10.0.0.1,',
];
const PRIORITIES = [100, 100, 100, 90, 110];

/** Numbers below what is asked for, always the same ones. */
function lot(): (below: number) => number {
  let state = 5;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 1;
    return (state >>> 8) % below;
  };
}

function flows(): string[] {
  const draw = lot();
  const one = <T>(list: readonly T[]): T => list[draw(list.length)]!;
  const part = (agreed: boolean): string => {
    const id = 1 + draw(3);
    const nClauses = agreed ? 2 + (id % 2) : 2 + draw(3);
    return `conjunction(${id},${1 + draw(nClauses)}/${nClauses})`;
  };
  return Array.from({ length: N_TABLES }, (_, i) => i + 1).flatMap((table) => {
    const agreed = table % 3 !== 0;
    const head = (): string => `table=${table},priority=${one(PRIORITIES)},${one(MATCHES)}`;
    const decision = (): string => `actions=load:${draw(1000)}->NXM_NX_REG5[]`;
    const parts = Array.from({ length: N_FLOWS }, () => {
      if (draw(5) === 0) return head() + decision();
      return `${head()}actions=${Array.from({ length: 1 + draw(3) }, () => part(agreed)).join(',')}`;
    });
    const ids = Array.from({ length: 3 }, () => `${head()}conj_id=${1 + draw(3)},${decision()}`);
    return [...parts, ...ids];
  });
}

/** The packet goes to every table; those of no flow leave their mark, too. */
function entrances(): string[] {
  const to = (from: number): string =>
    Array.from({ length: TABLES_AT_ONCE }, (_, i) => `resubmit(,${from + i})`).join(',');
  return [`table=0,actions=${to(1)},resubmit(,200)`, `table=200,actions=${to(1 + TABLES_AT_ONCE)}`];
}

async function told(suite: Suite): Promise<string[]> {
  await addDummyBridge(suite, BRIDGE);
  const input = [...entrances(), ...flows()].join('\n');
  const { stderr } = await suite.run('ovs-ofctl', ['add-flows', BRIDGE, '-'], { input });
  const traces: string[] = [stderr];
  for (const port of [1, 2]) {
    for (const tp of [80, 81, 9]) {
      for (const address of ['nw_src=10.0.0.1,nw_dst=10.0.0.1', 'nw_src=10.0.0.2,nw_dst=10.0.0.1']) {
        const packet = `in_port=${port},tcp,${address},tp_src=1,tp_dst=${tp}`;
        traces.push(await suite.appctl('ofproto/trace', BRIDGE, packet));
      }
    }
  }
  return traces;
}

testWith(PEER)('conjunctions match what the peer’s match', async (t) => {
  const [wanted, seen] = await ofBothSides(t, told);
  t.true(wanted.join('').match(/conj_id=/g)!.length > 100);
  t.deepEqual(seen, wanted);
});
