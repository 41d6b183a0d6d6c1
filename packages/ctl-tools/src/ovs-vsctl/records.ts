/** How records of the Open_vSwitch schema may be named in database commands (ovs-vsctl(8), "Database Commands"). */
import type { RecordName } from '../lib/db-context.js';

const own = (table: string, column: string): RecordName => ({ table, nameTable: table, nameColumn: column });
const via = (table: string, nameTable: string, refColumn: string): RecordName => ({
  table,
  nameTable,
  nameColumn: 'name',
  refColumn,
});
const only = (table: string): RecordName => ({ table });

export const RECORD_NAMES: readonly RecordName[] = [
  via('AutoAttach', 'Bridge', 'auto_attach'),
  own('Bridge', 'name'),
  via('Controller', 'Bridge', 'controller'),
  own('Flow_Sample_Collector_Set', 'id'),
  own('Flow_Table', 'name'),
  via('IPFIX', 'Bridge', 'ipfix'),
  own('Interface', 'name'),
  own('Manager', 'target'),
  own('Mirror', 'name'),
  via('NetFlow', 'Bridge', 'netflow'),
  only('Open_vSwitch'),
  own('Port', 'name'),
  via('QoS', 'Port', 'qos'),
  only('SSL'),
  via('sFlow', 'Bridge', 'sflow'),
];
