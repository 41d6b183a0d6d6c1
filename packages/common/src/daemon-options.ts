/** The option group of daemons: ovsdb-server(1), "Daemon Options", and --unixctl. */
import { absName, defaultPidfile, dirs } from './dirs.js';
import { FatalError } from './errors.js';
import type { OptionSpec } from './getopt.js';

const windows = process.platform === 'win32';

/** What the daemon options said. */
export interface DaemonSettings {
  detach: boolean;
  monitor: boolean;
  chdir: boolean;
  /** Absolute, or null for none. */
  pidfile: string | null;
  overwritePidfile: boolean;
  /** Run as a Windows service, which the service manager has started. */
  service: boolean;
  /** The service is started again when it crashes. */
  serviceMonitor: boolean;
  /** Who to become, as written; null to stay who started it. */
  user: string | null;
  /** As written; undefined for the default socket. */
  unixctl: string | undefined;
}

/** Settings before any option. */
export function defaultDaemonSettings(): DaemonSettings {
  return {
    detach: false,
    monitor: false,
    chdir: true,
    pidfile: null,
    overwritePidfile: false,
    service: false,
    serviceMonitor: false,
    user: null,
    unixctl: undefined,
  };
}

/** The rows of the group, writing into `settings`. */
export function daemonOptions(settings: DaemonSettings): OptionSpec[] {
  const rows: OptionSpec[] = [
    { name: 'detach', apply: () => void (settings.detach = true) },
    // Confinement is a thing of the peer's processes; a script that turns it off gets what it wants.
    { name: 'no-self-confinement', apply: () => {} },
    { name: 'no-chdir', apply: () => void (settings.chdir = false) },
    {
      name: 'pidfile',
      arg: 'optional',
      apply: (value, program) =>
        void (settings.pidfile = value === undefined ? defaultPidfile(program) : absName(dirs.rundir, value)),
    },
    { name: 'overwrite-pidfile', apply: () => void (settings.overwritePidfile = true) },
    { name: 'monitor', apply: () => void (settings.monitor = true) },
    {
      name: 'user',
      arg: 'required',
      apply: (value) => {
        if (windows) throw new FatalError('--user option is not currently supported.');
        settings.user = value!;
      },
    },
    { name: 'unixctl', arg: 'required', apply: (value) => void (settings.unixctl = value) },
  ];
  // As with the peer, another system does not know them.
  if (windows)
    rows.push(
      { name: 'service', apply: () => void (settings.service = true) },
      { name: 'service-monitor', apply: () => void (settings.serviceMonitor = true) },
    );
  return rows;
}

const SERVICE_HELP = `
Service options:
  --service               run in background as a service
  --service-monitor       restart the service in case of an unexpected failure
`;

/** The "Daemon options:" part of a program's --help. */
export function daemonHelp(program: string): string {
  return `
Daemon options:
  --detach                run in background as daemon
  --monitor               creates a process to monitor this daemon
  --user=username[:group] changes the effective daemon user:group
  --no-chdir              do not chdir to '/'
  --pidfile[=FILE]        create pidfile (default: ${dirs.rundir}/${program}.pid)
  --overwrite-pidfile     with --pidfile, start even if already running
${windows ? SERVICE_HELP : ''}`;
}
