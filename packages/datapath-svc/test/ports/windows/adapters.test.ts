import test from 'ava';
import { findTapAdapter, tapAdapters } from '../../../src/ports/windows/adapters.js';
import type { Registry } from '../../../src/sys/windows/registry.js';

const CLASS = '{4D36E972-E325-11CE-BFC1-08002BE10318}';
const ADAPTERS = `SYSTEM\\CurrentControlSet\\Control\\Class\\${CLASS}`;
const NETWORK = `SYSTEM\\CurrentControlSet\\Control\\Network\\${CLASS}`;

function registry(values: Readonly<Record<string, Readonly<Record<string, string>>>>): Registry {
  const paths = Object.keys(values);
  return {
    subkeys: (path) => paths.filter((p) => p.startsWith(`${path}\\`)).map((p) => p.slice(path.length + 1)),
    text: (path, value) => values[path]?.[value],
  };
}

const MACHINE = registry({
  [`${ADAPTERS}\\0000`]: { ComponentId: 'PCI\\VEN_8086', NetCfgInstanceId: '{A}' },
  [`${ADAPTERS}\\0001`]: { ComponentId: 'root\\TAP0901', NetCfgInstanceId: '{B}' },
  [`${ADAPTERS}\\0002`]: { ComponentId: 'tap0901', NetCfgInstanceId: '{C}' },
  [`${ADAPTERS}\\0003`]: { ComponentId: 'tap0901', NetCfgInstanceId: '{D}' },
  [`${ADAPTERS}\\Properties`]: {},
  [`${NETWORK}\\{A}\\Connection`]: { Name: 'Ethernet' },
  [`${NETWORK}\\{B}\\Connection`]: { Name: 'br0' },
  [`${NETWORK}\\{C}\\Connection`]: { Name: 'VM port 1' },
});

test('adapters of the TAP driver are found by the names that Windows shows', (t) => {
  t.deepEqual(tapAdapters(MACHINE), [
    { name: 'br0', guid: '{B}' },
    { name: 'VM port 1', guid: '{C}' },
  ]);
  t.deepEqual(findTapAdapter(MACHINE, 'vm PORT 1'), { name: 'VM port 1', guid: '{C}' });
});

test('another driver’s adapter, one without a name, and a machine without adapters give none', (t) => {
  t.is(findTapAdapter(MACHINE, 'Ethernet'), undefined);
  t.is(findTapAdapter(MACHINE, '{D}'), undefined);
  t.deepEqual(tapAdapters(registry({})), []);
});
