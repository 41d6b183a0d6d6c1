/** Mappings of VLANs to services of a backbone: ovs-vsctl(8), "Auto-Attach Commands". */
import { FatalError } from '@ovs-node/common/errors';
import { mapDatum, mapGet, scalarDatum, setDatum } from 'ovsdb-client/data/datum';
import type { TableSelection } from 'ovsdb-client/replica/replica';
import type { CommandCall, CtlCommand } from '../lib/ctl-command.js';
import { committing, type VsctlContext } from './context.js';
import type { Bridge } from './topology.js';

type Call = CommandCall<VsctlContext>;

const TABLES: TableSelection = { Bridge: ['auto_attach'], AutoAttach: ['mappings'] };

/** The AutoAttach row of a bridge. A fake bridge has that of its parent, whose row it shares. */
function autoAttach(context: VsctlContext, bridge: Bridge): string | undefined {
  return context.values('Bridge', bridge.uuid, 'auto_attach').keys[0] as string | undefined;
}

function integer(text: string): number {
  if (!/^\d+$/.test(text)) throw new FatalError(`Invalid argument ${text}`);
  return Number(text);
}

function addMapping(context: VsctlContext, { args }: Call): undefined {
  const [name, isidText, vlanText] = args as [string, string, string];
  const bridge = context.topology.bridge(name);
  const [isid, vlan] = [integer(isidText), integer(vlanText)];
  const { transaction } = context;
  committing(() => {
    let row = autoAttach(context, bridge);
    if (row === undefined) {
      row = transaction.insert('AutoAttach');
      transaction.set('Bridge', bridge.uuid, 'auto_attach', scalarDatum(row));
    }
    // A service that has a VLAN keeps it.
    transaction.addTo('AutoAttach', row, 'mappings', mapDatum([[isid, vlan]]), false);
  });
}

function deleteMapping(context: VsctlContext, { args }: Call): undefined {
  const [name, isidText, vlanText] = args as [string, string, string];
  const bridge = context.topology.bridge(name);
  const [isid, vlan] = [integer(isidText), integer(vlanText)];
  const row = autoAttach(context, bridge);
  if (row === undefined || mapGet(context.values('AutoAttach', row, 'mappings'), isid) !== vlan) return;
  context.transaction.removeFrom('AutoAttach', row, 'mappings', setDatum([isid]));
}

function getMappings(context: VsctlContext, { args }: Call): string {
  const row = autoAttach(context, context.topology.bridge(args[0] as string));
  if (row === undefined) return '';
  const { keys, values } = context.values('AutoAttach', row, 'mappings');
  return keys.map((isid, i) => `${isid} ${values[i]}\n`).join('');
}

const tables = (): TableSelection => TABLES;

export const AUTO_ATTACH_COMMANDS: readonly CtlCommand<VsctlContext>[] = [
  { name: 'add-aa-mapping', usage: 'BRIDGE ARG ARG', min: 3, max: 3, tables, run: addMapping },
  { name: 'del-aa-mapping', usage: 'BRIDGE ARG ARG', min: 3, max: 3, tables, run: deleteMapping },
  { name: 'get-aa-mapping', isChange: false, usage: 'BRIDGE', min: 1, max: 1, tables, run: getMappings },
];
