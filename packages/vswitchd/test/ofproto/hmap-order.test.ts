import test from 'ava';
import { OFPP } from '@ovs-node/flow/ports';
import { hashOfPort, Hmap } from '../../src/ofproto/hmap-order.js';

test('ports are listed in the order of a table that was bigger before', (t) => {
  const table = new Hmap<number>(hashOfPort);
  const left = [OFPP.LOCAL, 1, 2, 7, 21, 25, 33, 41, 53];
  const others = Array.from({ length: 36 }, (_, i) => 20 + i).filter((n) => !left.includes(n));
  for (const port of [...left, ...others]) table.add(port);
  for (const port of others) table.delete(port);
  // Seen in what Open vSwitch 3.1 answers.
  t.deepEqual(table.items, [25, 33, 21, 2, OFPP.LOCAL, 53, 41, 1, 7]);
});
