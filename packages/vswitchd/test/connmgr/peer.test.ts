import test from 'ava';
import { peerPath } from '@ovs-node/common/testkit/peer';
import { run } from '@ovs-node/common/testkit/programs';
import { needing } from '@ovs-node/common/testkit/require';
import { bindTmp } from '@ovs-node/common/testkit/tmp';
import { makeRig } from './rig.js';

needing(test, 'peer')('the peer’s ovs-ofctl works on a bridge of ours', async (t) => {
  const { rundir } = await makeRig(t);
  const ofctl = (...args: string[]) =>
    run(peerPath('ovs-ofctl')!, args, { env: bindTmp(rundir), timeoutMs: 10_000 });
  for (const version of ['OpenFlow10', 'OpenFlow13']) {
    const o = ['-O', version];
    const added = await ofctl(
      ...o,
      'add-flow',
      'br0',
      'table=0,priority=7,tcp,in_port=p1,tp_dst=80,actions=p2',
    );
    t.deepEqual(added, { status: 0, stdout: '', stderr: '' });
    t.is(
      (await ofctl(...o, 'dump-flows', '--no-stats', 'br0')).stdout,
      ' priority=7,tcp,in_port=1,tp_dst=80 actions=output:2\n',
    );
    t.regex((await ofctl(...o, 'show', 'br0')).stdout, /dpid:0000000000001234\nn_tables:254, n_buffers:0\n/);
    t.is((await ofctl(...o, 'dump-tables', 'br0')).status, 0);
    t.regex((await ofctl(...o, 'dump-aggregate', 'br0')).stdout, /packet_count=0 byte_count=0 flow_count=1/);
    t.regex(
      (await ofctl(...o, 'dump-desc', 'br0')).stdout,
      /Manufacturer: Nicira, Inc\.\nHardware: Open vSwitch\n/,
    );
    t.is((await ofctl(...o, 'mod-port', 'br0', 'p1', 'no-forward')).status, 0);
    t.regex((await ofctl(...o, 'show', 'br0')).stdout, /1\(p1\).*\n +config: +NO_FWD/);
    const bad = await ofctl(...o, 'add-flow', 'br0', 'table=254,actions=drop');
    t.is(bad.status, 1);
    t.regex(bad.stderr, /OFPBRC_EPERM/);
    t.is((await ofctl(...o, 'del-flows', 'br0')).status, 0);
  }
});
