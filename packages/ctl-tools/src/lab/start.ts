/**
 * `npm start`: a switch in the checkout's `var/`, in the foreground. Starts the three daemons, creates a first
 * bridge, says what to try next, and stops all three on Ctrl-C. A daemon that dies is started again, as a service
 * manager would, and the others go on meanwhile.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DAEMONS, type Daemon, Suite, type SuiteDirs, checkout, waitFor } from './suite.js';

const isWindows = process.platform === 'win32';

/** A daemon that dies more often than this within one run is left down. */
const MAX_RESTARTS = 5;

export async function start(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== '--shell');
  if (unknown !== undefined) {
    console.error(`npm start: unknown argument ${JSON.stringify(unknown)} (known: --shell)`);
    return 1;
  }
  const shell = args.includes('--shell');
  if (shell && !process.stdin.isTTY) {
    console.error('npm start: --shell needs a terminal');
    return 1;
  }
  const base = join(checkout, 'var');
  const dirs: SuiteDirs = {
    run: join(base, 'run'),
    log: join(base, 'log'),
    db: join(base, 'db'),
    etc: join(base, 'etc'),
  };
  const suite = new Suite({ root: checkout, side: 'ours', dirs });
  const running = DAEMONS.filter((name) => suite.alive(name));
  if (running.length > 0) {
    console.error(
      `npm start: ${running.join(', ')} of ${base} already running (pid ${suite.pid(running[0] as Daemon)})`,
    );
    return 1;
  }
  const supervisor = new Supervisor(suite);
  let stop: () => void = () => undefined;
  const stopped = new Promise<void>((done) => (stop = done));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  try {
    for (const dir of Object.values(dirs) as string[]) mkdirSync(dir, { recursive: true });
    await suite.createDatabase();
    await supervisor.up('ovsdb-server');
    await suite.vsctl('--no-wait', 'init');
    await supervisor.up('ovs-datapath-svc');
    await supervisor.up('ovs-vswitchd');
    await suite.vsctl('--timeout=20', '--may-exist', 'add-br', 'br0');
    writeEnvFiles(suite, base);
    console.log(welcome(suite, base));
    if (shell) await runShell(suite);
    else await stopped;
    return 0;
  } catch (error) {
    console.error(`npm start: ${(error as Error).message}`);
    return 1;
  } finally {
    supervisor.stopping = true;
    console.log('stopping ...');
    await suite.stop();
    console.log('stopped');
  }
}

class Supervisor {
  stopping = false;
  readonly #suite: Suite;
  readonly #restarts = new Map<Daemon, number>();
  constructor(suite: Suite) {
    this.#suite = suite;
  }

  /** Starts a daemon and waits until it answers on its control socket. */
  async up(name: Daemon): Promise<void> {
    let failed: string | undefined;
    this.#suite.startChild(name, (status, signal) => {
      failed = signal ?? `status ${status}`;
      this.#gone(name, failed);
    });
    await waitFor(
      `${name} to serve`,
      async () => {
        if (failed !== undefined)
          throw new Error(
            `${name} ended (${failed}); see ${join(this.#suite.dirs.log, `${name}.out.log`)} and ${name}.log`,
          );
        return (
          this.#suite.alive(name) &&
          (await this.#suite.run('ovs-appctl', ['-t', name, '-T', '5', 'version'])).status === 0
        );
      },
      30_000,
    );
    console.log(`started ${name} (pid ${this.#suite.pid(name)})`);
    this.#restarts.set(name, this.#restarts.get(name) ?? 0);
  }

  #gone(name: Daemon, how: string): void {
    const count = this.#restarts.get(name);
    // Not yet up: `up` reports it.
    if (this.stopping || count === undefined) return;
    if (count >= MAX_RESTARTS) {
      console.error(`${name} ended (${how}) for the ${count + 1}th time: left down`);
      return;
    }
    this.#restarts.set(name, count + 1);
    console.error(`${name} ended (${how}): starting it again`);
    setTimeout(
      () => {
        if (this.stopping || this.#suite.alive(name)) return;
        this.up(name).catch((error: unknown) => console.error((error as Error).message));
      },
      500 * 2 ** count,
    );
  }
}

/** Files to be sourced in another terminal. */
function writeEnvFiles(suite: Suite, base: string): void {
  const names = ['OVS_RUNDIR', 'OVS_LOGDIR', 'OVS_DBDIR', 'OVS_SYSCONFDIR'];
  const bin = join(checkout, 'bin');
  const sh = names.map((name) => `export ${name}='${suite.env[name]}'`);
  writeFileSync(join(base, 'env.sh'), [...sh, `export PATH='${bin}':"$PATH"`, ''].join('\n'));
  const cmd = names.map((name) => `@set "${name}=${suite.env[name]}"`);
  writeFileSync(join(base, 'env.cmd'), [...cmd, `@set "PATH=${bin};%PATH%"`, ''].join('\r\n'));
  const ps = names.map((name) => `$env:${name} = '${suite.env[name]}'`);
  writeFileSync(join(base, 'env.ps1'), [...ps, `$env:PATH = '${bin};' + $env:PATH`, ''].join('\r\n'));
  if (!isWindows) chmodSync(join(base, 'env.sh'), 0o644);
}

function welcome(suite: Suite, base: string): string {
  const source = isWindows ? `${join('var', 'env.cmd')}        (PowerShell: . var\\env.ps1)` : '. var/env.sh';
  const isLinux = process.platform === 'linux';
  const privileged = isLinux && process.getuid?.() === 0;
  const show = (path: string): string => relative(checkout, path) || '.';
  return [
    '',
    'The switch is running, with a first bridge, br0.',
    `  sockets   ${isWindows ? `named pipes, after ${suite.dirs.run}` : show(suite.dirs.run)}`,
    `  logs      ${show(suite.dirs.log)}`,
    `  database  ${show(join(suite.dirs.db, 'conf.db'))}`,
    '',
    'In another terminal, from this folder:',
    `  ${source}`,
    '  ovs-vsctl show',
    '  ovs-vsctl add-port br0 vm1 -- set interface vm1 type=stream options:listen=unix:vm1.sock',
    '  ovs-ofctl dump-flows br0',
    '  ovs-dpctl show',
    '  ovs-appctl fdb/show br0',
    '',
    ...(privileged
      ? []
      : [
          `${isLinux ? 'Without root' : 'On this system'} there are no devices of the host: ports are of type=stream, patch or`,
          'dummy, and br0 itself shows why it has no device (ovs-vsctl get interface br0 error).',
          '',
        ]),
    `Ctrl-C stops all three daemons. (${show(base)} keeps the database for the next start.)`,
  ].join('\n');
}

function runShell(suite: Suite): Promise<void> {
  const file = isWindows ? (process.env['ComSpec'] ?? 'cmd.exe') : (process.env['SHELL'] ?? '/bin/sh');
  console.log(`\nA shell with the tools on PATH; leave it (exit) to stop the switch.`);
  return new Promise((done) => {
    const child = spawn(file, [], { env: suite.env, stdio: 'inherit', cwd: checkout });
    child.on('exit', () => done());
    child.on('error', (error) => {
      console.error(`npm start: ${file}: ${error.message}`);
      done();
    });
  });
}
