/** Controllers of bridges, managers and the SSL configuration of the whole, and resets. */
import { isActiveName, isPassiveName } from '@ovs-node/common/stream-name';
import { vlog } from '@ovs-node/common/vlog';
import { EMPTY_DATUM, scalarDatum, setDatum } from 'ovsdb-client/data/datum';
import type { CommandCall, CtlCommand } from '../lib/ctl-command.js';
import { lines } from './bridge-commands.js';
import type { VsctlContext } from './context.js';

type Call = CommandCall<VsctlContext>;
const PROBE = { name: 'inactivity-probe', arg: 'required' } as const;

const log = vlog('vsctl');

interface Holder {
  /** Table of the targets' rows. */
  readonly table: 'Controller' | 'Manager';
  readonly owner: string;
  readonly uuid: string;
  readonly column: string;
}

function targets(context: VsctlContext, { table, owner, uuid, column }: Holder): string[] {
  return context
    .values(owner, uuid, column)
    .keys.map((row) => String(context.values(table, row as string, 'target').keys[0]));
}

function deleteTargets(context: VsctlContext, { table, owner, uuid, column }: Holder): void {
  for (const row of context.values(owner, uuid, column).keys)
    context.transaction.delete(table, row as string);
  context.clear(owner, uuid, column);
}

function setTargets(
  context: VsctlContext,
  holder: Holder,
  names: readonly string[],
  options: Call['options'],
): void {
  deleteTargets(context, holder);
  const probe = options.get('inactivity-probe');
  const rows = names.map((name) => {
    if (!isActiveName(name) && !isPassiveName(name)) log.warn(`target type "${name}" is possibly erroneous`);
    const row = context.transaction.insert(holder.table);
    context.transaction.set(holder.table, row, 'target', scalarDatum(name));
    if (probe !== undefined)
      context.transaction.set(
        holder.table,
        row,
        'inactivity_probe',
        scalarDatum(Number.parseInt(probe, 10) || 0),
      );
    return row;
  });
  context.transaction.set(holder.owner, holder.uuid, holder.column, setDatum(rows));
}

function controllers(context: VsctlContext, name: string): Holder {
  const bridge = context.topology.realBridge(name);
  return { table: 'Controller', owner: 'Bridge', uuid: bridge.uuid, column: 'controller' };
}

function managers(context: VsctlContext): Holder {
  return { table: 'Manager', owner: 'Open_vSwitch', uuid: context.root, column: 'manager_options' };
}

function getController(context: VsctlContext, { args }: Call): string {
  const bridge = context.topology.bridge(args[0] as string);
  return lines(
    targets(context, { table: 'Controller', owner: 'Bridge', uuid: bridge.uuid, column: 'controller' }),
  );
}

function getSsl(context: VsctlContext): string {
  const [row] = context.values('Open_vSwitch', context.root, 'ssl').keys;
  if (row === undefined) return '';
  const value = (column: string): string => String(context.values('SSL', row as string, column).keys[0]);
  return [
    `Private key: ${value('private_key')}`,
    `Certificate: ${value('certificate')}`,
    `CA Certificate: ${value('ca_cert')}`,
    `Bootstrap: ${value('bootstrap_ca_cert')}`,
    '',
  ].join('\n');
}

function deleteSsl(context: VsctlContext): undefined {
  for (const row of context.values('Open_vSwitch', context.root, 'ssl').keys)
    context.transaction.delete('SSL', row as string);
  context.clear('Open_vSwitch', context.root, 'ssl');
}

function setSsl(context: VsctlContext, { args, options }: Call): undefined {
  deleteSsl(context);
  const row = context.transaction.insert('SSL');
  const [privateKey, certificate, caCert] = args as [string, string, string];
  context.transaction.assign('SSL', row, {
    private_key: privateKey,
    certificate,
    ca_cert: caCert,
    bootstrap_ca_cert: options.has('bootstrap'),
  });
  context.transaction.set('Open_vSwitch', context.root, 'ssl', scalarDatum(row));
}

/** Columns that emer-reset empties, by table: what tells the switch to do more than forward. */
const RESET: Readonly<Record<string, readonly string[]>> = {
  Bridge: ['controller', 'fail_mode', 'mirrors', 'netflow', 'sflow', 'ipfix', 'flood_vlans', 'other_config'],
  Port: ['other_config'],
  Interface: ['ingress_policing_rate', 'ingress_policing_burst'],
};

function emergencyReset(context: VsctlContext): undefined {
  const { transaction } = context;
  for (const [table, columns] of Object.entries(RESET)) {
    for (const row of transaction.rows(table)) {
      for (const column of columns) {
        const type = transaction.schemaOf(table).columnByName.get(column)!.type;
        transaction.set(table, row.uuid, column, type.min === 0 ? EMPTY_DATUM : scalarDatum(0));
      }
    }
  }
  for (const table of ['Mirror', 'NetFlow', 'sFlow', 'IPFIX', 'Controller', 'Manager', 'SSL']) {
    for (const row of transaction.rows(table)) transaction.delete(table, row.uuid);
  }
  context.clear('Open_vSwitch', context.root, 'manager_options');
  context.clear('Open_vSwitch', context.root, 'ssl');
}

export const CONTROL_COMMANDS: readonly CtlCommand<VsctlContext>[] = [
  { name: 'get-controller', isChange: false, usage: 'BRIDGE', min: 1, max: 1, run: getController },
  {
    name: 'del-controller',
    usage: 'BRIDGE',
    min: 1,
    max: 1,
    run: (context, { args }) => deleteTargets(context, controllers(context, args[0] as string)) as undefined,
  },
  {
    name: 'set-controller',
    usage: 'BRIDGE TARGET...',
    min: 1,
    max: Infinity,
    options: [PROBE],
    run: (context, { args, options }) =>
      setTargets(context, controllers(context, args[0] as string), args.slice(1), options) as undefined,
  },
  {
    name: 'get-manager',
    isChange: false,
    usage: '',
    min: 0,
    max: 0,
    run: (context) => lines(targets(context, managers(context))),
  },
  {
    name: 'del-manager',
    usage: '',
    min: 0,
    max: 0,
    run: (context) => deleteTargets(context, managers(context)) as undefined,
  },
  {
    name: 'set-manager',
    usage: 'TARGET...',
    min: 1,
    max: Infinity,
    options: [PROBE],
    run: (context, { args, options }) => setTargets(context, managers(context), args, options) as undefined,
  },
  { name: 'get-ssl', isChange: false, usage: '', min: 0, max: 0, run: getSsl },
  { name: 'del-ssl', usage: '', min: 0, max: 0, run: deleteSsl },
  {
    name: 'set-ssl',
    usage: 'PRIVATE-KEY CERTIFICATE CA-CERT',
    min: 3,
    max: 3,
    options: [{ name: 'bootstrap' }],
    run: setSsl,
  },
  {
    name: 'emer-reset',
    usage: '',
    min: 0,
    max: 0,
    tables: () =>
      Object.fromEntries(
        [
          ...Object.keys(RESET),
          'Mirror',
          'NetFlow',
          'sFlow',
          'IPFIX',
          'Controller',
          'Manager',
          'SSL',
          'Open_vSwitch',
        ].map((name) => [name, '*']),
      ),
    run: emergencyReset,
  },
];
