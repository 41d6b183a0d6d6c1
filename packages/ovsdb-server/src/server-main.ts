/** ovsdb-server(1): options, start and stop. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { daemonHelp } from '@ovs-node/common/daemon-options';
import { runDaemon } from '@ovs-node/common/daemon';
import { dirs } from '@ovs-node/common/dirs';
import { FatalError, OvsError } from '@ovs-node/common/errors';
import type { OptionSpec } from '@ovs-node/common/getopt';
import { isPassiveName } from '@ovs-node/common/stream-name';
import { streamHelp } from '@ovs-node/common/stream-options';
import type { TlsConfig } from '@ovs-node/common/tls-config';
import { vlogHelp } from '@ovs-node/common/vlog-options';
import { reportMemory } from '@ovs-node/common/memory';
import { OvsdbError } from 'ovsdb-client/data/error';
import { registerControlCommands } from './control.js';
import { reportUsage } from './control-databases.js';
import { isColumnName } from './database-column.js';
import { OvsdbServer } from './server.js';
import type { TlsSource } from './tls-source.js';

const NAME = 'ovsdb-server';

const remotes: string[] = [];
const tls: TlsSource = {};
let noDiff = false;
let syncFrom: string | undefined;
let syncExclude: string | undefined;
let startActive = false;
let command: string | undefined;

function tlsOption(name: string, key: keyof TlsSource & keyof TlsConfig, short?: string): OptionSpec {
  const isFile = key !== 'protocols' && key !== 'ciphers';
  return {
    name,
    ...(short === undefined ? {} : { short }),
    arg: 'required',
    apply: (value) => {
      // The working directory changes later.
      const isName = !isFile || value === 'none' || isColumnName(value!);
      Object.assign(tls, { [key]: isName ? value : path.resolve(value!) });
      if (key === 'caCert') tls.bootstrap = name === 'bootstrap-ca-cert';
    },
  };
}

function refuse(name: string, why: string): OptionSpec {
  return {
    name,
    arg: 'optional',
    apply: () => {
      throw new FatalError(`--${name}: ${why}`);
    },
  };
}

const NO_REPLAY = 'recording and replaying of connections is not supported';

const options: readonly OptionSpec[] = [
  { name: 'remote', arg: 'required', apply: (value) => void remotes.push(value!) },
  { name: 'run', arg: 'required', apply: (value) => void (command = value) },
  { name: 'disable-file-column-diff', apply: () => void (noDiff = true) },
  tlsOption('private-key', 'privateKey', 'p'),
  tlsOption('certificate', 'certificate', 'c'),
  tlsOption('ca-cert', 'caCert', 'C'),
  tlsOption('bootstrap-ca-cert', 'caCert'),
  tlsOption('peer-ca-cert', 'peerCaCert'),
  tlsOption('ssl-protocols', 'protocols'),
  tlsOption('ssl-ciphers', 'ciphers'),
  { name: 'sync-from', arg: 'required', apply: (value) => void (syncFrom = value) },
  { name: 'sync-exclude-tables', arg: 'required', apply: (value) => void (syncExclude = value) },
  { name: 'active', apply: () => void (startActive = true) },
  refuse('record', NO_REPLAY),
  refuse('replay', NO_REPLAY),
];

function help(): string {
  return `${NAME}: Open vSwitch database server
usage: ${NAME} [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is
${dirs.dbdir}/conf.db.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE

${streamHelp('JSON-RPC', { active: true, passive: true, bootstrap: true, ssl: true })}
${daemonHelp(NAME)}${vlogHelp(NAME)}
Syncing options:
  --sync-from=SERVER      sync DATABASE from active SERVER and start in
                          backup mode (except with --active)
  --sync-exclude-tables=DB:TABLE,...
                          exclude the TABLE in DB from syncing
  --active                with --sync-from, start in active mode

Other options:
  --run COMMAND           run COMMAND as subprocess then exit
  --unixctl=SOCKET        override default control socket name
  --disable-file-column-diff
                          don't use column diff in database file
  -h, --help              display this help message
  -V, --version           display version information
`;
}

/** Opens what the options name. Throws an `Error` with the peer's line. */
async function configure(server: OvsdbServer, operands: readonly string[]): Promise<void> {
  const files = operands.length > 0 ? operands : [path.join(dirs.dbdir, 'conf.db')];
  for (const file of files) server.addDatabase(file);
  server.setTls(tls);
  if (syncExclude !== undefined) server.backup.setExcludedTables(syncExclude);
  server.backup.source = syncFrom;
  if (syncFrom !== undefined && !startActive) server.backup.start();
  for (const remote of remotes) await server.remotes.add(remote);
}

/** Throws when nobody can connect at a name of --remote: a daemon tries again, as the peer's, a service stops and tells. */
function requireListeners(server: OvsdbServer): void {
  for (const name of remotes.filter(isPassiveName)) {
    const problem = server.remotes.remotes.get(name)?.status().lastError;
    if (problem !== undefined) throw new FatalError(`${name}: listen failed: ${problem}`);
  }
}

/** Runs the command of `--run`; the server ends with it. */
function runCommand(text: string, exit: (status?: number) => void): () => void {
  if (process.platform === 'win32') throw new FatalError('--run is not supported on Windows');
  const child = spawn(text, { shell: '/bin/sh', stdio: 'inherit' });
  const failed = (how: string): void => {
    process.stderr.write(`${NAME}: ${text}: child exited, ${how}\n`);
    exit(1);
  };
  child.once('error', (error) => failed(error.message));
  child.once('exit', (code, signal) => {
    if (code === 0) exit(0);
    else failed(signal === null ? `exit status ${code}` : `killed (${signal})`);
  });
  return () => void child.kill();
}

/** Runs the daemon. */
export function main(): Promise<void> {
  return runDaemon({
    name: NAME,
    options,
    help,
    start: async ({ commandLine, unixctl, isService, exit }) => {
      const server = new OvsdbServer({ noDiff });
      let endCommand: (() => void) | undefined;
      try {
        await configure(server, commandLine.operands);
        if (isService) requireListeners(server);
        if (command !== undefined) endCommand = runCommand(command, exit);
      } catch (error) {
        await server.close();
        if (error instanceof OvsdbError || error instanceof FatalError || error instanceof OvsError) {
          throw new FatalError(error.message);
        }
        // The peer ends these with an empty line of its own.
        throw new FatalError(`${(error as Error).message}\n`);
      }
      registerControlCommands(unixctl, server);
      reportMemory((add) => reportUsage(server, add));
      return {
        stop: () => {
          endCommand?.();
          return server.close();
        },
      };
    },
  });
}
