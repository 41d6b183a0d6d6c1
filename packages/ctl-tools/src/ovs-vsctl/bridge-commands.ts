/** Bridges: add-br, del-br, list-br and what belongs to one bridge as a whole. */
import { FatalError } from '@ovs-node/common/errors';
import { EMPTY_DATUM, mapDatum, mapGet, scalarDatum, setDatum } from 'ovsdb-client/data/datum';
import { formatBareAtom } from 'ovsdb-client/data/atom-format';
import type { CommandCall, CtlCommand } from '../lib/ctl-command.js';
import type { VsctlContext } from './context.js';
import type { Bridge } from './topology.js';

type Call = CommandCall<VsctlContext>;
const MAY_EXIST = { name: 'may-exist' } as const;
const IF_EXISTS = { name: 'if-exists' } as const;

function addBridge(context: VsctlContext, { args, options }: Call): undefined {
  const [name, parent, vlanText] = args as [string, string?, string?];
  if (args.length === 2) throw new FatalError("'add-br' command takes exactly 1 or 3 arguments");
  const vlan = parent === undefined ? 0 : Number(vlanText);
  if (parent !== undefined && !(/^\d+$/.test(vlanText ?? '') && vlan <= 4095)) {
    throw new FatalError('add-br: vlan must be between 0 and 4095');
  }
  const existing = options.has('may-exist') ? context.topology.bridges.get(name) : undefined;
  if (existing !== undefined) {
    checkSameBridge(existing, name, parent, vlan);
    return;
  }
  context.topology.checkFree(name, `cannot create a bridge named ${name}`);
  if (parent === undefined) addRealBridge(context, name);
  else addFakeBridge(context, name, parent, vlan);
  context.changed();
}

function checkSameBridge(bridge: Bridge, name: string, parent: string | undefined, vlan: number): void {
  const call = `"--may-exist add-br ${name}${parent === undefined ? '' : ` ${parent} ${vlan}`}" but ${name}`;
  if (parent === undefined) {
    if (bridge.parent !== undefined) throw new FatalError(`${call} is a VLAN bridge for VLAN ${bridge.vlan}`);
  } else if (bridge.parent === undefined) throw new FatalError(`${call} is not a VLAN bridge`);
  else if (bridge.parent.name !== parent)
    throw new FatalError(`${call} has the wrong parent ${bridge.parent.name}`);
  else if (bridge.vlan !== vlan)
    throw new FatalError(`${call} is a VLAN bridge for the wrong VLAN ${bridge.vlan}`);
}

function addRealBridge(context: VsctlContext, name: string): void {
  const { transaction } = context;
  const port = context.insertPort(name, [name], 'internal');
  const bridge = transaction.insert('Bridge');
  transaction.set('Bridge', bridge, 'name', scalarDatum(name));
  transaction.set('Bridge', bridge, 'ports', scalarDatum(port));
  transaction.addTo('Open_vSwitch', context.root, 'bridges', scalarDatum(bridge));
}

function addFakeBridge(context: VsctlContext, name: string, parentName: string, vlan: number): void {
  const parent = context.topology.bridges.get(parentName);
  if (parent?.parent !== undefined) throw new FatalError('cannot create bridge with fake bridge as parent');
  if (parent === undefined) throw new FatalError(`parent bridge ${parentName} does not exist`);
  const sibling = parent.children.find((child) => child.vlan === vlan);
  if (sibling !== undefined) {
    throw new FatalError(
      `bridge ${parentName} already has a child VLAN bridge ${sibling.name} on VLAN ${vlan}`,
    );
  }
  const port = context.insertPort(name, [name], 'internal');
  context.transaction.set('Port', port, 'fake_bridge', scalarDatum(true));
  context.transaction.set('Port', port, 'tag', scalarDatum(vlan));
  context.transaction.addTo('Bridge', parent.uuid, 'ports', scalarDatum(port));
}

function deleteBridge(context: VsctlContext, { args, options }: Call): undefined {
  const name = args[0] as string;
  if (options.has('if-exists') && !context.topology.bridges.has(name)) return;
  const bridge = context.topology.bridge(name);
  const { topology } = context;
  const ports = [...bridge.ports, ...bridge.children.flatMap((child) => child.ports)];
  for (const port of ports) context.deletePort(port);
  for (const fake of bridge.fakePort === undefined ? bridge.children : [bridge]) {
    context.deletePort(topology.ports.get(fake.name)!);
  }
  if (bridge.parent === undefined) {
    context.transaction.removeFrom('Open_vSwitch', context.root, 'bridges', scalarDatum(bridge.uuid));
    context.transaction.delete('Bridge', bridge.uuid);
  }
  context.changed();
}

function listBridges(context: VsctlContext, { options }: Call): string {
  const [real, fake] = [options.has('real'), options.has('fake')];
  const shown = [...context.topology.bridges.values()].filter((bridge) =>
    bridge.parent === undefined ? real || !fake : fake || !real,
  );
  return lines(shown.map((bridge) => bridge.name));
}

/** Names, sorted, a line each. */
export function lines(names: readonly string[]): string {
  return names
    .toSorted()
    .map((name) => `${name}\n`)
    .join('');
}

function bridgeExists(context: VsctlContext, { args }: Call): undefined {
  if (!context.topology.bridges.has(args[0] as string)) throw new FatalError('', 2);
}

/** Where a bridge's external IDs are: a fake bridge keeps them in its port's, with a prefix. */
function externalIds(bridge: Bridge): { table: string; uuid: string; prefix: string } {
  return bridge.fakePort === undefined
    ? { table: 'Bridge', uuid: bridge.uuid, prefix: '' }
    : { table: 'Port', uuid: bridge.fakePort, prefix: 'fake-bridge-' };
}

function setExternalId(context: VsctlContext, { args }: Call): undefined {
  const [name, key, value] = args as [string, string, string?];
  const { table, uuid, prefix } = externalIds(context.topology.bridge(name));
  const full = prefix + key;
  if (value === undefined) context.transaction.removeFrom(table, uuid, 'external_ids', setDatum([full]));
  else context.transaction.addTo(table, uuid, 'external_ids', mapDatum([[full, value]]));
}

function getExternalId(context: VsctlContext, { args }: Call): string {
  const [name, key] = args as [string, string?];
  const { table, uuid, prefix } = externalIds(context.topology.bridge(name));
  const ids = context.values(table, uuid, 'external_ids');
  if (key !== undefined) {
    const value = mapGet(ids, prefix + key);
    return value === undefined ? '' : `${value}\n`;
  }
  const pairs = ids.keys
    .filter((each) => String(each).startsWith(prefix))
    .map((each) => `${String(each).slice(prefix.length)}=${formatBareAtom('string', mapGet(ids, each)!)}`);
  return lines(pairs);
}

const FAIL_MODES = ['standalone', 'secure'];

function setFailMode(context: VsctlContext, { args }: Call): undefined {
  const [name, mode] = args as [string, string];
  const bridge = context.topology.realBridge(name);
  if (!FAIL_MODES.includes(mode)) throw new FatalError('fail-mode must be "standalone" or "secure"');
  context.transaction.set('Bridge', bridge.uuid, 'fail_mode', scalarDatum(mode));
}

function getFailMode(context: VsctlContext, { args }: Call): string {
  const bridge = context.topology.bridge(args[0] as string);
  const [mode] = context.values('Bridge', bridge.uuid, 'fail_mode').keys;
  return mode === undefined ? '' : `${String(mode)}\n`;
}

function deleteFailMode(context: VsctlContext, { args }: Call): undefined {
  context.transaction.set(
    'Bridge',
    context.topology.realBridge(args[0] as string).uuid,
    'fail_mode',
    EMPTY_DATUM,
  );
}

export const BRIDGE_COMMANDS: readonly CtlCommand<VsctlContext>[] = [
  {
    name: 'add-br',
    usage: 'NEW-BRIDGE [PARENT] [NEW-VLAN]',
    min: 1,
    max: 3,
    options: [MAY_EXIST],
    run: addBridge,
  },
  { name: 'del-br', usage: 'BRIDGE', min: 1, max: 1, options: [IF_EXISTS], run: deleteBridge },
  {
    name: 'list-br',
    isChange: false,
    usage: '',
    min: 0,
    max: 0,
    options: [{ name: 'real' }, { name: 'fake' }],
    run: listBridges,
  },
  { name: 'br-exists', isChange: false, usage: 'BRIDGE', min: 1, max: 1, run: bridgeExists },
  {
    name: 'br-to-vlan',
    isChange: false,
    usage: 'BRIDGE',
    min: 1,
    max: 1,
    run: (context, { args }) => `${context.topology.bridge(args[0] as string).vlan}\n`,
  },
  {
    name: 'br-to-parent',
    isChange: false,
    usage: 'BRIDGE',
    min: 1,
    max: 1,
    run: (context, { args }) => {
      const bridge = context.topology.bridge(args[0] as string);
      return `${(bridge.parent ?? bridge).name}\n`;
    },
  },
  { name: 'br-set-external-id', usage: 'BRIDGE KEY [VALUE]', min: 2, max: 3, run: setExternalId },
  { name: 'br-get-external-id', isChange: false, usage: 'BRIDGE [KEY]', min: 1, max: 2, run: getExternalId },
  { name: 'get-fail-mode', isChange: false, usage: 'BRIDGE', min: 1, max: 1, run: getFailMode },
  { name: 'del-fail-mode', usage: 'BRIDGE', min: 1, max: 1, run: deleteFailMode },
  { name: 'set-fail-mode', usage: 'BRIDGE MODE', min: 2, max: 2, run: setFailMode },
];
