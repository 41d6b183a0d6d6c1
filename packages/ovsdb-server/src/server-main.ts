/** ovsdb-server(1): options, start and stop. */
import path from 'node:path';
import { daemonHelp } from '@ovs-node/common/daemon-options';
import { runDaemon } from '@ovs-node/common/daemon';
import { dirs } from '@ovs-node/common/dirs';
import { FatalError } from '@ovs-node/common/errors';
import type { OptionSpec } from '@ovs-node/common/getopt';
import { sslOptions } from '@ovs-node/common/stream-options';
import { vlogHelp } from '@ovs-node/common/vlog-options';
import { OvsdbError } from 'ovsdb-client/data/error';
import { registerControlCommands } from './control.js';
import { OvsdbServer } from './server.js';

const NAME = 'ovsdb-server';

function refuse(name: string, why: string): OptionSpec {
  return {
    name,
    arg: 'optional',
    apply: () => {
      throw new FatalError(`--${name}: ${why}`);
    },
  };
}

const remotes: string[] = [];
let noDiff = false;

const SYNC_LATER = 'replication is not supported yet';

const options: readonly OptionSpec[] = [
  { name: 'remote', arg: 'required', apply: (value) => void remotes.push(value!) },
  { name: 'disable-file-column-diff', apply: () => void (noDiff = true) },
  ...sslOptions,
  refuse('sync-from', SYNC_LATER),
  refuse('sync-exclude-tables', SYNC_LATER),
  { name: 'active', apply: () => {} },
  refuse('run', 'running a command is not supported yet'),
];

function help(): string {
  return `${NAME}: Open vSwitch database server
usage: ${NAME} [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is
${dirs.dbdir}/conf.db.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE

Active JSON-RPC connection methods:
  tcp:HOST:PORT           PORT at remote HOST
  unix:FILE               Unix domain socket named FILE
Passive JSON-RPC connection methods:
  ptcp:PORT[:IP]          listen to TCP PORT on IP
  punix:FILE              listen on Unix domain socket FILE
${daemonHelp(NAME)}${vlogHelp(NAME)}
Other options:
  --unixctl=SOCKET        override default control socket name
  --disable-file-column-diff
                          don't use column diff in database file
  -h, --help              display this help message
  -V, --version           display version information
`;
}

/** Runs the daemon. */
export function main(): Promise<void> {
  return runDaemon({
    name: NAME,
    options,
    help,
    start: async ({ commandLine, unixctl }) => {
      const server = new OvsdbServer({ noDiff });
      try {
        const files =
          commandLine.operands.length > 0 ? commandLine.operands : [path.join(dirs.dbdir, 'conf.db')];
        for (const file of files) server.addDatabase(file);
        for (const remote of remotes) await server.remotes.add(remote);
      } catch (error) {
        await server.close();
        if (error instanceof OvsdbError) throw new FatalError(error.message);
        // The peer ends these with an empty line of its own.
        throw new FatalError((error as Error).message);
      }
      registerControlCommands(unixctl, server);
      return { stop: () => server.close() };
    },
  });
}
