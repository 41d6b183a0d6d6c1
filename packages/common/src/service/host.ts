/** The hosts (daemon-host.ts) of a Windows service: the service manager, and the monitor between it and the daemon. */
import type { DaemonHost } from '../daemon-host.js';
import { exitFlushed } from '../tool.js';
import { setEventWriter, setLevels, vlog } from '../vlog.js';
import { advapi } from './advapi.js';
import { connectService, type ServiceConnection } from './connection.js';
import { openEventLog } from './event-log.js';

/** What a service's monitor sends to its daemon. */
const STOP_MESSAGE = 'stop';

const log = vlog('daemon_windows');

/**
 * A service has no terminal: what it has to say goes to its log and the event log.
 *
 * @param source the name that the event log shows.
 */
function logAsService(source: string): void {
  setLevels(null, 'console', 'off');
  const write = openEventLog(source);
  setEventWriter(({ level, module, text }) =>
    write(level === 'WARN' ? 'warning' : 'error', `${module}: ${text}`),
  );
}

/** Tells the log and the event log why a daemon did not start. */
export function reportFailure(source: string, reason: string): void {
  logAsService(source);
  log.err(reason);
}

/** The host of the daemon under a service's monitor: it ends with the monitor, whatever the monitor's end was. */
export function monitoredHost(name: string): DaemonHost {
  logAsService(name);
  return {
    ready: () => void process.send?.('ready'),
    onStop(stop) {
      process.on('message', (message) => {
        if (message === STOP_MESSAGE) stop();
      });
      process.on('disconnect', stop);
    },
    stopping() {},
    failed: (reason) => log.err(reason),
    end: exitFlushed,
  };
}

/** Asks a daemon that has `monitoredHost` to stop. */
export function askToStop(child: { send(message: string): boolean; readonly connected: boolean }): void {
  if (child.connected) child.send(STOP_MESSAGE);
}

/** Delays of the restarts that the service manager makes when a service's process dies, and when it forgets them. */
const RESTART_DELAYS_MS = [1000, 5000, 10_000];
const FORGET_FAILURES_S = 3600;

/** Asks the service manager to start this service again when its process dies. */
function restartWhenItDies(name: string): void {
  const api = advapi();
  const CONNECT = 0x1;
  const CHANGE_CONFIG_AND_START = 0x2 | 0x10;
  const manager = api.openManager(null, null, CONNECT);
  const service = manager && api.openService(manager, name, CHANGE_CONFIG_AND_START);
  if (service === null || api.setRestarts(service, RESTART_DELAYS_MS, FORGET_FAILURES_S) === 0)
    log.warn(`--service-monitor: the service manager does not take restarts (error ${api.lastError()})`);
  if (service !== null) api.closeService(service);
  if (manager !== null) api.closeService(manager);
}

/**
 * The service manager as host.
 *
 * @param monitored the manager shall restart the process when it dies.
 * @throws FatalError when it has not started this process.
 */
export async function serviceHost(monitored: boolean): Promise<DaemonHost> {
  const connection: ServiceConnection = await connectService();
  logAsService(connection.name);
  if (monitored) restartWhenItDies(connection.name);
  return {
    ...connection,
    failed: (reason) => log.err(reason),
    end: async (status) => {
      await connection.stopped(status);
      process.exit(status);
    },
  };
}
