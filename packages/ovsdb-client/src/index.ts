/**
 * The OVSDB client library (RFC 7047): data model and schema, a live replica of a database, transactions against it.
 * The typed definition of the Open_vSwitch database is apart, in `ovsdb-client/vswitch/schema`.
 */
import { setLevels } from '@ovs-node/common/vlog';

// A library that says on standard error whenever it connects would disturb the program that it is part of.
setLevels(null, 'console', 'warn');
setLevels(null, 'syslog', 'off');

/** The library's log: which levels go to standard error (`console`: warnings at first), a file or syslog. */
export { setLevels };
export * from './data/index.js';
export * from './definition.js';
export * from './schema.js';
export {
  Replica,
  type ReplicaOptions,
  type ReplicaState,
  type RowChange,
  type RowTypes,
  type TableSelection,
} from './replica/replica.js';
export { asOvsdbError } from './replica/reply.js';
export type { CallOptions } from './replica/call.js';
export type { Clause as MonitorClause, Condition as MonitorCondition } from './replica/conditions.js';
export { Transaction, changedSince, transactUntilDone, type CommitOutcome } from './transaction.js';
/** Files for `ssl:` remotes: private key, certificate, certificates of authorities; for the process. */
export { setTlsConfig } from '@ovs-node/common/tls-config';
