import test from 'ava';
import { MacTable } from '../../src/ofproto/mac-learning.js';
import type { Bundle } from '../../src/ofproto/ports.js';

const portCalled = (name: string): Bundle => ({ name }) as unknown as Bundle;

test('a port whose stations have all moved on, expired or been evicted is not kept', (t) => {
  const table = new MacTable();
  table.configure(15, 10, 0);
  const stay = portCalled('stay');
  for (let i = 0; i < 100; i++) {
    const gone = portCalled(`gone${i}`);
    // One that moves, one that is pushed out or expires.
    table.update(0x2n, 0, gone, false, i);
    table.update(BigInt(0x100 + 2 * i), 0, gone, false, i);
    table.update(0x2n, 0, stay, false, i);
    table.flush(gone);
  }
  t.deepEqual([table.size, table.portCount, table.moved], [1, 1, 199]);
  table.run(15_100);
  t.deepEqual([table.size, table.portCount], [0, 0]);
});
