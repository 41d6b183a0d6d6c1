/**
 * A whole switch in a folder of its own: database, datapath service and switch daemon, started, driven and stopped
 * as a user would, by the programs. `npm start`, the demo, the tests and the benchmarks all stand on it, and it can
 * start the peer's programs in place of ours, so that one script compares both.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { checkoutRoot } from '@ovs-node/common/testkit/programs';

/** Whose programs: this checkout's, or Open vSwitch's own as the system's packages install it. */
export type Side = 'ours' | 'peer';

/** The programs of the suite that run until told to stop, in the order in which they start. */
export const DAEMONS = ['ovsdb-server', 'ovs-datapath-svc', 'ovs-vswitchd'] as const;
export type Daemon = (typeof DAEMONS)[number];

/** Folders a suite keeps its files in; `at` puts them all in one. */
export interface SuiteDirs {
  readonly run: string;
  readonly log: string;
  readonly db: string;
  readonly etc: string;
}

export interface SuiteOptions {
  readonly root: string;
  readonly side: Side;
  readonly dirs: SuiteDirs;
  /** Further options of ovs-vswitchd, such as `--enable-dummy`. */
  readonly vswitchdArgs?: readonly string[];
  /** Where our programs are, when not as scripts in `bin/` of `root`: standalone executables. */
  readonly bin?: string;
  /** A command put before each daemon's, such as `taskset -c 0` or `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
}

export interface RunResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The checkout that this file was built in. */
export const checkout = checkoutRoot(import.meta.url);

/** All files of a suite in one folder. */
export function dirsAt(dir: string): SuiteDirs {
  return { run: dir, log: dir, db: dir, etc: dir };
}

export class Suite {
  readonly dirs: SuiteDirs;
  readonly side: Side;
  readonly env: NodeJS.ProcessEnv;
  readonly #root: string;
  readonly #bin: string | undefined;
  readonly #vswitchdArgs: readonly string[];
  readonly #prefix: readonly string[];
  readonly #children = new Map<Daemon, ChildProcess>();

  constructor(options: SuiteOptions) {
    this.dirs = options.dirs;
    this.side = options.side;
    this.#root = options.root;
    this.#bin = options.bin;
    this.#vswitchdArgs = options.vswitchdArgs ?? [];
    this.#prefix = options.prefix ?? [];
    const bin = options.side === 'ours' ? (options.bin ?? join(options.root, 'bin')) : '/usr/bin:/usr/sbin';
    this.env = {
      ...process.env,
      PATH: bin + delimiter + (process.env['PATH'] ?? ''),
      OVS_RUNDIR: options.dirs.run,
      OVS_LOGDIR: options.dirs.log,
      OVS_DBDIR: options.dirs.db,
      OVS_SYSCONFDIR: options.dirs.etc,
    };
    // Costs Node 20 some 40 ms a start, and no tool here opens a connection to the world.
    delete this.env['NODE_EXTRA_CA_CERTS'];
  }

  /** The daemons that this side has: the peer's datapath lives in its ovs-vswitchd. */
  get daemons(): readonly Daemon[] {
    return this.side === 'ours' ? DAEMONS : DAEMONS.filter((name) => name !== 'ovs-datapath-svc');
  }

  /** The command line of a program of this side. */
  command(program: string): [string, ...string[]] {
    if (this.#bin !== undefined) return [join(this.#bin, program)];
    if (this.side === 'ours') return [process.execPath, join(this.#root, 'bin', program)];
    const place = ['/usr/bin', '/usr/sbin'].map((dir) => join(dir, program)).find((path) => existsSync(path));
    return [place ?? program];
  }

  /** Runs a program to its end and gives what it printed; never rejects for a failing program. */
  run(program: string, args: readonly string[], { input = '', timeoutMs = 60_000 } = {}): Promise<RunResult> {
    const [file, ...before] = this.command(program);
    return runCommand(file, [...before, ...args], { env: this.env, input, timeoutMs });
  }

  /** Runs a program that has to succeed and gives its standard output; rejects with its error line otherwise. */
  async must(program: string, ...args: string[]): Promise<string> {
    const result = await this.run(program, args);
    if (result.status !== 0) {
      throw new Error(
        `${program} ${args.join(' ')}: status ${result.status}: ${result.stderr.trim() || result.stdout.trim()}`,
      );
    }
    return result.stdout;
  }

  vsctl(...args: string[]): Promise<string> {
    return this.must('ovs-vsctl', ...args);
  }
  ofctl(...args: string[]): Promise<string> {
    return this.must('ovs-ofctl', ...args);
  }
  appctl(...args: string[]): Promise<string> {
    return this.must('ovs-appctl', ...args);
  }
  /** `ovs-dpctl` here; the peer's userspace datapath is reached by `ovs-appctl dpctl/…`. */
  dpctl(command: string, ...args: string[]): Promise<string> {
    return this.side === 'ours'
      ? this.must('ovs-dpctl', command, ...args)
      : this.must('ovs-appctl', `dpctl/${command}`, ...args);
  }

  /** Creates the database where there is none. */
  async createDatabase(): Promise<void> {
    for (const dir of Object.values(this.dirs) as string[]) mkdirSync(dir, { recursive: true });
    const file = join(this.dirs.db, 'conf.db');
    if (!existsSync(file)) await this.must('ovsdb-tool', 'create', file, ...this.#schema());
  }

  #schema(): string[] {
    return this.side === 'peer' ? ['/usr/share/openvswitch/vswitch.ovsschema'] : [];
  }

  daemonArgs(name: Daemon): string[] {
    const common = ['--pidfile', '--log-file', '-vconsole:off'];
    switch (name) {
      case 'ovsdb-server':
        return [join(this.dirs.db, 'conf.db'), '--remote=punix:db.sock', ...common];
      case 'ovs-datapath-svc':
        return common;
      case 'ovs-vswitchd':
        return [...common, ...this.#vswitchdArgs];
    }
  }

  /** Starts a daemon by `--detach`: it serves when this returns. */
  async startDetached(name: Daemon, ...more: readonly string[]): Promise<void> {
    const [file, ...before] = this.command(name);
    const [exec, ...args] = [
      ...this.#prefix,
      file,
      ...before,
      ...this.daemonArgs(name),
      ...more,
      '--detach',
      '--no-chdir',
    ];
    // Its output goes to a file: a pipe would be kept open by the daemon and never end.
    const log = join(this.dirs.log, `${name}.start.log`);
    const fd = openSync(log, 'w');
    const status = await exitOf(
      spawn(exec as string, args, { env: this.env, stdio: ['ignore', fd, fd] }),
      30_000,
    );
    closeSync(fd);
    if (status !== 0)
      throw new Error(`${name} did not start (status ${status}): ${readFileSync(log, 'utf8').trim()}`);
  }

  /** Starts a daemon as a child in the foreground, its output in `NAME.out.log`. */
  startChild(
    name: Daemon,
    onExit: (status: number | null, signal: NodeJS.Signals | null) => void,
  ): ChildProcess {
    const [file, ...before] = this.command(name);
    const fd = openSync(join(this.dirs.log, `${name}.out.log`), 'a');
    const stdio: StdioOptions = ['ignore', fd, fd];
    // A process group of its own (on Windows: no console): Ctrl-C is for us, who stop the daemons in order.
    const child = spawn(file, [...before, ...this.daemonArgs(name)], {
      env: this.env,
      stdio,
      detached: true,
      windowsHide: true,
    });
    closeSync(fd);
    this.#children.set(name, child);
    child.on('exit', (status, signal) => {
      this.#children.delete(name);
      onExit(status, signal);
    });
    child.on('error', () => onExit(127, null));
    return child;
  }

  /** Starts everything and waits until it serves. */
  async start(): Promise<void> {
    await this.createDatabase();
    await this.startDetached('ovsdb-server');
    await this.vsctl('--no-wait', 'init');
    for (const name of this.daemons) if (name !== 'ovsdb-server') await this.startDetached(name);
  }

  /** The process ID in a daemon's pidfile, undefined when there is none. */
  pid(name: Daemon): number | undefined {
    try {
      return Number(readFileSync(join(this.dirs.run, `${name}.pid`), 'utf8'));
    } catch {
      return undefined;
    }
  }

  alive(name: Daemon): boolean {
    const pid = this.pid(name);
    return pid !== undefined && isAlive(pid);
  }

  /** Ends one daemon the hard way, as a crash would. */
  async kill(name: Daemon): Promise<void> {
    const pid = this.pid(name);
    if (pid === undefined) return;
    process.kill(pid, 'SIGKILL');
    await waitFor(`the end of ${name}`, () => !isAlive(pid));
  }

  /** Asks one daemon to exit, and makes it when it does not within ten seconds. */
  async stopOne(name: Daemon): Promise<void> {
    const pid = this.pid(name);
    if (pid === undefined || !isAlive(pid)) return;
    await this.run('ovs-appctl', ['-t', name, '-T', '5', 'exit']);
    try {
      await waitFor(`the end of ${name}`, () => !isAlive(pid), 10_000);
    } catch {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  }

  /** Stops all daemons, last started first. */
  async stop(): Promise<void> {
    for (const name of this.daemons.toReversed()) await this.stopOne(name);
  }
}

/** Waits until `condition` holds, looking every 20 ms; rejects after `timeoutMs`, naming `what`. */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await condition()) return;
    if (performance.now() > end) throw new Error(`timed out after ${timeoutMs} ms waiting for ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Runs any command to its end; a time-out counts as status 124. */
export function runCommand(
  file: string,
  args: readonly string[],
  {
    env = process.env,
    input = '',
    timeoutMs = 60_000,
    cwd,
  }: { env?: NodeJS.ProcessEnv; input?: string; timeoutMs?: number; cwd?: string } = {},
): Promise<RunResult> {
  return new Promise((done) => {
    const child = spawn(file, args, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => {
      stderr += `${file}: no end after ${timeoutMs} ms`;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', (error) => {
      clearTimeout(timer);
      done({ status: 127, stdout, stderr: stderr + error.message });
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      done({ status: status ?? (signal === 'SIGKILL' ? 124 : 128), stdout, stderr });
    });
  });
}

/** True when a process of this number exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return process.platform !== 'linux';
  }
}

function exitOf(child: ChildProcess, timeoutMs: number): Promise<number> {
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    const end = (status: number): void => {
      clearTimeout(timer);
      done(status);
    };
    child.on('error', () => end(127));
    child.on('exit', (status) => end(status ?? 124));
  });
}
