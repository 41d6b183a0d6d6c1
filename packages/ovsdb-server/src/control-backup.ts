/** Control commands of the active-backup service model. */
import type { ControlCommand } from './control-databases.js';
import type { OvsdbServer } from './server.js';

const named = (name: string): string => `ovsdb-server/${name}`;

export const BACKUP_COMMANDS: readonly ControlCommand[] = [
  { name: named('set-active-ovsdb-server'), usage: '', min: 1, max: 1, run: setActive },
  { name: named('get-active-ovsdb-server'), usage: '', min: 0, max: 0, run: getActive },
  { name: named('connect-active-ovsdb-server'), usage: '', min: 0, max: 0, run: connectActive },
  { name: named('disconnect-active-ovsdb-server'), usage: '', min: 0, max: 0, run: disconnectActive },
  { name: named('set-active-ovsdb-server-probe-interval'), usage: '', min: 1, max: 1, run: setProbe },
  { name: named('set-sync-exclude-tables'), usage: '', min: 0, max: 1, run: setExcluded },
  {
    name: named('get-sync-exclude-tables'),
    usage: '',
    min: 0,
    max: 0,
    run: ({ backup }) => backup.excludedTables,
  },
  { name: named('sync-status'), usage: '', min: 0, max: 0, run: ({ backup }) => backup.status() },
];

/** Where to replicate from the next time; a replication under way goes on. */
function setActive({ backup }: OvsdbServer, [source]: string[]): string {
  backup.source = source!;
  return '';
}

function getActive({ backup }: OvsdbServer): string {
  return backup.source ?? '';
}

function connectActive({ backup }: OvsdbServer): string {
  if (backup.source === undefined) return 'Unable to connect: active server is not specified.';
  backup.start();
  return '';
}

function disconnectActive({ backup }: OvsdbServer): string {
  backup.stop();
  return '';
}

function setProbe({ backup }: OvsdbServer, [text]: string[]): string {
  if (!/^\s*[-+]?\d+$/.test(text!)) return 'Invalid probe interval, integer value expected';
  const ms = Number(text);
  if (ms !== 0 && ms < MIN_PROBE_MS) return '';
  backup.setProbe(ms);
  return '';
}

/** Shorter intervals would only load the network. */
const MIN_PROBE_MS = 1000;

function setExcluded({ backup }: OvsdbServer, [text = '']: string[]): string {
  backup.setExcludedTables(text);
  return '';
}
