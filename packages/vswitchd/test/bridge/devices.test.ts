import test from 'ava';
import { OvsError } from '@ovs-node/common/errors';
import { Bridge } from '../../src/bridge/bridge.js';
import { Backer } from '../../src/ofproto/backer.js';
import { makeRig } from '../dpif/rig.js';
import { bridge as bridgeOf, interfaceOf } from './configs.js';

test('a device has gone when the datapath says so, and not when it does not answer', async (t) => {
  const { provider } = await makeRig(t);
  const backer = new Backer('dummy');
  const dpif = await provider.create(backer.dpName);
  backer.dpif = dpif;
  const bridge = new Bridge(bridgeOf('br0', [], { type: 'dummy' }), backer, new Set(['dummy']), 0);
  await bridge.addInterface(interfaceOf('p1', { type: 'dummy' }), new Map());
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
