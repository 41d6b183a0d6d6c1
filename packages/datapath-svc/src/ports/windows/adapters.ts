/**
 * TAP-Windows6 adapters by the name that Windows shows for them. The registry lists the adapters of a driver below the
 * class of network adapters (`ComponentId` tells the driver, `NetCfgInstanceId` the adapter's GUID), and their names
 * below Control\Network\CLASS\GUID\Connection.
 */

import type { Registry } from '../../sys/windows/registry.js';

const CLASS = '{4D36E972-E325-11CE-BFC1-08002BE10318}';
const ADAPTERS = `SYSTEM\\CurrentControlSet\\Control\\Class\\${CLASS}`;
const NAMES = `SYSTEM\\CurrentControlSet\\Control\\Network\\${CLASS}`;
/** The driver's component, with and without the bus it is enumerated by. */
const COMPONENTS: ReadonlySet<string> = new Set(['tap0901', 'root\\tap0901']);

export interface TapAdapter {
  readonly name: string;
  /** With braces. */
  readonly guid: string;
}

/** All TAP-Windows6 adapters. */
export function tapAdapters(registry: Registry): TapAdapter[] {
  const adapters: TapAdapter[] = [];
  for (const key of registry.subkeys(ADAPTERS)) {
    const component = registry.text(`${ADAPTERS}\\${key}`, 'ComponentId');
    if (component === undefined || !COMPONENTS.has(component.toLowerCase())) continue;
    const guid = registry.text(`${ADAPTERS}\\${key}`, 'NetCfgInstanceId');
    const name = guid && registry.text(`${NAMES}\\${guid}\\Connection`, 'Name');
    if (guid !== undefined && name !== undefined) adapters.push({ name, guid });
  }
  return adapters;
}

/** The adapter called `name`, as Windows compares names: without regard to case. */
export function findTapAdapter(registry: Registry, name: string): TapAdapter | undefined {
  const wanted = name.toLowerCase();
  return tapAdapters(registry).find((adapter) => adapter.name.toLowerCase() === wanted);
}
