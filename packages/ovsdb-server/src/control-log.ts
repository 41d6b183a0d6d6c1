/** Control commands of the transaction log: which tables' changes are logged. */
import { compareStrings } from 'ovsdb-client/data/atom';
import type { OvsdbServer } from './server.js';

/** `tlog-set DB:TABLE on|off`. */
export function logSet(server: OvsdbServer, [name, value]: string[]): string {
  const parts = name!.split(':');
  if (parts.length !== 2) throw new Error('invalid DB:TABLE argument');
  const [databaseName, tableName] = parts as [string, string];
  const hosted = server.database(databaseName);
  if (hosted === undefined) throw new Error('no such database');
  if (!hosted.database.tables.has(tableName)) throw new Error('no such table');
  if (value !== 'on' && value !== 'off') throw new Error('invalid command argument');
  hosted.transactionLog.set(tableName, value === 'on');
  return '';
}

/** `tlog-list`: every table and whether it is logged. */
export function logList(server: OvsdbServer): string {
  const text = [`${'database'.padEnd(15)} ${'table'.padEnd(27)} logging\n`];
  for (const name of server.databaseNames()) {
    const hosted = server.database(name);
    if (hosted === undefined) continue;
    text.push(`${name.padEnd(16)} \n`);
    for (const table of [...hosted.database.tables.keys()].sort(compareStrings)) {
      const state = hosted.transactionLog.has(table) ? 'ON' : 'OFF';
      text.push(`${' '.repeat(16)}${table.padEnd(27)} ${state}\n`);
    }
  }
  return text.join('');
}
