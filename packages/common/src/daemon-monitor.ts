/**
 * --monitor: a process that starts a daemon, hands its readiness on, and starts it again when it crashes
 * (ovs-vswitchd(8), "Daemon Options"). Also how a program starts itself again in another role.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import os from 'node:os';
import type { DaemonHost } from './daemon-host.js';
import { ownCommand } from './program.js';
import { CRASH_SIGNALS, signalText } from './signal-text.js';
import { openLogFile, setLevels, setSubprogram, vlog } from './vlog.js';

/** The environment variable that tells a process which part it plays. */
export const ROLE = 'OVS_NODE_ROLE';

/** Exit status of a crash (an exception nobody caught) where there are no signals; monitors answer it with a restart. */
export const CRASHED = 70;

/** How a process ended, in the peer's words: `killed (Segmentation fault)`, `exit status 1`. */
export function exitWords(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `exit status ${code}` : `killed (${signalText(signal)})`;
}

/** Does an end mean a crash? Windows has no signals: it gives abort()'s status, or the exception's number. */
function isCrash(code: number | null, signal: NodeJS.Signals | null): boolean {
  if (signal !== null) return signal in CRASH_SIGNALS;
  return code === CRASHED || (process.platform === 'win32' && (code === 134 || code! >= 0xc0000000));
}

/** A daemon that crashes again is restarted at most this often. */
const RESTART_INTERVAL_MS = 10_000;

/** When to start a daemon again that crashed: at once, but not twice within ten seconds. Takes `now`, in ms. */
export class RestartPolicy {
  /** `2 crashes: pid 17 died, killed (Aborted)`; `healthy` before the first. */
  status = 'healthy';
  #crashes = 0;
  #lastRestart = -Infinity;

  /** Counts a crash. @returns ms to wait before the restart. */
  crashed(now: number, pid: number, words: string): number {
    this.status = `${++this.#crashes} crashes: pid ${pid} died, ${words}`;
    return Math.max(0, this.#lastRestart + RESTART_INTERVAL_MS - now);
  }

  restarted(now: number): void {
    this.#lastRestart = now;
  }
}

/** Starts this program again, with the same arguments, in a role. */
export function respawn(
  role: string,
  detached: boolean,
  args: readonly string[],
  argv0: string,
  keeps: { readonly keepsStdout?: boolean; readonly keepsStderr?: boolean } = {},
): ChildProcess {
  const [file, ...before] = ownCommand();
  const output = role === 'service' ? 'ignore' : 'inherit';
  return spawn(file!, [...before, ...args], {
    argv0,
    detached,
    env: { ...process.env, [ROLE]: role },
    stdio: detached
      ? ['ignore', keeps.keepsStdout ? 'inherit' : 'ignore', keeps.keepsStderr ? 'inherit' : 'pipe', 'ipc']
      : ['ignore', output, output, 'ipc'],
    windowsHide: true,
  });
}

/** What a monitor needs of the service it is. */
export interface MonitoredService {
  askToStop(child: ChildProcess): void;
}

/** What is monitored. */
export interface Monitored {
  readonly name: string;
  readonly args: readonly string[];
  /** Told what it would be told of the daemon. */
  readonly host: DaemonHost;
  /** Opened when there is something to say: until then the log is the daemon's. */
  readonly logFile?: string | null;
  /** Nobody reads standard error once the daemon serves. */
  readonly isDetached?: boolean;
  readonly service?: MonitoredService;
}

/** The monitor's life. */
export function monitor({ name, args, host, logFile, isDetached, service }: Monitored): void {
  setSubprogram('monitor');
  const log = vlog(service ? 'daemon_windows' : 'daemon_unix');
  const policy = new RestartPolicy();
  let isReady = false;
  let isEnding = false;
  let opened = false;
  let child: ChildProcess;
  const openLog = (): void => {
    if (!opened && logFile) openLogFile(logFile);
    opened = true;
  };
  const setTitle = (): void => {
    if (process.platform !== 'win32')
      process.title = `${name}: monitoring pid ${child.pid} (${policy.status})`;
  };
  const begin = (): void => {
    child = respawn(service ? 'service' : 'daemon', false, args, name);
    setTitle();
    child.once('message', () => {
      if (!isReady) {
        if (isDetached) setLevels(null, 'console', 'off');
        host.ready();
      }
      isReady = true;
    });
    child.once('exit', (code, signal) => ended(child.pid!, code, signal));
  };
  const ended = (pid: number, code: number | null, signal: NodeJS.Signals | null): void => {
    const words = exitWords(code, signal);
    // A service's restarts are for every end that nobody asked for, Task Manager's among them.
    const isBad = service && signal === null ? code !== 0 : isCrash(code, signal);
    if (!isReady || isEnding || !isBad) {
      if (isReady && !isEnding) {
        openLog();
        log.info(`pid ${pid} died, ${words}, exiting`);
      }
      void host.end(code ?? 128 + (os.constants.signals[signal!] ?? 0));
      return;
    }
    openLog();
    const wait = policy.crashed(performance.now(), pid, words);
    if (wait > 0) log.warn(`${policy.status}, waiting until 10 seconds since last restart`);
    setTimeout(() => {
      if (isEnding) return;
      log.err(`${policy.status}, restarting`);
      policy.restarted(performance.now());
      begin();
    }, wait);
  };
  const isAlive = (): boolean => child.exitCode === null && child.signalCode === null;
  host.onStop(() => {
    isEnding = true;
    if (isAlive()) service?.askToStop(child);
    else void host.end(0);
  });
  // Elsewhere a signal ends the monitor only, as it does the peer's. Windows tells every process of a console, and
  // kill() there ends a process with no chance to clean up: the monitor waits for its daemon.
  if (process.platform === 'win32') {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        isEnding = true;
        if (!isAlive()) process.exit(0);
      });
    }
  }
  begin();
}
