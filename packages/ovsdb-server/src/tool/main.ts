/** ovsdb-tool(1): options and help. */
import { findCommand } from '@ovs-node/common/command';
import { FatalError } from '@ovs-node/common/errors';
import { type OptionSpec, parseCommandLine } from '@ovs-node/common/getopt';
import { runTool } from '@ovs-node/common/tool';
import { vlogHelp, vlogOptions } from '@ovs-node/common/vlog-options';
import { OvsdbError } from 'ovsdb-client/data/error';
import { parseUuid } from 'ovsdb-client/data/uuid';
import { COMMANDS } from './commands.js';
import { type ToolOptions, defaultDatabase, defaultSchema } from './context.js';

const NAME = 'ovsdb-tool';

function help(): string {
  return `${NAME}: Open vSwitch database management utility
usage: ${NAME} [OPTIONS] COMMAND [ARG...]
  create [DB [SCHEMA]]    create DB with the given SCHEMA
  compact [DB [DST]]      compact DB in-place (or to DST)
  convert [DB [SCHEMA [DST]]]   convert DB to SCHEMA (to DST)
  needs-conversion [DB [SCHEMA]]   tell whether DB differs from SCHEMA
  db-name [DB]            report name of schema used by DB
  db-version [DB]         report version of schema used by DB
  db-cksum [DB]           report checksum of schema used by DB
  db-is-clustered DB      test whether DB is clustered
  db-is-standalone DB     test whether DB is standalone
  schema-name [SCHEMA]    report SCHEMA's name
  schema-version [SCHEMA] report SCHEMA's schema version
  schema-cksum [SCHEMA]   report SCHEMA's checksum
  compare-versions A OP B  compare OVSDB schema version numbers
  query [DB] TRNS         execute read-only transaction on DB
  transact [DB] TRNS      execute read/write transaction on DB
  [-m]... show-log [DB]   print DB's log entries
The commands for clustered databases (create-cluster, join-cluster, check-cluster,
cluster-to-standalone, db-cid, db-sid, db-local-address) are refused.
The default DB is ${defaultDatabase()}.
The default SCHEMA is ${defaultSchema()}.
${vlogHelp(NAME)}
Other options:
  -m, --more                  increase show-log verbosity
  --rbac-role=ROLE            RBAC role for transact and query commands
  -h, --help                  display this help message
  -V, --version               display version information
`;
}

/** The options of the command line, which change `options`. */
export function toolOptions(options: ToolOptions): OptionSpec[] {
  return [
    { name: 'more', short: 'm', apply: () => void options.more++ },
    { name: 'rbac-role', arg: 'required', apply: (role) => void (options.rbacRole = role) },
    // Of the commands for clusters, which are refused; what is wrong with them is said first.
    {
      name: 'cid',
      arg: 'required',
      apply: (value) => {
        if (parseUuid(value!) === undefined) throw new FatalError(`${value}: not a valid UUID`);
      },
    },
    {
      name: 'election-timer',
      arg: 'required',
      apply: (value) => {
        const ms = Number.parseInt(value!, 10);
        if (!(ms >= 100 && ms <= 600_000))
          throw new FatalError('ovsdb error: election timer must be between 100 and 600000, in msec.');
      },
    },
    ...vlogOptions,
  ];
}

/** Runs the tool. */
export function main(): Promise<void> {
  const options: ToolOptions = { more: 0, rbacRole: undefined };
  const specs = toolOptions(options);
  const run = async (args: string[]): Promise<number> => {
    const line = parseCommandLine({ name: NAME, options: specs, order: 'permute', help }, args);
    if (line.operands[0] === 'help') {
      process.stdout.write(help());
      return 0;
    }
    const { spec, args: operands } = findCommand(COMMANDS, line.operands);
    try {
      return (await spec.run(options, operands)) ?? 0;
    } catch (error) {
      if (error instanceof OvsdbError) throw new FatalError(error.message);
      throw error;
    }
  };
  return runTool(NAME, run, { lostOutput: 'told' });
}
