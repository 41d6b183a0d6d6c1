import { explainToLog } from '@ovs-node/openflow/explain-log';

/** Tells the log what is wrong with messages and their actions, of all connections together. */
export const explain = explainToLog();
