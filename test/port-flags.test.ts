/** What ports are told to do with packets, on both sides. */
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { ofBothSides } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

const PATCHES = ['pa', 'pb'];

/** Two bridges with a patch between them. */
async function addPatched(suite: Suite): Promise<void> {
  await addDummyBridge(suite, 'br0');
  await suite.vsctl('add-br', 'br1', '--', 'set', 'bridge', 'br1', 'datapath_type=dummy', 'fail_mode=secure');
  for (const [i, name] of PATCHES.entries()) {
    const settings = ['type=patch', 'ofport_request=8', `options:peer=${PATCHES[1 - i]}`];
    await suite.vsctl('add-port', `br${i}`, name, '--', 'set', 'interface', name, ...settings);
  }
  await suite.ofctl('add-flow', 'br1', 'actions=in_port');
}

const traced = (suite: Suite, flow: string): Promise<string> => suite.appctl('ofproto/trace', 'br0', flow);

testWith(PEER)('packets go to all ports in the order of the peer, whatever ports were there', async (t) => {
  const [wanted, seen] = await ofBothSides(t, async (suite) => {
    await addPatched(suite);
    await suite.ofctl('add-flow', 'br0', 'actions=ALL');
    const told = [await traced(suite, 'in_port=99')];
    for (const port of [9, 14, 21, 25, 33]) {
      const settings = ['type=dummy', `ofport_request=${port}`];
      await suite.vsctl('add-port', 'br0', `q${port}`, '--', 'set', 'interface', `q${port}`, ...settings);
      told.push(await traced(suite, 'in_port=99'));
    }
    await suite.vsctl('del-port', 'p2');
    told.push(await traced(suite, 'in_port=99'));
    await suite.ofctl('mod-port', 'br0', '14', 'no-forward');
    return [...told, await traced(suite, 'in_port=99')];
  });
  t.deepEqual(seen, wanted);
});

testWith(PEER)('a patch port is never down', async (t) => {
  const [wanted, seen] = await ofBothSides(t, async (suite) => {
    await addPatched(suite);
    await suite.ofctl(
      '-OOpenFlow13',
      'add-group',
      'br0',
      'group_id=1,type=ff,bucket=watch_port:8,output:8,bucket=watch_port:1,output:1',
    );
    await suite.ofctl('add-flow', 'br0', 'in_port=2,actions=2');
    await suite.ofctl('-OOpenFlow13', 'add-flow', 'br0', 'actions=group:1');
    await suite.ofctl('mod-port', 'br0', 'pa', 'down');
    const ports = await suite.ofctl('-OOpenFlow14', 'dump-ports-desc', 'br0');
    return [ports.replace(/addr:[0-9a-f:]+/g, ''), await traced(suite, 'in_port=7')];
  });
  t.deepEqual(seen, wanted);
});

testWith(PEER)('nothing is said of a packet that a port does not take', async (t) => {
  const [wanted, seen] = await ofBothSides(t, async (suite) => {
    await addPatched(suite);
    await suite.ofctl('add-flow', 'br0', 'actions=2');
    for (const flag of ['no-receive', 'no-receive-stp']) await suite.ofctl('mod-port', 'br0', '1', flag);
    return [await traced(suite, 'in_port=1'), await traced(suite, 'in_port=7')];
  });
  t.deepEqual(seen, wanted);
});
