/** A bridge with ports 1, 2 and 7, the same on both sides, in a time that stands still. */
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';

export async function addDummyBridge(suite: Suite, bridge: string): Promise<void> {
  const settings = ['datapath_type=dummy', 'fail_mode=secure', 'other_config:hwaddr=aa:55:aa:55:00:01'];
  await suite.vsctl('add-br', bridge, '--', 'set', 'bridge', bridge, ...settings);
  for (const n of ['1', '2', '7']) {
    const port = ['--', 'set', 'interface', `p${n}`, 'type=dummy', `ofport_request=${n}`];
    await suite.vsctl('add-port', bridge, `p${n}`, ...port);
  }
  // Nothing gets old, and nothing waits too long.
  await suite.appctl('time/stop');
}
