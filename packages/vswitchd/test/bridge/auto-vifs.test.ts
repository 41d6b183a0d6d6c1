import test from 'ava';
import { type PortSeen, planAutoVifs } from '../../src/bridge/auto-vifs.js';

const port = (name: string, bridge: string, isAuto: boolean): PortSeen => ({
  uuid: `${bridge}/${name}/${isAuto}`,
  name,
  bridge,
  isAuto,
});
const nics = (...names: string[]): ReadonlySet<string> => new Set(names);

test('a NIC without a port gets one, in the order of the names', (t) => {
  t.deepEqual(planAutoVifs('br0', [port('vif2', 'br0', true)], nics('vif3', 'vif2', 'vif1')), {
    add: ['vif1', 'vif3'],
    remove: [],
  });
});

test('a port that was added so leaves with its NIC; one that somebody configured stays', (t) => {
  const auto = port('vif1', 'br0', true);
  t.deepEqual(planAutoVifs('br0', [auto, port('vif2', 'br0', false)], nics()), { add: [], remove: [auto] });
});

test('a name that is taken, on whatever bridge, is left alone', (t) => {
  t.deepEqual(planAutoVifs('br0', [port('vif1', 'br1', false)], nics('vif1')), { add: [], remove: [] });
});

test('ports move when another bridge is named, and go when none is', (t) => {
  const auto = port('vif1', 'br0', true);
  t.deepEqual(planAutoVifs('br1', [auto], nics('vif1')), { add: ['vif1'], remove: [auto] });
  t.deepEqual(planAutoVifs(undefined, [auto], nics('vif1')), { add: [], remove: [auto] });
});

test('a port that was added gives way to one that somebody configures by the same name', (t) => {
  const auto = port('vif1', 'br0', true);
  t.deepEqual(planAutoVifs('br0', [auto, port('vif1', 'br1', false)], nics('vif1')), {
    add: [],
    remove: [auto],
  });
});
