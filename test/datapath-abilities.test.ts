/**
 * What a controller learns of the datapath's abilities (OVN chooses its flows by them) is what it learns of the peer's, but
 * for what this datapath does not have.
 */
import type { Suite } from '@ovs-node/ctl-tools/lab/suite';
import { addDummyBridge } from './lib/dummy-bridge.js';
import { ofBothSides } from './lib/lab.js';
import { PEER, testWith } from './lib/requires.js';

/** README, "Not supported yet". */
const MISSING = {
  capabilities: ['ct_state_nat', 'ct_timeout', 'ct_zero_snat', 'lb_output_action', 'tnl_push_pop'],
  features: [
    'CT state NAT',
    'Conntrack all-zero IP SNAT',
    'Conntrack timeout policy',
    'Optimized Balance TCP mode',
    'Tunnel push pop',
  ],
} as const;

async function abilities(suite: Suite): Promise<{ capabilities: string[]; features: string[] }> {
  await addDummyBridge(suite, 'br0');
  const row = (type: string): string =>
    `--id=@${type} create datapath datapath_version=${type} -- set open . datapaths:${type}=@${type}`;
  await suite.vsctl(...`${row('dummy')} -- ${row('bogus')}`.split(' '));
  const idOf = async (type: string): Promise<string> =>
    (await suite.vsctl('get', 'open', '.', `datapaths:${type}`)).trim();
  const of = async (type: string): Promise<string> =>
    suite.vsctl('get', 'datapath', await idOf(type), 'capabilities');
  await suite.vsctl(
    '--timeout=30',
    'wait-until',
    'datapath',
    await idOf('dummy'),
    'capabilities:recirc=true',
  );
  const told = (await of('dummy')).trim().slice(1, -1).split(', ');
  return {
    capabilities: [...told, await of('bogus')],
    features: (await suite.appctl('dpif/show-dp-features', 'br0')).split('\n'),
  };
}

testWith(PEER)('the database and a command tell what the datapath can do', async (t) => {
  const [wanted, seen] = await ofBothSides(t, abilities);
  t.deepEqual(
    seen.capabilities,
    wanted.capabilities.map((each) => {
      const [key] = each.split('=');
      return MISSING.capabilities.some((name) => name === key) ? `${key}="false"` : each;
    }),
  );
  t.deepEqual(
    seen.features,
    wanted.features.map((each) => {
      const [title] = each.split(':');
      return MISSING.features.some((name) => name === title) ? `${title}: No` : each;
    }),
  );
});
