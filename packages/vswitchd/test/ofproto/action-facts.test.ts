import test from 'ava';
import { parseFlow } from '@ovs-node/openflow/text/flow';
import { type ActionFacts, factsOf } from '../../src/ofproto/action-facts.js';

const NOTHING: ActionFacts = {
  tunnelOptions: [],
  named: [],
  groups: [],
  meters: [],
  metersController: false,
  taught: [],
  conjunction: null,
  isMixed: false,
};

const LIST: readonly (readonly [text: string, facts: Partial<ActionFacts>])[] = [
  ['drop', {}],
  ['output:1,set_field:1->reg1,clone(mod_dl_src:00:00:00:00:00:01,2)', {}],
  [
    'meter:7,group:5,clone(group:6)',
    {
      groups: [5, 6],
      meters: [7],
      named: [
        { kind: 'meter', id: 7 },
        { kind: 'group', id: 5 },
        { kind: 'group', id: 6 },
      ],
    },
  ],
  ['set_field:1->tun_metadata3,move:tun_metadata4[0..7]->reg1[0..7]', { tunnelOptions: [3, 4] }],
  ['controller(max_len=9),clone(controller(meter_id=3))', { metersController: true }],
  ['clone(push:tun_metadata5[0..3])', { tunnelOptions: [5] }],
  ['conjunction(3,1/2),conjunction(4,2/3)', { conjunction: [part(3, 0, 2), part(4, 1, 3)] }],
  ['conjunction(3,1/2),note:00', { conjunction: [part(3, 0, 2)] }],
];

function part(
  id: number,
  clause: number,
  nClauses: number,
): { id: number; clause: number; nClauses: number } {
  return { id, clause, nClauses };
}

for (const [text, facts] of LIST) {
  test(`what is known of actions: ${text}`, (t) => {
    const { actions } = parseFlow(`actions=${text}`, 'add');
    const found = factsOf(actions);
    t.deepEqual({ ...found }, { ...NOTHING, ...facts });
    t.is(factsOf(actions), found);
  });
}

test('only what goes with the last of its teachers counts as taught', (t) => {
  const taught = (text: string): unknown =>
    factsOf(parseFlow(`actions=${text}`, 'add').actions).taught.map(({ table, cookie }) => ({
      table,
      cookie,
    }));
  t.deepEqual(taught('learn(table=3,cookie=9,eth_dst=eth_src)'), []);
  t.deepEqual(taught('learn(table=3,cookie=9,delete_learned,eth_dst=eth_src)'), [{ table: 3, cookie: 9n }]);
});

test('conjunctions among others are not what a flow can have', (t) => {
  const list = ['conjunction(3,1/2)', 'output:1'].flatMap(
    (text) => parseFlow(`actions=${text}`, 'add').actions,
  );
  t.deepEqual({ ...factsOf(list) }, { ...NOTHING, conjunction: [part(3, 0, 2)], isMixed: true });
});
