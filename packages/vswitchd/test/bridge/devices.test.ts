import test from 'ava';
import { OvsError } from '@ovs-node/common/errors';
import { Bridge } from '../../src/bridge/bridge.js';
import type { BridgeConfig, InterfaceConfig } from '../../src/bridge/config.js';
import { Backer } from '../../src/ofproto/backer.js';
import { makeRig } from '../dpif/rig.js';

const P1: InterfaceConfig = {
  name: 'p1',
  uuid: '00000000-0000-0000-0000-000000000001',
  type: 'dummy',
  options: new Map(),
  ofportRequest: undefined,
  ofportHint: undefined,
  mac: undefined,
  mtuRequest: undefined,
  isLocal: false,
};

const BR0: BridgeConfig = {
  name: 'br0',
  uuid: '00000000-0000-0000-0000-000000000002',
  type: 'dummy',
  failMode: 'secure',
  datapathId: undefined,
  hwaddr: undefined,
  protocols: [],
  controllers: [],
  forwardBpdu: false,
  macAgingTime: 300,
  macTableSize: 8192,
  floodVlans: [],
  samplesFlows: false,
  tables: [],
  ports: new Map(),
};

test('a device has gone when the datapath says so, and not when it does not answer', async (t) => {
  const { provider } = await makeRig(t);
  const backer = new Backer('dummy');
  const dpif = await provider.create(backer.dpName);
  backer.dpif = dpif;
  const bridge = new Bridge(BR0, backer, new Set(['dummy']), 0);
  await bridge.addInterface(P1, new Map());
  const live = bridge.live.get('p1')!;
  const answerWith = (code: string): void => {
    const refuse = (): Promise<never> => Promise.reject(new OvsError('as asked', code));
    Object.assign(dpif.ports, { netdev: refuse, byName: refuse });
  };
  // As a device of the host has one.
  live.ifindex = 7;
  const before = { ...live };
  answerWith('ENOBUFS');
  t.false(await bridge.refresh());
  t.deepEqual({ ...live }, before);
  answerWith('ENODEV');
  t.true(await bridge.refresh());
  t.like(live, { device: undefined, ifindex: 0, isGone: true });
  for (const name of ['netdev', 'byName']) Reflect.deleteProperty(dpif.ports, name);
  t.true(await bridge.refresh());
  t.deepEqual(live.device, before.device);
});
