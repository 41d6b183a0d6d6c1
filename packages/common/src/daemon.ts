/**
 * The frame of a daemon: options, detaching, monitoring, pidfile, control socket, signals, clean exit.
 *
 * A process cannot fork in Node. `--detach` starts the same program again as a child of its own session, connected
 * by an IPC channel; the parent copies the child's standard error and returns 0 when the child says 'ready', or the
 * child's status when it ends before. `--monitor` puts one more process between: it starts the daemon, hands its
 * readiness on, and starts it again when it crashes. Roles travel in one environment variable:
 *
 *     ovsdb-server --detach --monitor        parent, returns at 'ready'
 *       └─ OVS_NODE_ROLE=monitor             restarts the next one when it crashes
 *            └─ OVS_NODE_ROLE=daemon         the daemon itself; its pid is in the pidfile
 *
 * A Windows service is one process, which the service manager starts; with `--service-monitor` it is a monitor, whose
 * daemon has the role 'service'. What becomes of a daemon is told to its host (daemon-host.ts).
 */
import fs from 'node:fs';
import { chownLogFile, logFilePath, openLogFile, setLevels, setProgramName, vlog } from './vlog.js';
import { FatalError, errorMessage, strerror } from './errors.js';
import {
  parseCommandLine,
  parseOptions,
  type CommandLine,
  type OptionSpec,
  type ProgramSpec,
} from './getopt.js';
import { absName, defaultCtlPath, defaultLogFile, dirs } from './dirs.js';
import { startSelfReports } from './daemon-commands.js';
import { processHost, type DaemonHost } from './daemon-host.js';
import { CRASHED, exitWords, monitor, respawn, ROLE } from './daemon-monitor.js';
import { daemonOptions, defaultDaemonSettings, type DaemonSettings } from './daemon-options.js';
import { END_SIGNALS, endBy, type EndSignal, tellEnd } from './end-signals.js';
import { takePidfile } from './pidfile.js';
import { becomeUser, keepCapabilitiesToItself } from './privilege.js';
import { exitFlushed, exitWith } from './tool.js';
import { UnixctlServer } from './unixctl.js';
import { versionLine } from './version.js';
import { vlogOptions } from './vlog-options.js';

/** What `start` gets. */
export interface DaemonContext {
  readonly commandLine: CommandLine;
  /** Listens already when `start` is called; register commands on it. */
  readonly unixctl: UnixctlServer;
  /** It runs as a Windows service: whoever asks for its state should find that it serves, or that it has stopped. */
  readonly isService: boolean;
  /** Stops the daemon in order and ends the process. */
  readonly exit: (status?: number) => void;
}

/** What `start` returns: a daemon that serves. */
export interface RunningDaemon {
  /** Ends it: closes sockets, flushes files. Called once. */
  stop(): Promise<void> | void;
}

/** A daemon program. */
export interface DaemonProgram {
  readonly name: string;
  /** The program's own options; daemon, logging, --help and --version ones are added. */
  readonly options: readonly OptionSpec[];
  readonly help: () => string;
  readonly versionLines?: readonly string[];
  /** Log module of the line that says the daemon serves; the program's name with underscores when absent, null: no line. */
  readonly logModule?: string | null;
  /** A detached process keeps the standard error it was started with: its output goes there. */
  readonly keepsStderr?: boolean;
  /** False: it does not tell of the memory it takes. */
  readonly tellsMemory?: boolean;
  /** Works with devices of the network: after --user it keeps the capabilities for that. */
  readonly usesNetwork?: boolean;
  /** A detached process keeps the standard output it was started with: its output goes there. */
  readonly keepsStdout?: boolean;
  /** What follows the words about a control socket that cannot be made: `PROG: failed to … (Permission denied)`. */
  readonly unixctlFailure?: string;
  /** Checks operands before anything is done; throws FatalError. */
  readonly check?: (commandLine: CommandLine) => void;
  /** What comes before the daemon takes its pidfile and its control socket, so that its failures are told first. */
  readonly prepare?: () => Promise<void>;
  /** Resolves when the daemon serves. Relative paths must be resolved here: the directory changes afterwards. */
  readonly start: (context: DaemonContext) => Promise<RunningDaemon>;
}

/** Does the command line ask for `name`, up to the first --help, --version or mistake? */
function asks(name: string, specs: readonly OptionSpec[], args: readonly string[]): boolean {
  const all: OptionSpec[] = [...specs, { name: 'help', short: 'h' }, { name: 'version', short: 'V' }];
  let asked = false;
  try {
    for (const option of parseOptions(args, all, 'permute')) {
      if (option.name === 'help' || option.name === 'version') return false;
      if (option.name === name) asked = true;
    }
  } catch {
    return false;
  }
  return asked;
}

/** The parent of --detach: waits for readiness or the end. */
async function detach(program: DaemonProgram, role: string, args: readonly string[]): Promise<void> {
  const { name } = program;
  const child = respawn(role, true, args, name, program);
  child.stderr?.pipe(process.stderr, { end: false });
  const status = await new Promise<number>((resolve) => {
    child.once('message', () => resolve(0));
    child.once('error', (error) => {
      process.stderr.write(`${name}: could not start a child process (${strerror(error)})\n`);
      resolve(1);
    });
    // 'close' comes after all of its standard error has been read.
    child.once('close', (code, signal) => {
      if (signal) {
        const words = exitWords(code, signal);
        process.stderr.write(`${name}: fork child died before signaling startup (${words})\n`);
      }
      resolve(code ?? 1);
    });
  });
  await exitFlushed(status);
}

/** Applies those of a command line's options that are rows of a group. */
function applyGroup(
  group: readonly OptionSpec[],
  specs: readonly OptionSpec[],
  args: readonly string[],
  name: string,
): void {
  for (const { spec, value } of parseOptions(args, specs, 'permute')) {
    if (group.includes(spec)) spec.apply?.(value, name);
  }
}

/** --monitor. What it logs goes where the daemon's log goes. */
function startMonitor(
  program: DaemonProgram,
  options: readonly OptionSpec[],
  group: readonly OptionSpec[],
  settings: DaemonSettings,
  args: readonly string[],
): void {
  let logFile: string | null = null;
  const logging: OptionSpec[] = vlogOptions.map((row) =>
    row.name === 'log-file'
      ? { ...row, apply: (value) => void (logFile = value ?? defaultLogFile(program.name)) }
      : row,
  );
  const others = options.filter((row) => !vlogOptions.some(({ name }) => name === row.name));
  applyGroup([...group, ...logging], [...others, ...logging], args, program.name);
  if (settings.user !== null) {
    const usesNetwork = program.usesNetwork ?? false;
    becomeUser({
      spec: settings.user,
      pidfile: settings.pidfile,
      usesNetwork,
      inherited: true,
      giveFiles: ({ uid, gid }) => giveLogFile(logFile, uid, gid),
    });
  }
  monitor({ name: program.name, args, host: processHost, logFile, isDetached: settings.detach });
}

/**
 * Runs a daemon program from command line to exit. Never returns in a process that detaches; in the daemon it
 * returns when the daemon serves, and the process lives on until a signal, `exit`, or `context.exit`.
 */
export async function runDaemon(
  program: DaemonProgram,
  args: string[] = process.argv.slice(2),
): Promise<void> {
  const { name } = program;
  setProgramName(name);
  const settings = defaultDaemonSettings();
  const group = daemonOptions(settings);
  const spec: ProgramSpec = {
    name,
    options: [...program.options, ...group, ...vlogOptions],
    order: 'permute',
    help: program.help,
    ...(program.versionLines ? { versionLines: program.versionLines } : {}),
  };
  const role = process.env[ROLE];
  delete process.env[ROLE];
  try {
    const monitored = asks('monitor', spec.options, args);
    if (role === undefined && asks('detach', spec.options, args)) {
      await detach(program, monitored ? 'monitor' : 'daemon', args);
      return;
    }
    // In full, before anything is parsed: a bad command line is told to the service manager, too.
    if (
      process.platform === 'win32' &&
      (role === 'service' || (role === undefined && args.includes('--service')))
    ) {
      await serveAsService(program, spec, settings, args, role === 'service');
      return;
    }
    if (monitored && role !== 'daemon') {
      startMonitor(program, spec.options, group, settings, args);
      return;
    }
    setTitle(name, args);
    await serve(program, spec, settings, args, processHost, monitored);
  } catch (thrown) {
    await exitWith(name, thrown);
  }
}

/** Runs a daemon as a Windows service, or as the daemon of a service's monitor. What fails is told to the host. */
async function serveAsService(
  program: DaemonProgram,
  spec: ProgramSpec,
  settings: DaemonSettings,
  args: readonly string[],
  underMonitor: boolean,
): Promise<void> {
  const { name } = program;
  const service = await import('./service/host.js');
  const monitored = !underMonitor && args.includes('--service-monitor');
  let host: DaemonHost;
  try {
    host = underMonitor ? service.monitoredHost(name) : await service.serviceHost(monitored);
  } catch (thrown) {
    // Somebody started it by hand: the log he asked for gets the reason, and he sees it.
    parseCommandLine(spec, args);
    setLevels(null, 'console', 'off');
    service.reportFailure(name, errorMessage(thrown));
    throw thrown;
  }
  try {
    if (monitored) {
      openLogAnyway(name, args);
      monitor({ name, args, host, service });
    } else await serve(program, spec, settings, args, host);
  } catch (thrown) {
    openLogAnyway(name, args);
    host.failed(errorMessage(thrown).split('\n', 1)[0]!);
    await host.end(thrown instanceof FatalError ? thrown.status : 1);
  }
}

/** Opens the log that a command line asks for where its parser has not come to it: behind a mistake, in a monitor. */
function openLogAnyway(name: string, args: readonly string[]): void {
  const wanted = args.find((word) => /^--log-file(=|$)/.test(word));
  if (wanted === undefined || logFilePath() !== null) return;
  openLogFile(wanted.slice('--log-file='.length) || defaultLogFile(name));
}

/** Makes a log file somebody's before it is opened; what is wrong with it is told when it is. */
function giveLogFile(file: string | null, uid: number, gid: number): void {
  if (file === null) return;
  try {
    const fd = fs.openSync(file, 'a', 0o640);
    fs.fchownSync(fd, uid, gid);
    fs.closeSync(fd);
  } catch {
    // The daemon says so.
  }
}

/** The monitor of a daemon is another user's already. */
function changeUser(spec: string, pidfile: string | null, usesNetwork: boolean, isMonitored: boolean): void {
  if (isMonitored) {
    keepCapabilitiesToItself(usesNetwork);
    return;
  }
  becomeUser({
    spec,
    pidfile,
    usesNetwork,
    inherited: false,
    giveFiles: ({ uid, gid }) => chownLogFile(uid, gid),
  });
}

/** Shows a daemon as its program's name and arguments, in ps(1) and by name: to the system it is `node`. */
function setTitle(name: string, args: readonly string[]): void {
  if (process.platform === 'win32') return;
  process.title = [name, ...args].join(' ');
  // Which has put the beginning of that into the name by which pidof(1) and killall(1) know it.
  try {
    fs.writeFileSync('/proc/self/comm', name);
  } catch {
    // Only Linux has it.
  }
}

async function serve(
  program: DaemonProgram,
  spec: ProgramSpec,
  settings: DaemonSettings,
  args: readonly string[],
  host: DaemonHost,
  isMonitored = false,
): Promise<void> {
  const { name } = program;
  const commandLine = parseCommandLine(spec, args);
  program.check?.(commandLine);
  if (settings.user !== null)
    changeUser(settings.user, settings.pidfile, program.usesNetwork ?? false, isMonitored);

  let removePidfile: (() => void) | null = null;
  const unixctl = new UnixctlServer(name);
  let running: RunningDaemon | null = null;
  let stopping = false;

  const cleanUp = async (): Promise<void> => {
    try {
      await running?.stop();
    } catch (error) {
      vlog('daemon').err(`while stopping: ${error instanceof Error ? error.message : String(error)}`);
    }
    await unixctl.close();
    removePidfile?.();
  };
  const exit = (status = 0): void => {
    if (stopping) return;
    stopping = true;
    host.stopping();
    // The reply of the command that asked for the end is written first.
    setImmediate(() => void cleanUp().then(() => host.end(status)));
  };
  host.onStop(() => exit());
  const onSignal = (signal: EndSignal): void => {
    if (stopping) return;
    stopping = true;
    tellEnd(signal);
    void cleanUp().then(() => endBy(signal));
  };
  for (const signal of END_SIGNALS) process.on(signal, onSignal);
  const crash = (error: unknown): void => {
    vlog('daemon').emer(
      `crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    removePidfile?.();
    // With the signal that a failed assertion ends in: whoever watches knows it for a crash.
    if (process.platform !== 'win32') process.kill(process.pid, 'SIGABRT');
    process.exit(CRASHED);
  };
  // Once the parent of --detach is gone, nobody reads standard error: writing to it must not be a crash.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);

  try {
    await program.prepare?.();
    if (settings.pidfile !== null)
      removePidfile = takePidfile(settings.pidfile, name, settings.overwritePidfile);
    try {
      await unixctl.listen(settings.unixctl);
    } catch (error) {
      const where =
        settings.unixctl === undefined ? defaultCtlPath(name) : absName(dirs.rundir, settings.unixctl);
      const words = `${where}: could not initialize control socket (${strerror(error)})`;
      const after = program.unixctlFailure;
      throw new FatalError(after === undefined ? words : `${words}\n${name}: ${after} (${strerror(error)})`);
    }
    running = await program.start({ commandLine, unixctl, isService: settings.service, exit });
    startSelfReports(unixctl, program.tellsMemory !== false);
    unixctl.register('exit', '', 0, 0, () => {
      exit();
      return '';
    });
  } catch (error) {
    stopping = true;
    await cleanUp();
    throw error;
  }
  if (program.logModule !== null)
    vlog(program.logModule ?? name.replaceAll('-', '_')).info(versionLine(name));
  if (settings.detach) {
    if (settings.chdir && process.platform !== 'win32') process.chdir('/');
    setLevels(null, 'console', 'off');
  }
  host.ready();
}
