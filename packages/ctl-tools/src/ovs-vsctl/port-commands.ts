/** Ports and interfaces: add-port, add-bond, del-port and the look-ups between names. */
import { FatalError } from '@ovs-node/common/errors';
import { scalarDatum } from 'ovsdb-client/data/datum';
import type { CommandCall, CtlCommand } from '../lib/ctl-command.js';
import { setColumns } from '../lib/db-commands.js';
import { lines } from './bridge-commands.js';
import type { VsctlContext } from './context.js';
import type { Bridge, Port } from './topology.js';

type Call = CommandCall<VsctlContext>;
const MAY_EXIST = { name: 'may-exist' } as const;
const IF_EXISTS = { name: 'if-exists' } as const;

interface NewPort {
  readonly bridge: string;
  readonly name: string;
  readonly interfaces: readonly string[];
  readonly settings: readonly string[];
  readonly fakeInterface: boolean;
}

function addPort(context: VsctlContext, call: Call, wanted: NewPort): void {
  const bridge = context.topology.bridge(wanted.bridge);
  if (call.options.has('may-exist')) {
    const port = context.topology.ports.get(wanted.name);
    if (port !== undefined) return checkSamePort(call, port, bridge, wanted);
  }
  context.topology.checkFree(wanted.name, `cannot create a port named ${wanted.name}`);
  for (const each of wanted.interfaces) {
    if (each !== wanted.name) context.topology.checkFree(each, `cannot create an interface named ${each}`);
  }
  const port = context.insertPort(wanted.name, wanted.interfaces);
  if (wanted.fakeInterface) context.transaction.set('Port', port, 'bond_fake_iface', scalarDatum(true));
  if (bridge.parent !== undefined) context.transaction.set('Port', port, 'tag', scalarDatum(bridge.vlan));
  setColumns(context, 'Port', port, wanted.settings);
  context.transaction.addTo('Bridge', bridge.uuid, 'ports', scalarDatum(port));
  context.changed();
}

function checkSamePort(call: Call, port: Port, bridge: Bridge, wanted: NewPort): void {
  const words = `"--may-exist ${[call.command.name, wanted.bridge, wanted.name, ...(wanted.interfaces.length > 1 ? wanted.interfaces : [])].join(' ')}"`;
  if (port.bridge !== bridge) {
    throw new FatalError(`${words} but ${wanted.name} is actually attached to bridge ${port.bridge.name}`);
  }
  const have = port.interfaces.map((each) => each.name).toSorted();
  if (have.join() !== wanted.interfaces.toSorted().join()) {
    throw new FatalError(`${words} but ${wanted.name} actually has interface(s) ${have.join(', ')}`);
  }
}

function runAddPort(context: VsctlContext, call: Call): undefined {
  const [bridge, name, ...settings] = call.args as [string, string, ...string[]];
  addPort(context, call, { bridge, name, interfaces: [name], settings, fakeInterface: false });
}

function runAddBond(context: VsctlContext, call: Call): undefined {
  const [bridge, name, ...rest] = call.args as [string, string, ...string[]];
  const interfaces = rest.filter((word) => !word.includes('='));
  if (interfaces.length < 2)
    throw new FatalError(
      `add-bond requires at least 2 interfaces, but only ${interfaces.length} were specified`,
    );
  const settings = rest.filter((word) => word.includes('='));
  addPort(context, call, {
    bridge,
    name,
    interfaces,
    settings,
    fakeInterface: call.options.has('fake-iface'),
  });
}

function deletePort(context: VsctlContext, { args, options }: Call): undefined {
  const [bridgeName, name] = args.length === 2 ? (args as [string, string]) : [undefined, args[0] as string];
  const { topology } = context;
  if (topology.bridges.has(name)) {
    throw new FatalError(
      `cannot delete port ${name} because it is the local port for bridge ${name} (deleting this port requires deleting the entire bridge)`,
    );
  }
  const bridge = bridgeName === undefined ? undefined : topology.bridge(bridgeName);
  const port = findPort(context, name, options);
  if (port === undefined) return;
  if (bridge !== undefined && port.bridge !== bridge) {
    if (port.bridge.parent === bridge) {
      throw new FatalError(
        `bridge ${bridge.name} does not have a port ${name} (although its child bridge ${port.bridge.name} does)`,
      );
    }
    throw new FatalError(`bridge ${bridge.name} does not have a port ${name}`);
  }
  context.deletePort(port);
}

function findPort(context: VsctlContext, name: string, options: Call['options']): Port | undefined {
  const { topology } = context;
  if (options.has('with-iface')) {
    const port = topology.ports.get(name) ?? topology.interfaces.get(name)?.port;
    if (port !== undefined || options.has('if-exists')) return port;
    throw new FatalError(`no port or interface named ${name}`);
  }
  return options.has('if-exists') && !topology.ports.has(name) ? undefined : topology.port(name);
}

function addBondInterface(context: VsctlContext, { args, options }: Call): undefined {
  const [portName, name] = args as [string, string];
  const { topology } = context;
  const port = topology.port(portName);
  const existing = options.has('may-exist') ? topology.interfaces.get(name) : undefined;
  if (existing !== undefined && !topology.bridges.has(name)) {
    if (existing.port === port) return;
    throw new FatalError(
      `"--may-exist add-bond-iface ${portName} ${name}" but ${name} is actually attached to port ${existing.port.name}`,
    );
  }
  topology.checkFree(name, `cannot create an interface named ${name}`);
  context.transaction.addTo('Port', port.uuid, 'interfaces', scalarDatum(context.insertInterface(name)));
  context.changed();
}

function deleteBondInterface(context: VsctlContext, { args, options }: Call): undefined {
  const name = args.at(-1) as string;
  const { topology } = context;
  const port = args.length === 2 ? topology.port(args[0] as string) : undefined;
  const isThere = topology.interfaces.has(name) && !topology.bridges.has(name);
  if (!isThere && options.has('if-exists')) return;
  const found = topology.interface(name);
  if (port !== undefined && found.port !== port)
    throw new FatalError(`port ${port.name} does not have an interface ${name}`);
  if (found.port.interfaces.length === 1)
    throw new FatalError(`cannot delete last interface from port ${found.port.name}`);
  context.transaction.removeFrom('Port', found.port.uuid, 'interfaces', scalarDatum(found.uuid));
  context.transaction.delete('Interface', found.uuid);
  context.changed();
}

function withoutLocal(bridge: Bridge, names: readonly string[]): string {
  return lines(names.filter((name) => name !== bridge.name));
}

export const PORT_COMMANDS: readonly CtlCommand<VsctlContext>[] = [
  {
    name: 'list-ports',
    isChange: false,
    usage: 'BRIDGE',
    min: 1,
    max: 1,
    run: (context, { args }) => {
      const bridge = context.topology.bridge(args[0] as string);
      return withoutLocal(
        bridge,
        bridge.ports.map((port) => port.name),
      );
    },
  },
  {
    name: 'add-port',
    usage: 'BRIDGE NEW-PORT [COLUMN[:KEY]=VALUE]...',
    min: 2,
    max: Infinity,
    options: [MAY_EXIST],
    run: runAddPort,
  },
  {
    name: 'add-bond',
    usage: 'BRIDGE BOND IFACE... [COLUMN[:KEY]=VALUE]...',
    min: 4,
    max: Infinity,
    options: [MAY_EXIST, { name: 'fake-iface' }],
    run: runAddBond,
  },
  {
    name: 'del-port',
    usage: '[BRIDGE] PORT|IFACE',
    min: 1,
    max: 2,
    options: [IF_EXISTS, { name: 'with-iface' }],
    run: deletePort,
  },
  {
    name: 'add-bond-iface',
    usage: 'BOND IFACE',
    min: 2,
    max: 2,
    options: [MAY_EXIST],
    run: addBondInterface,
  },
  {
    name: 'del-bond-iface',
    usage: '[BOND] IFACE',
    min: 1,
    max: 2,
    options: [IF_EXISTS],
    run: deleteBondInterface,
  },
  {
    name: 'port-to-br',
    isChange: false,
    usage: 'PORT',
    min: 1,
    max: 1,
    run: (context, { args }) => `${context.topology.port(args[0] as string).bridge.name}\n`,
  },
  {
    name: 'list-ifaces',
    isChange: false,
    usage: 'BRIDGE',
    min: 1,
    max: 1,
    run: (context, { args }) => {
      const bridge = context.topology.bridge(args[0] as string);
      return withoutLocal(
        bridge,
        bridge.ports.flatMap((port) => port.interfaces.map((each) => each.name)),
      );
    },
  },
  {
    name: 'iface-to-br',
    isChange: false,
    usage: 'IFACE',
    min: 1,
    max: 1,
    run: (context, { args }) => `${context.topology.interface(args[0] as string).port.bridge.name}\n`,
  },
];
