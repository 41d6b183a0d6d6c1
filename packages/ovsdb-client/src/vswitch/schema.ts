/**
 * The Open_vSwitch database schema, version 8.3.1, as a typed definition: tables, columns, constraints and a
 * sentence on each. `packages/ovsdb-client/vswitch.ovsschema` is generated from it by
 * `scripts/generate-schema.mjs`; a test compares it with the peer's file column by column.
 *
 * Row types come from the same constants: `Row<'Bridge'>`, `Columns<'Port'>`.
 */
import {
  type Columns as ColumnsOf,
  type ColumnName as ColumnNameOf,
  type SchemaDefinition,
  type TableName as TableNameOf,
  type TypedRow,
  schemaFromDefinition,
} from '../definition.js';
import type { DatabaseSchema } from '../schema.js';
import { BRIDGE, INTERFACE, OPEN_VSWITCH, PORT } from './tables-switch.js';
import * as services from './tables-services.js';

export const VSWITCH = {
  name: 'Open_vSwitch',
  version: '8.3.1',
  tables: {
    Open_vSwitch: OPEN_VSWITCH,
    Bridge: BRIDGE,
    Port: PORT,
    Interface: INTERFACE,
    Flow_Table: services.FLOW_TABLE,
    QoS: services.QOS,
    Queue: services.QUEUE,
    Mirror: services.MIRROR,
    NetFlow: services.NETFLOW,
    sFlow: services.SFLOW,
    IPFIX: services.IPFIX,
    Flow_Sample_Collector_Set: services.FLOW_SAMPLE_COLLECTOR_SET,
    Controller: services.CONTROLLER,
    Manager: services.MANAGER,
    Datapath: services.DATAPATH,
    CT_Zone: services.CT_ZONE,
    CT_Timeout_Policy: services.CT_TIMEOUT_POLICY,
    SSL: services.SSL,
    AutoAttach: services.AUTO_ATTACH,
  },
} as const satisfies SchemaDefinition;

export type Vswitch = typeof VSWITCH;
export type TableName = TableNameOf<Vswitch>;
export type ColumnName<T extends TableName> = ColumnNameOf<Vswitch, T>;
/** The columns of a table as native values. */
export type Columns<T extends TableName> = ColumnsOf<Vswitch, T>;
/** A typed row: its columns and `_uuid`. */
export type Row<T extends TableName> = TypedRow<Vswitch, T>;

let schema: DatabaseSchema | undefined;

/** The checked schema of the definition (made on first use). */
export function vswitchSchema(): DatabaseSchema {
  schema ??= schemaFromDefinition(VSWITCH);
  return schema;
}
