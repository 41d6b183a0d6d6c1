/**
 * The OVSDB client library (RFC 7047): data model and schema, a live replica of a database, transactions against it.
 * The typed definition of the Open_vSwitch database is apart, in `ovsdb-client/vswitch/schema`.
 */
export * from './data/index.js';
export * from './definition.js';
export * from './schema.js';
export {
  Replica,
  asOvsdbError,
  type ReplicaOptions,
  type ReplicaState,
  type RowTypes,
  type TableSelection,
} from './replica/replica.js';
export { Transaction, changedSince, transactUntilDone, type CommitOutcome } from './transaction.js';
/** The library's log: which levels go to standard error (`console`), a file or syslog. */
export { setLevels } from '@ovs-node/common/vlog';
