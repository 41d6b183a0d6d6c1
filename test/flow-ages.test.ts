/** When flows get too old, on both sides. */
import { addDummyBridge } from './lib/dummy-bridge.js';
import { ofBothSides } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

testWith(PEER)('flows that have got too old are gone once the revalidator was waited for', async (t) => {
  const [wanted, seen] = await ofBothSides(t, async (suite) => {
    await addDummyBridge(suite, 'br0');
    await suite.ofctl('add-flow', 'br0', 'hard_timeout=2,in_port=1,actions=2');
    await suite.ofctl('add-flow', 'br0', 'idle_timeout=3,in_port=2,actions=1');
    const left: string[] = [];
    for (const ms of ['600', '1000', '450', '450', '150', '450']) {
      await suite.appctl('time/warp', ms);
      await suite.appctl('revalidator/wait');
      left.push(await suite.ofctl('--no-stats', 'dump-flows', 'br0'));
    }
    return left;
  });
  t.deepEqual(seen, wanted);
});
