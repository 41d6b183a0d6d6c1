/** Connection tracking zones and capabilities of datapaths: ovs-vsctl(8), "Conntrack Zone Commands". */
import { FatalError } from '@ovs-node/common/errors';
import type { Atom } from 'ovsdb-client/data/atom';
import { type Datum, datumEquals, mapDatum, mapGet, scalarDatum, setDatum } from 'ovsdb-client/data/datum';
import type { TableSelection } from 'ovsdb-client/replica/replica';
import type { CommandCall, CtlCommand } from '../lib/ctl-command.js';
import { committing, type VsctlContext } from './context.js';

type Call = CommandCall<VsctlContext>;

const TABLES: TableSelection = {
  Open_vSwitch: ['datapaths'],
  Datapath: ['ct_zones', 'capabilities'],
  CT_Zone: ['timeout_policy'],
  CT_Timeout_Policy: ['timeouts'],
};

/** The row of a datapath. @throws FatalError `complaint` when there is none. */
function datapath(context: VsctlContext, name: string, complaint: string): string {
  const row = mapGet(context.values('Open_vSwitch', context.root, 'datapaths'), name);
  if (row === undefined) throw new FatalError(complaint);
  return row as string;
}

/** A decimal integer. @throws FatalError */
function integer(text: string, what: string): number {
  if (!/^-?\d+$/.test(text)) throw new FatalError(`${what} "${text}" is not an integer`);
  return Number(text);
}

/** The number in `zone=ID`. @throws FatalError */
function zoneId(word: string): number {
  const id = /^zone=(.*)$/.exec(word)?.[1];
  if (id === undefined) throw new FatalError(`${word}: argument does not have the form zone=ID`);
  return integer(id, 'zone id');
}

/** The datum of `STATE=SECONDS` words. @throws FatalError */
function timeouts(words: readonly string[]): Datum {
  const pairs = words.map((word): [Atom, Atom] => {
    const at = word.indexOf('=');
    if (at < 0) throw new FatalError(`${word}: argument does not have the form STATE=SECONDS`);
    return [word.slice(0, at), integer(word.slice(at + 1), `timeout of ${word.slice(0, at)}`)];
  });
  return mapDatum(pairs);
}

function addZone(context: VsctlContext, { args, options }: Call): undefined {
  const [name, zoneWord, ...words] = args as [string, string, ...string[]];
  const owner = datapath(context, name, `datapath ${name} does not exist`);
  const id = zoneId(zoneWord);
  const { transaction } = context;
  const known = mapGet(context.values('Datapath', owner, 'ct_zones'), id);
  if (known !== undefined && !options.has('may-exist')) throw new FatalError(`zone id ${id} already exists`);
  const zone = (known as string | undefined) ?? transaction.insert('CT_Zone');
  const policy = policyRow(context, timeouts(words));
  committing(() => {
    transaction.set('CT_Zone', zone, 'timeout_policy', scalarDatum(policy));
    if (known === undefined) transaction.addTo('Datapath', owner, 'ct_zones', mapDatum([[id, zone]]));
  });
}

/** A policy of these timeouts: zones share the one that is there. */
function policyRow(context: VsctlContext, wanted: Datum): string {
  const { transaction } = context;
  for (const { uuid } of transaction.rows('CT_Timeout_Policy'))
    if (datumEquals(context.values('CT_Timeout_Policy', uuid, 'timeouts'), wanted)) return uuid;
  const uuid = transaction.insert('CT_Timeout_Policy');
  committing(() => transaction.set('CT_Timeout_Policy', uuid, 'timeouts', wanted));
  return uuid;
}

function deleteZone(context: VsctlContext, { args, options }: Call): undefined {
  const [name, zoneWord] = args as [string, string];
  const owner = datapath(context, name, `datapath ${name} does not exist`);
  const id = zoneId(zoneWord);
  if (mapGet(context.values('Datapath', owner, 'ct_zones'), id) === undefined) {
    if (options.has('if-exists')) return;
    throw new FatalError(`zone id ${id} does not exist`);
  }
  context.transaction.removeFrom('Datapath', owner, 'ct_zones', setDatum([id]));
}

function listZones(context: VsctlContext, { args }: Call): string {
  const [name] = args as [string];
  const owner = datapath(context, name, `datapath: ${name} record not found`);
  const zones = context.values('Datapath', owner, 'ct_zones');
  return zones.keys
    .map((id, i) => {
      const [policy] = context.values('CT_Zone', zones.values[i] as string, 'timeout_policy').keys;
      const times =
        policy === undefined ? '' : pairs(context.values('CT_Timeout_Policy', policy as string, 'timeouts'));
      return `Zone:${id}, Timeout Policies: ${times === '' ? 'system default' : times}\n`;
    })
    .join('');
}

function pairs({ keys, values }: Datum): string {
  return keys.map((key, i) => `${key}=${values[i]}`).join(' ');
}

function listCapabilities(context: VsctlContext, { args }: Call): string {
  const [name] = args as [string];
  const owner = datapath(context, name, `datapath "${name}" record not found`);
  return `${pairs(context.values('Datapath', owner, 'capabilities'))}\n`;
}

const ROWS: readonly Omit<CtlCommand<VsctlContext>, 'tables'>[] = [
  {
    name: 'add-zone-tp',
    usage: 'DATAPATH zone=ZONE STATE=SECONDS...',
    min: 3,
    max: Infinity,
    options: [{ name: 'may-exist' }],
    run: addZone,
  },
  {
    name: 'del-zone-tp',
    usage: 'DATAPATH zone=ZONE',
    min: 2,
    max: 2,
    options: [{ name: 'if-exists' }],
    run: deleteZone,
  },
  { name: 'list-zone-tp', isChange: false, usage: 'DATAPATH', min: 1, max: 1, run: listZones },
  { name: 'list-dp-cap', isChange: false, usage: 'DATAPATH', min: 1, max: 1, run: listCapabilities },
];

export const ZONE_COMMANDS: readonly CtlCommand<VsctlContext>[] = ROWS.map((row) => ({
  ...row,
  tables: () => TABLES,
}));
